"""Where the links of a message lead, and when nobody wants to hear of what can wait: settings of the environment.

    GRAFANA_URL     http://localhost:3000      of links to dashboards
    DESKWATCH_URL   http://localhost:9464      of the link to the live page
    RUNBOOKS_URL    docs/runbooks              a folder of the runbooks that a browser can open
    TIME_ZONE       UTC                        of times in messages, and of the quiet hours
    QUIET_HOURS     22:00-07:00                in which alerts of severity info wait; `none`: there are none

Under compose they stand in `.env`. One that is empty is as one that is not set.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deskwatch.errors import ConfigError

LINKS = "links.tmpl"
"""The message template that holds what is set here."""
INTERVAL = "quiet-hours"
"""The time interval of Alertmanager's configuration that is set here."""
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!&()*,;=%-]{1,100}")
"""What may stand in a template's quotes and in an attribute. Room is left for the path: long links are not sent."""
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """Settings of people, as the defaults have them."""

    grafana_url: str = "http://localhost:3000"
    deskwatch_url: str = "http://localhost:9464"
    runbooks_url: str = "docs/runbooks"
    time_zone: str = "UTC"
    """A name of the IANA time zone database."""
    quiet_hours: str | None = "22:00-07:00"
    """Begin and end of each day's quiet hours in that zone; None: there are none."""

    def in_links(self, template: str) -> str:
        """The text of `links.tmpl` with these settings in its quotes."""
        values = {
            "grafana": self.grafana_url,
            "deskwatch": self.deskwatch_url,
            "runbooks": self.runbooks_url,
            "zone": self.time_zone,
        }
        for name, value in values.items():
            template = re.sub(rf'(\${name} := )"[^"]*"', rf'\g<1>"{value}"', template)
        return template

    def set_quiet_hours(self, configuration: dict[str, Any]) -> None:  # Any: what YAML can hold
        """Set the interval of Alertmanager's configuration, if it has one."""
        for interval in configuration.get("time_intervals") or []:
            if interval.get("name") == INTERVAL:
                interval["time_intervals"] = [{"times": self._times(), "location": self.time_zone}] * bool(
                    self._times()
                )

    def _times(self) -> list[dict[str, str]]:
        """The quiet hours as Alertmanager takes them: no range goes over midnight."""
        if self.quiet_hours is None:
            return []
        begin, _, end = self.quiet_hours.partition("-")
        ranges = [(begin, end)] if begin < end else [(begin, "24:00"), ("00:00", end)]
        return [{"start_time": start, "end_time": stop} for start, stop in ranges if start != stop]


def from_environment(environment: Mapping[str, str]) -> Preferences:
    """The settings of an environment.

    Raises:
        ConfigError: Some can't be used; all of them are told.
    """
    given = {name: environment.get(name.upper(), "").strip() for name in Preferences.__dataclass_fields__}
    faults: list[str] = []
    for name in ("grafana_url", "deskwatch_url", "runbooks_url"):
        given[name] = given[name].rstrip("/")
        if given[name] and not _URL.fullmatch(given[name]):
            faults.append(
                f"{name.upper()} to be an http(s) URL of at most 100 characters after the scheme, was {given[name]!r}"
            )
    if given["time_zone"] and not _is_zone(given["time_zone"]):
        faults.append(f"TIME_ZONE to be a name such as Europe/Berlin, was {given['time_zone']!r}")
    hours = given["quiet_hours"]
    if hours and hours != "none" and not _HOURS.fullmatch(hours):
        faults.append(f"QUIET_HOURS to be as 22:00-07:00, or none, was {hours!r}")
    if faults:
        raise ConfigError("expected " + "; ".join(faults))
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value}  # Any: text, or None
    if hours == "none":
        chosen["quiet_hours"] = None
    return Preferences(**chosen)


def _is_zone(name: str) -> bool:
    """Whether every system knows the zone: what only this one has would keep Alertmanager from starting."""
    return name in zoneinfo.available_timezones() - {"localtime", "Factory"}
