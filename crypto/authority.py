"""The authority of a region: it says who may deliver, for whom and what, and it takes that back.

Its folder lies offline, of another administration than the stages (docs/sources.md): ``root.pem``, ``root.key``, one
intermediate or more (``intermediate-1.pem``, ``.key``) and ``ledger.json`` with all that was issued and revoked. What
the stages read is published into the folder of public keys; ``crypto.sources`` reads it there. One command at a time
changes the folder (a lock), and no key or certificate is ever overwritten.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto import building, files, grants, ledger, sign
from crypto.certificates import (
    CERTIFICATE_BYTES,
    DEVELOPMENT,
    EARLIER_SECONDS,
    SHORT_SECONDS,
    is_of_development,
    region_name,
    span,
    uris,
)
from crypto.grants import Grant
from crypto.keys import PUBLIC, KeysError
from crypto.ledger import CROSS, INTERMEDIATE, LEDGER, ROOT, AuthorityError, Issued
from crypto.sources import AUTHORITY, ISSUED, REVOKED

__all__ = [
    "SOURCES",
    "AuthorityError",
    "Grant",
    "Issued",
    "ensure",
    "init",
    "intermediate",
    "issue",
    "issued",
    "publish",
    "published",
    "revoke",
]

SOURCES: Final = "sources"
YEAR: Final = 365 * 86400
ROOT_SECONDS, INTERMEDIATE_SECONDS = 10 * YEAR, YEAR
#: A newer list of what is revoked is promised within so long, also when nothing was revoked.
LIST_SECONDS: Final = YEAR
#: A certificate of some hours stays in the lists so long after its end: longer than sealed lines are kept.
KEPT_SECONDS: Final = 30 * 86400
PEM: Final = serialization.Encoding.PEM


def init(folder: Path, keys: Path, name: str, development: bool = False, *, at: int | None = None) -> None:
    """Make root, first intermediate and ledger, and publish. An authority that is there is published and stays.

    ``at``: now, in seconds since 1970; here and below for who has a clock of its own.

    Raises:
        AuthorityError: the name is none, or another authority is there or published.
    """
    if not name or len(name) > 30 or name.upper().startswith(DEVELOPMENT):
        raise AuthorityError(f"An authority has a name of 1 to 30 characters that does not begin with {DEVELOPMENT}.")
    name = f"{DEVELOPMENT} {name}" if development else name
    _check_place(keys)
    files.make_private(folder)
    with ledger.locked(folder):
        if (folder / LEDGER).exists():
            if region_name(ledger.root(folder)) != name:
                raise AuthorityError(
                    f"{folder} is another authority: {region_name(ledger.root(folder))}; nothing is changed."
                )
        elif (keys / PUBLIC / AUTHORITY).exists():
            raise AuthorityError(f"{keys / PUBLIC / AUTHORITY} is of an authority that is not in {folder}.")
        else:
            _make(folder, name, _now(at))
        publish_all(folder, keys, _now(at))


def intermediate(folder: Path, keys: Path, *, at: int | None = None) -> Issued:
    """One more intermediate, for when the last ends or was revoked; short-lived certificates come from the newest."""
    with ledger.locked(folder):
        book = ledger.read(folder)
        made = make_intermediate(folder, book, _now(at))
        ledger.save(folder, book)
        publish_all(folder, keys, _now(at))
    return made


def issue(
    folder: Path,
    keys: Path,
    grant: Grant,
    public_key: Ed25519PublicKey,
    short: bool = False,
    *,
    at: int | None = None,
) -> bytes:
    """The certificate of a source (DER), in the ledger and in the public list. ``short``: by the intermediate.

    Raises:
        AuthorityError: the grant cannot be given; it would outlive its issuer, or is no name, provider or kind.
    """
    with ledger.locked(folder):
        return _issue(folder, keys, grant, public_key, short=short, now=_now(at))


def revoke(folder: Path, keys: Path, serial: int, reason: str = "", *, at: int | None = None) -> Issued:
    """Refuse a certificate, or all that an intermediate issued, from now on. Twice is once.

    Raises:
        AuthorityError: this authority issued no certificate with that serial.
    """
    with ledger.locked(folder):
        book, now = ledger.read(folder), _now(at)
        entry = next((one for one in book["issued"] if int(one["serial"], 16) == serial), None)
        if entry is None:
            raise AuthorityError(f"No certificate {serial:x} was issued here; `sor sources list` shows them.")
        if entry["revoked"] is None:
            entry["revoked"], entry["reason"] = now, reason
            ledger.save(folder, book)
        publish_all(folder, keys, now)
    return ledger.read_entry(entry)


def issued(folder: Path) -> list[Issued]:
    """All that was issued, the oldest first."""
    return [ledger.read_entry(entry) for entry in ledger.read(folder)["issued"]]


def published(keys: Path) -> list[Issued]:
    """The same by the public files, for who does not hold the authority; why something was revoked is not in them."""
    public = keys / PUBLIC
    try:
        made = x509.load_pem_x509_certificates((public / ISSUED).read_bytes())
        listed = x509.load_pem_x509_crl((public / REVOKED).read_bytes())
    except (OSError, ValueError) as error:
        raise KeysError(f"{public} holds no list of sources; the authority publishes it.") from error
    revoked = {one.serial_number: int(one.revocation_date_utc.timestamp()) for one in listed}
    return [ledger.issued_of(one, revoked=revoked.get(one.serial_number)) for one in made]


def publish(folder: Path, keys: Path, *, at: int | None = None) -> None:
    """Write the public files: the authority, a new list of what is revoked, and all that was issued."""
    with ledger.locked(folder):
        publish_all(folder, keys, _now(at))


def ensure(folder: Path, keys: Path, grant: Grant) -> sign.Signer:
    """The signer of a source on this one machine; a development authority makes it when it is asked for.

    Raises:
        AuthorityError: it is not there and the authority is a real one, or it was granted something else.
        KeysError: there is no authority here, or the key that is there is no good.
    """
    if not (folder / LEDGER).exists():
        raise KeysError(f"{folder} holds no authority; `sor sources init --development` makes one for this machine.")
    grants.check_names(grant)
    place = folder / SOURCES / grant.id
    with ledger.locked(folder):
        if not (place / sign.SOURCE).exists():
            if not is_of_development(ledger.root(folder)):
                raise AuthorityError(
                    f"{grant.id} has no key here, and a real authority makes one by `sor sources issue` only."
                )
            private = Ed25519PrivateKey.generate()
            der = _issue(folder, keys, grant, private.public_key(), short=False, now=_now(None))
            sign.save(place, der, private)
    signer = sign.Signer.load(place)
    if not (grant.sends_for <= signer.source.sends_for and grant.kinds <= signer.source.kinds):
        raise AuthorityError(f"The certificate in {place} is for less than is asked; move that folder away.")
    return signer


# --- with the lock held -----------------------------------------------------------------------------------------------


def _make(folder: Path, name: str, now: int) -> None:
    private = Ed25519PrivateKey.generate()
    begins = now - EARLIER_SECONDS
    root = building.authority(
        name=name,
        begins=begins,
        ends=begins + ROOT_SECONDS,
        public=private.public_key(),
        private=private,
        root=None,
    )
    ledger.write_pair(folder, ROOT, root, private)
    book: dict[str, Any] = {"lists": 0, "issued": []}
    make_intermediate(folder, book, now)
    ledger.save(folder, book)  # last: a folder without it was not finished


def make_intermediate(folder: Path, book: dict[str, Any], now: int) -> Issued:
    """The next intermediate of the root that issues now; the caller saves the ledger and publishes."""
    root, private = ledger.pair(folder, ledger.root_name(book))
    number = 1 + max(ledger.intermediates(folder), default=0)
    own = Ed25519PrivateKey.generate()
    begins, ends = now - EARLIER_SECONDS, min(now + INTERMEDIATE_SECONDS, span(root)[1])
    name = f"{region_name(root)} {INTERMEDIATE} {number}"
    made = building.authority(name=name, begins=begins, ends=ends, public=own.public_key(), private=private, root=root)
    ledger.write_pair(folder, f"{INTERMEDIATE}-{number}", made, own)
    return ledger.read_entry(ledger.enter(book, made))


def _issue(folder: Path, keys: Path, grant: Grant, public: Ed25519PublicKey, *, short: bool, now: int) -> bytes:
    book = ledger.read(folder)
    issuer, private = ledger.pair(folder, ledger.newest(folder, book) if short else ledger.root_name(book))
    grants.check(grant, issuer, now, short=short)
    begins = max(now - EARLIER_SECONDS, span(issuer)[0])
    name = f"{DEVELOPMENT} {grant.id}" if is_of_development(issuer) else grant.id
    names = uris(grant.id, grant.sends_for, grant.kinds)
    made = building.source(
        name=name,
        uris=names,
        begins=begins,
        ends=now + grant.seconds,
        public=public,
        private=private,
        issuer=issuer,
    )
    der = made.public_bytes(serialization.Encoding.DER)
    if len(der) > CERTIFICATE_BYTES:
        raise AuthorityError(
            f"A certificate holds some 170 providers and kinds; these take {len(der)} bytes. Make two."
        )
    _check_place(keys)
    ledger.enter(book, made)
    book["issued"] = [one for one in book["issued"] if not _is_over(ledger.read_entry(one).der, now)]
    ledger.save(folder, book)
    _publish_issued(keys, book, now)
    return der


def _is_over(der: bytes, now: int) -> bool:
    """Whether it was of some hours and ended so long ago that no record of it can be judged any more: a portal issues
    hundreds a day, and who delivered stands on every record.
    """
    begins, ends = span(x509.load_der_x509_certificate(der))
    return ends - begins <= SHORT_SECONDS + EARLIER_SECONDS and ends < now - KEPT_SECONDS


def publish_all(folder: Path, keys: Path, now: int) -> None:
    """The list before the authority: who reads in between sees a list that is not of this authority, and waits."""
    _check_place(keys)
    book = ledger.read(folder)
    pairs = [ledger.pair(folder, ledger.numbered(ROOT, number)) for number in ledger.roots(book)]
    place = keys / PUBLIC / AUTHORITY
    ours = [ledger.certificate(folder, path.stem) for path in folder.glob(f"{ROOT}*.pem")]
    if place.exists() and x509.load_pem_x509_certificates(place.read_bytes())[0] not in ours:
        raise AuthorityError(f"{place} is of another authority than {folder}; move it away when it is no more used.")
    book["lists"] += 1
    ledger.save(folder, book)  # a number is used once
    revoked = {one.serial: one.revoked for one in map(ledger.read_entry, book["issued"]) if one.revoked is not None}
    lists = [
        building.revocations(
            root=root, private=private, revoked=revoked, number=book["lists"], begins=now, ends=now + LIST_SECONDS
        )
        for root, private in pairs
    ]
    files.write(keys / PUBLIC / REVOKED, b"".join(one.public_bytes(PEM) for one in lists), mode=files.PUBLIC)
    files.write(place, _chain(folder, book), mode=files.PUBLIC)
    _publish_issued(keys, book, now)


def _chain(folder: Path, book: dict[str, Any]) -> bytes:
    """Each root that counts, before it what the one before says of it, after it its intermediates."""
    names: list[str] = []
    for number in ledger.roots(book):
        root = ledger.certificate(folder, ledger.numbered(ROOT, number))
        names += [ledger.numbered(CROSS, number)] if names else []
        names += [ledger.numbered(ROOT, number)]
        below = [f"{INTERMEDIATE}-{one}" for one in ledger.intermediates(folder)]
        names += [one for one in below if ledger.certificate(folder, one).issuer == root.subject]
    return b"".join((folder / f"{name}.pem").read_bytes() for name in names)


def _publish_issued(keys: Path, book: dict[str, Any], now: int) -> None:
    """Adds to what is there: an intermediate on another machine has a ledger of its own."""
    place = keys / PUBLIC / ISSUED
    there = x509.load_pem_x509_certificates(place.read_bytes()) if place.exists() else []
    ours = [x509.load_der_x509_certificate(one.der) for one in map(ledger.read_entry, book["issued"])]
    kept = [one for one in there if not _is_over(one.public_bytes(serialization.Encoding.DER), now)]
    all_of_them = {one.fingerprint(hashes.SHA256()): one for one in (*kept, *ours)}
    files.write(place, b"".join(one.public_bytes(PEM) for one in all_of_them.values()), mode=files.PUBLIC)


def _check_place(keys: Path) -> None:
    if not (keys / PUBLIC).is_dir():
        raise KeysError(f"{keys / PUBLIC} is missing; make it with `sor keys init`, or copy the public keys there.")


def _now(at: int | None) -> int:
    return int(time.time()) if at is None else at
