"""Reports on paper: PDF/UA-1, tagged, in Dutch, by typst with the fonts beside this module. Nothing else is loaded.

``render`` takes one; ``render_all`` many, on several processes that each keep their compiler.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import typst

from results.reports import words
from results.reports.charts import described, svg
from results.reports.content import Block, Figures, Report, Table, Text

_HERE: Final = Path(__file__).parent
FONTS: Final = _HERE / "fonts"
_TEMPLATE: Final = _HERE / "report.typ"
_STANDARD: Final = "ua-1"
#: Reports that a process takes at once.
_HANDFUL: Final = 8


def document(report: Report) -> dict[str, Any]:
    """What the template reads."""
    numbers = count(1)
    return {
        "title": report.title,
        "subtitle": report.subtitle,
        "author": words.SERVICE,
        "keywords": [words.SERVICE, report.month],
        "footer": words.footer(report.subtitle),
        "of": words.PAGE_OF,
        "warning": words.NOT_TO_ACCOUNT,
        "reading": words.READING,
        "notes": list(report.notes),
        "made_on": words.made_on(report.made_on),
        "sections": [
            {"title": section.title, "blocks": [_block(block, next(numbers)) for block in section.blocks]}
            for section in report.sections
        ],
    }


def _block(block: Block, number: int) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "text": block.text}
    if isinstance(block, Table):
        return {"kind": "table", "table": block._asdict()}
    if isinstance(block, Figures):
        return {"kind": "table", "table": block.table()._asdict()}
    return {
        "kind": "chart",
        "title": block.title,
        "alt": described(block),
        "svg": svg(block, f"g{number}"),
        "table": block.table()._asdict(),
    }


@cache
def _compiler() -> typst.Compiler:
    """One for each process: it keeps the fonts and the template."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(str(_TEMPLATE), root=str(_HERE), font_paths=fonts, sys_inputs={"data": "{}"})


def render(report: Report) -> bytes:
    """One report as PDF; the same report gives the same bytes."""
    inputs = {"data": json.dumps(document(report), ensure_ascii=False)}
    made = _compiler().compile(format="pdf", pdf_standards=[_STANDARD], sys_inputs=inputs, timestamp=0)
    if not isinstance(made, bytes):
        raise TypeError("one PDF was asked for")
    return made


def pictures(report: Report, resolution: float = 72) -> list[bytes]:
    """Its pages as PNG."""
    inputs = {"data": json.dumps(document(report), ensure_ascii=False)}
    made = _compiler().compile(format="png", ppi=resolution, sys_inputs=inputs)
    return made if isinstance(made, list) else [made] if made else []


def render_all(reports: Sequence[Report], processes: int = 2) -> Iterator[bytes]:
    """Each report as PDF, in their order, as they come; few are made in this process itself."""
    if len(reports) <= _HANDFUL or processes < 2:
        yield from map(render, reports)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(render, reports, chunksize=_HANDFUL)


def as_json(report: Report) -> dict[str, Any]:
    """A report as a document for a machine: every figure once, and every chart and table as a table."""
    shown = (block for block in report.blocks() if not isinstance(block, Text))
    tables = [block if isinstance(block, Table) else block.table() for block in shown]
    own = {key: value for key, value in asdict(report).items() if key != "sections"}
    return {
        **own,
        "warning": words.NOT_TO_ACCOUNT,
        "figures": [asdict(figure) for figure in report.figures()],
        "tables": [table._asdict() for table in tables],
    }


__all__ = ["FONTS", "as_json", "document", "pictures", "render", "render_all"]
