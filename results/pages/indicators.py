"""``docs/indicatoren.md``: what every figure says, for contract managers and providers, from the domain's tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from domain.field import definitions, questionnaires, rules, spic
from domain.field.codes import CBS_REDENEN, OUTSIDE_OUTCOMES, PRODUCTCATEGORIEEN, REDENEN
from domain.field.formats import formats
from domain.field.geography import CLUSTERS
from domain.field.words import full_sentence, waits_sentence
from domain.indicators.catalogue import INDICATORS
from domain.indicators.terms import (
    AnyOf,
    Clause,
    Column,
    Condition,
    Contains,
    DaysBack,
    Entry,
    HalfOf,
    Indicator,
    InMap,
    Part,
    Reference,
    Term,
)
from domain.indicators.topics import SUBJECTS
from results.disclosure import live

#: Figures that need no line of their own: the same for one group of informants, or for one mark.
_REPETITION: Final = re.compile(r"_(jeugdige|ouder)$|^(cbs_)?nut_\d+$")
_MARK: Final = {"F": "bevestigd", "R": "lezing", "P": "niet bevestigd"}
#: Columns that formulas name, in words.
_COLUMNS: Final[dict[str, str]] = {
    "status": "lopend, gepauzeerd, beeindigd, of wacht_op_start: een stop waarvan de start nog niet is ontvangen",
    "uitval_klasse": "klasse van de reden beëindiging, zie de tabel van redenen hieronder",
    "reden_beeindiging": "code van de laatste stop (JZ588)",
    "begindatum": "eerste dag van de eerste levering van het traject",
    "einddatum": "laatste dag van de laatste levering; leeg zolang het traject loopt of gepauzeerd is",
    "nieuwe_start": "eerste dag van het eerste nieuwe traject van dezelfde cliënt na het einde; leeg als er geen is",
    "intensiteit": "perspectief, intensief, duurzaam_licht of duurzaam_zwaar; duurzaam als alleen een vragenlijst het "
    "zegt; leeg als zij onbekend is",
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
    "opvolging_dagen": "termijn voor een nieuwe start in dagen, van de definities waarmee de rij is gemaakt",
    "respons_dagen": "dagen na het einde vanaf wanneer de rij meetelt voor de respons, van dezelfde definities",
    "doel": "nummer van het doel; 0 is probleemafname",
    "waarde": "score; leeg bij x",
    "traject": "het traject waaraan de score gekoppeld is; leeg zolang dat niet bekend is",
}

_INTRODUCTION: Final = """# Indicatoren

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
"""
_SCOPE: Final = f"""\
- **Welke gemeenten.** De cijfers uit berichten gaan over de gemeenten van de clusters
  {", ".join(CLUSTERS[:-1])} en {CLUSTERS[-1]};
  de cijfers uit CBS-bestanden ook over Almere. Zij worden nooit opgeteld.
- **Wat geen jeugdhulp is**, telt niet mee (voorstel):
  {", ".join(f"{PRODUCTCATEGORIEEN[code].lower()} ({code})" for code in sorted(OUTSIDE_OUTCOMES))}.
- **Een clustergemiddelde** is over alle cliënten van alle aanbieders in het cluster samen, de eigen inbegrepen.
- **Afgekeurd en verwijderd.** Wat een retourbericht ({", ".join(formats("return"))}) afkeurt of de aanbieder
  verwijdert, telt als nooit verstuurd.
- **Bronnen.** S0: technische sessie voor aanbieders (2023). S1: handleiding van Sturen op Resultaat voor aanbieders.
  S2, S4: presentatie van Almere. S3: afspraken van de regio met aanbieders over het meten van resultaat. CBS:
  informatieprotocol Beleidsinformatie Jeugd, versie 7. JZ588, JW307 en TR-nummers: iJw 3.2.
