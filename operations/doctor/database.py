"""Looking at ClickHouse: its version, its clock, its tables, rights, retention and disk."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from typing import Final

from clickhouse_connect.driver.client import Client

from domain.field.definitions import SHIPPED
from operations.doctor import judging
from operations.doctor.finding import Finding
from operations.doctor.judging import DiskSeen
from sinks import clickhouse
from sinks.access import Access
from sinks.clickhouse import RefusedError, UnavailableError
from sinks.schema import migrate, retention
from sinks.schema.users import USERS

_GRANT: Final = re.compile(r"GRANT (.+) ON (\S+) TO \S+")
_PRIVILEGE: Final = re.compile(r"([A-Z ]+?)(?:\(([^)]*)\))?(?:, |$)")
_NO_SUCH: Final = (192, 511)  # UNKNOWN_USER, UNKNOWN_ROLE
_ANSWER_SECONDS: Final = 20


def examine(access: Access) -> Iterator[Finding]:
    """All that ClickHouse shows; one finding when it does not answer."""
    try:
        client = clickhouse.connect(access, in_database=False, answer_seconds=_ANSWER_SECONDS)
    except (UnavailableError, RefusedError) as error:
        advice = "sor status, sor logs clickhouse; or correct SOR_CLICKHOUSE. Whatever needs it was not looked at."
        yield Finding("clickhouse", "problem", str(error), advice)
        return
    try:
        yield Finding("clickhouse", "ok", f"{access.url} answers")
        for look in (_server, _tables, _definitions, _rights):
            try:
                yield from look(client, access)
            except (UnavailableError, RefusedError) as error:
                yield Finding(
                    "clickhouse", "problem", str(error), "Run it as the user admin, and look at sor logs clickhouse."
                )
    finally:
        client.close()


def disks(client: Client) -> list[DiskSeen]:
    """The disks of the server."""
    rows = clickhouse.select(client, "SELECT name, free_space, total_space FROM system.disks")
    return [DiskSeen(f"clickhouse {name}", float(free), float(total)) for name, free, total in rows]


def _server(client: Client, _access: Access) -> Iterator[Finding]:
    before = time.time()
    ((version, theirs),) = clickhouse.select(client, "SELECT version(), toUnixTimestamp64Milli(now64(3)) / 1000")
    yield judging.clickhouse_version(str(version))
    yield judging.clock("ClickHouse", float(theirs) - (before + time.time()) / 2)
    for seen in disks(client):
        yield judging.disk(seen)


def _tables(client: Client, access: Access) -> Iterator[Finding]:
    try:
        pending = migrate.plan(access).pending
    except migrate.MigrationError as error:
        yield Finding("tables", "problem", str(error), "Use the release that made the tables, or a newer one.")
        return
    for one in pending:
        yield Finding("tables", "problem", f"migration {one.number:04d} {one.name} is to do", "Run: sor migrate")
    for other in retention.differences(client, access.database):
        yield Finding("retention", "warning", other.words, "Run: sor migrate")
    if not pending:
        yield Finding("tables", "ok", "every migration is applied")


def _definitions(client: Client, access: Access) -> Iterator[Finding]:
    there = "SELECT count() FROM system.tables WHERE database = {d:String} AND name = 'trajecten'"
    if not clickhouse.select(client, there, {"d": access.database})[0][0]:
        return
    rows = clickhouse.select(
        client,
        f"SELECT definitie_versie, count() FROM {access.database}.trajecten FINAL WHERE NOT verwijderd GROUP BY 1",  # noqa: S608
    )
    yield from judging.definitions({int(version): int(number) for version, number in rows}, SHIPPED.version)


def _rights(client: Client, access: Access) -> Iterator[Finding]:
    wanted = {
        name: set().union(*(rights(f"GRANT {grant} TO {name}") for grant in user.grants(access.database)))
        for name, user in USERS.items()
        if user.grants()
    }
    yield from judging.grants(wanted, {name: _granted(client, name) for name in wanted})


def _granted(client: Client, user: str) -> Collection[str] | None:
    try:
        rows = clickhouse.select(client, f"SHOW GRANTS FOR {user}")
    except RefusedError as error:
        if error.code in _NO_SUCH:
            return None
        raise
    return set().union(*(rights(str(row[0])) for row in rows))


def rights(statement: str) -> set[str]:
    """The rights of one GRANT: each privilege with its columns in order, on its table."""
    match = _GRANT.match(statement)
    if match is None:
        return {statement}
    found = set()
    for privilege, columns in _PRIVILEGE.findall(match[1]):
        narrowed = f"({', '.join(sorted(one.strip() for one in columns.split(',')))})" if columns else ""
        found.add(f"{privilege.strip()}{narrowed} ON {match[2]}")
    return found
