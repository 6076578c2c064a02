"""What can be wrong with a replay."""

from __future__ import annotations

from faults import OperatorFault


class ReplayError(OperatorFault):
    """The replay cannot be done, or not go on; the sentence says what to do. What is done stays."""


class ReplayBusy(ReplayError):
    """Another replay is running in the same home folder."""
