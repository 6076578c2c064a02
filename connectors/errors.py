"""The one error of the connectors that reaches the command line."""

from __future__ import annotations


class ConnectorError(RuntimeError):
    """A delivery cannot be made; the sentence says what to do. It never holds content of a file."""
