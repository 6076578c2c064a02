"""Dutch words of the reports, each once. Names of figures and what they say stand with the indicators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from domain.field.words import enumerated

SERVICE: Final = "Sturen op Resultaat"
NOT_TO_ACCOUNT: Final = (
    "Geen verantwoordingsinstrument: de cijfers zijn er om samen over te praten. Niemand wordt erop afgerekend; "
    "aanbieders helpen andere jeugdigen op een andere manier, en een verschil zegt niet wie beter is."
)
NOTHING: Final = "–"
INDICATOR: Final = "Cijfer"
VALUE: Final = "Waarde"
INTERVAL: Final = "95%-interval"
AVERAGE: Final = "Gemiddelde"
COUNTED: Final = "n"
EXCLUDED: Final = "Telt niet mee"
GROUP: Final = "Groep"
PERIOD: Final = "Periode"
MONTH: Final = "Maand"
MARK: Final = "Cijfer"
OWN: Final = "Eigen"
NUMBER: Final = "Aantal"
AS_TABLE: Final = "Toon als tabel"
PAGE_OF: Final = "van"
READING: Final = "Hoe u dit leest"

TITLES: Final[dict[str, str]] = {
    "aanbieder": "Resultaten van uw organisatie",
    "gemiddelde": "Clustergemiddelde",
    "cluster": "Resultaten van het cluster",
    "gemeente": "Resultaten van jeugdhulp",
    "cem": "Terugkoppelrapportage CEM+",
    "spiegel": "Spiegelrapport CBS-bestand",
}
#: Cuts of a release that the report of a cluster shows, with their heads.
CUTS: Final[dict[str, tuple[str, str]]] = {
    "gemeente": ("Per gemeente", "Gemeente"),
    "categorie": ("Per productcategorie", "Productcategorie"),
    "leeftijd": ("Per leeftijd", "Leeftijd"),
    "geslacht": ("Per geslacht", "Geslacht"),
}
STATUS: Final = "Status"
RELEASE_COUNTS: Final = (
    "Een vrijgave telt elk kind een keer: van de metingen bij een traject telt er een, en een doel telt met zijn "
    "traject."
)
#: Sections of the report of outcomes, in its order.
SATISFACTION: Final = "Cliënttevredenheid"
GOALS: Final = "Doelrealisatie"
DROP_OUT: Final = "Uitval"
RESPONSE: Final = "Respons"
BREAKDOWN: Final = "Uitgesplitst"
NOTHING_COUNTED: Final = "Er is in deze periode niets geteld."
REST: Final = "Overige cijfers"

#: Titles of charts.
NUT_MEAN: Final = "Nut van de hulp: gemiddeld cijfer (1 tot en met 10)"
NUT_TREND: Final = "Nut van de hulp: gemiddeld cijfer per kwartaal"
NUT_BANDS: Final = "Nut van de hulp: aandeel per band"
NUT_MARKS: Final = "Nut van de hulp: aandeel per cijfer"
BANDS: Final = ("4 of lager", "5 tot en met 7", "8 of hoger")
WHO: Final[dict[str, str]] = {"": "Allen", "_jeugdige": "Jeugdigen", "_ouder": "Ouders"}
ON_ONE_OWN: Final = "Zonder hulp verder kunnen: aandeel per antwoord"
OPTIONS: Final[dict[str, str]] = {
    "zonder_hulp_1": "dezelfde of zwaardere hulp",
    "zonder_hulp_2": "lichtere hulp",
    "zonder_hulp_3": "nu geen hulp",
    "zonder_hulp_4": "geen hulp meer",
}
SAYS_UNCONFIRMED: Final = "niet bevestigd"
#: Names of figures where there is little room: in a drawing and above a column.
SHORT: Final[dict[str, str]] = {
    "geen_nieuwe_start": "Geen nieuwe start (niet bevestigd)",
    "gas_helft_bereikt": "Helft van doelen bereikt (niet bevestigd)",
    "gas_helft_deels": "Helft van doelen deels bereikt (niet bevestigd)",
    "gas_bereikt_per_traject": "Doelen bereikt, per traject",
}
#: The same for figures of a release.
RELEASED_SHORT: Final[dict[str, str]] = {
    "nut_gemiddelde": "Nut, cijfer (niet bevestigd)",
    "zonder_hulp": "Zonder hulp (niet bevestigd)",
    "gas_bereikt": "Helft doelen bereikt (niet bevestigd)",
    "respons_cem": "Respons (niet bevestigd)",
}
GOALS_REACHED: Final = "Doelen gerealiseerd en geen nieuwe start"
GOAL_SCORES: Final = "Doelscores (GAS): aandeel per score"
RATERS: Final[dict[str, str]] = {"behandelaar": "Behandelaar", "ouder": "Ouder", "client": "Cliënt"}
PROBLEM_SCORES: Final = "Probleemafname: aandeel per score (richting niet bevestigd)"
SCORE: Final = "score"
ANSWER: Final = "antwoord"
DROP_OUT_REASONS: Final = "Uitval: samen en per reden"
DROP_OUT_TREND: Final = "Uitval per kwartaal"
RESPONSE_BARS: Final = "Respons"
RESPONSE_TREND: Final = "Respons CEM+ per kwartaal"
COUNTS: Final = "Aantallen"

NO_AVERAGE: Final = "Er is voor dit cluster nog geen gemiddelde vrijgegeven; het staat hier zodra dat er is."
UNCONFIRMED: Final = (
    "Wat niet bevestigd is, staat er zo bij: het is een voorstel tot iemand het bevestigt. Wat de vragen van de CEM+ "
    "betekenen, staat in een protocol dat niet openbaar is."
)
INTERVALS: Final = (
    "De streep bij een staaf is het 95%-interval: zo ver kan het cijfer bij toeval van het werkelijke liggen. Van "
    "minder cliënten is het wijder. De ruit is het clustergemiddelde."
)
EVENT_TIME: Final = (
    "Een cijfer telt op de dag waarop iets gebeurde, niet op de dag waarop het bericht binnenkwam. Een correctie "
    "verandert dus ook een voorbije periode."
)
CHART_TABLE: Final = "De tabel eronder geeft dezelfde cijfers."

_MONTHS: Final = (
    *("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober"),
    *("november", "december"),
)


def month_text(month: str) -> str:
    """``2026-10`` as people write it."""
    year, number = month.split("-")
    return f"{_MONTHS[int(number) - 1]} {year}"


def day_text(day: date) -> str:
    """A day as people write it."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def quarter_text(quarter: str) -> str:
    """``2026-K3`` as people write it."""
    year, number = quarter.split("-K")
    return f"{number}e kwartaal {year}"


