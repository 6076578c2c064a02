"""The report of Almere for its contract manager: the panels of its portal, from what was released of CBS files alone.

Almere is in no cluster, and its figures come from another source than those of the region: they stand in no other
report. Like the report of a cluster it shows no single provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from domain.field.codes import CBS_REDENEN, HULPVORMEN, PRODUCTCATEGORIEEN, VERWIJZERS
from domain.field.geography import GEMEENTEN
from domain.indicators.terms import text_sql
from results.own import OWN_INDICATORS
from results.release.cuts import ALMERE, FILTERS
from results.released import COLUMNS
from results.released import Average as Released
from results.reports import portal_words as said
from results.reports import words
from results.reports.content import (
    Bands,
    Bars,
    Block,
    Figure,
    Figures,
    Report,
    Section,
    Table,
    Text,
    Trend,
    number_text,
)
from results.reports.periods import quarters
from results.reports.reading import Averages
from results.reports.released import figure_of, newest_year, of_quarter
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import FIGURES, RELEASES, of_gemeente

_NUT: Final = ("cbs_nut_laag", "cbs_nut_midden", "cbs_nut_hoog")
_MEAN: Final = "cbs_nut_gemiddelde"
_ALONE: Final = "cbs_zonder_hulp"
_OPTIONS: Final = tuple(f"{_ALONE}_{option}" for option in range(1, 5))
_DROP_OUT: Final = "cbs_uitval"
_REASONS: Final = tuple(f"{_DROP_OUT}_{reason}" for reason in ("wederzijds", "client", "aanbieder", "neutraal"))
#: What a breakdown shows beside each other.
_BROKEN_DOWN: Final = (_MEAN, _ALONE, _DROP_OUT)
#: Errors of ClickHouse: no such table, no such database.
_ABSENT: Final = frozenset({60, 81})
_CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "reden": CBS_REDENEN,
    "verwijzer": VERWIJZERS,
    "hulpvorm": HULPVORMEN,
    "categorie": PRODUCTCATEGORIEEN,
    "perspectief": said.PERSPECTIVES,
}


class Part(NamedTuple):
    """A released figure over four quarters of one value of one filter."""

    filter: str
    value: str
    one: Released


class Portal(NamedTuple):
    """What was released of Almere: of all, and by one filter."""

    averages: Averages
    parts: tuple[Part, ...]


def report_of(access: Access, month: str, made_on: str) -> Report | None:
    """The report; None as long as nothing has been released of Almere.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or the user may not read the release.
    """
    return report(read(access), month, made_on)


def read(access: Access) -> Portal:
    """What readers of Almere see. Raises as ``report_of``."""
    client = clickhouse.connect(access)
    try:
        rows = [(str(name), str(value), Released(*row)) for name, value, *row in clickhouse.select(client, sql())]
        ((number,),) = clickhouse.select(
            client,
            f"SELECT max(vrijgave) FROM {of_gemeente(ALMERE)}.{RELEASES} WHERE status = 'gepubliceerd'",  # noqa: S608
        )
    except clickhouse.RefusedError as error:
        if error.code in _ABSENT:
            return Portal(Averages(0, {}), ())
        raise
    finally:
        client.close()
    whole = [one for name, _, one in rows if not name]
    keys = dict.fromkeys(one.indicator for one in whole)
    found = {key: tuple(one for one in whole if one.indicator == key) for key in keys}
    parts = (Part(name, value, one) for name, value, one in rows if name and one.value is not None)
    return Portal(Averages(int(number), found), tuple(parts))


def sql() -> str:
    """The newest of every figure of Almere and of each filter alone; whatever says a provider is none of them."""
    alone = ("respondent", *FILTERS)
    cuts = ", ".join(text_sql(name) for name in ("almere", *(f"almere_{one}" for one in alone)))
    return (
        f"SELECT filter, filterwaarde, {', '.join(COLUMNS)} FROM {of_gemeente(ALMERE)}.{FIGURES} "  # noqa: S608
        f"WHERE snede IN ({cuts}) AND aanbieder = '' AND periode_soort != 'maand' "
        "ORDER BY filter, filterwaarde, indicator, periode_soort, periode DESC, vrijgave DESC "
        "LIMIT 1 BY filter, filterwaarde, indicator, periode_soort, periode"
    )


def report(found: Portal, month: str, made_on: str) -> Report | None:
    """The report of what was released; None where that is nothing."""
    years = {key: one for key in found.averages.found if (one := newest_year(found.averages.found[key]))}
    if not years:
        return None
    figures = {key: figure_of(one) for key, one in years.items()}
    last = max(years.values(), key=lambda one: (one.periode, one.vrijgave))
    sections = (
        Section(words.SATISFACTION, tuple(_satisfaction(found, figures, month))),
        Section(said.ON_ONES_OWN, tuple(_alone(found, figures, month))),
        Section(words.GOALS, (Text(said.GOALS),)),
        Section(words.RESPONSE, tuple(_response(figures))),
        Section(words.DROP_OUT, tuple(_drop_out(found, figures, month))),
        Section(words.BREAKDOWN, tuple(_tables(found.parts))),
    )
    older = sorted({one.periode for one in years.values()} - {last.periode})
    return Report(
        kind="gemeente",
        title=words.TITLES["gemeente"],
        provider="",
        cluster="",
        gemeente=GEMEENTEN[ALMERE].name,
        month=month,
        period=words.four_quarters(last.periode),
        made_on=made_on,
        sections=tuple(section for section in sections if section.blocks),
        notes=(
            said.released(found.averages.number, last.periode),
            words.status_note(last.status),
            *(words.averages_older(period, _titles(years, period)) for period in older),
            words.RELEASE_COUNTS,
            said.FILTERS_ALONE,
        ),
        release=found.averages.number,
    )


def _titles(years: Mapping[str, Released], period: str) -> list[str]:
    return [OWN_INDICATORS[key].title for key, one in years.items() if one.periode == period]


def _some(figures: Mapping[str, Figure], keys: Sequence[str]) -> tuple[Figure, ...]:
    return tuple(figures[key] for key in keys if key in figures)


def _trend(found: Portal, title: str, key: str, month: str) -> Iterator[Block]:
    names = quarters(month)
    points = tuple(of_quarter(found.averages, key, quarter) for quarter in names)
    if sum(one.value is not None for one in points) > 1:
        yield Trend(title, tuple(map(words.quarter_short, names)), points)


def _satisfaction(found: Portal, figures: Mapping[str, Figure], month: str) -> Iterator[Block]:
    rows = [(words.WHO[""], _some(figures, _NUT))]
    for value, name in said.RESPONDENTS.items():
        of = {part.one.indicator: figure_of(part.one) for part in found.parts if part[:2] == ("respondent", value)}
        rows.append((name, _some(of, _NUT)))
    whole = tuple((name, shares) for name, shares in rows if len(shares) == len(_NUT))
    if whole:
        yield Bands(words.NUT_BANDS, said.BANDS, whole)
    if mean := _some(figures, (_MEAN,)):
        yield Figures(words.NUT_MEAN, mean)
    yield from _trend(found, words.NUT_TREND, _MEAN, month)


def _alone(found: Portal, figures: Mapping[str, Figure], month: str) -> Iterator[Block]:
    if shown := _some(figures, (_ALONE, *_OPTIONS)):
        yield Bars(words.ON_ONE_OWN, shown, tuple(said.SHORT[one.key] for one in shown))
    yield from _trend(found, said.ALONE_TREND, _ALONE, month)


def _response(figures: Mapping[str, Figure]) -> Iterator[Block]:
    """Who answered: of each question how many did, and how many did not."""
    rows = [
        (said.ASKED[one.key], number_text(one.counted or 0, 0), one.excluded) for one in _some(figures, (_MEAN, _ALONE))
    ]
    if rows:
        yield Table(said.ANSWERS, (said.QUESTION, said.ANSWERED, said.NOT_ANSWERED), tuple(rows))


def _drop_out(found: Portal, figures: Mapping[str, Figure], month: str) -> Iterator[Block]:
    if shown := _some(figures, (_DROP_OUT, *_REASONS)):
        yield Bars(words.DROP_OUT_REASONS, shown, tuple(said.SHORT[one.key] for one in shown))
    yield from _trend(found, words.DROP_OUT_TREND, _DROP_OUT, month)


def _tables(parts: Sequence[Part]) -> Iterator[Table]:
    """One table for each filter, its values in order of their code or age and never of a figure."""
    for name, title in said.FILTERS.items():
        rows: dict[str, dict[str, Released]] = {}
        for part in parts:
            if part.filter == name and part.one.periode_soort == "vier_kwartalen":
                rows.setdefault(part.value, {}).setdefault(part.one.indicator, part.one)
        keys = [key for key in _BROKEN_DOWN if any(key in row for row in rows.values())]
        if keys:
            texts = ((_named(name, value), *(_text(row.get(key)) for key in keys)) for value, row in _ordered(rows))
            yield Table(said.per(title), (title, *(said.HEADS[key] for key in keys)), tuple(texts))


def _ordered(rows: dict[str, dict[str, Released]]) -> list[tuple[str, dict[str, Released]]]:
    """Bands of ages by their first year, everything else by its code."""

    def place(row: tuple[str, object]) -> tuple[int, str]:
        first = row[0].partition(" ")[0]
        return (int(first) if first.isdigit() else 0, row[0])

    return sorted(rows.items(), key=place)


def _named(name: str, value: str) -> str:
    return _CODES.get(name, {}).get(value, value)


def _text(one: Released | None) -> str:
    """A figure with what it was counted over."""
    return words.NOTHING if one is None else f"{figure_of(one).text} (n {number_text(one.noemer, 0)})"
