"""A provider that logs in, on the real engine: its own figures are those of the domain, and no way leads to a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3
from clickhouse_connect.driver.client import Client

from domain.field.words import few_sentence
from domain.indicators.terms import text_sql
from results import own_views
from results.dashboards.own_queries import SHOWN
from results.dashboards.provider import own as own_page
from results.disclosure import Disclosure
from results.filters import AGE_BANDS, Days, Filters
from results.own import OWN_INDICATORS, own
from results.own_asked import asked
from results.own_views import LIVE, RULE, parameters, view_of
from sinks import clickhouse
from sinks.schema import audience_tables, migrate
from sinks.schema.providers import COLUMNS, OWN, added, checked
from sinks.schema.users import AUDIENCE_LIMITS, LOWERED, NAMES
from sinks.tables import METINGEN, SCORES, TRAJECTEN
from sinks.writer import Writer
from tests.local.asking import Server
from tests.results.grafana import DAY, DUTCH, expand, question, require_places, transformed
from tests.results.test_own import FIRST, LAST, OTHER, PROVIDER, REQUEST, TODAY, expected, rows, same

pytestmark = pytest.mark.clickhouse
DENIED, READONLY, OVER = "497", "164", "452"
MINE, THEIRS = checked(PROVIDER, ["DUO"]), checked(OTHER, ["DUO", "Amsterdam"])
TABLES = rows()
WHOLE = "1970-01-01"
#: What a call gives when nothing was chosen.
EVERYTHING: dict[str, Any] = {"van": FIRST, "tot": LAST, "verloop": "", "cluster": ("DUO",)}
NOTHING: Mapping[str, Any] = {}
PAGE = own_page()
PANELS: list[dict[str, Any]] = [panel for panel in PAGE["panels"] if "targets" in panel]
NAMED = [one["name"] for one in PAGE["templating"]["list"]]
CHOSEN: dict[str, tuple[str, ...]] = {**dict.fromkeys(NAMED, ()), "cluster": ("DUO",), "periode": ("maand",)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own_ = Server(tmp_path_factory.mktemp("providers"), NAMES, "dicht\n", (MINE, THEIRS))
    with own_.gateway:
        migrate.apply(own_.access("admin"), lambda _sentence: None)
        client = clickhouse.connect(own_.access("admin"))
        audience_tables.lay(client)
        writer = Writer(own_.access("admin"))
        for table in (TRAJECTEN, METINGEN, SCORES):
            writer.insert(table, TABLES[table.name])
        writer.close()
        for cluster in ("duo", "amsterdam"):
            client.command(
                f"INSERT INTO rel_gem_{cluster}.cijfers (vrijgave, periode_soort, periode, snede, cluster, indicator, "
                f"noemer, percentage, teller_vorm) VALUES (1, 'vier_kwartalen', '2025-K4', 'cluster', "
                f"'{cluster.upper()}', 'geen_nieuwe_start', 250, 71, '=')"
            )
        own_views.lay(client, (MINE, THEIRS), f"toDate('{TODAY}')")
        client.close()
        yield own_


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    found = clickhouse.connect(replace(server.access(MINE.database), database=MINE.database))
    yield found
    found.close()


def call(key: str, chosen: Mapping[str, Any] = NOTHING) -> str:
    """The view of a figure with these filters."""
    given = {**EVERYTHING, **chosen}
    of = LIVE[key]

    def written(name: str, kind: str) -> str:
        value = given.get(name, ())
        return f"[{', '.join(map(text_sql, value))}]" if kind.startswith("Array") else f"'{value}'"

    return f"{view_of(of)}({', '.join(f'{name} = {written(name, kind)}' for name, kind in parameters(of).items())})"


def figures(client: Client, key: str, chosen: Mapping[str, Any] = NOTHING) -> dict[tuple[str, str], tuple[float, ...]]:
    """Begin and key -> clients, numerator, denominator, left out."""
    answer = client.query(f"SELECT * FROM {call(key, chosen)}").result_rows
    return {(str(begin), name): tuple(numbers) for begin, name, *numbers, _squares in answer}


CHOICES: dict[str, Filters] = {
    "nothing": Filters(),
    "boys of the region who began in a year": Filters(
        geslacht=("1",), start=Days(date(2023, 9, 1), date(2024, 8, 31)), leeftijd=AGE_BANDS[:3]
    ),
    "a parent, two towns": Filters(gemeente=("0384", "0451"), respondent=("ouder",), categorie=("45", "54")),
    "by SPIC": Filters(segment=("A",), profiel=("1", "2"), intensiteit=("",), verwijzer=("", "01"), hulpvorm=("07",)),
}
_NAMES = {"reden_beeindiging": "reden", "postcodegebied": "gebied"}


def chosen_of(filters: Filters) -> dict[str, Any]:
    """The filters as the parameters of a view."""
    found = {
        _NAMES.get(name, name): value
        for name, value in vars(filters).items()
        if name not in {"start", "end", "leeftijd"}
    }
    found |= {"leeftijd": [band.name for band in filters.leeftijd]}
    bounds = {"start_van": filters.start.first, "start_tot": filters.start.last}
    return found | {name: [bound.isoformat()] for name, bound in bounds.items() if bound}


#: By the domain's own computation as well, which takes its time.
COMPUTED = ("uitval", "gas_bereikt", "nut_gemiddelde", "zonder_hulp_4", "trajecten_lopend", "gas_x")


@pytest.mark.parametrize("choice", CHOICES)
def test_a_view_gives_the_figures_of_the_third_party_and_of_the_domain(
    server: Server, client: Client, choice: str
) -> None:
    keys = tuple(LIVE) if choice == "nothing" else COMPUTED
    request = replace(REQUEST, filters=CHOICES[choice], keys=keys)
    theirs = own(server.access("grafana"), request)
    asked: dict[str, dict[tuple[str, str], tuple[float, ...]]] = {}
    shown = 0
    for key in keys:
        one = LIVE[key]
        if (view := view_of(one)) not in asked:
            asked[view] = figures(client, key, chosen_of(CHOICES[choice]))
        sums = theirs[key].measured.figure.sums
        if key in COMPUTED and choice == "nothing":
            assert same(sums, expected(one, TABLES, request)), key
        if sums.clients < RULE.smallest_group:
            assert (WHOLE, key) not in asked[view], key
        else:
            shown += 1
            assert asked[view][WHOLE, key] == pytest.approx(sums[:4]), key
    assert shown > (40 if choice == "nothing" else 1)


@pytest.mark.parametrize("choice", CHOICES)
def test_a_provider_that_asks_gets_what_the_third_party_sees_of_it_but_nothing_of_few(
    server: Server, choice: str
) -> None:
    request = replace(REQUEST, filters=CHOICES[choice], keys=(*COMPUTED, "geen_nieuwe_start"))
    theirs = own(server.access("grafana"), request)
    mine = asked(replace(server.access(MINE.database), database=MINE.database), request, ("kwartaal",))
    for key in COMPUTED:
        whole = theirs[key].measured
        if whole.figure.sums.clients >= RULE.smallest_group:
            assert mine[key].measured.figure.sums[:4] == pytest.approx(whole.figure.sums[:4]), key
            assert mine[key].measured.interval == pytest.approx(whole.interval), key
        else:
            assert mine[key].measured.figure.sums.clients == 0
        enough = [one for one in theirs[key].trend["kwartaal"] if one.figure.sums.clients >= RULE.smallest_group]
        assert [one.figure.group for one in mine[key].trend["kwartaal"]] == [one.figure.group for one in enough]
    assert mine["geen_nieuwe_start"].measured.figure.sums.clients == 0, "others decide it"
    average = mine["geen_nieuwe_start"].average
    assert average is not None
    assert average.percentage == 71


def test_a_filter_that_the_views_do_not_have_is_not_passed_over(server: Server) -> None:
    request = replace(REQUEST, filters=Filters(end=Days(FIRST, LAST)))
    with pytest.raises(ValueError, match="day of end"):
        asked(replace(server.access(MINE.database), database=MINE.database), request)


def test_nothing_is_shown_of_fewer_than_five_children() -> None:
    """Another number is another decision (0033)."""
    assert Disclosure(smallest_group=5, smallest_denominator=5) == RULE


def test_a_value_that_no_row_has_gives_nothing(client: Client) -> None:
    assert figures(client, "uitval", {"gebied": ("x'\\",)}) == {}


def test_a_period_of_few_is_not_there(server: Server, client: Client) -> None:
    trend = own(server.access("grafana"), replace(REQUEST, keys=("uitval",)))["uitval"].trend
    for step in ("maand", "kwartaal", "jaar"):
        found = figures(client, "uitval", {"verloop": step})
        counts = [one.figure.sums[:4] for one in trend[step] if one.figure.sums.clients >= RULE.smallest_group]
        assert [numbers for (_, key), numbers in found.items() if key == "uitval"] == counts
        assert all(clients >= RULE.smallest_group for clients, *_ in found.values())


def test_only_what_other_providers_decide_is_not_asked_live() -> None:
    assert set(OWN_INDICATORS) - set(LIVE) == {
        "geen_nieuwe_start", "geen_nieuwe_start_voorlopig", "geen_nieuwe_start_wordt18"
    }  # fmt: skip
    assert not {"nieuwe_start", "vlaggen", "emmer", "version"} & {
        name for columns in COLUMNS.values() for name in columns
    }


# The page


def finished(query: str, chosen: Mapping[str, tuple[str, ...]]) -> str:
    first, last = (int(datetime(d.year, d.month, d.day, tzinfo=DUTCH).timestamp()) for d in (FIRST, LAST))
    return expand(query, chosen, first, last + DAY - 1)


def shown(client: Client, panel: dict[str, Any], **chosen: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of a panel as the reader sees them."""
    query = finished(question(PANELS, panel), {**CHOSEN, **chosen})
    return transformed(panel, list(client.query(query).named_results()))


