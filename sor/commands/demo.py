"""``sor demo``: the whole system on this machine, with simulated care, from nothing."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import Annotated, Final

import typer
from rich.console import Console

from local import control, display
from local.services import portal_address
from operations.replay import page
from settings.access import clickhouse_url
from settings.ports import remembered_ports
from settings.settings import Settings, load_settings
from sinks.schema import providers
from sor.commands import release
from tools import demo

#: Window between two leveringen of one traject under which the demo recalculates (in force: 30), and figures it shows.
_CHAIN_DAYS: Final = 90
_FIGURES: Final = 6
#: Providers of whom it writes a report.
_REPORTS: Final = 3


def register(app: typer.Typer) -> None:
    """Add ``sor demo``."""
    app.command("demo")(run)


def run(
    clients: Annotated[int, typer.Option(min=1, help="Simulated clients.")] = 1000,
    months: Annotated[int, typer.Option(min=1, help="Months of care.")] = 24,
    seed: Annotated[int, typer.Option(help="The same seed gives the same region.")] = 1,
    faults: Annotated[bool, typer.Option(help="Plant duplicates, corrections, late and broken files.")] = True,
    keep: Annotated[bool | None, typer.Option(help="Keep running when done. Default: on a terminal.")] = None,
) -> None:
    """Start everything, deliver a region's files, check every figure and show the indicators per cluster."""
    settings = load_settings()
    stay = sys.stdout.isatty() if keep is None else keep
    try:
        equal = _demo(settings, clients, months, seed, faults=faults)
        if stay and equal:
            _stay(settings)
        elif equal:
            typer.echo("\nNothing keeps running, for this is no terminal. With these data, and these people: sor up")
    except KeyboardInterrupt:
        typer.echo("Interrupted.")
        equal = False
    finally:
        for sentence in control.stop_stack(settings):
            typer.echo(sentence)
    raise typer.Exit(0 if equal else 1)


def _demo(settings: Settings, clients: int, months: int, seed: int, *, faults: bool) -> bool:
    control.stop_stack(settings)
    home = demo.claim(settings)
    _step(f"Simulating {clients} clients over {months} months, seed {seed}")
    folder = demo.files(home, clients, months, seed, faults=faults)
    demo.admit(home, folder, _REPORTS)
    _step(f"Starting Apache Kafka, ClickHouse, the stages and the portal in {home}")
    with display.Display(Console(), lambda: "") as show:
        control.detach(settings, show)
    _step("Delivering messages, declarations and questionnaires: sealed at the source")
    bulk = demo.deliver_at_once(settings, folder, typer.echo)
    typer.echo(f"  {bulk.deliveries} deliveries with {bulk.records} records in {bulk.seconds:.1f} s, "
               f"{bulk.refused} files refused before sealing")  # fmt: skip
    _step("Delivering scores and late messages one upload after the other")
    began = time.time()
    live = demo.deliver_live(settings, folder, typer.echo)
    typer.echo(f"  {live.deliveries} uploads with {live.records} records in {live.seconds:.1f} s")
    almere = demo.deliver_cbs(settings, folder, typer.echo)
    typer.echo(f"  and {almere.deliveries} CBS deliveries of Almere with {almere.records} records")
    equal, trajecten, waited = demo.wait_for(settings, folder)
    _verdict(equal, trajecten, waited)
    measured = demo.latency(settings, began)
    typer.echo(f"Publication to queryable row, {measured.rows} rows of the live uploads: "
               f"p50 {measured.p50:.2f} s, p99 {measured.p99:.2f} s")  # fmt: skip
    _step("Recomputing every row from the log (sor audit)")
    audited = _run("audit")
    _step("Indicatoren per cluster")
    _run("indicators", "--per", "cluster")
    return all((equal, audited, _recalculated(settings), _released(settings), _admitted(settings)))


def _recalculated(settings: Settings) -> bool:
    """Show what another definition would change, in a few lines; whether the figures in use stayed as they were."""
    _step(f"Recalculating everything as if care within {_CHAIN_DAYS} days were one traject, beside the figures in use "
          "(sor replay)")  # fmt: skip
    found = demo.recalculate(settings, _CHAIN_DAYS, typer.echo)
    report = found.report
    typer.echo(f"  {report.events} events of {report.clients} clients in {report.seconds:.1f} s, "
               f"{report.rows} rows made anew")  # fmt: skip
    for moved in report.tables:
        typer.echo(f"  {moved.table}: {moved.equal} equal, {moved.changed} other, {moved.appeared} more, "
                   f"{moved.disappeared} fewer")  # fmt: skip
    for line in [one for one in page.figure_lines(report.pairs) if one[2] != one[3]][:_FIGURES]:
        typer.echo(f"  {line[0]}: {line[1]}: {line[2]} -> {line[3]}")
    if not found.untouched:
        typer.secho("The figures in use changed meanwhile. See sor logs.", fg="red", err=True)
        return False
    typer.echo(f"  The figures in use are as they were, and nothing of it is left ({found.seconds:.1f} s).")
    return True


def _released(settings: Settings) -> bool:
    """Build a release, prove it, publish it, and write reports of a few providers; whether all went well."""
    _step("Building a release, proving that nobody can be found in it, publishing it (sor release)")
    if not (_run("release", "init") and _run("release", "build")):
        return False
    verdict = _code("release", "audit", "1")
    if verdict == release.REFUSED:  # the noise has a new key each time, and a region this small has few to hide among
        typer.echo(
            "  The gate refused it, as it does when it cannot rule out that somebody is found. Nothing is published."
        )
    elif verdict or not _run("release", "publish", "1"):
        return False
    _step("Reports of the providers with most trajecten (sor report)")
    shown = providers.load(settings.home / providers.LIST)
    return all(_run("report", one.agb, "--cluster", one.clusters[0]) for one in shown)


def _admitted(settings: Settings) -> bool:
    """Show who may log in to the portal: made-up people of the same providers, and one of every other role."""
    _step("Made-up people for the portal; each sets up a second factor at the first login (sor portal example)")
    return _run("portal", "example", *(one.agb for one in providers.load(settings.home / providers.LIST)))


def _run(*words: str) -> bool:
    return _code(*words) == 0


def _code(*words: str) -> int:
    return subprocess.run([sys.executable, "-m", "sor", *words], check=False).returncode


def _step(what: str) -> None:
    typer.secho(f"\n{what}", bold=True)


def _verdict(equal: bool, trajecten: int, waited: float) -> None:
    if equal:
        typer.echo(
            f"All {trajecten} trajecten are exactly what the simulator decided, {waited:.1f} s after the last upload."
        )
    else:
        typer.secho(f"The {trajecten} trajecten are not what the simulator decided. See sor logs.", fg="red", err=True)


def _stay(settings: Settings) -> None:
    typer.echo("\nEverything keeps running. To look around, in another terminal:")
    typer.echo('  .venv/bin/sor sql "SELECT status, count() FROM sor.trajecten FINAL GROUP BY status"')
    typer.echo("  .venv/bin/sor status      .venv/bin/sor logs      .venv/bin/sor indicators --per gemeente")
    if (ports := remembered_ports(settings)) is not None:
        typer.echo(f"  The portal, for the people above: {portal_address(ports)}")
    typer.echo(f"  ClickHouse over HTTP: {clickhouse_url(settings)} (passwords in {settings.secrets_dir})")
    typer.echo("Ctrl-C stops everything.")
    with contextlib.suppress(KeyboardInterrupt):  # the one way to end what was asked to keep running
        while True:
            time.sleep(3600)
