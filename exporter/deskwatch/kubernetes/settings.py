"""What the manifests take over from the compose stack: how often Prometheus scrapes and evaluates; where Grafana is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deskwatch.errors import ConfigError

GRAFANA_URL = "http://localhost:3000"
"""Where the compose stack's Grafana is: the links in `prometheus/rules/` begin with it."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often, as Prometheus writes durations: `5s`."""

    scrape_interval: str
    scrape_timeout: str
    evaluation_interval: str


def pace_of(path: Path) -> Pace:
    """The pace of a `prometheus.yml`.

    Raises:
        ConfigError: There is none, or it doesn't say.
    """
    import yaml  # noqa: PLC0415 — the extra `stack` has it, and most commands don't need it

    try:
        settings = yaml.safe_load(path.read_text())["global"]
        return Pace(
            scrape_interval=settings["scrape_interval"],
            scrape_timeout=settings["scrape_timeout"],
            evaluation_interval=settings["evaluation_interval"],
        )
    except OSError as error:
        raise ConfigError(
            f"expected Prometheus' configuration at {path}: {error.strerror}; "
            "run from the root of a checkout, or give --root"
        ) from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(
            f"expected {path} to give `global` its intervals, was {error}; see Prometheus' manual"
        ) from None
