"""Reports of what a provider delivered: the questionnaires it sent, and the mirror of a CBS half year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final, NamedTuple

from domain.field.geography import GEMEENTEN
from domain.indicators.terms import Condition, text_sql
from results.reports import cem, mirror, periods
from results.reports.content import Report
from sinks import clickhouse
from sinks.access import Access

_REGIONS: Final = tuple(sorted(code for code, gemeente in GEMEENTEN.items() if gemeente.cluster))
_WHOLE: Final = "%d-%m-%Y"
_ALMERE: Final = "0034"
Rows = list[tuple[Any, ...]]


def cem_reports(access: Access, month: str, made_on: str, provider: str = "") -> Iterator[Report]:
    """The Terugkoppelrapportage of every provider that ever delivered a questionnaire, or of this one.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    client = clickhouse.connect(access)
    try:
        rows = clickhouse.select(client, cem_sql(periods.last_day(month), provider, access.database))
    finally:
        client.close()
    if provider and not rows:
        rows = [(provider, 0, 0, 0, None, {}, {})]
    for agb, total, regions, linked, latest, lists, months in rows:
        yield cem.report(
            cem.Metingen(
                provider=agb, month=month, made_on=made_on, total=total, regions=regions, linked=linked,
                latest=latest.strftime(_WHOLE) if latest else "", lists=dict(lists), months=_recent(months, month),
            )
        )  # fmt: skip


def _recent(months: dict[str, int], month: str) -> dict[str, int]:
    """The last two years, with the months without any between the first and the last."""
    first = max(min(months, default=month), periods.later(month, -23))
    return {one: months.get(one, 0) for one in (first, *periods.months_after(first, month)) if one <= month}


def cem_sql(last: date, provider: str = "", database: str = "sor") -> str:
    """One row for each provider: metingen, of the regions, linked, the newest day, per questionnaire, per month."""
    own = f" AND {Condition('aanbieder', (provider,)).sql()}" if provider else ""
    regions = Condition("gemeente", _REGIONS).sql()
    per_list = "sumMap(map(toString(vragenlijst), 1))"
    per_month = "sumMap(map(formatDateTime(toDate(datum), '%Y-%m'), 1))"
    return (
        f"SELECT aanbieder, count(), countIf({regions}), countIf(traject != ''), max(datum), {per_list}, {per_month} "  # noqa: S608
        f"FROM {database}.metingen FINAL WHERE soort != 'cbs' AND datum <= '{last.isoformat()}'{own} "
        "GROUP BY aanbieder ORDER BY aanbieder"
    )


class Mirrored(NamedTuple):
    """Rows of the queries below, of every provider that was asked for."""

    active: Rows
    files: Rows
    kinds: Rows
    ends: Rows
    against: Rows


