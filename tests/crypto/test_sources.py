"""Signed sources: who may send what, from when to when, what is revoked, and what anybody may have made."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crypto import authority, building, ledger
from crypto.authority import AuthorityError, Grant
from crypto.certificates import CERTIFICATE_BYTES, EARLIER_SECONDS, SHORT_SECONDS, Source, span, uris
from crypto.keys import KeysError
from crypto.sign import Checker, Signer
from crypto.sources import AUTHORITY, ISSUED, REVOKED, NotTrusted, Trust

NOW: Final = 1_780_000_000
DAY: Final = 86400
MESSAGE: Final = b"what is signed"
ANY: Final = frozenset({"*"})
PROVIDER, OTHER = "12345678", "87654321"

codes = st.text("0123456789", min_size=8, max_size=8)
kinds = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)
identifiers = st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,39}\Z").filter(lambda text: not text.startswith("development"))


class Region(NamedTuple):
    """An authority of a test with its folder of public keys."""

    folder: Path
    keys: Path

    def signer(self, grant: Grant, *, short: bool = False, at: int = NOW) -> Signer:
        private = Ed25519PrivateKey.generate()
        return Signer(authority.issue(self.folder, self.keys, grant, private.public_key(), short, at=at), private)

    def trust(self) -> Trust:
        return Trust(self.keys)


def region(folder: Path, *, development: bool = False) -> Region:
    made = Region(folder / "authority", folder / "keys")
    (made.keys / "public").mkdir(parents=True)
    authority.init(made.folder, made.keys, "Test", development, at=NOW)
    return made


@cache
def _scratch() -> TemporaryDirectory[str]:
    """Goes away with the process."""
    return TemporaryDirectory(prefix="sor-sources-")


@cache
def shared() -> Region:
    """One for the laws: they only add certificates to it."""
    return region(Path(mkdtemp(dir=_scratch().name)))


@cache
def shared_trust() -> Trust:
    return shared().trust()


@pytest.fixture
def here(tmp_path: Path) -> Region:
    return region(tmp_path)


def own(identifier: str = PROVIDER, *, seconds: int = 30 * DAY, kind: str = "score") -> Grant:
    return Grant(identifier, frozenset({identifier}), frozenset({kind}), seconds)


def check(trust: Trust, signer: Signer, *, provider: str = PROVIDER, kind: str = "score", at: int = NOW) -> Source:
    return Checker(trust)(MESSAGE, signer.certificate, signer.sign(MESSAGE), provider, kind, at * 1000 + 999)


# --- laws -------------------------------------------------------------------------------------------------------------


@given(st.frozensets(codes | st.just("*")), st.frozensets(kinds | st.just("*")), codes, kinds)
def test_a_source_sends_what_its_lists_name(some: frozenset[str], what: frozenset[str], code: str, kind: str) -> None:
    source = Source("a", some, what, 1, 0, 1, Ed25519PrivateKey.generate().public_key())
    assert source.may_send(code, kind) == ((code in some or "*" in some) and (kind in what or "*" in what))


@pytest.mark.parametrize(
    ("what", "may"), [({"*"}, False), ({"score"}, False), ({"erasure"}, True), ({"*", "erasure"}, True)]
)
def test_who_may_send_everything_may_not_for_that_reason_ask_to_forget(what: set[str], may: bool) -> None:
    """A right that was given before there was such a kind is none."""
    source = Source("a", frozenset({"*"}), frozenset(what), 1, 0, 1, Ed25519PrivateKey.generate().public_key())
    assert source.may_send(PROVIDER, "erasure") is may


@settings(max_examples=30, deadline=None)
@given(
    st.frozensets(codes, min_size=1, max_size=5),
    st.frozensets(kinds, min_size=1, max_size=3),
    codes,
    kinds,
    st.booleans(),
)
def test_a_certificate_for_one_list_never_passes_for_another(
    some: frozenset[str], what: frozenset[str], code: str, kind: str, short: bool
) -> None:
    assume(code not in some)
    assume(kind not in what)
    signer, trust = shared().signer(Grant("hub", some, what, 3600), short=short), shared_trust()
    for one in some:
        for other in what:
            assert check(trust, signer, provider=one, kind=other).id == "hub"
            for wrong in ((code, other), (one, kind), (code, kind), ("*", other), (one, "*")):
                with pytest.raises(NotTrusted, match="may not send"):
                    check(trust, signer, provider=wrong[0], kind=wrong[1])


@settings(max_examples=50, deadline=None)
@given(
    identifiers,
    st.frozensets(codes, min_size=1, max_size=5) | st.just(ANY),
    st.frozensets(kinds, min_size=1, max_size=9),
)
def test_what_was_granted_is_what_is_read(name: str, some: frozenset[str], what: frozenset[str]) -> None:
    signer = shared().signer(Grant(name, some, what, DAY))
    source = shared_trust().source(signer.certificate, NOW)
    assert source == signer.source
    assert (source.id, source.sends_for, source.kinds) == (name, some, what)
    assert (source.begins, source.ends) == (NOW - EARLIER_SECONDS, NOW + DAY)


@settings(max_examples=50, deadline=None)
@given(st.integers(-2 * DAY, 3 * DAY), st.booleans())
def test_a_certificate_counts_from_its_first_second_to_its_last(shift: int, short: bool) -> None:
    signer = shared().signer(own(seconds=DAY), short=short)
    if -EARLIER_SECONDS <= shift <= DAY:
        assert check(shared_trust(), signer, at=NOW + shift).id == PROVIDER
    else:
        with pytest.raises(NotTrusted, match="at this time"):
            check(shared_trust(), signer, at=NOW + shift)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, DAY), st.sampled_from(["source", "short", "intermediate"]))
def test_what_is_revoked_is_refused_from_then_on_and_counts_before(after: int, what: str) -> None:
    made = region(Path(mkdtemp(dir=_scratch().name)))
    signer, other = made.signer(own(seconds=DAY), short=what != "source"), made.signer(own(OTHER))
    serial = signer.source.serial if what != "intermediate" else authority.issued(made.folder)[0].serial
    authority.revoke(made.folder, made.keys, serial, at=NOW + after)
    trust = made.trust()
    assert check(trust, signer, at=NOW + after - 1).id == PROVIDER
    for at in (NOW + after, NOW + DAY):
        with pytest.raises(NotTrusted, match="revoked"):
            check(trust, signer, at=at)
    assert check(trust, other, provider=OTHER, at=NOW + DAY).id == OTHER


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_was_changed_or_never_was_a_certificate_is_not_trusted(data: st.DataObject) -> None:
    der = bytearray(_certificate())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(der) - 1))
        der[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    assume(bytes(der) != _certificate())
    with pytest.raises(NotTrusted):
        shared_trust().source(bytes(der), NOW)


@given(st.binary(max_size=600) | st.binary(max_size=600).map(lambda tail: _certificate()[:100] + tail))
def test_any_bytes_are_not_trusted(der: bytes) -> None:
    with pytest.raises(NotTrusted):
        shared_trust().source(der, NOW)


@given(st.binary(max_size=80) | st.binary(min_size=64, max_size=64), st.binary(max_size=80))
def test_another_signature_or_message_is_refused(signature: bytes, message: bytes) -> None:
    signer = _signer()
    with pytest.raises(NotTrusted, match="not of this delivery" if len(signature) == 64 else "wrong size"):
        Checker(shared_trust())(MESSAGE, signer.certificate, signature, PROVIDER, "score", NOW * 1000)
    assume(message != MESSAGE)
    with pytest.raises(NotTrusted, match="signature"):
        Checker(shared_trust())(message, signer.certificate, signer.sign(MESSAGE), PROVIDER, "score", NOW * 1000)


@cache
def _signer() -> Signer:
    return shared().signer(own())


def _certificate() -> bytes:
    return _signer().certificate


# --- what the holder of a key could make ------------------------------------------------------------------------------


def forged(made: Region, by: str = ledger.ROOT, **changed: object) -> Signer:
    """A certificate with the key of the authority, and with fields that it does not give."""
    certificate, key = ledger.pair(made.folder, by)
    private = Ed25519PrivateKey.generate()
    fields = {
        "name": PROVIDER,
        "uris": uris(PROVIDER, frozenset({PROVIDER}), frozenset({"score"})),
        "begins": NOW - EARLIER_SECONDS,
        "ends": NOW + 3600,
        "public": private.public_key(),
        "private": key,
        "issuer": certificate,
    }
    certificate = building.source(**(fields | changed))  # type: ignore[arg-type]  # wrong on purpose
    signer = Signer.__new__(Signer)
    signer.certificate, signer._private = certificate.public_bytes(Encoding.DER), private
    return signer


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"uris": []}, "no certificate"),
        ({"uris": ["urn:sor:source:12345678", "urn:sor:for:12345678"]}, "no certificate"),
        (
            {"uris": ["urn:sor:source:12345678", "urn:sor:source:b", "urn:sor:for:*", "urn:sor:kind:*"]},
            "no certificate",
        ),
        ({"uris": ["urn:sor:source:12345678", "urn:sor:for:1234", "urn:sor:kind:*"]}, "no certificate"),
        ({"uris": ["urn:sor:source:12345678", "urn:sor:for:*", "urn:sor:kind:A"]}, "no certificate"),
        ({"uris": ["urn:sor:source:12345678", "urn:sor:for:*", "urn:sor:kind:*", "urn:sor:other:x"]}, "no certificate"),
        ({"uris": ["urn:sor:source:12345678", "urn:sor:for:*", "kind:*"]}, "no certificate"),
        ({"name": OTHER}, "no certificate"),
        ({"public": ed448.Ed448PrivateKey.generate().public_key()}, "no certificate"),
        ({"public": ec.generate_private_key(ec.SECP256R1()).public_key()}, "no certificate"),
        ({"private": Ed25519PrivateKey.generate()}, "no certificate"),
        ({"name": f"DEVELOPMENT {PROVIDER}"}, "development"),
        ({"ends": NOW + 11 * 365 * DAY}, "outlives"),
    ],
)
def test_a_certificate_of_another_form_is_refused(here: Region, changed: dict[str, object], reason: str) -> None:
    with pytest.raises(NotTrusted, match=reason):
        check(here.trust(), forged(here, **changed))


def test_a_good_certificate_is_the_positive_control(here: Region) -> None:
    assert check(here.trust(), forged(here)).id == PROVIDER
    assert check(here.trust(), forged(here, "intermediate-1")).id == PROVIDER


def test_an_intermediate_issues_for_a_day_at_most(here: Region) -> None:
    assert check(here.trust(), forged(here, "intermediate-1", ends=NOW + SHORT_SECONDS)).id == PROVIDER
    with pytest.raises(NotTrusted, match="a day at most"):
        check(here.trust(), forged(here, "intermediate-1", ends=NOW + SHORT_SECONDS + 1))
    with pytest.raises(AuthorityError, match="24 hours at most"):
        here.signer(own(seconds=SHORT_SECONDS + 1), short=True)


def test_a_source_issues_nothing(here: Region) -> None:
    signer = here.signer(own())
    with pytest.raises(NotTrusted, match="no certificate"):  # in the name of the root
        check(here.trust(), forged(here, private=signer._private))
    own_name = x509.load_der_x509_certificate(signer.certificate).subject
    as_root = building.authority(
        name=own_name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value,
        begins=NOW,
        ends=NOW + DAY,
        public=signer.source.public,
        private=signer._private,
        root=None,
    )
    with pytest.raises(NotTrusted, match="another authority"):  # in its own
        check(here.trust(), forged(here, private=signer._private, issuer=as_root))


def test_an_authority_does_not_send(here: Region) -> None:
    for name in (ledger.ROOT, "intermediate-1"):
        with pytest.raises(NotTrusted):
            here.trust().source(ledger.certificate(here.folder, name).public_bytes(Encoding.DER), NOW)


def test_a_certificate_that_may_issue_does_not_send(here: Region) -> None:
    """Also when it names a source."""
    root, key = ledger.pair(here.folder, ledger.ROOT)
    good = x509.load_der_x509_certificate(here.signer(own()).certificate)

    def made(*, issues: bool) -> bytes:
        builder = x509.CertificateBuilder(root.subject, good.subject, good.public_key(), 7)  # type: ignore[arg-type]
        builder = builder.not_valid_before(good.not_valid_before_utc).not_valid_after(good.not_valid_after_utc)
        names = good.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=issues, path_length=None), critical=True)
        return builder.sign(key, None).public_bytes(Encoding.DER)

    assert here.trust().source(made(issues=False), NOW).id == PROVIDER
    with pytest.raises(NotTrusted):
        here.trust().source(made(issues=True), NOW)


def test_a_certificate_over_its_size_is_not_even_read(here: Region) -> None:
    some = frozenset(f"{number:08}" for number in range(400))
    large = forged(here, uris=uris(PROVIDER, some, ANY))
    assert len(large.certificate) > CERTIFICATE_BYTES
    with pytest.raises(NotTrusted, match="too large"):
        check(here.trust(), large)
    with pytest.raises(AuthorityError, match="Make two"):
        here.signer(Grant("hub", some, ANY, DAY))


# --- two authorities --------------------------------------------------------------------------------------------------


def test_one_region_does_not_trust_another(tmp_path: Path) -> None:
    one, other = region(tmp_path / "1"), region(tmp_path / "2")
    with pytest.raises(NotTrusted):  # of the same name
        check(one.trust(), other.signer(own()))
    check(other.trust(), other.signer(own()))


def test_development_counts_in_development_only(tmp_path: Path) -> None:
    real, made_up = region(tmp_path / "1"), region(tmp_path / "2", development=True)
    assert (real.trust().development, made_up.trust().development) == (False, True)
    for one, other in ((real, made_up), (made_up, real)):
        with pytest.raises(NotTrusted):
            check(one.trust(), other.signer(own()))
    subject = x509.load_der_x509_certificate(made_up.signer(own()).certificate).subject
    assert subject.rfc4514_string() == f"CN=DEVELOPMENT {PROVIDER}"
    with pytest.raises(NotTrusted, match="development"):  # its own root, without the word
        check(made_up.trust(), forged(made_up))


def test_an_intermediate_cannot_outlive_its_root(here: Region) -> None:
    root = ledger.root(here.folder)
    late = span(root)[1] - DAY
    last = authority.intermediate(here.folder, here.keys, at=late)
    assert last.ends == span(root)[1]
    with pytest.raises(AuthorityError, match="ends on"):
        here.signer(own(seconds=2 * DAY), at=late)


def more(made: Region, **changed: object) -> x509.Certificate:
    """One more intermediate, with fields that the authority does not give."""
    root, key = ledger.pair(made.folder, ledger.ROOT)
    fields = {
        "name": "more",
        "begins": NOW,
        "ends": NOW + DAY,
        "public": Ed25519PrivateKey.generate().public_key(),
        "private": key,
        "root": root,
    }
    return building.authority(**(fields | changed))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda here: more(here, ends=span(ledger.root(here.folder))[1] + 1), "outlives"),
        (lambda here: more(here, private=Ed25519PrivateKey.generate()), "are not good"),
        (lambda here: more(here, root=None), "are not good"),  # a second root
        (lambda here: more(here, name="DEVELOPMENT more"), "for development"),
        (lambda here: more(here, name="Test intermediate 1"), "of one name"),
        (lambda here: more(here, public=ed448.Ed448PrivateKey.generate().public_key()), "another kind"),
        (lambda here: x509.load_der_x509_certificate(here.signer(own()).certificate), "may not issue"),
    ],
)
def test_an_issuer_that_is_none_is_not_read(
    here: Region, made: Callable[[Region], x509.Certificate], reason: str
) -> None:
    path = here.keys / "public" / AUTHORITY
    before = path.read_bytes()
    path.write_bytes(before + made(here).public_bytes(Encoding.PEM))
    with pytest.raises(KeysError, match=reason):
        here.trust()
    path.write_bytes(before + more(here).public_bytes(Encoding.PEM))
    here.trust()


def test_a_certificate_counts_no_earlier_than_its_issuer(here: Region) -> None:
    early = forged(here, begins=NOW - DAY)
    with pytest.raises(NotTrusted, match="at this time"):
        check(here.trust(), early, at=NOW - EARLIER_SECONDS - 1)
    assert check(here.trust(), early, at=NOW - EARLIER_SECONDS).id == PROVIDER


# --- files ------------------------------------------------------------------------------------------------------------


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_revocation_counts_within_a_second_and_without_a_restart(here: Region) -> None:
    clock, signer = Clock(), here.signer(own())
    trust = Trust(here.keys, clock)
    checker = Checker(trust)

    def checked() -> str:
        return checker(MESSAGE, signer.certificate, signer.sign(MESSAGE), PROVIDER, "score", (NOW + 10) * 1000).id

    assert checked() == PROVIDER
    authority.revoke(here.folder, here.keys, signer.source.serial, at=NOW + 5)
    clock.now += 0.9
    assert checked() == PROVIDER, "looked more often than once a second"
    clock.now += 0.1
    with pytest.raises(NotTrusted, match="revoked"):
        checked()


def _without_list(here: Region, _old: bytes) -> None:
    (here.keys / "public" / REVOKED).unlink()


def _older_list(here: Region, old: bytes) -> None:
    (here.keys / "public" / REVOKED).write_bytes(old)


def _list_of_another(here: Region, _old: bytes) -> None:
    other = region(here.folder.parent / "other")
    (here.keys / "public" / REVOKED).write_bytes((other.keys / "public" / REVOKED).read_bytes())


def _no_list(here: Region, _old: bytes) -> None:
    (here.keys / "public" / REVOKED).write_bytes(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")


def _without_authority(here: Region, _old: bytes) -> None:
    (here.keys / "public" / AUTHORITY).unlink()


def _another_authority(here: Region, _old: bytes) -> None:
    other = region(here.folder.parent / "other")
    for _ in range(9):  # so that its list is newer
        authority.publish(other.folder, other.keys)
    for name in (AUTHORITY, REVOKED):
        (here.keys / "public" / name).write_bytes((other.keys / "public" / name).read_bytes())


BAD: Final = [_without_list, _older_list, _list_of_another, _no_list, _without_authority, _another_authority]


@pytest.mark.parametrize("spoil", BAD)
def test_a_process_keeps_the_last_good_list(here: Region, spoil: Callable[[Region, bytes], None]) -> None:
    clock, signer = Clock(), here.signer(own())
    old = (here.keys / "public" / REVOKED).read_bytes()
    authority.revoke(here.folder, here.keys, signer.source.serial, at=NOW)
    trust = Trust(here.keys, clock)
    assert trust.complaint == ""
    spoil(here, old)
    clock.now += 1
    with pytest.raises(NotTrusted, match="revoked"):
        check(trust, signer)
    assert trust.complaint != ""
    authority_file = here.keys / "public" / AUTHORITY
    if spoil is _another_authority:
        authority_file.unlink()
    authority.publish(here.folder, here.keys)
    clock.now += 1
    with pytest.raises(NotTrusted, match="revoked"):
        check(trust, signer)
    assert trust.complaint == ""


@pytest.mark.parametrize("spoil", [one for one in BAD if one not in (_older_list, _another_authority)])
def test_a_process_does_not_start_without_good_files(here: Region, spoil: Callable[[Region, bytes], None]) -> None:
    spoil(here, b"")
    with pytest.raises(KeysError):
        here.trust()


def test_a_new_intermediate_counts_without_a_restart(here: Region) -> None:
    clock = Clock()
    trust = Trust(here.keys, clock)
    authority.intermediate(here.folder, here.keys, at=NOW)
    signer = here.signer(own(seconds=DAY), short=True)
    with pytest.raises(NotTrusted, match="another authority"):
        check(trust, signer)
    clock.now += 1
    assert check(trust, signer).id == PROVIDER


def test_the_public_list_holds_every_certificate(here: Region) -> None:
    made = [here.signer(own()), here.signer(own(OTHER, seconds=DAY), short=True)]
    listed = x509.load_pem_x509_certificates((here.keys / "public" / ISSUED).read_bytes())
    assert {one.certificate for one in made} < {one.public_bytes(Encoding.DER) for one in listed}
    assert len(listed) == 3, "and the intermediate"


def test_a_certificate_is_small(here: Region) -> None:
    assert len(here.signer(own()).certificate) < 420


def test_a_trust_says_when_it_waits_for_a_list(here: Region) -> None:
    assert here.trust().due == NOW + authority.LIST_SECONDS
    late = span(ledger.root(here.folder))[1] - DAY
    authority.publish(here.folder, here.keys, at=late)
    assert here.trust().due == late + DAY
