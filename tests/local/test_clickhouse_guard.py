"""What readers and writers may not do, asked of the real engine. Each attempt here works for admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from local.clickhouse.gateway import Gateway
from local.ports import free_port

pytestmark = pytest.mark.clickhouse
POOL = urllib3.PoolManager()
SOURCE = "SOURCE(CLICKHOUSE(DB '{}' TABLE 't')) LAYOUT(FLAT()) LIFETIME(0)"
DENIED, READONLY = "497", "164"
#: All tables of two databases, beyond what the users have in the stack.
MORE = {
    "grafana": ("SELECT ON sor.*", "SELECT ON sor_schaduw.*", "dictGet ON sor.d"),
    "sink": ("SELECT, INSERT ON sor.*", "SELECT, INSERT ON sor_schaduw.*"),
}
SETUP = """
CREATE DATABASE sor
CREATE DATABASE sor_schaduw
CREATE DATABASE geheim
CREATE TABLE sor.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a
CREATE TABLE sor_schaduw.t (a UInt32) ENGINE = MergeTree ORDER BY a
CREATE TABLE geheim.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a
CREATE TABLE geheim.j (a UInt32, b String) ENGINE = Join(ANY, LEFT, a)
CREATE TABLE default.t (a UInt32) ENGINE = MergeTree ORDER BY a
CREATE DICTIONARY geheim.d (a UInt64, b String) PRIMARY KEY a DICTIONARY_OF geheim
CREATE DICTIONARY sor.d (a UInt64, b String) PRIMARY KEY a DICTIONARY_OF sor
CREATE VIEW sor.v AS SELECT * FROM sor.t WHERE a > {p:UInt32}
INSERT INTO sor.t VALUES (1, 'open'), (2, 'twee')
INSERT INTO sor_schaduw.t VALUES (1)
INSERT INTO geheim.t VALUES (1, 'dicht')
INSERT INTO geheim.j VALUES (1, 'dicht')
INSERT INTO default.t VALUES (1)
"""


class Server:
    """One server with data in databases that are the reader's and databases that are not."""

    def __init__(self, home: Path) -> None:
        self.users = {name: f"{name}-password" for name in ("admin", "sink", "grafana")}
        self.gateway = Gateway(home, free_port(), self.users, more=MORE)
        self.file = home / "other.csv"
        self.file.write_text("a,b\n1,dicht\n")

    def ask(self, user: str, sql: str, **parameters: str) -> urllib3.BaseHTTPResponse:
        headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": self.users[user]}
        url = f"{self.gateway.url}/?{urlencode(parameters)}"
        sql = sql.replace("@FILE", str(self.file))
        return POOL.request("POST", url, body=sql.encode(), headers=headers)

    def code(self, user: str, sql: str, **parameters: str) -> str:
        """ClickHouse's error code, empty when it worked."""
        return self.ask(user, sql, **parameters).headers.get("X-ClickHouse-Exception-Code", "")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = Server(tmp_path_factory.mktemp("guard"))
    with own.gateway:
        for statement in SETUP.strip().splitlines():
            head, _, database = statement.partition(" DICTIONARY_OF ")
            answer = own.ask("admin", f"{head} {SOURCE.format(database)}" if database else statement)
            assert answer.status == 200, answer.data
        yield own


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT b FROM sor.t",
        "SELECT b FROM t",
        "WITH x AS (SELECT * FROM t) SELECT x.a FROM x WHERE a IN (SELECT a FROM sor_schaduw.t)",
        "SELECT * FROM sor.v(p = 0)",
        "SELECT dictGet('sor.d', 'b', toUInt64(1))",
        "SELECT sum(number) FROM numbers(10)",
        "SELECT ';' AS teken; ",
        "SHOW TABLES",
        "SHOW TABLES FROM sor",
        "SHOW CREATE TABLE sor.t",
        "DESCRIBE TABLE sor.t",
        "EXISTS TABLE sor.t",
        "EXPLAIN SELECT * FROM sor.t",
        "SELECT name FROM system.columns WHERE database = 'sor'",
        "SELECT `default` FROM (SELECT 1 AS `default`)",
    ],
)
def test_what_a_reader_may_ask(server: Server, sql: str) -> None:
    answer = server.ask("grafana", sql)
    assert answer.status == 200, answer.data


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM geheim.t",
        "SELECT * FROM `geheim` . `t`",
        "SELECT * FROM default.t",
        "SELECT (SELECT max(a) FROM geheim.t)",
        "SELECT a IN geheim.t FROM sor.t",
        "SELECT 1 UNION ALL SELECT a FROM geheim.t",
        "WITH x AS (SELECT * FROM geheim.t) SELECT * FROM x",
        "SELECT * FROM sor.t JOIN geheim.t USING a",
        "SELECT * FROM view(SELECT * FROM geheim.t)",
        "SELECT * FROM merge('geheim', '.*')",
        "SELECT * FROM mergeTreeIndex(geheim, t)",
        "SELECT * FROM loop(geheim.t) LIMIT 1",
        "SELECT dictGet('geheim.d', 'b', toUInt64(1))",
        "SELECT dictGet('geheim' || '.d', 'b', toUInt64(1))",
        "SELECT * FROM dictionary('geheim.d')",
        "SELECT joinGet('geheim.j', 'b', toUInt32(1))",
        "SELECT hasColumnInTable('geheim', 't', 'b')",
        "SHOW TABLES FROM geheim",
        "SHOW CREATE TABLE geheim.t",
        "DESCRIBE TABLE geheim.t",
        "EXPLAIN SELECT * FROM geheim.t",
        "EXPLAIN ESTIMATE SELECT * FROM geheim.t",
        "SELECT * FROM system.processes",
        "SELECT query FROM `system`.`processes`",
        "SELECT file('@FILE')",
        "SELECT `file`('@FILE')",
        "SELECT arrayMap(file, ['@FILE'])",
        "SELECT arrayMap(x -> file(x), ['@FILE'])",
        "SELECT * APPLY(file) FROM (SELECT '@FILE')",
        "SELECT 1 AS x ORDER BY x WITH FILL INTERPOLATE (x AS length(file('@FILE')))",
        "SELECT * FROM file('@FILE')",
        "SELECT * FROM url('file://@FILE', 'LineAsString', 'a String')",
        "DESCRIBE TABLE file('@FILE')",
        "SELECT 1 INTO OUTFILE '@FILE.out'",
        "SHOW TABLES INTO OUTFILE '@FILE.out'",
        "EXPLAIN SELECT 1 INTO OUTFILE '@FILE.out'",
    ],
)
def test_what_a_reader_may_not_see(server: Server, sql: str) -> None:
    answer = server.ask("grafana", sql)
    assert answer.headers.get("X-ClickHouse-Exception-Code") == DENIED, answer.data
    assert answer.status == 403
    assert b"dicht" not in answer.data


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO sor.t VALUES (3, 'x')",
        "INSERT INTO sor.t SELECT 3, 'x'",
        "INSERT INTO sor.t FORMAT TSV\n3\tx\n",
        "WITH q AS (SELECT 3 AS a) INSERT INTO sor.t (a) SELECT a FROM q",
        "INSERT INTO FUNCTION file('@FILE.out') SELECT 1",
        "CREATE TABLE sor.n (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE n (a Int8)",
        "DROP TABLE sor.t",
        "TRUNCATE TABLE sor.t",
        "ALTER TABLE sor.t DELETE WHERE 1",
        "OPTIMIZE TABLE sor.t",
        "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "USE geheim",
        "SET readonly = 0",
        "SELECT 1 SETTINGS max_result_rows = 0",
        "SHOW PROCESSLIST",
        "CHECK TABLE geheim.t",
    ],
)
def test_what_a_reader_may_not_do(server: Server, sql: str) -> None:
    answer = server.ask("grafana", sql)
    assert answer.headers.get("X-ClickHouse-Exception-Code") == READONLY, answer.data
    assert server.ask("admin", "SELECT count() FROM sor.t").data == b"2\n"


