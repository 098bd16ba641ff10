"""Forgetting old state: py-evm never deletes, and a chain that runs for hours must not fill the memory.

Mark and sweep over the key-value store. A trie node, and an account in it, names its children by their 32-byte hashes,
which RLP writes as 0xa0 and the hash. So every hash that follows such a byte, and is a key, is taken as a child: what
only looks like one is kept for nothing, but nothing that is needed is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

HASH_BYTES = 32
HASH_MARK = b"\xa0"
LOOKUPS = b"transaction-hash-to-block:"
"""Keys that py-evm finds transactions by; here the archive does."""


def prune(store: MutableMapping[bytes, bytes], roots: Iterable[bytes], keep: Iterable[bytes]) -> int:
    """Delete what can't be reached; returns how many entries went.

    Args:
        store: py-evm's database.
        roots: State roots whose tries stay whole.
        keep: Further keys to keep: the hashes of headers.
    """
    live = _reachable(store, roots) | set(keep)
    dead = [key for key in store if (len(key) == HASH_BYTES and key not in live) or key.startswith(LOOKUPS)]
    for key in dead:
        del store[key]
    return len(dead)


def _reachable(store: MutableMapping[bytes, bytes], roots: Iterable[bytes]) -> set[bytes]:
    seen: set[bytes] = set()
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key in seen or key not in store:
            continue
        seen.add(key)
        value = store[key]
        at = value.find(HASH_MARK)
        while at >= 0:
            waiting.append(value[at + 1 : at + 1 + HASH_BYTES])
            at = value.find(HASH_MARK, at + 1)
    return seen
