"""The simulator: reproducible bytes, messages by the standard, test BSNs only, a hand-made world, the command."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import typer
from lxml import etree
from typer.testing import CliRunner

from connectors.formats.ijw import returns_structure, structure
from connectors.formats.ijw.xml_stream import Handler, Shape
from connectors.formats.ijw.xml_stream import read as structure_read
from domain.field.bsn import TEST_FIRST, TEST_LAST, elfproef
from sor.commands.simulate import register
from tools.simulator import SimulationConfig, SimulationError, simulate, write_world
from tools.simulator.manifest import EXPLANATION
from tools.simulator.model import (
    Aanbieder,
    CbsClient,
    CbsMeting,
    CbsRecord,
    Client,
    Levering,
    Meting,
    Score,
    Stop,
    Traject,
    World,
    month_of,
)
from tools.simulator.population import Numbers

MESSAGE = "{http://www.istandaarden.nl/ijw/3_2/%s/schema}"
BASE = "{http://www.istandaarden.nl/ijw/3_2/basisschema/schema}"
#: Kind of message -> what the connectors want of it.
STRUCTURES = {
    "JW301": structure.JW301,
    "JW305": structure.JW305,
    "JW306": returns_structure.JW306,
    "JW307": structure.JW307,
    "JW308": returns_structure.JW308,
    "JW323": structure.JW323,
    "JW325": returns_structure.JW325,
}
# Order of the children (3.3, 3.6, 3.7); '?' = may be absent, '+' = one or more, 'b:' = base namespace.
ORDER = {
    "Bericht": ["Header", "Client?|Declaratie?|DeclaratieAntwoord?"],
    "Header": [
        *("BerichtCode", "BerichtVersie", "BerichtSubversie", "Afzender", "Ontvanger"),
        *(
            "BerichtIdentificatie",
            "XsdVersie",
            "IdentificatieRetour?",
            "DagtekeningRetour?",
            "DeclaratieIdentificatie?",
        ),
        *("XsltVersie?", "XsdVersieRetour?", "XsdVersieDeclaratie?", "RetourCodes?"),
    ],
    "RetourCodes": ["RetourCode+"],
    "DeclaratieIdentificatie": ["b:Identificatie", "b:Dagtekening"],
    "XsdVersieRetour": ["b:BasisschemaXsdVersie", "b:BerichtXsdVersie"],
    "XsdVersieDeclaratie": ["b:BasisschemaXsdVersie", "b:BerichtXsdVersie"],
    "BerichtIdentificatie": ["b:Identificatie", "b:Dagtekening"],
    "XsdVersie": ["b:BasisschemaXsdVersie", "b:BerichtXsdVersie"],
    "Client": [
        *("Bsn", "Geboortedatum?", "Geslacht?", "Naam?", "Commentaar?", "Relaties?", "Contactgegevens?"),
        *("StartProducten|StopProducten|Prestaties|ToegewezenProducten", "RetourCodes?"),
    ],
    "Relaties": ["Relatie+"],
    "Relatie": ["Nummer", "Soort", "Naam", "Contact"],
    "Contactgegevens": ["Contact+"],
    "Contact": ["Soort", "Adres", "Telefoon", "Emailadres"],
    "Adres": ["b:Huisnummer", "b:Postcode", "b:Straatnaam", "b:Plaatsnaam"],
    "Telefoon": ["b:Telefoon01"],
    "Telefoon01": ["b:Telefoonnummer", "b:Landnummer"],
    "ToegewezenProducten": ["ToegewezenProduct+"],
    "ToegewezenProduct": [
        *("ToewijzingNummer", "Product", "Toewijzingsdatum", "Toewijzingstijd", "Ingangsdatum", "Einddatum?"),
        *("RedenWijziging?", "Omvang?", "Budget?"),
    ],
    "Omvang": ["b:Volume", "b:Eenheid", "b:Frequentie"],
    "DeclaratieAntwoord": [
        *("DeclaratieNummer", "TotaalIngediendBedrag", "TotaalToegekendBedrag", "Clienten?", "RetourCodes"),
    ],
    "TotaalToegekendBedrag": ["b:TotaalBedrag", "b:DebetCredit"],
    "Geboortedatum": ["b:Datum", "b:DatumGebruik?"],
    "Naam": ["b:Geslachtsnaam", "b:Voornamen?", "b:Voorletters?", "b:NaamGebruik?"],
    "Geslachtsnaam": ["b:Achternaam", "b:Voorvoegsel?"],
    "StartProducten": ["StartProduct+"],
    "StopProducten": ["StopProduct+"],
    "StartProduct": [
        *("ToewijzingNummer?", "Product", "ToewijzingIngangsdatum?", "Begindatum", "StatusAanlevering", "RetourCodes?"),
    ],
    "StopProduct": [
        *("ToewijzingNummer?", "Product", "ToewijzingIngangsdatum?", "Begindatum"),
        *("RedenBeeindiging", "Einddatum", "StatusAanlevering", "RetourCodes?"),
    ],
    "Product": ["b:Categorie", "b:Code?"],
    "Declaratie": [
        *("DeclaratieNummer", "DeclaratiePeriode", "DeclaratieDagtekening"),
        *("TotaalIngediendBedrag", "Clienten"),
    ],
    "DeclaratiePeriode": ["b:Begindatum", "b:Einddatum"],
    "TotaalIngediendBedrag": ["b:TotaalBedrag", "b:DebetCredit"],
    "Clienten": ["Client+"],
    "Prestaties": ["Prestatie+"],
    "Prestatie": [
        *("ProductReferentie", "ToewijzingNummer", "ProductCategorie", "ProductCode", "ProductPeriode"),
        *("GeleverdVolume", "Eenheid", "ProductTarief?", "IngediendBedrag", "RetourCodes?"),
    ],
    "ProductReferentie": ["b:ReferentieNummer", "b:VorigReferentieNummer?"],
    "ProductPeriode": ["b:Begindatum", "b:Einddatum"],
    "IngediendBedrag": ["b:Bedrag", "b:DebetCredit"],
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulation with faults, read-only for the tests."""
    out = tmp_path_factory.mktemp("sim")
    simulate(SimulationConfig(clients=150, months=18, seed=5, faults=True), out)
    return out


