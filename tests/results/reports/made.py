"""Reports with made-up figures of every kind, always the same."""

from __future__ import annotations

from datetime import date
from random import Random

from results.own import OWN_INDICATORS
from results.released import Average as Released
from results.reports import almere, cem, mirror, outcomes
from results.reports.almere import Part, Portal
from results.reports.content import Average, Figure, Kind, Report, Table
from results.reports.reading import Averages
from results.uncertainty import Interval, student, wilson

#: Figures of Almere that are made up.
ALMERE = (
    *("cbs_nut_laag", "cbs_nut_midden", "cbs_nut_hoog", "cbs_nut_gemiddelde"),
    *("cbs_zonder_hulp", *(f"cbs_zonder_hulp_{option}" for option in range(1, 5))),
    *("cbs_uitval", *(f"cbs_uitval_{reason}" for reason in ("wederzijds", "client", "aanbieder", "neutraal"))),
)
QUARTERS = ("2024-K4", "2025-K1", "2025-K2", "2025-K3", "2025-K4", "2026-K1", "2026-K2", "2026-K3")


def figure(key: str, random: Random, *, released: bool = False, few: bool = False) -> Figure:
    """One figure of an indicator; ``few``: too small to be shown."""
    indicator, n = OWN_INDICATORS[key], random.randint(30, 240)
    common = {"key": key, "title": indicator.title, "unit": indicator.unit, "mark": indicator.mark}
    if indicator.unit == "aantal":
        return Figure(**common, value=random.randint(20, 1900), counted=None)
    if few:
        return Figure(**common, value=None, counted=None, hidden="<10")
    if indicator.unit == "gemiddelde":
        value, interval = 7.2 + random.random(), student(7.5 * n, 58.9 * n, n, n, Interval(1, 10))
        average = Average(7.6, counted=2410)
    else:
        k = random.randint(0, n)
        value, interval = 100 * k / n, wilson(k, n, n)
        average = Average(random.randint(5, 90), "=", 1400)
    assert interval is not None
    low, high = (None, None) if released else interval
    beside = None if released else average
    return Figure(**common, value=value, counted=n, excluded="<10", low=low, high=high, average=beside)


def shown(key: str, kind: str, period: str, **changed: object) -> Released:
    """One released figure."""
    mean = OWN_INDICATORS[key].unit == "gemiddelde"
    one = Released(
        indicator=key, periode_soort=kind, periode=period, status="voorlopig", vrijgave=2, noemer=140, teller=30,  # type: ignore[arg-type]
        vorm="=", percentage=None if mean else 21, gemiddelde=7.6 if mean else None, uitgesloten=5,
        peildatum=date(2026, 11, 15), definitie_versie=1, bevestigd=False, reden="",
    )  # fmt: skip
    return one._replace(**changed)  # type: ignore[arg-type]


def outcome_report(kind: Kind = "aanbieder", seed: int = 1, provider: str = "90000001", few: bool = False) -> Report:
    """A report of outcomes; ``few``: of a provider with hardly any clients."""
    random, released = Random(seed), kind != "aanbieder"
    keys = [key for key in OWN_INDICATORS if not key.startswith("cbs_")]
    return outcomes.report(
        outcomes.Outcomes(
            kind=kind,
            provider="" if released else provider,
            cluster="Amstelveen-Aalsmeer",
            month="2026-10",
            period="november 2025 tot en met oktober 2026",
            made_on="15 november 2026",
            figures={key: figure(key, random, released=released, few=few) for key in keys},
            quarters=() if few else tuple(f"K{quarter[-1]} {quarter[2:4]}" for quarter in QUARTERS),
            trends={}
            if few
            else {key: tuple(figure(key, random, released=released) for _ in QUARTERS) for key in outcomes.TRENDS},
            breakdown=(Table("Per gemeente", ("Gemeente", "Uitval", "n"), (("Aalsmeer", "12%", "120"),)),)
            if kind == "cluster"
            else (),
            release=3,
            quarter="2026-K3",
        )
    )


def cem_report() -> Report:
    """A Terugkoppelrapportage."""
    months = {f"{2025 + month // 12}-{month % 12 + 1:02d}": 10 + month * 7 % 31 for month in range(9, 22)}
    return cem.report(
        cem.Metingen(
            provider="90000001",
            month="2026-10",
            made_on="15 november 2026",
            total=525,
            regions=525,
            linked=498,
            latest="30-10-2026",
            lists={"CEM+_2018_OE_v1": 310, "CEM+_2018_JE_v1": 120, "CEM+_2018_OD_v1": 60, "CEM+_2019_XX_v1": 35},
            months=months,
        )
    )


def mirror_report() -> Report:
    """A spiegelrapport."""
    kinds = (mirror.PerKind("02", 120, 60, 44, 76, 30, 14), mirror.PerKind("", 3, 1, 1, 2, 0, 1))
    return mirror.report(
        mirror.HalfYear(
            provider="90000001",
            half_year="2026-H1",
            made_on="15 november 2026",
            kinds=kinds,
            ends={"gepland": 30, "client": 9, "aanbieder": 5},
            files=mirror.Files(6, 131, 2, "07-07-2026"),
            since="01-02-2024",
            clients=118,
            messages=131,
            clients_messages=125,
            absent=11,
            extra=4,
        )
    )


def almere_portal() -> Portal:
    """What a release may hold of Almere."""
    found = {
        key: tuple(
            shown(key, kind, period)
            for kind, period in (("vier_kwartalen", "2026-K3"), ("kwartaal", "2026-K3"), ("kwartaal", "2026-K2"))
        )
        for key in ALMERE
    }
    values = {
        "respondent": ("ouder",),
        "hulpvorm": ("02", "01"),
        "leeftijd": ("6 tot en met 11", "18 en ouder", "12 tot en met 17"),
    }
    parts = [
        Part(name, value, shown(key, "vier_kwartalen", "2026-K3"))
        for name, of_filter in values.items()
        for value in of_filter
        for key in ALMERE
    ]
    return Portal(Averages(3, found), tuple(parts))


def almere_report() -> Report:
    """The report of Almere."""
    report = almere.report(almere_portal(), "2026-10", "15 november 2026")
    assert report is not None
    return report
