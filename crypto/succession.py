"""Another key for a source, an intermediate or the root, while deliveries run: the next beside the former one, then
the sources one by one, and the former one goes when nothing hangs on it.

A root is followed in three steps, each published before the next: the root that counts gives the next one a certificate
of its name and key (cross trust), so that stages which run believe both; the next one issues; the former one is left
out, which is refused while a source has no certificate by the next. ``at``: now, in seconds since 1970.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto import authority, building, files, ledger
from crypto.authority import ROOT_SECONDS, AuthorityError, Issued
from crypto.certificates import EARLIER_SECONDS, SHORT_SECONDS, region_name, span
from crypto.grants import Grant
from crypto.ledger import CROSS, INTERMEDIATE, ROOT

#: Stages look for other files once a second; copying them to other machines is what takes time.
SETTLED_SECONDS: Final = 60


class Reissued(NamedTuple):
    """A new certificate of a source, and the serials of those that count beside it."""

    der: bytes
    former: tuple[int, ...]
    ends: int


def reissue(
    folder: Path, keys: Path, name: str, public_key: Ed25519PublicKey, seconds: int | None = None, *, at: int
) -> Reissued:
    """A certificate that says what the newest one of that source says, by who issues now; both count.

    ``seconds``: how long; as long as the one before when left out.

    Raises:
        AuthorityError: this authority issued none to a source of that name, or revoked the newest.
    """
    known = [one for one in authority.issued(folder) if one.name == name and one.source is not None]
    if not known or known[-1].source is None:
        raise AuthorityError(f"No certificate was issued to {name} here; `sor sources issue` makes the first.")
    newest, says = known[-1], known[-1].source
    if newest.revoked is not None:
        raise AuthorityError(
            f"The newest certificate of {name} was revoked ({newest.reason or 'no reason given'}); what is given again "
            "after that is a choice: `sor sources issue`."
        )
    short = _issuer(newest) not in {root.subject for root in _roots(folder)}
    before = newest.ends - newest.begins - EARLIER_SECONDS
    seconds = seconds or max(1, min(before, SHORT_SECONDS) if short else before)
    der = authority.issue(folder, keys, Grant(name, says.sends_for, says.kinds, seconds), public_key, short, at=at)
    return Reissued(der, tuple(one.serial for one in known if _counts(one, at)), at + seconds)


def prepare_root(folder: Path, keys: Path, *, at: int) -> Issued:
    """Make the next root, and publish it beside the one that counts, which vouches for it.

    Raises:
        AuthorityError: one is there already.
    """
    with ledger.locked(folder):
        book = ledger.read(folder)
        numbers = ledger.roots(book)
        if len(numbers) > 1:
            raise AuthorityError("The next root is there already; `sor keys switch root` lets it issue.")
        former, vouching = ledger.pair(folder, ledger.numbered(ROOT, numbers[0]))
        number, private, begins = numbers[0] + 1, Ed25519PrivateKey.generate(), at - EARLIER_SECONDS
        name, ends = f"{region_name(former)} root {number}", begins + ROOT_SECONDS
        public = private.public_key()
        made = building.authority(name=name, begins=begins, ends=ends, public=public, private=private, root=None)
        ends = min(ends, span(former)[1])
        cross = building.authority(name=name, begins=begins, ends=ends, public=public, private=vouching, root=former)
        files.write_new(
            folder / f"{ledger.numbered(CROSS, number)}.pem", cross.public_bytes(authority.PEM), mode=files.PRIVATE
        )
        ledger.write_pair(folder, ledger.numbered(ROOT, number), made, private)
        entry = ledger.enter(book, cross)
        book["roots"] = [*numbers, number]
        ledger.save(folder, book)
        authority.publish_all(folder, keys, at)
    return ledger.read_entry(entry)


def switch_root(folder: Path, keys: Path, *, at: int) -> Issued:
    """Let the next root issue from now on, and make an intermediate of it; the former one still counts.

    Raises:
        AuthorityError: there is none, or stages may not have seen it yet.
    """
    with ledger.locked(folder):
        book = ledger.read(folder)
        numbers = ledger.roots(book)
        if len(numbers) < 2 or book.get("root", 1) == numbers[-1]:
            raise AuthorityError("There is no next root; `sor keys rotate root` makes it.")
        made = span(ledger.certificate(folder, ledger.numbered(ROOT, numbers[-1])))[0] + EARLIER_SECONDS
        if at < made + SETTLED_SECONDS:
            raise AuthorityError(
                f"A running process may not have looked yet: put the public files where every stage reads them, and "
                f"switch {SETTLED_SECONDS} seconds after that at least."
            )
        book["root"] = numbers[-1]
        issued = authority.make_intermediate(folder, book, at)
        ledger.save(folder, book)
        authority.publish_all(folder, keys, at)
    return issued


def retire_root(folder: Path, keys: Path, *, at: int) -> str:
    """Leave out the former root and all that it issued; the file name of its key, which is of no use any more.

    Raises:
        AuthorityError: it still issues, or a source would be cut off.
    """
    with ledger.locked(folder):
        book = ledger.read(folder)
        numbers = ledger.roots(book)
        if len(numbers) < 2 or book.get("root", 1) != numbers[-1]:
            raise AuthorityError(
                "There is no former root here; `sor keys rotate root` and `sor keys switch root` first."
            )
        former = ledger.certificate(folder, ledger.numbered(ROOT, numbers[0])).subject
        below = (ledger.certificate(folder, f"{INTERMEDIATE}-{one}") for one in ledger.intermediates(folder))
        _refuse_cut_off(folder, {former, *(one.subject for one in below if one.issuer == former)}, at)
        book["roots"] = numbers[1:]
        ledger.save(folder, book)
        authority.publish_all(folder, keys, at)
    return f"{ledger.numbered(ROOT, numbers[0])}.key"


def retire_intermediates(folder: Path, keys: Path, *, at: int) -> list[Issued]:
    """Revoke every intermediate but the newest, when nothing hangs on them any more.

    Raises:
        AuthorityError: a source would be cut off.
    """
    with ledger.locked(folder):
        book = ledger.read(folder)
        newest = ledger.certificate(folder, ledger.newest(folder, book)).serial_number
        names = [f"{INTERMEDIATE}-{one}" for one in ledger.intermediates(folder)]
        older = [one for one in (ledger.certificate(folder, name) for name in names) if one.serial_number != newest]
        counting = {one.serial for one in authority.issued(folder) if _counts(one, at)}
        older = [one for one in older if one.serial_number in counting]
        _refuse_cut_off(folder, {one.subject for one in older}, at)
    return [authority.revoke(folder, keys, one.serial_number, "replaced by the next one", at=at) for one in older]


def _refuse_cut_off(folder: Path, issuers: set[x509.Name], at: int) -> None:
    """``AuthorityError`` when a certificate by one of them counts and no other issuer gave its source as much."""
    counting = [one for one in authority.issued(folder) if one.source is not None and _counts(one, at)]
    others = [one.source for one in counting if _issuer(one) not in issuers and one.source is not None]
    lost = {
        one.name
        for one in counting
        if _issuer(one) in issuers and one.source is not None
        for says in [one.source]
        if not any(
            says.id == other.id and says.sends_for <= other.sends_for and says.kinds <= other.kinds for other in others
        )
    }
    if lost:
        raise AuthorityError(
            f"This would cut off {', '.join(sorted(lost))}: `sor keys rotate source` gives each its next certificate; "
            "then again. Who must be cut off is revoked: `sor sources revoke`."
        )


def _counts(one: Issued, at: int) -> bool:
    return one.revoked is None and one.ends >= at


def _issuer(one: Issued) -> x509.Name:
    return x509.load_der_x509_certificate(one.der).issuer


def _roots(folder: Path) -> list[x509.Certificate]:
    return [ledger.certificate(folder, path.stem) for path in folder.glob(f"{ROOT}*.pem")]
