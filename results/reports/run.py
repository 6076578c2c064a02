"""All reports of a month: made, put into the outbox, sent once. Nothing here reads a table or knows a mail server.

For each report, in this order: it is made, written, sent, noted. Whatever stops in between goes on with the next run:
writing again gives the same file, and only what was noted is not sent again (``journal``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from faults import OperatorFault
from results.reports.content import Report
from results.reports.journal import Journal, Sending
from results.reports.outbox import Outbox
from results.reports.pdf import render_all

Attachment = tuple[str, bytes]


class Mailer(Protocol):
    """Sends a report to whom it is for."""

    def send(self, report: Report, files: Sequence[Attachment]) -> bool:
        """Hand over one mail; False when nobody has an address for it. ``OperatorFault`` when that fails."""
        ...


@dataclass
class Tally:
    """What became of a run; ``failed`` are mails to try again, ``problem`` why the last of them did."""

    made: int = 0
    sent: int = 0
    before: int = 0
    without_address: int = 0
    failed: int = 0
    problem: str = ""


def run(
    reports: Sequence[Report],
    averages: Mapping[str, Report],
    outbox: Outbox,
    journal: Journal,
    mailer: Mailer | None,
    *,
    processes: int = 2,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Tally:
    """Each report, and the average of each cluster once. Without ``mailer`` they only go into the outbox.

    Raises:
        OutboxError: a file cannot be written. What was sent before stays noted.
        ReportsBusy: the journal cannot be written.
    """
    tally = Tally()
    own_averages = _averages(averages, outbox, processes)
    for number, (report, pdf) in enumerate(zip(reports, render_all(reports, processes), strict=True), 1):
        name = f"{report.name}.pdf"
        outbox.write(report.month, name, pdf)
        tally.made += 1
        if mailer is not None and report.provider:
            files = [(name, pdf), *([own_averages[report.cluster]] if report.cluster in own_averages else [])]
            _send(report, files, journal, mailer, tally)
        tell(number, len(reports))
    return tally


def _averages(averages: Mapping[str, Report], outbox: Outbox, processes: int) -> dict[str, Attachment]:
    found = {}
    for (cluster, report), pdf in zip(averages.items(), render_all(list(averages.values()), processes), strict=True):
        found[cluster] = (f"{report.name}.pdf", pdf)
        outbox.write(report.month, *found[cluster])
    return found


def _send(report: Report, files: Sequence[Attachment], journal: Journal, mailer: Mailer, tally: Tally) -> None:
    sending = Sending(report.kind, report.provider, report.cluster, report.month, report.release)
    if journal.has(sending):
        tally.before += 1
        return
    try:
        sent = mailer.send(report, files)
    except OperatorFault as problem:  # one address that is refused does not keep the others waiting
        tally.failed += 1
        tally.problem = str(problem)
        return
    if not sent:
        tally.without_address += 1
        return
    journal.note(sending)
    tally.sent += 1
