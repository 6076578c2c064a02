"""JW323: monthly declarations of running care, one file per provider, gemeente and month, and JW325 on each of them.

Without faults every line is approved. With them: credits and new debits, lines and whole declarations that the gemeente
rejects, numbers used twice. What is left of a line is decided when its group is written.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from tools.simulator.manifest import Manifest
from tools.simulator.messages import AFTER_EVERYTHING, BEFOREHAND, Identificaties
from tools.simulator.model import Client, Levering, Traject, World, last_day, month_of
from tools.simulator.output import Output
from tools.simulator.tables import PRODUCT_OF
from tools.simulator.xml import Header, Prestatie, declaratie
from tools.simulator.xml_retour import Antwoord, declaratie_antwoord

CREDIT_SHARE, REJECT_SHARE, WHOLE_SHARE = 0.02, 0.015, 0.03
LINE_CODES = ("9338", "9321", "0611")
REUSED = ("TR314", "TR333")


@dataclass(slots=True)
class AssignmentUse:
    """An assignment in use: the months in which care was given on it, and the last day it covers (None = open)."""

    client: Client
    traject: Traject
    levering: Levering
    months: set[int]
    up_to: date | None


@dataclass(slots=True)
class DeclaredLine:
    """A declared line, the traject it belongs to, and the code that rejects it ('' = approved)."""

    prestatie: Prestatie
    traject: Traject
    code: str = ""


@dataclass(slots=True)
class File:
    """One declaration: where it goes, its header and number, its lines; ``code`` and ``level`` reject it as a whole."""

    path: str
    header: Header
    declaratienummer: str
    month: int
    declared: list[DeclaredLine]
    code: str = ""
    level: int = 3

    @property
    def prestaties(self) -> list[Prestatie]:
        """The lines as declared."""
        return [r.prestatie for r in self.declared]


@dataclass(slots=True)
class Declaraties:
    """Writes every JW323 and JW325 and sets ``Traject.declaraties``.

    ``faults``: take some lines back a month later, most of them declared anew; reject; use numbers twice.
    """

    seed: int
    until: date
    faults: bool
    ids: Identificaties
    output: Output
    manifest: Manifest
    credit_paths: list[str] = field(default_factory=list)
    _done: set[str] = field(default_factory=set)
    _earlier: dict[str, File] = field(default_factory=dict)
    _ref: dict[str, Iterator[int]] = field(default_factory=lambda: defaultdict(lambda: itertools.count(1)))

    def write(self, world: World) -> Iterator[tuple[str, bytes, int]]:
        """Write all files; yields (path, bytes, lines) of each declaration."""
        for (agb, ontvanger), uses in sorted(self._groups(world).items()):
            style, files = world.aanbieders[agb].style, self._files(agb, ontvanger, uses)
            for file in files:
                yield self._write(file, style)
            _count(files)

    def _groups(self, world: World) -> dict[tuple[str, str], list[AssignmentUse]]:
        groups: dict[tuple[str, str], list[AssignmentUse]] = defaultdict(list)
        for client in world.clients:
            for traject in client.trajecten:
                for use in _uses(client, traject, self.until):
                    groups[traject.aanbieder, use.levering.ontvanger].append(use)
        return groups

    def _files(self, agb: str, ontvanger: str, uses: list[AssignmentUse]) -> list[File]:
        rng = Random(f"{self.seed}|declaraties|{agb}|{ontvanger}")
        per_month = self._lines(rng, agb, uses)
        made = []
        for month, declared in sorted(per_month.items()):
            file = self._file(agb, ontvanger, month, declared)
            made.append(file)
            if self.faults:
                made += self._verdict(rng, file, last=month == max(per_month))
                self._reuse_number(rng, file)
        return made

    def _lines(self, rng: Random, agb: str, uses: list[AssignmentUse]) -> dict[int, list[DeclaredLine]]:
        per_month: dict[int, list[DeclaredLine]] = defaultdict(list)
        last = max((m for t in uses for m in t.months), default=0)
        for t in uses:
            code = t.levering.code or PRODUCT_OF[t.levering.categorie].codes[0]
            for month in sorted(t.months):
                line = DeclaredLine(self._line(rng, agb, t, code, month), t.traject)
                per_month[month].append(line)
                if self.faults and month < last and self._chance(rng, "jw323_credit", CREDIT_SHARE):
                    per_month[month + 1] += self._credit(rng, agb, line)
        return per_month

    def _line(self, rng: Random, agb: str, t: AssignmentUse, code: str, month: int) -> Prestatie:
        product = PRODUCT_OF[t.levering.categorie]
        return Prestatie(
            bsn=t.client.bsn,
            referentie=self._referentie(agb),
            previous="",
            toewijzingnummer=t.levering.toewijzingnummer or 0,
            categorie=product.categorie,
            code=code,
            ingangsdatum=t.levering.ingangsdatum,
            month=month,
            volume=rng.randint(2, 28) if product.tarief else rng.randint(20_000, 400_000),
            eenheid=product.eenheid,
            tarief=product.tarief,
            up_to=t.up_to,
        )

    def _credit(self, rng: Random, agb: str, line: DeclaredLine) -> list[DeclaredLine]:
        """A copy with C that points to the line (IV085), and mostly a new debit, in the same message."""
        old = line.prestatie
        made = [DeclaredLine(replace(old, referentie=self._referentie(agb), previous=old.referentie), line.traject)]
        if rng.random() < 0.7:
            new = replace(old, referentie=self._referentie(agb), volume=old.volume + 1)
            made.append(DeclaredLine(new, line.traject))
        elif self._chance(rng, "jw325_credit", 0.3):
            made[0].code = LINE_CODES[0]  # a rejected credit leaves the debit as it was
        return made

    def _verdict(self, rng: Random, file: File, *, last: bool) -> list[File]:
        """What the gemeente rejects: single lines; or, of the last month, the whole, sent anew under other numbers."""
        untouched = all(not r.prestatie.previous and not r.code for r in file.declared)
        if last and untouched:
            for kind, code, level in (("jw325_technisch", "0001", 2), ("jw325_geheel", "9333", 3)):
                if self._chance(rng, kind, WHOLE_SHARE):
                    file.code, file.level = code, level
                    self.manifest.add(kind, [file.path])
                    return [self._again(file)]
        for line in file.declared if last else ():
            if not line.prestatie.previous and self._chance(rng, "jw325_regel", REJECT_SHARE * 4):
                line.code = rng.choice(LINE_CODES)
        rejected = any(r.code for r in file.declared)
        self.manifest.add("jw325_regel", [file.path] if rejected else [])
        return []

    def _again(self, file: File) -> File:
        agb, header = file.header.aanbieder, file.header
        declared = [
            DeclaredLine(replace(r.prestatie, referentie=self._referentie(agb)), r.traject) for r in file.declared
        ]
        return self._file(agb, header.ontvanger, file.month, declared, later=3)

    def _reuse_number(self, rng: Random, file: File) -> None:
        """Use a number of an earlier declaration of this provider once more: of a line (TR314), or its own (TR333)."""
        agb = file.header.aanbieder
        earlier = self._earlier.pop(agb, None)
        if file.code or any(r.prestatie.previous or r.code for r in file.declared):
            return
        self._earlier[agb] = file
        if earlier is None or earlier.month == file.month:
            return
        kind = next((s for s in REUSED if s not in self._done), rng.choice(REUSED))
        if not self._chance(rng, kind, 0.04):
            return
        if kind == "TR333":
            file.declaratienummer = earlier.declaratienummer
            concerned = [*earlier.declared, *file.declared]
        else:
            concerned = self._same_referentie(earlier, file)
        for line in concerned:
            line.traject.vlaggen.add(kind)
        self.manifest.add(kind.lower(), [earlier.path, file.path] if concerned else [])
        if not concerned:
            self._done.discard(kind)

    def _same_referentie(self, earlier: File, file: File) -> list[DeclaredLine]:
        """Give a line the reference of another client's line."""
        credited = {r.prestatie.previous for b in (earlier, file) for r in b.declared}
        first = earlier.declared[0]
        for line in file.declared:
            if line.prestatie.bsn != first.prestatie.bsn and first.prestatie.referentie not in credited:
                line.prestatie = replace(line.prestatie, referentie=first.prestatie.referentie)
                return [first, line]
        return []

    def _chance(self, rng: Random, kind: str, share: float) -> bool:
        """By lot, but the first chance of each kind is taken."""
        taken = rng.random() < share or kind not in self._done
        if taken:
            self._done.add(kind)
        return taken

    def _referentie(self, agb: str) -> str:
        return f"R{next(self._ref[agb]):08d}"

    def _file(self, agb: str, ontvanger: str, month: int, declared: list[DeclaredLine], later: int = 0) -> File:
        rng = Random(f"{self.seed}|dagtekening|{agb}|{ontvanger}|{month}")
        day = last_day(month) + timedelta(days=rng.randint(2, 10) + later)
        id_ = self.ids.next("JW323", agb)
        path = f"berichten/{day:%Y-%m}/{day:%Y%m%d}_JW323_{agb}_{ontvanger}_{id_}.xml"
        return File(path, Header("JW323", agb, ontvanger, id_, day), f"D{id_}", month, declared)

    def _write(self, b: File, style: int) -> tuple[str, bytes, int]:
        content = declaratie(b.header, b.declaratienummer, b.month, b.prestaties, style)
        self.output.good("JW323", b.path, content, len(b.declared))
        if any(p.previous for p in b.prestaties):
            self.credit_paths.append(b.path)
        self._answer(b, style)
        return b.path, content, len(b.declared)

    def _answer(self, b: File, style: int) -> None:
        """The JW325; with faults some of them arrive before the declaration, some after everything."""
        rng = Random(f"{self.seed}|antwoord|{b.path}")
        day = b.header.dagtekening + timedelta(days=rng.randint(1, 10))
        antwoord = Antwoord(self.ids.next("JW325", b.header.ontvanger), day, b.code, b.level)
        codes = {r.prestatie.referentie: r.code for r in b.declared if r.code}
        content = declaratie_antwoord(b.header, antwoord, b.declaratienummer, b.prestaties, codes, style)
        month = f"berichten/{day:%Y-%m}"
        folder = rng.choices((month, BEFOREHAND, AFTER_EVERYTHING), (80, 10, 10))[0] if self.faults else month
        path = f"{folder}/{day:%Y%m%d}_JW325_{b.header.aanbieder}_{b.header.ontvanger}_{b.header.identificatie}.xml"
        self.output.good("JW325", path, content, max(1, len(codes)))


