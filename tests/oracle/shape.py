"""The form of a row in which the oracle and the fold are compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.care.rows import MetingRow, ScoreRow, TrajectRow

Row = tuple[tuple[str, Any], ...]

DAY_MS = 86_400_000
CLUSTER = {
    "0363": "Amsterdam",
    **dict.fromkeys(("0358", "0362"), "Amstelveen-Aalsmeer"),
    **dict.fromkeys(("0384", "0437", "0451"), "DUO"),
    **dict.fromkeys(("0385", "0415", "0431", "0439", "0852", "0880", "0479"), "Zaanstreek-Waterland"),
}
EMPTY: dict[str, TrajectRow | MetingRow | ScoreRow] = {
    "leveringen": TrajectRow(),
    "vragenlijst": MetingRow(),
    "doel": ScoreRow(),
}


@dataclass(frozen=True)
class Rows:
    """All rows of one client, as multisets."""

    trajecten: Counter[Row]
    metingen: Counter[Row]
    scores: Counter[Row]


def dutch_day(ms: int) -> int:
    """The day in the Netherlands at a moment, counted from 1970-01-01."""
    return (datetime.fromtimestamp(ms // 1000, ZoneInfo("Europe/Amsterdam")).date() - date(1970, 1, 1)).days


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted(value.items()))
    return tuple(value) if isinstance(value, list) else value


def row(**fields: Any) -> Row:
    """A row as a comparable value: its columns in order of name, those not given at what an empty row has; a map
    becomes sorted pairs, a list a tuple.
    """
    (empty,) = (empty for column, empty in EMPTY.items() if column in fields)
    unknown = fields.keys() - {*empty.__struct_fields__, "aanbieder", "gemeente", "jaar"}
    if unknown:
        raise ValueError(f"no columns of this table: {unknown}")
    known = {name: getattr(empty, name) for name in empty.__struct_fields__}
    return tuple(sorted((name, _flat(value)) for name, value in {**known, **fields}.items()))