def test_the_page_says_what_the_page_of_the_third_party_says(server: Server, client: Client) -> None:
    filters = Filters(geslacht=("1",), start=Days(date(2023, 9, 1), date(2024, 8, 31)))
    picked = {"geslacht": ("1",), "start_van": ("2023-09-01",), "start_tot": ("2024-08-01",)}
    found = own(server.access("grafana"), replace(REQUEST, filters=filters))
    by_name = {one.indicator.title: one.measured for one in found.values()}
    hidden, exact = 0, 0
    answers: dict[str, list[dict[str, Any]]] = {}
    for panel in (panel for panel in PANELS if panel["type"] == "table" and "(eigen)" in panel["title"]):
        query = finished(question(PANELS, panel), {**CHOSEN, **picked})
        if query not in answers:
            answers[query] = list(client.query(query).named_results())
        for row in transformed(panel, answers[query]):
            assert list(row) == list(SHOWN.values())
            one = by_name[row["Uitkomst"]]
            if one.figure.sums.clients < RULE.smallest_group:
                assert list(row.values())[1:] == [RULE.few, "", "", ""]
                hidden += 1
                continue
            exact += 1
            ends = " – ".join(f"{end:.1f}" for end in one.interval).replace(".", ",") if one.interval else ""
            wanted = [one.figure.text, ends, one.figure.counted_text, one.figure.excluded_text]
            assert list(row.values())[1:] == wanted, row
    assert hidden > 0
    assert exact > 10


