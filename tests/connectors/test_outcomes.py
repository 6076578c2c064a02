"""What a sender is told after the first outcome: withdrawn records and remarks, in one set of words and one sum."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.answer import own, report
from connectors.answer.mail import content
from connectors.delivery.connector import Connector
from connectors.formats.files import Limits, find
from connectors.formats.model import FileFault
from connectors.intake.asked import STATUSES
from connectors.intake.config import IntakeLimits
from connectors.intake.documents import Receipts, denial, summary
from connectors.intake.index import BAD, GOOD, PARTLY, entry
from connectors.intake.jobs import Denied
from connectors.intake.openapi import document
from connectors.intake.problems import Kind
from connectors.over_intake import receipt_of
from domain.facts.answer import Receipt
from domain.field.messages import MESSAGES, over_http, remark, text
from domain.field.rules import FLAG, RULES
from domain.field.words import REMARKS, outcome_words
from schemas.typed import ReceiptCodec
from sor.commands import receipts as command
from sor.commands.deliver import Options, Show, run
from tests.connectors.support import (
    AGB,
    BSN,
    BSNS,
    CEM_HEADER,
    RAP_HEADER,
    Regie,
    ThirdParty,
    cem_rows,
    connected,
    make_keys,
    product,
    table,
)


@pytest.fixture(autouse=True)
def _files_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.delivery.reading.SETTLED_NS", 0)


class Desk:
    """``sor deliver`` in this process, and the handle of the delivery that it made."""

    def __init__(self, connector: Connector, third: ThirdParty, capsys: pytest.CaptureFixture[str]) -> None:
        self.third, self._connector, self._capsys = third, connector, capsys

    def deliver(self, folder: Path, *, as_json: bool = False, **options: Any) -> tuple[int, str]:
        code = run(self._connector, [folder], Limits(), Show(as_json=as_json, show_all=False), Options(**options))
        return code, self._capsys.readouterr().out

    @property
    def handle(self) -> bytes:
        (handle,) = self.third.state
        return handle

    @property
    def receipt(self) -> Receipt:
        return ReceiptCodec().decode(self.third.last_receipt)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with connected(make_keys(tmp_path / "keys")) as (connector, third):
        yield Desk(connector, third, capsys)


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    """A JW305 with two starts, and one with one."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "1.xml").write_bytes(Regie(products=[product(toewijzingnummer=n) for n in (1, 2)]).bytes())
    (folder / "2.xml").write_bytes(Regie(header={"id": "2"}).bytes())
    return folder


def test_withdrawn_records_have_their_own_number_and_the_sum_counts_them(desk: Desk, starts: Path) -> None:
    code, out = desk.deliver(starts)
    assert (code, "3 geaccepteerd, 0 geweigerd van 3" in out) == (0, True)
    for line in (1, 2):
        desk.third.tell(desk.handle, line, "ingetrokken", "0001")
    code, out = desk.deliver(starts)
    assert code == 0  # nothing of it is refused here
    assert "1 geaccepteerd, 0 geweigerd, 2 ingetrokken van 3" in out
    [said] = [line for line in out.splitlines() if "[0001]" in line]
    assert said.strip().startswith(
        "1.xml nr. 1 en nr. 2: Ingetrokken [0001] De gemeente heeft dit in een retourbericht"
    )
    assert "om een fout in het bericht zelf afgekeurd" in said
    assert "nr. 0" not in out
    assert "Fout en niet" not in out
    [found] = json.loads(desk.deliver(starts, as_json=True)[1])["aanleveringen"]
    assert (found["geaccepteerd"], found["afgekeurd"], found["ingetrokken"]) == (1, 0, 2)
    assert [(row["regel"], row["status"]) for row in found["regels"]] == [(1, "Ingetrokken"), (2, "Ingetrokken")]
    assert found["regels_totaal"] == 2


def test_records_of_two_files_and_for_two_reasons_are_told_apart(desk: Desk, starts: Path) -> None:
    desk.deliver(starts)
    for line, code in ((1, "9074"), (2, "9071"), (3, "9074")):
        desk.third.tell(desk.handle, line, "ingetrokken", code)
    _, out = desk.deliver(starts)
    assert "0 geaccepteerd, 0 geweigerd, 3 ingetrokken van 3" in out
    said = [line.strip().partition(" De gemeente")[0] for line in out.splitlines() if "xml nr." in line]
    assert said == [
        "1.xml nr. 1: Ingetrokken [9074]",
        "1.xml nr. 2: Ingetrokken [9071]",
        "2.xml nr. 1: Ingetrokken [9074]",
    ]
    assert RULES["TR074"].sentence in out


