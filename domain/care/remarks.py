"""Which record of a delivery breaks a rule between messages: what its sender is told. Pure.

A flag (``domain.care.leveringen``, ``domain.care.declarations``) stands on a traject; here it is laid at the door of
the act that makes it so. Looked up for what has flags alone, in the facts that count. What waits is told otherwise, and
what only all users of a number show (TR056, TR314, TR333) the register tells.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Final, NamedTuple

from domain.care.leveringen import Levering
from domain.care.trajecten import Traject
from domain.facts.act import PrestatieAct, StartAct, StartKey, StopAct
from domain.facts.fact_set import FactSet
from domain.facts.identity import UploadKey, message_of
from domain.facts.standing import by_message, still_told
from domain.field.codes import REDEN_PAUSE, STATUS_FIRST
from domain.field.geography import valid_on

_KINDS: Final = ("start", "stop", "declaration", "assignment")
#: A flag for which no record of a provider is to blame: who removed an assignment is not the one who declared on it.
_OF_NOBODY: Final = frozenset({"TR385"})
_CODE: Final = 5  # letters of a rule: TR415
_Act = StartAct | StopAct


class Remark(NamedTuple):
    """A record of a delivery that breaks a rule between messages, which refuses nothing.

    ``kind``: start, stop, declaration or assignment; ``delivery``: its handle in hexadecimals; ``code``: the rule;
    ``gone``: it no longer does.
    """

    kind: str
    delivery: str
    line: int
    code: str
    gone: bool = False


def pack(kind: str, delivery: bytes, line: int, code: str) -> bytes:
    """A remark as the state of a client names it: kind, rule, record."""
    return bytes((_KINDS.index(kind),)) + code.encode() + UploadKey.pack(delivery.hex(), line)


def unpack(packed: bytes, *, gone: bool) -> Remark:
    """What ``pack`` made."""
    upload = UploadKey.unpack(packed[1 + _CODE :])
    return Remark(_KINDS[packed[0]], upload.delivery, upload.line, packed[1 : 1 + _CODE].decode(), gone)


def of(facts: FactSet, trajecten: Iterable[Traject], lines: Iterable[tuple[PrestatieAct, str]]) -> set[bytes]:
    """Every remark on the facts that count, packed. ``lines``: declared lines and the rule that each breaks."""
    found = {
        pack("declaration", act.aanlevering, act.record, code)
        for act, code in lines
        if act.aanlevering and code not in _OF_NOBODY
    }
    flagged = [levering for traject in trajecten for levering in traject.leveringen if levering.vlaggen]
    if flagged:
        stops: dict[StartKey, list[_Told]] = {levering.start_key: [] for levering in flagged}
        for key, acts in facts.stops.items():
            if key.start_key in stops:
                stops[key.start_key].append(_Told("stop", acts, key.reden_beeindiging))
        for levering in flagged:
            start = _Told("start", facts.starts.get(levering.start_key, {}))
            found.update(_of_levering(levering, start, stops[levering.start_key]))
    return found


class _Told:
    """What was told of one start or stop, removals too. ``left``: dagtekening, message and act of the deliveries that
    no removal took away, in logical time; ``surplus``: how many of them are too many.
    """

    def __init__(self, kind: str, acts: dict[bytes, StartAct] | dict[bytes, StopAct], reden: str = "") -> None:
        self.kind, self.acts, self.reden = kind, acts, reden
        joined: dict[bytes, _Act] = by_message(dict(acts)) if len(acts) > 1 else dict(acts)
        self.left, count = still_told(joined) if acts else ([], 0)
        self.surplus = count - 1

    @property
    def again(self) -> list[bytes]:
        """The messages that told it again, without a removal in between (TR074)."""
        return [message for _, message, _ in self.left[len(self.left) - self.surplus :]]

    def since(self, day: int | None = None) -> list[bytes]:
        """The messages that tell it, all or those signed after a day."""
        return [message for signed, message, _ in self.left if day is None or signed > day]

    def removals(self) -> list[bytes]:
        """The messages that removed it last."""
        removed = {message_of(name): act.dagtekening for name, act in self.acts.items() if act.status != STATUS_FIRST}
        return [message for message, day in removed.items() if day == max(removed.values())]

    def records(self, messages: Container[bytes], code: str) -> Iterator[bytes]:
        """The remark on every record that brought one of these messages."""
        for name, act in self.acts.items():
            if act.aanlevering and message_of(name) in messages:
                yield pack(self.kind, act.aanlevering, act.record, code)


def _of_levering(levering: Levering, start: _Told, stops: list[_Told]) -> Iterator[bytes]:
    stops = [stop for stop in stops if stop.left]
    for code in levering.vlaggen:
        if code == "TR378":
            yield from _of_unknown_gemeente(levering, (start, *stops))
        elif code == "TR071":
            yield from start.records(start.removals(), code)
        elif code == "TR326":
            yield from start.records(start.since(), code)
        elif code == "TR074":
            for told in (start, *stops):
                yield from told.records(told.again, code)
        else:
            yield from _of_stops(levering, code, stops)


def _of_unknown_gemeente(levering: Levering, every: Iterable[_Told]) -> Iterator[bytes]:
    """The messages with a day on which the municipality was not in the table; without any day the begin counts."""
    gemeente = levering.start_key.gemeente
    signed = [(told, message, act.ingangsdatum) for told in every for _, message, act in told.left]
    dated = [(told, message) for told, message, day in signed if day is not None and not valid_on(gemeente, day)]
    for told, message in dated or [(told, message) for told, message, _ in signed]:
        yield from told.records((message,), "TR378")


def _of_stops(levering: Levering, code: str, stops: list[_Told]) -> Iterator[bytes]:
    pauses = [stop for stop in stops if stop.reden == REDEN_PAUSE]
    final = sorted(
        (stop for stop in stops if stop.reden != REDEN_PAUSE), key=lambda stop: (stop.left[0][:2], stop.reden)
    )
    if code == "TR382":
        for stop in stops:
            yield from stop.records(stop.since(), code)
    elif code == "TR413":  # told again, or beside the pause of another start of that day
        for pause in pauses:
            beside = levering.vlaggen.count(code) > (pause.surplus > 0)
            yield from pause.records(pause.since() if beside else pause.again, code)
    elif code == "TR414":
        yield from final[0].records(final[0].since()[-1:], code)
    elif code == "TR415":
        for stop in final[1:]:
            yield from stop.records(stop.since(), code)
        for pause in pauses:
            yield from pause.records(pause.since(final[0].left[0][0]), code)
