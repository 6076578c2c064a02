"""Declared lines: which count on which traject, and the rules they break. Pure, recomputed from the set.

A line is a sign of activity, never a date of care (OP364). A flag rejects nothing and changes no figure; what each code
means: ``domain.field.rules``. Only net debits are judged on their content: what was credited was taken back.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.care.links import Oogst, Plaats
from domain.care.toewijzingen import Toewijzingen
from domain.facts.act import PrestatieDaad, PrestatieSleutel, ToewijzingDaad
from domain.facts.fact_set import Feiten
from domain.field.codes import EENHEID_EURO, WIJZIGING_VERWIJDERD
from domain.field.dates import is_eerste, is_laatste
from domain.field.geography import OUDE_CODES

_UUR, _MINUUT = "04", "01"


def _laatste_regel(daden: dict[bytes, PrestatieDaad]) -> PrestatieDaad:
    """Of a reference used twice (TR314) the line that counts: the latest by dagtekening, then message."""
    return max(daden.items(), key=lambda paar: (paar[1].dagtekening, paar[0]))[1]


def regels(feiten: Feiten) -> dict[PrestatieSleutel, PrestatieDaad]:
    """Every declared line as it counts."""
    return {
        sleutel: _laatste_regel(daden) if len(daden) > 1 else next(iter(daden.values()))
        for sleutel, daden in feiten.prestaties.items()
    }


def van(plaats: Plaats, sleutel: PrestatieSleutel, daad: PrestatieDaad, oogst: dict[bytes, Oogst]) -> Oogst | None:
    """Where a line belongs: the traject of its assignment."""
    gemeente = OUDE_CODES.get(daad.gemeente, daad.gemeente)
    traject = plaats.get((sleutel.aanbieder, gemeente, daad.toewijzing))
    return oogst[traject.nummer] if traject is not None else None


def hang_op(feiten: Feiten, plaats: Plaats, bekend: Toewijzingen, oogst: dict[bytes, Oogst]) -> None:
    """Count the debit lines that no credit takes back (IV085, IV091) on their trajecten, and flag them (in place)."""
    geldig = regels(feiten)
    credits = {sleutel: daad for sleutel, daad in geldig.items() if daad.debet_credit == "C"}
    terug = {(sleutel.aanbieder, daad.vorige_referentie) for sleutel, daad in credits.items()}
    tegen, perioden, netto = bool(bekend), set[tuple[bytes, str, int]](), 0
    for sleutel, daad in geldig.items():
        if daad.debet_credit == "C" or sleutel in terug:
            continue
        plek = van(plaats, sleutel, daad, oogst)
        if plek is None:
            continue
        plek.declaraties += 1
        netto += 1
        perioden.add((daad.toewijzing, daad.code, daad.begindatum))
        if daad.tarief is not None and daad.bedrag != daad.volume * daad.tarief and daad.eenheid != EENHEID_EURO:
            plek.vlaggen.add("TR346")
        if daad.begindatum > daad.dagtekening:
            plek.vlaggen.add("TR319")
        if tegen:
            plek.vlaggen.update(_tegen_toewijzing(sleutel.aanbieder, daad, bekend))
    if len(perioden) < netto:
        _tweede_debet({s: d for s, d in geldig.items() if d.debet_credit == "D" and s not in terug}, plaats, oogst)
    for sleutel, daad in credits.items():
        plek = van(plaats, sleutel, daad, oogst)
        if plek is not None:
            plek.vlaggen.update(_credit(sleutel.aanbieder, daad, geldig, credits))


def _tweede_debet(netto: dict[PrestatieSleutel, PrestatieDaad], plaats: Plaats, oogst: dict[bytes, Oogst]) -> None:
    """Two debits of one assignment, product and period (as TR416) that no credit takes back."""
    gezien: set[tuple[object, ...]] = set()
    for sleutel, daad in netto.items():
        gelijk = (sleutel.aanbieder, *daad[:4], daad.begindatum, daad.einddatum)
        plek = van(plaats, sleutel, daad, oogst)
        if gelijk in gezien and plek is not None:
            plek.vlaggen.add("TR389")
        gezien.add(gelijk)


def _credit(
    aanbieder: str,
    credit: PrestatieDaad,
    geldig: dict[PrestatieSleutel, PrestatieDaad],
    credits: dict[PrestatieSleutel, PrestatieDaad],
) -> Iterator[str]:
    if credit.vorige_referentie is None:
        return
    debet = geldig.get(PrestatieSleutel(aanbieder, credit.vorige_referentie))
    if debet is None or debet.debet_credit != "D":
        yield "TR323"
    ook = (s for s, daad in credits.items() if daad.vorige_referentie == credit.vorige_referentie)
    if sum(sleutel.aanbieder == aanbieder for sleutel in ook) > 1:
        yield "TR390"


def _tegen_toewijzing(aanbieder: str, d: PrestatieDaad, bekend: Toewijzingen) -> Iterator[str]:
    """The line beside its assignment; what the assignment leaves open (aspecifiek, generiek, budget) is not judged."""
    t = bekend.nieuwste(aanbieder, d.gemeente, d.toewijzing)
    if t is None:
        return
    if t.reden_wijziging == WIJZIGING_VERWIJDERD:
        yield "TR385" if d.dagtekening < t.toewijzingsdatum else "TR384"
        return
    if t.categorie and t.categorie != d.categorie:
        yield "TR339"
    if t.code and t.code != d.code:
        yield "TR340"
    if t.eenheid and t.eenheid != d.eenheid and (t.eenheid, d.eenheid) != (_UUR, _MINUUT):
        yield "TR341"
    yield from _periode(d, t)


def _periode(d: PrestatieDaad, t: ToewijzingDaad) -> Iterator[str]:
    if d.begindatum < t.ingangsdatum:
        yield "TR307"
    if t.einddatum is not None and d.einddatum > t.einddatum:
        yield "TR308"
    if d.begindatum != t.ingangsdatum and not is_eerste(d.begindatum):
        yield "TR387"
    if d.einddatum != t.einddatum and not is_laatste(d.einddatum):
        yield "TR388"
