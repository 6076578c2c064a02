"""The region's rows in every family, as a release of some day would read them: what the whole gate is timed on.

The rows of ``release_rows`` (60,000 ended trajecten of 36 months) with what each family counts: metingen, goals, new
starts, areas; those of Almere as CBS files have them. Shares are made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
from msgspec.structs import asdict

from domain.care.rows import MetingRow, TrajectRow
from domain.field.codes import REDENEN
from domain.field.dates import day as day_number
from domain.indicators.terms import Provenance
from results.release.rows import CareRows, Counted, Labels, of_rows
from tools.bench.release_rows import MUNICIPALITIES, Flags, Ints, World, make

#: The day that the rows begin with.
FIRST: Final = date(2024, 1, 1)
_BUCKETS: Final = 1024
_REASONS: Final = ("31", "32", "33", "34")
_CATEGORIES: Final = ("45", "46", "50", "41", "48", "49", "43", "44", "51", "52", "53", "54", "42", "40", "55", "38",
                      "35", "36", "37", "34", "33")  # fmt: skip
_AGES: Final = (3, 9, 15, 19)
#: Of CBS files: how many values a filter has, about.
_FILTERS: Final = {"verwijzer": 8, "hulpvorm": 7, "profiel": 5, "intensiteit": 4}
#: So many rows of a municipality live in one area, about.
_AREA: Final = 700


class _Known(NamedTuple):
    """One table of one origin, with the days on which each row is known."""

    rows: CareRows
    since: Ints
    until: Ints


class Region:
    """The rows as they are known on any day."""

    def __init__(self, *, seed: int = 7, scale: float = 1.0) -> None:
        world = make(seed, scale)
        self._tables = [_known(world, tables, name, origin) for tables, name, origin in _tables(world, seed)]

    def on(self, day: date) -> list[CareRows]:
        """What ``sor release build`` reads on a day."""
        moment = (day - FIRST).days
        return [_taken(one.rows, (one.since <= moment) & (one.until > moment)) for one in self._tables]


def _taken(rows: CareRows, kept: Flags) -> CareRows:
    at = np.flatnonzero(kept)
    return rows._replace(
        ids=rows.ids[at],
        emmers=rows.emmers[at],
        days=rows.days[at],
        providers=rows.providers[at],
        labels={name: Labels(one.codes[at], one.values) for name, one in rows.labels.items()},
        counted={key: Counted(one.inside[at], one.left_out[at], one.value[at]) for key, one in rows.counted.items()},
    )


def _known(world: World, tables: Mapping[str, Any], name: str, origin: Provenance) -> _Known:
    """Rows go by the place in the world at first; a corrected one and the one before it then get one id."""
    rows = of_rows(tables, name, origin, reference_day=day_number(FIRST) + 10_000)
    place = rows.ids - (len(world.number) if name == "metingen" else 0)
    mixed = np.random.default_rng(11).permutation(2 * len(world.number)) * 7 + 1
    ids = mixed[world.number[place] + (len(world.number) if name == "metingen" else 0)]
    order = np.lexsort((ids, rows.emmers))
    sorted_ = _taken(rows, np.ones(len(ids), bool))._replace(ids=ids)
    return _Known(_ordered(sorted_, order), world.since[place[order]], world.until[place[order]])


def _ordered(rows: CareRows, order: Ints) -> CareRows:
    return rows._replace(
        ids=rows.ids[order],
        emmers=rows.emmers[order],
        days=rows.days[order],
        providers=rows.providers[order],
        labels={name: Labels(one.codes[order], one.values) for name, one in rows.labels.items()},
        counted={
            key: Counted(one.inside[order], one.left_out[order], one.value[order]) for key, one in rows.counted.items()
        },
    )


def _tables(world: World, seed: int) -> Iterator[tuple[Mapping[str, Any], str, Provenance]]:
    """The tables of both origins."""
    for origin in ("ijw", "cbs"):
        almere = origin == "cbs"
        places = np.flatnonzero((world.gemeente == len(MUNICIPALITIES) - 1) == almere)
        tables = _rows(world, places, np.random.default_rng([seed, 1 + almere]), cbs=almere)
        for name in ("trajecten", "metingen"):
            yield tables, name, "cbs" if almere else "ijw"


def _rows(world: World, places: Ints, rng: np.random.Generator, *, cbs: bool) -> dict[str, list[dict[str, Any]]]:
    """Trajecten, and of half of them a meting; what a traject says beside its reason does not change."""
    said = _said(rng, int(world.number.max()) + 1)
    areas = [max(int((world.gemeente == at).sum()) // _AREA, 1) for at in range(len(MUNICIPALITIES))]
    tables: dict[str, list[dict[str, Any]]] = {"trajecten": [], "metingen": []}
    for place in places.tolist():
        number = int(world.number[place])
        row = _traject(world, place, {name: values[number] for name, values in said.items()}, areas, cbs=cbs)
        tables["trajecten"].append(row)
        if row["metingen_einde"]:
            tables["metingen"].append(_meting(world, place, row, said["zonder_hulp"][number], cbs=cbs))
    return tables


def _said(rng: np.random.Generator, many: int) -> dict[str, list[Any]]:
    """What is drawn for each traject."""

    def maybe(values: Any, share: float) -> list[Any]:
        return [value if has else None for value, has in zip(values.tolist(), rng.random(many) < share, strict=True)]

    scored = np.where(rng.random(many) < 0.45, rng.integers(1, 6, many), 0)
    found: dict[str, Any] = {
        "gas_gescoord": scored,
        "gas_bereikt": rng.binomial(scored, 0.55),
        "zonder_hulp": rng.choice(4, many, p=[0.12, 0.26, 0.42, 0.20]) + 1,
        "metingen_einde": (rng.random(many) < 0.5).astype(int),
        "area": rng.random(many),
        **{name: rng.integers(0, size, many) for name, size in _FILTERS.items()},
    }
    found["gas_deels"] = np.minimum(scored, found["gas_bereikt"] + rng.binomial(scored, 0.25))
    lists: dict[str, list[Any]] = {name: values.tolist() for name, values in found.items()}
    for who, share in (("behandelaar", 0.4), ("ouder", 0.3), ("client", 0.25)):
        lists[f"probleem_{who}"] = maybe(rng.choice(3, many, p=[0.08, 0.24, 0.68]) + 1, share)
    lists["nieuwe_start"] = maybe(rng.integers(1, 365, many), 0.22)
    return lists


def _traject(world: World, place: int, said: dict[str, Any], areas: list[int], *, cbs: bool) -> dict[str, Any]:
    at, provider = int(world.gemeente[place]), f"{90_000_000 + int(world.aanbieder[place]):08d}"
    gemeente, cluster, _ = MUNICIPALITIES[at]
    reden = _REASONS[int(world.reason[place])]
    ended = day_number(FIRST) + int(world.day[place])
    row = asdict(TrajectRow()) | {
        **_key(world, place, provider, gemeente),
        "jaar": 2023 + int(world.day[place]) // 365,
        "traject": f"{place:016x}",
        "bron": "cbs" if cbs else "ijw",
        "cluster": "" if cbs else cluster,
        "categorie": _CATEGORIES[int(world.categorie[place])],
        "begindatum": ended - 200,
        "einddatum": ended,
        "status": "beeindigd",
        "reden_beeindiging": reden,
        "uitval_klasse": REDENEN[reden].klasse,
        "leeftijd": _AGES[int(world.leeftijd[place])],
        "geslacht": "129"[int(world.geslacht[place])],
        "profiel": f"p{said['profiel']}",
        "postcodegebied": f"{at:02d}{int(said['area'] * areas[at]):02d}",
    }
    drawn = ("gas_gescoord", "gas_bereikt", "gas_deels", "metingen_einde", "nieuwe_start", "probleem_behandelaar",
             "probleem_ouder", "probleem_client")  # fmt: skip
    row |= {name: said[name] for name in drawn}
    return row | {name: f"{said[name]:02d}" for name in ("verwijzer", "hulpvorm", "intensiteit")}


def _key(world: World, place: int, provider: str, gemeente: str) -> dict[str, Any]:
    client = int(world.client[place])
    return {
        "aanbieder": provider,
        "gemeente": gemeente,
        "client": f"{client:022x}",
        "emmer": client * 7919 % _BUCKETS,
        "verwijderd": False,
        "definitie_versie": 1,
    }


def _meting(world: World, place: int, of: Mapping[str, Any], zonder_hulp: int, *, cbs: bool) -> dict[str, Any]:
    return asdict(MetingRow()) | {
        **{name: of[name] for name in ("aanbieder", "gemeente", "client", "emmer", "verwijderd", "definitie_versie")},
        "traject": of["traject"],
        "meting": f"{len(world.number) + place:016x}",
        "groep": ("jeugdige", "ouder")[place % 2],
        "soort": "cbs" if cbs else "einde",
        "datum": of["einddatum"],
        "nut": int(world.mark[place]),
        "zonder_hulp": zonder_hulp,
        "telt": True,
    }
