"""``POST /sealed``: what may come in, what it becomes, and what an acting party gets: nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from connectors.delivery.compact import Head, SealedLine, Writer, split
from connectors.delivery.sealed import SealedDelivery
from connectors.formats.model import FileRecord
from connectors.intake.config import IntakeLimits
from connectors.intake.work import WorkerLost
from crypto.keys import load_public
from crypto.sign import Signer
from domain.facts.fact import KINDS, Score
from schemas.codec import Codec
from tests.connectors.intake_support import ALL, HUB, OTHER, Running, intake, rap
from tests.connectors.support import AGB, BSN
from tests.trusted import EVERYTHING, signer
from tests.trusted import KINDS as GRANTED
from transport.publisher import NotDelivered

SMALL = IntakeLimits(body_bytes=200_000, memory_bytes=400_000, provider_bytes=300_000, silent_seconds=1, idle_seconds=1)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Running]:
    async with intake(tmp_path, SMALL) as running:
        yield running


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Signer]:
    """Makes sources of the authority that the intake trusts."""
    keys = tmp_path / "keys"

    def made(
        name: str = AGB, sends_for: frozenset[str] = frozenset({AGB}), kinds: frozenset[str] = EVERYTHING
    ) -> Signer:
        return signer(keys.parent / "keys-authority", keys, name, sends_for, kinds)

    return made


def sealed(
    keys: Path, signed_by: Signer, lines: int = 3, sender: str = AGB, name: str = "1" * 32, kind: str = "score"
) -> tuple[Head, list[SealedLine]]:
    """A delivery of scores as its source makes it."""
    made, codec = SealedDelivery(load_public(keys), signed_by, kind, name, lines, sender, False), Codec("sor.in")
    found = []
    for line in range(1, lines + 1):
        fact = Score(
            toewijzing=b"4711", beschikking=None, doel=line % 10, beoordelaar="O", waarde=2, tijd=1_780_000_000_000
        )
        value = made.envelope(line, FileRecord(line, 1, BSN, fact), 1_780_000_000_000)
        head, one = split(f"sor.in.{kind}", codec.decode(value))
        found.append(one)
    return head, found


def body(head: Head, lines: list[SealedLine]) -> bytes:
    gathered = io.BytesIO()
    writer = Writer(head, gathered.write)
    for one in lines:
        writer.add(one)
    writer.end()
    return gathered.getvalue()


async def post(live: Running, content: bytes, who: str = AGB, **more: Any) -> tuple[ClientResponse, dict[str, Any]]:
    return await live.post(content, who, "/sealed", **more)


async def test_sealed_lines_become_ordinary_envelopes_and_get_a_receipt(
    live: Running, tmp_path: Path, source: Callable[..., Signer]
) -> None:
    head, lines = sealed(tmp_path / "keys", source())
    answer, told = await post(live, body(head, lines))
    assert answer.status == 202
    assert answer.headers["Location"] == f"/deliveries/{'1' * 32}" == told["ontvangst"]
    assert (told["nieuw"], told["soort"], told["afzender"], told["records"], told["aangenomen"]) == (
        True, "score", AGB, 3, 3,
    )  # fmt: skip
    assert [(topic, key) for topic, key, _ in live.sealer.third.sent] == [("sor.in.score", b"1" * 32)] * 3
    codec = Codec("sor.in")
    assert [split("sor.in.score", codec.decode(value)) for _, _, value in live.sealer.third.sent] == [
        (head, one) for one in lines
    ]
    found = (await live.get(told["ontvangst"]))[1]
    assert (found["klaar"], found["gezien"]) == (True, 3)
    assert len(live.sealer.third.events) == found["geaccepteerd"]


async def test_the_same_body_again_has_one_effect(live: Running, tmp_path: Path, source: Callable[..., Signer]) -> None:
    content = body(*sealed(tmp_path / "keys", source()))
    first, again = await post(live, content), await post(live, content)
    assert (first[1]["nieuw"], again[1]["nieuw"]) == (True, False)
    assert (await live.get(first[1]["ontvangst"]))[1]["gezien"] == 3


async def test_a_delivery_may_come_in_parts(live: Running, tmp_path: Path, source: Callable[..., Signer]) -> None:
    head, lines = sealed(tmp_path / "keys", source())
    _, told = await post(live, body(head, lines[2:]))
    assert (told["records"], told["aangenomen"]) == (3, 1)
    assert not (await live.get(told["ontvangst"]))[1]["klaar"]
    assert not (await post(live, body(head, lines[:2])))[1]["nieuw"]
    assert (await live.get(told["ontvangst"]))[1]["klaar"]


async def refused(live: Running, content: bytes, status: int, kind: str, who: str = AGB) -> dict[str, Any]:
    """Nothing is published, and nothing of the body is repeated."""
    answer, told = await post(live, content, who)
    assert (answer.status, told["type"]) == (status, f"urn:sor:aanlevering:{kind}"), told
    assert live.sealer.third.sent == []
    text = str(told)
    assert AGB not in text
    assert "1" * 32 not in text
    return told


async def test_a_sender_whom_the_certificate_does_not_name(
    live: Running, tmp_path: Path, source: Callable[..., Signer]
) -> None:
    """A provider in another's name; a hub without that provider; a kind that was not granted."""
    keys = tmp_path / "keys"
    await refused(live, body(*sealed(keys, source(), sender=OTHER)), 403, "niet-vertrouwd", OTHER)
    hub = source("hub", frozenset({OTHER}))
    await refused(live, body(*sealed(keys, hub)), 403, "niet-vertrouwd", ALL)
    only = source(kinds=frozenset({"cem"}))
    await refused(live, body(*sealed(keys, only)), 403, "niet-vertrouwd")
    await refused(live, body(*sealed(keys, source(), kind="erasure")), 403, "niet-vertrouwd")


