"""A report as a page of its own: one HTML file, which is XML as well and needs nothing else, with the PDF's charts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from results.reports import words
from results.reports.charts import svg
from results.reports.content import Block, Figures, Report, Table, Text

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 16px/1.5 "Source Sans 3", system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 0 auto;
  max-width: 52rem; padding: 1.5rem; }
h1, h2 { color: #12406b; line-height: 1.2; } h1 { margin-bottom: .2rem; } h2 { margin-top: 2.2rem; }
.of { margin: 0 0 1rem; font-weight: 600; } .note { border-left: 4px solid #12406b; padding: .2rem .9rem; }
figure { margin: 1.2rem 0; } figure svg { width: 100%; max-width: 40rem; height: auto; display: block; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
figcaption, caption { font-weight: 600; text-align: left; padding: .3rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #cfcfcf; text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; font-weight: 400; } thead th { font-weight: 600 !important; }
summary { cursor: pointer; color: #12406b; } details { margin: .4rem 0 1rem; overflow-x: auto; }
footer { margin-top: 2rem; color: #5a5a5a; font-size: .9rem; }
@media print { details > * { display: revert; } }
"""


def html(report: Report) -> str:
    """The whole page. Its ids are the same at each run."""
    title = f"{escape(report.title)}, {escape(report.subtitle)}"
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    return (
        f'<!DOCTYPE html>\n<html lang="nl"><head><meta charset="utf-8"/><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"/><style>{_STYLE}</style></head><body>'
        f'<main><h1>{escape(report.title)}</h1><p class="of">{escape(report.subtitle)}</p>'
        f'<p class="note"><strong>{escape(words.NOT_TO_ACCOUNT)}</strong></p>{"".join(_sections(report))}'
        f"<h2>{words.READING}</h2>{notes}</main>"
        f"<footer>{escape(words.made_on(report.made_on))}</footer></body></html>\n"
    )


def _sections(report: Report) -> Iterator[str]:
    for number, section in enumerate(report.sections, 1):
        blocks = (_block(block, f"g{number}-{place}", section.title) for place, block in enumerate(section.blocks, 1))
        yield f'<section aria-labelledby="s{number}"><h2 id="s{number}">{escape(section.title)}</h2>'
        yield f"{''.join(blocks)}</section>"


def _block(block: Block, anchor: str, heading: str) -> str:
    """A block below a heading, which is not said again."""
    if isinstance(block, Text):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Table | Figures):
        return _table(block if isinstance(block, Table) else block.table(), heading)
    caption = "" if block.title == heading else f"<figcaption>{escape(block.title)}</figcaption>"
    table = _table(block.table(), block.title)
    return (
        f"<figure>{caption}{svg(block, anchor)}<details><summary>{words.AS_TABLE}</summary>{table}</details></figure>"
    )


def _table(table: Table, said: str) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    rows = "".join(f"<tr>{_row(row)}</tr>" for row in table.rows)
    known = ' class="said"' if table.title == said else ""  # a reader sees it above, a screen reader hears it here
    caption = f"<caption{known}>{escape(table.title)}</caption>"
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _row(row: tuple[str, ...]) -> str:
    first, *rest = row
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
    return f'<th scope="row">{escape(first)}</th>{cells}'
