"""The world of the attack tests: one for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attack.world import World
from tests.secured import SecuredBroker


@pytest.fixture(scope="package")
def world(secured: SecuredBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Broker, stages, sources and clients; the stages stop after the last attack."""
    made = World(secured, tmp_path_factory.mktemp("world"))
    try:
        made.start()
        yield made
    finally:
        made.stages.stop()
