"""Files that lie beside deliveries: what programs leave in a folder, what is for people, what others packed."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
_NAMES_BEGIN: Final = ("~$", ".~lock.")
#: Documents, pictures, sound, mails, links, what was half downloaded, and layouts of CBS files, which lie beside them.
_NAMES_END: Final = (
    *(".doc", ".docx", ".odt", ".rtf", ".ppt", ".pptx", ".odp", ".pdf", ".msg", ".eml", ".ics"),
    *(".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".mp3", ".mp4", ".m4a", ".wav"),
    *(".lnk", ".url", ".webloc", ".tmp", ".crdownload", ".part", ".exe", ".msi", ".toml"),
)
_BEGIN: Final = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"%PDF-", b"II*\x00", b"MM\x00*")
#: gzip, 7-zip, RAR, bzip2, xz: ``sor deliver`` unpacks zip alone.
_PACKED_BEGIN: Final = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\x00")
_PAGE: Final = re.compile(rb"(?i)<(?:!doctype\s+html|html|head|body|table|div|meta)[\s/>]")


def is_litter(head: bytes, file_name: str) -> bool:
    """Whether a file is no delivery of anybody: skipped with one line, not refused."""
    name = file_name.casefold()
    by_name = name in _NAMES or name.startswith(_NAMES_BEGIN) or name.endswith(_NAMES_END)
    return by_name or head.startswith(_BEGIN)


def is_packed(head: bytes) -> bool:
    """Whether a file was packed by another program than one that makes zip files."""
    return head.startswith(_PACKED_BEGIN)


def is_page(head: bytes) -> bool:
    """Whether a file is a web page, whatever its name: many programs write one and call it ``.xls``."""
    return _PAGE.match(head.removeprefix(b"\xef\xbb\xbf").lstrip()) is not None
