"""Asking that clients are forgotten: a record for each, sealed like any line, and no file (decision 0029).

The number of a client is blinded here and exists in clear nowhere else; nothing of it is kept or named.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

from connectors.delivery.deliveries import Delivery, Publishes
from connectors.delivery.sealed import SealedDelivery
from connectors.errors import ConnectorError
from connectors.formats.model import FileRecord
from crypto.certificates import ANY, Source
from crypto.keys import PublicKeys
from crypto.sign import Signer
from domain.facts.checks import check
from domain.facts.fact import Wisverzoek
from domain.field.codes import FRONT_DESK
from domain.field.words import ERASURE_FORM, ERASURE_NOT_ALLOWED, ERASURE_SENDER
from schemas.topics import IN_TOPIC

KIND: Final = "erasure"
_FRESH: Final = 16
_POLL: Final = 500


def sender_of(source: Source, given: str) -> str:
    """In whose name a source asks: the provider that is said, or the one that its certificate is for. Who may send for
    all is the front desk of the third party where none is said. ``ConnectorError`` when it may not ask.
    """
    providers = source.sends_for - {ANY}
    sender = given or (FRONT_DESK if ANY in source.sends_for else next(iter(providers)) if len(providers) == 1 else "")
    if not sender:
        raise ConnectorError(ERASURE_SENDER)
    if not source.may_send(sender, KIND):
        raise ConnectorError(ERASURE_NOT_ALLOWED)
    return sender


def named(secret: bytes, sender: str, clients: int, fact: Wisverzoek, now: int) -> Delivery:
    """The delivery that asks it of so many clients. Its id says nothing of them: another asking has another id.
    ``ConnectorError`` when it would be refused; ``now``: ms.
    """
    if check(fact) is not None:
        raise ConnectorError(ERASURE_FORM)
    parts = (KIND, sender, str(clients), str(now), secrets.token_hex(_FRESH))
    name = hmac.new(secret, "|".join(parts).encode(), hashlib.sha256).hexdigest()[:32]
    return Delivery(name, KIND, sender, test=False, tijd=now, files=[], lines=clients, secret=secret)


def publish(
    delivery: Delivery, bsns: Sequence[str], fact: Wisverzoek, keys: PublicKeys, signer: Signer, publisher: Publishes
) -> None:
    """Seal and publish it; returns when the other side has it. ``NotDelivered`` when it does not take it."""
    sealed = SealedDelivery(keys, signer, KIND, delivery.id, delivery.lines, delivery.sender, delivery.test)
    try:
        for line, bsn in enumerate(bsns, 1):
            envelope = sealed.envelope(line, FileRecord(line, 1, bsn, fact), delivery.tijd)
            publisher.send(IN_TOPIC[KIND], delivery.id.encode(), envelope)
            if not line % _POLL:
                publisher.poll()
        publisher.flush(30.0)
    except BaseException:  # an interruption, or a broker that is gone: the same command can be given again
        publisher.abandon()
        raise
