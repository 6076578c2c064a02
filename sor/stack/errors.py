"""The one error of the stack."""


class StackError(Exception):
    """The stack cannot do what was asked; the message is a sentence that says what to do about it."""
