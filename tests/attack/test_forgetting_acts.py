"""What is new with forgetting, used on purpose: an empty record under any key, a ledger that is damaged, a lost key.

Who may write to ``sor.events`` or ``sor.register`` may write an empty record there: a stage then looks at the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from confluent_kafka import Message

from crypto import erasures
from crypto.client_names import ClientNames
from crypto.key_files import KeysError
from crypto.keys import TrajectoriesKeys
from operations import forgetting
from schemas.codec import Codec
from schemas.erased import Erased
from schemas.records import event_to_record
from schemas.topics import ERASURES, EVENTS, topics
from schemas.typed import StructCodec
from streams import erased
from streams.engine.stage import Record
from streams.erased import LOOK, Ledger
from streams.register import Register
from streams.trajectories import Trajectories
from tests.build import CLIENT, events, score, start, stop
from tests.streams.support import message
from tests.streams.test_erased import DELIVERIES, KEY, use
from transport.clients import Cluster
from transport.topics import TopicError

NAME = erasures.of_root(b"r" * 32)
NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
ANOTHER = b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB"
#: Of a release or a registry that this process does not know.
FOREIGN = b"\x00\x7f\xff\xff\xff" + b"\x02a\x02"


def ledger(*entries: Erased) -> Ledger:
    return Ledger(lambda: NAME, entries)


def test_an_empty_record_takes_nothing_of_who_was_not_forgotten() -> None:
    """Not the state, not a row, not a word on a receipt: alone, among facts, and once more; with and without others in
    the ledger.
    """
    told = [Codec(EVENTS).encode(event_to_record(event)) for event in events([start(), stop(), score()])]
    plain = [Record(at, value, 0) for at, value in enumerate(told)]
    for others in (ledger(), ledger(Erased(naam=NAME(ANOTHER), moment=2**50))):
        stage, register = Trajectories(NAMES, ledger=others), Register(ledger=others)
        state, rows = stage(CLIENT, None, plain)
        assert rows
        assert stage(CLIENT, state, [Record(3, LOOK, 0), Record(4, LOOK, 0)]) == (state, [])
        assert stage(ANOTHER, None, [Record(3, LOOK, 0)]) == (None, []), "a key that nobody has makes no state"
        among = [plain[0], Record(1, LOOK, 0), *(record._replace(offset=record.offset + 1) for record in plain[1:])]
        other, same = stage(CLIENT, None, among)
        assert state is not None
        assert other is not None
        assert [(out.topic, out.key) for out in same] == [(out.topic, out.key) for out in rows]
        assert stage.state(other).out.keys() == stage.state(state).out.keys()
        number, _ = register(KEY, None, [Record(0, use(CLIENT, DELIVERIES[0]), 0)])
        assert register(KEY, number, [Record(1, LOOK, 0)]) == (number, [])


def test_only_the_administrator_says_who_was_forgotten() -> None:
    assert topics()[ERASURES].write == ("admin",)
    assert {"entry", "register", "trajectories"} <= set(topics()[ERASURES].read)


class Reader:
    """A broker with these entries in the ledger."""

    def __init__(self, values: Iterable[bytes]) -> None:
        self._values = [message(ERASURES, value, at) for at, value in enumerate(values)]

    def list_topics(self, *_args: object, **_settings: object) -> Reader:
        return self

    @property
    def topics(self) -> dict[str, Reader]:
        return {ERASURES: self}

    error, partitions = None, (0,)

    def get_watermark_offsets(self, *_args: object, **_settings: object) -> tuple[int, int]:
        return 0, len(self._values)

    def assign(self, _places: object) -> None: ...

    def consume(self, *_args: object) -> list[Message]:
        found, self._values = self._values, []
        return found


def opened(monkeypatch: pytest.MonkeyPatch, keys: Path, *values: bytes) -> Ledger:
    monkeypatch.setattr(erased, "assigned_reader", lambda *_args: Reader(values))
    return Ledger.opened(Cluster(""), keys)


def test_a_ledger_that_cannot_be_read_stops_who_must_keep_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Going on would bring back who was forgotten: another registry, or a byte, would be enough."""
    erasures.make(tmp_path)
    entry = StructCodec(Erased).encode(Erased(naam=erasures.load(tmp_path)(CLIENT), moment=7))
    assert opened(monkeypatch, tmp_path, entry).forgets(CLIENT, 6), "the control"
    for damaged in (FOREIGN, b"", entry[:-1], entry + b"\x00"):
        with pytest.raises(TopicError, match="who was forgotten cannot be read"):
            opened(monkeypatch, tmp_path, entry, damaged)


def test_who_lost_the_key_of_the_ledger_forgets_nobody_under_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The stages hold the former key: with an entry under a new one they would go on as if nothing had been said."""
    entry = StructCodec(Erased).encode(Erased(naam=NAME(ANOTHER), moment=7))
    monkeypatch.setattr(erased, "assigned_reader", lambda *_args: Reader([entry]))
    monkeypatch.setattr(forgetting, "enter", lambda *_args: pytest.fail("an entry under another key"))
    with pytest.raises(KeysError, match="copy that key folder"):
        forgetting.entered(Cluster(""), tmp_path, [CLIENT], None)
    assert not (tmp_path / erasures.FOLDER).exists()
