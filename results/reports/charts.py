"""Charts as SVG, the same drawing for a page and for a PDF. Pure; text stays text, and every chart has a table.

No colour says anything alone: shares differ in hatching and carry their number, the average is a diamond or a dashed
line with its name. The blues are of one hue and differ in lightness, so that they hold for every kind of colour
blindness and in grey; none says good or bad. Dark text stands on light, white text on dark (4.5 to 1 or more); what
must be seen stands out from the paper by 3 to 1, itself or by its edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from results.reports import words
from results.reports.content import Bands, Bars, Chart, Columns, Figure, Trend, number_text

DARK, MIDDLE, LIGHT, PALE = "#12406b", "#5f94c0", "#d3e3f1", "#ffffff"
INK, GREY, GRID, ORANGE = "#1b1b1b", "#5a5a5a", "#cfcfcf", "#b34700"
FONT: Final = "&quot;Source Sans 3&quot;, sans-serif"
_WIDTH: Final = 480
_ROW: Final = 28
_LABEL: Final = 168
_NUMBERS: Final = 96
_HIGH: Final = 180
#: Letters of this size that fit beside a bar.
_LETTERS: Final = 29
_NARROWEST_WITH_NUMBER: Final = 34
#: A mark that far above a column leaves room for the number of the column itself.
_ROOM: Final = 24
#: Own colour and hatching of the bands, from low to high; the text on each.
BANDS: Final = ((LIGHT, INK), (MIDDLE, INK), (DARK, "#ffffff"), (PALE, INK))


def svg(chart: Chart, anchor: str) -> str:
    """One chart. ``anchor`` is unlike that of every other chart of the document."""
    drawers = {Bars: _bars, Bands: _bands, Columns: _columns, Trend: _trend}
    height, body = drawers[type(chart)](chart, anchor)  # type: ignore[operator]  # each takes its own kind
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-labelledby="{anchor}" aria-describedby="{anchor}-d" font-family="{FONT}" font-size="12.5" '
        f'fill="{INK}"><title id="{anchor}">{escape(chart.title)}</title>'
        f'<desc id="{anchor}-d">{escape(described(chart))}</desc>{"".join(body)}</svg>'
    )


def described(chart: Chart) -> str:
    """What the chart says in a sentence; the rest stands in its table."""
    table = chart.table()
    if not table.rows:
        return chart.title
    first = ", ".join(f"{head.lower()} {cell}" for head, cell in zip(table.heads[1:], table.rows[0][1:], strict=True))
    return words.chart_described(chart.title, f"{table.rows[0][0]}: {first}", len(table.rows) - 1)


def _text(x: float, y: float, text: str, **attributes: str) -> str:
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>'


def _line(path: str, colour: str = INK, width: float = 1.4, **attributes: str) -> str:
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<path d="{path}" stroke="{colour}" stroke-width="{width}" fill="none"{more}/>'


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" fill="#ffffff" stroke="{ORANGE}" stroke-width="2"/>'


def _whisker(low: float, high: float, y: float) -> str:
    """An interval: a line with two feet, white behind it so that it is seen on a dark bar as well."""
    path = f"M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 5}v10M{high:.1f} {y - 5}v10"
    return _line(path, "#ffffff", 3.6) + _line(path)


def _wrapped(text: str) -> list[str]:
    """A label on at most two lines; what is longer still ends with an ellipsis."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= _LETTERS or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if len(lines) <= 2 else [lines[0], f"{' '.join(lines[1:])[: _LETTERS - 1]}…"]


def _label(text: str, middle: float) -> Iterator[str]:
    lines = _wrapped(text)
    top = middle + 4 - 6.5 * (len(lines) - 1)
    for place, line in enumerate(lines):
        yield _text(0, top + 13 * place, line)


def _axis(height: float, x0: float, width: float) -> Iterator[str]:
    """Percentages below bars."""
    for percent in (0, 25, 50, 75, 100):
        x = x0 + width * percent / 100
        yield _line(f"M{x:.1f} 4V{height - 18:.1f}", GRID, 1)
        yield _text(x, height - 4, f"{percent}%", text_anchor="middle", fill=GREY, font_size="11")


def _bars(chart: Bars, _anchor: str) -> tuple[float, list[str]]:
    width = _WIDTH - _LABEL - _NUMBERS
    height = 8 + _ROW * len(chart.figures) + 20
    body = list(_axis(height, _LABEL, width))
    labels = chart.labels or tuple(one.title for one in chart.figures)
    for place, (label, figure) in enumerate(zip(labels, chart.figures, strict=True)):
        middle = 8 + _ROW * place + _ROW / 2
        body += _label(label, middle)
        body += _bar(figure, middle, width)
    return height, body


