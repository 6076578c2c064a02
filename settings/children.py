"""Settings for processes that this one starts and that load their own."""

from __future__ import annotations

import os
from pathlib import Path

from settings.page import shown, variable


def hand_on(**chosen: object) -> None:
    """Options that won from the environment stand in it from now on, for every process that this one starts."""
    os.environ.update({variable(name): shown(value) for name, value in chosen.items()})


def count_together(folder: Path) -> None:
    """Every process that this one starts keeps its counters in files of this folder, which is emptied: their sum is
    shown by this one. The variable is that of ``prometheus_client``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
