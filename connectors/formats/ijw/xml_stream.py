"""XML as a stream: a structure in, its elements out, nothing kept that was not asked for.

No tree is built. A document type declaration is refused before the parser sees it, the encoding is UTF-8 whatever the
document says, nothing is fetched, and every text, depth and number of elements is bounded by the structure itself: an
element that it does not name ends the parse. What no structure bounds is bounded here: the size of a tag, and the names
that the parser never forgets (namespaces, instructions, and whatever stands in a part that is passed over).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

from lxml import etree

from connectors.formats.ijw.well_formed import is_bare, malformed
from faults import SenderFault

CHUNK: Final = 65_536
_DOCTYPE: Final = b"<!DOCTYPE"
#: Longer than any value of the standard (200), shorter than anything harmful.
LONGEST_TEXT: Final = 1_000
#: Bytes from one ``<`` to the next, which the parser holds at once and several times: a tag with all its attributes.
LONGEST_PIECE: Final = 131_072
#: Names that the parser keeps until the end of a document. A message of the standard has some hundred.
MOST_NAMES: Final = 1_000
_DEEPEST_SKIPPED: Final = 200
#: Of a part that is passed over: characters of a text that is kept, and how many.
_LONGEST_LOOKED: Final = 40
_MOST_LOOKED: Final = 200
RELEASE: Final = re.compile("/ijw/([0-9]_[0-9])/")
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
ROOT_ATTRIBUTES: Final = frozenset({f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"})

Values = dict[str, Any]
#: Called at the end of an element: its values, and the values of the open elements by name.
Handler = Callable[[Values, dict[str, Values]], None]


class Element(NamedTuple):
    """One element of a structure: a leaf with a reader of its text, or a branch with children in fixed order.

    ``keep`` false: checked and forgotten. ``event`` true: handed over at its end instead of kept in its parent (a leaf
    as its name with its value). ``skip`` true: whatever stands inside is neither looked at nor held, but for what
    ``look`` names: paths of local names below it, whose texts become its value, a list of ``Looked``.
    """

    name: str
    tag: str
    read: Callable[[str], Any] | None
    children: tuple[Element, ...] = ()
    least: int = 1
    most: float = 1
    keep: bool = True
    event: bool = False
    skip: bool = False
    look: tuple[tuple[str, ...], ...] = ()


class Looked(NamedTuple):
    """One element of a part that is passed over, in the order in which they end: its path and its text."""

    path: tuple[str, ...]
    text: str


class Shape(NamedTuple):
    """One document that may come: its structure, and who hears of its events."""

    root: Element
    handlers: dict[str, Handler]


class XmlFault(SenderFault):
    """The document is refused: code, line where known, element."""

    def __init__(self, code: str, veld: str = "", line: int = 0) -> None:
        super().__init__(code, veld, line)
        self.code, self.veld, self.line = code, veld, line


class _Frame:
    """One open element."""

    __slots__ = ("count", "element", "place", "values")

    def __init__(self, element: Element) -> None:
        self.element, self.place, self.count = element, 0, 0
        self.values: Values = {}


class BoundedNames:
    """The names of a document that the parser never forgets: there may be so many, and each as often as it likes."""

    def __init__(self) -> None:
        self._names = set[str]()

    def remember(self, name: str) -> None:
        """One name. ``XmlFault`` ``XSD`` when there are too many."""
        if name not in self._names:
            self._names.add(name)
            if len(self._names) > MOST_NAMES:
                raise XmlFault("XSD")

    def start_ns(self, prefix: str, uri: str) -> None:
        """A namespace is declared."""
        self.remember(f"{prefix} {uri}")

    def pi(self, target: str, _data: str | None) -> None:
        """An instruction."""
        self.remember(target)


class _Look:
    """Follows a part that is passed over, and keeps the texts of a few paths in it; too many or too long are none."""

    def __init__(self, paths: tuple[tuple[str, ...], ...]) -> None:
        self._paths, self._path, self._text = paths, list[str](), ""
        self.found: list[Looked] = []

    def start(self, tag: str) -> None:
        self._path.append(tag.rpartition("}")[2])
        self._text = ""

    def data(self, text: str) -> None:
        if len(self._text) <= _LONGEST_LOOKED:
            self._text += text[: _LONGEST_LOOKED + 1]

    def end(self) -> None:
        path, text = tuple(self._path), self._text.strip()
        if path in self._paths and len(self.found) < _MOST_LOOKED:
            self.found.append(Looked(path, text if len(text) <= _LONGEST_LOOKED else ""))
        self._path.pop()
        self._text = ""


class _Target(BoundedNames):
    """Receives what the parser reads and holds it against the structure."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        super().__init__()
        self._shapes = {shape.root.tag: shape for shape in shapes}
        self._stack, self._length, self._skipping = [_top(shapes[0])], 0, 0
        self._text: list[str] = []
        self._handlers, self._open = shapes[0].handlers, dict[str, Values]()
        self._look: _Look | None = None

    def doctype(self, *_args: object) -> None:
        raise XmlFault("XSD", "DOCTYPE")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if attributes and (len(self._stack) > 1 or not ROOT_ATTRIBUTES.issuperset(attributes)):
            raise XmlFault("XSD", _local(tag))
        if self._skipping:
            self.remember(tag)
            self._skipping += 1
            if self._skipping > _DEEPEST_SKIPPED:
                raise XmlFault("XSD", self._stack[-1].element.name)
            if self._look is not None:
                self._look.start(tag)
            return
        if len(self._stack) == 1 and tag in self._shapes:
            self._stack[0], self._handlers = _top(self._shapes[tag]), self._shapes[tag].handlers
        elif len(self._stack) == 1:
            self._same_release(tag)
        element = _next_child(self._stack[-1], tag)
        frame = _Frame(element)
        self._stack.append(frame)
        if element.children:
            self._open[element.name] = frame.values
        elif element.skip:
            self._skipping, self._look = 1, _Look(element.look) if element.look else None

    def _same_release(self, tag: str) -> None:
        """``B22`` for a message that is known under another release."""
        found = RELEASE.search(tag)
        if found and any(RELEASE.sub(found.group(), known, count=1) == tag for known in self._shapes):
            self._stack[0] = _Frame(Element("", "", None))  # the parser closes: nothing is missing then
            raise XmlFault("B22", f"iJw {found.group(1).replace('_', '.')}")

    def data(self, text: str) -> None:
        if self._skipping:
            if self._look is not None:
                self._look.data(text)
            return
        element = self._stack[-1].element
        if element.read is None:
            if text.strip():
                raise XmlFault("XSD", element.name)
            return
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise XmlFault("XSD", element.name)
        self._text.append(text)

    def end(self, _tag: str) -> None:
        if self._skipping:
            self._pass_over()
            return
        frame = self._stack.pop()
        element = frame.element
        if element.read is not None:
            value = self._value(element)
            if element.event:
                frame.values[element.name] = value
        else:
            _complete(frame)
            value = frame.values
        if element.event:
            self._handlers[element.name](frame.values, self._open)
        elif element.keep:
            self._stack[-1].values[element.name] = value

    def _pass_over(self) -> None:
        """The end of an element in a part that is passed over, or of that part."""
        self._skipping -= 1
        if self._skipping:
            if self._look is not None:
                self._look.end()
            return
        element = self._stack.pop().element
        if self._look is not None:
            self._stack[-1].values[element.name], self._look = self._look.found, None

    def close(self) -> None:
        _complete(self._stack[0])

    def _value(self, element: Element) -> Any:
        text = "".join(self._text)
        self._text.clear()
        self._length = 0
        try:
            return element.read(text)  # type: ignore[misc]  # only called for a leaf
        except XmlFault as fault:
            raise XmlFault(fault.code, element.name) from None
        except ValueError:
            raise XmlFault("XSD", element.name) from None


