"""The indicators by hand: small populations whose figures can be counted on fingers."""

from datetime import date
from typing import Any

import pytest

from domain.dates import day
from domain.indicators import INDICATOREN, Uitkomst, evaluate, sql, sql_samen


def traject(nummer: int, **anders: Any) -> dict[str, Any]:
    rij = {
        "aanbieder": "90000001",
        "gemeente": "0363",
        "traject": f"t{nummer}",
        "verwijderd": False,
        "client": f"c{nummer}",
        "cluster": "Amsterdam",
        "categorie": "45",
        "einddatum": None,
        "uitval_klasse": "",
        "status": "lopend",
        "gas": {},
        "gas_gescoord": 0,
        "gas_bereikt": 0,
        "gas_deels": 0,
        "probleem_behandelaar": None,
        "probleem_ouder": None,
        "probleem_client": None,
    }
    return {**rij, **anders}


def einde(nummer: int, klasse: str, **anders: Any) -> dict[str, Any]:
    datum = day(date(2026, 1, 15))
    return traject(nummer, **{"status": "beeindigd", "uitval_klasse": klasse, "einddatum": datum, **anders})


def meting(nummer: int, **anders: Any) -> dict[str, Any]:
    rij = {"aanbieder": "90000001", "gemeente": "0363", "traject": f"t{nummer}", "verwijderd": False}
    rij |= {"client": f"c{nummer}", "groep": "ouder", "datum": day(date(2026, 2, 28)), "nut": None, "zonder_hulp": None}
    return {**rij, "telt": True, **anders}


def uit(sleutel: str, trajecten: list[dict[str, Any]], metingen: list[dict[str, Any]] | None = None) -> Uitkomst:
    return evaluate(INDICATOREN[sleutel], {"trajecten": trajecten, "metingen": metingen or [], "scores": []})[()]


def test_uitval_counts_three_classes_over_four_and_leaves_the_rest_out() -> None:
    klassen = ["gepland"] * 4 + ["client"] * 2 + ["aanbieder", "wederzijds", "neutraal", "neutraal", "administratief"]
    rijen = [einde(nummer, klasse) for nummer, klasse in enumerate(klassen)]
    rijen += [traject(90), traject(91, status="gepauzeerd"), einde(92, "client", status="wacht_op_start")]
    uitkomst = uit("uitval", rijen)
    assert uitkomst == (8, 4, 8, 3)
    assert uitkomst.waarde("%") == 50
    assert [uit(f"uitval_{k}", rijen).teller for k in ("client", "aanbieder", "wederzijds")] == [2, 1, 1]
    assert [uit(f"einde_{k}", rijen).teller for k in ("gepland", "neutraal", "administratief")] == [4, 2, 1]
    assert [uit(f"trajecten_{s}", rijen).teller for s in ("beeindigd", "lopend", "gepauzeerd")] == [11, 1, 1]


@pytest.mark.parametrize("buiten", [{"gemeente": "0034"}, {"gemeente": ""}, {"categorie": "48"}, {"verwijderd": True}])
def test_what_is_out_of_scope_counts_nowhere(buiten: dict[str, Any]) -> None:
    trajecten = [einde(1, "client"), einde(2, "client", **buiten)]
    assert uit("uitval", trajecten).noemer == 1
    van_meting = {k: v for k, v in buiten.items() if k != "categorie"}
    assert uit("nut_gemiddelde", trajecten, [meting(1, nut=8), meting(2, nut=2, **van_meting)]).teller == 8


def test_nut_is_over_marks_that_count_together_and_per_group() -> None:
    cijfers = [4, 5, 7, 8, 10, None]
    metingen = [meting(n, nut=cijfer, groep="ouder" if n % 2 else "jeugdige") for n, cijfer in enumerate(cijfers)]
    metingen += [meting(9, nut=1, telt=False)]
    uitkomst = uit("nut_gemiddelde", [], metingen)
    assert uitkomst == (5, 34, 5, 1)
    assert uitkomst.waarde("gemiddelde") == pytest.approx(6.8)
    assert [uit(f"nut_{band}", [], metingen).teller for band in ("laag", "midden", "hoog")] == [1, 2, 2]
    assert [uit(f"nut_{cijfer}", [], metingen).teller for cijfer in range(1, 11)] == [0, 0, 0, 1, 1, 0, 1, 1, 0, 1]
    assert uit("nut_gemiddelde_jeugdige", [], metingen)[1:] == (21, 3, 0)
    assert uit("nut_gemiddelde_ouder", [], metingen)[1:] == (13, 2, 1)


