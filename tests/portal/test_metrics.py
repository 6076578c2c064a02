"""What Prometheus reads of the portal: counts of nobody in particular, summed over processes, on a port of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from monitoring import metrics
from portal import metrics_page
from portal.people.counting import said_of
from settings.children import count_together
from settings.settings import Settings, SettingsError
from tests.portal.conftest import PASSWORD
from tests.portal.test_login import code


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Grown:
    """What a counter grew by since."""

    def __init__(self, name: str, label: str, values: tuple[str, ...]) -> None:
        self._name, self._label, self._values = name, label, values
        self._before = self._now()

    def _now(self) -> dict[str, float]:
        return {value: count(self._name, **{self._label: value}) for value in self._values}

    def __call__(self) -> dict[str, float]:
        return {value: now - self._before[value] for value, now in self._now().items() if now != self._before[value]}


def test_tries_to_log_in_by_how_they_ended(portal: Settings, people: dict[str, Any]) -> None:
    from django.test import Client

    grown, client = Grown("sor_portal_logins_total", "login", metrics.PORTAL_LOGINS_ENDED), Client()
    right = {"login": "beheerder@example.nl", "password": PASSWORD}
    client.post("/account/login/", right | {"password": "fout fout fout"})
    client.post("/account/login/", {"login": "niemand@example.nl", "password": "fout fout fout"})
    assert grown() == {"password": 2}
    client.post("/account/login/", right)
    client.post("/account/2fa/authenticate/", {"code": "000000"})
    assert grown() == {"password": 2, "factor": 1}
    client.post("/account/2fa/authenticate/", {"code": code()})
    assert grown() == {"password": 2, "factor": 1, "accepted": 1}
    other = Client()
    for _ in range(6):
        other.post("/account/login/", {"login": "operator@example.nl", "password": "fout fout fout"})
    assert grown()["locked"] == 1


def test_answers_by_what_they_say(logged_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    client = logged_in("beheerder")
    client.raise_request_exception = False
    grown = Grown("sor_portal_answers_total", "answer", metrics.PORTAL_ANSWERS)
    client.get("/")
    client.get("/nergens/")
    assert client.get("/ready").status_code == 200
    assert grown() == {"given": 1, "refused": 1}

    def broken(*_: Any) -> Any:
        raise ValueError

    monkeypatch.setattr("portal.pages.people.gebruiker", broken)
    client.get("/contactpersonen/")
    assert grown() == {"given": 1, "refused": 1, "fault": 1}
    assert [said_of(status) for status in (200, 302, 404, 429, 500, 503)] == [
        "given", "given", "refused", "limited", "fault", "down",
    ]  # fmt: skip
    assert {said_of(status) for status in range(200, 600)} == set(metrics.PORTAL_ANSWERS)


def test_certificates_of_browsers(logged_in: Callable[..., Any]) -> None:
    grown = Grown("sor_portal_certificates_total", "answer", metrics.PORTAL_ANSWERS)
    client = logged_in("medewerker")
    client.post("/aanleveren/certificaat", b"{}", content_type="application/json")
    client.get("/aanleveren/certificaat")
    assert grown() == {"refused": 1}


def test_mails_that_went_and_mails_that_did_not(logged_in: Callable[..., Any], settings_of_mail: Any) -> None:
    sent, failed = count("sor_portal_mails_total"), count("sor_portal_mail_failures_total")
    client = logged_in("beheerder")
    client.raise_request_exception = False
    data = {"naam": "Nieuwe Collega", "email": "nieuw@example.nl", "rol": "medewerker"}
    assert client.post("/gebruikers/uitnodigen/", data).status_code == 302
    client.post("/account/password/reset/", {"email": "operator@example.nl"})
    assert count("sor_portal_mails_total") - sent == 2
    settings_of_mail("tests.portal.test_metrics.Away")
    client.post("/gebruikers/uitnodigen/", data | {"email": "ander@example.nl"})
    assert count("sor_portal_mails_total") - sent == 2
    assert count("sor_portal_mail_failures_total") - failed == 1


class Away:
    """A mail server that does not answer."""

    def __init__(self, *_: object, **__: object) -> None:
        raise ConnectionRefusedError


@pytest.fixture
def settings_of_mail(portal: Settings) -> Any:
    """Another way to send mail, until the test ends."""
    from django.test import override_settings

    changed: list[Any] = []

    def use(backend: str) -> None:
        changed.append(override_settings(EMAIL_BACKEND=backend))
        changed[-1].enable()

    yield use
    for one in changed:
        one.disable()


def test_how_long_somebody_waits(portal: Settings, people: dict[str, Any]) -> None:
    from django.utils import timezone

    from portal.people.models import Herberekening, Sleutelaanvraag
    from portal.people.waiting import oldest

    assert oldest() == {"certificate": 0.0, "recalculation": 0.0} == dict.fromkeys(metrics.PORTAL_REQUESTS, 0.0)
    user = people["functioneel_beheerder"]
    for state in ("gevraagd", "bezig"):
        Herberekening.objects.create(soort="vergelijken", document="x", asked_by=user, state=state)
    one = Sleutelaanvraag.objects.create(organisatie=people["beheerder"].organisatie, naam="a", asked_by=user)
    Sleutelaanvraag.objects.filter(pk=one.pk).update(asked=timezone.now() - timedelta(hours=2))
    Herberekening.objects.filter(state="gevraagd").update(asked=timezone.now() - timedelta(minutes=5))
    Herberekening.objects.filter(state="bezig").update(asked=timezone.now() - timedelta(days=5))
    assert {request: round(seconds) for request, seconds in oldest().items()} == {
        "certificate": 7_200, "recalculation": 300,
    }  # fmt: skip


def test_the_page_has_its_own_port_and_names_nobody(portal: Settings, people: dict[str, Any]) -> None:
    from django.test import Client

    server = metrics_page.serve("127.0.0.1", 0, None)
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:  # noqa: S310 - our own
            page = answer.read().decode()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{address}/", timeout=10)  # noqa: S310 - our own
        with pytest.raises(SettingsError, match="SOR_PORTAL_METRICS_PORT"):
            metrics_page.serve("127.0.0.1", server.server_port, None)
    finally:
        server.shutdown()
        server.server_close()
    shown = {line.partition("{")[0].partition(" ")[0] for line in page.splitlines() if not line.startswith("#")}
    ours = {name for name in shown if name.startswith("sor_")}
    assert ours == {one.name for one in metrics.CATALOGUE if one.name.startswith("sor_portal_")}
    assert {name.partition("_")[0] for name in shown} == {"sor", "process"}
    assert 'sor_portal_oldest_request_seconds{request="certificate"} 0.0' in page
    labels = set(re.findall(r'(\w+)="', page))
    assert labels == {"answer", "login", "request"}
    assert Client().get("/metrics").status_code == 404


def test_what_several_processes_count_is_one_sum(
    portal: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    (tmp_path / "counts").mkdir()
    (tmp_path / "counts/counter_1.db").write_bytes(b"of an earlier start")
    count_together(tmp_path / "counts")
    counted = (
        "from portal.people import counting; from monitoring import metrics; counting.prepare(); "
        "metrics.PORTAL_LOGINS.labels(login='locked').inc(3)"
    )
    run = [
        subprocess.Popen([sys.executable, "-c", counted], env=dict(os.environ), stderr=subprocess.PIPE) for _ in "ab"
    ]
    assert [one.communicate(timeout=60)[1] for one in run] == [b"", b""]
    page = metrics_page.text(tmp_path / "counts").decode()
    assert 'sor_portal_logins_total{login="locked"} 6.0' in page
    assert 'sor_portal_logins_total{login="accepted"} 0.0' in page
    names = re.findall(r"^# TYPE (\w+)", page, re.MULTILINE)
    assert len(names) == len(set(names))
    assert {name for name in names if not name.startswith("process_")} == {
        one.name for one in metrics.CATALOGUE if one.name.startswith("sor_portal_")
    }
