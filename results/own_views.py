"""The views by which a provider asks its own live results, and nothing about one child.

A view gives figures that are counted already: key, clients, numerator, denominator, rows left out, sum of squares, for
the whole or per period, of groups of ``SMALLEST`` clients and more. What a reader filters by are its parameters.

Each view is one array that a subquery makes, unfolded. So the engine has no row to which it could bring a condition of
the reader, no plan over the tables to explain, and no group under the smallest to find out about (measured: decision
0033). The views read as their owner (``sinks.schema.providers``), whose rows are those of the one provider.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from domain.indicators.query import rows_sql, sums_sql
from domain.indicators.terms import Indicator, lookup_sql, text_sql
from results.disclosure import of_provider
from results.filters import AGE_BANDS, PLACES
from results.own import OWN_INDICATORS, SQUARES, with_squares
from results.tally import NOTHING, SUMS, Places, Tally, picked, tally
from sinks.clickhouse import command, select
from sinks.schema.audiences import FIGURES, of_providers
from sinks.schema.providers import OWN, Provider
from sinks.schema.users import DATABASE

#: The rule of what a provider sees of its own after logging in.
RULE: Final = of_provider()
#: Views beside those of figures: values to choose from, and the released averages.
CHOICES: Final = "keuzes"
AVERAGES: Final = "gemiddelden"
#: Columns of a view of figures, with the place of each in what the subquery gives.
FIGURE_COLUMNS: Final = ("begin", "sleutel", "clienten", "teller", "noemer", "uitgesloten", "kwadraten")
#: Kinds of period -> the first day of the one that a day lies in.
STEPS: Final[Mapping[str, str]] = {
    "maand": "toStartOfMonth({})",
    "kwartaal": "toStartOfQuarter({})",
    "jaar": "toStartOfYear({})",
}
_NO_PERIOD: Final = "toDate('1970-01-01')"
_WORD: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\w+")
_BAND: Final = "multiIf(" + ", ".join(f"leeftijd <= {one.oldest}, '{one.name}'" for one in AGE_BANDS) + ", '')"
#: Filter of a traject -> what its values are compared with.
_OF_TRAJECT: Final[Mapping[str, str]] = {
    "reden": "reden_beeindiging",
    "categorie": "categorie",
    "segment": "segment",
    "profiel": "profiel",
    "intensiteit": "intensiteit",
    "verwijzer": "verwijzer",
    "hulpvorm": "hulpvorm",
    "gebied": "postcodegebied",
    "geslacht": "geslacht",
    "leeftijd": _BAND,
}
#: Filters that are a first day of begin and a day in its last month; at most one value of each counts.
_BEGIN: Final[Mapping[str, str]] = {"start_van": ">= {}", "start_tot": "<= toLastDayOfMonth({})"}
#: Columns of which ``keuzes`` gives the values, by the name of the filter.
CHOSEN_FROM: Final = tuple(name for name in _OF_TRAJECT if name not in {"reden", "geslacht", "leeftijd"})


def _reads(one: Indicator) -> set[str]:
    """Every word of what an indicator counts that is no text: columns and functions."""
    sums = sums_sql(with_squares(one), "client", reference_day=0)
    return {word for column in sums for word in _WORD.findall(column.rpartition(" AS ")[0]) if word[0] != "'"}


#: What other senders than the provider decide (``sinks.schema.providers.COLUMNS`` leaves it out).
_OF_OTHERS: Final = {"nieuwe_start", "vlaggen"}
#: Every figure of ``results.own`` that a provider asks live: those that nobody else's messages decide.
LIVE: Final[Mapping[str, Indicator]] = {key: one for key, one in OWN_INDICATORS.items() if not _reads(one) & _OF_OTHERS}


def view_of(one: Indicator) -> str:
    """The view that has a figure: one for all figures over the same rows by the same days."""
    return f"cijfers_{one.table}_{one.provenance}_{one.datum or 'nu'}"


def parameters(of: Indicator) -> dict[str, str]:
    """What a view must be given: name -> type. A list is of alternatives; empty is everything."""
    names = ["cluster", "gemeente", *(["respondent"] if of.table == "metingen" else []), *_BEGIN, *_OF_TRAJECT]
    dated = {"verloop": "String", "van": "Date", "tot": "Date"} if of.datum else {}
    return dict.fromkeys(names, "Array(String)") | dated


def _among(name: str, value: str) -> str:
    return f"(empty({{{name}:Array(String)}}) OR has({{{name}:Array(String)}}, toString({value})))"


def _of_traject() -> Iterator[str]:
    for name, bound in _BEGIN.items():
        given = f"{{{name}:Array(String)}}"
        yield f"(empty({given}) OR begindatum {bound.format(f'toDate32OrNull({given}[1])')})"
    yield from (_among(name, value) for name, value in _OF_TRAJECT.items())


def _chosen(of: Indicator, provider: Provider) -> Iterator[str]:
    """The condition on rows: whose they are, and every filter. What only a traject knows is asked of it, where such a
    filter is set: a row that waits for its traject counts without one.
    """
    yield f"aanbieder = {text_sql(provider.agb)}"
    yield _among("cluster", lookup_sql("gemeente", PLACES, "''"))
    yield _among("gemeente", "gemeente")
    if of.datum:
        yield f"{of.datum} >= {{van:Date}} AND {of.datum} <= {{tot:Date}}"
    if of.table == "metingen":
        # the year of its day is the part of the table: no other is read
        yield "jaar >= toYear({van:Date}) AND jaar <= toYear({tot:Date})"
        yield _among("respondent", "groep")
    if of.table == "trajecten":
        yield from _of_traject()
        return
    chosen = f"arrayConcat({', '.join(f'{{{name}:Array(String)}}' for name in (*_BEGIN, *_OF_TRAJECT))})"
    # where nothing is chosen no traject is looked at
    within = " AND ".join([f"notEmpty({chosen})", f"aanbieder = {text_sql(provider.agb)}", *_of_traject()])
    trajecten = f"SELECT traject FROM {DATABASE}.trajecten FINAL WHERE {within}"  # noqa: S608
    yield f"(empty({chosen}) OR traject IN ({trajecten}))"


def _numbers(figures: Sequence[Indicator], sums: Tally) -> str:
    """The figures as a list of tuples: key, clients, numerator, denominator, left out, squares."""
    keys = [one.key for one in figures]
    squares = (sums.places.get(f"{key}{SQUARES}") for key in keys)
    numbers = [sums.clients(keys), *(sums.sums(name, keys) for name in ("numerator", "denominator", "excluded"))]
    numbers.append(picked(SUMS, [one.numerator if one else NOTHING for one in squares]))
    return f"arrayZip([{', '.join(map(text_sql, keys))}], {', '.join(numbers)})"


def _unfolded(columns: Sequence[str], array: str) -> str:
    """The rows of an array of tuples that a subquery makes."""
    named = ", ".join(f"regel.{at} AS {column}" for at, column in enumerate(columns, 1))
    return f"SELECT {named} FROM (SELECT arrayJoin(({array})) AS regel)"  # noqa: S608


def _asked(one: Indicator) -> Collection[str]:
    return ("numerator",) if one.key.endswith(SQUARES) else Places._fields


def figures_sql(figures: Sequence[Indicator], provider: Provider, reference_day: str) -> str:
    """The view of figures over the same rows by the same days; of what stays under ``RULE`` there is no line."""
    of, every = figures[0], [part for one in figures for part in with_squares(one)]
    sums = tally(every, "client", _asked, reference_day=reference_day)
    steps = ", ".join(f"('{name}', {first.format(of.datum)})" for name, first in STEPS.items())
    whole = f"('', {_NO_PERIOD})"
    begin = (
        f"arrayJoin(arrayFilter(one -> one.1 = {{verloop:String}}, [{whole}, {steps}])).2" if of.datum else _NO_PERIOD
    )
    mine = f"aanbieder = {text_sql(provider.agb)}"
    rows = rows_sql(of, " AND ".join(_chosen(of, provider)), DATABASE, narrow=mine)
    enough = f"cijfer.2 >= {RULE.smallest_group}"
    listed = ", ".join(f"cijfer.{at}" for at in range(1, len(FIGURE_COLUMNS)))
    counted = f"SELECT {begin} AS begin, {sums.sql} {rows} GROUP BY begin ORDER BY begin"
    array = (
        f"SELECT groupArrayArray(arrayMap(cijfer -> (begin, {listed}), arrayFilter(cijfer -> {enough}, "  # noqa: S608
        f"{_numbers(figures, sums)}))) FROM ({counted})"
    )
    return _unfolded(FIGURE_COLUMNS, array)


def _choices_sql(provider: Provider) -> str:
    """Filter and value, of values that enough clients have."""
    pairs = ", ".join(f"({text_sql(name)}, toString({_OF_TRAJECT[name]}))" for name in CHOSEN_FROM)
    array = (
        "SELECT groupArray(keuze) FROM (SELECT arrayJoin([" + pairs + "]) AS keuze "  # noqa: S608
        f"FROM {DATABASE}.trajecten FINAL WHERE aanbieder = {text_sql(provider.agb)} GROUP BY keuze "
        f"HAVING keuze.2 != '' AND uniqExact(client) >= {RULE.smallest_group} ORDER BY keuze)"
    )
    return _unfolded(("filter", "waarde"), array)


def _averages_sql(provider: Provider) -> str:
    """What was released of the clusters of the provider; it is the same for all of them."""
    each = (f"SELECT * FROM {of_providers(cluster)}.{FIGURES}" for cluster in provider.clusters)  # noqa: S608
    return " UNION ALL ".join(each)


def views(provider: Provider, reference_day: str) -> dict[str, str]:
    """Name -> query of every view of a provider. ``reference_day``: an expression of a date."""
    over: dict[str, list[Indicator]] = {}
    for one in LIVE.values():
        over.setdefault(view_of(one), []).append(one)
    figures = {name: figures_sql(mine, provider, reference_day) for name, mine in over.items()}
    return figures | {CHOICES: _choices_sql(provider), AVERAGES: _averages_sql(provider)}


class Laid(NamedTuple):
    """Databases that were made or dropped, and providers of whose views ClickHouse does not know the owner yet."""

    changed: tuple[str, ...]
    waiting: tuple[str, ...]


def lay(client: Client, providers: Sequence[Provider], reference_day: str) -> Laid:
    """Make the views of every provider of the list as this release has them, and take away what it does not have.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away or refuses. What was made stays, and the next run goes on.
    """
    there = _names(client, "SELECT name FROM system.databases WHERE startsWith(name, {0:String})", OWN)
    known = _names(client, "SELECT name FROM system.users WHERE startsWith(name, {0:String})", OWN)
    active = {one.database: one for one in providers if one.active}
    ready = {name: one for name, one in active.items() if one.owner in known}
    for name in sorted(there - set(active)):
        command(client, f"DROP DATABASE IF EXISTS {name}", "Dropping the views of a provider")
    for provider in ready.values():
        _lay_one(client, provider, reference_day)
    waiting = tuple(one.agb for name, one in active.items() if name not in ready)
    return Laid(tuple(sorted((there - set(active)) | (set(ready) - there))), waiting)


def _lay_one(client: Client, provider: Provider, reference_day: str) -> None:
    name, made = provider.database, views(provider, reference_day)
    command(client, f"CREATE DATABASE IF NOT EXISTS {name}", "Making the database of a provider")
    for view, query in made.items():
        head = f"CREATE OR REPLACE VIEW {name}.{view} DEFINER = {provider.owner} SQL SECURITY DEFINER AS "
        command(client, head + query, f"Making the views of provider {provider.agb}")
    for view in _names(client, "SELECT name FROM system.tables WHERE database = {0:String}", name) - set(made):
        command(client, f"DROP VIEW IF EXISTS {name}.{view}", "Dropping a view of an earlier release")


def _names(client: Client, query: str, about: str) -> set[str]:
    return {str(name) for (name,) in select(client, query.replace("{0:String}", text_sql(about)))}
