"""People who come from a portal: what their token opens at the intake, for how long, and which pages may ask."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.intake.tokens import Caller, Gate
from connectors.intake.visitors import MOST_PROVIDERS, Visitors, VisitorsError, issued
from tests.connectors.intake_support import OTHER, Running, intake, rap
from tests.connectors.support import AGB

PORTAL = "https://portaal.example"
NOW = 1_790_000_000


def pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Door:
    """The visitors of one portal, with a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.key, self.now, self.path = Ed25519PrivateKey.generate(), float(NOW), folder / "public.pem"
        self.path.write_bytes(pem(self.key))
        self.visitors = Visitors(self.path, lambda: self.now)

    def opens(self, token: str) -> str | None:
        return self.visitors.provider(token.encode())

    def signed(self, algorithm: str = "EdDSA", key: Any = None, **claims: Any) -> str:
        whole = {"aud": "intake", "iat": NOW, "exp": NOW + 900, "sub": "somebody", "agb": AGB} | claims
        kept = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(kept, key or self.key, algorithm)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_a_token_is_good_for_its_provider_and_a_quarter_of_an_hour(door: Door) -> None:
    made = issued(door.key, AGB, "somebody", NOW)
    assert (door.opens(made.token), made.until) == (AGB, NOW + 900)
    door.now = made.until - 1
    assert door.opens(made.token) == AGB
    door.now = made.until
    assert door.opens(made.token) is None


def test_a_token_of_the_future_is_none_but_clocks_may_differ_a_little(door: Door) -> None:
    assert door.opens(door.signed(iat=NOW + 20, exp=NOW + 600)) == AGB
    assert door.opens(door.signed(iat=NOW + 60, exp=NOW + 600)) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW + 901}, {"exp": None}, {"iat": None}, {"sub": None}, {"agb": None}, {"agb": "9400001"},
        {"agb": "*"}, {"agb": [AGB]}, {"agb": f"{AGB}\n"}, {"aud": "elders"}, {"aud": None}, {"exp": float(NOW + 900)},
        {"iat": NOW - 100_000, "exp": NOW + 900},
    ],
)  # fmt: skip
def test_a_token_that_says_another_thing_opens_nothing(door: Door, claims: dict[str, Any]) -> None:
    assert door.opens(door.signed(**claims)) is None


def test_only_who_holds_the_key_of_a_portal_makes_tokens(door: Door) -> None:
    assert door.opens(door.signed(key=Ed25519PrivateKey.generate())) is None
    assert door.opens(door.signed("HS256", key=base64.b64encode(pem(door.key)).decode())) is None
    head, middle, _ = door.signed().split(".")
    nothing = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    assert door.opens(f"{nothing}.{middle}.") is None
    assert door.opens(f"{head}.{middle}.") is None


@given(said=st.binary(max_size=1_500))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_somebody_says_it_is_an_answer(door: Door, said: bytes) -> None:
    assert door.visitors.provider(said) is None
    assert door.visitors.provider(b"eyJhbGciOiJFZERTQSJ9." + said + b".AA") is None


def test_a_portal_that_is_no_more_named_lets_nobody_in(door: Door) -> None:
    token, other = door.signed(), Ed25519PrivateKey.generate()
    door.path.write_bytes(pem(other) + pem(door.key))
    assert door.opens(token) == AGB == door.opens(door.signed(key=other))
    door.path.write_bytes(pem(other))
    assert door.opens(token) is None
    door.path.unlink()
    assert door.opens(door.signed(key=other)) is None


@pytest.mark.parametrize("text", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"\xff" * 40])
def test_a_file_that_holds_no_keys_is_told_to_the_operator(door: Door, text: bytes) -> None:
    door.path.write_bytes(text)
    with pytest.raises(VisitorsError, match="public Ed25519 keys"):
        door.opens("a.b.c")


def test_receipts_are_kept_for_the_providers_that_came_last(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_PROVIDERS >= 500
    monkeypatch.setattr("connectors.intake.visitors.MOST_PROVIDERS", 2)
    for agb in ("94000001", "94000002", "94000001", "94000003"):
        door.opens(door.signed(agb=agb))
    assert door.visitors.providers() == {"94000001", "94000003"}


def test_at_the_gate_a_visitor_is_its_provider_and_sends_no_files(door: Door, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "none.json", visitors=door.visitors)
    found = gate.who("token", door.signed().encode())
    assert found == Caller(AGB, frozenset({AGB}), visits=True)
    assert (found.may_send(AGB), found.may_send(OTHER), found.provider) == (True, False, "")
    assert gate.who("certificate", door.signed().encode()) is None
    assert gate.providers() == {AGB}


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[tuple[Running, Ed25519PrivateKey]]:
    key = Ed25519PrivateKey.generate()
    (tmp_path / "visitors.pem").write_bytes(pem(key))
    async with intake(tmp_path, origins=frozenset({PORTAL})) as running:
        yield running, key


async def test_a_visitor_reads_receipts_of_its_provider_and_uploads_no_clear_file(
    live: tuple[Running, Ed25519PrivateKey],
) -> None:
    running, key = live
    _, told = await running.post(rap())
    token = issued(key, AGB, "somebody", time.time()).token
    running.tokens["visitor"] = token
    found, receipt = await running.get(told["ontvangst"], "visitor")
    assert (found.status, receipt["gezien"]) == (200, 3)
    refused, problem = await running.post(rap(), "visitor")
    assert (refused.status, problem["type"].rpartition(":")[2]) == (403, "alleen-verzegeld")
    running.tokens["visitor"] = issued(key, OTHER, "somebody", time.time()).token
    assert (await running.get(told["ontvangst"], "visitor"))[0].status == 404


async def test_pages_of_the_portal_may_ask_and_those_of_others_may_not(
    live: tuple[Running, Ed25519PrivateKey],
) -> None:
    running, _ = live
    asks = {
        "Origin": PORTAL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    async with running.session.options(f"{running.base}/sealed", headers=asks) as first:
        assert (first.status, first.headers["Access-Control-Allow-Origin"]) == (204, PORTAL)
        assert "Authorization" in first.headers["Access-Control-Allow-Headers"]
    for origin in ("https://elders.example", "null"):
        async with running.session.options(f"{running.base}/sealed", headers=asks | {"Origin": origin}) as answer:
            assert answer.status == 405
            assert "Access-Control-Allow-Origin" not in answer.headers
    async with running.session.get(f"{running.base}/deliveries", headers={"Origin": PORTAL}) as refused:
        assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, PORTAL)
    async with running.session.get(f"{running.base}/deliveries", headers=running.auth()) as plain:
        assert (plain.status, "Access-Control-Allow-Origin" in plain.headers) == (200, False)