def _digest(root: Path) -> dict[str, str]:
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*") if p.is_file()
    }


def _unreadable(root: Path) -> set[Path]:
    manifest = json.loads((root / "faults.json").read_text())
    return {root / f for i in manifest["ingrepen"] if i["soort"].endswith(("half", "leeg")) for f in i["bestanden"]}


def _messages(root: Path) -> Iterator[tuple[Path, Any]]:
    broken = _unreadable(root)
    for path in root.rglob("*.xml"):
        if path not in broken:
            yield path, etree.fromstring(path.read_bytes())


def test_same_seed_same_bytes(tmp_path: Path, faulty: Path) -> None:
    config = SimulationConfig(clients=150, months=18, seed=5, faults=True)
    simulate(config, tmp_path / "again")
    simulate(replace(config, seed=6), tmp_path / "other")
    assert _digest(tmp_path / "again") == _digest(faulty)
    assert _digest(tmp_path / "other") != _digest(faulty)


def test_bytes_are_utf8_without_bom_and_crlf(faulty: Path) -> None:
    for path, _ in _messages(faulty):
        data = path.read_bytes()
        assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\r\n')
        assert data.decode().count("\n") == data.count(b"\r\n")


def test_namespaces_order_and_cardinality_of_every_message(faulty: Path) -> None:
    seen = set()
    for path, root in _messages(faulty):
        message = MESSAGE % path.name.split("_")[1].lower()
        assert root.tag == f"{message}Bericht", path
        for element in root.iter():
            name = etree.QName(element).localname
            if len(element):
                seen.add(name)
                assert _matches(element, ORDER[name], message), (path, name)
            else:
                assert element.text, (path, name, "empty elements are not allowed (RS033)")
    assert seen == set(ORDER)


