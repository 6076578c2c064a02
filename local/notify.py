"""Tell the service manager that this process works (the protocol of ``systemd``: datagrams to ``NOTIFY_SOCKET``)."""

from __future__ import annotations

import contextlib
import socket

from settings.running import manager_address


def notify(words: str) -> None:
    """Send ``READY=1``, ``WATCHDOG=1`` or ``STOPPING=1``; nothing when nobody manages us, or does not listen now."""
    address = manager_address()
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)
        out.sendto(words.encode(), name)
