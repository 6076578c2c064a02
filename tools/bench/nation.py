"""A national year of events, straight into the log: what ``entry`` would have written, without files, keys and stages.

632,000 clients have 11 million events in a year: about 17 each, of which half are declared lines. Who, where and what
follows from the seed and the number of the client, so that any part of the year can be made by itself. Facts of a
client stand apart in the log as they do in life: those of many clients between them.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final, NamedTuple

from domain.field.geography import GEMEENTEN
from schemas.codec import Codec
from schemas.records import NAME
from schemas.topics import EVENTS
from transport.clients import Cluster
from transport.publisher import Publisher

#: Clients of a national year, and about how many events each has.
CLIENTS: Final = 632_000
EVENTS_OF_A_CLIENT: Final = 17.4
#: Day numbers: the year begins on 1 January 2025.
_BEGIN: Final = 20_089
_DAY_MS: Final = 86_400_000
#: Clients whose facts stand between each other.
_BLOCK: Final = 20_000
_PROVIDERS: Final = 3_000
_CODES: Final = ("45A04", "45A53", "54001", "50L04", "43A10", "44A08")
_PLACES: Final = tuple(code for code, gemeente in sorted(GEMEENTEN.items()) if gemeente.cluster)
_ENDS: Final = ("31", "31", "31", "32", "33", "34", "37", "38")
_ANSWERS: Final = {**{f"VR{n:02d}": 3 for n in range(1, 8)}, "VR09A": 8, "VR10": 3}

_Fact = tuple[str, dict[str, Any]]
_NAMES: Final = {cls.__name__: name for cls, name in NAME.items()}


class Part(NamedTuple):
    """Some clients of a year, by number."""

    cluster: Cluster
    seed: int
    first: int
    clients: int


def publish(cluster: Cluster, seed: int, clients: int, processes: int = 2) -> int:
    """Write the events of so many clients to the log; their number."""
    share = -(-clients // processes)
    parts = [Part(cluster, seed, first, min(share, clients - first)) for first in range(0, clients, share)]
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("spawn")) as pool:
        return sum(pool.map(_publish, parts))


def _publish(part: Part) -> int:
    publisher, written = Publisher(part.cluster, "bench-entry"), 0
    for key, value in year(part.seed, part.first, part.clients):
        publisher.send(EVENTS, key, value)
        written += 1
    publisher.flush(120)
    return written


def year(seed: int, first: int, clients: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every event of some clients."""
    encode = Codec(EVENTS).encode
    for begin in range(first, first + clients, _BLOCK):
        lives = [(pseudonym(seed, one), life(seed, one)) for one in range(begin, min(begin + _BLOCK, first + clients))]
        for place in range(max(len(facts) for _, facts in lives)):
            for line, (key, facts) in enumerate(lives, 1):
                if place < len(facts):
                    aanbieder, day, fact = facts[place]
                    record = {
                        "delivery": f"{begin:016x}{place:08x}{int(aanbieder):08x}", "line": line,
                        "aanbieder": aanbieder, "published_at": day * _DAY_MS, "fact": fact,
                    }  # fmt: skip
                    yield key, encode(record)


def pseudonym(seed: int, client: int) -> bytes:
    """A label like those of ``entry``."""
    return b"p1.jeugd.0." + hashlib.sha256(b"%d %d" % (seed, client)).hexdigest()[:22].encode()


def life(seed: int, client: int) -> list[tuple[str, int, _Fact]]:
    """Provider, day of publication and fact of everything that is told of a client, in order of day."""
    dice = random.Random(seed * 1_000_003 + client)
    told: list[tuple[str, int, _Fact]] = []
    begin, code = _BEGIN + dice.randrange(250), _CODES[dice.randrange(len(_CODES))]
    provider, place = f"{90_000_000 + dice.randrange(_PROVIDERS):08d}", _PLACES[dice.randrange(len(_PLACES))]
    for number in range(1 if dice.random() < 0.75 else 2):
        one = _Care(dice, b"%08d" % ((2 * client + number) % 10**8), provider, place, code, begin)
        told += one.told()
        begin = one.end + dice.randrange(60)  # some within the window of a chain, some outside
        if dice.random() < 0.3:
            provider = f"{90_000_000 + dice.randrange(_PROVIDERS):08d}"
    return sorted(told, key=lambda one: one[1])


