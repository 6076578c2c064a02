"""The third party's own tables of releases: what each says (``vrijgave_cijfers``) and the rows behind it
(``vrijgave_leden``, pseudonymised personal data).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from clickhouse_connect.driver.client import Client

from results.release.build import Hidden, Release, Stated
from results.release.counted import FAMILIES
from results.release.cube import Cell
from results.release.model import Group, Shown
from results.release.names import FIGURES, MEMBERS, id_sql
from results.release.noise import as_ids
from results.release.region import CUT, Sum, as_seen
from results.release.restating import Former, Key
from results.release.rules import Seen
from sinks.clickhouse import command, select, told_apart
from sinks.schema.audiences import COMPARISON

_GROUP: Final = Group._fields
_FIGURE_COLUMNS: Final = (
    "vrijgave", "gemaakt_in", "familie", "indicator", "status", "definitie_versie", "verborgen", *_GROUP, "noemer",
    "teller", "teller_vorm", "percentage", "gemiddelde", "uitgesloten", "laag", "hoog", "publiek",
)  # fmt: skip
_MEMBER_COLUMNS: Final = ("vrijgave", "familie", *_GROUP, "leden", "emmers", "waarden", "aanbieders", "uitgesloten")
_AT_ONCE: Final = 2000
#: Tables that are counted, and the columns that ids are made of.
_ROWS: Final = (("trajecten", "traject"), ("metingen", "meting"))
_NOTHING: Final = Shown(0, None, "=", None, None, 0)
#: What a reader sees something of.
_SHOWN: Final = "verborgen = ''"


def write(client: Client, database: str, release: Release) -> None:
    """Everything that a release says, and the rows behind what it says for the first time."""
    _insert(client, database, MEMBERS, _MEMBER_COLUMNS, _members(release))
    rewrite(client, database, release.number, release.stated)


def rewrite(client: Client, database: str, number: int, stated: Iterable[Stated]) -> None:
    """What a release says of these groups, in place of what it said."""
    _insert(client, database, FIGURES, _FIGURE_COLUMNS, _figures(number, stated))


def write_sums(client: Client, database: str, number: int, sums: Iterable[Sum]) -> None:
    """Figures of the region, beside those that they are sums of."""
    rows = (
        (number, *_figure_row(one.made_in, one.family, one.indicator, one.status, one.version, "", one.group,
                              as_seen(one), {COMPARISON}))
        for one in sums
    )  # fmt: skip
    _insert(client, database, FIGURES, _FIGURE_COLUMNS, rows)


def _figure_row(
    made_in: int, family: str, indicator: str, status: str, version: int, hidden: str, group: Group, seen: Seen,
    audiences: Collection[str],
) -> tuple[Any, ...]:  # fmt: skip
    """A row of ``vrijgave_cijfers`` but for the number of the release."""
    shown = seen.shown
    return (
        made_in, family, indicator, status, version, hidden, *group, shown.noemer, shown.teller, shown.vorm,
        shown.percentage, shown.gemiddelde, shown.uitgesloten, seen.low, seen.high, sorted(audiences),
    )  # fmt: skip


def _figures(number: int, stated: Iterable[Stated]) -> Iterator[tuple[Any, ...]]:
    for one in stated:
        group, family = one.key
        for outcome in FAMILIES[family].outcomes:
            seen = one.seen.get(outcome.key, Seen(_NOTHING, 0, 0))
            sees = one.audiences.get(outcome.key, frozenset())
            about = (one.made_in, family, outcome.key, one.status, one.version, one.hidden, group)
            yield number, *_figure_row(*about, seen, sees)


def _members(release: Release) -> Iterator[tuple[Any, ...]]:
    for one in release.stated:
        if one.made_in == release.number and one.seen:
            cell = one.cell
            arrays = (part.tolist() for part in (cell.ids, cell.emmers, cell.values, cell.providers))
            yield release.number, cell.family, *cell.group, *arrays, cell.excluded


def _insert(client: Client, database: str, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with told_apart(f"Writing {table}"):
        for part in _parts(rows):
            client.insert(table, part, columns, database=database)


def _parts(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    part: list[Sequence[Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def stated(client: Client, database: str, number: int) -> list[Stated]:
    """What a release states, with the rows behind it; what it leaves out has none."""
    return list(_read(client, database, f"vrijgave = {number}").values())


def former(client: Client, database: str, seen: Sequence[int], standing: int) -> list[Former]:
    """What every family of a group was last shown with, of the releases that were ever seen. ``standing``: the one
    that readers see now; what it does not show was withdrawn or left out since.
    """
    found: dict[Key, Former] = {}
    for number in sorted(seen, key=lambda one: (one == standing, one)):  # the one that stands comes last
        for key, one in _read(client, database, f"vrijgave = {number} AND {_SHOWN}").items():
            about = (one.cell, one.made_in, one.status, one.version, one.seen, one.audiences)
            found[key] = Former(*about, withdrawn=number != standing)
    return list(found.values())


def history(client: Client, database: str, seen: Sequence[int]) -> list[Stated]:
    """All that was ever shown, each once as it was made: what a reader who kept everything has."""
    found: dict[tuple[Key, int], Stated] = {}
    for number in sorted(seen):
        for key, one in _read(client, database, f"vrijgave = {number} AND {_SHOWN}").items():
            found[key, one.made_in] = one
    return list(found.values())


def without_rows(client: Client, database: str, number: int) -> int:
    """How many ids stand behind the figures that a release made which no row has any more, not even one that was
    replaced or taken back: their clients were forgotten since, or a replay took over.
    """
    rows = (f"SELECT {id_sql(column)} FROM {database}.{table}" for table, column in _ROWS)  # noqa: S608
    query = (
        f"SELECT uniqExact(id) FROM (SELECT arrayJoin(leden) AS id FROM {database}.{MEMBERS} "  # noqa: S608
        f"WHERE vrijgave = {number}) WHERE id NOT IN ({' UNION ALL '.join(rows)})"
    )
    return int(select(client, query)[0][0])


def forgotten(client: Client, database: str, number: int) -> bool:
    """Whether somebody was forgotten whose rows stand behind figures that a release made."""
    query = f"SELECT count() FROM {database}.{MEMBERS} WHERE vrijgave = {number} AND arrayMin(leden) < 0"  # noqa: S608
    return bool(select(client, query)[0][0])


def replaced(client: Client, database: str) -> int:
    """How many ids behind figures were replaced, for clients were forgotten: another number says that it was done
    meanwhile, and what was read before and after does not belong together.
    """
    query = f"SELECT sum(arrayCount(id -> id < 0, leden)) FROM {database}.{MEMBERS}"  # noqa: S608
    return int(select(client, query)[0][0] or 0)


def drop_unused(client: Client, database: str, seen: Sequence[int], until: int) -> None:
    """Remove the rows behind releases before this one that were never published: nothing asks for them any more.

    Needs the administrator.
    """
    kept = ", ".join(map(str, seen)) or "0"
    those = f"vrijgave < {until} AND vrijgave NOT IN ({kept})"
    if select(client, f"SELECT count() FROM {database}.{MEMBERS} WHERE {those}")[0][0]:  # noqa: S608
        statement = f"ALTER TABLE {database}.{MEMBERS} DELETE WHERE {those} SETTINGS mutations_sync = 2"
        command(client, statement, "Removing rows behind releases that nobody saw")


def _read(client: Client, database: str, where: str) -> dict[Key, Stated]:
    listed = ", ".join(_FIGURE_COLUMNS)
    query = f"SELECT {listed} FROM {database}.{FIGURES} FINAL WHERE snede != '{CUT}' AND {where}"  # noqa: S608
    together: dict[Key, list[tuple[Any, ...]]] = defaultdict(list)
    for row in select(client, query):
        together[Group(*row[7:18]), row[2]].append(row)
    made = sorted({rows[0][1] for rows in together.values()})
    cells = _cells(client, database, made)
    return {key: _stated(key, rows, cells) for key, rows in together.items()}


def _stated(key: Key, rows: Sequence[tuple[Any, ...]], cells: dict[tuple[int, Key], Cell]) -> Stated:
    _, made_in, family, _, status, version, hidden = rows[0][:7]
    shown: Hidden = hidden
    empty = as_ids([])
    cell = cells.get((made_in, key), Cell(key[0], family, empty, empty, empty, empty, 0, 0))
    if shown:
        return Stated(cell, made_in, status, version, {}, {}, shown)
    seen = {row[3]: Seen(_shown(row[18:24]), row[24], row[25]) for row in rows}
    return Stated(cell, made_in, status, version, seen, {row[3]: frozenset(row[26]) for row in rows}, shown)


def _shown(row: Sequence[Any]) -> Shown:
    counted, numerator, form, percentage, mean, excluded = row
    return Shown(counted, numerator, form, percentage, None if mean is None else float(mean), excluded)


def _cells(client: Client, database: str, made: Sequence[int]) -> dict[tuple[int, Key], Cell]:
    listed = ", ".join(_MEMBER_COLUMNS)
    numbers = ", ".join(map(str, made)) or "0"
    found = {}
    for row in select(client, f"SELECT {listed} FROM {database}.{MEMBERS} WHERE vrijgave IN ({numbers})"):  # noqa: S608
        group, family = Group(*row[2:13]), row[1]
        arrays = [as_ids(part) for part in row[13:17]]
        if arrays[0][0] < 0 or (arrays[0][1:] < arrays[0][:-1]).any():  # a row of who was forgotten since
            order = np.argsort(arrays[0])
            arrays = [part[order] for part in arrays]
        ids, emmers, values, providers = arrays
        cell = Cell(group, family, ids, emmers, values, providers, len(set(row[14])), row[17])
        found[row[0], (group, family)] = cell
    return found
