"""The peers themselves: Kafka Streams from locked jars, Quix Streams in an environment of its own.

Quix Streams asks for older versions of packages that this project uses too (confluent-kafka, pydantic), so no extra can
hold both: its environment is made from ``quix.lock``, in the cache, and used by nothing else. The jars lie with those
of the broker. Java's own compiler is not part of the Java that comes as a package; the locked one (ECJ) runs on it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local.errors import StackError
from local.kafka.broker import silent
from local.kafka.jars import KAFKA_VERSION, Fetch, ensure_jars, locked_jars
from local.kafka.java import find_java
from settings.settings import Settings
from tools.bench.figures import Tell

HERE: Final = Path(__file__).parent
_COMPILER: Final = "ecj"
_COMPILE_SECONDS: Final = 120.0
_INSTALL_SECONDS: Final = 900.0
_JAVA: Final = (
    "-Xms512m", "-Xmx1g", "-XX:+IgnoreUnrecognizedVMOptions", "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)  # fmt: skip

Install = Callable[[Path], None]
"""Makes an environment with the packages of the lock in a folder."""


def streams_command(settings: Settings, scratch: Path, fetch: Fetch | None = None) -> list[str]:
    """The command that runs the job in Kafka Streams, without its arguments; its classes are made in ``scratch``.

    Raises:
        StackError: a jar is not here and cannot be fetched, or is not the locked one; or there is no Java.
    """
    jars = {path.name: path for path in streams_jars(settings.cache, fetch)}
    compiler = next(path for name, path in jars.items() if name.startswith(_COMPILER))
    java, classes = find_java(settings.java_home), scratch / "classes"
    path = os.pathsep.join(str(jar) for jar in jars.values() if jar != compiler)
    command: list[str | Path] = [
        java, "-jar", compiler, "-source", "17", "-target", "17", "-proc:none", "-nowarn", "-cp", path, "-d", classes,
        HERE / "KStreams.java",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_SECONDS, check=False)
    if done.returncode:
        raise StackError(f"KStreams.java cannot be compiled: {(done.stdout + done.stderr).strip()[-1500:]}")
    # What its native libraries unpack goes with the folder of this run.
    return [
        str(java), f"-Djava.io.tmpdir={scratch}", *_JAVA, "-cp", f"{classes}{os.pathsep}{path}", "KStreams"
    ]  # fmt: skip


def streams_jars(cache: Path, fetch: Fetch | None = None) -> list[Path]:
    """The locked jars of Kafka Streams and of the compiler, fetched when they are missing."""
    wanted = locked_jars((HERE / "peers.lock").read_text("utf-8"))
    folder = cache / f"kafka-{KAFKA_VERSION}"
    try:
        return ensure_jars(cache, silent, wanted, fetch)
    except StackError as error:
        missing = [jar.filename for jar in wanted if not (folder / jar.filename).exists()]
        if not missing:
            raise
        raise StackError(
            f"The engine is measured beside Kafka Streams, and {len(missing)} of its jars are not in {folder} "
            f"({', '.join(missing)}): {str(error).split('. ')[0]}. Let this machine reach the network once and ask "
            "again; which jars these are stands in tools/bench/peers.lock."
        ) from error


def quix_python(cache: Path, tell: Tell, install: Install | None = None) -> Path:
    """The Python of the environment with Quix Streams; it is made when it is not there (130 MB).

    Raises:
        StackError: its packages cannot be fetched.
    """
    lock = hashlib.sha256((HERE / "quix.lock").read_bytes()).hexdigest()[:16]
    home = cache / f"quix-{lock}-{sys.version_info.major}.{sys.version_info.minor}"
    python = home / "bin" / "python"
    if python.exists():
        return python
    tell(f"making an environment for Quix Streams in {cache}")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        made = Path(scratch) / "made"
        (install or _install)(made)
        try:
            made.rename(home)
        except OSError:  # another run was first
            if not python.exists():
                raise
    return python


def _install(folder: Path) -> None:
    venv.create(folder, with_pip=True, symlinks=True)
    command: list[str | Path] = [
        folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--require-hashes", "--only-binary", ":all:", "--requirement", HERE / "quix.lock",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StackError(
            f"Quix Streams cannot be installed ({why[:300]}). Its packages are those of tools/bench/quix.lock: let "
            "this machine reach its package index once and ask again."
        )
