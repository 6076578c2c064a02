"""Migrations on the real engine: idempotent, checksummed, one runner at a time."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.codec import load as contract
from sinks import clickhouse
from sinks.access import Access
from sinks.clickhouse import RefusedError
from sinks.schema import migrate, slot
from sinks.schema.migrate import Migration, MigrationError
from sinks.tables import TABLES
from sor.cli import app
from tests.conftest import RunningGateway

pytestmark = pytest.mark.clickhouse


def quiet(_sentence: str) -> None:
    pass


def rows(access: Access, query: str) -> list[tuple[object, ...]]:
    client = clickhouse.connect(access)
    try:
        return clickhouse.select(client, query)
    finally:
        client.close()


@pytest.fixture
def access(gateway: RunningGateway) -> Iterator[Access]:
    database = f"sor_{uuid.uuid4().hex[:10]}"
    found = Access(gateway.url, "admin", gateway.users["admin"], database)
    yield found
    client = clickhouse.connect(found, in_database=False)
    client.command(f"DROP DATABASE IF EXISTS {database}")
    client.close()


def test_applied_once_and_again_is_nothing(access: Access) -> None:
    known = migrate.load()
    assert migrate.plan(access).pending == known
    assert migrate.apply(access, quiet) == known
    assert migrate.apply(access, quiet) == ()
    after = migrate.plan(access)
    assert after.pending == ()
    assert [done.number for done in after.applied] == [migration.number for migration in known]


def test_a_plan_changes_nothing(access: Access) -> None:
    migrate.plan(access)
    with pytest.raises(RefusedError, match="database is missing"):
        clickhouse.connect(access)


def test_columns_are_those_of_the_contracts_with_their_comments(access: Access) -> None:
    migrate.apply(access, quiet)
    found = rows(access, f"SELECT table, name, comment FROM system.columns WHERE database = '{access.database}'")
    for table in TABLES:
        docs = {field["name"]: field["doc"] for field in contract(table.schema)["fields"]}
        columns = {name: comment for where, name, comment in found if where == table.name}
        assert columns.pop("ingevoegd_op")
        assert bool(columns.pop("epoch", "")) == ("version" in docs)
        assert columns == {column: docs[column] for column in table.columns}


def test_the_sorting_key_is_the_key_of_the_rows(access: Access) -> None:
    migrate.apply(access, quiet)
    query = f"SELECT name, sorting_key, partition_key FROM system.tables WHERE database = '{access.database}'"
    found = {name: (key, partition) for name, key, partition in rows(access, query)}
    for table in TABLES:
        key, partition = found[table.name]
        assert set(str(key).split(", ")) == set(table.key)
        assert partition == ("jaar" if "jaar" in table.key else "")


def test_a_changed_file_is_refused(access: Access) -> None:
    first, *rest = migrate.load()
    migrate.apply(access, quiet)
    changed = (replace(first, checksum="0" * 64), *rest)
    with pytest.raises(MigrationError, match=r"0001 .*was changed afterwards"):
        migrate.apply(access, quiet, changed)
    with pytest.raises(MigrationError, match="not among the files"):
        migrate.plan(access, ())


def test_a_file_that_fails_halfway_is_not_recorded_and_is_done_again(access: Access) -> None:
    good = "CREATE TABLE IF NOT EXISTS een (x UInt8) ENGINE = Memory"
    bad = Migration(1, "half", (good, "CREATE TABLE IF NOT EXISTS twee (x Onzin) ENGINE = Memory"), "a")
    with pytest.raises(RefusedError, match="0001 half, statement 2"):
        migrate.apply(access, quiet, (bad,))
    assert migrate.plan(access, (bad,)).pending == (bad,)
    mended = replace(bad, statements=(good, good.replace("een", "twee")))
    assert migrate.apply(access, quiet, (mended,)) == (mended,)
    assert rows(access, "SELECT count() FROM een, twee") == [(0,)]


def test_two_runners_at_once_apply_once(access: Access) -> None:
    results: list[tuple[Migration, ...]] = []
    errors: list[Exception] = []
    barrier = threading.Barrier(4)

    def runner() -> None:
        barrier.wait()
        try:
            results.append(migrate.apply(access, quiet))
        except Exception as error:  # noqa: BLE001  # looked at below
            errors.append(error)

    threads = [threading.Thread(target=runner) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(len(result) for result in results) == [0, 0, 0, len(migrate.load())]
    assert rows(access, f"SELECT number, count() FROM {migrate.TABLE} GROUP BY number HAVING count() > 1") == []


def test_who_comes_second_waits_and_is_told_who_has_the_lock(access: Access) -> None:
    migrate.apply(access, quiet)
    told: list[str] = []
    one, two = clickhouse.connect(access), clickhouse.connect(access)
    held, go = threading.Event(), threading.Event()

    def first() -> None:
        with slot.Slot(one, access.database, "eerste").held(0, quiet):
            held.set()
            go.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(20)
    with pytest.raises(RefusedError, match="eerste is migrating"), slot.Slot(two, access.database, "b").held(0, quiet):
        pytest.fail("two runners hold the lock")
    tell_and_go = [told.append, lambda _sentence: go.set()]
    with slot.Slot(two, access.database, "tweede").held(
        20, lambda sentence: [f(sentence) for f in tell_and_go] and None
    ):
        assert not thread.is_alive() or thread.join(5) is None
    assert told == [f"Waiting for eerste, which is migrating {access.database}."]


def test_a_lease_that_ran_out_is_taken_over_once(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate.apply(access, quiet)
    clients = [clickhouse.connect(access) for _ in range(5)]
    monkeypatch.setattr(slot, "LEASE_SECONDS", 0.2)
    dead = slot.Slot(clickhouse.connect(access), access.database, "dood")
    held = dead.held(0, quiet)
    held.__enter__()
    monkeypatch.setattr(slot, "LEASE_SECONDS", 60)
    deadline = time.monotonic() + 10
    while dead._highest().seconds > 0 and time.monotonic() < deadline:
        pass
    inside, worst = [], []

    def runner(client: object, name: str) -> None:
        with slot.Slot(client, access.database, name).held(20, quiet):
            inside.append(name)
            worst.append(len(inside))
            inside.remove(name)

    threads = [threading.Thread(target=runner, args=(client, f"r{n}")) for n, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == [1] * 5
    with pytest.raises(RefusedError, match="overtaken"):
        dead.renew()
    held.__exit__(None, None, None)


def test_the_command_shows_what_is_to_do_and_does_it(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "admin"
    secret.write_text(access.password)
    secret.chmod(0o600)
    for name, value in {
        "CLICKHOUSE": access.url,
        "CLICKHOUSE_PASSWORD_FILE": str(secret),
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(f"SOR_{name}", value)
    runner, words = CliRunner(), ["migrate", "--database", access.database]
    known = migrate.load()
    check = runner.invoke(app, [*words, "--check"])
    assert check.exit_code == 1
    assert "To apply: 0001 tables" in check.output
    done = json.loads(runner.invoke(app, [*words, "--json"]).output)
    assert [one["number"] for one in done["applied_now"]] == [migration.number for migration in known]
    again = runner.invoke(app, [*words, "--check"])
    assert (again.exit_code, again.output) == (
        0,
        f"Database {access.database}: {len(known)} migrations applied, none to do.\n",
    )
    secret.write_text("wrong")
    refused = runner.invoke(app, words)
    assert isinstance(refused.exception, RefusedError)
    assert "Check the user and its password file" in str(refused.exception)


def test_the_errors_that_pass_by_themselves_have_the_names_of_this_engine(access: Access) -> None:
    client = clickhouse.connect(access, in_database=False)
    codes = list(clickhouse.PASSING)
    query = f"SELECT arrayMap(code -> errorCodeToName(code), {codes})"
    assert clickhouse.select(client, query)[0][0] == list(clickhouse.PASSING.values())
    client.close()