def _bar(figure: Figure, middle: float, width: float) -> Iterator[str]:
    if figure.value is not None:
        long = width * min(figure.value, 100) / 100
        yield f'<rect x="{_LABEL}" y="{middle - 9:.1f}" width="{long:.1f}" height="18" fill="{MIDDLE}"/>'
    if figure.value is not None and figure.low is not None and figure.high is not None:
        yield _whisker(_LABEL + width * figure.low / 100, _LABEL + width * figure.high / 100, middle)
    if figure.average is not None:
        yield _diamond(_LABEL + width * figure.average.value / 100, middle)
    yield _text(_WIDTH - _NUMBERS + 10, middle + 4, figure.text, font_weight="600")
    yield _text(_WIDTH, middle + 4, f"n {figure.counted_text}", text_anchor="end", fill=GREY, font_size="11")


def _hatch(anchor: str) -> str:
    """Hatching of the middle band."""
    return (
        f'<defs><pattern id="{anchor}-h" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="6" height="6" fill="{MIDDLE}"/>'
        f'<rect width="1.6" height="6" fill="{LIGHT}"/></pattern></defs>'
    )


def _fill(place: int, anchor: str) -> str:
    return f"url(#{anchor}-h)" if place == 1 else BANDS[place % 4][0]


def _bands(chart: Bands, anchor: str) -> tuple[float, list[str]]:
    body = [_hatch(anchor), *_legend(chart.names, anchor)]
    top = 30
    for name, shares in chart.rows:
        body += _label(name, top + _ROW / 2)
        body += _shares(shares, anchor, top + 4)
        counted = f"n {shares[0].counted_text}"
        body.append(_text(_WIDTH, top + _ROW / 2 + 4, counted, text_anchor="end", fill=GREY, font_size="11"))
        top += _ROW
    return top + 6, body


def _legend(names: Sequence[str], anchor: str) -> Iterator[str]:
    widths = [30 + 5.6 * len(name) for name in names]
    x = float(_LABEL) if _LABEL + sum(widths) <= _WIDTH else 0.0
    for place, (name, wide) in enumerate(zip(names, widths, strict=True)):
        yield f'<rect x="{x:.1f}" y="6" width="13" height="13" fill="{_fill(place, anchor)}" stroke="{GREY}"/>'
        yield _text(x + 18, 17, name, font_size="11.5")
        x += wide


def _shares(shares: Sequence[Figure], anchor: str, y: float) -> Iterator[str]:
    width, x = _WIDTH - _LABEL - _NUMBERS, float(_LABEL)
    if any(one.value is None for one in shares):
        yield _text(x + 4, y + 14, shares[0].text, fill=GREY)
        return
    whole = sum(one.value or 0 for one in shares) or 1
    for place, one in enumerate(shares):
        wide = width * (one.value or 0) / whole
        fill = _fill(place, anchor)
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="20" fill="{fill}" stroke="{GREY}"/>'
        if wide > _NARROWEST_WITH_NUMBER:
            yield from _on_fill(x + wide / 2, y, f"{one.value:.0f}%", place)
        x += wide


def _on_fill(x: float, y: float, text: str, place: int) -> Iterator[str]:
    """A number in a band; on hatching it has a plain ground."""
    if place == 1:
        yield f'<rect x="{x - 15:.1f}" y="{y + 3:.1f}" width="30" height="14" fill="{MIDDLE}"/>'
    yield _text(x, y + 14.5, text, text_anchor="middle", font_size="11.5", fill=BANDS[place % 4][1])


def _columns(chart: Columns, _anchor: str) -> tuple[float, list[str]]:
    most = max((one.value or 0 for one in chart.figures), default=0)
    most = max([most, *(one.average.value for one in chart.figures if one.average)]) or 1
    step, floor = _WIDTH / max(len(chart.figures), 1), _HIGH - 24
    body = [_line(f"M0 {floor}H{_WIDTH}", GREY, 1)]
    every = max(1, round(len(chart.labels) / 14))
    for place, (label, one) in enumerate(zip(chart.labels, chart.figures, strict=True)):
        middle, wide = step * (place + 0.5), min(step * 0.66, 44)
        tall = (floor - 24) * (one.value or 0) / most
        body.append(
            f'<rect x="{middle - wide / 2:.1f}" y="{floor - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
            f'fill="{MIDDLE}"/>'
        )
        mark = (floor - 24) * one.average.value / most if one.average else 0
        if one.average is not None:
            body.append(_diamond(middle, floor - mark))
        if every == 1 or one.value is None:
            above = floor - (tall if mark > tall + _ROOM else max(tall, mark)) - 9
            body.append(_text(middle, above, _short(one), text_anchor="middle", font_size="11"))
        if place % every == 0:
            body.append(_text(middle, _HIGH - 6, label, text_anchor="middle", font_size="11.5"))
    return _HIGH, body


