"""The first page, help, and the answer to whoever watches the process."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domain.field.messages import MESSAGES
from portal.pages.seeing import gebruiker
from portal.people.access import menu
from portal.people.doorman import visitor_of


def start(request: HttpRequest) -> HttpResponse:
    """What there is for this role."""
    role = visitor_of(request).role
    names = [name for name, _ in menu(role)] if role else []
    return render(request, "start.html", {"organisatie": gebruiker(request).organisatie, "names": names})


def help_(request: HttpRequest) -> HttpResponse:
    """How to deliver, an example of each format, and what every message means."""
    return render(request, "hulp.html", {"codes": sorted(MESSAGES.items())})


def ready(_request: HttpRequest) -> HttpResponse:
    """200 when the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("not ready\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")
