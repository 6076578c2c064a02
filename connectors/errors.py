"""What a sender can mend, each with a sentence that says what to do. Never holds content of a file."""

from __future__ import annotations

from faults import OperatorFault


class ConnectorError(OperatorFault):
    """A delivery could not be made."""


class BrokerDown(ConnectorError):
    """The broker is not reachable, or lacks a topic."""


class NothingToDeliver(ConnectorError):
    """None of what was given can be delivered."""
