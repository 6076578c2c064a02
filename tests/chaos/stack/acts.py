"""Striking, and measuring how long it takes until all is at work again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from tests.chaos.stack.plan import Fault
from tests.chaos.stack.probe import Place

#: Seconds: between two looks; for how long all must stay well before it counts; after which the run is given up.
_LOOK, _WELL, GIVE_UP = 0.4, 2.0, 180.0
_TICK: Final = 0.05


@dataclass
class Blow:
    """One fault that was dealt, and what came after it; moments on the monotonic clock.

    ``since``: from when recovery is counted: the fault; for what stood still, when it went on or was ended.
    ``still``: seconds that it stood still; ``ended``: by the supervisor, while it stood still.
    """

    number: int
    fault: Fault
    began: float
    since: float
    pid: int
    still: float = 0.0
    ended: bool = False
    own: float | None = None
    every: float | None = None
    why: dict[str, str] = field(default_factory=dict)

    def longest(self) -> float:
        """Seconds until the last was at work again; endless when it never was."""
        return max(_after(self.own, self.since), _after(self.every, self.since))

    def line(self) -> str:
        """What is printed about it."""
        own, every = _after(self.own, self.since), _after(self.every, self.since)
        still = ""
        if self.fault.how == "STOP":
            how = "ended by the supervisor" if self.ended else "went on"
            still = f"  ({how} after {self.still:.1f} s; {_after(self.own, self.began):.1f} s from the fault)"
        return f"{self.number:>4}  {self.fault.words():<24} itself {own:5.1f} s  everybody {every:5.1f} s{still}"

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "number": self.number, "how": self.fault.how, "whom": self.fault.whom, "stopped": self.still,
            "ended": self.ended, "own": _after(self.own, self.since), "every": _after(self.every, self.since),
        }  # fmt: skip


def _after(moment: float | None, since: float) -> float:
    return float("inf") if moment is None else max(moment - since, 0.0)


def strike(number: int, fault: Fault, process: psutil.Process) -> Blow:
    """Deal the fault; of a STOP until it is over."""
    began = time.monotonic()
    if fault.how == "KILL":
        process.kill()
    elif fault.how == "TERM":
        process.terminate()
    else:
        process.suspend()
        ended = not _stands_still(process, began + fault.seconds)
        over = time.monotonic()
        return Blow(number, fault, began, over, process.pid, over - began, ended)
    return Blow(number, fault, began, began, process.pid)


def _stands_still(process: psutil.Process, until: float) -> bool:
    """Whether it could go on at the end, or was ended before."""
    while time.monotonic() < until:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        time.sleep(_TICK)
    try:
        process.resume()
    except psutil.NoSuchProcess:
        return False
    return True


Missing = Callable[[dict[str, Place], dict[str, int | None]], dict[str, str]]


def settle(blows: list[Blow], missing: Missing, before: dict[str, Place], until: float | None = None) -> bool:
    """Look until all stay well, until ``until``, or until it is given up: whether all are well.

    Whoever was not well again when a second fault came is counted from that one.
    """
    last = max(blow.since for blow in blows)
    waits = [blow for blow in blows if blow.every is None]
    for blow in waits:
        blow.since, blow.own = last, None
    old = {blow.fault.whom: blow.pid if blow.fault.how != "STOP" or blow.ended else None for blow in blows}
    while True:
        now = time.monotonic()
        note(waits, missing(before, old), now)
        well = [blow.every for blow in waits]
        if all(moment is not None and time.monotonic() - moment >= _WELL for moment in well):
            return True
        if time.monotonic() > (until if until is not None else last + GIVE_UP):
            return False
        time.sleep(_LOOK)


def note(blows: list[Blow], why: dict[str, str], now: float) -> None:
    """One look: a moment stands as long as nothing is wrong since."""
    for blow in blows:
        alone = {name: words for name, words in why.items() if name == blow.fault.whom}
        blow.own = None if alone else blow.own if blow.own is not None else now
        blow.every = None if why else blow.every if blow.every is not None else now
        blow.why = why or blow.why
