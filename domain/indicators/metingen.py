"""The figures over metingen: the mark for the use of help, and going on without help; of CEM+ and of CBS records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from domain.indicators.build import aantal, is_een, over_trajecten
from domain.indicators.terms import Herkomst, Indicator, Kolom, Term, Voorwaarde

_TELT: Final = is_een("telt", 1)


def _metingen(onderwerp: str, bron: str, merk: str, herkomst: Herkomst) -> Callable[..., Indicator]:
    return partial(
        over_trajecten(onderwerp, bron, merk, herkomst=herkomst), tabel="metingen", datum="datum",
        venster="datum van de meting in de periode",
    )  # fmt: skip


def nut(voor: str, achter: str, bron: str, merk: str, herkomst: Herkomst) -> Iterable[Indicator]:
    """The mark 1 to 10: mean, three bands and every mark."""
    maak = _metingen(f"{voor}nut", bron, merk, herkomst)
    noemer, leeg = Term((_TELT, Voorwaarde("nut"))), Term((_TELT, Voorwaarde("nut", niet=True)))
    yield maak(
        sleutel=f"{voor}nut_gemiddelde", naam=f"Nut, gemiddeld cijfer{achter}", eenheid="gemiddelde",
        teller=Term(noemer.waar, Kolom("nut")), noemer=noemer, uitgesloten=leeg,
    )  # fmt: skip
    banden = {
        "laag": ("4 of lager", range(1, 5)),
        "midden": ("5 tot en met 7", range(5, 8)),
        "hoog": ("8 of hoger", range(8, 11)),
    }
    cijfers = {str(cijfer): (f"cijfer {cijfer}", range(cijfer, cijfer + 1)) for cijfer in range(1, 11)}
    for sleutel, (naam, welke) in (banden | cijfers).items():
        teller = Term((_TELT, is_een("nut", *welke)))
        yield maak(
            sleutel=f"{voor}nut_{sleutel}", naam=f"Nut, {naam}{achter}", eenheid="%", teller=teller, noemer=noemer,
            uitgesloten=leeg, bron=f"{bron}; banden S2" if sleutel in banden else bron,
        )  # fmt: skip


def zonder_hulp(voor: str, achter: str, bron: str, merk: str, herkomst: Herkomst) -> Iterable[Indicator]:
    """Options 3 and 4 together, and each of the four."""
    maak = _metingen(f"{voor}zonder_hulp", bron, merk, herkomst)
    noemer, leeg = Term((_TELT, Voorwaarde("zonder_hulp"))), Term((_TELT, Voorwaarde("zonder_hulp", niet=True)))
    opties = {
        "": ("Zonder hulp verder", (3, 4)),
        "_1": ("Zonder hulp verder: dezelfde of zwaardere hulp nodig", (1,)),
        "_2": ("Zonder hulp verder: lichtere hulp is genoeg", (2,)),
        "_3": ("Zonder hulp verder: nu geen hulp, verwacht terug te komen", (3,)),
        "_4": ("Zonder hulp verder: geen hulp meer nodig", (4,)),
    }
    for sleutel, (naam, welke) in opties.items():
        teller = Term((_TELT, is_een("zonder_hulp", *welke)))
        yield maak(
            sleutel=f"{voor}zonder_hulp{sleutel}", naam=f"{naam}{achter}", eenheid="%", teller=teller, noemer=noemer,
            uitgesloten=leeg, merk="R" if merk == "F" and not sleutel else merk,
        )  # fmt: skip


def bevestiging() -> Iterable[Indicator]:
    """How many of the metingen behind the figures have questions whose meaning nobody has confirmed."""
    maak = _metingen("nut", "CEM+", "F", "ijw")
    yield aantal(maak, "metingen_geteld", "Metingen die tellen", _TELT)
    naam = "Metingen die tellen, betekenis van de vragen niet bevestigd"
    yield aantal(maak, "metingen_niet_bevestigd", naam, _TELT, is_een("bevestigd", 0))


def per_groep(indicatoren: Iterable[Indicator]) -> Iterable[Indicator]:
    """Together, and apart for youth and parents."""
    for indicator in indicatoren:
        yield indicator
        for groep, woord in (("jeugdige", "jeugdigen"), ("ouder", "ouders")):
            welke = is_een("groep", groep)

            def beperkt(term: Term, welke: Voorwaarde = welke) -> Term:
                return replace(term, waar=(*term.waar, welke))

            yield replace(
                indicator,
                sleutel=f"{indicator.sleutel}_{groep}",
                naam=f"{indicator.naam} ({woord})",
                teller=beperkt(indicator.teller),
                noemer=beperkt(indicator.noemer),
                uitgesloten=beperkt(indicator.uitgesloten) if indicator.uitgesloten else None,
            )
