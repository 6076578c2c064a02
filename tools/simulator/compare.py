"""The expectation beside what ClickHouse holds: both as a multiset of trajecten, without pseudonyms or numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

#: Every column that the simulator can expect, in the order of ``_FIELDS``; then what is put into another shape.
QUERY: Final = (
    "SELECT aanbieder, gemeente, cluster, categorie, code, toString(begindatum),"
    " ifNull(toString(einddatum), ''), reden_beeindiging, uitval_klasse, status, leveringen, nut_jeugdige, nut_ouder,"
    " zonder_hulp_jeugdige, zonder_hulp_ouder, metingen, scores, declaraties, bron, hulpvorm, verwijzer, crisis,"
    " intensiteit, ifNull(toString(nieuwe_start), ''), metingen_einde,"
    " metingen_jaren, mapApply((reden, dag) -> (toString(reden), toString(dag)), wacht),"
    " arrayFilter(v -> v IN ('TR056', 'TR314', 'TR333'), vlaggen), gas,"
    " probleem_behandelaar, probleem_ouder, probleem_client FROM sor.trajecten FINAL"
)
#: What waits for a link: table, reason, how many.
WAITING_QUERY: Final = (
    "SELECT 'metingen', toString(wacht), count() FROM sor.metingen FINAL WHERE wacht != '' GROUP BY wacht"
    " UNION ALL SELECT 'scores', toString(wacht), count() FROM sor.scores FINAL WHERE wacht != '' GROUP BY wacht"
)
_FIELDS: Final = (
    *("aanbieder", "gemeente", "cluster", "categorie", "code", "begindatum", "einddatum", "reden", "uitval_klasse"),
    *("status", "leveringen", "nut_jeugdige", "nut_ouder", "zonder_hulp_jeugdige", "zonder_hulp_ouder", "metingen"),
    *("scores", "declaraties", "bron", "hulpvorm", "verwijzer", "crisis", "intensiteit", "nieuwe_start"),
    "metingen_einde",
)
_RATERS: Final = ("B", "O", "C")


def found(rows: Iterable[Sequence[Any]]) -> Counter[str]:
    """The rows of ``QUERY`` as a multiset."""
    counted: Counter[str] = Counter()
    for row in rows:
        plain, (years, waits, vlaggen, gas) = row[: len(_FIELDS)], row[len(_FIELDS) : -3]
        probleem = dict(zip(_RATERS, row[-3:], strict=True))
        shaped = [value if value != "" else None for value in plain]
        counted[_line(shaped, list(years), sorted(waits.items()), sorted(vlaggen), gas, probleem)] += 1
    return counted


def expected(document: Mapping[str, Any], *, cbs: bool = False) -> Counter[str]:
    """The trajecten of ``expected.json`` as a multiset; ``cbs``: of the CBS files too, which are delivered apart."""
    counted: Counter[str] = Counter()
    for row in (*document["trajecten"], *(document["cbs"] if cbs else ())):
        plain = [row[name] if row[name] != "" else None for name in _FIELDS]
        waits = sorted(row["wacht"].items())
        line = _line(plain, row["metingen_jaren"], waits, row["vlaggen"], row["gas"], row["probleem"])
        counted[line] += 1
    return counted


def waiting(rows: Iterable[Sequence[Any]]) -> dict[str, dict[str, int]]:
    """The rows of ``WAITING_QUERY`` as ``expected.json`` has them under ``wacht``, but for the trajecten."""
    counted: dict[str, dict[str, int]] = {"metingen": {}, "scores": {}}
    for table, reason, number in rows:
        counted[table][reason] = number
    return counted


def _line(
    plain: list[Any],
    years: list[int],
    waits: list[tuple[str, str]],
    vlaggen: list[str],
    gas: Mapping[str, int | None],
    probleem: Mapping[str, int | None],
) -> str:
    """A score of x stands in no column of a row."""
    known = [sorted((k, v) for k, v in scores.items() if v is not None) for scores in (gas, probleem)]
    return json.dumps([*plain, years, waits, vlaggen, *known])
