"""Schema ids from a registry with the Confluent API."""

from __future__ import annotations

from schemas.codec import IdSource


class RegistryIds:
    """Registers and looks up schemas; the client caches both."""

    def __init__(self, url: str) -> None:
        from confluent_kafka.schema_registry import SchemaRegistryClient

        self._client = SchemaRegistryClient({"url": url})

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema under a subject; a refused (incompatible) schema raises the registry's own error."""
        from confluent_kafka.schema_registry import Schema

        return int(self._client.register_schema(subject, Schema(schema, "AVRO")))

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
