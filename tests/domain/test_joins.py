"""How each fact enters the set: its key, its act, what names the act; all by name, and the names packed as ever."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from domain.facts import act
from domain.facts.fact import Content, Event, Fact, Stop, Toewijzing
from domain.facts.fact_set import JOINS, FactSet
from domain.facts.identity import UploadKey, WaitKey
from tests.build import (
    AGB,
    OTHER_DELIVERY,
    cbs_record,
    dubbel,
    event,
    fact_set,
    intrekking,
    meting,
    prestatie,
    prestatie_retour,
    score,
    start,
    stop,
    teruggenomen,
    toewijzing,
    vervanging,
)
from tests.house.rooms import ROOT, files


def test_every_fact_has_a_join_and_every_part_of_the_set_is_filled() -> None:
    assert JOINS.keys() == set(get_args(Fact))
    assert sorted(join.into for join in JOINS.values()) == sorted(FactSet.__struct_fields__)


#: Facts of which every field has a value of its own, with the key and the act that they become.
DISTINCT = [
    (start(1, signed=2, ingangsdatum=3, leeftijd=4), act.StartKey, act.StartAct),
    (prestatie("1", "2", tarief=7, volume=8, bedrag=9), act.PrestatieKey, act.PrestatieAct),
    (score(b"t", b"b", doel=3, waarde=-1), act.ScoreKey, act.ScoreAct),
    (meting(1), act.MetingKey, act.MetingAct),
    (toewijzing(1, toewijzingstijd=2, einddatum=3, reden_wijziging="05"), act.ToewijzingKey, act.ToewijzingAct),
    (
        cbs_record(1, 2, nut_jeugdige=3, nut_ouder=4, zonder_hulp_jeugdige=1, zonder_hulp_ouder=2, verwijzer="03"),
        act.CbsKey,
        act.CbsAct,
    ),
    (teruggenomen(terug=3, opnieuw=2), None, act.TakenBackAct),
    (intrekking("start", b"m", day=3), act.BerichtKey, None),
    (dubbel("TR056", b"m", "start"), act.DubbelKey, None),
    (prestatie_retour("1"), act.PrestatieKey, None),
]


@pytest.mark.parametrize(("fact", "key", "kept"), DISTINCT, ids=lambda one: getattr(one, "__name__", ""))
def test_a_key_and_an_act_take_every_field_from_the_field_of_its_name(fact: Fact, key: Any, kept: Any) -> None:
    join = JOINS[type(fact)]
    if key is not None:
        assert join.key(AGB, astuple(fact)) == key(**fields(fact, key))
    if kept is not None:
        assert join.act(astuple(fact)) == kept(**fields(fact, kept))


def test_a_stop_hangs_on_the_key_of_its_start() -> None:
    told = stop(5, 6, "32", signed=7, ingangsdatum=8, leeftijd=9)
    start_key = act.StartKey(**fields(told, act.StartKey))
    assert JOINS[Stop].key(AGB, astuple(told)) == act.StopKey(start_key=start_key, reden_beeindiging="32")
    assert JOINS[Stop].act(astuple(told)) == act.StopAct(**fields(told, act.StopAct))


def fields(fact: Fact, kind: Any) -> dict[str, Any]:
    """The fields of a key or an act as a fact of the first provider has them."""
    known = (
        {"cause": b"", "aanlevering": b"", "record": 0, "earlier": ()}
        | msgspec.structs.asdict(fact)
        | {"aanbieder": AGB}
    )
    if "bericht_dagtekening" in known:
        known["dagtekening"] = known["bericht_dagtekening"]
    return {name: known[name] for name in kind._fields}


def test_an_upload_is_named_by_its_record_and_a_message_by_its_hash_and_delivery() -> None:
    facts = fact_set([event(score(), delivery=OTHER_DELIVERY, line=258), start(bericht=b"message1")])
    (acts,) = facts.scores.values()
    assert list(acts) == [b"\xbb" * 16 + b"\x00\x00\x01\x02"]
    (starts_of_key,) = facts.starts.values()
    assert list(starts_of_key) == [b"message1" + b"\xaa" * 8]


def test_an_answer_on_a_line_is_named_by_the_dagtekening_of_the_declaration_too() -> None:
    told = [prestatie_retour("1", bericht=b"message1", bericht_dagtekening=day) for day in (258, None)]
    (answers_of_line,) = fact_set(told).retouren.values()
    assert list(answers_of_line) == [b"message1\x00\x00\x01\x02" + b"\xaa" * 8, b"message1" + b"\xaa" * 8]


def test_what_follows_from_another_fact_is_named_by_the_delivery_that_makes_it_so() -> None:
    told = [vervanging(), intrekking("start", b"m"), dubbel("TR314", b"1")]
    facts = fact_set(event(fact, delivery=OTHER_DELIVERY) for fact in told)
    cause = b"\xbb" * 8
    assert list(facts.replaced) == [
        act.VervangingKey(aanbieder=AGB, periode="2026-1", aanlevering=b"\xaa" * 16, cause=cause)
    ]
    assert list(facts.ingetrokken) == [act.BerichtKey(aanbieder=AGB, soort="start", bericht=b"m", cause=cause)]
    assert list(facts.dubbel) == [act.DubbelKey(aanbieder=AGB, regel="TR314", soort="", sleutel=b"1", cause=cause)]
    assert list(fact_set([teruggenomen()]).terug) == [b"\xaa" * 8]


def test_of_one_record_with_two_contents_the_earliest_time_stays() -> None:
    (acts,) = fact_set([score(tijd=5, waarde=1), score(tijd=4, waarde=0), score(tijd=6, waarde=2)]).scores.values()
    assert list(acts.values()) == [act.ScoreAct(tijd=4, waarde=2)]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        pytest.param({"toewijzingsdatum": -1}, {"toewijzingsdatum": 1}, id="day, also before 1970"),
        pytest.param({"toewijzingstijd": 9}, {"toewijzingstijd": 3_600}, id="time of one day"),
        pytest.param({"bericht": b"aa"}, {"bericht": b"b"}, id="message of one moment"),
        pytest.param({"eenheid": "04"}, {"eenheid": "14"}, id="one message, two contents"),
    ],
)
def test_of_an_assignment_the_newest_version_of_a_delivery_stays(older: dict[str, Any], newer: dict[str, Any]) -> None:
    versions = [toewijzing(**older), toewijzing(**newer)]
    for order in (versions, versions[::-1]):
        (kept,) = fact_set(order).toewijzingen.values()
        assert kept == act.ToewijzingAct(
            **fields(toewijzing(**newer), act.ToewijzingAct) | {"aanlevering": b"\xaa" * 8}
        )


@given(st.permutations(range(12)), st.integers(0, 12))
def test_of_twelve_deliveries_of_an_assignment_the_eight_newest_versions_stay(order: list[int], cut: int) -> None:
    """Whatever came first, and whatever was joined before: the newest counts, the others stand behind it."""
    told = [event(toewijzing(day // 2, eenheid=f"{day}"), delivery=f"{day:02x}" * 16) for day in order]
    (kept,) = fact_set(told).toewijzingen.values()
    assert [version.aanlevering[0] for version in (kept, *kept.earlier)] == RANKED[:8]
    assert all(version.earlier == () for version in kept.earlier)
    halves = [fact_set(part).toewijzingen for part in (told[:cut], told[cut:]) if part]
    joined = next(iter(halves[0].values()))
    for half in halves[1:]:
        joined = JOINS[Toewijzing].merge(next(iter(half.values())), joined)
    assert joined == kept


#: Twelve versions of two a day: newest first, and of one day by encoding.
RANKED = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


# --- what names a record --------------------------------------------------------------------------------------------


@given(st.binary(min_size=8, max_size=16), st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_what_was_packed_is_unpacked(delivery: bytes, line: int, table: int) -> None:
    """Deliveries of sixteen bytes, and of eight in the states of the first release."""
    packed, text = delivery + line.to_bytes(4, "big"), delivery.hex()
    assert UploadKey.pack(text, line) == packed
    assert UploadKey.unpack(packed) == UploadKey(line=line, delivery=text)
    assert WaitKey.pack(table, text, line) == bytes([table]) + packed
    assert WaitKey.unpack(bytes([table]) + packed) == (table, UploadKey(line=line, delivery=text))


@given(st.lists(st.tuples(st.integers(0, 70_000), st.binary(min_size=16, max_size=16)), min_size=2))
def test_of_one_moment_the_later_line_counts_then_the_higher_delivery(uploads: list[tuple[int, bytes]]) -> None:
    keys = sorted(UploadKey(line=line, delivery=delivery.hex()) for line, delivery in uploads)
    assert keys == [UploadKey(line=line, delivery=delivery.hex()) for line, delivery in sorted(uploads)]


# --- by keyword -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*get_args(Content), Event], ids=lambda kind: kind.__name__)
def test_a_fact_is_built_by_keyword_only(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(TypeError, match="positional"):
        kind(*(None for _ in kind.__struct_fields__))


ACTS = {name for name, one in vars(act).items() if isinstance(one, type) and issubclass(one, tuple)}


def positional(path: Path) -> list[str]:
    """Calls of a key or an act with values by place."""
    tree = ast.parse(path.read_text("utf-8"))
    ours = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("domain.facts.act", "domain.facts.fact_set")
        for alias in node.names
    }
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACTS & ours and node.args
    ]


def test_a_key_and_an_act_are_built_by_keyword() -> None:
    """As tuples they cannot refuse values by place; so nobody gives any."""
    found = [place for path in files() if path.suffix == ".py" for place in positional(path)]
    assert found == []
