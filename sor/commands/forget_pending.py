"""``sor forget --pending``: what sources asked is shown, agreed to and carried out, or declined (decision 0029)."""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import typer

from faults import OperatorFault
from operations import asked
from operations.asked import EMPTY, Waiting
from operations.erasing_topics import take_out
from operations.erasures import ledger
from schemas.topics import WISVERZOEKEN
from sor.commands import forgetting
from sor.commands.forgetting import NOT_ALL, Work, keep, say

_NOTHING: Final = "Nobody asked that a client is forgotten."


class NobodyAgrees(OperatorFault):
    """There is nobody to ask, and this was not said beforehand."""


class Choice(NamedTuple):
    """What of it: of one source (empty: of all), clients of others as well, off the list instead, without asking."""

    source: str
    shared: bool
    decline: bool
    yes: bool


def carry_out(work: Work, choice: Choice) -> None:
    """Show what waits, and do with it what was chosen. Ends with 1 when it is not agreed to."""
    found = asked.waiting(work.cluster, ledger(work.cluster, work.settings.keys, work.ids), work.ids, work.patience)
    mine = [one for one in found if choice.source in ("", one.asked.door)]
    typer.echo("\n".join(asked.table(mine)) or _NOTHING, err=work.as_json)
    if choice.decline:
        _decline(work, mine, choice)
        return
    done = asked.chosen(mine, source=choice.source, shared=choice.shared)
    empty = [one for one in mine if one.standing in EMPTY]
    clients = sorted({one.client for one in done})
    if not (done or empty):
        _nothing_done(work, mine)
        return
    _agree(f"Forget {len(clients)} clients for good, and close {len(empty)} with nothing to do?", choice)
    if empty:
        _close(work, empty, "closed")
    if clients:
        forgetting.carry_out(work, clients, asked.requests(done))


def _decline(work: Work, found: Sequence[Waiting], choice: Choice) -> None:
    if not found:
        _nothing_done(work, found)
        return
    _agree(f"Take {len(found)} off the list, and forget nobody?", choice)
    _close(work, found, "declined")


def _nothing_done(work: Work, left: Sequence[Waiting]) -> None:
    if work.as_json:
        typer.echo(json.dumps({"entries": [], "waiting": len(left)}))


def _close(work: Work, found: Sequence[Waiting], what: str) -> None:
    """Off the list and out of its files; a note of it is kept that names no client."""
    out = take_out(work.cluster, WISVERZOEKEN, {one.key for one in found}, work.patience)
    now = int(time.time() * 1000)
    who = [one._asdict() for one in asked.requests(found)]
    told = {what: who, "done_at": now, "by": getpass.getuser(), "reden": work.reason, "gone": out.gone}
    keep(work, f"{what}-{now}.json", told)
    if not out.gone:
        say(f"{WISVERZOEKEN} is not yet cleaned: the cleaner goes on by itself.")
    if work.as_json and what == "declined":
        typer.echo(json.dumps(told, indent=2))


def _terminal() -> bool:
    return sys.stdin.isatty()


def _agree(question: str, choice: Choice) -> None:
    if choice.yes:
        return
    if not _terminal():
        raise NobodyAgrees(f"{question} Give --yes, or use a terminal.")
    if not typer.confirm(question, err=True):
        raise typer.Exit(NOT_ALL)
