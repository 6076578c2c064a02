"""What a region confirmed, put over the definitions in use, and the numbers of a comparison that may leave for it.

A portal that was broken into could ask anything, so nothing is taken but numbers of days and classes of end reasons,
within the bounds of ``domain.field.definitions_file``.
"""

from __future__ import annotations

import tomllib
from typing import Any, Final

from domain.field.definitions import VERSION, Definitions, identified
from domain.field.definitions_file import WINDOWS, DefinitionsError, definitions_of
from domain.indicators.terms import Sums
from operations.replay.figures import Pair
from operations.replay.report import Report
from results.disclosure import Disclosure
from results.figures import Figure

_NAME: Final = "bevestigd.toml"
#: Table of the file -> field of ``Definitions``.
_CLASSES: Final = {"uitval_cbs": "uitval", "uitval_ijw": "uitval_ijw"}


def over(in_use: Definitions, document: str) -> Definitions:
    """The definitions in use with what was confirmed in its place, under the next version; where nothing of it makes
    another row, those in use.

    Raises:
        DefinitionsError: it is no such file, or says something else than days and classes.
    """
    given = _tables(document)
    strange = ", ".join(sorted(set(given) - {"versie", "termijnen", *_CLASSES}))
    if strange:
        raise DefinitionsError(f"{_NAME} has {strange}: a region confirms numbers of days and classes of end reasons.")
    read = definitions_of(document.encode(), _NAME)
    found: dict[str, Any] = {
        WINDOWS[key].field: getattr(read, WINDOWS[key].field) for key in given.get("termijnen", {})
    }
    for table, field in _CLASSES.items():
        confirmed = {code: getattr(read, field)[code] for code in given.get(table, {})}
        found[field] = {**getattr(in_use, field), **confirmed}
    if identified(in_use._replace(**found)).id == in_use.id:
        return in_use
    return identified(in_use._replace(**found, version=max(in_use.version, VERSION) + 1))


def _tables(document: str) -> dict[str, Any]:
    """What it says; of what is no TOML nothing, for ``definitions_of`` says where it is wrong."""
    try:
        return tomllib.loads(document)
    except tomllib.TOMLDecodeError:
        return {}


def outcome(report: Report, in_use: Definitions, other: Definitions) -> dict[str, Any]:
    """Numbers for who confirmed: to the nearest ten, small ones hidden, and no figure of a part of the region."""
    rule = report.rule
    return {
        "now": in_use.version,
        "other": other.version,
        "fresh": in_use.id != other.id,
        "same": report.same,
        "moved_on": report.moved_on,
        "rule": rule.sentence,
        "tables": [
            [
                one.table,
                *(_tens(rule, rows) for rows in (one.equal, one.changed, one.appeared, one.disappeared)),
            ]
            for one in report.tables
        ],
        "figures": _changed(report.pairs),
        "together": [
            [one.name, before, after]
            for one in report.pairs
            if not one.per and _far(one, rule)
            for before, after in [(_shown(one.before, rule), _shown(one.after, rule))]
            if before != after
        ],
    }


def _tens(rule: Disclosure, count: float) -> str:
    """A count to the nearest ten, or that it is small: who asks many windows and subtracts learns of no single row."""
    text = rule.count_text(count)
    return text if text == rule.few else f"{round(count, -1):.0f}"


def _shown(figure: Figure | None, rule: Disclosure) -> str:
    """A figure as a screen shows it; a count to the nearest ten."""
    if figure is None or figure.value is None or figure.hidden or figure.indicator.unit != "aantal":
        return Pair.texts(figure)[0]
    return _tens(rule, figure.value)


def _changed(pairs: list[Pair]) -> dict[str, list[int]]:
    """By what is grouped -> how many figures a screen would show otherwise, and of how many."""
    found: dict[str, list[int]] = {}
    for one in pairs:
        counts = found.setdefault(one.per, [0, 0])
        counts[0] += one.changes
        counts[1] += 1
    return found


def _far(pair: Pair, rule: Disclosure) -> bool:
    """Whether both figures can stand beside each other: their difference is of nobody, or of enough."""
    if pair.before is None or pair.after is None or pair.before.hidden or pair.after.hidden:
        return False
    return not any(rule.hides_part(abs(way)) for way in _ways(pair.before.sums, pair.after.sums))


def _ways(before: Sums, after: Sums) -> tuple[float, float]:
    return after.numerator - before.numerator, after.denominator - before.denominator
