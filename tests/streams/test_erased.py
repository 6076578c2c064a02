"""Who was forgotten stays so: the ledger, and what the stages make of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from msgspec.structs import replace

from crypto import erasures
from crypto.client_names import ClientNames
from crypto.key_files import KeysError
from crypto.keys import TrajectoriesKeys
from domain.facts.number import Number, forget
from schemas.codec import Codec
from schemas.erased import Erased
from schemas.records import event_to_record
from schemas.structs import Use
from schemas.taken import Taken
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, LINES, REGISTER
from schemas.typed import StructCodec, dict_codec
from streams.engine.stage import Record, Scrubbed
from streams.entry import EntryConfig, Stage
from streams.erased import LOOK, NOBODY, Ledger
from streams.register import Register
from streams.takeback import Notices
from streams.trajectories import TOPICS, Trajectories
from tests.build import CLIENT, events, score, start, stop
from tests.streams.support import ENTRY_KEYS, OTHER, Recorder, codec, evaluated, honest, message
from tests.trusted import hub
from transport.clients import Cluster
from transport.health import HealthConfig

NAME = erasures.of_root(b"r" * 32)
NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
SOMEBODY_ELSE = b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB"
PUBLISHED = 1_700_000_000_000
LIFE = [replace(event, published_at=PUBLISHED) for event in events([start(), stop(), score()])]


def ledger(moment: int = PUBLISHED + 1, client: bytes = CLIENT) -> Ledger:
    return Ledger(lambda: NAME, [Erased(naam=NAME(client), moment=moment)])


def test_the_ledger_knows_whom_and_until_when() -> None:
    found = ledger(1000)
    assert found.forgets(CLIENT, 999)
    assert not found.forgets(CLIENT, 1000)
    assert not found.forgets(SOMEBODY_ELSE, 1)
    assert (CLIENT in found, SOMEBODY_ELSE in found) == (True, False)
    assert not Ledger.empty()
    assert not Ledger.empty().forgets(CLIENT, 0)


def test_what_is_new_is_heard_and_the_latest_moment_counts() -> None:
    news = [[], [Erased(naam=NAME(CLIENT), moment=7)], [Erased(naam=NAME(CLIENT), moment=5)]]
    found = Ledger(lambda: NAME, news=lambda: news.pop(0))
    for moment in (0, 7, 7):
        found._due = 0.0
        assert found.moment(CLIENT) == moment


def test_a_name_says_nothing_without_the_key_and_is_made_once(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="copy that key folder"):
        erasures.load(tmp_path)
    assert erasures.make(tmp_path)
    name = erasures.load(tmp_path)
    assert not erasures.make(tmp_path)
    assert erasures.load(tmp_path)(CLIENT) == name(CLIENT) != NAME(CLIENT)
    assert len(name(CLIENT)) == 32
    assert (tmp_path / erasures.FOLDER).stat().st_mode & 0o077 == 0


def test_who_never_forgot_anybody_needs_no_key(tmp_path: Path) -> None:
    assert not Ledger(lambda: erasures.load(tmp_path))
    with pytest.raises(KeysError):
        Ledger(lambda: erasures.load(tmp_path), [Erased(naam="0" * 32, moment=1)])


# --- entry ------------------------------------------------------------------------------------------------------------


def test_entry_publishes_nothing_of_a_forgotten_client_and_answers_its_line() -> None:
    def through(ledger: Ledger) -> Recorder:
        out = Recorder()
        config = EntryConfig(Cluster(""), ENTRY_KEYS, hub()[0], "group", "0", HealthConfig(), ledger=ledger)
        records = [honest("score", line=1), honest("score", line=2, bsn=OTHER)]
        values = [codec(EVALUATED).encode(evaluated(record, IN_TOPIC["score"])) for record in records]
        Stage(config, out)([message(EVALUATED, value, at) for at, value in enumerate(values)])  # type: ignore[arg-type]
        return out

    first, second = [key for key, _ in through(Ledger.empty()).of(EVENTS)]
    forgotten = through(ledger(2**50, first))
    assert [key for key, _ in forgotten.of(EVENTS)] == [second]
    assert [line["uitkomst"] for _, line in forgotten.of(LINES)] == ["geaccepteerd", "geaccepteerd"]
    assert not [value for _, _, value in forgotten.sent if first in value]
    assert len(through(ledger(1, first)).of(EVENTS)) == 2, "what was published since counts"


# --- trajectories -----------------------------------------------------------------------------------------------------


def records(first: int, values: list[bytes]) -> list[Record]:
    return [Record(first + number, value, 0) for number, value in enumerate(values)]


def told() -> list[bytes]:
    return [Codec(EVENTS).encode(event_to_record(event)) for event in LIFE]


def deleted(outs: list) -> list[bool]:  # type: ignore[type-arg]
    codecs = {topic: Codec(topic) for topic in TOPICS}
    return [codecs[out.topic].decode(out.value)["verwijderd"] for out in outs if out.topic in codecs]


def test_a_client_is_emptied_and_its_rows_go_out_as_deleted() -> None:
    state, outs = Trajectories(NAMES)(CLIENT, None, records(0, told()))
    assert deleted(outs) == [False, False]
    stage = Trajectories(NAMES, ledger=ledger())
    empty, gone = stage(CLIENT, state, records(3, [LOOK]))
    assert empty is None
    assert deleted(gone) == [True, True]
    assert {out.key for out in gone} == {out.key for out in outs}
    assert stage(CLIENT, None, records(4, [LOOK])) == (None, []), "once more changes nothing"


def test_what_was_published_before_is_refused_and_what_comes_after_counts() -> None:
    stage = Trajectories(NAMES, ledger=ledger())
    assert stage(CLIENT, None, records(0, told())) == (None, [])
    later = Trajectories(NAMES, ledger=ledger(PUBLISHED))
    state, outs = later(CLIENT, None, records(0, told()))
    assert state is not None
    assert deleted(outs) == [False, False]
    assert len(Trajectories(NAMES, ledger=ledger())(SOMEBODY_ELSE, None, records(0, told()))[1]) == len(outs)


def test_of_a_client_that_is_told_of_again_only_that_stays() -> None:
    state, outs = Trajectories(NAMES)(CLIENT, None, records(0, told()))
    again = Trajectories(NAMES, ledger=ledger(PUBLISHED))
    kept, given = again(CLIENT, state, records(3, [LOOK, told()[0]]))
    assert kept is not None
    assert sorted(deleted(given)) == [False, True]
    assert len(again.state(kept).out) == 1, "the key of the row that is no more is not remembered"
    assert len(outs) >= 2


def test_a_record_without_a_value_is_nothing_to_who_was_not_forgotten() -> None:
    state, _ = Trajectories(NAMES)(CLIENT, None, records(0, told()))
    stage = Trajectories(NAMES, ledger=ledger(client=SOMEBODY_ELSE))
    assert stage(CLIENT, state, records(3, [LOOK])) == (state, [])
    assert stage(NOBODY, None, records(3, [LOOK])) == (None, [])


# --- register ---------------------------------------------------------------------------------------------------------

KEY = b"bericht.start|99000001|6e31|"
DELIVERIES = ["a" * 32, "b" * 32]


def use(client: bytes, delivery: str, published_at: int = 5, content: bytes = b"c" * 16) -> bytes:
    told: Use = {
        "soort": "bericht.start", "aanbieder": "99000001", "sleutel": b"number01", "inhoud": content,
        "bericht": b"message1", "pseudonym": client.decode(), "retour": "", "delivery": delivery, "line": 1, "lines": 1,
        "tijd": 5, "published_at": published_at, "records": 1, "plaats": 1, "terug": 0, "opnieuw": 0, "dagtekening": 1,
    }  # fmt: skip
    return dict_codec(Use).encode(told)


def test_the_register_takes_a_client_out_of_a_number_and_no_other() -> None:
    both = records(0, [use(CLIENT, DELIVERIES[0]), use(SOMEBODY_ELSE, DELIVERIES[1], content=b"d" * 16)])
    state, outs = Register()(KEY, None, both)
    assert state is not None
    assert len([out for out in outs if out.topic == EVENTS]) == 2, "both used one number"
    assert CLIENT in state
    stage = Register(ledger=ledger(6))
    emptied, told_now = stage(KEY, state, records(2, [LOOK]))
    assert isinstance(emptied, Scrubbed), "the state before leaves the disk"
    assert told_now == []
    assert CLIENT not in emptied
    assert SOMEBODY_ELSE in emptied
    assert stage(KEY, emptied, records(3, [LOOK])) == (emptied, [])
    alone, _ = Register()(KEY, None, records(1, [both[1].value]))
    again, effects = stage(KEY, emptied, records(4, [both[0].value, both[1].value]))
    assert again is not None
    assert CLIENT not in again, "a late use of before is refused"
    assert [out for out in effects if out.topic == EVENTS] == []
    assert alone is not None


def test_of_a_number_the_use_of_a_later_delivery_stays() -> None:
    state, _ = Register()(KEY, None, records(0, [use(CLIENT, DELIVERIES[0], 5), use(CLIENT, DELIVERIES[1], 9)]))
    kept, _ = Register(ledger=ledger(6))(KEY, state, records(2, [LOOK]))
    assert kept is not None
    assert CLIENT in kept
    assert bytes.fromhex(DELIVERIES[0]) in kept, "which lines used it is kept: it names nobody"


def test_nobody_to_forget_is_said() -> None:
    assert not forget(Number(), lambda _client, _at: True)
    assert Register(ledger=ledger())(NOBODY, None, records(0, [LOOK])) == (None, [])
    assert REGISTER == "sor.register"


# --- a log that is rewritten is read once more ------------------------------------------------------------------------


def test_every_reader_may_read_everything_once_more() -> None:
    """Nothing goes out anew and no state changes but for its version: facts and uses are sets (decision 0002)."""
    stage, both = Trajectories(NAMES), [use(CLIENT, DELIVERIES[0]), use(SOMEBODY_ELSE, DELIVERIES[1], 9, b"d" * 16)]
    state, _ = stage(CLIENT, None, records(0, told()))
    again, outs = stage(CLIENT, state, records(100, told()))
    assert outs == []
    before, after = (structs.replace(stage.state(blob), version=0, room=0) for blob in (state, again))
    assert after == before, "but for when its facts are counted next"
    number, effects = Register()(KEY, None, records(0, both))
    assert len(effects) > 1
    once_more, effects = Register()(KEY, number, records(100, both))
    assert effects == []
    decode = msgspec.msgpack.Decoder(Number).decode
    assert number is not None
    assert once_more is not None
    assert structs.replace(decode(once_more), version=0) == structs.replace(decode(number), version=0)


def test_what_takeback_tells_once_more_is_the_same() -> None:
    """It remembers what it told; after a restart it tells it again, and the fact is known already."""
    [event, *_] = LIFE
    taken = Taken(aanlevering=event.delivery, sender=event.aanbieder, tijd=PUBLISHED + 5, door="99000001", reden="")
    notices, value = [Notices(), Notices()], Codec(EVENTS).encode(event_to_record(event))
    told_once = []
    for one in notices:
        handle = one.learn(StructCodec(Taken).encode(taken))
        told_once.append(one(EVENTS, CLIENT, value, {handle: None}))
        assert one(EVENTS, CLIENT, value, {handle: None}) is None
        assert one(EVENTS, CLIENT, LOOK, {handle: None}) is None, "an empty record is of no delivery"
        assert one(REGISTER, KEY, LOOK, {handle: None}) is None
    assert told_once[0] == told_once[1] is not None
