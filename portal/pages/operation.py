"""What the operator sees: whether it runs, what could not be read, and who changed what. Never content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from auditlog.models import LogEntry
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domain.field.words import KIND_LABELS
from faults import OperatorFault
from portal.pages.seeing import as_audience, as_task
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import COMPARISON, RELEASES

_ROWS: Final = 50
_OUTCOMES: Final = (
    "SELECT kind, count(), sum(lines), sum(geaccepteerd), sum(afgekeurd), countIf(NOT klaar), max(laatste) "
    "FROM receipts FINAL WHERE NOT test GROUP BY kind ORDER BY kind"
)
_UNREADABLE: Final = (
    "SELECT stage, sender, count(), max(rejected_at) FROM rejected FINAL GROUP BY stage, sender ORDER BY stage, sender"
)
_RELEASES: Final = f"SELECT vrijgave, dag, status, reden FROM {RELEASES} ORDER BY vrijgave DESC LIMIT 12"  # noqa: S608
_ACTIONS: Final = {0: "gemaakt", 1: "gewijzigd", 2: "verwijderd", 3: "bekeken"}


def health(request: HttpRequest) -> HttpResponse:
    """Deliveries by kind and unreadable records by stage, as counts; what was released."""
    outcomes = _asked(lambda: as_task("receipts"), _OUTCOMES)
    found = {
        "outcomes": outcomes and [(KIND_LABELS.get(kind, kind), *more) for kind, *more in outcomes],
        "unreadable": _asked(lambda: as_task("rejected"), _UNREADABLE),
        "releases": _asked(lambda: as_audience(COMPARISON), _RELEASES),
    }
    return render(request, "gezondheid.html", found)


def _asked(access: Callable[[], Access], query: str) -> list[tuple[Any, ...]] | None:
    """Rows; None when ClickHouse does not answer, or not to this portal."""
    try:
        client = clickhouse.connect(access())
        try:
            rows: list[tuple[Any, ...]] = clickhouse.select(client, query)
        finally:
            client.close()
    except OperatorFault:
        return None
    return [tuple(_told(cell) for cell in row) for row in rows]


def _told(cell: Any) -> Any:
    """Times of the tables are UTC and do not say so; people read those of their own clock."""
    return cell.replace(tzinfo=UTC) if isinstance(cell, datetime) else cell


def audit_log(request: HttpRequest) -> HttpResponse:
    """Changes of organizations, users, contacts, requests and confirmations: who, when, and which fields; no value."""
    entries = LogEntry.objects.select_related("actor", "content_type").order_by("-timestamp", "-pk")
    page = Paginator(entries, _ROWS).get_page(request.GET.get("pagina"))
    rows = [
        {
            "time": one.timestamp,
            "actor": str(one.actor) if one.actor else "het systeem",
            "action": _ACTIONS.get(one.action, ""),
            "what": one.content_type.name,
            "number": one.object_pk,
            "fields": ", ".join(_fields(one)),
        }
        for one in page
    ]
    return render(request, "controlelog.html", {"rows": rows, "page": page})


def _fields(entry: LogEntry) -> list[str]:
    """What people call the fields that changed; the number and what others refer to are none."""
    model, changed = entry.content_type.model_class(), entry.changes or {}
    own = model._meta.fields if model else ()
    return [str(one.verbose_name) for one in own if one.name in changed and not one.primary_key]
