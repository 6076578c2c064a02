"""The register: numbers that must be unique, and answers that name a message but no client. Pure.

A header-only return (0001) names no client, a number used twice shows only when both uses are seen, a CBS redelivery
says nothing of whom it leaves out: none of this is known to one client's facts. The register keeps, per number, who
used it (``domain.facts.number``), and yields facts for those clients. State and yield are sets: order, repetition,
restarts leave no trace. Every fact names the delivery that makes it so, and falls with it when that is taken back;
then the register yields what holds without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.facts import doubled
from domain.facts.answer import TOO_OFTEN
from domain.facts.bounds import MOST_ANSWERS, NONE, beyond, lowest, settle, taken_back, upgrade
from domain.facts.doubled import PLACE, Clients
from domain.facts.fact import Dubbel, Intrekking, PrestatieRetour, Vervanging
from domain.facts.number import OWN, Answer, Number, Record, Sent, answer_of, split, take_in
from domain.facts.uses import CBS, DAY, DECLARATIENUMMER, REFERENTIE, day_behind

_Fact = Intrekking | Dubbel | Vervanging | PrestatieRetour


class Effect(NamedTuple):
    """A fact for one client (``delivery`` makes it so), or (``fact`` None) what is told of a line of ``delivery``."""

    pseudonym: str
    fact: _Fact | None
    delivery: str
    line: int = 0
    lines: int = 0
    uitkomst: str = ""  # ingetrokken, hersteld, afgekeurd, opmerking or vervallen
    code: str = ""
    answer: bool = False  # the line is an answer
    published_at: int = 0  # ms: when the delivery that makes the fact was sent first, or anew after it was taken back


class _View(NamedTuple):
    """A number, and which of its deliveries do not count."""

    kind: str
    key: bytes
    number: Number
    out: frozenset[bytes]  # left out, because there are too many
    silent: frozenset[bytes]  # those, and what was taken back
    moments: dict[bytes, int]  # when each was published, as far as this number knows

    @property
    def message_kind(self) -> str:
        """Kind of the messages that the number names, or that use it."""
        return "" if self.kind in doubled.ROWS else self.kind.partition(".")[2]

    def dubbel(self, own: bytes) -> Dubbel:
        """The flag of a client whose own use came in the delivery ``own``."""
        return Dubbel(regel=doubled.rule(self.kind), soort=self.message_kind, sleutel=self.key, aanlevering=own.hex())

    def says(self, client: str, fact: _Fact, cause: bytes) -> Effect:
        """A fact that the delivery ``cause`` makes."""
        return Effect(client, fact, cause.hex(), published_at=self.moments[cause])


def effects(kind: str, key: bytes, number: Number, out: frozenset[bytes] = NONE) -> Iterator[Effect]:
    """Everything that the state yields. ``out``: the deliveries that are left out, as ``beyond`` finds them."""
    taken = taken_back(number, key)
    view = _View(kind, key, number, out, out | taken, _moments(number))
    if out:
        yield from _left_out(view)
    if kind == CBS:
        yield from _replaced(view)
        return
    if number.answers:
        yield from _answered(view, taken)
    differing = list(doubled.variants(kind, number))
    for variants in differing:
        yield from _dubbel(view, variants)
    if number.cut:
        yield from _saturated(view)
    for handle, line, sent, holds in doubled.lines(kind, number, differing, view.silent):
        yield _line(handle, line, sent, "opmerking" if holds else "vervallen", doubled.rule(kind))


def _moments(number: Number) -> dict[bytes, int]:
    """Of every delivery when it was published: never later than it was taken back, unless it came again after that."""
    found: dict[bytes, int] = {}
    for name, sent in number.sent.items():
        handle, _ = split(name)
        found[handle] = min(sent.published_at, found.get(handle, sent.published_at))
    for answer in (answer_of(name, value) for name, value in number.answers.items()):
        found[answer.handle] = min(answer.published_at, found.get(answer.handle, answer.published_at))
    return found | {handle: again_at for handle, (_, again_at) in number.taken.items() if again_at}


def _line(handle: bytes, line: int, sent: Sent, uitkomst: str, code: str) -> Effect:
    return Effect("", None, handle.hex(), line, sent.lines, uitkomst, code)


def _answered(view: _View, taken: frozenset[bytes]) -> Iterator[Effect]:
    """A rejected message or line counts as never sent (OP286, IV087), while one answer that says so stands."""
    number, kept = view.number, lowest(view.number.answers, MOST_ANSWERS, view.key)
    says = _PerMessage()  # the highest code that stands, and who says it
    said = _PerMessage()  # of all
    for name, value in number.answers.items():
        answer = answer_of(name, value)
        if name not in kept:
            line = answer.handle.hex(), answer.line, answer.lines
            yield Effect("", None, *line, "afgekeurd", TOO_OFTEN, answer=True)
            continue
        said.hear(answer)
        if answer.handle not in taken:
            says.hear(answer)
    if view.kind not in doubled.ROWS:  # a line is withdrawn by a fact that names its client itself
        for message, (code, cause) in says.answers.items():
            if message.startswith(view.key):
                yield from _withdrawn(view, day_behind(view.key, message), code, cause)
    yield from _answered_lines(view, said, says)


def _answered_lines(view: _View, said: _PerMessage, says: _PerMessage) -> Iterator[Effect]:
    """What became of each line. One line may stand under two messages, when a record of before does not tell its day:
    then a withdrawal counts above a recovery, and of two the higher code.
    """
    found: dict[tuple[bytes, int], tuple[bool, str, Sent]] = {}
    for name, sent in view.number.sent.items():
        handle, message = split(name)
        ever, now = said.on(message), says.on(message)
        if ever is None or handle in view.out:
            continue
        outcome = (now is not None, (now or ever)[0])
        for place in sent:
            before = found.get((handle, place))
            if before is None or outcome > before[:2]:
                found[handle, place] = (*outcome, sent)
    for (handle, place), (withdrawn, code, sent) in found.items():
        yield _line(handle, place, sent, "ingetrokken" if withdrawn else "hersteld", code)


class _PerMessage:
    """Per message what is answered on it: the highest code, and the delivery that says so. An answer is on a message of
    the same identification and dagtekening; where one of the two does not tell its day, on the identification.
    """

    def __init__(self) -> None:
        self.answers: dict[bytes, tuple[str, bytes]] = {}
        self._of_any_day: dict[bytes, tuple[str, bytes]] = {}

    def hear(self, answer: Answer) -> None:
        """Take in one answer."""
        told = answer.code, answer.handle
        for known, message in ((self.answers, answer.bericht), (self._of_any_day, answer.bericht[:-DAY])):
            known[message] = max(told, known.get(message, told))

    def on(self, message: bytes) -> tuple[str, bytes] | None:
        """The answer on a message."""
        found = (self.answers.get(message), self.answers.get(message[:-DAY]), self._of_any_day.get(message))
        return max((told for told in found if told is not None), default=None)


def _withdrawn(view: _View, day: int | None, code: str, cause: bytes) -> Iterator[Effect]:
    """For everybody behind the identification: whose message has another dagtekening, ``domain.care`` sees."""
    fact = Intrekking(soort=view.message_kind, bericht=view.key, code=code, bericht_dagtekening=day)
    for clients in view.number.used.values():
        for client, handles in clients.items():
            if not view.out.issuperset(handles):
                yield view.says(client, fact, cause)


def _dubbel(view: _View, variants: dict[bytes, list[Clients]]) -> Iterator[Effect]:
    """A flag for everybody behind two or more variants of which a delivery still counts."""
    found: dict[bytes, list[tuple[str, bytes]]] = {}
    for variant, several in variants.items():
        users = [(client, own) for clients in several for client, own in _first_counting(view, clients)]
        if users:
            found[variant] = users
    if len(found) < 2:
        return
    first, second = sorted((min(own for _, own in users), variant) for variant, users in found.items())[:2]
    for variant, users in found.items():
        other, _ = second if variant == first[1] else first
        yield from (view.says(client, view.dubbel(own), other) for client, own in users)


def _first_counting(view: _View, clients: Clients) -> Iterator[tuple[str, bytes]]:
    """Each client with the first of its deliveries that counts."""
    for client, handles in clients.items():
        own = next((handle for handle in handles if handle not in view.silent), None)
        if own is not None:
            yield client, own


def _saturated(view: _View) -> Iterator[Effect]:
    """Of a number that was ever used too often, everybody is flagged: who the others are is not known any more."""
    for clients in view.number.used.values():
        yield from (view.says(client, view.dubbel(own), own) for client, own in _first_counting(view, clients))


def _left_out(view: _View) -> Iterator[Effect]:
    """A use beyond the bound counts as never sent, and its sender hears so."""
    for name, sent in view.number.sent.items():
        handle, bericht = split(name)
        if handle in view.out and view.kind != DECLARATIENUMMER and (view.kind != CBS or bericht == OWN):
            yield from (_line(handle, line, sent, "afgekeurd", TOO_OFTEN) for line in sent)
    for content, clients in view.number.used.items():
        for client, handles in clients.items():
            for handle in view.out.intersection(handles):
                yield from (view.says(client, fact, handle) for fact in _refusal(view, content, handle))


def _refusal(view: _View, content: bytes, own: bytes) -> Iterator[_Fact]:
    if view.kind == CBS:
        yield Vervanging(periode=view.key.decode(), aanlevering=own.hex())
        return
    yield view.dubbel(own)
    if view.kind == REFERENTIE:
        bericht = content[:-PLACE]
        yield PrestatieRetour(gemeente="", referentie=view.key, bericht=bericht, code=TOO_OFTEN, dagtekening=0)
    elif view.kind != DECLARATIENUMMER:
        yield Intrekking(soort=view.message_kind, bericht=view.key, code=TOO_OFTEN)


def _replaced(view: _View) -> Iterator[Effect]:
    """A delivery that is cut off half-way replaces nothing; a complete one replaces every earlier one."""
    whole = {name: sent for name, sent in view.number.sent.items() if not split(name)[1]}
    order = sorted((sent.tijd, handle) for handle, sent in whole.items() if handle not in view.out)
    by: bytes | None = None
    replacing: dict[bytes, bytes] = {}
    for _, handle in reversed(order):
        if by is not None:
            replacing[handle] = by  # the first complete one after it
        if handle not in view.silent and whole[handle].complete:
            by = handle
    for clients in view.number.used.values():
        for client, handles in clients.items():
            for handle in handles:
                if handle in replacing:
                    fact = Vervanging(periode=view.key.decode(), aanlevering=handle.hex())
                    yield view.says(client, fact, replacing[handle])


def _quiet(kind: str, number: Number) -> bool:
    """Whether the state yields nothing and needs no care, as almost every one: the hottest of all ways through here."""
    return len(number.used) < 2 and not (number.answers or number.taken or number.cut) and kind != CBS


def fold(number: Number, records: Iterable[Record], kind: str, key: bytes, *, everything: bool) -> list[Effect]:
    """Join records into the state (in place) and give what is new to follow; ``everything``: all of it."""
    earlier: set[Effect] = set()
    if number.per_content or number.retour:
        upgrade(number, kind)
    if not everything and not _quiet(kind, number):
        settle(number, kind, key)
        earlier.update(effects(kind, key, number))
    for record in records:
        take_in(number, record)
    out = beyond(number, kind, key)
    if _quiet(kind, number):
        return []
    return [effect for effect in dict.fromkeys(effects(kind, key, number, out)) if effect not in earlier]