def test_refused_rows_of_one_reason_are_told_one_by_one(desk: Desk, tmp_path: Path) -> None:
    rows = [(BSN, "", "4711", "D10", "1"), (BSNS[1], "", "4712", "D10", "1")]
    (tmp_path / "scores.csv").write_bytes(table(RAP_HEADER, rows))
    _, out = desk.deliver(tmp_path / "scores.csv", sender=AGB)
    assert [line.split(":")[0].strip() for line in out.splitlines() if "[R04" in line] == [
        "scores.csv regel 2",
        "scores.csv regel 3",
    ]


def test_what_is_refused_later_is_refused(desk: Desk, tmp_path: Path) -> None:
    """K07: there are too many of its client. Which row it is, is not told: its record is named."""
    (tmp_path / "scores.csv").write_bytes(table(RAP_HEADER, [(BSN, "", "4711", f"D{n}O", "2") for n in (1, 2, 3)]))
    desk.deliver(tmp_path / "scores.csv", sender=AGB)
    desk.third.tell(desk.handle, 2, "afgekeurd", "K07")
    code, out = desk.deliver(tmp_path / "scores.csv", sender=AGB)
    assert code == 1
    assert "record 2: Fout en niet geïmporteerd [K07]" in out
    assert "ngetrokken" not in out
    assert desk.receipt.sums == (2, 1, 0)


def test_remarks_stand_beneath_the_outcome_and_refuse_nothing(desk: Desk, starts: Path) -> None:
    desk.deliver(starts)
    for line, code in ((1, "TR074"), (3, "TR074"), (3, "TR326"), (2, "TR056")):
        desk.third.tell(desk.handle, line, "opmerking", code)
    desk.third.tell(desk.handle, 2, "vervallen", "TR056")
    code, out = desk.deliver(starts)
    assert code == 0
    assert "3 geaccepteerd, 0 geweigerd van 3" in out
    beneath = out.partition(f"  {REMARKS}:\n")[2].splitlines()
    assert beneath[0].strip() == f"2 × TR074: {remark('TR074')}"
    assert beneath[1].strip() == f"1 × TR326: {remark('TR326')}"
    assert [line.strip() for line in beneath[2:]] == ["TR074: 1.xml nr. 1", "TR074: 2.xml nr. 1", "TR326: 2.xml nr. 1"]
    [found] = json.loads(desk.deliver(starts, as_json=True)[1])["aanleveringen"]
    assert found["opmerkingen"] == {"TR074": 2, "TR326": 1}
    assert found["opmerkingen_records"][0] == {
        "bestand": "1.xml", "record": 1, "code": "TR074", "melding": remark("TR074"),
    }  # fmt: skip


def test_too_many_remarks_are_said_to_be_so() -> None:
    assert list(report.remarks({})) == []
    assert list(report.remarks({"niet_bijgehouden": 0}))[1] == f"  {remark('niet_bijgehouden')}"


def test_every_flag_that_a_sender_can_mend_has_advice() -> None:
    """One true sentence, and one that says what to do."""
    flags = [code for code, rule in RULES.items() if rule.form == FLAG and code.startswith("TR")]
    assert len(flags) > 20
    assert [code for code in flags if remark(code) == RULES[code].sentence] == []
    assert all(remark(code).startswith(RULES[code].sentence) for code in flags)


def told(desk: Desk, starts: Path) -> Receipt:
    """The receipt of a delivery of which one record is withdrawn, one too many, and one of note."""
    desk.deliver(starts)
    desk.third.tell(desk.handle, 1, "ingetrokken", "9074")
    desk.third.tell(desk.handle, 2, "afgekeurd", "K08")
    desk.third.tell(desk.handle, 3, "opmerking", "TR326")
    return desk.receipt


def intake_document(desk: Desk, receipt: Receipt) -> dict[str, Any]:
    return Receipts(ReceiptCodec()).document(entry(receipt, desk.third.last_receipt))


