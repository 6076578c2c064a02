"""The one list of ClickHouse's users: what each is for, what it may read and what it may insert.

From it come the roles of the engine on one machine (``local.clickhouse.roles``), the users of a server
(``deploy/clickhouse/users.xml``, by ``sinks.schema.server``), the names in the settings, and ``docs/rights.md``. Rights
hold in the database ``sor``. A user by task: who inserts rows reads none, who reads cannot insert. Four
exceptions: one adds to the audit trail that it reads (``rejected``), two fill tables of their own beside those in use
(``replay``, ``release``), one mends what an audit found (``repair``). Who sees released figures is no user of ``sor``:
each audience has a database, and a user of the same name that reads it and nothing else (``AUDIENCE_USERS``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal, get_args

from sinks.schema.audiences import AUDIENCES, FIGURES, RELEASES, of_gemeente

ClickHouseUser = Literal[
    "admin", "sink", "receipts", "rejected", "exporter", "grafana", "audit", "replay", "repair", "release",
    "reports",
]  # fmt: skip
Profile = Literal["admin", "writer", "reader", "auditor", "repairer", "audience"]

DATABASE: Final = "sor"
#: How a right to remove rows by a mutation begins.
REMOVING: Final = "ALTER DELETE ON "
#: The audit trail of ``sor rejected``; only added to.
HANDLED: Final = "afhandelingen"
#: What the store says of itself: who it is, and how far it was filled (decision 0023).
IDENTITY: Final = "opslag"
STANDS: Final = "standen"
#: Of one question of a reader: seconds, bytes of memory, rows of the answer, rows read. More ends in an error.
LIMITS: Final[dict[str, int]] = {
    "max_execution_time": 60,
    "max_memory_usage": 2_000_000_000,
    "max_result_rows": 1_000_000,
    "max_rows_to_read": 500_000_000,
}
#: The same of one who sees released figures, whose tables are small.
AUDIENCE_LIMITS: Final[dict[str, int]] = {
    "max_execution_time": 10,
    "max_memory_usage": 500_000_000,
    "max_result_rows": 100_000,
    "max_rows_to_read": 20_000_000,
}
#: What an audience is not told: how many rows were looked at, which may be others' beside its own.
SILENT: Final[dict[str, int]] = {"output_format_write_statistics": 0}
#: The one limit that a reader may set itself, from one up to the limit: the Grafana plugin does so with each question.
LOWERED: Final = "max_execution_time"
#: Columns of a row by which it shows that it waits, how old it was when it came in, and of which log it is.
_STATE: Final = ("aanbieder", "wacht", "verwijderd", "ingevoegd_op", "epoch")
_ROWS: Final = ("trajecten", "metingen", "scores")
#: What a replay fills: rows made anew, and whose they are where no column says so (``operations.replay.shadow``).
_REPLAYED: Final = (*(f"{table}_replay" for table in _ROWS), "replay_clienten")
#: What a release counts, and the tables that it fills (``results.release``).
_RELEASED: Final = ("trajecten", "metingen")
_RELEASES: Final = ("vrijgaven", "vrijgave_cijfers", "vrijgave_leden")
#: What no figure needs: rows of one child at two providers that went out together have one version (decision 0015).
_TELLS: Final = "version"


@dataclass(frozen=True)
class DatabaseUser:
    """One user. ``read``, ``insert`` and ``remove`` (by a mutation) name tables; ``columns`` narrows reading a table to
    those columns. ``within``: its database, where that is not ``sor``. ``released``: databases of audiences of which it
    reads the figures too.

    ``profile`` bounds it: *admin* may do everything, *writer* inserts, *reader* reads within ``LIMITS``, *auditor*
    reads whole tables, *repairer* inserts and removes, *audience* reads within ``AUDIENCE_LIMITS``.
    """

    name: str
    task: str
    profile: Profile
    read: tuple[str, ...] = ()
    insert: tuple[str, ...] = ()
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    remove: tuple[str, ...] = ()
    within: str = ""
    released: tuple[str, ...] = ()

    def grants(self, database: str = DATABASE) -> tuple[str, ...]:
        """The rights as ClickHouse writes them, without GRANT and TO; an administrator has all and none is written."""
        narrowed, database = dict(self.columns), self.within or database
        reading = (f"SELECT{_list(narrowed.get(table, ()))} ON {database}.{table}" for table in self.read)
        released = (f"SELECT ON {audience}.{table}" for audience in self.released for table in (FIGURES, RELEASES))
        removing = (f"{REMOVING}{database}.{table}" for table in self.remove)
        return (*reading, *released, *(f"INSERT ON {database}.{table}" for table in self.insert), *removing)


def _list(columns: tuple[str, ...]) -> str:
    return f"({', '.join(columns)})" if columns else ""


def _but_version(table: str) -> tuple[str, ...]:
    """Every other column of a table of rows: those of the contract, and when the row came in."""
    path = files("schemas") / "avro" / f"sor.{table}.avsc"
    fields = (field["name"] for field in json.loads(path.read_text("utf-8"))["fields"])
    return (*(name for name in fields if name != _TELLS), "ingevoegd_op")


def _but_client(table: str) -> tuple[str, ...]:
    """The same without the name of the client: a release tells children apart by their buckets."""
    return tuple(name for name in _but_version(table) if name != "client")


_ALL: Final = (
    DatabaseUser("admin", "makes the tables (`sor migrate`)", "admin"),
    DatabaseUser(
        "sink",
        "fills the tables (`sor run sink`), by what the store says of itself",
        "writer",
        read=(IDENTITY, STANDS),
        insert=(*_ROWS, "rejected", "receipts", STANDS),
    ),
    DatabaseUser("receipts", "shows what became of deliveries (`sor receipts`)", "reader", read=("receipts",)),
    DatabaseUser(
        "rejected",
        "shows records that could not be read and notes what was done with them (`sor rejected`)",
        "writer",
        read=("rejected", HANDLED),
        insert=(HANDLED,),
    ),
    DatabaseUser(
        "exporter",
        "counts for Prometheus (`sor run exporter`)",
        "reader",
        read=("receipts", "rejected", *_ROWS),
        columns=(
            (
                "receipts",
                ("kind", "sender", "test", "gezien", "geaccepteerd", "afgekeurd", "klaar", "laatste", "epoch"),
            ),
            ("rejected", ("stage", "sender", "rejected_at")),
            ("trajecten", (*_STATE, "status", "begindatum", "einddatum")),
            ("metingen", (*_STATE, "traject", "sinds", "datum")),
            ("scores", (*_STATE, "traject", "sinds", "tijd")),
        ),
    ),
    DatabaseUser(
        "grafana",
        "asks what the dashboards and `sor indicators` show",
        "reader",
        read=(*_ROWS, "receipts", "rejected"),
        columns=tuple((table, _but_version(table)) for table in _ROWS),
        released=tuple(database for database, audience in AUDIENCES.items() if audience.kind == "aanbieders"),
    ),
    DatabaseUser("audit", "compares every row with the log (`sor audit`)", "auditor", read=_ROWS),
    DatabaseUser(
        "replay",
        "makes rows anew beside those in use and compares them (`sor replay`)",
        "writer",
        read=(*_ROWS, *_REPLAYED),
        insert=_REPLAYED,
    ),
    DatabaseUser(
        "repair",
        "writes rows anew that differ from the log (`sor audit`, option repair)",
        "repairer",
        read=_ROWS,
        insert=_ROWS,
        remove=_ROWS,
    ),
    DatabaseUser(
        "release",
        "builds releases and asks the gate (`sor release`); what it builds is published by the administrator",
        "writer",
        read=(*_RELEASED, *_RELEASES),
        insert=_RELEASES,
        columns=tuple((table, _but_client(table)) for table in _RELEASED),
    ),
    DatabaseUser(
        "reports",
        "makes the reports of providers and clusters (`sor report`, `sor reports`)",
        "reader",
        read=(*_ROWS, "receipts"),
        columns=tuple((table, _but_version(table)) for table in _ROWS),
        released=tuple(
            name
            for name, audience in AUDIENCES.items()
            if audience.kind in {"aanbieders", "cluster"} or name == of_gemeente("0034")
        ),
    ),
)
#: Database of released figures -> its user.
AUDIENCE_USERS: Final[dict[str, DatabaseUser]] = {
    database: DatabaseUser(
        database,
        "reads released figures of one audience",
        "audience",
        read=(FIGURES, RELEASES),
        within=database,
    )
    for database in AUDIENCES
}
#: Name -> user, in the order in which they are written.
USERS: Final[dict[str, DatabaseUser]] = {user.name: user for user in _ALL}
NAMES: Final[tuple[ClickHouseUser, ...]] = get_args(ClickHouseUser)
