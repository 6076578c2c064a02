"""What the worker of the browser makes is read, proved and opened by the stages, and says what the connector says."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.delivery.compact import BODY_LINES, FRAME_BYTES, Head, SealedLine, envelope, read
from connectors.formats import rap
from connectors.formats.model import Afwijzing, FileContext, FileRecord
from crypto import authority, keys, oprf
from crypto.authority import Grant
from crypto.keys import PublicKeys
from crypto.sign import Checker
from crypto.sources import NotTrusted, Trust
from domain.facts.fact import Score, Terugname
from domain.field.bsn import official_numbers
from portal import rules
from schemas.codec import Codec, Record
from schemas.records import record_to_event
from streams.admission import Admission, Admitted
from streams.evaluate import Evaluator
from tests.portal.browser import browser_sources, run
from tests.trusted import ARRIVED, DAY, admit, evaluate, with_authority

__all__ = ["browser_sources"]

SENDER: Final = "94000001"
SCALAR: Final = (
    "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e"  # RFC 9497, A.1.1: the blind is its own
)
HEADER: Final = "BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde\n"


class Party(NamedTuple):
    """The keys of a region, a source of the browser, and the two stages."""

    public: PublicKeys
    trust: Trust
    source: Ed25519PrivateKey
    certificate: bytes
    evaluator: Evaluator
    admission: Admission


@cache
def party() -> Party:
    """Made once per run, in a folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="sor-browser-")) / "keys"
    keys.init(home)
    with_authority(home)
    source = Ed25519PrivateKey.generate()
    grant = Grant("browser", frozenset({SENDER}), frozenset({"score", "takeback"}), DAY)
    folder = home.parent / f"{home.name}-authority"
    certificate = authority.issue(folder, home, grant, source.public_key(), at=ARRIVED // 1000)
    trust = Trust(home)
    stages = Evaluator(keys.load_evaluate(home), trust), Admission(keys.load_entry(home), trust)
    return Party(keys.load_public(home), trust, source, certificate, *stages)


def text(value: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(value).decode()


def given(csv: str, **job: object) -> dict[str, Any]:
    """What the script gets."""
    public = party().public
    named = {"suite": public.suite, "evaluate": text(public.evaluate), "entry": text(public.entry)}
    ids = {"sealed": Codec("sor.sealed").id, "compact": Codec("sor.compact").id}
    context = {"kind": "score", "sender": SENDER, "test": False, "epoch": public.epoch}
    private = party().source.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {
        "rules": json.loads(rules.document()),
        "text": csv,
        "naming": text(bytes(32)),
        "signing": text(private),
        "certificate": text(party().certificate),
        "bsn": official_numbers()[0],
        "scalar": text(bytes.fromhex(SCALAR)),
        "job": {"keys": named, "ids": ids, "context": context, "ahead": 0, **job},
    }


def bodies(answer: dict[str, Any]) -> list[tuple[Head, list[SealedLine]]]:
    """Head and lines of each body, by our own reader."""
    found = []
    for body in answer["bodies"]:
        head, lines = read(io.BytesIO(base64.b64decode(body)))
        found.append((head, list(lines)))
    return found


def opened(head: Head, line: SealedLine) -> Admitted:
    """A line after both stages."""
    value = Codec("sor.in", subject=f"{head.topic}-value").encode(envelope(head, line))
    return admit(party().admission, evaluate(party().evaluator, head.topic, value))


def told(admitted: Admitted) -> Record:
    """What is told of a line to its sender."""
    return Codec("sor.lines").decode(admitted.line)


def csv(rows: int) -> str:
    """Rows of clients of their own and of the same, with every fifth refused."""
    numbers = official_numbers()
    cells = [
        f"{numbers[row // 2]};{('', 'A1')[row % 2]};{row + 1};{('PB', 'D1O')[row % 2]};{'x' if row % 5 else '9'}"
        for row in range(rows)
    ]
    return HEADER + "\n".join(cells) + "\n"


def by_connector(content: str) -> list[FileRecord]:
    """The rows as the connector reads them."""
    context = FileContext("x.csv", SENDER, 1_767_225_600_000, rows=1_000)
    return list(rap.scores(io.BytesIO(content.encode()), context))


def test_the_stages_open_what_the_browser_sealed(browser_sources: Path) -> None:
    content = csv(60)
    ((head, lines),) = bodies(run(browser_sources, "seal.mjs", given(content)))
    Checker(party().trust)(head.signed(), head.certificate, head.signature, head.sender, head.kind, ARRIVED)
    own = by_connector(content)
    assert [line.line for line in lines] == list(range(1, len(own) + 1))
    pseudonyms = set()
    for record, line in zip(own, lines, strict=True):
        admitted = opened(head, line)
        assert told(admitted)["regel"] == record.regel
        if isinstance(record.inhoud, Afwijzing):
            assert (admitted.code, line.evaluate_sealed) == (record.inhoud.code, b"")
            continue
        assert admitted.event is not None
        fact, expected = record_to_event(Codec("sor.events").decode(admitted.event)).fact, record.inhoud
        assert isinstance(fact, Score)
        assert isinstance(expected, Score)
        assert (fact.doel, fact.beoordelaar, fact.waarde) == (expected.doel, expected.beoordelaar, expected.waarde)
        assert (fact.toewijzing is None) == (expected.toewijzing is None)
        assert abs(fact.tijd - ARRIVED) < 3_600_000
        pseudonyms.add(admitted.pseudonym)
    assert len(pseudonyms) == 30


def test_it_blinds_as_we_do(browser_sources: Path) -> None:
    answer = run(browser_sources, "seal.mjs", given(csv(1)))
    point = oprf.hash_to_group(oprf.bsn_input(official_numbers()[0]))
    scalar = bytes.fromhex(SCALAR)
    assert answer["blinded"] == oprf.multiply(scalar, point).hex()
    assert answer["inverse"] == oprf.inverse(scalar).hex()


def test_the_same_rows_are_the_same_delivery(browser_sources: Path) -> None:
    first, again, other = (run(browser_sources, "seal.mjs", given(csv(rows))) for rows in (3, 3, 4))
    assert first["delivery"] == again["delivery"] != other["delivery"]
    assert first["bodies"] != again["bodies"]  # fresh keys and scalars


def test_a_large_delivery_goes_in_bodies_within_the_bounds(browser_sources: Path) -> None:
    answer = run(browser_sources, "seal.mjs", given(HEADER + "geen;;7;D1O;1\n" * 30_000))
    found = bodies(answer)
    assert [line.line for _, lines in found for line in lines] == list(range(1, 30_001))
    assert len(found) > 1
    for body, (_, lines) in zip(answer["bodies"], found, strict=True):
        assert len(lines) <= BODY_LINES
        content, place = base64.b64decode(body), 0
        assert len(content) <= 4_000_000
        while place < len(content):
            size = int.from_bytes(content[place : place + 4], "big")
            assert 0 < size <= FRAME_BYTES
            place += 4 + size


def test_it_takes_back_a_delivery(browser_sources: Path) -> None:
    back = {"aanlevering": "ab" * 16, "lines": 7, "reden": "dubbel"}
    context = {"kind": "takeback", "sender": SENDER, "test": False, "epoch": party().public.epoch}
    ((head, (line,)),) = bodies(run(browser_sources, "seal.mjs", given("", back=back, context=context)))
    assert (head.kind, line.evaluate_sealed) == ("takeback", b"")
    admitted = opened(head, line)
    assert admitted.code == ""
    clear = Terugname(**back)
    assert Codec("sor.lines").decode(admitted.line)["kind"] == "takeback", clear


def test_what_was_changed_on_the_way_is_not_trusted(browser_sources: Path) -> None:
    ((head, _),) = bodies(run(browser_sources, "seal.mjs", given(csv(1))))
    changed = head._replace(lines=2)
    check = Checker(party().trust)
    with pytest.raises(NotTrusted):
        check(changed.signed(), head.certificate, head.signature, head.sender, head.kind, ARRIVED)


def test_a_key_that_was_published_ahead_is_used_from_its_moment(browser_sources: Path) -> None:
    public = party().public
    for since, used in ((ARRIVED - DAY, True), (ARRIVED + DAY * 1000, False)):
        asked = given(csv(1))
        asked["job"]["keys"]["evaluate"] = text(public.entry)
        asked["job"]["keys"]["next"] = {"evaluate": {"key": text(public.evaluate), "from": since}}
        ((head, _),) = bodies(run(browser_sources, "seal.mjs", asked))
        assert (head.evaluate_key_id != head.entry_key_id) is used


def test_the_union_is_that_of_the_contract() -> None:
    schema = json.loads((Path(__file__).parents[2] / "schemas/avro/sor.sealed.avsc").read_text("utf-8"))
    (branches,) = (field["type"] for field in schema["fields"] if field["name"] == "inhoud")
    source = (Path(rules.__file__).parent / "browser/src/facts.js").read_text("utf-8")
    for name in ("Score", "Afwijzing", "Terugname"):
        assert f"{name}: {branches.index(f'nl.sor.{name}')}" in source
