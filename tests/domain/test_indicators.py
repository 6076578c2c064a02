"""The indicators by hand: small populations whose figures can be counted on fingers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.field.dates import day
from domain.indicators.catalogue import INDICATOREN, Indicator, Uitkomst, evaluate, indicatoren, sql, sql_samen

PEILDATUM = day(date(2026, 6, 30))
JAAR, RESPONS = 365, 90  # days: the follow-up of an end, and the wait for a meting


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
        "reden_beeindiging": "",
        "status": "lopend",
        "bron": "ijw",
        "begindatum": day(date(2024, 3, 1)),
        "intensiteit": "",
        "nieuwe_start": None,
        "metingen_einde": 0,
        "metingen_jaren": [],
        "vlaggen": [],
        "gas": {},
        "gas_gescoord": 0,
        "gas_bereikt": 0,
        "gas_deels": 0,
        "probleem_behandelaar": None,
        "probleem_ouder": None,
        "probleem_client": None,
    }
    return {**rij, **anders}


REDEN = {"gepland": "31", "client": "32", "aanbieder": "33", "wederzijds": "34", "neutraal": "02"}


def einde(nummer: int, klasse: str, **anders: Any) -> dict[str, Any]:
    rij = {"status": "beeindigd", "uitval_klasse": klasse, "einddatum": day(date(2026, 1, 15))}
    return traject(nummer, **{**rij, "reden_beeindiging": REDEN.get(klasse, "36"), **anders})


def dagen_terug(nummer: int, dagen: int, klasse: str = "gepland", **anders: Any) -> dict[str, Any]:
    """A traject that ended so many days before the reference day."""
    return einde(nummer, klasse, einddatum=PEILDATUM - dagen, **anders)


def meting(nummer: int, **anders: Any) -> dict[str, Any]:
    rij = {"aanbieder": "90000001", "gemeente": "0363", "traject": f"t{nummer}", "verwijderd": False}
    rij |= {"client": f"c{nummer}", "groep": "ouder", "datum": day(date(2026, 2, 28)), "nut": None, "zonder_hulp": None}
    return {**rij, "telt": True, "soort": "einde", "bevestigd": False, **anders}


def van(
    indicator: Indicator, trajecten: list[dict[str, Any]], metingen: list[dict[str, Any]] | None = None
) -> Uitkomst:
    tabellen = {"trajecten": trajecten, "metingen": metingen or [], "scores": []}
    return evaluate(indicator, tabellen, peildatum=PEILDATUM)[()]  # type: ignore[arg-type]


def uit(sleutel: str, trajecten: list[dict[str, Any]], metingen: list[dict[str, Any]] | None = None) -> Uitkomst:
    return van(INDICATOREN[sleutel], trajecten, metingen)


def test_uitval_counts_three_classes_over_four_and_leaves_the_rest_out() -> None:
    klassen = ["gepland"] * 4 + ["client"] * 2 + ["aanbieder", "wederzijds", "neutraal", "neutraal", "administratief"]
    rijen = [einde(nummer, klasse) for nummer, klasse in enumerate(klassen)]
    rijen += [traject(90), traject(91, status="gepauzeerd"), einde(92, "client", status="wacht_op_start")]
    uitkomst = uit("uitval", rijen)
    assert uitkomst == (8, 4, 8, 3)
    assert uitkomst.waarde("%") == 50
    assert [uit(f"uitval_{k}", rijen).teller for k in ("client", "aanbieder", "wederzijds")] == [2, 1, 1]
    assert [uit(f"einde_{k}", rijen).teller for k in ("gepland", "neutraal", "administratief")] == [4, 2, 1]
    assert [uit(f"trajecten_{s}", rijen).teller for s in ("beeindigd", "lopend", "gepauzeerd", "wacht_op_start")] == [
        11,
        1,
        1,
        1,
    ]


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
    laag = [meting(n, nut=cijfer) for n, cijfer in enumerate((1, 1, 2, 3, 4, 5, 7, 8))]
    assert [uit(f"nut_{band}", [], laag).teller for band in ("laag", "midden", "hoog")] == [5, 2, 1]
    assert uit("nut_gemiddelde_jeugdige", [], metingen)[1:] == (21, 3, 0)
    assert uit("nut_gemiddelde_ouder", [], metingen)[1:] == (13, 2, 1)


def test_zonder_hulp_is_option_three_and_four_of_all_answers() -> None:
    metingen = [meting(n, zonder_hulp=optie) for n, optie in enumerate([1, 2, 2, 3, 3, 3, 4, 4, 4, 4, None, None])]
    assert uit("zonder_hulp", [], metingen) == (10, 7, 10, 2)
    assert [uit(f"zonder_hulp_{optie}", [], metingen).teller for optie in range(1, 5)] == [1, 2, 3, 4]


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
    assert evaluate(INDICATOREN["gas_x"], {"trajecten": [], "scores": scores}, peildatum=PEILDATUM)[()].teller == 1


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
    assert set(evaluate(INDICATOREN["uitval"], tabellen, ["maand", "gemeente"], peildatum=0)) == {
        (januari, "0363"),
        (februari, "0479"),
    }
    per_cluster = evaluate(INDICATOREN["nut_gemiddelde"], tabellen, ["cluster"], peildatum=0)
    assert {groep: uitkomst.teller for groep, uitkomst in per_cluster.items()} == {
        ("Amsterdam",): 3,
        ("Zaanstreek-Waterland",): 9,
    }
    assert (
        evaluate(INDICATOREN["uitval"], tabellen, (), lambda rij: rij["einddatum"] == later, peildatum=0)[()].noemer
        == 1
    )


def test_nothing_counted_gives_no_figure() -> None:
    assert uit("uitval", []).waarde("%") is None
    assert uit("nut_gemiddelde", []).waarde("gemiddelde") is None
    assert uit("trajecten_lopend", []).waarde("aantal") == 0


def test_queries_are_of_one_table_and_scores_have_no_period() -> None:
    for ander in ("nut_hoog", "cbs_uitval"):
        with pytest.raises(ValueError, match=f"{ander} is not over trajecten of ijw"):
            sql_samen([INDICATOREN["uitval"], INDICATOREN[ander]], peildatum=0)
    with pytest.raises(ValueError, match="no date"):
        sql(INDICATOREN["gas_x"], ["maand"], peildatum=0)


def test_the_queries_read_the_database_they_are_told_and_group_as_asked() -> None:
    query = sql(INDICATOREN["nut_hoog"], ["cluster", "maand"], "datum >= '2026-01-01'", "sor_v2", peildatum=0)
    assert "FROM sor_v2.metingen FINAL" in query
    assert "FROM sor_v2.trajecten FINAL" in query
    assert "(datum >= '2026-01-01')" in query
    assert query.endswith("GROUP BY cluster, maand ORDER BY cluster, maand")


def test_a_new_start_counts_for_ends_a_year_old_and_provisionally_for_younger_ones() -> None:
    rijen = [dagen_terug(0, JAAR), dagen_terug(1, JAAR + 1, "aanbieder"), dagen_terug(2, JAAR + 2)]
    rijen += [dagen_terug(3, JAAR, "client", nieuwe_start=PEILDATUM - 100)]
    rijen += [dagen_terug(4, JAAR - 1), dagen_terug(5, 0, "wederzijds", nieuwe_start=PEILDATUM), dagen_terug(6, -1)]
    rijen += [dagen_terug(7, JAAR, "neutraal"), dagen_terug(8, JAAR - 1, "administratief"), traject(9)]
    assert uit("geen_nieuwe_start", rijen) == (4, 3, 4, 1)
    assert uit("geen_nieuwe_start_voorlopig", rijen) == (2, 1, 2, 1)
    assert "(voorlopig)" in INDICATOREN["geen_nieuwe_start_voorlopig"].titel


def test_who_comes_of_age_within_the_follow_up_is_counted_apart() -> None:
    rijen = [dagen_terug(1, JAAR, vlaggen=["TR074", "WORDT18"]), dagen_terug(2, JAAR, vlaggen=["TR074"])]
    rijen += [dagen_terug(3, JAAR - 1, vlaggen=["WORDT18"])]
    assert uit("geen_nieuwe_start_wordt18", rijen).teller == 1


def test_respons_cem_waits_ninety_days_and_leaves_out_deaths_and_long_lasting_help() -> None:
    rijen = [dagen_terug(1, RESPONS, metingen_einde=2), dagen_terug(2, RESPONS, intensiteit="intensief")]
    rijen += [dagen_terug(3, JAAR, "administratief", metingen_einde=1, intensiteit="perspectief")]
    rijen += [dagen_terug(4, RESPONS - 1, metingen_einde=1), traject(5, metingen_einde=1)]
    rijen += [dagen_terug(6, RESPONS, "neutraal", metingen_einde=1)]
    rijen += [dagen_terug(7, RESPONS, intensiteit="duurzaam", metingen_einde=1)]
    rijen += [dagen_terug(8, RESPONS, "neutraal", intensiteit="duurzaam"), dagen_terug(9, RESPONS - 1, "neutraal")]
    rijen += [dagen_terug(10, RESPONS, metingen_einde=1)]
    assert uit("respons_cem", rijen) == (4, 3, 4, 3)


def test_respons_duurzaam_is_of_the_last_whole_year_of_who_was_there_all_of_it() -> None:
    """The reference day lies in 2026, so the year is 2025."""
    duurzaam: dict[str, Any] = {"intensiteit": "duurzaam", "begindatum": day(date(2025, 1, 1))}
    eind_2025 = day(date(2025, 12, 31))
    rijen = [
        traject(1, **duurzaam, metingen_jaren=[2024, 2025]),
        traject(2, **duurzaam, metingen_jaren=[2024, 2026]),
        traject(3, **duurzaam | {"status": "beeindigd", "einddatum": eind_2025, "metingen_jaren": [2025]}),
        traject(4, **duurzaam | {"status": "beeindigd", "einddatum": eind_2025 - 1, "metingen_jaren": [2025]}),
        traject(5, **duurzaam | {"begindatum": day(date(2025, 1, 2)), "metingen_jaren": [2025]}),
        traject(6, **duurzaam | {"status": "wacht_op_start", "metingen_jaren": [2025]}),
        traject(7, **duurzaam | {"intensiteit": "", "metingen_jaren": [2025]}),
        traject(8, **duurzaam | {"status": "gepauzeerd"}),
    ]
    assert uit("respons_duurzaam", rijen) == (4, 2, 4, 0)
    assert not INDICATOREN["respons_duurzaam"].datum


def test_respons_scores_is_any_score_that_is_not_x() -> None:
    rijen = [einde(1, "gepland", gas_gescoord=1), einde(2, "client", probleem_client=3), einde(3, "administratief")]
    rijen += [einde(4, "neutraal", gas_gescoord=1), traject(5, gas_gescoord=1), einde(6, "gepland", probleem_ouder=1)]
    rijen += [einde(7, "gepland", probleem_behandelaar=2)]
    assert uit("respons_scores", rijen) == (5, 4, 5, 1)


def test_cbs_records_have_their_own_uitval_over_all_ends_also_in_almere() -> None:
    klassen = ["gepland"] * 4 + ["wederzijds", "client", "client", "aanbieder", "neutraal", "neutraal"]
    cbs = {"bron": "cbs", "gemeente": "0034", "cluster": "", "categorie": "", "reden_beeindiging": ""}
    rijen = [einde(n, klasse, **cbs) for n, klasse in enumerate(klassen)] + [traject(20, **cbs), einde(21, "client")]
    assert uit("cbs_uitval", rijen) == (10, 6, 10, 1)
    apart = [uit(f"cbs_uitval_{klasse}", rijen).teller for klasse in ("wederzijds", "client", "aanbieder", "neutraal")]
    assert apart == [1, 2, 1, 2]
    assert uit("cbs_einde_gepland", rijen).teller == 4
    assert [uit(f"cbs_trajecten_{status}", rijen).teller for status in ("beeindigd", "lopend")] == [10, 1]
    assert uit("uitval", rijen) == (1, 1, 1, 0)
    assert uit("uitval", [einde(1, "client", **cbs | {"gemeente": "0363"})]).noemer == 0


def test_marks_of_cem_and_of_cbs_do_not_mix() -> None:
    cbs = {"soort": "cbs", "gemeente": "0034", "bevestigd": True}
    metingen = [
        meting(1, nut=8, zonder_hulp=1),
        meting(2, nut=2, zonder_hulp=4, **cbs),
        meting(3, nut=9, telt=False, **cbs),
    ]
    assert uit("nut_gemiddelde", [], metingen)[1:3] == (8, 1)
    assert uit("cbs_nut_gemiddelde", [], metingen)[1:3] == (2, 1)
    assert [uit(f"cbs_nut_{band}", [], metingen).teller for band in ("laag", "midden", "hoog")] == [1, 0, 0]
    assert [uit(f"{voor}zonder_hulp", [], metingen).teller for voor in ("", "cbs_")] == [0, 1]
    assert uit("metingen_geteld", [], metingen).teller == 1
    assert uit("metingen_niet_bevestigd", [], [*metingen, meting(4), meting(5, bevestigd=True)]).teller == 2


def test_what_nobody_confirmed_says_so_and_what_somebody_confirmed_does_not() -> None:
    cem, cbs = INDICATOREN["nut_gemiddelde"], INDICATOREN["cbs_nut_gemiddelde"]
    assert (cem.merk, cem.titel) == ("P", "Nut, gemiddeld cijfer (niet bevestigd)")
    assert (cbs.merk, cbs.titel) == ("F", "Nut, gemiddeld cijfer, CBS-bestand")
    assert indicatoren(cem_bevestigd=True)["zonder_hulp"].merk == "R"
    assert INDICATOREN["zonder_hulp"].merk == "P"
    for indicator in INDICATOREN.values():
        assert (indicator.merk == "P") == ("niet bevestigd" in indicator.titel) or indicator.merk == "F"


def test_problems_reduced_is_hidden_until_somebody_says_which_scores_are_better() -> None:
    assert not [sleutel for sleutel in INDICATOREN if sleutel.endswith("verbeterd")]
    bekend = indicatoren(verbeterd=(2, 1))
    rijen = [traject(n, probleem_client=waarde) for n, waarde in enumerate([1, 2, 3, 3, None])]
    assert van(bekend["probleem_client_verbeterd"], rijen)[1:3] == (2, 4)
    assert {sleutel for sleutel in bekend if sleutel not in INDICATOREN} == {
        "probleem_behandelaar_verbeterd",
        "probleem_ouder_verbeterd",
        "probleem_client_verbeterd",
    }


def test_no_formula_asks_what_day_it_is() -> None:
    """The reference day is in the query as it was given, and nowhere else."""
    for indicator in INDICATOREN.values():
        query = sql(indicator, peildatum=PEILDATUM)
        assert "today()" not in query
        assert "now" not in query
        afhankelijk = query != sql(indicator, peildatum=PEILDATUM + 1)
        assert afhankelijk == ("peildatum" in indicator.venster), indicator.sleutel
