"""The intake over real sockets: what each sender gets, and what it does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors.errors import BrokerDown
from connectors.intake import meters
from connectors.intake.config import IntakeLimits
from connectors.intake.tokens import Caller
from connectors.intake.work import WorkerBroken, WorkerLost
from tests.connectors.intake_support import OTHER, Running, intake, rap, until
from tests.connectors.support import AGB, BSN, BSNS, CEM_HEADER, RAP_HEADER, Regie, cem_rows, table

SMALL = IntakeLimits(
    body_bytes=20_000, rows=500, memory_bytes=60_000, provider_bytes=40_000, provider_uploads=3,
    uploads_per_minute=6_000, reads_per_minute=6_000, idle_seconds=0.3, upload_seconds=30.0, streams=1,
)  # fmt: skip


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Running]:
    async with intake(tmp_path, SMALL) as running:
        yield running


async def test_an_upload_is_acknowledged_and_its_receipt_follows(live: Running) -> None:
    answer, body = await live.post(rap(), params={"naam": "scores.csv"})
    assert answer.status == 202
    assert answer.headers["Location"] == f"/deliveries/{body['aanlevering']}" == body["ontvangst"]
    assert body["nieuw"] is True
    assert (body["soort"], body["afzender"], body["records"], body["test"]) == ("score", AGB, 3, False)
    found, receipt = await live.get(body["ontvangst"])
    assert found.status == 200
    assert (receipt["status"], receipt["geaccepteerd"], receipt["klaar"]) == ("goedgekeurd", 3, True)


async def test_the_same_content_is_the_same_delivery_and_counts_once(live: Running) -> None:
    _, first = await live.post(rap(), params={"naam": "a.csv"})
    _, again = await live.post(rap(), params={"naam": "b.csv"})
    assert again["aanlevering"] == first["aanlevering"]
    assert (first["nieuw"], again["nieuw"]) == (True, False)
    _, receipt = await live.get(first["ontvangst"])
    assert (receipt["records"], receipt["gezien"]) == (3, 3)


async def test_nothing_is_acknowledged_that_the_broker_has_not(live: Running) -> None:
    live.sealer.third.fail_at = 2  # the third record does not arrive
    answer, body = await live.post(rap())
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert body["type"].endswith("geen-server")
    live.sealer.third.fail_at = None
    answer, body = await live.post(rap())
    assert answer.status == 202
    _, receipt = await live.get(body["ontvangst"])
    assert (receipt["gezien"], receipt["geaccepteerd"]) == (3, 3)  # what had arrived before counts once


async def test_a_file_of_another_provider_is_refused_with_b09(live: Running) -> None:
    for content, name in (
        (Regie(header={"afzender": OTHER}).bytes(), "start.xml"),
        (rap(), f"{OTHER}_scores.csv"),
        (table(CEM_HEADER, cem_rows(provider=OTHER)), "cem.csv"),
    ):
        _, body = await live.post(content, params={"naam": name})
        assert body["geweigerd"]["code"] == "B09", name
        assert body["afzender"] == AGB
        _, receipt = await live.get(body["ontvangst"])
        assert (receipt["status"], receipt["geaccepteerd"]) == ("afgekeurd", 0)
    assert live.sealer.third.events == []


async def test_nobody_sees_the_receipts_of_another(live: Running) -> None:
    _, mine = await live.post(rap())
    assert (await live.get(mine["ontvangst"], OTHER))[0].status == 404
    assert (await live.get("/deliveries", OTHER))[1]["aanleveringen"] == []
    assert len((await live.get("/deliveries"))[1]["aanleveringen"]) == 1
    _, theirs = await live.post(rap(), OTHER)
    assert theirs["aanlevering"] != mine["aanlevering"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nee"}, {"Authorization": "Basic YTpi"}])
async def test_without_a_token_nothing_is_answered(live: Running, header: dict[str, str]) -> None:
    for method, path in (("POST", "/deliveries"), ("GET", "/deliveries"), ("GET", "/deliveries/" + "0" * 32)):
        async with live.session.request(method, live.base + path, headers=header) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.content_type == "application/problem+json"


async def test_a_revoked_token_ends_with_the_next_request(live: Running) -> None:
    assert (await live.post(rap()))[0].status == 202
    live.file.revoke(next(one.id for one in live.file.read() if one.agb == AGB))
    assert (await live.post(rap()))[0].status == 401


async def test_a_token_file_that_others_may_read_lets_nobody_in(live: Running) -> None:
    live.file.path.chmod(0o644)
    assert (await live.post(rap()))[0].status == 503


async def test_a_provider_that_is_added_can_deliver_at_once(live: Running) -> None:
    live.tokens["94000003"] = live.file.add("94000003", 1)[1]
    before = live.feed.reread
    _, body = await live.post(rap(), "94000003")
    assert (await live.get(body["ontvangst"], "94000003"))[0].status == 200
    assert live.feed.reread == before + 1  # receipts of before are read


async def test_too_large_is_413_by_its_header_and_by_its_bytes(live: Running) -> None:
    large = b"BSN;Toewijzingsnummer;Type;Waarde\n" + b";" * SMALL.body_bytes  # few lines: its bytes alone are too many

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(large), 4_000):
            yield large[at : at + 4_000]

    for content in (large, chunks()):
        answer, body = await live.post(content)
        assert (answer.status, body["status"]) == (413, 413)
    many = b"BSN;Toewijzingsnummer;Type;Waarde\n" + b"\n" * 600
    assert (await live.post(many))[0].status == 413  # too many lines
    assert live.sealer.third.sent == []


async def test_what_is_no_single_plain_file_is_415(live: Running) -> None:
    for content, headers in (
        (b"PK\x03\x04rest", {}),
        (rap(), {"Content-Encoding": "gzip"}),
        (rap(), {"Content-Type": "multipart/form-data; boundary=x"}),
    ):
        assert (await live.post(content, headers=headers))[0].status == 415


@pytest.mark.parametrize(("content", "code"), [(b"", "B01"), (b"hallo", "B02"), (b"\xff\xfea\x00", "B04")])
async def test_a_file_of_no_kind_is_422_with_its_code(live: Running, content: bytes, code: str) -> None:
    answer, body = await live.post(content)
    assert (answer.status, body["code"]) == (422, code)
    assert body["detail"] == body["melding"]
    assert live.sealer.third.sent == []


async def test_refused_rows_are_told_twice_without_their_content(live: Running) -> None:
    content = table(
        RAP_HEADER, [(BSN, "", "4711", "D1O", "2"), (BSN, "", "4712", "D99", "2"), ("123", "", "1", "D1O", "2")]
    )
    _, body = await live.post(content)
    assert {(one["code"], one["aantal"]) for one in body["codes"]} == {("R01", 1), ("R04", 1)}
    _, receipt = await live.get(body["ontvangst"])
    assert receipt["status"] == "deels_afgekeurd"
    assert [(one["regel"], one["code"], one["veld"]) for one in receipt["fouten"]] == [
        (3, "R04", "Type"),
        (4, "R01", "BSN"),
    ]
    for text in (json.dumps(body), json.dumps(receipt)):
        assert BSN not in text
        assert "4711" not in text
        assert "D99" not in text


async def test_a_test_delivery_never_becomes_an_event(live: Running) -> None:
    answer, body = await live.post(rap(), params={"test": "true"})
    assert (answer.status, body["test"]) == (202, True)
    assert live.sealer.third.events == []
    assert (await live.get(body["ontvangst"]))[1]["test"] is True
    _, real = await live.post(rap())
    assert real["aanlevering"] != body["aanlevering"]
    assert len(live.sealer.third.events) == 3


async def test_the_name_of_the_file_may_come_in_a_header(live: Running) -> None:
    header = {"Content-Disposition": f"attachment; filename*=UTF-8''{OTHER}_sc%C3%B3res.csv"}
    _, body = await live.post(rap(), headers=header)
    assert body["geweigerd"]["code"] == "B09"
    for params in ({"naam": "x" * 256}, {"test": "ja"}, {"wat": "1"}, [("naam", "a"), ("naam", "b")]):
        assert (await live.post(rap(), params=params))[0].status == 400


async def test_a_sender_that_is_too_fast_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with intake(tmp_path, IntakeLimits(uploads_per_minute=4, reads_per_minute=4)) as live:
        answers = [(await live.post(b"hallo"))[0] for _ in range(5)]
        assert [one.status for one in answers] == [422] * 4 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 15
        assert (await live.post(b"hallo", OTHER))[0].status == 422  # another provider is not touched
        reads = [(await live.get("/deliveries"))[0].status for _ in range(5)]
        assert reads == [200] * 4 + [429]


async def test_one_upload_of_a_provider_at_a_time_and_no_lock_for_others(live: Running) -> None:
    live.sealer.hold = asyncio.Event()
    mine = [asyncio.create_task(live.post(rap(start=at))) for at in (0, 100)]
    theirs = asyncio.create_task(live.post(rap(), OTHER))
    await until(lambda: sorted(live.sealer.running) == [AGB, OTHER], "one of each is processed")
    live.sealer.hold.set()
    assert [(await one)[0].status for one in (*mine, theirs)] == [202, 202, 202]


async def test_a_provider_waits_for_its_own_uploads_before_it_sends_more(live: Running) -> None:
    live.sealer.hold = asyncio.Event()
    open_ = [asyncio.create_task(live.post(rap(start=at))) for at in (0, 100, 200)]
    await until(lambda: live.intake._lanes.open() == 3, "three uploads are open")
    answer, _ = await live.post(rap(start=300))
    assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
    assert (await live.get("/openapi.json"))[0].status == 200  # the loop is free
    live.sealer.hold.set()
    assert [(await one)[0].status for one in open_] == [202] * 3
    assert (await live.post(rap(start=300)))[0].status == 202


async def test_a_full_memory_is_503_and_is_given_back(live: Running) -> None:
    live.sealer.hold = asyncio.Event()
    large = rap(450)
    assert len(large) * 3 < SMALL.memory_bytes < len(large) * 10
    live.tokens |= {agb: live.file.add(agb, 1)[1] for agb in ("94000004", "94000005", "94000006", "94000007")}
    seen = set[int]()
    tasks = []
    for agb in list(live.tokens):
        tasks += [asyncio.create_task(live.post(large, agb)) for _ in range(2)]
    await until(lambda: any(task.done() for task in tasks), "somebody is refused")
    live.sealer.hold.set()
    for task in tasks:
        answer, _ = await task
        seen.add(answer.status)
        assert answer.status == 202 or "Retry-After" in answer.headers
    assert seen == {202, 503}
    assert meters.HELD._value.get() == 0
    assert (await live.post(large))[0].status == 202


def _head(live: Running, length: int) -> bytes:
    token = f"Authorization: Bearer {live.tokens[AGB]}"
    return f"POST /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Length: {length}\r\n\r\nBSN;".encode()


async def test_an_upload_that_stands_still_is_ended(live: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(_head(live, 5_000))
    answer = await asyncio.wait_for(reader.read(), 15)  # the connection is closed as well
    assert answer.startswith(b"HTTP/1.1 408")
    writer.close()
    assert live.intake._lanes.open() == 0
    assert meters.HELD._value.get() == 0


async def test_an_upload_that_trickles_is_ended(tmp_path: Path) -> None:
    async with intake(tmp_path, IntakeLimits(idle_seconds=30, upload_seconds=0.5)) as live:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(_head(live, 9_000))

        async def trickle() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.1)

        trickling = asyncio.create_task(trickle())
        assert (await asyncio.wait_for(reader.read(), 15)).startswith(b"HTTP/1.1 408")
        trickling.cancel()
        writer.close()


async def test_headers_that_do_not_come_end_a_known_connection_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.intake.server._KEEP_ALIVE", 0.3)
    async with intake(tmp_path) as live:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        token = f"Authorization: Bearer {live.tokens[AGB]}"
        writer.write(f"GET /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\n\r\n".encode())
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.write(b"POST /deliveries HTTP/1.1\r\nHost: x\r\nX-Half")
        assert await asyncio.wait_for(reader.read(), 10) == b""  # closed without an answer
        writer.close()


async def test_a_cut_upload_leaves_nothing_behind(live: Running) -> None:
    cut = meters.UPLOADS.labels(outcome="cut")._value.get()
    _, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(_head(live, 5_000))
    await writer.drain()
    await until(lambda: live.intake._lanes.open() == 1, "the upload has begun")
    writer.close()
    await until(lambda: meters.UPLOADS.labels(outcome="cut")._value.get() == cut + 1, "it is counted as cut")
    assert live.intake._lanes.open() == 0
    assert live.sealer.third.sent == []
    assert meters.HELD._value.get() == 0


async def test_a_client_that_asks_first_is_refused_before_it_sends(live: Running) -> None:
    head = "POST /deliveries HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(f"{head}Content-Length: 10\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()
    content = rap()
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    token = f"Authorization: Bearer {live.tokens[AGB]}\r\n"
    writer.write(f"{head}{token}Content-Length: {len(content)}\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 100")
    writer.write(content)
    rest = await asyncio.wait_for(reader.read(), 10)
    assert b"HTTP/1.1 202" in rest
    writer.close()


async def test_without_a_broker_nobody_sends_for_nothing(live: Running) -> None:
    live.feed.answers = False
    assert (await live.post(rap()))[0].status == 503
    live.feed.answers = True
    for fault in (BrokerDown("weg"), WorkerLost("weg")):
        live.sealer.fault = fault
        answer, body = await live.post(rap())
        assert (answer.status, body["title"]) == (503, "Even niet beschikbaar")
        assert "Retry-After" in answer.headers


async def test_a_fault_of_ours_is_a_500_that_tells_no_value(live: Running) -> None:
    with capture_logs() as logs:
        live.sealer.fault = WorkerBroken("ValueError at ijw.py:1 header")
        answer, _ = await live.post(rap())
        assert answer.status == 500
        live.sealer.fault = ValueError(f"invalid literal: {BSN}")
        answer, body = await live.post(rap())
        assert answer.status == 500
    assert BSN not in json.dumps(body)
    assert BSN not in json.dumps(logs)
    assert {"ValueError at ijw.py:1 header"} < {one.get("where") for one in logs}
    live.sealer.fault = None
    assert (await live.post(rap()))[0].status == 202


async def test_logs_name_the_delivery_and_nothing_else(live: Running) -> None:
    with capture_logs() as logs:
        _, body = await live.post(rap(), params={"naam": f"{BSNS[3]}.csv"})
        await live.post(b"hallo")
    assert [(one["delivery"], one["outcome"]) for one in logs] == [(body["aanlevering"], "accepted"), ("", "refused")]
    text = json.dumps(logs)
    assert not any(secret in text for secret in (BSN, BSNS[3], AGB, live.tokens[AGB]))


async def _events(live: Running, path: str) -> list[dict[str, Any]]:
    found = []
    headers = {**live.auth(), "Accept": "text/event-stream"}
    async with live.session.get(live.base + path, headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        async for line in answer.content:
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
    return found


async def test_a_receipt_streams_until_it_is_final(live: Running) -> None:
    live.sealer.receipts = False
    live.sealer.third.silent_after = 2  # two of three records are answered
    _, body = await live.post(rap())
    following = asyncio.create_task(_events(live, body["ontvangst"]))
    await until(lambda: live.intake._streams[AGB] == 1, "the stream is open")
    headers = {**live.auth(), "Accept": "text/event-stream"}
    async with live.session.get(live.base + body["ontvangst"], headers=headers) as second:
        assert second.status == 429  # one stream at a time in this test
    live.sealer.answer()
    await until(lambda: live.index.get(Caller(AGB, frozenset({AGB})), body["aanlevering"]).seen == 2, "a first receipt")
    live.sealer.third.silent_after = None
    await live.post(rap())
    live.sealer.answer()
    states = await asyncio.wait_for(following, 10)
    assert states[0]["status"] == "ontvangen"
    assert states[-1]["gezien"] == 3
    assert [one["klaar"] for one in states] == [False] * (len(states) - 1) + [True]
    assert await _events(live, body["ontvangst"]) == states[-1:]  # afterwards: the final state, and the end


async def test_search_by_status_time_kind_and_page(live: Running) -> None:
    for start in (0, 100, 200):
        await live.post(rap(start=start))
    await live.post(rap(start=300), params={"test": "true"})
    await live.post(Regie(bsn="123456789").bytes())
    _, page = await live.get("/deliveries", params={"aantal": "2"})
    names = [one["aanlevering"] for one in page["aanleveringen"]]
    while page["volgende"]:
        _, page = await live.get("/deliveries", params={"aantal": "2", "na": page["volgende"]})
        names += [one["aanlevering"] for one in page["aanleveringen"]]
    assert len(names) == len(set(names)) == 5

    async def number(**query: str) -> int:
        answer, found = await live.get("/deliveries", params=query)
        assert answer.status == 200, found
        return len(found["aanleveringen"])

    assert await number(status="afgekeurd") == 1
    assert await number(status="goedgekeurd") == 4
    assert await number(test="true") == 1
    assert await number(soort="score", test="false") == 3
    assert await number(sinds="2999-01-01T00:00:00Z") == 0
    assert await number(sinds="2020-01-01T00:00:00+01:00") == 5
    for query in ({"status": "x"}, {"sinds": "gisteren"}, {"aantal": "0"}, {"na": "%%"}, {"soort": "cem+"}):
        assert (await live.get("/deliveries", params=query))[0].status == 400


async def test_nothing_of_the_process_is_told_to_those_who_deliver(live: Running) -> None:
    for path in ("/ready", "/health", "/metrics"):
        assert (await live.get(path))[0].status == 404


async def test_other_addresses_and_methods_are_problems_too(live: Running) -> None:
    async with live.session.get(f"{live.base}/geheim") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
    async with live.session.delete(f"{live.base}/deliveries") as answer:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
        assert answer.content_type == "application/problem+json"
