"""A compiled writer writes the bytes that fastavro writes, of every contract; what does not fit is left to fastavro."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import Codec, Record, load, names
from schemas.compiled_writer import UNFIT, writer
from tests.schemas.support import values

often = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: Around every length that a number has in bytes, and around those that are written from a table.
EDGES = sorted({sign * (1 << bits) + by for bits in range(5, 63) for sign in (1, -1) for by in (-1, 0, 1)})
#: What a field may be given that is not of its type, or that its type does not hold.
UNLIKE: list[Any] = [
    *(None, True, 1, 1.5, "a", b"a", bytearray(b"a"), 2**31, -(2**31) - 1, 2**63, -(2**63) - 1),
    *((), [], {}, ("nl.sor.Start", {}), [1], {"a": None}, {1: 1}, "\ud800"),
]


def outcome(write: Any, record: Record) -> Any:
    """The bytes that come of a record, or the kind of error."""
    try:
        return write(record)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be the same
        return type(error)


@pytest.mark.parametrize("name", names())
@often
@given(data=st.data())
def test_every_record_is_written_by_the_compiled_writer_itself(name: str, data: st.DataObject) -> None:
    codec, record = Codec(name), data.draw(values(load(name)))
    assert codec._write(codec.header, record) == codec._by_rule(record) == codec.encode(record)


@pytest.mark.parametrize("name", names())
@often
@given(data=st.data())
def test_what_does_not_fit_has_the_outcome_of_the_rule(name: str, data: st.DataObject) -> None:
    codec, record = Codec(name), data.draw(values(load(name)))
    field = data.draw(st.sampled_from(sorted(record)))
    unlike = record | {field: data.draw(st.sampled_from(UNLIKE))}
    assert outcome(codec.encode, unlike) == outcome(codec._by_rule, unlike)
    missing = {key: value for key, value in record.items() if key != field}
    assert outcome(codec.encode, missing) == outcome(codec._by_rule, missing)


@pytest.mark.parametrize("kind", ["long", ["null", "long"], {"type": "array", "items": "long"}])
def test_a_number_of_every_length_is_written(kind: Any) -> None:
    schema = {"type": "record", "name": "nl.sor.Long", "fields": [{"name": "value", "type": kind}]}
    write, by_rule = writer(schema), Codec("sor.orders")
    by_rule._schema = schema
    for value in EDGES:
        record = {"value": [value] if isinstance(kind, dict) else value}
        assert write(by_rule.header, record) == by_rule._by_rule(record)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1_022, 1_024, 8_191, 8_192, 70_000, 1 << 20])
def test_a_text_of_every_length_is_written(size: int) -> None:
    fields = [{"name": "text", "type": "string"}, {"name": "raw", "type": ["null", "bytes"]}]
    schema = {"type": "record", "name": "nl.sor.Long", "fields": fields}
    write, by_rule = writer(schema), Codec("sor.orders")
    by_rule._schema = schema
    record = {"text": "é" * (size // 2), "raw": b"a" * size}
    assert write(by_rule.header, record) == by_rule._by_rule(record)


@pytest.mark.parametrize(
    "kind", ["float", {"type": "fixed", "name": "nl.sor.Four", "size": 4}, ["string", "null"], ["int", "string"]]
)
def test_a_type_that_no_contract_has_gets_no_writer(kind: Any) -> None:
    with pytest.raises(NotImplementedError):
        writer({"type": "record", "name": "nl.sor.Other", "fields": [{"name": "value", "type": kind}]})


def test_nothing_is_given_out_of_what_does_not_fit() -> None:
    codec = Codec("sor.orders")
    with pytest.raises(UNFIT):
        codec._write(codec.header, {})