async def test_a_sender_for_whom_the_token_does_not_stand(
    live: Running, tmp_path: Path, source: Callable[..., Signer]
) -> None:
    content = body(*sealed(tmp_path / "keys", source()))
    await refused(live, content, 403, "andere-aanbieder", OTHER)
    other = body(*sealed(tmp_path / "keys", source(OTHER, frozenset({OTHER})), sender=OTHER))
    await refused(live, other, 403, "andere-aanbieder", HUB)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lines", 9_999),
        ("delivery", "2" * 32),
        ("kind", "cem"),
        ("test", True),
        ("epoch", 7),
        ("evaluate_wrapped", bytes(1_168)),
        ("entry_wrapped", bytes(1_168)),
        ("signature", bytes(64)),
        ("certificate", b"no certificate"),
    ],
)
async def test_a_signed_head_cannot_be_changed(
    live: Running, tmp_path: Path, source: Callable[..., Signer], field: str, value: object
) -> None:
    """Another's delivery with other lines, another id, another kind: who replays it has no signature for it."""
    head, lines = sealed(tmp_path / "keys", source())
    await refused(live, body(head._replace(**{field: value}), lines), 403, "niet-vertrouwd")


async def test_a_certificate_of_another_authority_or_a_revoked_one(
    live: Running, tmp_path: Path, source: Callable[..., Signer]
) -> None:
    from crypto import authority, keys
    from crypto.sources import Trust

    elsewhere = tmp_path / "elsewhere" / "keys"
    keys.init(elsewhere)
    authority.init(tmp_path / "elsewhere" / "authority", elsewhere, "others", development=True)
    stranger = signer(tmp_path / "elsewhere" / "authority", elsewhere, AGB, frozenset({AGB}), EVERYTHING)
    await refused(live, body(*sealed(tmp_path / "keys", stranger)), 403, "niet-vertrouwd")
    theirs = source()
    authority.revoke(tmp_path / "keys-authority", tmp_path / "keys", theirs.source.serial)
    live.sealer.checker._trust = Trust(tmp_path / "keys")  # a running one looks once a second
    await refused(live, body(*sealed(tmp_path / "keys", theirs)), 403, "niet-vertrouwd")


