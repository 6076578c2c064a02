"""``sor sql``: ask the running ClickHouse one question."""

from __future__ import annotations

import sys
import urllib.error
import urllib.parse
import urllib.request
from enum import StrEnum
from io import TextIOWrapper
from typing import Annotated

import typer

from connectors import masking
from faults import OperatorFault
from settings.access import clickhouse_access
from settings.settings import load_settings
from sinks.access import Access
from sinks.schema.users import USERS, ClickHouseUser


class Shape(StrEnum):
    """How rows are shown."""

    PRETTY = "pretty"
    JSON = "json"
    CSV = "csv"


#: Rows hold what others wrote: nothing of it acts on a terminal or in a spreadsheet.
_CLEAN = {Shape.PRETTY: masking.plain, Shape.JSON: masking.escaped, Shape.CSV: masking.csv_line}
_FORMATS = {Shape.PRETTY: "PrettyCompact", Shape.JSON: "JSON", Shape.CSV: "CSVWithNames"}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sql")(sql)


def sql(
    query: Annotated[str, typer.Argument(help="One statement of ClickHouse's SQL.")],
    shape: Annotated[Shape, typer.Option("--format", help="How to show the rows.")] = Shape.PRETTY,
    user: Annotated[
        ClickHouseUser,
        typer.Option(help=f"As whom: {'; '.join(f'{user.name} {user.task}' for user in USERS.values())}."),
    ] = "grafana",
) -> None:
    """Ask ClickHouse. An error is ClickHouse's own sentence, and the command ends with 1."""
    try:
        access = clickhouse_access(load_settings(), user)
        with urllib.request.urlopen(_request(access, query, shape)) as answer:  # noqa: S310  # http(s), by Settings
            for line in TextIOWrapper(answer, "utf-8", errors="replace", newline="\n"):
                end = "\n" if line.endswith("\n") else ""
                sys.stdout.buffer.write(f"{_CLEAN[shape](line.removesuffix(end))}{end}".encode())
    except OperatorFault as error:
        _fail(str(error))
    except urllib.error.HTTPError as error:
        _fail(error.read().decode(errors="replace").strip() or f"ClickHouse answers {error.code}.")
    except BrokenPipeError:
        raise typer.Exit(1) from None
    except OSError:
        _fail(f"ClickHouse does not answer on {access.url}. Start it with: sor up")


def _request(access: Access, query: str, shape: Shape) -> urllib.request.Request:
    parameters = urllib.parse.urlencode({"default_format": _FORMATS[shape]})
    headers = {"X-ClickHouse-User": access.user, "X-ClickHouse-Key": access.password}
    return urllib.request.Request(f"{access.url}/?{parameters}", query.encode(), headers)  # noqa: S310


def _fail(sentence: str) -> None:
    typer.echo("\n".join(map(masking.plain, sentence.splitlines())), err=True)
    raise typer.Exit(1)
