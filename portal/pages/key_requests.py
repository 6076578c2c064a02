"""Requests of providers for a certificate of a system of their own, and what the region makes of them.

The authority issues, elsewhere and offline; here a public key goes one way and a certificate comes back.
"""

from __future__ import annotations

import time
from typing import Any, Final

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from crypto.sources import Trust
from faults import OperatorFault
from portal.pages.seeing import gebruiker, house
from portal.people.certificates import command, spoken
from portal.people.key_forms import CertificateForm, DeclineForm, KeyRequestForm
from portal.people.models import Organisatie, Sleutelaanvraag

#: Of one provider: requests that are open, and certificates of requests that count.
_MOST: Final = 20


@reauthentication_required  # type: ignore[untyped-decorator]
def ask(request: HttpRequest) -> HttpResponse:
    """A form for one more."""
    form = KeyRequestForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _asked(request, form):
        messages.success(request, "Uw aanvraag is bewaard. De regio belt u om de vingerafdruk te vergelijken.")
        return redirect("sleutels")
    return render(request, "sleutel_aanvragen.html", {"form": form})


def _asked(request: HttpRequest, form: KeyRequestForm) -> bool:
    """Kept; False with what is wrong in the form."""
    user, given = gebruiker(request), form.cleaned_data
    try:
        with transaction.atomic():
            own = Organisatie.objects.select_for_update().get(pk=user.organisatie_id)
            open_ = Q(state="gevraagd") | Q(state="afgegeven", ends__gt=timezone.now())
            if own.sleutelaanvragen.filter(open_).count() >= _MOST:
                form.add_error(None, f"Uw organisatie heeft er al {_MOST}. Bel de regio als u er meer nodig hebt.")
                return False
            Sleutelaanvraag.objects.create(
                organisatie=own,
                naam=given["naam"],
                public_key=given["public_key"].pem,
                fingerprint=given["public_key"].fingerprint,
                kinds=" ".join(sorted(given["kinds"])),
                asked_by=user,
            )
    except IntegrityError:
        form.add_error("naam", "Voor dit systeem staat al een aanvraag open.")
        return False
    return True


def certificate(request: HttpRequest, number: int) -> HttpResponse:
    """The certificate of a request of the own organization, once it was issued."""
    found = get_object_or_404(Sleutelaanvraag, pk=number, organisatie=gebruiker(request).organisatie, state="afgegeven")
    return _pem("certificate", found.certificate)


def requests(request: HttpRequest) -> HttpResponse:
    """Those of all organizations, the open ones first."""
    every = Sleutelaanvraag.objects.select_related("organisatie")
    rows = sorted(every, key=lambda one: one.state != "gevraagd")
    return render(request, "sleutelaanvragen.html", {"rows": rows})


def public_key(_request: HttpRequest, number: int) -> HttpResponse:
    """The public key as a file, to take to the authority."""
    found = get_object_or_404(Sleutelaanvraag, pk=number)
    return _pem(f"{found}-sleutel", found.public_key)


@reauthentication_required  # type: ignore[untyped-decorator]
def handle(request: HttpRequest, number: int) -> HttpResponse:
    """One request: what to compare and to type, and then its certificate, or why it gets none."""
    found = get_object_or_404(Sleutelaanvraag.objects.select_related("organisatie", "asked_by"), pk=number)
    posted: Any = request.POST if request.method == "POST" else None
    declining = posted is not None and "reason" in posted
    trust = None
    if posted is not None and not declining:
        try:
            trust = Trust(house().keys)
        except OperatorFault:
            return render(request, "later.html", {"title": "Sleutelaanvraag"}, status=503)
    issue = CertificateForm(None if declining else posted, found, trust, int(time.time()))
    decline = DeclineForm(posted if declining else None)
    if posted is not None and (decline if declining else issue).is_valid():
        _handled(request, number, issue, decline)
        return redirect("sleutelaanvragen")
    shown = {"asked": found, "fingerprint": spoken(found.fingerprint), "command": command(found)}
    return render(request, "sleutelaanvraag.html", shown | {"issue": issue, "decline": decline})


def _handled(request: HttpRequest, number: int, issue: CertificateForm, decline: DeclineForm) -> None:
    """Kept, unless somebody else handled it meanwhile."""
    with transaction.atomic():
        found = Sleutelaanvraag.objects.select_for_update().filter(pk=number, state="gevraagd").first()
        if found is None:
            messages.error(request, "Deze aanvraag is al behandeld.")
            return
        if decline.is_bound:
            found.state, found.reason = "afgewezen", decline.cleaned_data["reason"]
        else:
            issued = issue.cleaned_data["certificate"]
            found.state, found.certificate, found.ends = "afgegeven", issued.pem, issued.ends
        found.handled, found.handled_by = timezone.now(), gebruiker(request)
        found.save()
    messages.success(request, f"{found} is {found.state}.")


def _pem(name: str, text: str) -> HttpResponse:
    response = HttpResponse(text.encode(), content_type="application/x-pem-file")
    response["Content-Disposition"] = f'attachment; filename="{name}.pem"'
    return response
