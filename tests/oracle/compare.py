"""The rows of the fold beside those of the oracle: the same form, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from domain.care.fold import Person, fold_rows, rows_of
from domain.care.rows import T_METING, T_SCORE, T_TRAJECT, CareRow, RowKey, TrajectRow
from domain.facts.fact import Event
from domain.field.definitions import SHIPPED, Definitions
from tests.build import CLIENT, fact_set
from tests.oracle.expected import expected
from tests.oracle.shape import Row, Rows, row
from tests.oracle.texts import AS_SHIPPED, Texts


def _row(key: RowKey, made: CareRow, trajecten: dict[str, Row] | None) -> Row:
    fields: dict[str, Any] = {name: getattr(made, name) for name in made.__struct_fields__}
    if trajecten is not None:
        fields["traject"] = trajecten[fields["traject"]] if fields["traject"] else None
    return row(aanbieder=key.aanbieder, gemeente=key.gemeente, jaar=key.jaar, **fields)


def as_rows(table: Iterable[tuple[RowKey, CareRow]]) -> Rows:
    """Rows of the fold in the form of the oracle's: numbers replaced by what they name."""
    pairs = list(table)
    named = {key.number.hex(): _row(key, made, None) for key, made in pairs if key.table == T_TRAJECT}
    return Rows(
        Counter(named.values()),
        Counter(_row(key, made, named) for key, made in pairs if key.table == T_METING),
        Counter(_row(key, made, named) for key, made in pairs if key.table == T_SCORE),
    )


def of_set(history: Iterable[Event], definitions: Definitions = SHIPPED) -> list[tuple[RowKey, CareRow]]:
    """The rows that the set of facts yields."""
    return list(rows_of(CLIENT, fact_set(history), definitions=definitions).items())


def of_log(
    history: Sequence[Event], cuts: Sequence[int], definitions: Definitions = SHIPPED
) -> list[tuple[RowKey, CareRow]]:
    """The rows a reader ends with, the log cut into batches, the state packed in between as a restart does."""
    blob, table, bounds = msgspec.msgpack.encode(Person()), {}, sorted({0, *cuts, len(history)})
    for first, last in pairwise(bounds):
        person = msgspec.msgpack.decode(blob, type=Person)
        for key, made in fold_rows(CLIENT, person, history[first:last], last - 1, first, definitions):
            table[key] = made
        blob = msgspec.msgpack.encode(person)
    return [(key, made) for key, made in table.items() if made is not None]


def numbers(table: Iterable[tuple[RowKey, CareRow]]) -> dict[tuple[str, str, str, int], bytes]:
    """What the oracle needs to choose between equals; what waits, and CBS records, take no part in that."""
    return {
        (key.aanbieder, key.gemeente, made.categorie, made.begindatum): key.number
        for key, made in table
        if isinstance(made, TrajectRow) and made.bron == "ijw" and not made.status.startswith("wacht")
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


def difference(table: list[tuple[RowKey, CareRow]], history: Sequence[Event], texts: Texts = AS_SHIPPED) -> str:
    """What the fold gives and the oracle does not, and the other way round; empty when they agree."""
    found, wanted = as_rows(table), expected(history, numbers(table), texts)
    lines = []
    for name in ("trajecten", "metingen", "scores"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        lines += _pairs(
            name, [dict(r) for r in (ours - theirs).elements()], [dict(r) for r in (theirs - ours).elements()]
        )
    return "\n".join(lines)


def disagreement(
    history: Sequence[Event], cuts: Sequence[int], definitions: Definitions = SHIPPED, texts: Texts = AS_SHIPPED
) -> str:
    """As ``difference``, over the set of facts; also when a reader of the log, cut anywhere, ends with other rows."""
    table = of_set(history, definitions)
    found = difference(table, history, texts)
    if not found and dict(of_log(history, [cut for cut in cuts if cut < len(history)], definitions)) != dict(table):
        return f"the log, cut at {list(cuts)}, gives other rows than the set"
    return found
