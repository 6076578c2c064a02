"""A contract may grow; what it has said once it must be able to read for as long as the log lasts."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.schema import parse_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas import codec, compatibility
from schemas.codec import JsonSchema, load, names, released
from schemas.compatibility import problems, release_problems
from schemas.release import ContractsError, main, release
from tests.schemas.support import values

ROOT = Path(__file__).parents[2]
NAMED = {"type": "record", "name": "T", "namespace": "t"}
Change = Callable[[JsonSchema], None]


def field(schema: JsonSchema, name: str) -> dict[str, Any]:
    return next(f for f in schema["fields"] if f["name"] == name)


def _new_field(schema: JsonSchema, **more: Any) -> None:
    schema["fields"].append({"name": "nieuw", "type": "string", **more})


def _rename(schema: JsonSchema) -> None:
    field(schema, "code")["name"] = "regelcode"


def _drop_symbol(schema: JsonSchema) -> None:
    field(schema, "uitkomst")["type"]["symbols"].remove("afgekeurd")


def _retype(name: str, to: Any) -> Change:
    return lambda schema: field(schema, name).__setitem__("type", to)


#: A change of a contract that loses records, and the words that say so.
BREAKING: dict[str, tuple[str, Change, str]] = {
    "a new field without a default": ("sor.lines", _new_field, "Line.nieuw: new, and has no default"),
    "another type": ("sor.lines", _retype("line", "string"), "Line.line: was int, is string"),
    "a narrower number": ("sor.rejected", _retype("offset", "int"), "Rejected.offset: was long, is int"),
    "another name of a field": ("sor.lines", _rename, "Line.regelcode: new, and has no default"),
    "an enum symbol less": ("sor.lines", _drop_symbol, "Line.uitkomst: the symbol afgekeurd is gone"),
    "another unit": (
        "sor.lines",
        _retype("published_at", {"type": "long", "logicalType": "timestamp-micros"}),
        "Line.published_at: was timestamp-millis, is timestamp-micros",
    ),
    "a unit less": ("sor.lines", _retype("published_at", "long"), "was timestamp-millis, is a bare number"),
    "null no longer allowed": ("sor.trajecten", _retype("leeftijd", "int"), "Traject.leeftijd[null]: was null, is int"),
    "another record": ("sor.lines", lambda s: s.update(name="Regel"), "was named nl.sor.Line, is named nl.sor.Regel"),
    "a kind of fact less": (
        "sor.events",
        lambda s: field(s, "fact")["type"].pop(3),
        "no branch of the union reads Score",
    ),
    "a change inside a kind of fact": (
        "sor.events",
        lambda s: field(field(s, "fact")["type"][0], "status").update(type="string"),
        "no branch of the union reads Start",
    ),
    "items of a list": (
        "sor.receipts",
        lambda s: field(field(s, "fouten")["type"]["items"], "code").update(name="regelcode"),
        "Receipt.fouten.items.regelcode: new, and has no default",
    ),
    "values of a map": ("sor.receipts", _retype("codes", {"type": "map", "values": "string"}), "codes.values: was int"),
}

#: A change that loses nothing.
GROWING: dict[str, tuple[str, Change]] = {
    "nothing": ("sor.events", lambda _: None),
    "a new field with a default": ("sor.lines", lambda s: _new_field(s, default="")),
    "a field less": ("sor.lines", lambda s: s["fields"].pop()),
    "a wider number": ("sor.lines", _retype("line", "long")),
    "null allowed": ("sor.lines", _retype("veld", ["null", "string"])),
    "an enum symbol more": ("sor.lines", lambda s: field(s, "uitkomst")["type"]["symbols"].append("morgen")),
    "a kind of fact more": (
        "sor.events", lambda s: field(s, "fact")["type"].append({**NAMED, "fields": [{"name": "x", "type": "int"}]}),
    ),
    "fields in another order": ("sor.lines", lambda s: s["fields"].reverse()),
}  # fmt: skip


def after(name: str, change: Change) -> JsonSchema:
    schema = copy.deepcopy(load(name))
    change(schema)
    return schema


def reads(reader: JsonSchema, writer: JsonSchema, record: Any) -> bool:
    """Whether fastavro reads one record of the writer as the reader's."""
    stream, parsed = BytesIO(), [parse_schema(codec.plain(copy.deepcopy(s))) for s in (writer, reader)]
    fastavro.schemaless_writer(stream, parsed[0], record)
    stream.seek(0)
    try:
        fastavro.schemaless_reader(stream, *parsed, return_record_name=True)
    except codec._DAMAGE:
        return False
    return True


