"""The authority's folder: what it writes, what it refuses, and two commands at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import authority, ledger, sign
from crypto.authority import AuthorityError, Grant
from crypto.certificates import is_of_development
from crypto.keys import KeysError
from crypto.sign import Checker, Signer
from crypto.sources import AUTHORITY, ISSUED, REVOKED, Trust
from tests.crypto.test_sources import DAY, MESSAGE, NOW, PROVIDER, Region, check, own, region

#: Issues, revokes and publishes as fast as it can: what two operators and ``sor deliver`` may do at once.
_BUSY: Final = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from crypto import authority
from crypto.certificates import source_of
from cryptography import x509
folder, keys, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
for number in range(8):
    grant = authority.Grant(f"{name}.{number}", frozenset({"*"}), frozenset({"*"}), 86400)
    der = authority.issue(folder, keys, grant, Ed25519PrivateKey.generate().public_key())
    if number % 2:
        authority.revoke(folder, keys, x509.load_der_x509_certificate(der).serial_number, "lost")
"""


@pytest.fixture
def here(tmp_path: Path) -> Region:
    return region(tmp_path)


@pytest.fixture
def machine(tmp_path: Path) -> Region:
    return region(tmp_path, development=True)


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_private_files_are_for_their_user_and_public_ones_for_all(here: Region) -> None:
    here.signer(own())
    assert here.folder.stat().st_mode & 0o777 == 0o700
    assert set(modes(here.folder).values()) == {0o600}
    assert modes(here.keys / "public") == dict.fromkeys((AUTHORITY, REVOKED, ISSUED), 0o644)


def test_an_authority_is_made_once(here: Region, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in here.folder.iterdir() if path.suffix in (".key", ".pem")}
    authority.init(here.folder, here.keys, "Test", at=NOW)
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(AuthorityError, match="is another authority: Test"):
        authority.init(here.folder, here.keys, "Test", development=True)
    with pytest.raises(AuthorityError, match="not in"):
        authority.init(tmp_path / "second", here.keys, "Test")
    assert not list((tmp_path / "second").glob("*.key"))


def test_a_half_made_authority_is_not_overwritten(here: Region) -> None:
    """Made, and killed before the ledger stood."""
    (here.folder / ledger.LEDGER).unlink()
    (here.keys / "public" / AUTHORITY).unlink()
    with pytest.raises(AuthorityError, match="never overwritten"):
        authority.init(here.folder, here.keys, "Test")


def test_an_authority_that_was_killed_before_it_published_publishes(here: Region) -> None:
    (here.keys / "public" / AUTHORITY).unlink()
    with pytest.raises(KeysError, match=AUTHORITY):
        here.trust()
    authority.init(here.folder, here.keys, "Test")
    assert not here.trust().development


def test_one_authority_does_not_publish_over_another(here: Region, tmp_path: Path) -> None:
    other = region(tmp_path / "other")
    before = (here.keys / "public" / AUTHORITY).read_bytes()
    with pytest.raises(AuthorityError, match="of another authority"):
        authority.publish(other.folder, here.keys)
    assert (here.keys / "public" / AUTHORITY).read_bytes() == before


def test_there_must_be_public_keys_first(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="sor keys init"):
        authority.init(tmp_path / "authority", tmp_path / "keys", "Test")
    assert not (tmp_path / "authority").exists()


@pytest.mark.parametrize("name", ["", "x" * 31, "Development of things"])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(AuthorityError, match="1 to 30"):
        authority.init(tmp_path, tmp_path, name)


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        (Grant("", frozenset("*"), frozenset("*"), 1), "is no source"),
        (Grant("..", frozenset("*"), frozenset("*"), 1), "is no source"),
        (Grant("x" * 41, frozenset("*"), frozenset("*"), 1), "is no source"),
        (Grant("a b", frozenset("*"), frozenset("*"), 1), "is no source"),
        (Grant("a\n", frozenset("*"), frozenset("*"), 1), "is no source"),
        (Grant("a", frozenset({"1234567"}), frozenset("*"), 1), "is no provider"),
        (Grant("a", frozenset({"12345678\n"}), frozenset("*"), 1), "is no provider"),
        (Grant("a", frozenset(), frozenset("*"), 1), "sends for somebody"),
        (Grant("a", frozenset("*"), frozenset(), 1), "sends for somebody"),
        (Grant("a", frozenset("*"), frozenset({"Score"}), 1), "is no kind"),
        (Grant("a", frozenset("*"), frozenset("*"), 0), "more days"),
        (Grant("a", frozenset("*"), frozenset("*"), 11 * 365 * DAY), "ends on"),
        (Grant("Development.a", frozenset("*"), frozenset("*"), 1), "DEVELOPMENT"),
    ],
)
def test_a_grant_that_cannot_be_given(here: Region, grant: Grant, reason: str) -> None:
    with pytest.raises(AuthorityError, match=reason):
        here.signer(grant)
    assert len(authority.issued(here.folder)) == 1, "the intermediate and nothing else"


