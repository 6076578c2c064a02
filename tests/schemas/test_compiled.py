"""A compiled reader reads what fastavro reads, of every contract; what it does not know it leaves to fastavro."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.facts.answer import Receipt
from domain.facts.fact import Event
from schemas.codec import HEADER, Codec, Undecodable, compiled, load, names
from schemas.compiled import ODD, reader, rest, size
from schemas.compiled_writer import writer
from schemas.records import event_to_record, record_to_event
from schemas.topics import EVENTS, RECEIPTS
from schemas.typed import EventCodec, ReceiptCodec
from tests.schemas.support import values

often = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: Numbers around every length that one has in bytes, below zero too.
EDGES = sorted({sign * (1 << bits) + by for bits in range(6, 63) for sign in (1, -1) for by in (-1, 0, 1)})
LONG = {"type": "record", "name": "nl.sor.Long", "fields": [{"name": "value", "type": "long"}]}


def by_rule(codec: Codec, data: bytes) -> Any:
    """What fastavro alone reads; None when it refuses."""
    try:
        return codec._resolved(data)
    except Undecodable:
        return None


def as_read(codec: Codec | EventCodec, data: bytes) -> Any:
    """What a codec reads; None when it refuses."""
    try:
        return codec.decode(data)
    except Undecodable:
        return None


@pytest.mark.parametrize("name", names())
@often
@given(data=st.data())
def test_every_record_is_read_by_the_compiled_reader_itself(name: str, data: st.DataObject) -> None:
    codec, record = Codec(name), data.draw(values(load(name)))
    written = codec.encode(record)
    assert compiled(name)(written, HEADER) == by_rule(codec, written) == record


@pytest.mark.parametrize("name", names())
@often
@given(data=st.data())
def test_odd_bytes_mean_what_the_rule_says(name: str, data: st.DataObject) -> None:
    codec = Codec(name)
    written = codec.encode(data.draw(values(load(name))))
    odd = damaged(written, data)
    assert as_read(codec, odd) == by_rule(codec, odd)


def damaged(written: bytes, data: st.DataObject) -> bytes:
    """Some bytes behind the header taken out, put in or changed."""
    place = data.draw(st.integers(HEADER, len(written)))
    until = data.draw(st.integers(place, min(place + 3, len(written))))
    return written[:place] + data.draw(st.binary(max_size=3)) + written[until:]


@often
@given(data=st.data())
def test_an_event_is_read_as_its_struct_at_once(data: st.DataObject) -> None:
    record = data.draw(values(load(EVENTS)))
    codec, written = Codec(EVENTS), Codec(EVENTS).encode(record)
    found = EventCodec().decode(written)
    assert found == record_to_event(by_rule(codec, written))
    assert isinstance(found, Event)
    assert event_to_record(found) == record
    assert EventCodec().encode(found) == written
    odd = damaged(written, data)
    expected = by_rule(codec, odd)
    assert as_read(EventCodec(), odd) == (None if expected is None else record_to_event(expected))


@pytest.mark.parametrize("value", EDGES)
def test_a_number_of_every_length_is_read(value: int) -> None:
    read = reader(LONG)
    for padding in (b"", b"\x80"):  # a writer may have put zeros behind it
        number = zigzag(value)
        whole = number[:-1] + bytes([number[-1] | 0x80]) + b"\x00" if padding else number
        if len(whole) <= 10:
            assert read(whole, 0) == {"value": value}


def zigzag(value: int) -> bytes:
    left, out = value << 1 if value >= 0 else (-value << 1) - 1, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


@pytest.mark.parametrize(
    "data", [b"\xff" * 10, b"\xff" * 9 + b"\x02", b"\x80" * 11 + b"\x00", b"\x80", b"", b"\x02\x02"]
)
def test_a_number_too_long_or_cut_off_is_odd(data: bytes) -> None:
    with pytest.raises(ODD):
        reader(LONG)(data, 0)


@pytest.mark.parametrize(
    "kind", ["float", {"type": "fixed", "name": "nl.sor.Four", "size": 4}, ["string", "null"], ["int", "string"]]
)
def test_a_type_that_no_contract_has_gets_no_reader(kind: Any) -> None:
    with pytest.raises(NotImplementedError):
        reader({"type": "record", "name": "nl.sor.Other", "fields": [{"name": "value", "type": kind}]})


def test_a_record_that_stands_twice_is_read_twice() -> None:
    inner = {"type": "record", "name": "nl.sor.Inner", "fields": [{"name": "value", "type": "int"}]}
    fields = [{"name": "one", "type": inner}, {"name": "other", "type": "nl.sor.Inner"}]
    read = reader({"type": "record", "name": "nl.sor.Outer", "fields": fields})
    assert read(b"\x02\x03", 0) == {"one": {"value": 1}, "other": {"value": -2}}


def test_a_reader_is_made_once() -> None:
    assert Codec(EVENTS)._read is Codec(EVENTS)._read
    assert EventCodec()._read is EventCodec()._read


def test_what_a_compiled_reader_raises_is_what_a_codec_catches() -> None:
    with pytest.raises(ODD):
        size(b"", 0, 3)
    with pytest.raises(ODD):
        rest(b"\x80", 0, 0, 7)


@pytest.mark.parametrize("byte", [0, 1, 2, 9, 255])
def test_a_boolean_of_another_byte_is_what_the_rule_says(byte: int) -> None:
    written = ReceiptCodec().encode(Receipt(delivery="d", kind="score", sender="99000001", test=False, lines=1))
    data = written.replace(b"99000001\x00", b"99000001" + bytes([byte]))
    assert data != written or not byte
    assert as_read(Codec(RECEIPTS), data) == by_rule(Codec(RECEIPTS), data)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 8_191, 8_192, 70_000, 1 << 20])
def test_a_text_of_every_length_is_read(length: int) -> None:
    fields = [{"name": "text", "type": "string"}, {"name": "raw", "type": ["null", "bytes"]}]
    schema = {"type": "record", "name": "nl.sor.Long", "fields": fields}
    record = {"text": "é" * (length // 2), "raw": b"a" * length}
    assert reader(schema)(writer(schema)(b"", record), 0) == record
