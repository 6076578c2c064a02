"""From the set of facts to leveringen and trajecten: pure functions, recomputed whole for every client.

A *levering* is one accepted start and its current stop. A *traject* is a chain of leveringen of one client, provider,
municipality and product category [P]; *traject* is not defined in the sources.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from domain.care.leveringen import OPEN_END, Levering, leveringen
from domain.care.toewijzingen import Toewijzingen
from domain.facts.fact_set import FactSet
from domain.field.codes import OUTSIDE_OUTCOMES
from domain.field.definitions import SHIPPED, Definitions
from domain.field.geography import cluster, current_code

RUNNING, PAUSED, ENDED = "lopend", "gepauzeerd", "beeindigd"
WAITS_FOR_START, WAITS_FOR_LEVERING = "wacht_op_start", "wacht_op_levering"
WAITING: Final = frozenset({WAITS_FOR_START, WAITS_FOR_LEVERING})


class Traject(Struct, gc=False):
    """A chain of leveringen, in order of begin; ``end`` is OPEN_END while running or paused."""

    number: bytes
    aanbieder: str
    gemeente: str  # current code
    categorie: str
    leveringen: list[Levering]
    status: str
    begin: int
    end: int
    laatste: Levering | None = None  # the levering that ended it

    @property
    def reden(self) -> str:
        """End reason (JZ588); empty if not ended."""
        return self.laatste.reden if self.laatste else ""

    @property
    def wacht(self) -> dict[str, int]:
        """What it waits for and since when: day of the earliest message that told of it."""
        redenen: dict[str, int] = {}
        for levering in self.leveringen:
            if not levering.wacht:
                continue
            for reden, since in levering.wacht:
                redenen[reden] = min(since, redenen.get(reden, since))
        return redenen


def number_of(client: bytes, *parts: object) -> bytes:
    """Eight bytes that name something within one client: a hash of the parts under the client's secret.

    Every part stands in a row or can be guessed, so ``client`` must be bytes that no reader of rows has: under a
    pseudonym each number would be a test of that pseudonym (decision 0015).
    """
    text = "|".join(part.hex() if isinstance(part, bytes) else str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=8, key=client[:64]).digest()


def trajecten(client: bytes, facts: FactSet, known: Toewijzingen, definitions: Definitions = SHIPPED) -> list[Traject]:
    """The trajecten of a client. What waits for a start or an original stands apart, as a traject of its own."""
    groups: dict[tuple[str, str, str], list[Levering]] = {}
    waiting = []
    for levering in leveringen(facts, known):
        s = levering.start_key
        if levering.start is None:
            waiting.append(_waiting(client, levering))
        else:
            groups.setdefault((s.aanbieder, current_code(s.gemeente), s.categorie), []).append(levering)
    found = [
        _traject(client, aanbieder, gemeente, categorie, chain)
        for (aanbieder, gemeente, categorie), group in groups.items()
        for chain in _chains(group, definitions.chain_days)
    ]
    return found + waiting


def _order(levering: Levering) -> tuple[int, bytes, str, str]:
    """A total order within a group."""
    s = levering.start_key
    return s.begindatum, s.toewijzing or b"", s.code, s.gemeente


def _chains(group: list[Levering], days: int) -> list[list[Levering]]:
    """Leveringen that follow each other within so many days, or follow one that only paused, are one chain."""
    if len(group) == 1:
        return [group]
    group.sort(key=_order)
    chains: list[list[Levering]] = []
    for levering in group:
        if chains and levering.start_key.begindatum <= _end(chains[-1]) + days:
            chains[-1].append(levering)
        else:
            chains.append([levering])
    return chains


def _end(chain: list[Levering]) -> int:
    """When a chain ends: a pause after which care was resumed no longer holds it open."""
    return max(
        levering.pause if levering.pause is not None and _resumed(levering, chain) else levering.end
        for levering in chain
    )


def _resumed(levering: Levering, chain: list[Levering]) -> bool:
    """A paused levering no longer waits once another began on a later day, not before the end of the pause."""
    pause, begin = levering.pause, levering.start_key.begindatum
    return pause is not None and any(begin < other.start_key.begindatum >= pause for other in chain)


def _traject(client: bytes, aanbieder: str, gemeente: str, categorie: str, chain: list[Levering]) -> Traject:
    begin = chain[0].start_key.begindatum
    number = number_of(client, "traject", aanbieder, gemeente, categorie, begin)
    open_ = [levering for levering in chain if levering.end == OPEN_END and not _resumed(levering, chain)]
    if open_:
        status = RUNNING if any(levering.pause is None or levering.merger for levering in open_) else PAUSED
        return Traject(number, aanbieder, gemeente, categorie, chain, status, begin, OPEN_END)
    done = [levering for levering in chain if levering.reden]
    last = max(done, key=lambda levering: (levering.end, _order(levering), levering.reden))
    return Traject(number, aanbieder, gemeente, categorie, chain, ENDED, begin, last.end, last)


def _waiting(client: bytes, levering: Levering) -> Traject:
    s = levering.start_key
    status = WAITS_FOR_START if levering.stopped else WAITS_FOR_LEVERING
    number = number_of(client, "wacht", *s)
    gemeente = current_code(s.gemeente)
    return Traject(number, s.aanbieder, gemeente, s.categorie, [levering], status, s.begindatum, OPEN_END)


def nieuwe_start(traject: Traject, every: list[Traject], days: int = SHIPPED.opvolging_days) -> int | None:
    """Begin of the first traject that began after the end, at most so many days later, with any provider, in
    any municipality of the set (3.2 [P]). Help that already ran on the last day is no new start.
    """
    if traject.status != ENDED or len(every) == 1:
        return None
    last = traject.end + days
    return min((t.begin for t in every if traject.end < t.begin <= last and _is_hulp(t)), default=None)


def _is_hulp(traject: Traject) -> bool:
    """Really begun, jeugdhulp in the sense of the outcomes, and in the set of municipalities."""
    begun = traject.status not in WAITING
    return begun and traject.categorie not in OUTSIDE_OUTCOMES and cluster(traject.gemeente) != ""
