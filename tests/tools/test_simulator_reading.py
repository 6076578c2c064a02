"""The simulator's files, read back by plain rules written for this test alone, give what ``expected.json`` says."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from domain.field.bsn import elfproef
from tools.simulator import SimulationConfig, simulate

REDENEN = {"02", "20", "31", "32", "33", "34", "35", "36", "37", "38", "39"}
CATEGORIEEN = {str(n) for n in range(31, 56)} - {"39"}
TYPES = {f"D{n}{r}" for n in range(1, 11) for r in "OC"} | {"PB", "PO", "PC"}
KLASSE = {
    "31": "gepland",
    "32": "client",
    "33": "aanbieder",
    "34": "wederzijds",
    "36": "administratief",
    "37": "administratief",
}
OLD = {"0457": "0363", "0370": "0439"}
FAR = date(9999, 1, 1)
ANSWERED = {"jw306": "jw305", "jw308": "jw307"}
OUTSIDE = ("0344", "0599", "0518", "0392")
COMPARED = (
    *("aanbieder", "gemeente", "categorie", "code", "begindatum", "einddatum", "reden", "uitval_klasse", "status"),
    *("leveringen", "nut_jeugdige", "nut_ouder", "zonder_hulp_jeugdige", "zonder_hulp_ouder", "gas", "probleem"),
    *("metingen", "scores", "declaraties"),
)


@dataclass
class Read:
    """Everything read, keyed as the standard has it."""

    seen: set[str] = field(default_factory=set)
    starts: dict[tuple[Any, ...], list[tuple[date, str, int, None]]] = field(default_factory=lambda: defaultdict(list))
    stops: dict[tuple[Any, ...], list[tuple[date, str, int, Any]]] = field(default_factory=lambda: defaultdict(list))
    debits: dict[tuple[str, str, str], tuple[str, int]] = field(default_factory=dict)
    credited: set[tuple[str, str, str]] = field(default_factory=set)
    scores: dict[tuple[str, str, str, int, str], str] = field(default_factory=dict)
    decisions: dict[tuple[str, str, str], int] = field(default_factory=dict)  # beschikking -> toewijzing
    rejected: set[tuple[str, str, str]] = field(default_factory=set)  # messages
    rejected_lines: set[tuple[str, str, str]] = field(default_factory=set)
    metingen: dict[tuple[str, str], tuple[str, date, str, dict[str, int]]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


def read(root: Path) -> Read:
    """All files below ``root``, in order of path."""
    r = Read()
    for path in root.rglob("*_JW3[02][568]_*.xml"):
        _answer(r, path.read_bytes())
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".xml", ".csv") and p.parents[1].name != "cbs"):
        data = path.read_bytes()
        if not data:
            r.refused["B01"] += 1
        elif path.suffix == ".xml":
            _message(r, data)
        elif path.parent.name == "rap":
            _rap(r, path.name[:8], data)
        else:
            _cem(r, data)
    return r


def _answer(r: Read, data: bytes) -> None:
    """Whole messages that are rejected, and rejected lines (3.8); a copy that breaks off says nothing."""
    try:
        root: Any = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return
    kind = etree.QName(root).namespace.split("/")[-2]
    codes = [e.text for e in root[0].iter("{*}RetourCode")]
    identification = root[0].find("{*}DeclaratieIdentificatie" if kind == "jw325" else "{*}BerichtIdentificatie")
    if kind in ("jw306", "jw308"):
        if "0001" in codes or len(root) > 1:
            r.rejected.add((ANSWERED[kind], root[0].findtext("{*}Afzender"), identification[0].text))
    elif kind == "jw325":
        agb = root[0].findtext("{*}Ontvanger")
        codes += [e.text for e in root.iterfind("{*}DeclaratieAntwoord/{*}RetourCodes/{*}RetourCode")]
        if set(codes) & {"0001", "9333"}:
            r.rejected.add(("jw323", agb, identification[0].text))
        for reference in root.iter("{*}ReferentieNummer"):
            r.rejected_lines.add((agb, identification[0].text, reference.text))


def _message(r: Read, data: bytes) -> None:
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        r.refused["B03"] += 1
        return
    kind = etree.QName(root).namespace.split("/")[-2]
    header = {etree.QName(e).localname: e.text for e in root[0].iter()}
    key = (kind, header["Afzender"], header["Identificatie"])
    again = hashlib.sha256(data).hexdigest()
    if kind not in ("jw305", "jw307", "jw323") or again in r.seen:
        return
    r.seen.add(again)
    if key in r.rejected and _sound(root, kind):
        return
    if kind == "jw323":
        _declaratie(r, root, header)
    else:
        _regie(r, kind, root, header)


def _sound(root: Any, kind: str) -> bool:
    """Whether the monitor itself would take the message: its own refusals are counted."""
    if kind == "jw323":
        return True
    return elfproef(root[1][0].text) and not _faults(kind, [_fields(k) for k in root[1][-1]])


def _fields(element: Any) -> dict[str, str]:
    return {etree.QName(e).localname: e.text for e in element.iter() if len(e) == 0}


def _regie(r: Read, kind: str, root: Any, header: dict[str, Any]) -> None:
    client = root[1]
    bsn, classes = client[0].text, [_fields(k) for k in client[-1]]
    faults = [*([] if elfproef(bsn) else ["CS002"]), *_faults(kind, classes)]
    assert all(k.get("Einddatum", k["Begindatum"]) <= header["Dagtekening"] for k in classes), "TR134 is never planted"
    if faults:
        r.refused[faults[0]] += len(classes)
        return
    for k in classes:
        number = int(k.get("ToewijzingNummer", 0))
        begin = date.fromisoformat(k["Begindatum"])
        key = (bsn, header["Afzender"], header["Ontvanger"], number, k["Categorie"], k.get("Code", ""), begin)
        when = (date.fromisoformat(header["Dagtekening"]), header["Identificatie"], int(k["StatusAanlevering"]))
        if kind == "jw305":
            r.starts[key].append((*when, None))
        else:
            r.stops[(*key, k["RedenBeeindiging"])].append((*when, date.fromisoformat(k["Einddatum"])))


def _faults(kind: str, classes: list[dict[str, str]]) -> list[str]:
    faults = ["CS058" for k in classes if k["StatusAanlevering"] not in "13"]
    faults += ["JZ588" for k in classes if kind == "jw307" and k["RedenBeeindiging"] not in REDENEN]
    faults += ["JZ020" for k in classes if k["Categorie"] not in CATEGORIEEN]
    return faults + ["TR018" for k in classes if kind == "jw307" and k["Einddatum"] < k["Begindatum"]]


def _declaratie(r: Read, root: Any, header: dict[str, Any]) -> None:
    total = 0
    for client in root[1][-1]:
        for prestatie in client[1]:
            p, agb = _fields(prestatie), header["Afzender"]
            credit = p["DebetCredit"] == "C"
            line = (client[0].text, agb, p["ReferentieNummer"])
            total += -int(p["Bedrag"]) if credit else int(p["Bedrag"])
            if (agb, header["Identificatie"], p["ReferentieNummer"]) in r.rejected_lines:
                continue
            if credit:
                r.credited.add((client[0].text, agb, p["VorigReferentieNummer"]))
            else:
                assert line not in r.debits, "TR314 within one client"
                r.debits[line] = (header["Ontvanger"], int(p["ToewijzingNummer"]))
    declared = _fields(root[1][3])
    assert int(declared["TotaalBedrag"]) * (-1 if declared["DebetCredit"] == "C" else 1) == total, "TR358"


def _rows(data: bytes) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    lines = text.splitlines()
    delimiter = max(";,\t", key=lines[0].count)
    yield from list(csv.reader([line for line in lines[1:] if line], delimiter=delimiter))


def _rap(r: Read, agb: str, data: bytes) -> None:
    found = list(_rows(data))
    if len(found[-1]) != 5:
        r.refused["B03"] += 1
        return
    for row in found:
        bsn, beschikking, toewijzing, kind, value = row
        allowed = {"x", "1", "2"} | ({"-1", "0"} if kind[0] == "D" else {"3"})
        checks = {
            "R01": elfproef(bsn),
            "R02": beschikking or toewijzing,
            "R04": kind in TYPES,
            "R05": value in allowed,
        }
        if fault := next((code for code, ok in checks.items() if not ok), None):
            r.refused[fault] += 1
            continue
        r.scores.pop(key := (bsn, agb, beschikking, int(toewijzing or 0), kind), None)  # the last upload stands last
        r.scores[key] = value
        if beschikking and toewijzing:
            r.decisions[bsn, agb, beschikking] = int(toewijzing)


def _cem(r: Read, data: bytes) -> None:
    for agb, bsn, _, meting, day, _, vragenlijst, question, antwoord, *gemeente in _rows(data):
        if gemeente and gemeente[0] in OUTSIDE:
            continue
        try:
            datum = datetime.strptime(day, "%d-%m-%Y").date()  # noqa: DTZ007
        except ValueError:
            r.refused["C02"] += 1
            continue
        highest = 10 if question.startswith("VR09") else 4
        checks = {"C01": elfproef(bsn), "C04": question <= "VR10", "C05": 1 <= int(antwoord) <= highest}
        if fault := next((code for code, ok in checks.items() if not ok), None):
            r.refused[fault] += 1
        else:
            r.metingen.setdefault((agb, meting), (bsn, datum, vragenlijst, {}))[3][question] = int(antwoord)


def _present(deeds: list[tuple[date, str, int, Any]]) -> tuple[bool, Any]:
    """Whether a key is present, and the content of its last delivery: the rule for days on which a removal falls."""
    last = max((d for d, _, status, _ in deeds if status == 3), default=None)
    content = max((x for x in deeds if x[2] == 1), default=(None, None, None, None))[3]
    if last is None:
        return True, content
    before = sum(1 if status == 1 else -1 for d, _, status, _ in deeds if d < last) > 0
    today = sum(1 if status == 1 else -1 for d, _, status, _ in deeds if d == last)
    return before + today > 0 or any(d > last for d, _, _, _ in deeds), content


def rows(r: Read) -> list[dict[str, Any]]:
    """One row per traject, as ``expected.json`` has them."""
    stops: dict[tuple[Any, ...], dict[str, date]] = defaultdict(dict)
    for key, deeds in r.stops.items():
        there, einddatum = _present(deeds)
        if there:
            stops[key[:-1]][key[-1]] = einddatum
    groups: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for key, deeds in r.starts.items():
        if _present(deeds)[0]:
            bsn, agb, gemeente, number, categorie, code, begin = key
            found = stops.pop(key, {})
            final = next(((d, reden) for reden, d in found.items() if reden != "20"), None)
            groups[bsn, agb, OLD.get(gemeente, gemeente), categorie].append(
                (begin, number, code, final, found.get("20"))
            )
    made: list[dict[str, Any]] = [_waiting(key, "wacht_op_start") for key in stops]
    removed = {key for key, deeds in r.starts.items() if all(status == 3 for _, _, status, _ in deeds)}
    made += [_waiting(key, "wacht_op_levering") for key in removed]
    for key, leveringen in groups.items():
        made += [_row(key, chain) for chain in _chains(sorted(leveringen))]
    _link(r, made)
    return made


def _waiting(key: tuple[Any, ...], status: str) -> dict[str, Any]:
    """A stop without its start, or a removal without its original: a row of its own, to which nothing is linked."""
    bsn, agb, gemeente, number, categorie, code, begin = key
    row = _row((bsn, agb, OLD.get(gemeente, gemeente), categorie), [(begin, number, code, None, None)])
    return row | {"_": (bsn, "", "", set(), begin, FAR), "status": status}


def _chains(leveringen: list[Any]) -> list[list[Any]]:
    chains = [[leveringen[0]]]
    for levering in leveringen[1:]:
        final = chains[-1][-1][3]
        if (final and (levering[0] - final[0]).days <= 30) or not final:
            chains[-1].append(levering)
        else:
            chains.append([levering])
    return chains


def _row(key: tuple[str, ...], chain: list[Any]) -> dict[str, Any]:
    final, pause = chain[-1][3:]
    return {
        "_": (key[0], key[1], key[2], {x[1] for x in chain}, chain[0][0], final[0] if final else FAR),
        "aanbieder": key[1],
        "gemeente": key[2],
        "categorie": key[3],
        "code": chain[-1][2],
        "begindatum": chain[0][0].isoformat(),
        "einddatum": final[0].isoformat() if final else None,
        "reden": final[1] if final else None,
        "uitval_klasse": KLASSE.get(final[1], "neutraal") if final else "",
        "status": "beeindigd" if final else "gepauzeerd" if pause else "lopend",
        "leveringen": len(chain),
        **dict.fromkeys(("nut_jeugdige", "nut_ouder", "zonder_hulp_jeugdige", "zonder_hulp_ouder")),
        "gas": {},
        "probleem": {},
        **dict.fromkeys(("metingen", "scores", "declaraties"), 0),
    }


def _link(r: Read, made: list[dict[str, Any]]) -> None:
    per_client: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in made:
        per_client[row["_"][0], row["_"][1]].append(row)
    for (bsn, agb, beschikking, toewijzing, kind), value in r.scores.items():
        number = toewijzing or r.decisions.get((bsn, agb, beschikking), -1)
        for row in per_client[bsn, agb]:
            if number in row["_"][3] and number:
                row["scores"] += 1
                row["gas" if kind[0] == "D" else "probleem"][kind[1:]] = None if value == "x" else int(value)
    for (bsn, agb, referentie), (ontvanger, number) in r.debits.items():
        for row in per_client[bsn, agb]:
            same = row["gemeente"] == OLD.get(ontvanger, ontvanger) and number in row["_"][3]
            row["declaraties"] += same and (bsn, agb, referentie) not in r.credited
    for (agb, _), (bsn, datum, vragenlijst, antwoorden) in sorted(r.metingen.items(), key=lambda item: item[1][1]):
        if found := _row_of(per_client[bsn, agb], datum, vragenlijst):
            group = "ouder" if vragenlijst.split("_")[2][0] == "O" else "jeugdige"
            found["metingen"] += 1
            found[f"nut_{group}"], found[f"zonder_hulp_{group}"] = antwoorden.get("VR09A"), antwoorden.get("VR10")


def _row_of(candidates: list[dict[str, Any]], datum: date, vragenlijst: str) -> dict[str, Any] | None:
    if vragenlijst.split("_")[2][1] == "D":
        running = [row for row in candidates if row["_"][4] <= datum <= row["_"][5]]
        assert len(running) <= 1
        return running[0] if running else None
    near = [(abs((datum - row["_"][5]).days), row["_"][4], n) for n, row in enumerate(candidates)]
    near = [x for x in near if -30 <= (datum - candidates[x[2]]["_"][5]).days <= 90]
    return candidates[min(near)[2]] if near else None


def _bag(rows_: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps({k: row[k] for k in COMPARED}, sort_keys=True) for row in rows_)


@pytest.mark.parametrize(("seed", "faults"), [(1, False), (2, True), (3, True), (4, True)])
def test_files_and_expectation_tell_the_same(tmp_path: Path, seed: int, *, faults: bool) -> None:
    simulate(SimulationConfig(clients=400, months=24, seed=seed, faults=faults), tmp_path)
    expected = json.loads((tmp_path / "expected.json").read_text())
    r = read(tmp_path)
    made = rows(r)
    assert _bag(made) == _bag(expected["trajecten"])
    refused: Counter[str] = Counter()
    del expected["bronnen"]["CBS"]
    for origin in expected["bronnen"].values():
        refused.update(origin["afgewezen"])
        refused.update(origin["bestanden_afgewezen"])
        assert origin["records"] == origin["geaccepteerd"] + sum(origin["afgewezen"].values())
    for copied in ("R01", "R02", "R04", "R05", "C01", "C02", "C04", "C05"):  # rows of copied files are refused again
        assert r.refused.pop(copied, 0) >= refused.pop(copied, 0)
    assert r.refused == refused
    assert bool(refused) == faults
