"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One checked thing; ``advice`` says what to do and is empty when all is well."""

    name: str
    level: Level
    found: str
    advice: str = ""
