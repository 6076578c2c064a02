"""What the worker of the browser makes is read, proved and opened by the stages, and says what the connector says."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import asdict

from connectors.delivery.compact import BODY_LINES, FRAME_BYTES, Head, SealedLine, read
from connectors.delivery.recognise import CSV_KINDS, PARSERS
from connectors.formats import rap
from connectors.formats.model import Afwijzing, FileContext, FileRecord
from crypto import oprf
from crypto.sign import Checker
from crypto.sources import NotTrusted
from domain.facts.fact import Content, Score
from domain.field.bsn import official_numbers
from domain.field.dates import dutch_day
from portal import rules
from portal.rules_cbs import layout_told
from schemas.codec import Codec, Record
from schemas.records import record_to_event
from streams.admission import Admitted
from tests.connectors.support import CBS_HEADER, cbs_choices, cbs_row, table
from tests.portal.browser import browser_sources, run
from tests.portal.region import SENDER, as_text, opened, public_document, region
from tests.trusted import ARRIVED, DAY

__all__ = ["browser_sources"]

SCALAR: Final = (
    "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e"  # RFC 9497, A.1.1: the blind is its own
)
BACK: Final = {"aanlevering": "ab" * 16, "lines": 7, "reden": "dubbel"}
SAMPLES: Final = Path(__file__).parents[1] / "connectors" / "samples"
FILES: Final = {
    "cem": (SAMPLES / "cem_plus.csv").read_bytes(),
    "start": (SAMPLES / "jw305_start.xml").read_bytes(),
    "stop": (SAMPLES / "jw307_stop.xml").read_bytes(),
    "declaration": (SAMPLES / "jw323_declaratie.xml").read_bytes(),
    "cbs": table(CBS_HEADER, [cbs_row(), cbs_row(bsn="999999999"), cbs_row(bsn="000000000", born="20260601")]),
}
CHOICES: Final = cbs_choices()
#: When the samples are delivered: all of them were signed before.
NOW: Final = 1_785_000_000_000
HEADER: Final = "BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde\n"


def given(csv: str, **job: object) -> dict[str, Any]:
    """What the script gets."""
    public = public_document()
    context = {"kind": "score", "sender": SENDER, "test": False, "epoch": public["epoch"]}
    private = region().source.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {
        "rules": json.loads(rules.document()),
        "text": csv,
        "naming": as_text(bytes(32)),
        "signing": as_text(private),
        "certificate": as_text(region().certificate),
        "bsn": official_numbers()[0],
        "scalar": as_text(bytes.fromhex(SCALAR)),
        "job": {
            "keys": public,
            "ids": public["ids"],
            "facts": rules.facts(),
            "context": context,
            "now": ARRIVED,
            **job,
        },
    }


def bodies(answer: dict[str, Any]) -> list[tuple[Head, list[SealedLine]]]:
    """Head and lines of each body, by our own reader."""
    found = []
    for body in answer["bodies"]:
        head, lines = read(io.BytesIO(base64.b64decode(body)))
        found.append((head, list(lines)))
    return found


def told(admitted: Admitted) -> Record:
    """What is told of a line to its sender."""
    return asdict(admitted.line)


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


def jobs() -> dict[str, dict[str, Any]]:
    """Every delivery of these tests: a start of Node costs more than all of them."""
    public = region().public
    back = {"kind": "takeback", "sender": SENDER, "test": False, "epoch": public.epoch}
    told = {
        "sixty": given(csv(60)),
        "three": given(csv(3)),
        "again": given(csv(3)),
        "four": given(csv(4)),
        "large": given(HEADER + "geen;;7;D1O;1\n" * 25_100),
        "back": given("", back=BACK, context=back),
    }
    for kind, content in FILES.items():
        told[kind] = given("", context={**back, "kind": kind})
        told[kind]["file"] = {"raw": as_text(content), "name": "x", "sender": SENDER, "today": dutch_day(NOW)}
        assert CHOICES.layout is not None
        told[kind]["file"] |= {"layout": layout_told(CHOICES.layout), "periode": CHOICES.periode}
    for name, since in (("ahead", ARRIVED - DAY), ("later", ARRIVED + DAY * 1000)):
        told[name] = given(csv(1))
        told[name]["job"]["keys"]["evaluate"] = as_text(public.entry)
        told[name]["job"]["keys"]["next"] = {"evaluate": {"key": as_text(public.evaluate), "from": since}}
    return told


@pytest.fixture(scope="module")
def made(browser_sources: Path) -> dict[str, dict[str, Any]]:
    """What the browser made of them."""
    answers: dict[str, dict[str, Any]] = run(browser_sources, "seal.mjs", jobs())
    return answers


def test_the_stages_open_what_the_browser_sealed(made: dict[str, Any]) -> None:
    ((head, lines),) = bodies(made["sixty"])
    Checker(region().trust)(head.signed(), head.certificate, head.signature, head.sender, head.kind, ARRIVED)
    own = by_connector(csv(60))
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


def clear(fact: Content) -> dict[str, Any]:
    """A fact without references, which the stages hash, and without the moment of delivering."""
    return {name: value for name, value in asdict(fact).items() if name != "tijd" and not isinstance(value, bytes)}


@pytest.mark.parametrize("kind", FILES)
def test_the_stages_open_whole_files_that_the_browser_sealed(made: dict[str, Any], kind: str) -> None:
    ((head, lines),) = bodies(made[kind])
    own = list(PARSERS[kind](io.BytesIO(FILES[kind]), FileContext("x", SENDER, NOW, choices=CHOICES)))
    assert (head.kind, head.lines) == (kind, len(own))
    pseudonyms = set()
    for place, (record, line) in enumerate(zip(own, lines, strict=True), 1):
        admitted = opened(head, line)
        assert admitted.event is not None
        fact = record_to_event(Codec("sor.events").decode(admitted.event)).fact
        assert not isinstance(record.inhoud, Afwijzing)
        assert type(fact) is type(record.inhoud)
        assert clear(fact) == clear(record.inhoud)
        pseudonyms.add(admitted.pseudonym)
        assert (told(admitted)["regel"], told(admitted)["regels"]) == (record.regel, record.regels)
        uses = [Codec("sor.register").decode(value) for _, value in admitted.register]
        wanted = [] if kind in CSV_KINDS else [(len(own), place)]
        assert [(use["records"], use["plaats"]) for use in uses if use["records"]][:1] == wanted
    assert len(pseudonyms) == len({(record.bsn, record.fallback) for record in own})


def test_it_blinds_as_we_do(made: dict[str, Any]) -> None:
    point, scalar = oprf.hash_to_group(oprf.bsn_input(official_numbers()[0])), bytes.fromhex(SCALAR)
    assert made["three"]["blinded"] == oprf.multiply(scalar, point).hex()
    assert made["three"]["inverse"] == oprf.inverse(scalar).hex()


def test_the_same_rows_are_the_same_delivery(made: dict[str, Any]) -> None:
    assert made["three"]["delivery"] == made["again"]["delivery"] != made["four"]["delivery"]
    assert made["three"]["bodies"] != made["again"]["bodies"]  # fresh keys and scalars


def test_a_large_delivery_goes_in_bodies_within_the_bounds(made: dict[str, Any]) -> None:
    found = bodies(made["large"])
    assert [line.line for _, lines in found for line in lines] == list(range(1, 25_101))
    assert len(found) > 1
    for body, (_, lines) in zip(made["large"]["bodies"], found, strict=True):
        assert len(lines) <= BODY_LINES
        content, place = base64.b64decode(body), 0
        assert len(content) <= 4_000_000
        while place < len(content):
            size = int.from_bytes(content[place : place + 4], "big")
            assert 0 < size <= FRAME_BYTES
            place += 4 + size


def test_it_takes_back_a_delivery(made: dict[str, Any]) -> None:
    ((head, (line,)),) = bodies(made["back"])
    assert (head.kind, line.evaluate_sealed) == ("takeback", b"")
    admitted = opened(head, line)
    assert admitted.code == ""
    assert told(admitted)["kind"] == "takeback"


def test_what_was_changed_on_the_way_is_not_trusted(made: dict[str, Any]) -> None:
    ((head, _),) = bodies(made["three"])
    changed, check = head._replace(lines=2), Checker(region().trust)
    with pytest.raises(NotTrusted):
        check(changed.signed(), head.certificate, head.signature, head.sender, head.kind, ARRIVED)


def test_a_key_that_was_published_ahead_is_used_from_its_moment(made: dict[str, Any]) -> None:
    for name, used in (("ahead", True), ("later", False)):
        ((head, _),) = bodies(made[name])
        assert (head.evaluate_key_id != head.entry_key_id) is used


def test_the_union_is_that_of_the_contract() -> None:
    schema = json.loads((Path(__file__).parents[2] / "schemas/avro/sor.sealed.avsc").read_text("utf-8"))
    (branches,) = (field["type"] for field in schema["fields"] if field["name"] == "inhoud")
    source = (Path(rules.__file__).parent / "browser/src/facts.js").read_text("utf-8")
    assert [f"nl.sor.{name}" for name in rules.facts()] == branches
    assert [fact["branch"] for fact in rules.facts().values()] == list(range(len(branches)))
    kinds = [kind for fact in rules.facts().values() for _, kind in fact["fields"]]
    assert [kind for kind in kinds if isinstance(kind, list) and (len(kind) != 2 or kind[0] != "null")] == []
    (table,) = re.findall(r"(?s)const WRITE = \{(.*?)\n\}", source)
    assert {kind if isinstance(kind, str) else kind[1] for kind in kinds} <= set(re.findall(r"\w+(?=[:,])", table))
