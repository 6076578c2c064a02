"""Poison on the real stages: who is set aside, who is not, and what makes a stage stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from crypto.seal import hash_of
from crypto.sign import Signer
from crypto.sources import Trust
from schemas.codec import Record
from schemas.orders import RELEASE, Order, Place, release_of
from schemas.topics import EVALUATED, IN_TOPIC, LINES, REJECTED
from streams import entry, evaluate
from streams.envelope import context_of
from streams.orders import Desk
from streams.poison import LEAST, TooMuchPoison
from tests.streams.support import ENTRY_KEYS, EVALUATE_KEYS, Recorder, codec, evaluated, honest, message
from tests.trusted import EVERYTHING, signer, with_authority
from transport.clients import Cluster
from transport.health import HealthConfig
from transport.orders import Skips

SCORE = IN_TOPIC["score"]
STAGES = ("evaluate", "entry")
SKIPPED = 4711  # offset of the record that an operator ordered to be left out


class Region:
    """One stage, several sources of one authority, and what the stage published."""

    def __init__(self, folder: Path, stage: str) -> None:
        self.keys, self.authority = folder / "keys", folder / "keys-authority"
        with_authority(self.keys)
        self.stage, self.out, self.orders = stage, Recorder(), list[Order]()
        self.topic = SCORE if stage == "evaluate" else EVALUATED
        self.sources: dict[str, Signer] = {}
        trust, page = Trust(self.keys), HealthConfig()
        skips = Skips(stage, [Place(self.topic, 2, SKIPPED)])
        desk = Desk(stage, [SCORE, EVALUATED], skips=skips, news=self.orders.copy)
        desk._due = float("inf")  # looks when the test says so
        self.desk = desk
        self.run: Any = (
            evaluate.Stage(evaluate.EvaluateConfig(Cluster(""), EVALUATE_KEYS, trust, "", "0", page), self.out, desk)  # type: ignore[arg-type]
            if stage == "evaluate"
            else entry.Stage(entry.EntryConfig(Cluster(""), ENTRY_KEYS, trust, "", "0", page), self.out, desk)  # type: ignore[arg-type]
        )
        self._good = honest("score") if stage == "evaluate" else evaluated(honest("score"), SCORE)

    def record(self, source: str, offset: int = 7, **changed: Any) -> Message:
        """A good record of a source; changes are made after it was signed."""
        if source not in self.sources:
            self.sources[source] = signer(self.authority, self.keys, source, EVERYTHING, EVERYTHING)
        made: Record = dict(self._good)
        first = made.get("evaluate_hash") or hash_of(made["evaluate_wrapped"])
        signed = context_of(made, SCORE).signed(first, hash_of(made["entry_wrapped"]))  # type: ignore[arg-type]
        made |= {"certificate": self.sources[source].certificate, "signature": self.sources[source].sign(signed)}
        contract = "sor.in" if self.stage == "evaluate" else EVALUATED
        return message(self.topic, codec(contract).encode(made | changed), offset)

    def poison(self, source: str, count: int) -> list[Message]:
        """Records with a good signature that do not open: the line is moved."""
        return [self.record(source, line=2)] * count

    def codes(self) -> list[str]:
        return [letter["code"] for _, letter in self.out.of(REJECTED)]

    def passed(self) -> int:
        """Records that went on."""
        if self.stage == "evaluate":
            return len(self.out.of(EVALUATED))
        return sum(not line["code"] for _, line in self.out.of(LINES))


@pytest.fixture(params=STAGES)
def region(tmp_path: Path, request: pytest.FixtureRequest) -> Region:
    return Region(tmp_path, request.param)


def test_a_source_full_of_poison_is_set_aside_and_the_others_flow(region: Region) -> None:
    good = region.record("99000002")
    region.run([*region.poison("99000001", LEAST), region.record("99000001"), good])
    assert region.codes() == ["K01"] * LEAST + ["K06"], "the record after the limit was a good one, and is not opened"
    assert region.passed() == 1
    letter = region.out.of(REJECTED)[-1][1]
    assert (letter["source"], letter["sender"]) == ("99000001", "99000001"), "so that it can be found and put back"


def test_a_released_source_flows_again(region: Region) -> None:
    region.run(region.poison("99000001", LEAST))
    region.orders += [release_of("99000001", stage, reason="mended", by="me", at=1) for stage in STAGES]
    assert {order.action for order in region.orders} == {RELEASE}
    region.desk._due = 0.0
    region.run([region.record("99000001")])
    assert region.passed() == 1


def test_what_a_source_did_not_sign_well_does_not_count_against_it(region: Region) -> None:
    region.run([region.record("99000001", signature=bytes(64))] * (3 * LEAST))
    region.run([region.record("99000001")])
    assert region.codes() == ["K05"] * (3 * LEAST)
    assert region.passed() == 1


def test_poison_of_most_sources_at_once_leaves_the_batch_uncommitted(region: Region) -> None:
    """The exception leaves the handler, so the loop flushes and commits nothing of the batch."""
    region.run([*region.poison("99000001", LEAST), *region.poison("99000002", LEAST)])
    with pytest.raises(TooMuchPoison, match=region.stage):
        region.run(region.poison("99000003", LEAST))


def test_what_an_operator_ordered_to_be_left_out_is_a_dead_letter_and_nothing_else(region: Region) -> None:
    region.run([region.record("99000001", SKIPPED), region.record("99000001", SKIPPED + 1)])
    [(key, letter)] = region.out.of(REJECTED)
    assert (key, letter["code"], letter["offset"], letter["source"]) == (b"", "K09", SKIPPED, "")
    assert region.passed() == 1
