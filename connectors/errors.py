"""What a sender can mend, each with a sentence that says what to do. Never holds content of a file."""

from __future__ import annotations


class ConnectorError(RuntimeError):
    """A delivery could not be made."""


class BrokerDown(ConnectorError):  # noqa: N818 - a state of affairs
    """The broker is not reachable, or lacks a topic."""


class NothingToDeliver(ConnectorError):  # noqa: N818 - a state of affairs
    """None of what was given can be delivered."""