def test_the_intake_the_command_and_the_mail_agree(desk: Desk, starts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = told(desk, starts)
    counts = outcome_words(1, 1, 1)
    assert counts in desk.deliver(starts)[1]
    found = json.loads(json.dumps(intake_document(desk, receipt)))
    assert (found["geaccepteerd"], found["afgekeurd"], found["ingetrokken"]) == (1, 1, 1)
    assert [(one["record"], one["ingetrokken"]) for one in found["fouten"]] == [(1, True), (2, False)]
    assert found["opmerkingen"] == [{"code": "TR326", "aantal": 1, "melding": remark("TR326")}]
    assert found["opmerkingen_records"] == [{"record": 3, "code": "TR326"}]
    assert msgspec.structs.replace(receipt_of(found), version=receipt.version) == receipt  # type: ignore[type-var]

    class Intake:
        def document(self, _path: str, **_query: object) -> dict[str, Any]:
            return found

    [row] = own.receipts(Intake(), delivery=receipt.delivery)  # type: ignore[arg-type]
    assert (row["geaccepteerd"], row["afgekeurd"], row["ingetrokken"]) == (1, 1, 1)
    shown = "\n".join(command._text([row | {"gezocht": []}], lines=True))
    for part in (counts, "record 1: Ingetrokken [9074]", "record 2 [K08]", f"{REMARKS}:", "record 3 [TR326]"):
        assert part in shown
    table = command._row(
        {"geaccepteerd": 3, "afgekeurd": 0, "ingetrokken": 2, "codes": {"9074": 1, "K08": 1}, "wacht": {}}
        | {"fouten": [(1, 0, 0, "9074", ""), (2, 0, 0, "K08", "")], "opmerkingen": {"TR326": 1}}
        | {"opmerkingen_records": [(3, "TR326")]}
    )
    assert {name: row[name] for name in table} == table


def test_the_mail_tells_the_same(desk: Desk, starts: Path, tmp_path: Path) -> None:
    receipt = told(desk, starts)
    delivery = next(desk._connector.deliveries(find([starts], Limits(), _never), desk._connector.run(), _never))
    mail = content(delivery, receipt, "zorg@example.org", "sor@example.org").get_content()
    assert f"Uitkomst: {outcome_words(1, 1, 1)} van 3." in mail
    assert "1 × 9074" in mail
    assert REMARKS in mail
    assert remark("TR326").partition(". ")[0] in mail.replace("\n", " ")


def _never(fault: FileFault) -> None:
    raise fault


@pytest.mark.parametrize(
    ("withdrawn", "status"), [((), GOOD), ((1,), PARTLY), ((1, 2, 3), BAD)], ids=["none", "some", "all"]
)
def test_the_status_in_a_search_counts_what_is_withdrawn(
    desk: Desk, starts: Path, withdrawn: tuple[int, ...], status: str
) -> None:
    desk.deliver(starts)
    for line in withdrawn:
        desk.third.tell(desk.handle, line, "ingetrokken", "9074")
    assert summary(entry(desk.receipt, b"x"))["status"] == status
    assert status in STATUSES


def test_a_look_tells_of_every_kind_what_delivery_tells(desk: Desk, tmp_path: Path) -> None:
    cem = cem_rows("1-1") + cem_rows("1-2", {"VR01": "2", "VR02": "9"}, bsn=BSNS[1])
    rap = [(BSN, "", "4711", "D1O", "2"), (BSN, "", "4711", "D10", "1")]
    files = {"cem.csv": table(CEM_HEADER, cem), "rap.csv": table(RAP_HEADER, rap), "1.xml": Regie().bytes()}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        (looked, seen), (delivered, said) = (
            desk.deliver(tmp_path / name, sender=AGB, check_only=check_only) for check_only in (True, False)
        )
        assert looked == delivered == (0 if name == "1.xml" else 1)
        same = [line for line in said.splitlines() if "[" in line or "×" in line or "stap 1" in line.lower()]
        assert [line for line in same if line not in seen.splitlines()] == []
        assert "niets verzonden" in seen
        assert "geweigerd" in seen
        assert "Geïmporteerd en gevalideerd        1" not in seen


def test_what_is_technically_right_says_what_is_refused(desk: Desk, tmp_path: Path) -> None:
    rows = cem_rows("1-1") + cem_rows("1-2", {"VR01": "2", "VR02": "9"}, bsn=BSNS[1])
    (tmp_path / "cem.csv").write_bytes(table(CEM_HEADER, rows))
    for check_only in (True, False):
        _, out = desk.deliver(tmp_path / "cem.csv", sender=AGB, check_only=check_only)
        assert "Eindresultaat: Goedgekeurd; op inhoud geweigerd: 1 van 2 records\n" in out


def test_no_sentence_of_the_intake_speaks_of_a_command_line() -> None:
    sentences = [over_http(code) for code in MESSAGES] + [text("9074")] + [remark(code) for code in RULES]
    sentences += [kind.value.detail for kind in Kind]
    sentences += [denial(Denied(why)).detail for why in ("foreign", "not_trusted", "too_large", "malformed")]
    sentences.append(json.dumps(document(IntakeLimits()), ensure_ascii=False))
    assert [one for one in sentences if " --" in one or "`sor" in one or "sor deliver" in one] == []
    assert "CBS-bestand gaat niet over deze weg" in over_http("B02")


def test_every_way_of_asking_says_what_may_be_wrong_with_a_number_that_is_waited_for(desk: Desk, starts: Path) -> None:
    desk.deliver(starts)
    desk.third.tell(desk.handle, 1, "wacht", "beschikking")
    hint = "verschilt, is voor de monitor een ander nummer"
    assert hint in desk.deliver(starts)[1]
    [waits] = intake_document(desk, desk.receipt)["wacht"]
    assert hint in waits["melding"]
    assert command._waits(desk.receipt.wacht) == [waits]
