"""A national year of events, straight into the log: what ``entry`` would have written, without files, keys and stages.

632,000 clients have 11 million events in a year: about 17 each, of which half are declared lines; who has a second
levering more often (``again``) has more. Who, where and what follows from the seed and the number of the client, so
that any part of the year can be made by itself. Facts of a client stand apart in the log as they do in life: those of
many clients between them. With ``register`` the numbers that the lines use go to the log of the register too.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from domain.field.geography import GEMEENTEN
from schemas.codec import Codec
from schemas.records import NAME
from schemas.topics import EVENTS, REGISTER
from tools.bench.nation_register import Numbers
from transport.clients import Cluster
from transport.publisher import Publisher

#: Clients of a national year, and about how many events each has.
CLIENTS: Final = 632_000
EVENTS_OF_A_CLIENT: Final = 17.4
#: Share of clients that has a second levering.
AGAIN: Final = 0.25
#: Day numbers: the year begins on 1 January 2025.
_BEGIN: Final = 20_089
_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
#: Clients whose facts stand between each other.
_BLOCK: Final = 20_000
_PROVIDERS: Final = 3_000
_CODES: Final = ("45A04", "45A53", "54001", "50L04", "43A10", "44A08")
_PLACES: Final = tuple(code for code, gemeente in sorted(GEMEENTEN.items()) if gemeente.cluster)
_ENDS: Final = ("31", "31", "31", "32", "33", "34", "37", "38")
_ANSWERS: Final = {**{f"VR{n:02d}": 3 for n in range(1, 8)}, "VR09A": 8, "VR10": 3}

_Fact = tuple[str, dict[str, Any]]
_NAMES: Final = {cls.__name__: name for cls, name in NAME.items()}


class Lives(NamedTuple):
    """Some clients of a year, by number; ``again``: share that has a second levering. ``most``: facts of a client."""

    seed: int
    first: int
    clients: int
    again: float = AGAIN
    most: int | None = None


class Part(NamedTuple):
    """What one process writes; ``number`` is that of the process, where it writes for the register too."""

    cluster: Cluster
    lives: Lives
    number: int | None = None


class Written(NamedTuple):
    """Events, and records for the register."""

    events: int
    numbers: int


def publish(cluster: Cluster, seed: int, clients: int, processes: int = 2) -> int:
    """Write the events of so many clients to the log; their number."""
    return written(cluster, Lives(seed, 0, clients), processes=processes).events


def written(cluster: Cluster, lives: Lives, *, register: bool = False, processes: int = 2) -> Written:
    """Write events, and with ``register`` what the lines use; how many there are."""
    share, last = -(-lives.clients // processes), lives.first + lives.clients
    firsts = range(lives.first, last, share)
    parts = [
        Part(cluster, lives._replace(first=first, clients=min(share, last - first)), number if register else None)
        for number, first in enumerate(firsts)
    ]
    with ProcessPoolExecutor(len(parts), multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(_publish, parts))
    return Written(sum(one.events for one in found), sum(one.numbers for one in found))


def _publish(part: Part) -> Written:
    publisher, encode, events, used = Publisher(part.cluster, "bench-entry"), Codec(EVENTS).encode, 0, 0
    numbers = None if part.number is None else Numbers(part.number)
    for key, record in facts(part.lives):
        publisher.send(EVENTS, key, encode(record))
        events += 1
        for number, use in numbers(key, record) if numbers else ():
            publisher.send(REGISTER, number.encode(), use)
            used += 1
    publisher.flush(120)
    return Written(events, used)


def year(seed: int, first: int, clients: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every event of some clients."""
    encode = Codec(EVENTS).encode
    for key, record in facts(Lives(seed, first, clients)):
        yield key, encode(record)


def facts(lives: Lives) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Key and record of every event of some clients."""
    seed, last = lives.seed, lives.first + lives.clients
    for begin in range(lives.first, last, _BLOCK):
        clients = range(begin, min(begin + _BLOCK, last))
        block = [(pseudonym(seed, one), life(seed, one, lives.again)[: lives.most]) for one in clients]
        for place in range(max(len(told) for _, told in block)):
            for line, (key, told) in enumerate(block, 1):
                if place < len(told):
                    aanbieder, day, fact = told[place]
                    yield key, {
                        "delivery": f"{begin:016x}{place:08x}{int(aanbieder):08x}", "line": line,
                        "aanbieder": aanbieder, "published_at": day * _DAY_MS, "fact": fact,
                    }  # fmt: skip


def pseudonym(seed: int, client: int) -> bytes:
    """A label like those of ``entry``."""
    return b"p1.jeugd.0." + hashlib.sha256(b"%d %d" % (seed, client)).hexdigest()[:22].encode()


def life(seed: int, client: int, again: float = AGAIN) -> list[tuple[str, int, _Fact]]:
    """Provider, day of publication and fact of everything that is told of a client, in order of day."""
    dice = random.Random(seed * 1_000_003 + client)
    told: list[tuple[str, int, _Fact]] = []
    begin, code = _BEGIN + dice.randrange(250), _CODES[dice.randrange(len(_CODES))]
    provider, place = f"{90_000_000 + dice.randrange(_PROVIDERS):08d}", _PLACES[dice.randrange(len(_PLACES))]
    for number in range(1 if dice.random() < 1 - again else 2):
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
        first, last = _part(self.begin, month - 2)
        return first + 40, (
            _NAMES["Prestatie"],
            {
                **self._product, "referentie": b"%c" % (96 + month) + self._number[1:], "vorige_referentie": None,
                "debet_credit": "D", "begindatum": first, "einddatum": last, "volume": 12, "eenheid": "14",
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


@lru_cache(maxsize=20_000)
def _part(begin: int, month: int) -> tuple[int, int]:
    """First and last day of a calendar month of a levering, counted from 0: of a declared line that breaks no rule."""
    began = date.fromordinal(begin + _EPOCH)
    year, number = divmod(began.year * 12 + began.month - 1 + month, 12)
    after = divmod(year * 12 + number + 1, 12)
    first = begin if month == 0 else date(year, number + 1, 1).toordinal() - _EPOCH
    return first, date(after[0], after[1] + 1, 1).toordinal() - _EPOCH - 1
