"""From the events of one client to its rows, as records of the tables: pure, the same fold as the live stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crypto.client_names import ClientNames
from domain.care.fold import all_rows
from domain.facts.fact_set import FactSet, add
from domain.field.definitions import Definitions
from operations.replay.scope import Scope
from schemas.codec import Codec, IdSource
from schemas.rows import row_to_record
from schemas.topics import METINGEN, SCORES, TRAJECTEN
from schemas.typed import EventCodec
from streams.erased import Ledger
from streams.versions import version

TOPICS = (TRAJECTEN, METINGEN, SCORES)


class Made(NamedTuple):
    """What became of one client: rows (place of the table, record in wire format), and its names by provider."""

    rows: list[tuple[int, bytes]]
    names: list[tuple[str, str]]  # provider, name


class Recompute:
    """The step, with the names and definitions that it makes rows by. What is in the ledger of who was forgotten yields
    nothing.
    """

    def __init__(
        self,
        names: ClientNames,
        definitions: Definitions,
        *,
        epoch: int,
        scope: Scope,
        ledger: Ledger,
        ids: IdSource | None = None,
    ) -> None:
        self._names, self._definitions, self._epoch, self._scope = names, definitions, epoch, scope
        self._ledger = ledger
        self._decode = EventCodec(ids).decode
        self._encode = tuple(Codec(topic, ids).encode for topic in TOPICS)

    def __call__(self, client: bytes, records: Sequence[tuple[int, bytes]]) -> Made | None:
        """The rows of a client that the scope wants, else None. ``records``: offset and value, in order."""
        decode = self._decode
        events = [decode(value) for _, value in records]
        if moment := self._ledger.moment(client):
            events = [event for event in events if event.published_at >= moment]
        if not events or not self._scope.wants(events):
            return None
        facts, newest = FactSet(), dict[str, int]()
        for event in events:
            add(facts, event)
            if event.published_at > newest.get(event.aanbieder, 0):
                newest[event.aanbieder] = event.published_at
        names, row_version = self._names, version(self._epoch, records[-1][0])
        emmer, made = names.bucket(client), list[tuple[int, bytes]]()
        for key, row in all_rows(names.secret(client), facts, definitions=self._definitions).items():
            record = row_to_record(
                key, row, names.of(client, key.aanbieder), emmer=emmer, version=row_version,
                newest=newest.get(key.aanbieder, 0), definitions=self._definitions,
            )  # fmt: skip
            made.append((key.table, self._encode[key.table](record)))
        listed = [(aanbieder, names.of(client, aanbieder)) for aanbieder in newest] if self._scope.listed else []
        return Made(made, listed)
