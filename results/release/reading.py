"""The rows of a release from ClickHouse: numbers only, each condition and label worked out by the engine.

``results.release.rows.of_rows`` makes the same of rows in Python, and a test runs both over the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from clickhouse_connect.driver.client import Client

from domain.field.dates import day
from domain.indicators.query import cluster_sql, scope
from domain.indicators.terms import Provenance, day_sql, text_sql
from results.release.counted import Family, sql
from results.release.names import id_sql
from results.release.rows import AGES, LABELS, MARK_AT, CareRows, Counted, Labels, arranged, families_of
from sinks.clickhouse import select, told_apart

_AGE: Final = "".join(f"leeftijd >= {first}, {text_sql(name)}, " for first, name in sorted(AGES.items(), reverse=True))
#: Label -> what it is of a traject.
_OF_TRAJECT: Final[dict[str, str]] = {
    "gemeente": "gemeente",
    "cluster": cluster_sql(),
    "aanbieder": "aanbieder",
    "categorie": "categorie",
    "leeftijd": f"multiIf(isNull(leeftijd), '', {_AGE}'')",
    "geslacht": "transform(geslacht, ['1', '2'], ['man', 'vrouw'], '')",
    "reden": "reden_beeindiging",
    "verwijzer": "verwijzer",
    "hulpvorm": "hulpvorm",
    "profiel": "profiel",
    "perspectief": "intensiteit",
    "startjaar": "toString(jaar)",
    "postcodegebied": "postcodegebied",
}
#: Columns that the conditions of a table name, beside its labels.
_TRAJECT_COLUMNS: Final = (
    "aanbieder, traject, emmer, einddatum, definitie_versie, status, uitval_klasse, reden_beeindiging, nieuwe_start, "
    "opvolging_dagen, respons_dagen, intensiteit, metingen_einde, gas_gescoord, gas_bereikt, gas_deels, "
    "probleem_behandelaar, probleem_ouder, probleem_client"
)
_METING_COLUMNS: Final = "aanbieder, traject, meting, emmer, datum, definitie_versie, telt, nut, zonder_hulp, groep"
_PROVENANCES: Final[tuple[Provenance, ...]] = ("ijw", "cbs")
#: Where a value says that a row is in the denominator, and that it is left out.
_INSIDE, _LEFT_OUT = 30, 31


def read(client: Client, database: str, *, on: date) -> Iterator[CareRows]:
    """The rows of every table and origin, as they are now. ``on``: the reference day of conditions that have one.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    for provenance in _PROVENANCES:
        for table in ("trajecten", "metingen"):
            yield _table(client, database, table, provenance, day_sql(day(on)))


def _table(client: Client, database: str, table: str, provenance: Provenance, reference_day: str) -> CareRows:
    families = families_of(table, provenance)
    source = _trajecten(database, provenance) if table == "trajecten" else _metingen(database, provenance)
    listed = ", ".join(f"groupUniqArray(label_{name})" for name in LABELS)
    values = [tuple(sorted(filter(None, one))) for one in select(client, f"SELECT {listed} FROM ({source})")[0]]  # noqa: S608
    codes = [_code(name, known) for name, known in zip(LABELS, values, strict=True)]
    key, moment = ("traject", "einddatum") if table == "trajecten" else ("meting", "datum")
    columns = [
        f"{id_sql(key)} AS id", "toInt64(emmer) AS bucket", f"toInt64(toInt32({moment})) AS moment",
        "reinterpretAsInt64(cityHash64(aanbieder, traject)) AS chain", "toInt64(definitie_versie) AS version",
        *codes, *(f"{_value(family, reference_day)} AS value_{family.key}" for family in families),
    ]  # fmt: skip
    found = _columns(client, f"SELECT {', '.join(columns)} FROM ({source}) WHERE {moment} IS NOT NULL", len(columns))  # noqa: S608
    ids, emmers, days, chains, versions = found[:5]
    labels = dict(zip(LABELS, found[5 : 5 + len(LABELS)], strict=True))
    return arranged(
        ids=ids, emmers=emmers, days=days, chains=chains, version=int(versions.max(initial=0)),
        labels={
            name: Labels(labels[name].astype(np.int32), known) for name, known in zip(LABELS, values, strict=True)
        },
        counted={
            family.key: _counted(value) for family, value in zip(families, found[5 + len(LABELS) :], strict=True)
        },
    )  # fmt: skip


def _trajecten(database: str, provenance: Provenance) -> str:
    labels = ", ".join(f"{expression} AS label_{name}" for name, expression in _OF_TRAJECT.items())
    rows = f"{database}.trajecten FINAL WHERE {scope('trajecten', database, provenance)}"
    return f"SELECT {_TRAJECT_COLUMNS}, {labels}, '' AS label_respondent FROM {rows}"  # noqa: S608


def _metingen(database: str, provenance: Provenance) -> str:
    labels = ", ".join(f"{expression} AS label_{name}" for name, expression in _OF_TRAJECT.items())
    of = f"SELECT aanbieder, traject, {labels} FROM {database}.trajecten FINAL"  # noqa: S608
    of += f" WHERE {scope('trajecten', database, provenance)}"
    origin = f"soort {'=' if provenance == 'cbs' else '!='} 'cbs'"
    mine = f"SELECT {_METING_COLUMNS} FROM {database}.metingen FINAL WHERE traject != '' AND {origin}"  # noqa: S608
    return (
        f"SELECT *, groep AS label_respondent FROM ({mine}) AS m LEFT SEMI JOIN ({of}) AS t USING (aanbieder, traject)"  # noqa: S608
    )


def _code(name: str, values: Sequence[str]) -> str:
    """The number of a label among its values; -1 for none."""
    if not values:
        return f"toInt32(-1) AS code_{name}"
    listed, numbers = ", ".join(map(text_sql, values)), ", ".join(map(str, range(len(values))))
    return f"toInt32(transform(label_{name}, [{listed}], [{numbers}], -1)) AS code_{name}"


def _value(family: Family, reference_day: str) -> str:
    """All that a family says of a row, as one number."""
    bits = [
        f"bitShiftLeft(toUInt32(ifNull({sql(outcome.numerator, reference_day)}, 0)), {at})"
        for at, outcome in enumerate(family.outcomes)
        if not outcome.column
    ]
    if family.mean:
        bits.append(f"bitShiftLeft(toUInt32(ifNull({family.mean}, 0)), {MARK_AT})")
    inside = f"toUInt32(ifNull({sql(family.denominator, reference_day)}, 0))"
    left_out = f"toUInt32(ifNull({sql(family.excluded, reference_day)}, 0))"
    return (
        f"toUInt32({inside} * ({' + '.join(bits)} + bitShiftLeft(toUInt32(1), {_INSIDE}))"
        f" + bitShiftLeft({left_out}, {_LEFT_OUT}))"
    )


def _counted(value: Any) -> Counted:
    numbers = value.astype(np.uint32)
    inside, left_out = ((numbers >> at & 1).astype(np.bool_) for at in (_INSIDE, _LEFT_OUT))
    return Counted(inside, left_out, numbers & np.uint32(2**_INSIDE - 1))


def _columns(client: Client, query: str, many: int) -> list[Any]:
    """The columns of an answer of numbers, as arrays."""
    with told_apart("Reading the rows of a release"), client.query_column_block_stream(query) as stream:
        blocks = [[np.asarray(column) for column in block] for block in stream]
    if not blocks:
        return [np.zeros(0, dtype=np.int64)] * many
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
