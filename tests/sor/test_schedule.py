"""A month closes by itself on the real engine: release, averages beside own figures, mails (``test_closing``)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crypto import release_key
from results.gate import audit as gate
from results.release import making, states
from results.release.rules import RULES
from results.release.states import Known
from results.reports import every
from results.reports.closing import close
from results.reports.page import html
from results.reports.state import STATE, Done, State
from settings.settings import Settings, load_settings
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import AUDIENCES
from sinks.tables import METINGEN, TRAJECTEN
from sinks.writer import Writer
from sor import reporting
from sor.releasing import Releases
from tests.conftest import RunningGateway
from tests.results.release.made import region
from tests.sinks import database
from tests.sinks.rows import meting

pytestmark = pytest.mark.clickhouse
#: No further back than these rows need.
QUICK = RULES._replace(months_back=4)
FIRST = date(2026, 8, 15)


class Verdict(NamedTuple):
    """What a gate says that looks at nothing."""

    passed: bool
    withheld: tuple[int, ...] = ()
    report: dict[str, Any] = {}  # noqa: RUF012


@pytest.fixture(scope="module")
def filled(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as admin:
        writer, tables = Writer(admin), region(450)
        writer.insert(TRAJECTEN, tables["trajecten"])
        writer.insert(METINGEN, tables["metingen"])
        writer.close()
        yield admin
        client = clickhouse.connect(admin)
        for audience in AUDIENCES:
            client.command(f"DROP DATABASE IF EXISTS {audience}")
        client.close()


@pytest.fixture
def settings(tmp_path: Path, gateway: RunningGateway) -> Settings:
    password, addresses = tmp_path / "admin", tmp_path / "adressen.toml"
    password.write_text(gateway.users["admin"])
    password.chmod(0o600)
    everybody = "\n".join(f'"{90_000_000 + number}" = "zorg@example.org"' for number in range(20))
    addresses.write_text(f"[adressen]\n{everybody}\n", "utf-8")
    found = load_settings(
        home=tmp_path, clickhouse=gateway.url, clickhouse_user="admin", clickhouse_password_file=password,
        mail_addresses=addresses,
    )  # fmt: skip
    release_key.make(found.keys)
    return found


def test_a_month_closes_by_itself(filled: Access, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "audit", lambda _figures, **_more: Verdict(True))
    for name in ("build_release", "audit_release"):
        monkeypatch.setattr(making, name, partial(getattr(making, name), rules=QUICK))
    state, releases = State(settings.home / STATE), Releases(settings, filled.database)

    def run(on: date) -> list[str]:
        return close(
            on, 15, state, releases, lambda month, averages: reporting.run_month(
                settings, filled, month, averages=averages, processes=1
            ), lambda _line: None,
        )  # fmt: skip

    assert run(FIRST) == ["2026-07"]
    assert state.done() == Done("2026-07", 1)
    assert releases.published(FIRST) == 1
    files = [file.name for file in reporting.folder(settings).files()]
    assert "sor_gemiddelde_duo_2026-07.pdf" in files
    assert "sor_cluster_duo_2026-07.pdf" in files
    mails = [message_from_bytes(file.read_bytes()) for file in (settings.home / "mail").glob("aanbieder.*.eml")]
    assert mails
    assert {len([part for part in mail.walk() if part.get_content_type() == "application/pdf"]) for mail in mails} == {
        2
    }

    reports, averages = every.of_month(filled, "2026-07", "15 augustus 2026")
    own = next(report for report in reports if report.kind == "aanbieder" and report.cluster == "DUO")
    beside = {figure.key: figure.average for figure in own.figures() if figure.average}
    assert {"uitval", "nut_gemiddelde"} <= set(beside)
    shown = {figure.key: figure.value for figure in averages["DUO"].figures()}
    assert all(shown[key] == average.value for key, average in beside.items() if key in shown)
    assert own.release == 1
    others = {report.provider for report in reports} - {own.provider, ""}
    assert others
    assert not [other for other in others if other in html(own)]

    assert run(FIRST) == run(date(2026, 9, 14)) == []


def test_what_the_gate_refused_is_the_same_until_a_release_comes_out_or_definitions_change(
    filled: Access, settings: Settings
) -> None:
    """After the month above: release 1 is published, its rows have version 1."""
    releases, client = Releases(settings, filled.database), clickhouse.connect(filled)
    last = Known(8, "geweigerd", FIRST, 1, 1, "", "", {}, published=False)
    assert releases.refused(FIRST) == 0
    states.note(client, filled.database, last, "geweigerd")
    assert releases.refused(FIRST) == 8
    assert releases.refused(FIRST.replace(day=16)) == 0  # it is of a month before
    states.note(client, filled.database, last._replace(basis=0), "geweigerd")
    assert releases.refused(FIRST) == 0  # another one was out when it was built
    states.note(client, filled.database, last, "geweigerd")
    writer = Writer(filled)
    writer.insert(METINGEN, [meting(1, 1, definitie_versie=2)])
    writer.close()
    assert releases.refused(FIRST) == 0
    client.close()
