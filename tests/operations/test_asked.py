"""What waits to be forgotten: whose clients may be carried out, by whose asking, and what an operator sees of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Message
from msgspec.structs import replace

from crypto import erasures
from domain.field.codes import FRONT_DESK
from operations import asked as work
from operations.asked import (
    BEGUN,
    FOREIGN,
    FORMER,
    NOBODY,
    OWN,
    SHARED,
    WITHDRAWN,
    Told,
    Waiting,
    chosen,
    requests,
    standing,
    table,
)
from operations.erasing_topics import Compacted
from operations.forgetting import Request
from operations.partitions import Part, RewritingError
from schemas.asked import Asked
from schemas.codec import Codec
from schemas.erased import Erased
from schemas.records import event_to_record
from schemas.taken import Taken
from schemas.topics import EVENTS, IN_TOPIC, WISVERZOEKEN, topics
from schemas.typed import StructCodec
from sor.commands import forget_pending, forgetting
from streams.erased import LOOK, Ledger
from streams.erased import NOBODY as NOBODY_KEY
from tests.build import AGB, CLIENT, event, intrekking, score, start
from tests.sor.operator import sor
from tests.streams.support import message
from transport.clients import Cluster

ANOTHER = b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB"
OTHER, HANDLE, AT = "94000009", "a" * 32, 1_790_000_000_000
NAME = erasures.of_root(b"r" * 32)


def asking(client: bytes = CLIENT, sender: str = AGB, door: str = "source.1", tijd: int = AT) -> Asked:
    return Asked(pseudonym=client.decode(), sender=sender, door=door, tijd=tijd, reden="op verzoek")


def waits(place: str, number: int = 1, client: bytes = CLIENT, **more: Any) -> Waiting:
    return Waiting(f"{HANDLE}/{number}".encode(), asking(client, **more), place)


# --- who may have whom forgotten --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "told", "found"),
    [
        (AGB, {AGB}, OWN),
        (AGB, {AGB, OTHER}, SHARED),
        (AGB, {OTHER}, FOREIGN),
        (AGB, set(), NOBODY),
        (FRONT_DESK, {AGB, OTHER}, OWN),
        (FRONT_DESK, set(), NOBODY),
    ],
)
def test_a_provider_has_its_own_client_forgotten_and_the_front_desk_any(
    sender: str, told: set[str], found: str
) -> None:
    log = Told({CLIENT: told} if told else {})
    assert standing(f"{HANDLE}/1".encode(), asking(sender=sender), log, Ledger.empty(), {}) == found


@pytest.mark.parametrize(("moment", "found"), [(AT + 1, BEGUN), (AT, OWN)])
def test_what_broke_off_is_carried_out_once_more(moment: int, found: str) -> None:
    ledger = Ledger(lambda: NAME, [Erased(naam=NAME(CLIENT), moment=moment)])
    assert standing(f"{HANDLE}/1".encode(), asking(), Told({CLIENT: {AGB}}), ledger, {}) == found


@pytest.mark.parametrize(
    ("taken", "found"), [({HANDLE: AT}, WITHDRAWN), ({HANDLE: AT - 1}, OWN), ({"b" * 32: AT}, OWN)]
)
def test_a_source_can_take_it_back(taken: dict[str, int], found: str) -> None:
    assert standing(f"{HANDLE}/1".encode(), asking(), Told({CLIENT: {AGB}}), Ledger.empty(), taken) == found


def test_who_told_of_a_client_is_who_sent_a_fact_of_it() -> None:
    """What follows from another fact tells nothing: the register may say it of whoever used a number."""
    told = [
        (CLIENT, event(start())),
        (CLIENT, event(score(), aanbieder="94000008")),
        (CLIENT, event(intrekking("start", b"bericht"), aanbieder=OTHER)),
        (ANOTHER, event(start(), aanbieder=OTHER)),
    ]
    log = [(client, Codec(EVENTS).encode(event_to_record(one))) for client, one in told]
    assert work.told_of({CLIENT}, [*log, (CLIENT, LOOK), (NOBODY_KEY, LOOK)]) == Told({CLIENT: {AGB, "94000008"}})


def test_a_client_that_has_another_name_by_now_is_not_taken_for_one_that_nobody_knows() -> None:
    """Else what was asked would be closed, and the client would stay."""
    log = work.told_of({CLIENT}, [(ANOTHER.replace(b".0.", b".1."), LOOK)])
    assert standing(f"{HANDLE}/1".encode(), asking(), log, Ledger.empty(), {}) == FORMER
    found = [waits(FORMER)]
    assert chosen(found, source="", shared=True) == []
    assert FORMER not in work.EMPTY


def test_what_others_told_of_as_well_is_carried_out_when_that_is_said_and_what_is_foreign_never() -> None:
    found = [waits(place, n) for n, place in enumerate((OWN, SHARED, FOREIGN, NOBODY, BEGUN, WITHDRAWN))]
    assert [one.standing for one in chosen(found, source="", shared=False)] == [OWN, BEGUN]
    assert [one.standing for one in chosen(found, source="", shared=True)] == [OWN, SHARED, BEGUN]
    assert chosen(found, source="another", shared=True) == []


def test_an_operator_sees_from_which_source_of_which_day_and_no_client() -> None:
    found = [waits(OWN), waits(OWN, 2, ANOTHER), waits(SHARED, 3, sender=OTHER), waits(OWN, 4, sender=FRONT_DESK)]
    lines = table(found)
    assert len(lines) == 3
    assert any(f"2026-09-21  2 by source source.1 for provider {AGB}" in line for line in lines), lines
    assert any("the front desk" in line for line in lines)
    assert "--shared" in "".join(lines)
    assert "p1." not in "".join(lines)


def test_twice_of_one_client_is_one_client_on_the_certificate() -> None:
    found = [waits(OWN), waits(OWN, 2), waits(OWN, 3, ANOTHER)]
    assert requests(found) == [Request("source.1", AGB, "2026-09-21", 2)]


def test_only_entry_and_the_administrator_write_what_waits_and_nobody_else_reads_it() -> None:
    assert topics()[WISVERZOEKEN].write == ("entry",)
    assert set(topics()[WISVERZOEKEN].read) == {"admin", "backup"}


# --- what is read -----------------------------------------------------------------------------------------------------


class Log:
    """Topics with these records; which stages were waited for, before the events were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **topics: list[tuple[bytes, bytes | None]]) -> None:
        self.topics = {name.replace("_", "."): records for name, records in topics.items()}
        self.did: list[str] = []
        monkeypatch.setattr(work, "whole", self._whole)
        monkeypatch.setattr(work, "parts", lambda _, topic: [Part(topic, 0)])
        monkeypatch.setattr(work, "end_of", lambda *_: 7)
        monkeypatch.setattr(work, "passed", lambda _, group, part, end, __: self.did.append(f"{group} {part} {end}"))

    def _whole(self, _cluster: object, topic: str) -> Iterator[Message]:
        self.did.append(topic)
        for offset, (key, value) in enumerate(self.topics.get(topic, [])):
            yield message(topic, value, offset, key)