def test_zonder_hulp_is_option_three_and_four_of_all_answers() -> None:
    metingen = [meting(n, zonder_hulp=optie) for n, optie in enumerate([1, 2, 3, 4, 4, None, None])]
    assert uit("zonder_hulp", [], metingen) == (5, 3, 5, 2)
    assert [uit(f"zonder_hulp_{optie}", [], metingen).teller for optie in range(1, 5)] == [1, 1, 1, 2]


def test_goals_count_per_score_and_per_traject() -> None:
    een = traject(1, gas={"1O": 2, "1C": 2, "2O": 1, "2C": -1}, gas_gescoord=4, gas_bereikt=2, gas_deels=3)
    twee = traject(2, gas={"1O": 0}, gas_gescoord=1)
    rijen = [een, twee, traject(3)]
    assert uit("gas_bereikt", rijen) == (2, 2, 5, 0)
    assert uit("gas_deels", rijen).waarde("%") == 60
    assert uit("gas_bereikt_per_traject", rijen).waarde("%") == 25
    assert [uit(f"gas_score_{waarde}", rijen).teller for waarde in (-1, 0, 1, 2)] == [1, 1, 1, 2]


def test_goals_without_a_value_are_counted_apart() -> None:
    score = {"aanbieder": "90000001", "gemeente": "0363", "verwijderd": False, "client": "c", "doel": 1, "waarde": None}
    scores = [{**score, "traject": "t1"}, {**score, "traject": ""}, {**score, "traject": "t1", "doel": 0}]
    scores.append({**score, "traject": "t1", "waarde": 2})
    assert evaluate(INDICATOREN["gas_x"], {"trajecten": [], "scores": scores})[()].teller == 1


def test_probleemafname_is_a_distribution_per_rater_and_says_what_is_open() -> None:
    rijen = [traject(n, probleem_ouder=waarde) for n, waarde in enumerate([1, 3, 3, None])]
    assert [uit(f"probleem_ouder_{waarde}", rijen)[1:3] for waarde in (1, 2, 3)] == [(1, 3), (0, 3), (2, 3)]
    van_33 = [indicator for indicator in INDICATOREN.values() if indicator.nummer == "3.3"]
    assert len(van_33) == 9
    assert all("richting niet bevestigd" in indicator.naam and indicator.merk == "P" for indicator in van_33)


def test_groups_and_months_are_of_the_event() -> None:
    later = day(date(2026, 2, 1))
    rijen = [einde(1, "client"), einde(2, "gepland", gemeente="0479", cluster="Zaanstreek-Waterland", einddatum=later)]
    rijen.append(traject(3, status="beeindigd", uitval_klasse="gepland"))
    tabellen = {"trajecten": rijen, "metingen": [meting(1, nut=3), meting(2, nut=9, gemeente="0479")]}
    januari, februari = day(date(2026, 1, 1)), day(date(2026, 2, 1))
    assert set(evaluate(INDICATOREN["uitval"], tabellen, ["maand", "gemeente"])) == {
        (januari, "0363"),
        (februari, "0479"),
    }
    per_cluster = evaluate(INDICATOREN["nut_gemiddelde"], tabellen, ["cluster"])
    assert {groep: uitkomst.teller for groep, uitkomst in per_cluster.items()} == {
        ("Amsterdam",): 3,
        ("Zaanstreek-Waterland",): 9,
    }
    assert evaluate(INDICATOREN["uitval"], tabellen, (), lambda rij: rij["einddatum"] == later)[()].noemer == 1


def test_nothing_counted_gives_no_figure() -> None:
    assert uit("uitval", []).waarde("%") is None
    assert uit("nut_gemiddelde", []).waarde("gemiddelde") is None
    assert uit("trajecten_lopend", []).waarde("aantal") == 0


def test_queries_are_of_one_table_and_scores_have_no_period() -> None:
    with pytest.raises(ValueError, match="nut_hoog is not over trajecten"):
        sql_samen([INDICATOREN["uitval"], INDICATOREN["nut_hoog"]])
    with pytest.raises(ValueError, match="no date"):
        sql(INDICATOREN["gas_x"], ["maand"])


def test_the_queries_read_the_database_they_are_told_and_group_as_asked() -> None:
    query = sql(INDICATOREN["nut_hoog"], ["cluster", "maand"], "datum >= '2026-01-01'", "sor_v2")
    assert "FROM sor_v2.metingen FINAL" in query
    assert "FROM sor_v2.trajecten FINAL" in query
    assert "(datum >= '2026-01-01')" in query
    assert query.endswith("GROUP BY cluster, maand ORDER BY cluster, maand")
