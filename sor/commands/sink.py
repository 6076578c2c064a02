"""``sor migrate`` and ``sor indicators``: the tables of ClickHouse, and what they say."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from contextlib import closing
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table as RichTable

from domain.field.dates import as_date, dutch_day
from domain.field.geography import GEMEENTEN
from domain.field.words import definitions_sentence
from domain.indicators.catalogue import INDICATORS, Indicator
from results import own_views
from results.dashboards.queries import REFERENCE_DAY
from results.disclosure import live
from results.figures import Figure, figures
from settings.access import clickhouse_access
from settings.settings import load_settings
from sinks import clickhouse
from sinks.access import Access
from sinks.schema import audience_tables, migrate, providers, retention
from sinks.schema.users import DATABASE, ClickHouseUser

PENDING: Final = 1
SIDE_BY_SIDE: Final = 6  # groups that fit a screen of 80 columns beside each other
HEADLINE_FIGURES: Final = (
    "trajecten_lopend",
    "trajecten_beeindigd",
    "uitval",
    "nut_gemiddelde",
    "zonder_hulp",
    "geen_nieuwe_start",
    "gas_bereikt",
    "gas_deels",
    "respons_cem",
)
#: All but single marks and options of youth and parents apart, which ``--json`` has.
_EVERYTHING: Final = tuple(key for key in INDICATORS if not re.search(r"_\d+_", key))
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add ``sor migrate`` and ``sor indicators``."""
    app.command("migrate")(migrate_)
    help_ = f"{indicators.__doc__}\n\n{live().sentence}"
    app.command("indicators", help=help_)(indicators)


def migrate_(
    check: Annotated[
        bool, typer.Option("--check", help="Only show what is to do; ends with 1 if there is any.")
    ] = False,
    as_json: AsJson = False,
    database: Annotated[str, typer.Option(help="Database of the tables.")] = "sor",
) -> None:
    """Bring the tables of ClickHouse up to this release. Running it again does nothing.

    How long rows stay is laid down too, as schemas/topics.toml declares it.
    """
    access = _access("admin", database)
    before = migrate.plan(access)
    tell = _silent if as_json else typer.echo
    done = () if check else migrate.apply(access, tell)
    left = before.pending if check else ()
    stays = retention.plan(access) if check else retention.apply(access)
    if not check and database == DATABASE:
        with closing(clickhouse.connect(access)) as client:
            audience_tables.lay(client)
            _lay_views(client)
    if as_json:
        typer.echo(json.dumps(_document(before, done, left) | {"retention": [one.words for one in stays]}, indent=2))
    else:
        for migration in left:
            typer.echo(f"To apply: {migration.number:04d} {migration.name} ({len(migration.statements)} statements)")
        for one in stays:
            typer.echo(f"{'To set' if check else 'Set'}: {one.words}")
    if not as_json and not left:
        typer.echo(f"Database {database}: {len(before.applied) + len(done)} migrations applied, none to do.")
    if left or (check and stays):
        raise typer.Exit(PENDING)


def _lay_views(client: Client) -> None:
    listed = providers.load(load_settings().home / providers.LIST)
    for agb in own_views.lay(client, listed, REFERENCE_DAY).waiting:
        typer.echo(f"Provider {agb} has no views yet: ClickHouse learns of its users at its next start.", err=True)


class Per(StrEnum):
    """What figures can be grouped by."""

    CLUSTER = "cluster"
    GEMEENTE = "gemeente"
    AANBIEDER = "aanbieder"
    POSTCODEGEBIED = "postcodegebied"


