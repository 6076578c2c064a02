"""The clear part of an envelope is written by its publisher: only what has the form of the format goes on."""

from __future__ import annotations

from typing import Any

import pytest

from crypto import oprf
from schemas.codec import Record, Undecodable
from schemas.records import fact_to_record
from schemas.topics import EVALUATED, IN_TOPIC, LINES, RECEIPTS, REJECTED
from streams.admission import Admission
from streams.deliveries import Deliveries
from streams.engine.stage import Record as LogRecord
from streams.entry import EntryConfig, Stage
from streams.evaluate import Evaluator
from tests.streams.support import (
    BSN,
    DELIVERY,
    ENTRY_KEYS,
    EVALUATE_KEYS,
    FACTS,
    Recorder,
    codec,
    envelope,
    evaluated,
    honest,
    message,
    sealed,
)
from tests.trusted import admit, hub
from transport.clients import Cluster
from transport.health import HealthConfig

SCORE = IN_TOPIC["score"]
BAD: dict[str, dict[str, Any]] = {
    "a delivery that is no id": {"delivery": "de heer Jansen"},
    "a delivery that is too long": {"delivery": "a" * 33},
    "a delivery in capitals": {"delivery": "A" * 32},
    "a sender that is no AGB code": {"sender": BSN},
    "a sender without end": {"sender": "9" * 60_000},
    "no lines": {"lines": 0},
    "fewer than no lines": {"lines": -4},
    "a line beyond the last": {"lines": 3, "line": 4},
    "line zero": {"line": 0},
    "more lines than any delivery has": {"lines": 2**31 - 1},
}
TIMES = {"before 1970": -1, "far ahead": 2**62}


def hostile(name: str) -> Record:
    """Sealed as it should be, in the context of the bad header."""
    if name in TIMES:
        return honest("score") | {"published_at": TIMES[name]}
    line = BAD[name].get("line", 1)
    blinded, inverse = oprf.blind_message(oprf.bsn_input(BSN))
    header = {key: value for key, value in BAD[name].items() if key != "line"}
    return envelope(SCORE, blinded, inverse + sealed(fact_to_record(FACTS["score"])), line=line, **header)


@pytest.mark.parametrize("name", [*BAD, *TIMES])
def test_evaluate_refuses_it(name: str) -> None:
    evaluator, value = Evaluator(EVALUATE_KEYS, hub()[0]), codec("sor.in").encode(hostile(name))
    with pytest.raises(Undecodable, match="not the form"):
        evaluator.read(value)


@pytest.mark.parametrize("name", [*BAD, *TIMES])
def test_entry_refuses_it(name: str) -> None:
    out = Recorder()
    element = oprf.multiply(EVALUATE_KEYS.scalar, oprf.blind_message(oprf.bsn_input(BSN))[0])
    value = codec(EVALUATED).encode(evaluated(hostile(name), SCORE, element))
    Stage(EntryConfig(Cluster(""), ENTRY_KEYS, hub()[0], "", "0", HealthConfig()), out)([message(EVALUATED, value)])  # type: ignore[arg-type]
    [(_, letter)] = out.of(REJECTED)
    assert (letter["code"], letter["delivery"], letter["sender"], letter["line"]) == ("K03", "", "", 0)
    assert out.of(LINES) == []


@pytest.mark.parametrize(("regel", "regels"), [(-1, 1), (1, -1), (1, 2**31 - 1)])
def test_rows_that_cannot_be_are_refused(regel: int, regels: int) -> None:
    blinded, inverse = oprf.blind_message(oprf.bsn_input(BSN))
    plain = inverse + sealed(fact_to_record(FACTS["score"]), regel, regels)
    with pytest.raises(Undecodable, match="impossible"):
        admit(
            Admission(ENTRY_KEYS, hub()[0]), codec(EVALUATED).encode(evaluated(envelope(SCORE, blinded, plain), SCORE))
        )


@pytest.mark.parametrize(
    "key", [None, b"", b"\xff\xfe", b"f" * 32], ids=["none", "empty", "no text", "another delivery"]
)
def test_lines_are_keyed_by_the_delivery_whatever_the_record_was_keyed_by(key: bytes | None) -> None:
    """Else a publisher could stop the stage of the deliveries, or count into the receipt of somebody else."""
    out = Recorder()
    good = codec(EVALUATED).encode(evaluated(honest("score"), SCORE))
    poison = codec(EVALUATED).encode(evaluated(honest("score"), SCORE) | {"line": 2})
    stage = Stage(EntryConfig(Cluster(""), ENTRY_KEYS, hub()[0], "", "0", HealthConfig()), out)  # type: ignore[arg-type]
    stage([message(EVALUATED, good, key=key), message(EVALUATED, poison, key=key)])
    assert len({found for found, _ in out.of(LINES)}) == 1
    assert [line["delivery"] for _, line in out.of(LINES)] == [DELIVERY] * 2


def test_a_receipt_holds_whatever_is_counted() -> None:
    line = codec(LINES).encode(
        {
            "delivery": DELIVERY, "line": 1, "lines": 3, "kind": "score", "sender": "99000001", "test": False,
            "published_at": 1, "regel": 1, "regels": 2**31 - 1, "uitkomst": "geaccepteerd", "code": "", "veld": "",
        }
    )  # fmt: skip
    second = codec(LINES).encode(codec(LINES).decode(line) | {"line": 2})
    records = [LogRecord(0, line, 0), LogRecord(1, second, 0)]
    _, [out] = Deliveries()(b"f" * 32, None, records)
    assert codec(RECEIPTS).decode(out.value or b"")["regels_geaccepteerd"] == 2**31 - 1