def test_every_question_of_the_page_runs(client: Client) -> None:
    for panel in PANELS:
        if "rawSql" in panel["targets"][0]:
            assert shown(client, panel), panel["title"]
    for one in PAGE["templating"]["list"]:
        if one["type"] == "query":
            assert client.query(finished(one["query"]["rawSql"], CHOSEN)).result_rows, one["name"]
    (average,) = shown(client, next(one for one in PANELS if one["title"] == "Kerncijfers (gemiddelde cluster)"))
    assert average["Gemiddelde cluster"] == "71%"
    text = next(panel for panel in PAGE["panels"] if panel["type"] == "text")["options"]["content"]
    assert "Geen verantwoordingsinstrument" in text
    assert few_sentence(RULE.smallest_group) in text
    assert "aanbieder" not in NAMED
    require_places(PAGE["panels"])


def test_no_average_of_a_cluster_that_is_not_ones_own(server: Server) -> None:
    seen = {user: server.ask(user, "SELECT DISTINCT cluster FROM gemiddelden ORDER BY cluster").data.split()
            for user in (MINE.database, THEIRS.database)}  # fmt: skip
    assert seen == {MINE.database: [b"DUO"], THEIRS.database: [b"AMSTERDAM", b"DUO"]}


# Who tries more

STOLEN = "verloop = (SELECT any(client) FROM sor.trajecten)"
PROBES = (
    *(f"SELECT * FROM {table}" for table in ("sor.trajecten", "sor.metingen", "sor.scores", "sor.vrijgave_leden",
                                            "sor.receipts", "rel_gem_duo.cijfers", "rel_gem_amsterdam.cijfers",
                                            "rel_c_duo.cijfers", f"{THEIRS.database}.keuzes")),
    f"SELECT * FROM {THEIRS.database}.{call('uitval')}",
    "SELECT * FROM view(SELECT * FROM sor.trajecten)",
    "SELECT * FROM merge('sor', '.*')",
    f"SELECT * FROM merge('{OWN}.*', '.*')",
    "SELECT * FROM loop(sor.trajecten) LIMIT 1",
    "SELECT * FROM loop(keuzes) LIMIT 1",
    "SELECT * FROM mergeTreeIndex('sor', 'trajecten')",
    f"SELECT * FROM mergeTreeIndex('{MINE.database}', 'keuzes')",
    "SELECT * FROM remote('127.0.0.1:9', 'sor', 'trajecten')",
    "SELECT * FROM file('@FILE')",
    "SELECT file('@FILE')",
    "SELECT hasColumnInTable('sor', 'trajecten', 'client')",
    "EXPLAIN SELECT * FROM sor.trajecten",
    "SHOW CREATE TABLE sor.trajecten",
    "DESCRIBE TABLE sor.trajecten",
    "SHOW GRANTS FOR admin",
    f"SHOW GRANTS FOR {MINE.owner}",
    f"EXECUTE AS {MINE.owner} SELECT * FROM sor.trajecten",
    "SET ROLE alles",
    "SET ROLE ALL",
    f"CREATE VIEW {MINE.database}.v DEFINER = {MINE.owner} SQL SECURITY DEFINER AS SELECT client FROM sor.trajecten",
    f"ALTER TABLE {MINE.database}.keuzes MODIFY QUERY SELECT client FROM sor.trajecten",
    f"DROP VIEW {MINE.database}.keuzes",
    f"SELECT client FROM {call('uitval')}",
    f"SELECT aanbieder FROM {call('uitval')}",
    f"SELECT _part FROM {call('uitval')}",
    f"SELECT * FROM {call('uitval')} PREWHERE clienten > 0",
    f"SELECT * FROM {call('uitval')} SETTINGS additional_table_filters = {{'sor.trajecten': 'leeftijd = 3'}}",
    f"SELECT * FROM {call('uitval')} SETTINGS readonly = 0",
    "SELECT * FROM " + call("uitval").replace("verloop = ''", STOLEN),
    *(f"SELECT * FROM system.{table}" for table in (
        "parts", "parts_columns", "query_log", "processes", "part_log", "errors", "users", "roles", "grants",
        "row_policies", "quotas_usage", "mutations", "merges", "events", "metrics", "data_skipping_indices")),
)  # fmt: skip


