"""What the register keeps of one number: within its bound whatever is sent, exact for what is real, and readable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec
import pytest

from domain.facts.bounds import settle
from domain.facts.number import Number, Record, split, take_in
from domain.facts.register import Effect, effects, fold
from domain.facts.uses import CHUNK, SPREAD, Usage, keys
from tests.build import AGB, intrekking, vervanging

KEY, MOST = b"12345678", 800_000  # bytes of one state in the changelog, which takes 900,000
BATCH = 1_000  # records of one poll
D1, D2 = "1" * 32, "2" * 32


def handle(number: object) -> str:
    return sha256(f"handle {number}".encode()).hexdigest()[:32]


def client(number: int) -> str:
    return f"p1.jeugdregio.0.{number:022d}"


def _start(n: int, delivery: str, line: int, whose: int, content: int) -> Record:
    usage = Usage("bericht.start", KEY, content.to_bytes(16, "big"), KEY, "", 2_000_000, n % 30_000 + 1)
    return Record(usage, client(whose), delivery, line, 2_000_000, 1_700_000_000_000)


def _flood(kind: str) -> Iterator[Record]:
    """What one provider can send of one number: everything new every time, lines of one delivery far apart."""
    for n in range(32 * BATCH if kind == "lines" else 6 * BATCH):
        if kind == "deliveries":
            yield _start(n, handle(n), 2_000_000 - n, n, n)
        elif kind == "contents":
            yield _start(n, handle(n % 3), 64 * n + 63, n % 7, n)
        elif kind == "clients":
            yield _start(n % 5, handle(n % 5), n + 1, n, n)
        elif kind == "lines":
            yield _start(1, handle(n % 2), 64 * n + 63, 1, 1)
        elif kind == "answers":
            yield Record(Usage("bericht.start", KEY, b"", KEY, "9056"), None, handle(n), 2_000_000, 2_000_000, 1)
        elif kind == "taken":
            yield Record(Usage("bericht.start", KEY), None, handle(n), 0, 0, 0, 1_700_000_000_000, 1_600_000_000_000)
        else:
            uses = Usage("referentie", KEY, handle(n)[:12].encode(), handle(n)[:8].encode())
            yield Record(uses, client(n), handle(n % 2), n + 1, 2_000_000, 1_700_000_000_000)


def _packed(number: Number, records: Sequence[Record], kind: str) -> int:
    """Bytes of the state at its largest: after a batch, and after one that a crash makes come again with the next."""
    largest = 0
    for first in range(0, len(records), BATCH):
        again = first // BATCH % 2 == 1
        fold(number, records[first : first + BATCH], kind, KEY, everything=again)
        largest = max(largest, len(msgspec.msgpack.encode(number)))
    return largest


@pytest.mark.parametrize("what", ["deliveries", "contents", "clients", "lines", "answers", "taken", "messages"])
def test_a_state_stays_within_its_bound_whatever_one_provider_sends(what: str) -> None:
    kind = "referentie" if what == "messages" else "bericht.start"
    assert _packed(Number(), list(_flood(what)), kind) < MOST


def test_it_stays_within_its_bound_when_everything_is_sent_at_once() -> None:
    everything = [_flood(what) for what in ("deliveries", "contents", "clients", "answers", "taken", "lines")]
    mixed = [record for some in zip(*everything, strict=False) for record in some]
    assert _packed(Number(), mixed, "bericht.start") < MOST


# --- what is real stays exact -------------------------------------------------------------------------------------


def _declared(lines: int, clients: int, delivery: str = D1) -> Iterator[Record]:
    """The lines of one declaration in the last part but one, in order."""
    for line in range(1, lines + 1):
        if (line - 1) // CHUNK % SPREAD == SPREAD - 2:
            content = line.to_bytes(16, "big")
            usage = Usage("regels.declaration", KEY, content, KEY, "", lines, line)
            yield Record(usage, client(line * clients // lines), delivery, line, lines, 1)


def _in_batches(number: Number, records: Sequence[Record], kind: str, key: bytes) -> list[Effect]:
    found = []
    for first in range(0, len(records), 10 * BATCH):
        found += fold(number, records[first : first + 10 * BATCH], kind, key, everything=False)
    return found


@pytest.mark.parametrize(("lines", "clients"), [(30_000, 8_000), (1_000_000, 50_000)])
def test_a_large_declaration_is_withdrawn_to_the_last_line(lines: int, clients: int) -> None:
    number, kind = Number(), "regels.declaration"
    records = list(_declared(lines, clients))
    assert not _in_batches(number, records, kind, KEY)
    assert len(msgspec.msgpack.encode(number)) < MOST
    answer = Record(Usage(kind, KEY, b"", KEY, "0001"), None, D2, 1, 1, 2)
    found = fold(number, [answer], kind, KEY, everything=False)
    assert {(effect.line, effect.uitkomst) for effect in found if effect.fact is None} == {
        (record.line, "ingetrokken") for record in records
    }
    assert {effect for effect in found if effect.fact is not None} == {
        Effect(str(record.pseudonym), intrekking("declaration", KEY), D2) for record in records
    }
    settle(number, kind, KEY)
    assert not number.cut


def test_cbs_deliveries_of_fifty_thousand_clients_replace_each_other() -> None:
    period, lines = Usage("cbs", b"2026-1"), 50_000
    part, number = f"cbs|{AGB}|{b'2026-1'.hex()}|3", Number()
    for at, delivery in enumerate("12345", 1):
        records = [
            Record(period, dict(keys(period, AGB, client(line)))[part], delivery * 32, line, lines, at)
            for line in range(1, lines + 1)
        ]
        found = _in_batches(number, records, "cbs", b"2026-1")
        named = {str(record.pseudonym) for record in records if record.pseudonym}
        assert len(named) > lines / SPREAD / 2
        before = str(at - 1) * 32
        assert set(found) == ({Effect(who, vervanging(before), delivery * 32) for who in named} if at > 1 else set())
    assert len(msgspec.msgpack.encode(number)) < MOST
    assert not number.cut


# --- what is packed is read ---------------------------------------------------------------------------------------

#: States of release 0.1.0: a rejected message of two clients; two CBS deliveries; a declaration number.
MESSAGE = (
    "930581c4106b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b93c4086d6573736167653182a27031c0a27032c081d920313131313131313131313131313131"
    "31313131313131313131313131313131319303019292010192030381c4086d65737361676531a439303536"
)
CBS = (
    "930682c420313131313131313131313131313131313131313131313131313131313131313193c40082a27031c0a27032c081d9203131313131313131"
    "31313131313131313131313131313131313131313131313193020191920102c42032323232323232323232323232323232323232323232323232"
    "3232323232323293c40081a27031c081d92032323232323232323232323232323232323232323232323232323232323232329301029192010180"
)
NUMBER = "930781c4086d6573736167653193c4086d6573736167653181a27031c08080"


def _read(packed: str) -> Number:
    return msgspec.msgpack.decode(bytes.fromhex(packed), type=Number)


def test_a_state_of_the_first_release_is_read_and_folded_on() -> None:
    """Frozen: the blob stands in the changelogs. New fields of the state come at the end, with a default."""
    key, kind = b"message1", "bericht.start"
    number = _read(MESSAGE)
    assert number.version == 5
    late = Record(Usage(kind, key, b"h" * 16, key, "", 3, 1), "p3", D2, 1, 3, 9)
    found = fold(number, [late], kind, key, everything=False)
    assert [effect.pseudonym or effect.line for effect in found] == ["p3", 1]
    assert {effect.pseudonym for effect in effects(kind, key, number) if effect.fact} == {"p1", "p2", "p3"}
    assert [list(number.sent[name]) for name in sorted(number.sent)] == [[1, 3], [1]]
    assert not number.per_content
    assert not number.retour


def test_cbs_deliveries_of_the_first_release_are_replaced_by_later_ones() -> None:
    """That the second replaced the first was told by that release."""
    number, period = _read(CBS), Usage("cbs", b"2026-1")
    third = Record(period, "p9", "3" * 32, 1, 1, 3)
    assert fold(number, [third], "cbs", b"2026-1", everything=False) == [Effect("p1", vervanging(D2), "3" * 32)]
    back = Record(period, None, D2, 0, 0, 0, 1)
    assert set(fold(number, [back], "cbs", b"2026-1", everything=False)) == {
        Effect("p1", vervanging(D1), "3" * 32),
        Effect("p2", vervanging(D1), "3" * 32),
    }


def test_a_number_of_the_first_release_may_be_used_again() -> None:
    number, key = _read(NUMBER), b"message1"
    other = Record(Usage("declaratienummer", key, b"message2", b"message2"), "p2", D2, 1, 1, 2)
    found = fold(number, [other], "declaratienummer", key, everything=False)
    assert {(effect.pseudonym, effect.delivery) for effect in found if effect.fact} == {("p1", D2), ("p2", "0" * 32)}
    told = {(effect.delivery, effect.line, effect.uitkomst, effect.code) for effect in found if not effect.fact}
    assert told == {(D2, 0, "opmerking", "TR333")}  # the other is not known by name


PACKED = (
    "9804808082c41811111111111111111111111111111111313233343536373894500581014000c41822222222222222222222222222222222"
    "31323334353637389450068100040081c41800000003000000026868686868686868686868686868686881a2703192c41011111111111111"
    "111111111111111111c4102222222222222222222222222222222281c41c2222222222222222222222222222222200000003313233343536"
    "373893a439303536040081c41011111111111111111111111111111111920807c403637574"
)


def test_the_packed_state_is_frozen() -> None:
    number = Number(version=4)
    usage = Usage("regels.declaration", KEY, b"h" * 16, KEY, "", 3, 2)
    take_in(number, Record(usage, "p1", D1, 70, 80, 5))
    take_in(number, Record(usage, "p1", D2, 2, 80, 6))
    take_in(number, Record(Usage("regels.declaration", KEY, b"", KEY, "9056"), None, D2, 3, 4, 7))
    take_in(number, Record(Usage("regels.declaration", KEY), None, D1, 0, 0, 0, 8, 7))
    number.cut = b"cut"
    assert msgspec.msgpack.encode(number).hex() == PACKED
    assert msgspec.msgpack.decode(bytes.fromhex(PACKED), type=Number) == number
    assert [split(name) for name in number.sent] == [(bytes.fromhex(D1), KEY), (bytes.fromhex(D2), KEY)]
