"""The statements of the indicators, word for word. That they say what the same terms say in Python is proved on the
engine (``tests/results/test_figures.py``); this holds what was proved.
"""

from __future__ import annotations

from typing import Any

import pytest

from domain.indicators.catalogue import INDICATORS, evaluate, indicators, scope, sql, sql_together

THE_13 = "'0358', '0362', '0363', '0384', '0385', '0415', '0431', '0437', '0439', '0451', '0479', '0852', '0880'"
WATERLAND = "'Zaanstreek-Waterland'"
CLUSTERS = (
    f"'', 'Amstelveen-Aalsmeer', 'Amstelveen-Aalsmeer', 'Amsterdam', 'DUO', {WATERLAND}, {WATERLAND}, {WATERLAND},"
    f" 'DUO', {WATERLAND}, 'DUO', {WATERLAND}, {WATERLAND}, {WATERLAND}"
)
NOT_YOUTH_CARE = "categorie IN ('47', '48', '49')"
TRAJECTEN = f"gemeente IN ({THE_13}) AND bron = 'ijw' AND categorie NOT IN ('47', '48', '49')"
ENDED = "status = 'beeindigd' AND uitval_klasse IN ('gepland', 'client', 'aanbieder', 'wederzijds')"
OTHER_ENDS = "status = 'beeindigd' AND uitval_klasse IN ('neutraal', 'administratief')"


def elsewhere(database: str = "sor") -> str:
    """Metingen and scores of trajecten outside youth care."""
    ever = f"SELECT aanbieder FROM {database}.trajecten WHERE {NOT_YOUTH_CARE}"
    pair = "cityHash64(aanbieder, traject)"
    now = f"SELECT {pair} FROM {database}.trajecten FINAL WHERE {NOT_YOUTH_CARE}"
    return f"{pair} NOT IN ({now} AND aanbieder IN ({ever}))"


def test_scope_of_messages_and_of_cbs_files() -> None:
    assert scope("trajecten") == TRAJECTEN
    assert scope("metingen") == f"gemeente IN ({THE_13}) AND soort != 'cbs' AND {elsewhere()}"
    assert scope("scores") == f"gemeente IN ({THE_13}) AND {elsewhere()}"
    all_14 = f"gemeente IN ('0034', {THE_13})"
    assert scope("trajecten", "db", "cbs") == f"{all_14} AND bron = 'cbs' AND categorie NOT IN ('47', '48', '49')"
    assert scope("metingen", "db", "cbs") == f"{all_14} AND soort = 'cbs' AND {elsewhere('db')}"


UITVAL = [
    f"uniqExactIf(emmer, {ENDED}) AS clienten",
    "countIf(status = 'beeindigd' AND uitval_klasse IN ('client', 'aanbieder', 'wederzijds')) AS teller",
    f"countIf({ENDED}) AS noemer",
    f"countIf({OTHER_ENDS}) AS uitgesloten",
]


def test_a_percentage_without_groups() -> None:
    columns = ", ".join([*UITVAL, "if(noemer = 0, NULL, 100 * teller / noemer) AS uitkomst"])
    assert (
        sql(INDICATORS["uitval"], reference_day=20_000)
        == f"SELECT {columns} FROM sor.trajecten FINAL WHERE {TRAJECTEN}"
    )


def test_a_count_by_a_column_of_its_own() -> None:
    running = "status = 'lopend'"
    columns = f"uniqExactIf(emmer, {running}) AS clienten, countIf({running}) AS teller, countIf({running}) AS noemer"
    assert sql(INDICATORS["trajecten_lopend"], ("cluster",), reference_day=20_000) == (
        f"SELECT cluster AS cluster, {columns}, 0 AS uitgesloten, teller AS uitkomst FROM sor.trajecten FINAL"
        f" WHERE {TRAJECTEN} GROUP BY cluster ORDER BY cluster"
    )


def test_a_mean_by_cluster_and_month_narrowed_and_with_every_client_counted() -> None:
    found = sql(
        INDICATORS["nut_gemiddelde"],
        ("cluster", "maand"),
        "datum > 3",
        "db",
        reference_day="today()",
        clients_up_to=None,
    )
    mark = "telt = 1 AND nut IS NOT NULL"
    assert found == (
        f"SELECT transform(gemeente, ['0034', {THE_13}], [{CLUSTERS}], '') AS cluster,"
        " addDays(datum, 1 - toDayOfMonth(datum)) AS maand,"
        f" uniqExactIf(emmer, {mark}) AS clienten, ifNull(sumIf(nut, {mark}), 0) AS teller, countIf({mark}) AS noemer,"
        " countIf(telt = 1 AND nut IS NULL) AS uitgesloten, if(noemer = 0, NULL, teller / noemer) AS uitkomst"
        f" FROM db.metingen FINAL WHERE gemeente IN ({THE_13}) AND soort != 'cbs' AND {elsewhere('db')}"
        " AND (datum IS NOT NULL AND (datum > 3)) GROUP BY cluster, maand ORDER BY cluster, maand"
    )


