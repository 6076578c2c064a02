"""Keeps the processes of the stack running: starts them in order, restarts what dies, stops them in reverse.

One asyncio loop in the main thread starts every child, for a child dies with the thread that started it (``leash``).
The way of a service: wait for those before it → prepare → start → poll its health → ready → dies, or hangs and is
ended → wait → start again.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil

from faults import OperatorFault
from local import logs, resting
from local.disk import is_full
from local.errors import StackError
from local.hangs import Attention, Vigil
from local.leash import leashed
from local.notify import notify
from local.services import Service, environment_for
from local.state import Status, write_statuses
from local.timing import Backoff, Timing

Show = Callable[[Sequence[Status]], None]


class Supervisor:
    """Runs a list of services until it is told to stop."""

    def __init__(self, home: Path, services: Sequence[Service], show: Show, timing: Timing | None = None) -> None:
        self._home = home
        self._services = list(services)
        self._show = show
        self._timing = timing or Timing()
        self._attention = Attention(self._timing.gap)
        self._status = {service.name: Status(service.name, "waiting", since=time.time()) for service in services}
        self._up = {service.name: asyncio.Event() for service in services}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = asyncio.Event()
        self._force = False

    async def run(self) -> None:
        """Start everything, keep it running, return when stopped.

        Raises:
            StackError: a step failed, a service never became ready, or something external does not answer. Everything
                is stopped by then.
        """
        self._publish()
        # A thread each: one that hangs keeps nobody from looking at the others
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(self._services) + 2, "look"))
        beat = asyncio.create_task(self._beat())
        stop = asyncio.create_task(self._stop.wait())
        tasks = {asyncio.create_task(self._look_after(service)) for service in self._services}
        error = ""
        try:
            await self._until_stop_or_failure(stop, set(tasks))
        except OperatorFault as failure:
            error = str(failure)
            raise
        finally:
            for task in (stop, *tasks):
                task.cancel()
            await asyncio.gather(stop, *tasks, return_exceptions=True)
            await self._stop_all()
            beat.cancel()
            write_statuses(self._home, list(self._status.values()), error)

    def stop(self) -> None:
        """Stop in reverse order; called a second time: at once, by force."""
        self._force = self._stop.is_set()
        self._stop.set()

    def handle_signals(self) -> None:
        """Let Ctrl-C, SIGTERM and the closing of the terminal stop this supervisor."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)

    async def _beat(self) -> None:
        """We turn: for our own eyes, and for who looks after us."""
        notify("READY=1")
        while True:
            self._attention.turn()
            notify("WATCHDOG=1")
            await asyncio.sleep(self._timing.beat)

    async def _until_stop_or_failure(self, stop: asyncio.Task[bool], tasks: set[asyncio.Task[None]]) -> None:
        while not stop.done():
            done, _ = await asyncio.wait({stop, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & tasks:
                tasks.discard(task)
                task.result()

    async def _look_after(self, service: Service) -> None:
        await self._predecessors(service)
        if service.kind == "external":
            await self._watch_external(service)
        elif service.kind == "step":
            await self._run_step(service)
        else:
            await self._keep_running(service)

    async def _predecessors(self, service: Service) -> None:
        for name in service.after:
            if not self._up[name].is_set():
                self._set(service, "waiting", f"for {name}")
                await self._up[name].wait()

    async def _watch_external(self, service: Service) -> None:
        self._set(service, "checking", service.address)
        deadline = time.monotonic() + self._timing.external
        while True:
            missing = await _health(service)
            if missing is None:
                self._set(service, "reachable", service.address)
            elif self._up[service.name].is_set():
                self._set(service, "not ready", missing)
            elif time.monotonic() > deadline:
                raise StackError(
                    f"{service.name} at {service.address} {missing}. Start it, or correct or unset "
                    f"SOR_{service.name.upper()} to run one on this machine."
                )
            ready = self._up[service.name].is_set()
            await asyncio.sleep(self._timing.ready_poll if ready else self._timing.starting_poll)

    async def _run_step(self, service: Service) -> None:
        if not service.needed():
            self._set(service, "done", "was done before")
            return
        process = self._start(service)
        self._set(service, "running", "", process)
        await self._until(lambda: process.poll() is not None)
        code = process.returncode
        del self._running[service.name]
        if code != 0:
            self._set(service, "failed", f"ended with {_exit_words(code)}")
            raise StackError(f"The step {service.name} failed{self._last_words(service)}")
        self._set(service, "done")

    async def _keep_running(self, service: Service) -> None:
        await self._prepare(service)
        backoff = Backoff(self._timing)
        deaths = 0
        while True:
            if resting.rests(self._home, service.name):
                await self._rest(service)
            process = self._start(service)
            self._set(service, "starting", "", process)
            healthy, hung = await self._watch(service, process)
            if resting.rests(self._home, service.name):
                continue  # it did not die
            deaths = deaths + 1 if not self._up[service.name].is_set() else 0
            if deaths >= self._timing.early_deaths:
                self._set(service, "failed", f"ended {deaths} times before it was ready")
                raise StackError(f"{service.name} ended {deaths} times before it was ready{self._last_words(service)}")
            delay = backoff.after(healthy)
            why = f"hung ({hung}) and was ended" if hung else self._why_ended(process.returncode)
            self._set(
                service,
                "restarting",
                f"{why}, see sor logs {service.name}; starts again in {delay:g} s",
                restarted=True,
            )
            await asyncio.sleep(delay)

    async def _rest(self, service: Service) -> None:
        self._set(service, resting.RESTING, f"an operator stopped it; sor start {service.name} starts it again")
        await self._until(lambda: not resting.rests(self._home, service.name))

    async def _prepare(self, service: Service) -> None:
        if service.prepare is None:
            return
        loop = asyncio.get_running_loop()
        self._set(service, "preparing")

        def tell(words: str) -> None:
            loop.call_soon_threadsafe(self._set, service, "preparing", words)

        await asyncio.to_thread(service.prepare, tell)

    async def _watch(self, service: Service, process: subprocess.Popen[bytes]) -> tuple[float, str]:
        """Follow a process until it has ended, or end it when it hangs: seconds that it was ready, why it hung."""
        vigil = Vigil(service.signs, service.check, service.start_limit, self._attention)
        ready_since: float | None = None
        hung = ""
        while process.poll() is None:
            if resting.rests(self._home, service.name):
                self._set(service, "stopping", "", process)
                await self._end(process, service.stop_seconds)
                break
            missing, hangs = await vigil.look()
            if hangs and process.poll() is None:
                hung = hangs
                await self._end_hanging(service, process, hung)
            elif missing is None and process.poll() is None:
                ready_since = ready_since or time.monotonic()
                self._set(service, "ready", service.address, process)
            elif process.poll() is None:
                state = "not ready" if ready_since else "starting"
                self._set(service, state, missing or "", process)
            await self._pause(process, self._timing.ready_poll if missing is None else self._timing.starting_poll)
        del self._running[service.name]
        return time.monotonic() - ready_since if ready_since else 0.0, hung

    async def _end_hanging(self, service: Service, process: subprocess.Popen[bytes], hung: str) -> None:
        """At once when it is stopped: it would hear no SIGTERM."""
        self._set(service, "hangs", f"{hung}: it is ended, see sor logs {service.name}", process)
        logs.note(self._home / "log", service.name, f"ended by the supervisor: {hung}")
        stopped = psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
        await self._end(process, 0.0 if stopped else self._timing.grace)

    async def _pause(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        end = time.monotonic() + seconds
        await self._until(lambda: process.poll() is not None or time.monotonic() >= end)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110
            # Polled: waiting for each child in a thread of its own would take the threads that the checks need.
            await asyncio.sleep(self._timing.tick)

    def _start(self, service: Service) -> subprocess.Popen[bytes]:
        path = logs.log_file(self._home / "log", service.name)
        with path.open("ab") as log:
            process = subprocess.Popen(
                leashed(service.command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment_for(service),
                start_new_session=True,  # Ctrl-C reaches us alone, so that we choose the order
            )
        self._running[service.name] = process
        return process

    async def _stop_all(self) -> None:
        for service in reversed(self._services):
            process = self._running.pop(service.name, None)
            if process is not None:
                self._set(service, "stopping", "", process)
                await self._end(process, service.stop_seconds)
            if self._status[service.name].state not in ("failed", "done"):
                self._set(service, "stopped")

    async def _end(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        process.terminate()
        deadline = time.monotonic() + seconds
        await self._until(lambda: process.poll() is not None or time.monotonic() >= deadline or self._force)
        if process.poll() is None:
            process.kill()
        await asyncio.to_thread(process.wait)

    def _set(
        self,
        service: Service,
        state: str,
        detail: str = "",
        process: subprocess.Popen[bytes] | None = None,
        restarted: bool = False,
    ) -> None:
        old = self._status[service.name]
        pid = process.pid if process else None
        new = replace(old, state=state, detail=detail, pid=pid, restarts=old.restarts + restarted)
        if new == replace(old, started=new.started):
            return
        started = old.started if pid == old.pid else _start_time(pid)
        since = old.since if state == old.state else time.time()
        self._status[service.name] = replace(new, started=started, since=since)
        if new.up:
            self._up[service.name].set()
        self._publish()

    def _publish(self) -> None:
        statuses = list(self._status.values())
        write_statuses(self._home, statuses)
        self._show(statuses)

    def _why_ended(self, code: int) -> str:
        if is_full(self._home):
            return f"the disk of {self._home.absolute()} is full: make room there"
        return f"ended with {_exit_words(code)}"

    def _last_words(self, service: Service) -> str:
        path = self._home / "log" / f"{service.name}.log"
        last = next((logs.said(line.strip()) for line in reversed(logs.tail(path, 20)) if line.strip()), "")
        return f": {last[:300]} (all of it: sor logs {service.name})" if last else f". Look at {path}."


async def _health(service: Service) -> str | None:
    return await asyncio.to_thread(service.check) if service.check else None


def _exit_words(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _start_time(pid: int | None) -> float | None:
    if pid is None:
        return None
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
