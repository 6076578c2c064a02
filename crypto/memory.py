"""What a process that sees a BSN or a private key asks of the system: nobody else may see its memory, now or later.

A process that ends badly leaves a copy of its memory on disk (a core dump), or hands it to a program that collects such
copies, for which the limit on the size of a dump does not count. Both end here. On Linux other processes of the same
user, root's excepted, cannot look into it either: no debugger, no ``/proc/<pid>/mem`` or ``environ``.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def guard() -> None:
    """Call it first: before a key is read, and in every process anew, because a new program is dumpable again.

    Raises:
        OSError: the system refuses; then nothing secret may be read.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel keeps this process dumpable")
