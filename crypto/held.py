"""The keys of a process that runs: read anew when their files change, and how often each was used."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

from crypto import key_log
from crypto.key_files import FILE, PUBLIC, KeysError

K = TypeVar("K")
_LOOK_SECONDS: Final = 1.0
_DAY, _HOUR = 86400, 3600

_log = structlog.get_logger()


class Held(Generic[K]):
    """What ``load`` reads of a key home; ``part``: the folder that it reads beside the public one."""

    def __init__(
        self, keys: Path, part: str, load: Callable[[Path], K], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read them; raises what ``load`` raises."""
        self._folder, self._load, self._clock = keys, load, clock
        self._files = [keys / part / FILE, keys / PUBLIC / FILE]
        self._stamps = self._look()
        self.keys: K = load(keys)
        self._next = clock() + _LOOK_SECONDS
        #: What is wrong with the files as they are now, in one sentence; empty when nothing is.
        self.complaint = ""

    def refresh(self) -> bool:
        """Whether there are other keys now; looks at most once a second, and keeps what it had if the files are bad."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + _LOOK_SECONDS
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        try:
            self.keys = self._load(self._folder)
        except (KeysError, OSError) as error:
            self.complaint = str(error)
            _log.error("keys_not_read", reason=self.complaint)
            return False
        self.complaint = ""
        _log.info("keys_read")
        return True

    def _look(self) -> list[tuple[int, int, int] | None]:
        stamps: list[tuple[int, int, int] | None] = []
        for path in self._files:
            try:
                stat = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return stamps


class Uses:
    """How often a process used each key, as lines in the log of key use: the first of a day at once, then hourly.

    So a process that is killed loses counts of an hour at most, and never the day on which a key was used last.
    """

    def __init__(self, keys: Path, part: str, process: str, clock: Callable[[], float] = time.time) -> None:
        self._keys, self._part, self._process, self._clock = keys, part, process, clock
        self._counts: Counter[tuple[str, bytes]] = Counter()  # what, id -> not yet written
        self._written: dict[tuple[str, bytes], float] = {}  # when the last line was
        self._broken = False

    def end_batch(self, uses: Mapping[str, Mapping[bytes, int]]) -> None:
        """So many uses of each key, by what it is and its id; writes what is due."""
        for what, counts in uses.items():
            for key, count in counts.items():
                if count:
                    self._counts[what, key] += count
        now = self._clock()
        for which in list(self._counts):
            last = self._written.get(which)
            if last is None or now - last >= _HOUR or now // _DAY != last // _DAY:
                self._write(which, now)

    def close(self) -> None:
        """Write the rest."""
        for which in list(self._counts):
            self._write(which, self._clock())

    def _write(self, which: tuple[str, bytes], now: float) -> None:
        what, key = which
        self._written[which] = now
        count = self._counts[which]
        try:
            key_log.append(
                self._keys,
                self._part,
                "used",
                at=int(now),
                what=what,
                key=key.hex(),
                process=self._process,
                count=count,
            )
        except OSError as error:
            if not self._broken:
                _log.warning("key_log_not_written", part=self._part, reason=error.strerror)
            self._broken = True  # the stream goes on; the counts wait
        else:
            self._broken = False
            del self._counts[which]
