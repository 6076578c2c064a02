"""Made-up organizations and people for the tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password

from portal.people.access import ROLE_WORDS, Role
from portal.people.models import Gebruiker, Organisatie

CODES = {
    "aanbieder": ("94000001", "94000002"),
    "cluster": ("DUO", "Amsterdam"),
    "gemeente": ("0384", "0034"),
    "regio": ("noord", "zuid"),
    "derde": ("hier", "daar"),
}


def make(password: str, secret: str) -> dict[str, Any]:
    """Key (a role, or ``other_`` and a role) -> user with a password and a second factor."""
    hashed, found = make_password(password), {}
    for place, prefix in enumerate(("", "other_")):
        for kind, codes in CODES.items():
            signed = date(2026, 1, 1) if kind == "aanbieder" else None
            code = codes[place]
            organisatie, _ = Organisatie.objects.get_or_create(
                soort=kind, code=code, defaults={"naam": f"{kind} {code}", "verwerkersovereenkomst": signed}
            )
            for role, (_, of) in ROLE_WORDS.items():
                if of == kind:
                    found[f"{prefix}{role}"] = _user(f"{prefix}{role}", role, organisatie, hashed, secret)
    return found


def _user(name: str, role: Role, organisatie: Organisatie, hashed: str, secret: str) -> Gebruiker:
    user = Gebruiker(email=f"{name}@example.nl", naam=f"Test {name}", rol=role, organisatie=organisatie)
    user.password = hashed
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    stored = {"secret": get_adapter().encrypt(secret)}
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=stored)
    return user
