"""Every command that sees a BSN or a private key keeps its memory to itself: no core dump, and nobody looks in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Runs what is in ``argv`` and tells at its end what the system thinks of this process.
_CHILD = """
import atexit, ctypes, pathlib, sys
def tell():
    lines = pathlib.Path(f"/proc/self/limits").read_text().splitlines()
    (limit,) = (line.split()[4:6] for line in lines if "core" in line)
    print("MEMORY", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *limit, flush=True)
atexit.register(tell)
"""
_SOR = _CHILD + "from sor.cli import main\nmain()\n"
_WORKER = (
    _CHILD
    + """
from connectors.intake import work
work._Worker = lambda setup: None
work._begin(None)
"""
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word for it is Linux's")


def memory(tmp_path: Path, script: str, *words: str) -> list[str]:
    """Dumpable (1 or 0), and the soft and hard limit of a core dump, at the end of a process."""
    environment = {"SOR_HOME": str(tmp_path), "SOR_KAFKA": "127.0.0.1:1", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", script, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("MEMORY"))
    return line.split()[1:]


@pytest.mark.parametrize(
    "words",
    [
        ("deliver", "--check", "nothing.csv"),
        ("receipts", "--journaal", "--zoek", "4711"),
        ("intake", "--port", "0"),
        ("keys", "init"),
        ("keys", "show"),
        ("sources", "init", "--development"),
        ("sources", "issue", "12345678", "--for-all", "--kind", "*"),
        ("sources", "revoke", "12345678", "--reden", "lost"),
        ("sources", "list"),
        ("run", "evaluate"),
        ("run", "entry"),
    ],
    ids=" ".join,
)
def test_a_command_that_sees_secrets_keeps_its_memory(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert memory(tmp_path, _SOR, *words) == ["0", "0", "0"]


def test_a_worker_of_the_intake_does_too(tmp_path: Path) -> None:
    assert memory(tmp_path, _WORKER) == ["0", "0", "0"]


def test_the_check_sees_a_process_that_does_not(tmp_path: Path) -> None:
    assert memory(tmp_path, _SOR, "settings")[0] == "1"