def test_the_contracts_read_every_release() -> None:
    assert release_problems() == []
    assert {version for version, _, _ in released()} >= {"0.1.0"}
    assert {name for version, name, _ in released() if version == "0.1.0"} <= set(names())


@pytest.mark.parametrize("case", BREAKING)
def test_a_change_that_loses_records_is_told(case: str) -> None:
    name, change, words = BREAKING[case]
    found = problems(after(name, change), load(name))
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize("case", GROWING)
def test_a_change_that_loses_nothing_is_let_through(case: str) -> None:
    name, change = GROWING[case]
    assert problems(after(name, change), load(name)) == []


@pytest.mark.parametrize("case", GROWING)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_let_through_is_read_by_the_reader_itself(case: str, data: st.DataObject) -> None:
    name, change = GROWING[case]
    assert reads(after(name, change), load(name), data.draw(values(load(name))))


#: The reader itself sees nothing of these: it would misread, which is worse.
SILENT = {"another unit", "a unit less"}


@pytest.mark.parametrize("case", sorted(BREAKING.keys() - SILENT))
def test_what_is_told_is_lost_by_the_reader_itself(case: str) -> None:
    name, change, _ = BREAKING[case]

    reader = after(name, change)

    @settings(max_examples=400, phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(values(load(name)))
    def every_record_is_read(record: Any) -> None:
        assert reads(reader, load(name), record)

    with pytest.raises(AssertionError):
        every_record_is_read()


def test_what_a_removed_default_loses_is_told() -> None:
    """The field came later than the first release, with a default; without it the first release cannot be read."""
    with_default = after("sor.lines", lambda s: _new_field(s, default=""))
    without = after("sor.lines", _new_field)
    assert problems(with_default, load("sor.lines")) == []
    assert problems(without, with_default) == []
    assert problems(without, load("sor.lines")) == ["Line.nieuw: new, and has no default for records written before it"]


def test_a_named_type_that_is_used_twice_is_compared() -> None:
    item = {**NAMED, "name": "Item", "fields": [{"name": "n", "type": "int"}]}
    old = {**NAMED, "fields": [{"name": "a", "type": item}, {"name": "b", "type": "t.Item"}]}
    new = copy.deepcopy(old)
    new["fields"][0]["type"]["fields"][0]["type"] = "string"
    assert problems(new, old) == ["T.a.n: was int, is string"]
    assert problems(old, old) == []


def test_a_list_of_itself_is_compared() -> None:
    tree = {**NAMED, "fields": [{"name": "parts", "type": {"type": "array", "items": "t.T"}}]}
    assert problems(tree, tree) == []


def test_a_fixed_size_stays() -> None:
    def of(size: int) -> JsonSchema:
        return {
            **NAMED,
            "fields": [{"name": "f", "type": {"type": "fixed", "name": "F", "namespace": "t", "size": size}}],
        }

    assert problems(of(8), of(8)) == []
    assert problems(of(8), of(16)) == ["T.f: was 16 bytes, is 8"]


def test_a_contract_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compatibility, "names", lambda: [name for name in names() if name != "sor.scores"])
    assert release_problems() == [
        f"sor.scores of release {version} is gone; its topics may still hold records of it"
        for version in ("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.4.1")
    ]


def test_a_release_keeps_every_contract_as_it_stands(tmp_path: Path) -> None:
    written = release("1.2.3", tmp_path)
    assert sorted(path.name for path in written) == [f"{name}.avsc" for name in names()]
    for path in written:
        assert parse_schema(fastavro.schema.load_schema(str(path)))  # stands by itself
    with pytest.raises(ContractsError, match="kept already"):
        release("1.2.3", tmp_path)


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "../1.2.3", "1.2.3/"])
def test_a_release_has_a_version(version: str, tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="is no version"):
        release(version, tmp_path)


def test_contracts_that_lose_records_are_not_released(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compatibility, "load", lambda name: after(name, lambda s: s["fields"].append(NEW)))
    with pytest.raises(ContractsError, match=r"sor\.in against release 0\.1\.0: Envelope\.n: new"):
        release("1.2.3", tmp_path)
    assert list(tmp_path.iterdir()) == []


NEW = {"name": "n", "type": "int"}


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["0.1.0"]) == 2
    assert "take the next version" in capsys.readouterr().err
    done = subprocess.run(
        [sys.executable, "-m", "schemas.release", "0.1.0"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
