"""The engine beside what somebody would take instead: a bare loop, Kafka Streams and Quix Streams, one job, one broker.

The job is that of ``batch``. Kafka Streams runs in two forms: ``event`` (a changelog record and a row per event) and
``cached`` (both once per changed key per commit, as the engine does per batch). They take turns; the order moves on
every round. In the first round all states and rows of each are compared with the project's own fold.

Everyone: no compression, acks=all, idempotent producer, processes of its own, from the first event folded to the last
offset committed. Not equal, each being its owner's way: engine and bare loop commit after every batch, Kafka Streams
and Quix once a second; the bare loop keeps nothing on disk; the RocksDB of Kafka Streams writes no log of its own. The
figures of Java include warming up; its later half does not. The memory of Java is mostly the heap that it may have.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from local.errors import StackError
from settings.settings import Settings, load_settings
from tools.bench.figures import Figure, Tell, median
from tools.bench.peers_have import quix_python, streams_command
from tools.bench.peers_job import Job, Peer, expected
from tools.bench.peers_run import Commands, Result, measured
from tools.bench.services import Services, services

EACH: Final = "every event another key"
RUNS: Final = "8 events of a key in a row"
ENGINE: Final = {number: Peer("engine", number) for number in (1, 2)}
#: Who the engine with one worker, or with two, is held against.
BESIDE: Final[dict[int, dict[Peer, str]]] = {
    1: {Peer("bare"): "bare loop", Peer("streams"): "Kafka Streams", Peer("cached"): "Kafka Streams, cached",
        Peer("quix"): "Quix Streams"},
    2: {Peer("streams", 2): "Kafka Streams, 2 threads", Peer("cached", 2): "Kafka Streams, cached, 2 threads"},
}  # fmt: skip
#: Job and peer -> the least that the engine's events per second may be of the peer's, and the most of its processor.
RATE: Final = {(EACH, "bare"): 0.75, (RUNS, "bare"): 0.85, (RUNS, "streams"): 1.0, (RUNS, "cached"): 1.0}
CPU: Final = {(EACH, "streams"): 1.2}

Found = dict[Peer, list[Result]]


class PeerSizes(NamedTuple):
    """Events where every event is another key's, and where eight of a key follow each other."""

    each: int
    runs: int


def peers(sizes: PeerSizes, rounds: int, tell: Tell) -> list[Figure]:
    """Every peer with both jobs.

    Raises:
        StackError: Kafka Streams cannot be had, or a peer does not do the job.
    """
    settings = load_settings()
    with services() as running:
        commands = Commands(streams_command(settings, running.home), _quix(settings, tell))
        everyone = [peer for peer in _everyone() if peer.kind != "quix" or commands.quix]
        found: dict[str, Found] = {EACH: defaultdict(list), RUNS: defaultdict(list)}
        for number in range(rounds):
            order = everyone[number % len(everyone) :] + everyone[: number % len(everyone)]
            for name, events, length in ((EACH, sizes.each, 1), (RUNS, sizes.runs, 8)):
                tell(f"round {number + 1} of {rounds}, {name}: writing {events:,} events")
                job = Job(running, name, events, length)
                _round(running, job, order, commands, found[name], tell)
                job.forget()
    load = os.getloadavg()[0]
    return [one for name, results in found.items() for one in figures(name, results, load)]


def _everyone() -> list[Peer]:
    return [peer for number, engine in ENGINE.items() for peer in (engine, *BESIDE[number])]


def _quix(settings: Settings, tell: Tell) -> Path | None:
    try:
        return quix_python(settings.cache, tell)
    except StackError as problem:
        tell(f"{problem} The others are measured without it.")
        return None


def _round(running: Services, job: Job, order: list[Peer], commands: Commands, found: Found, tell: Tell) -> None:
    right = None if any(found.values()) else expected(job)
    for peer in order:
        tell(f"{job.name}: {peer.name}")
        one = measured(running, job, peer, commands)
        found[peer].append(one)
        tell(f"{job.name}: {peer.name} {one.rate:,.0f} events/s, {one.cpu:.1f} µs CPU, {one.memory:.0f} MB")
        if right is not None:
            job.check(peer, right)


def figures(job: str, found: Found, load: float) -> list[Figure]:
    """The engine beside each peer: events per second and processor time, of the whole and of the later half."""
    return [
        figure
        for workers, beside in BESIDE.items()
        for peer, name in beside.items()
        if found.get(peer)
        for figure in _beside(job, peer, name, found[ENGINE[workers]], found[peer], load)
    ]


def _beside(job: str, peer: Peer, name: str, mine: list[Result], other: list[Result], load: float) -> list[Figure]:
    ours, theirs = _middle(mine), _middle(other)
    what = f"{job}{', 2 workers' if peer.workers > 1 else ''}"
    target = (job, peer.kind) if peer.workers == 1 else ("", "")
    note = f"{name}: {theirs.cpu:.1f} µs CPU, {theirs.memory:.0f} MB; load {load:.1f}"
    made = [
        Figure("peers", f"engine, {what}", ours.rate, "events/s", RATE.get(target), peer=name, peer_value=theirs.rate,
               cpu=ours.cpu, memory=ours.memory, note=note, rounds=tuple(one.rate for one in mine)),
        Figure("peers", "… processor time", ours.cpu, "µs/event", CPU.get(target), most=True, peer=name,
               peer_value=theirs.cpu),
    ]  # fmt: skip
    if ours.late_rate and theirs.late_rate and ours.late_cpu and theirs.late_cpu:
        made += [
            Figure("peers", "… later half", ours.late_rate, "events/s", RATE.get(target), peer=name,
                   peer_value=theirs.late_rate, cpu=ours.late_cpu, note=f"{name}: {theirs.late_cpu:.1f} µs CPU"),
            Figure("peers", "… later half, processor time", ours.late_cpu, "µs/event", most=True, peer=name,
                   peer_value=theirs.late_cpu),
        ]  # fmt: skip
    return made


def _middle(results: list[Result]) -> Result:
    """The median of every figure over the rounds; of memory the most."""
    late = [(one.late_rate, one.late_cpu) for one in results if one.late_rate and one.late_cpu]
    return Result(
        median([one.rate for one in results]), median([one.cpu for one in results]), max(one.memory for one in results),
        median([rate for rate, _ in late]) if late else None, median([cpu for _, cpu in late]) if late else None,
    )  # fmt: skip
