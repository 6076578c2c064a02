"""What became of each release: the log ``vrijgaven``, only added to, and what follows from it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from clickhouse_connect.driver.client import Client

from faults import OperatorFault
from sinks.clickhouse import select, told_apart

TABLE: Final = "vrijgaven"
#: What becomes of a release, in this order; a refused one and a withdrawn one go no further. One that stays begun broke
#: off, or is under way.
State = Literal["begonnen", "gebouwd", "goedgekeurd", "geweigerd", "gepubliceerd", "ingetrokken"]
#: What counts of several notes: the last, but never that somebody else began under the same number at the same moment.
_NEWEST: Final = "(stand != 'begonnen', op)"
_COLUMNS: Final = ("vrijgave", "stand", "dag", "basis", "definitie_versie", "reden", "door", "regels", "rapport")


class FiguresError(OperatorFault):
    """A release cannot be what is asked of it; the message says what to do."""


class Known(NamedTuple):
    """A release as it stands: its number, state, day, the published one that it was built on, and why it is."""

    number: int
    state: State
    day: date
    basis: int
    version: int
    reason: str
    by: str
    report: Mapping[str, Any]
    published: bool

    @property
    def stands(self) -> bool:
        """Whether readers see it, or would if no newer one did."""
        return self.state == "gepubliceerd"


def known(client: Client, database: str) -> list[Known]:
    """Every release by number."""
    rows = select(
        client,
        f"SELECT vrijgave, argMax(stand, {_NEWEST}), argMax(dag, {_NEWEST}), argMax(basis, {_NEWEST}), "  # noqa: S608
        f"argMax(definitie_versie, {_NEWEST}), argMaxIf(reden, op, reden != ''), argMax(door, op), "
        "argMaxIf(rapport, op, rapport != ''), "
        f"countIf(stand = 'gepubliceerd') > 0 FROM {database}.{TABLE} GROUP BY vrijgave ORDER BY vrijgave",
    )
    return [
        Known(number, state, on, basis, version, reason, by, json.loads(report or "{}"), published=bool(published))
        for number, state, on, basis, version, reason, by, report, published in rows
    ]


def begun(client: Client, database: str, tables: Sequence[str], *, on: date, basis: int) -> Known:
    """Take a number for a release that is built now; ``tables`` as of ``next_number``.

    Raises:
        FiguresError: another build took the same number at the same moment. Neither has it, both may be tried again.
    """
    number = next_number(client, database, tables)
    one = Known(number, "begonnen", on, basis, 0, "", "", {}, published=False)
    note(client, database, one, "begonnen")
    # A note is seen by whoever asks after it: of two the later one, at least, sees both.
    rows = select(client, f"SELECT count() FROM {database}.{TABLE} WHERE vrijgave = {number}")  # noqa: S608
    if rows != [(1,)]:
        raise FiguresError(f"Another release {number} is being built at this moment: build yours again.")
    return one


def next_number(client: Client, database: str, tables: Sequence[str]) -> int:
    """A number that no release has, nor a build that broke off before it was noted. ``tables``: where it may have left
    something.
    """
    parts = (f"SELECT max(vrijgave) AS number FROM {database}.{table}" for table in (TABLE, *tables))  # noqa: S608
    return 1 + max(int(number) for (number,) in select(client, " UNION ALL ".join(parts)))


def note(
    client: Client,
    database: str,
    one: Known,
    state: State,
    *,
    reason: str = "",
    rules: Mapping[str, Any] | None = None,
    report: Mapping[str, Any] | None = None,
) -> None:
    """Add what became of a release."""
    texts = [json.dumps(text) if text is not None else "" for text in (rules, report)]
    row: Sequence[Any] = (one.number, state, one.day, one.basis, one.version, reason, getpass.getuser(), *texts)
    with told_apart("Noting what became of a release"):
        client.insert(TABLE, [row], _COLUMNS, database=database)


def require_newest(one: Known, standing: int) -> None:
    """``FiguresError`` when another release came out since this one was built."""
    if one.basis != standing:
        raise FiguresError(f"Release {one.number} was built on {one.basis}, and {standing} is out: build another one.")


def require_nobody_forgotten(number: int, *, forgotten: bool) -> None:
    """``FiguresError`` when somebody was forgotten who is counted in a release that is not out."""
    if forgotten:
        raise FiguresError(f"Somebody behind release {number} was forgotten since it was built: build another one.")


def standing(releases: Sequence[Known]) -> int:
    """The number of the release that readers see; 0 = none."""
    return max((one.number for one in releases if one.stands), default=0)


def seen(releases: Sequence[Known]) -> tuple[int, ...]:
    """Numbers of all releases that were ever published, withdrawn or not."""
    return tuple(one.number for one in releases if one.published)


def found(releases: Sequence[Known], number: int) -> Known:
    """The release of a number. ``FiguresError`` when there is none."""
    for one in releases:
        if one.number == number:
            return one
    raise FiguresError(f"There is no release {number}; `sor release list` shows them.")
