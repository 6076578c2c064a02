"""Certificates, intermediates and roots are followed by the next while deliveries run; nobody is cut off."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import authority, building, ledger, sign, succession
from crypto.authority import AuthorityError
from crypto.certificates import SHORT_SECONDS, span
from crypto.keys import KeysError
from crypto.sign import Signer
from crypto.sources import AUTHORITY, REVOKED, NotTrusted, Trust
from tests.crypto.test_sources import DAY, NOW, PROVIDER, Region, check, own, region

LATER = NOW + succession.SETTLED_SECONDS


class Clock:
    """A second passes at every look."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def here(tmp_path: Path) -> Region:
    return region(tmp_path)


@pytest.fixture
def running(here: Region) -> Trust:
    """Of a stage that runs from the first to the last."""
    return Trust(here.keys, Clock())


def again(here: Region, name: str = PROVIDER, at: int = NOW) -> Signer:
    private = Ed25519PrivateKey.generate()
    return Signer(succession.reissue(here.folder, here.keys, name, private.public_key(), at=at).der, private)


def issuer(signer: Signer) -> str:
    return x509.load_der_x509_certificate(signer.certificate).issuer.rfc4514_string()


def test_a_source_has_its_next_certificate_beside_the_former_one(here: Region, running: Trust) -> None:
    former = here.signer(own())
    private = Ed25519PrivateKey.generate()
    made = succession.reissue(here.folder, here.keys, PROVIDER, private.public_key(), at=NOW)
    following = Signer(made.der, private)
    assert made.former == (former.source.serial,)
    assert following.source.sends_for, following.source.kinds == (former.source.sends_for, former.source.kinds)
    assert made.ends == former.source.ends
    for one in (former, following):
        assert check(running, one).id == PROVIDER
    authority.revoke(here.folder, here.keys, former.source.serial, "replaced", at=NOW)
    assert check(running, following).id == PROVIDER
    with pytest.raises(NotTrusted, match="revoked"):
        check(running, former)


def test_a_short_one_is_followed_by_a_short_one(here: Region) -> None:
    former = here.signer(own(seconds=3600), short=True)
    following = again(here)
    assert following.source.ends == former.source.ends
    assert issuer(following) == issuer(former)
    assert following.source.ends - NOW <= SHORT_SECONDS


def test_who_was_never_known_or_was_revoked_gets_none(here: Region) -> None:
    with pytest.raises(AuthorityError, match="No certificate was issued to nobody"):
        again(here, "nobody")
    former = here.signer(own())
    authority.revoke(here.folder, here.keys, former.source.serial, "stolen", at=NOW)
    with pytest.raises(AuthorityError, match=r"was revoked \(stolen\)"):
        again(here)


