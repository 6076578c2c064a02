"""Scores, metingen and declared lines the long way: which upload counts, and what traject it belongs to.

Part of the oracle: shares no code with the fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.facts.fact import Event, Meting, Prestatie, Score
from domain.field.geography import current_code
from tests.oracle.care import PAUSE, Chain
from tests.oracle.texts import AS_SHIPPED, LISTS, Texts

#: The number of a traject by aanbieder, gemeente, categorie and begindatum, only to choose between equals.
Numbers = Mapping[tuple[str, str, str, int], bytes]

#: Question -> highest answer; the lowest is 1 [P].
QUESTIONS = {
    **{f"VR{n}": 4 for n in ("01", "02", "03", "04", "05", "06", "07", "07A", "07B", "10")},
    **{f"VR08{letter}": 4 for letter in "ABCDEFG"},
    "VR09A": 10,
    "VR09B": 10,
}


def valid(meting: Meting) -> bool:
    """Known version, known question codes, values in range."""
    return meting.vragenlijst in LISTS and all(
        code in QUESTIONS and 1 <= antwoord <= QUESTIONS[code] for code, antwoord in meting.antwoorden.items()
    )


@dataclass(frozen=True)
class Upload:
    """One score or meting as one line of one upload gave it; ``tijd`` is the earliest time seen for that line."""

    aanbieder: str
    fact: Any
    tijd: int
    line: int
    delivery: str


def uploads(history: Iterable[Event], kind: type) -> list[Upload]:
    """One per line of an upload, however often it came; the earliest time counts."""
    found: dict[tuple[str, str, int], Upload] = {}
    for event in history:
        f = event.fact
        if isinstance(f, kind):
            where = (event.aanbieder, event.delivery, event.line)
            uploaded: int = f.tijd  # type: ignore[attr-defined]
            if where in found:
                uploaded = min(uploaded, found[where].tijd)
            found[where] = Upload(event.aanbieder, f, uploaded, event.line, event.delivery)
    return list(found.values())


def latest(some: Iterable[Upload]) -> Upload:
    """By upload time, then line, then delivery."""
    return max(some, key=lambda one: (one.tijd, one.line, one.delivery))


def scores(history: Sequence[Event]) -> list[Upload]:
    """Of every score key (provider, number, goal, rater) the upload that counts."""
    keys: dict[Any, list[Upload]] = {}
    for one in uploads(history, Score):
        keys.setdefault(_key(one), []).append(one)
    return [latest(some) for some in keys.values()]


def metingen(history: Sequence[Event]) -> list[Upload]:
    """Of every meting (provider, meting) the delivery that counts: the latest by datum, then as for a score."""
    keys: dict[Any, list[Upload]] = {}
    for one in uploads(history, Meting):
        keys.setdefault(_key(one), []).append(one)
    return [
        latest(one for one in some if one.fact.datum == max(other.fact.datum for other in some))
        for some in keys.values()
    ]


def _key(one: Upload) -> tuple[Any, ...]:
    f = one.fact
    if isinstance(f, Meting):
        return one.aanbieder, f.meting
    return one.aanbieder, f.toewijzing, f.beschikking, f.doel, f.beoordelaar


def first_upload(one: Upload, history: Sequence[Event]) -> int:
    """Time of the first upload of a score or meting."""
    return min(other.tijd for other in uploads(history, type(one.fact)) if _key(other) == _key(one))


def toewijzing_of(score: Upload, history: Sequence[Event]) -> bytes | None:
    """The assignment of a score: its own, or that of the latest upload of this provider that names both numbers."""
    f = score.fact
    if f.toewijzing is not None:
        own: bytes = f.toewijzing
        return own
    both = [
        one
        for one in uploads(history, Score)
        if one.aanbieder == score.aanbieder
        and one.fact.beschikking == f.beschikking
        and one.fact.toewijzing is not None
    ]
    found: bytes | None = latest(both).fact.toewijzing if both else None
    return found


def number(chain: Chain, numbers: Numbers) -> bytes:
    """The given number of a traject; empty if none was given."""
    start_key = chain.start_key
    return numbers.get((start_key.aanbieder, start_key.gemeente, start_key.categorie, chain.begin), b"")


def by_toewijzing(
    trajecten: Sequence[Chain], aanbieder: str, toewijzing: bytes | None, numbers: Numbers
) -> Chain | None:
    """The traject of an assignment; of several the one that began last. Nothing links to what holds no start."""
    if toewijzing is None:
        return None
    found = [one for one in trajecten if one.start_key.aanbieder == aanbieder and one.care and one.has(toewijzing)]
    return max(found, key=lambda one: (one.begin, number(one, numbers)), default=None)


def of_line(trajecten: Sequence[Chain], aanbieder: str, line: Prestatie, numbers: Numbers) -> Chain | None:
    """The traject of a declared line: an assignment is one of a municipality (TR332)."""
    near = [one for one in trajecten if one.start_key.gemeente == current_code(line.gemeente)]
    return by_toewijzing(near, aanbieder, line.toewijzing, numbers)


def of_meting(trajecten: Sequence[Chain], meting: Upload, numbers: Numbers, texts: Texts = AS_SHIPPED) -> Chain | None:
    """Same provider; *einde*: the nearest end in the window, of the traject or of a levering that ended while another
    of the traject ran on (*stapeling*); *duurzaam*: running on the day.

    Open in the texts: of equal ends the first begun, of several running the last begun.
    """
    datum: int = meting.fact.datum
    kind = texts.group(meting.fact.vragenlijst)[1]
    mine = [one for one in trajecten if one.start_key.aanbieder == meting.aanbieder and one.care]
    if kind == "duurzaam":
        running = [one for one in mine if one.begin <= datum and (one.end is None or datum <= one.end.einddatum)]
        return max(running, key=lambda one: (one.begin, number(one, numbers)), default=None)
    near = []
    for one in mine if kind == "einde" else ():
        for end in _ends(one):
            if -texts.before_end <= datum - end <= texts.after_end:
                near.append((abs(datum - end), one.begin, number(one, numbers), one))
    return min(near, key=lambda pair: pair[:3])[3] if near else None


def _ends(chain: Chain) -> set[int]:
    ends = set() if chain.end is None else {chain.end.einddatum}
    for one in chain.leveringen:
        if one.stop is None or one.merged or one.stop.reden_beeindiging == PAUSE:
            continue
        for other in chain.leveringen:
            until = [stop.einddatum for stop in other.stops if stop is other.stop or stop.reden_beeindiging == PAUSE]
            if other.start_key.begin <= one.stop.einddatum and all(one.stop.einddatum < day for day in until):
                ends.add(one.stop.einddatum)
    return ends


# --- declarations -------------------------------------------------------------------------------------------------


def declared(history: Sequence[Event]) -> dict[tuple[str, bytes], Prestatie]:
    """Every declared line, by provider and reference. Of a reference used twice (TR314) the latest."""
    lines: dict[tuple[str, bytes], Prestatie] = {}
    for event in history:
        f = event.fact
        if isinstance(f, Prestatie):
            key = (event.aanbieder, f.referentie)
            if key not in lines or (lines[key].dagtekening, lines[key].bericht) < (f.dagtekening, f.bericht):
                lines[key] = f
    return lines


def debits(lines: Mapping[tuple[str, bytes], Prestatie]) -> list[tuple[str, Prestatie]]:
    """Debit lines that no credit takes back, with their provider."""
    taken = {(who, f.vorige_referentie) for (who, _), f in lines.items() if f.debet_credit == "C"}
    return [(who, f) for (who, ref), f in lines.items() if f.debet_credit == "D" and (who, ref) not in taken]
