"""Released figures as tables: the questions of Grafana's pages (``results.dashboards.released_queries``), asked as the
user of one audience, with what somebody chose as values and never as text of a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.indicators.catalogue import INDICATORS
from domain.indicators.terms import text_sql
from results.dashboards import released_queries
from results.reports.content import Bars, Block, Figure, Section, Table, number_text
from sinks import clickhouse
from sinks.access import Access

_MACRO: Final = re.compile(r"\$\{(\w+):singlequote\}")
KINDS: Final[Mapping[str, str]] = {"vier_kwartalen": "Vier kwartalen", "kwartaal": "Kwartaal", "maand": "Maand"}
SUBJECTS: Final[Mapping[str, Sequence[str]]] = {
    "Cliënttevredenheid": ("nut_gemiddelde", "nut_laag", "nut_midden", "nut_hoog"),
    "Zonder hulp verder": ("zonder_hulp", *(f"zonder_hulp_{answer}" for answer in range(1, 5))),
    "Doelrealisatie": ("gas_bereikt", "gas_deels", "geen_nieuwe_start"),
    "Uitval": ("uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds"),
    "Respons": ("respons_cem", "respons_scores"),
}
#: The panels of Almere (S2), whose figures come from CBS files.
PANELS: Final[Mapping[str, Sequence[str]]] = {
    "Cliënttevredenheid": ("cbs_nut_laag", "cbs_nut_midden", "cbs_nut_hoog", "cbs_nut_gemiddelde"),
    "Zonder hulp verder kunnen": ("cbs_zonder_hulp", *(f"cbs_zonder_hulp_{answer}" for answer in range(1, 5))),
    "Uitval": ("cbs_uitval", *(f"cbs_uitval_{reason}" for reason in ("wederzijds", "client", "aanbieder", "neutraal"))),
}
_LIMIT: Final = 400


class Line(NamedTuple):
    """One released figure, as every question of ``released_queries`` gives it."""

    key: str
    group: str
    name: str
    text: str
    counted: str
    excluded: str
    status: str
    release: str
    value: float | None


class Asked(NamedTuple):
    """The questions of one page, with the values that it was asked with."""

    access: Access
    chosen: Mapping[str, str]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a question gives; nothing where no release was ever published."""
        client = clickhouse.connect(self.access)
        try:
            return clickhouse.select(client, filled(query, self.chosen))
        finally:
            client.close()

    def lines(self, query: str) -> list[Line]:
        """The same as figures."""
        return [Line(*row) for row in self.rows(query)[:_LIMIT]]


def filled(query: str, chosen: Mapping[str, str]) -> str:
    """A question of Grafana with its variables as quoted values."""
    return _MACRO.sub(lambda hit: text_sql(chosen.get(hit.group(1), "")), query)


def names(subjects: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Key -> title of every figure of the subjects."""
    return {key: INDICATORS[key].title for keys in subjects.values() for key in keys}


def periods(asked: Asked) -> list[str]:
    """Periods of the chosen kind that were released, the newest first."""
    return [str(row[0]) for row in asked.rows(released_queries.PERIODS)]


def whole(lines: Sequence[Line], subjects: Mapping[str, Sequence[str]]) -> Iterator[Section]:
    """A section for each subject: percentages drawn, the rest in a table."""
    for title, keys in subjects.items():
        mine = [line for line in lines if line.key in keys]
        if mine:
            yield Section(title, tuple(_blocks(title, mine)))


def _blocks(title: str, lines: Sequence[Line]) -> Iterator[Block]:
    drawn = [line for line in lines if INDICATORS[line.key].unit == "%" and line.value is not None]
    if drawn:
        yield Bars(f"{title}: percentages", tuple(map(_figure, drawn)))
    yield table(title, lines)


def _figure(line: Line) -> Figure:
    one = INDICATORS[line.key]
    return Figure(
        key=line.key, title=one.title, unit="%", value=line.value, counted=float(line.counted), whole=True,
        mark=one.mark,
    )  # fmt: skip


def table(title: str, lines: Sequence[Line], group: str = "") -> Table:
    """Figures below each other; ``group``: the head of the first column, where they are of several groups."""
    heads = ("Waarde", "n (op vijf)", "Niet meegeteld (op vijf)", "Status")
    rows = [(line.text, _whole(line.counted), _whole(line.excluded), line.status) for line in lines]
    named = [line.name for line in lines]
    if group and len(set(named)) == 1:  # the title says which figure
        return Table(title, (group, *heads), tuple((line.group, *row) for line, row in zip(lines, rows, strict=True)))
    if group:
        named = [f"{line.group}: {line.name}" for line in lines]
        return Table(
            title, (f"{group} en cijfer", *heads), tuple((one, *row) for one, row in zip(named, rows, strict=True))
        )
    return Table(title, ("Cijfer", *heads), tuple((one, *row) for one, row in zip(named, rows, strict=True)))


def _whole(number: str) -> str:
    return number_text(float(number), 0)


def split(lines: Sequence[Line], subjects: Mapping[str, Sequence[str]], group: str) -> Iterator[Table]:
    """A table for each subject with a row for each group and figure; groups by name, never by figure."""
    for title, keys in subjects.items():
        mine = [line for line in lines if line.key in keys]
        if mine:
            yield table(title, mine, group)
