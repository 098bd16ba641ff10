"""What the compose stack needs before its servers start: tokens, a password, and Alertmanager's configuration.

`deskwatch stack prepare` runs once at each start, in a container of its own. Each consumer has a folder of its own
under `out`, a volume that nobody else mounts:

    out/deskwatch/scrape-token        the sidecar knows by it that Prometheus asks
    out/prometheus/scrape-token       the same token, to scrape with
    out/grafana/admin-password        the admin's password of a new Grafana
    out/alertmanager/                 alertmanager.yml, templates/, and the secrets that it names

What is generated is generated once and kept. What comes from `secrets`, the environment (`deskwatch.stack.preferences`)
and the template is made anew each time.
Alertmanager expands no variables, but reads secrets from files: any key of a receiver that ends in `_file` names one,
by the last part of its path. A receiver's channel whose secret is missing is left out, with a warning.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import secrets as random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deskwatch import atomic
from deskwatch.errors import ConfigError
from deskwatch.stack.preferences import LINKS, Preferences, from_environment

OWNERS = {"deskwatch": 10464, "prometheus": 65534, "alertmanager": 65534, "grafana": 472}
"""User id that each consumer's container runs as (its image's own, and ours: see the Dockerfile)."""
_EXPECTED = {
    "slack_webhook_url": (re.compile(r"https?://\S+"), "an http(s) URL"),
    "heartbeat_url": (re.compile(r"https?://\S+"), "an http(s) URL"),
    "telegram_bot_token": (re.compile(r"\d+:[\w-]+"), "a bot's token, such as 12345:AbC-d"),
    "telegram_chat_id": (re.compile(r"-?\d+"), "a chat's number, such as -1001234567890"),
}
_Node = dict[str, Any]  # Any: what YAML can hold


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `stack prepare` to the command line."""
    stack = commands.add_parser("stack", help="what the compose stack needs before it starts")
    actions = stack.add_subparsers(required=True, metavar="ACTION")
    prepare_ = actions.add_parser("prepare", help="make tokens, passwords and Alertmanager's configuration")
    prepare_.add_argument("--secrets", type=Path, required=True, help="folder of the secrets that people provide")
    prepare_.add_argument("--template", type=Path, required=True, help="template of Alertmanager's configuration")
    prepare_.add_argument("--out", type=Path, required=True, help="folder to write to, with one folder per consumer")
    prepare_.add_argument(
        "--give-away", action="store_true", help="give files to the users of the stack's containers (needs root)"
    )
    prepare_.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run `stack prepare`; warnings go to stderr and fail nothing."""
    warnings = prepare(
        arguments.secrets,
        arguments.template,
        arguments.out,
        give_away=arguments.give_away,
        preferences=from_environment(os.environ),
    )
    for warning in warnings:
        print(f"deskwatch: warning: {warning}", file=sys.stderr)
    return 0


def prepare(
    secrets: Path,
    template: Path,
    out: Path,
    *,
    give_away: bool = False,
    preferences: Preferences = Preferences(),  # noqa: B008 — frozen
) -> list[str]:
    """Write what every consumer reads at its start.

    Args:
        secrets: Folder of the secrets that people provide, a file each; may be missing.
        template: Alertmanager's configuration; its message templates lie in `templates/` beside it.
        out: Where to write; see the module's text.
        give_away: Make each consumer's user the owner of its files. Needs CAP_CHOWN.
        preferences: Where links lead, and when nobody wants to hear of what can wait.

    Returns:
        Warnings: each says what is left out, and which file would bring it in.

    Raises:
        ConfigError: The template can't be read or is no configuration.
    """
    configuration = _read_template(template)
    for consumer in OWNERS:
        (out / consumer).mkdir(parents=True, exist_ok=True)
    shared = (out / "deskwatch" / "scrape-token", out / "prometheus" / "scrape-token")
    token = _kept(*shared) or random.token_urlsafe(32)
    for path in shared:
        _write(path, token)
    password = out / "grafana" / "admin-password"
    _write(password, _kept(password) or random.token_urlsafe(18))
    preferences.set_quiet_hours(configuration)
    messages = {path.name: path.read_text() for path in (template.parent / "templates").glob("*.tmpl")}
    if LINKS in messages:
        messages[LINKS] = preferences.in_links(messages[LINKS])
    warnings = _prepare_alertmanager(configuration, secrets, messages, out / "alertmanager")
    if give_away:
        _give_away(out)
    return warnings


def _read_template(path: Path) -> _Node:
    import yaml  # noqa: PLC0415 — the extra `stack` has it, and no other command needs it

    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"expected Alertmanager's template at {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected YAML in {path}: {error}") from None
    if not isinstance(content, dict) or not _are_mappings(content.get("receivers")):
        raise ConfigError(f"expected {path} to be an Alertmanager configuration with a list of receivers")
    if not _are_mappings(content.get("time_intervals") or []):
        raise ConfigError(f"expected time_intervals in {path} to be a list of intervals")
    for receiver in content["receivers"]:
        if not isinstance(receiver.get("name"), str) or not all(isinstance(key, str) for key in receiver):
            raise ConfigError(f"expected each receiver in {path} to have a name and settings, was {receiver}")
        for channel in _channels(receiver):
            if not _are_mappings(receiver[channel] or []):
                raise ConfigError(f"expected {channel} of {receiver['name']} in {path} to be a list of settings")
    return content


def _are_mappings(content: Any) -> bool:  # Any: what YAML can hold
    return isinstance(content, list) and all(isinstance(one, dict) for one in content)


def _channels(receiver: _Node) -> list[str]:
    """The keys of a receiver that say by what it is told."""
    return [key for key in receiver if key.endswith("_configs")]


def _prepare_alertmanager(configuration: _Node, secrets: Path, messages: dict[str, str], folder: Path) -> list[str]:
    """Write the configuration without what lacks its secret, the secrets it names, and the message templates."""
    import yaml  # noqa: PLC0415 — as above

    # Copies: receivers may share their settings by a YAML alias, and each is changed below.
    configuration["receivers"] = [copy.deepcopy(receiver) for receiver in configuration["receivers"]]
    found, warnings = _read_secrets(secrets, {name for _, _, name in _files(configuration["receivers"])})
    missing: dict[tuple[str, str], list[str]] = defaultdict(list)
    used: set[str] = set()
    for receiver in configuration["receivers"]:
        for channel in _channels(receiver):
            kept = []
            for settings in receiver[channel] or []:  # or everything below it is commented out
                files = list(_files(settings))
                lacking = ", ".join(sorted({name for _, _, name in files if name not in found}))
                if lacking:
                    missing[channel, lacking].append(receiver["name"])
                    continue
                for node, key, name in files:
                    # From the root: Alertmanager would look for it where it was started.
                    node[key] = str((folder / name).absolute())
                    used.add(name)
                kept.append(settings)
            receiver[channel] = kept
            if not kept:
                del receiver[channel]
    for (channel, lacking), receivers in missing.items():
        who = ", ".join(receivers)
        warnings.append(
            f"{channel} of {who} left out of Alertmanager's configuration: no secret {lacking} in {secrets}"
        )
    text = yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True, width=100)
    text = "# Made by `deskwatch stack prepare` at each start; change the template.\n" + text
    _replace_files(folder, {name: found[name] for name in used} | {"alertmanager.yml": text})
    templates = folder / "templates"
    templates.mkdir(exist_ok=True)
    _replace_files(templates, messages)
    return warnings


def _read_secrets(folder: Path, names: set[str]) -> tuple[dict[str, str], list[str]]:
    """The secrets that are there and look right, and a warning for each that looks wrong. No value is ever told."""
    found: dict[str, str] = {}
    warnings: list[str] = []
    for name in sorted(names):
        try:
            value = (folder / name).read_text().strip()
        except FileNotFoundError:
            continue
        except OSError as error:
            warnings.append(f"expected to read {folder / name}: {error.strerror}")
            continue
        except UnicodeDecodeError:
            warnings.append(f"expected {folder / name} to hold text; it holds something else")
            continue
        pattern, expected = _EXPECTED.get(name, (re.compile(r".+", re.DOTALL), "not empty"))
        if pattern.fullmatch(value):
            found[name] = value
        elif value:
            warnings.append(f"expected {folder / name} to hold {expected}; it holds something else")
    return found, warnings


def _files(node: Any) -> Iterator[tuple[_Node, str, str]]:
    """Each `…_file` below a node: the mapping that holds it, its key, and the secret's name."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and str(key).endswith("_file"):
                yield node, key, Path(value).name
            else:
                yield from _files(value)
    elif isinstance(node, list):
        for value in node:
            yield from _files(value)


def _kept(*paths: Path) -> str | None:
    """What an earlier run wrote to the first of these files that has anything."""
    for path in paths:
        if path.exists() and (text := path.read_text().strip()):
            return text
    return None


def _replace_files(folder: Path, contents: dict[str, str]) -> None:
    """Make a folder's files these, and no others."""
    for path in folder.iterdir():
        if path.is_file() and path.name not in contents:
            path.unlink()
    for name, text in contents.items():
        _write(folder / name, text)


def _write(path: Path, text: str) -> None:
    atomic.write(path, text.encode(), mode=0o600)


def _give_away(out: Path) -> None:
    """Make each consumer's user the owner of its files. The folders stay ours, so nobody else can add to them."""
    for consumer, uid in OWNERS.items():
        for path in (out / consumer).rglob("*"):
            if path.is_file():
                os.chown(path, uid, uid)
