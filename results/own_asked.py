"""The same results as ``results.own``, asked as the provider itself: through its views (decision 0033).

They give no figure of fewer than five clients, and none that other providers' messages decide: of those there is only
what a release said. Who asks needs no right on any row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from domain.field.geography import CLUSTERS
from domain.indicators.catalogue import Indicator, Sums
from domain.indicators.comparable import released_as
from domain.indicators.terms import text_sql
from results.figures import Figure
from results.filters import EVER, Filters
from results.own import OWN_INDICATORS, STEPS, Measured, OwnFigure, OwnRequest, Step, interval
from results.own_views import AVERAGES, FIGURE_COLUMNS, LIVE, RULE, parameters, view_of
from results.released import averages
from sinks import clickhouse
from sinks.access import Access

#: Columns of ``Filters`` that a view calls otherwise.
_CALLED: Final[Mapping[str, str]] = {"reden_beeindiging": "reden", "postcodegebied": "gebied"}
Found = dict[tuple[str, str], dict[str, Measured]]


def asked(access: Access, request: OwnRequest, steps: Sequence[Step] = STEPS) -> dict[str, OwnFigure]:
    """The asked figures by key, over the whole period and per period of each step.

    ``access``: as the user of the provider, in its database. The reference day is that of the views: today. A period
    of fewer than five clients is left out, a whole of fewer has no numbers.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or the provider has no views.
        ValueError: a filter on the day of end is no part of the views.
    """
    figures = [OWN_INDICATORS[key] for key in request.keys]
    given = _given(request)
    found: Found = {}
    client = clickhouse.connect(access)
    try:
        for view, mine in _by_view(figures).items():
            for step in ("", *(steps if mine[0].datum else ())):
                _read(client, view, mine, {**given, "verloop": step}, step, found)
        keys = tuple(filter(None, map(released_as, request.keys)))
        released = averages(client, request.cluster, keys, AVERAGES) if request.cluster in CLUSTERS else {}
    finally:
        client.close()
    return {one.key: _of(one, found, released.get(released_as(one.key), ())) for one in figures}


def _given(request: OwnRequest) -> dict[str, Any]:
    """Every parameter that a view may have, by name."""
    filters = request.filters
    if filters.end != EVER:
        raise ValueError("the views know no filter on the day of end")
    first, last = request.period.first or date(1970, 1, 1), request.period.last or date(2149, 1, 1)
    return {
        "van": first.isoformat(),
        "tot": last.isoformat(),
        "cluster": (request.cluster,) if request.cluster else (),
        "start_van": _day(filters.start.first),
        "start_tot": _day(filters.start.last),
        **_chosen(filters),
    }


def _chosen(filters: Filters) -> dict[str, tuple[str, ...]]:
    plain = {name: value for name, value in vars(filters).items() if name not in {"start", "end", "leeftijd"}}
    found = {_CALLED.get(name, name): value for name, value in plain.items()}
    return found | {"leeftijd": tuple(band.name for band in filters.leeftijd)}


def _day(one: date | None) -> tuple[str, ...]:
    return (one.isoformat(),) if one else ()


def _by_view(figures: Iterable[Indicator]) -> dict[str, list[Indicator]]:
    found: dict[str, list[Indicator]] = {}
    for one in figures:
        if one.key in LIVE:
            found.setdefault(view_of(one), []).append(one)
    return found


def _read(
    client: Client, view: str, figures: Sequence[Indicator], given: Mapping[str, Any], step: str, found: Found
) -> None:
    by_key = {one.key: one for one in figures}
    values = ", ".join(f"{name} = {_value(given[name], kind)}" for name, kind in parameters(figures[0]).items())
    keys = ", ".join(map(text_sql, by_key))
    query = f"SELECT {', '.join(FIGURE_COLUMNS)} FROM {view}({values}) WHERE sleutel IN ({keys})"  # noqa: S608
    for begin, key, clients, numerator, denominator, excluded, squares in clickhouse.select(client, query):
        period = _label(begin, step)
        sums = Sums(int(clients), numerator, denominator, excluded, names=int(clients))
        figure = Figure(period, by_key[key], sums, RULE, ())
        found.setdefault((key, step), {})[period] = Measured(figure, interval(by_key[key], sums, squares))


def _value(value: Any, kind: str) -> str:
    return f"[{', '.join(map(text_sql, value))}]" if kind.startswith("Array") else text_sql(value)


def _label(begin: date, step: str) -> str:
    """A period as ``results.own`` names it."""
    quarter = f"{begin:%Y}-K{(begin.month + 2) // 3}"
    return {"": "", "maand": f"{begin:%Y-%m}", "kwartaal": quarter, "jaar": f"{begin:%Y}"}[step]


def _of(one: Indicator, found: Found, released: tuple[Any, ...]) -> OwnFigure:
    nothing = Measured(Figure("", one, Sums(0, 0, 0, 0), RULE), None)
    trend = {step: tuple(point for _, point in sorted(found.get((one.key, step), {}).items())) for step in STEPS}
    return OwnFigure(one, found.get((one.key, ""), {}).get("", nothing), trend, released)
