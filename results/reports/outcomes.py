"""Reports of outcomes: own figures beside the average, the average alone, and the cluster for the contract manager.

All three have the sections that S1 names: CEM+, doelrealisatie, uitval, and the respons behind them. Pure: figures come
in by the key of their indicator, with what is not to be shown left out already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.indicators import answers
from domain.indicators.catalogue import INDICATORS
from results.reports import words
from results.reports.content import (
    Bands,
    Bars,
    Block,
    Columns,
    Figure,
    Figures,
    Kind,
    Report,
    Section,
    Table,
    Text,
    Trend,
    of_block,
)

_DROP_OUT = ("uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds")
_REACHED = (
    *("zonder_hulp", "geen_nieuwe_start", "gas_helft_bereikt", "gas_helft_deels"),
    *("gas_bereikt", "gas_deels", "gas_bereikt_per_traject"),
)
_APART = ("_jeugdige", "_ouder")
_RESPONSE = ("respons_cem", "respons_duurzaam", "respons_scores")
_COUNTS = (
    *("trajecten_lopend", "trajecten_gepauzeerd", "trajecten_beeindigd", "trajecten_wacht_op_start"),
    *("einde_gepland", "einde_neutraal", "einde_administratief"),
)
#: Indicators whose course over the quarters a report shows.
TRENDS = ("nut_gemiddelde", "uitval", "respons_cem")


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What a report of outcomes is made of. ``figures``: by key of ``INDICATORS``, over the period of the report.

    ``trends``: the same per quarter, as long as ``quarters``. ``breakdown``: tables that come after the sections, such
    as of the municipalities of a cluster. ``quarter``: the last of the four that the averages are over.
    """

    kind: Kind
    provider: str
    cluster: str
    month: str
    period: str
    made_on: str
    figures: Mapping[str, Figure]
    quarters: tuple[str, ...] = ()
    trends: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)
    breakdown: tuple[Table, ...] = ()
    release: int = 0
    quarter: str = ""
    notes: tuple[str, ...] = ()


def report(given: Outcomes) -> Report:
    """The report, without the sections of which there is nothing."""
    sections = (
        _satisfaction(given),
        *_care(given),
        _goals(given),
        _drop_out(given),
        _response(given),
        *([Section(words.BREAKDOWN, given.breakdown)] if given.breakdown else ()),
    )
    return Report(
        kind=given.kind,
        title=words.TITLES[given.kind],
        provider=given.provider,
        cluster=given.cluster,
        month=given.month,
        period=given.period,
        made_on=given.made_on,
        sections=tuple(section for section in (*sections, _rest(given, sections)) if section.blocks),
        notes=(*_notes(given), *given.notes),
        release=given.release,
    )


def _notes(given: Outcomes) -> Iterable[str]:
    if given.kind == "aanbieder":
        yield words.averages_of(given.release, given.quarter) if given.release else words.NO_AVERAGE
        yield words.INTERVALS
    else:
        yield words.released(given.release, given.quarter)
    yield words.EVENT_TIME
    if any(figure.mark == "P" for figure in given.figures.values()):
        yield words.UNCONFIRMED


def _some(given: Outcomes, keys: Iterable[str]) -> tuple[Figure, ...]:
    return tuple(given.figures[key] for key in keys if key in given.figures)


def _satisfaction(given: Outcomes) -> Section:
    means = _some(given, (f"nut_gemiddelde{who}" for who in words.WHO))
    marks = _some(given, (f"nut_{mark}" for mark in range(1, 11)))
    return Section(
        words.SATISFACTION,
        (
            *_figures(words.NUT_MEAN, means),
            *_trend(given, words.NUT_TREND, "nut_gemiddelde"),
            *_bands(given),
            *_columns(words.NUT_MARKS, words.MARK, [str(mark) for mark in range(1, 11)], marks),
        ),
    )


def _figures(title: str, figures: tuple[Figure, ...]) -> Iterable[Block]:
    if figures:
        yield Figures(title, figures)


def _bars(title: str, figures: tuple[Figure, ...], labels: Mapping[str, str] | None = None) -> Iterable[Block]:
    """``labels``: shorter names for the drawing, by key."""
    if any(figure.value is not None for figure in figures):
        short = tuple((labels or {}).get(figure.key, figure.title) for figure in figures)
        unsaid = [one for one, label in zip(figures, short, strict=True) if words.SAYS_UNCONFIRMED not in label]
        yield Bars(_marked(title, unsaid), figures, short if labels else ())
    elif figures:
        yield Figures(title, figures)


