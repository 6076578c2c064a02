"""The benchmarks: how figures are judged, what the loads hold, and that a measured process is followed to its end."""

from __future__ import annotations

import json
from collections import Counter
from io import BytesIO

import pytest
from typer.testing import CliRunner

from connectors.delivery.recognise import PARSERS
from connectors.formats.model import Afwijzing, FileContext
from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from domain.facts.checks import check
from sor.cli import app
from streams.engine.stage import Record
from streams.trajectories import Trajectories
from tools.bench import files, latency, load, panel, panel_rows
from tools.bench.figures import NAMES, Figure, table
from tools.bench.meter import Point, steady
from tools.bench.stages import StageSizes, trajectories
from tools.bench.suite import SUITE, chosen


def figure(value: float, target: float | None, *, most: bool = False, peer: float | None = None) -> Figure:
    return Figure("one", "thing", value, "events/s", target, most=most, peer="peer", peer_value=peer)


@pytest.mark.parametrize(
    ("one", "ratio", "reached"),
    [
        (figure(9_000, 8_000), 1.125, True),
        (figure(4_000, 8_000), 0.5, False),
        (figure(2.0, 4.0, most=True), 2.0, True),
        (figure(8.0, 4.0, most=True), 0.5, False),
        (figure(80, 0.7, peer=100), 0.8, True),
        (figure(60, 0.7, peer=100), 0.6, False),
        (figure(110, 1.2, most=True, peer=100), 100 / 110, True),
        (figure(130, 1.2, most=True, peer=100), 100 / 130, False),
        (figure(60, None, peer=100), 0.6, None),
        (figure(60, None), None, None),
    ],
)
def test_a_figure_is_held_against_its_limit_or_its_peer(one: Figure, ratio: float | None, reached: bool | None) -> None:
    assert one.ratio == (None if ratio is None else pytest.approx(ratio))
    assert one.reached is reached
    assert json.loads(json.dumps(one.as_json()))["reached"] is reached
    assert table("t", [one]).row_count == 1


def test_the_steady_part_leaves_out_the_start_and_the_first_tenth() -> None:
    points = [Point(0, 0, 1.0), Point(10, 5, 2.0), Point(11, 10, 2.1), Point(12, 60, 2.6), Point(13, 110, 3.1)]
    rate = steady(points, 50.0)
    assert (rate.rate, rate.events) == (50.0, 110)
    assert rate.cpu == pytest.approx(10_000)  # half a second for fifty events
    assert rate.memory == 50.0


def test_a_load_of_one_commit_is_measured_from_the_start() -> None:
    assert steady([Point(1, 0, 0.0), Point(3, 100, 1.0)], 1.0).rate == 50.0


def test_both_orders_of_the_lives_hold_the_same_facts() -> None:
    each, runs = list(load.lives(5, 20, runs=False)), list(load.lives(5, 20, runs=True))
    keys = [key for key, _ in each]
    assert len(set(keys[:20])) == 20
    assert keys[:20] == keys[20:40]
    assert [key for key, _ in runs[:8]] == [runs[0][0]] * 8
    assert Counter(keys) == Counter(key for key, _ in runs)
    assert not set(keys) & {key for key, _ in load.lives(25, 20, runs=True)}


def test_every_fact_of_a_life_is_accepted_and_links_to_one_traject() -> None:
    fold, blob, newest = Trajectories(ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))), None, {}
    for person in range(30):
        assert [check(fact) for fact in load.life(person)] == [None] * load.FACTS_OF_A_LIFE
    for offset, (key, value) in enumerate(load.lives(0, 1, runs=True)):
        blob, rows = fold(key, blob, [Record(offset, value, 0)])
        newest.update({(row.topic, row.key): row.value for row in rows})
    assert Counter(topic for topic, _ in newest) == {"sor.trajecten": 1, "sor.metingen": 1, "sor.scores": 1}


def test_the_files_are_good_files() -> None:
    for kind, content, records in (("score", files.rap(40, 1), 40), ("declaration", files.jw323(1), None)):
        made = list(PARSERS[kind](BytesIO(content), FileContext("naam", load.AGB, 1_780_000_000_000)))
        assert not [record for record in made if isinstance(record.inhoud, Afwijzing)]
        assert records in (None, len(made))
    assert 0.9e6 < len(files.jw323(1)) < 1.1e6


def test_every_watched_start_has_a_code_of_its_own() -> None:
    codes = {latency._code(number) for number in range(5_000)}
    assert len(codes) == 5_000
    assert {len(code) for code in codes} == {5}


@pytest.mark.parametrize("view", panel.VIEWS.values(), ids=panel.VIEWS)
def test_no_macro_is_left_in_a_panel(view: panel.View) -> None:
    queries = panel.queries(view.chosen, view.build, view.over)
    assert queries
    assert not [title for title, query in queries if "$" in query]


def test_rows_of_another_kind_have_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = panel_rows.fingerprint()
    monkeypatch.setattr(panel_rows, "_RELEASED", "SELECT 1")
    assert panel_rows.fingerprint() != before


def test_the_long_one_runs_only_when_asked_for() -> None:
    assert "panel" not in chosen([], full=False)
    assert chosen([], full=True) == list(NAMES) == list(SUITE)
    assert chosen(["panel"], full=False) == ["panel"]


def test_an_unknown_name_is_a_sentence() -> None:
    answer = CliRunner().invoke(app, ["bench", "nothing"])
    assert answer.exit_code == 2
    assert "nothing is none of" in answer.output


@pytest.mark.kafka
@pytest.mark.slow
def test_a_stage_and_its_peer_are_followed_to_the_end() -> None:
    told: list[str] = []
    found = trajectories(StageSizes(400, 800), 1, told.append)
    assert [one.benchmark for one in found] == ["trajectories"] * 4
    assert [one.note for one in found[::2]] == ["400 events", "800 events"]
    assert all(one.value > 0 for one in found)
    assert all(one.peer_value for one in found[1::2])
    assert told
