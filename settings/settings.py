"""Every setting of the system, in one frozen class.

A setting comes from the environment (prefix ``SOR_``) or keeps its default; an empty string counts as unset. Nothing
else of the project reads these variables. The descriptions below are the documentation (``settings.page``).
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.field.geography import GEMEENTEN
from faults import OperatorFault
from sinks.schema.users import NAMES, ClickHouseUser

HIGHEST_BASE = 65535 - 100


class SettingsError(OperatorFault):
    """A setting has a value that cannot be used; the message is one sentence that names it."""


class Settings(BaseSettings):
    """What an operator can choose. Build it with ``load_settings`` so that a wrong value becomes one sentence."""

    model_config = SettingsConfigDict(env_prefix="SOR_", env_ignore_empty=True, frozen=True, extra="forbid")

    home: Path = Field(Path(".sor"), description="Folder of this installation: data, logs, keys, secrets.")
    kafka: str | None = Field(
        None,
        description="Brokers of an existing Kafka cluster, host:port[,host:port]; unset starts one here.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How clients speak to the brokers."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="SASL mechanism, with a SASL_ security protocol."
    )
    kafka_username: str | None = Field(None, description="SASL user name.")
    kafka_password_file: Path | None = Field(None, description="File (mode 0600) that holds the SASL password.")
    kafka_ca_file: Path | None = Field(None, description="PEM file of the authority that signed the brokers.")
    clickhouse: str | None = Field(
        None, description="URL of a ClickHouse server, http(s)://host:port; unset starts the engine on this machine."
    )
    clickhouse_user: str | None = Field(
        None, description=f"User on that server; unset uses the name of the task: {', '.join(NAMES)}."
    )
    clickhouse_password_file: Path | None = Field(
        None, description="File (mode 0600) that holds that user's password; unset reads <home>/secrets/<user>."
    )
    clickhouse_users: Annotated[tuple[ClickHouseUser, ...], NoDecode] = Field(
        NAMES, description="Users that get a password when the engine is started here."
    )
    registry: str | None = Field(
        None, description="URL of a schema registry, http(s)://…; unset uses the schema ids bundled with the project."
    )
    ports: int | None = Field(
        None,
        ge=1024,
        le=HIGHEST_BASE,
        description="First port of the block of 100 used on 127.0.0.1: +0 Kafka, +1 its controller, +2 ClickHouse, "
        "+10 and up metrics; unset takes 27000 or the next free block and remembers it.",
    )
    keys: Path = Field(
        default_factory=lambda values: Path(values.get("home", ".sor")) / "keys",
        description="Folder of the cryptographic keys. Default <home>/keys.",
    )
    authority: Path = Field(
        default_factory=lambda values: Path(values.get("home", ".sor")) / "authority",
        description="Folder of the authority that says who may deliver; in production offline, of another "
        "administration than the stages. Default <home>/authority.",
    )
    cache: Path = Field(
        default_factory=lambda: Path("~/.cache/sor").expanduser(),
        description="Folder for what is downloaded once per user: the jars of Kafka. Default ~/.cache/sor.",
    )
    java_home: Path | None = Field(None, description="A Java of version 17 or later; unset uses the installed wheel's.")
    kafka_home: Path | None = Field(
        None, description="An unpacked Kafka distribution whose libs/ are used instead of the locked jars."
    )
    kafka_heap: str = Field("512m", pattern=r"^[1-9][0-9]*[mg]$", description="Java heap of the broker started here.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe message to log.")
    metrics_host: str = Field(
        "127.0.0.1",
        pattern=r"^[0-9a-fA-F.:]+$",
        description="Address on which a process serves /ready and /metrics; 0.0.0.0 inside a container.",
    )
    mail_addresses: Path | None = Field(
        None,
        description="TOML file with a table [adressen]: AGB code = address, and [sturen_op_resultaat] for who gets the "
        "reports elsewhere. Unset: no feedback and no reports by mail.",
    )
    mail_outbox: Path | None = Field(
        None, description="Folder that takes feedback as .eml files; unset with addresses: <home>/mail."
    )
    mail_server: str | None = Field(None, description="Mail server, host:port; unset writes to the outbox folder.")
    mail_starttls: bool = Field(True, description="Speak TLS with the mail server.")
    mail_user: str = Field("", description="User name at the mail server.")
    mail_password_file: Path | None = Field(None, description="File (mode 0600) that holds that user's password.")
    mail_sender: str = Field(
        "sor@localhost", pattern=r"^[^@\s]+@[^@\s]+$", description="Address that feedback comes from."
    )
    mail_file_names: bool = Field(
        False, description="Feedback by mail names the files; unset numbers them, for a name may hold a person's."
    )
    report_outbox: Path | None = Field(None, description="Folder for the reports of each month; unset: <home>/reports.")
    report_days: int = Field(21, ge=0, le=36_500, description="Days that this folder keeps a report; 0 keeps them all.")
    grafana: str | None = Field(
        None, description="URL of the Grafana of the audiences, http(s)://host:port, for sor grafana apply."
    )
    grafana_password_file: Path | None = Field(
        None, description="File (mode 0600) with the password of admin there; unset reads <home>/secrets/grafana_admin."
    )
    grafana_readers: Path | None = Field(
        None,
        description="TOML file with a table [lezers]: name of an organization = addresses of who may read there; who "
        "is not named leaves. Unset: readers stay as they are.",
    )
    closing_day: int = Field(
        15,
        ge=1,
        le=28,
        description="Day of a month on which sor schedule closes the month before: release and reports.",
    )
    bergop_gemeenten: Annotated[tuple[str, ...], NoDecode] = Field(
        tuple(code for code, gemeente in GEMEENTEN.items() if gemeente.cluster),
        description="CBS codes of the municipalities whose metingen pass in a BergOp feed, with commas between them; "
        "the rest is dropped before sealing.",
    )
    cbs_layout: Path | None = Field(None, description="TOML file with the columns of a CBS file.")
    postcodegebieden: Path | None = Field(
        None,
        description="TOML file with the postcode areas of the region, for a source: sor deliver puts the area of a "
        "JW301 or CBS file in the place of the postcode. Unset: no area.",
    )
    spic: Path | None = Field(
        None,
        description="TOML file with segment, profiel and intensiteit per product code: trajectories and sor audit read "
        "the same one; another content gives out every row anew. Unset: placeholders.",
    )
    audit_round_minutes: int = Field(
        60,
        ge=1,
        le=10_080,
        description="Minutes in which the process audit compares every row and every state once, or longer: it takes "
        "3 % of a core at most.",
    )
    definities: Path | None = Field(
        None,
        description="TOML file with the definitions that differ from the shipped ones, under a version of its own "
        "(docs/examples/definities.toml): trajectories and sor audit read the same one; another content gives out "
        "every row anew. Unset: the shipped ones.",
    )
    partitions: int = Field(4, ge=1, le=1024, description="Partitions of each topic that is created.")
    replication: int = Field(
        1,
        ge=1,
        le=16,
        description="Replicas of each topic that is created; a record counts when all but one have it. In production "
        "3, on as many brokers or more.",
    )
    intake: str | None = Field(
        None,
        description="URL of the HTTP intake that a source delivers to, https://host[:port]; unset takes that of the "
        "stack on this machine, and with SOR_KAFKA set publishes to those brokers itself.",
    )
    intake_token_file: Path | None = Field(None, description="File (mode 0600) with the token of this source there.")
    intake_ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed the intake's certificate; unset: those of the system."
    )
    max_file_mb: int = Field(100, ge=1, description="Largest file that sor deliver takes, in megabytes.")
    intake_host: str = Field("127.0.0.1", description="Address that the HTTP intake listens on.")
    intake_port: int = Field(8480, ge=0, le=65535, description="Port of the HTTP intake; 0 takes a free one.")
    intake_certificate: Path | None = Field(None, description="PEM file with the certificate of the intake, for TLS.")
    intake_key: Path | None = Field(None, description="PEM file with the key of that certificate.")
    intake_client_ca: Path | None = Field(
        None, description="PEM file: the intake takes only clients with a certificate of this authority."
    )
    intake_plain: bool = Field(False, description="No TLS at the intake itself: a proxy in front does it.")
    intake_workers: int = Field(2, ge=1, description="Processes of the intake that check, seal and publish.")
    intake_max_mb: int = Field(32, ge=1, description="Largest upload to the intake, in megabytes.")
    intake_memory_mb: int = Field(256, ge=1, description="Memory for all uploads to the intake together, in megabytes.")
    intake_per_minute: int = Field(120, ge=1, description="Uploads of one provider to the intake per minute.")
    intake_per_address: int = Field(
        200, ge=1, description="Connections of one address to the intake that have not shown a token yet."
    )
    intake_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses of the proxies in front of the intake, with commas between them: that bound is theirs "
        "to keep.",
    )
    intake_metrics_port: int = Field(
        8481,
        ge=0,
        le=65535,
        description="Port of /ready and /metrics of the intake, on SOR_METRICS_HOST; 0 serves neither.",
    )
    intake_tokens: Path = Field(
        default_factory=lambda values: Path(values.get("home", ".sor")) / "intake" / "tokens.json",
        description="File with the tokens of those who may deliver over HTTP. Default <home>/intake/tokens.json.",
    )
    intake_visitors: Path = Field(
        default_factory=lambda values: Path(values.get("home", ".sor")) / "portal" / "public.pem",
        description="PEM file with the public keys of the portals whose tokens the intake takes; nobody's while it is "
        "not there. Default <home>/portal/public.pem.",
    )
    intake_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses of portals whose pages may speak to the intake, with commas between them: "
        "https://host[:port].",
    )

    portal_host: str = Field("127.0.0.1", description="Address that the portal listens on.")
    portal_port: int = Field(8490, ge=1, le=65535, description="Port of the portal.")
    portal_metrics_port: int = Field(
        8491, ge=0, le=65535, description="Port of /metrics of the portal, on SOR_METRICS_HOST; 0 serves none."
    )
    portal_origin: str | None = Field(
        None,
        description="Address of the portal as people type it, https://host[:port]; plain http:// for localhost only. "
        "Unset: that of the stack on this machine, else http://localhost and its port.",
    )
    portal_intake: str | None = Field(
        None,
        description="Address of the intake as a browser reaches it, http(s)://host[:port]; unset: that of the stack on "
        "this machine.",
    )
    portal_database: str | None = Field(
        None,
        description="PostgreSQL of the portal, postgresql://host[:port]/name (psycopg must be installed); unset keeps "
        "SQLite in <home>/portal.",
    )
    portal_database_user: str = Field("portal", description="User there.")
    portal_database_password_file: Path | None = Field(
        None, description="File (mode 0600) that holds that user's password."
    )
    portal_secret_file: Path = Field(
        default_factory=lambda values: Path(values.get("home", ".sor")) / "portal" / "secret",
        description="File (mode 0600) with the secret that the portal signs sessions with; made at its first start. "
        "Default <home>/portal/secret.",
    )
    portal_oidc_issuer: str | None = Field(
        None,
        description="OpenID Connect issuer by which people may log in, https://…: whose address is known here. Unset: "
        "by password and a second factor alone.",
    )
    portal_oidc_name: str = Field("organisatie-account", description="What the portal calls that way of logging in.")
    portal_oidc_client: str = Field("", description="Client id of the portal there.")
    portal_oidc_secret_file: Path | None = Field(None, description="File (mode 0600) with the secret of that client.")
    portal_workers: int = Field(2, ge=1, le=8, description="Processes of the portal.")
    portal_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses of the proxies in front of the portal, with commas between them: they tell the address "
        "of who asks.",
    )

    @field_validator("kafka", "mail_server")
    @classmethod
    def _brokers(cls, value: str | None) -> str | None:
        for broker in value.split(",") if value else ():
            host, _, port = broker.strip().rpartition(":")
            if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError("must be host:port, or several with commas between them, such as localhost:9092")
        return value

    @field_validator(
        "clickhouse", "registry", "intake", "grafana", "portal_origin", "portal_intake", "portal_oidc_issuer"
    )
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must be a URL that starts with http:// or https://")
        if value is not None and "@" in value:
            raise ValueError("must not hold a user or password; those have settings of their own")
        return value.rstrip("/") if value else value

    @field_validator("intake_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        found = tuple(one.strip().rstrip("/") for one in value.split(",")) if isinstance(value, str) else value
        for one in found if isinstance(found, tuple) else ():
            if not re.fullmatch(r"https?://[a-z0-9.\[\]:-]+", one):
                raise ValueError("must be addresses such as https://portaal.example, with commas between them")
        return found

    @field_validator("clickhouse_users", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value

    @field_validator("intake_proxies", "portal_proxies", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        found = tuple(one.strip() for one in value.split(",")) if isinstance(value, str) else value
        for one in found if isinstance(found, tuple) else ():
            try:
                ip_address(one)
            except ValueError:
                raise ValueError("must be IP addresses with commas between them, such as 10.0.0.5") from None
        return found

    @field_validator("bergop_gemeenten", mode="before")
    @classmethod
    def _codes(cls, value: object) -> object:
        codes = tuple(code.strip() for code in value.split(",")) if isinstance(value, str) else value
        if isinstance(codes, tuple) and not all(code in GEMEENTEN for code in codes):
            raise ValueError("must be CBS codes of four digits that are known, such as 0363,0384")
        return codes

    @field_validator("*")
    @classmethod
    def _expand(cls, value: object) -> object:
        return value.expanduser() if isinstance(value, Path) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _belongs_together(self) -> Settings:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_mechanism and self.kafka_username and self.kafka_password_file
        ):
            raise ValueError(
                f"SOR_KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs SOR_KAFKA_SASL_MECHANISM, "
                "SOR_KAFKA_USERNAME and SOR_KAFKA_PASSWORD_FILE"
            )
        if self.intake is not None and self.intake_token_file is None:
            raise ValueError("SOR_INTAKE needs SOR_INTAKE_TOKEN_FILE")
        if self.portal_oidc_issuer is not None and not (self.portal_oidc_client and self.portal_oidc_secret_file):
            raise ValueError("SOR_PORTAL_OIDC_ISSUER needs SOR_PORTAL_OIDC_CLIENT and SOR_PORTAL_OIDC_SECRET_FILE")
        return self

    @property
    def secrets_dir(self) -> Path:
        """Folder (0700) with one password file (0600) per user."""
        return self.home / "secrets"

    @property
    def journal(self) -> Path:
        """The journal of this machine's own deliveries: keyed hashes, for searching."""
        return self.home / "journaal.sqlite"

    @property
    def log_dir(self) -> Path:
        """Folder with one log file per process."""
        return self.home / "log"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with ``overrides`` by field name on top.

    Raises:
        SettingsError: one sentence about the first value that cannot be used.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return f"{reason}."
    variable = f"SOR_{str(first['loc'][0]).upper()}"
    if first["type"] == "extra_forbidden":
        return f"{variable} is not a setting."
    shown = "a URL with credentials" if "@" in str(first["input"]) else repr(first["input"])
    return f"{variable} is {shown}: {reason[0].lower()}{reason[1:]}."
