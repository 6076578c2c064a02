"""Each audience on the real engine: it reads released figures of its own database, and nothing else in any way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from results.release import publishing, states
from sinks import clickhouse
from sinks.schema import migrate
from sinks.schema.audiences import AUDIENCES, COMPARISON, of_cluster, of_gemeente, of_providers
from sinks.schema.users import AUDIENCE_LIMITS, AUDIENCE_USERS, LOWERED, NAMES
from tests.local.asking import Server
from tests.results.release.made import TODAY
from tests.sinks.rows import traject

pytestmark = pytest.mark.clickhouse
DENIED, READONLY, TOO_SLOW, TOO_LONG, TOO_MANY, OVER = "497", "164", "159", "396", "158", "452"
#: One of each kind stands for its kind: they are made by one rule (see the last test).
ROLES = (of_gemeente("0384"), of_gemeente("0034"), of_cluster("DUO"), of_providers("DUO"), COMPARISON)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = Server(tmp_path_factory.mktemp("roles"), (*NAMES, *AUDIENCE_USERS), "dicht\n")
    with own.gateway:
        migrate.apply(own.access("admin"), lambda _sentence: None)
        client = clickhouse.connect(own.access("admin"))
        row = traject(1, 1)
        client.insert("trajecten", [[row[name] for name in ("aanbieder", "gemeente", "jaar", "traject", "version")]],
                      column_names=["aanbieder", "gemeente", "jaar", "traject", "version"])  # fmt: skip
        one = states.Known(1, "goedgekeurd", TODAY, 0, 3, "", "", {}, published=False)
        states.note(client, "sor", one, "goedgekeurd")
        publishing.publish(client, "sor", 1)
        for audience in AUDIENCES:
            client.command(
                f"INSERT INTO {audience}.cijfers (vrijgave, snede, indicator, noemer, filterwaarde) "
                f"VALUES (1, 'cluster', 'uitval', 25, 'van {audience}')"
            )
        client.command("INSERT INTO vrijgave_leden (vrijgave, familie, leden) VALUES (1, 'uitval', [42])")
        client.close()
        yield own


@pytest.mark.parametrize("role", ROLES)
def test_an_audience_reads_its_own_database(server: Server, role: str) -> None:
    assert server.ask(role, f"SELECT filterwaarde FROM {role}.cijfers").data == f"van {role}\n".encode()
    assert server.ask(role, "SELECT filterwaarde FROM cijfers").data == f"van {role}\n".encode()
    assert server.ask(role, f"SELECT vrijgave, status FROM {role}.vrijgaven").data == b"1\tgepubliceerd\n"
    assert server.ask(role, "SHOW TABLES").data.split() == [b"cijfers", b"vrijgaven"]


@pytest.mark.parametrize("role", ROLES)
def test_and_no_other_one_nor_a_row_about_a_client(server: Server, role: str) -> None:
    others = [other for other in AUDIENCES if other != role]
    tables = [f"{other}.{table}" for other in others[:4] for table in ("cijfers", "vrijgaven")]
    own = [f"sor.{table}" for table in ("trajecten", "metingen", "scores", "vrijgave_leden", "vrijgave_cijfers",
                                        "vrijgaven", "receipts", "rejected", "opslag")]  # fmt: skip
    for table in (*tables, *own):
        for sql in (
            f"SELECT * FROM {table}",
            f"SELECT count() FROM {table}",
            f"WITH x AS (SELECT * FROM {table}) SELECT count() FROM x",
            f"SELECT 1 IN (SELECT 1 FROM {table})",
            f"SELECT count() FROM {role}.cijfers AS a, {table} AS b",
            f"SELECT (SELECT count() FROM {table})",
            f"DESCRIBE TABLE {table}",
            f"SHOW CREATE TABLE {table}",
        ):
            answer = server.ask(role, sql)
            assert answer.headers.get("X-ClickHouse-Exception-Code") == DENIED, (sql, answer.data)


#: What has shown or counted rows that a right hides, in some release of the engine, or tells of others.
PROBES = (
    "SELECT * FROM merge('sor', '.*')",
    "SELECT * FROM merge('rel_.*', 'cijfers')",
    "SELECT * FROM loop(sor.trajecten) LIMIT 1",
    "SELECT * FROM loop('sor', 'trajecten') LIMIT 1",
    "SELECT * FROM mergeTreeIndex('sor', 'trajecten')",
    "SELECT * FROM mergeTreeProjection('sor', 'trajecten', 'p')",
    "SELECT * FROM remote('127.0.0.1:9', 'sor', 'trajecten')",
    "SELECT * FROM cluster('default', sor.trajecten)",
    "SELECT * FROM clusterAllReplicas('default', sor.trajecten)",
    "SELECT * FROM view(SELECT * FROM sor.trajecten)",
    "SELECT * FROM viewIfPermitted(SELECT client FROM sor.trajecten ELSE null('client String'))",
    "SELECT * FROM dictionary('sor.trajecten')",
    "SELECT dictGet('sor.trajecten', 'client', 1)",
    "SELECT joinGet('sor.trajecten', 'client', 1)",
    "SELECT hasColumnInTable('sor', 'trajecten', 'client')",
    "SELECT throwIf((SELECT count() FROM sor.trajecten) > 0)",
    "SELECT sleepEachRow(0.001) FROM sor.trajecten",
    "SELECT * FROM sor.trajecten WHERE throwIf(gemeente = '0363')",
    "SELECT * FROM file('@FILE')",
    "SELECT file('@FILE')",
    "SELECT * FROM url('file://@FILE', 'LineAsString', 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:9/bucket/key', 'CSV', 'a String')",
    "SELECT * FROM executable('x', 'CSV', 'a String')",
    "SELECT 1 INTO OUTFILE '@FILE.out'",
    "EXPLAIN SELECT * FROM sor.trajecten",
    "EXPLAIN PIPELINE SELECT * FROM sor.trajecten",
    "EXPLAIN ESTIMATE SELECT * FROM sor.trajecten",
    "EXPLAIN indexes = 1 SELECT * FROM sor.trajecten WHERE aanbieder = '90000001'",
    "EXPLAIN TABLE OVERRIDE merge('sor', '.*')",
    "SHOW TABLES FROM sor",
    "SHOW COLUMNS FROM sor.trajecten",
    "SHOW GRANTS FOR admin",
    "SHOW PROCESSLIST",
    *(
        f"SELECT * FROM system.{table}"
        for table in (
            "parts", "parts_columns", "query_log", "query_views_log", "processes", "part_log", "errors",
            "text_log", "users", "roles", "grants", "row_policies", "quotas_usage", "mutations", "merges", "disks",
            "server_settings", "metrics", "events", "asynchronous_metrics", "data_skipping_indices", "projections",
            "replicas", "detached_parts", "dropped_tables", "statistics", "query_cache", "zookeeper",
        )
    ),
)  # fmt: skip


@pytest.mark.parametrize("role", ROLES[:1] + ROLES[3:4])
def test_nothing_that_has_leaked_elsewhere_leaks_here(server: Server, role: str) -> None:
    for sql in PROBES:
        answer = server.ask(role, sql)
        assert answer.status >= 400 or answer.data == b"", (sql, answer.data)
        assert b"dicht" not in answer.data
        assert b"42" not in answer.data.replace(b"(", b" ").split(), sql


@pytest.mark.parametrize("role", ROLES)
def test_what_the_engine_tells_of_itself_names_no_table_of_others(server: Server, role: str) -> None:
    for sql in (
        "SELECT DISTINCT database FROM system.tables",
        "SELECT DISTINCT database FROM system.columns",
        "SELECT name FROM system.databases",
        "SHOW DATABASES",
        "SELECT DISTINCT table_schema FROM information_schema.columns",
    ):
        found = set(server.ask(role, sql).data.decode().split())
        assert found <= {role, "system", "information_schema", "INFORMATION_SCHEMA"}, (sql, found)
    sizes = server.ask(role, "SELECT sum(total_rows) FROM system.tables WHERE database != 'system'").data
    assert int(sizes or b"0") <= 2


@pytest.mark.parametrize("role", ROLES[:1])
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO {own}.cijfers (noemer) VALUES (1)",
        "ALTER TABLE {own}.cijfers DELETE WHERE 1",
        "ALTER TABLE {own}.cijfers UPDATE noemer = 1 WHERE 1",
        "TRUNCATE TABLE {own}.cijfers",
        "DROP TABLE {own}.cijfers",
        "EXCHANGE TABLES {own}.cijfers AND {own}.vrijgaven",
        "CREATE TABLE {own}.n (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE n (a Int8)",
        "CREATE VIEW {own}.v SQL SECURITY NONE AS SELECT * FROM sor.trajecten",
        "CREATE MATERIALIZED VIEW {own}.v ENGINE = Memory DEFINER = admin SQL SECURITY DEFINER AS SELECT 1",
        "CREATE FUNCTION f AS (a) -> a",
        "CREATE USER other",
        "GRANT SELECT ON sor.trajecten TO {own}",
        "SET ROLE ALL",
        "SET ROLE alles",
        "SET readonly = 0",
        "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "EXECUTE AS admin SELECT 1",
        "OPTIMIZE TABLE {own}.cijfers",
        "BACKUP TABLE {own}.cijfers TO File('@FILE.zip')",
    ],
)
def test_an_audience_changes_nothing(server: Server, role: str, sql: str) -> None:
    answer = server.ask(role, sql.format(own=role))
    assert answer.status >= 400, answer.data
    assert server.ask(role, "SELECT count() FROM cijfers").data == b"1\n"


@pytest.mark.parametrize("role", ROLES[:1])
def test_an_audience_stays_within_its_limits(server: Server, role: str) -> None:
    assert server.code(role, f"SELECT number FROM numbers({AUDIENCE_LIMITS['max_result_rows'] + 1000})") == TOO_LONG
    more = f"SELECT sum(number) FROM numbers({AUDIENCE_LIMITS['max_rows_to_read'] + 1})"
    assert server.code(role, more) == TOO_MANY
    for limit, most in AUDIENCE_LIMITS.items():
        refused = OVER if limit == LOWERED else READONLY
        assert server.code(role, more, **{limit: "0"}) == refused
        assert server.code(role, "SELECT 1", **{limit: str(most + 4)}) == refused
        assert server.code(role, f"{more} SETTINGS {limit} = 0") == READONLY
    for setting in ("readonly", "allow_ddl", "additional_table_filters", "log_comment", "force_primary_key"):
        assert server.ask(role, "SELECT 1", **{setting: "1"}).status >= 400, setting


def test_every_audience_has_a_user_of_its_name_with_two_tables_and_no_more() -> None:
    assert list(AUDIENCE_USERS) == list(AUDIENCES)
    for name, user in AUDIENCE_USERS.items():
        assert user.name == name
        assert user.grants() == (f"SELECT ON {name}.cijfers", f"SELECT ON {name}.vrijgaven")
        assert user.profile == "audience"
    assert not set(AUDIENCE_USERS) & set(NAMES)
