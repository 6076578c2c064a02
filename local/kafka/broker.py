"""A real Apache Kafka broker on this machine: one KRaft node, no container, listeners on 127.0.0.1 only."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from local.errors import StackError
from local.kafka import security
from local.kafka.jars import Progress, ensure_jars
from local.kafka.java import find_java
from local.leash import leashed
from local.ports import require_free
from transport.clients import Cluster

STOP_SECONDS = 20.0
_FORMAT_SECONDS = 60.0
_POLL_SECONDS = 0.1
# The broker's libraries still use what Java 24 and later warn about; each warning is three lines in the log.
_QUIET = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
)


def silent(_done: int, _total: int, _name: str) -> None:
    """Progress that nobody watches."""


class Broker:
    """One broker with its own data folder, kept over restarts.

    ``with Broker(...) as broker`` prepares, starts, waits until it answers, and stops. The process dies with the thread
    that called ``start``. Data lie in ``<home>/kafka``, the log in ``<home>/log/kafka.log``.

    With ``passwords`` (user -> password, ``admin`` among them) clients must name themselves and have only the rights
    that rules give them; without, everybody on this machine may do everything.
    """

    def __init__(
        self,
        home: Path,
        port: int,
        controller_port: int,
        cache: Path,
        heap: str = "512m",
        java_home: Path | None = None,
        kafka_home: Path | None = None,
        *,
        passwords: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.port = port
        self.controller_port = controller_port
        self.heap = heap
        self.log = home / "log" / "kafka.log"
        self._cache = cache
        self._passwords = passwords
        self._folder = home.absolute() / "kafka"
        self._java_home = java_home
        self._kafka_home = kafka_home
        self._java: Path | None = None
        self._jars: list[Path] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    def cluster(self, user: str = security.ADMIN) -> Cluster:
        """The cluster as a user sees it; of a broker that asks no names, as everybody does."""
        return (
            security.cluster(self.bootstrap, user, self._passwords[user])
            if self._passwords
            else Cluster(self.bootstrap)
        )

    @property
    def command(self) -> list[str]:
        """The command that runs the broker in the foreground; ``prepare`` comes first."""
        # One machine with few cores: the second compiler and a parallel collector cost more than they bring here.
        frugal = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
        heap = (f"-Xmx{self.heap}", "-XX:+ExitOnOutOfMemoryError", *frugal)
        return [*self._run_java(*heap), "kafka.Kafka", str(self._properties)]

    def prepare(self, progress: Progress = silent) -> None:
        """Have Java and the jars, write the configuration, format the storage once.

        Raises:
            StackError: Java or a jar is missing or wrong, or the data folder is not a broker's.
        """
        self._java = find_java(self._java_home)
        self._jars = self._distribution() if self._kafka_home else ensure_jars(self._cache, progress)
        self._folder.mkdir(parents=True, exist_ok=True)
        _write_private(self._properties, self._configuration(self._data))
        if not self._data.exists():
            self._format()
        elif not (self._data / "meta.properties").is_file():
            raise StackError(
                f"{self._data} is a half-written data folder: it has no meta.properties. Put back a complete copy, "
                "or remove the folder to begin with an empty broker."
            )

    def start(self) -> subprocess.Popen[bytes]:
        """Start the prepared broker; returns at once.

        Raises:
            StackError: one of its ports is taken.
        """
        require_free({self.port: "kafka", self.controller_port: "kafka controller"})
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(self.command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self._process

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Block until the broker answers a client.

        Raises:
            StackError: it ended, or did not answer within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        client = AdminClient({**self.cluster().settings(), "log_level": 0, "reconnect.backoff.max.ms": 200})
        while not answers(client):
            if self._process is not None and self._process.poll() is not None:
                raise StackError(f"Kafka ended while it started. The reason is at the end of {self.log}.")
            if time.monotonic() > deadline:
                raise StackError(f"Kafka did not answer within {timeout:.0f} s. Look at {self.log}.")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop in an orderly way, by force after 20 s. Harmless when it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Broker:
        self.prepare()
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _run_java(self, *options: str) -> list[str]:
        if self._java is None:
            raise RuntimeError("prepare() comes before start()")
        classpath = os.pathsep.join(str(jar) for jar in self._jars)
        return [str(self._java), *options, *_QUIET, *_LOGGING, "-Djava.awt.headless=true", "-cp", classpath]

    def _distribution(self) -> list[Path]:
        jars = sorted((self._kafka_home / "libs").glob("*.jar")) if self._kafka_home else []
        if not any(jar.name.startswith("kafka_2.13-") for jar in jars):
            raise StackError(
                f"{self._kafka_home}/libs holds no Kafka. Set SOR_KAFKA_HOME to an unpacked distribution of 4.x."
            )
        return jars

    def _format(self) -> None:
        # Formatted aside and then renamed, so that a kill half-way leaves no folder that looks like data.
        scratch = self._folder / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        properties = self._folder / "format.properties"
        _write_private(properties, self._configuration(scratch))
        command = [
            *self._run_java("-Xmx256m"),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            _cluster_id(),
            "-c",
            str(properties),
        ]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
        if answer.returncode != 0:
            raise StackError(f"Kafka could not format {self._data}: {answer.stderr.strip()[-500:]}")
        properties.unlink()
        scratch.rename(self._data)

    def _configuration(self, data: Path) -> str:
        settings = _SINGLE_NODE | {
            "log.dirs": str(data),
            "listeners": f"CLIENT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{self.port}",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
        }
        if self._passwords:
            settings |= security.properties(self._passwords)
        return "".join(f"{key}={value}\n" for key, value in settings.items())


def answers(client: AdminClient) -> bool:
    """Whether a broker of the cluster answers this client within a second."""
    try:
        return bool(client.list_topics(timeout=1.0).brokers)
    except KafkaException:
        return False


def _write_private(path: Path, text: str) -> None:
    """For its owner only: the properties may hold passwords."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, "utf-8")


def _cluster_id() -> str:
    """A random id in Kafka's form: 22 characters of URL-safe base64 that do not begin like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text


_SINGLE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENT",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # What was removed from a log leaves the disk when the broker looks for it, and what a tombstone replaced when the
    # cleaner comes by: every five minutes and every 15 s by default. On one machine looking costs nothing.
    "log.retention.check.interval.ms": "3000",
    "log.cleaner.backoff.ms": "1000",
    # A killed broker may register again only when its old session has ended: 9 s by default.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "1000",
    # One node holds every internal topic; the defaults of three replicas would keep consumer groups from starting.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    # What a group read, and what is noted beside it, outlasts a stop of more than the seven days of the default.
    "offsets.retention.minutes": "5256000",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "8",
}
