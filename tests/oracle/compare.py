"""The rows of the fold beside those of the oracle: the same form, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from domain.care.fold import Persoon, fold, rijen
from domain.care.rows import T_METING, T_SCORE, T_TRAJECT, Rij, RowKey, TrajectRij
from domain.facts.fact import Event
from domain.facts.fact_set import Feiten, add
from tests.oracle.expected import expected
from tests.oracle.shape import Row, Rows, row

CLIENT = b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA"


def _row(sleutel: RowKey, rij: Rij, trajecten: dict[str, Row] | None) -> Row:
    fields: dict[str, Any] = {name: getattr(rij, name) for name in rij.__struct_fields__}
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
    """What the oracle needs to choose between equals; what waits, and CBS records, take no part in that."""
    return {
        (key.aanbieder, key.gemeente, rij.categorie, rij.begindatum): key.nummer
        for key, rij in table
        if isinstance(rij, TrajectRij) and rij.bron == "ijw" and not rij.status.startswith("wacht")
    }


def _differing(left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    return [column for column in left if left[column] != right[column]]


def _pairs(table: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[str]:
    """What differs, each row of the fold beside the row of the oracle most like it."""
    lines = []
    for left in ours:
        if not theirs:
            lines.append(f"{table} fold alone {left}")
            continue
        right = min(theirs, key=lambda other: len(_differing(left, other)))
        theirs.remove(right)
        lines += [f"{table} {c}: fold {left[c]!r}, oracle {right[c]!r}" for c in _differing(left, right)]
    return lines + [f"{table} oracle alone {right}" for right in theirs]


def difference(table: list[tuple[RowKey, Rij]], history: Sequence[Event]) -> str:
    """What the fold gives and the oracle does not, and the other way round; empty when they agree."""
    found, wanted = as_rows(table), expected(history, numbers(table))
    lines = []
    for name in ("trajecten", "metingen", "scores"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        lines += _pairs(
            name, [dict(r) for r in (ours - theirs).elements()], [dict(r) for r in (theirs - ours).elements()]
        )
    return "\n".join(lines)


def disagreement(history: Sequence[Event], cuts: Sequence[int]) -> str:
    """As ``difference``, over the set of facts; also when a reader of the log, cut anywhere, ends with other rows."""
    table = of_set(history)
    found = difference(table, history)
    if not found and dict(of_log(history, [cut for cut in cuts if cut < len(history)])) != dict(table):
        return f"the log, cut at {list(cuts)}, gives other rows than the set"
    return found
