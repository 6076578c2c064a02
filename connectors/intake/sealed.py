"""A body of sealed lines: who may send it, whether it has the form of the format, and its way to the broker.

The intake cannot open a line. It checks what can be checked without a key, so that a sender hears at once what the
stages would set aside much later: the signature, for whom the certificate may send, the form of every line. Nothing is
published before the whole body was read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from typing import Final

from connectors.delivery.compact import BODY_LINES, Head, Malformed, envelope, read
from connectors.delivery.deliveries import Publishes
from connectors.errors import BrokerDown
from connectors.intake.jobs import Denied, Done, SealedJob
from crypto.sign import Checker
from crypto.sources import NotTrusted
from schemas.codec import Codec
from transport.publisher import NotDelivered

_POLL: Final = 500


def pass_on(
    job: SealedJob, checker: Checker, publisher: Publishes, clock: Callable[[], float] = time.time
) -> Done | Denied:
    """Check a body and publish its lines as envelopes; returns when the broker has them all.

    Raises:
        BrokerDown: the broker does not take them.
    """
    now = round(clock() * 1000)
    try:
        head, lines = read(BytesIO(job.content))
        if not job.caller.may_send(head.sender):
            return Denied("foreign")
        checker(head.signed(), head.certificate, head.signature, head.sender, head.kind, now)
        earliest, number = now, 0
        for line in lines:
            earliest, number = min(earliest, line.published_at), number + 1
            if number > BODY_LINES:
                return Denied("too_large")
    except Malformed as wrong:
        return Denied("malformed", wrong.field, wrong.line)
    except NotTrusted:
        return Denied("not_trusted")
    try:
        _publish(job.content, head, publisher)
    except NotDelivered:
        publisher.abandon()
        raise BrokerDown("The broker takes nothing more.") from None
    except BaseException:
        publisher.abandon()
        raise
    return Done(head.delivery, head.kind, head.sender, head.test, head.lines, earliest, published=number)


def _publish(content: bytes, head: Head, publisher: Publishes) -> None:
    codec, key = Codec("sor.in", subject=f"{head.topic}-value"), head.delivery.encode()
    for number, line in enumerate(read(BytesIO(content))[1], 1):
        publisher.send(head.topic, key, codec.encode(envelope(head, line)))
        if not number % _POLL:
            publisher.poll()
    publisher.flush(30.0)