@pytest.mark.parametrize("user", ["grafana", "sink", "admin"])
@pytest.mark.parametrize("whole", ["0", "1"])
def test_a_second_statement_is_never_run(server: Server, user: str, whole: str) -> None:
    for sql in ("SELECT 1; SELECT * FROM geheim.t", "SELECT ';'; SELECT * FROM geheim.t", "SELECT 1;;SELECT 2"):
        answer = server.ask(user, sql, wait_end_of_query=whole)
        assert answer.headers.get("X-ClickHouse-Exception-Code") == "62", (sql, answer.data)


def test_names_may_not_come_in_by_parameter(server: Server) -> None:
    assert server.code("grafana", "SELECT * FROM {d:Identifier}.t", param_d="geheim") == DENIED
    assert server.code("grafana", "SELECT * FROM {d:Identifier}.t", param_d="sor") == ""
    assert server.code("grafana", "SELECT dictGet({d:String}, 'b', 1)", param_d="geheim.d") == DENIED


def test_the_current_database_must_be_the_readers(server: Server) -> None:
    assert server.code("grafana", "SELECT * FROM t", database="geheim") == DENIED
    assert server.code("grafana", "SELECT * FROM processes", database="system") == DENIED
    assert server.ask("grafana", "SELECT count() FROM t", database="sor_schaduw").data == b"1\n"
    assert server.ask("grafana", "SELECT currentDatabase()").data == b"sor\n"


