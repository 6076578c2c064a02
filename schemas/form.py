"""The form of the clear part of an envelope: what a publisher may write there, once for all who read it.

What it writes goes on into keys, tables and screens: a text could hold a number of a person, a negative count stops the
sink. The intake says which field is wrong; the stages, that one is.
"""

from __future__ import annotations

import re
from typing import Final

#: Bytes of one envelope; what a source seals is far smaller, and a larger one goes no further.
ENVELOPE_BYTES: Final = 65_536
_LATEST: Final = 4_102_444_800_000  # the year 2100, ms

#: Whether a text is an AGB code: eight digits.
is_sender: Final = re.compile(r"[0-9]{8}").fullmatch


def is_moment(milliseconds: int) -> bool:
    """Whether something can have been published then."""
    return 0 <= milliseconds < _LATEST
