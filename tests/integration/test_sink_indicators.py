"""The indicators' SQL on the real engine says what the same terms say in Python, over rows of any kind."""

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.dates import day
from domain.geography import GEMEENTEN
from domain.indicators import INDICATOREN, Groep, Indicator, evaluate, sql, sql_samen
from sinks import clickhouse, migrate
from sinks.clickhouse import Access, Client
from sinks.tables import METINGEN, SCORES, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.integration.test_sink import meting, score, traject

pytestmark = pytest.mark.clickhouse
TABELLEN = (TRAJECTEN, METINGEN, SCORES)
EERSTE, LAATSTE = day(date(2023, 12, 1)), day(date(2026, 6, 30))


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    found = Access(gateway.url, "admin", gateway.users["admin"], f"sor_{uuid.uuid4().hex[:10]}")
    migrate.apply(found, lambda _sentence: None)
    yield found
    client = clickhouse.connect(found)
    client.command(f"DROP DATABASE {found.database}")
    client.close()


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


GEMEENTE = some("0363", "0363", "0479", "0384", "0034", "", "9999")
KLASSE = some("", "gepland", "client", "aanbieder", "wederzijds", "neutraal", "administratief")
GAS = st.dictionaries(some("1O", "1C", "2O", "10C"), some(-1, 0, 1, 2), max_size=4)
CIJFER, OPTIE = st.none() | st.integers(1, 10), st.none() | st.integers(1, 4)
DATUM = st.integers(EERSTE, LAATSTE)
AANBIEDER = some("90000001", "90000002")
CLIENT = st.integers(0, 5).map(lambda number: f"p1.sor.1.{number:032x}")


@st.composite
def trajecten(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for number in range(draw(st.integers(0, 25))):
        gemeente, gas = draw(GEMEENTE), draw(GAS)
        cluster = GEMEENTEN[gemeente].cluster if gemeente in GEMEENTEN else ""
        counts = [len(gas), *(sum(value in values for value in gas.values()) for values in ((2,), (1, 2)))]
        row = traject(number, draw(st.integers(1, 9)), gemeente=gemeente, cluster=cluster, gas=gas)
        row |= dict(zip(("gas_gescoord", "gas_bereikt", "gas_deels"), counts, strict=True))
        row |= {"status": draw(some("lopend", "gepauzeerd", "beeindigd", "beeindigd", "wacht_op_start"))}
        row |= {"uitval_klasse": draw(KLASSE), "einddatum": draw(st.none() | DATUM), "client": draw(CLIENT)}
        row |= {"categorie": draw(some("45", "54", "48", "")), "aanbieder": draw(AANBIEDER)}
        row |= {f"probleem_{wie}": draw(st.none() | st.integers(1, 3)) for wie in ("behandelaar", "ouder", "client")}
        rows.append(row | {"verwijderd": draw(some(False, False, False, True))})
    return rows


@st.composite
def tabellen(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    found = draw(trajecten())
    places = [(row["aanbieder"], row["traject"]) for row in found] + [("90000001", "")]
    metingen, scores = [], []
    for number in range(draw(st.integers(0, 25))):
        aanbieder, plaats = draw(some(*places))
        common = {"aanbieder": aanbieder, "traject": plaats, "gemeente": draw(GEMEENTE), "client": draw(CLIENT)}
        row = meting(number, 1, nut=draw(CIJFER), zonder_hulp=draw(OPTIE), telt=draw(st.booleans()), **common)
        metingen.append(row | {"groep": draw(some("ouder", "jeugdige")), "datum": draw(DATUM)})
        waarde = draw(st.none() | st.integers(-1, 2))
        scores.append(score(number, 1, doel=draw(st.integers(0, 10)), waarde=waarde, **common))
    return {"trajecten": found, "metingen": metingen, "scores": scores}


def fill(access: Access, rows: dict[str, list[dict[str, Any]]]) -> None:
    client = clickhouse.connect(access)
    writer = Writer(access)
    for table in TABELLEN:
        client.command(f"TRUNCATE TABLE {table.name}")
        writer.insert(table, rows[table.name])
    writer.close()
    client.close()


def plain(value: Any) -> Any:
    return day(value) if isinstance(value, date) else value


def same(found: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    return all(float(a) == pytest.approx(float(b)) for a, b in zip(found, expected, strict=True))


def compare(client: Client, access: Access, rows: Any, group_by: list[Groep]) -> None:
    for tabel in ("trajecten", "metingen", "scores"):
        if tabel == "scores" and "maand" in group_by:
            continue
        chosen: list[Indicator] = [i for i in INDICATOREN.values() if i.tabel == tabel]
        expected = [evaluate(indicator, rows, group_by) for indicator in chosen]
        found = clickhouse.select(client, sql_samen(chosen, group_by, "", access.database))
        size = len(group_by)
        by_group = {tuple(map(plain, row[:size])): row[size:] for row in found}
        assert set(by_group) == set(expected[0])
        for number, indicator in enumerate(chosen):
            for group, values in by_group.items():
                part = values[4 * number : 4 * number + 4]
                assert same(part, expected[number][group]), (indicator.sleutel, group, part, expected[number][group])


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=tabellen())
def test_sql_and_python_agree_for_every_indicator_and_grouping(access: Access, rows: Any) -> None:
    fill(access, rows)
    client = clickhouse.connect(access)
    try:
        groupings: list[list[Groep]] = [[], ["cluster"], ["gemeente", "aanbieder"], ["maand"]]
        for group_by in groupings:
            compare(client, access, rows, group_by)
    finally:
        client.close()


def test_the_query_of_one_indicator_gives_its_figure(access: Access) -> None:
    nut = {1: 4, 2: 8, 3: 9}
    metingen = [meting(number, 1, nut=cijfer, traject=f"{number:016x}") for number, cijfer in nut.items()]
    ended = [traject(n, 1, status="beeindigd", uitval_klasse=k) for n, k in enumerate(["client", "gepland", "gepland"])]
    fill(access, {"trajecten": ended, "metingen": metingen, "scores": []})
    client = clickhouse.connect(access)
    for indicator in INDICATOREN.values():
        (row,) = clickhouse.select(client, sql(indicator, (), "", access.database))
        figure = evaluate(indicator, {"trajecten": ended, "metingen": metingen, "scores": []})[()]
        value = figure.waarde(indicator.eenheid)
        assert row[-1] == (value if value is None else pytest.approx(value)), indicator.sleutel
    (row,) = clickhouse.select(client, sql(INDICATOREN["nut_gemiddelde"], (), "nut > 4", access.database))
    assert row == (2, 17, 2, 0, 8.5)
    client.close()
