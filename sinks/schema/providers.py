"""Providers that see their own results in Grafana: the list of this installation, and the users of each.

A provider has a database ``eigen_<agb>`` of views, and a user of the same name that reads these views and nothing
else. The views read the live tables as their owner, ``eigen_<agb>_rijen``: nobody can log in as it, it sees the rows of
this provider only (a row policy) and the columns that the provider itself delivered or was sent (decision 0033).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from domain.field.geography import CLUSTERS
from faults import OperatorFault
from sinks.schema.audiences import FIGURES, of_providers
from sinks.schema.users import DATABASE, DatabaseUser

#: The list, in the folder of the installation.
LIST: Final = "aanbieders.json"
#: How the databases of providers begin; how the names of the owners of their views end.
OWN: Final = "eigen_"
_OWNER: Final = "_rijen"
_AGB: Final = re.compile(r"\d{8}")
#: What the figures of a provider are made of. Not here: ``nieuwe_start``, which other providers' messages decide, and
#: what no figure asks for.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "trajecten": (
        "aanbieder", "gemeente", "traject", "verwijderd", "client", "categorie", "begindatum", "einddatum",
        "reden_beeindiging", "uitval_klasse", "status", "leeftijd", "geslacht", "gas", "gas_gescoord", "gas_bereikt",
        "gas_deels", "probleem_behandelaar", "probleem_ouder", "probleem_client", "bron", "hulpvorm", "verwijzer",
        "intensiteit", "metingen_einde", "metingen_jaren", "segment", "profiel", "postcodegebied", "respons_dagen",
        "definitie_versie",
    ),
    "metingen": (
        "aanbieder", "gemeente", "jaar", "verwijderd", "client", "groep", "soort", "datum", "nut", "zonder_hulp",
        "antwoorden", "traject", "telt", "bevestigd", "definitie_versie",
    ),
    "scores": (
        "aanbieder", "gemeente", "verwijderd", "client", "doel", "waarde", "traject", "definitie_versie",
    ),
}  # fmt: skip


class ProvidersError(OperatorFault):
    """The list of providers cannot be used; the message says what is wrong."""


class Provider(NamedTuple):
    """A provider that may log in, and the clusters whose averages it sees. ``active``: it has not been taken off."""

    agb: str
    clusters: tuple[str, ...]
    active: bool = True

    @property
    def database(self) -> str:
        """Its database, and the name of its user."""
        return f"{OWN}{self.agb}"

    @property
    def owner(self) -> str:
        """The user whose rights its views have."""
        return self.database + _OWNER


@dataclass(frozen=True)
class Owner:
    """Whose rights the views of a provider have: nobody logs in so. ``rows``: table -> condition on its rows."""

    name: str
    grants: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]


def is_owner(user: str) -> bool:
    """Whether a user is the owner of views, who has no password."""
    return user.startswith(OWN) and user.endswith(_OWNER)


def reader(provider: Provider) -> DatabaseUser:
    """The user of a provider."""
    return DatabaseUser(provider.database, "reads its own results", "audience", read=("*",), within=provider.database)


def owner(provider: Provider) -> Owner:
    """The owner of the views: own rows and columns of the live tables, and the averages of its clusters."""
    rows = tuple((table, f"aanbieder = '{provider.agb}'") for table in COLUMNS)
    live = (f"SELECT({', '.join(columns)}) ON {DATABASE}.{table}" for table, columns in COLUMNS.items())
    released = (f"SELECT ON {of_providers(cluster)}.{FIGURES}" for cluster in provider.clusters)
    return Owner(provider.owner, (*live, *released), rows)


def load(path: Path) -> tuple[Provider, ...]:
    """Every provider of the list, also those taken off, in the order in which they were added; none without a file.

    Raises:
        ProvidersError: the file cannot be read, or says something else.
    """
    if not path.exists():
        return ()
    try:
        found = _providers(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise ProvidersError(f"The list of providers {path} is not what sor providers writes.") from None
    if len({one.agb for one in found}) != len(found):
        raise ProvidersError(f"The list of providers {path} names a provider twice.")
    return found


def _providers(entries: object) -> tuple[Provider, ...]:
    if not isinstance(entries, list):
        raise TypeError
    return tuple(map(_provider, entries))


def _provider(entry: Mapping[str, object]) -> Provider:
    clusters = entry["clusters"]
    if not isinstance(clusters, list):
        raise TypeError
    return checked(str(entry["agb"]), [str(name) for name in clusters], active=bool(entry["actief"]))


def checked(agb: str, clusters: Sequence[str], *, active: bool = True) -> Provider:
    """A provider with a code and clusters that can be.

    Raises:
        ProvidersError: they cannot be.
    """
    if not _AGB.fullmatch(agb):
        raise ProvidersError("An AGB code has eight digits.")
    if not clusters or not set(clusters) <= set(CLUSTERS):
        raise ProvidersError(f"Give one cluster or more of: {', '.join(CLUSTERS)}.")
    return Provider(agb, tuple(name for name in CLUSTERS if name in clusters), active)


def save(path: Path, providers: Sequence[Provider]) -> None:
    """Write the list; nobody reads half of one."""
    entries = [{"agb": one.agb, "clusters": list(one.clusters), "actief": one.active} for one in providers]
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(json.dumps(entries, indent=1) + "\n", "utf-8")
    scratch.replace(path)


def added(providers: Sequence[Provider], new: Provider) -> tuple[Provider, ...]:
    """The list with this provider: at its old place where it had one."""
    if new.agb not in {one.agb for one in providers}:
        return (*providers, new)
    return tuple(new if one.agb == new.agb else one for one in providers)
