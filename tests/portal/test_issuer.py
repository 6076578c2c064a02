"""Logging in at another organization by OpenID Connect, at an issuer of our own making: who is let in, and as whom.

A real issuer has more ways to differ; what is held here is what the portal decides.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from portal.settings import django_settings
from settings.settings import Settings, load_settings

CLIENT = "portaal"
LOGIN = "/account/oidc/organisatie/login/"


class Issuer:
    """An issuer on this machine. ``says``: what it tells of who logged in; ``asked``: what came to its token page."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {}
        self.asked: dict[str, list[str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def told(self, path: str) -> dict[str, Any]:
        """What it answers."""
        if path == "/.well-known/openid-configuration":
            pages = {name: f"{self.address}/{name}" for name in ("authorization", "token", "userinfo", "keys")}
            return {
                "issuer": self.address, "jwks_uri": pages["keys"], "userinfo_endpoint": pages["userinfo"],
                "authorization_endpoint": pages["authorization"], "token_endpoint": pages["token"],
            }  # fmt: skip
        if path == "/token":
            now = int(time.time())
            claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 60, **self.says}
            token = jwt.encode(claims, "een sleutel van de uitgever, lang genoeg", algorithm="HS256")
            return {"access_token": "x", "token_type": "Bearer", "id_token": token}
        return self.says

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.told(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            issuer.asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.close()


@pytest.fixture
def issuer(running: Issuer, portal: Settings, people: dict[str, Any], tmp_path: Path) -> Iterator[Issuer]:
    """The issuer, with a portal that is set up for it."""
    from django.test import override_settings

    secret = tmp_path / "oidc"
    secret.write_text("geheim van de client\n")
    secret.chmod(0o600)
    house = load_settings(
        home=tmp_path, portal_oidc_issuer=running.address, portal_oidc_client=CLIENT, portal_oidc_secret_file=secret
    )
    made = {key: value for key, value in django_settings(house).items() if "SOCIAL" in key or "SAMESITE" in key}
    running.says = {}
    with override_settings(**made):
        yield running


def enter(issuer: Issuer, *, email: str, verified: bool = True, state: str = "", **more: Any) -> tuple[Any, Any]:
    """Log in as people do, with what the issuer says of them: the browser, and the answer to coming back."""
    from django.test import Client

    issuer.says = {"sub": f"of {email}", "email": email, "email_verified": verified, **more}
    client = Client()
    away = urlsplit(client.post(LOGIN)["Location"])
    asked = parse_qs(away.query)
    assert f"{away.scheme}://{away.netloc}" == issuer.address
    assert (asked["code_challenge_method"], asked["prompt"]) == (["S256"], ["login"])
    assert asked["redirect_uri"] == [f"http://testserver{LOGIN}callback/"]
    return client, client.get(f"{LOGIN}callback/", {"code": "een code", "state": state or asked["state"][0]})


@pytest.fixture
def alone(people: dict[str, Any]) -> Any:
    """Somebody who set up no second factor here."""
    from allauth.mfa.models import Authenticator

    Authenticator.objects.filter(user=people["contractmanager"]).delete()
    return people["contractmanager"]


def test_who_was_invited_is_in_with_the_second_factor_of_the_issuer(issuer: Issuer, alone: Any) -> None:
    client, answer = enter(issuer, email=alone.email, rol="operator", groups=["operator", "functioneel_beheerder"])
    assert answer.status_code == 302
    page = client.get("/")
    assert page.status_code == 200
    assert f"Welkom, {alone.naam}" in page.content.decode()
    assert client.get("/cluster/").status_code in {200, 503}
    for path in ("/gezondheid/", "/organisaties/", "/herberekeningen/"):
        assert client.get(path).status_code == 403, path
    alone.refresh_from_db()
    assert alone.rol == "contractmanager", "an issuer says who somebody is, and not what they may"
    assert issuer.asked["client_secret"] == ["geheim van de client"]
    assert "code_verifier" in issuer.asked


def test_a_password_alone_is_still_no_second_factor(issuer: Issuer, alone: Any, logged_in: Callable[..., Any]) -> None:
    assert logged_in("contractmanager").get("/cluster/")["Location"] == "/account/2fa/"


def test_who_has_a_second_factor_here_shows_it_as_well(issuer: Issuer, people: dict[str, Any]) -> None:
    client, answer = enter(issuer, email=people["gemeenteambtenaar"].email)
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert client.get("/gemeente/")["Location"].startswith("/account/login/")


@pytest.mark.parametrize(
    ("email", "changed"),
    [
        ("niemand@example.nl", {}), ("niemand@example.nl", {"rol": "operator"}),
        ("contractmanager@example.nl", {"verified": False}), ("contractmanager@example.nl", {"state": "een andere"}),
        ("contractmanager@example.nl", {"aud": "een ander portaal"}),
        ("contractmanager@example.nl", {"iss": "https://een-andere.example"}),
        ("contractmanager@example.nl", {"exp": 1}),
    ],
)  # fmt: skip
def test_nobody_else_gets_in_and_nobody_is_made(
    email: str, changed: dict[str, Any], issuer: Issuer, alone: Any
) -> None:
    from allauth.socialaccount.models import SocialAccount

    from portal.people.models import Gebruiker

    before = Gebruiker.objects.count()
    client, _answer = enter(issuer, email=email, **changed)
    assert client.get("/")["Location"].startswith("/account/login/")
    assert (Gebruiker.objects.count(), SocialAccount.objects.count()) == (before, 0)


def test_who_lost_access_stays_out(issuer: Issuer, alone: Any) -> None:
    alone.is_active = False
    alone.save()
    client, _answer = enter(issuer, email=alone.email)
    assert client.get("/")["Location"].startswith("/account/login/")


def test_who_was_invited_and_never_came_gets_in_by_a_verified_address(issuer: Issuer, people: dict[str, Any]) -> None:
    from portal.people.models import Gebruiker

    made = Gebruiker.objects.invite(
        email="nieuw@example.nl", naam="Nieuw", rol="operator", organisatie=people["operator"].organisatie
    )
    client, _answer = enter(issuer, email=made.email)
    assert "Welkom, Nieuw" in client.get("/").content.decode()


def test_who_has_nothing_to_show_here_logs_in_there_once_more(issuer: Issuer, people: dict[str, Any]) -> None:
    from portal.people.models import Gebruiker

    region = people["functioneel_beheerder"].organisatie
    made = Gebruiker.objects.invite(email="regio@example.nl", naam="R", rol="functioneel_beheerder", organisatie=region)
    client, _answer = enter(issuer, email=made.email)
    assert client.get("/organisaties/").status_code == 200, "a moment ago"
    session = client.session
    session["account_authentication_methods"] = [{**session["account_authentication_methods"][0], "at": 1.0}]
    session.save()
    assert client.get("/").status_code == 200
    assert client.get("/organisaties/")["Location"] == f"{LOGIN}?next=%2Forganisaties%2F"
    away = parse_qs(urlsplit(client.post(f"{LOGIN}?next=/organisaties/")["Location"]).query)
    back = client.get(f"{LOGIN}callback/", {"code": "een code", "state": away["state"][0]})
    assert back["Location"] == "/organisaties/"
    assert client.get("/organisaties/").status_code == 200


def test_who_has_a_password_here_shows_that_and_not_a_login_elsewhere(issuer: Issuer, alone: Any) -> None:
    client, _answer = enter(issuer, email=alone.email)
    assert client.get("/account/2fa/totp/activate/")["Location"].startswith("/account/reauthenticate/")
