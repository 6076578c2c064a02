"""The wire format: what is written is read again, and nothing else is read."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from fastavro.schema import parse_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import codec as wire
from schemas.codec import Bundled, Codec, JsonSchema, Undecodable, bundled_id, load, names, released
from schemas.topics import topics
from tests.schemas.support import values

#: Ids of the contracts of each release: records of it carry them, so none of them may ever change.
RELEASED = {
    "0.1.0": {
        "sor.evaluated": 1077696102,
        "sor.events": 1987203278,
        "sor.in": 633347370,
        "sor.lines": 804331763,
        "sor.metingen": 2057664224,
        "sor.receipts": 306934807,
        "sor.rejected": 435638475,
        "sor.scores": 266525198,
        "sor.sealed": 1743357552,
        "sor.trajecten": 1113638888,
    },
    "0.2.0": {
        "sor.compact": 398516258,
        "sor.evaluated": 142857125,
        "sor.events": 799817631,
        "sor.in": 429073304,
        "sor.lines": 181224118,
        "sor.metingen": 1034080890,
        "sor.orders": 1330342504,
        "sor.receipts": 563865225,
        "sor.register": 497298844,
        "sor.rejected": 908378218,
        "sor.scores": 1317214964,
        "sor.sealed": 122883511,
        "sor.terugnames": 1355006899,
        "sor.trajecten": 201406164,
    },
    "0.3.0": {
        "sor.compact": 398516258,
        "sor.evaluated": 142857125,
        "sor.events": 2135945819,
        "sor.in": 429073304,
        "sor.lines": 195203762,
        "sor.metingen": 1034080890,
        "sor.orders": 1330342504,
        "sor.receipts": 960116420,
        "sor.register": 1424447741,
        "sor.rejected": 908378218,
        "sor.scores": 1317214964,
        "sor.sealed": 1867046686,
        "sor.terugnames": 1355006899,
        "sor.trajecten": 186689369,
    },
    "0.4.0": {
        "sor.compact": 398516258,
        "sor.definitions": 2001193800,
        "sor.erasures": 1766398958,
        "sor.evaluated": 583602546,
        "sor.events": 2135945819,
        "sor.in": 429073304,
        "sor.lines": 195203762,
        "sor.metingen": 1034080890,
        "sor.orders": 1330342504,
        "sor.receipts": 960116420,
        "sor.register": 1424447741,
        "sor.rejected": 908378218,
        "sor.scores": 1317214964,
        "sor.sealed": 1511023648,
        "sor.terugnames": 1355006899,
        "sor.trajecten": 1707480398,
        "sor.wisverzoeken": 581333082,
    },
    "0.4.1": {
        "sor.compact": 398516258,
        "sor.definitions": 2001193800,
        "sor.erasures": 1766398958,
        "sor.evaluated": 583602546,
        "sor.events": 2135945819,
        "sor.in": 429073304,
        "sor.lines": 249798723,
        "sor.metingen": 1034080890,
        "sor.orders": 1330342504,
        "sor.receipts": 960116420,
        "sor.register": 1424447741,
        "sor.rejected": 908378218,
        "sor.scores": 1317214964,
        "sor.sealed": 1511023648,
        "sor.terugnames": 1355006899,
        "sor.trajecten": 1707480398,
        "sor.wisverzoeken": 581333082,
    },
}
LINE = {
    "delivery": "d", "line": 1, "lines": 2, "kind": "score", "sender": "99000001", "test": False, "published_at": 64,
    "regel": 3, "regels": 1, "uitkomst": "afgekeurd", "code": "R05", "veld": "waarde",
    "volgende": [],
}  # fmt: skip


class Ids:
    """Ids as a registry would give them: one writer's schema under 7, ours under 8."""

    def __init__(self, writer: str) -> None:
        self._writer = writer

    def register(self, _subject: str, _schema: str) -> int:
        return 8

    def lookup(self, schema_id: int) -> str:
        if schema_id != 7:
            raise KeyError(schema_id)
        return self._writer


def under_seven(data: bytes) -> bytes:
    return b"\x00\x00\x00\x00\x07" + data[5:]


def changed(name: str, **types: Any) -> JsonSchema:
    """A contract in which fields have another type; a type of None takes the field away."""
    schema = copy.deepcopy(load(name))
    schema["fields"] = [
        field | {"type": types.get(field["name"], field["type"])}
        for field in schema["fields"]
        if types.get(field["name"], "") is not None
    ]
    return schema


def test_the_bytes_on_the_wire() -> None:
    """A zero, the id, and the record: zigzag numbers, texts with their length, the place of an enum symbol."""
    record = bytes.fromhex("02640204") + b"\x0ascore" + b"\x1099000001" + b"\x00" + b"\x80\x01" + b"\x06\x02"
    written = record + b"\x02" + b"\x06R05" + b"\x0cwaarde" + b"\x00"
    expected = b"\x00" + (249798723).to_bytes(4, "big") + written
    assert Codec("sor.lines").encode(LINE) == expected
    assert Codec("sor.lines").decode(expected) == LINE


@pytest.mark.parametrize("name", names())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_read_again(name: str, data: st.DataObject) -> None:
    codec, record = Codec(name), data.draw(values(load(name)))
    assert codec.decode(codec.encode(record)) == record


@pytest.mark.parametrize("name", names())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_cut_anywhere_is_undecodable(name: str, data: st.DataObject) -> None:
    codec = Codec(name)
    whole = codec.encode(data.draw(values(load(name))))
    for length in range(len(whole)):
        with pytest.raises(Undecodable):
            codec.decode(whole[:length])


