"""The benchmarks by name, and their sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tools.bench import (
    files,
    fold,
    intake,
    latency,
    nation,
    nation_stream,
    others,
    panel,
    peers,
    release,
    replay,
    reports,
    stages,
)
from tools.bench.figures import NAMES, Figure, Tell


class Choice(NamedTuple):
    """What was asked for: small sizes, how often what is cheap is repeated, where rows are kept for a next run, and how
    large a part of the nation.
    """

    quick: bool
    rounds: int
    folder: Path | None = None
    persons: int | None = None


Run = Callable[[Choice, Tell], list[Figure]]


class Benchmark(NamedTuple):
    """One entry of the suite; ``full`` runs only when asked for."""

    title: str
    run: Run
    full: bool = False


def _stages(choice: Choice, tell: Tell) -> list[Figure]:
    sizes = stages.StageSizes(16_000, 32_000) if choice.quick else stages.StageSizes(60_000, 120_000)
    return stages.stateless(sizes, choice.rounds, tell)


def _trajectories(choice: Choice, tell: Tell) -> list[Figure]:
    sizes = stages.StageSizes(16_000, 32_000) if choice.quick else stages.StageSizes(80_000, 160_000)
    return stages.trajectories(sizes, choice.rounds, tell)


def _engine_sizes(choice: Choice) -> others.EngineSizes:
    return others.EngineSizes(30_000, 60_000, 20_000) if choice.quick else others.EngineSizes(150_000, 300_000, 200_000)


def _engine(choice: Choice, tell: Tell) -> list[Figure]:
    return others.engine(_engine_sizes(choice), choice.rounds, tell)


def _restore(choice: Choice, tell: Tell) -> list[Figure]:
    return others.restore(_engine_sizes(choice), choice.rounds, tell)


def _sink(choice: Choice, tell: Tell) -> list[Figure]:
    return others.sink(others.SinkSizes(20_000 if choice.quick else 100_000), choice.rounds, tell)


def _latency(choice: Choice, tell: Tell) -> list[Figure]:
    sizes = latency.LatencySizes(500, 4, 8) if choice.quick else latency.LatencySizes(1_000, 5, 30)
    return latency.latency(sizes, tell)


def _files(choice: Choice, tell: Tell) -> list[Figure]:
    sizes = files.FileSizes(2_000, 3, 5) if choice.quick else files.FileSizes(10_000, 25, 20)
    return files.files(sizes, choice.rounds, tell)


def _fold(choice: Choice, tell: Tell) -> list[Figure]:
    return fold.folding(fold.FoldSizes(200 if choice.quick else 1_000), choice.rounds, tell)


def _intake(choice: Choice, tell: Tell) -> list[Figure]:
    sizes = intake.IntakeSizes(20, 60, 100) if choice.quick else intake.IntakeSizes(200, 1_000, 400)
    return intake.intake(sizes, tell)


def _reports(choice: Choice, tell: Tell) -> list[Figure]:
    return reports.reports(reports.ReportSizes(100 if choice.quick else 1_000), tell)


def _panel(choice: Choice, tell: Tell) -> list[Figure]:
    full = panel.PanelSizes(5_000_000, 10, 1_000, 300_000)
    return panel.panel(panel.PanelSizes(100_000, 2, 500, 30_000) if choice.quick else full, tell, choice.folder)


def _release(choice: Choice, tell: Tell) -> list[Figure]:
    return release.cube(release.CubeSizes(60_000 if choice.quick else 1_000_000), choice.rounds, tell)


def _gate(choice: Choice, tell: Tell) -> list[Figure]:
    from tools.bench import gate  # a solver: loaded by who asks for it

    return gate.gate(gate.GateSizes(scale=0.05) if choice.quick else gate.GateSizes(months=3), tell)


def _replay(choice: Choice, tell: Tell) -> list[Figure]:
    return replay.replaying(replay.ReplaySizes(3_000 if choice.quick else 60_000), tell)


def _year(choice: Choice, tell: Tell) -> list[Figure]:
    return replay.replaying(replay.ReplaySizes(3_000 if choice.quick else nation.CLIENTS), tell)


def _peers(choice: Choice, tell: Tell) -> list[Figure]:
    sizes = peers.PeerSizes(20_000, 40_000) if choice.quick else peers.PeerSizes(300_000, 600_000)
    return peers.peers(sizes, choice.rounds, tell)


def _nation(choice: Choice, tell: Tell) -> list[Figure]:
    persons = choice.persons or (1_000 if choice.quick else nation_stream.PERSONS)
    return nation_stream.streaming(nation_stream.sized(persons), tell)


SUITE: Final[dict[str, Benchmark]] = {
    "fold": Benchmark("The fold by itself, on simulated care", _fold),
    "stages": Benchmark("The stages without state, one process each, over Kafka", _stages),
    "trajectories": Benchmark("The stage trajectories: real fold, state on disk", _trajectories),
    "engine": Benchmark("The batch engine with a small fold", _engine),
    "restore": Benchmark("State restored after a crash", _restore),
    "sink": Benchmark("The sink", _sink),
    "latency": Benchmark("End to end: publication to queryable row", _latency),
    "files": Benchmark("Files through sor deliver", _files),
    "intake": Benchmark("The HTTP intake with many senders at once", _intake),
    "reports": Benchmark("A thousand reports of providers", _reports),
    "replay": Benchmark("A replay: a million events under another window", _replay),
    "panel": Benchmark("The pages of results", _panel, full=True),
    "release": Benchmark("The cube of a release, in memory", _release),
    "gate": Benchmark("The gate over a region, every family", _gate, full=True),
    "year": Benchmark("A replay of a national year: eleven million events", _year, full=True),
    "peers": Benchmark("The engine beside Kafka Streams, Quix Streams and a bare loop", _peers, full=True),
    "nation": Benchmark("A national year through the stream", _nation, full=True),
}
assert tuple(SUITE) == NAMES  # noqa: S101 - the help of the command would be wrong


def chosen(names: list[str], *, full: bool) -> list[str]:
    """Names to run, in order: those asked for, else all but the long ones. ``KeyError`` for an unknown name."""
    for name in names:
        SUITE[name]
    return names or [name for name, one in SUITE.items() if full or not one.full]
