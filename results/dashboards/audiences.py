"""Grafana of who may not see rows: an organization, a data source and a ClickHouse user for each audience, and for each
provider that may log in (``sinks.schema.providers``), which sees its own results beside the released averages.

Any viewer of an organization may send any SQL to its data sources, so what keeps audiences apart is the ClickHouse user
behind each, who reads one database (``sinks.schema.audiences``). The data sources of all organizations have the same
uids, and so one page serves every audience of a kind. Files cannot make organizations: ``sor grafana apply`` does, by
name, with all that stands in them. Providers differ by installation, so no file of this repository names one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from domain.field.geography import GEMEENTEN
from results.dashboards import audience_pages, provider
from results.dashboards.panels import CLICKHOUSE, Json
from sinks.schema.audiences import AUDIENCES, COMPARISON, Audience, of_gemeente
from sinks.schema.providers import Provider
from sinks.schema.users import AUDIENCE_LIMITS, LOWERED

_ALMERE: Final = of_gemeente("0034")


class Organization(NamedTuple):
    """An audience with an organization of its own. ``compares``: it sees the comparison too."""

    name: str
    audience: Audience
    page: str
    compares: bool


class Source(NamedTuple):
    """A data source of an organization. ``database``: what it reads, as the user of that name."""

    name: str
    uid: str
    database: str


def organizations(listed: Sequence[Provider] = ()) -> Iterator[Organization]:
    """Every organization; the comparison is part of others. Behind them those of the providers of the list; who was
    taken off has none.
    """
    shown = [audience for audience in AUDIENCES.values() if audience.kind != "vergelijking"]
    for audience in shown:
        name = {"gemeente": "Gemeente", "cluster": "Cluster", "aanbieders": "Aanbieders"}[audience.kind]
        place = GEMEENTEN[audience.place].name if audience.kind == "gemeente" else audience.place
        page = "portaal" if audience.database == _ALMERE else _PAGE[audience.kind]
        yield Organization(f"{name} {place}", audience, page, page == "vrijgave")
    for one in listed:
        if one.active:
            own = Audience(one.database, "aanbieder", one.agb)
            yield Organization(f"Aanbieder {one.agb}", own, "eigen", compares=False)


_PAGE: Final = {"gemeente": "vrijgave", "cluster": "vrijgave", "aanbieders": "gemiddelden"}
#: Seconds that a question of an audience may take, and that its data source asks for.
_LIMIT: Final = AUDIENCE_LIMITS[LOWERED]
_SECONDS: Final = _LIMIT - 5


def sources_of(one: Organization) -> Iterator[Source]:
    """The data sources of an organization."""
    name = "Eigen resultaten" if one.audience.kind == "aanbieder" else "Vrijgave"
    yield Source(name, CLICKHOUSE["uid"], one.audience.database)
    if one.compares:
        yield Source("Vergelijking", audience_pages.COMPARISON["uid"], COMPARISON)


def connection(source: Source) -> Json:
    """How its data source asks ClickHouse: ``jsonData`` of the plugin."""
    return {
        "host": "clickhouse",
        "port": 8123,
        "protocol": "http",
        "secure": False,
        "username": source.database,
        "defaultDatabase": source.database,
        "dialTimeout": str(_SECONDS),
        # Its client asks ClickHouse for five seconds more: what the user may ask for
        "queryTimeout": str(_SECONDS),
        "validateSql": True,
    }


def pages() -> dict[str, Json]:
    """Every page; the folder in its path is the ``page`` of the organizations that have it."""
    return {
        "vrijgave/cluster-en-gemeente.json": audience_pages.place(),
        "portaal/gemeenteportaal.json": audience_pages.portal(),
        "gemiddelden/gemiddelden.json": audience_pages.averages(),
        "eigen/eigen-resultaten.json": provider.own(),
    }


def files() -> dict[str, str]:
    """Every file under ``monitoring/grafana/audiences`` by its path there."""
    return {
        f"dashboards/{name}": json.dumps(page, indent=1, ensure_ascii=False) + "\n" for name, page in pages().items()
    }
