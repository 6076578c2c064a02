"""``sor report``: one report, on paper, as a page or as a document for a machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

import typer

from crypto.memory import guard
from domain.field.geography import CLUSTERS
from results.reports import page, pdf, periods
from results.reports.content import Kind, Report
from settings.settings import SettingsError, load_settings
from sor import reporting

_NOTHING: Final = 1
_AGB: Final = 8
Format = Literal["pdf", "html", "json"]
Provider = Annotated[str, typer.Argument(metavar="[AGB]", help="AGB code of the provider; a cluster has none.")]
Cluster = Annotated[str, typer.Option("--cluster", help=f"One of {', '.join(CLUSTERS)}.")]
Database = Annotated[str, typer.Option(help="Database of the tables.")]


def register(app: typer.Typer) -> None:
    """Add ``sor report``."""
    app.command("report")(report)


def report(
    provider: Provider = "",
    kind: Annotated[Kind, typer.Option("--kind", help="Which report (docs/reports.md).")] = "aanbieder",
    cluster: Cluster = "",
    month: Annotated[
        str, typer.Option("--month", help="Such as 2026-10, for a spiegelrapport 2026-H1; else the newest.")
    ] = "",
    as_: Annotated[Format, typer.Option("--as", help="What to make.")] = "pdf",
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write, or - ; unset: the outbox of the reports.")
    ] = None,
    database: Database = "sor",
) -> None:
    """Make one report and say where it is. Sends nothing.

    Ends with 0; 1 when there is nothing to report; 2 when it cannot be made.
    """
    guard()
    settings = load_settings()
    period = _checked(kind, provider, cluster, month)
    found = reporting.one(reporting.access(settings, database), kind, provider, cluster, period)
    if found is None:
        typer.echo("There is nothing to report of this period: no release, or no rows.", err=True)
        raise typer.Exit(_NOTHING)
    content = made(found, as_)
    if output == Path("-"):
        sys.stdout.buffer.write(content)
        return
    if output is None:
        place = reporting.folder(settings).write(found.month, f"{found.name}.{as_}", content)
    else:
        output.write_bytes(content)
        place = output
    typer.echo(str(place))


def made(found: Report, as_: Format) -> bytes:
    """A report in one of its three forms."""
    if as_ == "pdf":
        return pdf.render(found)
    if as_ == "html":
        return page.html(found).encode()
    return json.dumps(pdf.as_json(found), ensure_ascii=False, indent=2).encode()


def _checked(kind: Kind, provider: str, cluster: str, month: str) -> str:
    """The period, when everything that this kind needs was given. ``SettingsError`` says what is not."""
    if kind not in get_args(Kind):
        raise SettingsError(f"{kind!r} is no kind of report.")
    if kind in {"aanbieder", "cem", "spiegel"} and not (len(provider) == _AGB and provider.isdigit()):
        raise SettingsError("Give the AGB code of the provider: eight digits.")
    if kind in {"aanbieder", "gemiddelde", "cluster"} and cluster not in CLUSTERS:
        raise SettingsError(f"Give with --cluster one of {', '.join(CLUSTERS)}.")
    if kind == "spiegel":
        if month and not periods.is_half_year(month):
            raise SettingsError("Give with --month the half year, such as 2026-H1.")
        return month or periods.newest_half_year(reporting.today())
    return reporting.month_of(month)
