"""What an audit says to the operator."""

from __future__ import annotations

from typing import Final

from operations.audit.comparison import SORTS, Finding
from operations.audit.full import Report
from operations.audit.states import StateFinding
from operations.healing import Difference as Lost
from operations.healing import advice

_SHOWN: Final = 10
_WHAT: Final = (
    ("missing", "missing"),
    ("extra", "too many"),
    ("different", "different"),
    ("version", "version too high"),
)
_STATE_WORDS: Final = {
    "missing": "missing",
    "extra": "too many",
    "unreadable": "unreadable",
    "facts": "with other facts",
    "version": "with a version too high",
    "out": "that remember other rows",
    "waits": "that remember other records that wait or break a rule",
    "former": "made by other definitions",
}


def sentences(report: Report) -> list[str]:
    """What to tell the operator."""
    lines = [f"{report.events} events in the log."]
    for finding in report.findings:
        lines += _table(finding)
    for place in report.states:
        lines.append(_state(place))
    if report.equal:
        return [*lines, *_moving(report), "Equal: every row is what the log yields."]
    if report.moved:
        return [*lines, *_moving(report), "Not everything stood still: run it again while nothing is delivered."]
    return [*lines, *_mending(report)]


def _mending(report: Report) -> list[str]:
    """What to do about it; the same words once."""
    sorts: list[Lost] = [sort for sort in SORTS if any(finding.counts[sort] for finding in report.findings)]
    places: list[Lost] = [
        "changelog" if place.where == "changelog" else "state" for place in report.states if not place.equal
    ]
    return [
        "Not equal. Keep the answer, the state and the log for inquiry.",
        "If a part was lost, or an older copy of it put back, sor heal says so: mend that first.",
        *dict.fromkeys(advice(one) for one in (*sorts, *places)),
    ]


def _table(finding: Finding) -> list[str]:
    ending = "."
    if any(finding.counts.values()):
        counts = finding.counts
        ending = f"; {counts['missing']} missing, {counts['extra']} too many, {counts['different']} different"
        ending += f", {counts['version']} with a version too high." if counts["version"] else "."
    lines = [f"{finding.table}: {finding.expected} rows from the log, {finding.found} in ClickHouse{ending}"]
    for sort, words in _WHAT:
        lines += [f"  {words}: {key}" for key in getattr(finding, sort)[:_SHOWN]]
    if finding.columns:
        seen = sorted(finding.columns.items(), key=lambda one: (-one[1], one[0]))
        lines.append("  columns that differ: " + ", ".join(f"{name} {count}" for name, count in seen))
    if finding.former:
        lines.append(f"  {finding.former} were made by other definitions than those in force here.")
    if finding.repeated:
        lines.append(
            f"  {finding.repeated} stand more than once until ClickHouse merges them; no figure counts them twice."
        )
    if finding.named:
        lines.append(
            f"  {finding.named} name a client by its pseudonym: an earlier release wrote them (decision 0015)."
        )
    return lines


def _state(place: StateFinding) -> str:
    words = f"{place.where} of trajectories: {place.compared} states compared"
    if place.equal:
        return f"{words}."
    parts = ", ".join(f"{count} {_STATE_WORDS[sort]}" for sort, count in place.differences.items())
    return f"{words}; {parts}, in partition {', '.join(map(str, place.partitions))}."


def _moving(report: Report) -> list[str]:
    lines = []
    if report.behind:
        lines.append(f"Not level with the log: {report.behind}.")
    if report.unsettled:
        lines.append(f"In {report.unsettled} buckets clients moved each time that they were compared.")
    return lines