async def test_a_body_of_another_form_says_where(live: Running, tmp_path: Path, source: Callable[..., Signer]) -> None:
    head, lines = sealed(tmp_path / "keys", source())
    whole = body(head, lines)
    for content, field in (
        (whole[:-1], "frame"),  # cut: nothing of it is published
        (whole[: len(whole) // 2], "frame"),
        (b"", "head"),
        (rap(), "frame"),
        (whole + whole, "head"),
        (body(head, lines[:1] * 2), "line"),
        (body(head, [lines[0]._replace(entry_sealed=bytes(60_000))]), "entry_sealed"),
        (body(head._replace(suite="sor-1"), lines), "suite"),
        (body(head._replace(lines=2_000_001), lines), "lines"),
    ):
        told = await refused(live, content, 422, "vorm")
        assert told["veld"] == field


async def test_a_small_body_with_more_lines_than_it_may_have_becomes_nothing(
    live: Running, tmp_path: Path, source: Callable[..., Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line becomes an envelope sixty times its size."""
    monkeypatch.setattr("connectors.intake.sealed.BODY_LINES", 2)
    head, lines = sealed(tmp_path / "keys", source())
    await refused(live, body(head, lines), 413, "te-groot")
    assert (await post(live, body(head, lines[:2])))[0].status == 202


async def test_what_is_compressed_or_too_large_is_not_read(live: Running) -> None:
    answer, _ = await post(live, b"x" * 100, headers={"Content-Encoding": "gzip"})
    assert answer.status == 415
    assert (await post(live, b"PK\x03\x04" + bytes(100)))[0].status == 415
    assert (await post(live, bytes(SMALL.body_bytes + 1)))[0].status == 413
    assert (await live.session.post(live.base + "/sealed", data=b"x")).status == 401
    assert (await live.session.get(live.base + "/sealed", headers=live.auth())).status == 405


async def test_nothing_is_acknowledged_that_the_broker_has_not(
    live: Running, tmp_path: Path, source: Callable[..., Signer]
) -> None:
    content = body(*sealed(tmp_path / "keys", source()))
    for fault in (NotDelivered("gone"), WorkerLost("killed")):
        live.sealer.third.fail_at, live.sealer.third.fail_with = len(live.sealer.third.sent) + 1, fault
        answer, told = await post(live, content)
        assert (answer.status, told["type"]) == (503, "urn:sor:aanlevering:geen-server")
        assert "Retry-After" in answer.headers
    live.sealer.third.fail_at = None
    assert (await post(live, content))[0].status == 202


async def test_a_source_sees_its_own_receipts_and_no_others(
    live: Running, tmp_path: Path, source: Callable[..., Signer]
) -> None:
    keys, everyone = tmp_path / "keys", source("hub", EVERYTHING)
    _, mine = await post(live, body(*sealed(keys, source())))
    _, theirs = await post(live, body(*sealed(keys, everyone, sender=OTHER, name="2" * 32)), ALL)
    for who, own, other in ((AGB, mine, theirs), (HUB, mine, theirs), (OTHER, theirs, mine)):
        assert (await live.get(own["ontvangst"], who))[0].status == 200
        assert (await live.get(other["ontvangst"], who))[0].status == 404
        assert [one["aanlevering"] for one in (await live.get("/deliveries", who))[1]["aanleveringen"]] == [
            own["aanlevering"]
        ]
    assert [one["aanlevering"] for one in (await live.get("/deliveries", ALL))[1]["aanleveringen"]] == ["2" * 32]
    named = f"{theirs['ontvangst']}?records=3&aanbieder={OTHER}"
    assert (await live.get(named, ALL))[0].status == 200
    assert (await live.get(named, AGB))[0].status == 404
    assert (await live.get(named.replace("records=3", "records=4"), OTHER))[0].status == 404
    for wrong in ("records=0", "records=x", "aanbieder=1", "regel=3"):
        assert (await live.get(f"{theirs['ontvangst']}?{wrong}", OTHER))[0].status == 400


async def test_a_hub_seals_itself(live: Running) -> None:
    answer, told = await live.post(rap(), HUB)
    assert (answer.status, told["type"]) == (403, "urn:sor:aanlevering:alleen-verzegeld")


async def test_who_stands_still_is_ended_here_too(live: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    token = live.auth()["Authorization"]
    writer.write(f"POST /sealed HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 99\r\n\r\nxx".encode())
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_goes_to_its_topic(
    live: Running, tmp_path: Path, source: Callable[..., Signer], kind: str
) -> None:
    """Also what takes back: the intake opens nothing, so it knows no difference."""
    live.sealer.receipts = False
    answer, told = await post(live, body(*sealed(tmp_path / "keys", source(kinds=GRANTED), 1, kind=kind)))
    assert (answer.status, told["soort"]) == (202, kind)
    assert live.sealer.third.sent[0][0] == f"sor.in.{kind}"


def test_a_job_shows_nothing_of_itself() -> None:
    from connectors.intake.jobs import SealedJob
    from connectors.intake.tokens import Caller

    assert AGB not in repr(SealedJob(Caller(AGB, frozenset({AGB})), AGB.encode()))
