"""The databases of the audiences: physical tables, made anew for each release and swapped in as a whole.

Whoever reads sees one release or another and never half of one. It needs the administrator of ClickHouse: who builds a
release cannot publish it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from domain.indicators.catalogue import INDICATORS
from domain.indicators.terms import text_sql
from results.release import states, store
from results.release.names import FIGURES as SOURCE
from results.release.states import FiguresError, Known
from sinks.clickhouse import command, select
from sinks.schema.audience_tables import STRUCTURES
from sinks.schema.audiences import AUDIENCES, FIGURES, RELEASES


def publish(client: Client, database: str, number: int) -> int:
    """Show a release that passed its gate, and say how many figures it has in all databases together.

    A release that was published already and is the last one is made once more: a run that broke off is done again.

    Raises:
        FiguresError: it did not pass, another was published since it was built, or a client behind it was forgotten.
    """
    releases = states.known(client, database)
    one = states.found(releases, number)
    standing = states.standing(releases)
    if one.state not in ("goedgekeurd", "gepubliceerd"):
        raise FiguresError(f"Release {number} is {one.state}: only one that its gate approved is published.")
    if standing != number:
        states.require_newest(one, standing)
    if one.state == "goedgekeurd":
        states.require_nobody_forgotten(number, forgotten=store.forgotten(client, database, number))
        # Before anybody sees it: what may have been seen counts as seen.
        states.note(client, database, one, "gepubliceerd")
    store.drop_unused(client, database, states.seen(releases), number)
    return show(client, database)


def withdraw(client: Client, database: str, number: int, reason: str) -> int:
    """Take back the release that readers see: the one before is shown again, and a mark with the reason stays.

    Raises:
        FiguresError: readers do not see it.
    """
    releases = states.known(client, database)
    one = states.found(releases, number)
    if number != states.standing(releases):
        raise FiguresError(f"Release {number} is {one.state} and not what readers see; only that one is withdrawn.")
    states.note(client, database, one, "ingetrokken", reason=reason)
    return show(client, database)


def show(client: Client, database: str) -> int:
    """Make the tables of every audience as the log of releases says; each takes the place of the old one at once."""
    releases = states.known(client, database)
    number = states.standing(releases)
    for audience in AUDIENCES:
        command(client, f"CREATE DATABASE IF NOT EXISTS {audience}", "Making the database of an audience")
        _replace(client, audience, FIGURES, _figures(database, audience, number))
        _replace(client, audience, RELEASES, _releases([one for one in releases if one.published]))
    found = select(client, " UNION ALL ".join(f"SELECT count() FROM {audience}.{FIGURES}" for audience in AUDIENCES))  # noqa: S608
    return sum(int(row[0]) for row in found)


def _replace(client: Client, audience: str, table: str, rows: str) -> None:
    statement = f"CREATE OR REPLACE TABLE {audience}.{table} {STRUCTURES[table]} AS {rows}"
    command(client, statement, "Showing a release")


def _figures(database: str, audience: str, number: int) -> str:
    confirmed = ", ".join(text_sql(key) for key, one in INDICATORS.items() if one.mark != "P")
    return (
        "SELECT gemaakt_in AS vrijgave, periode_soort, periode, status, snede, gemeente, cluster, aanbieder, "  # noqa: S608
        "categorie, leeftijd, geslacht, filter, filterwaarde, indicator, noemer, teller, teller_vorm, percentage, "
        "gemiddelde, uitgesloten, dagen.dag AS peildatum, definitie_versie, "
        f"indicator IN ({confirmed}) AS bevestigd, verborgen AS reden FROM {database}.{SOURCE} AS cijfers FINAL "
        f"LEFT SEMI JOIN (SELECT vrijgave AS nummer, dag FROM {database}.{states.TABLE}) AS dagen "
        f"ON dagen.nummer = cijfers.gemaakt_in WHERE cijfers.vrijgave = {number} "
        f"AND has(publiek, {text_sql(audience)}) AND verborgen = ''"
    )


def _releases(releases: Sequence[Known]) -> str:
    rows = []
    for one in releases:
        numbers = {key: one.report[key] for key in ("geslaagd", "cijfers", "grenzen", "aantallen") if key in one.report}
        if "ingehouden" in one.report:
            numbers["ingehouden"] = len(one.report["ingehouden"])
        texts = (one.day.isoformat(), one.state, one.reason, json.dumps(numbers))
        rows.append(f"({one.number}, {', '.join(map(text_sql, texts))})")
    columns = "vrijgave UInt32, dag Date32, status String, reden String, rapport String"
    return f"SELECT * FROM values({text_sql(columns)}, {', '.join(rows)})"  # noqa: S608
