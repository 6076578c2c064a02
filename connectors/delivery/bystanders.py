"""Files that lie beside deliveries: what programs leave in a folder, what is for people, what others packed."""

from __future__ import annotations

import re
from typing import Final

NAMES: Final = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
NAMES_BEGIN: Final = ("~$", ".~lock.")
#: Documents, pictures, sound, mails, links, what was half downloaded, and layouts of CBS files, which lie beside them.
NAMES_END: Final = (
    *(".doc", ".docx", ".odt", ".rtf", ".ppt", ".pptx", ".odp", ".pdf", ".msg", ".eml", ".ics"),
    *(".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".mp3", ".mp4", ".m4a", ".wav"),
    *(".lnk", ".url", ".webloc", ".tmp", ".crdownload", ".part", ".exe", ".msi", ".toml"),
)
BEGIN: Final = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"%PDF-", b"II*\x00", b"MM\x00*")
#: gzip, 7-zip, RAR, bzip2, xz: ``sor deliver`` unpacks zip alone.
PACKED_BEGIN: Final = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\x00")
PAGE: Final = re.compile(rb"(?i)<(?:!doctype\s+html|html|head|body|table|div|meta)[\s/>]")


def is_litter(head: bytes, file_name: str) -> bool:
    """Whether a file is no delivery of anybody: skipped with one line, not refused."""
    name = file_name.casefold()
    by_name = name in NAMES or name.startswith(NAMES_BEGIN) or name.endswith(NAMES_END)
    return by_name or head.startswith(BEGIN)


def is_packed(head: bytes) -> bool:
    """Whether a file was packed by another program than one that makes zip files."""
    return head.startswith(PACKED_BEGIN)


def is_page(head: bytes) -> bool:
    """Whether a file is a web page, whatever its name: many programs write one and call it ``.xls``."""
    return PAGE.match(head.removeprefix(b"\xef\xbb\xbf").lstrip()) is not None
