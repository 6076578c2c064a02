"""Which ports of 127.0.0.1 the stack of one home uses: a block of 100 from ``base`` on.

``<home>/stack.json`` remembers the base, so that two checkouts run side by side and every command finds its own stack.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from settings.settings import Settings, SettingsError

METRICS_OF: Final = (
    *(
        "clickhouse",
        "evaluate",
        "entry",
        "trajectories",
        "deliveries",
        "sink",
        "kafka",
        "register",
        "exporter",
        "takeback",
    ),
    "intake",
    "audit",
    "portal",
)
"""Processes with a metrics port, in the order of their ports: base+10, base+11, …"""


@dataclass(frozen=True)
class Ports:
    """The ports of one installation, all on 127.0.0.1."""

    base: int

    @property
    def kafka(self) -> int:
        """The broker."""
        return self.base

    @property
    def controller(self) -> int:
        """The broker's controller."""
        return self.base + 1

    @property
    def clickhouse(self) -> int:
        """ClickHouse's HTTP protocol."""
        return self.base + 2

    @property
    def intake(self) -> int:
        """The HTTP intake."""
        return self.base + 3

    @property
    def portal(self) -> int:
        """The pages for people."""
        return self.base + 4

    def metrics(self, name: str) -> int:
        """``/ready`` and ``/metrics`` of the process ``name``."""
        return self.base + 10 + METRICS_OF.index(name)

    def services(self) -> dict[int, str]:
        """Every port with the name of what listens there."""
        fixed = {
            self.kafka: "kafka",
            self.controller: "kafka controller",
            self.clickhouse: "clickhouse",
            self.intake: "intake",
            self.portal: "portal",
        }
        return fixed | {self.metrics(name): f"{name} metrics" for name in METRICS_OF}


def memory(home: Path) -> Path:
    """The file that remembers the base."""
    return home / "stack.json"


def remembered_ports(settings: Settings) -> Ports | None:
    """The ports in use or used last; None before the first ``sor up``. ``SOR_PORTS`` wins."""
    if settings.ports is not None:
        return Ports(settings.ports)
    try:
        return Ports(int(json.loads(memory(settings.home).read_text("utf-8"))["ports"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{memory(settings.home)} cannot be read. Remove it; sor up then chooses ports anew."
        ) from None
