"""The figures over trajecten: counts, uitval, new starts, probleemafname, goals, respons; and those of CBS records."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial

from domain.field.codes import UITVAL_CLASSES
from domain.field.definitions import SHIPPED, Definitions
from domain.field.rules import BECOMES_18
from domain.field.spic import LONG_LASTING
from domain.indicators.build import ENDED, count, is_no, is_one, over_trajecten
from domain.indicators.terms import (
    AnyOf,
    Bound,
    CalendarYear,
    Clause,
    Column,
    Condition,
    Contains,
    DaysBack,
    Indicator,
    InMap,
    Part,
    Term,
)


def statuses() -> Iterable[Indicator]:
    """Trajecten as they stand now."""
    make = over_trajecten("trajecten", "", "P", now="nu")
    yield count(make, "trajecten_beeindigd", "Beëindigde trajecten", ENDED)
    yield count(make, "trajecten_lopend", "Lopende trajecten", is_one("status", "lopend"))
    yield count(make, "trajecten_gepauzeerd", "Gepauzeerde trajecten", is_one("status", "gepauzeerd"))
    name = "Beëindigd, start nog niet ontvangen"
    yield count(make, "trajecten_wacht_op_start", name, is_one("status", "wacht_op_start"))


def cbs_statuses() -> Iterable[Indicator]:
    """Records of CBS files, after merging those that overlap (CBS)."""
    make = over_trajecten("cbs_trajecten", "CBS", "F", now="nu", provenance="cbs")
    yield count(make, "cbs_trajecten_beeindigd", "Beëindigde hulp, CBS-bestand", ENDED)
    yield count(make, "cbs_trajecten_lopend", "Lopende hulp, CBS-bestand", is_one("status", "lopend"))


def uitval() -> Iterable[Indicator]:
    """Ends before their time, of those according to plan and before their time (CBS 4.2, S3)."""
    make = over_trajecten("uitval", "CBS 4.2, S3, JZ588", "R")
    denominator = Term((ENDED, is_one("uitval_klasse", "gepland", *UITVAL_CLASSES)))
    outside = Term((ENDED, is_one("uitval_klasse", "neutraal", "administratief")))
    split = {
        "uitval": ("Uitval", UITVAL_CLASSES),
        "uitval_client": ("Uitval, eenzijdig door cliënt", ("client",)),
        "uitval_aanbieder": ("Uitval, eenzijdig door aanbieder", ("aanbieder",)),
        "uitval_wederzijds": ("Uitval, in overeenstemming", ("wederzijds",)),
    }
    for key, (name, classes) in split.items():
        numerator = Term((ENDED, is_one("uitval_klasse", *classes)))
        yield make(key=key, name=name, unit="%", numerator=numerator, denominator=denominator, excluded=outside)
    for klasse, name in (
        ("gepland", "Volgens plan beëindigd"),
        ("neutraal", "Neutraal beëindigd (telt niet mee)"),
        ("administratief", "Administratief beëindigd (telt niet mee)"),
    ):
        yield count(make, f"einde_{klasse}", name, ENDED, is_one("uitval_klasse", klasse))


def cbs_uitval() -> Iterable[Indicator]:
    """Every end but *according to plan*, of all ended records (CBS 3.7); running records are left out."""
    make = over_trajecten("cbs_uitval", "CBS 3.7, CBS 4.2", "R", provenance="cbs")
    redenen = {
        "wederzijds": "02 in overeenstemming",
        "client": "03 eenzijdig door cliënt",
        "aanbieder": "04 eenzijdig door aanbieder",
        "neutraal": "05 externe omstandigheden",
    }
    denominator = Term((ENDED, is_one("uitval_klasse", "gepland", *redenen)))
    outside = Term((is_one("status", "lopend"),))
    for key, name, classes in (
        ("cbs_uitval", "Uitval, CBS-bestand", tuple(redenen)),
        *((f"cbs_uitval_{klasse}", f"Uitval, CBS-bestand: {name}", (klasse,)) for klasse, name in redenen.items()),
    ):
        numerator = Term((ENDED, is_one("uitval_klasse", *classes)))
        yield make(key=key, name=name, unit="%", numerator=numerator, denominator=denominator, excluded=outside)
    plan = (ENDED, is_one("uitval_klasse", "gepland"))
    yield count(make, "cbs_einde_gepland", "CBS-bestand: volgens plan beëindigd", *plan)


def _window(days: int) -> str:
    """A window in words; each row has its own, that of the definitions that it was made by."""
    return f"{days} dagen voor de peildatum (of de termijn waarmee de rij is gemaakt)"


def nieuwe_start(definitions: Definitions = SHIPPED) -> Iterable[Indicator]:
    """Trajecten that ended long enough ago for the answer to stand; the younger ones apart, as provisional."""
    make = over_trajecten("nieuwe_start", "CBS 4.2", "P")
    reden = is_one("reden_beeindiging", "31", "32", "33", "34")
    long_ago = (Bound("einddatum", "<=", DaysBack(0), plus="opvolging_dagen"),)
    recently = (replace(long_ago[0], side=">"), Bound("einddatum", "<=", DaysBack(0)))
    cohorts: dict[str, tuple[str, tuple[Clause, ...]]] = {
        "geen_nieuwe_start": ("Geen nieuwe start binnen de termijn", long_ago),
        "geen_nieuwe_start_voorlopig": ("Geen nieuwe start, termijn nog niet voorbij (voorlopig)", recently),
    }
    days = _window(definitions.opvolging_days)
    for key, (name, age) in cohorts.items():
        denominator = (ENDED, reden, *age)
        yield make(
            key=key, name=name, unit="%", numerator=Term((*denominator, Condition("nieuwe_start", negated=True))),
            denominator=Term(denominator), excluded=Term((ENDED, replace(reden, negated=True), *age)),
            window=f"einddatum in de periode, {'minstens' if age == long_ago else 'minder dan'} {days}",
        )  # fmt: skip
    name = "Geen nieuwe start: waarvan cliënten die binnen de termijn 18 worden"
    make = partial(make, window=f"einddatum in de periode, minstens {days}")
    yield count(make, "geen_nieuwe_start_wordt18", name, ENDED, reden, *long_ago, Contains("vlaggen", BECOMES_18))


def probleem(improved: Collection[int]) -> Iterable[Indicator]:
    """The distribution; the figure itself only once somebody has said which scores are the better ones."""
    make = over_trajecten("probleem", "S1, S3", "P")
    for beoordelaar in ("behandelaar", "ouder", "client"):
        column = f"probleem_{beoordelaar}"
        denominator, who = Term((Condition(column),)), beoordelaar.replace("client", "cliënt")
        for value in (1, 2, 3):
            name = f"Probleemafname volgens {who}, score {value} (richting niet bevestigd)"
            numerator = Term((is_one(column, value),))
            yield make(key=f"{column}_{value}", name=name, unit="%", numerator=numerator, denominator=denominator)
        if improved:
            better = Term((is_one(column, *sorted(improved)),))
            name = f"Problemen verminderd volgens {who}"
            yield make(
                key=f"{column}_verbeterd", name=name, unit="%", numerator=better, denominator=denominator, mark="R"
            )


def gas() -> Iterable[Indicator]:
    """Scores of goals, pooled over trajecten; as a second figure the mean of trajecten."""
    make = partial(over_trajecten("gas", "S1, S3", "R"), unit="%", denominator=Term((), Column("gas_gescoord")))
    yield make(key="gas_bereikt", name="Doelen bereikt", numerator=Term((), Column("gas_bereikt")))
    yield make(key="gas_deels", name="Doelen minstens deels bereikt", numerator=Term((), Column("gas_deels")))
    for value, name in (
        (-1, "slechter dan bij de start"),
        (0, "als bij de start"),
        (1, "deels bereikt"),
        (2, "bereikt"),
    ):
        numerator = Term((), InMap("gas", value))
        yield make(key=f"gas_score_{value}", name=f"Doelscore {value}: {name}", numerator=numerator)
    scored = Term((is_no("gas_gescoord", 0),))
    per_traject = Term(scored.where, Part("gas_bereikt", "gas_gescoord"))
    name = "Doelen bereikt, gemiddeld over trajecten"
    yield make(key="gas_bereikt_per_traject", name=name, numerator=per_traject, denominator=scored)
    empty = (is_one("doel", *range(1, 11)), Condition("waarde", negated=True), is_no("traject", ""))
    over_scores = partial(over_trajecten("gas", "S0", "R", now="alle"), table="scores")
    yield count(over_scores, "gas_x", "Doelscores zonder waarde (x)", *empty)


def respons(definitions: Definitions = SHIPPED) -> Iterable[Indicator]:
    """Of how many trajecten anything was heard: CEM+ at the end, CEM+ of long-lasting help, scores."""
    died, duurzaam = is_one("reden_beeindiging", "02"), is_one("intensiteit", *LONG_LASTING)
    alive, not_duurzaam = replace(died, negated=True), replace(duurzaam, negated=True)
    settled = Bound("einddatum", "<=", DaysBack(0), plus="respons_dagen")
    denominator = (ENDED, alive, not_duurzaam, settled)
    yield over_trajecten("respons_cem", "S2", "P")(
        key="respons_cem", name="Respons CEM+", unit="%",
        numerator=Term((*denominator, is_no("metingen_einde", 0))), denominator=Term(denominator),
        excluded=Term((ENDED, AnyOf((died, duurzaam)), settled)),
        window=f"einddatum in de periode, minstens {_window(definitions.respons_days)}",
    )  # fmt: skip
    all_year = (
        duurzaam,
        is_one("status", "lopend", "gepauzeerd", "beeindigd"),
        Bound("begindatum", "<=", CalendarYear("begin")),
        AnyOf((Condition("einddatum", negated=True), Bound("einddatum", ">=", CalendarYear("end")))),
    )
    year = "het laatste hele kalenderjaar voor de peildatum"
    yield over_trajecten("respons_duurzaam", "S0, S3", "P", now=year)(
        key="respons_duurzaam", name="Respons CEM+, duurzame hulp", unit="%",
        numerator=Term((*all_year, Contains("metingen_jaren", CalendarYear("year")))), denominator=Term(all_year),
    )  # fmt: skip
    scored = AnyOf(
        (is_no("gas_gescoord", 0), *(Condition(f"probleem_{who}") for who in ("behandelaar", "ouder", "client")))
    )
    ended = (ENDED, alive)
    yield over_trajecten("respons_scores", "S2", "P")(
        key="respons_scores", name="Respons scores", unit="%", numerator=Term((*ended, scored)),
        denominator=Term(ended), excluded=Term((ENDED, died)),
    )  # fmt: skip
