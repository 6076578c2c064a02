"""What a renewal of pseudonyms makes of each record that names a client. Pure, but for the ledger that is asked.

Whatever stands under a name of before is led to the name of after by the same step (``crypto.pseudonym.Renewal``); what
was led there already stays, so everything may be done twice. Who was forgotten is left out: under the new name nobody
but ``entry`` could tell that (decision 0030).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from confluent_kafka import Message
from msgspec.structs import replace

from crypto.pseudonym import Renewal
from domain.facts.number import Number, forget
from faults import OperatorFault
from operations.rewriting import Rules
from schemas.asked import Asked
from schemas.codec import Codec, IdSource
from schemas.structs import Use
from schemas.topics import EVENTS, REGISTER, WISVERZOEKEN
from schemas.typed import StructCodec, dict_codec
from streams.erased import Ledger
from transport.orders import Skips

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Number).decode


class RenewalError(OperatorFault):
    """The pseudonyms were not renewed, or not yet all of them; the same again goes on where this was."""


class Renewer:
    """One renewal, with the ledger of who was forgotten and the records that each stage leaves out."""

    def __init__(
        self, renewal: Renewal, ledger: Ledger, skips: Mapping[str, Skips], ids: IdSource | None = None
    ) -> None:
        """``skips``: topic -> what the stage that folds it leaves out."""
        self._renewal, self._ledger, self._skips = renewal, ledger, skips
        self._events, self._uses, self._asked = Codec(EVENTS, ids), dict_codec(Use, ids), StructCodec(Asked, ids)

    # --- the log, by key -------------------------------------------------------------------------------------------

    def rules(self, topic: str, purpose: str, last: Mapping[bytes, int] | None = None) -> Rules:
        """How a topic is rewritten. ``last``: of a compacted one the offset of the last record of each key."""
        if topic == EVENTS:
            return Rules(self._keeps_event, purpose, by_key=True, change=self._event)
        if topic == REGISTER:
            return Rules(self._keeps_use, purpose, change=self._use)
        known = last or {}
        change = self._wish if topic == WISVERZOEKEN else self._number

        def keep(message: Message) -> bool:
            return message.value() is not None and known.get(message.key() or b"") == message.offset()

        return Rules(keep, purpose, change=change)

    def is_former(self, message: Message) -> bool:
        """Whether a record of a log names a client by a name of before."""
        if not message.value():
            return False
        if message.topic() == EVENTS:
            return not self._renewal.is_renewed(message.key() or b"")
        client = self._uses.decode(message.value() or b"")["pseudonym"] or ""
        return bool(client) and not self._renewal.is_renewed(client.encode())

    def _keeps_event(self, message: Message) -> bool:
        key, value = message.key() or b"", message.value()
        if not value or self._left_out(message):
            return False
        return key not in self._ledger or not self._ledger.forgets(key, self._events.decode(value)["published_at"])

    def _event(self, message: Message) -> tuple[bytes, bytes | None]:
        return self._name(message.key() or b"", message), message.value()

    def _keeps_use(self, message: Message) -> bool:
        if not message.value() or self._left_out(message):
            return False
        use = self._uses.decode(message.value() or b"")
        client = use["pseudonym"]
        return not (client and self._ledger.forgets(client.encode(), use["published_at"]))

    def _use(self, message: Message) -> tuple[bytes | None, bytes]:
        use = self._uses.decode(message.value() or b"")
        client = use["pseudonym"]
        named: Use = {**use, "pseudonym": self._name(client.encode(), message).decode() if client else client}
        return message.key(), self._uses.encode(named)

    def _left_out(self, message: Message) -> bool:
        skips = self._skips.get(str(message.topic()))
        place = str(message.topic()), int(message.partition() or 0), int(message.offset() or 0)
        return skips is not None and skips.leave_out(*place)

    # --- what is kept of the last alone ----------------------------------------------------------------------------

    def _wish(self, message: Message) -> tuple[bytes | None, bytes]:
        asked = self._asked.decode(message.value() or b"")
        client = self._name(asked.pseudonym.encode(), message).decode()
        return message.key(), self._asked.encode(replace(asked, pseudonym=client))

    def _number(self, message: Message) -> tuple[bytes | None, bytes]:
        number = _decode(message.value() or b"")
        forget(number, lambda client, published_at: self._ledger.forgets(client.encode(), published_at))
        renamed(number, lambda client: self._name(client.encode(), message).decode())
        return message.key(), _encode(number)

    def _name(self, client: bytes, message: Message) -> bytes:
        try:
            return self._renewal.renewed(client)
        except ValueError:
            place = f"{message.topic()}/{message.partition()} offset {message.offset()}"
            raise RenewalError(
                f"{place} names a client in a way that neither this epoch nor the one before does. Nothing of it was "
                "removed: tell who maintains this program."
            ) from None


def renamed(number: Number, name: Callable[[str], str]) -> None:
    """Every client of a number of the register under another name, in place."""
    for content, clients in number.used.items():
        number.used[content] = {name(client): handles for client, handles in clients.items()}
    for users in number.per_content.values():
        users.clienten = {name(client): None for client in users.clienten}


def lasts(messages: Any) -> dict[bytes, int]:
    """The offset of the last record of each key."""
    return {message.key() or b"": int(message.offset() or 0) for message in messages}
