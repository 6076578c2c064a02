"""The whole audit: every bucket of clients, as many at once as memory takes, and what it says in the end."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from crypto.client_names import BUCKETS, ClientNames
from domain.field.definitions import SHIPPED, Definitions
from operations.audit.check import PATIENCE, Checker, Outcome, World
from operations.audit.comparison import TABLES, Difference, Finding, strays
from operations.audit.lives import Buckets
from operations.audit.states import StateDifference, StateFinding
from operations.audit.tables import named_rows, repeated_rows
from operations.log_reader import log_ends
from schemas.codec import IdSource
from transport.clients import Cluster

#: The last answer, in the home folder; the exporter shows its age and its differences.
KEPT: Final = "audit.json"
#: Events of the buckets that are in memory at one time: about 0.3 GB, and their rows as much again.
EVENTS_AT_ONCE: Final = 1_000_000


@dataclass
class Report:
    """The whole audit. ``moved``: not everything could be compared while it stood still, so differences prove nothing.

    ``behind``: the stage that was not level with the log, ``unsettled``: buckets of
    clients that moved all the time. ``states``: of
    the changelog of ``trajectories`` and of its stores on this machine.
    """

    events: int
    moved: bool
    findings: list[Finding]
    states: list[StateFinding] = field(default_factory=list)
    behind: str = ""
    unsettled: int = 0

    @property
    def equal(self) -> bool:
        """Every table, and every state, is what the log yields."""
        return all(finding.equal for finding in self.findings) and all(place.equal for place in self.states)

    @property
    def rows(self) -> int:
        """Rows that differ."""
        return sum(sum(finding.counts.values()) for finding in self.findings)

    def document(self) -> str:
        """As ``sor audit --json`` prints it, and as it is kept in the home folder."""
        return json.dumps(dataclasses.asdict(self) | {"equal": self.equal}, indent=2)


@dataclass
class Whole:
    """A report with what a repair needs to know: each difference, with whose it is. It stays in memory."""

    report: Report
    rows: list[Difference]
    states: list[StateDifference]


def slices(events: int, at_once: int = EVENTS_AT_ONCE) -> Iterator[Buckets]:
    """The buckets to check together, so that none has many more than ``at_once`` of the events; None: all."""
    parts = min(BUCKETS, max(1, -(-events // at_once)))
    if parts == 1:
        yield None
        return
    for part in range(parts):
        yield frozenset(range(part * BUCKETS // parts, (part + 1) * BUCKETS // parts))


def run(
    cluster: Cluster,
    client: Client,
    names: ClientNames,
    tell: Callable[[int], None],
    ids: IdSource | None = None,
    definitions: Definitions = SHIPPED,
    *,
    epoch: int = 0,
    home: Path | None = None,
) -> Report:
    """Recompute every row and every state from the log and compare them, column by column.

    ``names`` are those of ``trajectories``: who audits may read both sides and holds a copy of its keys.
    ``definitions`` are those in force there; rows that were made by others are different, for they say by which.
    ``home``: the installation of which the stores of the stage are compared as well.
    """
    return whole(World(cluster, client, names, definitions, ids, epoch, home), tell).report


def whole(
    world: World, tell: Callable[[int], None], at_once: int = EVENTS_AT_ONCE, patience: float = PATIENCE
) -> Whole:
    """As ``run``, with every difference. ``patience``: seconds that it waits for the stages."""
    checker = Checker(world, tell, patience=patience)
    try:
        skips = checker.skips()
        log = log_ends(world.cluster)
        parts = [(part, checker.check(part, skips)) for part in slices(log.events, at_once)]
    finally:
        checker.close()
    return gathered(world, log.events, parts)


def gathered(world: World, events: int, parts: list[tuple[Buckets, Outcome]]) -> Whole:
    """The findings of all parts together."""
    outcomes = [outcome for _, outcome in parts]
    rows = strays([one for outcome in outcomes for one in outcome.rows])
    states = [one for outcome in outcomes for one in outcome.states]
    findings = [_finding(name, outcomes, rows) for name in TABLES]
    for finding in findings:
        finding.named = named_rows(TABLES[finding.table], world.client)
        finding.repeated = sum(len(repeated_rows(TABLES[finding.table], world.client, part)) for part, _ in parts)
    behind = next((outcome.behind for outcome in outcomes if outcome.behind), "")
    unsettled = sum(outcome.unsettled for outcome in outcomes)
    unproven = not all(outcome.proven for outcome in outcomes)
    report = Report(events, unproven, findings, _places(outcomes, states), behind, unsettled)
    report.moved |= bool(unsettled and report.equal)
    return Whole(report, rows, states)


def _finding(name: str, outcomes: list[Outcome], rows: list[Difference]) -> Finding:
    expected, found = (sum(side) for side in zip(*((o.expected[name], o.found[name]) for o in outcomes), strict=True))
    finding = Finding(name, expected, found)
    finding.take(one for one in rows if one.table == name)
    return finding


def _places(outcomes: list[Outcome], states: list[StateDifference]) -> list[StateFinding]:
    """The places of which anything was compared."""
    findings = []
    for where in ("changelog", "store"):
        mine = [one for one in states if one.where == where]
        finding = StateFinding(where, sum(outcome.compared[where] for outcome in outcomes))
        finding.take(mine)
        if mine or finding.compared:
            findings.append(finding)
    return findings
