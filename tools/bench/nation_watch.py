"""What is looked at while a year goes through the stream: how far each stage is, the disk, how soon a page answers."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.errors import StackError
from schemas.topics import EVENTS, REGISTER, groups
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import TABLES
from tools.bench import panel
from tools.bench.figures import Tell
from tools.bench.meter import Offsets
from tools.bench.services import Measured, Services
from transport.clients import Cluster

SOURCES: Final[Mapping[str, list[str]]] = {
    "trajectories": [EVENTS], "register": [REGISTER], "sink": [table.topic for table in TABLES]
}  # fmt: skip
#: The pages that are asked meanwhile, and the pause between two rounds of them.
ASKED: Final = ("everything", "one provider")
_PAUSE, _ROUND = 0.5, 2.0
_STALL, _TELL, _DISK = 180.0, 15.0, 15.0

Named = Callable[[Path], str]


class Far:
    """How far the stages are, by their committed offsets."""

    def __init__(self, cluster: Cluster) -> None:
        self._offsets = {stage: Offsets(cluster, groups()[stage], topics) for stage, topics in SOURCES.items()}

    def __call__(self) -> dict[str, tuple[int, int]]:
        """Committed and written, by stage."""
        return {stage: (one.committed(), one.ends()) for stage, one in self._offsets.items()}

    def close(self) -> None:
        """Let go of the connections."""
        for one in self._offsets.values():
            one.close()


def through(cluster: Cluster, processes: Mapping[str, Measured], home: Path, tell: Tell) -> tuple[float, int]:
    """Wait until every record has gone through every stage; seconds, and the most bytes on disk meanwhile.

    Raises:
        StackError: a process ended, or nothing moved for three minutes.
    """
    far, began = Far(cluster), time.monotonic()
    moved = told = looked = began
    before: dict[str, tuple[int, int]] = {}
    most = 0
    try:
        while True:
            time.sleep(_PAUSE)
            for process in processes.values():
                process.require()
            now, found = time.monotonic(), far()
            # Twice the same: what the register tells the stage before it in this list came in between.
            if found == before and all(done == end for done, end in found.values()):
                break
            if found != before:
                before, moved = found, now
            elif now - moved > _STALL:
                raise StackError(f"No progress for {_STALL:.0f} s: {_words(found)}.")
            if now - looked > _DISK:
                looked, most = now, max(most, used(home))
            if now - told > _TELL:
                told = now
                tell(f"{now - began:.0f} s: {_words(found)}; {most / 1e9:.1f} GB on disk")
    finally:
        far.close()
    return time.monotonic() - began, max(most, used(home))


def _words(found: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{stage} {done:,} of {end:,}" for stage, (done, end) in found.items())


def used(folder: Path) -> int:
    """Bytes that a folder takes on disk: blocks, for the broker reserves more than it fills."""
    return sum(by_part(folder, lambda _path: "").values())


def by_part(folder: Path, part: Named) -> dict[str, int]:
    """Bytes on disk of the files of a folder by the name that ``part`` gives to a path within it."""
    sizes: dict[str, int] = defaultdict(int)
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            try:
                sizes[part(path.relative_to(folder))] += path.stat().st_blocks * 512
            except FileNotFoundError:  # a segment or a part that was merged meanwhile
                continue
    return dict(sizes)


def topic_of(path: Path) -> str:
    """The topic of a file of the broker: ``data/<topic>-<partition>/...``."""
    return path.parts[1].rpartition("-")[0] if len(path.parts) > 2 else ""


class Asking:
    """A reader of the pages of results, in a thread: seconds of every question by page."""

    def __init__(self, access: Access) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._ask, args=[access], daemon=True)
        self.fault: BaseException | None = None

    def _ask(self, access: Access) -> None:
        views = {name: panel.VIEWS[name] for name in ASKED}
        try:
            with clickhouse.connect(access) as client:
                while not self._stop.wait(_ROUND):
                    for name, view in views.items():
                        for _, query in panel.queries(view.chosen, view.build, view.over):
                            began = time.perf_counter()
                            client.query(query)
                            self.seconds[name].append(time.perf_counter() - began)
        except BaseException as fault:  # noqa: BLE001 - raised where the stream is waited for
            self.fault = fault

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Ask while something else goes on; what went wrong is raised at its end."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(60.0)
        if self.fault is not None:
            raise self.fault


def asking(running: Services) -> Asking:
    """A reader as the user of Grafana."""
    return Asking(running.access("grafana"))
