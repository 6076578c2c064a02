"""The compact form: what goes in comes out, it is small, it streams; what is not of the form is told by its place."""

from __future__ import annotations

import io
import os
import tracemalloc
from random import Random
from typing import Any

import pytest

from connectors.delivery import compact
from connectors.delivery.compact import Head, Malformed, SealedLine, Writer, read
from crypto.seal import SUITE_ID
from domain.facts.delivery import MOST_LINES
from schemas.codec import Codec
from schemas.form import ENVELOPE_BYTES

HEAD = Head(
    SUITE_ID, 0, "score", "0" * 32, 10_000, "94000001", False,
    bytes(8), bytes(1_168), bytes(8), bytes(1_168), bytes(500), bytes(64),
)  # fmt: skip


def line(number: int, **changed: Any) -> SealedLine:
    return SealedLine(number, 1_780_000_000_000 + number, os.urandom(48), os.urandom(75))._replace(**changed)


def body(lines: list[SealedLine], head: Head = HEAD) -> bytes:
    gathered = io.BytesIO()
    writer = Writer(head, gathered.write)
    for one in lines:
        writer.add(one)
    writer.end()
    return gathered.getvalue()


def frame(**record: Any) -> bytes:
    coded = Codec("sor.compact").encode(record)
    return len(coded).to_bytes(4, "big") + coded


def refused(content: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        list(read(io.BytesIO(content))[1])
    return caught.value


def test_ten_thousand_lines_come_back_and_take_a_megabyte_and_a_half_at_most() -> None:
    lines = [line(number) for number in range(1, 10_001)]
    made = body(lines)
    head, found = read(io.BytesIO(made))
    assert head == HEAD
    assert list(found) == lines
    assert len(made) < 1_400_000


def test_an_envelope_is_split_and_joined_without_loss() -> None:
    codec = Codec("sor.in")
    value = codec.encode(compact.envelope(HEAD, line(7)))
    head, one = compact.split("sor.in.score", codec.decode(value))
    assert codec.encode(compact.envelope(head, one)) == value
    assert head == HEAD


def test_reading_and_writing_hold_one_frame_however_long_the_body_is() -> None:
    content = body([line(number) for number in range(1, 10_001)])
    tracemalloc.start()
    for one in read(io.BytesIO(content))[1]:
        last = one
    read_most = tracemalloc.get_traced_memory()[1] - len(content)
    writer = Writer(HEAD, len)
    tracemalloc.reset_peak()
    for number in range(1, 10_001):
        writer.add(last._replace(line=number))
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read_most < 2_000_000
    assert written < 2_000_000


def test_a_frame_that_swells_takes_little_memory() -> None:
    """The worst that a frame may hold: as many lines of nothing as fit."""
    nothing = [{"line": 1, "published_at": 0, "evaluate_sealed": b"", "entry_sealed": b""}] * 32_000
    head = ("nl.sor.CompactHead", HEAD._asdict())
    content = frame(head=head, records=[line(1)._asdict()]) + frame(head=None, records=nothing)
    assert len(content) > compact.FRAME_BYTES * 0.9
    tracemalloc.start()
    assert refused(content).field == "line"
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20_000_000


def test_whatever_a_line_may_be_its_envelope_goes_through_the_stages() -> None:
    largest = HEAD._replace(certificate=bytes(4_096), lines=MOST_LINES)
    one = line(1, entry_sealed=bytes(compact.SEALED_BYTES))
    assert len(Codec("sor.in").encode(compact.envelope(largest, one))) <= ENVELOPE_BYTES
    assert list(read(io.BytesIO(body([one], largest)))[1]) == [one]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suite", "sor-1"),
        ("kind", "events"),
        ("delivery", "999900006"),
        ("delivery", "A" * 32),
        ("lines", 0),
        ("lines", -1),
        ("lines", MOST_LINES + 1),
        ("sender", "9400000"),
        ("sender", "94000001\n"),
        ("evaluate_key_id", b""),
        ("evaluate_wrapped", bytes(1_167)),
        ("entry_key_id", bytes(9)),
        ("entry_wrapped", b""),
        ("certificate", b""),
        ("certificate", bytes(4_097)),
        ("signature", bytes(63)),
    ],
)
def test_a_head_of_another_form_is_told_by_its_field(field: str, value: object) -> None:
    assert refused(body([line(1)], HEAD._replace(**{field: value}))).field == field


@pytest.mark.parametrize(
    ("lines", "field", "place"),
    [
        ([line(1), line(1)], "line", 2),
        ([line(2), line(1)], "line", 3),
        ([line(0)], "line", 1),
        ([line(-1)], "line", 1),
        ([line(10_001)], "line", 1),
        ([line(1, published_at=-1)], "published_at", 1),
        ([line(1, published_at=1 << 60)], "published_at", 1),
        ([line(1, evaluate_sealed=bytes(47))], "evaluate_sealed", 1),
        ([line(1, entry_sealed=bytes(47))], "entry_sealed", 1),
        ([line(1, entry_sealed=bytes(compact.SEALED_BYTES + 1))], "entry_sealed", 1),
    ],
)
def test_a_line_of_another_form_is_told_by_its_field_and_place(lines: list[SealedLine], field: str, place: int) -> None:
    caught = refused(body(lines))
    assert (caught.field, caught.line) == (field, place)


def test_frames_that_do_not_belong_together() -> None:
    head = ("nl.sor.CompactHead", HEAD._asdict())
    assert refused(b"").field == "head"
    assert refused(frame(head=None, records=[line(1)._asdict()])).field == "head"
    assert refused(frame(head=head, records=[])).field == "records"
    assert refused(body([line(1)]) + body([line(2)])).field == "head"
    assert refused(b"\x00\x00\x00\x00").field == "frame"
    assert refused((compact.FRAME_BYTES + 1).to_bytes(4, "big") + bytes(compact.FRAME_BYTES + 1)).field == "frame"
    assert refused(b"\xff\xff\xff\xff" + bytes(20)).field == "frame"


def test_a_body_that_is_cut_anywhere_is_refused_unless_it_ends_with_a_frame() -> None:
    first, whole = body([line(1)]), body([line(1)]) + frame(head=None, records=[line(2)._asdict()])
    for length in range(len(whole)):
        if length != len(first):
            assert refused(whole[:length]).field in {"head", "frame"}


def test_damage_is_read_or_malformed_and_nothing_else() -> None:
    whole, rng = body([line(number) for number in range(1, 4)]), Random(20)
    for _ in range(4_000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            list(read(io.BytesIO(bytes(data)))[1])
        except Malformed:
            continue
