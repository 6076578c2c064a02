"""The jars of Apache Kafka: exactly those of ``kafka.lock``, each checked against its SHA-256.

The lock file is jgo's own (``jgo lock``) with the fields we need. jgo knows where jars come from, mirrors in the
user's jgo configuration included. What arrives, or already lies in the cache, is used only with the locked hash.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import ssl
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from local.errors import StackError

KAFKA_VERSION = "4.3.1"
_DOWNLOAD_SECONDS = 60
_CHUNK = 1 << 20

Progress = Callable[[int, int, str], None]
"""Called with (jars ready, jars in all, file name)."""

Fetch = Callable[["Jar", Path], Path]
"""Fetches one jar into a scratch folder and returns where it lies."""


@dataclass(frozen=True)
class Jar:
    """One locked jar: Maven coordinates and the SHA-256 of its bytes, in hex."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock: str | None = None) -> list[Jar]:
    """The jars of a lock file's text, by default of the committed one."""
    text = lock if lock is not None else resources.files("local.kafka").joinpath("kafka.lock").read_text("utf-8")
    return [
        Jar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"])
        for entry in tomllib.loads(text)["dependencies"]
    ]


def ensure_jars(
    cache: Path, progress: Progress, jars: list[Jar] | None = None, fetch: Fetch | None = None
) -> list[Path]:
    """Paths of all jars in ``cache``, fetching what is missing.

    Args:
        cache: the user's cache folder; safe to share between processes.
        progress: told about each jar that is ready.
        jars: what to have; by default the lock file's.
        fetch: replaces the download in tests.

    Raises:
        StackError: a jar cannot be fetched, or its bytes are not the locked ones (also when it was cached before).
    """
    wanted = locked_jars() if jars is None else jars
    folder = cache / f"kafka-{KAFKA_VERSION}"
    paths = []
    with _only_one(folder):
        for number, jar in enumerate(wanted, start=1):
            paths.append(_have(jar, folder, fetch or _download))
            progress(number, len(wanted), jar.filename)
    return paths


def missing_jars(cache: Path) -> list[str]:
    """File names of the locked jars that the cache does not hold yet; hashes are not looked at."""
    folder = cache / f"kafka-{KAFKA_VERSION}"
    return [jar.filename for jar in locked_jars() if not (folder / jar.filename).exists()]


def _have(jar: Jar, folder: Path, fetch: Fetch) -> Path:
    path = folder / jar.filename
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fetched = fetch(jar, Path(scratch))
            _check(jar, fetched)
            fetched.replace(path)
        return path
    _check(jar, path)
    return path


def _check(jar: Jar, path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != jar.sha256:
        raise StackError(
            f"{path.name} is not the jar that kafka.lock names: SHA-256 {digest.hexdigest()}, locked {jar.sha256}. "
            f"Nothing was started. Remove {path} if it exists and try again; if it comes back, its source was changed."
        )


def _download(jar: Jar, scratch: Path) -> Path:
    # Imported here: half a second that only a first run needs.
    import requests
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    _trust_the_machine()
    context = MavenContext(resolver=PythonResolver(), repo_cache=scratch, timeout=_DOWNLOAD_SECONDS)
    context.remote_repos = {**GlobalSettings.load().repositories, **context.remote_repos}
    try:
        return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
    except (requests.RequestException, RuntimeError) as error:
        raise StackError(
            f"{jar.filename} could not be fetched ({type(error).__name__}). Check the network or the proxy settings; "
            "or unpack a Kafka distribution and set SOR_KAFKA_HOME; or set SOR_KAFKA to an existing cluster."
        ) from error


def _trust_the_machine() -> None:
    """Certificates that this machine trusts (a company's proxy has its own) hold for the download too."""
    paths = ssl.get_default_verify_paths()
    trusted = paths.cafile or paths.capath
    if trusted:
        os.environ.setdefault("REQUESTS_CA_BUNDLE", trusted)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two checkouts share the cache: the second waits until the first has what it needs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in folder.glob("tmp*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
