"""What is looked at on a chain, beside the chain itself: a class for each, made once the chain is known."""

from __future__ import annotations

from deskwatch.sources.evm.complaints import Complaints
from deskwatch.sources.evm.contracts import Contracts
from deskwatch.sources.evm.leaving import leave
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.part import Part
from deskwatch.sources.evm.pools import Pools
from deskwatch.sources.evm.reading import Readings
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.evm.tokens import Tokens
from deskwatch.sources.evm.transactions import Transactions
from deskwatch.sources.evm.wallets import Wallets
from deskwatch.sources.watched import Watched


def make_parts(rpc: Rpc, watched: Watched, settings: Settings, memory: EvmMemory) -> list[Part]:
    """Those that the settings ask for. `settings.chain` is filled in by now."""
    leave(watched, memory, settings)
    memory.watch(settings.chain)
    complaints = Complaints(watched)
    tokens = Tokens(rpc, settings.tokens)
    pools = Pools(rpc, watched, settings, tokens, complaints)
    transactions = Transactions(rpc, watched, settings, memory, pools, complaints)
    wallets = Wallets(watched, settings, memory.ledger, tokens, transactions, complaints)
    contracts = Contracts(watched, settings, complaints)
    return [Readings(rpc, (pools, wallets, contracts))]
