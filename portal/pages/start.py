"""The first page, help, and the answer to who watches the process."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domain.field.messages import MESSAGES
from portal.pages.seeing import gebruiker
from portal.people.access import menu
from portal.people.doorman import visitor_of

_MANIFEST: Final = Path(__file__).parents[1] / "static" / "portal" / "manifest.json"


def start(request: HttpRequest) -> HttpResponse:
    """What there is for this role."""
    role = visitor_of(request).role
    names = [name for name, _ in menu(role)] if role else []
    return render(request, "start.html", {"organisatie": gebruiker(request).organisatie, "names": names})


def help_(request: HttpRequest) -> HttpResponse:
    """How to deliver, an example of each format, and what every message means."""
    return render(request, "hulp.html", {"codes": sorted(MESSAGES.items()), "hashes": _hashes()})


@cache
def _hashes() -> list[tuple[str, str]]:
    """File and SHA-256 of every script and style that the build made."""
    found: dict[str, str] = json.loads(_MANIFEST.read_bytes())
    return sorted(found.items())


class Ready:
    """Answers ``/ready`` before anything looks at who asks, and under which name: whoever watches the process knows the
    address of the machine alone.
    """

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """200 when the database answers, else 503."""
        if request.path != "/ready":
            return self._answer(request)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return HttpResponse("not ready\n", status=503, content_type="text/plain")
        return HttpResponse("ready\n", content_type="text/plain")
