"""Queries over what was released: tables of an audience, never rows of a child."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.field.geography import CLUSTERS, GEMEENTEN
from domain.indicators.terms import lookup_sql, text_sql
from results.dashboards.panels import TIMEZONE
from results.release.model import KEY_COLUMNS
from sinks.schema.audiences import FIGURES, of_providers

#: A released figure as text: whole percentages, means with a comma; a bound says that it is one.
TEXT: Final = (
    "multiIf(percentage IS NOT NULL, concat(if(teller_vorm = '=', '', concat(toString(teller_vorm), ' ')), "
    "toString(percentage), '%'), gemiddelde IS NOT NULL, replaceOne(toString(gemiddelde), '.', ','), 'niet getoond')"
)
#: Columns of ``cluster_averages`` beside the key, with what a table calls them.
AVERAGE_SHOWN: Final[Mapping[str, str]] = {
    "naam": "Uitkomst",
    "gemiddelde_cluster": "Gemiddelde cluster",
    "n": "n (op vijf)",
    "periode": "Vier kwartalen tot en met",
    "status": "Status",
}
_TOWNS: Final = {code: gemeente.name for code, gemeente in sorted(GEMEENTEN.items())}
_NEWEST: Final = "ORDER BY indicator, periode DESC, vrijgave DESC LIMIT 1 BY indicator"


def cluster_averages(names: Mapping[str, str], within_view: str = "") -> str:
    """A line for each released average of the chosen cluster, over the newest four quarters; ``names`` by key.
    ``within_view``: what to read in the place of the tables of all clusters.
    """
    whole = " AND ".join(f"{column} = ''" for column in KEY_COLUMNS if column != "cluster")
    keys = ", ".join(text_sql(key) for key in names)
    within = (
        f"cluster = ${{cluster:singlequote}} AND {whole} AND periode_soort = 'vier_kwartalen' AND indicator IN ({keys})"
    )
    tables = [within_view] if within_view else [f"{of_providers(cluster)}.{FIGURES}" for cluster in CLUSTERS]
    columns = ("indicator", "periode", "status", "vrijgave", "noemer", "teller_vorm", "percentage", "gemiddelde")
    read = ", ".join(dict.fromkeys((*columns, "periode_soort", *KEY_COLUMNS)))
    # the engine brings what is asked of all of them to each, to its key as well
    every = " UNION ALL ".join(f"SELECT {read} FROM {table}" for table in tables)  # noqa: S608
    return (
        f"SELECT indicator AS sleutel, {lookup_sql('indicator', names, 'indicator')} AS naam, "  # noqa: S608
        f"{TEXT} AS gemiddelde_cluster, toString(noemer) AS n, periode, toString(status) AS status "
        f"FROM (SELECT {', '.join(columns)} FROM ({every}) WHERE {within} {_NEWEST})"
    )


# Pages of an audience. The data source names the database, so that one page serves every audience of a kind.

#: Which place a figure is of, as a reader calls it.
PLACE: Final = (
    f"multiIf(gemeente != '', {lookup_sql('gemeente', _TOWNS, 'gemeente')}, cluster != '', toString(cluster), 'Regio')"
)
_CHOSEN: Final = f"{PLACE} = ${{plaats:singlequote}}"
_PERIOD: Final = "periode_soort = ${soort:singlequote} AND periode = ${peildatum:singlequote}"
#: How a page cuts a place: name of the variable's value -> the columns that are then filled.
CUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "aanbieder": ("aanbieder",),
    "categorie": ("categorie",),
    "leeftijd": ("leeftijd",),
    "geslacht": ("geslacht",),
    "leeftijd en geslacht": ("leeftijd", "geslacht"),
    "aanbieder en leeftijd": ("aanbieder", "leeftijd"),
    "aanbieder en geslacht": ("aanbieder", "geslacht"),
    "aanbieder en categorie": ("aanbieder", "categorie"),
    "postcodegebied": ("filter",),
}
_CELLS: Final = ("aanbieder", "categorie", "leeftijd", "geslacht", "filter")
_GROUP: Final = (*KEY_COLUMNS, "indicator", "periode_soort", "periode")
#: The newest of every figure, whatever its group; ``{}`` is the condition.
_LATEST: Final = f"SELECT * FROM {FIGURES} WHERE {{}} ORDER BY vrijgave DESC LIMIT 1 BY {', '.join(_GROUP)}"  # noqa: S608
#: Columns of ``totals`` with what a table calls them.
TOTAL_SHOWN: Final[Mapping[str, str]] = {
    "naam": "Uitkomst",
    "cijfer": "Cijfer",
    "n": "n (op vijf)",
    "buiten": "Niet meegeteld (op vijf)",
    "status": "Status",
    "vrijgave": "Vrijgave",
}
CELL_SHOWN: Final[Mapping[str, str]] = {"groep": "Groep", **TOTAL_SHOWN}


def _empty(columns: Sequence[str]) -> str:
    return " AND ".join(f"{column} = ''" for column in columns)


def _lines(names: Mapping[str, str], where: str, group: str = "''") -> str:
    """A line for each figure: key, group, name, figure, n, what was left out, status, release, and it as a number."""
    listed = ", ".join(map(text_sql, names))
    return (
        f"SELECT indicator AS sleutel, {group} AS groep, {lookup_sql('indicator', names, 'indicator')} AS naam, "  # noqa: S608
        f"{TEXT} AS cijfer, toString(noemer) AS n, toString(uitgesloten) AS buiten, toString(status) AS status, "
        "toString(vrijgave) AS vrijgave, ifNull(toFloat64(percentage), toFloat64(gemiddelde)) AS waarde "
        f"FROM ({_LATEST.format(where)}) WHERE indicator IN ({listed}) "
        f"ORDER BY groep, indexOf([{listed}], sleutel)"
    )


def totals(names: Mapping[str, str]) -> str:
    """The chosen place as a whole, in the chosen period."""
    return _lines(names, f"{_CHOSEN} AND {_PERIOD} AND {_empty(_CELLS)}")


def cells(names: Mapping[str, str]) -> str:
    """The chosen place by the chosen cut: a line for each group and figure, in order of its name."""
    cut = "${uitsplitsing:singlequote}"
    filled = [
        f"({cut} = {text_sql(name)} AND {_empty([one for one in _CELLS if one not in columns])} AND "
        + " AND ".join(
            f"{column} {'= ' + text_sql('postcodegebied') if column == 'filter' else '!= ' + text_sql('')}"
            for column in columns
        )
        + ")"
        for name, columns in CUTS.items()
    ]
    group = _named(("aanbieder", "categorie", "leeftijd", "geslacht", "filterwaarde"))
    return _lines(names, f"{_CHOSEN} AND {_PERIOD} AND ({' OR '.join(filled)})", group)


def _named(columns: Sequence[str]) -> str:
    """The filled ones of these columns as one text."""
    return f"arrayStringConcat(arrayFilter(part -> part != '', [{', '.join(columns)}]), ', ')"


def places(names: Mapping[str, str]) -> str:
    """Every gemeente and cluster beside each other, as a whole: in order of name, never of figure."""
    return _lines(names, f"{_PERIOD} AND {_empty(_CELLS)}", PLACE)


def per_quarter(keys: Sequence[str]) -> str:
    """The chosen place over time: figure and n of every quarter."""
    start = (
        "toDateTime(makeDate(toUInt16(substring(periode, 1, 4)), 3 * toUInt8(substring(periode, 7, 1)) - 2, 1), '{}')"
    )
    columns = [
        f"maxIf(ifNull(toFloat64(percentage), toFloat64(gemiddelde)), indicator = {text_sql(key)}) AS {key}, "
        f"maxIf(toNullable(toFloat64(noemer)), indicator = {text_sql(key)}) AS {key}_n"
        for key in keys
    ]
    within = _LATEST.format(f"{_CHOSEN} AND periode_soort = 'kwartaal' AND {_empty(_CELLS)}")
    return (
        f"SELECT {start.format(TIMEZONE)} AS time, {', '.join(columns)} FROM ({within}) "  # noqa: S608
        "GROUP BY time ORDER BY time"
    )


def filtered(names: Mapping[str, str]) -> str:
    """Of Almere: by one filter, and a second where the release has it: a line for each value and figure."""
    chosen = "${filter:singlequote}"
    both = "concat(${filter:singlequote}, ' x respondent')"
    second = "${tweede:singlequote}"
    where = (
        f"{_PERIOD} AND (({second} != 'respondent' AND filter = {chosen}) OR ({second} = 'respondent' AND "
        f"filter IN ({both}, concat('respondent x ', {chosen})))) AND (aanbieder != '') = ({second} = 'aanbieder')"
    )
    return _lines(names, where, _named(("aanbieder", "filterwaarde")))


#: Lists to choose from.
PLACES: Final = f"SELECT DISTINCT {PLACE} AS plaats FROM {FIGURES} ORDER BY plaats"  # noqa: S608
PERIODS: Final = (
    f"SELECT DISTINCT periode FROM {FIGURES} WHERE periode_soort = ${{soort:singlequote}} ORDER BY periode DESC"  # noqa: S608
)
