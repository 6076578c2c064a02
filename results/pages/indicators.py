"""``docs/indicatoren.md``: what every figure says, for contract managers and providers, from the domain's tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from domain.field import definitions, questionnaires
from domain.field import rules as kwaliteit
from domain.field.codes import BUITEN_UITKOMSTEN, CBS_REDENEN, PRODUCTCATEGORIEEN, REDENEN
from domain.field.geography import CLUSTERS
from domain.indicators.catalogue import INDICATOREN
from domain.indicators.terms import (
    Bevat,
    Conditie,
    DagenTerug,
    Deel,
    Indicator,
    InKaart,
    Kolom,
    Of,
    Peil,
    Term,
    Voorwaarde,
)
from domain.indicators.topics import ONDERWERPEN

#: Figures that need no line of their own: the same for one group of informants, or for one mark.
_HERHALING: Final = re.compile(r"_(jeugdige|ouder)$|^(cbs_)?nut_\d+$")
_MERK: Final = {"F": "bevestigd", "R": "lezing", "P": "niet bevestigd"}
#: Columns that formulas name, in words.
_KOLOMMEN: Final[dict[str, str]] = {
    "status": "lopend, gepauzeerd, beeindigd, of wacht_op_start: een stop waarvan de start nog niet is ontvangen",
    "uitval_klasse": "klasse van de reden beëindiging, zie de tabel van redenen hieronder",
    "reden_beeindiging": "code van de laatste stop (JZ588)",
    "begindatum": "eerste dag van de eerste levering van het traject",
    "einddatum": "laatste dag van de laatste levering; leeg zolang het traject loopt of gepauzeerd is",
    "nieuwe_start": "eerste dag van het eerste nieuwe traject van dezelfde cliënt na het einde; leeg als er geen is",
    "intensiteit": "perspectief, intensief of duurzaam; leeg als zij onbekend is",
    "vlaggen": "signalen over de gegevens, zie de kwaliteitsregels hieronder",
    "telt": "1: deze meting is de laatste van haar groep (jeugdige of ouder) bij het traject",
    "bevestigd": "1: een bron bevestigt wat de vragen van deze vragenlijst betekenen",
    "nut": "cijfer van 1 tot en met 10",
    "zonder_hulp": "antwoord van 1 tot en met 4",
    "gas": "laatste doelscore per doel en beoordelaar, van -1 tot en met 2",
    "gas_gescoord": "aantal doelscores die niet x zijn",
    "gas_bereikt": "aantal doelscores 2",
    "gas_deels": "aantal doelscores 1 of 2",
    "probleem_behandelaar": "laatste score voor probleemafname van de behandelaar, 1 tot en met 3; leeg bij x",
    "probleem_ouder": "idem, van ouder of verzorger",
    "probleem_client": "idem, van de cliënt",
    "metingen_einde": "aantal geldige CEM+-metingen aan het einde van de hulp",
    "metingen_jaren": "kalenderjaren met een CEM+-meting voor duurzame hulp",
    "doel": "nummer van het doel; 0 is probleemafname",
    "waarde": "score; leeg bij x",
    "traject": "het traject waaraan de score gekoppeld is; leeg zolang dat niet bekend is",
}

_INLEIDING: Final = f"""# Indicatoren

Wat elk cijfer van Sturen op Resultaat zegt, hoe het wordt berekend en wat nog niet bevestigd is. Voor contractmanagers
en aanbieders. Deze bladzijde wordt gemaakt uit dezelfde tabellen als de cijfers zelf: `sor indicatoren`.

**Geen verantwoordingsinstrument.** De cijfers zijn er om samen over te praten. Niemand wordt erop afgerekend (S1).
Aanbieders helpen andere jeugdigen op een andere manier; een verschil zegt niet wie beter is. Er zijn geen ranglijsten,
geen normen en geen kleuren voor goed of slecht.

## Hoe u de cijfers leest

- **Merk.** *Bevestigd*: een bron legt het vast. *Lezing*: een bron zegt het niet met zoveel woorden. *Niet bevestigd*:
  een voorstel; het staat zo op elk scherm en in elk rapport tot iemand het bevestigt.
