"""Versions order rows over two logs: what a stage gives under a higher epoch wins, and its former states are void."""

from __future__ import annotations

import msgspec
import pytest

from domain.care.fold import Person
from domain.facts.answer import Line
from domain.facts.delivery import Aanlevering
from domain.facts.number import Number
from schemas.codec import Codec
from schemas.records import event_to_record
from schemas.structs import Use
from schemas.topics import EVENTS, RECEIPTS
from schemas.typed import StructCodec, dict_codec
from streams.deliveries import Deliveries
from streams.engine.stage import Fold, Record
from streams.register import Register
from streams.trajectories import Trajectories
from streams.versions import epoch_in, version
from tests.build import CLIENT, event, start
from tests.streams.test_trajectories import NAMES, rows

EARLIER, NOW = 477_255, 477_258


def test_an_epoch_beats_every_offset_and_fits_a_signed_number() -> None:
    assert version(0, 17) == 17
    assert version(1, 0) > version(0, 2**40 - 1)
    assert version((1 << 23) - 1, 2**40 - 1) == 2**63 - 1
    assert (epoch_in(version(NOW, 5)), epoch_in(-1)) == (NOW, -1)


def log_of(one: bytes, *, offset: int) -> list[Record]:
    return [Record(offset, one, 0)]


def test_a_client_of_a_former_log_begins_anew_and_its_rows_win() -> None:
    value = Codec(EVENTS).encode(event_to_record(event(start())))
    other = Codec(EVENTS).encode(event_to_record(event(start(400))))
    blob, before = Trajectories(NAMES, epoch=EARLIER)(CLIENT, None, [*log_of(value, offset=800)])
    blob, after = Trajectories(NAMES, epoch=NOW)(CLIENT, blob, log_of(other, offset=3))
    alone, _ = Trajectories(NAMES, epoch=NOW)(CLIENT, None, log_of(other, offset=3))
    assert blob == alone, "nothing of the former log is left"
    old, new = rows(before).values(), rows(after).values()
    assert old
    assert new
    assert max(row["version"] for row in old) < min(row["version"] for row in new)
    assert {epoch_in(row["version"]) for row in new} == {NOW}


def line(number: int) -> bytes:
    told = Line(
        delivery="d" * 32, line=number, lines=2, kind="start", sender="99000001", test=False, published_at=1, regel=1,
        regels=1, uitkomst="geaccepteerd", code="", veld="",
    )  # fmt: skip
    return StructCodec(Line).encode(told)


def test_a_receipt_of_a_former_log_begins_anew() -> None:
    blob, _ = Deliveries(epoch=EARLIER)(b"h" * 32, None, log_of(line(1), offset=9))
    _, [out] = Deliveries(epoch=NOW)(b"h" * 32, blob, log_of(line(2), offset=0))
    receipt = Codec(RECEIPTS).decode(out.value or b"")
    assert (receipt["gezien"], receipt["version"]) == (1, version(NOW, 0))


def test_a_number_of_a_former_log_begins_anew() -> None:
    use: Use = {
        "soort": "referentie.start", "aanbieder": "99000001", "sleutel": b"k", "inhoud": b"i", "bericht": b"b",
        "pseudonym": None, "retour": "", "delivery": "d" * 32, "line": 1, "lines": 1, "tijd": 0, "published_at": 1,
        "records": 1, "plaats": 1, "terug": 0, "opnieuw": 0, "dagtekening": 0,
    }  # fmt: skip
    former = dict_codec(Use).encode({**use, "delivery": "e" * 32})
    value = dict_codec(Use).encode(use)
    blob, _ = Register(epoch=EARLIER)(b"key", None, log_of(former, offset=9))
    blob, _ = Register(epoch=NOW)(b"key", blob, log_of(value, offset=2))
    assert blob == Register(epoch=NOW)(b"key", None, log_of(value, offset=2))[0]


@pytest.mark.parametrize(
    ("fold", "value", "state"),
    [
        (Trajectories(NAMES), Codec(EVENTS).encode(event_to_record(event(start()))), Person),
        (Deliveries(), line(1), Aanlevering),
    ],
)
def test_an_installation_of_before_the_epochs_goes_on(fold: Fold, value: bytes, state: type[Person | Number]) -> None:
    blob, _ = fold(b"key", None, log_of(value, offset=7))
    assert msgspec.msgpack.Decoder(state).decode(blob or b"").version == 7
