"""Delivering from a browser: its pages, and the three answers by which the browser seals and sends by itself.

No BSN comes here. What the browser gets is public, or says for whom it comes: a certificate of hours under a random
name that only this database leads to a person, and a token of a quarter of an hour for the intake.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from connectors.formats.cbs import layout
from connectors.formats.cbs.layout import LayoutError
from faults import OperatorFault
from portal import passes
from portal.pages.seeing import gebruiker, house
from portal.people.models import Browser, Gebruiker
from portal.rules_cbs import layout_told
from portal.secret import folder
from portal.settings import intake
from schemas.codec import IdSource
from schemas.registry import ids_of

_KEY_BYTES: Final = 32
_SESSION: Final = "browser"
#: Names of browsers of one person within a day [P]. Each certificate has the lists of the authority written anew.
MOST_BROWSERS: Final = 50


def deliver(request: HttpRequest) -> HttpResponse:
    """Form, paste and file; the scripts do the work."""
    return render(request, "aanleveren/aanleveren.html", {"organisatie": gebruiker(request).organisatie})


def deliveries(request: HttpRequest) -> HttpResponse:
    """What was sent and what became of it, asked of the intake by the browser."""
    return render(request, "aanleveren/aanleveringen.html", {"organisatie": gebruiker(request).organisatie})


def public(request: HttpRequest) -> HttpResponse:
    """Public keys, numbers of contracts, and the layout of files of CBS."""
    settings = house()
    try:
        shown = passes.public_document(
            settings.keys, _ids(), agb=gebruiker(request).organisatie.code, intake=intake(settings)
        )
        return JsonResponse(shown | {"cbs": _layout(settings.cbs_layout)})
    except (OperatorFault, LayoutError):
        return _unavailable()


def _layout(path: Path | None) -> dict[str, Any] | None:
    """The columns of a file of CBS, as the browser reads it; None where this portal takes none."""
    return layout_told(layout.read(path)) if path else None


def certificate(request: HttpRequest) -> HttpResponse:
    """A certificate for the public key that the browser shows; 429 for who had enough of them today."""
    settings, user = house(), gebruiker(request)
    if user.browsers.filter(begun__gt=timezone.now() - timedelta(days=1)).count() >= MOST_BROWSERS:
        return JsonResponse({"reden": "later"}, status=429)
    key = _key(request.body)
    if key is None:
        return JsonResponse({"reden": "key"}, status=400)
    name = secrets.token_hex(8)
    try:
        der, until = passes.certificate(
            settings.authority,
            settings.keys,
            agb=user.organisatie.code,
            subject=name,
            public_key=key,
            now=int(time.time()),
        )
    except passes.WrongKey:
        return JsonResponse({"reden": "key"}, status=400)
    except OperatorFault:
        return _unavailable()
    _remember(request, user, name)
    return JsonResponse({"certificaat": base64.b64encode(der).decode(), "tot": until})


def token(request: HttpRequest) -> HttpResponse:
    """A token for the intake."""
    user = gebruiker(request)
    name = request.session.get(_SESSION) or _remember(request, user, secrets.token_hex(8))
    try:
        made = passes.token(
            passes.token_key(folder(house())), agb=user.organisatie.code, subject=str(name), now=int(time.time())
        )
    except OperatorFault:
        return _unavailable()
    return JsonResponse({"token": made.token, "tot": made.until})


def _remember(request: HttpRequest, user: Gebruiker, name: str) -> str:
    """Whose the name of this browser is."""
    Browser.objects.create(gebruiker=user, name=name)
    request.session[_SESSION] = name
    return name


def _key(body: bytes) -> bytes | None:
    """The 32 bytes of a public key in what a browser sends, or None."""
    try:
        found = json.loads(body)["sleutel"]
        key = base64.b64decode(found, validate=True)
    except (ValueError, TypeError, KeyError, binascii.Error):
        return None
    return key if len(key) == _KEY_BYTES else None


def _ids() -> IdSource | None:
    """Where ids of contracts come from: the registry of the settings, else those of this release."""
    return ids_of(house().registry)


def _unavailable() -> HttpResponse:
    return JsonResponse({"reden": "later"}, status=503)
