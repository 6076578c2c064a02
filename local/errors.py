"""The one error of the stack."""

from __future__ import annotations

from faults import OperatorFault


class StackError(OperatorFault):
    """The stack cannot do what was asked; the message is a sentence that says what to do about it."""
