"""The indicators: every population formula once, as data.

An indicator is a quotient (or a count) of terms over the rows of one table. A term says which rows take part and what
is added up for each. Panels, reports and the release run the SQL made from these terms (``sql``); ``evaluate`` computes
the same in Python, and a test runs both over the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from domain.codes import UITVAL_KLASSEN
from domain.indicator_overview import overview
from domain.indicator_query import DATUM, Groep, evaluate, scope, sql, sql_samen
from domain.indicator_terms import Deel, Eenheid, Indicator, InKaart, Kolom, Term, Uitkomst, Voorwaarde

__all__ = [
    "DATUM",
    "INDICATOREN",
    "Eenheid",
    "Groep",
    "Indicator",
    "Uitkomst",
    "evaluate",
    "overview",
    "scope",
    "sql",
    "sql_samen",
]


def _in(kolom: str, *waarden: str | int) -> Voorwaarde:
    return Voorwaarde(kolom, waarden)


_EINDE: Final = _in("status", "beeindigd")
_TELT: Final = _in("telt", 1)
_AF: Final = "einddatum in de periode"
_GEMETEN: Final = "datum_meting in de periode"


def _statussen() -> Iterable[Indicator]:
    namen = {"beeindigd": "Beëindigde trajecten", "lopend": "Lopende trajecten", "gepauzeerd": "Gepauzeerde trajecten"}
    for status, naam in (namen | {"wacht_op_start": "Beëindigd, start nog niet ontvangen"}).items():
        term = Term((_in("status", status),))
        yield Indicator(f"trajecten_{status}", "", naam, "trajecten", "aantal", term, term, None, "nu", "", "P")


def _uitval() -> Iterable[Indicator]:
    noemer = Term((_EINDE, _in("uitval_klasse", "gepland", *UITVAL_KLASSEN)))
    buiten = Term((_EINDE, _in("uitval_klasse", "neutraal", "administratief")))
    splitsing = {
        "uitval": ("Uitval", UITVAL_KLASSEN),
        "uitval_client": ("Uitval, eenzijdig door cliënt", ("client",)),
        "uitval_aanbieder": ("Uitval, eenzijdig door aanbieder", ("aanbieder",)),
        "uitval_wederzijds": ("Uitval, in overeenstemming", ("wederzijds",)),
    }
    for sleutel, (naam, klassen) in splitsing.items():
        teller = Term((_EINDE, _in("uitval_klasse", *klassen)))
        yield Indicator(sleutel, "1", naam, "trajecten", "%", teller, noemer, buiten, _AF, "CBS 4.2, S3, JZ588", "R")
    for klasse, naam in (("gepland", "Volgens plan"), ("neutraal", "Neutraal"), ("administratief", "Administratief")):
        term = Term((_EINDE, _in("uitval_klasse", klasse)))
        label = f"{naam} beëindigd" if klasse == "gepland" else f"{naam} beëindigd (telt niet mee)"
        yield Indicator(f"einde_{klasse}", "1", label, "trajecten", "aantal", term, term, None, _AF, "JZ588", "R")


def _nut() -> Iterable[Indicator]:
    noemer, leeg = Term((_TELT, Voorwaarde("nut"))), Term((_TELT, Voorwaarde("nut", niet=True)))
    merk, bron = "P", "CBS 4.3; vraag niet bevestigd"
    som = Term(noemer.waar, Kolom("nut"))
    yield Indicator(
        "nut_gemiddelde",
        "2",
        "Nut, gemiddeld cijfer",
        "metingen",
        "gemiddelde",
        som,
        noemer,
        leeg,
        _GEMETEN,
        bron,
        merk,
    )
    banden = {
        "laag": ("4 of lager", range(1, 5)),
        "midden": ("5 tot en met 7", range(5, 8)),
        "hoog": ("8 of hoger", range(8, 11)),
    }
    cijfers = {str(cijfer): (f"cijfer {cijfer}", range(cijfer, cijfer + 1)) for cijfer in range(1, 11)}
    for sleutel, (naam, welke) in (banden | cijfers).items():
        teller = Term((_TELT, _in("nut", *welke)))
        yield Indicator(
            f"nut_{sleutel}",
            "2",
            f"Nut, {naam}",
            "metingen",
            "%",
            teller,
            noemer,
            leeg,
            _GEMETEN,
            f"{bron}; banden S2",
            merk,
        )


def _zonder_hulp() -> Iterable[Indicator]:
    noemer, leeg = Term((_TELT, Voorwaarde("zonder_hulp"))), Term((_TELT, Voorwaarde("zonder_hulp", niet=True)))
    opties = {
        "zonder_hulp": ("Zonder hulp verder", (3, 4)),
        "zonder_hulp_1": ("dezelfde of zwaardere hulp nodig", (1,)),
        "zonder_hulp_2": ("lichtere hulp is genoeg", (2,)),
        "zonder_hulp_3": ("nu geen hulp, verwacht terug te komen", (3,)),
        "zonder_hulp_4": ("geen hulp meer nodig", (4,)),
    }
    for sleutel, (naam, welke) in opties.items():
        naam = naam if len(welke) > 1 else f"Zonder hulp verder: {naam}"
        teller, bron = Term((_TELT, _in("zonder_hulp", *welke))), "CBS 4.4; vraag niet bevestigd"
        yield Indicator(sleutel, "3.1", naam, "metingen", "%", teller, noemer, leeg, _GEMETEN, bron, "P")


def _probleem() -> Iterable[Indicator]:
    """The distribution only: nobody has confirmed whether 1 or 3 is the better one."""
    for beoordelaar in ("behandelaar", "ouder", "client"):
        kolom = f"probleem_{beoordelaar}"
        noemer = Term((Voorwaarde(kolom),))
        for waarde in (1, 2, 3):
            naam = f"Probleemafname volgens {beoordelaar}, score {waarde} (richting niet bevestigd)"
            teller = Term((_in(kolom, waarde),))
            yield Indicator(
                f"{kolom}_{waarde}", "3.3", naam, "trajecten", "%", teller, noemer, None, _AF, "S1, S3", "P"
            )


def _gas() -> Iterable[Indicator]:
    noemer, bron = Term((), Kolom("gas_gescoord")), "S1, S3"

    def maak(sleutel: str, naam: str, teller: Term, onder: Term = noemer, eenheid: Eenheid = "%") -> Indicator:
        return Indicator(sleutel, "3.4", naam, "trajecten", eenheid, teller, onder, None, _AF, bron, "R")

    yield maak("gas_bereikt", "Doelen bereikt", Term((), Kolom("gas_bereikt")))
    yield maak("gas_deels", "Doelen minstens deels bereikt", Term((), Kolom("gas_deels")))
    for waarde, naam in (
        (-1, "slechter dan bij de start"),
        (0, "als bij de start"),
        (1, "deels bereikt"),
        (2, "bereikt"),
    ):
        yield maak(f"gas_score_{waarde}", f"Doelscore {waarde}: {naam}", Term((), InKaart("gas", waarde)))
    gescoord = Term((Voorwaarde("gas_gescoord", (0,), niet=True),))
    per_traject = Term(gescoord.waar, Deel("gas_bereikt", "gas_gescoord"))
    yield maak("gas_bereikt_per_traject", "Doelen bereikt, gemiddeld over trajecten", per_traject, gescoord)
    leeg = Term((_in("doel", *range(1, 11)), Voorwaarde("waarde", niet=True), Voorwaarde("traject", ("",), niet=True)))
    yield Indicator(
        "gas_x", "3.4", "Doelscores zonder waarde (x)", "scores", "aantal", leeg, leeg, None, "alle", "S0", "R"
    )


def _per_groep(indicatoren: Iterable[Indicator]) -> Iterable[Indicator]:
    """Together, and apart for youth and parents."""
    for indicator in indicatoren:
        yield indicator
        for groep, woord in (("jeugdige", "jeugdigen"), ("ouder", "ouders")):
            welke = _in("groep", groep)

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


INDICATOREN: Final[dict[str, Indicator]] = {
    indicator.sleutel: indicator
    for indicator in (
        *_statussen(),
        *_uitval(),
        *_per_groep(_nut()),
        *_per_groep(_zonder_hulp()),
        *_probleem(),
        *_gas(),
    )
}
