"""The parts of a workbook as they pass: each keeps what is asked of it and forgets the rest."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from connectors.formats.ijw.xml_stream import BoundedNames, XmlFault
from connectors.formats.model import FileFault

#: Texts that cells point at, together in memory [P].
MOST_TEXTS: Final = 75_000_000
#: Rows (empty ones included) and columns read at most, and characters of one cell [P].
MOST_ROWS: Final = 500_000
MOST_COLUMNS: Final = 200
LONGEST: Final = 32_767
MOST_STYLES: Final = 65_536
MOST_SHEETS: Final = 1_000
#: Numbers of formats that every workbook has and that show a day.
DAYS: Final = frozenset({14, 15, 16, 17, 22})
LITERAL: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|[_\\].')
COLUMN: Final = re.compile(r"([A-Z]{1,3})[0-9]+")
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - a day without a place

Row = tuple[int, Sequence[object]]


def is_day(format_code: str) -> bool:
    """Whether a number under this format shows a day: a letter of a day, month or year that is no literal."""
    return re.search("[dy]", LITERAL.sub("", format_code.split(";")[0]), re.IGNORECASE) is not None


def moment(number: float, epoch: datetime) -> datetime:
    """The day and time that a spreadsheet means by a number; before March 1900 it counts a day that never was."""
    if epoch == EPOCH and 0 < number < 60:
        number += 1
    return epoch + timedelta(milliseconds=round(number * 86_400_000))


class Part(BoundedNames):
    """One part as it passes; ``begin`` and ``finish`` get names without namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.remember(tag)
        for key in attributes:
            self.remember(key)
        name = _local(tag)
        self.inside.append(name)
        self.begin(name, attributes)

    def end(self, tag: str) -> None:
        self.finish(_local(tag))
        self.inside.pop()

    def data(self, text: str) -> None:
        """Text is looked at where it counts."""

    def close(self) -> None:
        """Nothing is left open."""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def finish(self, name: str) -> None:
        """An element ends."""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


class Workbook(Part):
    """The sheets in their order, and from which day days are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str]] = []
        self.from_1904 = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self.from_1904 = attributes.get("date1904", "") in ("1", "true")
        elif name == "sheet":
            key = next((value for key, value in attributes.items() if _local(key) == "id"), "")
            # A parser that resolves no entities leaves this one in an attribute.
            self.sheets.append((attributes["name"].replace("&#38;", "&"), key))
            if len(self.sheets) > MOST_SHEETS:
                raise XmlFault("XSD")


class Relations(Part):
    """Where the sheets are, and the texts, whatever their parts are called."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, str] = {}
        self.texts = ""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name != "Relationship" or attributes.get("TargetMode") == "External":
            return
        kind, target = attributes["Type"].rpartition("/")[2], attributes["Target"]
        place = target[1:] if target.startswith("/") else f"xl/{target}"
        if kind == "worksheet":
            self.sheets[attributes["Id"]] = place
        elif kind == "sharedStrings":
            self.texts = place
        if len(self.sheets) > MOST_SHEETS:
            raise XmlFault("XSD")


class Styles(Part):
    """Which styles of cells show a day."""

    def __init__(self) -> None:
        super().__init__()
        self.days = set[int]()
        self._formats = set(DAYS)
        self._place = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            key = int(attributes["numFmtId"])
            (self._formats.add if is_day(attributes["formatCode"]) else self._formats.discard)(key)
        elif name == "xf" and "cellXfs" in self.inside:
            if int(attributes.get("numFmtId", "0")) in self._formats:
                self.days.add(self._place)
            self._place += 1
        if self._place > MOST_STYLES or len(self._formats) > MOST_STYLES:
            raise XmlFault("XSD")


class Text(Part):
    """Gathers text, of which a part has much and an element little."""

    def __init__(self) -> None:
        super().__init__()
        self._text: list[str] = []
        self._length = 0

    def take(self, text: str) -> None:
        """A piece of the text of a cell."""
        self._length += len(text)
        if self._length > LONGEST:
            raise XmlFault("XSD")
        self._text.append(text)

    def taken(self) -> str:
        """All of it, and it is forgotten."""
        whole = "".join(self._text)
        self._text.clear()
        self._length = 0
        return whole


class Texts(Text):
    """The texts that cells point at: those of their parts, without how they are pronounced."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.all: list[str] = []
        self._name, self._size = name, 0

    def data(self, text: str) -> None:
        if self.inside[-1] == "t" and "rPh" not in self.inside:
            self.take(text)

    def finish(self, name: str) -> None:
        if name != "si":
            return
        self.all.append(self.taken())
        self._size += sys.getsizeof(self.all[-1])
        if self._size > MOST_TEXTS:
            raise FileFault("B11", self._name)


class Sheet(Text):
    """The rows of one sheet; whoever feeds the parser takes them away."""

    def __init__(self, name: str, texts: Sequence[str], days: set[int], epoch: datetime) -> None:
        super().__init__()
        self.ready: list[Row] = []
        self._name, self._texts, self._days, self._epoch = name, texts, days, epoch
        self._row, self._column = 0, 0
        self._values: list[object] = []
        self._kind, self._style = "n", 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            number = int(attributes.get("r", self._row + 1))
            if number <= self._row:
                raise XmlFault("XSD")
            if number > MOST_ROWS:
                raise FileFault("B11", self._name)
            self._row, self._column, self._values = number, 0, [None] * MOST_COLUMNS
        elif name == "c":
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", "0"))

    def data(self, text: str) -> None:
        wanted = "is" in self.inside if self._kind == "inlineStr" else True
        if self.inside[-1] in ("v", "t") and "c" in self.inside and wanted and "rPh" not in self.inside:
            self.take(text)

    def finish(self, name: str) -> None:
        if name == "c":
            text = self.taken()
            if text and self._column <= MOST_COLUMNS:
                self._values[self._column - 1] = self._value(text)
        elif name == "row" and self._values.count(None) < MOST_COLUMNS:
            self.ready.append((self._row, self._values))

    def _value(self, text: str) -> object:
        if self._kind == "n":
            number = float(text) if any(c in ".eE" for c in text) else int(text)
            return self._moment(number) if self._style in self._days and number >= 1 else number
        return _READERS.get(self._kind, str)(text) if self._kind != "s" else self._texts[int(text)]

    def _moment(self, number: float) -> object:
        try:
            return moment(number, self._epoch)
        except OverflowError:
            return "#VALUE!"


def _column(reference: str) -> int:
    """The number of the column of a reference such as ``AB12``."""
    found = COLUMN.fullmatch(reference)
    if found is None:
        raise ValueError
    number = 0
    for letter in found.group(1):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "b": lambda text: bool(int(text)),
    "d": datetime.fromisoformat,
}
