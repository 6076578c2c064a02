"""The region: sums of what is published of its clusters, so that they add nothing to what a reader can work out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from domain.field.geography import CLUSTERS
from results.release.build import Release, Stated
from results.release.model import Figure, Form, Group, Shown
from results.release.rules import RULES, Seen, nearest
from sinks.schema.audiences import COMPARISON

#: The cut of these figures.
CUT: Final = "regio"


class Sum(NamedTuple):
    """A figure of the region."""

    group: Group
    family: str
    indicator: str
    status: str
    version: int
    made_in: int
    shown: Shown


def sums(release: Release) -> Iterator[Sum]:
    """The region, where every cluster is shown and their numerators are meant alike."""
    parts: dict[tuple[str, str, str], dict[str, Stated]] = defaultdict(dict)
    for one in release.stated:
        group = one.cell.group
        if group.snede == "cluster" and one.seen and not one.hidden:
            parts[one.cell.family, group.periode_soort, group.periode][group.cluster] = one
    for (family, _, _), found in sorted(parts.items()):
        if found.keys() == set(CLUSTERS) and len({one.version for one in found.values()}) == 1:
            yield from _of_family(family, found)


def _of_family(family: str, found: Mapping[str, Stated]) -> Iterator[Sum]:
    one = next(iter(found.values()))
    group = one.cell.group._replace(snede=CUT, cluster="")
    newest = max(part.made_in for part in found.values())
    for indicator in one.seen:
        shown = added([part.seen[indicator].shown for part in found.values()])
        if shown is not None:
            yield Sum(group, family, indicator, one.status, one.version, newest, shown)


def added(parts: Iterable[Shown]) -> Shown | None:
    """The sum of shown numbers; None where at most and at least stand beside each other."""
    parts = list(parts)
    counted, excluded = sum(part.noemer for part in parts), sum(part.uitgesloten for part in parts)
    forms = {part.vorm for part in parts} - {"="}
    if len(forms) > 1:
        return None
    form: Form = next(iter(forms), "=")
    means = [(part.gemiddelde, part.noemer) for part in parts if part.gemiddelde is not None]
    if len(means) == len(parts):
        return Shown(counted, None, "=", None, round(sum(mean * many for mean, many in means) / counted, 1), excluded)
    tellers = [part.teller for part in parts if part.teller is not None]
    if len(tellers) != len(parts):
        return None
    percentage = nearest(100 * sum(tellers), counted) // counted
    return Shown(counted, sum(tellers), form, percentage, None, excluded)


def as_figure(one: Sum) -> Figure:
    """For the gate: a figure without rows is a sum of others."""
    return Figure(one.made_in, one.group, one.indicator, frozenset({COMPARISON}), (), 0, one.shown.noemer, one.shown)


def as_seen(one: Sum) -> Seen:
    """What is seen of it; nothing is known of the numerator beyond its parts."""
    return Seen(one.shown, 0, one.shown.noemer * (10 if one.shown.gemiddelde is not None else 1) + RULES.step)