def test_key_and_certificate_are_replaced_at_one_moment(
    here: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, private = tmp_path / "source", Ed25519PrivateKey.generate()
    now = time.time()
    former = authority.issue(here.folder, here.keys, own(), private.public_key(), at=int(now))
    sign.save(place, former, private)
    other = Ed25519PrivateKey.generate()
    following = succession.reissue(here.folder, here.keys, PROVIDER, other.public_key(), at=int(now))
    rename, missing = Path.rename, []

    def watched(self: Path, target: Path) -> Path:
        done = rename(self, target)
        missing.append(not (place / sign.SOURCE / sign.KEY).exists())
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", watched)
        kept = sign.replace(place, following.der, other)
    assert sys.platform != "linux" or not any(missing), "a connector may look at any moment"
    assert Signer.load(place).certificate == following.der
    assert kept.name == f"source-{Signer(former, private).source.serial:x}"
    assert (kept / sign.CERTIFICATE).exists()
    assert sorted(path.name for path in place.iterdir()) == sorted(["source", kept.name])
    with pytest.raises(KeysError, match="cannot be read"):
        sign.replace(tmp_path / "nothing", following.der, other)


def test_an_intermediate_is_followed_and_goes_when_nothing_hangs_on_it(here: Region, running: Trust) -> None:
    first = here.signer(own(seconds=3600), short=True)
    authority.intermediate(here.folder, here.keys, at=NOW)
    second = here.signer(own("99999999", seconds=3600), short=True)
    for one, provider in ((first, PROVIDER), (second, "99999999")):
        check(running, one, provider=provider)
    with pytest.raises(AuthorityError, match=f"cut off {PROVIDER}"):
        succession.retire_intermediates(here.folder, here.keys, at=NOW)
    following = again(here)
    assert issuer(following) == issuer(second)
    (gone,) = succession.retire_intermediates(here.folder, here.keys, at=NOW)
    assert gone.name == "Test intermediate 1"
    check(running, following)
    with pytest.raises(NotTrusted):
        check(running, first)
    assert succession.retire_intermediates(here.folder, here.keys, at=NOW) == []


def test_what_has_ended_hangs_on_nothing(here: Region) -> None:
    here.signer(own(seconds=3600), short=True)
    authority.intermediate(here.folder, here.keys, at=NOW)
    assert len(succession.retire_intermediates(here.folder, here.keys, at=NOW + DAY)) == 1


def test_a_root_is_followed_while_a_stage_runs(here: Region, running: Trust) -> None:
    former = here.signer(own())
    short = here.signer(own("99999999", seconds=3600), short=True)

    def both(*signers: Signer) -> None:
        for trust in (running, here.trust()):  # one that runs, one that starts now
            for one in signers:
                assert check(trust, one, provider=one.id).id == one.id
            assert not trust.complaint

    made = succession.prepare_root(here.folder, here.keys, at=NOW)
    assert made.name == "Test root 2"
    both(former, short, here.signer(own("88888888")))
    succession.switch_root(here.folder, here.keys, at=LATER)
    following, other = again(here, at=LATER), again(here, "99999999", at=LATER)
    both(former, short, following, other)
    assert (issuer(following), issuer(former)) == ("CN=Test root 2", "CN=Test")
    assert issuer(other) == "CN=Test intermediate 2"
    with pytest.raises(AuthorityError, match="cut off 88888888"):
        succession.retire_root(here.folder, here.keys, at=LATER)
    third = again(here, "88888888", at=LATER)
    assert succession.retire_root(here.folder, here.keys, at=LATER) == "root.key"
    both(following, other, third)
    for trust in (running, here.trust()):
        for one in (former, short):
            with pytest.raises(NotTrusted, match="another authority"):
                check(trust, one, provider=one.id)
    authority.revoke(here.folder, here.keys, following.source.serial, "lost", at=LATER)
    with pytest.raises(NotTrusted, match="revoked"):
        check(running, following, at=LATER)


def test_roots_follow_one_another(here: Region, running: Trust) -> None:
    here.signer(own())
    for turn in range(2):
        at = NOW + turn * DAY
        succession.prepare_root(here.folder, here.keys, at=at)
        running.refresh()
        succession.switch_root(here.folder, here.keys, at=at + succession.SETTLED_SECONDS)
        following = again(here, at=at + 60)
        succession.retire_root(here.folder, here.keys, at=at + 60)
        check(running, following, at=at + 60)
        authority.init(here.folder, here.keys, "Test", at=at + 60)  # as a start of the stack and a new list do
    assert issuer(following) == "CN=Test root 3"
    assert not running.complaint


def test_a_revocation_holds_over_both_roots(here: Region, running: Trust) -> None:
    former = here.signer(own())
    succession.prepare_root(here.folder, here.keys, at=NOW)
    succession.switch_root(here.folder, here.keys, at=LATER)
    following = again(here, at=LATER)
    for one in (former, following):
        authority.revoke(here.folder, here.keys, one.source.serial, "lost", at=LATER)
        with pytest.raises(NotTrusted, match="revoked"):
            check(running, one, at=LATER)


def _next_root(here: Region, name: str = "Test root 2") -> tuple[x509.Certificate, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.generate()
    made = building.authority(
        name=name, begins=NOW, ends=NOW + 100 * DAY, public=private.public_key(), private=private, root=None
    )
    return made, private


Forged = tuple[list[x509.Certificate], Ed25519PrivateKey]


def _alone(here: Region) -> Forged:
    made, private = _next_root(here)
    return [made], private


def _vouched_by_itself(here: Region) -> Forged:
    made, private = _next_root(here)
    cross = building.authority(
        name="Test root 2", begins=NOW, ends=NOW + DAY, public=private.public_key(), private=private, root=made
    )
    return [cross, made], private


def _of_another_key(here: Region) -> Forged:
    root, private = ledger.pair(here.folder, "root")
    cross = building.authority(
        name="Test root 2", begins=NOW, ends=NOW + DAY, public=Ed25519PrivateKey.generate().public_key(),
        private=private, root=root,
    )  # fmt: skip
    made, own_key = _next_root(here)
    return [cross, made], own_key


def _of_development(here: Region) -> Forged:
    root, private = ledger.pair(here.folder, "root")
    made, own_key = _next_root(here, "DEVELOPMENT root 2")
    cross = building.authority(
        name="DEVELOPMENT root 2", begins=NOW, ends=NOW + DAY, public=own_key.public_key(), private=private, root=root
    )
    return [cross, made], own_key


@pytest.mark.parametrize("forged", [_alone, _vouched_by_itself, _of_another_key, _of_development])
def test_a_root_that_nobody_vouched_for_is_not_believed(
    here: Region, running: Trust, forged: Callable[[Region], Forged]
) -> None:
    """Not even with a list of its own."""
    signer, public = here.signer(own()), here.keys / "public"
    made, private = forged(here)
    listed = building.revocations(root=made[-1], private=private, revoked={}, number=9, begins=NOW, ends=NOW + DAY)
    for name, more in ((REVOKED, [listed]), (AUTHORITY, made)):
        place = public / name
        place.write_bytes(place.read_bytes() + b"".join(one.public_bytes(authority.PEM) for one in more))
    assert check(running, signer).id == PROVIDER, "a stage that runs keeps what it had"
    assert running.complaint
    with pytest.raises(KeysError, match="are not good"):
        here.trust()


def test_a_stage_that_saw_nothing_of_it_keeps_its_root(here: Region) -> None:
    """The public files reach it when all is done: a restart is a choice, as it was."""
    late = Trust(here.keys, lambda: 0.0)
    former = here.signer(own())
    succession.prepare_root(here.folder, here.keys, at=NOW)
    succession.switch_root(here.folder, here.keys, at=LATER)
    again(here, at=LATER)
    succession.retire_root(here.folder, here.keys, at=LATER)
    late._clock = lambda: 100.0
    assert check(late, former).id == PROVIDER
    assert "another authority" in late.complaint


def test_an_older_file_does_not_bring_a_former_root_back(here: Region, running: Trust) -> None:
    former, public = here.signer(own()), here.keys / "public"
    succession.prepare_root(here.folder, here.keys, at=NOW)
    running.refresh()
    before = {name: (public / name).read_bytes() for name in (AUTHORITY, REVOKED)}
    succession.switch_root(here.folder, here.keys, at=LATER)
    following = again(here, at=LATER)
    succession.retire_root(here.folder, here.keys, at=LATER)
    check(running, following, at=LATER)
    for name, content in before.items():
        (public / name).write_bytes(content)
    with pytest.raises(NotTrusted, match="another authority"):
        check(running, former, at=LATER)
    assert running.complaint


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda here: succession.switch_root(here.folder, here.keys, at=LATER), "no next root"),
        (lambda here: succession.retire_root(here.folder, here.keys, at=LATER), "no former root"),
        (
            lambda here: [succession.prepare_root(here.folder, here.keys, at=NOW) for _ in range(2)],
            "is there already",
        ),
        (
            lambda here: (
                succession.prepare_root(here.folder, here.keys, at=NOW),
                succession.switch_root(here.folder, here.keys, at=LATER - 1),
            ),
            "may not have looked",
        ),
        (
            lambda here: (
                succession.prepare_root(here.folder, here.keys, at=NOW),
                succession.retire_root(here.folder, here.keys, at=LATER),
            ),
            "no former root",
        ),
    ],
)
def test_a_step_out_of_order_is_refused(here: Region, act: Callable[[Region], object], says: str) -> None:
    with pytest.raises(AuthorityError, match=says):
        act(here)


def test_what_the_next_root_issues_may_outlive_the_former_one(here: Region) -> None:
    late = NOW + 9 * 365 * DAY
    authority.publish(here.folder, here.keys, at=late)
    here.signer(own(), at=late)
    with pytest.raises(AuthorityError, match="itself ends"):
        here.signer(own(seconds=2 * 365 * DAY), at=late)
    succession.prepare_root(here.folder, here.keys, at=late)
    succession.switch_root(here.folder, here.keys, at=late + 60)
    signer = here.signer(own(seconds=2 * 365 * DAY), at=late + 60)
    assert check(here.trust(), signer, at=late + DAY * 365 * 2).id == PROVIDER
    assert (
        span(x509.load_der_x509_certificate(signer.certificate))[1] > span(ledger.certificate(here.folder, "root"))[1]
    )
