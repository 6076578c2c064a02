"""A whole run: start, deliver, strike, look, judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from tests.chaos.stack import judge
from tests.chaos.stack.acts import GIVE_UP, Blow, settle, strike
from tests.chaos.stack.plan import Fault, plan
from tests.chaos.stack.probe import Probe
from tests.chaos.stack.source import Source, portions, region
from tests.chaos.stack.stack import Stack

Tell = Callable[[str], None]
LIMIT: Final = 30.0
_START: Final = 120.0


@dataclass
class Asked:
    """What is asked for. It ends after ``minutes`` or ``faults``, whichever comes first."""

    seed: int
    minutes: float = 30.0
    faults: int | None = None
    clients: int = 60
    limit: float = LIMIT


@dataclass
class Found:
    """What came of it."""

    blows: list[Blow] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    receipts: int = 0
    lines: int = 0
    retries: dict[str, int] = field(default_factory=dict)
    starts: int = 0

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        return vars(self) | {"blows": [blow.document() for blow in self.blows]}

    def closing(self) -> str:
        """The figures in one sentence."""
        worst = max((blow.longest() for blow in self.blows), default=0.0)
        again = ", ".join(f"{word} {number}" for word, number in sorted(self.retries.items())) or "none"
        return (
            f"{len(self.blows)} faults, longest recovery {worst:.1f} s; {self.receipts} deliveries with {self.lines} "
            f"lines, retries of the source: {again}; sor up started {self.starts} times"
        )


def run(asked: Asked, home: Path, tell: Tell) -> Found:
    """In a home that is empty."""
    folder, found = home / "files", Found()
    region(folder, asked.clients, asked.seed)
    with Stack(home) as stack:
        probe = Probe(stack)
        began = time.monotonic()
        _wait_for_the_start(stack, probe)
        tell(f"      the stack is up after {time.monotonic() - began:.1f} s, ports from {stack.ports.base} on")
        source = Source(stack.settings, portions(folder))
        source.start()
        if _strikes(asked, stack, probe, found, tell):
            found.wrong += judge.verdict(stack, probe, source, folder)
        found.receipts, found.retries = len(source.receipts), dict(source.retries)
        found.lines = sum(lines for lines, _ in source.receipts.values())
        found.starts = stack.starts
    return found


def _wait_for_the_start(stack: Stack, probe: Probe) -> None:
    end = time.monotonic() + _START
    while missing := probe.missing({}, {}):
        if time.monotonic() > end:
            raise AssertionError(f"the stack did not start: {missing}; {stack.last_lines('supervisor')}")
        time.sleep(0.5)


def _strikes(asked: Asked, stack: Stack, probe: Probe, found: Found, tell: Tell) -> bool:
    """Fault after fault; False when the stack did not come back and the run was given up."""
    end = time.monotonic() + asked.minutes * 60
    for fault in plan(asked.seed):
        if time.monotonic() > end or (asked.faults is not None and len(found.blows) >= asked.faults):
            return True
        time.sleep(fault.rest)
        blows, well = _strike(len(found.blows) + 1, fault, stack, probe)
        found.blows += blows
        for blow in blows:
            tell(blow.line())
            if blow.longest() > asked.limit:
                found.wrong.append(f"Fault {blow.number}, {blow.fault.words()}: not well within {asked.limit:.0f} s.")
                _explain(blow, stack, tell)
        if not well:
            found.wrong.append(f"Not well {GIVE_UP:.0f} s after fault {blows[-1].number}: {blows[-1].why}")
            return False
    return True


def _strike(number: int, fault: Fault, stack: Stack, probe: Probe) -> tuple[list[Blow], bool]:
    blows = [_deal(number, fault, stack)]
    if fault.then is not None:
        moment = blows[0].began + fault.then.rest
        settle(blows, probe.missing, {}, until=moment)
        time.sleep(max(moment - time.monotonic(), 0.0))
        blows.append(_deal(number + 1, fault.then, stack))
    return blows, settle(blows, probe.missing, {})


def _deal(number: int, fault: Fault, stack: Stack) -> Blow:
    while True:  # it may have gone between looking and striking
        try:
            return strike(number, fault, stack.process(fault.whom, 30.0))
        except psutil.NoSuchProcess:
            continue


def _explain(blow: Blow, stack: Stack, tell: Tell) -> None:
    for whom in dict.fromkeys((blow.fault.whom, *blow.why)):
        tell(f"      {whom}: {blow.why.get(whom, 'well')}. The last lines of its log:")
        for line in stack.last_lines(whom):
            tell(f"        {line[:300]}")
