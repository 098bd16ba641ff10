"""EVM chains: wallets, pools and contracts watched through JSON-RPC endpoints. Nothing is ever sent to the chain."""

from __future__ import annotations

from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.source import Source

__all__ = ["Settings", "open_source"]


def open_source(settings: Settings) -> Source:
    """The source that watches what the settings name.

    Raises:
        ConfigError: Where the endpoints are is not told well.
    """
    from deskwatch.sources.evm import opening  # noqa: PLC0415  whoever only reads settings needs no HTTP client
    from deskwatch.sources.evm.endpoint import names_of  # noqa: PLC0415  as above
    from deskwatch.sources.evm.source import Evm  # noqa: PLC0415  as above

    opening.websocket_url(settings)
    return Evm(settings, names_of(opening.urls(settings)))