@pytest.mark.parametrize("name", names())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_record_is_read_or_undecodable(name: str, data: st.DataObject) -> None:
    """Whatever bit is flipped, nothing else is raised: another error would stop a stage for good."""
    codec = Codec(name)
    whole = codec.encode(data.draw(values(load(name))))
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            codec.decode(bytes(damaged))
        except Undecodable:
            continue


@given(st.binary(max_size=60))
def test_noise_is_read_or_undecodable(noise: bytes) -> None:
    codec = Codec("sor.in")
    for data in (noise, b"\x00" + codec.id.to_bytes(4, "big") + noise):
        try:
            codec.decode(data)
        except Undecodable:
            continue


def test_trailing_bytes_are_refused() -> None:
    codec = Codec("sor.lines")
    with pytest.raises(Undecodable, match="trailing bytes"):
        codec.decode(codec.encode(LINE) + b"\x00")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x00", b'{"line": 1}', b"\x01\x00\x00\x00\x07abc"])
def test_what_is_no_wire_format_is_refused(data: bytes) -> None:
    with pytest.raises(Undecodable, match="no Confluent wire format"):
        Codec("sor.lines").decode(data)


def test_an_unknown_id_is_refused_with_the_id() -> None:
    with pytest.raises(Undecodable, match="unknown schema id 7"):
        Codec("sor.lines").decode(under_seven(Codec("sor.lines").encode(LINE)))


@pytest.mark.parametrize("other", [name for name in names() if name != "sor.in"])
def test_a_record_of_another_contract_is_undecodable(other: str) -> None:
    """Its id is known and its bytes are whole: still it is no envelope, and the sender of one must not stop a stage."""
    with pytest.raises(Undecodable):
        Codec("sor.in").decode(b"\x00" + Codec(other).id.to_bytes(4, "big") + bytes(200))


@pytest.mark.parametrize(
    "schema", ["syntax = 'proto3';", '{"type": "record"}', '{"type": "nonsense"}', '"nl.sor.Gone"']
)
def test_an_id_of_something_that_is_no_avro_is_undecodable(schema: str) -> None:
    with pytest.raises(Undecodable, match="schema id 7 is no Avro schema"):
        Codec("sor.lines", Ids(schema)).decode(under_seven(Codec("sor.lines").encode(LINE)))


def test_ids_are_the_same_on_every_machine() -> None:
    kept: dict[str, dict[str, int]] = {}
    for version, name, schema in released():
        kept.setdefault(version, {})[name] = bundled_id(schema)
    assert kept == RELEASED


def test_ids_are_distinct_and_positive() -> None:
    ids = [bundled_id(load(name)) for name in names()]
    assert len(set(ids)) == len(ids)
    assert all(0 < schema_id < 2**31 for schema_id in ids)


def test_an_id_depends_on_the_shape_and_not_on_words() -> None:
    schema = copy.deepcopy(load("sor.lines"))
    schema["doc"] = schema["fields"][0]["doc"] = "said otherwise"
    assert bundled_id(schema) == bundled_id(load("sor.lines"))
    assert bundled_id(changed("sor.lines", line="long")) != bundled_id(load("sor.lines"))


def test_bundled_ids_know_every_contract_and_release() -> None:
    ids = Bundled()
    for schema in [*(load(name) for name in names()), *(schema for _, _, schema in released())]:
        assert bundled_id(json.loads(ids.lookup(ids.register("any", json.dumps(schema))))) == bundled_id(schema)
    with pytest.raises(KeyError):
        ids.lookup(7)


def holds(found: object, written: object) -> bool:
    """Everything that was written is found; a record may have more fields by now."""
    if isinstance(written, dict) and isinstance(found, dict):
        return all(key in found and holds(found[key], value) for key, value in written.items())
    if isinstance(written, tuple) and isinstance(found, tuple):
        return len(found) == len(written) and all(map(holds, found, written))
    return found == written


#: Fields that a contract gave up on purpose: an older record is read without them. Dead letters carry no bytes (0019).
GIVEN_UP = {"sor.rejected": {"key", "value"}}


@pytest.mark.parametrize(("version", "name", "schema"), [pytest.param(*r, id=f"{r[0]}-{r[1]}") for r in released()])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_of_a_release_is_read_today(version: str, name: str, schema: JsonSchema, data: st.DataObject) -> None:
    """Written with the kept schema under an id of its own, as a registry hands it out; read as today's contract."""
    record = data.draw(values(schema))
    writer = Codec(name)
    writer._schema = parse_schema(wire.plain(schema))
    found = Codec(name, Ids(json.dumps(schema))).decode(under_seven(writer._by_rule(record)))
    given_up = GIVEN_UP.get(name, set())
    assert holds(found, {field: value for field, value in record.items() if field not in given_up})
    assert not given_up & set(found)
    assert set(found) == {field["name"] for field in load(name)["fields"]}


def test_an_older_record_is_resolved_to_ours() -> None:
    """A field less (of ours, with a default), one more, a narrower number, enum symbols in another order."""
    symbols = {"type": "enum", "name": "Uitkomst", "namespace": "nl.sor", "symbols": ["afgekeurd", "geaccepteerd"]}
    old = changed("sor.lines", published_at="int", uitkomst=symbols)
    old["fields"] = [one for one in old["fields"] if one["name"] != "volgende"] + [{"name": "gone", "type": "string"}]
    codec = Codec("sor.lines", Ids(json.dumps(old)))
    record = b"\x02d\x02\x04\x0ascore\x1099000001\x00\x80\x01\x06\x02" + b"\x00" + b"\x06R05\x0cwaarde" + b"\x04xy"
    assert codec.decode(b"\x00\x00\x00\x00\x07" + record) == LINE


def test_every_contract_belongs_to_a_topic_or_to_the_way_to_one() -> None:
    used = {topic.schema for topic in topics().values()} - {""}
    assert used | {"sor.sealed", "sor.compact"} == set(names())
