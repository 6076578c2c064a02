"""What a part does when another part was lost: every case, by its own line of the table."""

from __future__ import annotations

from typing import cast

import pytest
from confluent_kafka import TopicPartition

from transport.lost import MOST_EPOCH, Beginning, FoundPlace, FoundStage, Placed, begin, clock_epoch, place, rows_since
from transport.notes import note_text, noted, noted_at

CLOCK = 500
NOTED = {"names": "a", "epoch": "7", "log": "L", "outs": "O"}
STAGE = FoundStage(noted=NOTED, log="L", outs="O", names="a", read=True, clock=CLOCK)

STAGES = {
    "all is as noted": (STAGE, Beginning(7, back=False, why="")),
    "a new installation, or a broker made anew: no note, nothing read": (
        STAGE._replace(noted={}, read=False),
        Beginning(CLOCK, back=False, why=""),
    ),
    "as before, and an operator ordered more": (
        STAGE._replace(noted={}, read=False, ordered=CLOCK + 1),
        Beginning(CLOCK + 1, back=False, why=""),
    ),
    "an installation of before the epochs": (
        STAGE._replace(noted={"names": "a"}),
        Beginning(0, back=False, why=""),
    ),
    "a release that noted nothing, of a stage with names": (
        STAGE._replace(noted={}),
        Beginning(0, back=True, why="the rows that are out have other names or definitions"),
    ),
    "a release that noted nothing, of a stage without": (
        STAGE._replace(noted={}, names=""),
        Beginning(0, back=False, why=""),
    ),
    "the changelog was made anew: its note is gone with it": (
        STAGE._replace(noted={}, stateless=True),
        Beginning(CLOCK, back=True, why="its states are gone"),
    ),
    "the changelog lost its records": (
        STAGE._replace(stateless=True),
        Beginning(CLOCK, back=True, why="its states are gone"),
    ),
    "only the source was made anew": (
        STAGE._replace(log="M", read=False),
        Beginning(CLOCK, back=True, why="its source was made anew"),
    ),
    "the clock is behind the epoch that is noted": (
        STAGE._replace(log="M", clock=3),
        Beginning(8, back=True, why="its source was made anew"),
    ),
    "offsets beyond the end": (
        STAGE._replace(beyond=True),
        Beginning(CLOCK, back=True, why="its source has lost its end"),
    ),
    "the state on disk was ahead of its changelog": (
        STAGE._replace(ahead=CLOCK - 2),
        Beginning(CLOCK, back=True, why="its changelog has lost its end"),
    ),
    "another worker has seen to that": (STAGE._replace(ahead=7), Beginning(7, back=False, why="")),
    "an operator ordered a higher epoch": (
        STAGE._replace(ordered=9),
        Beginning(9, back=True, why="an operator ordered it"),
    ),
    "what was ordered is done": (STAGE._replace(ordered=7), Beginning(7, back=False, why="")),
    "a row topic was made anew: the states stay": (
        STAGE._replace(outs="P"),
        Beginning(7, back=True, why="a topic of its rows was made anew"),
    ),
    "other names or definitions: the states stay": (
        STAGE._replace(names="b"),
        Beginning(7, back=True, why="the rows that are out have other names or definitions"),
    ),
}


@pytest.mark.parametrize(("found", "decided"), STAGES.values(), ids=STAGES)
def test_a_stage_begins(found: FoundStage, decided: Beginning) -> None:
    assert begin(found) == decided


@pytest.mark.parametrize(("found", "decided"), STAGES.values(), ids=STAGES)
def test_a_stage_that_has_settled_is_settled(found: FoundStage, decided: Beginning) -> None:
    """What it notes then leads to nothing more at its next start."""
    note = {**found.noted, "names": found.names, "epoch": str(decided.epoch), "log": found.log, "outs": found.outs}
    after = found._replace(noted=note, beyond=False, stateless=False, read=not decided.back)
    assert begin(after) == Beginning(decided.epoch, back=False, why="")


@pytest.mark.parametrize(
    ("note", "epoch", "since"),
    [
        ({}, 900, 900),  # a new installation
        ({"names": "a"}, 0, 0),  # one of before the epochs
        ({"epoch": "7", "since": "7"}, 7, 7),
        ({"epoch": "7", "since": "7"}, 900, 900),  # another log
        ({"epoch": "900", "since": "7"}, 900, 7),  # more partitions: the rows of before count
        ({"epoch": "900", "since": "7"}, 901, 901),
    ],
)
def test_since_when_rows_are_of_this_log(note: dict[str, str], epoch: int, since: int) -> None:
    assert rows_since(note, epoch) == since


