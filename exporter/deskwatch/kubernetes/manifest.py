"""What all manifests share: where they come from, what they are called, and the list that kustomize reads."""

from __future__ import annotations

import re

from deskwatch.errors import ConfigError

NAME = "deskwatch"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def object_name(*parts: str) -> str:
    """An object's name, `deskwatch-<part>-…`, as Kubernetes allows it (DNS-1123): 63 of a-z, 0-9 and `-` at most.

    Raises:
        ConfigError: It would not be one.
    """
    name = "-".join([NAME, *parts]).replace("_", "-")
    if not _LABEL.fullmatch(name):
        raise ConfigError(f"expected a file name of a-z, 0-9 and -, was one that makes {name!r}; rename the file")
    return name


def head(source: str, *, api: str, kind: str, name: str, labels: dict[str, str] | None = None) -> str:
    """The beginning of a manifest: what it is made from, what it is, and its labels.

    Lines may be longer than the house has it: they are the source's, moved to the right.
    """
    all_labels = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": NAME, **(labels or {})}
    return (
        f"# Made by `deskwatch kubernetes build` from {source}; change that.\n"
        "# yamllint disable rule:line-length\n"
        f"apiVersion: {api}\n"
        f"kind: {kind}\n"
        "metadata:\n"
        f"  name: {name}\n"
        "  labels:\n" + "".join(f"    {key}: {value}\n" for key, value in all_labels.items())
    )


def indent(text: str, by: int) -> str:
    """A text moved to the right by some blanks; empty lines stay empty."""
    blanks = " " * by
    return "".join(f"{blanks}{line}\n" if line.strip() else "\n" for line in text.splitlines())


def kustomization(resources: list[str]) -> str:
    """A kustomization of some files beside it."""
    return (
        "# Made by `deskwatch kubernetes build`: every file beside this one.\n"
        "apiVersion: kustomize.config.k8s.io/v1beta1\n"
        "kind: Kustomization\n"
        "resources:\n" + "".join(f"  - {name}\n" for name in resources)
    )
