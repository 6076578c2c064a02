"""The indicators by hand: small populations whose figures can be counted on fingers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.field.dates import day
from domain.indicators.catalogue import INDICATORS, Indicator, Sums, evaluate, indicators, sql, sql_together

REFERENCE_DAY = day(date(2026, 6, 30))
YEAR, RESPONS = 365, 90  # days: the follow-up of an end, and the wait for a meting


def traject(number: int, **otherwise: Any) -> dict[str, Any]:
    row = {
        "aanbieder": "90000001",
        "gemeente": "0363",
        "traject": f"t{number}",
        "verwijderd": False,
        "client": f"c{number}",
        "emmer": number,
        "cluster": "Amsterdam",
        "categorie": "45",
        "einddatum": None,
        "uitval_klasse": "",
        "reden_beeindiging": "",
        "status": "lopend",
        "bron": "ijw",
        "begindatum": day(date(2024, 3, 1)),
        "intensiteit": "",
        "postcodegebied": "",
        "nieuwe_start": None,
        "metingen_einde": 0,
        "metingen_jaren": [],
        "opvolging_dagen": YEAR,
        "respons_dagen": RESPONS,
        "vlaggen": [],
        "gas": {},
        "gas_gescoord": 0,
        "gas_bereikt": 0,
        "gas_deels": 0,
        "probleem_behandelaar": None,
        "probleem_ouder": None,
        "probleem_client": None,
    }
    return {**row, **otherwise}


REDEN = {"gepland": "31", "client": "32", "aanbieder": "33", "wederzijds": "34", "neutraal": "02"}


def end(number: int, klasse: str, **otherwise: Any) -> dict[str, Any]:
    row = {"status": "beeindigd", "uitval_klasse": klasse, "einddatum": day(date(2026, 1, 15))}
    return traject(number, **{**row, "reden_beeindiging": REDEN.get(klasse, "36"), **otherwise})


def days_back(number: int, days: int, klasse: str = "gepland", **otherwise: Any) -> dict[str, Any]:
    """A traject that ended so many days before the reference day."""
    return end(number, klasse, einddatum=REFERENCE_DAY - days, **otherwise)


def meting(number: int, **otherwise: Any) -> dict[str, Any]:
    row = {"aanbieder": "90000001", "gemeente": "0363", "traject": f"t{number}", "verwijderd": False}
    row |= {
        "client": f"c{number}",
        "emmer": number,
        "groep": "ouder",
        "datum": day(date(2026, 2, 28)),
        "nut": None,
        "zonder_hulp": None,
    }
    return {**row, "telt": True, "soort": "einde", "bevestigd": False, **otherwise}


def of(indicator: Indicator, trajecten: list[dict[str, Any]], metingen: list[dict[str, Any]] | None = None) -> Sums:
    tables = {"trajecten": trajecten, "metingen": metingen or [], "scores": []}
    return evaluate(indicator, tables, reference_day=REFERENCE_DAY)[()]  # type: ignore[arg-type]


def out(key: str, trajecten: list[dict[str, Any]], metingen: list[dict[str, Any]] | None = None) -> Sums:
    return of(INDICATORS[key], trajecten, metingen)


def test_uitval_counts_three_classes_over_four_and_leaves_the_rest_out() -> None:
    classes = ["gepland"] * 4 + ["client"] * 2 + ["aanbieder", "wederzijds", "neutraal", "neutraal", "administratief"]
    rows = [end(number, klasse) for number, klasse in enumerate(classes)]
    rows += [traject(90), traject(91, status="gepauzeerd"), end(92, "client", status="wacht_op_start")]
    sums = out("uitval", rows)
    assert sums[:4] == (8, 4, 8, 3)
    assert sums.value("%") == 50
    assert [out(f"uitval_{k}", rows).numerator for k in ("client", "aanbieder", "wederzijds")] == [2, 1, 1]
    assert [out(f"einde_{k}", rows).numerator for k in ("gepland", "neutraal", "administratief")] == [4, 2, 1]
    assert [out(f"trajecten_{s}", rows).numerator for s in ("beeindigd", "lopend", "gepauzeerd", "wacht_op_start")] == [
        11,
        1,
        1,
        1,
    ]


@pytest.mark.parametrize("outside", [{"gemeente": "0034"}, {"gemeente": ""}, {"categorie": "48"}, {"verwijderd": True}])
def test_what_is_out_of_scope_counts_nowhere(outside: dict[str, Any]) -> None:
    trajecten = [end(1, "client"), end(2, "client", **outside)]
    assert out("uitval", trajecten).denominator == 1
    of_meting = {k: v for k, v in outside.items() if k != "categorie"}
    assert out("nut_gemiddelde", trajecten, [meting(1, nut=8), meting(2, nut=2, **of_meting)]).numerator == 8


def test_nut_is_over_marks_that_count_together_and_per_group() -> None:
    marks = [4, 5, 7, 8, 10, None]
    metingen = [meting(n, nut=mark, groep="ouder" if n % 2 else "jeugdige") for n, mark in enumerate(marks)]
    metingen += [meting(9, nut=1, telt=False)]
    sums = out("nut_gemiddelde", [], metingen)
    assert sums[:4] == (5, 34, 5, 1)
    assert sums.value("gemiddelde") == pytest.approx(6.8)
    assert [out(f"nut_{band}", [], metingen).numerator for band in ("laag", "midden", "hoog")] == [1, 2, 2]
    assert [out(f"nut_{mark}", [], metingen).numerator for mark in range(1, 11)] == [0, 0, 0, 1, 1, 0, 1, 1, 0, 1]
    low = [meting(n, nut=mark) for n, mark in enumerate((1, 1, 2, 3, 4, 5, 7, 8))]
    assert [out(f"nut_{band}", [], low).numerator for band in ("laag", "midden", "hoog")] == [5, 2, 1]
    assert out("nut_gemiddelde_jeugdige", [], metingen)[1:4] == (21, 3, 0)
    assert out("nut_gemiddelde_ouder", [], metingen)[1:4] == (13, 2, 1)


def test_zonder_hulp_is_option_three_and_four_of_all_answers() -> None:
    metingen = [meting(n, zonder_hulp=option) for n, option in enumerate([1, 2, 2, 3, 3, 3, 4, 4, 4, 4, None, None])]
    assert out("zonder_hulp", [], metingen)[:4] == (10, 7, 10, 2)
    assert [out(f"zonder_hulp_{option}", [], metingen).numerator for option in range(1, 5)] == [1, 2, 3, 4]


def test_goals_count_per_score_and_per_traject() -> None:
    one = traject(1, gas={"1O": 2, "1C": 2, "2O": 1, "2C": -1}, gas_gescoord=4, gas_bereikt=2, gas_deels=3)
    two = traject(2, gas={"1O": 0}, gas_gescoord=1)
    rows = [one, two, traject(3)]
    assert out("gas_bereikt", rows)[:4] == (2, 2, 5, 0)
    assert out("gas_deels", rows).value("%") == 60
    assert out("gas_bereikt_per_traject", rows).value("%") == 25
    assert [out(f"gas_score_{value}", rows).numerator for value in (-1, 0, 1, 2)] == [1, 1, 1, 2]


def test_goals_without_a_value_are_counted_apart() -> None:
    score = {"aanbieder": "90000001", "gemeente": "0363", "verwijderd": False, "client": "c", "emmer": 1}
    score |= {"doel": 1, "waarde": None}
    scores = [{**score, "traject": "t1"}, {**score, "traject": ""}, {**score, "traject": "t1", "doel": 0}]
    scores.append({**score, "traject": "t1", "waarde": 2})
    assert (
        evaluate(INDICATORS["gas_x"], {"trajecten": [], "scores": scores}, reference_day=REFERENCE_DAY)[()].numerator
        == 1
    )


def test_probleemafname_is_a_distribution_per_rater_and_says_what_is_open() -> None:
    rows = [traject(n, probleem_ouder=value) for n, value in enumerate([1, 3, 3, None])]
    assert [out(f"probleem_ouder_{value}", rows)[1:3] for value in (1, 2, 3)] == [(1, 3), (0, 3), (2, 3)]
    of_33 = [indicator for indicator in INDICATORS.values() if indicator.number == "3.3"]
    assert len(of_33) == 9
    assert all("richting niet bevestigd" in indicator.name and indicator.mark == "P" for indicator in of_33)


def test_an_area_groups_trajecten_and_nothing_else() -> None:
    rows = [end(1, "client", postcodegebied="Noord"), end(2, "gepland", postcodegebied="Noord"), end(3, "gepland")]
    tables = {"trajecten": rows, "metingen": [meting(1, nut=3)]}
    found = evaluate(INDICATORS["uitval"], tables, ["postcodegebied"], reference_day=0)
    assert {group: sums.denominator for group, sums in found.items()} == {("Noord",): 2, ("",): 1}
    assert sql(INDICATORS["uitval"], ["postcodegebied"], reference_day=0).endswith(
        "GROUP BY postcodegebied ORDER BY postcodegebied"
    )
    for make in (
        lambda: evaluate(INDICATORS["nut_gemiddelde"], tables, ["postcodegebied"], reference_day=0),
        lambda: sql(INDICATORS["nut_gemiddelde"], ["postcodegebied"], reference_day=0),
    ):
        with pytest.raises(ValueError, match="rows of metingen have no postcodegebied"):
            make()


def test_groups_and_months_are_of_the_event() -> None:
    later = day(date(2026, 2, 1))
    rows = [end(1, "client"), end(2, "gepland", gemeente="0479", cluster="Zaanstreek-Waterland", einddatum=later)]
    rows.append(traject(3, status="beeindigd", uitval_klasse="gepland"))
    tables = {"trajecten": rows, "metingen": [meting(1, nut=3), meting(2, nut=9, gemeente="0479")]}
    january, february = day(date(2026, 1, 1)), day(date(2026, 2, 1))
    assert set(evaluate(INDICATORS["uitval"], tables, ["maand", "gemeente"], reference_day=0)) == {
        (january, "0363"),
        (february, "0479"),
    }
    per_cluster = evaluate(INDICATORS["nut_gemiddelde"], tables, ["cluster"], reference_day=0)
    assert {group: sums.numerator for group, sums in per_cluster.items()} == {
        ("Amsterdam",): 3,
        ("Zaanstreek-Waterland",): 9,
    }
    assert (
        evaluate(INDICATORS["uitval"], tables, (), lambda row: row["einddatum"] == later, reference_day=0)[
            ()
        ].denominator
        == 1
    )


def test_nothing_counted_gives_no_figure() -> None:
    assert out("uitval", []).value("%") is None
    assert out("nut_gemiddelde", []).value("gemiddelde") is None
    assert out("trajecten_lopend", []).value("aantal") == 0


def test_queries_are_of_one_table_and_scores_have_no_period() -> None:
    for other in ("nut_hoog", "cbs_uitval"):
        with pytest.raises(ValueError, match=f"{other} is not over trajecten of ijw"):
            sql_together([INDICATORS["uitval"], INDICATORS[other]], reference_day=0)
    with pytest.raises(ValueError, match="no date"):
        sql(INDICATORS["gas_x"], ["maand"], reference_day=0)


def test_the_queries_read_the_database_they_are_told_and_group_as_asked() -> None:
    query = sql(INDICATORS["nut_hoog"], ["cluster", "maand"], "datum >= '2026-01-01'", "sor_v2", reference_day=0)
    assert "FROM sor_v2.metingen FINAL" in query
    assert "FROM sor_v2.trajecten FINAL" in query
    assert "(datum >= '2026-01-01')" in query
    assert query.endswith("GROUP BY cluster, maand ORDER BY cluster, maand")


def test_a_new_start_counts_for_ends_a_year_old_and_provisionally_for_younger_ones() -> None:
    rows = [days_back(0, YEAR), days_back(1, YEAR + 1, "aanbieder"), days_back(2, YEAR + 2)]
    rows += [days_back(3, YEAR, "client", nieuwe_start=REFERENCE_DAY - 100)]
    rows += [days_back(4, YEAR - 1), days_back(5, 0, "wederzijds", nieuwe_start=REFERENCE_DAY), days_back(6, -1)]
    rows += [days_back(7, YEAR, "neutraal"), days_back(8, YEAR - 1, "administratief"), traject(9)]
    assert out("geen_nieuwe_start", rows)[:4] == (4, 3, 4, 1)
    assert out("geen_nieuwe_start_voorlopig", rows)[:4] == (2, 1, 2, 1)
    assert "(voorlopig)" in INDICATORS["geen_nieuwe_start_voorlopig"].title


def test_who_comes_of_age_within_the_follow_up_is_counted_apart() -> None:
    rows = [days_back(1, YEAR, vlaggen=["TR074", "WORDT18"]), days_back(2, YEAR, vlaggen=["TR074"])]
    rows += [days_back(3, YEAR - 1, vlaggen=["WORDT18"])]
    assert out("geen_nieuwe_start_wordt18", rows).numerator == 1


def test_respons_cem_waits_ninety_days_and_leaves_out_deaths_and_long_lasting_help() -> None:
    rows = [days_back(1, RESPONS, metingen_einde=2), days_back(2, RESPONS, intensiteit="intensief")]
    rows += [days_back(3, YEAR, "administratief", metingen_einde=1, intensiteit="perspectief")]
    rows += [days_back(4, RESPONS - 1, metingen_einde=1), traject(5, metingen_einde=1)]
    rows += [days_back(6, RESPONS, "neutraal", metingen_einde=1)]
    rows += [days_back(7, RESPONS, intensiteit="duurzaam", metingen_einde=1)]
    rows += [days_back(11, RESPONS, intensiteit=f"duurzaam_{weight}") for weight in ("licht", "zwaar")]
    rows += [days_back(8, RESPONS, "neutraal", intensiteit="duurzaam"), days_back(9, RESPONS - 1, "neutraal")]
    rows += [days_back(10, RESPONS, metingen_einde=1)]
    assert out("respons_cem", rows)[:4] == (4, 3, 4, 5)


def test_respons_duurzaam_is_of_the_last_whole_year_of_who_was_there_all_of_it() -> None:
    """The reference day lies in 2026, so the year is 2025."""
    duurzaam: dict[str, Any] = {"intensiteit": "duurzaam", "begindatum": day(date(2025, 1, 1))}
    end_2025 = day(date(2025, 12, 31))
    rows = [
        traject(1, **duurzaam, metingen_jaren=[2024, 2025]),
        traject(2, **duurzaam, metingen_jaren=[2024, 2026]),
        traject(9, **duurzaam | {"intensiteit": "duurzaam_licht", "metingen_jaren": [2025]}),
        traject(10, **duurzaam | {"intensiteit": "duurzaam_zwaar"}),
        traject(3, **duurzaam | {"status": "beeindigd", "einddatum": end_2025, "metingen_jaren": [2025]}),
        traject(4, **duurzaam | {"status": "beeindigd", "einddatum": end_2025 - 1, "metingen_jaren": [2025]}),
        traject(5, **duurzaam | {"begindatum": day(date(2025, 1, 2)), "metingen_jaren": [2025]}),
        traject(6, **duurzaam | {"status": "wacht_op_start", "metingen_jaren": [2025]}),
        traject(7, **duurzaam | {"intensiteit": "", "metingen_jaren": [2025]}),
        traject(8, **duurzaam | {"status": "gepauzeerd"}),
    ]
    assert out("respons_duurzaam", rows)[:4] == (6, 3, 6, 0)
    assert not INDICATORS["respons_duurzaam"].datum


def test_respons_scores_is_any_score_that_is_not_x() -> None:
    rows = [end(1, "gepland", gas_gescoord=1), end(2, "client", probleem_client=3), end(3, "administratief")]
    rows += [end(4, "neutraal", gas_gescoord=1), traject(5, gas_gescoord=1), end(6, "gepland", probleem_ouder=1)]
    rows += [end(7, "gepland", probleem_behandelaar=2)]
    assert out("respons_scores", rows)[:4] == (5, 4, 5, 1)


def test_cbs_records_have_their_own_uitval_over_all_ends_also_in_almere() -> None:
    classes = ["gepland"] * 4 + ["wederzijds", "client", "client", "aanbieder", "neutraal", "neutraal"]
    cbs = {"bron": "cbs", "gemeente": "0034", "cluster": "", "categorie": "", "reden_beeindiging": ""}
    rows = [end(n, klasse, **cbs) for n, klasse in enumerate(classes)] + [traject(20, **cbs), end(21, "client")]
    assert out("cbs_uitval", rows)[:4] == (10, 6, 10, 1)
    apart = [
        out(f"cbs_uitval_{klasse}", rows).numerator for klasse in ("wederzijds", "client", "aanbieder", "neutraal")
    ]
    assert apart == [1, 2, 1, 2]
    assert out("cbs_einde_gepland", rows).numerator == 4
    assert [out(f"cbs_trajecten_{status}", rows).numerator for status in ("beeindigd", "lopend")] == [10, 1]
    assert out("uitval", rows)[:4] == (1, 1, 1, 0)
    assert out("uitval", [end(1, "client", **cbs | {"gemeente": "0363"})]).denominator == 0


def test_marks_of_cem_and_of_cbs_do_not_mix() -> None:
    cbs = {"soort": "cbs", "gemeente": "0034", "bevestigd": True}
    metingen = [
        meting(1, nut=8, zonder_hulp=1),
        meting(2, nut=2, zonder_hulp=4, **cbs),
        meting(3, nut=9, telt=False, **cbs),
    ]
    assert out("nut_gemiddelde", [], metingen)[1:3] == (8, 1)
    assert out("cbs_nut_gemiddelde", [], metingen)[1:3] == (2, 1)
    assert [out(f"cbs_nut_{band}", [], metingen).numerator for band in ("laag", "midden", "hoog")] == [1, 0, 0]
    assert [out(f"{prefix}zonder_hulp", [], metingen).numerator for prefix in ("", "cbs_")] == [0, 1]
    assert out("metingen_geteld", [], metingen).numerator == 1
    assert out("metingen_niet_bevestigd", [], [*metingen, meting(4), meting(5, bevestigd=True)]).numerator == 2


def test_what_nobody_confirmed_says_so_and_what_somebody_confirmed_does_not() -> None:
    cem, cbs = INDICATORS["nut_gemiddelde"], INDICATORS["cbs_nut_gemiddelde"]
    assert (cem.mark, cem.title) == ("P", "Nut, gemiddeld cijfer (niet bevestigd)")
    assert (cbs.mark, cbs.title) == ("F", "Nut, gemiddeld cijfer, CBS-bestand")
    assert indicators(cem_confirmed=True)["zonder_hulp"].mark == "R"
    assert INDICATORS["zonder_hulp"].mark == "P"
    for indicator in INDICATORS.values():
        assert (indicator.mark == "P") == ("niet bevestigd" in indicator.title) or indicator.mark == "F"


def test_problems_reduced_is_hidden_until_somebody_says_which_scores_are_better() -> None:
    assert not [key for key in INDICATORS if key.endswith("verbeterd")]
    known = indicators(improved=(2, 1))
    rows = [traject(n, probleem_client=value) for n, value in enumerate([1, 2, 3, 3, None])]
    assert of(known["probleem_client_verbeterd"], rows)[1:3] == (2, 4)
    assert {key for key in known if key not in INDICATORS} == {
        "probleem_behandelaar_verbeterd",
        "probleem_ouder_verbeterd",
        "probleem_client_verbeterd",
    }


def test_no_formula_asks_what_day_it_is() -> None:
    """The reference day is in the query as it was given, and nowhere else."""
    for indicator in INDICATORS.values():
        query = sql(indicator, reference_day=REFERENCE_DAY)
        assert "today()" not in query
        assert "now" not in query
        dependent = query != sql(indicator, reference_day=REFERENCE_DAY + 1)
        assert dependent == ("peildatum" in indicator.window), indicator.key