def _matches(element: Any, order: list[str], message: str) -> bool:
    """Whether the children are these, in this order, each in its namespace."""
    children = [child.tag for child in element]
    for item in order:
        names = [name.rstrip("?+") for name in item.split("|")]
        tags = {BASE + n[2:] if n.startswith("b:") else message + n for n in names}
        found = 0
        while children and children[0] in tags and (found == 0 or item.endswith("+")):
            children.pop(0)
            found += 1
        if not found and not item.endswith("?"):
            return False
    return not children


def test_a_name_is_full_in_a_toewijzing_and_short_everywhere_else(faulty: Path) -> None:
    """NaamGebruik is required in a VolledigeNaam and unknown in a VerkorteNaam."""
    seen = set()
    for path, root in _messages(faulty):
        kind = path.name.split("_")[1]
        for name in root.iter("{*}Naam"):
            seen.add(kind)
            assert (name[-1].tag == f"{BASE}NaamGebruik") == (kind == "JW301"), path
    assert seen >= {"JW301", "JW305", "JW307"}


def test_every_message_has_the_structure_that_the_connectors_read(faulty: Path) -> None:
    unread: Handler = lambda _values, _open: None  # noqa: E731 - what it says is for other tests
    seen = set()
    for path, root in _messages(faulty):
        shape = Shape(STRUCTURES[kind := path.name.split("_")[1]], defaultdict(lambda: unread))
        seen.add(kind)
        assert list(structure_read(BytesIO(etree.tostring(root)), shape)), path
    assert seen == set(STRUCTURES)


def test_only_test_bsns_and_only_planted_ones_are_broken(faulty: Path) -> None:
    manifest = json.loads((faulty / "faults.json").read_text())
    planted = {f for i in manifest["ingrepen"] if i["soort"] == "bsn_fout" for f in i["bestanden"]}
    assert not {f for f in planted if "_JW30" not in f}
    broken = set()
    for path, root in _messages(faulty):
        for element in root.iter("{*}Bsn"):
            assert TEST_FIRST <= int(element.text) <= TEST_LAST
            if not elfproef(element.text):
                broken.add(str(path.relative_to(faulty)))
    assert broken == planted
    assert broken


def test_nothing_names_a_person_but_the_files_that_must(faulty: Path) -> None:
    names = [root.findtext(".//{*}Achternaam") for _, root in _messages(faulty)]
    assert all(name is None or name.startswith("Test") for name in names)
    for name in ("expected.json", "faults.json"):
        text = (faulty / name).read_text()
        assert not re.search(r"(?<!\d)9999\d{5}(?!\d)", text)
        assert "Test" not in text


def test_no_message_is_dated_before_its_facts_or_far_after_the_last_day(faulty: Path) -> None:
    for path, root in _messages(faulty):
        day = root.findtext(".//{*}Dagtekening")
        if path.name.split("_")[1] in ("JW301", "JW325"):  # an assignment looks ahead, an answer follows
            assert day <= "2026-07-31", path
            continue
        assert day <= "2026-07-14", path
        assert all(e.text <= day for top in root[1:] for e in top.iter("{*}Einddatum", "{*}Begindatum")), path


def test_manifest_names_existing_files_and_every_kind_once_or_more(faulty: Path) -> None:
    manifest = json.loads((faulty / "faults.json").read_text())
    assert set(manifest["soorten"]) == set(EXPLANATION)
    assert sum(s["aantal"] for s in manifest["soorten"].values()) == len(manifest["ingrepen"])
    assert all((faulty / f).is_file() for i in manifest["ingrepen"] for f in i["bestanden"])
    on_disk = {str(p.relative_to(faulty)) for p in faulty.rglob("*_*_kopie.*")}
    noted = {f for i in manifest["ingrepen"] if i["soort"].endswith("kopie") for f in i["bestanden"]}
    assert on_disk == noted