def test_behind_a_sum_stand_the_clients_who_add_to_it() -> None:
    found = sql(INDICATORS["gas_bereikt"], reference_day=20_000)
    assert found.startswith("SELECT uniqExactIf(emmer, 1 AND gas_gescoord != 0) AS clienten, ")


def test_a_cohort_counts_when_its_follow_up_is_over_on_the_reference_day() -> None:
    over = "einddatum + opvolging_dagen <= today()"
    planned = f"status = 'beeindigd' AND reden_beeindiging IN ('31', '32', '33', '34') AND {over}"
    other = f"status = 'beeindigd' AND reden_beeindiging NOT IN ('31', '32', '33', '34') AND {over}"
    sums = {
        "clienten": f"uniqExactIf(emmer, {planned})",
        "teller": f"countIf({planned} AND nieuwe_start IS NULL)",
        "noemer": f"countIf({planned})",
        "uitgesloten": f"countIf({other})",
    }
    alone = ", ".join(f"{value} AS {name}" for name, value in sums.items())
    together = ", ".join(f"{value} AS geen_nieuwe_start_{name}" for name, value in sums.items())
    rest = f"FROM sor.trajecten FINAL WHERE {TRAJECTEN}"
    followed = INDICATORS["geen_nieuwe_start"]
    figure = "if(noemer = 0, NULL, 100 * teller / noemer) AS uitkomst"
    assert sql(followed, reference_day="today()") == f"SELECT {alone}, {figure} {rest}"
    assert sql_together([followed], reference_day="today()") == f"SELECT {together} {rest}"


def test_figures_of_cbs_files_are_over_rows_of_cbs_files() -> None:
    found = sql(INDICATORS["cbs_uitval"], (), "", "db", reference_day=20_000)
    assert found.endswith(f" FROM db.trajecten FINAL WHERE {scope('trajecten', 'db', 'cbs')}")


def test_the_reference_day_is_a_number_or_an_expression() -> None:
    followed = INDICATORS["geen_nieuwe_start"]
    assert "toDate32('2024-10-04')" in sql(followed, reference_day=20_000)
    assert "today()" in sql(followed, reference_day="today()")
    assert sql(followed, reference_day="toDate32('2024-10-04')") == sql(followed, reference_day=20_000)


def test_several_figures_in_one_statement() -> None:
    apart = [*(f"{column.rpartition(' ')[0]} uitval_{column.rpartition(' ')[2]}" for column in UITVAL)]
    reached = sql_together([INDICATORS["gas_score_-1"]], reference_day=20_000)
    assert " AS gas_score_min1_clienten, " in reached
    assert sql_together([INDICATORS["uitval"]], reference_day=20_000) == (
        f"SELECT {', '.join(apart)} FROM sor.trajecten FINAL WHERE {TRAJECTEN}"
    )
    both = [INDICATORS["uitval"], INDICATORS["uitval_client"]]
    found = sql_together(both, ("gemeente", "maand"), "1", "db", reference_day=20_000, clients_up_to=3)
    mine = ", ".join(apart).replace("uniqExactIf", "uniqUpToIf(3)")
    other = mine.replace("AS uitval_", "AS uitval_client_")
    other = other.replace("uitval_klasse IN ('client', 'aanbieder', 'wederzijds')", "uitval_klasse = 'client'")
    month = "addDays(einddatum, 1 - toDayOfMonth(einddatum)) AS maand"
    assert found == (
        f"SELECT gemeente AS gemeente, {month}, {mine}, {other} FROM db.trajecten FINAL WHERE {TRAJECTEN}"
        " AND (einddatum IS NOT NULL AND (1)) GROUP BY gemeente, maand ORDER BY gemeente, maand"
    )


@pytest.mark.parametrize("other", ["nut_gemiddelde", "cbs_uitval"])
def test_figures_of_other_rows_do_not_share_a_statement(other: str) -> None:
    with pytest.raises(ValueError, match=f"^{other} is not over trajecten of ijw$"):
        sql_together([INDICATORS["uitval"], INDICATORS[other]], reference_day=20_000)


def test_scores_have_no_month() -> None:
    gas = next(one for one in INDICATORS.values() if one.table == "scores")
    row: dict[str, Any] = {"aanbieder": "1", "traject": "", "gemeente": "0363", "verwijderd": False}
    message = r"^rows of scores have no date in the sense of a period$"
    with pytest.raises(ValueError, match=message):
        sql(gas, ("maand",), reference_day=20_000)
    with pytest.raises(ValueError, match=message):
        evaluate(gas, {"scores": [row], "trajecten": []}, ("maand",), reference_day=20_000)


# --- the set of figures -------------------------------------------------------------------------------------------


def _marks(confirmed: bool) -> dict[str, tuple[str, str, str, str]]:
    found = indicators(cem_confirmed=confirmed)
    keys = ("nut_gemiddelde", "cbs_nut_gemiddelde", "zonder_hulp", "cbs_zonder_hulp")
    return {key: (found[key].basis, found[key].mark, found[key].provenance, found[key].name) for key in keys}


