"""The indicators' SQL on the real engine says what the same terms say in Python, over rows of any kind."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from domain.field.dates import as_date, day, iso_day
from domain.field.definitions import DEFINITIONS
from domain.field.geography import GEMEENTEN
from domain.field.spic import LONG_LASTING
from domain.field.words import definitions_sentence
from domain.indicators import overview as indicator_overview
from domain.indicators.catalogue import (
    INDICATORS,
    Group,
    Indicator,
    Sums,
    evaluate,
    has_group,
    overview,
    sql,
    sql_together,
)
from results.disclosure import Disclosure
from results.figures import figures
from results.filters import EVER
from results.own import OwnRequest, own
from sinks import clickhouse
from sinks.access import Access
from sinks.clickhouse import Client
from sinks.tables import METINGEN, SCORES, TRAJECTEN
from sinks.writer import Writer
from sor.cli import app
from tests.conftest import RunningGateway
from tests.sinks import database
from tests.sinks.rows import BUCKETS, meting, named, score, traject
from tools.simulator.config import SimulationConfig
from tools.simulator.run import simulate

pytestmark = pytest.mark.clickhouse
TABLES = (TRAJECTEN, METINGEN, SCORES)
FIRST, LAST = day(date(2023, 12, 1)), day(date(2026, 6, 30))
REFERENCE_DAY = date(2025, 9, 15)
REFERENCE = day(REFERENCE_DAY)


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as found:
        yield found


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


GEMEENTE = some("0363", "0363", "0479", "0384", "0034", "", "9999")
KLASSE = some("", "gepland", "client", "aanbieder", "wederzijds", "neutraal", "administratief")
GAS = st.dictionaries(some("1O", "1C", "2O", "10C"), some(-1, 0, 1, 2), max_size=4)
FIGURE, OPTION = st.none() | st.integers(1, 10), st.none() | st.integers(1, 4)
#: Days of every kind: anywhere, and on both sides of the bounds that follow from the reference day.
YEARS = [day(date(year, month, day_)) for year in (2024, 2025) for month, day_ in ((1, 1), (1, 2), (12, 30), (12, 31))]
BOUNDS = [REFERENCE - days + step for days in (0, 90, 365) for step in (-1, 0, 1)]
DATES = st.integers(FIRST, LAST) | st.sampled_from([*YEARS, *BOUNDS])
REDEN = some("", "02", "31", "32", "33", "34", "35", "36", "38", "39")
INTENSITEIT = some("", "perspectief", "intensief", "duurzaam", "duurzaam_licht", "duurzaam_zwaar")
VLAGGEN = st.lists(some("TR019", "TR074", "WORDT18"), unique=True)
AANBIEDER = some("90000001", "90000002")
CLIENT = st.integers(0, 5).map(named)
EMMER = st.integers(0, 3)


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
        row |= {"uitval_klasse": draw(KLASSE), "einddatum": draw(st.none() | DATES), "client": draw(CLIENT)}
        row |= {"emmer": draw(EMMER)}
        row |= {"categorie": draw(some("45", "54", "48", "")), "aanbieder": draw(AANBIEDER)}
        row |= {"bron": draw(some("ijw", "ijw", "cbs")), "begindatum": draw(DATES), "reden_beeindiging": draw(REDEN)}
        row |= {"intensiteit": draw(INTENSITEIT), "nieuwe_start": draw(st.none() | DATES), "vlaggen": draw(VLAGGEN)}
        row |= {"metingen_einde": draw(st.integers(0, 2)), "postcodegebied": draw(some("", "Noord", "Haven"))}
        row |= {"opvolging_dagen": draw(some(365, 365, 90)), "respons_dagen": draw(some(90, 0))}
        row |= {"metingen_jaren": draw(st.lists(st.integers(2023, 2026), unique=True))}
        row |= {f"probleem_{who}": draw(st.none() | st.integers(1, 3)) for who in ("behandelaar", "ouder", "client")}
        rows.append(row | {"verwijderd": draw(some(False, False, False, True))})
    return rows


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    found = draw(trajecten())
    places = [(row["aanbieder"], row["traject"]) for row in found] + [("90000001", "")]
    metingen, scores = [], []
    for number in range(draw(st.integers(0, 25))):
        aanbieder, place = draw(some(*places))
        common = {"aanbieder": aanbieder, "traject": place, "gemeente": draw(GEMEENTE), "client": draw(CLIENT)}
        common |= {"emmer": draw(EMMER)}
        row = meting(number, 1, nut=draw(FIGURE), zonder_hulp=draw(OPTION), telt=draw(st.booleans()), **common)
        row |= {"soort": draw(some("einde", "duurzaam", "cbs")), "bevestigd": draw(st.booleans())}
        metingen.append(row | {"groep": draw(some("ouder", "jeugdige")), "datum": draw(DATES)})
        value = draw(st.none() | st.integers(-1, 2))
        scores.append(score(number, 1, doel=draw(st.integers(0, 10)), waarde=value, **common))
    return {"trajecten": found, "metingen": metingen, "scores": scores}


def fill(access: Access, rows: dict[str, list[dict[str, Any]]]) -> None:
    client = clickhouse.connect(access)
    writer = Writer(access)
    for table in TABLES:
        client.command(f"TRUNCATE TABLE {table.name}")
        writer.insert(table, rows[table.name])
    writer.close()
    client.close()


def plain(value: Any) -> Any:
    return day(value) if isinstance(value, date) else value


def same(found: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    return all(float(a) == pytest.approx(float(b)) for a, b in zip(found, expected, strict=True))


def compare(client: Client, access: Access, rows: Any, group_by: list[Group]) -> None:
    batches: dict[tuple[str, str], list[Indicator]] = {}
    for indicator in INDICATORS.values():
        known = all(has_group(indicator.table, group) for group in group_by)
        if known and (indicator.table != "scores" or "maand" not in group_by):
            batches.setdefault((indicator.table, indicator.provenance), []).append(indicator)
    for chosen in batches.values():
        expected = [evaluate(indicator, rows, group_by, reference_day=REFERENCE) for indicator in chosen]
        query = sql_together(
            chosen, group_by, "", access.database, reference_day=REFERENCE, clients_up_to=None, names=True
        )
        found = clickhouse.select(client, query)
        size = len(group_by)
        by_group = {tuple(map(plain, row[:size])): row[size:] for row in found}
        assert set(by_group) == set(expected[0])
        for number, indicator in enumerate(chosen):
            for group, values in by_group.items():
                part = values[5 * number : 5 * number + 5]
                assert same(part, expected[number][group]), (indicator.key, group, part, expected[number][group])


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=tables())
def test_sql_and_python_agree_for_every_indicator_and_grouping(access: Access, rows: Any) -> None:
    fill(access, rows)
    client = clickhouse.connect(access)
    try:
        groupings: list[list[Group]] = [[], ["cluster"], ["gemeente", "aanbieder"], ["maand"]]
        groupings += [["postcodegebied"]]
        for group_by in groupings:
            compare(client, access, rows, group_by)
    finally:
        client.close()


def test_sql_and_python_agree_on_both_sides_of_every_bound(access: Access) -> None:
    """Every day at a bound, as begin and as end, for every intensity."""
    choices = itertools.product([None, *BOUNDS, *YEARS], [*YEARS, REFERENCE], ["", *LONG_LASTING, "intensief"])
    rows = []
    for number, (end, begin, intensiteit) in enumerate(choices):
        row = traject(number, 1, einddatum=end, begindatum=begin, intensiteit=intensiteit)
        row |= {"status": "beeindigd" if end else "lopend", "reden_beeindiging": ("31", "34", "38", "02")[number % 4]}
        row |= {"metingen_jaren": list(range(2023, 2023 + number % 4)), "vlaggen": ["WORDT18"] * (number % 2)}
        rows.append(row | {"nieuwe_start": end and (None, end + 1)[number % 2], "metingen_einde": number % 2})
    tables = {"trajecten": rows, "metingen": [], "scores": []}
    fill(access, tables)
    client = clickhouse.connect(access)
    compare(client, access, tables, [])
    client.close()
    for key in ("geen_nieuwe_start", "geen_nieuwe_start_voorlopig", "respons_cem", "respons_duurzaam"):
        numerator, denominator = evaluate(INDICATORS[key], tables, reference_day=REFERENCE)[()][1:3]  # type: ignore[arg-type]
        assert 0 < numerator < denominator, key


Rows = dict[str, list[dict[str, Any]]]
SIMULATION = SimulationConfig(clients=300, months=36, seed=5)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Rows]:
    """What the simulator says must come out, and the rows that it says are behind it."""
    folder = tmp_path_factory.mktemp("figures") / "sim"
    simulate(SIMULATION, folder)
    document = json.loads((folder / "expected.json").read_text("utf-8"))
    rows: Rows = {"trajecten": [], "metingen": [], "scores": []}
    for number, expected in enumerate((*document["trajecten"], *document["cbs"])):
        row = as_row(number, expected)
        rows["trajecten"].append(row)
        common = {name: row[name] for name in ("aanbieder", "gemeente", "traject", "client", "emmer")}
        common |= {"soort": "cbs" if row["bron"] == "cbs" else "einde"}
        for group in ("jeugdige", "ouder"):
            figures = {"nut": expected[f"nut_{group}"], "zonder_hulp": expected[f"zonder_hulp_{group}"]}
            rows["metingen"].append(meting(len(rows["metingen"]), 1, groep=group, **figures, **common))
        for kind, value in expected["gas"].items():
            doel, beoordelaar = int(kind[:-1]), kind[-1]
            changed = {"doel": doel, "beoordelaar": beoordelaar, "waarde": value, **common}
            rows["scores"].append(score(len(rows["scores"]), 1, **changed))
    return document, rows


def as_row(number: int, expected: dict[str, Any]) -> dict[str, Any]:
    """An expected traject as a row of the contract; what it waits for plays no part in any figure."""
    row = traject(number, 1, wacht={})
    row |= {name: value for name, value in expected.items() if name in TRAJECTEN.columns and name != "wacht"}
    for name in ("begindatum", "einddatum", "nieuwe_start"):
        row[name] = None if expected[name] is None else iso_day(expected[name])
    gas = {name: value for name, value in expected["gas"].items() if value is not None}
    reached, partly = (sum(value in values for value in gas.values()) for values in ((2,), (1, 2)))
    row |= {"gas": gas, "gas_gescoord": len(gas), "gas_bereikt": reached, "gas_deels": partly}
    for rater, who in (("B", "behandelaar"), ("O", "ouder"), ("C", "client")):
        row[f"probleem_{who}"] = expected["probleem"].get(rater)
    return row | {"reden_beeindiging": expected["reden"] or ""}


def without_what_rows_do_not_say(document: dict[str, Any]) -> dict[str, Any]:
    """The simulator also knows reasons apart, and empty answers of metingen that are not in its rows."""
    document = json.loads(json.dumps(document))
    document["uitval"].pop("uitgesloten_redenen", None)
    for name in ("nut", "zonder_hulp"):
        document[name].pop("uitgesloten")
    return document


@pytest.mark.parametrize("per", [None, "cluster"])
def test_the_figures_mean_what_the_simulator_means(
    access: Access, simulated: tuple[dict[str, Any], Rows], per: Group | None
) -> None:
    document, rows = simulated
    fill(access, rows)
    found: dict[str, dict[str, Sums]] = {}
    for figure in figures(access, per=per, reference_day=SIMULATION.until):
        found.setdefault(figure.group, {})[figure.indicator.key] = figure.sums
    first, rest = document["indicatoren"], document["verder"]
    if per is None:
        assert indicator_overview.cbs(found[""]) == rest["cbs"]
        assert rest["cbs"]["uitval"]["n"] > 0
        groups = {"": (first["totaal"], rest["totaal"])}
    else:
        groups = {cluster: (first["clusters"][cluster], rest["clusters"][cluster]) for cluster in first["clusters"]}
        assert set(found) == {*groups, ""}  # records of CBS files belong to no cluster
    for group, (wanted, more) in groups.items():
        assert without_what_rows_do_not_say(overview(found[group])) == without_what_rows_do_not_say(wanted)
        assert indicator_overview.further(found[group]) == with_the_last_year(more)


def test_the_own_figures_of_all_providers_add_up_to_what_the_simulator_means(
    access: Access, simulated: tuple[dict[str, Any], Rows]
) -> None:
    document, rows = simulated
    fill(access, rows)
    wanted = document["indicatoren"]["clusters"]["DUO"]
    added: dict[str, list[float]] = {}
    for provider in sorted({row["aanbieder"] for row in rows["trajecten"] if row["cluster"] == "DUO"}):
        keys = ("uitval", "nut_gemiddelde", "zonder_hulp", "gas_bereikt")
        request = OwnRequest(aanbieder=provider, cluster="DUO", on=SIMULATION.until, period=EVER, keys=keys)
        for key, one in own(access, request).items():
            numerator, denominator = one.measured.figure.sums[1:3]
            so_far = added.get(key, [0.0, 0.0])
            added[key] = [so_far[0] + numerator, so_far[1] + denominator]
    assert added["uitval"] == [wanted["uitval"]["uitval"], wanted["uitval"]["n"]]
    assert added["uitval"][1] > 0
    assert added["nut_gemiddelde"][1] == wanted["nut"]["n"]
    assert added["nut_gemiddelde"][0] / added["nut_gemiddelde"][1] == pytest.approx(wanted["nut"]["gemiddelde"])
    assert added["zonder_hulp"] == [wanted["zonder_hulp"]["zonder_hulp"], wanted["zonder_hulp"]["n"]]
    assert added["gas_bereikt"] == [wanted["gas"]["bereikt"], wanted["gas"]["n"]]


def with_the_last_year(document: dict[str, Any]) -> dict[str, Any]:
    """The simulator has the respons of long-lasting help for every year; the figure is of the last whole one."""
    none = {"teller": 0, "n": 0, "percentage": None}
    return {**document, "respons_duurzaam": document["respons_duurzaam"].get(str(SIMULATION.until.year - 1), none)}


def test_the_query_of_one_indicator_gives_its_figure(access: Access) -> None:
    nut = {1: 4, 2: 8, 3: 9}
    metingen = [meting(number, 1, nut=mark, traject=f"{number:016x}") for number, mark in nut.items()]
    ended = [traject(n, 1, status="beeindigd", uitval_klasse=k) for n, k in enumerate(["client", "gepland", "gepland"])]
    fill(access, {"trajecten": ended, "metingen": metingen, "scores": []})
    client = clickhouse.connect(access)
    for indicator in INDICATORS.values():
        (row,) = clickhouse.select(client, sql(indicator, (), "", access.database, reference_day=REFERENCE))
        figure = evaluate(indicator, {"trajecten": ended, "metingen": metingen, "scores": []}, reference_day=REFERENCE)[
            ()
        ]
        value = figure.value(indicator.unit)
        assert row[-1] == (value if value is None else pytest.approx(value)), indicator.key
    (row,) = clickhouse.select(
        client, sql(INDICATORS["nut_gemiddelde"], (), "nut > 4", access.database, reference_day=REFERENCE)
    )
    assert row == (2, 17, 2, 0, 8.5)
    client.close()


@pytest.fixture
def command(access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """``sor indicators`` on forty ends of as many clients in Amsterdam and nine in DUO."""

    def ended(number: int, **changed: Any) -> dict[str, Any]:
        klasse = "client" if number % 4 == 0 else "gepland"
        return traject(number, 1, status="beeindigd", uitval_klasse=klasse, einddatum=LAST, **changed)

    rows = [ended(n, reden_beeindiging="31") for n in range(40)]
    elsewhere = {"gemeente": "0384", "cluster": "DUO", "aanbieder": "90000009", "reden_beeindiging": "31"}
    rows += [ended(n, **elsewhere) for n in range(40, 49)]
    fill(access, {"trajecten": rows, "metingen": [], "scores": []})
    secret = tmp_path / "grafana"
    secret.write_text(access.password)
    secret.chmod(0o600)
    for name, value in {
        "CLICKHOUSE": access.url,
        "CLICKHOUSE_PASSWORD_FILE": str(secret),
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(f"SOR_{name}", value)
    monkeypatch.setenv("SOR_CLICKHOUSE_USER", "admin")
    monkeypatch.setenv("COLUMNS", "160")
    return ["indicators", "--database", access.database]


def test_the_command_shows_a_dutch_table_without_small_groups(command: list[str]) -> None:
    runner, words = CliRunner(), command
    lines = runner.invoke(app, [*words, "--per", "cluster"]).output.splitlines()
    head, uitval = (next(line for line in lines if name in line) for name in ("Amsterdam", "Uitval"))
    assert head.index("Amsterdam") < head.index("DUO")
    assert uitval.index("25,0%") < uitval.index("<10")
    assert uitval.count("%") == 1
    every = runner.invoke(app, words).output
    assert "Uitval, eenzijdig door cliënt [R]" in every
    assert "Gemaakt met versie 1 van de definities." in every
    later = [*words, "--json", "--van", as_date(LAST + 1).isoformat()]
    after = json.loads(runner.invoke(app, later).output)
    assert {one["n"] for one in after if "periode" in one["venster"]} == {0}
    assert {one["sleutel"]: one["n"] for one in after}["trajecten_beeindigd"] == 49
    assert "CBS" not in every
    year_on = [*words, "--json", "--peildatum", as_date(LAST + 365).isoformat()]
    for asked, fixed, provisional in ((year_on, 49, 0), ([*words, "--json", "--peildatum", "2026-06-30"], 0, 49)):
        found = {one["sleutel"]: one for one in json.loads(runner.invoke(app, asked).output)}
        assert found["geen_nieuwe_start"]["n"] == fixed
        assert found["geen_nieuwe_start_voorlopig"]["n"] == provisional
        assert found["nut_gemiddelde"]["naam"].endswith("(niet bevestigd)")
        assert (found["uitval"]["definities"], found["nut_gemiddelde"]["definities"]) == ([1], [])
    cells = json.loads(runner.invoke(app, [*words, "--json", "--per", "gemeente"]).output)
    found = {(one["groep"], one["sleutel"]): one for one in cells}
    assert found["0363", "uitval"]["waarde"] == 25
    hidden = found["0384", "uitval"]
    assert (hidden["waarde"], hidden["n"], hidden["clienten"], hidden["verborgen"]) == (None, None, None, "clienten")


def test_a_figure_says_by_which_definitions_its_rows_were_made(access: Access) -> None:
    """Of the rows behind it: one that runs was made by others, and is behind no figure of ends."""
    ends = {"status": "beeindigd", "uitval_klasse": "client", "einddatum": LAST}
    rows = [traject(1, 1, definitie_versie=4, **ends), traject(2, 1, definitie_versie=3, **ends)]
    fill(access, {"trajecten": [*rows, traject(3, 1, definitie_versie=9)], "metingen": [], "scores": []})
    found = {one.indicator.key: one.versions for one in figures(access, reference_day=REFERENCE_DAY)}
    assert (found["uitval"], found["trajecten_lopend"], found["nut_gemiddelde"]) == ((3, 4), (9,), ())
    assert definitions_sentence(found["uitval"]).startswith("Gemaakt met verschillende versies van de definities (3 en")
    assert definitions_sentence(()) == "Er zijn geen rijen geteld."


def test_the_command_follows_another_rule(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in (("kleinste_groep", 37), ("kleinste_noemer", 53)):
        monkeypatch.setitem(DEFINITIONS, key, DEFINITIONS[key]._replace(value=value))
    table = CliRunner().invoke(app, [*command, "--per", "cluster"]).output
    (uitval,) = (line for line in table.splitlines() if "Uitval" in line)
    (ends,) = (line for line in table.splitlines() if "Beëindigde" in line)
    assert [cell.strip() for cell in uitval.split("│")[2:4]] == ["–", "<37"]
    assert [cell.strip() for cell in ends.split("│")[2:4]] == ["40", "<37"]
    assert Disclosure(37, 53).sentence in " ".join(table.split())
    assert "<10" not in table
    cells = json.loads(CliRunner().invoke(app, [*command, "--json", "--per", "gemeente"]).output)
    found = {(one["groep"], one["sleutel"]): one for one in cells}
    for town, key, shown in (
        ("0363", "uitval", (None, 40, 40, "noemer")),
        ("0363", "trajecten_beeindigd", (40, 40, 40, None)),
        ("0384", "trajecten_beeindigd", (None, None, None, "clienten")),
    ):
        assert tuple(found[town, key][name] for name in ("waarde", "n", "clienten", "verborgen")) == shown


def test_within_one_provider_names_count_and_over_providers_buckets(access: Access) -> None:
    """Forty-one clients of three providers in nine buckets, then in ten."""
    rows = [traject(n, 1, status="lopend", aanbieder="90000001", emmer=n % 9) for n in range(12)]
    rows += [traject(n, 1, status="lopend", aanbieder="90000002", emmer=n % 9) for n in range(100, 120)]
    rows += [traject(n, 1, status="lopend", aanbieder="90000003", emmer=0) for n in range(200, 209)]
    fill(access, {"trajecten": rows, "metingen": [], "scores": []})

    def shown(per: Group | None) -> dict[str, tuple[str, int | None]]:
        found = figures(access, ["trajecten_lopend"], per, reference_day=REFERENCE_DAY)
        return {figure.group: (figure.text, figure.clients) for figure in found}

    assert shown("aanbieder") == {"90000001": ("12", 12), "90000002": ("20", 20), "90000003": ("<10", None)}
    assert shown("gemeente") == {"0363": ("<10", None)}
    more = [row | {"emmer": row["emmer"] + n % 2} for n, row in enumerate(rows)]
    fill(access, {"trajecten": more, "metingen": [], "scores": []})
    assert shown("gemeente") == {"0363": ("41", 41)}


def test_a_number_of_clients_is_not_cut_at_the_number_of_buckets(access: Access) -> None:
    rows = [traject(n, 1, status="lopend") for n in range(2 * BUCKETS)]
    fill(access, {"trajecten": rows, "metingen": [], "scores": []})
    (figure,) = figures(access, ["trajecten_lopend"], reference_day=REFERENCE_DAY)
    assert (figure.sums.clients, figure.clients) == (BUCKETS, 2 * BUCKETS)


def test_areas_are_hidden_by_the_rule_of_every_group_and_only_trajecten_know_them(access: Access) -> None:
    rows = [traject(n, 1, status="lopend", postcodegebied="Noord") for n in range(12)]
    rows += [traject(n, 1, status="lopend", postcodegebied="Haven") for n in range(100, 109)]
    fill(access, {"trajecten": rows, "metingen": [meting(1, 1)], "scores": []})
    keys = ["trajecten_lopend", "nut_gemiddelde"]
    found = figures(access, keys, "postcodegebied", reference_day=REFERENCE_DAY)
    assert [(figure.group, figure.text) for figure in found] == [("Haven", "<10"), ("Noord", "12")]


def test_figures_take_a_rule(access: Access, command: list[str]) -> None:
    def shown(rule: Disclosure | None) -> list[float | None]:
        found = figures(access, ["trajecten_beeindigd"], "cluster", reference_day=REFERENCE_DAY, rule=rule)
        return [figure.value for figure in found if figure.group]

    assert command
    assert shown(None) == [40, None]
    assert shown(Disclosure(9, 20)) == [40, 9]
    assert shown(Disclosure(41, 20)) == [None, None]
