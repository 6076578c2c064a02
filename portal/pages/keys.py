"""What the own systems of an organization deliver with: certificates and tokens, and until when they count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connectors.intake.tokens import TokenFile
from crypto import authority
from faults import OperatorFault
from portal.pages.seeing import gebruiker, house
from portal.people.certificates import spoken

#: What ends within so many days is said.
_SOON: Final = 30 * 86_400
_STATES: Final = {"valid": "geldig", "expired": "verlopen", "revoked": "ingetrokken"}
#: How names of browsers begin: theirs last for hours, and are nothing to look after.
_BROWSER: Final = "browser-"


@reauthentication_required  # type: ignore[untyped-decorator]
def keys(request: HttpRequest) -> HttpResponse:
    """Both lists, and what was asked; who has the authority or the intake makes new ones."""
    own, now = gebruiker(request).organisatie, time.time()
    try:
        certificates, tokens = list(_certificates(own.code, now)), list(_tokens(own.code, now))
    except OperatorFault:
        return render(request, "later.html", {"title": "Sleutels"}, status=503)
    asked = [{"row": one, "fingerprint": spoken(one.fingerprint)} for one in own.sleutelaanvragen.all()]
    return render(request, "sleutels.html", {"certificates": certificates, "tokens": tokens, "asked": asked})


def _certificates(code: str, now: float) -> Iterator[dict[str, Any]]:
    """Of the public list: those by which systems send for this provider alone, the newest first."""
    for one in reversed(authority.published(house().keys)):
        source = one.source
        if source and source.sends_for == frozenset({code}) and not source.id.startswith(_BROWSER):
            state = "revoked" if one.revoked else "valid" if now < one.ends else "expired"
            yield _row(source.id, one.ends, state, now)


def _tokens(code: str, now: float) -> Iterator[dict[str, Any]]:
    for one in reversed(TokenFile(house().intake_tokens).read()):
        if one.agb == code:
            yield _row(one.id, one.expires, one.state(now), now) | {"note": one.note}


def _row(name: str, ends: int, state: str, now: float) -> dict[str, Any]:
    soon = state == "valid" and ends - now < _SOON
    return {"name": name, "ends": datetime.fromtimestamp(ends, UTC), "state": _STATES[state], "soon": soon}