def test_copies_equal_a_file_and_empty_files_are_empty(faulty: Path) -> None:
    digests = _digest(faulty)
    for path, digest in digests.items():
        if "_kopie" in path:
            assert list(digests.values()).count(digest) == 2
        assert ("_leeg" in path) == ((faulty / path).stat().st_size == 0)


def test_planted_faults_leave_the_course_of_care_alone(tmp_path: Path, faulty: Path) -> None:
    simulate(SimulationConfig(clients=150, months=18, seed=5), tmp_path)
    sound, planted = (json.loads((p / "expected.json").read_text()) for p in (tmp_path, faulty))
    for row in (*sound["trajecten"], *planted["trajecten"]):
        for name in ("index", "declaraties", "wacht", "vlaggen"):  # these change, on purpose
            del row[name]
    waiting = [row for row in planted["trajecten"] if row["status"].startswith("wacht")]
    assert {row["status"] for row in waiting} == {"wacht_op_start", "wacht_op_levering"}
    assert [row for row in planted["trajecten"] if row not in waiting] == sound["trajecten"]
    assert sound["indicatoren"] == planted["indicatoren"]
    assert sound["verder"] == planted["verder"]
    assert sound["cbs"] == planted["cbs"]
    unknown = planted["wacht"]["scores"]["toewijzing"]
    assert sound["bronnen"]["RAP"]["geaccepteerd"] == planted["bronnen"]["RAP"]["geaccepteerd"] - unknown
    assert sound["bronnen"]["CEM+"]["geaccepteerd"] == planted["bronnen"]["CEM+"]["geaccepteerd"]
    assert sound["wacht"]["trajecten"] == {}
    assert not any("afgewezen" in origin and origin["afgewezen"] for origin in sound["bronnen"].values())


def _tiny() -> World:
    """One client: a chain over a pause, ended early by the client, with two goals, a repeat, an x, and two metingen."""
    first = Levering(7, "0457", "45", "45A04", date(2021, 9, 1), date(2026, 1, 5), [Stop(date(2026, 2, 1), "20")])
    second = Levering(7, "0457", "45", "45A04", date(2021, 9, 1), date(2026, 4, 1), [Stop(date(2026, 5, 10), "32")])
    first_month = month_of(date(2026, 5, 1))
    scores = [
        Score(first_month, "D1O", "0"),
        Score(first_month, "D2C", "2"),
        Score(first_month, "PB", "x"),
        Score(first_month + 1, "D1O", "1"),
    ]
    traject = Traject("99000001", "0363", "45", False, "000000001", [first, second], scores, 7)
    running = Levering(8, "0363", "44", "44A08", date(2026, 5, 20), date(2026, 5, 20))
    other = Traject("99000001", "0363", "44", True, "000000002", [running])
    metingen = [
        Meting("99000001", "1", "1-1", date(2026, 5, 12), "Moeder", "CEM+_2018_OE_v1", {"VR09A": "6", "VR10": "2"}),
        Meting("99000001", "1", "1-2", date(2026, 6, 12), "Moeder", "CEM+_2018_OE_v1", {"VR09A": "9"}),
        Meting("99000001", "1", "1-3", date(2026, 5, 25), "Jeugdige", "CEM+_2018_JD_v1", {"VR09A": "8", "VR10": "4"}),
        Meting("99000001", "1", "1-4", date(2026, 4, 1), "Jeugdige", "CEM+_2018_JE_v1", {"VR09A": "1", "VR10": "1"}),
    ]
    client = Client("999900018", date(2012, 5, 1), "1", "0", "Test", "", "", [traject, other], metingen)
    return World({"99000001": Aanbieder("99000001", ("Amsterdam",), 0)}, [client])


