"""Made-up rows of a region for the release: trajecten that ended, with their metingen."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from domain.field.codes import REDENEN
from domain.field.dates import day
from domain.field.geography import GEMEENTEN, cluster
from results.release.rows import CareRows, of_rows
from tests.sinks.rows import BUCKETS, meting, named, traject

TODAY = date(2026, 7, 15)
KEY = b"k" * 32
DUO = ("0384", "0437", "0451")
Tables = dict[str, list[dict[str, Any]]]


def region(many: int, seed: int = 1, gemeenten: tuple[str, ...] = DUO, last: date = date(2026, 6, 30)) -> Tables:
    """So many ended trajecten of the year before ``last``, each of a child of its own; half have a meting."""
    dice = random.Random(seed)
    tables: Tables = {"trajecten": [], "metingen": []}
    for number in range(many):
        provider = f"{90_000_000 + int(dice.paretovariate(0.6)) % 12:08d}"
        ended = day(last - timedelta(days=dice.randrange(365)))
        reden = dice.choices(("31", "32", "33", "34", "35"), (70, 8, 5, 9, 8))[0]
        row = one_traject(
            number, aanbieder=provider, gemeente=dice.choices(gemeenten, range(1, len(gemeenten) + 1))[0],
            einddatum=ended, reden=reden, categorie=dice.choice(("45", "46", "50")), leeftijd=dice.randrange(19),
            geslacht=dice.choices("129", (48, 48, 4))[0], gas_gescoord=dice.randrange(5),
        )  # fmt: skip
        tables["trajecten"].append(row)
        if dice.random() < 0.5:
            tables["metingen"].append(one_meting(row, number, ended, nut=dice.choices(range(1, 11), range(1, 11))[0]))
    return tables


def one_traject(number: int, *, einddatum: int, reden: str = "31", **changed: Any) -> dict[str, Any]:
    """A traject that ended."""
    row = traject(number, 1) | {
        "client": named(number), "emmer": number * 7919 % BUCKETS, "jaar": 2025, "begindatum": einddatum - 200,
        "einddatum": einddatum, "status": "beeindigd", "reden_beeindiging": reden, "bron": "ijw",
        "uitval_klasse": REDENEN[reden].klasse, "postcodegebied": "", "intensiteit": "perspectief",
    } | changed  # fmt: skip
    row["cluster"] = cluster(row["gemeente"])
    row["gas_bereikt"] = min(row["gas_gescoord"], number % 3)
    return row


def one_meting(of: Mapping[str, Any], number: int, datum: int, **changed: Any) -> dict[str, Any]:
    """A meting of a traject that counts."""
    mine = {key: of[key] for key in ("aanbieder", "gemeente", "client", "emmer", "traject")}
    return meting(number, 1) | mine | {"datum": datum, "nut": 8, "zonder_hulp": 1 + number % 4, "telt": True} | changed


def rows_of(tables: Mapping[str, Any], provenance: Any = "ijw") -> list[CareRows]:
    """Both tables as a release counts them."""
    return [of_rows(tables, table, provenance, reference_day=day(TODAY)) for table in ("trajecten", "metingen")]


def every_gemeente() -> tuple[str, ...]:
    """All but Almere."""
    return tuple(code for code, gemeente in GEMEENTEN.items() if gemeente.cluster)
