"""Deliveries from file to receipt: the real stages in this process take the place of the broker."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.delivery.connector import Connector, deliver_bytes, publish_message
from connectors.delivery.deliveries import Changed
from connectors.errors import BrokerDown, ConnectorError
from connectors.formats.cbs.fields import bounds, half_years
from connectors.formats.files import Limits, find
from connectors.formats.model import FileFault
from domain.facts.fact import CbsRecord, Meting, PrestatieRetour, Score, Start, Toewijzing
from domain.field.dates import as_date
from schemas.codec import Codec
from schemas.records import record_to_event
from sor.cli import app
from sor.commands.deliver import Interruption, Options, Show, run
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
    cbs_choices,
    cbs_row,
    cbs_xlsx,
    cem_rows,
    connected,
    make_keys,
    prestatie,
    product,
    table,
)
from transport.clients import Cluster
from transport.publisher import NotDelivered

ROWS = [(BSN, "", "4711", "D1O", "2"), (BSN, "012345", "", "D2C", "x"), (BSNS[1], "", "4712", "PB", "3")]
RAP = table(RAP_HEADER, ROWS)
BAD = table(RAP_HEADER, [*ROWS, (BSNS[2], "", "4713", "D10", "1"), ("999900007", "", "4713", "D1O", "1")])


@pytest.fixture(autouse=True)
def _files_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of these tests are written once: no need to look whether they still grow."""
    monkeypatch.setattr("connectors.delivery.reading.SETTLED_NS", 0)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(tmp_path / "keys")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