def waiting(log: Log) -> list[tuple[bytes, str]]:
    assert log.topics
    return [(one.key, one.standing) for one in work.waiting(Cluster(""), Ledger.empty(), None, 1.0)]


def put(number: int, client: bytes = CLIENT, at: int = AT) -> tuple[bytes, bytes]:
    return f"{HANDLE}/{number}".encode(), StructCodec(Asked).encode(asking(client, tijd=at))


def test_what_waits_is_what_was_not_taken_out_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [(CLIENT, Codec(EVENTS).encode(event_to_record(event(start()))))]
    asked = [put(1), put(2), put(1), put(3, ANOTHER, AT - 1), (put(2)[0], None)]
    found = waiting(Log(monkeypatch, sor_wisverzoeken=asked, sor_events=told))
    assert found == [(put(3)[0], NOBODY), (put(1)[0], OWN)]


def test_the_log_is_read_when_what_was_delivered_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a client whose lines still wait would seem to be nobody's, and what was asked would be closed."""
    log = Log(monkeypatch, sor_wisverzoeken=[put(1)])
    waiting(log)
    before = set(log.did[log.did.index(WISVERZOEKEN) : log.did.index(EVENTS)])
    assert {"sor-entry sor.evaluated/0 7", "sor-evaluate sor.in.score/0 7"} <= before
    assert len([did for did in before if did.startswith("sor-evaluate")]) == len(IN_TOPIC)


def test_what_its_source_took_back_is_not_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Taken(aanlevering=HANDLE, sender=AGB, tijd=AT + 1, door="source.1", reden="")
    back = [(HANDLE.encode(), StructCodec(Taken).encode(taken))]
    assert waiting(Log(monkeypatch, sor_wisverzoeken=[put(1)], sor_terugnames=back)) == [(put(1)[0], WITHDRAWN)]


def test_what_cannot_be_read_is_named_and_never_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RewritingError, match="cannot be read"):
        waiting(Log(monkeypatch, sor_wisverzoeken=[put(1), (b"x/1", b"noise")]))


# --- the command ------------------------------------------------------------------------------------------------------


