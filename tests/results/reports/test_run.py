"""A run over all reports: what it missed goes out with the next, what it sent does not, the folder forgets in time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from faults import OperatorFault
from results.reports import journal
from results.reports.content import Report
from results.reports.journal import ReportsBusy, Sending
from results.reports.outbox import Outbox, OutboxError
from results.reports.run import Attachment, Tally, run
from tests.results.reports.made import cem_report, outcome_report

PROVIDERS = ("90000001", "90000002", "90000003")
AVERAGES = {"Amstelveen-Aalsmeer": outcome_report("gemiddelde")}


class Post:
    """Takes mails; refuses those of one provider, knows no address of another."""

    def __init__(self, *, refuses: str = "", unknown: str = "") -> None:
        self.sent: list[tuple[str, list[str]]] = []
        self.refuses, self.unknown = refuses, unknown

    def send(self, report: Report, files: Sequence[Attachment]) -> bool:
        if report.provider == self.refuses:
            raise OperatorFault("the mail server is away")
        if report.provider == self.unknown:
            return False
        self.sent.append((report.provider, [name for name, _ in files]))
        return True


def reports() -> list[Report]:
    return [*(outcome_report(provider=provider, few=True) for provider in PROVIDERS), outcome_report("cluster")]


def month(home: Path, post: Post | None) -> Tally:
    with journal.opened(home / "verzonden.sqlite") as sent:
        return run(reports(), AVERAGES, Outbox(home / "reports", 21), sent, post, processes=1)


def test_each_is_made_and_sent_once_with_the_average(tmp_path: Path) -> None:
    post = Post()
    first, second = month(tmp_path, post), month(tmp_path, post)
    assert (first.made, first.sent, second.made, second.sent, second.before) == (4, 3, 4, 0, 3)
    own = "sor_aanbieder_90000001_amstelveen-aalsmeer_2026-10.pdf"
    average = "sor_gemiddelde_amstelveen-aalsmeer_2026-10.pdf"
    assert post.sent[0] == ("90000001", [own, average])
    assert [provider for provider, _ in post.sent] == list(PROVIDERS)  # the report of a cluster is sent to nobody
    files = sorted(file.name for file in Outbox(tmp_path / "reports", 21).files())
    assert len(files) == 5
    assert {own, average} < set(files)
    assert all(file.stat().st_mode & 0o077 == 0 for file in Outbox(tmp_path / "reports", 21).files())


def test_what_was_not_taken_goes_out_with_the_next_run(tmp_path: Path) -> None:
    first = month(tmp_path, Post(refuses="90000002", unknown="90000003"))
    assert (first.sent, first.failed, first.without_address) == (1, 1, 1)
    assert first.problem == "the mail server is away"
    post = Post()
    second = month(tmp_path, post)
    assert [provider for provider, _ in post.sent] == ["90000002", "90000003"]
    assert (second.sent, second.before, second.failed) == (2, 1, 0)


class Crash(Exception):
    """The process ends there."""


class Crashing(Post):
    """Ends the process once, after the second mail was handed over and before it is noted."""

    def send(self, report: Report, files: Sequence[Attachment]) -> bool:
        super().send(report, files)
        if len(self.sent) == 2:
            raise Crash
        return True


def test_a_crash_between_sending_and_noting_doubles_that_one_mail_at_most(tmp_path: Path) -> None:
    post = Crashing()
    with pytest.raises(Crash):
        month(tmp_path, post)
    month(tmp_path, post)
    assert [provider for provider, _ in post.sent] == ["90000001", "90000002", "90000002", "90000003"]


def test_another_release_is_sent_anew(tmp_path: Path) -> None:
    with journal.opened(tmp_path / "verzonden.sqlite") as sent:
        third, fourth = (Sending("aanbieder", "90000001", "DUO", "2026-10", release) for release in (3, 4))
        sent.note(third)
        sent.note(third)
        assert (sent.has(third), sent.has(fourth), sent.count("2026-10")) == (True, False, 1)


def test_without_mail_only_the_folder_is_filled(tmp_path: Path) -> None:
    assert month(tmp_path, None) == Tally(made=4)


def test_two_runs_do_not_work_at_once(tmp_path: Path) -> None:
    with journal.opened(tmp_path / "verzonden.sqlite"), pytest.raises(ReportsBusy):
        month(tmp_path, None)
    month(tmp_path, None)


def test_a_journal_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "verzonden.sqlite").write_text("no journal at all, and long enough to be looked at" * 9)
    with pytest.raises(ReportsBusy, match="cannot be used"), journal.opened(tmp_path / "verzonden.sqlite"):
        pass


def test_the_folder_forgets_after_its_days_and_only_what_it_wrote(tmp_path: Path) -> None:
    outbox, now = Outbox(tmp_path, 21), 1_800_000_000.0
    old, young = (outbox.write("2026-10", f"sor_cem_9000000{n}_2026-10.pdf", b"%PDF") for n in (1, 2))
    other = tmp_path / "2026-10" / "own.pdf"
    elsewhere = tmp_path / "kept" / "sor_cem_90000001_2026-10.pdf"
    elsewhere.parent.mkdir()
    for file, days in ((old, 21.5), (young, 20.5), (other, 99), (elsewhere, 99)):
        file.write_bytes(b"%PDF")
        os.utime(file, (now - days * 86_400,) * 2)
    assert Outbox(tmp_path, 0).forget(now) == 0
    assert outbox.forget(now) == 1
    assert [file.exists() for file in (old, young, other, elsewhere)] == [False, True, True, True]


def test_a_folder_that_takes_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "2026-10").write_text("a file where the folder should be")
    with pytest.raises(OutboxError):
        Outbox(tmp_path, 21).write("2026-10", "sor_cem_90000001_2026-10.pdf", b"%PDF")


def test_names_of_files_are_found_back() -> None:
    for report in (cem_report(), *reports(), *AVERAGES.values()):
        assert "/" not in report.name
        assert report.name.startswith("sor_")