class Ran:
    """What one run printed and did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Desk:
    """A connector whose runs can be looked at."""

    def __init__(self, connector: Connector, third: ThirdParty, capsys: pytest.CaptureFixture[str]) -> None:
        self.connector, self.third, self._capsys = connector, third, capsys

    def deliver(self, *paths: Path, as_json: bool = False, show_all: bool = False, **options: Any) -> Ran:
        show = Show(as_json=as_json, show_all=show_all)
        code = run(self.connector, list(paths), Limits(), show, Options(**options))
        printed = self._capsys.readouterr()
        text = printed.out + printed.err
        for bsn in (*BSNS[:4], "999900007"):
            assert bsn not in text  # not in any line of any run
        return Ran(code, printed.out, printed.err)

    def facts(self) -> list[Any]:
        codec = Codec("sor.events")
        return [record_to_event(codec.decode(event)).fact for event in self.third.events]


@pytest.fixture
def desk(keys: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with connected(keys) as (connector, third):
        yield Desk(connector, third, capsys)


def test_scores_are_delivered_and_the_receipt_counts_as_rap_does(desk: Desk, files: Path) -> None:
    (files / "scores.csv").write_bytes(RAP)
    ran = desk.deliver(files, sender=AGB)
    assert ran.code == 0
    counts = {line[:30].strip(): int(line[30:]) for line in ran.out.splitlines() if line[30:].strip().isdigit()}
    assert counts == {
        "Ingelezen": 0, "Fout en niet geïmporteerd": 0, "Geïmporteerd en gevalideerd": 3, "Totaal": 3,
    }  # fmt: skip
    assert "status Verwerkt" in ran.out
    assert [type(fact) for fact in desk.facts()] == [Score] * 3
    assert {topic for topic, _, _ in desk.third.sent} == {"sor.in.score"}


def test_refused_rows_are_listed_masked_with_code_sentence_and_proposal(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_scores.csv").write_bytes(BAD)
    ran = desk.deliver(files)
    assert ran.code == 1
    assert "Fout en niet geïmporteerd          2" in ran.out
    assert "Geïmporteerd en gevalideerd        3" in ran.out
    assert "regel 5: beschikkingsnummer -, toewijzingsnummer 4713, bsn ******031, type D10, waarde 1" in ran.out
    assert "Bedoelt u D1O of D10O/D10C?" in ran.out
    assert "[R01 BSN]" in ran.out
    assert "******006" not in ran.out  # accepted rows only with --all
    assert "******006" in desk.deliver(files, show_all=True).out


def test_json_says_everything(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_scores.csv").write_bytes(BAD)
    (files / "zzz.txt").write_bytes(b"hallo")
    document = desk.deliver(files, as_json=True).document
    (delivery,) = document["aanleveringen"]
    assert document["exit"] == 1
    assert (delivery["soort"], delivery["afzender"], delivery["records"]) == ("score", AGB, 5)
    assert (delivery["geaccepteerd"], delivery["afgekeurd"], delivery["klaar"]) == (3, 2, True)
    assert delivery["codes"] == {"R04": 1, "R01": 1}
    assert [(row["regel"], row["code"]) for row in delivery["regels"]] == [(5, "R04"), (6, "R01")]
    assert [fault["code"] for fault in document["niet_aangeleverd"]] == ["B02"]


def test_the_same_content_has_the_same_id_and_one_effect(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP)
    first = desk.deliver(files, as_json=True).document["aanleveringen"][0]
    (files / f"{AGB}_a.csv").rename(files / f"{AGB}_b.csv")
    second = desk.deliver(files, as_json=True).document["aanleveringen"][0]
    assert first["aanlevering"] == second["aanlevering"]
    assert second["geaccepteerd"] == 3
    assert len(desk.third.state) == 1
    test = desk.deliver(files, as_json=True, test=True).document["aanleveringen"][0]
    other = desk.deliver(files, as_json=True, sender="94000002").document["aanleveringen"][0]
    assert len({first["aanlevering"], test["aanlevering"], other["aanlevering"]}) == 3


def test_another_connector_gives_another_id(tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP)
    ids = set()
    for name in ("k1", "k2"):
        with connected(make_keys(tmp_path / name)) as (connector, third):
            document = Desk(connector, third, capsys).deliver(files, as_json=True).document
            ids.add(document["aanleveringen"][0]["aanlevering"])
    assert len(ids) == 2


def test_a_test_delivery_reaches_no_figures(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP)
    ran = desk.deliver(files, test=True)
    assert ran.code == 0
    assert "(TEST)" in ran.out
    assert not desk.third.events


def test_files_become_deliveries_by_kind_and_sender_with_lines_without_gaps(desk: Desk, files: Path) -> None:
    (files / "1.xml").write_bytes(Regie().bytes())
    (files / "2.xml").write_bytes(
        Regie(header={"id": "2"}, products=[product(toewijzingnummer=n) for n in (1, 2, 3)]).bytes()
    )
    (files / "3.xml").write_bytes(Regie(True, header={"afzender": "94000002"}).bytes())
    (files / "4.xml").write_bytes(
        Declaratie([prestatie(), prestatie(ref="R2", toewijzingnummer=2, bsn=BSNS[1])]).bytes()
    )
    (files / "5.csv").write_bytes(table(CEM_HEADER, cem_rows("1-1") + cem_rows("1-2")))
    document = desk.deliver(files, as_json=True).document
    found = [(d["soort"], d["afzender"], d["records"], len(d["bestanden"])) for d in document["aanleveringen"]]
    assert found == [("start", AGB, 4, 2), ("stop", "94000002", 1, 1), ("declaration", AGB, 2, 1), ("cem", AGB, 2, 1)]
    codec, lines = Codec("sor.in"), {}
    for topic, key, value in desk.third.sent:
        envelope = codec.decode(value)
        assert key.decode() == envelope["delivery"]
        lines.setdefault((topic, key), []).append((envelope["line"], envelope["lines"]))
    for numbers in lines.values():
        assert numbers == [(n, len(numbers)) for n in range(1, len(numbers) + 1)]


def test_a_refused_file_counts_as_one_refused_record_beside_the_others(desk: Desk, files: Path) -> None:
    (files / "1.xml").write_bytes(Regie(products=[product(toewijzingnummer=n, categorie="39") for n in (1, 2)]).bytes())
    (files / "2.xml").write_bytes(Regie(header={"id": "2"}).bytes())
    (files / "3.xml").write_bytes(Regie(header={"id": "3"}).bytes()[:-50])
    ran = desk.deliver(files)
    assert ran.code == 1
    assert "1 geaccepteerd, 2 geweigerd van 3" in ran.out
    assert "1.xml: het hele bestand is geweigerd" in ran.out
    assert "JZ020, nr. 2" in ran.out  # every finding, though one counts
    assert "1 × B03" in ran.out
    assert len(desk.facts()) == 1


def test_a_later_file_of_one_delivery_wins(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_1.csv").write_bytes(table(RAP_HEADER, [(BSN, "", "4711", "D1O", "0")]))
    (files / f"{AGB}_2.csv").write_bytes(table(RAP_HEADER, [(BSN, "", "4711", "D1O", "2")]))
    desk.deliver(files)
    facts = sorted(desk.facts(), key=lambda fact: fact.tijd)
    assert [fact.waarde for fact in facts] == [0, 2]
    assert facts[0].tijd < facts[1].tijd


def test_a_folder_with_every_kind_just_works(
    keys: Path, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    periode = half_years(int(time.time() // 86_400))[0]
    begin = as_date(bounds(periode)[0]).strftime("%Y%m%d")
    messages: list[Any] = [Toewijzingen(), Regie(), Regie(ending=True), Declaratie(), Retour(), Retour(ending=True)]
    for number, message in enumerate([*messages, Antwoord([(prestatie(), ("9338",))])]):
        (files / f"{number}.xml").write_bytes(message.bytes())
    (files / f"{AGB}_scores.csv").write_bytes(RAP)
    (files / "bergop.csv").write_bytes(table((*CEM_HEADER, "gemeente"), [(*row, "0363") for row in cem_rows()]))
    row = cbs_row(bsn="999999999", begin=begin, end="", reden="")
    (files / f"{AGB}_cbs.xlsx").write_bytes(cbs_xlsx([row, cbs_row(begin=begin, end="", reden="")]))
    third = ThirdParty(keys)
    choices = cbs_choices(periode)
    with Connector(keys, Cluster("nowhere"), publisher=third, receipts=third, choices=choices) as connector:
        ran = Desk(connector, third, capsys).deliver(files)
    assert ran.code == 0, ran.out
    topics = Counter(topic.removeprefix("sor.in.") for topic, _, _ in third.sent)
    assert topics == {
        "assignment": 1, "start": 1, "stop": 1, "declaration": 1, "return": 3, "score": 3, "cem": 1, "cbs": 2,
    }  # fmt: skip
    for name in ("JW301 (toewijzing)", "JW306, JW308 en JW325 (retour)", "CBS-bestand"):
        assert name in ran.out
    codec = Codec("sor.events")
    kinds = Counter(type(record_to_event(codec.decode(event)).fact) for event in third.events)
    assert (kinds[Toewijzing], kinds[PrestatieRetour], kinds[CbsRecord]) == (1, 1, 2)
    assert sum(kinds.values()) == sum(topics.values()) - 2  # the answers on whole messages name no client


def test_a_cbs_file_without_its_period_is_told_and_not_counted(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_cbs.csv").write_bytes(table(CBS_HEADER, [cbs_row()]))
    assert "[B02]" in desk.deliver(files).out  # nor is it of a known kind without a layout
    (files / f"{AGB}_cbs.xlsx").write_bytes(cbs_xlsx([cbs_row()]))
    assert "--layout" in desk.deliver(files).out
    assert desk.third.sent == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--as", "1234"], "--as is een AGB-code"),
        (["--periode", "2026"], "--periode"),
        (["--layout", "/nergens/layout.toml"], "layout.toml kan niet worden gelezen"),
    ],
)
def test_a_wrong_choice_is_one_sentence(tmp_path: Path, arguments: list[str], part: str) -> None:
    problem = CliRunner().invoke(app, ["deliver", str(tmp_path), *arguments]).exception
    assert isinstance(problem, ConnectorError)
    assert part in str(problem)
    assert (problem.exit_code, "\n" in str(problem)) == (2, False)


def test_of_a_file_that_is_refused_at_its_header_no_lines_are_counted(desk: Desk, files: Path) -> None:
    wide = (*CEM_HEADER[:7], "VR01", "VR02")
    (files / "cem.csv").write_bytes(table(wide, [(*cem_rows("1-1")[0][:7], "2", "3")]))
    ran = desk.deliver(files)
    assert "Eindresultaat: Afgekeurd" in ran.out
    assert "regels aangeleverd" not in ran.out


def test_cem_gets_its_feedback_in_two_steps(desk: Desk, files: Path) -> None:
    (files / "cem.csv").write_bytes(table(CEM_HEADER, cem_rows("1-1") + cem_rows("1-2", {"VR01": "9"})) + b"\r\n")
    ran = desk.deliver(files)
    assert ran.code == 1
    technical = "6 regels aangeleverd: 1 leeg, 1 kopregel, 4 gegevensregels; 0 fouten\n    Eindresultaat: Goedgekeurd"
    assert technical in ran.out
    assert ran.out.index("Stap 1, technisch") < ran.out.index("Stap 2, inhoudelijk")
    assert "Gevonden fouten: 1; 1 metingen geaccepteerd" in ran.out
    assert "meting_id 1-2, bsn ******006" in ran.out
    assert [type(fact) for fact in desk.facts()] == [Meting]


def test_a_scattered_meting_does_not_disturb_the_line_numbers(desk: Desk, files: Path) -> None:
    rows = cem_rows("1-1")
    between = [row for n in range(70) for row in cem_rows(f"2-{n}", {"VR01": "1"})]
    (files / "cem.csv").write_bytes(table(CEM_HEADER, [rows[0], *between, *rows[1:]]))
    delivery = desk.deliver(files, as_json=True).document["aanleveringen"][0]
    assert (delivery["geaccepteerd"], delivery["codes"], delivery["klaar"]) == (70, {"C07": 2}, True)


@pytest.mark.parametrize(
    ("name", "content", "sender", "code"),
    [
        ("scores.csv", RAP, "", "B08"),
        ("20260301_scores.csv", RAP, "", "B08"),
        ("leeg.csv", b"", AGB, "B01"),
        ("x.xml", Regie(header={"afzender": "0363"}).bytes(), "", "XSD"),
        ("x.xml", Regie().bytes()[:300], "", "B03"),
        ("x.bin", b"\x00\x01", AGB, "B04"),
    ],
)
def test_without_kind_or_sender_nothing_is_published(
    desk: Desk, files: Path, name: str, content: bytes, sender: str, code: str
) -> None:
    (files / name).write_bytes(content)
    ran = desk.deliver(files, sender=sender, as_json=True)
    assert ran.code == 2
    assert [fault["code"] for fault in ran.document["niet_aangeleverd"]] == [code]
    assert not desk.third.sent


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.xml", Regie(header={"afzender": "94000002"}).bytes(), "B09"),
        ("x.csv", table(CEM_HEADER, cem_rows(provider="94000002")), "B09"),
        ("x.xml", Regie().bytes()[:300], "B03"),
        ("x.csv", RAP[RAP.index(b"\n") + 1 :], "B06"),
        ("x.csv", table(RAP_HEADER, []), "B01"),
        ("x.csv", RAP[:-8], "B03"),
        ("x.csv", RAP + b"\x81", "B04"),
        ("x.csv", RAP + b"x" * 600_000, "B02"),
    ],
)
def test_a_file_of_known_kind_and_sender_is_counted_when_refused(
    desk: Desk, files: Path, name: str, content: bytes, code: str
) -> None:
    (files / name).write_bytes(content)
    ran = desk.deliver(files, sender=AGB, as_json=True)
    assert ran.code == 1
    (delivery,) = ran.document["aanleveringen"]
    assert (delivery["codes"], delivery["records"], delivery["klaar"]) == ({code: 1}, 1, True)
    assert len(desk.third.sent) == 1
    assert not desk.third.events


def test_a_file_larger_than_allowed_is_refused(desk: Desk, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP * 3)
    with Connector(files.parent / "keys", Cluster("x"), limits=Limits(file_bytes=100), publisher=desk.third,
                   receipts=desk.third) as small:  # fmt: skip
        assert Desk(small, desk.third, capsys).deliver(files, as_json=True).document["aanleveringen"][0]["codes"] == {
            "B05": 1
        }


def test_one_bad_file_does_not_keep_the_others_back(desk: Desk, files: Path) -> None:
    (files / "a.xml").write_bytes(b"<x>")
    (files / "b.xml").write_bytes(Regie().bytes())
    (files / "c.zip").write_bytes(b"PK\x03\x04stuk")
    ran = desk.deliver(files)
    assert ran.code == 1
    assert [type(fact) for fact in desk.facts()] == [Start]
    assert "a.xml: niet aangeleverd." in ran.out
    assert "c.zip: niet aangeleverd." in ran.out


def test_a_receipt_that_does_not_come_ends_with_3_and_the_same_command_finishes(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP)
    desk.third.silent_after = 1
    ran = desk.deliver(files)
    assert ran.code == 3
    assert "Nog niet alles verwerkt: 1 van 3" in ran.out
    desk.third.silent_after = None
    ran = desk.deliver(files)
    assert ran.code == 0
    assert "Geïmporteerd en gevalideerd        3" in ran.out


def test_no_receipt_at_all_is_said(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP)
    desk.third.silent_after = 0
    ran = desk.deliver(files)
    assert (ran.code, "Nog niet alles verwerkt: 0 van 3" in ran.out) == (3, True)


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [(NotDelivered("gone"), 4, "neemt niets meer aan"), (KeyboardInterrupt(), 130, "Hetzelfde commando maakt")],
)
def test_a_delivery_that_is_broken_off_is_finished_by_the_same_command(
    desk: Desk, files: Path, fault: BaseException, code: int, sentence: str
) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP)
    desk.third.fail_at, desk.third.fail_with = 2, fault
    ran = desk.deliver(files)
    assert ran.code == code
    assert sentence in ran.err
    desk.third.fail_at = None
    assert desk.deliver(files).code == 0
    assert len(desk.third.state) == 1


def test_a_file_that_changes_between_the_passes_is_not_published(keys: Path, files: Path) -> None:
    (files / f"{AGB}_a.csv").write_bytes(RAP)
    path = files / f"{AGB}_b.csv"
    path.write_bytes(RAP)
    with connected(keys) as (connector, third):
        found_files = find([files], Limits(), pytest.fail)
        (delivery,) = connector.deliveries(found_files, connector.run(), pytest.fail)
        stat = path.stat()
        path.write_bytes(RAP.replace(b"4711", b"4719"))
        with pytest.raises(Changed) as caught:
            connector.publish(delivery)
        assert caught.value.fault.code == "B07"
        assert not third.sent  # not even the file before it
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # a change that no clock shows
        with pytest.raises(Changed):
            connector.publish(delivery)
        assert len(third.sent) == 3  # of the file that did not change; the delivery stays unfinished
        assert connector.receipt(delivery).klaar is False  # type: ignore[union-attr]


def test_check_only_publishes_nothing(desk: Desk, files: Path) -> None:
    (files / f"{AGB}_a.csv").write_bytes(BAD)
    ran = desk.deliver(files, check_only=True, as_json=True)
    assert ran.code == 1
    assert [row["code"] for row in ran.document["aanleveringen"][0]["regels"]] == ["R04", "R01"]
    assert not desk.third.sent


def test_long_lists_are_cut_and_counted(desk: Desk, files: Path) -> None:
    rows = [("999900007", "", str(n), "D1O", "1") for n in range(700)]
    (files / f"{AGB}_a.csv").write_bytes(table(RAP_HEADER, rows))
    ran = desk.deliver(files)
    assert ran.out.count("[R01 BSN]") == 100
    assert "… en nog 600" in ran.out


def test_the_library_delivers_one_message(keys: Path) -> None:
    with connected(keys) as (connector, third):
        receipt = connector.deliver_bytes("JW305.xml", Regie().bytes())
        assert receipt is not None
        assert (receipt.klaar, receipt.geaccepteerd) == (True, 1)
        refused = connector.publish_bytes("JW305.xml", Regie(born="1890-01-01").bytes())
        assert refused.files[0].fault is not None
        assert refused.files[0].fault.code == "TR002"
        with pytest.raises(FileFault) as caught:
            connector.publish_bytes(f"{BSN}.txt", b"hallo")
        assert BSN not in str(caught.value)
        assert len(third.events) == 1


def test_a_broker_that_is_not_there_is_one_sentence(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.answer.receipts.ANSWER_SECONDS", 0.5)
    cluster = Cluster("127.0.0.1:1")
    for call in (deliver_bytes, publish_message):
        with pytest.raises(BrokerDown, match="niet bereikbaar"):
            call("x.xml", Regie().bytes(), keys=keys, cluster=cluster)  # type: ignore[operator]


def test_the_secret_of_the_connector_is_made_once_and_private(keys: Path) -> None:
    with connected(keys):
        pass
    place = keys / "connector"
    secret = (place / "keys.json").read_bytes()
    assert (place / "keys.json").stat().st_mode & 0o777 == 0o600
    with connected(keys):
        assert (place / "keys.json").read_bytes() == secret


def test_a_ctrl_c_that_nothing_looked_at_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_not_for_the_monitor_is_one_line_and_no_refusal(desk: Desk, files: Path) -> None:
    whole = Regie().bytes()
    for number in (302, 305, 315, 316):
        (files / f"JW{number}.xml").write_bytes(whole.replace(b"jw305", f"jw{number}".encode()))
    (files / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0rest")
    (files / "uitleg.pdf").write_bytes(b"%PDF-1.7\n")
    ran = desk.deliver(files)
    assert ran.code == 0
    [line] = [line for line in ran.out.splitlines() if "overgeslagen" in line]
    assert line == (
        "5 bestanden overgeslagen, niet nodig voor de monitor: 1 × JW302, 1 × JW315, 1 × JW316, 2 × geen levering."
    )
    assert desk.deliver(files, as_json=True).document["overgeslagen"]["geen levering"] == 2
    assert desk.deliver(files / "JW302.xml").code == 2  # and then there was nothing to deliver


def test_a_look_shows_what_delivery_would_show(desk: Desk, files: Path) -> None:
    rows = cem_rows("1-1") + cem_rows("1-2", {"VR01": "2", "VR02": "9"}, bsn=BSNS[1])
    (files / "cem.csv").write_bytes(table(CEM_HEADER, rows))
    looked = desk.deliver(files, sender=AGB, check_only=True, show_all=True)
    delivered = desk.deliver(files, sender=AGB)
    assert (looked.code, delivered.code) == (1, 1)
    [refused] = [line for line in delivered.out.splitlines() if "[C05 antwoord]" in line]
    assert "regel 6: meting_id 1-2" in refused
    assert "vraag VR02" in refused
    assert refused in looked.out.splitlines()
    assert "niets verzonden: 1 van 2 records geweigerd" in looked.out
    assert "Geïmporteerd" not in looked.out  # nothing was
