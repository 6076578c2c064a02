"""Schema ids from a registry with the Confluent API."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from faults import OperatorFault
from schemas.codec import IdSource, load, names
from schemas.topics import topics

_SECONDS: Final = 10
#: Bounds of the client, which by default waits for an answer for ever: seconds for one answer (and to connect), how
#: often it asks once more, and the longest pause before it does, ms. A registry that is silent is given up after 11 s.
ANSWER_SECONDS: Final = 5
RETRIES: Final = 1
PAUSE_MS: Final = 1_000


class RegistryError(OperatorFault):
    """The registry cannot give or take contracts now; the message says what to do."""


class RegistryIds:
    """Registers and looks up schemas; the client caches both."""

    def __init__(self, url: str) -> None:
        from confluent_kafka.schema_registry import SchemaRegistryClient

        bounds = {"timeout": ANSWER_SECONDS, "max.retries": RETRIES, "retries.max.wait.ms": PAUSE_MS}
        self._client = SchemaRegistryClient({"url": url, **bounds})

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema under a subject; a refused (incompatible) schema raises the registry's own error.

        What is there is found by reading, so that a registry need not take anything from a stage.
        """
        from confluent_kafka.schema_registry import Schema

        found = self.known(subject, schema)
        return int(self._client.register_schema(subject, Schema(schema, "AVRO"))) if found is None else found

    def known(self, subject: str, schema: str) -> int | None:
        """The id of a schema that stands under a subject; None when it does not."""
        from confluent_kafka.schema_registry import Schema
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            return int(self._client.lookup_schema(subject, Schema(schema, "AVRO")).schema_id)
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                return None
            raise

    def lookup(self, schema_id: int) -> str:
        """The schema of an id; ``KeyError`` if the registry has none."""
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            return str(self._client.get_schema(schema_id).schema_str)
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                raise KeyError(schema_id) from error
            raise


def registry_ids(url: str) -> IdSource:
    """Ids from the registry at ``url``."""
    return RegistryIds(url)


def ids_of(url: str | None) -> IdSource | None:
    """Ids from the registry of a setting; None, which a codec takes for its own ids, where it names none."""
    return registry_ids(url) if url else None


def missing(url: str) -> dict[str, str]:
    """Subject -> schema of the present contracts that the registry at ``url`` does not have.

    Raises:
        RegistryError: it does not answer, or refuses.
    """
    with _told_apart(url):
        ids = RegistryIds(url)
        return {subject: schema for subject, schema in _contracts() if ids.known(subject, schema) is None}


def lay_down(url: str, contracts: Mapping[str, str]) -> None:
    """Register contracts (subject -> schema).

    Raises:
        RegistryError: the registry does not answer, takes nothing, or finds one incompatible with what it has.
    """
    with _told_apart(url):
        ids = RegistryIds(url)
        for subject, schema in contracts.items():
            ids.register(subject, schema)


def _contracts() -> Iterator[tuple[str, str]]:
    """Subject and schema of every contract: of those of a topic under its name, of all under their own."""
    subjects = {f"{name}-value": name for name in names()}
    subjects |= {f"{topic.name}-value": topic.schema for topic in topics().values() if topic.schema}
    for subject, name in sorted(subjects.items()):
        yield subject, json.dumps(load(name))


@contextmanager
def _told_apart(url: str) -> Iterator[None]:
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    try:
        urllib.request.urlopen(f"{url}/subjects", timeout=_SECONDS).close()  # noqa: S310  # http(s), by Settings
        yield
    except SchemaRegistryError as error:
        raise RegistryError(
            f"The schema registry at {url} refuses ({error.http_status_code}, {error.error_message}). One that only "
            "answers, as the stages have it, takes no contract: give the address of the one that does."
        ) from None
    except OSError as error:
        raise RegistryError(f"The schema registry at {url} does not answer ({error}).") from None
