"""The figures over metingen: the mark for the use of help, and going on without help; of CEM+ and of CBS records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from domain.indicators.build import count, is_one, over_trajecten
from domain.indicators.terms import Column, Condition, Indicator, Provenance, Term

_COUNTS: Final = is_one("telt", 1)


def _metingen(subject: str, basis: str, mark: str, provenance: Provenance) -> Callable[..., Indicator]:
    return partial(
        over_trajecten(subject, basis, mark, provenance=provenance), table="metingen", datum="datum",
        window="datum van de meting in de periode",
    )  # fmt: skip


def nut(prefix: str, suffix: str, basis: str, mark: str, provenance: Provenance) -> Iterable[Indicator]:
    """The mark 1 to 10: mean, three bands and every mark."""
    make = _metingen(f"{prefix}nut", basis, mark, provenance)
    denominator, empty = Term((_COUNTS, Condition("nut"))), Term((_COUNTS, Condition("nut", negated=True)))
    yield make(
        key=f"{prefix}nut_gemiddelde", name=f"Nut, gemiddeld cijfer{suffix}", unit="gemiddelde",
        numerator=Term(denominator.where, Column("nut")), denominator=denominator, excluded=empty,
    )  # fmt: skip
    bands = {
        "laag": ("4 of lager", range(1, 5)),
        "midden": ("5 tot en met 7", range(5, 8)),
        "hoog": ("8 of hoger", range(8, 11)),
    }
    marks = {str(mark_): (f"cijfer {mark_}", range(mark_, mark_ + 1)) for mark_ in range(1, 11)}
    for key, (name, which) in (bands | marks).items():
        numerator = Term((_COUNTS, is_one("nut", *which)))
        yield make(
            key=f"{prefix}nut_{key}", name=f"Nut, {name}{suffix}", unit="%", numerator=numerator,
            denominator=denominator, excluded=empty, basis=f"{basis}; banden S2" if key in bands else basis,
        )  # fmt: skip


def zonder_hulp(prefix: str, suffix: str, basis: str, mark: str, provenance: Provenance) -> Iterable[Indicator]:
    """Options 3 and 4 together, and each of the four."""
    make = _metingen(f"{prefix}zonder_hulp", basis, mark, provenance)
    denominator, empty = (
        Term((_COUNTS, Condition("zonder_hulp"))),
        Term((_COUNTS, Condition("zonder_hulp", negated=True))),
    )
    options = {
        "": ("Zonder hulp verder", (3, 4)),
        "_1": ("Zonder hulp verder: dezelfde of zwaardere hulp nodig", (1,)),
        "_2": ("Zonder hulp verder: lichtere hulp is genoeg", (2,)),
        "_3": ("Zonder hulp verder: nu geen hulp, verwacht terug te komen", (3,)),
        "_4": ("Zonder hulp verder: geen hulp meer nodig", (4,)),
    }
    for key, (name, which) in options.items():
        numerator = Term((_COUNTS, is_one("zonder_hulp", *which)))
        yield make(
            key=f"{prefix}zonder_hulp{key}", name=f"{name}{suffix}", unit="%", numerator=numerator,
            denominator=denominator,
            excluded=empty, mark="R" if mark == "F" and not key else mark,
        )  # fmt: skip


def confirmation() -> Iterable[Indicator]:
    """How many of the metingen behind the figures have questions whose meaning nobody has confirmed."""
    make = _metingen("nut", "CEM+", "F", "ijw")
    yield count(make, "metingen_geteld", "Metingen die tellen", _COUNTS)
    name = "Metingen die tellen, betekenis van de vragen niet bevestigd"
    yield count(make, "metingen_niet_bevestigd", name, _COUNTS, is_one("bevestigd", 0))


def per_group(indicators: Iterable[Indicator]) -> Iterable[Indicator]:
    """Together, and apart for youth and parents."""
    for indicator in indicators:
        yield indicator
        for group, word in (("jeugdige", "jeugdigen"), ("ouder", "ouders")):
            which = is_one("groep", group)

            def limited(term: Term, which: Condition = which) -> Term:
                return replace(term, where=(*term.where, which))

            yield replace(
                indicator,
                key=f"{indicator.key}_{group}",
                name=f"{indicator.name} ({word})",
                numerator=limited(indicator.numerator),
                denominator=limited(indicator.denominator),
                excluded=limited(indicator.excluded) if indicator.excluded else None,
            )
