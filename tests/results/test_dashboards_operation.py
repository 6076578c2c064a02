"""*Operatie* and *Aanlevering*: every query runs on the real engine as the reader Grafana is, and counts what is there.

So do the queries of the runbooks and the checks of the exporter, on the same rows.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from clickhouse_connect.driver.client import Client
from prometheus_client import REGISTRY

from domain.facts.delivery import Aanlevering
from domain.field.dates import day, iso_day
from domain.field.messages import MESSAGES
from domain.field.words import KIND_LABELS
from monitoring import metrics
from operations.exporter import BURST_LEAST, UNOPENED_MOST, WAITING, Checks
from results.dashboards import deliveries as dashboard_aanlevering
from results.dashboards import operation as dashboard_operation
from results.dashboards.queries import DELIVERIES
from results.waiting import waiting_sql
from schemas.topics import IN_TOPIC
from settings.settings import load_settings
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import METINGEN, RECEIPTS, REJECTED, SCORES, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.results.grafana import DUTCH, expand, require_places
from tests.sinks import database
from tests.sinks.rows import meting, receipt, rejected, score, traject

pytestmark = pytest.mark.clickhouse
ROOT = Path(__file__).parents[2]
PAGES = {"operatie": dashboard_operation.build(), "aanlevering": dashboard_aanlevering.build()}
PANELS: list[tuple[str, dict[str, Any]]] = [
    (name, panel)
    for name, page in PAGES.items()
    for panel in page["panels"]
    if panel.get("targets", [{}])[0].get("rawSql")
]
NOW = int(time.time())
DAY = 86_400
#: Of the reader, who counts Dutch days.
TODAY = day(datetime.fromtimestamp(NOW, DUTCH).date())
ALL: dict[str, tuple[str, ...]] = {"aanbieder": (), "soort": ()}
ONE: dict[str, tuple[str, ...]] = {"aanbieder": ("90000001",), "soort": ("score",)}


def receipts() -> list[dict[str, Any]]:
    """Deliveries of two providers: right, partly refused, unfinished, a test, and one of long ago."""
    ms = NOW * 1000

    def one(number: int, kind: str, sender: str, good: int, bad: int, **changed: Any) -> dict[str, Any]:
        lines = good + bad
        row = receipt(number, 1, kind=kind, sender=sender, lines=lines, gezien=lines, geaccepteerd=good, afgekeurd=bad)
        row |= {
            "codes": {"R04": bad} if bad else {},
            "eerste": ms - 60_000,
            "laatste": ms - 30_000,
            "ingetrokken": 0,
            "wacht": {},
        }
        return {**row, **changed}

    return [
        one(1, "score", "90000001", 30, 0),
        one(2, "score", "90000001", 10, 20, codes={"R04": 15, "R05": 5}),
        one(3, "score", "90000002", 100, 1),
        one(4, "cem", "90000002", 0, 5, codes={"C05": 5}),
        one(5, "start", "90000002", 7, 0, lines=9, klaar=False, laatste=ms - 3_600_000),
        one(6, "score", "90000003", 0, 90, test=True),
        one(7, "stop", "90000001", 4, 0, laatste=ms - 40 * DAY * 1000),
    ]


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    """A database with rows of every kind, as its administrator."""
    with database.fresh(gateway) as access:
        writer = Writer(access)
        writer.insert(RECEIPTS, receipts())
        today = TODAY
        waits = [
            traject(1, 1, status="wacht_op_start", wacht={"start": today - 50}),
            traject(2, 1, wacht={"toewijzing": 19_900}),
        ]
        writer.insert(
            TRAJECTEN,
            [*waits, traject(3, 1, wacht={}), traject(4, 1, status="wacht_op_start", wacht={}, einddatum=today - 9)],
        )
        writer.insert(
            METINGEN,
            [
                meting(1, 1, traject="", wacht="venster", sinds=today - 3),
                meting(2, 1, traject="a" * 16, wacht="", sinds=None),
            ],
        )
        writer.insert(
            SCORES, [score(n, 1, traject="", wacht="", sinds=None, tijd=(NOW - DAY) * 1000) for n in range(3)]
        )
        unread = [rejected(n, sender="90000009", rejected_at=NOW * 1000 - n) for n in range(UNOPENED_MOST + 1)]
        writer.insert(REJECTED, unread)
        writer.close()
        yield access


@pytest.fixture(scope="module")
def reader(gateway: RunningGateway, access: Access) -> Iterator[Client]:
    client = clickhouse.connect(Access(gateway.url, "grafana", gateway.users["grafana"], access.database))
    yield client
    client.close()


def ask(client: Client, query: str) -> list[dict[str, Any]]:
    """Rows of a query on ``sor``, by column."""
    return list(client.query(re.sub(r"\bsor\.(?=[a-z])", "", query)).named_results())


def shown(client: Client, title: str, chosen: dict[str, tuple[str, ...]] = ALL) -> list[dict[str, Any]]:
    """What a panel shows of the last thirty days."""
    (panel,) = (panel for _, panel in PANELS if panel["title"] == title)
    return ask(client, expand(panel["targets"][0]["rawSql"], chosen, NOW - 30 * DAY, NOW + DAY))


@pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=lambda panel: panel["title"])
@pytest.mark.parametrize("chosen", [ALL, ONE], ids=["all", "one"])
def test_every_query_runs_and_shows_something(
    reader: Client, panel: dict[str, Any], chosen: dict[str, tuple[str, ...]]
) -> None:
    found = ask(reader, expand(panel["targets"][0]["rawSql"], chosen, NOW - 30 * DAY, NOW + DAY))
    if chosen is ALL:
        assert any(value is not None for row in found for value in row.values()), "nothing to show"


def test_every_variable_runs(reader: Client) -> None:
    lists = [one for page in PAGES.values() for one in page["templating"]["list"] if one["type"] == "query"]
    assert [ask(reader, one["query"]["rawSql"]) for one in lists] == [[{"sender": f"9000000{n}"} for n in (1, 2, 3)]]


def test_counts_per_provider(reader: Client) -> None:
    first, second = shown(reader, "Per aanbieder")
    assert first["Aanbieder (AGB)"] == "90000001"
    assert (first["Aanleveringen"], first["Records"], first["Geaccepteerd"], first["Afgekeurd"]) == (2, 60, 40, 20)
    assert first["In één keer goed (%)"] == 50
    assert (second["Aanleveringen"], second["In één keer goed (%)"], second["Niet af"]) == (3, 0, 1)
    assert [row["In één keer goed"] for row in shown(reader, "In één keer goed (niet bevestigd)")] == [25]


def test_errors_by_code_have_their_sentence(reader: Client) -> None:
    found = {row["Code"]: row for row in shown(reader, "Fouten per code")}
    assert {code: (row["Records"], row["Aanbieders"]) for code, row in found.items()} == {
        "R04": (16, 2), "R05": (5, 1), "C05": (5, 1),
    }  # fmt: skip
    assert all(row["Melding"] == MESSAGES[code].text for code, row in found.items())
    assert {(row["Aanbieder (AGB)"], row["Code"]) for row in shown(reader, "Fouten per aanbieder en code", ONE)} == {
        ("90000001", "R04"), ("90000001", "R05"),
    }  # fmt: skip


def test_what_waits_is_shown_with_its_age(reader: Client) -> None:
    found = {
        (row["Tabel"], row["Wacht op"]): (row["Rijen"], row["Dagen"])
        for row in shown(
            reader, "Wacht op iets dat nog niet is aangeleverd (nu)", {"aanbieder": ("90000001",), "soort": ()}
        )
    }
    assert found == {
        ("trajecten", "start"): (1, 50), ("trajecten", "wacht_op_start"): (1, 9),
        ("metingen", "venster"): (1, 3), ("scores", "niet_gekoppeld"): (1, 1),
    }  # fmt: skip
    (row,) = shown(reader, "Aanleveringen die niet af zijn")
    assert row["Ontbreekt"] == 2


def test_every_kind_of_delivery_has_a_dutch_name() -> None:
    assert set(KIND_LABELS) == set(IN_TOPIC) == set(metrics.KINDS)
    assert all(f"'{label}'" in DELIVERIES for label in KIND_LABELS.values())
    (chosen,) = (one for one in PAGES["aanlevering"]["templating"]["list"] if one["name"] == "soort")
    # As Grafana reads it: options between commas that no backslash escapes, text and value between colons.
    options = [text.replace("\\,", ",").rpartition(" : ") for text in re.split(r"(?<!\\),", chosen["query"])]
    assert {value: text for text, _, value in options} == KIND_LABELS


def test_a_kind_has_its_name_in_every_table(reader: Client) -> None:
    labels = {KIND_LABELS[kind] for kind in ("score", "cem", "start")}
    assert {row["Soort"] for row in shown(reader, "Per soort")} == labels
    assert {row["Soort"] for row in shown(reader, "Aanleveringen die niet af zijn")} == {KIND_LABELS["start"]}
    assert "kind" in Aanlevering.__struct_fields__


def runbook_queries() -> list[tuple[str, str]]:
    """Page and text of every ``sor sql`` of the runbooks."""
    return [
        (page.stem, shlex.split(line.strip())[2])
        for page in (ROOT / "docs/runbooks").glob("*.md")
        for line in page.read_text().splitlines()
        if line.strip().startswith("sor sql ")
    ]


@pytest.mark.parametrize(("page", "query"), runbook_queries())
def test_queries_of_the_runbooks_run(access: Access, page: str, query: str) -> None:
    client = clickhouse.connect(access)
    try:
        ask(client, query)
    finally:
        client.close()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_panels_have_places_and_data_sources(page: dict[str, Any]) -> None:
    provisioned = {
        source["uid"]: source["type"]
        for path in (ROOT / "monitoring/grafana/provisioning/datasources").glob("*.yaml")
        for source in yaml.safe_load(path.read_text())["datasources"]
    }
    require_places(page["panels"])
    for panel in page["panels"]:
        for target in panel.get("targets", []):
            assert provisioned[target["datasource"]["uid"]] == target["datasource"]["type"]


def test_the_way_of_a_fact_goes_from_left_to_right() -> None:
    panels = [panel for panel in PAGES["operatie"]["panels"] if "→" in panel["title"]]
    for heading in ("records/s", "achterstand", "leeftijd", "mislukt, laatste uur"):
        line = [panel for panel in panels if panel["title"].endswith(f": {heading}")]
        assert [panel["title"].partition(":")[0] for panel in line] == list(dashboard_operation.ARROWS)
        assert len({panel["gridPos"]["y"] for panel in line}) == 1
        assert sum(panel["gridPos"]["w"] for panel in line) == 24, "the next line would begin beside it"
        assert [panel["gridPos"]["x"] for panel in line] == sorted(panel["gridPos"]["x"] for panel in line)
    assert set(dashboard_operation.ARROWS.values()) == set(metrics.STAGES) - {"exporter", "audit", "schedule"}


# The exporter on the same rows


def value(name: str, **labels: str) -> float | None:
    """A gauge as Prometheus would see it."""
    return REGISTRY.get_sample_value(name, labels)


@pytest.fixture
def checks(access: Access, tmp_path: Path) -> Iterator[Checks]:
    found = Checks(load_settings(home=tmp_path), access)
    yield found
    found.close()


def test_sources_are_counted_and_not_named(checks: Checks) -> None:
    assert checks.run("sources")
    assert value("sor_burst_providers", kind="score") == 1, "20 of 60 refused; the test delivery does not count"
    assert value("sor_burst_providers", kind="cem") == 0, f"five are fewer than {BURST_LEAST}"
    assert value("sor_last_accepted_timestamp_seconds", kind="score") == pytest.approx(NOW - 30, abs=1)
    assert value("sor_last_accepted_timestamp_seconds", kind="cem") is None, "nothing of it was accepted"
    assert value("sor_unopened_providers") == 1
    assert value("sor_unfinished_deliveries") == 1


def test_what_waits_is_counted_by_reason(checks: Checks, access: Access) -> None:
    assert checks.run("waiting")
    assert value("sor_pending_rows", table="trajecten", reason="start") == 1
    assert value("sor_pending_oldest_timestamp_seconds", table="trajecten", reason="start") == (TODAY - 50) * DAY
    assert value("sor_pending_rows", table="scores", reason="niet_gekoppeld") == 3
    writer = Writer(access)
    writer.insert(METINGEN, [meting(1, 2, traject="b" * 16, wacht="", sinds=None)])
    writer.close()
    assert checks.run("waiting")
    assert value("sor_pending_rows", table="metingen", reason="venster") == 0
    assert value("sor_pending_oldest_timestamp_seconds", table="metingen", reason="venster") is None


def test_the_exporter_and_the_dashboard_count_the_same_rows(reader: Client, access: Access) -> None:
    query = WAITING.format(waiting_sql(access.database))
    counted = {(table, reason): (rows, day) for table, reason, rows, day in clickhouse.select(reader, query)}
    rows: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in shown(reader, "Wacht op iets dat nog niet is aangeleverd (nu)"):
        since = iso_day(row["Sinds"])
        rows.setdefault((row["Tabel"], row["Wacht op"]), []).append((row["Rijen"], since))
    assert {key: (sum(n for n, _ in found), min(day for _, day in found)) for key, found in rows.items()} == counted


def test_the_age_of_events_is_that_of_new_rows(checks: Checks, access: Access) -> None:
    assert checks.run("age")
    before = value("sor_event_age_seconds_count", table="scores") or 0.0
    writer = Writer(access)
    writer.insert(SCORES, [score(70 + n, 1, wacht="", sinds=None, tijd=(NOW - 2 * DAY) * 1000) for n in range(5)])
    writer.close()
    assert checks.run("age")
    assert (value("sor_event_age_seconds_count", table="scores") or 0.0) - before == 5
    assert value("sor_event_age_seconds_bucket", table="scores", le=str(3.0 * DAY)) == before + 5


def test_a_check_that_cannot_be_done_counts_as_failed(checks: Checks, access: Access, tmp_path: Path) -> None:
    done, failed = (value(name, check="sources") or 0.0 for name in ("sor_checks_total", "sor_check_failures_total"))
    gone = Checks(load_settings(home=tmp_path), Access("http://127.0.0.1:9", access.user, access.password, "sor"))
    assert not gone.run("sources")
    assert value("sor_checks_total", check="sources") == done + 1
    assert value("sor_check_failures_total", check="sources") == failed + 1