- **Periode.** Een cijfer telt op de dag waarop iets gebeurde (einddatum van het traject, datum van de meting), nooit op
  de dag waarop het bericht binnenkwam. Een correctie verandert dus ook een voorbije periode.
- **Peildatum.** De leeftijd van een einde wordt tot de peildatum geteld. Zonder keuze is dat vandaag.
- **Voorlopig.** Het cijfer kan nog veranderen, omdat de termijn niet voorbij is.
- **Kleine groepen.** Van minder dan {definitions.DEFINITIES["kleinste_groep"].waarde} cliënten wordt niets getoond, en
  een percentage van minder dan {definitions.DEFINITIES["kleinste_noemer"].waarde} tellingen evenmin.
- **Welke gemeenten.** De cijfers uit berichten gaan over de gemeenten van de clusters
  {", ".join(CLUSTERS[:-1])} en {CLUSTERS[-1]};
  de cijfers uit CBS-bestanden ook over Almere. Zij worden nooit opgeteld.
- **Wat geen jeugdhulp is**, telt niet mee (voorstel):
  {", ".join(f"{PRODUCTCATEGORIEEN[code].lower()} ({code})" for code in sorted(BUITEN_UITKOMSTEN))}.
- **Een clustergemiddelde** is over alle cliënten van alle aanbieders in het cluster samen, de eigen inbegrepen.
- **Afgekeurd en verwijderd.** Wat een retourbericht (JW306, JW308, JW325) afkeurt of de aanbieder verwijdert, telt als
  nooit verstuurd.
- **Bronnen.** S0: technische sessie voor aanbieders (2023). S1: handleiding van Sturen op Resultaat voor aanbieders.
  S2, S4: presentatie van Almere. S3: afspraken van de regio met aanbieders over het meten van resultaat. CBS:
  informatieprotocol Beleidsinformatie Jeugd, versie 7. JZ588, JW307 en TR-nummers: iJw 3.2.
