"""Who may see released figures: one database, and one user of the same name, for each.

A municipality sees its own, a contract manager its cluster, providers the averages of their cluster, and all of them
that compare one more. The tables are physical and made by the release job (``results.release``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from domain.field.geography import CLUSTERS, GEMEENTEN

#: *aanbieders*: all of a cluster; *aanbieder*: one of them, which is in no list here (``sinks.schema.providers``).
Kind = Literal["gemeente", "vergelijking", "cluster", "aanbieders", "aanbieder"]
#: Where the municipalities, the clusters and the region stand beside each other.
COMPARISON: Final = "rel_vergelijking"
#: The tables that every audience has.
FIGURES, RELEASES = "cijfers", "vrijgaven"


class Audience(NamedTuple):
    """Who sees a database. ``place``: code of the gemeente, name of the cluster or AGB code of the provider; empty for
    the comparison.
    """

    database: str
    kind: Kind
    place: str


def of_gemeente(code: str) -> str:
    """The database of a municipality."""
    return f"rel_g{code}"


def of_cluster(cluster: str) -> str:
    """The database of a contract manager."""
    return f"rel_c_{_plain(cluster)}"


def of_providers(cluster: str) -> str:
    """The database of the averages that the providers of a cluster see."""
    return f"rel_gem_{_plain(cluster)}"


def _plain(cluster: str) -> str:
    return cluster.lower().replace("-", "_")


def _all() -> Iterator[Audience]:
    for code in GEMEENTEN:
        yield Audience(of_gemeente(code), "gemeente", code)
    yield Audience(COMPARISON, "vergelijking", "")
    for cluster in CLUSTERS:
        yield Audience(of_cluster(cluster), "cluster", cluster)
    for cluster in CLUSTERS:
        yield Audience(of_providers(cluster), "aanbieders", cluster)


#: Database -> audience.
AUDIENCES: Final[dict[str, Audience]] = {audience.database: audience for audience in _all()}
