"""The tables that every audience of released figures has: laid empty, and made anew by each release."""

from __future__ import annotations

from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import command, select
from sinks.schema.audiences import AUDIENCES, FIGURES, RELEASES

_KEY: Final = (
    "snede, indicator, periode_soort, periode, gemeente, cluster, aanbieder, categorie, leeftijd, geslacht, filter, "
    "filterwaarde, vrijgave"
)
#: The tables of an audience: columns, engine and sorting key.
STRUCTURES: Final[dict[str, str]] = {
    FIGURES: """(
    vrijgave UInt32 COMMENT 'Release in which the figure first stood so.',
    periode_soort LowCardinality(String) COMMENT 'maand, kwartaal or vier_kwartalen.',
    periode LowCardinality(String) COMMENT '2026-09, or 2026-K3; of four quarters the last.',
    status LowCardinality(String) COMMENT 'voorlopig, nader voorlopig or definitief.',
    snede LowCardinality(String) COMMENT 'The cut.',
    gemeente LowCardinality(String) COMMENT 'CBS code; empty where the cut does not use it, as the next ones.',
    cluster LowCardinality(String) COMMENT 'Cluster.',
    aanbieder LowCardinality(String) COMMENT 'AGB code of the provider.',
    categorie LowCardinality(String) COMMENT 'ProductCategorie.',
    leeftijd LowCardinality(String) COMMENT 'Band of ages.',
    geslacht LowCardinality(String) COMMENT 'man or vrouw.',
    filter LowCardinality(String) COMMENT 'Column of the filter; two, joined by x.',
    filterwaarde String COMMENT 'Its value.',
    indicator LowCardinality(String) COMMENT 'Key of the figure.',
    noemer UInt32 COMMENT 'Counted, to the nearest 5.',
    teller Nullable(UInt32) COMMENT 'Of them, rounded after noise; null = not shown.',
    teller_vorm LowCardinality(String) COMMENT 'How the numerator is meant: =, <= or >=.',
    percentage Nullable(UInt8) COMMENT 'Whole, of the numbers shown.',
    gemiddelde Nullable(Decimal(3, 1)) COMMENT 'Mean of marks, on its grid.',
    uitgesloten UInt32 COMMENT 'Left out, to the nearest 5.',
    peildatum Date32 COMMENT 'Day of the release in which the figure first stood so.',
    definitie_versie UInt16 COMMENT 'Version of the definitions behind it.',
    bevestigd Bool COMMENT 'Whether a source confirms what the figure says; else a screen says that none does.',
    reden LowCardinality(String) COMMENT 'Empty: what is hidden has no row.'
) ENGINE = MergeTree ORDER BY (""" + _KEY + ")",
    RELEASES: """(
    vrijgave UInt32 COMMENT 'Number.',
    dag Date32 COMMENT 'Day of the release.',
    status LowCardinality(String) COMMENT 'gepubliceerd or ingetrokken; of those published the last one counts.',
    reden String COMMENT 'Why it is, of a revision or a withdrawal.',
    rapport String COMMENT 'What the gate found, as numbers (JSON).'
) ENGINE = MergeTree ORDER BY vrijgave""",
}  # fmt: skip
_THERE: Final = "SELECT database, name FROM system.tables WHERE startsWith(database, 'rel_')"


def lay(client: Client) -> int:
    """Make the databases and tables of audiences that are not there, empty; how many tables were made. Until the first
    release a page thus shows nothing, where it would show an error.
    """
    there = {(str(database), str(name)) for database, name in select(client, _THERE)}
    missing = [(database, table) for database in AUDIENCES for table in STRUCTURES if (database, table) not in there]
    for database, table in missing:
        command(client, f"CREATE DATABASE IF NOT EXISTS {database}", "Making the database of an audience")
        command(client, f"CREATE TABLE IF NOT EXISTS {database}.{table} {STRUCTURES[table]}", "Making its tables")
    return len(missing)
