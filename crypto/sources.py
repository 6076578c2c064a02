"""Who is trusted to deliver: the authority's certificates, what it revoked, and the judgement of a certificate.

Read from the folder of public keys: ``authority.pem`` (the root, then its intermediates), ``revoked.pem`` (an X.509
list that the root signed) and, for people, ``sources.pem`` (all that was issued). Whoever can write these files decides
who is trusted. Who can only take one away, or put an older one back under a process that runs, gains nothing: a process
starts with both or not at all, and one that runs keeps what it had and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from cryptography import x509

from crypto import certificates
from crypto.certificates import CERTIFICATE_BYTES, EARLIER_SECONDS, MALFORMED, SHORT_SECONDS, NotTrusted, Source
from crypto.keys import PUBLIC, KeysError

__all__ = ["AUTHORITY", "ISSUED", "REVOKED", "NotTrusted", "Source", "Trust"]

AUTHORITY, REVOKED, ISSUED = "authority.pem", "revoked.pem", "sources.pem"
_BEGIN: Final = b"-----BEGIN X509 CRL-----"
_LOOK_SECONDS: Final = 1.0
#: Certificates kept per process; only such as are good come in.
_CACHE: Final = 4096

_log = structlog.get_logger()


class _Known(NamedTuple):
    """What both files say. ``revoked``: serial -> first second from which it is refused."""

    roots: tuple[x509.Certificate, ...]  # one; two while the second follows the first, which vouches for it
    issuers: dict[bytes, x509.Certificate]  # by subject
    revoked: dict[int, int]
    numbers: dict[bytes, int]  # of the list of each root, by subject; each has a higher one than the list before
    due: int  # second at which a newer list is expected


class Trust:
    """Judges certificates by the files of a key folder, which are read anew when they change."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Read them.

        Raises:
            KeysError: one is missing, or the list is not signed by this authority.
        """
        self._folder, self._clock = folder / PUBLIC, clock
        self._stamps = self._look()
        self._use(_read(self._folder))
        self._next = clock() + _LOOK_SECONDS
        #: What is wrong with the files as they are now, in one sentence; empty when nothing is.
        self.complaint = ""

    @property
    def development(self) -> bool:
        """True when the authority is one that ``sor up`` made for a single machine."""
        return certificates.is_of_development(self._known.roots[0])

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """The root, and behind it the one that follows it."""
        return self._known.roots

    @property
    def due(self) -> int:
        """Second since 1970 before which the authority must act: it ends, or it promised a newer list."""
        return min(self._known.due, certificates.span(self._known.roots[0])[1])

    def refresh(self) -> None:
        """Read the files again if they changed; looks at most once a second, and keeps what it had if they are bad."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _LOOK_SECONDS
        stamps = self._look()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._use(self._newer(_read(self._folder)))
        except KeysError as error:
            self.complaint = str(error)
            _log.error("authority_not_read", reason=self.complaint)
        else:
            self.complaint = ""
            _log.info("authority_read", list=max(self._known.numbers.values()), revoked=len(self._known.revoked))

    def source(self, der: bytes, at_seconds: int) -> Source:
        """Whose certificate this is, when it counts at that second. ``NotTrusted`` for everything else."""
        self.refresh()
        if len(der) > CERTIFICATE_BYTES:
            raise NotTrusted("the certificate is too large")
        source, issuer = self._judged(der)
        if not source.begins <= at_seconds <= source.ends:
            raise NotTrusted("the certificate does not count at this time")
        if revoked := self._known.revoked:
            for serial in (source.serial, issuer):
                if (since := revoked.get(serial)) is not None and at_seconds >= since:
                    raise NotTrusted("the certificate, or that of its issuer, was revoked")
        return source

    def _look(self) -> list[tuple[int, int, int] | None]:
        stamps: list[tuple[int, int, int] | None] = []
        for name in (AUTHORITY, REVOKED):
            try:
                stat = (self._folder / name).stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return stamps

    def _use(self, known: _Known) -> None:
        self._known = known
        self._judged = lru_cache(maxsize=_CACHE)(self._judge)

    def _newer(self, known: _Known) -> _Known:
        """A process keeps its root, or takes one that its root vouched for: another is a choice that a start makes."""
        if known.roots[0] not in self._known.roots:
            raise KeysError(f"{AUTHORITY} is of another authority than at the start; restart the process to change it.")
        if any(number < self._known.numbers.get(root, 0) for root, number in known.numbers.items()):
            raise KeysError(f"{REVOKED} is older than what it replaced; put the newest in its place.")
        return known

    def _judge(self, der: bytes) -> tuple[Source, int]:
        """The source and the serial of its issuer: all that time does not change."""
        try:
            certificate = x509.load_der_x509_certificate(der)
            issuer = self._known.issuers[certificate.issuer.public_bytes()]
            certificate.verify_directly_issued_by(issuer)
            source = certificates.source_of(certificate)
            development = certificates.is_of_development(certificate)
        except KeyError:
            raise NotTrusted("another authority issued the certificate") from None
        except MALFORMED as error:
            raise NotTrusted("this is no certificate that the authority made") from error
        if development != self.development:
            raise NotTrusted("a certificate for development counts there and nowhere else")
        begins, ends = certificates.span(issuer)
        if source.ends > ends:
            raise NotTrusted("the certificate outlives its issuer")
        if issuer not in self._known.roots and source.ends - source.begins > SHORT_SECONDS + EARLIER_SECONDS:
            raise NotTrusted("an intermediate issues for a day at most")
        return source._replace(begins=max(begins, source.begins)), issuer.serial_number


