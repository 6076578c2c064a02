"""The cuts of a release, and who sees each group: fixed, so that nobody asks for a combination of his own.

Months carry totals only; a provider with one more dimension pays over four quarters only; an area never has a provider
(docs/release.md). Almere has every filter alone, and each with the respondent or the provider where the gate passes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.field.geography import CLUSTERS, GEMEENTEN
from domain.indicators.terms import Provenance
from results.release.model import Group, PeriodKind
from sinks.schema.audiences import COMPARISON, of_cluster, of_gemeente, of_providers

ALMERE: Final = "0034"
_TOTALS: Final[tuple[PeriodKind, ...]] = ("maand", "kwartaal", "vier_kwartalen")
_CELLS: Final[tuple[PeriodKind, ...]] = ("kwartaal", "vier_kwartalen")
_YEAR: Final[tuple[PeriodKind, ...]] = ("vier_kwartalen",)
#: What municipalities and clusters are cut by, each alone and the last together.
_SIX: Final = ((), ("aanbieder",), ("categorie",), ("leeftijd",), ("geslacht",), ("leeftijd", "geslacht"))
#: What everybody compares, and what providers see of their cluster: never by provider.
_PLAIN: Final = frozenset({"", "categorie", "leeftijd", "geslacht"})
#: Filters of the portal of Almere that rows know, beside provider and respondent.
FILTERS: Final = (
    "reden", "verwijzer", "categorie", "hulpvorm", "profiel", "perspectief", "leeftijd", "geslacht", "startjaar",
)  # fmt: skip
#: What a filter decides itself: figures of ends by reason say who ended how.
_DECIDED: Final[dict[str, str]] = {"reden": "cbs_uitval"}


class Cut(NamedTuple):
    """Columns that make groups. ``filter``: a column of rows whose value stands in ``filterwaarde``.

    ``place``: gemeente or cluster; ``second``: a second filter stands beside the first; the gate withholds these first.
    """

    name: str
    place: str
    columns: tuple[str, ...]
    kinds: tuple[PeriodKind, ...]
    provenance: Provenance = "ijw"
    filter: str = ""
    second: bool = False

    def counts(self, family: str) -> bool:
        """Whether a family is counted in this cut."""
        return _DECIDED.get(self.filter) != family

    @property
    def by(self) -> tuple[str, ...]:
        """The columns of rows that make the groups."""
        return (self.place, *self.columns, *([self.filter] if self.filter else []))


def _name(place: str, columns: tuple[str, ...]) -> str:
    return "_".join((place, *columns))


def _all() -> tuple[Cut, ...]:
    cuts = [
        Cut(_name(place, columns), place, columns, _CELLS if columns else _TOTALS)
        for place in ("gemeente", "cluster")
        for columns in _SIX
    ]
    for column in ("leeftijd", "geslacht", "categorie"):
        cuts.append(Cut(_name("cluster", ("aanbieder", column)), "cluster", ("aanbieder", column), _YEAR))
    cuts.append(Cut("gemeente_postcodegebied", "gemeente", (), _YEAR, filter="postcodegebied"))
    cuts.append(Cut("almere", "gemeente", (), _TOTALS, "cbs"))
    cuts.append(Cut("almere_aanbieder", "gemeente", ("aanbieder",), _YEAR, "cbs"))
    cuts.append(Cut("almere_respondent", "gemeente", (), _YEAR, "cbs", "respondent"))
    for name in FILTERS:
        cuts.append(Cut(f"almere_{name}", "gemeente", (), _YEAR, "cbs", name))
        cuts.append(Cut(f"almere_{name}_aanbieder", "gemeente", ("aanbieder",), _YEAR, "cbs", name, second=True))
        cuts.append(Cut(f"almere_{name}_respondent", "gemeente", ("respondent",), _YEAR, "cbs", name, second=True))
    return tuple(cuts)


#: Name -> cut.
CUTS: Final[dict[str, Cut]] = {cut.name: cut for cut in _all()}


def audiences(group: Group) -> frozenset[str]:
    """The databases that show a group, but for what a cluster average of providers asks beyond it."""
    cut = CUTS[group.snede]
    if cut.provenance == "cbs":
        return frozenset({of_gemeente(ALMERE)})
    part = "_".join(cut.columns)
    if cut.place == "cluster":
        found = {of_cluster(group.cluster)}
        if not part:
            found.add(COMPARISON)
        return frozenset(found | ({of_providers(group.cluster)} if part in _PLAIN else set()))
    found = {of_gemeente(group.gemeente)}
    if not cut.filter and "aanbieder" not in cut.columns:
        found.add(of_cluster(GEMEENTEN[group.gemeente].cluster))
        found |= {COMPARISON} if part in _PLAIN else set()
    return frozenset(found)


def average_of(group: Group) -> str:
    """The database of the providers of a cluster, where the group is one of their averages; else empty."""
    cut = CUTS[group.snede]
    average = cut.place == "cluster" and "_".join(cut.columns) in _PLAIN
    return of_providers(group.cluster) if average else ""


def places(place: str, provenance: Provenance) -> frozenset[str]:
    """The gemeenten or clusters that a cut has groups of."""
    if provenance == "cbs":
        return frozenset({ALMERE})
    if place == "cluster":
        return frozenset(CLUSTERS)
    return frozenset(code for code, gemeente in GEMEENTEN.items() if gemeente.cluster)
