"""``sor release``: build, audit, publish and withdraw what audiences see (docs/release.md)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client

from crypto import release_key
from crypto.memory import guard
from operations import erasing_rows
from results.release import comparing, making, publishing, states, store
from settings.access import clickhouse_access
from settings.settings import load_settings
from sinks import clickhouse
from sinks.schema.users import DATABASE, ClickHouseUser
from sor.commands.options import AsJson, Reason
from sor.releasing import GATE_MINUTES

#: How ``sor release audit`` ends when the gate refuses.
REFUSED: Final = 1
#: How ``sor release unlink`` ends when something is left: do it again.
LEFT: Final = 1
#: Rows behind figures are many: an answer may take its time.
_SECONDS: Final = 600
Number = Annotated[int, typer.Argument(min=1, help="Number of the release; `sor release list` shows them.")]


def register(app: typer.Typer) -> None:
    """Add ``sor release``."""
    group = typer.Typer(no_args_is_help=True, help="Released figures: build, audit, publish, withdraw.")
    group.command("init")(init)
    group.command("build")(build)
    group.command("audit")(audit)
    group.command("publish")(publish)
    group.command("withdraw")(withdraw)
    group.command("list")(list_)
    group.command("diff")(diff)
    group.command("unlink")(unlink)
    app.add_typer(group, name="release")


def init() -> None:
    """Make the key of the noise. It is never made anew: whoever builds releases keeps it, in a backup of its own."""
    guard()
    keys = load_settings().keys
    made = release_key.make(keys)
    typer.echo(f"Made {keys / release_key.FOLDER}." if made else f"{keys / release_key.FOLDER} is there already.")


def build(
    on: Annotated[str, typer.Option("--day", metavar="YYYY-MM-DD", help="Day of the release; else today.")] = "",
    reden: Annotated[str, typer.Option(help="Why, of a revision. No personal data.")] = "",
) -> None:
    """Build the release of a day from the rows as they are now. It is shown to nobody.

    A period is closed 14 days after its end. What was shown changes only where enough clients changed.
    """
    guard()
    key, day, begin = release_key.load(load_settings().keys), _day(on), time.monotonic()
    client = _client("release")
    built = making.build_release(client, DATABASE, key, on=day, reason=reden)
    hidden = Counter(one.hidden or "getoond" for one in built.release.stated)
    figures = sum(len(one.seen) for one in built.release.stated)
    told = ", ".join(f"{why} {many}" for why, many in sorted(hidden.items()))
    seconds = time.monotonic() - begin
    typer.echo(f"Built release {built.known.number} of {day}: {figures} figures in {seconds:.1f} s (groups: {told}).")
    typer.echo(f"Next: sor release audit {built.known.number}")


def audit(
    number: Number,
    minutes: Annotated[int, typer.Option(min=1, help="Time for the gate: what it cannot show by then stays out.")] = (
        GATE_MINUTES
    ),
    as_json: AsJson = False,
) -> None:
    """Put a release before the gate: can anybody be found in all that was ever shown? Ends with 1 when refused.

    Of one that was refused already it shows again what the gate found.
    """
    guard()
    client = _client("release")
    refused = {one.number: one.report for one in states.known(client, DATABASE) if one.state == "geweigerd"}
    passed, report = (False, refused[number]) if number in refused else _looked_at(client, number, minutes)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        typer.echo(f"Release {number} {'passed' if passed else 'is refused'}: {making.described(report)}.")
        for step in report.get("stappen", ()):
            typer.echo(f"  {step['stap']}: {step['seconden']} s, {step['ingehouden']} withheld")
        for line in making.blocks(report):
            typer.echo(f"  withheld of {line}")
    if not passed:
        raise typer.Exit(REFUSED)


def _looked_at(client: Client, number: int, minutes: int) -> tuple[bool, Mapping[str, Any]]:
    """Whether the gate approves of a release, and its report."""
    from results.gate.audit import audit as gate  # a solver: loaded by who audits

    key = release_key.load(load_settings().keys)
    # Its processes hold rows of people as this one does.
    verdict = making.audit_release(client, DATABASE, key, number, partial(gate, begin=guard, deadline=minutes * 60.0))
    return verdict.passed, verdict.report


def publish(number: Number) -> None:
    """Show a release that passed its gate to its audiences, as a whole and at once. Needs the administrator."""
    guard()
    figures = publishing.publish(_client("admin"), DATABASE, number)
    typer.echo(f"Published release {number}: {figures} figures in all databases together.")


def withdraw(number: Number, reden: Reason) -> None:
    """Take back the release that readers see: the one before is shown again, and a mark with the reason stays."""
    guard()
    figures = publishing.withdraw(_client("admin"), DATABASE, number, reden)
    typer.echo(f"Withdrew release {number}; readers see {figures} figures of the one before.")


def list_(as_json: AsJson = False) -> None:
    """Every release and what became of it. Ends with 0."""
    releases = states.known(_client("release"), DATABASE)
    if as_json:
        shown = [one._asdict() | {"day": one.day.isoformat(), "report": bool(one.report)} for one in releases]
        typer.echo(json.dumps(shown, indent=2))
        return
    standing = states.standing(releases)
    for one in releases:
        seen = " <- readers see this one" if one.number == standing else ""
        reason = f" ({one.reason})" if one.reason else ""
        typer.echo(f"{one.number:>4}  {one.day}  {one.state}{reason}{seen}")
    if not releases:
        typer.echo("There is no release yet. Make one with: sor release build")


def diff(
    before: Number,
    after: Number,
    every: Annotated[bool, typer.Option("--all", help="Each group, and not only how many.")] = False,
) -> None:
    """What changed between two releases, and why."""
    guard()
    client = _client("release")
    releases = states.known(client, DATABASE)
    parts = [store.stated(client, DATABASE, states.found(releases, number).number) for number in (before, after)]
    found = comparing.differences(*parts)
    typer.echo(f"From release {before} to {after}: {json.dumps(comparing.counted(found))}")
    if reason := states.found(releases, after).reason:
        typer.echo(f"Reason: {reason}")
    for one in found if every else ():
        group = " ".join(filter(None, one.group))
        typer.echo(f"{one.change}  {one.family}  {group}  {one.before} -> {one.after}")


def unlink(
    every: Annotated[
        bool, typer.Option("--all", help="Also when more than a tenth of the ids name no row: rows were made anew.")
    ] = False,
) -> None:
    """Replace the ids behind released figures that name no row, by numbers drawn at random. Needs the administrator.

    For a table that was put back from a copy, which names who was forgotten since. Forgetting does it by itself.
    """
    guard()
    many, removed = erasing_rows.unlink(_client("admin"), every=every)
    typer.echo(f"Replaced {many} ids in {removed.rows} groups of rows; {removed.old_parts} parts from before are left.")
    if removed.left or removed.old_parts:
        raise typer.Exit(LEFT)


def _day(text: str) -> date:
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2026-07-15") from None


def _client(user: ClickHouseUser) -> Client:
    return clickhouse.connect(clickhouse_access(load_settings(), user), answer_seconds=_SECONDS)
