"""Delivering over HTTPS: sealed lines to the intake, receipts back from it. A source needs nothing of Kafka.

What the intake answers becomes one sentence that says what to do. "Later" is waited for here; whatever is sent again
has one effect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from connectors.delivery.compact import BODY_LINES, Head, Writer, split
from connectors.errors import BrokerDown
from domain.facts.answer import Fault, Receipt, RecordRemark, Sums, counts_of
from schemas.codec import Codec
from transport.https import Endpoint, NoAnswer, NotItself, Reply, Server

#: Bytes of one body: some 30,000 lines. A larger delivery goes in parts, so that it takes little memory on both sides.
PART_BYTES: Final = 4_000_000
PART_LINES: Final = BODY_LINES // 2
#: How long the intake may work on one part before the answer, and how long it may say "later".
ANSWER_SECONDS: Final = 300.0
PATIENCE_SECONDS: Final = 300.0
#: How long an intake that was there may be away: it is started anew.
_AWAY_SECONDS: Final = 60.0
_LONGEST_WAIT: Final = 60.0
_TICK: Final = 0.1
#: Between two looks at a receipt: at first, and at most.
_FIRST_LOOK, _LAST_LOOK = 0.1, 1.0
_LATER: Final = (408, 429, 500, 502, 503, 504)
_AGAIN: Final = "Hetzelfde commando maakt de aanlevering later af; niets telt dubbel."
_REFUSALS: Final = {
    "niet-vertrouwd": "De intake vertrouwt deze aanlevering niet: het certificaat is verlopen, ingetrokken, of niet "
    "voor deze aanbieder of soort. Vraag uw regio om een nieuw certificaat en geef dan hetzelfde commando opnieuw.",
    "andere-aanbieder": "Met dit token mag u niet voor deze aanbieder aanleveren. Vraag de beheerder van de intake om "
    "een token voor deze aanbieder.",
    "vorm": "De intake kan de verzegelde regels niet lezen. Werk dit programma bij en geef hetzelfde commando opnieuw.",
}


class IntakeRefuses(BrokerDown):
    """The intake takes nothing, now or at all; the sentence says what to do."""


class Intake:
    """The intake as a source sees it. ``pulse`` is called several times a second while it waits."""

    def __init__(self, endpoint: Endpoint, patience: float = PATIENCE_SECONDS) -> None:
        self._server, self._patience = Server(endpoint), patience
        self.pulse: Callable[[], None] = lambda: None

    def send(self, body: bytes) -> None:
        """One body of sealed lines, until the intake has it. ``IntakeRefuses`` when it does not take it."""
        self._until(lambda: self._server.ask("POST", "/sealed", body, ANSWER_SECONDS), 202)

    def document(self, path: str, **query: object) -> dict[str, Any]:
        """What stands at an address. ``KeyError`` when there is nothing; ``IntakeRefuses``."""
        address = f"{path}?{urlencode(query)}" if query else path
        reply = self._until(lambda: self._server.ask("GET", address), 200, 404)
        if reply.status == 404:
            raise KeyError(path)
        return _json(reply)

    def look(self, path: str, **query: object) -> dict[str, Any] | None:
        """The same, asked once: None when there is nothing, or nothing now."""
        try:
            reply = self._ask(lambda: self._server.ask("GET", f"{path}?{urlencode(query)}"))
        except NoAnswer:
            return None
        if reply.status == 404 or reply.status in _LATER:
            self.rest(_seconds(reply) if reply.status != 404 else 0)
            return None
        if reply.status != 200:
            raise self._refusal(reply)
        return _json(reply)

    def _until(self, ask: Callable[[], Reply], *right: int) -> Reply:
        """Ask, and ask again as long as the answer is "later"."""
        began, pause = time.monotonic(), 1.0
        while True:
            try:
                reply = self._ask(ask)
            except NoAnswer as error:
                if not self._server.answered or time.monotonic() + pause > began + _AWAY_SECONDS:
                    raise IntakeRefuses(self._away(str(error))) from None
                wait = pause
            else:
                if reply.status in right:
                    return reply
                if reply.status not in _LATER:
                    raise self._refusal(reply)
                wait = _seconds(reply) or pause
                if time.monotonic() + wait > began + self._patience:
                    raise IntakeRefuses(f"De intake {self._server.name} heeft nu geen ruimte. {_AGAIN}")
            self.rest(wait)
            pause = min(pause * 2, 15.0)

    def _ask(self, ask: Callable[[], Reply]) -> Reply:
        try:
            return ask()
        except NotItself:
            raise IntakeRefuses(
                f"Het certificaat van de intake {self._server.name} wordt niet vertrouwd. Er is niets verstuurd. "
                "Controleer het adres, en of SOR_INTAKE_CA_FILE de uitgever van dat certificaat noemt."
            ) from None

    def _away(self, kind: str) -> str:
        where = f"De intake {self._server.name} is niet bereikbaar ({kind}). Controleer het adres en de verbinding."
        return f"{where} {_AGAIN}"

    def _refusal(self, reply: Reply) -> IntakeRefuses:
        if reply.status == 401:
            return IntakeRefuses(
                f"De intake {self._server.name} kent het token niet, of niet meer. Er is niets aangenomen. Vraag de "
                "beheerder om een nieuw token en zet het in het bestand van SOR_INTAKE_TOKEN_FILE."
            )
        if reply.status == 413:
            return IntakeRefuses(
                f"De intake {self._server.name} neemt geen {PART_BYTES // 1_000_000} MB tegelijk aan. Vraag de "
                "beheerder om SOR_INTAKE_MAX_MB te verhogen, of lever kleinere bestanden aan."
            )
        kind = str(_json(reply).get("type", "")).rpartition(":")[2]
        said = _REFUSALS.get(kind, f"De intake {self._server.name} weigert de aanlevering (status {reply.status}).")
        return IntakeRefuses(said)

    def rest(self, seconds: float) -> None:
        """Wait, with a pulse several times a second."""
        ends = time.monotonic() + min(seconds, _LONGEST_WAIT)
        self.pulse()
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(_TICK, left))
            self.pulse()

    def close(self) -> None:
        """Let go of the connection."""
        self._server.close()


def _seconds(reply: Reply) -> float:
    return float(reply.retry_after) if reply.retry_after.isascii() and reply.retry_after.isdigit() else 0.0


def _json(reply: Reply) -> dict[str, Any]:
    try:
        return msgspec.json.decode(reply.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


class SealedSender:
    """Takes the envelopes of a delivery where a publisher would, and sends them in compact parts."""

    def __init__(self, intake: Intake, part_bytes: int = PART_BYTES, part_lines: int = PART_LINES) -> None:
        self.intake, self._most, self._most_lines = intake, part_bytes, part_lines
        self._codec = Codec("sor.in")
        self._head: Head | None = None
        self._writer: Writer
        self._frames, self._size, self._lines = list[bytes](), 0, 0

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Take one envelope; sends what is gathered when that is enough for a part."""
        del key  # the head says it
        assert value is not None  # noqa: S101 - envelopes only
        head, line = split(topic, self._codec.decode(value))
        if head != self._head:
            self.flush()
            self._begin(head)
        self._writer.add(line)
        self._lines += 1
        if self._size >= self._most or self._lines >= self._most_lines:
            self.flush()
            self._begin(head)

    def _begin(self, head: Head) -> None:
        self._head, self._writer = head, Writer(head, self._gather)

    def _gather(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._size += len(frame)

    def poll(self) -> None:
        """Nothing is waited for between two parts."""

    def flush(self, timeout: float = 0.0) -> None:
        """Send what is gathered; returns when the intake has it."""
        del timeout  # the intake says when to come back
        if self._head is not None:
            self._writer.end()
            if self._frames:
                self.intake.send(b"".join(self._frames))
        self.abandon()

    def abandon(self) -> None:
        """Forget what is gathered."""
        self._head, self._frames, self._size, self._lines = None, [], 0, 0


class IntakeReceipts:
    """Receipts of what was delivered, asked for until they are final."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def mark(self, delivery: str) -> None:
        """The intake keeps the receipts of its source: nothing has to be opened first."""

    def wait(
        self, delivery: str, seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        """Ask until the receipt is finished or did not move for ``seconds``."""
        sender, name, lines = delivery.split("|")
        self._intake.pulse = pulse
        newest, look = None, _FIRST_LOOK
        deadline = time.monotonic() + seconds
        while True:
            found = self._intake.look(f"/deliveries/{name}", records=lines, aanbieder=sender)
            receipt = receipt_of(found) if found else None
            if receipt is not None and receipt != newest:
                if newest is None or receipt.gezien > newest.gezien:
                    deadline, look = time.monotonic() + seconds, _FIRST_LOOK
                newest = receipt
                seen(newest)
            if (newest is not None and newest.klaar) or time.monotonic() >= deadline:
                return newest
            self._intake.rest(look)
            look = min(look * 1.5, _LAST_LOOK)

    def close(self) -> None:
        """Let go of the connection."""
        self._intake.close()


def receipt_of(found: dict[str, Any]) -> Receipt | None:
    """A receipt from its document; None as long as the third party has said nothing.

    Raises:
        IntakeRefuses: it is no such document.
    """
    if "regels_geaccepteerd" not in found:
        return None
    try:
        codes = {one["code"]: one["aantal"] for one in found["codes"]}
        good, wrong, withdrawn = counts_of(Sums(found["geaccepteerd"], found["afgekeurd"], found["ingetrokken"]), codes)
        return Receipt(
            delivery=found["aanlevering"], kind=found["soort"], sender=found["afzender"], test=found["test"],
            lines=found["records"], gezien=found["gezien"], geaccepteerd=good,
            afgekeurd=wrong, regels_geaccepteerd=found["regels_geaccepteerd"],
            regels_afgekeurd=found["regels_afgekeurd"], klaar=found["klaar"], fouten=tuple(_faults(found["fouten"])),
            codes=codes, eerste=moment_ms(found["tijd"]),
            laatste=moment_ms(found["laatste"]), ingetrokken=withdrawn,
            wacht={one["reden"]: one["aantal"] for one in found["wacht"]},
            teruggenomen=moment_ms(found["teruggenomen"]),
            opmerkingen=tuple(
                RecordRemark(line=one["record"], code=one["code"]) for one in found.get("opmerkingen_records", ())
            ),
            opmerking_codes={one["code"]: one["aantal"] for one in found.get("opmerkingen", ())},
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise IntakeRefuses("De intake antwoordt in een andere vorm. Werk dit programma bij.") from None


def _faults(found: list[dict[str, Any]]) -> Iterator[Fault]:
    for one in found:
        yield Fault(line=one["record"], regel=one["regel"], regels=one["regels"], code=one["code"], veld=one["veld"])


def moment_ms(text: str | None) -> int:
    """Milliseconds since 1970 of a moment as the intake writes it; 0 of none. ``ValueError``."""
    return int(datetime.fromisoformat(text).timestamp() * 1000) if text else 0
