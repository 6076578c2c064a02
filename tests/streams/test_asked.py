"""Asking that a client is forgotten, up to where it waits: who may, of whom, how old it may be, what comes twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto import erasures
from crypto.sign import Signer
from crypto.sources import Trust
from schemas.codec import Record
from schemas.erased import Erased
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, LINES, REGISTER, REJECTED, WISVERZOEKEN
from streams.asked import MOST_UNDERWAY_MS
from streams.entry import EntryConfig, Stage
from streams.erased import Ledger
from streams.evaluate import EvaluateConfig
from streams.evaluate import Stage as Evaluate
from tests.build import wisverzoek
from tests.streams import support
from tests.streams.support import (
    BSN,
    ENTRY_KEYS,
    EVALUATE_KEYS,
    OTHER,
    SENDER,
    Recorder,
    codec,
    evaluated,
    honest,
    message,
    refusal,
)
from tests.trusted import ARRIVED, EVERYTHING, hub, signer, with_authority
from transport.clients import Cluster
from transport.health import HealthConfig

ERASURE, SCORE = IN_TOPIC["erasure"], IN_TOPIC["score"]
NAME = erasures.of_root(b"r" * 32)


def asking(bsn: str = BSN, *, at: int = ARRIVED, **header: object) -> Record:
    """An envelope that asks to forget a client."""
    return honest("erasure", wisverzoek(), bsn, published_at=at, **header)  # type: ignore[arg-type]


def through(*records: Record, topic: str = ERASURE, ledger: Ledger | None = None) -> Recorder:
    """What entry publishes of them."""
    out, ledger = Recorder(), ledger or Ledger.empty()
    config = EntryConfig(Cluster(""), ENTRY_KEYS, hub()[0], "group", "0", HealthConfig(), ledger=ledger)
    values = [codec(EVALUATED).encode(evaluated(record, topic)) for record in records]
    Stage(config, out)([message(EVALUATED, value, at) for at, value in enumerate(values)])  # type: ignore[arg-type]
    return out


def test_it_waits_under_the_pseudonym_of_the_client_and_is_no_event() -> None:
    out = through(asking())
    [(key, asked)] = out.of(WISVERZOEKEN)
    [(client, _)] = through(honest("score"), topic=SCORE).of(EVENTS)
    [(handle, line)] = out.of(LINES)
    assert asked == {
        "pseudonym": client.decode(), "sender": SENDER, "door": "hub", "tijd": ARRIVED, "reden": "op verzoek",
    }  # fmt: skip
    assert key == handle + b"/1"
    assert (line["kind"], line["uitkomst"]) == ("erasure", "geaccepteerd")
    assert out.of(EVENTS) == out.of(REGISTER) == []


def test_nothing_else_of_it_says_of_whom_it_is() -> None:
    sent = through(asking()).sent
    assert not [value for _, _, value in sent if BSN.encode() in value]
    assert [topic for topic, _, value in sent if b"p1.jeugd" in value] == [WISVERZOEKEN]


def test_what_comes_twice_waits_once_and_another_asking_beside_it() -> None:
    again, other = asking(), asking(delivery="e" * 32)
    keys = [key for key, _ in through(again, again, other).of(WISVERZOEKEN)]
    assert (len(keys), len(set(keys))) == (3, 2)


def test_a_test_asks_for_nothing() -> None:
    out = through(asking(test=True))
    assert (len(out.of(LINES)), out.of(WISVERZOEKEN)) == (1, [])


@pytest.mark.parametrize(("age", "waits"), [(0, 1), (MOST_UNDERWAY_MS, 1), (MOST_UNDERWAY_MS + 1, 0)])
def test_an_old_one_that_is_sent_once_more_is_refused(age: int, waits: int) -> None:
    """Who has a copy of the sealed line cannot have a client forgotten when the source no longer asks it."""
    out = through(asking(at=ARRIVED - age))
    assert len(out.of(WISVERZOEKEN)) == waits
    assert [line["code"] for _, line in out.of(LINES)] == ([""] if waits else ["K11"])


def test_of_who_was_forgotten_since_an_older_one_does_not_come_back() -> None:
    client = through(asking()).of(WISVERZOEKEN)[0][1]["pseudonym"].encode()
    for moment, waits in ((ARRIVED + 1, 0), (ARRIVED, 1)):
        out = through(asking(), asking(OTHER, line=2), ledger=forgotten(client, moment))
        assert len(out.of(WISVERZOEKEN)) == waits + 1
        assert [line["uitkomst"] for _, line in out.of(LINES)] == ["geaccepteerd"] * 2, "its line tells nothing"


def forgotten(client: bytes, moment: int) -> Ledger:
    return Ledger(lambda: NAME, [Erased(naam=NAME(client), moment=moment)])


@pytest.mark.parametrize("kind", ["score", "start", "takeback"])
def test_it_comes_through_its_own_topic_alone(kind: str) -> None:
    """So a certificate for another kind does not do, whatever is sealed inside."""
    out = through(honest(kind, wisverzoek(), published_at=ARRIVED), topic=IN_TOPIC[kind])
    assert out.of(WISVERZOEKEN) == []
    assert [line["code"] for _, line in out.of(LINES)] == ["K04"]


def test_a_refused_line_asks_nothing() -> None:
    assert through(refusal("R01", "bsn", kind="erasure")).of(WISVERZOEKEN) == []


@pytest.mark.parametrize(
    ("kinds", "passes"), [({"*"}, False), ({"score", "takeback"}, False), ({"erasure"}, True), ({"*", "erasure"}, True)]
)
def test_a_source_without_the_right_is_not_evaluated(
    kinds: set[str], passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate for every kind does not do: it was given for what is delivered."""
    trust, source = sources(tmp_path, kinds)
    monkeypatch.setattr(support, "hub", lambda: (trust, source))
    out = Recorder()
    config = EvaluateConfig(Cluster(""), EVALUATE_KEYS, trust, "group", "0", HealthConfig())
    Evaluate(config, out)([message(ERASURE, codec("sor.in").encode(asking()))])  # type: ignore[arg-type]
    assert bool(out.of(EVALUATED)) is passes
    assert [dead["code"] for _, dead in out.of(REJECTED)] == ([] if passes else ["K05"])


def sources(folder: Path, kinds: set[str]) -> tuple[Trust, Signer]:
    """An authority, and a source of it that may send these kinds for everybody."""
    keys = folder / "keys"
    with_authority(keys)
    made = signer(folder / "keys-authority", keys, "without", EVERYTHING, frozenset(kinds))
    return Trust(keys), made