AT = {"store": "S", "log": "T"}
PLACE = FoundPlace(committed=50, noted=AT, log="T", store="S", stand=50, first=10, end=90)

PLACES = {
    "all is as noted": (PLACE, Placed(50, "")),
    "a new partition": (PLACE._replace(committed=None, noted={}, stand=None), Placed(10, "")),
    "another store": (PLACE._replace(store="R", stand=None), Placed(10, "the store is another one")),
    "another store that was filled from this topic": (
        PLACE._replace(store="R", stand=30),
        Placed(30, "the store is behind"),
    ),
    "an older copy of the store": (PLACE._replace(stand=20), Placed(20, "the store is behind")),
    "one that is older than the topic": (PLACE._replace(stand=5), Placed(10, "the store is behind")),
    "its word was removed": (PLACE._replace(stand=None), Placed(10, "the store does not say that it has them")),
    "the table was emptied": (PLACE._replace(empty=True), Placed(10, "the table is empty")),
    "nothing was read, so nothing is lost": (PLACE._replace(committed=10, stand=None, empty=True), Placed(10, "")),
    "the group went back by hand": (PLACE._replace(committed=30), Placed(30, "")),
    "the topic was made anew, and its offsets are gone": (
        PLACE._replace(committed=None, noted={}, stand=None, first=0, former=True),
        Placed(0, "the topic was made anew"),
    ),
    "the topic was made anew, and an offset is left": (
        PLACE._replace(log="U", stand=None),
        Placed(10, "the topic was made anew"),
    ),
    "the broker went back: the store has more": (PLACE._replace(stand=95), Placed(50, "", ahead=True)),
    "the topic lost its end": (PLACE._replace(committed=95, stand=95), Placed(90, "", ahead=True)),
    "an earlier release noted nothing": (PLACE._replace(noted={}, stand=None), Placed(50, "")),
    "the offsets of the group are gone": (PLACE._replace(committed=None, noted={}), Placed(50, "")),
    "those and the rows": (PLACE._replace(committed=None, noted={}, empty=True), Placed(10, "")),
    "retention went past both": (PLACE._replace(committed=5, stand=5), Placed(10, "")),
}


@pytest.mark.parametrize(("found", "decided"), PLACES.values(), ids=PLACES)
def test_the_sink_begins(found: FoundPlace, decided: Placed) -> None:
    assert place(found) == decided


def test_the_clock_gives_minutes_and_fits_a_version() -> None:
    assert clock_epoch(0) == 1
    assert clock_epoch(1_767_225_600 + 3_600) == 60
    assert clock_epoch(1e12) == MOST_EPOCH
    assert MOST_EPOCH << 40 < 2**63


def test_a_note_keeps_the_words_of_others_and_reads_what_earlier_releases_wrote() -> None:
    assert noted(note_text({**NOTED, "other": "word"})) == {**NOTED, "other": "word"}
    assert noted("0a1b2c 3 4d5e6f") == {"names": "0a1b2c 3 4d5e6f"}
    assert noted(None) == noted("") == {}


class Torn:
    """A committed offset as librdkafka hands it out: what lay behind the text in memory came along."""

    def __init__(self, content: bytes, offset: int = 5) -> None:
        self.offset, self._content = offset, content

    @property
    def metadata(self) -> str:
        return self._content.decode()


@pytest.mark.parametrize("behind", [b"", b"\x96\x01", b"}]x", b" more", "\u00e9".encode(), b'{"a":"b"}'])
def test_a_note_is_read_without_what_lies_behind_it(behind: bytes) -> None:
    assert noted_at(cast(TopicPartition, Torn(note_text(NOTED).encode() + behind))) == NOTED
    assert noted_at(cast(TopicPartition, Torn(note_text(NOTED).encode(), offset=-1001))) == {}


def test_what_is_no_note_at_all_says_nothing() -> None:
    assert noted_at(cast(TopicPartition, Torn(b"\x96\x01\x02"))) == noted_at(cast(TopicPartition, Torn(b'{"a":'))) == {}
