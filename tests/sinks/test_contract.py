"""The parts of the sink that need no service: batches, errors told apart, migrations as text, figures on a screen."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError, ProgrammingError
from hypothesis import given
from hypothesis import strategies as st

from domain.indicators.catalogue import INDICATORS, Sums
from monitoring import metrics
from results.figures import Figure
from schemas.codec import Codec, load
from sinks import measure
from sinks.batch import Batch, Held, Place
from sinks.clickhouse import RefusedError, UnavailableError, told_apart
from sinks.container import number
from sinks.contract import Container, Contract, MustStopError
from sinks.inserts import Inserts
from sinks.schema import migrate
from sinks.schema.migrate import MigrationError, split
from sinks.tables import RECEIPTS, REJECTED, SCORES, TRAJECTEN, Table
from sinks.writer import Writer

ONE, TWO = Place(TRAJECTEN.topic, 0), Place(TRAJECTEN.topic, 1)


def empty(node: Any) -> Any:
    """The emptiest value of an Avro type."""
    if isinstance(node, dict):
        node = node["type"]
    values = {"string": "", "bytes": b"", "boolean": False, "int": 0, "long": 0, "map": {}, "array": []}
    return None if isinstance(node, list) else values[node]


def row(number: int, version: int, **changed: Any) -> dict[str, Any]:
    """A row of trajecten, whatever fields the contract has."""
    row = {field["name"]: empty(field["type"]) for field in load(TRAJECTEN.schema)["fields"]}
    key = {"aanbieder": "90000001", "gemeente": "0363", "jaar": 2024, "traject": str(number)}
    return {**row, **key, "version": version, **changed}


def rejected(offset: int, **changed: Any) -> dict[str, Any]:
    row = {field["name"]: empty(field["type"]) for field in load(REJECTED.schema)["fields"]}
    return {**row, "topic": "t", "offset": offset, **changed}


CODEC = Codec(TRAJECTEN.schema)


def encoded(*records: dict[str, Any]) -> list[bytes]:
    return [CODEC.encode(record) for record in records]


def held(*records: dict[str, Any], place: Place = ONE) -> Held:
    return Held(place, list(range(len(records))), encoded(*records))


def test_the_newest_row_of_a_key_is_the_highest_version_and_the_later_of_equals() -> None:
    rows = Contract(TRAJECTEN).rows([held(row(1, 5), row(1, 4), row(2, 7, status="a"), row(2, 7, status="b"))])
    assert rows == [row(1, 5), row(2, 7, status="b")]


@pytest.mark.parametrize("other", [{"aanbieder": "90000002"}, {"gemeente": "0479"}, {"jaar": 2025}, {"traject": "9"}])
def test_every_column_of_the_key_makes_another_row(other: dict[str, Any]) -> None:
    assert len(Contract(TRAJECTEN).rows([held(row(1, 5), {**row(1, 5), **other})])) == 2


def test_the_version_of_a_table_decides() -> None:
    codec, places = Codec(REJECTED.schema), (9, 4)
    values = [codec.encode(rejected(1, rejected_at=at)) for at in places]
    (found,) = Contract(REJECTED).rows([Held(Place(REJECTED.topic, 0), [0, 1], values)])
    assert found["rejected_at"] == 9


def test_a_partition_that_is_given_up_takes_its_records_and_offsets_along() -> None:
    batch = Batch()
    batch.add(ONE, 7, b"a")
    batch.add(TWO, 3, b"b")
    batch.add(TWO, 4, b"c")
    at_work = batch.held(TRAJECTEN)
    batch.give_up([ONE, Place(SCORES.topic, 5)])
    assert batch.held(TRAJECTEN) == [Held(TWO, [3, 4], [b"b", b"c"])]
    assert batch.offsets == {TWO: 5}
    assert len(at_work) == 2


def test_a_batch_is_full_by_records_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.batch.MOST_BYTES", 100)
    batch = Batch()
    batch.add(ONE, 0, b"a" * 60)
    assert [batch.room(records) for records in (5, 1, 0)] == [4, 0, 0]
    batch.add(ONE, 1, b"a" * 60)
    assert batch.room(5) == 0


def test_tables_do_not_mix() -> None:
    batch = Batch()
    batch.add(ONE, 0, b"a")
    batch.add(Place(REJECTED.topic, 0), 0, b"b")
    assert [found.values for found in batch.held(REJECTED)] == [[b"b"]]
    assert batch.held(RECEIPTS) == []
    assert batch.records == 2


@pytest.mark.parametrize("value", [b"", b"\x00 no avro", b"\x00" + bytes(4), *(encoded(row(1, 1))[0] + b"\x00",)])
def test_what_is_no_record_is_named_by_its_coordinates_and_never_shown(value: bytes) -> None:
    broken = Held(TWO, [41, 42], [*encoded(row(1, 1)), value])
    with pytest.raises(MustStopError, match=r"^sor\.trajecten/1/42: ") as caught:
        Contract(TRAJECTEN).rows([broken])
    assert "no avro" not in str(caught.value)


# Containers


def parsed(container: bytes) -> list[dict[str, Any]]:
    return list(fastavro.reader(BytesIO(container), return_record_name=True))


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_are_avro_longs(value: int) -> None:
    out = BytesIO()
    fastavro.schemaless_writer(out, "long", value)
    assert number(value) == out.getvalue()


def test_a_container_holds_the_records_in_order_each_in_a_block_of_its_own() -> None:
    records = [row(n, n, status="x" * (n * 300)) for n in range(12)]
    (one,) = Contract(TRAJECTEN).containers([held(*records[:5]), held(*records[5:], place=TWO)]) or ()
    assert one.rows == 12
    found = parsed(one.data)
    assert [record["version"] for record in found] == list(range(12))
    assert found[11]["status"] == "x" * 3300
    blocks = list(fastavro.block_reader(BytesIO(one.data)))
    assert [block.num_records for block in blocks] == [1] * 12


def test_a_container_is_full_at_some_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.contract.CONTAINER_BYTES", 1_000)
    made = list(Contract(TRAJECTEN).containers([held(*(row(n, n) for n in range(40)))]) or ())
    assert len(made) > 2
    assert sum(one.rows for one in made) == 40
    assert [record["version"] for one in made for record in parsed(one.data)] == list(range(40))


class Ids:
    """A registry of two: the present contract and one that a test gives."""

    def __init__(self, other: dict[str, Any] | None) -> None:
        self._known = {1: json.dumps(load(TRAJECTEN.schema))} | ({2: json.dumps(other)} if other else {})

    def register(self, _subject: str, _schema: str) -> int:
        return 1

    def lookup(self, schema_id: int) -> str:
        return self._known[schema_id]


def changed(**types: Any) -> dict[str, Any]:
    """The contract with other types for some fields; None leaves a field out."""
    schema = load(TRAJECTEN.schema)
    fields = [{**one, "type": types.get(one["name"], one["type"])} for one in schema["fields"]]
    return {**schema, "doc": "other", "fields": [one for one in fields if one["type"] is not None]}


def containers_of(other: dict[str, Any] | None) -> Any:
    contract, value = Contract(TRAJECTEN, Ids(other)), b"\x00" + (2).to_bytes(4, "big") + encoded(row(1, 1))[0][5:]
    return contract.containers([Held(ONE, [0], [value])])


def test_records_of_another_release_go_as_they_are_only_when_they_read_alike() -> None:
    (same,) = containers_of(changed())
    assert parsed(same.data)[0]["version"] == 1
    assert containers_of(changed(leeftijd="int")) is None
    assert containers_of(changed(gas=None)) is None, "ours has no default for it"
    assert containers_of(None) is None, "nobody knows the schema"


def test_a_field_that_is_empty_by_default_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    older, ours = changed(vlaggen=None), load(TRAJECTEN.schema)

    def with_default(value: Any) -> dict[str, Any]:
        fields = [{**one, "default": value} if one["name"] == "vlaggen" else one for one in ours["fields"]]
        return {**ours, "fields": fields}

    for default, alike in (([], True), (["x"], False)):
        monkeypatch.setattr("sinks.contract.load", lambda _name, default=default: with_default(default))
        assert (containers_of(older) is not None) == alike


def test_records_of_two_releases_in_one_batch_are_decoded() -> None:
    contract, value = Contract(TRAJECTEN, Ids(changed())), encoded(row(1, 1))[0]
    mixed = [b"\x00" + (number).to_bytes(4, "big") + value[5:] for number in (1, 1, 2)]
    assert contract.containers([Held(ONE, [0, 1, 2], mixed)]) is None


# Which way a batch goes


class Recorder:
    """Stands in for the writer: notes which way rows came."""

    def __init__(self, error: Exception | None = None) -> None:
        self.ways: list[tuple[str, int]] = []
        self._error = error

    def insert(self, _table: Table, rows: list[dict[str, Any]]) -> None:
        self.ways.append(("columns", len(rows)))

    def insert_container(self, _table: Table, container: Container, sample: list[dict[str, Any]]) -> None:
        self.ways.append(("container", container.rows))
        assert 0 < len(sample) <= 5
        if self._error:
            raise self._error


def insert(writer: Recorder, *values: bytes) -> list[tuple[str, int]]:
    Inserts(writer, [TRAJECTEN], decoded=3).insert(  # type: ignore[arg-type]
        TRAJECTEN, [Held(ONE, list(range(len(values))), list(values))]
    )
    return writer.ways


def test_few_records_go_as_columns_and_many_as_they_are() -> None:
    records = encoded(*(row(n, n) for n in range(9)))
    assert insert(Recorder(), *records[:3]) == [("columns", 3)]
    assert insert(Recorder(), *records[:3], records[0]) == [("container", 4)]
    assert insert(Recorder(), *records) == [("container", 9)]


def test_a_container_that_the_server_cannot_read_is_decoded_and_the_damaged_record_named() -> None:
    records = encoded(*(row(n, n) for n in range(9)))
    writer = Recorder(RefusedError("Inserting into trajecten: ClickHouse error 1001", 1001))
    assert insert(writer, *records) == [("container", 9), ("columns", 9)]
    with pytest.raises(MustStopError, match=r"^sor\.trajecten/0/4: "):
        insert(writer, *records[:4], records[4][:-1], *records[5:])


@pytest.mark.parametrize("error", [RefusedError("9 rows were sent and 8 written"), UnavailableError("away")])
def test_a_wrong_count_and_a_server_that_is_away_are_no_reason_to_decode(error: Exception) -> None:
    writer = Recorder(error)
    with pytest.raises(type(error)):
        insert(writer, *encoded(*(row(n, n) for n in range(9))))
    assert writer.ways == [("container", 9)]


def freshness() -> tuple[float, float]:
    found = {sample.name: sample.value for metric in metrics.FRESHNESS.collect() for sample in metric.samples}
    return found["sor_freshness_seconds_count"], found["sor_freshness_seconds_sum"]


def test_a_sample_stands_for_all_rows_in_what_is_measured() -> None:
    count, total = freshness()
    now = time.time() * 1000
    measure.inserted(TRAJECTEN, 1_003, [row(n, 1, gebeurd_op=now - 1000 * n) for n in (0, 1, 2, 3)], 0.1)
    more, sums = freshness()
    assert more - count == 1_003
    assert sums - total == pytest.approx(1.5 * 1_003, rel=0.01)


def test_a_dead_letter_has_no_bytes_of_its_record() -> None:
    assert not any(kind["type"] == "bytes" for kind in load(REJECTED.schema)["fields"])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("refused"), UnavailableError),
        (DatabaseError("HTTP 503 of a proxy"), UnavailableError),
        *((DatabaseError("x", code=code), UnavailableError) for code in (159, 202, 209, 210, 241, 252)),
        *((DatabaseError("x", code=code), RefusedError) for code in (16, 53, 60, 62, 81, 497, 516)),
        (DataError("bad value"), RefusedError),
        (ProgrammingError("no such column"), RefusedError),
    ],
)
def test_time_heals_some_errors_and_others_stop(error: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected), told_apart("Inserting"):
        raise error


def test_no_text_of_the_server_gets_into_our_sentence() -> None:
    with pytest.raises(RefusedError) as caught, told_apart("Inserting into scores"):
        raise DatabaseError("Cannot parse 'secret'", code=53, name="TYPE_MISMATCH")
    assert str(caught.value) == "Inserting into scores: ClickHouse error 53 (TYPE_MISMATCH)."
    assert caught.value.__cause__ is None


class Driver:
    """Stands in for the driver: says how many rows were written."""

    def __init__(self, written: int) -> None:
        self.written_rows, self.closed = written, False

    def create_insert_context(self, *_args: Any, **_named: Any) -> Any:
        return type("Context", (), {"data": None})()

    def data_insert(self, _context: Any) -> Any:
        return self

    def close(self) -> None:
        self.closed = True


def test_another_number_of_rows_than_were_sent_is_a_loud_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.clickhouse.connect", lambda _access, **_over: Driver(1))
    table = replace(TRAJECTEN, columns=TRAJECTEN.key, key=TRAJECTEN.key)
    with pytest.raises(RefusedError, match="2 rows were sent and 1 written"):
        Writer(None).insert(table, [row(1, 1), row(2, 1)])  # type: ignore[arg-type]


def test_statements_end_at_semicolons_outside_quotes_and_comments() -> None:
    text = """-- a; comment
    CREATE TABLE a (x String COMMENT 'it''s; \\'quoted\\'');  /* ; */
    ;INSERT INTO `b;c` VALUES ("d;e")  -- last; one
    """
    assert split(text) == (
        "CREATE TABLE a (x String COMMENT 'it''s; \\'quoted\\'')",
        'INSERT INTO `b;c` VALUES ("d;e")',
    )


def test_every_statement_of_the_project_may_be_repeated() -> None:
    for migration in migrate.load():
        for statement in migration.statements:
            repeatable = statement.startswith("CREATE OR REPLACE TABLE ") or re.search(
                r"IF (NOT )?EXISTS|WHERE \(SELECT count\(\) FROM \w+\) = 0$", statement
            )
            assert repeatable, f"{migration.name}: {statement[:60]}"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


def test_a_changed_file_has_another_checksum(tmp_path: Path) -> None:
    (one,) = migrate.load(write(tmp_path, **{"0001_een": "SELECT 1;"}))
    (two,) = migrate.load(write(tmp_path, **{"0001_een": "SELECT 1 ;"}))
    assert (one.number, one.name, one.statements) == (1, "een", ("SELECT 1",))
    assert one.checksum != two.checksum


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"0001_a": "SELECT 1", "0003_b": "SELECT 1"}, "none missing"),
        ({"0001_a": "SELECT 1", "0001_b": "SELECT 1"}, "none twice"),
        ({"0001_a": "-- nothing; here"}, "holds no statement"),
        ({"1_a": "SELECT 1"}, "NNNN_name"),
    ],
)
def test_files_that_are_no_row_of_migrations_are_refused(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(MigrationError, match=message):
        migrate.load(write(tmp_path, **files))


@pytest.mark.parametrize("name", ["sor;DROP", "", "Sor", "1sor"])
def test_a_database_is_a_plain_name(name: str) -> None:
    with pytest.raises(RefusedError, match="no name for a database"):
        migrate._checked(name)


@pytest.mark.parametrize(
    ("key", "sums", "text"),
    [
        ("uitval", Sums(9, 5, 40, 0), "<10"),
        ("uitval", Sums(12, 5, 19, 0), "–"),
        ("uitval", Sums(12, 5, 20, 0), "25,0%"),
        ("uitval", Sums(0, 0, 0, 3), "–"),
        ("nut_gemiddelde", Sums(10, 79, 10, 0), "7,9"),
        ("nut_gemiddelde", Sums(9, 79, 10, 0), "<10"),
        ("trajecten_lopend", Sums(1200, 1234, 1234, 0), "1234"),
        ("trajecten_lopend", Sums(0, 0, 0, 0), "0"),
    ],
)
def test_small_groups_stay_hidden_and_figures_are_dutch(key: str, sums: Sums, text: str) -> None:
    assert Figure("", INDICATORS[key], sums).text == text
