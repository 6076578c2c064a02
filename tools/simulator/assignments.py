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

from tools.simulator.model import Client, Levering, Toewijzing, Version
from tools.simulator.tables import DEFINITIONS, FREQUENTIE, PRODUCT_OF, REDEN_CHANGE
from tools.simulator.xml_toewijzing import Assigned

AFTERWARDS, OPEN, EXTENDED = 0.1, 0.3, 0.25  # shares: told after the start, without an end, extended once
LONG = 90  # days of care from which an assignment may have been extended


def make_toewijzingen(rng: Random, client: Client, until: date) -> None:
    """Set the assignments of a client whose care is known."""
    bound = until + timedelta(days=DEFINITIONS.days_after_until)
    for traject in client.trajecten:
        per_number: dict[int, list[Levering]] = {}
        for levering in traject.leveringen:
            if levering.toewijzingnummer is not None:
                per_number.setdefault(levering.toewijzingnummer, []).append(levering)
        for leveringen in per_number.values():
            client.toewijzingen.append(toewijzing(rng, traject.aanbieder, leveringen, until, bound))


def toewijzing(rng: Random, aanbieder: str, leveringen: list[Levering], until: date, bound: date) -> Toewijzing:
    """The assignment behind leveringen of one number; nothing is dated after ``bound``."""
    first, last = leveringen[0], leveringen[-1]
    product = PRODUCT_OF[first.categorie]
    return Toewijzing(
        aanbieder=aanbieder,
        gemeente=first.ontvanger,
        toewijzingnummer=first.toewijzingnummer or 0,
        categorie=first.categorie,
        code=first.code,
        ingangsdatum=first.ingangsdatum,
        versions=_versions(rng, first, last, until, bound),
        volume=rng.randint(1, 40) if product.tarief else None,
        eenheid=product.eenheid if product.tarief else "",
        frequentie=FREQUENTIE[product.eenheid] if product.tarief else "",
        budget=None if product.tarief else 10_000_000,
    )


def _versions(rng: Random, first: Levering, last: Levering, until: date, bound: date) -> list[Version]:
    end = last.end
    last_day = max([until, *(s.einddatum for s in last.stops)]) if end is None else end.einddatum
    planned = None if rng.random() < OPEN else last_day + timedelta(days=rng.randint(0, 200))
    if first.begindatum > first.ingangsdatum + timedelta(days=20) or rng.random() >= AFTERWARDS:
        day = first.ingangsdatum - timedelta(days=rng.randint(1, 10))
    else:
        day = first.begindatum + timedelta(days=rng.randint(1, 9))
    extended = planned is not None and (last_day - first.begindatum).days > LONG and rng.random() < EXTENDED
    half = first.begindatum + timedelta(days=(last_day - first.begindatum).days // 2)
    made = [_version(rng, day, half if extended else planned, "", bound)]
    if extended:
        made.append(_version(rng, half - timedelta(days=10), planned, "04", bound))
    reden = _reden(rng, last)
    if end and reden:
        after = max(end.einddatum + timedelta(days=rng.randint(0, 4)), made[-1].datum + timedelta(days=1))
        made.append(_version(rng, after, end.einddatum, reden, bound))
    return made


def _reden(rng: Random, last: Levering) -> str:
    """The reason of the municipality that goes with the stop (3.5); none for an end between provider and client."""
    if last.merger:
        return "11"
    end = last.end
    choice = REDEN_CHANGE.get(end.reden, ()) if end else ()
    return rng.choice(choice) if choice else ""


def _version(rng: Random, day: date, einddatum: date | None, reden: str, bound: date) -> Version:
    time = f"{rng.randint(8, 17):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    day = min(day, bound)
    return Version(day, time, min(day + timedelta(days=rng.randint(0, 2)), bound), einddatum, reden)


def shipments(client: Client) -> Iterator[tuple[str, str, date, list[Assigned]]]:
    """(provider, gemeente, day, products) of every JW301 of a client, per pair of parties in order of day."""
    pairs: dict[tuple[str, str], list[Toewijzing]] = defaultdict(list)
    for t in client.toewijzingen:
        pairs[t.aanbieder, t.gemeente].append(t)
    for (aanbieder, gemeente), toewijzingen in pairs.items():
        days = sorted({v.dagtekening for t in toewijzingen for v in t.versions})
        for day in days:
            products = [p for t in toewijzingen if (p := _on(t, day))]
            yield aanbieder, gemeente, day, products


def _on(t: Toewijzing, day: date) -> Assigned | None:
    """The assignment as a JW301 of this day has it: told for the first time, or repeated while it is valid."""
    version = t.in_force_on(day)
    if version is None:
        return None
    new = version.dagtekening == day
    if not new and version.einddatum is not None and version.einddatum < day:
        return None
    return assigned(t, version, version.reden if new else "")


def assigned(t: Toewijzing, version: Version, reden: str) -> Assigned:
    """The ToegewezenProduct of one version."""
    return Assigned(
        toewijzingnummer=str(t.toewijzingnummer),
        categorie=t.categorie,
        code=t.code,
        datum=version.datum,
        tijd=version.tijd,
        ingangsdatum=t.ingangsdatum,
        einddatum=version.einddatum,
        reden=reden,
        volume=t.volume,
        eenheid=t.eenheid,
        frequentie=t.frequentie,
        budget=t.budget,
    )