def test_where_the_marks_come_from_and_whether_that_is_confirmed() -> None:
    assert _marks(False) == {
        "nut_gemiddelde": ("CBS 4.3, CEM+", "P", "ijw", "Nut, gemiddeld cijfer"),
        "cbs_nut_gemiddelde": ("CBS 4.3", "F", "cbs", "Nut, gemiddeld cijfer, CBS-bestand"),
        "zonder_hulp": ("CBS 4.4, CEM+", "P", "ijw", "Zonder hulp verder"),
        "cbs_zonder_hulp": ("CBS 4.4", "R", "cbs", "Zonder hulp verder, CBS-bestand"),
    }
    assert {key: (mark, origin) for key, (_, mark, origin, _) in _marks(True).items()} == {
        "nut_gemiddelde": ("R", "ijw"),
        "cbs_nut_gemiddelde": ("F", "cbs"),
        "zonder_hulp": ("R", "ijw"),
        "cbs_zonder_hulp": ("R", "cbs"),
    }


def test_every_figure_of_a_questionnaire_is_there_per_group_too() -> None:
    found = indicators()
    alone = [key for key in found if key.removeprefix("cbs_").startswith(("nut_", "zonder_hulp"))]
    bare = [key for key in alone if not key.endswith(("_jeugdige", "_ouder"))]
    assert len(bare) == 2 * (1 + 3 + 10 + 1 + 4)  # of messages and of CBS: mean, bands, marks; share, options
    assert sorted(alone) == sorted(f"{key}{group}" for key in bare for group in ("", "_jeugdige", "_ouder"))
    assert all(key == one.key for key, one in found.items())
    assert indicators() == INDICATORS


# --- how many clients stand behind a figure -----------------------------------------------------------------------


def test_over_providers_buckets_are_counted_and_within_one_provider_names() -> None:
    """A client has another name with every provider, so names over providers would count one child as many."""
    for groups in ((), ("gemeente",), ("cluster", "maand")):
        found = sql(INDICATORS["uitval"], groups, reference_day=20_000, clients_up_to=10)
        assert "uniqUpToIf(10)(emmer, " in found
        assert "client," not in found
    assert "uniqUpToIf(10)(client, " in sql(
        INDICATORS["uitval"], ("aanbieder",), reference_day=20_000, clients_up_to=10
    )
    both = sql_together([INDICATORS["uitval"]], ("aanbieder", "gemeente"), reference_day=20_000)
    assert f"uniqExactIf(client, {ENDED}) AS uitval_clienten" in both


def test_names_are_counted_apart_and_not_cut_at_the_buckets() -> None:
    names = f"uniqExactIf(client, {ENDED}) AS"
    assert names not in sql(INDICATORS["uitval"], reference_day=20_000)
    assert f"uitgesloten, {names} namen, " in sql(INDICATORS["uitval"], reference_day=20_000, names=True)
    assert f"{names} uitval_namen" in sql_together([INDICATORS["uitval"]], reference_day=20_000, names=True)


def test_a_row_counts_for_its_bucket_or_for_its_name() -> None:
    """Three providers, two children in one bucket: at least one child, at most four."""
    rows = [
        {"aanbieder": aanbieder, "client": client, "emmer": emmer, "gemeente": "0363", "cluster": "Amsterdam"}
        | {"bron": "ijw", "categorie": "45", "traject": client, "verwijderd": False, "status": "lopend"}
        for aanbieder, client, emmer in (("1", "a", 5), ("1", "b", 5), ("2", "c", 5), ("3", "d", 5))
    ]
    tables: Any = {"trajecten": rows}
    running = INDICATORS["trajecten_lopend"]
    (over,) = evaluate(running, tables, reference_day=20_000).values()
    assert (over.clients, over.names) == (1, 4)
    within = evaluate(running, tables, ("aanbieder",), reference_day=20_000)
    assert {group[0]: (sums.clients, sums.names) for group, sums in within.items()} == {
        "1": (2, 2),
        "2": (1, 1),
        "3": (1, 1),
    }


def test_a_line_for_all_groups_together_is_of_the_same_rows() -> None:
    found = sql_together([INDICATORS["uitval"]], ("maand",), "einddatum > 3", reference_day=20_000, total=True)
    rows = f"FROM sor.trajecten FINAL WHERE {TRAJECTEN} AND (einddatum IS NOT NULL AND (einddatum > 3))"
    assert found.endswith(f", grouping(maand) AS geheel {rows} GROUP BY GROUPING SETS ((maand), ())")


def test_what_holds_for_a_traject_too_narrows_where_it_is_looked_for() -> None:
    mine = "aanbieder = '90000001'"
    found = sql_together([INDICATORS["nut_gemiddelde"]], where=mine, reference_day=20_000, narrow=mine)
    assert found.count(f"WHERE {mine} AND {NOT_YOUTH_CARE}") == 2
    assert found.endswith(f" AND (({mine}))")
