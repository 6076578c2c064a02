"""``sor release`` from the command line on the real engine: what it says, how it ends, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from domain.field.dates import day
from results.gate import audit as gate
from results.release import making, states, store
from results.release.rules import RULES
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import AUDIENCES
from sinks.tables import TRAJECTEN
from sinks.writer import Writer
from sor import cli
from sor.commands import release
from tests.conftest import RunningGateway
from tests.results.release.made import TODAY, region
from tests.sinks import database

pytestmark = pytest.mark.clickhouse
FIRST, NEXT, LATER = "2026-07-15", "2026-08-15", "2026-09-15"
#: No further back than these rows need.
QUICK = RULES._replace(months_back=4)


class Verdict(NamedTuple):
    """What a gate says that looks at nothing."""

    passed: bool
    withheld: tuple[int, ...]
    report: dict[str, Any]


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def rows(gateway: RunningGateway) -> Iterator[tuple[Access, Writer, list[dict[str, Any]]]]:
    with database.fresh(gateway) as admin:
        writer, trajecten = Writer(admin), region(250, gemeenten=("0384",))["trajecten"]
        writer.insert(TRAJECTEN, trajecten)
        yield admin, writer, trajecten
        writer.close()
        client = clickhouse.connect(admin)
        for audience in AUDIENCES:
            client.command(f"DROP DATABASE IF EXISTS {audience}")
        client.close()


@pytest.fixture
def run(
    rows: tuple[Access, Writer, Any], gateway: RunningGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:  # fmt: skip
    """Types a command; each with the user that it is for."""

    def access(_settings: object, user: str) -> Access:
        return Access(gateway.url, user, gateway.users[user], rows[0].database)

    def typed(*words: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["sor", "release", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    monkeypatch.setenv("SOR_KEYS", str(tmp_path))
    monkeypatch.setattr(release, "clickhouse_access", access)
    monkeypatch.setattr(release, "DATABASE", rows[0].database)
    monkeypatch.setattr(making, "build_release", partial(making.build_release, rules=QUICK))
    monkeypatch.setattr(making, "audit_release", partial(making.audit_release, rules=QUICK))
    return typed


def gate_says(monkeypatch: pytest.MonkeyPatch, *, passed: bool) -> None:
    def audit(figures: Any, *, deadline: float, **_more: Any) -> Verdict:
        steps = [{"stap": "structuur", "seconden": 0.1, "ingehouden": 0}]
        report = {"geslaagd": passed, "cijfers": len(figures), "ingehouden": [], "seconden": deadline, "stappen": steps}
        return Verdict(passed, (), report)

    monkeypatch.setattr(gate, "audit", audit)


def test_a_release_from_build_to_withdrawal(
    run: Run, rows: tuple[Access, Writer, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, writer, trajecten = rows
    gate_says(monkeypatch, passed=True)

    # Nothing yet; a wrong day; a key that is not there.
    assert run("list") == (0, "There is no release yet. Make one with: sor release build\n", "")
    assert run("build", "--day", "15-7-2026").code == 2
    assert "sor release init" in run("build").err
    assert run("init").out.startswith("Made ")

    built = run("build", "--day", FIRST)
    assert built.code == 0
    assert built.out.startswith(f"Built release 1 of {TODAY}: ")
    assert built.out.endswith("Next: sor release audit 1\n")
    ended = run("publish", "1")
    assert (ended.code, ended.out) == (2, "")
    assert "Release 1 is gebouwd: only one that its gate approved is published." in ended.err
    for words in (("audit", "7"), ("publish", "7"), ("withdraw", "7", "--reden", "x"), ("diff", "1", "7")):
        ended = run(*words)
        assert ended.code == 2
        assert "There is no release 7; `sor release list` shows them." in ended.err
    assert run("audit", "0").code == 2

    assert json.loads(run("audit", "1", "--json").out)["geslaagd"] is True
    for words, seconds in ((), 7_200.0), (("--minutes", "3"), 180.0):
        assert json.loads(run("audit", "1", "--json", *words).out)["seconden"] == seconds
    ended = run("audit", "1")
    assert ended.code == 0
    assert ended.out.startswith("Release 1 passed: ")
    assert "  structuur: 0.1 s, 0 withheld" in ended.out
    assert run("publish", "1").out.startswith("Published release 1: ")

    # A revision says what it is for, and what became of which group.
    planned = [row for row in trajecten if row["einddatum"] > day(TODAY) - 90 and row["uitval_klasse"] == "gepland"]
    writer.insert(TRAJECTEN, [row | {"uitval_klasse": "client", "version": 2} for row in planned])
    assert run("build", "--day", NEXT, "--reden", "redenen opnieuw gestuurd").code == 0
    told = run("diff", "1", "2").out.splitlines()
    assert json.loads(told[0].removeprefix("From release 1 to 2: "))["herzien"] > 0
    assert told[1:] == ["Reason: redenen opnieuw gestuurd"]
    every = run("diff", "1", "2", "--all").out
    assert any(line.startswith("herzien  uitval  cluster ") and " -> " in line for line in every.splitlines())

    # What its gate refuses ends with 1, and goes no further.
    gate_says(monkeypatch, passed=False)
    ended = run("audit", "2")
    assert ended.code == release.REFUSED
    assert "Release 2 is refused: " in ended.out
    gate_says(monkeypatch, passed=True)
    again = run("audit", "2")
    assert (again.code, again.out) == (release.REFUSED, ended.out), "what it found, and no second try"
    assert "Release 2 is geweigerd" in run("publish", "2").err

    # Another one comes out while the gate looks at the one before: that one is of no use any more.
    assert run("build", "--day", NEXT).code == run("build", "--day", NEXT).code == 0
    assert run("audit", "3").code == run("audit", "4").code == 0
    assert run("publish", "4").code == 0
    for word in ("audit", "publish"):
        assert "Release 3 was built on 1, and 4 is out: build another one." in run(word, "3").err

    # Two builds take one number: neither goes on.
    with monkeypatch.context() as patch:
        patch.setattr(states, "next_number", lambda *_: 4)
        ended = run("build", "--day", LATER)
        assert ended.code == 2
        assert "Another release 4 is being built at this moment" in ended.err

    assert run("withdraw", "4").code == 2  # without a reason
    assert "not what readers see" in run("withdraw", "1", "--reden", "x").err
    assert run("withdraw", "4", "--reden", "fout in een levering").out.startswith("Withdrew release 4; readers see ")
    lines = run("list").out.splitlines()
    assert lines[0] == f"   1  {FIRST}  gepubliceerd <- readers see this one"
    assert lines[3] == f"   4  {NEXT}  ingetrokken (fout in een levering)"
    listed = {one["number"]: one for one in json.loads(run("list", "--json").out)}
    assert [listed[number]["state"] for number in (1, 2, 3, 4)] == [
        "gepubliceerd", "geweigerd", "goedgekeurd", "ingetrokken",
    ]  # fmt: skip
    mark = database.ask(admin, "SELECT status, reden FROM rel_c_duo.vrijgaven WHERE vrijgave = 4")
    assert mark == [("ingetrokken", "fout in een levering")]


def test_a_build_that_cannot_be_written_is_no_release(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk and an engine that is away: one sentence, 2, and the next build has another number."""
    assert run("init").code == 0
    before = len(json.loads(run("list", "--json").out))

    def full(*_given: Any, **_more: Any) -> None:
        raise DatabaseError("HTTPDriver: code 243", code=243, name="NOT_ENOUGH_SPACE")

    with monkeypatch.context() as patch:
        written = store._insert

        def no_room(client: Any, *given: Any) -> None:
            patch.setattr(client, "insert", full)
            written(client, *given)

        patch.setattr(store, "_insert", no_room)
        ended = run("build", "--day", FIRST)
    assert ended.code == 2
    assert "Writing vrijgave_leden: ClickHouse error 243 (NOT_ENOUGH_SPACE)." in ended.err
    listed = json.loads(run("list", "--json").out)
    assert len(listed) == before + 1
    assert listed[-1]["state"] == "begonnen"

    with monkeypatch.context() as patch:
        patch.setattr(release, "clickhouse_access", lambda *_: Access("http://127.0.0.1:9", "release", "x", "sor"))
        for words in (("list",), ("build",), ("audit", "1"), ("publish", "1"), ("diff", "1", "1")):
            ended = run(*words)
            assert (ended.code, ended.out) == (2, "")
            assert "ClickHouse cannot be reached" in ended.err
