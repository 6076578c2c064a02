"""What the Grafana of the audiences is to hold: organizations, sources, pages, and readers where a file says so."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from faults import OperatorFault
from results.dashboards import audiences
from results.dashboards.panels import CLICKHOUSE, Json
from sinks.schema.providers import Provider

#: Table of the file with readers: name of an organization -> addresses.
READERS: Final = "lezers"


class GrafanaError(OperatorFault):
    """Grafana, or the file with its readers, cannot be used; the message names no address."""


class WantedSource(NamedTuple):
    """A data source without its password. ``database``: also the name of the user that asks."""

    database: str
    body: Json


class Wanted(NamedTuple):
    """One organization. ``readers``: addresses in small letters; None = whoever is there stays."""

    name: str
    sources: tuple[WantedSource, ...]
    pages: tuple[Json, ...]
    readers: frozenset[str] | None


def wanted(readers: Mapping[str, frozenset[str]] | None, listed: Sequence[Provider] = ()) -> list[Wanted]:
    """Every organization of the list. ``readers`` by organization: one that is not named has none. ``listed``: the
    providers of this installation.

    Raises:
        GrafanaError: readers of an organization that is none.
    """
    pages = audiences.pages()
    found = []
    for one in audiences.organizations(listed):
        own = tuple(page for path, page in pages.items() if path.partition("/")[0] == one.page)
        sources = tuple(_source(source) for source in audiences.sources_of(one))
        who = None if readers is None else readers.get(one.name, frozenset())
        found.append(Wanted(one.name, sources, own, who))
    unknown = sorted(set(readers or ()) - {one.name for one in found})
    if unknown:
        raise GrafanaError(
            f"The file with readers names {unknown[0]!r}, which is no organization. See: sor grafana list"
        )
    return found


def _source(source: audiences.Source) -> WantedSource:
    body = {
        "name": source.name,
        "uid": source.uid,
        "type": CLICKHOUSE["type"],
        "access": "proxy",
        "url": "",
        "isDefault": source.uid == CLICKHOUSE["uid"],
        "jsonData": audiences.connection(source),
    }
    return WantedSource(source.database, body)


def readers_of(path: Path) -> dict[str, frozenset[str]]:
    """The file with readers::

        [lezers]
        "Gemeente Almere" = ["monitor@almere.example"]

    Raises:
        GrafanaError: it has no such table, or something in it is no address.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))[READERS]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise GrafanaError(f"{path} is no TOML file with a table [{READERS}] ({type(problem).__name__}).") from None
    if not isinstance(table, dict):
        raise GrafanaError(f"{path}: {READERS} is no table.")
    for name, who in table.items():
        if not (isinstance(who, list) and all(map(_is_address, who))):
            raise GrafanaError(f"{path}: {name!r} has something that is no address.")
    return {name: frozenset(address.lower() for address in who) for name, who in table.items()}


def _is_address(text: object) -> bool:
    return isinstance(text, str) and text.count("@") == 1 and not text.startswith("@") and not text.endswith("@")