class _Care:
    """One levering: assignment, start, declared months, scores, perhaps a stop and a questionnaire."""

    def __init__(self, dice: random.Random, number: bytes, provider: str, place: str, code: str, begin: int) -> None:
        self._dice, self._number, self._provider, self.begin = dice, number, provider, begin
        self.end = begin + 60 + dice.randrange(300)
        self._product = {"gemeente": place, "toewijzing": number, "categorie": code[:2], "code": code}
        self._leeftijd = dice.randrange(18)

    def told(self) -> list[tuple[str, int, _Fact]]:
        """Provider, day and fact."""
        dice, begin, end = self._dice, self.begin, self.end
        found = [self._assignment(begin - 7), self._start(begin + 7)]
        found += [self._month(month) for month in range(2, 2 + min(11, max(1, (end - begin) // 30)))]
        goals = dice.randrange(1, 4) if dice.random() < 0.6 else 0
        found += [self._score(doel, who, 0, begin + 10) for doel in range(1, goals + 1) for who in "OB"]
        if dice.random() < 0.75:
            found.append(self._stop(end + 7))
            found += [
                self._score(doel, who, dice.randrange(-1, 3), end) for doel in range(1, goals + 1) for who in "OB"
            ]
            if dice.random() < 0.4:
                found.append(self._meting(end + 14))
        return [(self._provider, day, fact) for day, fact in found]

    def _assignment(self, day: int) -> tuple[int, _Fact]:
        return day, (
            _NAMES["Toewijzing"],
            {
                **self._product, "toewijzingsdatum": day, "toewijzingstijd": 36_000, "ingangsdatum": self.begin,
                "einddatum": None, "reden_wijziging": "", "volume": 4, "eenheid": "14", "frequentie": "2",
                "budget": None, "dagtekening": day, "bericht": b"a" + self._number[1:], "postcodegebied": "",
            },
        )  # fmt: skip

    def _of_start(self) -> dict[str, Any]:
        return {
            **self._product, "begindatum": self.begin, "status": 1, "ingangsdatum": self.begin,
            "leeftijd": self._leeftijd, "leeftijd_benaderd": False, "geslacht": "1",
        }  # fmt: skip

    def _start(self, day: int) -> tuple[int, _Fact]:
        return day, (_NAMES["Start"], {**self._of_start(), "dagtekening": day, "bericht": b"s" + self._number[1:]})

    def _stop(self, day: int) -> tuple[int, _Fact]:
        ended = {"reden_beeindiging": _ENDS[self._dice.randrange(len(_ENDS))], "einddatum": self.end}
        return day, (
            _NAMES["Stop"],
            {**self._of_start(), **ended, "dagtekening": day, "bericht": b"e" + self._number[1:]},
        )

    def _month(self, month: int) -> tuple[int, _Fact]:
        first = self.begin + 30 * (month - 2)
        return first + 40, (
            _NAMES["Prestatie"],
            {
                **self._product, "referentie": b"%c" % (96 + month) + self._number[1:], "vorige_referentie": None,
                "debet_credit": "D", "begindatum": first, "einddatum": first + 27, "volume": 12, "eenheid": "14",
                "bedrag": 120_000, "dagtekening": first + 40, "bericht": b"d%07d" % (first + month),
                "declaratienummer": b"n%07d" % (first + month), "tarief": 10_000,
            },
        )  # fmt: skip

    def _score(self, doel: int, beoordelaar: str, waarde: int, day: int) -> tuple[int, _Fact]:
        return day, (
            _NAMES["Score"],
            {
                "toewijzing": self._number, "beschikking": None, "doel": doel, "beoordelaar": beoordelaar,
                "waarde": waarde, "tijd": day * _DAY_MS,
            },
        )  # fmt: skip

    def _meting(self, day: int) -> tuple[int, _Fact]:
        return day, (
            _NAMES["Meting"],
            {
                "meting": self._number, "vragenlijst": "CEM+_2018_OE_v1", "informant": "Moeder", "datum": day,
                "antwoorden": _ANSWERS, "tijd": day * _DAY_MS,
            },
        )  # fmt: skip
