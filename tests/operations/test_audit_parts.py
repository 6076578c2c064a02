"""The audit's parts that need no broker: the comparisons of rows and states, what is mended, its pace and its words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crypto.client_names import BUCKETS, ClientNames
from crypto.keys import TrajectoriesKeys
from domain.care.fold import Person
from domain.care.rows import TABLES as ROW_TABLES
from domain.facts.fact import Event
from domain.field.definitions import SHIPPED
from operations import exporter
from operations.audit import rolling
from operations.audit.check import Outcome
from operations.audit.comparison import TABLES, Difference, Finding, Found, Wanted, columns, compare, strays
from operations.audit.full import KEPT, Report, slices
from operations.audit.kept import kept_words
from operations.audit.lives import Life, Yield
from operations.audit.repair import Seen, wrong_versions
from operations.audit.rolling import Interrupted, Rest, Round, counted
from operations.audit.sentences import sentences
from operations.audit.state_repair import right_state
from operations.audit.states import StateDifference, StateFinding, beside, differs, void
from schemas.codec import Codec
from schemas.erased import Erased
from schemas.records import event_to_record
from schemas.rows import row_to_record
from schemas.topics import EVENTS
from streams.engine.stage import Record
from streams.erased import Ledger
from streams.trajectories import Trajectories
from tests.build import CLIENT, OTHER, by, events, meting, score, start, stop

NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
HISTORY = [*events([start(), stop(), meting(90), score()]), *by(OTHER, start(200))]
SCORES = TABLES["scores"]
FIRST = 7  # offset of the first event


def values(history: list[Event] = HISTORY) -> list[bytes]:
    codec = Codec(EVENTS)
    return [codec.encode(event_to_record(one)) for one in history]


def told(history: list[Event] = HISTORY) -> Any:
    packed = values(history)
    life = Life(0, NAMES.bucket(CLIENT), packed, FIRST, FIRST + len(packed) - 1)
    return Yield(NAMES, SHIPPED)(CLIENT, life)


def rows() -> dict[str, dict[str, tuple[Any, ...]]]:
    """Table -> key -> content, as the log yields it."""
    found: dict[str, dict[str, tuple[Any, ...]]] = {name: {} for name in TABLES}
    for key, row in told().rows.items():
        name = ROW_TABLES[key.table]
        record = row_to_record(
            key, row, NAMES.of(CLIENT, key.aanbieder), emmer=NAMES.bucket(CLIENT), version=1, newest=0
        )
        found[name][key.text] = tuple(record[column] for column in columns(TABLES[name]))
    return found


def stored(cuts: list[int], history: list[Event] = HISTORY) -> bytes:
    """The state of the stage after batches of so many events."""
    step, blob, at = Trajectories(NAMES), None, 0
    packed = values(history)
    for size in cuts:
        records = [Record(FIRST + at + number, packed[at + number], 0) for number in range(size)]
        blob, _ = step(CLIENT, blob, records)
        at += size
    assert blob is not None
    return blob


# --- rows ---------------------------------------------------------------------------------------------------------


def found_as(changed: dict[str, Any] | None, version: int = 11) -> list[Difference]:
    """The differences when the one score stands with these columns changed, or is gone."""
    ((key, content),) = rows()["scores"].items()
    names = columns(SCORES)
    there = dict(zip(names, content, strict=True)) | (changed or {})
    shown = [] if changed is None else [Found(key, version, tuple(there[name] for name in names))]
    return list(compare(SCORES, {key: Wanted(content, CLIENT, 11)}, shown))


@pytest.mark.parametrize(
    ("changed", "version", "wanted"),
    [
        ({}, 11, []),
        ({}, 3, []),
        (None, 11, [("missing", ())]),
        ({"waarde": -1, "doel": 9}, 11, [("different", ("doel", "waarde"))]),
        ({}, 12, [("version", ())]),
        ({"client": "x" * 22}, 12, [("different", ("client",)), ("version", ())]),
    ],
    ids=["equal", "older version", "deleted", "altered", "version too high", "both"],
)
def test_a_row_differs_by_sort_and_column(
    changed: dict[str, Any] | None, version: int, wanted: list[tuple[str, tuple[str, ...]]]
) -> None:
    found = found_as(changed, version)
    assert [(one.sort, one.columns) for one in found] == wanted
    assert all(one.client == CLIENT for one in found)


def test_a_row_that_the_log_does_not_yield_is_nobodys() -> None:
    ((key, content),) = rows()["scores"].items()
    (one,) = compare(SCORES, {}, [Found(key, 5, content)])
    assert (one.sort, one.client, one.name, one.version) == ("extra", None, NAMES.of(CLIENT, "12345678"), 5)


def test_a_row_in_another_bucket_is_one_that_differs() -> None:
    """Buckets are looked at one after the other: it is missed in the one and too much in the other."""
    pair = [
        Difference("scores", "a", "missing", 1, client=CLIENT),
        Difference("scores", "a", "extra", 2),
        Difference("scores", "b", "extra", 2),
    ]
    assert [(one.key, one.sort, one.columns, one.client) for one in strays(pair)] == [
        ("b", "extra", (), None), ("a", "different", ("emmer",), CLIENT)
    ]  # fmt: skip


def test_a_finding_counts_columns_and_rows_of_former_definitions() -> None:
    finding = Finding("trajecten")
    finding.take(
        [
            Difference("trajecten", "b", "different", 1, ("spic", "segment")),
            Difference("trajecten", "a", "different", 1, ("segment",)),
            Difference("trajecten", "c", "version", 1),
        ]
    )
    assert (finding.different, finding.version, finding.former) == (["a", "b"], ["c"], 1)
    assert finding.columns == {"spic": 1, "segment": 2}
    assert not finding.equal


def test_buckets_are_as_many_as_memory_takes_and_none_is_forgotten() -> None:
    assert list(slices(1_000, 1_000)) == [None]
    parts = list(slices(10_000, 1_500))
    assert len(parts) == 7
    assert sorted(bucket for part in parts for bucket in part or ()) == list(range(BUCKETS))
    assert len(list(slices(10**9, 1))) == BUCKETS


# --- states -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", [[5], [1, 1, 1, 1, 1], [2, 3]])
def test_a_state_is_what_the_log_yields_however_the_batches_were_cut(cuts: list[int]) -> None:
    yielded = told()
    assert differs(yielded.person, yielded.top, stored(cuts)) == []


def changed(packed: bytes, change: str) -> bytes:
    person = msgspec.msgpack.decode(packed, type=Person)
    if change == "facts":
        person.facts.stops.clear()
    elif change == "version":
        person.version += 1
    elif change == "out":
        person.out[next(iter(person.out))] = b"\x01" * 8
    elif change == "waits":
        person.wacht[b"x" * 8] = "start"
    elif change == "former":
        person.definitions = "f" * 16
    return msgspec.msgpack.encode(person)


@pytest.mark.parametrize("change", ["facts", "version", "out", "waits", "former"])
def test_a_state_differs_by_sort(change: str) -> None:
    yielded = told()
    assert differs(yielded.person, yielded.top, changed(stored([5]), change)) == [change]


def test_a_state_may_be_gone_or_no_state_at_all() -> None:
    yielded = told()
    assert differs(yielded.person, yielded.top, None) == ["missing"]
    assert differs(yielded.person, yielded.top, b"\xc1") == ["unreadable"]


def test_what_a_state_remembers_of_the_past_is_no_difference() -> None:
    person = msgspec.msgpack.decode(stored([5]), type=Person)
    gone = next(iter(person.out))._replace(jaar=1999)
    person.out[gone] = b""
    yielded = told()
    assert differs(yielded.person, yielded.top, msgspec.msgpack.encode(person)) == []


@pytest.mark.parametrize(
    ("store", "changelog", "wanted"),
    [
        ({b"a": b"1"}, {b"a": (4, b"1")}, {}),
        ({b"a": b"2"}, {b"a": (4, b"1")}, {b"a": "facts"}),
        ({}, {b"a": (4, b"1")}, {b"a": "missing"}),
        ({b"a": b"1"}, {b"a": (4, None)}, {b"a": "extra"}),
        ({b"a": b"1"}, {}, {b"a": "extra"}),
        ({b"a": b"0"}, {b"a": (6, b"1")}, {}),
        ({}, {b"a": (4, None)}, {}),
    ],
    ids=["equal", "other", "missing", "taken away", "unknown", "on its way", "both without"],
)
def test_a_store_stands_beside_its_changelog(
    store: dict[bytes, bytes], changelog: dict[bytes, tuple[int, bytes | None]], wanted: dict[bytes, str]
) -> None:
    assert beside(store, 5, changelog) == wanted


def forgotten(moment: int) -> Ledger:
    return Ledger(lambda: lambda _pseudonym: "somebody", [Erased(naam="somebody", moment=moment)])


def test_what_was_published_before_a_client_was_forgotten_yields_nothing() -> None:
    published = HISTORY[0].published_at
    packed = values()
    life = Life(0, 1, packed, FIRST, FIRST + len(packed) - 1)
    yields = Yield(NAMES, SHIPPED, ledger=forgotten(published + 1))
    assert yields.forgetting(CLIENT, life), "its stage was not told yet: what it has proves nothing"
    life.looked = True
    assert not yields.forgetting(CLIENT, life)
    assert yields(CLIENT, life)[:2] == ({}, None)
    assert differs(None, 99, stored([5])) == ["extra"]
    assert differs(None, 99, None) == []
    later = Yield(NAMES, SHIPPED, ledger=forgotten(published))
    assert later(CLIENT, life).rows == told().rows


def test_a_state_of_a_former_log_is_void() -> None:
    packed = stored([5])
    assert not void(packed, 0)
    assert void(packed, 1)
    assert not void(b"\xc1", 1), "what cannot be read is told"


# --- what is mended -----------------------------------------------------------------------------------------------


def test_only_the_versions_that_may_not_win_are_removed() -> None:
    seen = [Seen("a", 9, 1), Seen("a", 5, 1), Seen("b", 5, 2), Seen("c", 1, 1), Seen("c", 2, 1), Seen("d", 5, 1)]
    assert wrong_versions(seen, {"a": 5, "b": 5, "d": 7}) == {"a": {5, 9}, "b": {5}, "c": {1, 2}}


def test_a_state_is_written_as_the_log_yields_it_and_what_it_gave_out_is_not_forgotten() -> None:
    lost = stored([5])
    person = msgspec.msgpack.decode(lost, type=Person)
    given, gone = (next(iter(person.out))._replace(jaar=year) for year in (1998, 1999))
    person.out |= {given: b"\x01" * 8, gone: b""}
    person.facts.stops.clear()
    packed = right_state(told(), msgspec.msgpack.encode(person))
    yielded = told()
    assert packed is not None
    mended = msgspec.msgpack.decode(packed, type=Person)
    assert (mended.out.pop(given), mended.out.pop(gone)) == (b"\0", b"")
    assert differs(yielded.person, yielded.top, msgspec.msgpack.encode(mended)) == []
    assert right_state(None, lost) is None
    assert right_state(told(), b"\xc1") is not None


# --- the rolling audit --------------------------------------------------------------------------------------------


def outcome(**changes: Any) -> Outcome:
    made = Outcome(rows=[Difference("scores", "a", "different", 1, ("waarde",))])
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_a_part_that_proves_nothing_raises_no_alarm() -> None:
    found = Round([None])
    assert not found.take(None, outcome(proven=False, behind="sink: 3 records to go"))
    assert not found.take(None, outcome(unsettled=1))
    assert (found.found, found.done) == (Counter(), [])
    assert found.take(None, outcome())
    assert found.found == {("scores", "different"): 1}


def test_what_was_mended_is_no_longer_found_when_its_part_was_looked_at_again() -> None:
    one, other = frozenset({1}), frozenset({2})
    found = Round([one, other])
    found.take(one, outcome())
    found.take(other, outcome(rows=[Difference("scores", "b", "missing", 2)]))
    assert found.found == {("scores", "different"): 1, ("scores", "missing"): 1}
    found.take(one, outcome(rows=[]))
    assert found.found == {("scores", "missing"): 1}


def test_rows_of_other_definitions_count_apart_and_everything_that_is_counted_has_a_gauge() -> None:
    made = outcome(
        rows=[Difference("trajecten", "a", "different", 1, ("spic", "segment"))],
        states=[StateDifference("store", 0, CLIENT, "facts")],
    )
    found = counted(made)
    assert found == {("trajecten", "former"): 1, ("store", "facts"): 1}
    assert set(found) <= set(rolling.PLACES)


def test_it_works_for_its_share_of_a_core_and_rests_for_what_is_left() -> None:
    times, naps = iter([0.0, 0.01, 0.05, 0.05, 0.06]), list[float]()

    def nap(seconds: float) -> bool:
        naps.append(seconds)
        return False

    rest = Rest(nap, share=0.02, clock=lambda: next(times))
    rest()
    assert naps == [], "too little to be worth a rest"
    rest()
    assert sum(naps) == pytest.approx(0.05 * 49)
    assert max(naps) <= 1.0, "between two signs of life"
    rest()
    assert sum(naps) == pytest.approx(0.05 * 49)


def test_a_rest_ends_when_it_is_asked_to_stop() -> None:
    times: Iterator[float] = iter([0.0, 1.0])
    with pytest.raises(Interrupted):
        Rest(lambda _seconds: True, clock=lambda: next(times))()


# --- what is said -------------------------------------------------------------------------------------------------


def report(**changes: Any) -> Report:
    finding = Finding("scores", 3, 3)
    finding.take([Difference("scores", "90000001|0363|2025|01", "different", 1, ("waarde",))])
    finding.repeated = 2
    store = StateFinding("store", 4)
    store.take([StateDifference("store", 1, CLIENT, "facts")])
    return Report(9, moved=False, findings=[finding], states=[store], **changes)


def test_it_says_what_differs_where_and_what_mends_it() -> None:
    text = "\n".join(sentences(report()))
    assert "  columns that differ: waarde 1" in text
    assert "  2 stand more than once until ClickHouse merges them" in text
    assert "store of trajectories: 4 states compared; 1 with other facts, in partition 1." in text
    assert "sor audit --repair writes these rows anew from the log." in text
    assert "sor audit --repair writes the states anew" in text
    assert "sor heal says so" in text
    assert CLIENT.decode() not in text


def test_it_says_which_stage_is_behind() -> None:
    lagging = Report(9, moved=True, findings=report().findings, behind="sink: 3 records to go", unsettled=1)
    text = "\n".join(sentences(lagging))
    assert "Not level with the log: sink: 3 records to go." in text
    assert "Not everything stood still" in text


@pytest.mark.parametrize(
    ("answer", "age", "wanted"),
    [
        ({"equal": True, "moved": False, "findings": []}, 720, "Last audit, 12 minutes ago: equal."),
        (
            {"equal": False, "moved": False, "findings": [
                {"table": "scores", "missing": ["a"], "extra": [], "different": ["b"]}
            ]},
            3 * 86_400,
            "Last audit, 3 days ago: not equal (2 rows of scores). Look with: sor audit",
        ),
        (
            {"equal": False, "moved": True, "findings": []},
            7_300,
            "Last audit, 2 hours ago: it proved nothing, for a stage was behind. Run: sor audit",
        ),
        ({}, 1, ""),
    ],
)  # fmt: skip
def test_the_status_shows_the_last_answer(answer: dict[str, Any], age: float, wanted: str, tmp_path: Path) -> None:
    assert kept_words(tmp_path) == ""
    (tmp_path / KEPT).write_text(json.dumps(answer))
    assert kept_words(tmp_path, (tmp_path / KEPT).stat().st_mtime + age) == wanted


def test_the_exporter_reads_the_answer_and_no_pseudonym_stands_in_it() -> None:
    document = report().document()
    assert exporter.differences(document) == {"scores": 1, "store": 1}
    assert CLIENT.decode() not in document
    assert json.loads(document)["equal"] is False
