"""Simulated files through the real stream: rows equal what the simulator decided, whatever happens on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from local.clickhouse.gateway import Gateway
from local.ports import free_port
from tests.conftest import RunningBroker, RunningGateway
from tests.whole import scan_places
from tests.whole.scan import Scan, people_in
from tests.whole.stream import STAGES, Stream, running
from tools.simulator import SimulationConfig, simulate
from tools.simulator.almere import UNKNOWN, half_year
from tools.simulator.compare import WAITING_QUERY, expected, waiting

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]


@pytest.fixture
def stream(broker: RunningBroker, gateway: RunningGateway, tmp_path: Path) -> Iterator[Stream]:
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as live:
        yield live


def _region(folder: Path, clients: int, *, faults: bool) -> Counter[str]:
    simulate(SimulationConfig(clients, 18, 11, date(2026, 6, 30), faults, False), folder)
    return expected(json.loads((folder / "expected.json").read_text()))


def _almere(folder: Path) -> Counter[str]:
    """Files of providers in Almere over the half year before this one: an older one is not accepted any more."""
    today = datetime.now(UTC).date()
    until = date(today.year, 1 if today.month <= 6 else 7, 1) - timedelta(days=1)
    simulate(SimulationConfig(120, 6, 11, until, True, False), folder)
    document = json.loads((folder / "expected.json").read_text())
    return expected(document, cbs=True) - expected(document)


def _deliver(stream: Stream, files: Path, almere: Path) -> None:
    """Everything as it is meant: CBS files one delivery after the other, with their layout."""
    for part in sorted(p for p in files.iterdir() if p.is_dir() and p.name != "cbs"):
        stream.deliver(part)
    until = date.fromisoformat(json.loads((almere / "expected.json").read_text())["configuratie"]["until"])
    words = ("--layout", str(almere / "cbs" / "layout.toml"), "--periode", half_year(until)[0])
    for part in sorted(p for p in (almere / "cbs").iterdir() if p.is_dir()):
        stream.deliver(part, *words)


def _waits(stream: Stream, folder: Path) -> None:
    """What the rows wait for, and how many metingen and scores are linked to nothing yet."""
    waits = json.loads((folder / "expected.json").read_text())["wacht"]
    assert waits["trajecten"].keys() == {"levering", "start", "toewijzing"}
    assert waiting(stream.ask(WAITING_QUERY)) == {"metingen": waits["metingen"], "scores": waits["scores"]}


def _equal(stream: Stream, rows: Counter[str]) -> None:
    stream.until(stream.caught_up, "everything is processed", 120)
    found = stream.trajecten()
    assert not found - rows, (
        f"too much: {list((found - rows).elements())[:3]}, missing: {list((rows - found).elements())[:3]}"
    )
    assert found == rows


def _nobody_at_rest(stream: Stream, files: Path, almere: Path, broker: RunningBroker, gateway: RunningGateway) -> None:
    """No number, name or birth date of the files in logs, screens, metrics, topics, states or tables."""
    people, reported = people_in(files), people_in(almere / "cbs").bsns
    assert {UNKNOWN} < reported
    # Nines alone say that the number is not known, and end many a decimal fraction.
    people = people._replace(bsns=(people.bsns | reported) - {UNKNOWN})
    assert len(people.bsns) > 100
    assert len(people.births) > 50
    assert {"Testpersoon", "Testine"} <= people.names
    assert len(people.references) > 20
    screen = Scan(people._replace(references=frozenset()))  # the sender sees the numbers of its own refused rows
    screen.pieces("screen", (text.encode() for text in stream.said))
    assert screen.hits == []
    assert screen.bytes_read > 100_000
    scan = Scan(people)
    scan.pieces("metrics", (stream.metrics(stage).encode() for stage in STAGES))
    stream.stop()
    records = scan_places.kafka(scan, broker.bootstrap)
    states = scan_places.state(scan, stream.home / "state")
    rows = scan_places.clickhouse(scan, gateway.url, gateway.users["admin"])
    scan.tree(stream.home, stream.home / "keys")
    for home in (broker.home, gateway.home):
        if home is not None:
            scan.tree(home)
    assert scan.hits == []
    # A search that saw nothing finds nothing.
    assert records > 5_000
    assert states > 100
    assert rows > 500
    assert scan.bytes_read > 10_000_000


def _interrupted(stream: Stream, files: Path) -> None:
    """The stages with a state die while messages and answers flow; nothing waits for the receipt."""
    stream.sor("deliver", str(files / "berichten"), "--json", "--wait", "0", check=False)
    for stage in ("register", "trajectories", "deliveries", "register"):
        stream.kill(stage)
        stream.start(stage)


def test_a_region_with_every_fault_delivered_twice(
    stream: Stream, tmp_path: Path, broker: RunningBroker, gateway: RunningGateway
) -> None:
    """Corrections, answers, late and broken files, CBS redeliveries, kill -9 of the stages with a state; most of it
    once more; and nobody is at rest.
    """
    files, almere = tmp_path / "files", tmp_path / "almere"
    rows = _region(files, 120, faults=True) + _almere(almere)
    _interrupted(stream, files)
    _deliver(stream, files, almere)
    _equal(stream, rows)
    _waits(stream, files)
    for part in sorted(p for p in files.iterdir() if p.is_dir() and p.name != "cbs"):
        stream.deliver(part)
    _equal(stream, rows)
    _waits(stream, files)
    assert "Equal: every row is what the log yields." in stream.sor("audit").stdout
    _nobody_at_rest(stream, files, almere, broker, gateway)


@pytest.fixture
def engine(tmp_path: Path, gateway: RunningGateway) -> Iterator[Gateway]:
    """An engine that the test may kill."""
    with Gateway(tmp_path / "engine", free_port(), gateway.users) as own:
        yield own


def test_every_process_killed_in_mid_flow(
    broker: RunningBroker, gateway: RunningGateway, engine: Gateway, tmp_path: Path
) -> None:
    """kill -9 of each process, and of the engine, while files flow; the numbers are those of an undisturbed run."""
    rows = _region(tmp_path / "files", 120, faults=False)
    parts = sorted(p for p in (tmp_path / "files").rglob("*") if p.is_dir())
    with running(tmp_path / "home", broker.bootstrap, engine.url, gateway.users) as stream:
        for number, stage in enumerate(STAGES):
            stream.sor("deliver", str(parts[number % len(parts)]), "--json", "--wait", "0", check=False)
            stream.kill(stage)
            if stage == "sink":
                engine.kill()
                engine.start()
            stream.start(stage)
        engine.kill()
        stream.sor("deliver", str(tmp_path / "files"), "--json", "--wait", "0", check=False)
        engine.start()
        engine.wait_ready()
        stream.deliver(tmp_path / "files")
        _equal(stream, rows)
        assert "Equal: every row is what the log yields." in stream.sor("audit").stdout
