"""From the field's files to sealed lines, and receipts back: ``sor deliver`` and its library."""

from connectors.connector import Connector, deliver_bytes, publish_message
from connectors.errors import BrokerDown, ConnectorError, NothingToDeliver
from connectors.model import BestandFout
from connectors.receipts import Receipt

__all__ = [
    "BestandFout",
    "BrokerDown",
    "Connector",
    "ConnectorError",
    "NothingToDeliver",
    "Receipt",
    "deliver_bytes",
    "publish_message",
]
