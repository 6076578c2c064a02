"""The difference as one page of HTML that needs nothing else: no script, no picture, no font of elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from domain.field.geography import GEMEENTEN
from domain.field.words import (
    REPLAY_CAPTION,
    REPLAY_FIGURE_HEADS,
    REPLAY_FIGURES,
    REPLAY_MOVED,
    REPLAY_NO_FIGURES,
    REPLAY_PER,
    REPLAY_REASON_HEADS,
    REPLAY_REASONS,
    REPLAY_ROW_HEADS,
    REPLAY_ROWS,
    REPLAY_TITLE,
    REPLAY_TOGETHER,
    replay_counts,
    replay_definitions,
)
from operations.replay.figures import Pair
from operations.replay.report import MOST_REASONS, Report, shown

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;margin:.5rem 0 2rem}
th,td{padding:.25rem .75rem;border-bottom:1px solid #ccc;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}
caption,p.small{color:#555;font-size:.9rem}
"""
Cell = tuple[str, bool]  # text, and whether it is a number


def whole(report: Report) -> str:
    """The page; every text in it is escaped."""
    body = "".join(
        (
            f"<h1>{escape(REPLAY_TITLE)}</h1>",
            *(f"<p>{escape(sentence)}</p>" for sentence in sentences(report)),
            f"<h2>{escape(REPLAY_ROWS)}</h2>",
            _table(REPLAY_ROW_HEADS, ([_text(row[0]), *map(_number, row[1:])] for row in row_lines(report))),
            f"<h2>{escape(REPLAY_REASONS)}</h2>",
            _table(REPLAY_REASON_HEADS, ([*map(_text, row[:4]), _number(row[4])] for row in reason_lines(report))),
            *_figures(report),
        )
    )
    return (
        f'<!DOCTYPE html><html lang="nl"><head><meta charset="utf-8"><title>{escape(REPLAY_TITLE)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def sentences(report: Report) -> list[str]:
    """What stands above the tables."""
    found = [
        REPLAY_CAPTION,
        replay_definitions((report.now.version, report.now.id), (report.other.version, report.other.id)),
        replay_counts(report.events, report.clients, report.rows),
        report.rule.sentence,
    ]
    return [*found, REPLAY_MOVED] if report.moved_on else found


def row_lines(report: Report) -> list[list[str]]:
    """Per table: equal, changed, appeared, disappeared."""
    return [
        [moved.table, *map(str, (moved.equal, moved.changed, moved.appeared, moved.disappeared))]
        for moved in report.tables
    ]


def reason_lines(report: Report, most: int = 2 * MOST_REASONS) -> list[list[str]]:
    """Table, column, from, to and rows; the most rows first."""
    return [
        [
            reason.table, reason.column, *((reason.change.before or "–", reason.change.after or "–") if reason.change
            else ("", "")), shown(reason, report.rule),
        ]
        for reason in report.reasons()[:most]
    ]  # fmt: skip


def figure_lines(pairs: Iterable[Pair]) -> list[list[str]]:
    """Group, indicator, both figures and both counts, of those that change."""
    return [
        [group_name(pair), pair.name, *(text for at in (0, 1) for text in _both(pair, at))]
        for pair in pairs
        if pair.changes
    ]


def group_name(pair: Pair) -> str:
    """A group as a reader knows it."""
    if not pair.per:
        return REPLAY_TOGETHER
    if pair.per == "gemeente" and pair.group in GEMEENTEN:
        return GEMEENTEN[pair.group].name
    return pair.group or "–"


def _both(pair: Pair, at: int) -> tuple[str, str]:
    return pair.texts(pair.before)[at], pair.texts(pair.after)[at]


def _figures(report: Report) -> Iterable[str]:
    yield f"<h2>{escape(REPLAY_FIGURES)}</h2>"
    if not any(pair.changes for pair in report.pairs):
        yield f"<p>{escape(REPLAY_NO_FIGURES)}</p>"
    for per, title in REPLAY_PER.items():
        lines = figure_lines(pair for pair in report.pairs if pair.per == per)
        if lines:
            yield f"<h3>{escape(title)}</h3>"
            yield _table(REPLAY_FIGURE_HEADS, ([*map(_text, line[:2]), *map(_number, line[2:])] for line in lines))


def _table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, rows))}</tbody></table>"


def _row(cells: Sequence[Cell]) -> str:
    return "<tr>" + "".join(f'<td class="n">{escape(text)}</td>' if number else f"<td>{escape(text)}</td>"
                            for text, number in cells) + "</tr>"  # fmt: skip


def _text(text: str) -> Cell:
    return text, False


def _number(text: str) -> Cell:
    return text, True
