"""The short form of ``make chaos``: the real stack, a few faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.stack.run import Asked, run

#: Its first faults: a pair on the broker and a stage, the supervisor, and a stage that stands still.
SEED = 5
FAULTS = 3


@pytest.mark.kafka
@pytest.mark.clickhouse
@pytest.mark.slow
def test_the_stack_heals(tmp_path: Path) -> None:
    found = run(Asked(SEED, minutes=1.0, faults=FAULTS, clients=30), tmp_path / "home", print)
    assert found.wrong == []
    assert len(found.blows) >= FAULTS
    assert found.receipts > 100