def indicators(
    per: Annotated[
        Per | None, typer.Option(help="Eén regel per cluster, gemeente, aanbieder of postcodegebied.")
    ] = None,
    since: Annotated[datetime | None, typer.Option("--van", formats=["%Y-%m-%d"], help="Vanaf deze dag.")] = None,
    until: Annotated[
        datetime | None, typer.Option("--tot-en-met", formats=["%Y-%m-%d"], help="Tot en met deze dag.")
    ] = None,
    reference_day: Annotated[
        datetime | None,
        typer.Option(
            "--peildatum",
            formats=["%Y-%m-%d"],
            help="Dag waarop de leeftijd van een einde wordt geteld; zonder: vandaag.",
        ),
    ] = None,
    as_json: AsJson = False,
    database: Annotated[str, typer.Option(help="Database of the tables.")] = "sor",
) -> None:
    """Show the figures as they are now (for the third party; small groups stay hidden).

    In the JSON document clienten says how many clients at most: who has two providers counts twice.
    """
    first, last = since.date() if since else None, until.date() if until else None
    on = reference_day.date() if reference_day else as_date(dutch_day(time.time_ns() // 1_000_000))
    keys = tuple(INDICATORS) if as_json else HEADLINE_FIGURES if per else _EVERYTHING
    found = figures(_access("grafana", database), keys, per.value if per else None, first, last, reference_day=on)
    if as_json:
        typer.echo(json.dumps([_figure(figure, on) for figure in found], indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(_wide(found, per) if per else _long(found))
    console.print(
        f"[R] = lezing, [P] = niet bevestigd, – = niets of te weinig geteld. {live().sentence} "
        "Geen verantwoordingsinstrument.",
        markup=False,
    )
    console.print(definitions_sentence({version for figure in found for version in figure.versions}), markup=False)


def _long(found: list[Figure]) -> RichTable:
    """A block per subject; figures of CBS files only where there are any."""
    if not any(figure.sums.denominator for figure in found if figure.indicator.provenance == "cbs"):
        found = [figure for figure in found if figure.indicator.provenance != "cbs"]
    table = RichTable(title="Sturen op Resultaat: alle aanbieders samen")
    for name, justify in (("Nr.", "left"), ("Indicator", "left"), ("Waarde", "right"), ("n", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("Niet meegeteld", justify="right")
    for before, figure in zip([None, *found], found, strict=False):
        indicator = figure.indicator
        if before and before.indicator.subject != indicator.subject:
            table.add_section()
        shown = (figure.text, figure.counted_text, figure.excluded_text)
        table.add_row(indicator.number, _label(indicator), *shown)
    return table


def _wide(found: list[Figure], per: Per) -> RichTable:
    """Groups in order of name: no ranking. A few groups stand side by side, many below each other."""
    cells = {(figure.group, figure.indicator.key): figure.text for figure in found}
    groups = list(dict.fromkeys(figure.group for figure in found))
    names = [_group_name(group, per) for group in groups]
    labels = [_label(INDICATORS[key]) for key in HEADLINE_FIGURES]
    rows = [[cells.get((group, key), "–") for key in HEADLINE_FIGURES] for group in groups]
    title = f"Sturen op Resultaat per {per.value}"
    if len(groups) <= SIDE_BY_SIDE:
        beside = [list(line) for line in zip(labels, *rows, strict=True)]
        return _table(title, ["Indicator", *names], beside)
    below = [[name, *row] for name, row in zip(names, rows, strict=True)]
    return _table(title, [per.value.capitalize(), *labels], below)


def _group_name(group: str, per: Per) -> str:
    if per is Per.GEMEENTE and group in GEMEENTEN:
        return GEMEENTEN[group].name
    return group or f"zonder {per.value}"


def _table(title: str, heads: list[str], rows: list[list[str]]) -> RichTable:
    table = RichTable(title=title)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _label(indicator: Indicator) -> str:
    """Name and, unless it is fixed by a source, its mark."""
    return indicator.name + ("" if indicator.mark == "F" else f" \\[{indicator.mark}]")


def _figure(figure: Figure, reference_day: date) -> dict[str, Any]:
    indicator = figure.indicator
    return {
        "groep": figure.group or None,
        "sleutel": indicator.key,
        "nummer": indicator.number or None,
        "naam": indicator.title,
        "herkomst": indicator.provenance,
        "eenheid": indicator.unit,
        "waarde": figure.value,
        "n": figure.counted,
        "clienten": figure.clients,
        "uitgesloten": figure.excluded,
        "verborgen": figure.hidden or None,
        "venster": indicator.window,
        "peildatum": reference_day.isoformat(),
        "definities": list(figure.versions),
        "bron": indicator.basis or None,
        "merk": indicator.mark,
    }


def _document(
    before: migrate.Plan, done: tuple[migrate.Migration, ...], left: tuple[migrate.Migration, ...]
) -> dict[str, Any]:
    def short(migration: migrate.Migration) -> dict[str, Any]:
        return {"number": migration.number, "name": migration.name, "statements": list(migration.statements)}

    earlier = [{"number": one.number, "name": one.name, "at": one.at} for one in before.applied]
    return {
        "database": before.database,
        "applied_before": earlier,
        "applied_now": [short(one) for one in done],
        "pending": [short(one) for one in left],
    }


def _access(role: ClickHouseUser, database: str = "sor") -> Access:
    return dataclasses.replace(clickhouse_access(load_settings(), role), database=database)


def _silent(_sentence: str) -> None:
    """Nobody reads along."""
