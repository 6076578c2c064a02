"""Schema ids from a registry: the real client against a stand-in that speaks the Confluent paths over HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError
from httpx import TimeoutException

from local.ports import free_port
from schemas.codec import Codec, Undecodable, load, names
from schemas.registry import (
    ANSWER_SECONDS,
    RETRIES,
    RegistryError,
    RegistryIds,
    ids_of,
    lay_down,
    missing,
    registry_ids,
)
from schemas.topics import topics
from tests.schemas.test_codec import LINE, changed


class Registry(ThreadingHTTPServer):
    """Gives ids from 1 upward per distinct schema; ``refuses`` holds subjects whose schemas count as incompatible.

    ``only_answers`` makes it as the stages have it: what it knows it tells, and it takes nothing.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.schemas: dict[int, str] = {}
        self.subjects: dict[str, int] = {}
        self.refuses: set[str] = set()
        self.asked: list[str] = []
        self.broken = False
        self.only_answers = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def give(self, subject: str, schema: str) -> int:
        known = {text: number for number, text in self.schemas.items()}
        number = known.get(schema, len(self.schemas) + 1)
        self.schemas[number], self.subjects[subject] = schema, number
        return number


class _Answers(BaseHTTPRequestHandler):
    server: Registry

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        subject = unquote(path.split("/")[2])
        if not path.endswith("/versions"):
            self._lookup(subject, body["schema"])
            return
        self.server.asked.append(f"POST {subject}")
        if self.server.broken:
            self._answer(400, {"error_code": 400, "message": "out of order"})
        elif self.server.only_answers:
            self._answer(409, {"error_code": 409, "message": "storage is read-only"})
        elif subject in self.server.refuses:
            self._answer(409, {"error_code": 409, "message": "Schema being registered is incompatible"})
        else:
            number = self.server.give(subject, body["schema"])
            self._answer(200, {"id": number, "version": 1, "schema": body["schema"], "guid": _guid(body["schema"])})

    def _lookup(self, subject: str, schema: str) -> None:
        number = self.server.subjects.get(subject)
        if self.server.broken:
            self._answer(403, {"error_code": 40301, "message": "out of order"})
        elif number is None or self.server.schemas[number] != schema:
            self._answer(404, {"error_code": 40403, "message": "Schema not found"})
        else:
            known = {"id": number, "subject": subject, "version": 1, "schema": schema, "guid": _guid(schema)}
            self._answer(200, known)

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/subjects":
            self._answer(200, list(self.server.subjects))
            return
        number = int(urlsplit(self.path).path.rpartition("/")[2])
        self.server.asked.append(f"GET {number}")
        if self.server.broken:
            self._answer(403, {"error_code": 40301, "message": "out of order"})
        elif number in self.server.schemas:
            self._answer(200, {"schema": self.server.schemas[number], "guid": _guid(self.server.schemas[number])})
        else:
            self._answer(404, {"error_code": 40403, "message": "Schema not found"})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to tell."""


def _guid(schema: str) -> str:
    return hashlib.sha256(schema.encode()).hexdigest()[:32]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_record_carries_the_id_of_the_registry(registry: Registry) -> None:
    registry.give("other", "{}")
    codec = Codec("sor.lines", registry_ids(registry.url))
    assert codec.encode(LINE)[:5] == b"\x00\x00\x00\x00\x02"
    assert codec.decode(codec.encode(LINE)) == LINE
    assert json.loads(registry.schemas[2]) == load("sor.lines")
    assert registry.subjects["sor.lines-value"] == 2


@pytest.mark.parametrize("setting", [None, ""])
def test_without_a_registry_a_codec_has_its_own_ids(setting: str | None) -> None:
    assert ids_of(setting) is None
    assert isinstance(ids_of("http://127.0.0.1:1"), RegistryIds)


def test_every_contract_can_be_registered(registry: Registry) -> None:
    ids = registry_ids(registry.url)
    assert sorted(Codec(name, ids).id for name in names()) == list(range(1, len(names()) + 1))


def test_a_subject_can_be_named(registry: Registry) -> None:
    Codec("sor.in", registry_ids(registry.url), subject="sor.in.score-value")
    assert list(registry.subjects) == ["sor.in.score-value"]


def test_a_record_of_an_older_schema_is_read(registry: Registry) -> None:
    old = registry.give("sor.lines-value", json.dumps(changed("sor.lines", published_at="int")))
    codec = Codec("sor.lines", registry_ids(registry.url))
    whole = codec.encode(LINE)
    assert codec.id != old
    for _ in range(3):
        assert codec.decode(b"\x00" + old.to_bytes(4, "big") + whole[5:]) == LINE
    assert registry.asked.count(f"GET {old}") == 1


def test_an_id_that_the_registry_does_not_have_is_undecodable(registry: Registry) -> None:
    codec = Codec("sor.lines", registry_ids(registry.url))
    with pytest.raises(Undecodable, match="unknown schema id 77"):
        codec.decode(b"\x00" + (77).to_bytes(4, "big") + codec.encode(LINE)[5:])


def test_a_registry_out_of_order_is_no_poison(registry: Registry) -> None:
    """A record must not be refused because something else is wrong: the stage stops and comes back."""
    codec = Codec("sor.lines", registry_ids(registry.url))
    whole, registry.broken = codec.encode(LINE), True
    with pytest.raises(SchemaRegistryError) as failure:
        codec.decode(b"\x00" + (5).to_bytes(4, "big") + whole[5:])
    assert failure.value.http_status_code == 403


def test_a_refused_schema_stops_the_process(registry: Registry) -> None:
    registry.refuses.add("sor.lines-value")
    with pytest.raises(SchemaRegistryError, match="incompatible"):
        Codec("sor.lines", registry_ids(registry.url))


def test_a_stage_needs_a_registry_that_only_answers(registry: Registry) -> None:
    laid = missing(registry.url)
    assert {f"{name}-value" for name in names()} <= set(laid)
    assert {f"{topic.name}-value" for topic in topics().values() if topic.schema} <= set(laid)
    lay_down(registry.url, laid)
    assert missing(registry.url) == {}
    registry.only_answers = True
    registry.asked.clear()
    codec = Codec("sor.lines", registry_ids(registry.url))
    assert codec.decode(codec.encode(LINE)) == LINE
    Codec("sor.in", registry_ids(registry.url), subject="sor.in.start-value")
    assert registry.asked == [], "nothing was given to it"


def test_a_registry_that_only_answers_says_who_takes_contracts(registry: Registry) -> None:
    registry.only_answers = True
    with pytest.raises(
        RegistryError, match=r"refuses \(409, storage is read-only\).*give the address of the one that does"
    ):
        lay_down(registry.url, missing(registry.url))
    with pytest.raises(SchemaRegistryError, match="read-only"):
        Codec("sor.lines", registry_ids(registry.url))


def test_a_registry_that_is_away_is_one_sentence() -> None:
    with pytest.raises(RegistryError, match="does not answer"):
        missing(f"http://127.0.0.1:{free_port()}")


def test_a_registry_that_falls_silent_is_waited_for_no_longer_than_the_bound(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (1 + ANSWER_SECONDS) * (RETRIES + 1) <= 15
    monkeypatch.setattr("schemas.registry.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("schemas.registry.PAUSE_MS", 10)
    monkeypatch.setattr(_Answers, "do_POST", lambda _answers: time.sleep(3))
    began = time.monotonic()
    with pytest.raises(TimeoutException):
        RegistryIds(registry.url).known("sor.lines-value", "{}")
    assert time.monotonic() - began < 2
