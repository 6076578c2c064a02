"""``docs/meldingen.md``: every reason why something is refused or flagged, for sources and their suppliers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.field.formats import formats
from domain.field.messages import MESSAGES, remark
from domain.field.rules import FLAG, RULES, WAITS

_HEADER: Final = """\
# Meldingen

Deze bladzijde wordt gemaakt uit de lijsten van het programma (`sor indicatoren`). Pas haar niet met de hand aan.

Een melding noemt een code, een zin en wat te doen. Zij bevat nooit inhoud van een regel. Wat geweigerd is, telt niet
mee; herstel het en lever opnieuw aan. Dezelfde aanlevering nog eens aanbieden heeft geen gevolg: niets telt dubbel.
`sor receipts` toont wat er van een aanlevering is geworden.
"""
_REFUSED: Final = """
## Geweigerd

Ernst: *heel bestand* - niets van het bestand of bericht telt mee; *deze regel* - de rest van het bestand gaat door.

| code | ernst | wat er is, en wat te doen | bron |
|---|---|---|---|
"""
_LATER: Final = f"""
## Later ingetrokken

Een code van vier tekens is een retourcode van de gemeente (lijst WJ001), uit een retourbericht
({", ".join(formats("return"))}). Het bericht of de regel telt niet meer mee; het ontvangstbewijs zegt *ingetrokken*.
Herstel de oorzaak en lever opnieuw aan, met een nieuwe identificatie.

## Gesignaleerd of in afwachting

Regels tussen berichten weigeren niets: de monitor is niet de wettelijke ontvanger. Zij staan als signaal bij het
traject, of als reden waarom iets wacht. Wie het record aanleverde, leest een signaal als opmerking op zijn
ontvangstbewijs, met wat hij kan doen; het record telt mee. Een opmerking vervalt als de oorzaak weg is.

| regel | retourcode | bericht | wat er is, en wat te doen | vorm |
|---|---|---|---|---|
"""
_FORM: Final = {FLAG: "signaal", WAITS: "wacht"}


def markdown() -> str:
    """The page."""
    return _HEADER + _REFUSED + "".join(_refused()) + _LATER + "".join(_signalled())


def _refused() -> Iterator[str]:
    for code, message in MESSAGES.items():
        yield f"| {code} | {message.severity} | {_cell(message.text)} | {message.basis or 'eigen regel'} |\n"


def _signalled() -> Iterator[str]:
    for code, rule in RULES.items():
        if rule.form in _FORM:
            yield f"| {code} | {rule.retourcode} | {rule.bericht} | {_cell(remark(code))} | {_FORM[rule.form]} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
