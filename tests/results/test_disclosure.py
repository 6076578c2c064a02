"""The disclosure rule: SQL and Python agree on the engine, and everything that shows a figure follows another rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from domain.field.definitions import DEFINITIONS
from domain.indicators.terms import Sums, Unit
from results.dashboards.catalogue import DASHBOARDS
from results.dashboards.outcomes import build
from results.dashboards.panels import Json
from results.disclosure import Disclosure, live
from results.pages import indicators
from sinks import clickhouse
from sinks.access import Access
from sinks.clickhouse import Client
from sor.cli import app
from tests.conftest import RunningGateway
from tests.house.rooms import modules

UNITS: tuple[Unit, ...] = ("%", "gemiddelde", "aantal")
OTHER = Disclosure(37, 53)
#: Numbers on both sides of the bounds, and anywhere.
COUNT = st.sampled_from([0, 1, 9, 10, 11, 19, 20, 21]) | st.integers(0, 200)
OUTCOME = st.builds(Sums, COUNT, st.integers(0, 400).map(lambda half: half / 2), COUNT.map(float), st.just(0.0))
RULE = st.sampled_from([live(), OTHER]) | st.builds(Disclosure, st.integers(0, 150), st.integers(0, 150))


@pytest.fixture(scope="module")
def client(gateway: RunningGateway) -> Iterator[Client]:
    found = clickhouse.connect(Access(gateway.url, "admin", gateway.users["admin"], "default"))
    yield found
    found.close()


@pytest.mark.clickhouse
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rule=RULE, outcomes=st.lists(OUTCOME, min_size=1, max_size=30), prefix=st.sampled_from(["", "uitval_"]))
def test_sql_and_python_agree(client: Client, rule: Disclosure, outcomes: list[Sums], prefix: str) -> None:
    columns = ", ".join(f"{prefix}{name}" for name in ("clienten UInt64", "teller Float64", "noemer Float64"))
    rows = ", ".join(f"({one.clients}, {one.numerator}, {one.denominator})" for one in outcomes)
    shown = ", ".join([*(rule.sql(unit, prefix) for unit in UNITS), rule.counted_sql(prefix)])
    found = clickhouse.select(client, f"SELECT {shown} FROM values('{columns}', {rows})")
    for row, one in zip(found, outcomes, strict=True):
        expected = (*(rule.figure(unit, one) for unit in UNITS), rule.counted(one))
        assert row == tuple(value if value is None else pytest.approx(value) for value in expected), one


@given(rule=RULE, sums=OUTCOME, unit=st.sampled_from(UNITS))
def test_a_figure_is_shown_hidden_or_of_nobody(rule: Disclosure, sums: Sums, unit: Unit) -> None:
    """What is shown is not hidden, and what is neither shown nor hidden says nothing of anybody."""
    if rule.shows(unit, sums):
        assert rule.hidden(unit, sums) == ""
    elif rule.hidden(unit, sums) == "":
        assert sums.clients == 0 or sums.denominator == 0


def test_the_rule_in_force_is_that_of_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert live() == Disclosure(10, 20)
    change(monkeypatch)
    assert live() == OTHER


def change(monkeypatch: pytest.MonkeyPatch) -> None:
    """The definitions as if somebody had decided otherwise."""
    for key, value in zip(("kleinste_groep", "kleinste_noemer"), OTHER, strict=True):
        monkeypatch.setitem(DEFINITIONS, key, DEFINITIONS[key]._replace(value=value))


def queries(page: Json) -> dict[str, str]:
    """SQL of every panel, by its id."""
    return {
        f"{panel['id']} {panel['title']}": target["rawSql"]
        for panel in page["panels"]
        for target in panel.get("targets", [])
        if "rawSql" in target
    }


def test_every_panel_follows_another_rule() -> None:
    before, after = queries(build()), queries(build(OTHER))
    figures = [title for title, query in before.items() if "clienten" in query]
    assert (
        len(figures) == len(before) - 4
    )  # how fresh, how new, what was delivered, by which definitions: not of clients
    for title in figures:
        query = after[title]
        assert set(re.findall(r"clienten < (\d+)", query)) == {"37"}, title
        assert set(re.findall(r"noemer < (\d+)", query)) <= {"53"}, title
        assert set(re.findall(r"uniq\w+\((\d+)\)", query)) == {"37"}, title
        assert ("noemer < 53" in query) == ("100 *" in query), title
        assert re.sub(r"\b53\b", "20", re.sub(r"\b37\b", "10", query)) == before[title], title
    assert all(after[title] == query for title, query in before.items() if title not in figures)


def test_every_dashboard_follows_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: make() for name, make in DASHBOARDS.items()}
    change(monkeypatch)
    after = {name: make() for name, make in DASHBOARDS.items()}
    assert after["uitkomsten.json"] == build(OTHER)
    assert OTHER.sentence in str(after["uitkomsten.json"])
    # a provider's own page hides nothing (``own``), and the others show no outcomes
    same = ["aanbieder.json", "operatie.json", "aanlevering.json"]
    assert [name for name in before if before[name] == after[name]] == same
    for name, page in after.items():
        assert "clienten < 10" not in str(page), name
        assert "noemer < 20" not in str(page), name


def test_the_page_and_the_help_follow_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    before = indicators.markdown()
    change(monkeypatch)
    after = indicators.markdown()
    assert OTHER.sentence == (
        "Van minder dan 37 cliënten wordt niets getoond, en een percentage van minder dan 53 tellingen evenmin."
    )
    assert OTHER.sentence in after
    assert after.replace("37", "10").replace("53", "20") == before.replace("37", "10").replace("53", "20")
    assert OTHER.sentence in CliRunner().invoke(app, ["indicators", "--help"]).output


def test_the_two_numbers_are_read_in_one_place() -> None:
    readers = {
        name for name, path in modules().items() if re.search("kleinste_(groep|noemer)", Path(path).read_text("utf-8"))
    }
    assert readers == {"domain.field.definitions", "results.disclosure"}


def test_more_clients_than_the_engine_counts_up_to_are_counted_exactly() -> None:
    assert "uniqUpToIf(100)" in str(build(Disclosure(100, 20)))
    assert "uniqExactIf" in str(build(Disclosure(101, 20)))
    assert "uniqUpTo" not in str(build(Disclosure(101, 20)))