def test_hand_made_world(tmp_path: Path) -> None:
    write_world(_tiny(), Numbers(), SimulationConfig(clients=1, months=6), tmp_path)
    expected = json.loads((tmp_path / "expected.json").read_text())
    one, two = expected["trajecten"]
    assert (one["gemeente"], one["cluster"], one["leveringen"], one["declaraties"]) == ("0363", "Amsterdam", 2, 4)
    assert (one["begindatum"], one["einddatum"], one["reden"]) == ("2026-01-05", "2026-05-10", "32")
    assert (one["status"], one["uitval_klasse"]) == ("beeindigd", "client")
    assert (one["gas"], one["probleem"], one["scores"]) == ({"1O": 1, "2C": 2}, {"B": None}, 3)
    assert (one["nut_ouder"], one["zonder_hulp_ouder"], one["nut_jeugdige"], one["metingen"]) == (9, None, None, 2)
    assert (two["status"], two["nut_jeugdige"], two["declaraties"]) == ("lopend", 8, 2)
    assert expected["niet_gekoppeld"] == {"metingen": 1, "scores": 0}
    total = expected["indicatoren"]["totaal"]
    assert (total["uitval"]["n"], total["uitval"]["client"]["percentage"]) == (1, 100.0)
    assert (total["nut"]["n"], total["nut"]["gemiddelde"], total["nut"]["banden"][">=8"]) == (2, 8.5, 2)
    assert (total["zonder_hulp"]["n"], total["zonder_hulp"]["percentage"]) == (1, 100.0)
    assert total["zonder_hulp"]["uitgesloten"] == 1
    assert (total["gas"]["n"], total["gas"]["bereikt"], total["gas"]["minstens_deels"]) == (2, 1, 2)


def test_hand_made_world_is_written_as_decided(tmp_path: Path) -> None:
    write_world(_tiny(), Numbers(), SimulationConfig(clients=1, months=6), tmp_path)
    starts = [etree.fromstring(p.read_bytes()) for p in sorted(tmp_path.rglob("*JW305*.xml"))]
    assert [s.findtext(".//{*}StartProduct/{*}Begindatum") for s in starts] == [
        "2026-01-05",
        "2026-04-01",
        "2026-05-20",
    ]
    assert [s.findtext(".//{*}Ontvanger") for s in starts] == ["0457", "0457", "0363"]
    rap = sorted((tmp_path / "rap").iterdir())
    assert [p.name for p in rap] == ["99000001_scores_202605.csv", "99000001_scores_202606.csv"]
    assert b"D1O" in rap[1].read_bytes()
    assert {p.name for p in (tmp_path / "cem").iterdir()} == {f"99000001_cem_20260{m}.csv" for m in (4, 5, 6)}


def test_hand_made_cbs_records_that_overlap_are_one(tmp_path: Path) -> None:
    together = [
        CbsRecord("02", "01", "02", date(2026, 1, 5), date(2026, 3, 1), "01"),
        CbsRecord("02", "03", "02", date(2026, 3, 1), date(2026, 5, 1), "03", jeugdige=CbsMeting(7, None)),
    ]
    apart = [CbsRecord("02", "01", "01", date(2026, 5, 2)), CbsRecord("11", "01", "02", date(2026, 1, 5))]
    client = CbsClient("99500001", "999900018", date(2015, 1, 1), "1", "2", "1300TS", together + apart)
    world = _tiny()
    world.almere.append(client)
    write_world(world, Numbers(), SimulationConfig(clients=1, months=6), tmp_path)
    document = json.loads((tmp_path / "expected.json").read_text())
    one, two, three = document["cbs"]
    assert (one["begindatum"], one["einddatum"], one["uitval_klasse"]) == ("2026-01-05", "2026-05-01", "client")
    assert (one["leveringen"], one["verwijzer"], one["nut_jeugdige"], one["metingen"]) == (2, "01", 7, 1)
    assert (two["begindatum"], two["status"], two["crisis"]) == ("2026-05-02", "lopend", "01")
    assert (three["hulpvorm"], three["begindatum"]) == ("11", "2026-01-05")
    assert document["verder"]["cbs"]["uitval"]["n"] == document["verder"]["cbs"]["uitval"]["client"] == 1
    lines = (tmp_path / "cbs/1-eerste/99500001_cbs_2026-1.csv").read_text().splitlines()
    assert lines[2] == "999900018;20150100;V;1300TS;03;02;02;20260301;20260501;03;7;;;"


