"""What a benchmark yields: figures with the limit or the peer they are held against, as a table or as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from rich.table import Table

#: The benchmarks, in order; ``suite`` has them.
NAMES: Final = (
    *("fold", "stages", "trajectories", "engine", "restore", "sink", "latency", "files", "intake", "reports", "replay"),
    *("panel", "release", "gate", "year", "peers", "nation"),
)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One measured value; of several rounds the median.

    ``target`` is what must be reached, measured in ``unit``, or as a multiple of ``peer_value`` when there is a peer.
    ``most`` says that the target is an upper bound. ``cpu`` is processor time in microseconds per event of the process
    alone, which other work on the machine does not change; ``memory`` its largest resident size in MB.
    """

    benchmark: str
    what: str
    value: float
    unit: str
    target: float | None = None
    most: bool = False
    peer: str = ""
    peer_value: float | None = None
    cpu: float | None = None
    memory: float | None = None
    note: str = ""
    rounds: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Measured over peer, else over target; for an upper bound turned around: more is better."""
        if self.peer_value is not None:
            return self.peer_value / self.value if self.most else self.value / self.peer_value
        if not self.target or not self.value:
            return None
        return self.target / self.value if self.most else self.value / self.target

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None or self.ratio is None:
            return None
        if self.peer_value is None:
            return self.ratio >= 1
        return self.ratio >= (1 / self.target if self.most else self.target)

    def as_json(self) -> dict[str, Any]:
        """Every field, with ratio and verdict."""
        return {**asdict(self), "ratio": self.ratio, "reached": self.reached}


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def sentence(facts: dict[str, Any]) -> str:
    """The machine in one line."""
    return (
        f"{facts['cores']} cores, {facts['memory_gib']} GiB, {facts['processor'] or 'processor unknown'}, "
        f"{facts['system']}, Python {facts['python']}, load {facts['load_before']} before the run"
    )


_VERDICT: Final = {True: "reached", False: "missed", None: ""}


def table(title: str, figures: Sequence[Figure]) -> Table:
    """The figures of one benchmark."""
    made = Table("what", title=title, title_justify="left", title_style="bold")
    for column in ("measured", "target", "peer in the same run", "ratio", "CPU µs", "MB"):
        made.add_column(column, justify="right")
    made.add_column("")
    made.add_column("note", max_width=44)
    for one in figures:
        made.add_row(
            one.what, _number(one.value, one.unit), _target(one), _peer(one),
            "" if one.ratio is None else f"{one.ratio:.2f}", "" if one.cpu is None else f"{one.cpu:,.0f}",
            "" if one.memory is None else f"{one.memory:,.0f}", _VERDICT[one.reached], one.note,
            style="yellow" if one.reached is False else None,
        )  # fmt: skip
    return made


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _target(one: Figure) -> str:
    if one.target is None:
        return ""
    sign = "≤" if one.most else "≥"
    return f"{sign} {one.target:g} × peer" if one.peer_value is not None else f"{sign} {one.target:,g} {one.unit}"


def _peer(one: Figure) -> str:
    return "" if one.peer_value is None else f"{one.peer}: {_number(one.peer_value, one.unit)}"
