"""The world is honest before anybody attacks it."""

from __future__ import annotations

import pytest

from schemas.topics import TRAJECTEN
from tests.attack.world import A, B, World

pytestmark = pytest.mark.kafka


def test_the_honest_deliveries_are_all_in_their_rows(world: World) -> None:
    for provider in (A, B):
        receipts = world.receipts_of(provider)
        for delivery, lines in world.honest[provider].items():
            receipt = receipts[delivery]
            assert (receipt["klaar"], receipt["geaccepteerd"], receipt["afgekeurd"]) == (True, lines, 0)
        rows = [one for one in world.latest(TRAJECTEN).values() if one["aanbieder"] == provider]
        assert len({one["client"] for one in rows}) >= len(world.clients[provider])
