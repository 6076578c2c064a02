"""The simulator's files through parsers, register and fold give the rows and figures that ``expected.json`` says."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from domain.field.dates import day
from domain.indicators.catalogue import INDICATORS, evaluate
from tests.tools.simulator_stream import Result, run
from tools.simulator import SimulationConfig, simulate
from tools.simulator.compare import expected

UNTIL = date(2026, 6, 30)


class World(NamedTuple):
    """A simulation, what it expects, and what came out of it in order of path."""

    root: Path
    document: dict[str, Any]
    result: Result


def _world(root: Path, seed: int, *, faults: bool) -> World:
    simulate(SimulationConfig(clients=160, months=24, seed=seed, faults=faults), root)
    return World(root, json.loads((root / "expected.json").read_text()), run(root))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A region with every fault."""
    return _world(tmp_path_factory.mktemp("faulty"), 34, faults=True)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A region as it should be."""
    return _world(tmp_path_factory.mktemp("clean"), 9, faults=False)


def _same(found: Counter[str], rows: Counter[str]) -> None:
    assert not found - rows, f"too much: {list((found - rows).elements())[:2]}"
    assert not rows - found, f"missing: {list((rows - found).elements())[:2]}"


def _paths(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*") if p.suffix in (".xml", ".csv"))


@pytest.mark.parametrize("kind", ["faulty", "clean"])
def test_rows_and_what_waits_are_as_expected(kind: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(kind)
    _same(world.result.rows, expected(world.document, cbs=True))
    waits = world.document["wacht"]
    assert world.result.waiting == {"metingen": waits["metingen"], "scores": waits["scores"]}
    assert world.result.outside == sum(origin["buiten"] for origin in world.document["bronnen"].values())
    assert world.result.outside > 0


def test_the_faulty_region_shows_every_state(faulty: World) -> None:
    rows = faulty.document["trajecten"]
    assert {row["status"] for row in rows} == {
        *("lopend", "gepauzeerd", "beeindigd", "wacht_op_start", "wacht_op_levering"),
    }
    assert {reason for row in rows for reason in row["wacht"]} == {"toewijzing", "start", "levering"}
    assert {flag for row in rows for flag in row["vlaggen"]} == {"TR056", "TR314", "TR333"}
    assert any(row["nieuwe_start"] for row in rows)
    assert any(row["metingen_jaren"] for row in rows)
    assert any(int(goal[:-1]) > 4 for row in rows for goal in row["gas"])
    assert any(row["leveringen"] > 1 for row in faulty.document["cbs"])


def test_a_clean_region_has_nothing_to_refuse_or_to_flag(clean: World) -> None:
    assert not clean.result.refused
    assert set(clean.result.flags) <= {"WORDT18"}
    assert clean.document["wacht"]["trajecten"] == {}
    files = Counter(path.name.split("_")[1] for path in _paths(clean.root) if path.suffix == ".xml")
    assert set(files) == {"JW301", "JW305", "JW306", "JW307", "JW308", "JW323", "JW325"}


def test_order_of_messages_and_a_second_delivery_change_nothing(faulty: World) -> None:
    """But for the uploads whose order has a meaning: scores, and CBS files."""
    paths = _paths(faulty.root)
    ordered = [path for path in paths if path.suffix == ".csv"]
    messages = [path for path in paths if path.suffix == ".xml"]
    random.Random(3).shuffle(messages)
    assert run(faulty.root, [*messages, *ordered]).rows == faulty.result.rows
    assert run(faulty.root, [*ordered, *messages[:500], *messages]).rows == faulty.result.rows


def test_a_cbs_redelivery_replaces_and_one_that_breaks_off_does_not(faulty: World) -> None:
    per_folder = {folder.name: _paths(folder) for folder in sorted((faulty.root / "cbs").iterdir()) if folder.is_dir()}
    assert [*per_folder] == ["1-eerste", "2-opnieuw", "3-half"]
    cbs = expected(faulty.document, cbs=True) - expected(faulty.document)
    first = run(faulty.root, per_folder["1-eerste"])
    assert first.rows != cbs
    assert sum((first.rows - cbs).values()) > 1
    _same(run(faulty.root, per_folder["1-eerste"] + per_folder["2-opnieuw"]).rows, cbs)
    everything = run(faulty.root, [path for paths in per_folder.values() for path in paths])
    _same(everything.rows, cbs)
    assert everything.refused == {"B03": len(per_folder["3-half"])}


def _figure(world: World, key: str, cluster: str = "") -> tuple[int, int]:
    groups = evaluate(INDICATORS[key], world.result.tables, ["cluster"] if cluster else [], reference_day=day(UNTIL))
    outcome = groups.get((cluster,) if cluster else ())
    return (int(outcome.numerator), int(outcome.denominator)) if outcome else (0, 0)


@pytest.mark.parametrize("kind", ["faulty", "clean"])
def test_new_starts_and_respons_are_as_expected(kind: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(kind)
    further = world.document["verder"]
    for cluster, wanted in {"": further["totaal"], **further["clusters"]}.items():
        for key in ("geen_nieuwe_start", "geen_nieuwe_start_voorlopig", "respons_cem", "respons_scores"):
            assert _figure(world, key, cluster) == (wanted[key]["teller"], wanted[key]["n"]), (key, cluster)
        year = wanted["respons_duurzaam"].get("2025", {"teller": 0, "n": 0})
        assert _figure(world, "respons_duurzaam", cluster) == (year["teller"], year["n"])
        for rater, counts in wanted["probleem"].items():
            for score, number in counts.items():
                assert _figure(world, f"probleem_{rater}_{score}", cluster)[0] == number
    assert further["totaal"]["respons_duurzaam"]["2025"]["n"] > 0
    assert further["totaal"]["geen_nieuwe_start"]["n"] > further["totaal"]["geen_nieuwe_start"]["teller"]


def test_the_figures_of_the_cbs_files_are_as_expected(faulty: World) -> None:
    cbs = faulty.document["verder"]["cbs"]
    assert _figure(faulty, "cbs_uitval") == (cbs["uitval"]["uitval"], cbs["uitval"]["n"])
    for klasse in ("wederzijds", "client", "aanbieder", "neutraal"):
        assert _figure(faulty, f"cbs_uitval_{klasse}") == (cbs["uitval"][klasse], cbs["uitval"]["n"])
    for mark, number in cbs["nut"]["verdeling"].items():
        assert _figure(faulty, f"cbs_nut_{mark}") == (number, cbs["nut"]["n"])
    assert _figure(faulty, "cbs_zonder_hulp") == (cbs["zonder_hulp"]["zonder_hulp"], cbs["zonder_hulp"]["n"])
    assert cbs["nut"]["n"] > 0


def test_the_figures_of_the_region_are_as_expected(faulty: World) -> None:
    """Without those of the CBS files, which have marks too."""
    for cluster, wanted in {
        "": faulty.document["indicatoren"]["totaal"],
        **faulty.document["indicatoren"]["clusters"],
    }.items():
        uitval = wanted["uitval"]
        assert _figure(faulty, "uitval", cluster) == (uitval["uitval"], uitval["n"])
        assert _figure(faulty, "nut_gemiddelde", cluster)[1] == wanted["nut"]["n"]
        assert _figure(faulty, "zonder_hulp", cluster) == (
            wanted["zonder_hulp"]["zonder_hulp"],
            wanted["zonder_hulp"]["n"],
        )
        assert _figure(faulty, "gas_bereikt", cluster) == (wanted["gas"]["bereikt"], wanted["gas"]["n"])
