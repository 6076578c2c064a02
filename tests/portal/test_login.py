"""Logging in: password and code, too many tries, invitations, and once more before keys and users."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from settings.settings import Settings
from tests.portal.conftest import PASSWORD, SECRET


def code() -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return str(format_hotp_value(hotp_value(SECRET, int(time.time()) // 30)))


def test_a_password_alone_does_not_log_in_and_a_code_beside_it_does(portal: Settings, people: dict[str, Any]) -> None:
    from django.test import Client

    client = Client()
    answer = client.post("/account/login/", {"login": "beheerder@example.nl", "password": PASSWORD})
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert client.get("/")["Location"].startswith("/account/login/")
    assert client.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.get("/")["Location"].startswith("/account/login/")
    assert client.post("/account/2fa/authenticate/", {"code": code()})["Location"] == "/"
    page = client.get("/").content.decode()
    assert "Welkom, Test beheerder" in page
    assert client.post("/account/logout/").status_code == 302
    assert client.get("/").status_code == 302


def test_a_session_is_new_at_login_and_its_cookie_is_closed(portal: Settings, people: dict[str, Any]) -> None:
    from django.test import Client

    client = Client()
    client.get("/account/login/")
    client.post("/account/login/", {"login": "beheerder@example.nl", "password": PASSWORD})
    before = client.cookies["portal"].value
    client.post("/account/2fa/authenticate/", {"code": code()})
    cookie = client.cookies["portal"]
    assert cookie.value != before
    assert (cookie["samesite"], cookie["httponly"], cookie["max-age"]) == ("Strict", True, "")


def test_too_many_wrong_passwords_lock_an_address_out_also_for_the_right_one(
    portal: Settings, people: dict[str, Any]
) -> None:
    from django.test import Client

    client = Client()
    for _ in range(5):
        client.post("/account/login/", {"login": "operator@example.nl", "password": "fout fout fout"})
    answer = client.post("/account/login/", {"login": "operator@example.nl", "password": PASSWORD})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode() or "Te veel" in answer.content.decode()
    assert client.get("/")["Location"].startswith("/account/login/")


def test_an_address_that_is_not_known_is_told_nothing_else(portal: Settings, people: dict[str, Any]) -> None:
    from django.test import Client

    def told(address: str) -> str:
        page = Client().post("/account/login/", {"login": address, "password": "fout fout fout"}).content.decode()
        return re.sub(r"value=\"[^\"]*\"", "", page).replace(address, "")

    assert told("niemand@example.nl") == told("medewerker@example.nl")


def test_nobody_signs_up(portal: Settings) -> None:
    from django.test import Client

    from portal.people.models import Gebruiker

    before = Gebruiker.objects.count()
    data = {"email": "nieuw@example.nl", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post("/account/signup/", data).status_code == 404
    assert Gebruiker.objects.count() == before


def test_an_invitation_works_once_and_leads_to_a_password(logged_in: Callable[..., Any]) -> None:
    from django.core import mail
    from django.test import Client

    client = logged_in("beheerder")
    data = {"naam": "Nieuwe Collega", "email": "Nieuw@Example.nl", "rol": "medewerker"}
    assert client.post("/gebruikers/uitnodigen/", data).status_code == 302
    (sent,) = mail.outbox
    assert sent.to == ["nieuw@example.nl"]
    address = re.search(r"http://localhost:8490(/uitnodiging/\S+)", sent.body)
    assert address
    guest = Client()
    assert guest.get(address[1]).status_code == 200
    assert guest.post(address[1], {"new_password1": "kort", "new_password2": "kort"}).status_code == 200
    chosen = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert guest.post(address[1], chosen)["Location"] == "/account/login/"
    assert guest.get(address[1]).status_code == 410
    assert guest.post(address[1], chosen).status_code == 410
    guest.post("/account/login/", {"login": "nieuw@example.nl", "password": PASSWORD})
    assert guest.get("/")["Location"] == "/account/2fa/"  # no second factor yet


def test_an_administrator_gives_roles_of_the_own_organization_alone(
    logged_in: Callable[..., Any], people: dict[str, Any]
) -> None:
    from portal.people.models import Gebruiker

    client = logged_in("beheerder")
    data = {"naam": "X", "email": "x@example.nl", "rol": "operator", "organisatie": people["operator"].organisatie.pk}
    assert client.post("/gebruikers/uitnodigen/", data).status_code == 200
    data["rol"] = "medewerker"
    client.post("/gebruikers/uitnodigen/", data)
    assert Gebruiker.objects.get(email="x@example.nl").organisatie == people["beheerder"].organisatie
    other = people["other_medewerker"]
    assert client.get(f"/gebruikers/{other.pk}/").status_code == 404
    assert client.post(f"/gebruikers/{other.pk}/", {"naam": "Y", "rol": "beheerder"}).status_code == 404
    assert client.post(f"/gebruikers/{people['medewerker'].pk}/", {"naam": "Z", "rol": "operator"}).status_code == 200


def test_keys_and_users_ask_once_more_who_it_is(logged_in: Callable[..., Any]) -> None:
    late = logged_in("beheerder", fresh=False)
    for address in ("/gebruikers/", "/gebruikers/uitnodigen/", "/sleutels/"):
        assert "reauthenticate" in late.get(address)["Location"], address
    region = logged_in("functioneel_beheerder", fresh=False)
    assert "reauthenticate" in region.get("/organisaties/")["Location"]


def test_who_loses_access_is_out_at_once(logged_in: Callable[..., Any], people: dict[str, Any]) -> None:
    admin, worker = logged_in("beheerder"), logged_in("medewerker")
    assert worker.get("/").status_code == 200
    data = {"naam": "Test medewerker", "rol": "medewerker"}  # without is_active
    assert admin.post(f"/gebruikers/{people['medewerker'].pk}/", data).status_code == 302
    assert worker.get("/").status_code in {302, 403}
    own = {"naam": "Test beheerder", "rol": "medewerker", "is_active": "on"}
    admin.post(f"/gebruikers/{people['beheerder'].pk}/", own)
    people["beheerder"].refresh_from_db()
    assert people["beheerder"].rol == "beheerder"


def test_what_makes_codes_is_not_readable_in_the_database(portal: Settings, people: dict[str, Any]) -> None:
    from allauth.mfa.models import Authenticator

    stored = [one.data["secret"] for one in Authenticator.objects.filter(type="totp")]
    assert stored
    assert SECRET not in stored