def test_scores_by_beschikking_count_once_a_later_one_names_both_numbers(tmp_path: Path) -> None:
    for last, linked in (("beide", 2), ("beschikking", 0)):
        world = _tiny()
        may = month_of(date(2026, 5, 1))
        scores = [Score(may, "D1O", "0", "beschikking"), Score(may + 1, "D1O", "2", last)]
        world.clients[0].trajecten[0].scores = scores
        write_world(world, Numbers(), SimulationConfig(clients=1, months=6), tmp_path / last)
        document = json.loads((tmp_path / last / "expected.json").read_text())
        assert document["trajecten"][0]["scores"] == linked
        assert document["trajecten"][0]["gas"] == ({"1O": 2} if linked else {})
        assert document["wacht"]["scores"] == ({} if linked else {"beschikking": 1})


def test_a_new_start_is_another_traject_after_the_end(tmp_path: Path) -> None:
    """The second traject of the hand-made client began ten days after the first ended."""
    write_world(_tiny(), Numbers(), SimulationConfig(clients=1, months=6), tmp_path)
    document = json.loads((tmp_path / "expected.json").read_text())
    assert [row["nieuwe_start"] for row in document["trajecten"]] == ["2026-05-20", None]
    total = document["verder"]["totaal"]
    assert total["geen_nieuwe_start_voorlopig"] == {"teller": 0, "n": 1, "percentage": 0.0}
    assert total["geen_nieuwe_start"]["n"] == total["respons_cem"]["n"] == 0
    assert total["respons_scores"] == {"teller": 1, "n": 1, "percentage": 100.0}


def test_csv_files_come_in_every_shape(faulty: Path) -> None:
    heads = [p.read_bytes().splitlines()[0] for d in ("rap", "cem") for p in (faulty / d).iterdir() if p.stat().st_size]
    assert {max(b";,\t", key=h.count) for h in heads} == set(b";,\t")
    assert {h.startswith(b"\xef\xbb\xbf") for h in heads} == {True, False}
    assert any(b"Beschikingsnummer" in h for h in heads)
    assert any(b"Beschikkingsnummer" in h for h in heads)
    assert any(b"\xc9\xe9n" in p.read_bytes() for p in (faulty / "cem").iterdir()), "Windows-1252"


def test_a_directory_with_files_is_refused_and_replaced_only_with_force(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    config = SimulationConfig(clients=12, months=3)
    with pytest.raises(SimulationError, match="--force"):
        simulate(config, tmp_path)
    simulate(replace(config, seed=1, force=True), tmp_path)
    first = _digest(tmp_path)
    simulate(replace(config, seed=2, force=True), tmp_path)
    simulate(replace(config, seed=1, force=True), tmp_path)
    assert _digest(tmp_path) == first
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_clients_beyond_the_official_range_get_synthetic_valid_numbers() -> None:
    from tools.simulator.bsn import client_bsns

    made = client_bsns()
    official = [next(made) for _ in range(9_091)]
    extra = [next(made) for _ in range(3)]
    assert (official[0], official[-1]) == ("999900006", "999999990")
    assert all(bsn.startswith("9000000") and elfproef(bsn) for bsn in extra)


def test_command_prints_a_summary_and_refuses_with_a_sentence(tmp_path: Path) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    args = ["simulate", "--clients", "12", "--months", "3", "--seed", "9", "--out", str(tmp_path / "x"), "--faults"]
    done = CliRunner().invoke(app, [*args, "--json"])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["clients"] == 12
    assert summary["bestanden"] == sum(p.suffix in (".xml", ".csv") for p in (tmp_path / "x").rglob("*"))
    again = CliRunner().invoke(app, args)
    assert isinstance(again.exception, SimulationError)
    assert "is not empty" in str(again.exception)
