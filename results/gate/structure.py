"""What is exact: rules that each figure, and each pair of figures, must keep to whatever a solver says.

Looked at are the figures of the newest release, beside all that was shown before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from results.gate.blocks import Members, newest
from results.gate.known import Limits, Rows
from results.release.model import Figure, Group, Shown

#: What is shown of a figure whose true numerator is given: what the release itself does.
Remake = Callable[[Figure, int], Shown]
_PERIODS: Final = {
    "maand": re.compile(r"\d{4}-(0[1-9]|1[0-2])"),
    "kwartaal": re.compile(r"\d{4}-K[1-4]"),
    "vier_kwartalen": re.compile(r"\d{4}-K[1-4]"),
}
#: The one filter that may stand beside another.
_BESIDE: Final = "respondent"
_DETAIL: Final = ("aanbieder", "categorie", "leeftijd", "geslacht", "filter")


class Finding(NamedTuple):
    """A rule that a figure breaks: ``place`` in the sequence that is audited."""

    rule: str
    place: int


class Structure(NamedTuple):
    """Everything the rules look at. ``out``: places of figures that were taken out."""

    figures: Sequence[Figure]
    rows: Rows
    limits: Limits
    members: Members
    out: frozenset[int] = frozenset()

    def inside(self) -> Iterator[tuple[int, Figure]]:
        """Place and figure of all that are not taken out, release after release."""
        order = sorted(range(len(self.figures)), key=lambda place: self.figures[place].release)
        yield from ((place, self.figures[place]) for place in order if place not in self.out)

    def clients(self, rows: Sequence[int]) -> int:
        """How many clients stand behind rows."""
        return len({self.rows.clients.get(row, row) for row in rows})


def each(structure: Structure, remake: Remake | None = None) -> Iterator[Finding]:
    """The rules that a figure keeps or breaks by itself."""
    last = newest(structure.figures)
    counted: dict[bytes, int] = {}
    for place, figure in structure.inside():
        if figure.release == last:
            for rule in _broken(structure, figure, counted, remake):
                yield Finding(rule, place)


def _broken(structure: Structure, figure: Figure, counted: dict[bytes, int], remake: Remake | None) -> Iterator[str]:
    if not _period_is_closed(figure.group):
        yield "periode"
    if not _one_filter(figure.group):
        yield "filter"
    if not _seen_by_whom(figure):
        yield "kijker"
    if not _percentage_of_shown(figure.shown):
        yield "percentage"
    if not figure.members:
        return
    key = structure.members.key(figure.members)
    if key not in counted:
        counted[key] = structure.clients(figure.members)
    rows = len(structure.members.array(figure.members))
    limits, shown = structure.limits, figure.shown
    has_figure = shown.teller is not None or shown.percentage is not None or shown.gemiddelde is not None
    if counted[key] < limits.smallest_group or (has_figure and rows < limits.smallest_denominator):
        yield "drempel"
    if shown.noemer != 5 * ((rows + 2) // 5):
        yield "noemer"
    yield from _windows(figure, rows, limits)
    if remake is not None and remake(figure, _true(structure.rows, figure)) != shown:
        yield "ruis"


def _true(rows: Rows, figure: Figure) -> int:
    values = rows.outcomes.get(figure.indicator, {})
    return sum(values.get(row, figure.weights_low) for row in figure.members)


def _windows(figure: Figure, rows: int, limits: Limits) -> Iterator[str]:
    """Whether the numerator is hidden well enough, and no child adds more than that hides."""
    shown, span = figure.shown, figure.weights_high - figure.weights_low
    least, most = rows * figure.weights_low, rows * figure.weights_high
    if shown.teller is not None:
        if span > 1:
            yield "kind"
        elif not _hides(figure, rows, limits.noise):
            yield "teller"
    if shown.gemiddelde is not None:
        room = min(span, figure.low - least + span, most - figure.high + span)
        if figure.high - figure.low < room:
            yield "gemiddelde"


def _hides(figure: Figure, rows: int, noise: int) -> bool:
    """Whether the interval is as wide as the noise makes it, and agrees with what is shown."""
    teller = figure.shown.teller or 0
    if figure.shown.vorm == "<=":
        return figure.low <= 0 and figure.high >= min(noise, rows)
    if figure.shown.vorm == ">=":
        return figure.high >= rows and figure.low <= max(figure.shown.noemer - noise, 0)
    return teller % 5 == 0 and figure.low <= max(teller - noise, 0) and figure.high >= min(teller + noise, rows)


def _percentage_of_shown(shown: Shown) -> bool:
    """A percentage is whole and follows from the numbers beside it."""
    if shown.percentage is None:
        return True
    if shown.teller is None or shown.noemer <= 0 or shown.percentage != int(shown.percentage):
        return False
    return abs(min(100 * shown.teller / shown.noemer, 100) - shown.percentage) <= 0.5


def _period_is_closed(group: Group) -> bool:
    """Months carry totals only, quarters no three columns; all others begin with a quarter."""
    pattern = _PERIODS.get(group.periode_soort)
    if pattern is None or not pattern.fullmatch(group.periode):
        return False
    detail = [column for column in _DETAIL if getattr(group, column)]
    if group.periode_soort == "maand":
        return not detail
    return not (group.periode_soort == "kwartaal" and "aanbieder" in detail and len(detail) > 1)


def _one_filter(group: Group) -> bool:
    """One filter, by itself or with a provider; of two, one is the respondent."""
    names = [name for name in re.split(r" x |\W", group.filter) if name]
    beside = [column for column in ("categorie", "leeftijd", "geslacht") if getattr(group, column)]
    if not names:
        return True
    return not beside and (len(names) == 1 or (len(names) == 2 and _BESIDE in names and not group.aanbieder))


def _seen_by_whom(figure: Figure) -> bool:
    """Providers and comparisons see no provider; a municipality sees itself."""
    for audience in figure.audiences:
        if audience.startswith(("rel_gem_", "rel_vergelijking")) and figure.group.aanbieder:
            return False
        if re.fullmatch(r"rel_g\d{4}", audience) and figure.group.gemeente != audience[5:]:
            return False
    return True


def repeated(structure: Structure) -> Iterator[Finding]:
    """The same rows show the same figure; a group is shown anew only when enough clients changed."""
    last = newest(structure.figures)
    groups: dict[tuple[Group, str], list[int]] = {}
    same: dict[tuple[bytes, str], Shown] = {}
    for place, figure in structure.inside():
        if not figure.members:
            continue
        if same.setdefault((structure.members.key(figure.members), figure.indicator), figure.shown) != figure.shown:
            yield Finding("gelijk", place)
        groups.setdefault((figure.group, figure.indicator), []).append(place)
    for places in groups.values():
        if len(places) > 1 and structure.figures[places[-1]].release == last:
            before, now = (structure.figures[place].members for place in places[-2:])
            changed = [] if before is now else list(set(before) ^ set(now))
            if changed and structure.clients(changed) < structure.limits.smallest_change:
                yield Finding("herzien", places[-1])


def sums(structure: Structure) -> Iterator[Finding]:
    """A figure of the region is the sum of what is published of its clusters."""
    parts: dict[tuple[object, ...], dict[str, Figure]] = {}
    last = newest(structure.figures)
    for _, figure in structure.inside():
        if figure.group.cluster and not figure.group.gemeente:
            parts.setdefault(_sum_key(figure), {})[figure.group.cluster] = figure
    for place, figure in structure.inside():
        if figure.release == last and is_sum(figure):
            clusters = parts.get(_sum_key(figure), {}).values()
            counted = sum(part.shown.noemer for part in clusters)
            teller = sum(part.shown.teller or 0 for part in clusters)
            if counted != figure.shown.noemer or (figure.shown.teller is not None and teller != figure.shown.teller):
                yield Finding("regio", place)


def is_sum(figure: Figure) -> bool:
    """Whether a figure is of the region: neither of a municipality nor of a cluster."""
    return not figure.group.gemeente and not figure.group.cluster


def _sum_key(figure: Figure) -> tuple[object, ...]:
    group = figure.group
    return (figure.indicator, group.periode_soort, group.periode, group.aanbieder, group.categorie, group.leeftijd,
            group.geslacht, group.filter, group.filterwaarde)  # fmt: skip


def most_rows_of_a_client(structure: Structure) -> int:
    """How many rows one client has at most."""
    counts = Counter(structure.rows.clients.values())
    return max(counts.values(), default=1)
