"""The figures over trajecten: counts, uitval, new starts, probleemafname, goals, respons; and those of CBS records."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial

from domain.field.codes import UITVAL_KLASSEN
from domain.field.definitions import OPVOLGING_DAGEN, RESPONS_DAGEN
from domain.field.rules import WORDT_18
from domain.indicators.build import BEEINDIGD, aantal, is_een, is_geen, over_trajecten
from domain.indicators.terms import (
    Bevat,
    Conditie,
    DagenTerug,
    Deel,
    Grens,
    Indicator,
    InKaart,
    Kalenderjaar,
    Kolom,
    Of,
    Term,
    Voorwaarde,
)


def statussen() -> Iterable[Indicator]:
    """Trajecten as they stand now."""
    maak = over_trajecten("trajecten", "", "P", nu="nu")
    yield aantal(maak, "trajecten_beeindigd", "Beëindigde trajecten", BEEINDIGD)
    yield aantal(maak, "trajecten_lopend", "Lopende trajecten", is_een("status", "lopend"))
    yield aantal(maak, "trajecten_gepauzeerd", "Gepauzeerde trajecten", is_een("status", "gepauzeerd"))
    wacht = "Beëindigd, start nog niet ontvangen"
    yield aantal(maak, "trajecten_wacht_op_start", wacht, is_een("status", "wacht_op_start"))


def cbs_statussen() -> Iterable[Indicator]:
    """Records of CBS files, after merging those that overlap (CBS)."""
    maak = over_trajecten("cbs_trajecten", "CBS", "F", nu="nu", herkomst="cbs")
    yield aantal(maak, "cbs_trajecten_beeindigd", "Beëindigde hulp, CBS-bestand", BEEINDIGD)
    yield aantal(maak, "cbs_trajecten_lopend", "Lopende hulp, CBS-bestand", is_een("status", "lopend"))


def uitval() -> Iterable[Indicator]:
    """Ends before their time, of those according to plan and before their time (CBS 4.2, S3)."""
    maak = over_trajecten("uitval", "CBS 4.2, S3, JZ588", "R")
    noemer = Term((BEEINDIGD, is_een("uitval_klasse", "gepland", *UITVAL_KLASSEN)))
    buiten = Term((BEEINDIGD, is_een("uitval_klasse", "neutraal", "administratief")))
    splitsing = {
        "uitval": ("Uitval", UITVAL_KLASSEN),
        "uitval_client": ("Uitval, eenzijdig door cliënt", ("client",)),
        "uitval_aanbieder": ("Uitval, eenzijdig door aanbieder", ("aanbieder",)),
        "uitval_wederzijds": ("Uitval, in overeenstemming", ("wederzijds",)),
    }
    for sleutel, (naam, klassen) in splitsing.items():
        teller = Term((BEEINDIGD, is_een("uitval_klasse", *klassen)))
        yield maak(sleutel=sleutel, naam=naam, eenheid="%", teller=teller, noemer=noemer, uitgesloten=buiten)
    for klasse, naam in (
        ("gepland", "Volgens plan beëindigd"),
        ("neutraal", "Neutraal beëindigd (telt niet mee)"),
        ("administratief", "Administratief beëindigd (telt niet mee)"),
    ):
        yield aantal(maak, f"einde_{klasse}", naam, BEEINDIGD, is_een("uitval_klasse", klasse))


def cbs_uitval() -> Iterable[Indicator]:
    """Every end but *according to plan*, of all ended records (CBS 3.7); running records are left out."""
    maak = over_trajecten("cbs_uitval", "CBS 3.7, CBS 4.2", "R", herkomst="cbs")
    redenen = {
        "wederzijds": "02 in overeenstemming",
        "client": "03 eenzijdig door cliënt",
        "aanbieder": "04 eenzijdig door aanbieder",
        "neutraal": "05 externe omstandigheden",
    }
    noemer = Term((BEEINDIGD, is_een("uitval_klasse", "gepland", *redenen)))
    buiten = Term((is_een("status", "lopend"),))
    for sleutel, naam, klassen in (
        ("cbs_uitval", "Uitval, CBS-bestand", tuple(redenen)),
        *((f"cbs_uitval_{klasse}", f"Uitval, CBS-bestand: {naam}", (klasse,)) for klasse, naam in redenen.items()),
    ):
        teller = Term((BEEINDIGD, is_een("uitval_klasse", *klassen)))
        yield maak(sleutel=sleutel, naam=naam, eenheid="%", teller=teller, noemer=noemer, uitgesloten=buiten)
    plan = (BEEINDIGD, is_een("uitval_klasse", "gepland"))
    yield aantal(maak, "cbs_einde_gepland", "CBS-bestand: volgens plan beëindigd", *plan)


def nieuwe_start() -> Iterable[Indicator]:
    """Trajecten that ended long enough ago for the answer to stand; the younger ones apart, as provisional."""
    maak = over_trajecten("nieuwe_start", "CBS 4.2", "P")
    reden = is_een("reden_beeindiging", "31", "32", "33", "34")
    lang = (Grens("einddatum", "<=", DagenTerug(OPVOLGING_DAGEN)),)
    kort = (Grens("einddatum", ">", DagenTerug(OPVOLGING_DAGEN)), Grens("einddatum", "<=", DagenTerug(0)))
    jong = f"Geen nieuwe start, einde nog geen {OPVOLGING_DAGEN} dagen geleden (voorlopig)"
    cohorten: dict[str, tuple[str, tuple[Conditie, ...]]] = {
        "geen_nieuwe_start": (f"Geen nieuwe start binnen {OPVOLGING_DAGEN} dagen", lang),
        "geen_nieuwe_start_voorlopig": (jong, kort),
    }
    dagen = f"{OPVOLGING_DAGEN} dagen voor de peildatum"
    for sleutel, (naam, leeftijd) in cohorten.items():
        noemer = (BEEINDIGD, reden, *leeftijd)
        yield maak(
            sleutel=sleutel, naam=naam, eenheid="%", teller=Term((*noemer, Voorwaarde("nieuwe_start", niet=True))),
            noemer=Term(noemer), uitgesloten=Term((BEEINDIGD, replace(reden, niet=True), *leeftijd)),
            venster=f"einddatum in de periode, {'minstens' if leeftijd == lang else 'minder dan'} {dagen}",
        )  # fmt: skip
    naam = "Geen nieuwe start: waarvan cliënten die binnen de termijn 18 worden"
    maak = partial(maak, venster=f"einddatum in de periode, minstens {dagen}")
    yield aantal(maak, "geen_nieuwe_start_wordt18", naam, BEEINDIGD, reden, *lang, Bevat("vlaggen", WORDT_18))


def probleem(verbeterd: Collection[int]) -> Iterable[Indicator]:
    """The distribution; the figure itself only once somebody has said which scores are the better ones."""
    maak = over_trajecten("probleem", "S1, S3", "P")
    for beoordelaar in ("behandelaar", "ouder", "client"):
        kolom = f"probleem_{beoordelaar}"
        noemer, wie = Term((Voorwaarde(kolom),)), beoordelaar.replace("client", "cliënt")
        for waarde in (1, 2, 3):
            naam = f"Probleemafname volgens {wie}, score {waarde} (richting niet bevestigd)"
            teller = Term((is_een(kolom, waarde),))
            yield maak(sleutel=f"{kolom}_{waarde}", naam=naam, eenheid="%", teller=teller, noemer=noemer)
        if verbeterd:
            beter = Term((is_een(kolom, *sorted(verbeterd)),))
            naam = f"Problemen verminderd volgens {wie}"
            yield maak(sleutel=f"{kolom}_verbeterd", naam=naam, eenheid="%", teller=beter, noemer=noemer, merk="R")


def gas() -> Iterable[Indicator]:
    """Scores of goals, pooled over trajecten; as a second figure the mean of trajecten."""
    maak = partial(over_trajecten("gas", "S1, S3", "R"), eenheid="%", noemer=Term((), Kolom("gas_gescoord")))
    yield maak(sleutel="gas_bereikt", naam="Doelen bereikt", teller=Term((), Kolom("gas_bereikt")))
    yield maak(sleutel="gas_deels", naam="Doelen minstens deels bereikt", teller=Term((), Kolom("gas_deels")))
    for waarde, naam in (
        (-1, "slechter dan bij de start"),
        (0, "als bij de start"),
        (1, "deels bereikt"),
        (2, "bereikt"),
    ):
        teller = Term((), InKaart("gas", waarde))
        yield maak(sleutel=f"gas_score_{waarde}", naam=f"Doelscore {waarde}: {naam}", teller=teller)
    gescoord = Term((is_geen("gas_gescoord", 0),))
    per_traject = Term(gescoord.waar, Deel("gas_bereikt", "gas_gescoord"))
    naam = "Doelen bereikt, gemiddeld over trajecten"
    yield maak(sleutel="gas_bereikt_per_traject", naam=naam, teller=per_traject, noemer=gescoord)
    leeg = (is_een("doel", *range(1, 11)), Voorwaarde("waarde", niet=True), is_geen("traject", ""))
    zonder = partial(over_trajecten("gas", "S0", "R", nu="alle"), tabel="scores")
    yield aantal(zonder, "gas_x", "Doelscores zonder waarde (x)", *leeg)


def respons() -> Iterable[Indicator]:
    """Of how many trajecten anything was heard: CEM+ at the end, CEM+ of long-lasting help, scores."""
    overleden, duurzaam = is_een("reden_beeindiging", "02"), is_een("intensiteit", "duurzaam")
    levend, tijdelijk = replace(overleden, niet=True), replace(duurzaam, niet=True)
    lang = Grens("einddatum", "<=", DagenTerug(RESPONS_DAGEN))
    noemer = (BEEINDIGD, levend, tijdelijk, lang)
    yield over_trajecten("respons_cem", "S2", "P")(
        sleutel="respons_cem", naam="Respons CEM+", eenheid="%",
        teller=Term((*noemer, is_geen("metingen_einde", 0))), noemer=Term(noemer),
        uitgesloten=Term((BEEINDIGD, Of((overleden, duurzaam)), lang)),
        venster=f"einddatum in de periode, minstens {RESPONS_DAGEN} dagen voor de peildatum",
    )  # fmt: skip
    heel = (
        duurzaam,
        is_een("status", "lopend", "gepauzeerd", "beeindigd"),
        Grens("begindatum", "<=", Kalenderjaar("begin")),
        Of((Voorwaarde("einddatum", niet=True), Grens("einddatum", ">=", Kalenderjaar("einde")))),
    )
    jaar = "het laatste hele kalenderjaar voor de peildatum"
    yield over_trajecten("respons_duurzaam", "S0, S3", "P", nu=jaar)(
        sleutel="respons_duurzaam", naam="Respons CEM+, duurzame hulp", eenheid="%",
        teller=Term((*heel, Bevat("metingen_jaren", Kalenderjaar("jaar")))), noemer=Term(heel),
    )  # fmt: skip
    gescoord = Of(
        (is_geen("gas_gescoord", 0), *(Voorwaarde(f"probleem_{wie}") for wie in ("behandelaar", "ouder", "client")))
    )
    alle = (BEEINDIGD, levend)
    yield over_trajecten("respons_scores", "S2", "P")(
        sleutel="respons_scores", naam="Respons scores", eenheid="%", teller=Term((*alle, gescoord)),
        noemer=Term(alle), uitgesloten=Term((BEEINDIGD, overleden)),
    )  # fmt: skip
