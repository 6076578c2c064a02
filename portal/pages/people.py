"""Users, invitations and contacts. An administrator sees those of the own organization; the region sees all."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal.pages.seeing import gebruiker, house
from portal.people import invitations
from portal.people.forms import ContactForm, InviteForm, PasswordForm, UserForm
from portal.people.models import Contactpersoon, Gebruiker, Organisatie
from portal.settings import origin


def _of(request: HttpRequest) -> Organisatie | None:
    """The organization whose people somebody may see; None is all of them."""
    user = gebruiker(request)
    return None if user.rol == "functioneel_beheerder" else user.organisatie


def _visible(request: HttpRequest) -> QuerySet[Gebruiker]:
    own = _of(request)
    every = Gebruiker.objects.select_related("organisatie").order_by("organisatie__naam", "naam")
    return every if own is None else every.filter(organisatie=own)


@reauthentication_required  # type: ignore[untyped-decorator]
def users(request: HttpRequest) -> HttpResponse:
    """Who has access."""
    return render(request, "gebruikers.html", {"users": _visible(request), "all": _of(request) is None})


@reauthentication_required  # type: ignore[untyped-decorator]
def invite(request: HttpRequest) -> HttpResponse:
    """Somebody new gets a mail."""
    form = InviteForm(request.POST or None, organisatie=_of(request))
    if request.method == "POST" and form.is_valid():
        made = form.save(commit=False)
        made.set_unusable_password()
        made.save()
        invitations.invite(made, origin(house()))
        messages.success(request, f"De uitnodiging is verstuurd naar {made.email}. Zij geldt drie dagen.")
        return redirect("gebruikers")
    return render(request, "formulier.html", _form(form, "Iemand uitnodigen", "Verstuur de uitnodiging", "gebruikers"))


@reauthentication_required  # type: ignore[untyped-decorator]
def user(request: HttpRequest, number: int) -> HttpResponse:
    """Another role, no access any more, or the invitation once more."""
    found = get_object_or_404(_visible(request), pk=number)
    if request.method == "POST" and "again" in request.POST:
        if not found.has_usable_password():
            invitations.invite(found, origin(house()))
            messages.success(request, f"De uitnodiging is opnieuw verstuurd naar {found.email}.")
        return redirect("gebruikers")
    form = UserForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        if found.pk == gebruiker(request).pk and {"rol", "is_active"} & set(form.changed_data):
            messages.error(request, "Uw eigen rol en toegang kan alleen een ander veranderen.")
            return redirect("gebruikers")
        form.save()
        if form.changed_data:
            for session in UserSession.objects.filter(user=found):
                session.end()
        messages.success(request, "De gegevens zijn bewaard.")
        return redirect("gebruikers")
    more = {"invited": not found.has_usable_password()}
    return render(request, "formulier.html", _form(form, f"Gebruiker {found.naam}", "Bewaar", "gebruikers") | more)


def accept(request: HttpRequest, number: int, token: str) -> HttpResponse:
    """Who was invited chooses a password."""
    found = invitations.invited(number, token)
    if found is None:
        return render(request, "uitnodiging.html", {"form": None}, status=410)
    form = PasswordForm(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        invitations.accepted(found, form.cleaned_data["new_password1"])
        messages.success(request, "Uw wachtwoord is bewaard. Log nu in en stel de tweede stap in.")
        return redirect("account_login")
    return render(request, "uitnodiging.html", {"form": form, "invited": found})


def contacts(request: HttpRequest) -> HttpResponse:
    """Contacts of the own organization, and a form for one more."""
    own = gebruiker(request).organisatie
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.organisatie = own
        try:
            with transaction.atomic():
                form.save()
        except IntegrityError:
            form.add_error("email", "Dit adres staat er al.")
        else:
            return redirect("contactpersonen")
    return render(request, "contactpersonen.html", {"contacts": own.contactpersonen.all(), "form": form})


def remove_contact(request: HttpRequest, number: int) -> HttpResponse:
    """A contact leaves."""
    get_object_or_404(Contactpersoon, pk=number, organisatie=gebruiker(request).organisatie).delete()
    return redirect("contactpersonen")


def _form(form: Any, title: str, button: str, back: str) -> dict[str, Any]:
    return {"form": form, "title": title, "button": button, "back": back}
