"""The *spiegelrapport* of a CBS half year: what was received, and what is missing against what runs (CBS). Pure.

Counts of a provider's own deliveries, for that provider alone, so no group is too small for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.field.codes import HULPVORMEN
from results.reports import delivery_words as said
from results.reports import words
from results.reports.content import Figure, Figures, Report, Section, Table, Text, number_text


class PerKind(NamedTuple):
    """What of one form of help stands in the file: help in the period, begun, ended, running on its last day.

    ``outcomes``: with a mark for the use of it; ``unrated``: ended without one.
    """

    hulpvorm: str
    total: int
    started: int
    ended: int
    running: int
    outcomes: int
    unrated: int


class Files(NamedTuple):
    """CBS files that were received since the first day of the half year and were not taken back: how many, records that
    count and that were refused, and the day of the last one as people write it.
    """

    received: int = 0
    accepted: int = 0
    refused: int = 0
    last: str = ""


_NO_FILES: Final = Files()


@dataclass(frozen=True, kw_only=True)
class HalfYear:
    """One half year (``2026-H1``) of one provider. ``ends``: class of the reason -> number.

    ``messages``: trajecten in the period by starts and stops; ``clients`` and ``clients_messages``: of either;
    ``absent``: clients with care that runs by messages and without a record; ``extra``: the other way round.
    """

    provider: str
    half_year: str
    made_on: str
    kinds: tuple[PerKind, ...]
    ends: dict[str, int]
    files: Files = _NO_FILES
    since: str = ""
    clients: int = 0
    messages: int = 0
    clients_messages: int = 0
    absent: int = 0
    extra: int = 0


def report(given: HalfYear) -> Report:
    """The report."""
    month = f"{given.half_year[:4]}-{'06' if given.half_year.endswith('1') else '12'}"
    return Report(
        kind="spiegel",
        title=words.TITLES["spiegel"],
        provider=given.provider,
        cluster="",
        month=month,
        period=words.half_year_text(given.half_year),
        made_on=given.made_on,
        sections=(_received(given), _missing(given)),
        notes=(said.MIRROR_OWN, said.MIRROR_APART),
    )


def _received(given: HalfYear) -> Section:
    came = said.files(*given.files) if given.files.received else said.MIRROR_NO_FILE
    if not given.kinds:
        return Section(said.MIRROR_RECEIVED, (Text(came), Text(said.MIRROR_NONE)))
    running = sum(one.running for one in given.kinds)
    since = f" {said.since(given.since)}" if given.since else ""
    stands = Text(said.received(given.clients, running) + since)
    return Section(said.MIRROR_RECEIVED, (Text(came), stands, _per_kind(given), *_ends(given)))


def _per_kind(given: HalfYear) -> Table:
    heads = (
        *(said.MIRROR_KIND, said.MIRROR_TOTAL, said.MIRROR_STARTED, said.MIRROR_ENDED, said.MIRROR_RUNNING),
        said.MIRROR_OUTCOMES,
    )
    rows = [
        (HULPVORMEN.get(one.hulpvorm, said.unknown(one.hulpvorm)), *_numbers(_counts(one)))
        for one in sorted(given.kinds)
    ]
    sums = [sum(column) for column in zip(*(_counts(one) for one in given.kinds), strict=True)]
    together = (said.MIRROR_TOGETHER, *_numbers(sums))
    return Table(said.MIRROR_RECEIVED, heads, (*rows, together))


def _counts(one: PerKind) -> tuple[int, ...]:
    """The columns of the table."""
    return one.total, one.started, one.ended, one.running, one.outcomes


def _numbers(counts: Iterable[int]) -> tuple[str, ...]:
    return tuple(number_text(count, 0) for count in counts)


def _ends(given: HalfYear) -> Iterable[Table]:
    rows = tuple(
        (label, number_text(given.ends[klasse], 0)) for klasse, label in said.MIRROR_REASONS.items()
        if given.ends.get(klasse)
    )  # fmt: skip
    if rows:
        yield Table(said.MIRROR_ENDS, (said.MIRROR_REASON, words.NUMBER), rows)


def _missing(given: HalfYear) -> Section:
    counts = (
        ("uitkomsten", said.MIRROR_NO_OUTCOME, sum(one.unrated for one in given.kinds)),
        ("berichten", said.MIRROR_MESSAGES, given.messages),
        ("clienten", said.MIRROR_CLIENTS, given.clients),
        ("clienten_berichten", said.MIRROR_CLIENTS_MESSAGES, given.clients_messages),
        ("ontbreekt", said.MIRROR_ABSENT, given.absent),
        ("extra", said.MIRROR_EXTRA, given.extra),
    )
    figures = (Figure(key=key, title=title, unit="aantal", value=value, counted=None) for key, title, value in counts)
    return Section(said.MIRROR_MISSING, (Text(_missed(given)), Figures(said.MIRROR_MISSING, tuple(figures))))


def _missed(given: HalfYear) -> str:
    """What to look at, in sentences."""
    if not given.messages:
        found = said.MIRROR_NO_MESSAGES
    else:
        found = said.absent(given.absent) if given.absent else said.MIRROR_COMPLETE
    unrated, ended = (sum(getattr(one, name) for one in given.kinds) for name in ("unrated", "ended"))
    return f"{found} {said.unrated(unrated, ended)}" if unrated else found