def _read(folder: Path) -> _Known:
    """Both files, when they belong together. ``KeysError`` with what to do otherwise."""
    try:
        found = x509.load_pem_x509_certificates((folder / AUTHORITY).read_bytes())
        roots, issuers = _issuers(found)
        known = _lists((folder / REVOKED).read_bytes(), roots)
    except OSError as error:
        raise KeysError(
            f"{error.filename} cannot be read ({error.strerror}); `sor sources init` makes an authority, and of one "
            f"that is there both {AUTHORITY} and {REVOKED} belong here."
        ) from error
    except MALFORMED as error:
        raise KeysError(f"{folder}: {AUTHORITY} and {REVOKED} are not good ({error}); publish them again.") from error
    if len(issuers) + len(roots) - 1 != len(found):
        raise KeysError(f"{folder / AUTHORITY} holds two certificates of one name; publish it again.")
    return known._replace(issuers=issuers)


def _issuers(found: list[x509.Certificate]) -> tuple[tuple[x509.Certificate, ...], dict[bytes, x509.Certificate]]:
    """The roots, and all that may issue by name. ``ValueError`` and the others of ``MALFORMED``.

    A second root counts when the first gave it a certificate of its name and key: so a process that runs can follow.
    """
    first, *others = found
    roots = (first, *(one for one in others if one.issuer == one.subject))
    if len(roots) > 2:
        raise ValueError("more than two roots")
    by_name = {root.subject: root for root in roots}
    issuers = {}
    for one in found:
        root = by_name.get(one.issuer, first)
        _check_issuer(one, root)
        following = by_name.get(one.subject)
        if following is None or one == following:
            issuers[one.subject.public_bytes()] = one
        elif root != first or one.public_key() != following.public_key():
            raise ValueError("a certificate for the next root is not of its key, or not by the root before")
    for one in roots[1:]:
        if not any(other.subject == one.subject and other.issuer == first.subject for other in others):
            raise ValueError("nobody vouches for the second root")
        if certificates.is_of_development(one) != certificates.is_of_development(first):
            raise ValueError("one root is for development and one is not")
    return roots, issuers


def _check_issuer(one: x509.Certificate, root: x509.Certificate) -> None:
    """``ValueError`` and the others of ``MALFORMED`` when it may not issue."""
    one.verify_directly_issued_by(root)
    certificates.ed25519(one)
    if not certificates.is_authority(one):
        raise ValueError("a certificate may not issue others")
    if certificates.is_of_development(one) != certificates.is_of_development(root):
        raise ValueError("one certificate is for development and one is not")
    if certificates.span(one)[1] > certificates.span(root)[1]:
        raise ValueError("an intermediate outlives its root")


def _lists(content: bytes, roots: tuple[x509.Certificate, ...]) -> _Known:
    """The list of each root, signed by it; what one of them revoked is refused."""
    signed = [x509.load_pem_x509_crl(_BEGIN + one) for one in content.split(_BEGIN)[1:]] or [
        x509.load_pem_x509_crl(content)
    ]
    numbers: dict[bytes, int] = {}
    revoked: dict[int, int] = {}
    due: list[int] = []
    for root in roots:
        mine = next((one for one in signed if one.issuer == root.subject), signed[0])
        if not mine.is_signature_valid(certificates.ed25519(root)):
            raise ValueError("the list of what is revoked is not signed by this authority")
        numbers[root.subject.public_bytes()] = mine.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for one in mine:
            since = int(one.revocation_date_utc.timestamp())
            revoked[one.serial_number] = min(since, revoked.get(one.serial_number, since))
        due.append(int((mine.next_update_utc or datetime.fromtimestamp(0, UTC)).timestamp()))
    return _Known(roots, {}, revoked, numbers, min(due))
