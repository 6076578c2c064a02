"""``sor migrate`` and ``sor indicators``: the tables of ClickHouse, and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Final, ParamSpec

import typer

from sinks import migrate
from sinks.clickhouse import Access, RefusedError, UnavailableError
from sinks.migrate import MigrationError
from sor.settings import ClickHouseUser, load_settings
from sor.stack.endpoints import clickhouse_access

PENDING: Final = 1
P = ParamSpec("P")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add ``sor migrate`` and ``sor indicators``."""
    app.command("migrate")(_in_a_sentence(migrate_))


def migrate_(
    check: Annotated[
        bool, typer.Option("--check", help="Only show what is to do; ends with 1 if there is any.")
    ] = False,
    as_json: AsJson = False,
    database: Annotated[str, typer.Option(help="Database of the tables.")] = "sor",
) -> None:
    """Bring the tables of ClickHouse up to this release. Running it again does nothing."""
    access = _access("admin", database)
    before = migrate.plan(access)
    tell = _silent if as_json else typer.echo
    done = () if check else migrate.apply(access, tell)
    left = before.pending if check else ()
    if as_json:
        typer.echo(json.dumps(_document(before, done, left), indent=2))
    elif check:
        for migration in left:
            typer.echo(f"To apply: {migration.number:04d} {migration.name} ({len(migration.statements)} statements)")
    if not as_json and not left:
        typer.echo(f"Database {database}: {len(before.applied) + len(done)} migrations applied, none to do.")
    if left:
        raise typer.Exit(PENDING)


def _document(
    before: migrate.Plan, done: tuple[migrate.Migration, ...], left: tuple[migrate.Migration, ...]
) -> dict[str, Any]:
    def short(migration: migrate.Migration) -> dict[str, Any]:
        return {"number": migration.number, "name": migration.name, "statements": list(migration.statements)}

    earlier = [{"number": one.number, "name": one.name, "at": one.at} for one in before.applied]
    return {
        "database": before.database,
        "applied_before": earlier,
        "applied_now": [short(one) for one in done],
        "pending": [short(one) for one in left],
    }


def _access(role: ClickHouseUser, database: str = "sor") -> Access:
    found = clickhouse_access(load_settings(), role)
    return Access(found.url, found.user, found.password, database)


def _silent(_sentence: str) -> None:
    """Nobody reads along."""


def _in_a_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """What an operator can mend becomes one sentence and exit code 2."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (RefusedError, UnavailableError, MigrationError) as problem:
            typer.echo(f"sor: {problem}", err=True)
            raise typer.Exit(2) from None

    return run
