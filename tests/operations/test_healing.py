"""What does not belong together, and what is done about it: every case by its own line, without any service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations import healing
from operations.healing import Act, RowsSeen, Seen, StageSeen, TopicSeen, acts, advice, findings
from schemas.topics import EVENTS, LINES, METINGEN, RECEIPTS, REGISTER, REJECTED, SCORES, TRAJECTEN
from streams.versions import version

CLOCK = 900
EPOCH = 5
STAGE = StageSeen(noted_log="L", log="L", epoch=EPOCH, since=EPOCH, to_go=0, end=100)
TOPIC = TopicSeen(log="T", stores=frozenset({"S"}), logs=frozenset({"T"}), ahead=0, filling=0, to_go=0)
ROWS = RowsSeen(former=0, highest=version(EPOCH, 99))
WELL = Seen(
    store="S",
    stages=dict.fromkeys(("trajectories", "deliveries", "register"), STAGE),
    topics=dict.fromkeys((TRAJECTEN, METINGEN, SCORES, RECEIPTS, REJECTED), TOPIC),
    rows=dict.fromkeys(("trajecten", "metingen", "scores", "receipts"), ROWS),
)


def stage(name: str, **changed: object) -> Seen:
    return replace(WELL, stages={**WELL.stages, name: STAGE._replace(**changed)})


def topic(name: str, seen: Seen = WELL, **changed: object) -> Seen:
    return replace(seen, topics={**seen.topics, name: TOPIC._replace(**changed)})


def rows(name: str, seen: Seen = WELL, **changed: int) -> Seen:
    return replace(seen, rows={**seen.rows, name: ROWS._replace(**changed)})


TRAJECTORIES_ANEW = [("rebuild", "trajectories", CLOCK), ("restart", "trajectories", 0)]
CASES = {
    "all belongs together": (WELL, [], []),
    "a source was made anew under a stage that runs": (
        stage("register", log="M"),
        [("log", "register")],
        [("restart", "register", 0)],
    ),
    "nothing is noted yet": (stage("trajectories", noted_log=""), [], []),
    "the broker went back": (
        topic(METINGEN, ahead=2),
        [("ahead", METINGEN)],
        [
            ("rebuild", "trajectories", CLOCK),
            ("forget", METINGEN, 0),
            ("restart", "sink", 0),
            ("restart", "trajectories", 0),
        ],
    ),
    "the broker went back, and the topic has no stage with an epoch": (
        topic(REJECTED, ahead=1),
        [("ahead", REJECTED)],
        [("forget", REJECTED, 0), ("restart", "sink", 0)],
    ),
    "a version beyond the end of the log": (
        rows("scores", highest=version(EPOCH, 100)),
        [("version", "scores")],
        TRAJECTORIES_ANEW,
    ),
    "a version of a later epoch than any clock gives": (
        rows("receipts", highest=version(CLOCK + 7, 0)),
        [("version", "receipts")],
        [("rebuild", "deliveries", CLOCK + 8), ("restart", "deliveries", 0)],
    ),
    "an empty log": (stage("trajectories", end=0, epoch=EPOCH + 1), [], []),
    "another store under a sink that runs": (
        topic(SCORES, stores=frozenset({"S", "R"})),
        [("store", SCORES)],
        [("restart", "sink", 0)],
    ),
    "another topic under a sink that runs": (
        topic(SCORES, logs=frozenset({"U"})),
        [("store", SCORES)],
        [("restart", "sink", 0)],
    ),
    "rows of a log that is gone": (
        rows("trajecten", former=3),
        [("former", "trajecten")],
        [("remove", "trajecten", EPOCH)],
    ),
    "they stay while events are still to be read": (
        rows("trajecten", stage("trajectories", to_go=4), former=3),
        [("former", "trajecten")],
        [],
    ),
    "and while rows are": (rows("scores", topic(SCORES, to_go=4), former=3), [("former", "scores")], []),
    "and where a stage is built anew first": (
        rows("trajecten", topic(METINGEN, ahead=1), former=3),
        [("ahead", METINGEN), ("former", "trajecten")],
        [
            ("rebuild", "trajectories", CLOCK),
            ("forget", METINGEN, 0),
            ("restart", "sink", 0),
            ("restart", "trajectories", 0),
        ],
    ),
    "more partitions raised the epoch, and the rows of before count": (
        rows("trajecten", stage("trajectories", epoch=EPOCH + 3, since=2), former=1),
        [("former", "trajecten")],
        [("remove", "trajecten", 2)],
    ),
    "receipts stay until asked": (rows("receipts", former=2), [("receipts", "receipts")], []),
    "a store that fills": (topic(SCORES, filling=9, to_go=9), [("filling", SCORES)], []),
}


@pytest.mark.parametrize(("seen", "found", "done"), CASES.values(), ids=CASES)
def test_what_is_found_and_done(seen: Seen, found: list[tuple[str, str]], done: list[tuple[str, str, int]]) -> None:
    assert [(one.kind, one.subject) for one in findings(seen)] == found
    assert [act[:3] for act in acts(seen, CLOCK)] == done
    assert all(str(one).endswith(".") for one in findings(seen))
    assert all(act.words for act in acts(seen, CLOCK))


def test_receipts_go_when_asked() -> None:
    (act,) = acts(rows("receipts", former=2), CLOCK, receipts=True)
    assert act == Act("remove", "receipts", EPOCH, "rows of receipts of a log that is gone are removed: 2")


def test_a_stage_is_built_anew_when_asked_under_a_higher_epoch_than_it_has() -> None:
    assert [act[:3] for act in acts(WELL, 1, rebuild=("register",))] == [
        ("rebuild", "register", EPOCH + 1),
        ("restart", "register", 0),
    ]


def test_every_table_with_versions_has_a_stage_and_every_stage_a_source() -> None:
    assert {"trajecten", "metingen", "scores", "receipts"} == set(healing.STAGE_OF)
    assert {"trajectories": EVENTS, "deliveries": LINES, "register": REGISTER} == healing.SOURCES


def test_advice_names_a_command_for_every_difference() -> None:
    for difference in ("missing", "extra", "different", "version", "state", "changelog"):
        assert "sor " in advice(difference)
        assert advice(difference, WELL) == advice(difference)
        assert "of a log that is gone" in advice(difference, rows("trajecten", former=3))
