"""CEM+ answers in the CSV form of the third party (S0): one row, one answer; the rows of one meting make one record.

The rows of a meting stand together or near each other. A meting whose rows come back after it was closed is refused as
a whole: the first pass finds it, the second refuses its parts. ``client_ref`` is never read.

The feed of BergOp is read as the same form with a column ``gemeente`` [P: its format is not public]. Only metingen of
the configured municipalities pass [F S1]; the rest is counted and dropped here, before anything is sealed.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import BinaryIO, Final

from connectors.formats.csv_lines import CsvRow, Header, rows
from connectors.formats.model import Afwijzing, FileContext, FileFault, FileRecord
from connectors.formats.numbers import is_pseudonym
from connectors.formats.seen import Seen
from domain.facts.checks import check
from domain.facts.fact import Meting
from domain.field.bsn import elfproef
from domain.field.dates import day, written_digits
from domain.field.geography import GEMEENTEN, current_code
from domain.field.questionnaires import QUESTIONS, VRAGENLIJSTEN, is_unanswered

CORE: Final = ("zorgaanbieder_id", "bsn", "meting_id", "datum_meting", "informant", "vragenlijst", "vraag", "antwoord")
COLUMNS: Final = (*CORE, "client_ref", "gemeente")
NEEDED: Final[dict[str, Sequence[str]]] = {column: (column,) for column in CORE}
#: Metingen whose rows may be mixed with each other [P].
OPEN: Final = 64
METING_ID: Final = 64
#: The first or second of two parents: a number that names nobody and is not kept.
WHICH: Final = re.compile(r"(?<=[^\W\d_]) [12]$")
AGB: Final = re.compile(r"[0-9]{8}")
#: Whatever its capitals.
QUESTIONNAIRES: Final = {code.casefold(): code for code in VRAGENLIJSTEN}
CODE_OF_NAME: Final = {gemeente.name.casefold(): code for code, gemeente in GEMEENTEN.items()}


class _Group:
    """The rows of one meting so far; the first thing that is wrong with any of them refuses it, and has its own row."""

    __slots__ = ("antwoorden", "asked", "fault", "fault_row", "first_row", "header", "outside", "question", "rows")

    def __init__(self, row: int, header: tuple[str, ...], fault: Afwijzing | None) -> None:
        self.first_row, self.rows, self.header, self.fault, self.outside = row, 0, header, fault, False
        self.fault_row, self.question = row, ""
        self.antwoorden: dict[str, int] = {}
        self.asked = set[str]()  # answered or not

    def wrong(self, row: int, fault: Afwijzing, question: str = "") -> None:
        """The first fault of a row, and the question if it is one of the list."""
        if self.fault is None:
            self.fault, self.fault_row, self.question = fault, row, question if question in QUESTIONS else ""


def metingen(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """One record per meting. ``FileFault`` when the file as a whole is refused."""
    reader = rows(stream, context, COLUMNS, NEEDED)
    header = next(reader)
    assert isinstance(header, Header)  # noqa: S101 - rows gives the header first
    table = _Table(header, context)
    for row in reader:
        assert isinstance(row, CsvRow)  # noqa: S101
        yield from table.row(row)
    yield from table.end()


class _Table:
    """Reads the rows of one file; holds at most ``OPEN`` metingen."""

    def __init__(self, header: Header, context: FileContext) -> None:
        self._places = [header.places[column] for column in CORE]
        self._width, self._context = header.width, context
        self._open: OrderedDict[str, _Group] = OrderedDict()
        self._closed = Seen(context.rows // 8)
        self._gemeente = header.places.get("gemeente")
        self._last = next((c for c, place in header.places.items() if place == header.width - 1), "")

    def row(self, row: CsvRow) -> Iterator[FileRecord]:
        """Take in one row; gives the records of metingen that it closes."""
        cells = row.cells
        if cells is None or len(cells) != self._width:
            yield from self._misshapen(row)
            return
        provider, bsn, meting, *header, question, answer = (cells[place].strip() for place in self._places)
        question = question.upper()
        if not row.closed and not self._ends_whole(cells[-1].strip(), question):
            raise FileFault("B03", self._context.name, row.number)
        outside = self._gemeente is not None and not self._passes(cells[self._gemeente])
        if not meting or len(meting) > METING_ID:
            if not self._ours(provider):
                return
            if outside:
                self._context.tally.outside += 1
            else:
                yield FileRecord(row.number, 1, None, Afwijzing("C09", "meting_id"))
            return
        group = self._open.get(meting)
        if group is None:
            yield from self._make_room()
            group = self._open[meting] = _Group(row.number, (provider, bsn, *header), self._scattered(meting))
        else:
            self._open.move_to_end(meting)
        group.outside = group.outside or outside
        self._answer(group, row.number, (provider, bsn, *header), question, answer)

    def _passes(self, cell: str) -> bool:
        """Whether a municipality, by code or name, is one of those configured; an unknown one is not."""
        text = cell.strip()
        code = text.zfill(4) if text.isascii() and text.isdigit() else CODE_OF_NAME.get(text.casefold(), "")
        return current_code(code) in self._context.choices.gemeenten

    def _ours(self, provider: str) -> bool:
        """Whether a row is of this delivery: a feed of many providers is read once for each of them. What names no
        provider is told to the first.
        """
        share = self._context.share
        if share is None or provider == self._context.sender:
            return True
        return share == 0 and not AGB.fullmatch(provider)

    def end(self) -> Iterator[FileRecord]:
        """The metingen still open, in order of their first row."""
        for meting, group in sorted(self._open.items(), key=lambda item: item[1].first_row):
            yield from self._close(meting, group)
        self._open.clear()

    def _misshapen(self, row: CsvRow) -> Iterator[FileRecord]:
        """A row with another number of cells spoils its meting when that can be told, else it stands alone."""
        if not row.closed:
            raise FileFault("B03", self._context.name, row.number)
        self._context.tally.wrong += 1
        place = self._places[CORE.index("meting_id")]
        meting = row.cells[place].strip() if row.cells and place < len(row.cells) else ""
        group = self._open.get(meting)
        if group is None:
            if self._ours(""):
                yield FileRecord(row.number, 1, None, Afwijzing("C10", ""))
            return
        group.rows += 1
        group.wrong(row.number, Afwijzing("C10", ""))

    def _scattered(self, meting: str) -> Afwijzing | None:
        """C07 for a meting that was closed before, or that the first pass found to come back."""
        token = hash(meting)
        if token in self._closed:
            self._context.scattered.add(token)
        return Afwijzing("C07", "meting_id") if token in self._context.scattered else None

    def _make_room(self) -> Iterator[FileRecord]:
        while len(self._open) >= OPEN:
            yield from self._close(*self._open.popitem(last=False))

    def _answer(self, group: _Group, row: int, header: tuple[str, ...], question: str, answer: str) -> None:
        """One row; a question without an answer is missing, and the other answers count."""
        group.rows += 1
        if group.fault is not None:
            return
        if header != group.header:
            field = _other(header, group.header)
            if field:
                group.wrong(row, Afwijzing("C07", field))
                return
        if question not in QUESTIONS:
            group.wrong(row, Afwijzing("C04", "vraag"))
        elif question in group.asked:
            group.wrong(row, Afwijzing("C06", "vraag"), question)
        elif is_unanswered(answer):
            pass
        elif not _in_range(question, answer):
            group.wrong(row, Afwijzing("C05", "antwoord"), question)
        else:
            group.antwoorden[question] = int(answer)
        group.asked.add(question if question in QUESTIONS else "")

    def _close(self, meting: str, group: _Group) -> Iterator[FileRecord]:
        self._closed.add(hash(meting))
        if not self._ours(group.header[0]):
            return
        if group.outside:
            self._context.tally.outside += 1
            return
        content = group.fault or self._content(meting, group)
        bsn = group.header[1]
        shown = (meting, bsn, group.question)
        row = group.fault_row if group.fault else group.first_row
        yield FileRecord(row, group.rows, bsn if isinstance(content, Meting) else None, content, shown)

    def _content(self, meting: str, group: _Group) -> Meting | Afwijzing:
        provider, bsn, when, informant, questionnaire = group.header
        if not (len(provider) == 8 and provider.isascii() and provider.isdigit()):
            return Afwijzing("C08", "zorgaanbieder_id")
        if provider != self._context.sender:
            return Afwijzing("C11", "zorgaanbieder_id")
        if not elfproef(bsn):
            return Afwijzing("C14" if is_pseudonym(bsn) else "C01", "bsn")
        moment = datum(when)
        if moment is None or moment > self._context.today:
            return Afwijzing("C02", "datum_meting")
        if not group.antwoorden:
            return Afwijzing("C13", "antwoord")
        fact = Meting(
            meting=meting.encode(),
            vragenlijst=QUESTIONNAIRES.get(questionnaire.casefold(), questionnaire),
            informant=WHICH.sub("", informant),
            datum=moment,
            antwoorden=group.antwoorden,
            tijd=self._context.tijd,
        )
        problem = check(fact)
        return fact if problem is None else Afwijzing(problem.code, problem.veld)

    def _ends_whole(self, cell: str, question: str) -> bool:
        """Whether the last cell of an unclosed last line cannot be the beginning of something longer."""
        if self._last == "antwoord" and cell.isascii() and cell.isdigit():
            known = QUESTIONS.get(question)
            return known is None or int(cell) * 10 > known.highest
        if self._last == "antwoord" and cell and is_unanswered(cell):
            return cell.casefold() != "n.v.t"
        if self._last == "datum_meting":
            return datum(cell) is not None
        return len(cell) >= {"zorgaanbieder_id": 8, "bsn": 9, "gemeente": 4}.get(self._last, 1_000_000)


_CONTEXT: Final = ("zorgaanbieder_id", "bsn", "datum_meting", "informant", "vragenlijst")


def _other(header: tuple[str, ...], first: tuple[str, ...]) -> str:
    """The field in which a row is of another meting than the first; empty when both write the same day in two ways."""
    for name, cell, other in zip(_CONTEXT, header, first, strict=True):
        if cell != other and (name != "datum_meting" or datum(cell) is None or datum(cell) != datum(other)):
            return name
    return ""


def _in_range(question: str, answer: str) -> bool:
    known = QUESTIONS[question]
    return answer.isascii() and answer.isdigit() and len(answer) <= 4 and known.lowest <= int(answer) <= known.highest


def datum(text: str) -> int | None:
    """Day number of a day as spreadsheets write it (``written_digits``); None for anything else."""
    digits = written_digits(text)
    if digits is None:
        return None
    try:
        return day(date(int(digits[:4]), int(digits[4:6]), int(digits[6:])))
    except ValueError:
        return None


def providers(stream: BinaryIO) -> list[str]:
    """The providers that a feed with a column ``gemeente`` names, in order of appearance; empty for any other file.

    A file of one provider needs no such column. What cannot be read is left to ``metingen``, which refuses it.
    """
    context = FileContext(
        "", "", 0, encoding="latin-1"
    )  # only digits are looked for: every encoding that is read has them
    reader = rows(stream, context, COLUMNS, NEEDED)
    found: dict[str, None] = {}
    try:
        header = next(reader)
        assert isinstance(header, Header)  # noqa: S101 - rows gives the header first
        if "gemeente" not in header.places:
            return []
        place = header.places["zorgaanbieder_id"]
        for row in reader:
            assert isinstance(row, CsvRow)  # noqa: S101
            if row.cells and place < len(row.cells) and AGB.fullmatch(row.cells[place].strip()):
                found[row.cells[place].strip()] = None
    except FileFault:
        return []
    return list(found)
