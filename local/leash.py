"""Run a command that dies with the process that started it, even when that one is killed with -9.

A child survives its parent by default. On Linux a process can ask the kernel for a signal at the parent's death
(``PR_SET_PDEATHSIG``); the request survives ``exec``. So this file is run as a small script that asks and then becomes
the command. That is safe in a parent with threads, which a ``preexec_fn`` is not. The kernel watches the *thread* that
started the child: start leashed children from a thread that lives as long as they should.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str | os.PathLike[str]]) -> list[str]:
    """``command`` wrapped so that it is killed when the calling process ends. Elsewhere than on Linux: unwrapped."""
    plain = [os.fspath(part) for part in command]
    if sys.platform != "linux":
        return plain
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *plain]


def main(parent: int, command: list[str]) -> None:
    """Ask for the signal, make sure that the parent did not die before that, become ``command``."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refused to bind this process to its parent")
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
