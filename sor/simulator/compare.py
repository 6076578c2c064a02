"""The expectation beside what ClickHouse holds: both as a multiset of trajecten, without pseudonyms or numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

#: Every column that the simulator can expect, in the order of ``_FIELDS``.
QUERY: Final = (
    "SELECT aanbieder, gemeente, cluster, categorie, code, toString(begindatum),"
    " ifNull(toString(einddatum), ''), reden_beeindiging, uitval_klasse, status, leveringen, nut_jeugdige, nut_ouder,"
    " zonder_hulp_jeugdige, zonder_hulp_ouder, metingen, scores, declaraties, gas, probleem_behandelaar,"
    " probleem_ouder, probleem_client FROM sor.trajecten FINAL"
)
_FIELDS: Final = (
    *("aanbieder", "gemeente", "cluster", "categorie", "code", "begindatum", "einddatum", "reden", "uitval_klasse"),
    *("status", "leveringen", "nut_jeugdige", "nut_ouder", "zonder_hulp_jeugdige", "zonder_hulp_ouder", "metingen"),
    *("scores", "declaraties"),
)
_RATERS: Final = ("B", "O", "C")


def found(rows: Iterable[Sequence[Any]]) -> Counter[str]:
    """The rows of ``QUERY`` as a multiset."""
    counted: Counter[str] = Counter()
    for row in rows:
        plain, gas, probleem = row[: len(_FIELDS)], row[-4], dict(zip(_RATERS, row[-3:], strict=True))
        counted[_line([value if value != "" else None for value in plain], gas, probleem)] += 1
    return counted


def expected(document: Mapping[str, Any]) -> Counter[str]:
    """The trajecten of ``expected.json`` as a multiset."""
    counted: Counter[str] = Counter()
    for row in document["trajecten"]:
        plain = [row[name] if row[name] != "" else None for name in _FIELDS]
        counted[_line(plain, row["gas"], row["probleem"])] += 1
    return counted


def _line(plain: list[Any], gas: Mapping[str, int | None], probleem: Mapping[str, int | None]) -> str:
    """A score of x stands in no column of a row."""
    known = [sorted((k, v) for k, v in scores.items() if v is not None) for scores in (gas, probleem)]
    return json.dumps([*plain, *known])
