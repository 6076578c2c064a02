"""The certificate of an erasure: what went where, what remains until when, and nobody's name but that in the ledger."""

from __future__ import annotations

import json

import pytest

from operations import certificates
from operations.erasing_rows import Removed
from operations.erasing_topics import Compacted
from operations.forgetting import Certificate
from operations.rewriting import Part, Rewritten

NAME = "0123456789abcdef0123456789abcdef"
MOMENT, DONE = 1_790_000_000_000, 1_790_000_060_000


def certificate(**changed: object) -> Certificate:
    found = Certificate(
        [NAME],
        MOMENT,
        logs=[Rewritten(Part("sor.events", 2), 0, 1_000, 990, 10, "ab", 1.5)],
        numbers=4,
        compacted=[Compacted("sor.trajecten", 3, gone=True)],
        tables=[Removed("trajecten", 5, 0, 0), Removed("vrijgave_leden", 12, 0, 0)],
        check_seconds=10,
    )
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def test_it_says_what_went_and_what_remains() -> None:
    told = certificates.document(certificate(), done_at=DONE, by="somebody", reason="asked for")
    assert json.loads(json.dumps(told)) == told
    assert told["entries"] == [NAME]
    assert told["logs"][0] == {
        "topic": "sor.events", "partition": 2, "removed_before_offset": 1_000, "records_left_out": 10,
        "records_copied": 990, "digest": "ab", "seconds": 1.5,
    }  # fmt: skip
    assert told["tables"][0] == {"table": "trajecten", "rows": 5, "left": 0, "old_parts": 0}
    assert any("sor.vrijgave_leden of before" in one["what"] for one in told["remains"])
    remains = {one["what"]: one["until"] for one in told["remains"]}
    assert "at most 70 s" in remains["files of the logs whose records were removed"]
    assert any("sor.evaluated" in what and "2026-10-05" in until for what, until in remains.items()), remains
    text = "\n".join(certificates.sentences(certificate(), done_at=DONE))
    for part in (
        NAME,
        "sor.events/2: 10 records removed, 990 kept",
        "taken out of 4 numbers",
        "5 rows removed",
        "sor.vrijgave_leden: 12 groups behind released figures no longer name rows of theirs",
    ):
        assert part in text
    assert certificates.complete(certificate())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"left": 2}, "2 records of the logs: do this again"),
        (
            {"compacted": [Compacted("sor.trajecten", 3, gone=False)]},
            "records of sor.trajecten that a tombstone replaced",
        ),
        ({"tables": [Removed("trajecten", 5, 1, 0)]}, "1 rows of sor.trajecten: do this again"),
        ({"tables": [Removed("vrijgave_leden", 5, 2, 0)]}, "2 groups with ids of sor.vrijgave_leden: do this again"),
        ({"tables": [Removed("trajecten", 5, 0, 3)]}, "3 parts of trajecten from before: the server removes them"),
    ],
)
def test_what_is_not_done_is_said_and_is_not_complete(changed: dict[str, object], words: str) -> None:
    found = certificate(**changed)
    assert not certificates.complete(found)
    assert words in "\n".join(certificates.sentences(found, done_at=DONE))


def test_of_somebody_of_whom_nothing_was_known_it_says_so() -> None:
    nobody = Certificate([NAME], MOMENT)
    assert "The logs held nothing of them." in certificates.sentences(nobody, done_at=DONE)
    assert certificates.complete(nobody)
