"""The monthly *Terugkoppelrapportage CEM+*: what a provider delivered, as it counts (S0). Pure.

Counts of a provider's own deliveries, for that provider alone, so no group is too small for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from domain.field.questionnaires import VRAGENLIJSTEN, Vragenlijst
from results.reports import words
from results.reports.content import Columns, Figure, Figures, Report, Section, Table, Text, number_text

_UNKNOWN: Final = Vragenlijst("", "", "")


@dataclass(frozen=True, kw_only=True)
class Metingen:
    """What was received of one provider. ``lists``: questionnaire -> number; ``months``: ``2026-10`` -> number.

    ``regions``: of clients of the two regions; ``linked``: of those that belong to a traject; ``latest``: the newest
    datum_meting as people write it.
    """

    provider: str
    month: str
    made_on: str
    total: int
    regions: int
    linked: int
    latest: str
    lists: dict[str, int]
    months: dict[str, int]


def report(given: Metingen) -> Report:
    """The report."""
    blocks = _sections(given) if given.total else (Section(words.CEM_TOTALS, (Text(words.CEM_NONE),)),)
    return Report(
        kind="cem",
        title=words.TITLES["cem"],
        provider=given.provider,
        cluster="",
        month=given.month,
        period=words.until(given.month),
        made_on=given.made_on,
        sections=tuple(blocks),
        notes=(words.CEM_OWN,),
    )


def _count(key: str, title: str, value: float) -> Figure:
    return Figure(key=key, title=title, unit="aantal", value=value, counted=None)


def _sections(given: Metingen) -> Iterable[Section]:
    totals = (
        _count("metingen", words.CEM_ALL, given.total),
        _count("metingen_regio", words.CEM_REGIONS, given.regions),
        _count("metingen_gekoppeld", words.CEM_LINKED, given.linked),
        _count("vragenlijsten", words.CEM_LISTS, len(given.lists)),
    )
    months = tuple(_count(month, words.month_text(month), count) for month, count in sorted(given.months.items()))
    labels = tuple(f"{month[5:]}-{month[2:4]}" for month in sorted(given.months))
    yield Section(words.CEM_TOTALS, (Figures(words.CEM_TOTALS, totals), Text(words.latest(given.latest))))
    yield Section(words.CEM_PER_MONTH, (Columns(words.CEM_PER_MONTH, words.MONTH, labels, months),))
    yield Section(words.CEM_PER_LIST, (_per_list(given),))


def _per_list(given: Metingen) -> Table:
    heads = (words.CEM_LIST, words.CEM_WHOM, words.CEM_WHEN, words.NUMBER)
    rows = []
    for code, count in sorted(given.lists.items()):
        known = VRAGENLIJSTEN.get(code, _UNKNOWN)
        rows.append((code, known.groep or words.NOTHING, known.soort or words.NOTHING, number_text(count, 0)))
    return Table(words.CEM_PER_LIST, heads, tuple(rows))
