"""Each stage alone, as the process that ``sor run`` starts, over a topic that was filled before."""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, LINES, groups
from tools.bench import bare, load
from tools.bench.figures import Figure, Tell, median
from tools.bench.meter import Offsets, Rate, follow
from tools.bench.services import Services, services

#: Lines in a row of one client, as in a declaration; events in a row of one person.
RUN: Final = 8
_SOURCES: Final = {"evaluate": [IN_TOPIC["declaration"]], "entry": [EVALUATED], "deliveries": [LINES]}
_TARGETS: Final = {
    ("evaluate", 1): 8_000.0, ("evaluate", RUN): 20_000.0, ("entry", 1): 8_000.0, ("entry", RUN): 20_000.0
}  # fmt: skip
_STATE_TARGETS: Final = {1: 8_000.0, RUN: 25_000.0}
_OF_BARE: Final = 0.7


class StageSizes(NamedTuple):
    """Events of a load, where every event is another client's, and where clients repeat."""

    each: int
    runs: int


def stateless(sizes: StageSizes, rounds: int, tell: Tell) -> list[Figure]:
    """evaluate, entry and deliveries, one after the other over the same sealed declarations."""
    found: dict[tuple[str, int], list[Rate]] = {}
    with services() as running:
        first = 0
        for number in range(rounds):
            for events, repeat in ((sizes.each, 1), (sizes.runs, RUN)):
                tell(f"round {number + 1} of {rounds}: sealing {events:,} lines, {_words(repeat)}")
                sealed = load.sealed_declarations(running.keys, running.cluster, events, repeat, first)
                first += sealed // load.LINES
                for stage, source in _SOURCES.items():
                    tell(f"round {number + 1} of {rounds}: {stage}, {_words(repeat)}")
                    rate = _stage(running, stage, source)
                    found.setdefault((stage, repeat), []).append(_of_lines(rate, sealed))
    return [
        _figure("stages", f"{stage}, {_words(repeat)}", rates, _TARGETS.get((stage, repeat)))
        for (stage, repeat), rates in sorted(found.items(), key=lambda item: (list(_SOURCES).index(item[0][0]), item))
    ]


def _of_lines(rate: Rate, lines: int) -> Rate:
    """A rate by lines of the load, where one record tells of several."""
    several = lines / rate.events
    return Rate(rate.rate * several, rate.cpu / several, rate.memory, lines)


def _words(repeat: int) -> str:
    return "every event another client" if repeat == 1 else f"{repeat} events of a client in a row"


def _stage(running: Services, stage: str, source: list[str]) -> Rate:
    """One stage from where it stopped to the end of its topic."""
    offsets = Offsets(running.cluster, groups()[stage], source)
    before = offsets.committed()
    running.start(stage)
    try:
        return follow(offsets, running.running[stage], before)
    finally:
        running.stop(stage)
        offsets.close()


def _figure(benchmark: str, what: str, rates: list[Rate], target: float | None) -> Figure:
    return Figure(
        benchmark, what, median([r.rate for r in rates]), "events/s", target, cpu=median([r.cpu for r in rates]),
        memory=max(r.memory for r in rates), note=f"{rates[0].events:,} events", rounds=tuple(r.rate for r in rates),
    )  # fmt: skip


def trajectories(sizes: StageSizes, rounds: int, tell: Tell) -> list[Figure]:
    """The stage with state on disk, beside a bare loop with a dict and the same fold, taking turns."""
    found: dict[int, tuple[list[Rate], list[Rate]]] = {1: ([], []), RUN: ([], [])}
    with services() as running:
        bare.prepare(running.cluster)
        first = 0
        for number in range(rounds):
            for events, repeat in ((sizes.each, 1), (sizes.runs, RUN)):
                turn = f"round {number + 1} of {rounds}, {_words(repeat)}"
                tell(f"{turn}: writing {events:,} events")
                persons = events // load.FACTS_OF_A_LIFE
                load.publish_lives(running.cluster, first, persons, runs=repeat > 1)
                first += persons
                stage, peer = found[repeat]
                tell(f"{turn}: the stage")
                stage.append(_stage(running, "trajectories", [EVENTS]))
                tell(f"{turn}: a bare loop")
                peer.append(_bare(running))
    return [figure for repeat, rates in found.items() for figure in _beside(repeat, *rates)]


def _beside(repeat: int, stage: list[Rate], loop: list[Rate]) -> list[Figure]:
    what = f"trajectories, {_words(repeat)}"
    peer = median([rate.rate for rate in loop])
    whole = _figure("trajectories", what, stage, _STATE_TARGETS[repeat])
    cpu = median([rate.cpu for rate in loop])
    ratio = Figure(
        "trajectories", f"{what}: beside a bare loop", whole.value, "events/s", _OF_BARE, peer="dict",
        peer_value=peer, cpu=whole.cpu, memory=whole.memory, note=f"bare loop: {cpu:.0f} µs per event",
    )  # fmt: skip
    return [whole, ratio]


def _bare(running: Services) -> Rate:
    """The peer over the same events. It keeps no state over turns, and every turn has new persons."""
    offsets = Offsets(running.cluster, bare.GROUP, [EVENTS])
    before = offsets.committed()
    process = running.process("tools.bench.bare", running.cluster.bootstrap)
    try:
        return follow(offsets, process, before)
    finally:
        process.stop()
        offsets.close()
