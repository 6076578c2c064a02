"""Where this installation's Kafka and ClickHouse are, for every command that talks to them."""

from __future__ import annotations

from typing import Final

from settings.ports import Ports, remembered_ports
from settings.running import running_supervisor
from settings.secrets import read_secret
from settings.settings import Settings, SettingsError
from sinks.access import Access
from sinks.schema.users import ClickHouseUser
from transport.clients import Cluster
from transport.https import Endpoint

#: File among the secrets with the token for the intake of this machine.
INTAKE_TOKEN: Final = "intake_token"  # noqa: S105 - a name


def kafka_cluster(settings: Settings) -> Cluster:
    """The cluster of ``SOR_KAFKA`` with its security, else the broker that ``sor up`` runs here.

    Raises:
        SettingsError: neither is there, or the password file cannot be used.
    """
    if settings.kafka is None:
        return Cluster(f"127.0.0.1:{_local(settings).kafka}")
    security: dict[str, str] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_ca_file is not None:
        security["ssl.ca.location"] = str(settings.kafka_ca_file)
    if settings.kafka_sasl_mechanism and settings.kafka_username and settings.kafka_password_file:
        security["sasl.mechanisms"] = settings.kafka_sasl_mechanism
        security["sasl.username"] = settings.kafka_username
        security["sasl.password"] = read_secret(settings.kafka_password_file)
    return Cluster(settings.kafka, security)


def intake_endpoint(settings: Settings) -> Endpoint | None:
    """The intake of ``SOR_INTAKE``, else that of the stack that runs here; None where ``SOR_KAFKA`` says to publish.

    Raises:
        SettingsError: none of them is there, or the token file cannot be used.
    """
    if settings.intake is not None and settings.intake_token_file is not None:
        own = settings.keys / "source" / "certificate.pem", settings.keys / "source" / "key.pem"
        shown = own if own[0].exists() else None
        return Endpoint(settings.intake, read_secret(settings.intake_token_file), settings.intake_ca_file, shown)
    if settings.kafka is not None:
        return None
    url = f"http://127.0.0.1:{_local(settings).intake}"
    return Endpoint(url, read_secret(settings.secrets_dir / INTAKE_TOKEN), None)


def clickhouse_url(settings: Settings) -> str:
    """URL of ClickHouse's HTTP protocol. SettingsError when there is none."""
    return settings.clickhouse or f"http://127.0.0.1:{_local(settings).clickhouse}"


def clickhouse_access(settings: Settings, role: ClickHouseUser) -> Access:
    """URL, user and password for a role. SettingsError when the server or the password is missing."""
    url = clickhouse_url(settings)
    if settings.clickhouse is None:
        return Access(url, role, read_secret(settings.secrets_dir / role))
    user = settings.clickhouse_user or role
    return Access(url, user, read_secret(settings.clickhouse_password_file or settings.secrets_dir / user))


def _local(settings: Settings) -> Ports:
    ports = remembered_ports(settings)
    # While our own stack does not run, the remembered ports may belong to another checkout: never talk to that one.
    # Who sets SOR_PORTS has said which stack is meant; the supervisor does so for its children.
    if ports is None or (settings.ports is None and running_supervisor(settings.home) is None):
        raise SettingsError(f"No stack is running in {settings.home.absolute()}. Run: sor up")
    return ports
