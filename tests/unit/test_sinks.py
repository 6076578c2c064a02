"""The parts of the sink that need no service: batches, errors told apart, migrations as text, figures on a screen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError, ProgrammingError

from domain.indicators import INDICATOREN, Uitkomst
from sinks import migrate
from sinks.batch import Batch, Place
from sinks.clickhouse import RefusedError, UnavailableError, told_apart
from sinks.figures import Cijfer
from sinks.migrate import MigrationError, load, split
from sinks.tables import RECEIPTS, REJECTED, SCORES, TABLES, TRAJECTEN
from sinks.writer import Writer

ONE, TWO = Place(TRAJECTEN.topic, 0), Place(TRAJECTEN.topic, 1)


def row(number: int, version: int, **changed: Any) -> dict[str, Any]:
    key = {"aanbieder": "90000001", "gemeente": "0363", "jaar": 2024, "traject": str(number)}
    return {**key, "version": version, **changed}


def test_a_batch_keeps_the_highest_version_of_a_key_and_the_later_of_equals() -> None:
    batch = Batch(TABLES)
    for offset, record in enumerate([row(1, 5), row(1, 4), row(2, 7, status="a"), row(2, 7, status="b")]):
        batch.add(ONE, offset, record)
    assert batch.rows(TRAJECTEN) == [row(1, 5), row(2, 7, status="b")]
    assert (batch.offsets, batch.records) == ({ONE: 4}, 4)


@pytest.mark.parametrize("other", [{"aanbieder": "90000002"}, {"gemeente": "0479"}, {"jaar": 2025}, {"traject": "9"}])
def test_every_column_of_the_key_makes_another_row(other: dict[str, Any]) -> None:
    batch = Batch(TABLES)
    batch.add(ONE, 0, row(1, 5))
    batch.add(ONE, 1, {**row(1, 5), **other})
    assert len(batch.rows(TRAJECTEN)) == 2


def test_a_partition_that_is_given_up_takes_its_rows_and_offsets_along() -> None:
    batch = Batch(TABLES)
    batch.add(ONE, 7, row(1, 1))
    batch.add(TWO, 3, row(2, 1))
    batch.give_up([ONE, Place(SCORES.topic, 5)])
    assert batch.rows(TRAJECTEN) == [row(2, 1)]
    assert batch.offsets == {TWO: 4}


def test_tables_do_not_mix_and_their_own_version_decides() -> None:
    batch = Batch(TABLES)
    batch.add(ONE, 0, row(1, 1))
    place = Place(REJECTED.topic, 0)
    for offset, at in enumerate((9, 4)):
        batch.add(place, offset, {"topic": "t", "partition": 0, "offset": 1, "rejected_at": at})
    assert [found["rejected_at"] for found in batch.rows(REJECTED)] == [9]
    assert batch.rows(RECEIPTS) == []


def test_the_bytes_of_a_refused_record_have_no_column() -> None:
    assert "value" not in REJECTED.columns
    assert "key" not in REJECTED.columns


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
    monkeypatch.setattr("sinks.clickhouse.connect", lambda _access: Driver(1))
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
    for migration in load():
        for statement in migration.statements:
            assert "IF NOT EXISTS" in statement or "IF EXISTS" in statement, f"{migration.name}: {statement[:60]}"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


def test_a_changed_file_has_another_checksum(tmp_path: Path) -> None:
    (one,) = load(write(tmp_path, **{"0001_een": "SELECT 1;"}))
    (two,) = load(write(tmp_path, **{"0001_een": "SELECT 1 ;"}))
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
        load(write(tmp_path, **files))


@pytest.mark.parametrize("name", ["sor;DROP", "", "Sor", "1sor"])
def test_a_database_is_a_plain_name(name: str) -> None:
    with pytest.raises(RefusedError, match="no name for a database"):
        migrate._checked(name)


@pytest.mark.parametrize(
    ("sleutel", "uitkomst", "tekst"),
    [
        ("uitval", Uitkomst(9, 5, 40, 0), "<10"),
        ("uitval", Uitkomst(12, 5, 19, 0), "–"),
        ("uitval", Uitkomst(12, 5, 20, 0), "25,0%"),
        ("uitval", Uitkomst(0, 0, 0, 3), "–"),
        ("nut_gemiddelde", Uitkomst(10, 79, 10, 0), "7,9"),
        ("nut_gemiddelde", Uitkomst(9, 79, 10, 0), "<10"),
        ("trajecten_lopend", Uitkomst(1200, 1234, 1234, 0), "1234"),
        ("trajecten_lopend", Uitkomst(0, 0, 0, 0), "0"),
    ],
)
def test_small_groups_stay_hidden_and_figures_are_dutch(sleutel: str, uitkomst: Uitkomst, tekst: str) -> None:
    assert Cijfer("", INDICATOREN[sleutel], uitkomst).tekst == tekst
