"""Assignments: which versions of each the municipality decided, and the JW301 messages that tell the provider.

Every levering with a number has its assignment. It may be told after care began, be extended (JZ002 04), or be ended by
the reason that goes with the stop; a municipal merger (11) ends it under the old code. A JW301 repeats all assignments
of the client at the provider that are valid on its day, the unchanged ones without a reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from tools.simulator.model import Client, Levering, Toewijzing, Versie
from tools.simulator.tables import DEFINITIES, FREQUENTIE, PRODUCT_VAN, REDEN_WIJZIGING
from tools.simulator.xml_toewijzing import Toegewezen

ACHTERAF, OPEN, VERLENGD = 0.1, 0.3, 0.25  # shares: told after the start, without an end, extended once
LANG = 90  # days of care from which an assignment may have been extended


def make_toewijzingen(rng: Random, client: Client, until: date) -> None:
    """Set the assignments of a client whose care is known."""
    grens = until + timedelta(days=DEFINITIES.dagtekening_na_einde)
    for traject in client.trajecten:
        per_nummer: dict[int, list[Levering]] = {}
        for levering in traject.leveringen:
            if levering.toewijzingnummer is not None:
                per_nummer.setdefault(levering.toewijzingnummer, []).append(levering)
        for leveringen in per_nummer.values():
            client.toewijzingen.append(toewijzing(rng, traject.aanbieder, leveringen, until, grens))


def toewijzing(rng: Random, aanbieder: str, leveringen: list[Levering], until: date, grens: date) -> Toewijzing:
    """The assignment behind leveringen of one number; nothing is dated after `grens`."""
    eerste, laatste = leveringen[0], leveringen[-1]
    product = PRODUCT_VAN[eerste.categorie]
    return Toewijzing(
        aanbieder=aanbieder,
        gemeente=eerste.ontvanger,
        nummer=eerste.toewijzingnummer or 0,
        categorie=eerste.categorie,
        code=eerste.code,
        ingangsdatum=eerste.ingangsdatum,
        versies=_versies(rng, eerste, laatste, until, grens),
        volume=rng.randint(1, 40) if product.tarief else None,
        eenheid=product.eenheid if product.tarief else "",
        frequentie=FREQUENTIE[product.eenheid] if product.tarief else "",
        budget=None if product.tarief else 10_000_000,
    )


def _versies(rng: Random, eerste: Levering, laatste: Levering, until: date, grens: date) -> list[Versie]:
    einde = laatste.einde
    tot = max([until, *(s.einddatum for s in laatste.stops)]) if einde is None else einde.einddatum
    gepland = None if rng.random() < OPEN else tot + timedelta(days=rng.randint(0, 200))
    if eerste.begindatum > eerste.ingangsdatum + timedelta(days=20) or rng.random() >= ACHTERAF:
        dag = eerste.ingangsdatum - timedelta(days=rng.randint(1, 10))
    else:
        dag = eerste.begindatum + timedelta(days=rng.randint(1, 9))
    verlengd = gepland is not None and (tot - eerste.begindatum).days > LANG and rng.random() < VERLENGD
    half = eerste.begindatum + timedelta(days=(tot - eerste.begindatum).days // 2)
    made = [_versie(rng, dag, half if verlengd else gepland, "", grens)]
    if verlengd:
        made.append(_versie(rng, half - timedelta(days=10), gepland, "04", grens))
    reden = _reden(rng, laatste)
    if einde and reden:
        na = max(einde.einddatum + timedelta(days=rng.randint(0, 4)), made[-1].datum + timedelta(days=1))
        made.append(_versie(rng, na, einde.einddatum, reden, grens))
    return made


def _reden(rng: Random, laatste: Levering) -> str:
    """The reason of the municipality that goes with the stop (3.5); none for an end between provider and client."""
    if laatste.fusie:
        return "11"
    einde = laatste.einde
    keuze = REDEN_WIJZIGING.get(einde.reden, ()) if einde else ()
    return rng.choice(keuze) if keuze else ""


def _versie(rng: Random, dag: date, einddatum: date | None, reden: str, grens: date) -> Versie:
    tijd = f"{rng.randint(8, 17):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    dag = min(dag, grens)
    return Versie(dag, tijd, min(dag + timedelta(days=rng.randint(0, 2)), grens), einddatum, reden)


def zendingen(client: Client) -> Iterator[tuple[str, str, date, list[Toegewezen]]]:
    """(provider, gemeente, day, products) of every JW301 of a client, per pair of parties in order of day."""
    paren: dict[tuple[str, str], list[Toewijzing]] = defaultdict(list)
    for t in client.toewijzingen:
        paren[t.aanbieder, t.gemeente].append(t)
    for (aanbieder, gemeente), toewijzingen in paren.items():
        dagen = sorted({v.dagtekening for t in toewijzingen for v in t.versies})
        for dag in dagen:
            producten = [p for t in toewijzingen if (p := _op(t, dag))]
            yield aanbieder, gemeente, dag, producten


def _op(t: Toewijzing, dag: date) -> Toegewezen | None:
    """The assignment as a JW301 of this day has it: told for the first time, or repeated while it is valid."""
    versie = t.op(dag)
    if versie is None:
        return None
    nieuw = versie.dagtekening == dag
    if not nieuw and versie.einddatum is not None and versie.einddatum < dag:
        return None
    return toegewezen(t, versie, versie.reden if nieuw else "")


def toegewezen(t: Toewijzing, versie: Versie, reden: str) -> Toegewezen:
    """The ToegewezenProduct of one version."""
    return Toegewezen(
        nummer=str(t.nummer),
        categorie=t.categorie,
        code=t.code,
        datum=versie.datum,
        tijd=versie.tijd,
        ingangsdatum=t.ingangsdatum,
        einddatum=versie.einddatum,
        reden=reden,
        volume=t.volume,
        eenheid=t.eenheid,
        frequentie=t.frequentie,
        budget=t.budget,
    )
