"""What changed between two releases, and why: by group of rows and family, in numbers that say nothing of a child."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from results.release.build import Hidden, Stated
from results.release.model import Group
from results.release.restating import Key

#: What became of the figures of a group: shown for the first time, restated since enough clients changed, or no longer
#: shown (too few left, too close to another group, or withheld by the gate); ``status``: only that changed.
Change = Literal["nieuw", "herzien", "vervallen", "genest", "rest", "poort", "status", "gelijk"]


class Difference(NamedTuple):
    """One group and family of which the figures differ: what became of them, and what was and is seen."""

    group: Group
    family: str
    change: Change
    before: str
    after: str


def differences(before: Iterable[Stated], after: Iterable[Stated]) -> list[Difference]:
    """Every group and family of which something changed, in the order of both."""
    old, new = ({one.key: one for one in part} for part in (before, after))
    found = []
    for key in sorted({**old, **new}):
        change = _change(key, old, new)
        if change != "gelijk":
            found.append(Difference(*key, change, *(_text(part.get(key)) for part in (old, new))))
    return found


def counted(found: Iterable[Difference]) -> dict[str, int]:
    """How many of each."""
    return dict(sorted(Counter(str(one.change) for one in found).items()))


def _change(key: Key, old: Mapping[Key, Stated], new: Mapping[Key, Stated]) -> Change:
    before, after = old.get(key), new.get(key)
    was, now = before is not None and bool(before.seen), after is not None and bool(after.seen)
    if now and not was:
        return "nieuw"
    if was and not now:
        hidden: Hidden = after.hidden if after is not None else ""
        return hidden or "vervallen"
    if before is None or after is None or not was:
        return "gelijk"
    if before.made_in != after.made_in:
        return "herzien"
    return "status" if before.status != after.status else "gelijk"


def _text(one: Stated | None) -> str:
    """What a reader sees of the first figure of a family."""
    if one is None or not one.seen:
        return "-"
    shown = next(iter(one.seen.values())).shown
    figure = shown.gemiddelde if shown.teller is None else f"{shown.vorm}{shown.teller}"
    return f"{figure if figure is not None else '-'} / {shown.noemer}"
