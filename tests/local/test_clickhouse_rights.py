"""Each user of ClickHouse by task, on the real engine: what its task asks works, and nothing else does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from operations import exporter
from operations.audit import TABLES as AUDITED
from operations.replay import shadow
from operations.replay.scope import CLIENTS
from results.dashboards import provider
from results.dashboards.catalogue import DASHBOARDS, text
from results.waiting import waiting_sql
from sinks import clickhouse, tables
from sinks.schema import audience_tables, migrate
from sinks.schema.audiences import AUDIENCES, FIGURES, RELEASES
from sinks.schema.users import HANDLED, LIMITS, LOWERED, NAMES, USERS
from sinks.writer import Writer
from tests.local.asking import Server
from tests.results.grafana import expand
from tests.sinks.rows import meting, receipt, rejected, score, traject

pytestmark = pytest.mark.clickhouse
DENIED, READONLY, TOO_SLOW, TOO_LONG, TOO_MANY = "497", "164", "159", "396", "158"
OVER_THE_LIMIT = "452"
EVERY_TABLE = (
    *(table.name for table in tables.TABLES), HANDLED, migrate.TABLE, CLIENTS, *(table.name for table in shadow.SHADOWS)
)  # fmt: skip
OTHERS = tuple(name for name in NAMES if name != "admin")


def counts(server: Server) -> dict[str, int]:
    """Rows of every table."""
    return {name: int(server.ask("admin", f"SELECT count() FROM sor.{name}").data) for name in EVERY_TABLE}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = Server(tmp_path_factory.mktemp("rights"), NAMES, "a,b\n1,dicht\n")
    with own.gateway:
        migrate.apply(own.access("admin"), lambda _sentence: None)
        writer = Writer(own.access("sink"))
        writer.check(tables.TABLES)
        for table, row in zip(
            tables.TABLES, (traject(1, 1), meting(1, 1), score(1, 1), rejected(1), receipt(1, 1)), strict=True
        ):
            writer.insert(table, [row])
        writer.close()
        client = clickhouse.connect(own.access("admin"))
        shadow.make(client, "sor")
        assert audience_tables.lay(client) == 2 * len(AUDIENCES)
        assert audience_tables.lay(client) == 0
        client.close()
        for statement in ("CREATE DATABASE geheim", "CREATE TABLE geheim.t (a String) ENGINE = MergeTree ORDER BY a"):
            assert own.code("admin", statement) == ""
        assert own.code("admin", "INSERT INTO geheim.t VALUES ('dicht')") == ""
        yield own


@pytest.mark.parametrize("table", EVERY_TABLE)
@pytest.mark.parametrize("user", OTHERS)
def test_a_user_reads_the_tables_of_its_task_and_no_other(server: Server, user: str, table: str) -> None:
    declared = USERS[user]
    columns = ", ".join(dict(declared.columns).get(table, ("*",)))
    expected = "" if table in declared.read else DENIED
    assert server.code(user, f"SELECT {columns} FROM sor.{table}") == expected
    for sql in (
        f"WITH x AS (SELECT {columns} FROM {table}) SELECT count() FROM x",
        f"SELECT 1 IN (SELECT 1 FROM sor.{table} WHERE {columns.split(',')[0].replace('*', '1')} IS NOT NULL)",
        f"SELECT count() FROM view(SELECT {columns} FROM sor.{table})",
        f"SELECT 1 UNION ALL SELECT count({columns.split(',')[0]}) FROM sor.{table}",
    ):
        assert server.code(user, sql) == expected, sql


@pytest.mark.parametrize("table", EVERY_TABLE)
@pytest.mark.parametrize("user", OTHERS)
def test_a_user_inserts_into_the_tables_of_its_task_and_no_other(server: Server, user: str, table: str) -> None:
    before, declared = counts(server), USERS[user]
    refused = DENIED if declared.insert else READONLY
    column = server.ask("admin", f"SELECT name FROM system.columns WHERE table = '{table}' AND type = 'String' LIMIT 1")
    name = column.data.decode().strip()
    answer = server.code(user, f"INSERT INTO sor.{table} ({name}) FORMAT TSV\nx\n")
    assert answer == ("" if table in declared.insert else refused)
    assert counts(server)[table] == before[table] + (table in declared.insert)


@pytest.mark.parametrize("user", OTHERS)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM geheim.t",
        "SELECT (SELECT max(a) FROM geheim.t)",
        "SELECT * FROM merge('geheim', '.*')",
        "SELECT * FROM merge('sor', '.*')",
        "SELECT hasColumnInTable('geheim', 't', 'a')",
        "DESCRIBE TABLE geheim.t",
        "SHOW CREATE TABLE geheim.t",
        "SHOW TABLES FROM geheim",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.parts",
        "SELECT * FROM system.errors",
        "SELECT * FROM system.users",
        "SELECT * FROM system.grants",
        "SELECT * FROM system.query_log",
        "SELECT * FROM system.server_settings",
        "SELECT * FROM system.disks",
        "SELECT * FROM file('@FILE')",
        "SELECT file('@FILE')",
        "SELECT * FROM url('file://@FILE', 'LineAsString', 'a String')",
        "SELECT * FROM s3('http://127.0.0.1:9/bucket/key', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1:9', 'geheim', 't')",
        "SELECT * FROM clusterAllReplicas('default', geheim.t)",
        "SELECT 1 INTO OUTFILE '@FILE.out'",
    ],
)
def test_nobody_sees_beyond_the_tables(server: Server, user: str, sql: str) -> None:
    answer = server.ask(user, sql)
    assert answer.headers.get("X-ClickHouse-Exception-Code") == DENIED, answer.data
    assert b"dicht" not in answer.data


@pytest.mark.parametrize("user", OTHERS)
def test_tables_of_others_have_no_name(server: Server, user: str) -> None:
    declared = USERS[user]
    shown = server.ask(user, "SELECT DISTINCT table FROM system.columns WHERE database NOT IN ('system')").data.decode()
    released = {FIGURES, RELEASES} if declared.released else set()  # of audiences, in databases of their own
    assert set(shown.split()) - {"tables", "columns"} <= {*declared.read, *declared.insert, *released}
    listed = set(server.ask(user, "SHOW TABLES FROM sor").data.decode().split())
    assert listed == {*declared.read, *declared.insert}
    assert "geheim" not in server.ask(user, "SELECT name FROM system.databases").data.decode()


def test_a_repair_removes_rows_of_its_tables_and_changes_nothing_else(server: Server) -> None:
    nothing, mutation = "DELETE WHERE version = 0", " SETTINGS mutations_sync = 1"
    for table in AUDITED:
        assert server.code("repair", f"ALTER TABLE sor.{table} {nothing}{mutation}") == ""
        for user in OTHERS:
            if user != "repair":
                assert server.code(user, f"ALTER TABLE sor.{table} {nothing}{mutation}") == READONLY
    for change in (
        f"{nothing}, DROP COLUMN client",
        "DROP COLUMN client",
        "UPDATE client = '' WHERE 1",
        "DROP PARTITION 2025",
    ):
        assert server.code("repair", f"ALTER TABLE sor.trajecten {change}") == READONLY
    assert server.code("repair", f"ALTER TABLE geheim.t DELETE WHERE 1{mutation}") == DENIED
    hidden = "DELETE WHERE client IN (SELECT a FROM geheim.t)"
    assert server.code("repair", f"ALTER TABLE sor.trajecten {hidden}{mutation}") == DENIED
    file = "DELETE WHERE client IN (SELECT * FROM file('@FILE', 'CSV', 'a String'))"
    assert server.code("repair", f"ALTER TABLE sor.trajecten {file}{mutation}") == DENIED


@pytest.mark.parametrize("user", OTHERS)
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE sor.n (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE n (a Int8)",
        "CREATE VIEW sor.v AS SELECT * FROM geheim.t",
        "CREATE USER other",
        "GRANT SELECT ON geheim.t TO default",
        "DROP TABLE sor.receipts",
        "TRUNCATE TABLE sor.receipts",
        "ALTER TABLE sor.receipts DELETE WHERE 1",
        "DELETE FROM sor.receipts WHERE 1",
        "OPTIMIZE TABLE sor.receipts",
        "RENAME TABLE sor.receipts TO sor.r",
        "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "SET ROLE alles",
        "SET ROLE ALL",
        "SET ROLE DEFAULT",
        "SET readonly = 0",
        "SET max_result_rows = 0",
        "EXECUTE AS admin SELECT 1",
    ],
)
def test_nobody_but_the_administrator_changes_anything(server: Server, user: str, sql: str) -> None:
    before = counts(server)
    answer = server.ask(user, sql)
    assert answer.status >= 400, answer.data
    assert counts(server) == before


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO geheim.t VALUES ('x')",
        "INSERT INTO `geheim` . `t` FORMAT TSV\nx\n",
        "INSERT INTO TABLE geheim.t (a) FORMAT JSONEachRow {\"a\": \"x\"}",
        "/* FORMAT */ INSERT INTO geheim.t -- FORMAT TSV\n FORMAT CSV\nx\n",
        "INSERT INTO geheim.t SELECT 'x'",
        "INSERT INTO geheim.t SELECT toString(1) SETTINGS max_threads = 1",
        "WITH q AS (SELECT 'x' AS a) INSERT INTO geheim.t SELECT a FROM q",
        "INSERT INTO default.t VALUES ('x')",
        "INSERT INTO system.one VALUES (1)",
        "INSERT INTO system.zookeeper (name, path, value) VALUES ('x', '/', 'x')",
        "INSERT INTO information_schema.tables VALUES (1)",
        f"INSERT INTO sor.{HANDLED} (reden) VALUES ('x')",
        f"INSERT INTO sor.{migrate.TABLE} (number) VALUES (99)",
        "INSERT INTO FUNCTION file('@FILE.out', 'CSV', 'a String') VALUES ('x')",
        "INSERT INTO FUNCTION url('http://127.0.0.1:9/', 'CSV', 'a String') VALUES ('x')",
        "INSERT INTO FUNCTION s3('http://127.0.0.1:9/bucket/key', 'CSV', 'a String') VALUES ('x')",
        "INSERT INTO FUNCTION remote('127.0.0.1:9', 'geheim', 't') VALUES ('x')",
        "INSERT INTO TABLE FUNCTION file('@FILE.out') SELECT 'x'",
        "INSERT INTO sor.receipts (delivery) SELECT a FROM geheim.t",
        "INSERT INTO sor.receipts (delivery) SELECT delivery FROM sor.receipts",
        "INSERT INTO sor.receipts (delivery) SELECT client FROM sor.trajecten",
        "INSERT INTO sor.receipts (delivery) SELECT file('@FILE')",
        "INSERT INTO sor.receipts (delivery) SELECT * FROM file('@FILE')",
        "INSERT INTO sor.receipts (delivery) FROM INFILE '@FILE' FORMAT CSV",
        "INSERT INTO sor.receipts (delivery) VALUES (file('@FILE'))",
    ],
)  # fmt: skip
def test_the_sink_writes_its_tables_with_rows_of_the_request_and_nowhere_else(server: Server, sql: str) -> None:
    before = (counts(server), server.ask("admin", "SELECT count() FROM geheim.t").data)
    for query in (sql, sql.replace("\n", " \n")):
        answer = server.ask("sink", query)
        assert answer.status >= 400, answer.data
        assert b"dicht" not in answer.data
    assert (counts(server), server.ask("admin", "SELECT count() FROM geheim.t").data) == before
    assert [path.name for path in server.file.parent.glob("other*")] == ["other.csv"]


@pytest.mark.parametrize("user", [name for name in OTHERS if USERS[name].profile == "reader"])
def test_a_reader_stays_within_its_limits(server: Server, user: str) -> None:
    assert server.code(user, f"SELECT number FROM numbers({LIMITS['max_result_rows'] + 1000})") == TOO_LONG
    more = f"SELECT sum(number) FROM numbers({LIMITS['max_rows_to_read'] + 1})"
    assert server.code(user, more) == TOO_MANY
    for limit in LIMITS:
        refused = OVER_THE_LIMIT if limit == LOWERED else READONLY
        assert server.code(user, more, **{limit: "0"}) == refused
        assert server.code(user, "SELECT 1", **{limit: str(LIMITS[limit] + 4)}) == refused
        assert server.code(user, f"{more} SETTINGS {limit} = 0") == READONLY
    slow = "SELECT sum(sleepEachRow(0.2)) FROM numbers(100)"
    assert server.code(user, slow, max_execution_time="1", max_block_size="1") == TOO_SLOW
    for asked in ("55", "60"):
        assert server.code(user, "SELECT 1", max_execution_time=asked) == ""


def questions() -> Iterator[str]:
    """Every query of the dashboards of the third party, with nothing chosen where nothing has to be."""
    for build in DASHBOARDS.values():
        page = build()
        names = [one["name"] for one in page["templating"]["list"]]
        chosen: dict[str, tuple[str, ...]] = dict.fromkeys(names, ()) | {"periode": ("month",)}
        if build is provider.build:
            chosen |= {"aanbieder": ("90000001",), "cluster": ("DUO",)}
        for query in re.findall(r'"rawSql": ("(?:[^"\\]|\\.)*")', text(page)):
            yield expand(json.loads(query), chosen, 1_700_000_000, 1_800_000_000)


def test_grafana_asks_every_question_of_the_dashboards(server: Server) -> None:
    asked = set(questions())
    assert len(asked) > 20
    for query in asked:
        answer = server.ask("grafana", query)
        assert answer.status == 200, (query, answer.data)


def test_the_exporter_asks_what_its_checks_ask_and_sees_no_client(server: Server) -> None:
    client = clickhouse.connect(server.access("exporter"))
    for query in (exporter._BURST, exporter._UNOPENED, exporter._ACCEPTED, exporter._UNFINISHED, waiting_sql()):
        clickhouse.select(client, query)
    client.close()
    for table in AUDITED:
        for sql in (
            f"SELECT client FROM sor.{table}",
            f"SELECT * FROM sor.{table}",
            f"SELECT any(client) FROM {table}",
        ):
            assert server.code("exporter", sql) == DENIED
