"""The rows that a release counts, in memory: one array per column, so that a million are cut in seconds.

``of_rows`` makes them of rows as the contracts have them, ``results.release.reading`` of what ClickHouse answers. Both
end in ``arranged``. Children are told apart by their buckets (``emmer``), which hold for every provider: different
buckets are different children for certain, so a group is counted too small and never too large.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.field.codes import OUTSIDE_OUTCOMES
from domain.field.geography import cluster
from domain.indicators.terms import Provenance, Row
from results.release.counted import FAMILIES, Family, holds

Ints = npt.NDArray[np.int64]
#: Smaller numbers: a release holds some of each row many times.
Numbers = npt.NDArray[np.int64] | npt.NDArray[np.uint32] | npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]
#: Columns that groups are made by. A row without a value is in no group of that column.
LABELS: Final = (
    "gemeente", "cluster", "aanbieder", "categorie", "leeftijd", "geslacht", "reden", "verwijzer", "hulpvorm",
    "profiel", "perspectief", "startjaar", "respondent", "postcodegebied",
)  # fmt: skip
#: First age of a band -> its name [P].
AGES: Final[dict[int, str]] = {0: "0 tot en met 5", 6: "6 tot en met 11", 12: "12 tot en met 17", 18: "18 en ouder"}
#: Codes of sex (COD046) that name one.
_SEXES: Final = {"1": "man", "2": "vrouw"}
#: Where the mark of a row stands in its value, above a bit for each outcome.
MARK_AT: Final = 24


class Labels(NamedTuple):
    """A column: a number per row (-1: no value) into sorted values."""

    codes: npt.NDArray[np.int32]
    values: tuple[str, ...]


class Counted(NamedTuple):
    """Of one family, per row: is it in the denominator, is it left out, and what it says.

    ``value``: a bit for each outcome whose numerator it is in, and from ``MARK_AT`` its mark where there is a mean.
    """

    inside: Flags
    left_out: Flags
    value: npt.NDArray[np.uint32]


class CareRows(NamedTuple):
    """Rows of one table and origin, by bucket. ``days``: since 1970, of the event that places them.

    ``providers``: numbers of theirs (``provider_number``), which a release keeps."""

    ids: Ints
    emmers: npt.NDArray[np.uint16]
    days: Ints
    providers: npt.NDArray[np.uint32]
    labels: dict[str, Labels]
    counted: dict[str, Counted]
    version: int = 0

    def families(self) -> tuple[Family, ...]:
        """The families over these rows."""
        return tuple(FAMILIES[key] for key in self.counted)


def families_of(table: str, provenance: Provenance) -> tuple[Family, ...]:
    """The families over the rows of a table of one origin."""
    return tuple(family for family in FAMILIES.values() if (family.table, family.provenance) == (table, provenance))


def age_band(leeftijd: int | None) -> str:
    """The band of an age in years; empty when it is not known."""
    if leeftijd is None:
        return ""
    return AGES[max(first for first in AGES if first <= leeftijd)]


def labels_of(traject: Row, groep: str = "") -> dict[str, str]:
    """What groups are made by, of a traject; ``groep``: who filled in, of a meting."""
    return {
        "gemeente": traject["gemeente"],
        "cluster": cluster(traject["gemeente"]),
        "aanbieder": traject["aanbieder"],
        "categorie": traject["categorie"],
        "leeftijd": age_band(traject["leeftijd"]),
        "geslacht": _SEXES.get(traject["geslacht"], ""),
        "reden": traject["reden_beeindiging"],
        "verwijzer": traject["verwijzer"],
        "hulpvorm": traject["hulpvorm"],
        "profiel": traject["profiel"],
        "perspectief": traject["intensiteit"],
        "startjaar": str(traject["jaar"]),
        "respondent": groep,
        "postcodegebied": traject["postcodegebied"],
    }


def provider_number(aanbieder: str) -> int:
    """A number for a provider: its AGB code, which has eight digits."""
    return int(aanbieder) if aanbieder.isdecimal() and len(aanbieder) < 10 else zlib.crc32(aanbieder.encode())


def row_id(hexadecimal: str) -> int:
    """The number of a row, below 2**63, of its 16 hexadecimal digits."""
    return int(hexadecimal, 16) & (2**63 - 1)


def of_rows(tables: Mapping[str, Sequence[Row]], table: str, provenance: Provenance, *, reference_day: int) -> CareRows:
    """Rows as the contracts have them, each once: those that count for the figures of one origin."""
    trajecten = {(row["aanbieder"], row["traject"]): row for row in tables["trajecten"] if _counts(row, provenance)}
    if table == "trajecten":
        found = [(row, row, "einddatum", "traject") for row in trajecten.values()]
    else:
        found = [
            (row, trajecten[row["aanbieder"], row["traject"]], "datum", "meting")
            for row in {(row["aanbieder"], row["meting"]): row for row in tables["metingen"]}.values()
            if not row["verwijderd"] and (row["soort"] == "cbs") == (provenance == "cbs")
            and (row["aanbieder"], row["traject"]) in trajecten
        ]  # fmt: skip
    found = [one for one in found if one[0][one[2]] is not None]
    labels = [labels_of(traject, row.get("groep", "")) for row, traject, _, _ in found]
    rows = [row for row, _, _, _ in found]
    counted = {family.key: _of_family(family, rows, reference_day) for family in families_of(table, provenance)}
    return arranged(
        ids=[row_id(row[key]) for row, _, _, key in found],
        emmers=[row["emmer"] for row in rows],
        days=[row[day] for row, _, day, _ in found],
        labels={name: labelled([one[name] for one in labels]) for name in LABELS},
        counted=counted,
        chains=_numbered([f"{row['aanbieder']}|{row['traject']}" for row in rows]),
        version=max((row["definitie_versie"] for row in rows), default=0),
    )


def arranged(
    *, ids: Any, emmers: Any, days: Any, labels: Mapping[str, Labels],
    counted: Mapping[str, Counted], chains: Any, version: int,
) -> CareRows:  # fmt: skip
    """Rows in the order of bucket and id, so that their order of arrival changes nothing.

    ``chains``: the traject of each row, for families that count one row of it.
    """
    ids, emmers, days, chains = (np.asarray(one, dtype=np.int64) for one in (ids, emmers, days, chains))
    order = np.lexsort((ids, emmers))
    numbers = np.array([provider_number(name) for name in labels["aanbieder"].values] + [0], dtype=np.uint32)
    youth = _is(labels["respondent"], "jeugdige")
    kept = {key: _once(one, chains, days, youth, ids) if FAMILIES[key].once else one for key, one in counted.items()}
    return CareRows(
        ids[order],
        emmers[order].astype(np.uint16),
        days[order],
        numbers[labels["aanbieder"].codes[order]],
        {name: Labels(one.codes[order], one.values) for name, one in labels.items()},
        {key: Counted(one.inside[order], one.left_out[order], one.value[order]) for key, one in kept.items()},
        version,
    )


def labelled(values: Sequence[str]) -> Labels:
    """A column of texts; the empty text is no value."""
    names = tuple(sorted({value for value in values if value}))
    number = {name: at for at, name in enumerate(names)} | {"": -1}
    return Labels(np.array([number[value] for value in values], dtype=np.int32), names)


def _is(labels: Labels, value: str) -> Flags:
    at = labels.values.index(value) if value in labels.values else len(labels.values)
    return np.asarray(labels.codes == at)


def _once(counted: Counted, chains: Ints, days: Ints, youth: Flags, ids: Ints) -> Counted:
    """Of the rows of one traject in the denominator only the last; of one day the youth's."""
    at = np.flatnonzero(counted.inside)
    order = at[np.lexsort((ids[at], youth[at], days[at], chains[at]))]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = chains[order[1:]] != chains[order[:-1]]
    inside = np.zeros_like(counted.inside)
    inside[order[last]] = True
    return counted._replace(inside=inside)


def _counts(row: Row, provenance: Provenance) -> bool:
    within = row["gemeente"] != "" and (provenance == "cbs" or cluster(row["gemeente"]) != "")
    return within and not row["verwijderd"] and row["bron"] == provenance and row["categorie"] not in OUTSIDE_OUTCOMES


def _of_family(family: Family, rows: Sequence[Row], reference_day: int) -> Counted:
    inside = np.array([holds(family.denominator, row, reference_day) for row in rows], dtype=np.bool_)
    left_out = np.array([holds(family.excluded, row, reference_day) for row in rows], dtype=np.bool_)
    value = np.zeros(len(rows), dtype=np.uint32)
    for at, row in enumerate(rows):
        if inside[at]:
            bits = (holds(one.numerator, row, reference_day) and not one.column for one in family.outcomes)
            mark = row[family.mean] << MARK_AT if family.mean else 0
            value[at] = sum(bit << number for number, bit in enumerate(bits)) | mark
    return Counted(inside, left_out, value)


def _numbered(names: Iterable[str]) -> list[int]:
    number: dict[str, int] = {}
    return [number.setdefault(name, len(number)) for name in names]
