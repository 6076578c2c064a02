"""The monthly *Terugkoppelrapportage CEM+*: what a provider delivered, as it counts (S0). Pure.

Counts of a provider's own deliveries, for that provider alone, so no group is too small for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from domain.field.questionnaires import VRAGENLIJSTEN, Vragenlijst
from results.reports import delivery_words as said
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
    blocks = _sections(given) if given.total else (Section(said.CEM_TOTALS, (Text(said.CEM_NONE),)),)
    return Report(
        kind="cem",
        title=words.TITLES["cem"],
        provider=given.provider,
        cluster="",
        month=given.month,
        period=said.until(given.month),
        made_on=given.made_on,
        sections=tuple(blocks),
        notes=(said.CEM_OWN,),
    )


def _count(key: str, title: str, value: float) -> Figure:
    return Figure(key=key, title=title, unit="aantal", value=value, counted=None)


def _sections(given: Metingen) -> Iterable[Section]:
    totals = (
        _count("metingen", said.CEM_ALL, given.total),
        _count("metingen_regio", said.CEM_REGIONS, given.regions),
        _count("metingen_gekoppeld", said.CEM_LINKED, given.linked),
        _count("vragenlijsten", said.CEM_LISTS, len(given.lists)),
    )
    months = tuple(_count(month, words.month_text(month), count) for month, count in sorted(given.months.items()))
    labels = tuple(f"{month[5:]}-{month[2:4]}" for month in sorted(given.months))
    yield Section(said.CEM_TOTALS, (Figures(said.CEM_TOTALS, totals), Text(said.latest(given.latest))))
    yield Section(said.CEM_PER_MONTH, (Columns(said.CEM_PER_MONTH, words.MONTH, labels, months),))
    yield Section(said.CEM_PER_LIST, (_per_list(given),))


def _per_list(given: Metingen) -> Table:
    heads = (said.CEM_LIST, said.CEM_WHOM, said.CEM_WHEN, words.NUMBER)
    rows = []
    for code, count in sorted(given.lists.items()):
        known = VRAGENLIJSTEN.get(code, _UNKNOWN)
        rows.append((code, known.groep or words.NOTHING, known.soort or words.NOTHING, number_text(count, 0)))
    return Table(said.CEM_PER_LIST, heads, tuple(rows))
