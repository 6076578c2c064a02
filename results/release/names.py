"""The tables of a release at the third party, and how a row is named in them: for who reads no figures."""

from __future__ import annotations

from typing import Final

FIGURES: Final = "vrijgave_cijfers"
MEMBERS: Final = "vrijgave_leden"


def id_sql(column: str) -> str:
    """The number of a row (``results.release.rows.row_id``) of a column with its 16 hexadecimal digits."""
    return f"toInt64(bitAnd(reinterpretAsUInt64(reverse(unhex({column}))), 9223372036854775807))"