def _top(shape: Shape) -> _Frame:
    return _Frame(Element("", "", None, (shape.root,)))


def _local(tag: str) -> str:
    """Local name, cut: a sender's invention is not repeated at length, and never its digits."""
    name = tag.rpartition("}")[2][:40]
    return "".join(c for c in name if c.isalpha())


def _next_child(frame: _Frame, tag: str) -> Element:
    """The child of this name at or after the present place; skips optional ones only."""
    children = frame.element.children
    while frame.place < len(children):
        child = children[frame.place]
        if child.tag == tag and frame.count < child.most:
            frame.count += 1
            return child
        if frame.count < child.least:
            raise XmlFault("XSD", child.name)
        frame.place, frame.count = frame.place + 1, 0
    raise XmlFault("XSD", _local(tag))


def _complete(frame: _Frame) -> None:
    children = frame.element.children
    for place in range(frame.place, len(children)):
        if (frame.count if place == frame.place else 0) < children[place].least:
            raise XmlFault("XSD", children[place].name)


def hardened(target: Any) -> Any:
    """A parser that resolves, fetches and believes nothing."""
    return etree.XMLParser(
        target=target,
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=False,  # a target that counts them hears of them
    )


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes in pieces, without byte order mark.

    Raises:
        XmlFault: ``XSD`` at a document type declaration or a piece that is too long, ``B04`` where it is no UTF-8,
            ``B03`` when it ends halfway through a character.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    tail, open_piece = b"", 0
    first = True
    try:
        while chunk := stream.read(CHUNK):
            if b"\x00" in chunk:
                raise XmlFault("B04")
            decoder.decode(chunk)
            if first:
                chunk, first = chunk.removeprefix(codecs.BOM_UTF8), False
            if _DOCTYPE in tail + chunk:
                raise XmlFault("XSD", "DOCTYPE")
            tail = chunk[-len(_DOCTYPE) :]
            begin = chunk.find(b"<")
            if open_piece + (begin if begin >= 0 else len(chunk)) > LONGEST_PIECE:
                raise XmlFault("XSD")
            open_piece = len(chunk) - chunk.rfind(b"<") if begin >= 0 else open_piece + len(chunk)
            yield chunk
    except UnicodeDecodeError:
        raise XmlFault("B04") from None
    if decoder.getstate()[0]:
        raise XmlFault("B03")


def read(stream: BinaryIO, *shapes: Shape) -> Iterator[None]:
    """Parse a document of one of these shapes; yields after each piece, so that the caller can hand over what was made.

    Raises:
        XmlFault: ``XSD`` for another structure, ``B03`` for half a document, ``B04`` for another encoding, ``B22`` for
            another release, ``B25`` where it is not well-formed, or the code that a leaf gave.
    """
    parser, last = hardened(_Target(shapes)), b""
    try:
        for chunk in chunks(stream):
            parser.feed(chunk)
            last = (last + chunk)[-LONGEST_TEXT:]
            yield
    except etree.XMLSyntaxError as error:
        line, column = malformed(error)
        raise XmlFault("B25", column, line) from None
    try:
        parser.close()
    except (etree.XMLSyntaxError, XmlFault) as error:  # whatever is wrong only at the end: the rest is missing
        if isinstance(error, etree.XMLSyntaxError) and is_bare(error, last):
            line, column = malformed(error)
            raise XmlFault("B25", column, line) from None
        raise XmlFault("B03") from None
    yield
