"""Delivering over HTTPS: the library and the command against a real intake, and what is said when it goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors import over_intake
from connectors.delivery.compact import BODY_LINES
from connectors.delivery.connector import Connector
from connectors.errors import BrokerDown
from connectors.intake.config import IntakeLimits, Tls
from connectors.over_intake import Intake, IntakeReceipts, IntakeRefuses, SealedSender
from crypto import authority, keys
from domain.facts.answer import receipt_key
from sor.cli import app
from tests.connectors.authority import Authority
from tests.connectors.intake_support import ALL, HUB, OTHER, Running, intake, rap
from tests.connectors.support import AGB, BSN, Regie, make_keys
from tests.sor.test_needs import CONNECTOR, beyond, sor_without
from transport.clients import Cluster
from transport.https import MOST_BYTES, BadEndpoint, Endpoint, NoAnswer, NotItself, Server

LIMITS = IntakeLimits(body_bytes=2_000_000)


@contextmanager
def behind(folder: Path, limits: IntakeLimits = LIMITS, tls: Tls | None = None) -> Iterator[Running]:
    """An intake on a loop of its own: the client blocks."""
    started, found = threading.Event(), list[Running]()

    async def run() -> None:
        async with intake(folder, limits, tls=tls) as running:
            running.loop = asyncio.get_running_loop()
            running.ended = asyncio.Event()
            found.append(running)
            started.set()
            await running.ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(found[0].ended.set)
        thread.join(30)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Running]:
    with behind(tmp_path) as running:
        yield running


def endpoint(live: Running, who: str = AGB) -> Endpoint:
    return Endpoint(live.base, (live.tokens | live.hubs)[who])


def over(live: Running, tmp_path: Path, who: str = AGB) -> Connector:
    return Connector(tmp_path / "keys", Cluster("nowhere"), intake=endpoint(live, who))


def test_a_file_goes_in_and_its_receipt_comes_back(live: Running, tmp_path: Path) -> None:
    with over(live, tmp_path) as connector:
        receipt = connector.deliver_bytes(f"{AGB}_a.csv", rap(700), sender=AGB)
        assert receipt is not None
        assert (receipt.klaar, receipt.gezien, receipt.sender, receipt.kind) == (True, 700, AGB, "score")
        again = connector.deliver_bytes(f"{AGB}_a.csv", rap(700), sender=AGB)
    assert again is not None
    assert again.delivery == receipt.delivery
    assert again.gezien == 700
    assert len(live.sealer.third.state) == 1


def test_refused_rows_come_back_as_the_broker_would_tell_them(live: Running, tmp_path: Path) -> None:
    wrong = rap(3).replace(b";2", b";99", 1).replace(b",2", b",99", 1)
    with over(live, tmp_path) as connector:
        receipt = connector.deliver_bytes("a.csv", wrong, sender=AGB)
    assert receipt is not None
    told = live.sealer.third._new[-1]
    assert (receipt.codes, receipt.fouten, receipt.afgekeurd) == (told.codes, told.fouten, told.afgekeurd)
    assert (receipt.eerste, receipt.laatste, receipt.wacht) == (told.eerste, told.laatste, told.wacht)


def test_a_large_delivery_goes_in_parts_of_one_delivery(live: Running, tmp_path: Path) -> None:
    sent = list[int]()

    class Counted(Intake):
        def send(self, body: bytes) -> None:
            sent.append(len(body))
            super().send(body)

    there = Counted(endpoint(live))
    sender, receipts = SealedSender(there, 70_000), IntakeReceipts(there)
    with Connector(tmp_path / "keys", Cluster("nowhere"), publisher=sender, receipts=receipts) as connector:
        receipt = connector.deliver_bytes("a.csv", rap(3_000), sender=AGB)
    assert receipt is not None
    assert receipt.gezien == receipt.lines == 3_000
    assert len(sent) > 3
    assert max(sent) < 150_000
    assert sum(sent) < 3_000 * 200
    sent.clear()
    by_lines = SealedSender(there, part_lines=100)
    with Connector(tmp_path / "keys", Cluster("nowhere"), publisher=by_lines, receipts=receipts) as connector:
        connector.publish_bytes("a.csv", rap(250, start=9_000), sender=AGB)
    assert len(sent) == 3
    assert over_intake.PART_LINES < BODY_LINES


def test_a_hub_delivers_for_those_on_its_list_and_sees_their_receipts(live: Running, tmp_path: Path) -> None:
    with over(live, tmp_path, HUB) as connector:
        assert connector.deliver_bytes("start.xml", Regie().bytes()) is not None
        with pytest.raises(IntakeRefuses, match="niet voor deze aanbieder"):
            connector.publish_bytes("a.csv", rap(), sender=OTHER)
    with over(live, tmp_path, ALL) as connector:
        assert connector.deliver_bytes("a.csv", rap(), sender=OTHER) is not None


def test_without_a_receipt_the_wait_ends(live: Running, tmp_path: Path) -> None:
    live.sealer.receipts = False
    with over(live, tmp_path) as connector:
        assert connector.deliver_bytes("a.csv", rap(), sender=AGB, wait=0.3) is None
        there = IntakeReceipts(Intake(endpoint(live)))
        beats = list[int]()
        assert there.wait(receipt_key(AGB, "0" * 32, 3), 0.5, lambda _one: None, lambda: beats.append(1)) is None
        assert len(beats) >= 3


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a connector and nothing of Kafka."""
    for name in list(os.environ):
        if name.startswith("SOR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOR_KEYS", str(tmp_path / "keys"))
    (tmp_path / "scores.csv").write_bytes(rap(40))
    return tmp_path


