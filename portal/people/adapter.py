"""How allauth lets people in here: by invitation, and by an issuer only who is known; what it keeps of a second factor
stands in the database under a key that is not in there.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings as of_django
from django.core.exceptions import ValidationError

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

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Of a new password or second factor."""
        with mailing():
            super().send_mail(template_prefix, email, context)


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
