"""Assignments: which one a number means, and whether it is there. Pure.

The newest version counts (IV013); removed (RedenWijziging 13) is as never sent. A number is unique within one
municipality (TR332); after a merger the same number may come under the old or the new code (TR378) [R].
"""

from __future__ import annotations

from domain.facts.act import ToewijzingAct, ToewijzingKey
from domain.field.codes import CHANGE_MERGER, CHANGE_REMOVED
from domain.field.geography import current_code


class Toewijzingen:
    """The assignments of one client, ready to be looked up."""

    __slots__ = ("_numbers", "_per_key")

    def __init__(self, acts: dict[ToewijzingKey, ToewijzingAct]) -> None:
        self._per_key: dict[tuple[str, str, bytes], ToewijzingAct] = {}
        self._per_key.update(acts.items())
        self._numbers: set[tuple[str, bytes]] = set()
        for (aanbieder, gemeente, toewijzing), act in acts.items():
            self._per_key.setdefault((aanbieder, current_code(gemeente), toewijzing), act)
            if act.reden_wijziging != CHANGE_REMOVED:
                self._numbers.add((aanbieder, toewijzing))

    def __bool__(self) -> bool:
        return bool(self._per_key)

    def newest(self, aanbieder: str, gemeente: str, toewijzing: bytes | None) -> ToewijzingAct | None:
        """The newest version, a removal included; under the code as received or else under the current one."""
        if not self._per_key or toewijzing is None:
            return None
        act = self._per_key.get((aanbieder, gemeente, toewijzing))
        return act or self._per_key.get((aanbieder, current_code(gemeente), toewijzing))

    def stands(self, aanbieder: str, gemeente: str, toewijzing: bytes | None) -> bool:
        """Whether the assignment exists (TR019)."""
        act = self.newest(aanbieder, gemeente, toewijzing)
        return act is not None and act.reden_wijziging != CHANGE_REMOVED

    def area(self, aanbieder: str, gemeente: str, toewijzing: bytes | None) -> str:
        """Where the client lives by the newest version; empty when it does not say, or the assignment is not there."""
        act = self.newest(aanbieder, gemeente, toewijzing)
        return act.postcodegebied if act is not None and act.reden_wijziging != CHANGE_REMOVED else ""

    def number_stands(self, aanbieder: str, toewijzing: bytes) -> bool:
        """Whether any municipality gave the provider an assignment of this number: a score names no municipality."""
        return (aanbieder, toewijzing) in self._numbers

    def merged(self, aanbieder: str, gemeente: str, toewijzing: bytes | None) -> bool:
        """Whether a merger of municipalities ended the assignment (RedenWijziging 11): the care goes on."""
        act = self.newest(aanbieder, gemeente, toewijzing)
        return act is not None and act.reden_wijziging == CHANGE_MERGER