"""


def markdown() -> str:
    """The whole page."""
    delen = [_INLEIDING, _overzicht(), *(_onderwerp(sleutel) for sleutel in ONDERWERPEN), *_tabellen()]
    return "\n".join(delen)


# Words for a formula


def woorden(conditie: Conditie) -> str:
    """A condition in Dutch, with the names of columns as they are."""
    if isinstance(conditie, Voorwaarde):
        return _waarden(conditie)
    if isinstance(conditie, Of):
        return "(" + " of ".join(map(woorden, conditie.keuzes)) + ")"
    if isinstance(conditie, Bevat):
        waarde = conditie.waarde if isinstance(conditie.waarde, str) else _peil(conditie.waarde)
        return f"`{conditie.kolom}` bevat {waarde}"
    kant = {"<=": "op of voor", ">": "na", ">=": "op of na"}[conditie.kant]
    return f"`{conditie.kolom}` {kant} {_peil(conditie.peil)}"


def _waarden(conditie: Voorwaarde) -> str:
    niet = "niet " if conditie.niet else ""
    if not conditie.waarden:
        return f"`{conditie.kolom}` is {niet}ingevuld"
    if conditie.waarden in {(0,), ("",)} and conditie.niet:
        return f"`{conditie.kolom}` is niet {conditie.waarden[0] if conditie.waarden[0] == 0 else 'leeg'}"
    *eerste, laatste = map(str, conditie.waarden)
    return f"`{conditie.kolom}` is {niet}{', '.join(eerste)}{' of ' if eerste else ''}{laatste}"


def _peil(peil: Peil) -> str:
    if isinstance(peil, DagenTerug):
        return f"{peil.dagen} dagen voor de peildatum" if peil.dagen else "de peildatum"
    jaar = "het laatste hele kalenderjaar voor de peildatum"
    return {"jaar": jaar, "begin": f"de eerste dag van {jaar}", "einde": f"de laatste dag van {jaar}"}[peil.wat]


def som(term: Term, tabel: str) -> str:
    """A sum in Dutch."""
    meet, wat = term.meet, f"aantal {tabel}"
    if isinstance(meet, Kolom):
        wat = f"som van `{meet.kolom}`"
    elif isinstance(meet, Deel):
        wat = f"som van `{meet.deel}` / `{meet.geheel}`"
    elif isinstance(meet, InKaart):
        wat = f"aantal waarden {meet.waarde} in `{meet.kolom}`"
    waar = " en ".join(map(woorden, term.waar))
    return f"{wat} met {waar}" if waar else wat


# Parts of the page


def _tabel(koppen: Sequence[str], rijen: Iterable[Sequence[object]]) -> str:
    lijnen = [koppen, ["---"] * len(koppen), *([str(cel) for cel in rij] for rij in rijen)]
    return "\n".join("| " + " | ".join(lijn) + " |" for lijn in lijnen) + "\n"


def _van(sleutel: str) -> list[Indicator]:
    return [indicator for indicator in INDICATOREN.values() if indicator.onderwerp == sleutel]


def _merken(indicatoren: Iterable[Indicator]) -> str:
    """The marks of the figures; of the counts beside them only where there is nothing else."""
    alle = list(indicatoren)
    cijfers = [indicator for indicator in alle if indicator.eenheid != "aantal"] or alle
    return ", ".join(dict.fromkeys(_MERK[indicator.merk] for indicator in cijfers))


def _overzicht() -> str:
    rijen = [(o.nummer, o.titel, o.gegevens, _merken(_van(sleutel))) for sleutel, o in ONDERWERPEN.items()]
    return "## Overzicht\n\n" + _tabel(("Nr.", "Onderwerp", "Gegevens", "Merk"), rijen)


def _onderwerp(sleutel: str) -> str:
    onderwerp, alle = ONDERWERPEN[sleutel], _van(sleutel)
    feiten = (
        ("Gegevens", onderwerp.gegevens),
        ("Telt niet mee", onderwerp.buiten),
        ("Periode", "; ".join(dict.fromkeys(indicator.venster for indicator in alle))),
        ("Bron", ", ".join(dict.fromkeys(deel for een in alle for deel in re.split("[;,] ", een.bron) if deel)) or "–"),
        ("Merk", _merken(alle)),
        ("Nog open", onderwerp.open),
    )
    kop = f"{onderwerp.nummer} {onderwerp.titel}".strip()
    delen = [f"## {kop}\n", f"{onderwerp.zegt}\n", _tabel(("", ""), [(f"**{wat}**", tekst) for wat, tekst in feiten])]
    cijfers = [indicator for indicator in alle if not _HERHALING.search(indicator.sleutel)]
    delen.append(_tabel(("Cijfer", "Teller", "Noemer", "Merk"), map(_cijfer, cijfers)))
    if len(cijfers) < len(alle):
        per_cijfer = " en per cijfer van 1 tot en met 10" if sleutel.endswith("nut") else ""
        delen.append(f"Ook apart voor jeugdigen en voor ouders{per_cijfer}.\n")
    return "\n".join(delen)


def _cijfer(indicator: Indicator) -> tuple[str, ...]:
    tabel = "records" if indicator.herkomst == "cbs" and indicator.tabel == "trajecten" else indicator.tabel
    noemer = "" if indicator.eenheid == "aantal" else som(indicator.noemer, tabel)
    eenheid = {"%": ", in procenten", "gemiddelde": "", "aantal": ", aantal"}[indicator.eenheid]
    return f"{indicator.titel}{eenheid}", som(indicator.teller, tabel), noemer, _MERK[indicator.merk]


def _tabellen() -> Iterable[str]:
    yield "## Namen in de formules\n\n" + _tabel(("Naam", "Betekenis"), [(f"`{k}`", v) for k, v in _KOLOMMEN.items()])
    yield _definities()
    yield _redenen()
    yield _intensiteit()
    yield _vragenlijsten()
    yield _kwaliteit()


def _definities() -> str:
    tekst = f"## Definities\n\nVersie {definitions.VERSION}. Elke rij draagt de versie waarmee zij is berekend.\n\n"
    rijen = [(d.betekenis, d.waarde, d.bron, _MERK[d.merk]) for d in definitions.DEFINITIES.values()]
    return tekst + _tabel(("Definitie", "Waarde", "Bron", "Merk"), rijen)


def _redenen() -> str:
    kop = "## Redenen van beëindiging\n\nDe klasse is een lezing: geen bron geeft haar als tabel. Uitval is client, "
    kop += "aanbieder en wederzijds.\n\n"
    rijen = [(code, r.label, r.klasse or "geen einde", r.cbs) for code, r in REDENEN.items()]
    cbs = [(code, CBS_REDENEN[code], k.klasse, k.bron, _MERK[k.merk]) for code, k in definitions.UITVAL_CBS.items()]
    eigen = _tabel(("JZ588", "Reden", "Klasse", "CBS 3.7"), rijen)
    return f"{kop}{eigen}\nIn een CBS-bestand:\n\n{_tabel(('CBS 3.7', 'Reden', 'Klasse', 'Bron', 'Merk'), cbs)}"


def _intensiteit() -> str:
    kop = "## Intensiteit per productcode\n\nEen voorbeeld, tot de tabel van de contracten er is. Een productcode die "
    kop += "hier niet staat, krijgt de intensiteit van haar vragenlijsten, als die het zeggen.\n\n"
    rijen = [(code, k.klasse, _MERK[k.merk]) for code, k in definitions.INTENSITEIT.items()]
    return kop + _tabel(("Productcode", "Intensiteit", "Merk"), rijen)


def _vragenlijsten() -> str:
    kop = "## Vragenlijsten (CEM+)\n\n"
    lijsten = [(f"`{code}`", v.groep, v.soort, _MERK[v.merk]) for code, v in questionnaires.VRAGENLIJSTEN.items()]
    gebruikt = [
        (f"`{code}`", onderwerp.replace("_", " "), o.vraag, _MERK[o.merk])
        for code, onderwerpen in questionnaires.ONDERWERPEN.items()
        for onderwerp, o in onderwerpen.items()
    ]
    vragen = [
        (code, v.onderwerp.replace("_", " "), f"{v.laagste}–{v.hoogste}") for code, v in questionnaires.VRAGEN.items()
    ]
    return (
        kop + _tabel(("Versie", "Wie", "Wanneer", "Code"), lijsten) + "\nVragen waar een cijfer op rust:\n\n"
        + _tabel(("Versie", "Onderwerp", "Vraag", "Merk"), gebruikt)
        + "\nAlle vragen. De onderwerpen zijn een voorstel: de vraagteksten zijn niet openbaar.\n\n"
        + _tabel(("Vraag", "Onderwerp (niet bevestigd)", "Antwoorden"), vragen)
    )  # fmt: skip


def _kwaliteit() -> str:
    kop = (
        "## Kwaliteit van de gegevens\n\nDe monitor is niet de wettelijke ontvanger van berichten. Een regel die niet "
        "klopt, geeft een signaal bij het traject of een reden waarom een rij wacht; geen regel verandert een cijfer."
        "\n\n"
    )
    vorm = {kwaliteit.VLAG: "signaal", kwaliteit.WACHT: "wacht", kwaliteit.NIET: "niet beoordeeld"}
    regels = [
        (code, r.retourcode, r.bericht, r.zin, vorm[r.vorm], r.toelichting) for code, r in kwaliteit.REGELS.items()
    ]
    wacht = [(t, f"`{reden}`", zin) for t, redenen in kwaliteit.WACHT_OP.items() for reden, zin in redenen.items()]
    return (
        kop + _tabel(("Regel", "Retourcode", "Bericht", "Wat er mis is", "Gevolg", "Toelichting"), regels)
        + "\nWaar een rij op kan wachten:\n\n" + _tabel(("Rij", "Reden", "Betekenis"), wacht)
    )  # fmt: skip
