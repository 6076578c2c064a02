"""Settings of the batch shape for its three clients: Faust, RocksDB and librdkafka's producer."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import faust
from confluent_kafka import Producer

from streams.engine.stage import StageConfig, StageError
from transport import clients
from transport.clients import REQUEST_SECONDS, Cluster


def app_settings(config: StageConfig) -> dict[str, Any]:
    """Faust's settings: short timeouts (by default a request waits for 90 s and a rebalance for 60 s), no topics of its
    own, no web server, no standby copies.
    """
    return {
        "broker": ";".join(f"kafka://{host.strip()}" for host in config.bootstrap.split(",")),
        "broker_credentials": credentials(config.client),
        "store": "rocksdb://",
        "datadir": str(config.datadir),
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "topic_partitions": config.partitions,
        "table_standby_replicas": 0,
        "broker_max_poll_records": config.max_poll_records,
        "broker_session_timeout": config.session_timeout,
        "broker_heartbeat_interval": config.heartbeat,
        "broker_rebalance_timeout": config.batch_limit,
        "broker_max_poll_interval": 2 * config.batch_limit,
        "broker_request_timeout": config.batch_limit + REQUEST_SECONDS,  # a join waits for the slowest batch of others
        "consumer_group_instance_id": config.slot,
        "consumer_auto_offset_reset": "earliest",
        "recovery_consistency_check": False,  # passes over a changelog of one record; the consumer has its own
        "web_enabled": False,
    }


def store_options(partitions: int) -> dict[str, Any]:
    """RocksDB per partition: Faust's defaults would take gigabytes. All partitions together: 256 MB of cache and
    buffers at most.
    """
    megabyte = 1 << 20
    return {
        "block_cache_size": max(4, 128 // partitions) * megabyte,
        "write_buffer_size": max(2, min(8, 32 // partitions)) * megabyte,
        "max_write_buffer_number": 2,
        "target_file_size_base": 16 * megabyte,
        "bloom_filter_size": 10,
        "max_open_files": 256,
    }


def credentials(client: Mapping[str, str]) -> Any:
    """librdkafka's security settings for Faust's consumer: PLAINTEXT, SSL, and SASL over either with PLAIN or SCRAM."""
    protocol = client.get("security.protocol", "plaintext").upper()
    if protocol == "PLAINTEXT":
        return None
    context = None
    if protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=client.get("ssl.ca.location"))
        if "ssl.certificate.location" in client:
            context.load_cert_chain(
                client["ssl.certificate.location"], client.get("ssl.key.location"), client.get("ssl.key.password")
            )
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    mechanism = client.get("sasl.mechanisms") or client.get("sasl.mechanism") or ""
    if protocol not in {"SASL_PLAINTEXT", "SASL_SSL"} or mechanism not in {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}:
        raise StageError(
            f"security.protocol {protocol} with mechanism {mechanism or 'none'} is not supported: use SCRAM-SHA-512"
        )
    return faust.SASLCredentials(
        username=client.get("sasl.username"),
        password=client.get("sasl.password"),
        ssl_context=context,
        mechanism=mechanism,
    )


def producer(config: StageConfig) -> Producer:
    """The project's producer with a short-lived queue, and without compression: aiokafka reads the changelog back, and
    its lz4 is an optional part. A batch is handed over at once and waited for, so it lingers for as long as that takes.
    """
    return clients.producer(
        Cluster(config.bootstrap, config.client),
        f"{config.name}-{config.slot}",
        **{"delivery.timeout.ms": int(config.delivery_timeout * 1000), "compression.type": "none", "linger.ms": 1},
    )
