"""The last answer of an audit, as ``sor status`` shows it."""

from __future__ import annotations

import json
import time
from pathlib import Path

from operations.audit.full import KEPT

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def kept_words(home: Path, now: float | None = None) -> str:
    """One sentence about the answer in the home folder; empty when there is none, or it cannot be read."""
    path = home / KEPT
    try:
        report, made = json.loads(path.read_text("utf-8")), path.stat().st_mtime
        equal, moved = bool(report["equal"]), bool(report["moved"])
        rows = {one["table"]: len({*one["missing"], *one["extra"], *one["different"]}) for one in report["findings"]}
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    ago = _ago((time.time() if now is None else now) - made)
    if equal:
        return f"Last audit, {ago}: equal."
    if moved:
        return f"Last audit, {ago}: it proved nothing, for a stage was behind. Run: sor audit"
    found = ", ".join(f"{number} rows of {table}" for table, number in rows.items() if number)
    return f"Last audit, {ago}: not equal ({found or 'states or versions'}). Look with: sor audit"


def _ago(seconds: float) -> str:
    for unit, size in (("days", _DAY), ("hours", _HOUR)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(0.0, seconds) / _MINUTE:.0f} minutes ago"
