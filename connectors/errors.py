"""What stops a connector: a sentence that says what to do and never holds content of a file."""

from __future__ import annotations

from faults import OperatorFault


class ConnectorError(OperatorFault):
    """A delivery could not be made."""


class BrokerDown(ConnectorError):
    """The broker is not reachable, or lacks a topic."""
