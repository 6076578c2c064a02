"""What the intake allows and where it finds its parts, resolved once at its start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from schemas.codec import IdSource
from transport.clients import Cluster
from transport.health import HealthConfig


@dataclass(frozen=True)
class IntakeLimits:
    """Bounds of one process. [P] all of it; together they bound its memory (docs/intake.md has the sum)."""

    body_bytes: int = 32_000_000  # one upload
    rows: int = 1_000_000  # line ends in one upload: checking for doubles takes memory per row
    memory_bytes: int = 256_000_000  # all bodies that are read, wait or are processed
    provider_bytes: int = 64_000_000  # those of one provider
    provider_uploads: int = 8  # uploads of one provider at once: one is processed, the others wait
    connections: int = 1_000
    silent_connections: int = 600  # that have not shown a token yet: the oldest leaves for a new one
    address_connections: int = 200  # silent ones of one address (of IPv6: of one /64)
    silent_seconds: float = 15.0  # from the first packet until a token was shown, with TLS
    head_bytes: int = 16_384  # of the first request, up to its body
    provider_connections: int = 100  # that have shown a token of one provider
    uploads_per_minute: int = 120  # of one provider
    reads_per_minute: int = 1_200
    streams: int = 20  # event streams of one provider
    idle_seconds: float = 20.0  # without one byte of the body
    upload_seconds: float = 300.0  # for the whole body
    receipts_bytes: int = 64_000_000  # receipts that can be searched, shared among the providers


@dataclass(frozen=True)
class Tls:
    """Certificate and key of this server; with ``client_ca`` only clients with a certificate of that authority."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True)
class IntakeConfig:
    """One intake process."""

    keys: Path  # folder with ``public``, ``source`` and ``connector``
    cluster: Cluster
    tokens: Path
    host: str = "127.0.0.1"
    port: int = 8480
    workers: int = 2
    tls: Tls | None = None
    visitors: Path | None = None  # public keys of the portals whose tokens count
    origins: frozenset[str] = frozenset()  # pages of other addresses that may speak to it
    proxies: frozenset[str] = frozenset()  # addresses that may have any number of silent connections
    health: HealthConfig = field(default_factory=HealthConfig)  # /ready and /metrics: never for those who deliver
    limits: IntakeLimits = field(default_factory=IntakeLimits)
    ids: IdSource | None = None
    authority: Path | None = (
        None  # of development, on a machine for trying out: it makes the ``source`` that is not there
    )