def test_revoking_twice_is_once(here: Region) -> None:
    serial = here.signer(own()).source.serial
    first = authority.revoke(here.folder, here.keys, serial, "key lost", at=NOW + 5)
    assert authority.revoke(here.folder, here.keys, serial, "again", at=NOW + 9) == first
    assert (first.revoked, first.reason, first.name) == (NOW + 5, "key lost", PROVIDER)
    with pytest.raises(AuthorityError, match="No certificate 5 was issued"):
        authority.revoke(here.folder, here.keys, 5)


def test_a_revoked_intermediate_issues_no_more_and_the_next_one_does(here: Region) -> None:
    authority.revoke(here.folder, here.keys, authority.issued(here.folder)[0].serial, at=NOW)
    with pytest.raises(AuthorityError, match="--intermediate"):
        here.signer(own(seconds=DAY), short=True)
    authority.intermediate(here.folder, here.keys, at=NOW)
    assert check(here.trust(), here.signer(own(seconds=DAY), short=True)).id == PROVIDER


def test_an_intermediate_works_without_the_root_and_adds_to_the_public_list(here: Region, tmp_path: Path) -> None:
    first = here.signer(own())
    portal = Region(tmp_path / "portal", here.keys)
    portal.folder.mkdir(mode=0o700)
    for name in ("intermediate-1.pem", "intermediate-1.key"):
        (portal.folder / name).write_bytes((here.folder / name).read_bytes())
        (portal.folder / name).chmod(0o600)
    (portal.folder / ledger.LEDGER).write_text('{"lists": 0, "issued": []}')
    second = portal.signer(own()._replace(id="browser", seconds=3600), short=True)
    with pytest.raises(KeysError, match="needs the key of the authority"):
        portal.signer(own())
    names = [one.name for one in authority.published(here.keys)]
    assert names == ["Test intermediate 1", first.id, second.id]


def test_the_public_list_says_what_the_ledger_says(here: Region) -> None:
    authority.revoke(here.folder, here.keys, here.signer(own()).source.serial, "key lost", at=NOW + 5)
    assert authority.published(here.keys) == [one._replace(reason="") for one in authority.issued(here.folder)]
    (here.keys / "public" / ISSUED).unlink()
    with pytest.raises(KeysError, match="no list of sources"):
        authority.published(here.keys)


def test_commands_at_once_lose_nothing(here: Region) -> None:
    command = [sys.executable, "-c", _BUSY, str(here.folder), str(here.keys)]
    busy = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    trust = Trust(here.keys)
    while any(child.poll() is None for child in busy):  # and who reads meanwhile never sees a half
        trust = Trust(here.keys)
    assert [child.returncode for child in busy] == [0, 0, 0]
    done = authority.issued(here.folder)
    assert {one.name for one in done if one.source} == {f"{name}.{n}" for name in "abc" for n in range(8)}
    assert {one.name for one in done if one.revoked} == {f"{name}.{n}" for name in "abc" for n in (1, 3, 5, 7)}
    assert authority.published(here.keys) == [one._replace(reason="") for one in done]
    assert json.loads((here.folder / ledger.LEDGER).read_text())["lists"] == 13
    trust.refresh()
    assert trust.complaint == ""


# --- a source on this machine -----------------------------------------------------------------------------------------


def test_a_development_authority_makes_a_source_when_it_is_asked_for(machine: Region) -> None:
    signer = authority.ensure(machine.folder, machine.keys, own())
    again = authority.ensure(machine.folder, machine.keys, own())
    assert again.certificate == signer.certificate
    arguments = MESSAGE, signer.certificate, signer.sign(MESSAGE), PROVIDER, "score", signer.source.begins * 1000
    assert Checker(machine.trust())(*arguments).id == PROVIDER
    assert is_of_development(x509.load_der_x509_certificate(signer.certificate))
    place = machine.folder / authority.SOURCES / PROVIDER / "source"
    assert modes(place) == dict.fromkeys((sign.KEY, sign.CERTIFICATE), 0o600)


