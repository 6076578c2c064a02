"""The rows of the fold beside those of the oracle: the same form, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from domain.facts import Event
from domain.feiten import Feiten, add
from domain.fold import Persoon, fold, rijen
from domain.rows import T_METING, T_SCORE, T_TRAJECT, Rij, RowKey, TrajectRij
from tests.oracle.expected import Row, Rows, expected, row

CLIENT = b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA"


def _row(sleutel: RowKey, rij: Rij, trajecten: dict[str, Row] | None) -> Row:
    fields: dict[str, Any] = {name: getattr(rij, name) for name in rij.__struct_fields__}
    if "vlaggen" in fields:
        fields["vlaggen"] = tuple(fields["vlaggen"])
    if trajecten is not None:
        fields["traject"] = trajecten[fields["traject"]] if fields["traject"] else None
    return row(aanbieder=sleutel.aanbieder, gemeente=sleutel.gemeente, jaar=sleutel.jaar, **fields)


def as_rows(table: Iterable[tuple[RowKey, Rij]]) -> Rows:
    """Rows of the fold in the form of the oracle's: numbers replaced by what they name."""
    pairs = list(table)
    named = {key.nummer.hex(): _row(key, rij, None) for key, rij in pairs if key.tabel == T_TRAJECT}
    return Rows(
        Counter(named.values()),
        Counter(_row(key, rij, named) for key, rij in pairs if key.tabel == T_METING),
        Counter(_row(key, rij, named) for key, rij in pairs if key.tabel == T_SCORE),
    )


def of_set(history: Iterable[Event]) -> list[tuple[RowKey, Rij]]:
    """The rows that the set of facts yields."""
    feiten = Feiten()
    for event in history:
        add(feiten, event)
    return list(rijen(CLIENT, feiten).items())


def of_log(history: Sequence[Event], cuts: Sequence[int]) -> list[tuple[RowKey, Rij]]:
    """The rows a reader ends with, the log cut into batches, the state packed in between as a restart does."""
    blob, table, bounds = msgspec.msgpack.encode(Persoon()), {}, sorted({0, *cuts, len(history)})
    for first, last in pairwise(bounds):
        persoon = msgspec.msgpack.decode(blob, type=Persoon)
        for sleutel, rij in fold(CLIENT, persoon, history[first:last], last - 1, first):
            table[sleutel] = rij
        blob = msgspec.msgpack.encode(persoon)
    return [(sleutel, rij) for sleutel, rij in table.items() if rij is not None]


def numbers(table: Iterable[tuple[RowKey, Rij]]) -> dict[tuple[str, str, str, int], bytes]:
    """What the oracle needs to choose between equals; a waiting stop takes no part in that."""
    return {
        (key.aanbieder, key.gemeente, rij.categorie, rij.begindatum): key.nummer
        for key, rij in table
        if isinstance(rij, TrajectRij) and rij.status != "wacht_op_start"
    }


def difference(table: list[tuple[RowKey, Rij]], history: Sequence[Event]) -> str:
    """What the fold gives and the oracle does not, and the other way round; empty when they agree."""
    found, wanted = as_rows(table), expected(history, numbers(table))
    lines = []
    for name in ("trajecten", "metingen", "scores"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        lines += [f"{name} fold   {dict(r)}" for r in (ours - theirs).elements()]
        lines += [f"{name} oracle {dict(r)}" for r in (theirs - ours).elements()]
    return "\n".join(lines)
