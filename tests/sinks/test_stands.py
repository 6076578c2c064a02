"""What the sink does with the identity of the store, without any service."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from sinks.access import Access
from sinks.batch import Place
from sinks.clickhouse import UnavailableError
from sinks.contract import MustStopError
from sinks.filling import Filling
from sinks.stands import Said, Source
from sinks.tables import SCORES
from transport.clients import Cluster
from transport.notes import noted

WHERE = Place(SCORES.topic, 0)


class Store:
    """A store with an identity, or none when it is away."""

    def __init__(self, identity: str) -> None:
        self.identity, self.told = identity, dict[Source, int]()

    def write(self, stands: Mapping[Source, int]) -> str:
        if not self.identity:
            raise UnavailableError("ClickHouse cannot be reached.")
        self.told |= stands
        return self.identity


@pytest.fixture
def filling() -> Filling:
    """As after it got one partition of a topic with the id T, of which the store S has nothing."""
    made = Filling(Access("http://127.0.0.1:9", "sink", "-"), Cluster("127.0.0.1:9"), [SCORES])
    made._store, made._ids = "S", {SCORES.topic: "T"}
    return made


def test_what_is_committed_is_noted_and_told_to_the_store(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store("S")
    monkeypatch.setattr(filling, "_telling", store)
    assert noted(filling.note(WHERE)) == {"store": "S", "log": "T"}
    assert not filling.due
    filling.committed({WHERE: 7})
    assert filling.due
    filling.write(filling.taken())
    assert not filling.due
    assert store.told == {Source(SCORES.topic, "T", 0): 7}


def test_a_store_that_becomes_another_one_stops_the_sink(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "_telling", Store("R"))
    filling.committed({WHERE: 7})
    with pytest.raises(MustStopError, match="start it again, and it fills it"):
        filling.write(filling.taken())


def test_a_store_that_is_away_is_told_later(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "_telling", Store(""))
    filling.committed({WHERE: 7})
    with capture_logs() as lines:
        filling.write(filling.taken())
    assert "later" in lines[0]["event"]


def test_a_partition_that_went_to_another_sink_is_told_no_more(filling: Filling) -> None:
    filling.committed({WHERE: 7})
    filling.give_up({WHERE})
    assert filling.taken() == {}


def test_what_the_store_was_filled_from_before_is_known() -> None:
    said = Said("S", {Source(SCORES.topic, "T", 0): 7}, frozenset())
    assert said.former(SCORES.topic, "U")
    assert not said.former(SCORES.topic, "T")
