"""What of a release a provider may see: the averages of its cluster, read from the tables of that audience.

Never a live figure: whoever asks for it twice sees in its movement what happened at others. Where nothing has been
released there is no average, and a screen says ``NO_RELEASE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from domain.indicators.terms import text_sql
from results.release.model import KEY_COLUMNS, Form, PeriodKind, Status
from sinks import clickhouse
from sinks.schema.audiences import FIGURES, of_providers

#: What a screen says in place of an average.
NO_RELEASE: Final = "nog geen vrijgave"
#: Errors of ClickHouse: no such table, no such database.
_ABSENT: Final = frozenset({60, 81})


class Average(NamedTuple):
    """One figure of all providers of a cluster together, as it was released: rounded, and of a closed period.

    ``percentage`` or ``gemiddelde`` is the figure, by its unit; None = withheld, and ``reden`` may say why. ``noemer``
    and ``uitgesloten`` are rounded to five; ``teller`` with ``vorm`` may be a bound.
    """

    indicator: str
    periode_soort: PeriodKind
    periode: str
    status: Status
    vrijgave: int
    noemer: int
    teller: int | None
    vorm: Form
    percentage: int | None
    gemiddelde: float | None
    uitgesloten: int
    peildatum: date
    definitie_versie: int
    bevestigd: bool
    reden: str

    @property
    def value(self) -> float | None:
        """The figure; None where it is withheld."""
        return self.gemiddelde if self.percentage is None else float(self.percentage)

    @property
    def text(self) -> str:
        """The figure as a Dutch screen shows it."""
        if self.percentage is not None:
            return f"{self.percentage}%"
        return "–" if self.gemiddelde is None else f"{self.gemiddelde:.1f}".replace(".", ",")


def averages_sql(cluster: str, keys: tuple[str, ...] = (), columns: tuple[str, ...] = (), table: str = "") -> str:
    """The newest of every figure of a whole cluster, by indicator and then the newest period first. ``table``: where
    they stand; that of the providers of the cluster when left out.
    """
    named = ", ".join(columns or COLUMNS)
    whole = [f"{column} = ''" for column in KEY_COLUMNS if column != "cluster"]
    within = [f"cluster = {text_sql(cluster)}", *whole]
    within += [f"indicator IN ({', '.join(map(text_sql, keys))})"] if keys else []
    return (
        f"SELECT {named} FROM {table or f'{of_providers(cluster)}.{FIGURES}'} WHERE {' AND '.join(within)} "  # noqa: S608
        "ORDER BY indicator, periode_soort, periode DESC, vrijgave DESC LIMIT 1 BY indicator, periode_soort, periode"
    )


#: Columns of ``cijfers`` in the order of ``Average``.
COLUMNS: Final = (
    "indicator", "toString(periode_soort)", "periode", "toString(status)", "vrijgave", "noemer", "teller",
    "toString(teller_vorm)", "percentage", "toFloat64(gemiddelde)", "uitgesloten", "peildatum", "definitie_versie",
    "bevestigd", "reden",
)  # fmt: skip


def averages(
    client: Client, cluster: str, keys: tuple[str, ...] = (), table: str = ""
) -> Mapping[str, tuple[Average, ...]]:
    """Indicator -> its averages, per kind of period the newest first; empty where nothing has been released.
    ``table`` as for ``averages_sql``.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or the user may not read the release.
    """
    try:
        rows = clickhouse.select(client, averages_sql(cluster, keys, table=table))
    except clickhouse.RefusedError as error:
        if error.code in _ABSENT:
            return {}
        raise
    found: dict[str, tuple[Average, ...]] = {}
    for row in rows:
        one = Average(*row)
        found[one.indicator] = (*found.get(one.indicator, ()), one)
    return found
