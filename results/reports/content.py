"""What a report holds, before anything is drawn: sections of text, figures, charts and tables. Pure.

A page, a PDF and a JSON document are made from the same ``Report``, so that they cannot differ. Numbers are as a reader
may see them: what is too small is None here already, with why (``Figure.hidden``). Of every chart there is a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from domain.indicators.terms import Unit
from results.reports import words

Kind = Literal["aanbieder", "gemiddelde", "cluster", "gemeente", "cem", "spiegel"]
#: How a released number is meant: as it is, at most, at least (``results.release.model.Form``).
Form = Literal["=", "<=", ">="]
_SIGNS: Final[dict[Form, str]] = {"=": "", "<=": "≤ ", ">=": "≥ "}


def number_text(value: float, decimals: int = 1) -> str:
    """A number as Dutch readers write it: a comma, and a full stop between thousands."""
    return f"{value:,.{decimals}f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def value_text(value: float | None, unit: Unit) -> str:
    """A figure with its unit; a dash where there is none."""
    if value is None:
        return words.NOTHING
    if unit == "aantal":
        return number_text(value, 0)
    return number_text(value) + ("%" if unit == "%" else "")


class Average(NamedTuple):
    """The released figure that stands beside one's own: percentage 0..100 or mean."""

    value: float
    form: Form = "="
    counted: int = 0

    def text(self, unit: Unit) -> str:
        """As a reader sees it: released percentages are whole."""
        return _SIGNS[self.form] + (f"{self.value:.0f}%" if unit == "%" else value_text(self.value, unit))


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure. ``value``: percentage 0..100, mean or count; None = not shown, and ``hidden`` says why.

    ``low`` and ``high``: the 95% interval, None where there is none. ``counted``: n, None when it is too small to be
    told. ``excluded``: rows left out as a reader sees them. ``form``: a released figure may be a bound; ``whole``: its
    percentage has no decimals. ``mark``: F, R or P, as the indicator has it.
    """

    key: str
    title: str
    unit: Unit
    value: float | None
    counted: float | None
    excluded: str = ""
    low: float | None = None
    high: float | None = None
    average: Average | None = None
    form: Form = "="
    whole: bool = False
    hidden: str = ""
    mark: str = "F"

    @property
    def text(self) -> str:
        """The figure as a reader sees it."""
        if self.value is None:
            return self.hidden or words.NOTHING
        if self.whole and self.unit == "%":
            return f"{_SIGNS[self.form]}{self.value:.0f}%"
        return _SIGNS[self.form] + value_text(self.value, self.unit)

    @property
    def counted_text(self) -> str:
        """What it was counted over; a count has none but itself."""
        if self.unit == "aantal":
            return ""
        return self.hidden or words.NOTHING if self.counted is None else number_text(self.counted, 0)

    @property
    def interval_text(self) -> str:
        """The 95% interval; empty where there is none."""
        if self.low is None or self.high is None or self.value is None:
            return ""
        return f"{number_text(self.low)}–{number_text(self.high)}"

    @property
    def average_text(self) -> str:
        """The released average beside it; empty where none is released."""
        return self.average.text(self.unit) if self.average else ""


class Table(NamedTuple):
    """Heads and rows of text; the first column names its row, the others are read as numbers."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Figures:
    """Figures below each other."""

    title: str
    figures: tuple[Figure, ...]

    def table(self) -> Table:
        """With n, interval and average, where any of them has one; what was left out likewise."""
        counts = all(one.unit == "aantal" for one in self.figures)
        columns = [
            (words.INDICATOR, [one.title for one in self.figures]),
            (words.NUMBER if counts else words.VALUE, [one.text for one in self.figures]),
            (words.INTERVAL, [one.interval_text for one in self.figures]),
            (words.AVERAGE, [one.average_text for one in self.figures]),
            (words.COUNTED, [one.counted_text for one in self.figures]),
            (words.EXCLUDED, [one.excluded for one in self.figures]),
        ]
        kept = [column for column in columns if any(column[1])]
        return Table(
            self.title, tuple(head for head, _ in kept), tuple(zip(*(cells for _, cells in kept), strict=True))
        )