def points_at(monkeypatch: pytest.MonkeyPatch, home: Path, url: str, token: str) -> None:
    file = home / "token"
    file.touch(mode=0o600)
    file.write_text(token + "\n")
    monkeypatch.setenv("SOR_INTAKE", url)
    monkeypatch.setenv("SOR_INTAKE_TOKEN_FILE", str(file))


def deliver(home: Path, *words: str) -> Any:
    result = CliRunner().invoke(app, ["deliver", str(home / "scores.csv"), "--as", AGB, *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert BSN not in result.output
    return result


def test_the_command_delivers_over_the_intake(live: Running, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points_at(monkeypatch, home, live.base, live.tokens[AGB])
    first = deliver(home)
    assert first.exit_code == 0, first.output
    assert "Geïmporteerd en gevalideerd       40" in first.output
    said = deliver(home, "--json").stdout  # the log of the intake, which runs in this process, is in it too
    told, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])
    assert (told["exit"], told["aanleveringen"][0]["klaar"]) == (0, True)
    live.sealer.receipts = False
    (home / "scores.csv").write_bytes(rap(41))
    assert deliver(home, "--wait", "0.2").exit_code == 3


def test_a_machine_with_the_connector_alone_delivers_and_sees_its_receipts(live: Running, home: Path) -> None:
    """Without one package of an extra: the client is of the standard library."""
    token = home / "token"
    token.touch(mode=0o600)
    token.write_text(live.tokens[AGB])
    there = {"SOR_INTAKE": live.base, "SOR_INTAKE_TOKEN_FILE": str(token), "SOR_KEYS": str(home / "keys")}
    words = ("deliver", str(home / "scores.csv"), "--as", AGB)
    done = sor_without(beyond(CONNECTOR), *words, home=home / "home", SOR_KAFKA="", SOR_PORTS="", **there)
    assert done.returncode == 0, done.stderr
    assert "Geïmporteerd en gevalideerd       40" in done.stdout
    shown = sor_without(beyond(CONNECTOR), "receipts", home=home / "home", SOR_KAFKA="", SOR_PORTS="", **there)
    assert shown.returncode == 0, shown.stderr
    assert "40 geaccepteerd" in shown.stdout


def test_what_goes_wrong_is_one_clear_sentence(live: Running, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points_at(monkeypatch, home, live.base, "sor_wrong")
    wrong = deliver(home)
    assert (wrong.exit_code, "kent het token niet" in wrong.output) == (4, True), wrong.output
    points_at(monkeypatch, home, live.base, live.tokens[OTHER])
    foreign = deliver(home)
    assert (foreign.exit_code, "niet voor deze aanbieder" in foreign.output) == (4, True), foreign.output
    points_at(monkeypatch, home, "http://127.0.0.1:1", live.tokens[AGB])
    nobody = deliver(home)
    assert (nobody.exit_code, "is niet bereikbaar (ConnectionRefusedError)" in nobody.output) == (4, True)
    assert "Hetzelfde commando" in nobody.output
    points_at(monkeypatch, home, "http://intake.example", live.tokens[AGB])
    clear = CliRunner().invoke(app, ["deliver", str(home / "scores.csv"), "--as", AGB])
    assert isinstance(clear.exception, BadEndpoint)
    assert live.sealer.third.sent == []


def test_a_certificate_that_is_refused_is_told(live: Running, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points_at(monkeypatch, home, live.base, live.tokens[AGB])
    elsewhere = home / "elsewhere" / "keys"
    keys.init(elsewhere)
    authority.init(home / "elsewhere" / "authority", elsewhere, "others", development=True)
    monkeypatch.setenv("SOR_KEYS", str(elsewhere))
    monkeypatch.setenv("SOR_AUTHORITY", str(home / "elsewhere" / "authority"))
    told = deliver(home)
    assert (told.exit_code, "certificaat" in told.output) == (4, True), told.output


def test_later_is_waited_for(live: Running, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points_at(monkeypatch, home, live.base, live.tokens[AGB])
    monkeypatch.setattr(over_intake, "_LONGEST_WAIT", 0.3)
    live.sealer.fault = BrokerDown("away")
    threading.Timer(1.0, lambda: setattr(live.sealer, "fault", None)).start()
    assert deliver(home).exit_code == 0


def test_who_is_too_fast_waits_too(tmp_path: Path) -> None:
    limits = IntakeLimits(body_bytes=2_000_000, uploads_per_minute=60)
    with behind(tmp_path, limits) as live, over(live, tmp_path) as connector:
        for number in range(17):  # the bucket holds fifteen
            connector.publish_bytes("a.csv", rap(1, start=number), sender=AGB)
        assert len(live.sealer.third.state) == 17


def test_an_interruption_while_it_waits_and_then_the_same_again(
    live: Running, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points_at(monkeypatch, home, live.base, live.tokens[AGB])
    live.sealer.fault = BrokerDown("away")
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    stopped = deliver(home)
    assert (stopped.exit_code, "Onderbroken" in stopped.output) == (130, True), stopped.output
    live.sealer.fault = None
    assert deliver(home).exit_code == 0
    assert len(live.sealer.third.sent) == 40


def test_tls_by_an_authority_that_is_named(tmp_path: Path) -> None:
    issuer = Authority(tmp_path)
    with behind(tmp_path, tls=Tls(*issuer.issue("server"))) as live:
        trusted = endpoint(live)._replace(ca=issuer.path)
        with Connector(tmp_path / "keys", Cluster("nowhere"), intake=trusted) as connector:
            assert connector.deliver_bytes("a.csv", rap(), sender=AGB) is not None
        with pytest.raises(IntakeRefuses, match="SOR_INTAKE_CA_FILE"):
            Intake(endpoint(live)).send(b"x")
        with pytest.raises(NotItself):
            Server(endpoint(live)).ask("GET", "/openapi.json")
    with pytest.raises(BadEndpoint, match="cannot be used for TLS"):
        Server(Endpoint("https://127.0.0.1", "t", issuer.path, (issuer.path, tmp_path / "server.key")))
    with pytest.raises(BadEndpoint, match="no certificates"):
        Server(Endpoint("https://127.0.0.1", "t", tmp_path / "server.key"))


def receipts(*words: str) -> Any:
    result = CliRunner().invoke(app, ["receipts", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert BSN not in result.output
    return result


def found(*words: str) -> list[str]:
    said = receipts(*words, "--json").stdout
    return [one["aanlevering"] for one in json.JSONDecoder().raw_decode(said[said.index("[") :])[0]]


def test_own_receipts_come_from_the_intake(live: Running, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points_at(monkeypatch, home, live.base, live.tokens[AGB])
    with over(live, home, ALL) as hub:
        theirs = hub.publish_bytes("a.csv", rap(2), sender=OTHER).id
    assert receipts().exit_code == 1
    deliver(home)
    (home / "scores.csv").write_bytes(rap(3, start=500))
    deliver(home)
    both = found()
    assert len(both) == 2
    assert theirs not in both
    assert receipts(theirs).exit_code == 1
    assert found("--most", "1")[0] in both
    assert found(both[0]) == found(both[0][:9]) == [both[0]]
    assert found("--status", "verwerkt") == both
    assert receipts("--status", "fouten").exit_code == receipts("--since", "2099-01-01").exit_code == 1
    assert receipts("--aanbieder", OTHER).exit_code == 1
    line = receipts(both[0]).stdout
    assert f"{AGB}  " in line
    assert "verwerkt; " in line
    searched = CliRunner().invoke(app, ["receipts", "--zoek", "-"], input="501\n").stdout
    assert "gezocht: regel 2: geaccepteerd" in searched
    monkeypatch.setattr("connectors.over_intake._AWAY_SECONDS", 0)
    points_at(monkeypatch, home, "http://127.0.0.1:1", "t")
    assert isinstance(CliRunner().invoke(app, ["receipts"]).exception, IntakeRefuses)


def test_the_certificate_of_a_source_is_good_for_tls(tmp_path: Path) -> None:
    issuer = Authority(tmp_path)
    ours = tmp_path / "keys" / "public" / "authority.pem"
    make_keys(tmp_path / "keys")
    with behind(tmp_path, tls=Tls(*issuer.issue("server"), ours)) as live:
        stranger = endpoint(live)._replace(ca=issuer.path)
        with pytest.raises(IntakeRefuses, match="niet bereikbaar"):
            Intake(stranger).send(b"x")
        own = tmp_path / "keys" / "source"
        known = stranger._replace(own=(own / "certificate.pem", own / "key.pem"))
        with Connector(tmp_path / "keys", Cluster("nowhere"), intake=known) as connector:
            assert connector.deliver_bytes("a.csv", rap(), sender=AGB) is not None


# --- servers that behave badly ----------------------------------------------------------------------------------------


@contextmanager
def scripted(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers, the last one for ever, and keeps the requests that it got."""
    left, asked = list(answers), list[str]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the name that is called

        def log_message(self, *_words: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (413, b"", "SOR_INTAKE_MAX_MB"),
        (422, b'{"type": "urn:sor:aanlevering:vorm", "veld": "head"}', "Werk dit programma bij"),
        (403, b'{"type": "urn:sor:aanlevering:niet-vertrouwd"}', "nieuw certificaat"),
        (418, b"\x1b[31m<html>\xff", "status 418"),
        (302, b"", "status 302"),
    ],
)
def test_every_refusal_has_a_sentence_of_ours(status: int, body: bytes, said: str) -> None:
    with scripted((status, {"Location": "http://elsewhere.example"}, body)) as (url, asked):
        with pytest.raises(IntakeRefuses, match=said) as refused:
            Intake(Endpoint(url, "t")).send(b"x")
        assert "\x1b" not in str(refused.value)
        assert asked == ["/sealed"]  # no other address is ever asked


def test_patience_has_an_end() -> None:
    with scripted((503, {"Retry-After": "1"}, b"")) as (url, asked):
        with pytest.raises(IntakeRefuses, match="geen ruimte"):
            Intake(Endpoint(url, "t"), patience=2.5).send(b"x")
        assert len(asked) == 3


def test_an_intake_that_is_started_anew_is_waited_for_and_a_lost_answer_is_asked_again() -> None:
    half = (202, {"Content-Length": "99"}, b"{")  # the answer is cut off
    with scripted((202, {}, b"{}"), (202, {**half[1], "Connection": "close"}, half[2]), (202, {}, b"{}")) as (
        url,
        asked,
    ):
        there = Intake(Endpoint(url, "t"))
        there.send(b"x")
        there.send(b"x")
        assert len(asked) == 3


def test_answers_are_bounded_in_bytes_and_time() -> None:
    with scripted((200, {}, b"x" * (MOST_BYTES + 1))) as (url, _), pytest.raises(NoAnswer):
        Server(Endpoint(url, "t")).ask("GET", "/")
    silent = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # takes connections and says nothing
    with pytest.raises(NoAnswer, match="TimeoutError"):
        Server(Endpoint(f"http://127.0.0.1:{silent.server_port}", "t")).ask("GET", "/", seconds=0.3)
    silent.server_close()
    with scripted((200, {}, b'{"regels_geaccepteerd": 1}')) as (url, _), pytest.raises(IntakeRefuses, match="Werk dit"):
        IntakeReceipts(Intake(Endpoint(url, "t"))).wait(f"{AGB}|{'0' * 32}|1", 1, print, lambda: None)


def test_an_address_is_for_a_network_only_with_tls() -> None:
    for url in ("http://10.0.0.1", "http://intake.example:80", "ftp://127.0.0.1", "https://"):
        with pytest.raises(BadEndpoint):
            Server(Endpoint(url, "t"))
    assert Server(Endpoint("http://localhost:1", "t")).name == "localhost:1"
    assert "secret" not in repr(Endpoint("https://intake.example", "secret"))
