"""Taking back a whole delivery: one record, under a certificate like any other, and no file (decision 0017)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from connectors.delivery.deliveries import Delivery, Publishes
from connectors.delivery.sealed import SealedDelivery
from connectors.errors import ConnectorError
from connectors.formats.model import FileRecord
from crypto.keys import PublicKeys
from crypto.sign import Signer
from domain.facts.checks import check
from domain.facts.fact import Terugname
from domain.field.words import TAKEBACK_FORM
from schemas.topics import IN_TOPIC

KIND: Final = "takeback"


def named(secret: bytes, sender: str, fact: Terugname, now: int) -> Delivery:
    """The delivery that takes another back. Each has an id of its own: after the same content was delivered again, it
    can be taken back again. ``ConnectorError`` when it would be refused; ``now``: ms.
    """
    if check(fact) is not None:
        raise ConnectorError(TAKEBACK_FORM)
    parts = (KIND, sender, fact.aanlevering, str(fact.lines), str(now))
    name = hmac.new(secret, "|".join(parts).encode(), hashlib.sha256).hexdigest()[:32]
    return Delivery(name, KIND, sender, test=False, tijd=now, files=[], lines=1, secret=secret)


def publish(delivery: Delivery, fact: Terugname, keys: PublicKeys, signer: Signer, publisher: Publishes) -> None:
    """Seal and publish it; returns when the other side has it. ``NotDelivered`` when it does not take it."""
    sealed = SealedDelivery(keys, signer, KIND, delivery.id, delivery.lines, delivery.sender, delivery.test)
    try:
        envelope = sealed.envelope(1, FileRecord(1, 1, None, fact), delivery.tijd)
        publisher.send(IN_TOPIC[KIND], delivery.id.encode(), envelope)
        publisher.flush(30.0)
    except BaseException:  # an interruption, or a broker that is gone: the same command can be given again
        publisher.abandon()
        raise
