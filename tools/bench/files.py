"""``sor deliver`` as a provider runs it: how long until the receipt is there, and how much memory it takes."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from connectors.delivery.reading import SETTLED_NS
from domain.field.bsn import official_numbers
from local.errors import StackError
from schemas.topics import LINES, groups
from tools.bench import load
from tools.bench.figures import Figure, Tell, median
from tools.bench.meter import settle
from tools.bench.services import Services, services
from tools.simulator.model import month_of
from tools.simulator.xml import Header, Prestatie, declaratie

_RECEIPT_SECONDS: Final = 5.0
_MEMORY: Final = 200.0
_LIMIT: Final = 300.0
_PAUSE: Final = 0.01


class FileSizes(NamedTuple):
    """Scores of a RAP file, MB of a JW323, files of a folder that is delivered one delivery per file."""

    scores: int
    megabytes: int
    small: int


def files(sizes: FileSizes, rounds: int, tell: Tell) -> list[Figure]:
    """Files through the connector, with the stages up to the receipt running."""
    with services() as running:
        settle(running.cluster, groups()["deliveries"], LINES)
        running.start("evaluate", "entry", "deliveries")
        folder = running.home / "files"
        folder.mkdir()
        paths = [folder / f"{load.AGB}_scores_{number}.csv" for number in range(rounds)]
        for number, path in enumerate(paths):
            path.write_bytes(rap(sizes.scores, number))
        declared, many = folder / "JW323.xml", _many(folder / "small", sizes.small)
        declared.write_bytes(jw323(sizes.megabytes))
        time.sleep(SETTLED_NS / 1e9)  # a file that was written a moment ago is first watched for a second
        scores = []
        for number, path in enumerate(paths):
            tell(f"round {number + 1} of {rounds}: a RAP file of {sizes.scores:,} scores")
            scores.append(_deliver(running, path))
        tell(f"a JW323 of {sizes.megabytes} MB")
        large = _deliver(running, declared)
        tell(f"{sizes.small} RAP files of different providers")
        small = _deliver(running, many)
    return _figures(sizes, scores, large, small)


class Delivered(NamedTuple):
    """Seconds from the start of the command to its end, and its largest resident size in MB."""

    seconds: float
    memory: float


def _deliver(running: Services, path: Path) -> Delivered:
    began = time.perf_counter()
    process = running.process("sor", "deliver", "--json", str(path))
    memory = 0.0
    while process.ended() is None:
        memory = max(memory, process.memory())
        if time.perf_counter() - began > _LIMIT:
            process.stop()
            raise StackError(f"{path.name} has no receipt after {_LIMIT:.0f} s.")
        time.sleep(_PAUSE)
    seconds = time.perf_counter() - began
    if process.ended() != 0:
        process.require()
    return Delivered(seconds, memory)


def rap(rows: int, seed: int, first: int = 0) -> bytes:
    """A RAP file with scores of two goals per client and assignment."""
    numbers = official_numbers()
    lines = ["BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde"]
    for row in range(rows):
        client = first + row // 2
        number = 1_000 + client // len(numbers) * len(numbers) + client
        lines.append(f"{numbers[client % len(numbers)]};;{number};D{1 + row % 2}O;{(row + seed) % 3}")
    return "\r\n".join([*lines, ""]).encode()


def jw323(megabytes: int) -> bytes:
    """A declaration of about that size, as the simulator writes them."""
    header = Header("JW323", load.AGB, "0363", "900001", date(2026, 2, 5))
    size = len(declaratie(header, "D900001", month_of(date(2026, 1, 1)), _lines(1_000), 0)) / 1_000
    return declaratie(header, "D900001", month_of(date(2026, 1, 1)), _lines(int(megabytes * 1e6 / size)), 0)


def _lines(count: int) -> list[Prestatie]:
    numbers = official_numbers()
    return [
        Prestatie(numbers[n % len(numbers)], f"R{n:09d}", "", 1_000 + n, "45", "45A04", date(2025, 12, 1),
                  month_of(date(2026, 1, 1)), 12, "01", 10_000)
        for n in range(count)
    ]  # fmt: skip


def _many(folder: Path, files: int) -> Path:
    folder.mkdir()
    for number in range(files):
        (folder / f"{int(load.AGB) + 1 + number:08d}_scores.csv").write_bytes(rap(20, 0, number * 10))
    return folder


def _figures(sizes: FileSizes, scores: list[Delivered], large: Delivered, small: Delivered) -> list[Figure]:
    name = "files"
    seconds = [one.seconds for one in scores]
    return [
        Figure(name, f"RAP file of {sizes.scores:,} scores: receipt", median(seconds), "s", _RECEIPT_SECONDS, most=True,
               memory=max(one.memory for one in scores), note="the whole command", rounds=tuple(seconds)),
        Figure(name, f"JW323 of {sizes.megabytes} MB: memory of the connector", large.memory, "MB", _MEMORY, most=True),
        Figure(name, f"JW323 of {sizes.megabytes} MB: receipt", large.seconds, "s", memory=large.memory,
               note=f"{sizes.megabytes / large.seconds:.1f} MB/s"),
        Figure(name, f"{sizes.small} small deliveries: each", small.seconds / sizes.small * 1000, "ms",
               note="20 scores each, one provider each"),
    ]  # fmt: skip
