"""The folder of an authority: its certificates and keys, and the ledger of all that it issued and revoked.

``root.pem``, ``root.key`` (of a later root ``root-2.pem``, ``root-2.key``, and ``cross-2.pem`` by the root before), one
intermediate or more (``intermediate-1.pem``, ``.key``) and ``ledger.json``, all for their user alone. One command at a
time changes the folder, and no key or certificate is ever overwritten.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import files
from crypto.certificates import MALFORMED, Source, common_name, is_authority, source_of, span
from crypto.key_files import KeysError, one_command
from faults import OperatorFault

ROOT, CROSS, INTERMEDIATE, LEDGER = "root", "cross", "intermediate", "ledger.json"
_PEM: Final = serialization.Encoding.PEM


class AuthorityError(OperatorFault):
    """The authority does not do this. The message says why, and what to do."""


class Issued(NamedTuple):
    """One line of the ledger. ``source`` is None for the certificate of an intermediate."""

    name: str
    serial: int
    begins: int
    ends: int
    source: Source | None
    der: bytes
    revoked: int | None  # first second from which it is refused
    reason: str


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One command at a time; the others wait. ``KeysError`` when a file cannot be read or written."""
    absent = "holds no authority ({}); `sor sources init` makes one."
    with one_command(folder / "lock", absent, "The authority stopped there; try again."):
        yield


def read(folder: Path) -> dict[str, Any]:
    """The ledger: ``lists``, the number of the last list of what is revoked, and ``issued``. ``KeysError``."""
    try:
        return dict(json.loads((folder / LEDGER).read_bytes()))
    except OSError as error:
        raise KeysError(
            f"{folder} holds no finished authority; `sor sources init` makes one in a new folder."
        ) from error
    except ValueError as error:
        raise KeysError(f"{folder / LEDGER} is no ledger; restore it from its own backup.") from error


def save(folder: Path, book: dict[str, Any]) -> None:
    """Write it as a whole."""
    files.write(folder / LEDGER, json.dumps(book, indent=1).encode(), mode=files.PRIVATE)


def root(folder: Path) -> x509.Certificate:
    """The certificate of the authority itself: of the root that issues now."""
    return certificate(folder, root_name(read(folder)))


def root_name(book: dict[str, Any]) -> str:
    """File name of the root that issues now."""
    return numbered(ROOT, book.get("root", 1))


def numbered(name: str, number: int) -> str:
    """File name of a root, or of the certificate that the root before gave it."""
    return name if number == 1 else f"{name}-{number}"


def roots(book: dict[str, Any]) -> list[int]:
    """Numbers of the roots that count, the oldest first: one, or two while the one follows the other."""
    return list(book.get("roots", [1]))


def certificate(folder: Path, name: str) -> x509.Certificate:
    """One of its certificates."""
    return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())


def pair(folder: Path, name: str) -> tuple[x509.Certificate, Ed25519PrivateKey]:
    """A certificate and its key. ``KeysError`` when one is missing or no good, or others can read them."""
    path = folder / f"{name}.key"
    try:
        if not files.is_private(folder, path):
            raise KeysError(f"{folder} can be read by others; set mode 0700 on the folder and 0600 on the keys.")
        private = serialization.load_pem_private_key(path.read_bytes(), None)
        made = certificate(folder, name)
    except OSError as error:
        raise KeysError(
            f"{error.filename} cannot be read ({error.strerror}); this needs the key of the authority."
        ) from error
    except MALFORMED as error:
        raise KeysError(f"{path} is no key; restore it from its own backup.") from error
    if not isinstance(private, Ed25519PrivateKey) or private.public_key() != made.public_key():
        raise KeysError(f"{path} is not the key of its certificate; restore both from their own backup.")
    return made, private


def write_pair(folder: Path, name: str, certificate: x509.Certificate, private: Ed25519PrivateKey) -> None:
    """Keep both. ``AuthorityError`` when something of that name is there."""
    form = serialization.PrivateFormat.PKCS8
    try:
        key = private.private_bytes(_PEM, form, serialization.NoEncryption())
        files.write_new(folder / f"{name}.key", key, mode=files.PRIVATE)
        files.write_new(folder / f"{name}.pem", certificate.public_bytes(_PEM), mode=files.PRIVATE)
    except FileExistsError as error:
        raise AuthorityError(
            f"{folder} holds keys of an authority that is not finished; keys are never overwritten. Move it away."
        ) from error


def enter(book: dict[str, Any], made: x509.Certificate) -> dict[str, Any]:
    """Add what was issued."""
    der = base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()
    entry = {"serial": f"{made.serial_number:x}", "der": der, "revoked": None, "reason": ""}
    book["issued"].append(entry)
    return entry


def read_entry(entry: dict[str, Any]) -> Issued:
    """One line of the ledger."""
    made = x509.load_der_x509_certificate(base64.b64decode(entry["der"]))
    return issued_of(made, revoked=entry["revoked"], reason=entry["reason"])


def issued_of(made: x509.Certificate, *, revoked: int | None = None, reason: str = "") -> Issued:
    """A certificate as a line of the ledger."""
    source = None if is_authority(made) else source_of(made)
    name = source.id if source else common_name(made)
    der = made.public_bytes(serialization.Encoding.DER)
    return Issued(name, made.serial_number, *span(made), source, der, revoked, reason)


def intermediates(folder: Path) -> list[int]:
    """The numbers of its intermediates, the oldest first; their keys may be on another machine."""
    return sorted(int(path.stem.rpartition("-")[2]) for path in folder.glob(f"{INTERMEDIATE}-*.pem"))


def newest(folder: Path, book: dict[str, Any]) -> str:
    """File name of the last intermediate. ``AuthorityError`` when there is none, or it was revoked."""
    numbers = intermediates(folder)
    name = f"{INTERMEDIATE}-{numbers[-1]}" if numbers else ""
    revoked = {int(one["serial"], 16) for one in book["issued"] if one["revoked"] is not None}
    if not name or certificate(folder, name).serial_number in revoked:
        raise AuthorityError("No intermediate counts here; `sor sources init --intermediate` makes the next one.")
    return name
