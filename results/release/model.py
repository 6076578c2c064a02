"""What a release is made of: groups of rows, and what is shown of each.

A *cut* says which columns make groups; a *group* is the rows of one cut, key and closed period; a *figure* is one
indicator of one group. What a reader sees is a ``Shown``; who may see it is an audience (a database of its own). The
rows behind a figure (``members``) never leave the third party: the next release and the gate read them. A number below
zero stands for a row of a client who was forgotten since (``operations.erasing_released``).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

PeriodKind = Literal["maand", "kwartaal", "vier_kwartalen"]
#: How the numerator of a shown figure is meant: as it is, at most, at least.
Form = Literal["=", "<=", ">="]
Status = Literal["voorlopig", "nader voorlopig", "definitief"]
#: The columns of ``cijfers`` that name a group, in the order of its sorting key.
KEY_COLUMNS: Final = (
    "gemeente", "cluster", "aanbieder", "categorie", "leeftijd", "geslacht", "filter", "filterwaarde",
)  # fmt: skip


class Group(NamedTuple):
    """Which rows: the cut, the period, and the value of each column that the cut uses (empty where it does not).

    ``periode``: ``2026-09`` (maand), ``2026-K3`` (kwartaal), ``2026-K3`` for the four quarters that end with it.
    """

    snede: str
    periode_soort: PeriodKind
    periode: str
    gemeente: str = ""
    cluster: str = ""
    aanbieder: str = ""
    categorie: str = ""
    leeftijd: str = ""
    geslacht: str = ""
    filter: str = ""
    filterwaarde: str = ""


class Shown(NamedTuple):
    """One figure as a reader sees it. ``noemer`` and ``uitgesloten`` are rounded; ``teller`` is with ``vorm`` a bound.

    ``percentage`` is whole and made of shown numbers; ``gemiddelde`` stands on its grid. None = not shown.
    """

    noemer: int
    teller: int | None
    vorm: Form
    percentage: int | None
    gemiddelde: float | None
    uitgesloten: int


class Figure(NamedTuple):
    """One indicator of one group in one release, with who sees it and the rows behind it.

    ``audiences``: databases (``rel_g0363``); ``members``: sorted ids of the rows in the denominator, each below 2**63.
    ``low`` and ``high``: what a reader who knows the rules and the members can say of the true numerator (of the sum,
    for a mean): inclusive. ``weights_high``: how much one member adds to it at most (1; 10 for a mean of marks), and
    ``weights_low`` at least.
    """

    release: int
    group: Group
    indicator: str
    audiences: frozenset[str]
    members: tuple[int, ...]
    low: int
    high: int
    shown: Shown
    weights_low: int = 0
    weights_high: int = 1