"""


def markdown() -> str:
    """The whole page."""
    introduction = f"{_INTRODUCTION}- **Kleine groepen.** {live().sentence}\n{_SCOPE}"
    parts = [introduction, _overview(), *(_subject(key) for key in SUBJECTS), *_tables()]
    return "\n".join(parts)


# Words for a formula


def words(clause: Clause) -> str:
    """A condition in Dutch, with the names of columns as they are."""
    if isinstance(clause, Condition):
        return _values(clause)
    if isinstance(clause, AnyOf):
        return "(" + " of ".join(map(words, clause.choices)) + ")"
    if isinstance(clause, Contains):
        value = clause.value if isinstance(clause.value, str) else _reference(clause.value)
        return f"`{clause.column}` bevat {value}"
    if isinstance(clause, Entry):
        return f"`{clause.column}` bij {clause.name} is {' of '.join(map(str, clause.values))}"
    if isinstance(clause, HalfOf):
        return f"`{clause.part}` is minstens de helft van `{clause.whole}`"
    side = {"<=": "op of voor", ">": "na", ">=": "op of na"}[clause.side]
    plus = f" plus `{clause.plus}`" if clause.plus else ""
    return f"`{clause.column}`{plus} {side} {_reference(clause.reference)}"


def _values(clause: Condition) -> str:
    negated = "niet " if clause.negated else ""
    if not clause.values:
        return f"`{clause.column}` is {negated}ingevuld"
    if clause.values in {(0,), ("",)} and clause.negated:
        return f"`{clause.column}` is niet {clause.values[0] if clause.values[0] == 0 else 'leeg'}"
    *first, last = map(str, clause.values)
    return f"`{clause.column}` is {negated}{', '.join(first)}{' of ' if first else ''}{last}"


def _reference(reference: Reference) -> str:
    if isinstance(reference, DaysBack):
        return f"{reference.days} dagen voor de peildatum" if reference.days else "de peildatum"
    year = "het laatste hele kalenderjaar voor de peildatum"
    return {"year": year, "begin": f"de eerste dag van {year}", "end": f"de laatste dag van {year}"}[reference.part]


def sum(term: Term, table: str) -> str:
    """A sum in Dutch."""
    measure, what = term.measure, f"aantal {table}"
    if isinstance(measure, Column):
        what = f"som van `{measure.column}`"
    elif isinstance(measure, Part):
        what = f"som van `{measure.part}` / `{measure.whole}`"
    elif isinstance(measure, InMap):
        what = f"aantal waarden {measure.value} in `{measure.column}`"
    where = " en ".join(map(words, term.where))
    return f"{what} met {where}" if where else what


# Parts of the page


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headers, ["---"] * len(headers), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _of(key: str) -> list[Indicator]:
    return [indicator for indicator in INDICATORS.values() if indicator.subject == key]


def _marks(indicators: Iterable[Indicator]) -> str:
    """The marks of the figures; of the counts beside them only where there is nothing else."""
    every = list(indicators)
    figures = [indicator for indicator in every if indicator.unit != "aantal"] or every
    return ", ".join(dict.fromkeys(_MARK[indicator.mark] for indicator in figures))


def _overview() -> str:
    rows = [(o.number, o.title, o.data, _marks(_of(key))) for key, o in SUBJECTS.items()]
    return "## Overzicht\n\n" + _table(("Nr.", "Onderwerp", "Gegevens", "Merk"), rows)


def _subject(key: str) -> str:
    subject, every = SUBJECTS[key], _of(key)
    facts = (
        ("Gegevens", subject.data),
        ("Telt niet mee", subject.left_out),
        ("Periode", "; ".join(dict.fromkeys(indicator.window for indicator in every))),
        (
            "Bron",
            ", ".join(dict.fromkeys(part for one in every for part in re.split("[;,] ", one.basis) if part)) or "–",
        ),
        ("Merk", _marks(every)),
        ("Nog open", subject.open),
    )
    header = f"{subject.number} {subject.title}".strip()
    parts = [f"## {header}\n", f"{subject.says}\n", _table(("", ""), [(f"**{what}**", text) for what, text in facts])]
    figures = [indicator for indicator in every if not _REPETITION.search(indicator.key)]
    parts.append(_table(("Cijfer", "Teller", "Noemer", "Merk"), map(_figure, figures)))
    if len(figures) < len(every):
        per_figure = " en per cijfer van 1 tot en met 10" if key.endswith("nut") else ""
        parts.append(f"Ook apart voor jeugdigen en voor ouders{per_figure}.\n")
    return "\n".join(parts)


def _figure(indicator: Indicator) -> tuple[str, ...]:
    table = "records" if indicator.provenance == "cbs" and indicator.table == "trajecten" else indicator.table
    denominator = "" if indicator.unit == "aantal" else sum(indicator.denominator, table)
    eenheid = {"%": ", in procenten", "gemiddelde": "", "aantal": ", aantal"}[indicator.unit]
    return f"{indicator.title}{eenheid}", sum(indicator.numerator, table), denominator, _MARK[indicator.mark]


def _tables() -> Iterable[str]:
    yield "## Namen in de formules\n\n" + _table(("Naam", "Betekenis"), [(f"`{k}`", v) for k, v in _COLUMNS.items()])
    yield _definitions()
    yield _redenen()
    yield _intensiteit()
    yield _vragenlijsten()
    yield _quality()


def _definitions() -> str:
    text = (
        f"## Definities\n\nVersie {definitions.VERSION}. Elke rij draagt de versie waarmee zij is berekend, en "
        "`sor indicators` zegt van elk cijfer met welke versies zijn rijen zijn gemaakt. Een regio kan termijnen, "
        "klassen, vragen en producten anders vaststellen: in een TOML-bestand met een eigen, hogere versie, dat de "
        "instelling `SOR_DEFINITIES` noemt (voorbeeld: `docs/examples/definities.toml`).\n\n"
    )
    rows = [(d.meaning, d.value, d.basis, _MARK[d.mark]) for d in definitions.DEFINITIONS.values()]
    return text + _table(("Definitie", "Waarde", "Bron", "Merk"), rows)


def _redenen() -> str:
    header = "## Redenen van beëindiging\n\nDe klasse is een lezing: geen bron geeft haar als tabel. Uitval is client, "
    header += "aanbieder en wederzijds.\n\n"
    rows = [(code, r.label, r.klasse or "geen einde", r.cbs) for code, r in REDENEN.items()]
    cbs = [(code, CBS_REDENEN[code], k.klasse, k.basis, _MARK[k.mark]) for code, k in definitions.UITVAL_CBS.items()]
    own = _table(("JZ588", "Reden", "Klasse", "CBS 3.7"), rows)
    return f"{header}{own}\nIn een CBS-bestand:\n\n{_table(('CBS 3.7', 'Reden', 'Klasse', 'Bron', 'Merk'), cbs)}"


def _intensiteit() -> str:
    header = (
        "## Segment, profiel en intensiteit per productcode (SPIC)\n\nEen voorbeeld, tot de tabel van de contracten er "
        "is: een TOML-bestand dat de instelling `SOR_SPIC` noemt, met per productcode een tabel zoals `[45A04]` en "
        "daarin `segment`, `profiel`, `intensiteit` en `merk` (F, R of P). Elke rij zegt in `spic` met welke tabel zij "
        "is gemaakt. Een productcode die hier niet staat, krijgt de intensiteit van haar vragenlijsten, als die het "
        "zeggen.\n\n"
    )
    shipped = spic.SHIPPED.per_code.items()
    rows = [(code, s.segment or "–", s.profiel or "–", s.intensiteit, _MARK[s.mark]) for code, s in shipped]
    return header + _table(("Productcode", "Segment", "Profiel", "Intensiteit", "Merk"), rows)


def _vragenlijsten() -> str:
    header = "## Vragenlijsten (CEM+)\n\n"
    code_lists = [(f"`{code}`", v.groep, v.soort, _MARK[v.mark]) for code, v in questionnaires.VRAGENLIJSTEN.items()]
    used = [
        (f"`{code}`", subject.replace("_", " "), o.question, _MARK[o.mark])
        for code, subjects in questionnaires.SUBJECTS.items()
        for subject, o in subjects.items()
    ]
    questions = [
        (code, v.subject.replace("_", " "), f"{v.lowest}–{v.highest}") for code, v in questionnaires.QUESTIONS.items()
    ]
    return (
        header + _table(("Versie", "Wie", "Wanneer", "Code"), code_lists) + "\nVragen waar een cijfer op rust:\n\n"
        + _table(("Versie", "Onderwerp", "Vraag", "Merk"), used)
        + "\nAlle vragen. De onderwerpen zijn een voorstel: de vraagteksten zijn niet openbaar.\n\n"
        + _table(("Vraag", "Onderwerp (niet bevestigd)", "Antwoorden"), questions)
    )  # fmt: skip


def _quality() -> str:
    header = (
        "## Kwaliteit van de gegevens\n\nDe monitor is niet de wettelijke ontvanger van berichten. Een regel die niet "
        "klopt, geeft een signaal bij het traject of een reden waarom een rij wacht; geen regel verandert een cijfer."
        "\n\n"
    )
    form = {rules.FLAG: "signaal", rules.WAITS: "wacht", rules.NOT_JUDGED: "niet beoordeeld"}
    judged = [
        (code, r.retourcode, r.bericht, r.sentence, form[r.form], r.explanation) for code, r in rules.RULES.items()
    ]
    waits = [
        (table, f"`{reason}`", full_sentence(waits_sentence(reason)))
        for table, reasons in rules.WAITS_FOR.items()
        for reason in reasons
    ]
    return (
        header + _table(("Regel", "Retourcode", "Bericht", "Wat er mis is", "Gevolg", "Toelichting"), judged)
        + "\nWaar een rij op kan wachten:\n\n" + _table(("Rij", "Reden", "Betekenis"), waits)
    )  # fmt: skip
