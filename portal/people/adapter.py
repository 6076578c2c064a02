"""How allauth lets people in here: by invitation, and by an issuer only who is known; what it keeps of a second factor
stands in the database under a key that is not in there.
"""

from __future__ import annotations

import base64
import time
from functools import cache
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings as of_django
from django.core.exceptions import ValidationError
from django.urls import reverse

from monitoring import metrics
from portal.people.counting import mailing


class Closed(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody signs up by himself."""

    def is_open_for_signup(self, *_given: Any) -> bool:
        """Never: an administrator invites."""
        return False

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Who tried too often is counted, and told so."""
        try:
            return super().authenticate(request, **credentials)
        except ValidationError:
            metrics.PORTAL_LOGINS.labels(login="locked").inc()
            raise

    def authentication_failed(self, request: Any, **credentials: Any) -> None:
        """A wrong password, or an address of nobody."""
        metrics.PORTAL_LOGINS.labels(login="password").inc()
        super().authentication_failed(request, **credentials)

    def is_reauthentication_required(self, *, app: str = "", **more: Any) -> bool:
        """Who can show neither a password nor a factor here logs in at the issuer once more."""
        required = bool(super().is_reauthentication_required(app=app, **more))
        return required and not _lately_from_issuer(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The first is where somebody is led to."""
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return found or [{"id": "issuer", "description": "", "url": issuer_login()}] if user.is_authenticated else found

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Of a new password or second factor."""
        with mailing():
            super().send_mail(template_prefix, email, context)


def issuer_login() -> str:
    """Where somebody logs in at the issuer."""
    return reverse("openid_connect_login", kwargs={"provider_id": "organisatie"})


def _lately_from_issuer(request: Any) -> bool:
    """Whether somebody who can show nothing here came from the issuer a moment ago."""
    if get_reauthentication_flows(request.user):
        return False
    ways = [one for one in get_authentication_records(request, request.user) if one.get("method") == "socialaccount"]
    return bool(ways) and time.time() - ways[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT


class Known(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """An issuer names people; only an address of a user that was invited counts."""

    def is_open_for_signup(self, *_given: Any) -> bool:
        """Never: an administrator invites."""
        return False


class Sealed(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of authenticator apps and recovery codes: who has the database alone cannot make a code."""

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """As it is used."""
        return _box().decrypt(encrypted_text.encode()).decode()


@cache
def _box() -> Fernet:
    """Under a key of the portal's secret."""
    derived = HKDF(SHA256(), 32, None, b"sor portal second factor").derive(str(of_django.SECRET_KEY).encode())
    return Fernet(base64.urlsafe_b64encode(derived))
