"""``sor keys``: make, look at and change the key folders (docs/decisions/0025)."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import typer

from connectors import masking
from crypto import key_list, key_log, keys
from crypto.key_list import FORMER, NEXT, Key
from crypto.key_log import Head
from crypto.memory import guard
from crypto.rotation import day
from crypto.seal import key_id
from faults import EXIT_CLEAN
from operations.doctor.held import retention
from settings.settings import load_settings
from sor.commands import key_rotation

_DAY: Final = 86400
_DIFFERENT: Final = 1


def register(app: typer.Typer) -> None:
    """Add ``sor keys``."""
    group = typer.Typer(no_args_is_help=True, help="The key folders: public, evaluate, entry, trajectories.")
    group.command("init")(init)
    group.command("complete")(complete)
    group.command("show")(show)
    group.command("list")(list_)
    group.command("destroy")(destroy)
    group.command("verify")(verify)
    key_rotation.add(group)
    app.add_typer(group, name="keys")


def init(domain: Annotated[str, typer.Option(help="Domain of the pseudonyms: letters and digits.")] = "jeugd") -> None:
    """Make the key folders. Keys are never overwritten."""
    guard()
    folder = load_settings().keys
    keys.init(folder, domain)
    typer.echo(f"Made {folder}/public, {folder}/evaluate, {folder}/entry and {folder}/trajectories.")
    typer.echo("Give each process its own folder and no other. Keep a copy of evaluate and of entry in two places that")
    typer.echo(
        "no single person can open: together they name every child, and without them no pseudonym can be made again."
    )


def complete() -> None:
    """Make the key folder that keys of an earlier release lack (trajectories), and touch no other."""
    guard()
    folder = load_settings().keys
    if not (folder / keys.PUBLIC).exists():
        raise keys.KeysError(f"There are no keys in {folder} to complete; `sor keys init` makes keys.")
    if not keys.complete(folder):
        typer.echo(f"Nothing is missing in {folder}.")
        return
    typer.echo(f"Made {folder}/trajectories. At its next start that stage gives out every row under new names.")


def show() -> None:
    """Show the names of the public keys, and whether the scalar of evaluate is the published one."""
    guard()
    folder = load_settings().keys
    public = keys.load_public(folder)
    typer.echo(f"suite {public.suite}, epoch {public.epoch}, domain {public.domain}")
    typer.echo(f"evaluate {key_id(public.evaluate).hex()}  entry {key_id(public.entry).hex()}  k·G {public.oprf.hex()}")
    for one in public.next:
        typer.echo(f"{one.receiver} {key_id(one.public).hex()} counts from {day(one.counts_from // 1000)} on")
    if (folder / keys.EVALUATE).exists():
        keys.load_evaluate(folder)
        typer.echo("The scalar of evaluate is the published one.")


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """List the keys of the folders that are here: id, age, which counts, when a former one may be destroyed."""
    guard()
    found = key_list.held(load_settings().keys, retention())
    now = int(time.time())
    if as_json:
        typer.echo(masking.json_text([_row(one, now) for one in found]))
        return
    for one in found:
        age = "age unknown" if one.made is None else f"{max(0, now - one.made) // _DAY} days old"
        typer.echo(f"{one.part:12}  {one.what:7}  {one.id}  {one.state:7}  {age}{_more(one, now)}")
    typer.echo(f"{len(found)} key(s). Certificates: `sor sources list`.")


def destroy(
    identifier: Annotated[str, typer.Argument(metavar="[ID]", help="One former key; all that may go otherwise.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    unseen: Annotated[
        bool,
        typer.Option(
            "--unseen", help="Also where no log of use is here: no source has sealed to the key since the switch."
        ),
    ] = False,
) -> None:
    """Destroy former keys for which no record is kept any more; refuses what comes too early. It cannot be undone."""
    guard()
    folder, now = load_settings().keys, int(time.time())
    former = [one for one in key_list.held(folder, retention(), log_is_here=unseen) if one.state == FORMER]
    if identifier:
        former = [one for one in former if one.id == identifier]
        if not former:
            raise keys.KeysError(f"There is no former key {identifier} here; `sor keys list` shows what there is.")
        for one in former:
            if one.may_go is None or one.may_go > now:
                raise keys.KeysError(f"It is too early: {one.part} {one.what} {one.id}{_more(one, now)}.")
    due = [one for one in former if one.may_go is not None and one.may_go <= now]
    for one in due:
        typer.echo(f"{one.part:12}  {one.what:7}  {one.id}  {one.state}")
    if not due:
        typer.echo("No key may be destroyed yet; `sor keys list` says when.")
        return
    if not yes:
        typer.confirm("Destroy them? What is sealed to them can never be read again.", abort=True)
    for one in due:
        key_rotation.destroyed(folder, one, now)
    typer.echo(f"{len(due)} destroyed here. Copies and backups of them are destroyed where they lie.")


def verify(
    heads: Annotated[
        list[str] | None,
        typer.Option("--head", metavar="PART:COUNT:HASH", help="A last line as an earlier run printed it; repeatable."),
    ] = None,
) -> None:
    """Check the logs of key use, and print their last lines to be kept elsewhere. Ends with 1 when one is not whole."""
    folder = load_settings().keys
    known = [_head(one) for one in heads or []]
    whole = True
    for part in sorted({*key_log.parts(folder), *(part for part, _ in known)}):
        verdict = key_log.verify(folder, part, [head for name, head in known if name == part])
        whole = whole and not verdict.complaint
        state = f"NOT WHOLE: {verdict.complaint}" if verdict.complaint else "whole"
        typer.echo(masking.plain(f"{part}:{verdict.head.length}:{verdict.head.hash}  {state}"))
    key_log.note_heads(folder)
    raise typer.Exit(EXIT_CLEAN if whole else _DIFFERENT)


def _head(text: str) -> tuple[str, Head]:
    part, _, rest = text.partition(":")
    count, _, digest = rest.partition(":")
    if not part or not count.isdigit() or not digest:
        raise typer.BadParameter(f"{text} is not PART:COUNT:HASH, as `sor keys verify` prints it")
    return part, Head(int(count), digest)


def _more(one: Key, now: int) -> str:
    if one.state == NEXT and one.counts_from is not None:
        return f"; counts from {day(one.counts_from)} on"
    if one.state != FORMER:
        return ""
    if one.may_go is None:
        return f"; stays: {one.reason}"
    return "; may be destroyed" if one.may_go <= now else f"; may be destroyed from {day(one.may_go)} on"


def _row(one: Key, now: int) -> dict[str, Any]:
    times = {name: value if value is None else day(value)
             for name, value in one._asdict().items()
             if name in ("made", "counts_from", "until", "used_last", "may_go")}  # fmt: skip
    age = None if one.made is None else max(0, now - one.made) // _DAY
    return {"part": one.part, "what": one.what, "id": one.id, "state": one.state, "age_days": age, **times,
            "reason": one.reason}  # fmt: skip
