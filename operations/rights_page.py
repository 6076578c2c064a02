"""``docs/rights.md``: who may do what at the broker and in ClickHouse, from the two lists that declare it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.topics import groups, topics, watches
from sinks.schema.audiences import FIGURES
from sinks.schema.providers import COLUMNS
from sinks.schema.server import OF_CLIENTS
from sinks.schema.users import AUDIENCE_LIMITS, AUDIENCE_USERS, LIMITS, USERS, DatabaseUser

_HEAD: Final = """# Rights: who may do what

*Generated from `schemas/topics.toml` and `sinks/schema/users.py` by `sor rights --write`; do not edit.*

Nobody else has a right. `sor topics apply --acls` lays the first list down at the broker and takes away what it does
not say; the second is `deploy/clickhouse/users.xml` on a server and the roles of the engine on one machine.

## At the broker
A principal also sees the description of its topics. `admin` of either server can do everything: its password is for
installing and for nobody's daily work.

| principal | writes | reads | consumer group |
|---|---|---|---|
"""
_USERS: Final = """
## In ClickHouse
Rights hold in the database `sor`. Behind a table stand the columns, where they are fewer than all.

| user | what for | reads | inserts | removes |
|---|---|---|---|---|
"""
_LIMITS: Final = """
A question of a user who only reads ends with an error beyond these limits, which it cannot lift. `audit` reads whole
tables and has none.
"""
#: One line for all of them: they differ in their name only.
_AUDIENCES: Final = """
## Released figures
Each audience has a database and a user of the same name, which reads `cijfers` and `vrijgaven` there and nothing else
anywhere; the release job fills them as the administrator. A question ends beyond these limits: {limits}.

{names}.
"""
#: The same for every provider; which there are is known to an installation only.
_PROVIDERS: Final = """
## A provider's own results
A provider on the list of an installation (`sor providers`) has a database `eigen_<agb>` of views and a user of that
name, which reads these views and nothing else, within the limits of an audience. The views read as their owner,
`eigen_<agb>_rijen`, as whom nobody can log in: of the live tables the rows of this provider, and these columns.

| table | columns |
|---|---|
{columns}
On a server, who is named under the last two headings has a row policy besides: no row of {none},
whatever right it were given.
"""


def markdown() -> str:
    """The page."""
    users = _table(map(_user, USERS.values()))
    audiences = _AUDIENCES.format(limits=_limits(AUDIENCE_LIMITS), names=_names(AUDIENCE_USERS))
    columns = _table((f"`{table}`", _names(names)) for table, names in COLUMNS.items())
    providers = _PROVIDERS.format(columns=columns, none=_names(OF_CLIENTS))
    return f"{_HEAD}{_table(_principals())}{_USERS}{users}{_LIMITS}{_limits(LIMITS)}.\n{audiences}{providers}"


def _limits(limits: Mapping[str, int]) -> str:
    return "; ".join(f"`{name}` {limit}" for name, limit in limits.items())


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _principals() -> Iterator[tuple[str, ...]]:
    declared = topics().values()
    for name in dict.fromkeys(name for topic in declared for name in (*topic.write, *topic.read)):
        writes = [topic.name for topic in declared if name in topic.write]
        reads = [topic.name for topic in declared if name in topic.read]
        own = _names(filter(None, [groups().get(name)]))
        seen = _names(groups()[other] for other in watches().get(name, ()))
        yield f"`{name}`", _names(writes), _names(reads), f"{own}; sees {seen}" if seen else own


def _user(user: DatabaseUser) -> tuple[str, ...]:
    if user.profile == "admin":
        return f"`{user.name}`", user.task, "everything", "everything", "everything"
    columns = dict(user.columns)
    reads = [
        f"`{table}`" + (f" ({', '.join(f'`{column}`' for column in columns[table])})" if table in columns else "")
        for table in user.read
    ]
    reads += [f"`{database}.{FIGURES}`" for database in user.released]
    return f"`{user.name}`", user.task, "<br>".join(reads), _names(user.insert), _names(user.remove)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
