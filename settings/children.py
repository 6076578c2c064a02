"""Settings for processes that this one starts and that load their own."""

from __future__ import annotations

import os

from settings.page import shown, variable


def hand_on(**chosen: object) -> None:
    """Options that won from the environment stand in it from now on, for every process that this one starts."""
    os.environ.update({variable(name): shown(value) for name, value in chosen.items()})
