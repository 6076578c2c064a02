"""The short form of ``make chaos``: the real stack, a few faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.stack.run import Asked, run

#: Drawn until its first faults were these.
SEED = 57913
FAULTS = ["KILL kafka", "STOP trajectories for 4 s", "KILL supervisor"]


@pytest.mark.kafka
@pytest.mark.clickhouse
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:list_groups:DeprecationWarning")  # see Probe: the newer question ends us
def test_the_stack_heals(tmp_path: Path) -> None:
    found = run(Asked(SEED, minutes=1.0, faults=len(FAULTS), clients=30), tmp_path / "home", print)
    assert found.wrong == []
    assert [blow.fault.words() for blow in found.blows] == FAULTS
    assert found.receipts > 100
