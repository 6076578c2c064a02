"""Definitions travel whole: what is packed is the same definitions again, and what is damaged is none."""

from __future__ import annotations

import pytest

from domain.field.definitions import SHIPPED, identified
from domain.field.spic import Spic, spics
from schemas import handed
from schemas.codec import Undecodable
from schemas.handed import DROP, GO, HOLD, TooManyDefinitions, key_of, pack, unpack

OTHERS = identified(SHIPPED._replace(version=9, chain_days=60))


def test_definitions_travel_whole() -> None:
    assert unpack(pack(OTHERS)) == OTHERS
    assert unpack(pack(SHIPPED)).id == SHIPPED.id != OTHERS.id


def test_the_id_is_made_of_what_came_and_not_believed() -> None:
    assert unpack(pack(OTHERS._replace(id="0" * 16))) == OTHERS


@pytest.mark.parametrize("damaged", [b"", b"\x00", pack(OTHERS)[:-3], pack(OTHERS) + b"x", b"\x81\x01\x02"])
def test_what_is_damaged_is_none(damaged: bytes) -> None:
    with pytest.raises(Undecodable):
        unpack(damaged)


def test_a_document_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {str(code): Spic("segment", "profiel", "intensiteit", "F") for code in range(100)}
    large = OTHERS.with_spics(spics(many))
    document = pack(large)
    monkeypatch.setattr(handed, "LARGEST", len(document) - 1)
    with pytest.raises(TooManyDefinitions, match="is the table of SPICs the right file"):
        pack(large)
    with pytest.raises(Undecodable):
        unpack(document)


def test_only_the_last_go_of_a_stage_stays_and_a_hold_stays_beside_it() -> None:
    assert key_of("trajectories", GO, "ab") == key_of("trajectories", GO, "cd") == b"trajectories"
    assert key_of("trajectories", HOLD, "ab") == key_of("trajectories", DROP, "ab") == b"trajectories/ab"