def _short(figure: Figure) -> str:
    return f"{figure.value:.0f}%" if figure.unit == "%" and figure.value is not None else figure.text


def _trend(chart: Trend, _anchor: str) -> tuple[float, list[str]]:
    low, high = _range(chart.figures)
    left, right, floor = 34.0, _WIDTH - 76.0, _HIGH - 26.0

    def x(place: int) -> float:
        return left + (right - left) * (place / max(len(chart.labels) - 1, 1))

    def y(value: float) -> float:
        return 10 + (floor - 10) * (high - value) / (high - low)

    body, percent = [], any(one.unit == "%" for one in chart.figures)
    steps = 3 if low else 4  # marks: 1, 4, 7 and 10
    for step in range(steps + 1):
        value = low + (high - low) * step / steps
        body += [_line(f"M{left} {y(value):.1f}H{right}", GRID, 1), _tick(left - 6, y(value) + 4, value, percent)]
    for place, label in enumerate(chart.labels):
        body.append(_text(x(place), _HIGH - 8, label, text_anchor="middle", fill=GREY, font_size="11"))
    own = [(x(at), y(one.value)) for at, one in enumerate(chart.figures) if one.value is not None]
    whiskers = (
        _whisker_up(x(at), y(one.low), y(one.high))
        for at, one in enumerate(chart.figures)
        if one.low is not None and one.high is not None and one.value is not None
    )
    average = [(x(at), y(one.average.value)) for at, one in enumerate(chart.figures) if one.average]
    body += [*whiskers, *_series(average, ORANGE, "5 3"), *_series(own, DARK, "")]
    body += [f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.4" fill="{DARK}"/>' for across, down in own]
    return _HIGH, [*body, *_names(own, average, right + 10)]


def _tick(x: float, y: float, value: float, percent: bool) -> str:
    text = number_text(value, 0 if value == round(value) else 1) + ("%" if percent else "")
    return _text(x, y, text, text_anchor="end", fill=GREY, font_size="11")


def _whisker_up(x: float, low: float, high: float) -> str:
    return _line(f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 4:.1f} {low:.1f}h8M{x - 4:.1f} {high:.1f}h8", MIDDLE, 2)


def _series(points: Sequence[tuple[float, float]], colour: str, dash: str) -> Iterator[str]:
    if len(points) > 1:
        path = "M" + "L".join(f"{across:.1f} {down:.1f}" for across, down in points)
        yield _line(path, colour, 2, **({"stroke_dasharray": dash} if dash else {}))
    if dash:
        yield from (_diamond(across, down) for across, down in points[-1:])


def _names(own: Sequence[tuple[float, float]], average: Sequence[tuple[float, float]], x: float) -> Iterator[str]:
    """What the lines are, each at its own end and not on the other; one line alone needs no name."""
    if not average:
        return
    places = [own[-1][1] + 4 if own else None, average[-1][1] + 4 if average else None]
    if places[0] is not None and places[1] is not None and abs(places[0] - places[1]) < 14:
        middle, up = (places[0] + places[1]) / 2, places[0] <= places[1]
        middle = max(middle, 19.0)
        places = [middle - 7, middle + 7] if up else [middle + 7, middle - 7]
    for place, name, colour in zip(places, (words.OWN, words.AVERAGE), (DARK, ORANGE), strict=True):
        if place is not None:
            yield _text(x, max(place, 12.0), name.lower(), fill=colour, font_weight="600")


def _range(figures: Sequence[Figure]) -> tuple[float, float]:
    """What an axis runs over: all of the scale for marks and counts, for percentages up to the next quarter."""
    unit = figures[0].unit if figures else "%"
    if unit == "gemiddelde":
        return 1.0, 10.0
    found = [max(one.value or 0, one.high or 0, one.average.value if one.average else 0) for one in figures]
    most = max(found, default=0)
    if unit == "%":
        return 0.0, next((bound for bound in (20.0, 40.0, 60.0, 80.0) if most <= bound), 100.0)
    return 0.0, max(4.0, float(-(-most // 4) * 4))
