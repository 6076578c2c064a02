"""Simulated files through the real stream: rows equal what the simulator decided, whatever happens on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sor.simulator import SimulationConfig, simulate
from sor.simulator.compare import expected
from tests.integration.stream import STAGES, Stream, running

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]


@pytest.fixture
def stream(broker: object, gateway: object, tmp_path: Path) -> Iterator[Stream]:
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as live:  # type: ignore[attr-defined]
        yield live


def _region(folder: Path, clients: int, *, faults: bool) -> Counter[str]:
    simulate(SimulationConfig(clients, 18, 11, date(2026, 6, 30), faults, False), folder)
    return expected(json.loads((folder / "expected.json").read_text()))


def _equal(stream: Stream, rows: Counter[str]) -> None:
    stream.until(stream.caught_up, "everything is processed", 120)
    found = stream.trajecten()
    assert not found - rows, (
        f"too much: {list((found - rows).elements())[:3]}, missing: {list((rows - found).elements())[:3]}"
    )
    assert found == rows


def test_a_region_with_every_fault_delivered_twice(stream: Stream, tmp_path: Path) -> None:
    """Duplicates, corrections, late and broken files; then everything once more."""
    rows = _region(tmp_path / "files", 120, faults=True)
    stream.deliver(tmp_path / "files")
    _equal(stream, rows)
    stream.deliver(tmp_path / "files")
    _equal(stream, rows)


def test_every_process_killed_in_mid_flow(stream: Stream, tmp_path: Path) -> None:
    """kill -9 of each process while files flow; the numbers are those of an undisturbed run."""
    rows = _region(tmp_path / "files", 120, faults=False)
    parts = sorted(p for p in (tmp_path / "files").iterdir() if p.is_dir())
    for number, stage in enumerate(STAGES):
        if number < len(parts):
            stream.sor("deliver", str(parts[number]), "--json", "--wait", "0", check=False)
        stream.kill(stage)
        stream.start(stage)
    stream.deliver(tmp_path / "files")
    _equal(stream, rows)
