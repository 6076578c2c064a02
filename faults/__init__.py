"""The roots of every exception of this project.

- ``OperatorFault``: whoever runs the process can mend it; the message is one sentence that says how. The command prints
  it and ends with ``exit_code``.
- ``SenderFault``: what somebody sent cannot be used; the message or code says what to do. It stops nobody else.
- anything else is a bug of ours: the process stops with the offset uncommitted, and the log shows lines of code and no
  values.
"""

from __future__ import annotations

from typing import ClassVar


class OperatorFault(Exception):
    """Something that an operator can mend."""

    exit_code: ClassVar[int] = 2


class SenderFault(Exception):
    """Something that the sender of a file, record or request can mend."""
