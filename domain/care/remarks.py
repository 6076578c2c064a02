"""Which record of a delivery breaks a rule between messages: what its sender is told. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Remark(NamedTuple):
    """A record of a delivery that breaks a rule between messages, which refuses nothing.

    ``kind``: start, stop, declaration or assignment; ``delivery``: its handle in hexadecimals; ``code``: the rule;
    ``gone``: it no longer does.
    """

    kind: str
    delivery: str
    line: int
    code: str
    gone: bool = False