def _count(files: list[File]) -> None:
    """Net declared lines: approved debits that no approved credit takes back (IV085, IV091)."""
    valid = [r for b in files if not b.code for r in b.declared if not r.code]
    back = {r.prestatie.previous for r in valid if r.prestatie.previous}
    for line in valid:
        if not line.prestatie.previous and line.prestatie.referentie not in back:
            line.traject.declaraties += 1


def _uses(client: Client, traject: Traject, until: date) -> list[AssignmentUse]:
    """Assignments of a chain with the whole months (up to ``until``) in which one of their leveringen ran.

    Taakgericht work has no assignment, and a JW323 cannot do without.
    """
    end = {(t.gemeente, t.toewijzingnummer): t.versions[-1].einddatum for t in client.toewijzingen}
    made: dict[int, AssignmentUse] = {}
    for x in traject.leveringen:
        if x.toewijzingnummer is None or traject.alone:
            continue
        place = x.ontvanger, x.toewijzingnummer
        t = made.setdefault(x.toewijzingnummer, AssignmentUse(client, traject, x, set(), end.get(place)))
        stop = x.pause or x.end
        up_to = stop.einddatum if stop else until
        months = range(month_of(x.begindatum), month_of(up_to) + 1)
        t.months.update(m for m in months if last_day(m) <= until)
    return list(made.values())
