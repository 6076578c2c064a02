"""Made-up organizations and people for a machine that tries the system out: one of every role, passwords at random."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret

from domain.field.geography import CLUSTERS, GEMEENTEN
from portal.people.access import ROLE_WORDS, Role
from portal.people.models import Contactpersoon, Gebruiker, Organisatie

_TOWN: Final = "0384"
_SIGNED: Final = date(2026, 1, 1)
_HOST: Final = "voorbeeld.example"


class Login(NamedTuple):
    """What somebody logs in with; nobody keeps it but who reads it now. ``secret``: of an authenticator app (base32),
    empty where a second factor is set up at the first login.
    """

    email: str
    password: str
    role: str
    organization: str
    secret: str = ""


def people(providers: Sequence[str], *, town: str = _TOWN, second_factor: bool = False) -> list[Login]:
    """Somebody of every role: of each provider (AGB code) two, of a municipality and its cluster one, of the region and
    of the third party one. Who is there already gets a new password.
    """
    return [_login(role, organisatie, second_factor=second_factor) for role, organisatie in _wanted(providers, town)]


def _wanted(providers: Sequence[str], town: str) -> Iterator[tuple[Role, Organisatie]]:
    for agb in providers:
        one = _organization("aanbieder", agb, f"Voorbeeldaanbieder {agb}")
        contact = {"naam": "Voorbeeld Contact", "phone": ""}
        Contactpersoon.objects.get_or_create(organisatie=one, email=f"contact.{agb}@{_HOST}", defaults=contact)
        yield "medewerker", one
        yield "beheerder", one
    gemeente = GEMEENTEN[town]
    cluster = gemeente.cluster or CLUSTERS[0]
    yield "contractmanager", _organization("cluster", cluster, f"Cluster {cluster}")
    yield "gemeenteambtenaar", _organization("gemeente", town, f"Gemeente {gemeente.name}")
    yield "functioneel_beheerder", _organization("regio", "regio", "De regio")
    yield "operator", _organization("derde", "derde", "De derde partij")


def _organization(kind: str, code: str, name: str) -> Organisatie:
    signed = _SIGNED if kind == "aanbieder" else None
    made, _ = Organisatie.objects.get_or_create(
        soort=kind, code=code, defaults={"naam": name, "verwerkersovereenkomst": signed}
    )
    return made


def _login(role: Role, organisatie: Organisatie, *, second_factor: bool) -> Login:
    said = ROLE_WORDS[role][0]
    code = f".{organisatie.code}" if organisatie.soort == "aanbieder" else ""
    email, password = f"{role.replace('_', '.')}{code}@{_HOST}", secrets.token_urlsafe(12)
    user = Gebruiker.objects.filter(email=email).first() or Gebruiker.objects.invite(
        email=email, naam=f"Voorbeeld {said.partition(' ')[0]}", rol=role, organisatie=organisatie
    )
    user.set_password(password)
    user.save()
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    secret = _factor(user) if second_factor else ""
    return Login(email, password, said, organisatie.naam, secret)


def _factor(user: Gebruiker) -> str:
    """An authenticator app, whose secret is known to who asked for it."""
    secret = str(generate_totp_secret())
    Authenticator.objects.filter(user=user).delete()
    stored = {"secret": get_adapter().encrypt(secret)}
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=stored)
    return secret