@pytest.mark.parametrize("sql", PROBES)
def test_a_provider_reaches_nothing_beyond_its_views(server: Server, sql: str) -> None:
    answer = server.ask(MINE.database, sql)
    assert answer.status >= 400 or answer.data == b"", (sql, answer.data)
    assert b"dicht" not in answer.data


def test_what_is_chosen_is_a_value_and_never_sql(server: Server, client: Client) -> None:
    nothing = client.query(f"SELECT * FROM {call('uitval', {'gemeente': (SMUGGLED,)})}").result_rows
    assert nothing == []
    assert client.query(f"SELECT * FROM {call('uitval', {'start_van': (SMUGGLED,)})}").result_rows == []
    asked = call("uitval").replace("verloop = ''", "verloop = {step:String}")
    assert server.ask(MINE.database, f"SELECT * FROM {asked}", param_step=SMUGGLED).data == b""
    for kind in ("verloop = '" + text_sql(SMUGGLED)[1:], "van = " + text_sql(SMUGGLED)):
        name = kind.partition(" ")[0]
        asked = re.sub(rf"{name} = '[^']*'", lambda _: kind, call("uitval"))  # noqa: B023
        answer = server.ask(MINE.database, f"SELECT * FROM {asked}")
        assert answer.status >= 400 or answer.data == b""


