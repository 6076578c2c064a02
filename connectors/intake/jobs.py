"""What goes to a worker and what comes back: an upload, and what became of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from connectors.intake.tokens import Caller

Why = Literal["malformed", "not_trusted", "foreign", "too_large"]


class Job(Struct, frozen=True):
    """One file."""

    agb: str  # whose token it was
    name: str  # as the sender calls the file; may be empty
    test: bool
    content: bytes

    def __repr__(self) -> str:
        return f"Job({len(self.content)} bytes)"


class SealedJob(Struct, frozen=True):
    """One body of sealed lines."""

    caller: Caller  # whose token it was
    content: bytes

    def __repr__(self) -> str:
        return f"SealedJob({len(self.content)} bytes)"


class Refused(Struct, frozen=True):
    """A file that cannot be counted: rule, and what was found (code, number of the element, field)."""

    code: str
    found: tuple[tuple[str, int, str], ...] = ()


class Denied(Struct, frozen=True):
    """A sealed body of which nothing was published; ``field`` and ``line`` say where its form is wrong."""

    why: Why
    field: str = ""
    line: int = 0


class Done(Struct, frozen=True):
    """A delivery of which the broker has every record, or every record of one sealed body."""

    id: str
    kind: str
    sender: str
    test: bool
    lines: int
    time: int  # ms: when it was taken up
    refused: int = 0  # records refused here
    codes: dict[str, int] = {}
    counts: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)  # lines of a CSV file: all, empty, header, data, errors
    whole: Refused | None = None  # the file as a whole is refused, and counted as one refused record
    published: int = 0  # lines of a sealed body, which may be a part of its delivery
