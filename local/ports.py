"""Choosing the ports of this installation, and who has a port that is taken."""

from __future__ import annotations

import contextlib
import json
import socket

import psutil

from local.errors import StackError
from settings.ports import Ports, memory, remembered_ports
from settings.settings import HIGHEST_BASE, Settings

FIRST_BASE = 27000
BLOCK = 100


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
    scratch = memory(settings.home).with_suffix(".new")
    scratch.write_text(json.dumps({"ports": ports.base}) + "\n", "utf-8")
    scratch.replace(memory(settings.home))
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
