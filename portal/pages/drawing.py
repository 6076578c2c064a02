"""A report as a page shows it: sections of text, tables and charts, each chart with its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from results.reports.charts import svg
from results.reports.content import Block, Figures, Report, Section, Table, Text


@dataclass(frozen=True)
class Part:
    """One block of a page: a paragraph, or a table with or without a drawing. ``title`` is empty below its heading."""

    title: str = ""
    text: str = ""
    drawing: SafeString | None = None
    table: Table | None = None


@dataclass(frozen=True)
class Chapter:
    """A heading and what stands below it."""

    anchor: str
    title: str
    parts: tuple[Part, ...]


def chapters(sections: Sequence[Section]) -> list[Chapter]:
    """Sections of a report, ready for the template."""
    return [Chapter(f"s{number}", one.title, tuple(_parts(one, number))) for number, one in enumerate(sections, 1)]


def _parts(section: Section, number: int) -> Iterator[Part]:
    for place, block in enumerate(section.blocks, 1):
        yield _part(block, f"g{number}-{place}", section.title)


def _part(block: Block, anchor: str, heading: str) -> Part:
    if isinstance(block, Text):
        return Part(text=block.text)
    table = block if isinstance(block, Table) else block.table()
    title = "" if table.title == heading else table.title
    if isinstance(block, Table | Figures):
        return Part(title, table=table)
    return Part(title, drawing=mark_safe(svg(block, anchor)), table=table)  # noqa: S308 - it escapes every text itself


def tables(report: Report) -> Iterator[Table]:
    """Every table of a report, those behind its charts included."""
    for block in report.blocks():
        if not isinstance(block, Text):
            yield block if isinstance(block, Table) else block.table()
