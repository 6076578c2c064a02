"""Shares of memory, rate and turns; the index of receipts; the work of a worker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.delivery.connector import Connector
from connectors.errors import BrokerDown
from connectors.intake.index import Entry, Index, Wanted
from connectors.intake.jobs import Done, Job, Refused
from connectors.intake.limits import Full, Lanes, Memory, Rates, TooFast
from connectors.intake.tokens import ANY, Caller
from connectors.intake.work import WorkerBroken, _Setup, _Worker, handle, where
from tests.connectors.intake_support import OTHER, rap, until
from tests.connectors.support import AGB, BSN, CEM_HEADER, ThirdParty, cem_rows, make_keys, table
from transport.clients import Cluster
from transport.publisher import NotDelivered

SELF = Caller(AGB, frozenset({AGB}))


def test_a_bucket_fills_with_time_and_is_each_providers_own() -> None:
    now = [0.0]
    rates = Rates(60, lambda: now[0])
    for _ in range(15):
        rates.take(AGB)
    with pytest.raises(TooFast) as refused:
        rates.take(AGB)
    assert refused.value.seconds == pytest.approx(1.0)
    rates.take(OTHER)
    now[0] += 1.0
    rates.take(AGB)
    with pytest.raises(TooFast):
        rates.take(AGB)
    now[0] += 3_600
    for _ in range(15):  # it never holds more than its size
        rates.take(AGB)
    with pytest.raises(TooFast):
        rates.take(AGB)


def test_memory_is_bounded_for_all_and_for_one() -> None:
    told: list[int] = []
    memory = Memory(100, 60, told.append)
    with memory.upload(AGB) as one, memory.upload(OTHER) as two:
        one.reach(50)
        one.reach(30)  # less than it has: nothing changes
        with pytest.raises(TooFast):
            one.reach(61)
        two.reach(50)
        with pytest.raises(Full):
            two.reach(51)
        assert told[-1] == 100
    assert told[-1] == 0
    with memory.upload(AGB) as again:
        again.reach(60)


async def test_a_busy_provider_delays_no_other() -> None:
    """Many uploads of one provider came first; the single one of another is processed second, not last."""
    lanes, order, gate = Lanes(1, 10), list[str](), asyncio.Event()

    async def upload(agb: str) -> None:
        with lanes.enter(agb):
            async with lanes.turn(agb):
                await gate.wait()
                order.append(agb)

    tasks = [asyncio.create_task(upload(AGB)) for _ in range(5)]
    await until(lambda: lanes.open() == 5, "all are in line")
    tasks.append(asyncio.create_task(upload(OTHER)))
    await until(lambda: lanes.open() == 6, "the other as well")
    gate.set()
    await asyncio.gather(*tasks)
    assert order == [AGB, OTHER, *[AGB] * 4]
    assert lanes.open() == 0


def _entry(number: int, **more: object) -> Entry:
    return Entry(**{"id": f"{number:032x}", "sender": AGB, "kind": "score", "test": False, "lines": 1,
                    "first": number * 1_000, "version": number, "raw": b"r" * 100, **more})  # type: ignore[arg-type]  # fmt: skip


def test_the_index_keeps_what_is_newest_and_only_of_whom_it_serves() -> None:
    index = Index(1_000_000)
    assert index.serve([AGB])
    assert not index.serve([AGB])
    index.put([_entry(1, seen=1), _entry(2), _entry(3, sender=OTHER)])
    index.put([_entry(1, version=0, seen=0)])  # an older state comes late
    assert index.get(SELF, f"{1:032x}").seen == 1  # type: ignore[union-attr]
    assert index.get(Caller(OTHER, frozenset({OTHER})), f"{3:032x}") is None
    assert index.get(Caller(OTHER, frozenset({OTHER})), f"{1:032x}") is None
    assert index.serve([AGB, OTHER])
    assert not index.serve([OTHER])
    assert index.get(SELF, f"{1:032x}") is None


def test_the_index_is_bounded_and_each_provider_loses_its_own_oldest() -> None:
    told: list[int] = []
    index = Index(16_000, told.append)  # ten entries of 800 bytes for each of two
    index.serve([AGB, OTHER])
    index.put([_entry(1, sender=OTHER)])
    index.put(_entry(number) for number in range(1, 41))
    index.put([_entry(31, version=99)])  # it moved
    index.put([_entry(41)])
    kept = {entry.first // 1_000 for entry in index.search(SELF, Wanted(limit=100))[0]}
    assert kept == {31, *range(33, 42)}
    assert index.get(Caller(OTHER, frozenset({OTHER})), f"{1:032x}") is not None
    assert told[-1] == 11


def test_a_delivery_is_its_sender_its_id_and_its_number_of_records() -> None:
    index, hub = Index(1_000_000), Caller("hub", frozenset({AGB, OTHER}))
    index.serve([AGB, OTHER])
    index.put([_entry(1, lines=4, seen=4), _entry(1, lines=9_999_999), _entry(1, sender=OTHER, lines=2)])
    assert index.get(SELF, f"{1:032x}", 4).seen == 4  # type: ignore[union-attr]
    assert index.get(SELF, f"{1:032x}").lines == 9_999_999  # type: ignore[union-attr] # it moved last
    assert index.get(SELF, f"{1:032x}", 2) is None
    assert index.get(SELF, f"{1:032x}", 2, OTHER) is None
    assert index.get(hub, f"{1:032x}", 2, OTHER).sender == OTHER  # type: ignore[union-attr]
    assert len(index.search(hub, Wanted())[0]) == 3
    assert len(index.search(hub, Wanted(sender=OTHER))[0]) == 1
    assert len(index.search(SELF, Wanted(sender=OTHER))[0]) == 0


def test_a_hub_for_any_finds_by_id_and_searches_what_it_delivered_itself() -> None:
    index, hub = Index(1_000_000), Caller("hub", frozenset({ANY}))
    assert index.serve([ANY])
    index.put([_entry(1), _entry(2, sender=OTHER)])
    assert index.get(hub, f"{2:032x}").sender == OTHER  # type: ignore[union-attr]
    assert index.search(hub, Wanted()) == ([], False)
    assert index.announce(Done(f"{3:032x}", "score", OTHER, False, 1, 7_000), hub)
    assert [one.id for one in index.search(hub, Wanted())[0]] == [f"{3:032x}"]
    assert index.search(SELF, Wanted(sender=OTHER)) == ([], False)
    assert not index.serve([AGB])  # the hub is gone: only what is named stays
    assert index.get(hub, f"{2:032x}") is None


def test_made_up_senders_push_each_other_out_and_no_named_one() -> None:
    index = Index(1_000_000_000)
    index.serve([ANY, AGB])
    index.put([_entry(1)])
    index.put(_entry(1, sender=f"{number:08d}") for number in range(5_000))
    assert index.get(SELF, f"{1:032x}") is not None
    assert len(index._held) == 2_001


async def test_who_waits_for_a_receipt_is_woken_by_it_alone() -> None:
    index = Index(1_000_000)
    index.serve([AGB])
    with index.watch(f"{1:032x}") as one, index.watch(f"{2:032x}") as two:
        index.put([_entry(1)])
        assert (one.is_set(), two.is_set()) == (True, False)
        one.clear()
        index.put([_entry(1)])  # nothing new
        assert not one.is_set()
    assert not index._waiting


def test_new_is_what_was_never_seen_before() -> None:
    index = Index(1_000_000)
    index.serve([AGB])
    done = Done(f"{7:032x}", "score", AGB, False, 1, 7_000)
    assert index.announce(done, SELF)
    assert not index.announce(done, SELF)
    index.serve([])
    index.serve([AGB])
    index.put([_entry(7, first=7_005)])  # its receipt was faster than the answer
    assert index.announce(done, SELF)
    index.serve([])
    index.serve([AGB])
    index.put([_entry(7, first=6_000)])  # a receipt of before
    assert not index.announce(done, SELF)


@pytest.fixture
def third(tmp_path: Path) -> ThirdParty:
    return ThirdParty(make_keys(tmp_path / "keys"))


@pytest.fixture
def connector(third: ThirdParty, tmp_path: Path) -> Connector:
    return Connector(tmp_path / "keys", Cluster("nowhere"), publisher=third, receipts=third)


def test_the_work_of_one_upload(connector: Connector, third: ThirdParty) -> None:
    done = handle(connector, Job(AGB, "", False, table(CEM_HEADER, cem_rows())), 1_000)
    assert isinstance(done, Done)
    assert (done.kind, done.lines, done.counts) == ("cem", 1, (4, 0, 1, 3, 0))
    assert handle(connector, Job(AGB, "", False, b"\n" * 1_001), 1_000) == Refused("B05")
    assert handle(connector, Job(AGB, "", False, b"\r" * 1_001), 1_000) == Refused("B05")
    assert isinstance(handle(connector, Job(AGB, f"{AGB}_a.csv", False, rap()), 1_000), Done)
    assert "bytes" in repr(Job(AGB, BSN, False, rap()))
    assert BSN not in repr(Job(AGB, BSN, False, rap()))


def test_a_worker_tells_no_value_of_a_fault_and_begins_anew(
    connector: Connector, third: ThirdParty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Connector] = []

    def connected(_self: object) -> Connector:
        made.append(connector)
        return connector

    monkeypatch.setattr(_Worker, "_connected", connected)
    worker = _Worker(_Setup(tmp_path / "keys", Cluster("nowhere"), 1_000_000, 1_000))
    third.fail_at, third.fail_with = 1, ValueError(f"invalid literal: {BSN}")
    with pytest.raises(WorkerBroken) as fault:
        worker.work(Job(AGB, "", False, rap()))
    assert BSN not in str(fault.value)
    assert "ValueError at support.py" in str(fault.value)
    assert fault.value.__suppress_context__
    third.sent.clear()
    third.fail_with = NotDelivered("gone")
    with pytest.raises(BrokerDown):
        worker.work(Job(AGB, "", False, rap()))
    assert len(made) == 3  # after each of them with a producer that knows nothing of before


def test_where_shows_type_and_places() -> None:
    with pytest.raises(ValueError) as raised:
        int(f"x{BSN}")
    text = where(raised.value)
    assert text.startswith("ValueError at test_intake_shares.py:")
    assert BSN not in text
