"""What ``sor schedule`` came to, in one small file: which month is done, and whether something went wrong."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from faults import OperatorFault

#: In the home folder: the exporter reads it.
STATE: Final = "schedule.json"


class ScheduleError(OperatorFault):
    """The month cannot be closed; what is published stays as it is."""


class GateRefuses(ScheduleError):
    """The gate lets no release through: somebody looks at figures, and mending a machine does not help."""


class Done(NamedTuple):
    """The newest month of which everything went out, and the release that readers see.

    ``apart``: the newest month of which the reports without averages went out by themselves, as the gate refused.
    """

    month: str = ""
    release: int = 0
    apart: str = ""


class Last(NamedTuple):
    """What the last run came to: when (seconds since 1970), what went wrong (empty = nothing), and whether that was the
    gate.
    """

    at: int
    problem: str
    refused: bool


@dataclass(frozen=True)
class State:
    """The file with what the last run came to."""

    path: Path

    def done(self) -> Done:
        """What is known to be done; nothing before the first run.

        Raises:
            ScheduleError: the file is none of ours.
        """
        found = self._read()
        return Done(str(found["month"]), int(found["release"]), str(found.get("apart", ""))) if found else Done()

    def last(self) -> Last | None:
        """The last run; None before the first. ``ScheduleError`` as for ``done``."""
        found = self._read()
        return Last(int(found["at"]), str(found["problem"]), bool(found.get("refused"))) if found else None

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self.path.read_text("utf-8"))
            int(found["at"]), int(found["release"]), found["month"], found["problem"]
            return dict(found)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise ScheduleError(
                f"{self.path} cannot be read ({type(problem).__name__}); moved away, only the newest month is closed."
            ) from None

    def note(self, done: Done, problem: str = "", *, refused: bool = False) -> None:
        """Write down how far it is, and what went wrong. ``ScheduleError`` when that cannot be."""
        document: dict[str, Any] = {**done._asdict(), "problem": problem, "refused": refused, "at": int(time.time())}
        half = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            half.write_text(json.dumps(document, indent=2), "utf-8")
            half.replace(self.path)
        except OSError as error:
            raise ScheduleError(f"{self.path} cannot be written ({type(error).__name__}).") from error
