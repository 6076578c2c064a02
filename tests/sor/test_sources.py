"""``sor sources``: what an operator types, what it writes and says, and how it ends; the page about it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from crypto import authority
from crypto.sign import Checker, Signer
from crypto.sources import NotTrusted, Trust
from local.services import plan
from settings.ports import Ports
from settings.settings import load_settings
from sor.cli import app
from tests.house.rooms import ROOT
from tests.sor import operator
from tests.sor.operator import Sor, home_with_keys

PROVIDER = "94000001"
ISSUE = ("sources", "issue", PROVIDER, "--for", PROVIDER, "--kind", "score")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_with_keys(tmp_path, monkeypatch, "sources")


@pytest.fixture
def sor(home: Path) -> Sor:
    return operator.sor


def checked(home: Path, signer: Signer, provider: str = PROVIDER, kind: str = "score") -> str:
    now = time.time_ns() // 1_000_000
    return Checker(Trust(home / "keys"))(b"m", signer.certificate, signer.sign(b"m"), provider, kind, now).id


def test_an_authority_a_source_and_its_end(home: Path, sor: Sor) -> None:
    assert "offline" in sor("sources", "init", "--name", "Regio")
    sor(*ISSUE)
    signer = Signer.load(home / "authority" / "sources" / PROVIDER)
    assert checked(home, signer) == PROVIDER
    for provider, kind in (("94000002", "score"), (PROVIDER, "start")):
        with pytest.raises(NotTrusted):
            checked(home, signer, provider, kind)
    assert "refused from" in sor("sources", "revoke", PROVIDER, "--reden", "key lost")
    with pytest.raises(NotTrusted, match="revoked"):
        checked(home, signer)


def test_every_file_and_folder_of_an_authority_is_private(home: Path, sor: Sor) -> None:
    sor("sources", "init", "--name", "Regio")
    sor(*ISSUE)
    assert [path for path in (home / "authority").rglob("*") if path.stat().st_mode & 0o077] == []


def test_the_list_tells_all_and_so_does_the_public_one(home: Path, sor: Sor) -> None:
    sor("sources", "init", "--name", "Regio")
    sor(*ISSUE, "--days", "20")
    sor("sources", "issue", "hub", "--for-all", "--kind", "*")
    sor("sources", "revoke", "hub", "--reden", "key lost")
    said = sor("sources", "list")
    assert f"{PROVIDER} for {PROVIDER}; score; until" in said
    assert "hub for *; *; until" in said
    assert "revoked (key lost)" in said
    rows = json.loads(CliRunner().invoke(app, ["sources", "list", "--json"]).output)
    assert [(row["id"], row["state"]) for row in rows] == [
        ("Regio intermediate 1", "counts"),
        (PROVIDER, "ends soon"),
        ("hub", "revoked"),
    ]
    shutil.move(home / "authority", home / "elsewhere")  # as on a machine of the stages
    public = json.loads(CliRunner().invoke(app, ["sources", "list", "--json"]).output)
    assert public == [row | {"reason": ""} for row in rows]


def test_one_certificate_is_revoked_by_its_serial(home: Path, sor: Sor) -> None:
    sor("sources", "init", "--name", "Regio")
    for folder in ("1", "2"):
        sor(*ISSUE, "--out", str(home / folder))
    first, second = (Signer.load(home / folder) for folder in ("1", "2"))
    sor("sources", "revoke", f"{first.source.serial:x}", "--reden", "replaced")
    assert checked(home, second) == PROVIDER
    with pytest.raises(NotTrusted):
        checked(home, first)
    assert "was not issued here" in sor("sources", "revoke", "nobody", "--reden", "x", code=2)


def test_the_private_key_may_stay_at_the_source(home: Path, sor: Sor) -> None:
    sor("sources", "init", "--name", "Regio")
    private, path = Ed25519PrivateKey.generate(), home / "public.pem"
    path.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    sor(*ISSUE, "--public-key", str(path), "--out", str(home / "out"))
    assert [one.name for one in (home / "out").iterdir()] == [f"{PROVIDER}.pem"]
    certificate = x509.load_pem_x509_certificate((home / "out" / f"{PROVIDER}.pem").read_bytes())
    assert checked(home, Signer(certificate.public_bytes(Encoding.DER), private)) == PROVIDER
    assert "move it away" in sor(*ISSUE, "--public-key", str(path), "--out", str(home / "out"), code=2)
    assert "cannot be read" in sor(*ISSUE, "--public-key", str(home / "none"), code=2)


def test_hours_are_the_intermediate_s(home: Path, sor: Sor) -> None:
    sor("sources", "init", "--name", "Regio")
    sor("sources", "issue", "browser", "--for", PROVIDER, "--kind", "score", "--hours", "8", "--out", str(home / "b"))
    signer = Signer.load(home / "b")
    assert checked(home, signer) == "browser"
    issuer = x509.load_der_x509_certificate(signer.certificate).issuer
    assert issuer.rfc4514_string() == "CN=Regio intermediate 1"
    sor("sources", "revoke", "Regio intermediate 1", "--reden", "stolen")
    with pytest.raises(NotTrusted):
        checked(home, signer)
    assert "Regio intermediate 2" in sor("sources", "init", "--intermediate")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("issue", PROVIDER, "--kind", "score"), "say for whom"),
        (("issue", PROVIDER, "--kind", "score", "--for", PROVIDER, "--for-all"), "say for whom"),
        (("issue", PROVIDER, "--for-all"), "say what"),
        (("issue", PROVIDER, "--for-all", "--kind", "score", "--days", "0"), "should be greater"),
        (("issue", PROVIDER, "--for-all", "--kind", "score", "--hours", "25"), "should be less"),
        (("issue", PROVIDER, "--for", "1234", "--kind", "score"), "is no provider"),
        (("issue", "../keys", "--for-all", "--kind", "score"), "is no source"),
        (("issue", PROVIDER, "--for-all", "--kind", "score", "--days", "9999"), "ends on"),
        (("issue", PROVIDER, "--for-all", "--kind", "score", "--out", "/proc/none"), "cannot be made"),
        (("init",), "has a name"),
        (("init", "--name", "Development"), "1 to 30"),
        (("init", "--name", "Another"), "is another authority"),
        (("revoke", PROVIDER), "Missing option '--reden'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_issues_nothing(
    home: Path, sor: Sor, words: tuple[str, ...], said: str
) -> None:
    sor("sources", "init", "--name", "Regio")
    assert said in re.sub(r"\s*│\s*", " ", sor("sources", *words, code=2))
    assert len(authority.issued(home / "authority")) == 1


def test_without_an_authority(home: Path, sor: Sor) -> None:
    assert "sor sources init" in sor(*ISSUE, code=2)
    assert "no list of sources" in sor("sources", "list", code=2)


def test_a_key_that_is_there_is_never_overwritten(home: Path, sor: Sor) -> None:
    sor("sources", "init", "--name", "Regio")
    sor(*ISSUE)
    assert "never overwritten" in sor(*ISSUE, code=2)
    assert len(authority.issued(home / "authority")) == 2


def test_the_stack_makes_an_authority_for_development_and_only_where_none_is(home: Path, sor: Sor) -> None:
    (step,) = (service for service in plan(load_settings(), Ports(27000)) if service.name == "authority")
    assert (step.after, step.needed()) == (("keys",), True)
    assert step.command()[1:] == ["-m", "sor", "sources", "init", "--development"]
    sor(*step.command()[3:])
    assert Trust(home / "keys").development
    assert not step.needed()
    assert all("authority" in one.after for one in plan(load_settings(), Ports(27000)) if one.name == "evaluate")


def test_a_real_authority_stays_where_the_stack_starts(home: Path, sor: Sor) -> None:
    sor("sources", "init", "--name", "Regio")
    (step,) = (service for service in plan(load_settings(), Ports(27000)) if service.name == "authority")
    assert not step.needed()
    assert "is another authority" in sor("sources", "init", "--development", code=2)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the page makes a key with openssl")
def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    """In order, in an empty folder; each block as it stands."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/sources.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 4
    environment = {**os.environ, "SOR_HOME": str(tmp_path / "home")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    script = "set -eu\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Signer.load(tmp_path).id == "94000002"