@dataclass(frozen=True)
class Bars:
    """Percentages below each other, each with its interval and the released average as a mark. ``labels``: shorter
    names for the drawing, where the titles are long.
    """

    title: str
    figures: tuple[Figure, ...]
    labels: tuple[str, ...] = ()

    def table(self) -> Table:
        """The same figures."""
        return Figures(self.title, self.figures).table()


@dataclass(frozen=True)
class Bands:
    """Shares that together are all, one row for each group: the figures of a row in the order of ``names``."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Figure, ...]], ...]

    def table(self) -> Table:
        """One row for each group."""
        heads = (words.GROUP, *self.names, words.COUNTED)
        rows = ((name, *(one.text for one in shares), shares[0].counted_text) for name, shares in self.rows)
        return Table(self.title, heads, tuple(rows))


@dataclass(frozen=True)
class Columns:
    """A distribution: shares or counts beside each other, with a short label for each; ``head`` says of what."""

    title: str
    head: str
    labels: tuple[str, ...]
    figures: tuple[Figure, ...]

    def table(self) -> Table:
        """One row for each column; what was left out is the same for all of them."""
        found = Figures(self.title, self.figures).table()
        kept = [place for place, head in enumerate(found.heads) if place and head != words.EXCLUDED]
        rows = tuple(
            (label, *(row[place] for place in kept)) for label, row in zip(self.labels, found.rows, strict=True)
        )
        return Table(self.title, (self.head, *(found.heads[place] for place in kept)), rows)


@dataclass(frozen=True)
class Trend:
    """One figure over periods that follow each other: own with its band, the released average dashed."""

    title: str
    labels: tuple[str, ...]
    figures: tuple[Figure, ...]

    def table(self) -> Table:
        """One row for each period."""
        found = Figures(self.title, self.figures).table()
        rows = tuple((label, *row[1:]) for label, row in zip(self.labels, found.rows, strict=True))
        return Table(self.title, (words.PERIOD, *found.heads[1:]), rows)


Chart = Bars | Bands | Columns | Trend
Block = Text | Figures | Table | Chart


@dataclass(frozen=True)
class Section:
    """A part of a report with its own heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report. ``provider``: AGB code, empty for a cluster; ``month``: ``2026-10``, for a half year its last month.
    ``gemeente``: its name, of a report about one that is in no cluster.

    ``made_on``: the day as people write it. ``release``: number of the release that the averages are of, 0 = none.
    """

    kind: Kind
    title: str
    provider: str
    cluster: str
    month: str
    period: str
    made_on: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = field(default=())
    release: int = 0
    gemeente: str = ""

    @property
    def name(self) -> str:
        """What its file is called, without an ending: no name of a person is in it."""
        parts = ("sor", self.kind, self.provider, slug(self.cluster or self.gemeente), self.month)
        return "_".join(part for part in parts if part)

    @property
    def subtitle(self) -> str:
        """Of whom, and of when."""
        whose = (words.provider(self.provider), words.cluster(self.cluster), words.gemeente(self.gemeente))
        return " · ".join(part for part in (*whose, self.period) if part)

    def figures(self) -> Iterator[Figure]:
        """Every figure over the whole period once, in the order of the report; those of a trend are none of these."""
        seen: set[str] = set()
        for figure in (one for block in self.blocks() for one in of_block(block)):
            if figure.key not in seen:
                seen.add(figure.key)
                yield figure

    def blocks(self) -> Iterator[Block]:
        """Every block of every section."""
        for section in self.sections:
            yield from section.blocks


def of_block(block: Block) -> tuple[Figure, ...]:
    """The figures over the whole period that a block shows."""
    if isinstance(block, Figures | Bars | Columns):
        return block.figures
    return tuple(one for _, shares in block.rows for one in shares) if isinstance(block, Bands) else ()


def slug(name: str) -> str:
    """A name as a part of a file name."""
    return "-".join("".join(sign if sign.isalnum() else " " for sign in name.lower()).split())
