"""Grafana of who may not see rows: an organization, a data source and a ClickHouse user for each audience, and for each
provider that may log in (``sinks.schema.providers``), which sees its own results beside the released averages.

Any viewer of an organization may send any SQL to its data sources, so what keeps audiences apart is the ClickHouse user
behind each, who reads one database (``sinks.schema.audiences``). The data sources of all organizations have the same
uids, and so one page serves every audience of a kind. The numbers of the organizations follow the order of the list:
``organizations.sh`` makes them in that order, before the rest is provisioned. Providers differ by installation, so no
file of this repository names one: ``sor grafana apply`` lays down theirs.
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

#: Where Grafana finds the pages, a folder for each kind.
_PAGES: Final = "/etc/grafana/audiences"
_ALMERE: Final = of_gemeente("0034")


class Organization(NamedTuple):
    """An audience with an organization of its own. ``compares``: it sees the comparison too."""

    number: int
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
    """Every organization; the first one of Grafana is the third party's, and the comparison is part of others.

    Behind them those of the providers of the list; who was taken off has none, and the others keep their numbers.
    """
    shown = [audience for audience in AUDIENCES.values() if audience.kind != "vergelijking"]
    for number, audience in enumerate(shown, 2):
        name = {"gemeente": "Gemeente", "cluster": "Cluster", "aanbieders": "Aanbieders"}[audience.kind]
        place = GEMEENTEN[audience.place].name if audience.kind == "gemeente" else audience.place
        page = "portaal" if audience.database == _ALMERE else _PAGE[audience.kind]
        yield Organization(number, f"{name} {place}", audience, page, page == "vrijgave")
    for number, one in enumerate(listed, len(shown) + 2):
        if one.active:
            own = Audience(one.database, "aanbieder", one.agb)
            yield Organization(number, f"Aanbieder {one.agb}", own, "eigen", compares=False)


_PAGE: Final = {"gemeente": "vrijgave", "cluster": "vrijgave", "aanbieders": "gemiddelden"}
#: Seconds that a question of an audience may take, and that its data source asks for.
_LIMIT: Final = AUDIENCE_LIMITS[LOWERED]
_SECONDS: Final = _LIMIT - 5
_HEAD: Final = "# Written by sor dashboards from the list of audiences: do not edit.\napiVersion: 1\n"


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


def _source(number: int, source: Source) -> str:
    """The file of sources repeats it; a value in JSON is one in YAML."""
    settings = "".join(f"      {name}: {json.dumps(value)}\n" for name, value in connection(source).items())
    return f"""\
  - name: {source.name}
    uid: {source.uid}
    type: {CLICKHOUSE["type"]}
    access: proxy
    orgId: {number}
    editable: false
    jsonData:
{settings}    secureJsonData:
      password: $__file{{/run/secrets/clickhouse_{source.database}}}
"""


def sources() -> str:
    """The file with every data source."""
    each = (_source(one.number, source) for one in organizations() for source in sources_of(one))
    return "".join([_HEAD, "datasources:\n", *each])


def providers() -> str:
    """The file that says which pages stand in which organization."""
    each = [
        f"""\
  - name: {one.audience.database}
    orgId: {one.number}
    folder: Sturen op Resultaat
    type: file
    disableDeletion: true
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: {_PAGES}/{one.page}
      foldersFromFilesStructure: false
"""
        for one in organizations()
    ]
    return "".join([_HEAD, "providers:\n", *each])


def script() -> str:
    """Makes the organizations of a Grafana that has none but its first; ends where a number is not the expected one."""
    made = "".join(f'organization {one.number} "{one.name}"\n' for one in organizations())
    return f"""\
#!/bin/sh
# Written by sor dashboards from the list of audiences: do not edit.
# Makes the organizations of the audiences, in a Grafana that runs without their data sources. Usage:
#   GRAFANA=http://admin:<password>@127.0.0.1:3001 sh organizations.sh
set -eu

organization() {{
  found=$(curl --silent --fail "$GRAFANA/api/orgs/$1" || true)
  [ -n "$found" ] || curl --silent --fail --json "{{\\"name\\": \\"$2\\"}}" "$GRAFANA/api/orgs" >/dev/null
  curl --silent --fail "$GRAFANA/api/orgs/$1" | grep -q "\\"name\\":\\"$2\\"" || {{
    echo "Organization $1 is not $2: the data sources would go to another." >&2
    exit 1
  }}
}}

{made}"""


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
        **{
            f"dashboards/{name}": json.dumps(page, indent=1, ensure_ascii=False) + "\n"
            for name, page in pages().items()
        },
        "provisioning/datasources/audiences.yaml": sources(),
        "provisioning/dashboards/audiences.yaml": providers(),
        "organizations.sh": script(),
    }
