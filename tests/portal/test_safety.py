"""Headers of every page, forms of other sites, errors that say nothing, and what the database may hold."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.pages.csv_text import cell, csv_text
from portal.people.access import PAGES, PUBLIC, ROLES
from portal.settings import origin
from results.reports.content import Table
from settings.settings import Settings, SettingsError, load_settings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' http://127.0.0.1:8480; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types sor"
)
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
SCRIPT = re.compile(r"<script(?![^>]*(?:\ssrc=|application/json))", re.IGNORECASE)


def parts(policy: str) -> set[str]:
    return {part.strip() for part in policy.split(";") if part.strip()}


def simple(role: str) -> list[str]:
    """Names of pages of a role that need no argument."""
    return [name for name, page in PAGES.items() if role in page.roles and "GET" in page.methods and page.menu]


@pytest.mark.parametrize("role", ROLES)
def test_every_page_has_its_headers_and_nothing_inline(role: str, logged_in: Callable[..., Any]) -> None:
    from django.urls import reverse

    client = logged_in(role)
    own = ["account_reauthenticate", "mfa_index", "mfa_add_webauthn", "usersessions_list", "account_change_password"]
    for name in [*simple(role), *(own if role == "medewerker" else [])]:
        answer = client.get(reverse(name))
        assert answer.status_code in {200, 503}, (name, answer.status_code)
        checked(answer, name)


def test_public_pages_too_and_pages_of_errors(portal: Settings) -> None:
    from django.test import Client

    client = Client()
    for address in ("/account/login/", "/account/password/reset/", "/nergens/", "/account/signup/"):
        checked(client.get(address), address)
    assert "account_login" in PUBLIC


def checked(answer: Any, name: str) -> None:
    assert parts(answer["Content-Security-Policy"]) == parts(POLICY), name
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    text = answer.content.decode()
    assert not INLINE.search(text), name
    assert not SCRIPT.search(text), name
    assert text.count("<h1") == 1, name
    assert '<html lang="nl"' in text
    assert re.search(r"<title>\s*\S", text)


def test_the_worker_has_a_policy_of_its_own(portal: Settings) -> None:
    from django.test import Client

    answer = Client().get("/static/portal/js/worker.js")
    assert answer.status_code == 200
    assert parts(answer["Content-Security-Policy"]) == {
        "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'none'",
    }  # fmt: skip
    assert Client().get("/static/portal/fonts/SourceSans3-Regular.ttf").status_code == 200
    assert Client().get("/static/../settings.py").status_code == 404
    assert Client().get("/static/portal/../../settings.py").status_code == 404


def test_who_watches_the_process_needs_no_name(portal: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import DatabaseError
    from django.test import Client

    from portal.pages import start

    watching = Client(headers={"host": "10.0.0.7:8490"})
    assert watching.get("/ready").content == b"ready\n"
    assert watching.get("/").status_code == 400

    class Away:
        def cursor(self) -> Any:
            raise DatabaseError

    monkeypatch.setattr(start, "connection", Away())
    assert watching.get("/ready").status_code == 503


def test_a_form_of_another_site_is_refused(logged_in: Callable[..., Any]) -> None:
    client = logged_in("beheerder", csrf=True)
    assert client.post("/contactpersonen/", {"naam": "A", "email": "a@example.nl"}).status_code == 403
    assert client.post("/aanleveren/toegang").status_code == 403
    page = client.get("/contactpersonen/").content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found
    data = {"naam": "A", "email": "a@example.nl", "csrfmiddlewaretoken": found[1]}
    assert client.post("/contactpersonen/", data).status_code == 302
    assert client.post("/contactpersonen/", data, headers={"origin": "http://evil.example"}).status_code == 403


def test_an_error_says_nothing(logged_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from django.test import Client

    from portal.pages import seeing

    client = logged_in("beheerder")
    client.raise_request_exception = False

    def broken(*_: Any) -> Any:
        raise ValueError("999900006")

    monkeypatch.setattr("portal.pages.people.gebruiker", broken)
    answer = client.get("/contactpersonen/")
    assert answer.status_code == 500
    assert "999900006" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    assert "Er ging iets mis" in answer.content.decode()
    assert client.get("/nergens/geheim/").status_code == 404
    assert "geheim" not in client.get("/nergens/geheim/").content.decode()
    assert Client(headers={"host": "evil.example"}).get("/").status_code == 400
    assert seeing.house().portal_intake


def test_the_database_has_no_column_for_anything_of_a_child(portal: Settings) -> None:
    """Its backups hold people of organizations and nothing of care: every table and column is named here."""
    from django.db import connection

    tables = {
        name: {column.name for column in connection.introspection.get_table_description(connection.cursor(), name)}
        for name in connection.introspection.table_names()
    }
    own = {name: columns for name, columns in tables.items() if name.startswith("people_")}
    assert own == {
        "people_organisatie": {"id", "soort", "code", "naam", "verwerkersovereenkomst", "active"},
        "people_gebruiker": {
            "id", "password", "last_login", "email", "naam", "rol", "organisatie_id", "is_active", "invited",
        },
        "people_contactpersoon": {"id", "organisatie_id", "naam", "email", "phone"},
        "people_browser": {"id", "gebruiker_id", "name", "begun"},
        "people_sleutelaanvraag": {
            "id", "organisatie_id", "naam", "public_key", "fingerprint", "kinds", "state", "reason", "certificate",
            "ends", "asked", "asked_by_id", "handled", "handled_by_id",
        },
        "people_bevestiging": {"id", "definitie", "waarde", "version", "day", "agreed", "noted", "noted_by_id"},
        "people_herberekening": {
            "id", "soort", "document", "state", "step", "share", "tries", "outcome", "problem", "asked", "asked_by_id",
            "begun", "ended",
        },
    }  # fmt: skip
    others = {name.partition("_")[0] for name in tables} - {"people"}
    assert others == {"account", "auditlog", "auth", "django", "mfa", "portal", "socialaccount", "usersessions"}


def test_changes_are_written_down_without_passwords(logged_in: Callable[..., Any], people: dict[str, Any]) -> None:
    from auditlog.models import LogEntry

    client = logged_in("beheerder")
    client.post("/contactpersonen/", {"naam": "Bea", "email": "bea@example.nl"})
    newest = LogEntry.objects.order_by("-pk").first()
    assert newest is not None
    assert newest.actor == people["beheerder"]
    assert newest.remote_addr is None
    assert not any("password" in (entry.changes or {}) for entry in LogEntry.objects.all())
    shown = logged_in("operator").get("/controlelog/").content.decode()
    assert "Test beheerder" in shown
    assert "bea@example.nl" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12,5%", "12,5%"), ("-1", "-1"), ("−1", "−1"), ("1.234,5", "1.234,5"), ("=1+1", "'=1+1"), ("+31", "'+31"),
        ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"), (" =1", "' =1"), ("-2+3", "'-2+3"), ("Amsterdam", "Amsterdam"),
        ("≤ 4", "≤ 4"), ("|cmd", "'|cmd"), ("%x", "'%x"),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(text: str, shown: str) -> None:
    assert cell(text) == shown


def test_a_file_of_figures_is_for_a_dutch_spreadsheet() -> None:
    text = csv_text([Table("Uitval", ("Cijfer", "Waarde"), (("=HYPERLINK(1)", "12,5%"),))], [("Cluster", "DUO")])
    assert text == "\ufeffCluster;DUO\r\n\r\nUitval\r\nCijfer;Waarde\r\n'=HYPERLINK(1);12,5%\r\n"


def test_what_django_is_given(tmp_path: Path) -> None:
    from portal.settings import database, django_settings

    production = load_settings(home=tmp_path, portal_origin="https://portaal.example")
    made = django_settings(production)
    assert made["SESSION_COOKIE_SECURE"]
    assert made["CSRF_COOKIE_SECURE"]
    assert made["SESSION_COOKIE_NAME"] == "__Host-portal"
    assert made["SECURE_HSTS_SECONDS"] > 0
    assert made["ALLOWED_HOSTS"] == ["portaal.example"]
    assert made["SECRET_KEY"] == django_settings(production)["SECRET_KEY"]
    assert (tmp_path / "portal/secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "portal").stat().st_mode & 0o777 == 0o700
    with pytest.raises(SettingsError, match="https"):
        origin(load_settings(home=tmp_path, portal_origin="http://portaal.example"))
    with pytest.raises(SettingsError, match="postgresql://"):
        database(load_settings(home=tmp_path, portal_database="mysql://host/name"))


def test_an_issuer_comes_by_setting(tmp_path: Path) -> None:
    from portal.settings import django_settings

    secret = tmp_path / "oidc"
    secret.write_text("geheim\n")
    secret.chmod(0o600)
    settings = load_settings(
        home=tmp_path, portal_oidc_issuer="https://login.example", portal_oidc_client="portaal",
        portal_oidc_secret_file=secret,
    )  # fmt: skip
    made = django_settings(settings)
    (app,) = made["SOCIALACCOUNT_PROVIDERS"]["openid_connect"]["APPS"]
    assert (app["client_id"], app["secret"]) == ("portaal", "geheim")
    assert made["SESSION_COOKIE_SAMESITE"] == "Lax"
    with pytest.raises(SettingsError, match="SOR_PORTAL_OIDC_CLIENT"):
        load_settings(home=tmp_path, portal_oidc_issuer="https://login.example")


def test_a_log_line_says_who_saw_what_and_no_name(
    logged_in: Callable[..., Any], people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from monitoring import logs
    from portal.pages import seeing

    out = io.StringIO()
    logs.configure("INFO", "portal", out)
    request = logged_in("medewerker").get("/").wsgi_request
    seeing.note_seen(request, "resultaten")
    line = next(json.loads(one) for one in out.getvalue().splitlines() if "figures shown" in one)
    assert (line["page"], line["user"], line["organization"]) == ("resultaten", people["medewerker"].pk, "94000001")
    assert "example.nl" not in out.getvalue()
    assert "Test medewerker" not in out.getvalue()
