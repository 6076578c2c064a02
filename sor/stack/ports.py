"""Which ports of 127.0.0.1 this installation uses, and who has a port that is taken.

A block of 100 ports starts at ``base``. ``<home>/stack.json`` remembers the base that was chosen, so that two
checkouts run side by side and every command finds its own stack.
"""

import contextlib
import json
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from sor.settings import HIGHEST_BASE, Settings
from sor.stack.errors import StackError

FIRST_BASE = 27000
BLOCK = 100
METRICS_OF = ("clickhouse", "evaluate", "entry", "trajectories", "deliveries", "sink", "kafka", "register", "exporter")
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

    def metrics(self, name: str) -> int:
        """``/ready`` and ``/metrics`` of the process ``name``."""
        return self.base + 10 + METRICS_OF.index(name)

    def services(self) -> dict[int, str]:
        """Every port with the name of what listens there."""
        fixed = {self.kafka: "kafka", self.controller: "kafka controller", self.clickhouse: "clickhouse"}
        return fixed | {self.metrics(name): f"{name} metrics" for name in METRICS_OF}


def remembered_ports(settings: Settings) -> Ports | None:
    """The ports in use or used last; None before the first ``sor up``. ``SOR_PORTS`` wins."""
    if settings.ports is not None:
        return Ports(settings.ports)
    try:
        return Ports(int(json.loads(_memory(settings.home).read_text("utf-8"))["ports"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise StackError(
            f"{_memory(settings.home)} cannot be read. Remove it; sor up then chooses ports anew."
        ) from None


def choose_ports(settings: Settings) -> Ports:
    """The ports to start on: those set, else those remembered, else the first free block; remembers the choice.

    A remembered block that another checkout has taken since is exchanged for a free one.

    Raises:
        StackError: a port of the block that was set is taken, or no block is free.
    """
    ports = remembered_ports(settings)
    if settings.ports is not None:
        ports = Ports(settings.ports)
        require_free(ports.services())
    elif ports is None or not _all_free(ports):
        ports = _free_block()
    settings.home.mkdir(parents=True, exist_ok=True)
    scratch = _memory(settings.home).with_suffix(".new")
    scratch.write_text(json.dumps({"ports": ports.base}) + "\n", "utf-8")
    scratch.replace(_memory(settings.home))
    return ports


def require_free(services: dict[int, str]) -> None:
    """Raise a StackError that names the first taken port, what it is for, who has it and what to do."""
    for port, name in services.items():
        if not is_free(port):
            raise StackError(
                f"Port {port}, needed for {name}, is taken by {holder(port)}. "
                "Stop that process, or set SOR_PORTS to another base port."
            )


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that is free at this moment, for tests."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def holder(port: int) -> str:
    """Who listens on a port, in words: "java (process 4711)", as far as the system lets us see."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                return _process_name(connection.pid)
    return "another process"


def _process_name(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    with contextlib.suppress(psutil.Error):
        return f"{psutil.Process(pid).name()} (process {pid})"
    return f"process {pid}"


def _free_block() -> Ports:
    for base in range(FIRST_BASE, HIGHEST_BASE, BLOCK):
        ports = Ports(base)
        if _all_free(ports):
            return ports
    raise StackError(f"No block of {BLOCK} free ports from {FIRST_BASE} on. Set SOR_PORTS to a base port you can use.")


def _all_free(ports: Ports) -> bool:
    return all(is_free(port) for port in ports.services())


def _memory(home: Path) -> Path:
    return home / "stack.json"