def quarter_short(quarter: str) -> str:
    """``2026-K3`` below a chart."""
    return f"K{quarter[6]} {quarter[2:4]}"


def half_year_text(half_year: str) -> str:
    """``2026-H1`` as people write it."""
    year, number = half_year.split("-H")
    return f"{'januari tot en met juni' if number == '1' else 'juli tot en met december'} {year}"


def twelve_months(first: str, last: str) -> str:
    """The period of a report of outcomes."""
    return f"{month_text(first)} tot en met {month_text(last)}"


def provider(agb: str) -> str:
    """Whose report it is; empty for none."""
    return f"aanbieder {agb}" if agb else ""


def cluster(name: str) -> str:
    """The cluster; empty for none."""
    return f"cluster {name}" if name else ""


def gemeente(name: str) -> str:
    """The municipality; empty for none."""
    return f"gemeente {name}" if name else ""


def averages_of(release: int, quarter: str) -> str:
    """What the averages are of: closed quarters, while one's own period ends with the month."""
    return (
        f"Het clustergemiddelde is van vrijgave {release}, over de vier kwartalen tot en met het "
        f"{quarter_text(quarter)}, van alle cliënten van alle aanbieders in het cluster samen, de eigen "
        "inbegrepen. Het is afgerond."
    )


def averages_older(quarter: str, titles: Sequence[str]) -> str:
    """Figures that are known only some time after the event."""
    return f"Tot en met het {quarter_text(quarter)} is het gemiddelde van: {enumerated(titles)}."


def released(release: int, quarter: str) -> str:
    """What a report of released figures alone is of."""
    return (
        f"Vrijgave {release}, over de vier kwartalen tot en met het {quarter_text(quarter)}, van alle aanbieders in "
        "het cluster samen. Aantallen zijn afgerond; cijfers van kleine groepen ontbreken."
    )


def four_quarters(quarter: str) -> str:
    """The period of a report of released figures."""
    return f"vier kwartalen tot en met het {quarter_text(quarter)}"


def status_note(status: str) -> str:
    """How far released figures may still change."""
    return f"Status van deze cijfers: {status}."


def chart_described(title: str, first: str, rest: int) -> str:
    """What a chart says, for who cannot see it."""
    more = f" en nog {rest}" if rest else ""
    return f"{title}. {first}{more}. {CHART_TABLE}"


def mail_lines(title: str, subtitle: str, files: int) -> list[str]:
    """What the mail with a report says."""
    average = ["Het clustergemiddelde staat in een eigen bestand.", ""] if files > 1 else []
    return [
        f"Bijgaand: {title}, {subtitle}.",
        "",
        *average,
        NOT_TO_ACCOUNT,
        "",
        "Bewaar het zelf als u het later nog wilt zien: de monitor bewaart rapporten een beperkte tijd.",
    ]


def footer(subtitle: str) -> str:
    """At the foot of each page."""
    return f"{SERVICE} · {subtitle}"


def made_on(day: str) -> str:
    """When a report was made."""
    return f"Gemaakt op {day}."


def question(code: str) -> str:
    """A question of a questionnaire."""
    return f"Vraag {code}"


def answers_of(title: str) -> str:
    """The title of the answers about one subject."""
    return f"{title}: aandeel per antwoord"


def unconfirmed(title: str) -> str:
    """A title above what nobody has confirmed."""
    return title if SAYS_UNCONFIRMED in title else f"{title} ({SAYS_UNCONFIRMED})"
