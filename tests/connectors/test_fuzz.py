"""Every parser against damage: bytes flipped, cut, swapped, doubled, huge fields. An answer or a clear refusal, always.

What is not a ``FileFault`` is a traceback and fails; what is accepted passes the checks of entry as well.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.delivery.connector import Connector
from connectors.delivery.recognise import recognise
from connectors.formats.files import InputFile
from connectors.formats.model import Afwijzing, FileFault
from domain.facts.checks import check
from domain.facts.fact import KINDS
from domain.field.messages import MESSAGES
from tests.connectors.support import (
    AGB,
    BSN,
    BSNS,
    CBS_HEADER,
    CEM_HEADER,
    RAP_HEADER,
    Antwoord,
    Declaratie,
    Regie,
    Retour,
    ThirdParty,
    Toewijzingen,
    assigned,
    attempt,
    cbs_ascii,
    cbs_choices,
    cbs_row,
    cbs_xlsx,
    cem_rows,
    make_keys,
    prestatie,
    product,
    table,
    unzipped,
    zipped,
)
from transport.clients import Cluster


class Sample(NamedTuple):
    """A whole file of a kind, and with what it is read."""

    kind: str
    data: bytes
    more: dict[str, Any] = {}  # noqa: RUF012 - never written to


_CBS: Final = {"choices": cbs_choices()}
_ROWS: Final = [cbs_row(), cbs_row(bsn="999999999"), cbs_row(bsn=BSNS[1], end="", reden="")]
SAMPLES: Final = {
    "jw301": Sample(
        "assignment", Toewijzingen([assigned(), assigned(toewijzingnummer=2, omvang=None, budget=3)]).bytes()
    ),
    "jw305": Sample("start", Regie(products=[product(), product(toewijzingnummer=None)]).bytes()),
    "jw306": Sample("return", Retour(codes=("0200",), client_codes=("0200",)).bytes()),
    "jw307": Sample("stop", Regie(ending=True).bytes()),
    "jw308": Sample("return", Retour(ending=True, codes=("0001",)).bytes()),
    "jw323": Sample("declaration", Declaratie([prestatie(), prestatie(ref="R2", begin="2026-05-02")]).bytes()),
    "jw325": Sample("return", Antwoord([(prestatie(), ("9338",))]).bytes()),
    "rap": Sample("score", table(RAP_HEADER, [(BSN, "", "4711", "D1O", "2"), (BSN, "0123", "", "PB", "x")])),
    "cem": Sample("cem", table(CEM_HEADER, cem_rows() + cem_rows("1-2"))),
    "bergop": Sample("cem", table((*CEM_HEADER, "gemeente"), [(*row, "0363") for row in cem_rows()])),
    "cbs-ascii": Sample("cbs", cbs_ascii(_ROWS), _CBS),
    "cbs-csv": Sample("cbs", table(CBS_HEADER, _ROWS), _CBS),
    "cbs-xlsx": Sample("cbs", cbs_xlsx([tuple(row) for row in _ROWS]), _CBS),
}
ALL: Final = pytest.mark.parametrize("name", sorted(SAMPLES))
_HUGE: Final = (
    b"9" * 50_000,
    b"A" * 50_000,
    b'"' * 999,
    b";" * 5_000,
    b"<m:x>" * 500,
    b"\r\n" * 5_000,
    b"&#0;",
    b"\x00",
)


def _flip(data: bytes, place: int, value: int) -> bytes:
    at = place % len(data)
    return data[:at] + bytes([value]) + data[at + 1 :]


def _swap(data: bytes, place: int, value: int) -> bytes:
    """Two neighbouring stretches change places."""
    at, length = place % len(data), 1 + value % 60
    return data[:at] + data[at + length : at + 2 * length] + data[at : at + length] + data[at + 2 * length :]


def _cut(data: bytes, place: int, value: int) -> bytes:
    at = place % len(data)
    return data[:at] if value % 2 else data[:at] + data[at + 1 + value :]


def _double(data: bytes, place: int, value: int) -> bytes:
    at = place % len(data)
    return data[: at + value] + data[at:]


def _swell(data: bytes, place: int, value: int) -> bytes:
    at = place % len(data)
    return data[:at] + _HUGE[value % len(_HUGE)] + data[at:]


Damage = tuple[Callable[[bytes, int, int], bytes], int, int]
DAMAGE: Final = st.lists(
    st.tuples(st.sampled_from((_flip, _swap, _cut, _double, _swell)), st.integers(0, 2**20), st.integers(0, 255)),
    min_size=1,
    max_size=4,
)
FUZZ: Final = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def damaged(data: bytes, damage: list[Damage]) -> bytes:
    """The bytes after all of it; at least one is left."""
    for how, place, value in damage:
        data = how(data, place, value) or b"x"
    return data


@ALL
def test_the_whole_file_is_accepted(name: str) -> None:
    kind, data, more = SAMPLES[name]
    code, records = attempt(kind, data, **more)
    assert (code, any(isinstance(r.inhoud, Afwijzing) for r in records)) == ("", False)
    assert records


@ALL
@FUZZ
@given(damage=DAMAGE)
def test_damage_is_an_answer_or_a_refusal(name: str, damage: list[Damage]) -> None:
    kind, data, more = SAMPLES[name]
    code, records = attempt(kind, damaged(data, damage), **more)
    assert code == "" or MESSAGES[code].file
    for record in records:
        if isinstance(record.inhoud, Afwijzing):
            assert record.inhoud.code in MESSAGES
            assert record.bsn is None
            assert not record.fallback
        else:
            assert check(record.inhoud) is None, record.inhoud


@ALL
@settings(max_examples=30, deadline=None)
@given(end=st.integers(1, 2**20))
def test_a_message_that_is_cut_is_never_accepted(name: str, end: int) -> None:
    kind, data, more = SAMPLES[name]
    part = data[: end % len(data)].rstrip()
    if kind in ("score", "cem", "cbs") and name != "cbs-xlsx":
        part = part[: part.rfind(b"\n") + 1] + b"9"  # in the middle of a line
    if part == data.rstrip():
        return
    code, records = attempt(kind, part, **more)
    assert code or all(isinstance(r.inhoud, Afwijzing) for r in records[-1:])


@settings(max_examples=150, deadline=None)
@given(head=st.binary(max_size=300), prefix=st.sampled_from((b"", b"<?xml", b"PK\x03\x04", b"BSN;Type\n", b"\xff\xfe")))
def test_anything_has_a_kind_or_a_refusal(head: bytes, prefix: bytes) -> None:
    layout = cbs_choices().layout
    for declared in (None, layout):
        try:
            outcome = recognise(prefix + head, f"{AGB}_x", "x", declared).kind in KINDS
        except FileFault as fault:
            outcome = fault.code in MESSAGES
        assert outcome


@pytest.fixture(scope="module")
def connector(tmp_path_factory: pytest.TempPathFactory) -> Connector:
    folder: Path = make_keys(tmp_path_factory.mktemp("keys"))
    third = ThirdParty(folder)
    return Connector(folder, Cluster("nowhere"), publisher=third, receipts=third, choices=cbs_choices())


@ALL
@settings(max_examples=20, deadline=None)
@given(damage=DAMAGE)
def test_damage_ends_as_a_delivery_or_a_refusal(connector: Connector, name: str, damage: list[Damage]) -> None:
    data = damaged(SAMPLES[name].data, damage)
    refused: list[FileFault] = []
    run = connector.run(AGB)._replace(tijd=1_782_129_600_000)
    file = InputFile("bestand", "bestand", len(data), content=data)
    found = list(connector.deliveries([file], run, refused.append))
    assert len(found) + len(refused) == 1
    for delivery in found:
        assert delivery.lines == sum(file.records for file in delivery.files) > 0


@settings(max_examples=100, deadline=None)
@given(damage=DAMAGE, part=st.sampled_from(("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml")))
def test_damage_inside_a_sheet_is_an_answer_or_a_refusal(damage: list[Damage], part: str) -> None:
    kind, data, more = SAMPLES["cbs-xlsx"]
    parts = unzipped(data)
    code, _ = attempt(kind, zipped(parts | {part: damaged(parts[part], damage)}), **more)
    assert code == "" or MESSAGES[code].file


def _many(name: str) -> bytes:
    """Several megabytes of what makes a parser hold on to things."""
    kind, data, _ = SAMPLES[name]
    text = b"9" * 3_000_000
    if kind in ("score", "cem", "cbs"):
        return data + text if name != "cbs-xlsx" else data[:200] + text
    end = data.index(b"</m:BerichtCode>")
    return data[:end] + text + data[end:]


@ALL
def test_a_huge_field_is_refused_within_bounds(name: str) -> None:
    kind, _, more = SAMPLES[name]
    data = _many(name)
    tracemalloc.start()
    try:
        code, _records = attempt(kind, data, **more)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert code
    assert peak < 10 * len(data)


@pytest.mark.parametrize("name", ["jw306", "jw325"])
def test_a_million_return_codes_are_not_held(name: str) -> None:
    kind, data, _ = SAMPLES[name]
    one = b"<m:RetourCode>0200</m:RetourCode>"
    place = data.index(b"<m:RetourCodes>") + len(b"<m:RetourCodes>")
    many = data[:place] + one * 100_000 + data[place:]
    tracemalloc.start()
    try:
        code, records = attempt(kind, many)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (code, len(records)) == ("", 1)
    assert peak < 2_000_000
