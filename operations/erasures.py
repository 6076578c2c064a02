"""The ledger of who was forgotten, for what reads the log anew, and how an entry comes into it.

Replay, audit, restore and release ask ``Ledger.forgets(pseudonym, published_at)`` (``streams.erased``): what was
published of a forgotten client before its moment counts nowhere, wherever it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from crypto import erasures
from schemas.codec import IdSource
from schemas.erased import Erased
from schemas.topics import ERASURES
from schemas.typed import StructCodec
from streams.erased import Ledger
from transport.clients import Cluster
from transport.publisher import Publisher

__all__ = ["Ledger", "enter", "ledger"]


def ledger(cluster: Cluster, keys: Path, ids: IdSource | None = None) -> Ledger:
    """The ledger as it stands; errors as ``Ledger.opened``."""
    return Ledger.opened(cluster, keys, ids)


def enter(
    cluster: Cluster, keys: Path, pseudonyms: Iterable[bytes], moment: int, ids: IdSource | None = None
) -> list[str]:
    """Enter clients, forgotten from this moment (ms) on; their names in the ledger. The key is made with the first.

    Returns when the broker has the entries: before anything is removed.
    """
    erasures.make(keys)
    name, codec, publisher = erasures.load(keys), StructCodec(Erased, ids), Publisher(cluster, "sor-forget")
    names = [name(pseudonym) for pseudonym in pseudonyms]
    for one in names:
        publisher.send(ERASURES, one.encode(), codec.encode(Erased(naam=one, moment=moment)))
    publisher.flush()
    return names
