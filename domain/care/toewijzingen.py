"""Assignments: which one a number means, and whether it is there. Pure.

The newest version counts (IV013); removed (RedenWijziging 13) is as never sent. A number is unique within one
municipality (TR332); after a merger the same number may come under the old or the new code (TR378) [R].
"""

from __future__ import annotations

from domain.facts.act import ToewijzingDaad, ToewijzingSleutel
from domain.field.codes import WIJZIGING_FUSIE, WIJZIGING_VERWIJDERD
from domain.field.geography import huidige_code


class Toewijzingen:
    """The assignments of one client, ready to be looked up."""

    __slots__ = ("_nummers", "_per_sleutel")

    def __init__(self, daden: dict[ToewijzingSleutel, ToewijzingDaad]) -> None:
        self._per_sleutel: dict[tuple[str, str, bytes], ToewijzingDaad] = {}
        self._per_sleutel.update(daden.items())
        self._nummers: set[tuple[str, bytes]] = set()
        for (aanbieder, gemeente, toewijzing), daad in daden.items():
            self._per_sleutel.setdefault((aanbieder, huidige_code(gemeente), toewijzing), daad)
            if daad.reden_wijziging != WIJZIGING_VERWIJDERD:
                self._nummers.add((aanbieder, toewijzing))

    def __bool__(self) -> bool:
        return bool(self._per_sleutel)

    def nieuwste(self, aanbieder: str, gemeente: str, toewijzing: bytes | None) -> ToewijzingDaad | None:
        """The newest version, a removal included; under the code as received or else under the current one."""
        if not self._per_sleutel or toewijzing is None:
            return None
        daad = self._per_sleutel.get((aanbieder, gemeente, toewijzing))
        return daad or self._per_sleutel.get((aanbieder, huidige_code(gemeente), toewijzing))

    def staat(self, aanbieder: str, gemeente: str, toewijzing: bytes | None) -> bool:
        """Whether the assignment exists (TR019)."""
        daad = self.nieuwste(aanbieder, gemeente, toewijzing)
        return daad is not None and daad.reden_wijziging != WIJZIGING_VERWIJDERD

    def nummer_staat(self, aanbieder: str, toewijzing: bytes) -> bool:
        """Whether any municipality gave the provider an assignment of this number: a score names no municipality."""
        return (aanbieder, toewijzing) in self._nummers

    def gefuseerd(self, aanbieder: str, gemeente: str, toewijzing: bytes | None) -> bool:
        """Whether a merger of municipalities ended the assignment (RedenWijziging 11): the care goes on."""
        daad = self.nieuwste(aanbieder, gemeente, toewijzing)
        return daad is not None and daad.reden_wijziging == WIJZIGING_FUSIE
