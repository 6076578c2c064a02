"""Stage *register*: uses of numbers that must be unique, and answers on messages, to facts for the clients concerned.

``Uses`` is what ``entry`` publishes of a line; ``Register`` is the step of the stage. Both are thin: what follows from
what is in ``domain.facts.register``. Facts go to ``sor.events`` like any other; a line that was withdrawn goes to
``sor.lines``, so that its receipt says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from domain.facts.fact import KINDS
from domain.facts.register import ONCE, Number, Outcome, Usage, fold, keys, uses_of
from domain.facts.register import Record as Use
from schemas.codec import Codec, IdSource, Record
from schemas.records import fact_to_record, record_to_fact
from schemas.topics import EVENTS, LINES, REGISTER
from streams.engine.stage import Out
from streams.engine.stage import Record as LogRecord
from streams.versions import version

TABLE: Final = "sleutels"
_REMEMBERED: Final = 50_000


class Uses:
    """The records for ``sor.register`` that follow from one accepted line."""

    def __init__(self, ids: IdSource | None = None) -> None:
        self._codec = Codec(REGISTER, ids)
        self._told = lru_cache(maxsize=_REMEMBERED)(_untold)

    def __call__(
        self, record: Record, named: tuple[str, Record], kenmerk: bytes, row: int, pseudonym: bytes
    ) -> list[tuple[str, bytes]]:
        """Key and value of each. A use that is told once per client is left out when it was told a while ago."""
        client = pseudonym.decode() or None
        tijd: int = named[1].get("tijd") or record["published_at"]
        out = []
        for use in uses_of(record_to_fact(named), kenmerk, row):
            if use.soort in ONCE and not self._fresh(use, client):
                continue
            value = self._codec.encode(self._record(record, use, client, tijd))
            out += [(key, value) for key in keys(use, record["sender"], client)]
        return out

    def _fresh(self, use: Usage, client: str | None) -> bool:
        before = self._told.cache_info().misses
        self._told(use.soort, use.sleutel, use.inhoud, client)
        return self._told.cache_info().misses > before

    @staticmethod
    def _record(record: Record, use: Usage, client: str | None, tijd: int) -> Record:
        return {
            "soort": use.soort,
            "aanbieder": record["sender"],
            "sleutel": use.sleutel,
            "inhoud": use.inhoud,
            "bericht": use.bericht,
            "pseudonym": client,
            "retour": use.retour,
            "delivery": record["delivery"],
            "line": record["line"],
            "lines": record["lines"],
            "tijd": tijd,
            "published_at": record["published_at"],
        }


def _untold(*_use: object) -> None:
    """Stands for a use that was not told yet; the cache remembers those that were."""


class Register:
    """The step of the stage, with its codecs."""

    def __init__(self, ids: IdSource | None = None, epoch: int = 0) -> None:
        self._uses, self._events, self._lines = Codec(REGISTER, ids), Codec(EVENTS, ids), Codec(LINES, ids)
        self._decode, self._encode = msgspec.msgpack.Decoder(Number).decode, msgspec.msgpack.Encoder().encode
        self._epoch = epoch

    def __call__(self, _key: bytes, blob: bytes | None, records: Sequence[LogRecord]) -> tuple[bytes, list[Out]]:
        """Fold the uses of one number, in order of offset, into its packed state; what follows for whom goes out."""
        number = self._decode(blob) if blob else Number()
        uses = [self._uses.decode(record.value) for record in records]
        first, last = version(self._epoch, records[0].offset), version(self._epoch, records[-1].offset)
        again = first <= number.version
        newest = uses[-1]
        found = fold(number, map(_use, uses), newest["soort"], newest["sleutel"], everything=again)
        number.version = max(number.version, last)
        return self._encode(number), [self._out(outcome, newest) for outcome in found]

    def _out(self, outcome: Outcome, cause: Record) -> Out:
        if outcome.fact is None:
            return Out(LINES, outcome.delivery.encode(), self._lines.encode(_withdrawn(outcome, cause)))
        event = {
            "delivery": cause["delivery"],
            "line": cause["line"],
            "aanbieder": cause["aanbieder"],
            "published_at": cause["published_at"],
            "fact": fact_to_record(outcome.fact),
        }
        return Out(EVENTS, outcome.pseudonym.encode(), self._events.encode(event))


def _use(record: Record) -> Use:
    use = Usage(record["soort"], record["sleutel"], record["inhoud"], record["bericht"], record["retour"])
    return Use(use, record["pseudonym"], record["delivery"], record["line"], record["lines"], record["tijd"])


def _withdrawn(outcome: Outcome, cause: Record) -> Record:
    number_kind = cause["soort"]
    kind = "declaration" if number_kind == "referentie" else number_kind.partition(".")[2]
    assert kind in KINDS, "only a message of a known kind is withdrawn"  # noqa: S101
    return {
        "delivery": outcome.delivery,
        "line": outcome.line,
        "lines": outcome.lines,
        "kind": kind,
        "sender": cause["aanbieder"],
        "test": False,
        "published_at": cause["published_at"],
        "regel": 0,
        "regels": 0,
        "uitkomst": "ingetrokken",
        "code": outcome.code,
        "veld": "",
    }
