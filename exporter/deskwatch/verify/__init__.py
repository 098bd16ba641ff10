"""`deskwatch verify`: whether journals, `/metrics` and Loki tell the same, line by line; and mending what is missing.

A file per question: what the journal holds (`counting`, in the columns of `ledger`), what the sink says that it sent
(`sent`), what retention removed (`removed`), what `/metrics` counted (`metrics`), what Loki has (`loki`, held against
the ledger by `matching`), how they differ (`comparison`), and how it is told (`report`).
"""

from __future__ import annotations

from deskwatch.verify.command import add_parser

__all__ = ["add_parser"]