def test_a_source_that_asks_for_more_is_told(machine: Region) -> None:
    authority.ensure(machine.folder, machine.keys, own())
    with pytest.raises(AuthorityError, match="for less than is asked"):
        authority.ensure(machine.folder, machine.keys, own(kind="*"))


def test_a_real_authority_makes_no_source_by_itself(here: Region) -> None:
    with pytest.raises(AuthorityError, match="sor sources issue"):
        authority.ensure(here.folder, here.keys, own())
    assert len(authority.issued(here.folder)) == 1
    private = Ed25519PrivateKey.generate()
    sign.save(
        here.folder / authority.SOURCES / PROVIDER,
        authority.issue(here.folder, here.keys, own(), private.public_key()),
        private,
    )
    assert authority.ensure(here.folder, here.keys, own()).id == PROVIDER


@pytest.mark.parametrize("identifier", ["..", "../../keys", "a/b", ""])
def test_a_source_is_no_path(machine: Region, identifier: str) -> None:
    """Also when something is there already."""
    made = authority.ensure(machine.folder, machine.keys, own())
    private = made._private
    for place in (machine.folder, machine.keys, machine.folder / authority.SOURCES / "a/b"):
        sign.save(place, made.certificate, private)
    with pytest.raises(AuthorityError, match="is no source"):
        authority.ensure(machine.folder, machine.keys, own()._replace(id=identifier))


def test_without_an_authority_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="sor sources init --development"):
        authority.ensure(tmp_path / "none", tmp_path, own())
    with pytest.raises(KeysError, match="sor sources init"):
        authority.issued(tmp_path / "none")


def test_a_disk_that_refuses_is_one_sentence(here: Region) -> None:
    place = here.keys / "public" / ISSUED
    place.unlink()
    place.mkdir()
    with pytest.raises(KeysError, match="stopped there"):
        here.signer(own())
    assert {path.name for path in place.parent.iterdir()} == {AUTHORITY, REVOKED, ISSUED}, "nothing stays behind"
    place.rmdir()
    authority.publish(here.folder, here.keys)
    assert authority.published(here.keys) == authority.issued(here.folder)


@pytest.mark.parametrize("spoiled", ["root.key", "root.pem"])
def test_a_spoiled_key_is_one_sentence(here: Region, spoiled: str) -> None:
    (here.folder / spoiled).write_text("nothing")
    with pytest.raises(KeysError, match="backup"):
        here.signer(own())


def test_an_authority_that_others_can_read_issues_nothing(here: Region) -> None:
    (here.folder / "root.key").chmod(0o640)
    with pytest.raises(KeysError, match="0600"):
        here.signer(own())


def test_a_key_of_another_certificate_issues_nothing(here: Region) -> None:
    (here.folder / "root.key").write_bytes((here.folder / "intermediate-1.key").read_bytes())
    with pytest.raises(KeysError, match="not the key"):
        here.signer(own())


def test_a_signer_is_loaded(machine: Region) -> None:
    made = authority.ensure(machine.folder, machine.keys, own())
    place = machine.folder / authority.SOURCES / PROVIDER
    assert Signer.load(place).source == made.source


def test_certificates_of_hours_leave_the_lists_long_after_their_end_and_no_other_does(here: Region) -> None:
    old = here.signer(own()._replace(id="browser-1", seconds=DAY), short=True, at=NOW)
    kept = here.signer(own(), at=NOW)
    later = NOW + DAY + authority.KEPT_SECONDS
    here.signer(own()._replace(id="browser-2", seconds=DAY), short=True, at=later - 1)
    assert "browser-1" in {one.name for one in authority.published(here.keys)}, "a month has not passed"
    here.signer(own()._replace(id="browser-3", seconds=DAY), short=True, at=later + 1)
    for names in (
        {one.name for one in authority.published(here.keys)},
        {one.name for one in authority.issued(here.folder)},
    ):
        assert {"browser-2", "browser-3", kept.source.id} <= names
        assert old.source.id not in names
    assert any(one.source is None for one in authority.issued(here.folder)), "the intermediate stays"