class Pending:
    """``sor forget --pending`` over what waits; what it carried out and closed."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: list[Waiting] = []
        self.done: list[tuple[Sequence[bytes], list[Request]]] = []
        self.closed: list[set[bytes]] = []
        settings = SimpleNamespace(home=home, keys=home / "keys")
        opened = forgetting.Work(settings, None, None, None, None, "asked", 1.0, False)  # type: ignore[arg-type]
        monkeypatch.setattr("sor.commands.forget.guard", lambda: None)
        monkeypatch.setattr(forgetting, "opened", lambda *_, as_json: opened._replace(as_json=as_json))
        monkeypatch.setattr(forgetting, "carry_out", lambda _, clients, who: self.done.append((clients, who)))
        monkeypatch.setattr(forget_pending, "ledger", lambda *_: Ledger.empty())
        monkeypatch.setattr(work, "waiting", lambda *_: self.found)
        monkeypatch.setattr(forget_pending, "take_out", self._take_out)

    def _take_out(self, _cluster: object, topic: str, keys: set[bytes], _patience: float) -> Compacted:
        self.closed.append(keys)
        return Compacted(topic, len(keys), gone=True)


@pytest.fixture
def pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pending:
    return Pending(tmp_path, monkeypatch)


def test_what_is_agreed_to_is_carried_out_each_client_once(pending: Pending) -> None:
    pending.found = [waits(OWN), waits(OWN, 2), waits(SHARED, 3, ANOTHER, sender=OTHER)]
    said = sor("forget", "--pending", "--yes", "--reden", "asked")
    assert pending.done == [([CLIENT], [Request("source.1", AGB, "2026-09-21", 1)])]
    assert (pending.closed, "2 by source source.1" in said) == ([], True)
    sor("forget", "--pending", "--shared", "--yes", "--reden", "asked")
    assert pending.done[1][0] == [CLIENT, ANOTHER]


def test_of_a_client_that_nobody_knows_nobody_is_forgotten_and_it_is_off_the_list(
    pending: Pending, tmp_path: Path
) -> None:
    pending.found = [waits(NOBODY), waits(WITHDRAWN, 2)]
    sor("forget", "--pending", "--yes", "--reden", "asked")
    assert (pending.done, pending.closed) == ([], [{one.key for one in pending.found}])
    [kept] = (tmp_path / "erasures").iterdir()
    assert json.loads(kept.read_text())["closed"] == [
        {"source": "source.1", "sender": AGB, "day": "2026-09-21", "clients": 1}
    ]
    assert b"p1." not in kept.read_bytes()


def test_a_foreign_client_stays_until_it_is_declined(pending: Pending) -> None:
    pending.found = [waits(FOREIGN)]
    said = sor("forget", "--pending", "--shared", "--yes", "--reden", "asked")
    assert (pending.done, pending.closed, "never carried out" in said) == ([], [], True)
    sor("forget", "--pending", "--decline", "--yes", "--reden", "not its client")
    assert (pending.done, pending.closed) == ([], [{waits(FOREIGN).key}])


def test_of_one_source_the_others_stay(pending: Pending) -> None:
    pending.found = [waits(OWN), waits(OWN, 2, ANOTHER, door="source.2"), waits(NOBODY, 3, door="source.2")]
    sor("forget", "--pending", "--source", "source.1", "--yes", "--reden", "asked")
    assert [clients for clients, _ in pending.done] == [[CLIENT]]
    sor("forget", "--pending", "--source", "source.2", "--decline", "--yes", "--reden", "asked")
    assert pending.closed == [{one.key for one in pending.found[1:]}]


def test_without_a_terminal_nothing_is_carried_out(pending: Pending) -> None:
    pending.found = [waits(OWN)]
    assert "--yes" in sor("forget", "--pending", "--reden", "asked", code=2)
    assert "--yes" in sor("forget", "--pending", "--decline", "--reden", "asked", code=2)
    assert pending.done == pending.closed == []


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_it_asks(pending: Pending, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr(forget_pending, "_terminal", lambda: True)
    pending.found = [waits(OWN)]
    assert "Forget 1 clients for good" in sor("forget", "--pending", "--reden", "asked", code=code, typed=answer)
    assert len(pending.done) == 1 - code


def test_where_nothing_waits_it_says_so(pending: Pending) -> None:
    assert "Nobody asked" in sor("forget", "--pending", "--reden", "asked")
    assert "Nobody asked" in sor("forget", "--pending", "--decline", "--reden", "asked")
    assert pending.done == []


def test_who_knows_the_pseudonym_does_it_at_once(pending: Pending, tmp_path: Path) -> None:
    path = tmp_path / "them"
    path.write_bytes(CLIENT + b"\n")
    sor("forget", "--pseudonym", str(path), "--reden", "asked")
    sor("forget", "--reden", "asked", typed=ANOTHER.decode() + "\n")
    assert pending.done == [([CLIENT], []), ([ANOTHER], [])]


def test_ways_are_not_mixed(pending: Pending) -> None:
    for words in (("--pending", "--bsn", "-"), ("--pending", "--pseudonym", "-"), ("--bsn", "-", "--pseudonym", "-")):
        sor("forget", *words, "--reden", "anders", code=2)
    assert pending.done == []


def test_what_waits_has_a_day_and_a_client() -> None:
    one = waits(OWN)
    assert (one.day, one.client) == ("2026-09-21", CLIENT)
    assert one._replace(asked=replace(one.asked, tijd=0)).day == "1970-01-01"