def _marked(title: str, figures: Sequence[Figure]) -> str:
    """A title above figures that it does not name one by one: what nobody has confirmed says so."""
    return words.unconfirmed(title) if any(figure.mark == "P" for figure in figures) else title


def _care(given: Outcomes) -> Iterable[Section]:
    """Reaching help, being met and working together: the share of each answer to each question (S0)."""
    for subject, questions in answers.ANSWERS.items():
        rows = []
        for code, indicators in questions.items():
            shares = _some(given, (one.key for one in indicators))
            if len(shares) == len(indicators) and shares[0].counted:
                rows.append((words.question(code), shares))
        if rows:
            names = tuple(f"{words.ANSWER} {number}" for number in range(1, len(rows[0][1]) + 1))
            title = answers.CARE_SUBJECTS[subject]
            yield Section(title, (Bands(_marked(words.answers_of(title), rows[0][1]), names, tuple(rows)),))


def _columns(title: str, head: str, labels: Sequence[str], figures: tuple[Figure, ...]) -> Iterable[Block]:
    if len(figures) == len(labels) and any(figure.value is not None for figure in figures):
        yield Columns(_marked(title, figures), head, tuple(labels), figures)


def _bands(given: Outcomes) -> Iterable[Block]:
    rows = []
    for who, name in words.WHO.items():
        shares = _some(given, (f"nut_{band}{who}" for band in ("laag", "midden", "hoog")))
        if len(shares) == len(words.BANDS):
            rows.append((name, shares))
    if any(share.value is not None for _, shares in rows for share in shares):
        yield Bands(_marked(words.NUT_BANDS, rows[0][1]), words.BANDS, tuple(rows))


def _trend(given: Outcomes, title: str, key: str) -> Iterable[Block]:
    figures = given.trends.get(key, ())
    if sum(figure.value is not None or figure.average is not None for figure in figures) > 1:
        yield Trend(_marked(title, figures), given.quarters, figures)


def _goals(given: Outcomes) -> Section:
    options = _some(given, (f"zonder_hulp_{option}" for option in range(1, 5)))
    scores = _some(given, (f"gas_score_{score}" for score in (-1, 0, 1, 2)))
    return Section(
        words.GOALS,
        (
            *_bars(words.GOALS_REACHED, _some(given, _REACHED), words.SHORT),
            *_bars(words.ON_ONE_OWN, options, words.OPTIONS),
            *_columns(words.GOAL_SCORES, words.SCORE.capitalize(), ("−1", "0", "1", "2"), scores),
            *_problems(given),
        ),
    )


def _problems(given: Outcomes) -> Iterable[Block]:
    rows = []
    for rater, name in words.RATERS.items():
        shares = _some(given, (f"probleem_{rater}_{value}" for value in (1, 2, 3)))
        if len(shares) == 3:
            rows.append((name, shares))
    if any(share.value is not None for _, shares in rows for share in shares):
        yield Bands(
            _marked(words.PROBLEM_SCORES, rows[0][1]),
            tuple(f"{words.SCORE} {value}" for value in (1, 2, 3)),
            tuple(rows),
        )


def _drop_out(given: Outcomes) -> Section:
    blocks = (
        *_bars(words.DROP_OUT_REASONS, _some(given, _DROP_OUT)),
        *_trend(given, words.DROP_OUT_TREND, "uitval"),
    )
    return Section(words.DROP_OUT, blocks)


def _response(given: Outcomes) -> Section:
    blocks = (
        *_bars(words.RESPONSE_BARS, _some(given, _RESPONSE)),
        *_trend(given, words.RESPONSE_TREND, "respons_cem"),
        *_figures(words.COUNTS, _some(given, _COUNTS)),
    )
    return Section(words.RESPONSE, blocks)


def _rest(given: Outcomes, sections: Iterable[Section]) -> Section:
    """Every figure that stands nowhere yet; marks of youth and parents apart stand in the JSON document only."""
    shown = {figure.key for section in sections for block in section.blocks for figure in of_block(block)}
    keys = [key for key in INDICATORS if key in given.figures and key not in shown and not key.endswith(_APART)]
    if not given.figures:
        return Section(words.REST, (Text(words.NOTHING_COUNTED),))
    return Section(words.REST, tuple(_figures(words.REST, _some(given, keys))))
