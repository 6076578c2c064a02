"""A certificate for a system of a provider: asked here, issued elsewhere, and looked at before anybody has it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from crypto import authority
from crypto.grants import Grant
from settings.settings import Settings
from tests.connectors.support import make_keys

OWN, OTHER = "94000001", "94000002"
NAME = f"{OWN}-rekenserver"
DAY = 86_400


class Region(NamedTuple):
    """The authority of a region, and what it makes."""

    folder: Path
    keys: Path

    def issue(self, public: Ed25519PublicKey, **changed: Any) -> str:
        """A certificate (PEM) as asked, but for what is said."""
        given = {"id": NAME, "sends_for": frozenset({OWN}), "kinds": frozenset({"score"}), "seconds": DAY} | changed
        at = given.pop("at", None)
        made = authority.issue(self.folder, self.keys, Grant(**given), public, at=at)
        return x509.load_der_x509_certificate(made).public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Region, Region]:
    """The own one, and another."""
    made = [make_keys(tmp_path_factory.mktemp("region") / "keys") for _ in range(2)]
    here, elsewhere = (Region(keys.parent / "keys-authority", keys) for keys in made)
    return here, elsewhere


@pytest.fixture
def region(portal: Settings, regions: tuple[Region, Region], monkeypatch: pytest.MonkeyPatch) -> Region:
    """The region of this portal."""
    from portal.pages import key_requests, keys

    class Here:
        intake_tokens = portal.intake_tokens
        keys = regions[0].keys

    monkeypatch.setattr(key_requests, "house", Here)
    monkeypatch.setattr(keys, "house", Here)
    return regions[0]


@pytest.fixture
def private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def asked(client: Any, key: Any, **changed: Any) -> Any:
    data = {"naam": "rekenserver", "kinds": ["score", "cem"], "public_key": pem(key)} | changed
    return client.post("/sleutels/aanvragen/", data)


def newest() -> Any:
    from portal.people.models import Sleutelaanvraag

    return Sleutelaanvraag.objects.first()


@pytest.fixture
def open_request(region: Region, logged_in: Callable[..., Any], private: Ed25519PrivateKey) -> Any:
    assert asked(logged_in("beheerder"), private.public_key()).status_code == 302
    return newest()


def test_a_certificate_is_asked_issued_and_downloaded(
    region: Region, logged_in: Callable[..., Any], private: Ed25519PrivateKey, people: dict[str, Any]
) -> None:
    from auditlog.models import LogEntry

    client, manager = logged_in("beheerder"), logged_in("functioneel_beheerder")
    assert asked(client, private.public_key()).status_code == 302
    made = newest()
    assert (str(made), made.kinds, made.state, made.asked_by) == (NAME, "cem score", "gevraagd", people["beheerder"])
    address = f"/sleutels/{made.pk}/certificaat.pem"
    assert client.get(address).status_code == 404, "nothing was issued"
    assert NAME in manager.get("/sleutelaanvragen/").content.decode()
    page = manager.get(f"/sleutelaanvragen/{made.pk}/").content.decode()
    line = f"sor sources issue {NAME} --for {OWN} --kind cem --kind score --public-key {NAME}-sleutel.pem"
    assert line in page
    spoken = " ".join(made.fingerprint[at : at + 4] for at in range(0, 64, 4))
    assert spoken in page
    assert spoken in client.get("/sleutels/").content.decode()
    key = manager.get(f"/sleutelaanvragen/{made.pk}/sleutel.pem")
    assert key.content.decode() == pem(private.public_key())
    assert f'"{NAME}-sleutel.pem"' in key["Content-Disposition"]
    certificate = region.issue(private.public_key())
    assert manager.post(f"/sleutelaanvragen/{made.pk}/", {"certificate": certificate}).status_code == 302
    assert client.get(address).content.decode() == certificate
    made.refresh_from_db()
    assert (made.state, made.handled_by) == ("afgegeven", people["functioneel_beheerder"])
    assert made.ends.timestamp() > time.time()
    entries = LogEntry.objects.get_for_object(made)
    assert [entry.actor for entry in entries] == [people["functioneel_beheerder"], people["beheerder"]]
    log = logged_in("operator").get("/controlelog/").content.decode()
    assert "certificaat" in log
    assert "BEGIN" not in log


def refused(client: Any, made: Any, text: str) -> str:
    answer = client.post(f"/sleutelaanvragen/{made.pk}/", {"certificate": text})
    made.refresh_from_db()
    assert (answer.status_code, made.state, made.certificate) == (200, "gevraagd", "")
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"sends_for": frozenset({OTHER})}, "niet alleen voor AGB-code 94000001"),
        ({"sends_for": frozenset({OWN, OTHER})}, "niet alleen voor AGB-code 94000001"),
        ({"sends_for": frozenset({"*"})}, "niet alleen voor AGB-code 94000001"),
        ({"kinds": frozenset({"score", "cem", "start"})}, "soorten die niet zijn gevraagd"),
        ({"kinds": frozenset({"*"})}, "soorten die niet zijn gevraagd"),
        ({"kinds": frozenset({"score", "erasure"})}, "soorten die niet zijn gevraagd"),
        ({"id": "94000002-rekenserver"}, "een andere naam dan 94000001-rekenserver"),
        ({"at": int(time.time()) - 120, "seconds": 60}, "telt niet"),
        ({"at": int(time.time()) + 3 * DAY}, "telt niet"),
    ],
)
def test_a_certificate_that_says_something_else_is_not_taken(
    changed: dict[str, Any], sentence: str, region: Region, open_request: Any, private: Ed25519PrivateKey,
    logged_in: Callable[..., Any],
) -> None:  # fmt: skip
    text = region.issue(private.public_key(), **changed)
    assert sentence in refused(logged_in("functioneel_beheerder"), open_request, text)


def test_a_certificate_of_another_region_or_key_or_revoked_is_not_taken(
    regions: tuple[Region, Region], open_request: Any, private: Ed25519PrivateKey, logged_in: Callable[..., Any]
) -> None:
    here, elsewhere = regions
    manager = logged_in("functioneel_beheerder")
    assert "telt niet" in refused(manager, open_request, elsewhere.issue(private.public_key()))
    other = here.issue(Ed25519PrivateKey.generate().public_key())
    assert "van een andere sleutel" in refused(manager, open_request, other)
    revoked = here.issue(private.public_key())
    authority.revoke(here.folder, here.keys, x509.load_pem_x509_certificate(revoked.encode()).serial_number)
    assert "telt niet" in refused(manager, open_request, revoked)
    root = (here.keys / "public" / "authority.pem").read_text()
    assert "telt niet" in refused(manager, open_request, root)


@pytest.mark.parametrize(
    "text",
    ["", "geen", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "é" * 100, "\x00", "A" * 6_001],
)
def test_what_is_no_certificate_is_told(text: str, open_request: Any, logged_in: Callable[..., Any]) -> None:
    assert "portal-wrong" in refused(logged_in("functioneel_beheerder"), open_request, text)


def test_a_request_is_handled_once(
    region: Region, open_request: Any, private: Ed25519PrivateKey, logged_in: Callable[..., Any]
) -> None:
    client, manager = logged_in("beheerder"), logged_in("functioneel_beheerder")
    address = f"/sleutelaanvragen/{open_request.pk}/"
    assert "portal-wrong" in manager.post(address, {"reason": "omdat"}).content.decode()
    assert manager.post(address, {"reason": "vingerafdruk"}).status_code == 302
    assert "aan de telefoon niet bevestigd" in client.get("/sleutels/").content.decode()
    manager.post(address, {"certificate": region.issue(private.public_key())})
    open_request.refresh_from_db()
    assert (open_request.state, open_request.certificate) == ("afgewezen", "")
    assert "al behandeld" in manager.get("/sleutelaanvragen/").content.decode()
    assert client.get(f"/sleutels/{open_request.pk}/certificaat.pem").status_code == 404


def test_a_request_is_of_its_organization_alone(
    region: Region, open_request: Any, private: Ed25519PrivateKey, logged_in: Callable[..., Any]
) -> None:
    manager, other = logged_in("functioneel_beheerder"), logged_in("other_beheerder")
    manager.post(f"/sleutelaanvragen/{open_request.pk}/", {"certificate": region.issue(private.public_key())})
    address = f"/sleutels/{open_request.pk}/certificaat.pem"
    assert logged_in("beheerder").get(address).status_code == 200
    assert other.get(address).status_code == 404
    assert ">Aanvragen</h2>" not in other.get("/sleutels/").content.decode()
    assert ">Aanvragen</h2>" in logged_in("beheerder").get("/sleutels/").content.decode()
    assert other.get(f"/sleutelaanvragen/{open_request.pk}/").status_code == 403
    assert logged_in("medewerker").get(address).status_code == 403


def test_nothing_is_asked_long_after_logging_in_or_before_the_agreement(
    region: Region, logged_in: Callable[..., Any], private: Ed25519PrivateKey, people: dict[str, Any]
) -> None:
    late = asked(logged_in("beheerder", fresh=False), private.public_key())
    assert "reauthenticate" in late["Location"]
    own = people["beheerder"].organisatie
    signed, own.verwerkersovereenkomst = own.verwerkersovereenkomst, None
    own.save()
    assert asked(logged_in("beheerder"), private.public_key())["Location"] == "/"
    own.verwerkersovereenkomst = signed
    own.save()
    assert newest() is None
    late = logged_in("functioneel_beheerder", fresh=False)
    assert "reauthenticate" in late.post("/sleutelaanvragen/1/", {"reason": "verzoek"})["Location"]


@pytest.mark.parametrize("kinds", [["erasure"], ["score", "erasure"], ["*"], ["assignment"], []])
def test_only_kinds_of_a_provider_can_be_asked(
    kinds: list[str], region: Region, logged_in: Callable[..., Any], private: Ed25519PrivateKey
) -> None:
    answer = asked(logged_in("beheerder"), private.public_key(), kinds=kinds)
    assert "portal-wrong" in answer.content.decode()
    assert newest() is None


@pytest.mark.parametrize("name", ["", "Rekenserver", "met spatie", "-x", "x" * 31, "../x", "x;y", "x\ny"])
def test_a_name_can_stand_in_a_command(
    name: str, region: Region, logged_in: Callable[..., Any], private: Ed25519PrivateKey
) -> None:
    assert asked(logged_in("beheerder"), private.public_key(), naam=name).status_code == 200
    assert newest() is None


def test_what_is_no_public_key_is_refused_and_a_secret_is_not_shown_again(
    region: Region, logged_in: Callable[..., Any], private: Ed25519PrivateKey
) -> None:
    client = logged_in("beheerder")
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    page = asked(client, private.public_key(), public_key=secret).content.decode()
    assert "Dit is uw geheime sleutel" in page
    assert secret.splitlines()[1] not in page
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert "van een andere soort" in asked(client, other.public_key()).content.decode()
    secret = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    page = asked(client, private.public_key(), public_key=secret).content.decode()
    assert secret.splitlines()[1] not in page
    assert 'value="rekenserver"' in page, "the rest stays"
    good = pem(private.public_key())
    for wrong in (
        "",
        "sleutel",
        "é",
        good[:60],
        good.replace("PUBLIC", "CERTIFICATE"),
        "\x00",
        good + "\n" * 1000 + "x",
    ):
        answer = asked(client, private.public_key(), public_key=wrong)
        assert (answer.status_code, newest()) == (200, None), wrong
        assert "portal-wrong" in answer.content.decode(), wrong
    assert asked(client, private.public_key(), public_key="A" * 300_000).status_code == 400
    assert newest() is None


def test_of_one_name_one_request_is_open_and_of_all_twenty(
    region: Region, logged_in: Callable[..., Any], private: Ed25519PrivateKey, people: dict[str, Any]
) -> None:
    from portal.people.models import Sleutelaanvraag

    client, key = logged_in("beheerder"), private.public_key()
    assert asked(client, key).status_code == 302
    assert "staat al een aanvraag open" in asked(client, key).content.decode()
    assert asked(logged_in("other_beheerder"), key).status_code == 302
    Sleutelaanvraag.objects.filter(organisatie=people["beheerder"].organisatie).update(state="afgewezen")
    for number in range(20):
        assert asked(client, key, naam=f"systeem-{number}").status_code == 302
    assert "heeft er al 20" in asked(client, key).content.decode()


def test_without_the_files_of_the_authority_the_page_says_so(
    open_request: Any, logged_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from portal.pages import key_requests

    class Away:
        keys = tmp_path

    monkeypatch.setattr(key_requests, "house", Away)
    answer = logged_in("functioneel_beheerder").post(f"/sleutelaanvragen/{open_request.pk}/", {"certificate": "x"})
    assert answer.status_code == 503
