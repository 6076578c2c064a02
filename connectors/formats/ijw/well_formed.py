"""What makes a document no XML at all, and where: as far as the parser tells."""

from __future__ import annotations

from lxml import etree


def malformed(error: etree.XMLSyntaxError) -> tuple[int, str]:
    """Line of what makes a document not well-formed, and its column in words."""
    line, column = error.position
    return line or 0, f"kolom {column}" if column else ""


def is_bare(error: etree.XMLSyntaxError, last: bytes) -> bool:
    """Whether an ``&`` stands for itself, which the parser tells only at the end of a document.

    ``last``: its last bytes, for an ``&`` there of which the rest is cut off is half a document.
    """
    before, _, after = last.rpartition(b"&")
    cut = bool(before) and b"<" not in after
    return "EntityRef" in (error.msg or "") and not cut
