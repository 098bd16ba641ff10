"""The audit trail: what the control journals say of who did what, and whether anybody changed them since."""

from __future__ import annotations

from deskwatch.audit.chain import Break, Chain
from deskwatch.audit.trail import Entry, Trail, read

__all__ = ["Break", "Chain", "Entry", "Trail", "read"]
