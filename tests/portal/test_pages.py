"""What the pages show: of one's own organization, with what is there, and a sentence where nothing is."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from settings.settings import Settings
from tests.connectors.support import LAYOUT, make_keys

OWN, OTHER = "94000001", "94000002"


@pytest.fixture
def outbox(portal: Settings) -> Iterator[Path]:
    """Reports of two providers, two clusters, and files that are none."""
    folder = portal.home / "reports" / "2026-09"
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        f"sor_aanbieder_{OWN}_duo_2026-09.pdf", f"sor_aanbieder_{OTHER}_duo_2026-09.pdf", f"sor_cem_{OWN}_2026-09.html",
        "sor_cluster_duo_2026-09.pdf", "sor_cluster_amsterdam_2026-09.pdf", f"sor_aanbieder_{OWN}_duo_2026-09.json",
        f"{OWN}.pdf", "sor_gemeente_almere_2026-09.pdf", "sor_gemeente_diemen_2026-09.pdf",
    )  # fmt: skip
    for name in names:
        (folder / name).write_bytes(name.encode())
    (portal.home / "geheim.pdf").write_bytes(b"geheim")
    yield folder
    for name in names:
        (folder / name).unlink()


def test_reports_are_those_of_the_own_organization(outbox: Path, logged_in: Callable[..., Any]) -> None:
    def listed(role: str) -> list[str]:
        return re.findall(r'href="/rapporten/2026-09/([^"]+)"', logged_in(role).get("/rapporten/").content.decode())

    assert sorted(listed("medewerker")) == [f"sor_aanbieder_{OWN}_duo_2026-09.pdf", f"sor_cem_{OWN}_2026-09.html"]
    assert listed("other_medewerker") == [f"sor_aanbieder_{OTHER}_duo_2026-09.pdf"]
    assert listed("contractmanager") == ["sor_cluster_duo_2026-09.pdf"]
    assert listed("other_contractmanager") == ["sor_cluster_amsterdam_2026-09.pdf"]
    assert listed("gemeenteambtenaar") == ["sor_gemeente_diemen_2026-09.pdf"]


def test_a_report_is_saved_and_no_path_leads_elsewhere(outbox: Path, logged_in: Callable[..., Any]) -> None:
    client = logged_in("medewerker")
    name = f"sor_aanbieder_{OWN}_duo_2026-09.pdf"
    answer = client.get(f"/rapporten/2026-09/{name}")
    assert answer.content == name.encode()
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert client.get(f"/rapporten/2026-09/sor_cem_{OWN}_2026-09.html")["Content-Disposition"].startswith("attachment")
    for wrong in (
        f"2026-09/sor_aanbieder_{OTHER}_duo_2026-09.pdf", "2026-09/sor_cluster_duo_2026-09.pdf",
        f"2026-09/sor_aanbieder_{OWN}_duo_2026-09.json", "../geheim.pdf", "2026-09/..%2f..%2fgeheim.pdf",
        "..%2f/geheim.pdf", "%2e%2e/geheim.pdf", f"2026-08/{name}", f"2026-09/{OWN}.pdf",
    ):  # fmt: skip
        assert client.get(f"/rapporten/{wrong}").status_code == 404, wrong


def test_users_contacts_and_keys_are_those_of_the_own_organization(
    logged_in: Callable[..., Any], people: dict[str, Any]
) -> None:
    from portal.people.models import Contactpersoon

    Contactpersoon.objects.create(
        organisatie=people["other_beheerder"].organisatie, naam="Van de ander", email="o@x.nl"
    )
    client = logged_in("beheerder")
    assert "Van de ander" not in client.get("/contactpersonen/").content.decode()
    number = Contactpersoon.objects.get().pk
    assert client.post(f"/contactpersonen/{number}/verwijderen/").status_code == 404
    assert Contactpersoon.objects.count() == 1
    shown = client.get("/gebruikers/").content.decode()
    assert "medewerker@example.nl" in shown
    assert "other_" not in shown
    every = logged_in("functioneel_beheerder").get("/gebruikers/").content.decode()
    assert "other_medewerker@example.nl" in every


def test_a_contact_is_added_once_and_removed(logged_in: Callable[..., Any]) -> None:
    client = logged_in("beheerder")
    data = {"naam": "Bea <b>", "email": "bea@example.nl"}
    assert client.post("/contactpersonen/", data).status_code == 302
    assert "Dit adres staat er al" in client.post("/contactpersonen/", data).content.decode()
    page = client.get("/contactpersonen/").content.decode()
    assert "Bea &lt;b&gt;" in page
    address = re.search(r'action="(/contactpersonen/\d+/verwijderen/)"', page)
    assert address
    client.post(address[1])
    assert "Bea" not in client.get("/contactpersonen/").content.decode()


def test_keys_show_what_counts_until_when(
    logged_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from connectors.intake.tokens import TokenFile
    from portal.pages import keys

    made = tmp_path / "keys"
    make_keys(made)
    tokens = TokenFile(tmp_path / "tokens.json")
    tokens.add(OWN, 10, "rekenserver")
    tokens.add(OTHER, 10, "van de ander")

    class Here:
        intake_tokens = tmp_path / "tokens.json"
        keys = made

    monkeypatch.setattr(keys, "house", Here)
    page = logged_in("beheerder").get("/sleutels/").content.decode()
    assert "rekenserver" in page
    assert "vernieuw binnenkort" in page
    assert "van de ander" not in page


def test_a_new_provider_signs_first(logged_in: Callable[..., Any]) -> None:
    from portal.people.models import Organisatie

    client = logged_in("functioneel_beheerder")
    data = {"soort": "aanbieder", "code": "123", "naam": "Nieuw", "active": "on"}
    assert "acht cijfers" in client.post("/organisaties/", data).content.decode()
    data["code"] = "94000009"
    assert client.post("/organisaties/", data).status_code == 302
    made = Organisatie.objects.get(code="94000009")
    assert not made.signed
    data["verwerkersovereenkomst"] = "2026-10-01"
    assert client.post(f"/organisaties/{made.pk}/", data).status_code == 302
    made.refresh_from_db()
    assert made.signed


def test_a_browser_gets_public_keys_a_certificate_and_a_token(
    logged_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, people: dict[str, Any]
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from connectors.intake.visitors import Visitors
    from portal.pages import delivering
    from portal.people.models import Browser
    from settings.settings import load_settings

    make_keys(tmp_path / "keys")
    settings = load_settings(
        home=tmp_path, authority=tmp_path / "keys-authority", portal_intake="https://intake.example"
    )
    monkeypatch.setattr(delivering, "house", lambda: settings)
    client = logged_in("medewerker")
    shown = client.get("/aanleveren/publiek.json").json()
    assert shown["cbs"] is None
    (tmp_path / "layout.toml").write_bytes(LAYOUT)
    settings = settings.model_copy(update={"cbs_layout": tmp_path / "layout.toml"})
    with_cbs = client.get("/aanleveren/publiek.json").json()["cbs"]
    assert ["0034", [[1300, 1379]]] in with_cbs["gemeenten"]
    assert (shown["sender"], shown["intake"]) == (OWN, "https://intake.example")
    assert set(shown) >= {"suite", "epoch", "evaluate", "entry", "ids", "kinds"}
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    body = json.dumps({"sleutel": base64.b64encode(public).decode()})
    answer = client.post("/aanleveren/certificaat", body, content_type="application/json")
    assert set(answer.json()) == {"certificaat", "tot"}
    assert OWN.encode() in base64.b64decode(answer.json()["certificaat"])
    made = client.post("/aanleveren/toegang", "{}", content_type="application/json").json()
    visitors = Visitors(tmp_path / "portal" / "public.pem")
    assert visitors.provider(made["token"].encode()) == OWN
    (browser,) = Browser.objects.all()
    assert browser.gebruiker == people["medewerker"]
    for wrong in ("", "[]", '{"sleutel": 1}', '{"sleutel": "AA=="}', "null"):
        assert client.post("/aanleveren/certificaat", wrong, content_type="application/json").status_code == 400


def test_nobody_has_certificates_made_without_end(logged_in: Callable[..., Any], people: dict[str, Any]) -> None:
    from portal.pages.delivering import MOST_BROWSERS
    from portal.people.models import Browser

    client, user = logged_in("medewerker"), people["medewerker"]
    there = user.browsers.count()
    Browser.objects.bulk_create(Browser(gebruiker=user, name=f"{one:016x}") for one in range(MOST_BROWSERS - there))
    answer = client.post("/aanleveren/certificaat", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()) == (429, {"reden": "later"})
    assert (
        logged_in("other_medewerker").post("/aanleveren/certificaat", "{}", content_type="application/json").status_code
        == 400
    ), "another one goes on"


def test_a_page_without_clickhouse_says_so(logged_in: Callable[..., Any]) -> None:
    for role, address in (("contractmanager", "/cluster/"),
                          ("gemeenteambtenaar", "/gemeente/"), ("functioneel_beheerder", "/kalender/")):  # fmt: skip
        answer = logged_in(role).get(address)
        assert answer.status_code == 503
        assert "nu niet te lezen" in answer.content.decode()
    assert "nu niet te lezen" in logged_in("operator").get("/gezondheid/").content.decode()


def test_example_people_can_log_in(portal: Settings) -> None:
    from django.contrib.auth import authenticate
    from django.test import Client, RequestFactory

    from portal.people.example import people

    made = people(["94000003"], second_factor=True)
    assert len({one.password for one in made}) == len(made) == 6
    request = RequestFactory().post("/")
    request.session = Client().session
    for one in made[:1]:
        assert authenticate(request, email=one.email, password=one.password)
    again = people(["94000003"])
    assert [one.email for one in again] == [one.email for one in made]


def test_example_files_are_those_that_the_connector_reads() -> None:
    root = Path(__file__).parents[1] / "connectors" / "samples"
    shown = Path(__file__).parents[2] / "portal" / "static" / "portal" / "voorbeelden"
    names = {"rap_scores.csv": "94000001_rap_scores.csv"}
    for path in shown.iterdir():
        assert path.read_bytes() == (root / names.get(path.name, path.name)).read_bytes()


def test_the_list_of_migrations_is_whole(portal: Settings) -> None:
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_help_shows_the_hashes_of_the_scripts(logged_in: Callable[..., Any]) -> None:
    page = logged_in("medewerker").get("/hulp/").content.decode()
    static = Path(__file__).parents[2] / "portal" / "static" / "portal"
    for name in ("js/worker.js", "js/aanleveren.js"):
        assert hashlib.sha256((static / name).read_bytes()).hexdigest() in page, name


def test_a_provider_with_a_user_of_its_own_is_asked_as_that(
    logged_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, portal: Settings
) -> None:
    from portal.pages import results, seeing
    from results.own import OWN_INDICATORS, OwnFigure
    from sinks.schema.providers import LIST, checked, save

    users: list[tuple[str, str, str]] = []

    def counted(access: Any, request: Any, steps: Any) -> dict[str, OwnFigure]:
        users.append((access.user, access.database, request.cluster))
        return {key: OwnFigure(OWN_INDICATORS[key], nothing, {"kwartaal": ()}, ()) for key in request.keys}

    nothing: Any = results_of_nothing()
    monkeypatch.setattr(results, "asked", counted)
    monkeypatch.setattr(seeing, "clickhouse_url", lambda _settings: "http://127.0.0.1:1")
    save(portal.home / LIST, [checked(OWN, ["DUO"])])
    secret = portal.secrets_dir / f"eigen_{OWN}"
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("x\n")
    secret.chmod(0o600)
    try:
        page = logged_in("medewerker").get("/resultaten/").content.decode()
        other = logged_in("other_medewerker").get("/resultaten/")
        secret.unlink()
        away = logged_in("medewerker").get("/resultaten/")
    finally:
        (portal.home / LIST).unlink()
        secret.unlink(missing_ok=True)
    assert set(users) == {(f"eigen_{OWN}", f"eigen_{OWN}", "DUO")}
    assert "Van minder dan 5 cliënten" in page
    assert "&lt;5" in page
    assert not re.search(r"<td[^>]*>\s*0\s*</td>", page), "nobody and few are told alike"
    assert "Diemen" in page
    assert other.status_code == 200, "not on the list: nobody asks for it"
    assert "kan haar resultaten hier nog niet zien" in other.content.decode()
    assert away.status_code == 503


def results_of_nothing() -> Any:
    """A figure without anything counted."""
    from domain.indicators.catalogue import INDICATORS, Sums
    from results.disclosure import own as rule
    from results.figures import Figure
    from results.own import Measured

    return Measured(Figure("", INDICATORS["uitval"], Sums(0, 0, 0, 0), rule()), None)
