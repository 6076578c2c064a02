"""A codec of runs reads and writes what the codec of the contract does, whatever came before."""

from __future__ import annotations

from typing import Any

import pytest
from fastavro.schema import parse_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import codec as wire
from schemas.codec import HEADER, Codec, Undecodable, bundled_id, load, released
from schemas.runs import RunCodec
from schemas.structs import Envelope, Evaluated, Use
from schemas.typed import CONTRACT
from tests.schemas.support import values

often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CHANGING: dict[type, tuple[str, ...]] = {
    Envelope: ("line", "published_at", "evaluate_sealed", "entry_sealed"),
    Evaluated: ("line", "published_at", "element", "entry_sealed"),
    Use: ("sleutel", "inhoud", "pseudonym", "line", "tijd", "published_at", "plaats"),
}


def of(record: type) -> tuple[Codec, RunCodec[Any]]:
    return Codec(CONTRACT[record]), RunCodec(record, CHANGING[record], run="delivery")


def runs(data: st.DataObject, record: type) -> list[dict[str, Any]]:
    """Records in runs of some length: of some, only what may change differs; of others one field that stays."""
    name, found = CONTRACT[record], list[dict[str, Any]]()
    for _ in range(data.draw(st.integers(1, 3))):
        first = data.draw(values(load(name)))
        for _ in range(data.draw(st.integers(1, 4))):
            other = data.draw(values(load(name)))
            found.append(first | {field: other[field] for field in CHANGING[record]})
        field = data.draw(st.sampled_from(sorted(first)))
        found += [found[-1] | {field: other[field]}, found[-1]]
    return found


@pytest.mark.parametrize("record", CHANGING)
@often
@given(data=st.data())
def test_records_in_runs_are_read_and_written_as_any_other(record: type, data: st.DataObject) -> None:
    plain, codec = of(record)
    for one in runs(data, record):
        value = plain.encode(one)
        assert codec.encode(one) == value
        assert codec.decode(value) == plain.decode(value)


@pytest.mark.parametrize("record", CHANGING)
@often
@given(data=st.data())
def test_damage_in_the_middle_of_a_run_is_read_as_the_codec_reads_it(record: type, data: st.DataObject) -> None:
    plain, codec = of(record)
    one = data.draw(values(load(CONTRACT[record])))
    value = plain.encode(one)
    for _ in range(3):
        codec.decode(value)
    place, byte = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 255))
    damaged = data.draw(
        st.sampled_from([value[:place], value + b"\x00", value[:place] + bytes([byte]) + value[place + 1 :]])
    )
    outcomes = []
    for reads in (plain.decode, codec.decode):
        try:
            outcomes.append(reads(damaged))
        except Undecodable as problem:
            outcomes.append(str(problem))
    assert outcomes[0] == outcomes[1]
    assert codec.decode(value) == plain.decode(value)


def test_a_record_that_was_changed_after_it_was_read_changes_no_other() -> None:
    plain, codec = of(Use)
    blank: dict[str, Any] = dict.fromkeys(
        ("soort", "aanbieder", "retour", "delivery"), "a"
    ) | {"sleutel": b"", "inhoud": b"", "bericht": b"", "pseudonym": None} | dict.fromkeys(
        ("line", "lines", "tijd", "published_at", "records", "plaats", "terug", "opnieuw", "dagtekening"), 1
    )  # fmt: skip
    for line in range(1, 6):
        value = plain.encode(blank | {"line": line})
        found = codec.decode(value)
        assert found == blank | {"line": line}
        found["soort"] = found["delivery"] = "other"


@pytest.mark.parametrize("unlike", [{"line": "one"}, {"soort": 1}, {"lines": None}])
def test_what_does_not_fit_is_refused_in_a_run_as_well(unlike: dict[str, Any]) -> None:
    plain, codec = of(Use)
    blank = {field["name"]: 0 if field["type"] != "string" else "" for field in load("sor.register")["fields"]}
    blank |= {"sleutel": b"", "inhoud": b"", "bericht": b"", "pseudonym": None}
    assert [codec.encode(blank) for _ in range(3)] == [plain.encode(blank)] * 3
    with pytest.raises((TypeError, AttributeError, ValueError)):
        codec.encode(blank | unlike)


def test_a_run_of_an_older_contract_is_read_as_the_codec_reads_it() -> None:
    """Its defaults for what was not there yet may be of another type than what our writers give."""
    older = next(schema for release, name, schema in released() if (release, name) == ("0.1.0", "sor.in"))
    blank = {
        field["name"]: {"string": "", "bytes": b"", "boolean": False}.get(str(field["type"]), 0)
        for field in older["fields"]
    }
    plain, codec = of(Envelope)
    writer = Codec("sor.in")
    writer._schema = parse_schema(wire.plain(older))
    value = b"\x00" + bundled_id(older).to_bytes(4, "big") + writer._by_rule(blank)[HEADER:]
    assert [codec.decode(value) for _ in range(3)] == [plain.decode(value)] * 3
