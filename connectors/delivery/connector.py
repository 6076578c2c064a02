"""The connector as a library: what ``sor deliver`` does, for a message system that publishes by itself.

One message, now and then::

    from pathlib import Path
    from connectors.delivery.connector import deliver_bytes
    from transport.clients import Cluster

    receipt = deliver_bytes(
        "JW305_1.xml", xml, keys=Path("/etc/sor/keys"), cluster=Cluster("kafka.example:9092"), test=True
    )
    if receipt is None or not receipt.klaar:
        ...  # not decided yet: deliver the same bytes again later, it counts once
    elif receipt.afgekeurd:
        print(receipt.codes)  # e.g. {"TR018": 1}, the sentences are in domain.field.messages

Many messages: keep one ``Connector`` open, so that the connection and the keys are loaded once::

    with Connector(Path("/etc/sor/keys"), Cluster("kafka.example:9092")) as connector:
        for name, xml in queue:
            connector.publish_bytes(name, xml)

``keys`` is a folder with ``public`` (from the third party), ``source`` (key and certificate of this source, by
``sor sources issue``) and ``connector`` (made at first use, mode 0600).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Final

from connectors import masking
from connectors.answer.journal import Journal
from connectors.answer.receipts import QUIET, KafkaReceipts, Receipts
from connectors.delivery import erasure, takeback
from connectors.delivery.deliveries import Delivery, Progress, Publishes, Refuse, Run, candidates, check, publish
from connectors.delivery.signers import SignerOf
from connectors.delivery.signers import signers as signers_of
from connectors.errors import BrokerDown
from connectors.formats.files import InputFile, Limits
from connectors.formats.model import Choices, FileFault
from connectors.over_intake import Intake, IntakeReceipts, SealedSender
from crypto.held import Held
from crypto.keys import PUBLIC, PublicKeys, connector_secret, load_public
from domain.facts.answer import Receipt
from domain.facts.fact import Terugname, Wisverzoek
from transport.clients import Cluster
from transport.https import Endpoint
from transport.publisher import NotDelivered, Publisher

#: How long the broker may refuse a record before the delivery is given up.
BROKER_MS: Final = 20_000
WAIT_SECONDS: Final = 60.0


def _nothing(_: object) -> None:
    return None


class Connector:
    """Delivers files: keys, secret, publisher and receipts in one place. Use it as a context manager.

    ``intake``: where sealed lines go and receipts come from; without one records go to the broker of ``cluster``.
    ``signers``: who signs for a sender; the source of the key folder when left out.
    ``journal``: file in which numbers are remembered as keyed hashes, so that their lines can be searched.
    """

    def __init__(
        self,
        keys: Path,
        cluster: Cluster,
        *,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        publisher: Publishes | None = None,
        receipts: Receipts | None = None,
        journal: Path | None = None,
        choices: Choices = Choices(),  # noqa: B008 - immutable
        signers: SignerOf | None = None,
        intake: Endpoint | None = None,
    ) -> None:
        if intake is not None:
            there = Intake(intake)
            publisher, receipts = publisher or SealedSender(there), receipts or IntakeReceipts(there)
        self._signer = signers or signers_of(keys)
        self._held = Held(keys, PUBLIC, load_public)
        self._secret, self._limits = connector_secret(keys), limits
        self._cluster, self._choices = cluster, choices
        self._receipts: Receipts = receipts or KafkaReceipts(cluster)
        self._publisher = publisher
        self._journal = Journal(journal, self._secret) if journal is not None else None

    def __enter__(self) -> Connector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._receipts.close()

    def run(self, sender: str = "", *, test: bool = False, keep_accepted: bool = False) -> Run:
        """What holds for everything delivered now; the upload time is this moment."""
        now = time.time_ns() // 1_000_000
        return Run(self._secret, sender, test, now, self._limits, keep_accepted, self._choices)

    def deliveries(
        self, found_files: Iterable[InputFile], run: Run, refuse: Refuse, progress: Progress = _nothing
    ) -> Iterator[Delivery]:
        """First pass over all files: one delivery after the other, checked and named."""
        for group in candidates(found_files, run, refuse).values():
            delivery = check(group, run, refuse, progress)
            if delivery is not None:
                yield delivery

    def connect(self) -> None:
        """Begin to connect, so that the broker is there when the first file has been checked. Does not wait."""
        self._connected()

    def publish(self, delivery: Delivery, progress: Progress = _nothing) -> None:
        """Second pass: seal and publish; returns when the broker has every record.

        Raises:
            BrokerDown: before or while publishing. Changed: a file became another one.
        """
        self._receipts.mark(delivery.receipt_key)
        if isinstance(self._publisher, SealedSender):
            self._publisher.intake.pulse = lambda: progress(0)
        try:
            with self._journal.of(delivery.id) if self._journal else nullcontext() as note:
                publish(delivery, self._keys(), self._signer(delivery.sender), self._connected(), progress, note)
        except NotDelivered as error:
            raise self._down() from error

    def take_back(self, sender: str, aanlevering: str, lines: int, reden: str = "") -> Delivery:
        """Take back a whole delivery of this sender, by its id and number of records: it counts as never sent, until
        the same is delivered again. ``reden``: one of ``TAKEBACK_REASONS``. Its receipt is that of what this returns.

        Raises:
            BrokerDown: before or while publishing. ConnectorError: an id or a reason that would be refused.
        """
        fact = Terugname(aanlevering=aanlevering, lines=lines, reden=reden)
        delivery = takeback.named(self._secret, sender, fact, time.time_ns() // 1_000_000)
        self._receipts.mark(delivery.receipt_key)
        try:
            takeback.publish(delivery, fact, self._keys(), self._signer(sender), self._connected())
        except NotDelivered as error:
            raise self._down() from error
        return delivery

    def ask_to_forget(self, bsns: Sequence[str], sender: str = "", reden: str = "") -> Delivery:
        """Ask the third party to forget clients, each a BSN that passes the elfproef; they wait there until it agrees.
        ``reden``: one of ``ERASURE_REASONS``. Its receipt is that of what this returns.

        Raises:
            BrokerDown: before or while publishing. ConnectorError: the source may not ask this, or a reason that would
                be refused.
        """
        signer, fact = self._signer(sender), Wisverzoek(reden=reden)
        sender = erasure.sender_of(signer.source, sender)
        delivery = erasure.named(self._secret, sender, len(bsns), fact, time.time_ns() // 1_000_000)
        self._receipts.mark(delivery.receipt_key)
        try:
            erasure.publish(delivery, bsns, fact, self._keys(), signer, self._connected())
        except NotDelivered as error:
            raise self._down() from error
        return delivery

    def _keys(self) -> PublicKeys:
        """The public keys as the file holds them now: the next one may have been published meanwhile."""
        self._held.refresh()
        return self._held.keys

    def _down(self) -> BrokerDown:
        return BrokerDown(
            f"De berichtenserver {self._cluster.bootstrap} neemt niets meer aan. De aanlevering is niet af. "
            "Hetzelfde commando maakt haar later af; niets telt dubbel."
        )

    def _connected(self) -> Publishes:
        if self._publisher is None:
            extra = {**QUIET, "message.timeout.ms": BROKER_MS}
            self._publisher = Publisher(self._cluster, "sor-connector", **extra)
        return self._publisher

    def receipt(
        self,
        delivery: Delivery,
        wait: float = WAIT_SECONDS,
        seen: Callable[[Receipt], None] = _nothing,
        pulse: Callable[[], None] = lambda: None,
    ) -> Receipt | None:
        """The receipt of what was just published: finished, or as far as it was when nothing moved for ``wait`` s.

        ``pulse`` is called several times a second; what it raises ends the wait.
        """
        return self._receipts.wait(delivery.receipt_key, wait, seen, pulse)

    def publish_bytes(self, name: str, content: bytes, *, sender: str = "", test: bool = False) -> Delivery:
        """Check, seal and publish one file or message, without waiting for its receipt.

        Raises:
            FileFault: it is of no known kind or names no sender. A message that is refused for its content is
                published as one refused record, and ``delivery.files[0].fault`` says why.
        """
        refused: list[FileFault] = []
        given = InputFile(masking.name(name), name, len(content), content=content)
        delivery = next(self.deliveries([given], self.run(sender, test=test), refused.append), None)
        if delivery is None:
            raise refused[0]
        self.publish(delivery)
        return delivery

    def deliver_bytes(
        self, name: str, content: bytes, *, sender: str = "", test: bool = False, wait: float = WAIT_SECONDS
    ) -> Receipt | None:
        """As ``publish_bytes``, and wait for the receipt. None when there was none in time."""
        return self.receipt(self.publish_bytes(name, content, sender=sender, test=test), wait)


def publish_message(
    name: str, content: bytes, *, keys: Path, cluster: Cluster, sender: str = "", test: bool = False
) -> str:
    """Publish one message and return the id of its delivery. See the module for an example and the errors."""
    with Connector(keys, cluster) as connector:
        return connector.publish_bytes(name, content, sender=sender, test=test).id


def deliver_bytes(
    name: str,
    content: bytes,
    *,
    keys: Path,
    cluster: Cluster,
    sender: str = "",
    test: bool = False,
    wait: float = WAIT_SECONDS,
) -> Receipt | None:
    """Publish one file or message and wait for its receipt. See the module for an example and the errors."""
    with Connector(keys, cluster) as connector:
        return connector.deliver_bytes(name, content, sender=sender, test=test, wait=wait)
