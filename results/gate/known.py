"""What the gate is told beside the figures, and what it holds them to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from results.release.model import Group


class Limits(NamedTuple):
    """What a release must keep to. All are proposals [P]; ``*_steps`` bound the compiled walks, ``seconds`` a block."""

    #: Clients in a group, rows in the denominator of a figure, clients between nested groups and between restatements.
    smallest_group: int = 10
    smallest_denominator: int = 20
    smallest_remainder: int = 10
    smallest_change: int = 10
    #: Whether what is left of a group after all of its parts of one cut counts as a group within it.
    sibling: bool = True
    #: How far a true numerator may lie from the one shown, at least.
    noise: int = 4
    #: Children whose outcome follows from the figures.
    forced: int = 0
    #: Numbers that the count of a hidden group may be, at least.
    candidates: int = 5
    #: An outcome is probable from here on, unless the base rate makes it likely by itself.
    probability: float = 0.95
    likely_before: float = 0.5
    #: Figures that may break an exact rule and be left out; more are a fault of ours, and the release is refused.
    withheld: int = 50
    #: Figures that the repair takes out of a block (a cluster and a family) one by one, or this part of what is new of
    #: it where that is more; then of so many municipalities the finest cut that gives something away; then so many
    #: whole cuts of it, the finest first; then all that is new of it.
    singly: int = 50
    singly_part: float = 0.01
    places: int = 12
    cuts: int = 1
    #: Part of the blocks that may stay out as a whole; more, and the release is refused.
    blocks: float = 0.5
    #: A figure of a period that ended so many months before the newest one is closed: it is not looked at any more.
    months: int = 24
    #: How near to its bound an interior value counts as at it.
    at_bound: float = 1e-4
    walk_steps: int = 20_000_000
    #: Whether the walk comes first and an interior point is looked for only where it leaves something closed.
    walk_first: bool = True
    #: Of one chain at most; for each class of the first look, and for each class that this finds near the limit.
    chain_steps: int = 60_000_000
    chain_first: int = 500
    chain_near: int = 20_000
    #: From here on a class is near.
    near: float = 0.8
    seconds: float = 150.0


PROPOSED: Final = Limits()


class Rows(NamedTuple):
    """What the third party knows of the rows behind the figures: by row id.

    ``outcomes``: indicator -> row -> what the row adds to the numerator. ``clients`` and ``providers``: whose row it
    is; a row that is missing there is a client of its own, of no provider. A row that said something else when an
    earlier figure was made is another row there, with an id of its own and the same client.
    """

    outcomes: Mapping[str, Mapping[int, int]]
    clients: Mapping[int, str]
    providers: Mapping[int, str]


class Hidden(NamedTuple):
    """A group of 1-9 clients that is not published, of which a reader may know that it exists."""

    group: Group
    indicator: str
    members: tuple[int, ...]


class View(NamedTuple):
    """A reader who knows rows: it sees the figures of databases that begin with ``audience``, and its own rows."""

    name: str
    providers: frozenset[str]
    audience: str = "rel_gem_"


class Joint(NamedTuple):
    """Indicators of the same rows whose outcomes hang together: a row falls in exactly one of the categories.

    ``adds``: indicator -> what a row of each category adds to its numerator. Reasons that sum to uitval: the categories
    are none and each reason. Bands, ten marks and the mean: the categories are the marks.
    """

    name: str
    adds: Mapping[str, tuple[int, ...]]

    @property
    def categories(self) -> int:
        """How many categories a row may fall in."""
        return len(next(iter(self.adds.values())))
