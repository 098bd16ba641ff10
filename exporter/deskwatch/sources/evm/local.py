"""Hosts that no proxy is asked for."""

from __future__ import annotations

import ipaddress


def is_local(host: str) -> bool:
    """Whether a host is on this machine or its own network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host
