"""From configuration to a directory of files: the whole way on one page."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

from faults import OperatorFault
from tools.simulator.almere import make_almere
from tools.simulator.assignments import make_toewijzingen
from tools.simulator.config import Progress, SimulationConfig
from tools.simulator.model import World
from tools.simulator.outcomes import Outcomes
from tools.simulator.population import Numbers, Population, make_aanbieders
from tools.simulator.writer import Summary, Writer

OURS = ("berichten", "rap", "cem", "bergop", "cbs", "te-laat", "expected.json", "faults.json", "README.txt")


class SimulationError(OperatorFault):
    """The simulation cannot start; the sentence says what to do."""


def simulate(config: SimulationConfig, out: Path, progress: Progress | None = None) -> Summary:
    """Decide a world and write it to ``out``.

    Raises SimulationError for a wrong configuration or a directory that is not empty.
    """
    _check(config)
    prepare(out, force=config.force)
    world, numbers = build_world(config, progress or _silent)
    return write_world(world, numbers, config, out, progress)


def build_world(config: SimulationConfig, progress: Progress) -> tuple[World, Numbers]:
    """Everything that is decided, without writing. Also the counters of numbers, to go on from."""
    aanbieders = make_aanbieders(config.seed, config.clients)
    population = Population(config.seed, config.first, config.until, aanbieders)
    outcomes = Outcomes(config.seed, config.until, aanbieders)
    clients = []
    for index, client in enumerate(population.clients(config.clients)):
        make_toewijzingen(Random(f"{config.seed}|toewijzing|{index}"), client, config.until)
        outcomes.add(index, client)
        clients.append(client)
        progress("cliënten", index + 1, config.clients)
    almere = make_almere(config.seed, config.until, clients)
    return World(aanbieders, clients, almere), population.numbers


def write_world(
    world: World, numbers: Numbers, config: SimulationConfig, out: Path, progress: Progress | None = None
) -> Summary:
    """Write the files of a world, made by ``build_world`` or by hand, and what must come out of them."""
    return Writer(world, numbers, config, out, progress or _silent).write()


def prepare(out: Path, *, force: bool) -> None:
    """Make ``out`` an empty place for our files: refuses what is there, or with ``force`` removes an earlier run."""
    if out.exists() and not out.is_dir():
        raise SimulationError(f"{out} is a file. Name a directory with --out.")
    if not out.exists() or not any(out.iterdir()):
        return
    if not force:
        raise SimulationError(
            f"{out} is not empty. Choose another directory, or replace an earlier simulation with --force."
        )
    for name in OURS:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _check(config: SimulationConfig) -> None:
    if config.clients < 1 or config.months < 1:
        raise SimulationError("At least one client and one month are needed: raise --clients or --months.")
    if config.first.year < 2022:
        raise SimulationError(
            "The period would start before 2022, when the codes were others: lower --months or choose a later --until."
        )


def _silent(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""
