"""The query of what waits: rows that cannot be placed until something else is delivered.

The dashboard *Aanlevering* shows them by provider, the exporter counts them for the alerts.
"""

# ruff: noqa: S608 - every part is our own text

from __future__ import annotations

from typing import Final

_UNLINKED: Final = "wacht != '' OR traject = ''"
#: Table -> the rows that wait, and reason and day of each. A row without a reason of its own still shows that it waits.
_TABLES: Final = {
    "trajecten": (
        "notEmpty(wacht) OR startsWith(status, 'wacht_op_')",
        "arrayJoin(if(empty(wacht), [(toString(status), toDate32(ifNull(einddatum, begindatum)))], "
        "arrayZip(arrayMap(k -> toString(k), mapKeys(wacht)), mapValues(wacht))))",
    ),
    "metingen": (_UNLINKED, "(if(wacht = '', 'niet_gekoppeld', toString(wacht)), ifNull(sinds, datum))"),
    "scores": (
        _UNLINKED,
        "(if(wacht = '', 'niet_gekoppeld', toString(wacht)), ifNull(sinds, toDate32(tijd, 'Europe/Amsterdam')))",
    ),
}


def waiting_sql(database: str = "sor", where: str = "1") -> str:
    """Every reason of every row that waits now: ``aanbieder``, ``table``, ``reden`` and ``sinds`` (a day).

    ``where`` narrows the rows of each table further.
    """
    rows = " UNION ALL ".join(
        f"SELECT aanbieder, '{table}' AS tabel, {pair} AS paar "
        f"FROM {database}.{table} FINAL WHERE ({waits}) AND ({where})"
        for table, (waits, pair) in _TABLES.items()
    )
    return f"SELECT aanbieder, tabel, paar.1 AS reden, paar.2 AS sinds FROM ({rows})"