SMUGGLED = "0384')) OR 1 = 1 UNION ALL SELECT client FROM sor.trajecten --"


def test_a_condition_of_the_reader_is_asked_of_no_row(server: Server) -> None:
    """Of a plain view with HAVING the engine brings a condition down to the rows, where a hidden group answers it."""
    few = call("uitval", {"gemeente": ("0384",), "verloop": "maand"})
    for view, column, values in (
        (few, "begin", [f"2024-{month:02}-01" for month in range(1, 13)]),
        ("keuzes", "filter", ["gebied", "nergens"]),
    ):
        given = set(server.ask(MINE.database, f"SELECT {column} FROM {view}").data.decode().split())
        assert set(values) - given
        for value in values:
            condition = f"throwIf(toString({column}) = '{value}')"
            answer = server.ask(MINE.database, f"SELECT count() FROM {view} WHERE {condition}")
            assert (answer.status >= 400) == (value in given), (view, value)
    slow = server.ask(MINE.database, f"SELECT sleepEachRow(0.2) FROM {few} WHERE clienten < {RULE.smallest_group}")
    assert slow.data == b""


def test_the_engine_does_not_tell_how_much_it_looked_at(server: Server) -> None:
    """It looks at rows of others that lie beside one's own, and so their number would say when something came in."""
    for view in (call("uitval"), "keuzes"):
        for how in ("", "ESTIMATE", "PLAN indexes = 1, actions = 1", "PIPELINE", "QUERY TREE", "SYNTAX", "AST"):
            answer = server.ask(MINE.database, f"EXPLAIN {how} SELECT * FROM {view}")
            assert not re.search(rb"MergeTree|sor\.|Granules", answer.data), (how, answer.data)
            assert read_rows(answer) == 0
        answer = server.ask(MINE.database, f"SELECT * FROM {view} FORMAT JSON")
        assert answer.status == 200
        assert b"rows_read" not in answer.data
        assert read_rows(answer) == 0
    for setting in ("output_format_write_statistics", "send_logs_level", "log_queries", "readonly"):
        assert server.code(MINE.database, "SELECT 1", **{setting: "1"}) == READONLY, setting


def read_rows(answer: urllib3.BaseHTTPResponse) -> int:
    return int(json.loads(answer.headers["X-ClickHouse-Summary"])["read_rows"])


