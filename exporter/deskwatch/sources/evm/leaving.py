"""What is no longer watched: nobody would ever say what became of its transactions."""

from __future__ import annotations

from deskwatch import events as ev
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.watched import Watched


def leave(watched: Watched, memory: EvmMemory, settings: Settings) -> None:
    """Tell that transactions wait no longer whose wallet or chain was taken out of the settings since.

    Args:
        watched: Where it is told.
        memory: What was told before, not yet turned to the chain of the settings.
        settings: With the chain's name filled in.
    """
    ledger = memory.ledger
    has_wallets = settings.transactions and ledger.chain == settings.chain
    senders = {one.address.lower() for one in settings.wallets} if has_wallets else set()
    for name, (sender, nonce) in tuple(ledger.waiting.items()):
        if sender.lower() not in senders:
            watched.emit(
                ev.TransactionDropped(
                    chain=ledger.chain, transaction=name, sender=sender, nonce=nonce, reason="unwatched"
                )
            )
