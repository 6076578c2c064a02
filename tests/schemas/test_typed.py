"""A type of a record has the fields of its Avro schema, and what a codec reads as one it writes again."""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from domain.care.rows import EMPTY, T_METING, T_SCORE, T_TRAJECT, RowKey
from domain.facts.answer import Fault, Line, Receipt
from domain.facts.fact import Event
from schemas.codec import Codec, JsonSchema, load
from schemas.handed import Handed
from schemas.orders import Order
from schemas.records import NAME
from schemas.rows import row_to_record
from schemas.structs import Envelope, Evaluated, Rejected, Sealed, Use
from schemas.topics import EVENTS, METINGEN, SCORES, TRAJECTEN
from schemas.typed import CONTRACT, ReceiptCodec, StructCodec, dict_codec
from tests.schemas.support import values

PLAIN = {"string": str, "int": int, "long": int, "boolean": bool, "bytes": bytes, "enum": str}
ROWS = {T_TRAJECT: TRAJECTEN, T_METING: METINGEN, T_SCORE: SCORES}
AROUND_A_ROW = {"aanbieder", "gemeente", "jaar", "traject", "meting", "score", "version", "verwijderd", "client"} | {
    *("emmer", "definitie_versie", "gebeurd_op")
}


def difference(hints: dict[str, Any], fields: list[JsonSchema]) -> str:
    """The first thing in which the fields of a type are not those of a schema: names, order or types; else nothing."""
    if list(hints) != [field["name"] for field in fields]:
        return f"{list(hints)} for {[field['name'] for field in fields]}"
    wrong = [f"{f['name']}: {hints[f['name']]}" for f in fields if not agrees(hints[f["name"]], f["type"])]
    return wrong[0] if wrong else ""


def agrees(hint: Any, schema: Any) -> bool:
    """Whether a type holds the values of a schema, and no others."""
    if isinstance(schema, list):
        return _union(hint, schema)
    if isinstance(schema, str):
        return hint is PLAIN.get(schema)
    match schema["type"]:
        case "record":
            return isinstance(hint, type) and not difference(get_type_hints(hint), schema["fields"])
        case "array":
            return get_origin(hint) in (tuple, list) and agrees(get_args(hint)[0], schema["items"])
        case "map":
            return get_origin(hint) is dict and get_args(hint)[0] is str and agrees(get_args(hint)[1], schema["values"])
        case kind:
            return agrees(hint, kind)


def _union(hint: Any, schema: list[Any]) -> bool:
    if schema[0] != "null":  # of records: full name and record, or one of the facts
        return hint == tuple[str, dict[str, Any]] or {NAME.get(one) for one in get_args(hint)} == set(_names(schema))
    if get_origin(hint) not in (Union, types.UnionType) or type(None) not in get_args(hint):
        return False
    [inner] = [one for one in get_args(hint) if one is not type(None)]
    return len(schema) == 2 and agrees(inner, schema[1])


def _names(union: list[Any]) -> list[str]:
    return [one if isinstance(one, str) else f"{one['namespace']}.{one['name']}" for one in union]


def facts() -> dict[str, JsonSchema]:
    """The schema of every fact, by full name: each is defined where it is first used."""
    unions = [
        next(field["type"] for field in load(contract)["fields"] if field["name"] == name)
        for contract, name in ((EVENTS, "fact"), ("sor.sealed", "inhoud"))
    ]
    found = [one for union in unions for one in union if isinstance(one, dict)]
    return {f"{one['namespace']}.{one['name']}": one for one in found}


@pytest.mark.parametrize("record", CONTRACT, ids=lambda record: record.__name__)
def test_a_type_has_the_fields_of_its_contract(record: type) -> None:
    assert difference(get_type_hints(record), load(CONTRACT[record])["fields"]) == ""


@pytest.mark.parametrize("fact", NAME, ids=lambda fact: fact.__name__)
def test_a_fact_has_the_fields_of_its_part(fact: type) -> None:
    assert difference(get_type_hints(fact), facts()[NAME[fact]]["fields"]) == ""


def test_an_event_has_the_fields_of_its_contract() -> None:
    assert difference(get_type_hints(Event), load(EVENTS)["fields"]) == ""


@pytest.mark.parametrize("table", ROWS, ids=ROWS.__getitem__)
def test_a_row_has_the_fields_of_its_contract_but_those_of_its_key_and_the_log(table: int) -> None:
    schema, row = load(ROWS[table])["fields"], EMPTY[table]
    inside = [field for field in schema if field["name"] in row.__struct_fields__]
    assert difference(get_type_hints(type(row)), inside) == ""
    assert {field["name"] for field in schema} - set(row.__struct_fields__) <= AROUND_A_ROW


@pytest.mark.parametrize("table", ROWS, ids=ROWS.__getitem__)
@pytest.mark.parametrize("gone", [False, True])
def test_a_row_is_written_whole(table: int, gone: bool) -> None:
    key = RowKey(table, "90000001", "0363", 2026, b"\x00\x01\x02\x03\x04\x05\x06\x07")
    record = row_to_record(key, None if gone else EMPTY[table], "a name", emmer=1023, version=7, newest=64)
    assert set(record) == {field["name"] for field in load(ROWS[table])["fields"]}
    number = ("traject", "meting", "score")[table]
    assert record[number] == "0001020304050607"
    assert [record[name] for name in ("aanbieder", "gemeente", "jaar")] == ["90000001", "0363", 2026]
    assert [record[name] for name in ("version", "verwijderd", "client", "emmer")] == [7, gone, "a name", 1023]
    codec = Codec(ROWS[table])
    assert codec.decode(codec.encode(record)) == record


@pytest.mark.parametrize("struct", [Line, Receipt, Sealed, Rejected, Order, Handed])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_read_as_a_struct_is_written_again(struct: type[Struct], data: st.DataObject) -> None:
    codec: StructCodec[Any] = ReceiptCodec() if struct is Receipt else StructCodec(struct)
    record = data.draw(values(load(CONTRACT[struct])))
    written = Codec(CONTRACT[struct]).encode(record)
    found = codec.decode(written)
    assert isinstance(found, struct)
    lists = ("fouten", "opmerkingen")  # of structs; the bytes say that they are the same
    assert codec.encode(found) == written
    assert all(getattr(found, name) == value for name, value in record.items() if name not in lists)


@pytest.mark.parametrize("record", [Envelope, Evaluated, Use])
def test_what_stays_a_dict_is_read_by_the_codec_itself(record: type) -> None:
    codec = dict_codec(record)
    assert isinstance(codec, Codec)
    assert codec.name == CONTRACT[record]


def test_the_refused_records_of_a_receipt_are_structs() -> None:
    fault = Fault(line=1, regel=2, regels=3, code="R05", veld="waarde")
    receipt = Receipt(delivery="d", kind="score", sender="99000001", test=False, lines=1, fouten=(fault,))
    assert ReceiptCodec().decode(ReceiptCodec().encode(receipt)) == receipt


def test_the_comparison_sees_what_differs() -> None:
    fields = load("sor.lines")["fields"]
    hints = get_type_hints(Line)
    swapped = dict(sorted(hints.items()))
    assert difference(swapped, fields)
    assert difference(hints | {"line": str}, fields) == f"line: {str}"
    assert difference(hints | {"line": int | None}, fields)
    assert difference({name: hint for name, hint in hints.items() if name != "veld"}, fields)
    assert not agrees(str, ["null", "string"])
    assert not agrees(int | None, ["null", "string"])
