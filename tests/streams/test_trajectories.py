"""The stage *trajectories*: what leaves it names a client within a provider, and other names replace every row."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from domain.care.fold import Person, fold
from domain.care.remarks import Remark
from domain.care.rows import RowKey
from domain.facts.answer import Line, RecordRemark
from domain.facts.fact import Event
from domain.field.definitions import SHIPPED, identified
from schemas.codec import Codec
from schemas.codec import Record as Row
from schemas.records import event_to_record
from schemas.topics import EVENTS, LINES
from schemas.typed import ReceiptCodec, StructCodec
from streams import trajectories
from streams.deliveries import Deliveries
from streams.engine.stage import Out, Record
from streams.trajectories import TOPICS, Trajectories
from tests.build import AGB, CLIENT, DELIVERY, OTHER, OTHER_DELIVERY, by, event, events, meting, score, start, stop

NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
RENAMED = ClientNames(TrajectoriesKeys(b"d" * 32, b"b" * 32))
SECOND = b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB"
#: Care with two providers, one of which measured it; a score that waits for its assignment.
HISTORY = [
    *events([start(), stop(), meting(90), score(b"unknown0")]),
    *by(OTHER, start(200), meting(250, meting=b"meting02")),
]
_EVENTS, _ROWS = Codec(EVENTS), {topic: Codec(topic) for topic in TOPICS}


def records(history: list[Event]) -> list[Record]:
    return [Record(offset, _EVENTS.encode(event_to_record(one)), 0) for offset, one in enumerate(history)]


def rows(outs: list[Out]) -> dict[tuple[str, bytes], Row]:
    """The newest row of every key, as the topics hold them."""
    found: dict[tuple[str, bytes], Row] = {}
    for out in outs:
        if out.topic in _ROWS and out.value is not None:
            found[out.topic, out.key] = _ROWS[out.topic].decode(out.value)
    return found


def standing(table: dict[tuple[str, bytes], Row]) -> dict[tuple[str, bytes], Row]:
    return {key: row for key, row in table.items() if not row["verwijderd"]}


def given(client: bytes, names: ClientNames = NAMES, blob: bytes | None = None) -> list[Out]:
    return Trajectories(names)(client, blob, records(HISTORY))[1]


def test_nothing_that_leaves_holds_the_pseudonym() -> None:
    outs = given(CLIENT)
    assert {out.topic for out in outs} == {*TOPICS, LINES}
    value = CLIENT.rpartition(b".")[2]
    assert not [out for out in outs if value in out.key or value in (out.value or b"")]


def test_a_row_names_its_client_within_its_provider_and_by_bucket() -> None:
    found = rows(given(CLIENT)).values()
    assert {(row["aanbieder"], row["client"]) for row in found} == {
        (one, NAMES.of(CLIENT, one)) for one in (AGB, OTHER)
    }
    assert {row["emmer"] for row in found} == {NAMES.bucket(CLIENT)}


def test_no_number_joins_two_clients_or_can_be_made_from_a_pseudonym() -> None:
    """A reader of rows with a list of pseudonyms makes the number of every row that each of them would have."""
    mine, theirs = rows(given(CLIENT)), rows(given(SECOND))
    assert len(mine) == len(theirs)
    assert not mine.keys() & theirs.keys()
    guesses = [CLIENT, NAMES.of(CLIENT, AGB).encode(), NAMES.of(CLIENT, OTHER).encode()]
    for guess in guesses:
        made = {issued.key.text.encode() for issued in fold(guess, Person(), HISTORY, 9, 0).issued}
        assert not made & {key for _, key in mine}


def test_a_line_says_by_its_key_alone_which_delivery_it_is_of() -> None:
    lines = [out for out in given(CLIENT) if out.topic == LINES]
    assert {out.key for out in lines} == {DELIVERY.encode()}
    assert {Codec(LINES).decode(out.value or b"")["delivery"] for out in lines} == {""}


def test_rows_of_an_earlier_release_are_given_out_as_deleted_when_the_log_comes_again() -> None:
    """Its state has the keys that a pseudonym made; after the rewind only rows under names are left standing."""
    person = Person()
    before: list[RowKey] = [one.key for one in fold(CLIENT, person, HISTORY, len(HISTORY) - 1, 0).issued if one.row]
    after = rows(given(CLIENT, blob=msgspec.msgpack.encode(person)))
    assert standing(after) == standing(rows(given(CLIENT)))
    deleted = {key for key, row in after.items() if row["verwijderd"]}
    assert deleted == {(TOPICS[key.table], key.text.encode()) for key in before}
    assert not [row for row in after.values() if row["client"].startswith("p1.")]


def test_new_keys_replace_every_row_when_the_log_comes_again() -> None:
    blob, outs = Trajectories(NAMES)(CLIENT, None, records(HISTORY))
    table = rows(outs) | rows(Trajectories(RENAMED)(CLIENT, blob, records(HISTORY))[1])
    assert standing(table) == standing(rows(given(CLIENT, RENAMED)))


def test_rows_stay_when_what_is_new_changes_none() -> None:
    stage = Trajectories(NAMES)
    blob, _ = stage(CLIENT, None, records(HISTORY))
    again = Record(len(HISTORY), _EVENTS.encode(event_to_record(HISTORY[0])), 0)
    assert rows(stage(CLIENT, blob, [again])[1]) == {}


def test_rows_of_two_providers_that_change_together_share_no_moment() -> None:
    """A next start elsewhere changes the row of the end before it, and says no moment of its own."""
    stage, moment = Trajectories(NAMES), 1_780_000_123_457
    blob, _ = stage(CLIENT, None, records(events([start(), stop()])))
    [elsewhere] = (replace(one, published_at=moment) for one in by(OTHER, start(200)))
    after = rows(stage(CLIENT, blob, [Record(9, _EVENTS.encode(event_to_record(elsewhere)), 0)])[1])
    moments = {row["aanbieder"]: row["gebeurd_op"] for row in after.values()}
    assert moments == {AGB: 0, OTHER: moment}


def test_a_remark_goes_to_the_delivery_of_its_record_and_so_does_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    remarks = [Remark("stop", OTHER_DELIVERY, 3, "TR415"), Remark("start", DELIVERY, 1, "TR074", gone=True)]
    monkeypatch.setattr(trajectories, "fold", lambda *told, **more: fold(*told, **more)._replace(remarks=remarks))
    told = [
        (out.key.decode(), StructCodec(Line).decode(out.value or b"")) for out in given(CLIENT) if out.topic == LINES
    ]
    assert [(key, line.kind, line.line, line.uitkomst, line.code) for key, line in told[-2:]] == [
        (OTHER_DELIVERY, "stop", 3, "opmerking", "TR415"),
        (DELIVERY, "start", 1, "vervallen", "TR074"),
    ]
    assert {(line.delivery, line.lines, line.regel, line.veld) for _, line in told} == {("", 0, 0, "")}


def test_a_second_final_stop_is_a_remark_on_its_receipt_and_the_record_counts() -> None:
    history = [event(start(), delivery=DELIVERY), event(stop(0, 100), delivery=OTHER_DELIVERY)]
    history.append(event(stop(0, 120, "33"), delivery=OTHER_DELIVERY, line=2))
    _, outs = Trajectories(NAMES)(CLIENT, None, records(history))
    told = [out.value or b"" for out in outs if (out.topic, out.key) == (LINES, OTHER_DELIVERY.encode())]
    accepted = Line(
        delivery="e" * 32, line=1, lines=2, kind="stop", sender=AGB, test=False, published_at=1, regel=1, regels=1,
        uitkomst="geaccepteerd", code="", veld="",
    )  # fmt: skip
    lines = [StructCodec(Line).encode(replace(accepted, line=line)) for line in (1, 2)]
    deliveries, batch = Deliveries(), [Record(offset, line, 0) for offset, line in enumerate([*told, *lines])]
    _, (out,) = deliveries(OTHER_DELIVERY.encode(), None, batch)
    receipt = ReceiptCodec().decode(out.value or b"")
    assert (receipt.klaar, receipt.geaccepteerd, receipt.fouten) == (True, 2, ())
    assert receipt.opmerkingen == (RecordRemark(line=2, code="TR415"),)


def timeless(table: dict[tuple[str, bytes], Row]) -> dict[tuple[str, bytes], Row]:
    """Without the moment of the newest event, which no state keeps."""
    return {key: {**row, "gebeurd_op": 0} for key, row in table.items()}


def test_under_other_definitions_a_client_goes_out_anew_as_if_it_had_been_so_from_the_beginning() -> None:
    history = [*HISTORY, *events([start(500), stop(600)])]
    wider = identified(SHIPPED._replace(version=9, chain_days=1000))
    stage = Trajectories(NAMES)
    state, before = stage(CLIENT, None, records(history))
    stage.use(wider)
    changed, outs = stage.anew(CLIENT, state or b"")
    shown = rows([*before, *outs])
    other, straight = Trajectories(NAMES, definitions=wider)(CLIENT, None, records(history))
    assert timeless(standing(shown)) == timeless(standing(rows(straight)))
    assert timeless(standing(rows(before))) != timeless(standing(shown))
    assert {row["version"] for row in shown.values()} == {len(history) - 1}, "a recalculation gives the same"
    assert rows(stage.anew(CLIENT, changed)[1]) == rows(outs), "a slice that comes again gives everything again"
    person, plain = (msgspec.msgpack.decode(one or b"", type=Person) for one in (changed, other))
    assert (person.facts, person.definitions) == (plain.facts, wider.id)


def test_a_state_of_a_former_log_gives_nothing_out_anew() -> None:
    state, _ = Trajectories(NAMES)(CLIENT, None, records(HISTORY))
    assert Trajectories(NAMES, epoch=1).anew(CLIENT, state or b"") == (state, [])
