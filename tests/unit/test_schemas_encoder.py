"""The compiled encoders write what fastavro writes, for every contract and for every value."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import fastavro
import pytest
from fastavro.schema import parse_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import Codec, load, names
from schemas.encoder import compiled
from tests.unit.schemas_support import values


def by_fastavro(schema: Any, record: Any) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


@pytest.mark.parametrize("name", names())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_contract(name: str, data: st.DataObject) -> None:
    schema, record = parse_schema(load(name)), data.draw(values(load(name)))
    plain = Codec(name)._schema  # without logical types, as the process writes it
    assert compiled(plain, b"head")(record) == b"head" + by_fastavro(plain, record)
    assert schema["name"] == plain["name"]


@pytest.mark.parametrize(
    "number", [0, -1, 63, -64, -65, 64, 8191, 8192, 32767, 32768, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)]
)
def test_numbers_of_every_length(number: int) -> None:
    schema = parse_schema({"type": "record", "name": "n", "fields": [{"name": "x", "type": "long"}]})
    assert compiled(schema, b"")({"x": number}) == by_fastavro(schema, {"x": number})


def test_texts_of_every_length() -> None:
    schema = parse_schema({"type": "record", "name": "n", "fields": [{"name": "x", "type": "string"}]})
    for text in ("", "a", "é" * 31, "é" * 32, "€" * 70_000):
        assert compiled(schema, b"")({"x": text}) == by_fastavro(schema, {"x": text})


def test_a_named_type_is_used_again_and_a_default_fills_in() -> None:
    pair = {"type": "record", "name": "p", "fields": [{"name": "x", "type": "int", "default": 7}]}
    kind = {"type": "enum", "name": "e", "symbols": ["A", "B"]}
    fields = [("a", pair), ("b", "p"), ("c", kind), ("d", "e"), ("f", ["null", "string"])]
    schema = parse_schema({"type": "record", "name": "n", "fields": [{"name": n, "type": t} for n, t in fields]})
    record = {"a": {}, "b": {"x": -3}, "c": "B", "d": "A", "f": None}
    assert compiled(schema, b"")(record) == by_fastavro(schema, record)


@pytest.mark.parametrize(
    ("field", "value"),
    [("line", "1"), ("line", 1.5), ("line", 2**63), ("delivery", b"d"), ("delivery", None), ("uitkomst", "misschien")],
)
def test_what_does_not_fit_is_never_written(field: str, value: object) -> None:
    good = {
        "delivery": "d", "line": 1, "lines": 2, "kind": "score", "sender": "99000001", "test": False,
        "published_at": 64, "regel": 3, "regels": 1, "uitkomst": "afgekeurd", "code": "R05", "veld": "waarde",
    }  # fmt: skip
    codec = Codec("sor.lines")
    codec.encode(good)
    with pytest.raises((KeyError, TypeError, AttributeError)):
        codec.encode(good | {field: value})
    with pytest.raises(KeyError):
        codec.encode({name: found for name, found in good.items() if name != field})
