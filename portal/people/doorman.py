"""The doorman: asks the one list (``portal.people.access``) before any page is made, and opens nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from portal.people.access import OF_ONESELF, PAGES, PUBLIC, Verdict, Visitor, verdict
from portal.people.models import Gebruiker

Answer = Callable[[HttpRequest], HttpResponse]
_LOG: Final = structlog.get_logger(__name__)
_STATUS: Final[dict[Verdict, int]] = {"login": 401, "factor": 401, "role": 403, "agreement": 403, "method": 405}
#: What a browser may not use on any page.
_NOTHING: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class Headers:
    """Headers of every answer that Django has no setting for: nothing that people see stays in a shared cache."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add them."""
        response = self._answer(request)
        response.setdefault("Permissions-Policy", _NOTHING)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Cache-Control", "no-store")
        return response


class Doorman:
    """Every request passes it once it is known which view would answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The rest of the way is Django's."""
        return self._answer(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _named: Any) -> HttpResponse | None:
        """None opens the page."""
        match = request.resolver_match
        name = (match.view_name if match else "") or ""
        found = verdict(name, request.method or "", visitor_of(request))
        if found == "open":
            return None
        if isinstance(request.user, Gebruiker):
            _LOG.info("not opened", page=name, verdict=found, user=request.user.pk)
        if name in PAGES and PAGES[name].machine and found in _STATUS:
            return JsonResponse({"reden": found}, status=_STATUS[found])
        return _refused(request, name, found)


def visitor_of(request: HttpRequest) -> Visitor:
    """Who asks: with a second factor of our own, or logged in by an issuer, which has seen to that."""
    user = request.user
    if not isinstance(user, Gebruiker):
        return Visitor()
    issued = any(one.get("method") == "socialaccount" for one in get_authentication_records(request, user))
    return user.visitor(factor=issued or is_mfa_enabled(user))


def _refused(request: HttpRequest, name: str, found: Verdict) -> HttpResponse:
    if found == "login":
        if request.user.is_authenticated:  # of an organization that is not active any more
            raise PermissionDenied
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
    if found == "factor":
        messages.info(request, "Stel eerst een tweede stap in: een app met codes, of een passkey.")
        return HttpResponseRedirect(reverse("mfa_index"))
    if found == "agreement":
        messages.info(request, "Deze pagina gaat open zodra de verwerkersovereenkomst van uw organisatie is getekend.")
        return HttpResponseRedirect(reverse("start"))
    if found == "method":
        allowed = PUBLIC.get(name) or OF_ONESELF.get(name) or PAGES[name].methods
        return HttpResponseNotAllowed(sorted(allowed))
    if found == "absent":
        raise Http404
    raise PermissionDenied
