"""Stage *register*: uses of numbers that must be unique, and answers on messages, to facts for the clients concerned.

``Uses`` is what ``entry`` publishes of a line; ``Register`` is the step of the stage. Both are thin: what follows from
what is in ``domain.facts.register``. Facts go to ``sor.events`` like any other; what became of a line goes to
``sor.lines``, so that its receipt says so. A delivery is named by its handle alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from domain.facts.answer import Line
from domain.facts.fact import KINDS, Event
from domain.facts.number import Number, forget
from domain.facts.number import Record as UseRecord
from domain.facts.register import Effect, fold
from domain.facts.uses import CBS, DECLARATIENUMMER, REFERENTIE, Usage, keys, uses_of
from schemas.codec import Codec, IdSource, Record
from schemas.records import event_to_record, record_to_fact
from schemas.runs import RunCodec
from schemas.structs import Evaluated, Use
from schemas.topics import EVENTS, LINES
from schemas.typed import StructCodec, dict_codec
from streams.engine.stage import Out, Scrubbed
from streams.engine.stage import Record as LogRecord
from streams.erased import Ledger
from streams.versions import epoch_in, version

TABLE: Final = "sleutels"
_REMEMBERED: Final = 50_000
#: What differs from one use of a kind to the next of the same delivery.
_OF_A_USE: Final = frozenset({"sleutel", "inhoud", "pseudonym", "line", "tijd", "published_at", "plaats"})


class Uses:
    """The records for ``sor.register`` that follow from one accepted line."""

    def __init__(self, ids: IdSource | None = None) -> None:
        # uses of one kind come in runs; those of several kinds, a line of each, do not
        self._codecs = defaultdict[str, RunCodec[Use]](lambda: RunCodec(Use, _OF_A_USE, "delivery", ids))
        self._told = lru_cache(maxsize=_REMEMBERED)(_untold)

    def __call__(
        self,
        envelope: Evaluated,
        named: tuple[str, Record],
        inhoud: bytes,
        records: int,
        plaats: int,
        row: int,
        pseudonym: bytes,
        first: bytes = b"",
    ) -> list[tuple[str, bytes]]:
        """Key and value of each. ``envelope``: with the handle of the delivery in the place of its id; the rest as
        ``uses_of`` wants it. A use that is told once per client and delivery is left out when it was told lately.

        ``first``: the first name of the client where it was renewed since; keys go by that one and stay as they are.
        """
        client = pseudonym.decode() or None
        keyed_by = first.decode() or client
        told_at: int = named[1].get("tijd") or envelope["published_at"]
        out = []
        for usage in uses_of(record_to_fact(named), inhoud, records, plaats, row):
            if usage.soort == DECLARATIENUMMER and not self._fresh(usage, client, envelope["delivery"]):
                continue
            use, encode = _use(envelope, usage, client, told_at), self._codecs[usage.soort].encode
            values = {client: encode(use)}
            for key, named_here in keys(usage, envelope["sender"], keyed_by):
                whose = client if named_here else None
                if whose not in values:
                    use["pseudonym"] = whose
                    values[whose] = encode(use)
                out.append((key, values[whose]))
        return out

    def _fresh(self, usage: Usage, client: str | None, delivery: str) -> bool:
        before = self._told.cache_info().misses
        self._told(usage.sleutel, usage.inhoud, client, delivery)
        return self._told.cache_info().misses > before


def _use(envelope: Evaluated, usage: Usage, client: str | None, told_at: int) -> Use:
    return {
        "soort": usage.soort,
        "aanbieder": envelope["sender"],
        "sleutel": usage.sleutel,
        "inhoud": usage.inhoud,
        "bericht": usage.bericht,
        "pseudonym": client,
        "retour": usage.retour,
        "delivery": envelope["delivery"],
        "line": envelope["line"],
        "lines": envelope["lines"],
        "tijd": told_at,
        "published_at": envelope["published_at"],
        "records": usage.records,
        "plaats": usage.plaats,
        "terug": 0,
        "opnieuw": 0,
        "dagtekening": usage.dagtekening,
    }


def _untold(*_use: object) -> None:
    """Stands for a use that was not told yet; the cache remembers those that were."""


class Register:
    """The step of the stage, with its codecs."""

    def __init__(self, ids: IdSource | None = None, epoch: int = 0, ledger: Ledger | None = None) -> None:
        self._uses, self._events, self._lines = dict_codec(Use, ids), Codec(EVENTS, ids), StructCodec(Line, ids)
        self._decode, self._encode = msgspec.msgpack.Decoder(Number).decode, msgspec.msgpack.Encoder().encode
        self._epoch, self._ledger = epoch, Ledger.empty() if ledger is None else ledger

    def __call__(self, _key: bytes, blob: bytes | None, records: Sequence[LogRecord]) -> tuple[bytes | None, list[Out]]:
        """Fold the uses of one number, in order of offset, into its packed state; what follows for whom goes out."""
        number = self._decode(blob) if blob else Number()
        if epoch_in(number.version) < self._epoch:
            number = Number()  # of a former log
        uses = [use for record in records if record.value and self._counts(use := self._uses.decode(record.value))]
        forgotten = len(uses) < len(records) and forget(number, self._forgets)
        if not uses:
            return (Scrubbed(self._encode(number)) if forgotten else blob), []
        first, last = version(self._epoch, records[0].offset), version(self._epoch, records[-1].offset)
        again = first <= number.version
        newest = uses[-1]
        found = fold(number, map(_register_record, uses), newest["soort"], newest["sleutel"], everything=again)
        number.version = max(number.version, last)
        state = self._encode(number)
        return (Scrubbed(state) if forgotten else state), [self._out(effect, newest) for effect in found]

    def _counts(self, use: Use) -> bool:
        return not (use["pseudonym"] and self._forgets(use["pseudonym"], use["published_at"]))

    def _forgets(self, client: str, published_at: int) -> bool:
        return self._ledger.forgets(client.encode(), published_at)

    def _out(self, effect: Effect, cause: Use) -> Out:
        if effect.fact is None:
            return Out(LINES, effect.delivery.encode(), self._lines.encode(_line(effect, cause)))
        event = Event(
            delivery=effect.delivery,
            line=0,  # no record of the delivery says this by itself
            aanbieder=cause["aanbieder"],
            published_at=effect.published_at or cause["published_at"],
            fact=effect.fact,
        )
        return Out(EVENTS, effect.pseudonym.encode(), self._events.encode(event_to_record(event)))


def _register_record(use: Use) -> UseRecord:
    """By position, which is twice as fast: the fields of ``Usage`` and of ``Record`` in their order."""
    return UseRecord(
        Usage(
            use["soort"],
            use["sleutel"],
            use["inhoud"],
            use["bericht"],
            use["retour"],
            use["records"],
            use["plaats"],
            use["dagtekening"],
        ),
        use["pseudonym"],
        use["delivery"],
        use["line"],
        use["lines"],
        use["tijd"],
        use["terug"],
        use["opnieuw"],
        use["published_at"],
    )


def _kind(effect: Effect, soort: str) -> str:
    if effect.answer:
        return "return"
    of_line = soort in (REFERENTIE, DECLARATIENUMMER)
    kind = CBS if soort == CBS else "declaration" if of_line else soort.partition(".")[2]
    assert kind in KINDS, "only a message of a known kind has lines"  # noqa: S101
    return kind


def _line(effect: Effect, cause: Use) -> Line:
    return Line(
        delivery="",
        line=effect.line,
        lines=effect.lines,
        kind=_kind(effect, cause["soort"]),
        sender=cause["aanbieder"],
        test=False,
        published_at=cause["published_at"],
        regel=0,
        regels=0,
        uitkomst=effect.uitkomst,
        code=effect.code,
        veld="",
    )