def mirror_reports(access: Access, half_year: str, made_on: str, provider: str = "") -> Iterator[Report]:
    """The spiegelrapport of every provider of Almere, or of this one. Also of one that sent no file of the half year.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    first, last = periods.days_of_half_year(half_year)
    queries = (active_sql, files_sql, kinds_sql, ends_sql, against_sql)
    client = clickhouse.connect(access)
    try:
        found = Mirrored(
            *(clickhouse.select(client, query(first, last, provider, access.database)) for query in queries)
        )
    finally:
        client.close()
    known = {row[0] for rows in (found.active, found.files, found.kinds) for row in rows}
    for agb in sorted(known | ({provider} if provider else set())):
        yield mirror.report(_half_year(agb, half_year, made_on, found))


def _half_year(agb: str, half_year: str, made_on: str, found: Mirrored) -> mirror.HalfYear:
    mine = [row for row in found.kinds if row[0] == agb]
    counts = next((row[1:] for row in found.against if row[0] == agb), (0, 0, 0, 0, 0))
    clients, messages, clients_messages, absent, extra = map(int, counts)
    received = next((_files(*row[1:]) for row in found.files if row[0] == agb), mirror.Files())
    return mirror.HalfYear(
        provider=agb,
        half_year=half_year,
        made_on=made_on,
        kinds=tuple(mirror.PerKind(*row[1:8]) for row in mine),
        ends={str(row[1]): int(row[2]) for row in found.ends if row[0] == agb},
        files=received,
        since=min(row[8] for row in mine).strftime(_WHOLE) if mine else "",
        clients=clients,
        messages=messages,
        clients_messages=clients_messages,
        absent=absent,
        extra=extra,
    )


def _files(received: int, accepted: int, refused: int, last: date) -> mirror.Files:
    return mirror.Files(int(received), int(accepted), int(refused), last.strftime(_WHOLE))


def active_sql(first: date, last: date, provider: str = "", database: str = "sor") -> str:
    """A row for each provider with care by a CBS file, or in Almere, in the half year or the one before it."""
    before = periods.first_day(periods.later(f"{first:%Y-%m}", -6))
    return (
        f"SELECT DISTINCT aanbieder FROM {database}.trajecten FINAL WHERE (bron = 'cbs' OR gemeente = '{_ALMERE}') "  # noqa: S608
        f"AND status != 'wacht_op_start' AND {_within(before, last, provider)} ORDER BY aanbieder"
    )


def files_sql(first: date, last: date, provider: str = "", database: str = "sor") -> str:
    """A row for each provider, as in ``mirror.Files``: of what came since the first day, also after the last."""
    del last
    own = f" AND sender = {text_sql(provider)}" if provider else ""
    day = "toDate(eerste, 'Europe/Amsterdam')"
    return (
        f"SELECT sender, count(), sum(geaccepteerd), sum(afgekeurd), max({day}) FROM {database}.receipts FINAL "  # noqa: S608
        f"WHERE kind = 'cbs' AND NOT test AND toUnixTimestamp(teruggenomen) = 0 AND {day} >= '{first.isoformat()}'{own}"
        " GROUP BY sender ORDER BY sender"
    )


def _within(first: date, last: date, provider: str) -> str:
    """Begun, ended or running in the period (CBS), of all or of one."""
    active = f"begindatum <= '{last.isoformat()}' AND (einddatum IS NULL OR einddatum >= '{first.isoformat()}')"
    return active + (f" AND aanbieder = {text_sql(provider)}" if provider else "")


def _ended(last: date) -> str:
    return f"(einddatum IS NOT NULL AND einddatum <= '{last.isoformat()}')"


def kinds_sql(first: date, last: date, provider: str = "", database: str = "sor") -> str:
    """A row for each provider and form of help, in the order of ``mirror.PerKind``, and its oldest begin."""
    ended, rated = _ended(last), "(nut_jeugdige IS NOT NULL OR nut_ouder IS NOT NULL)"
    return (
        f"SELECT aanbieder, toString(hulpvorm) AS vorm, count(), countIf(begindatum >= '{first.isoformat()}'), "  # noqa: S608
        f"countIf({ended}), countIf(NOT {ended}), countIf({rated}), countIf({ended} AND NOT {rated}), min(begindatum) "
        f"FROM {database}.trajecten FINAL WHERE bron = 'cbs' AND {_within(first, last, provider)} "
        "GROUP BY aanbieder, vorm ORDER BY aanbieder, vorm"
    )


def ends_sql(first: date, last: date, provider: str = "", database: str = "sor") -> str:
    """A row for each provider and class of the reason."""
    return (
        f"SELECT aanbieder, toString(uitval_klasse) AS klasse, count() FROM {database}.trajecten FINAL "  # noqa: S608
        f"WHERE bron = 'cbs' AND {_within(first, last, provider)} AND {_ended(last)} GROUP BY aanbieder, klasse "
        "ORDER BY aanbieder, klasse"
    )


def against_sql(first: date, last: date, provider: str = "", database: str = "sor") -> str:
    """A row for each provider: clients of the file, trajecten by messages, their clients, whose care runs by messages
    on the last day and who are not in the file, and who are in the file alone.
    """
    running = f"status IN ('lopend', 'gepauzeerd') OR einddatum > '{last.isoformat()}'"
    per_client = (
        f"SELECT aanbieder, client, countIf(bron = 'cbs') AS records, countIf(bron = 'ijw') AS berichten, "  # noqa: S608
        f"countIf(bron = 'ijw' AND ({running})) AS loopt FROM {database}.trajecten FINAL "
        f"WHERE status != 'wacht_op_start' AND {_within(first, last, provider)} GROUP BY aanbieder, client"
    )
    return (
        "SELECT aanbieder, countIf(records > 0), sum(berichten), countIf(berichten > 0), "  # noqa: S608
        f"countIf(loopt > 0 AND records = 0), countIf(records > 0 AND berichten = 0) FROM ({per_client}) "
        "GROUP BY aanbieder ORDER BY aanbieder"
    )
