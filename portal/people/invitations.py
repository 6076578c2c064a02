"""Inviting somebody: a mail with an address that works once, for three days, and only while there is no password."""

from __future__ import annotations

from typing import Final

import structlog
from allauth.account.models import EmailAddress
from django.conf import settings as of_django
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from portal.people.counting import mailing
from portal.people.models import Gebruiker

_LOG: Final = structlog.get_logger(__name__)
_TOKENS: Final = PasswordResetTokenGenerator()


def invitation(user: Gebruiker) -> str:
    """The address that the mail holds, without the host."""
    return reverse("uitnodiging", kwargs={"number": user.pk, "token": _TOKENS.make_token(user)})


def invite(user: Gebruiker, host: str) -> None:
    """Send the mail. ``host``: the origin of the portal."""
    text = render_to_string("post/uitnodiging.txt", {"user": user, "address": host + invitation(user)})
    subject = "Uitnodiging voor het portaal van Sturen op Resultaat"
    with mailing():
        send_mail(subject, text, of_django.DEFAULT_FROM_EMAIL, [user.email])
    _LOG.info("invited", user=user.pk)


def invited(number: int, token: str) -> Gebruiker | None:
    """Who was invited with this address; None when it was used, is too old, or never was."""
    user = Gebruiker.objects.filter(pk=number, is_active=True, organisatie__active=True).first()
    if user is None or user.has_usable_password() or not _TOKENS.check_token(user, token):
        return None
    return user


def accepted(user: Gebruiker, password: str) -> None:
    """The password that somebody chose; who got the mail reads that address."""
    user.set_password(password)
    user.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
