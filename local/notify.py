"""Tell the service manager that this process works (the protocol of ``systemd``: datagrams to ``NOTIFY_SOCKET``)."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(words: str) -> None:
    """Send ``READY=1``, ``WATCHDOG=1`` or ``STOPPING=1``; nothing when nobody manages us, or does not listen now."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)
        out.sendto(words.encode(), name)
