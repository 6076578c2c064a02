"""Dutch words for people that more than one screen, receipt, mail or page shows. Each stands here once; sentences that
belong to a code stand in ``domain/field/messages.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from domain.field.codes import ERASURE_REASONS, TAKEBACK_REASONS
from domain.field.formats import IJW_MESSAGES, formats


def enumerated(names: Sequence[str]) -> str:
    """One or more names as a Dutch sentence lists them."""
    *first, last = names
    return f"{', '.join(first)} en {last}" if first else last


def _messages(kind: str, word: str) -> str:
    return f"{enumerated(formats(kind))} ({word})"


#: Kind of delivery -> what it is called, in the order in which a screen lists them.
KIND_LABELS: Final[dict[str, str]] = {
    "assignment": _messages("assignment", "toewijzing"),
    "start": _messages("start", "start"),
    "stop": _messages("stop", "stop"),
    "declaration": _messages("declaration", "declaratie"),
    "return": _messages("return", "retour"),
    "score": "RAP-scores",
    "cem": "CEM+-vragenlijsten",
    "cbs": "CBS-bestand",
    "takeback": "terugname van een aanlevering",
    "erasure": "verzoek om een cliënt te vergeten",
}
#: What every way of delivering takes. A CBS file needs its layout, so not every way takes one.
DELIVERABLE: Final = f"iJw-berichten ({', '.join(IJW_MESSAGES)}), {KIND_LABELS['score']} of {KIND_LABELS['cem']}"

#: Why a row or an accepted record waits (columns ``wacht``) -> what it waits for.
_WAITS: Final[dict[str, str]] = {
    "toewijzing": "wacht op de toewijzing met dit nummer",
    "start": "wacht op de start van deze stop",
    "levering": "wacht op de aanlevering die wordt verwijderd",
    "traject": "wacht op een start van dezelfde cliënt bij deze aanbieder",
    "einde": "wacht op het einde van de zorg die volgens de monitor nog loopt",
    "beschikking": "wacht op een score die bij dit beschikkingsnummer een toewijzingsnummer noemt",
    "niet_bijgehouden": "te veel records wachten op verschillende plaatsen om hier bij te houden",
}


def waits_sentence(reason: str) -> str:
    """What something waits for, without capital and full stop: it stands in a line of a receipt."""
    return _WAITS.get(reason, f"wacht op {reason}")


#: What a form of the number that a spreadsheet makes may mean.
LOST_ZERO: Final = "Acht cijfers: is de eerste nul weggevallen? Zet de kolom op tekst."
ROUNDED: Final = "Het rekenblad heeft het nummer afgerond of opgemaakt. Zet de kolom op tekst en vul de BSN opnieuw."
#: What a number that is waited for may lack.
ONLY_ZEROS: Final = (
    "Let op eerste nullen die zijn weggevallen: een nummer dat alleen daarin verschilt, is voor de monitor een ander "
    "nummer."
)


def waits_told(reason: str) -> str:
    """The same for a sender, with what may be wrong with the number that is waited for."""
    return f"{waits_sentence(reason)}. {ONLY_ZEROS}" if reason == "beschikking" else waits_sentence(reason)


#: What becomes of a delivery that its source, or the functional manager, takes back (decision 0017).
TAKEN_BACK: Final = (
    "De aanlevering telt niet meer mee, alsof zij nooit is verstuurd. Lever hetzelfde bestand opnieuw aan om haar weer "
    "te laten meetellen."
)
#: The same, before it is done.
TAKE_BACK_QUESTION: Final = "Deze aanlevering terugnemen?"
TAKEN_BACK_BEFORE: Final = "Deze aanlevering is al teruggenomen en telt niet mee."
NOT_TO_TAKE_BACK: Final = (
    "Een terugname kan niet worden teruggenomen, en een test telt nooit mee. Lever de aanlevering opnieuw aan om haar "
    "weer te laten meetellen."
)
NOT_FOUND_TO_TAKE_BACK: Final = (
    "Geen enkele aanlevering, of meer dan een, heeft dit nummer. Geef het hele nummer, zoals `sor deliveries list` het "
    "toont, en met --sender de AGB-code van de aanbieder."
)
#: What became of taking one back, as long as that is not known, and when it is refused.
TAKEBACK_WAITS: Final = "De terugname is verstuurd en nog niet verwerkt. Kijk later met: sor deliveries list"
_TAKEBACK_REFUSED: Final = "De terugname is geweigerd: "
#: A question that nobody can answer here.
NOBODY_TO_ASK: Final = "Geef --yes, of geef dit commando op een terminal."
#: An answer without deliveries.
NO_DELIVERY: Final = "Geen aanlevering gevonden."
#: A taking back that would be refused.
TAKEBACK_FORM: Final = (
    "Een aanlevering heeft een nummer van 32 tekens (0-9, a-f). De reden is er een uit een lijst: "
    f"{enumerated(TAKEBACK_REASONS[1:])}."
)


#: Asking that a client is forgotten (decision 0029).
ASK_BSN: Final = "BSN (wordt niet getoond): "
NO_BSN: Final = "Geef met --bsn een bestand met op iedere regel een BSN, of - om er een te typen."
TOO_MANY_BSNS: Final = "Dat zijn te veel regels voor een keer: verdeel ze over meer bestanden."
ERASURE_FORM: Final = f"De reden is er een uit een lijst: {enumerated(ERASURE_REASONS[1:])}."
ERASURE_SENDER: Final = "Geef met --sender de AGB-code van de aanbieder namens wie u dit vraagt."
ERASURE_NOT_ALLOWED: Final = (
    "Het certificaat van deze bron geeft niet het recht om dit voor deze aanbieder te vragen. De regio kan het geven: "
    "soort erasure, met name genoemd."
)
ERASURE_RECEIVED: Final = (
    "Het verzoek is ontvangen en wacht op een beheerder van de regio. Lever deze cliënten niet opnieuw aan: wat daarna "
    "nog komt, telt weer mee."
)
ERASURE_WAITS: Final = "Het verzoek is verstuurd en nog niet verwerkt. Kijk later met: sor receipts"
_ERASURE_REFUSED: Final = "Het verzoek is geweigerd: "


def erasure_sent(delivery: str, clients: int) -> str:
    """It is on its way, as a delivery of its own."""
    whom = "1 cliënt" if clients == 1 else f"{clients} cliënten"
    return f"Verzoek {delivery} voor {whom} is verstuurd; wachten op verwerking."


def erasure_refused(sentences: Iterable[str]) -> str:
    """Why it is refused, or a part of it."""
    return _ERASURE_REFUSED + "; ".join(sentences)


def rows_without_bsn(rows: Sequence[int]) -> str:
    """Rows of what was given that hold something else; what they hold is not repeated."""
    more = f" en nog {len(rows) - _ROWS_NAMED}" if len(rows) > _ROWS_NAMED else ""
    named = ", ".join(map(str, rows[:_ROWS_NAMED]))
    return f"Geen BSN (negen cijfers die aan de elfproef voldoen) op regel {named}{more}. Er is niets verstuurd."


_ROWS_NAMED: Final = 20

#: What stands at a record that the municipality rejected in a return message, beside the code of that.
WITHDRAWN: Final = "Ingetrokken"
#: Above what rules between messages say of records: they are no refusals.
REMARKS: Final = "Opmerkingen (deze records tellen mee)"
REMARKS_NOT_FOLLOWED: Final = "Er zijn te veel opmerkingen op verschillende plaatsen om hier bij te houden."


def takeback_sent(delivery: str) -> str:
    """A taking back is on its way, as a delivery of its own."""
    return f"Terugname {delivery} is verstuurd; wachten op verwerking."


def takeback_refused(sentences: Iterable[str]) -> str:
    """Why a taking back is refused."""
    return _TAKEBACK_REFUSED + "; ".join(sentences)


def counting_words(good: int, records: int, *, taken_back: str, test: bool) -> str:
    """What of a delivery counts. ``taken_back``: when it was, as people write it; empty = it was not."""
    if taken_back:
        return f"teruggenomen op {taken_back}, telt niet mee"
    return "test, telt niet mee" if test else f"{good} van {records} records tellen mee"


def outcome_words(accepted: int, refused: int, withdrawn: int) -> str:
    """What became of the records of a delivery, in one line; what was withdrawn only where something was."""
    more = f", {withdrawn} ingetrokken" if withdrawn else ""
    return f"{accepted} geaccepteerd, {refused} geweigerd{more}"


def skipped(names: dict[str, int]) -> str:
    """One line for all files that are not for the monitor: what they are, and how many."""
    count = sum(names.values())
    listed = ", ".join(f"{number} × {name}" for name, number in sorted(names.items()))
    return f"{count} {'bestand' if count == 1 else 'bestanden'} overgeslagen, niet nodig voor de monitor: {listed}."


def full_sentence(text: str) -> str:
    """A text as a sentence of its own. ``str.capitalize`` would make the rest small."""
    return f"{text[:1].upper()}{text[1:]}."


def definitions_sentence(versions: Iterable[int]) -> str:
    """By which versions of the definitions the rows behind figures were made (column ``definitie_versie``)."""
    known = sorted(set(versions))
    if not known:
        return "Er zijn geen rijen geteld."
    if len(known) == 1:
        return f"Gemaakt met versie {known[0]} van de definities."
    return (
        f"Gemaakt met verschillende versies van de definities ({enumerated([str(one) for one in known])}): niet alle "
        "rijen zijn op dezelfde manier geteld. Dat is zo zolang een overgang loopt."
    )


def few_sentence(smallest_group: int) -> str:
    """What a provider is told of its own figures (decision 0033)."""
    return f"Van minder dan {smallest_group} cliënten staat er geen cijfer."


def small_groups_sentence(smallest_group: int, smallest_denominator: int) -> str:
    """What a reader is told of the disclosure rule (``results/disclosure.py``)."""
    return (
        f"Van minder dan {smallest_group} cliënten wordt niets getoond, en een percentage van minder dan "
        f"{smallest_denominator} tellingen evenmin."
    )


#: The page and the table of a recalculation (``sor replay``).
REPLAY_TITLE: Final = "Herberekening: wat er verandert"
REPLAY_CAPTION: Final = (
    "Dezelfde gegevens, met andere definities opnieuw berekend en naast de cijfers van nu gelegd. De cijfers van nu "
    "zijn niet veranderd. Geen verantwoordingsinstrument."
)
REPLAY_ROWS: Final = "Rijen"
REPLAY_REASONS: Final = "Wat de meeste rijen veranderde"
REPLAY_FIGURES: Final = "Cijfers die veranderen"
REPLAY_NO_FIGURES: Final = "Geen enkel getoond cijfer verandert."
REPLAY_TOGETHER: Final = "alle aanbieders samen"
#: Heads of the table of rows and of the table of figures, and of that of classes.
REPLAY_ROW_HEADS: Final = ("Tabel", "Gelijk", "Anders", "Erbij", "Weg")
REPLAY_FIGURE_HEADS: Final = ("Groep", "Indicator", "Nu", "Herberekend", "n nu", "n herberekend")
REPLAY_REASON_HEADS: Final = ("Tabel", "Kolom", "Van", "Naar", "Rijen")
REPLAY_PER: Final[dict[str, str]] = {
    "": "Alles samen",
    "cluster": "Per cluster",
    "gemeente": "Per gemeente",
    "aanbieder": "Per aanbieder",
}


def replay_definitions(now: tuple[int, str], other: tuple[int, str]) -> str:
    """By which definitions the rows in use and those made anew are; each a version and its id."""
    return (
        f"Nu: definities versie {now[0]} ({now[1]}). Herberekend: versie {other[0]} ({other[1]})."
        if now != other
        else f"Nu en herberekend: definities versie {now[0]} ({now[1]})."
    )


def replay_counts(events: int, clients: int, rows: int) -> str:
    """What was recalculated."""
    return f"{events} gebeurtenissen van {clients} cliënten, {rows} rijen."


#: Events came in while it was made.
REPLAY_MOVED: Final = (
    "Er kwamen intussen gegevens binnen: een verschil kan daarvan komen. Herbereken nog eens als er niets wordt "
    "aangeleverd."
)