def test_limits_hold_and_cannot_be_lifted_by_the_url(server: Server) -> None:
    rows = "SELECT number FROM numbers(1001000)"
    assert server.code("grafana", rows) == "396"
    assert server.code("grafana", rows, wait_end_of_query="1") == "396"
    assert server.code("grafana", rows, max_result_rows="0") == READONLY
    assert server.code("grafana", rows, wait_end_of_query="1", max_result_rows="2000000") == READONLY
    assert server.code("grafana", "SELECT 1", max_execution_time="64") == "452"
    assert server.code("grafana", "SELECT length(groupArray(number)) FROM numbers(300000000)") == "241"
    slow = ["SELECT sum(sleepEachRow(0.2)) FROM numbers(1000)", " max_block_size = 1"][0]
    assert server.code("grafana", slow, max_execution_time="1", max_block_size="1") == "159"
    assert server.code("grafana", "SELECT 1", readonly="0") == READONLY


def test_a_writer_inserts_and_reads(server: Server) -> None:
    before = int(server.ask("admin", "SELECT count() FROM sor_schaduw.t").data)
    for sql in (
        "INSERT INTO sor_schaduw.t VALUES (7)",
        "INSERT INTO sor_schaduw.t FORMAT TSV\n8\n",
        "INSERT INTO sor_schaduw.t SELECT 9",
        "SELECT count() FROM sor.t SETTINGS max_threads = 1",
    ):
        answer = server.ask("sink", sql)
        assert answer.status == 200, answer.data
    assert int(server.ask("sink", "SELECT count() FROM sor_schaduw.t").data) == before + 3


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE sor.n (a Int8) ENGINE = Memory",
        "DROP TABLE sor.t",
        "ALTER TABLE sor.t ADD COLUMN c Int8",
        "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "SELECT * FROM file('@FILE')",
        "SELECT file('@FILE')",
        "SELECT * FROM default.`@FILE`",
        "SELECT * FROM url('file://@FILE', 'LineAsString', 'a String')",
        "INSERT INTO FUNCTION file('@FILE.out', 'CSV', 'a String') SELECT 'x'",
        "INSERT INTO sor.t FROM INFILE '@FILE' FORMAT CSVWithNames",
        "INSERT INTO sor.t SELECT 1, file('@FILE')",
        "INSERT INTO sor.t VALUES (1, file('@FILE'))",
        "INSERT INTO sor.t SETTINGS input_format_values_interpret_expressions = 1 VALUES (1, file('@FILE'))",
        "SELECT * FROM sor.t SETTINGS additional_table_filters = {'sor.t': 'file(''@FILE'') != '''''}",
    ],
)
def test_what_a_writer_may_not_do(server: Server, sql: str) -> None:
    answer = server.ask("sink", sql)
    assert answer.status >= 400, answer.data
    assert b"dicht" not in answer.data
    assert server.ask("admin", "SELECT count() FROM sor.t").data == b"2\n"


def test_nothing_reached_the_disk(server: Server) -> None:
    assert sorted(path.name for path in server.file.parent.glob("other*")) == ["other.csv"]


def test_no_user_reads_files_as_tables(server: Server) -> None:
    for user, code in (("admin", "60"), ("sink", DENIED)):
        assert server.code(user, "SELECT * FROM default.`@FILE`") == code
