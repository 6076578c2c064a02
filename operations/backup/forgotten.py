"""Who was forgotten does not come back with a backup: the ledger that a restore obeys.

Entries are those of the backup itself, of the target, and of any newer backup that is named: whichever is newer. They
name nobody without the key folder ``erasures``. A record of a client that was published before that client was
forgotten is left out, and so never reaches the disk; ``sor.erasures`` itself is restored, so that the stages go on
obeying it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from crypto import erasures
from operations.backup.form import Kept
from schemas.asked import Asked
from schemas.codec import Codec, IdSource, Undecodable
from schemas.erased import Erased
from schemas.structs import Use
from schemas.topics import EVENTS, REGISTER, WISVERZOEKEN
from schemas.typed import StructCodec, dict_codec
from streams.erased import Ledger

#: What is to become of a record of a topic: as it is, or None: it is left out.
Keep = Callable[[str, Kept], Kept | None]


def obeying(keys: Path, found: Iterable[Erased], ids: IdSource | None = None) -> Keep:
    """A predicate over records, for these entries. ``KeysError`` when there are some and their key is missing."""
    known = tuple(found)
    return Obedience(Ledger(lambda: erasures.load(keys), known), ids) if known else everything


def everything(_topic: str, record: Kept) -> Kept | None:
    """Leaves nothing out: nobody was forgotten."""
    return record


class Obedience:
    """Leaves out what was published of a client before it was forgotten: its facts, and its uses of numbers."""

    def __init__(self, ledger: Ledger, ids: IdSource | None = None) -> None:
        self._ledger, self._events, self._uses = ledger, Codec(EVENTS, ids), dict_codec(Use, ids)
        self._asked = StructCodec(Asked, ids)

    def __call__(self, topic: str, record: Kept) -> Kept | None:
        """The record, or None. What cannot be read goes when its key names such a client, and stays otherwise."""
        try:
            gone = self._forgotten(topic, record)
        except Undecodable:
            gone = topic == EVENTS
        return None if gone else record

    def _forgotten(self, topic: str, record: Kept) -> bool:
        if topic == EVENTS:
            client = record.key or b""
            if client not in self._ledger:
                return False
            return not record.value or self._ledger.forgets(client, self._published(record.value))
        if topic == REGISTER and record.value:
            use = self._uses.decode(record.value)
            name = use["pseudonym"]
            return name is not None and self._ledger.forgets(name.encode(), use["published_at"])
        if topic == WISVERZOEKEN and record.value:
            asked = self._asked.decode(record.value)
            return self._ledger.forgets(asked.pseudonym.encode(), asked.tijd)
        return False

    def _published(self, value: bytes) -> int:
        return int(self._events.decode(value)["published_at"])
