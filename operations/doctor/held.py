"""Looking at what lies on this machine: keys, certificates, and how fast the disk fills."""

from __future__ import annotations

import json
import shutil
import ssl
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509

from crypto import certificates, key_list, key_log
from crypto.key_files import PUBLIC, KeysError
from crypto.key_list import Retention
from crypto.sources import AUTHORITY, ISSUED, Trust
from operations.doctor import judging
from operations.doctor.finding import Finding
from operations.doctor.judging import DiskSeen, Ending, KeySeen
from schemas.topics import EVALUATED, IN_TOPIC, topics
from settings.settings import Settings

#: What it saw of disks before, in the home folder.
NOTES: Final = "doctor.json"
_APART: Final = 3600.0  # seconds between two notes
_MOST_NOTES: Final = 200
#: Growth is told over so long at least, and at most.
_SHORTEST, _LONGEST = 6 * 3600.0, 30 * judging.DAY
#: A certificate for less is made anew all the time.
_SHORT_LIVED: Final = 60 * judging.DAY
_NEXT: Final = "The authority makes the next one (docs/sources.md)."


def examine(settings: Settings) -> Iterator[Finding]:
    """Keys, certificates and disk."""
    yield from _keys(settings.keys)
    yield from _certificates(settings)
    yield _disk(settings.home)


def retention() -> Retention:
    """How long a record may lie before evaluate opens it, and before entry does, by the declared topics."""
    first = _longest([topics()[name].config["retention.ms"] for name in IN_TOPIC.values()])
    last = _longest([topics()[EVALUATED].config["retention.ms"]])
    return Retention(first, None if first is None or last is None else first + last, last)


def _longest(times: Sequence[str]) -> int | None:
    numbers = [int(one) for one in times]
    return None if min(numbers) < 0 else max(numbers) // 1000


def _keys(folder: Path) -> Iterator[Finding]:
    if not (folder / PUBLIC).exists():
        yield Finding("keys", "warning", f"there are none in {folder}", "Run it where they are, or set SOR_KEYS.")
        return
    try:
        held = key_list.held(folder, retention())
        broken = {part: said for part in key_log.parts(folder) if (said := key_log.verify(folder, part).complaint)}
    except (KeysError, OSError) as error:
        words = str(error) if isinstance(error, KeysError) else f"{error.filename}: {error.strerror}"
        yield Finding("keys", "problem", words, "Put them back from their own copy: sor restore FOLDER --keys.")
        return
    seen = [KeySeen(one.part, one.what, one.id, one.state, one.made, one.may_go) for one in held]
    yield from judging.keys(seen, broken, time.time())


def _certificates(settings: Settings) -> Iterator[Finding]:
    seen: list[Ending] = []
    for look in (_authority, _sources, _files, _broker):
        try:
            seen += look(settings)
        except (KeysError, ValueError, OSError) as error:
            words = str(error) if isinstance(error, KeysError) else type(error).__name__
            advice = "Look at the file or address that it names."
            yield Finding("certificates", "problem", f"{look.__name__[1:]}: cannot be read ({words})", advice)
    yield from judging.endings(seen, time.time())


def _authority(settings: Settings) -> list[Ending]:
    path = settings.keys / PUBLIC / AUTHORITY
    if not path.exists():
        return []
    found = [Ending("the list of what is revoked", float(Trust(settings.keys).due), _NEXT)]
    for number, one in enumerate(x509.load_pem_x509_certificates(path.read_bytes())):
        name = f"intermediate {certificates.common_name(one)}" if number else "the authority of the sources"
        renew = "Run: sor sources init --intermediate" if number else _NEXT
        found.append(Ending(name, float(certificates.span(one)[1]), renew))
    return found


def _sources(settings: Settings) -> list[Ending]:
    """Of each source its newest certificate."""
    path = settings.keys / PUBLIC / ISSUED
    if not path.exists() or not path.read_bytes().strip():
        return []
    newest: dict[str, float] = {}
    for one in x509.load_pem_x509_certificates(path.read_bytes()):
        begins, ends = certificates.span(one)
        if ends - begins > _SHORT_LIVED:
            name = certificates.common_name(one)
            newest[name] = max(float(ends), newest.get(name, 0.0))
    return [Ending(f"source {name}", ends, "Run: sor sources issue") for name, ends in newest.items()]


def _files(settings: Settings) -> list[Ending]:
    files = {
        "the certificate of the intake (HTTPS)": settings.intake_certificate,
        "the authority of the brokers": settings.kafka_ca_file,
        "the authority of the intake's clients": settings.intake_client_ca,
    }
    renew = "Put a new one in its place, signed by who signed it (docs/runbooks/SorKeyNearExpiry.md)."
    return [Ending(name, _ends(path.read_bytes()), renew) for name, path in files.items() if path is not None]


def _broker(settings: Settings) -> list[Ending]:
    if not settings.kafka or not settings.kafka_security_protocol.endswith("SSL"):
        return []
    host, _, port = settings.kafka.split(",")[0].strip().rpartition(":")
    shown = ssl.get_server_certificate((host, int(port)), timeout=10)  # only a date is read, nothing is sent
    return [Ending("the certificate of the broker", _ends(shown.encode()), "docs/runbooks/SorKeyNearExpiry.md")]


def _ends(pem: bytes) -> float:
    return min(one.not_valid_after_utc.timestamp() for one in x509.load_pem_x509_certificates(pem))


def _disk(home: Path) -> Finding:
    usage = shutil.disk_usage(home if home.exists() else Path())
    now = time.time()
    notes = read_notes(home / NOTES)
    pace = growth(notes, now, float(usage.used))
    if home.exists() and (not notes or now - notes[-1][0] >= _APART):
        keep_notes(home / NOTES, [*notes, (now, float(usage.used))][-_MOST_NOTES:])
    return judging.disk(DiskSeen("home", float(usage.free), float(usage.total), pace))


def growth(notes: Sequence[tuple[float, float]], now: float, used: float) -> float | None:
    """Bytes a day since the oldest note that is neither too young nor too old to tell; None when there is none."""
    fit = [(at, before) for at, before in notes if _SHORTEST <= now - at <= _LONGEST]
    if not fit:
        return None
    at, before = min(fit)
    return (used - before) / (now - at) * judging.DAY


def read_notes(path: Path) -> list[tuple[float, float]]:
    """Moments and bytes used, the oldest first; none when the file is not there or no good."""
    try:
        return sorted((float(at), float(used)) for at, used in json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return []


def keep_notes(path: Path, notes: Sequence[tuple[float, float]]) -> None:
    """Write them whole or not at all; where nothing can be written growth is not told."""
    half = path.with_suffix(".new")
    try:
        half.write_text(json.dumps(notes), "utf-8")
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