def test_a_view_tells_its_text_and_no_more(server: Server) -> None:
    names = set(server.ask(MINE.database, "SELECT DISTINCT database FROM system.tables").data.decode().split())
    assert names <= {MINE.database, "system", "information_schema", "INFORMATION_SCHEMA"}
    text = server.ask(MINE.database, "SELECT create_table_query FROM system.tables WHERE name = 'keuzes'").data.decode()
    assert OTHER not in text
    assert server.ask(MINE.database, "SELECT sum(total_rows) FROM system.tables WHERE database != 'system'").data in {
        b"\\N\n", b"0\n"
    }  # fmt: skip


def test_nobody_is_the_owner_of_a_view(server: Server) -> None:
    for password in ("", "x"):
        for way in ({"user": MINE.owner, "password": password}, {"user": MINE.owner}):
            answer = urllib3.request("GET", f"{server.gateway.url}/?{urlencode({**way, 'query': 'SELECT 1'})}")
            assert answer.headers["X-ClickHouse-Exception-Code"] == "516"


def test_a_provider_stays_within_its_limits(server: Server) -> None:
    for limit, most in AUDIENCE_LIMITS.items():
        refused = OVER if limit == LOWERED else READONLY
        assert server.code(MINE.database, "SELECT 1", **{limit: str(most + 4)}) == refused
    for sql in ("INSERT INTO keuzes VALUES ('a', 'b')", "CREATE TABLE n (a Int8) ENGINE = Memory", "SET readonly = 0",
                f"INSERT INTO {MINE.database}.n VALUES (1)", "KILL QUERY WHERE 1", "SYSTEM FLUSH LOGS"):  # fmt: skip
        assert server.ask(MINE.database, sql).status >= 400, sql


def test_the_row_policy_is_a_lock_of_its_own(server: Server) -> None:
    """A view whose text names another provider gives nothing: its owner sees rows of its own only."""
    admin = clickhouse.connect(server.access("admin"))
    foreign = own_views.views(THEIRS, f"toDate('{TODAY}')")["keuzes"]
    head = f"DEFINER = {MINE.owner} SQL SECURITY DEFINER AS"
    admin.command(f"CREATE VIEW {MINE.database}.verkeerd {head} {foreign}")
    admin.command(f"CREATE VIEW {MINE.database}.meer {head} SELECT client, nieuwe_start FROM sor.trajecten")
    admin.command(f"CREATE VIEW {MINE.database}.alles {head} SELECT DISTINCT aanbieder FROM sor.trajecten")
    assert server.ask(THEIRS.database, "SELECT count() FROM keuzes").data != b"0\n"
    assert server.ask(MINE.database, "SELECT count() FROM verkeerd").data == b"0\n"
    assert server.code(MINE.database, "SELECT * FROM meer") == DENIED
    assert server.ask(MINE.database, "SELECT * FROM alles").data == f"{PROVIDER}\n".encode()
    own_views.lay(admin, (MINE, THEIRS), f"toDate('{TODAY}')")
    assert b"alles" not in server.ask(MINE.database, "SHOW TABLES").data
    admin.close()


def test_who_is_taken_off_the_list_has_nothing_to_ask(server: Server) -> None:
    admin = clickhouse.connect(server.access("admin"))
    left = added((MINE, THEIRS), THEIRS._replace(active=False))
    assert own_views.lay(admin, left, f"toDate('{TODAY}')") == ((THEIRS.database,), ())
    assert server.ask(THEIRS.database, f"SELECT * FROM {THEIRS.database}.keuzes").status >= 400
    new = checked("90000003", ["DUO"])
    laid = own_views.lay(admin, added((MINE, THEIRS), new), f"toDate('{TODAY}')")
    assert laid == ((THEIRS.database,), (new.agb,)), "of whom the engine does not know yet waits, the others do not"
    admin.close()
