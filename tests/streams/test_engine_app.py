"""What the batch engine leans on in Faust, and its settings."""

from __future__ import annotations

import hashlib
import inspect
from importlib.metadata import version
from pathlib import Path

import faust
import pytest

from streams.engine.app import PRIVATE, VERSIONS, build
from streams.engine.options import app_settings, credentials, store_options
from streams.engine.stage import StageConfig, StageError

# sha256 of the source of everything in PRIVATE, as it was when the crash tests passed with it.
SOURCES = {
    "Consumer._drain_messages": "44a2500309e83c63",
    "Consumer._wait_next_records": "6218e1969a636b3f",
    "Consumer.wait_empty": "e4662fe24f094819",
    "Consumer.perform_seek": "0e8c130ff4b0afd8",
    "Consumer.on_partitions_assigned": "29ce96596f05a18c",
    "Consumer.verify_all_partitions_active": "4e0e46f5c297305d",
    "ThreadDelegateConsumer.seek_wait": "e9db5bbc4ceb2543",
    "ThreadDelegateConsumer._getmany": "f9d47aa9010b5ff2",
    "QueueServiceThread.call_thread": "479edda75b54734b",
    "AIOKafkaConsumerThread._ensure_consumer": "ff4a4c693b7ec63f",
    "AIOKafkaConsumerThread.position": "20a2c434bb8ed180",
    "AIOKafkaConsumerThread._commit": "932852ce7a23f658",
    "AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "AIOKafkaConsumerThread._seek_wait": "9d221e816d940467",
    "ConsumerRebalanceListener.on_partitions_revoked": "348c3aec879faf80",
    "ConsumerRebalanceListener.on_partitions_assigned": "1c1f8406ad3698a6",
    "TableManager.on_rebalance": "2d2c23a07bf54328",
    "Recovery.on_rebalance": "aa4d997a1795ceae",
    "Recovery._restart_recovery": "6bd8a8558a2dffe4",
    "Recovery._set_recovery_ended": "84badf3f2cfe0d02",
    "Recovery.need_recovery": "fd1dc345b5d5e121",
    "Recovery.on_recovery_completed": "6ef567acf072e46d",
    "Store.persisted_offset": "6f2e502fb86043a1",
    "Store.revoke_partitions": "3f85447a24fc34ff",
    "Store._db_for_partition": "cb7e67d5f9efc4bc",
    "Store.__init__": "c7c0fa2989e8ab4a",
    "RocksDBOptions.as_options": "d2a1bea17736d2eb",
    "App._on_partitions_revoked": "d5c895bbe57dc73a",
    "App._on_partitions_assigned": "de932b7927db85b3",
    "App._stop_consumer": "55854a5de12c3f52",
    "App.on_rebalance_start": "5c1e23de30674082",
    "App.on_rebalance_end": "b7ff69e1e3772f30",
}


def test_the_versions_are_those_the_crash_tests_ran_with() -> None:
    installed = {name: version(name) for name in VERSIONS}
    assert installed == VERSIONS, (
        "streams/engine/app.py knows private names of these versions: run tests/chaos/test_batch.py several times "
        "with the new ones, read what changed in PRIVATE, then raise VERSIONS, SOURCES and pyproject.toml together"
    )


@pytest.mark.parametrize("known", PRIVATE, ids=lambda known: known.__qualname__)
def test_the_private_parts_are_unchanged(known: object) -> None:
    source = inspect.getsource(known)  # type: ignore[arg-type]
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    name = known.__qualname__  # type: ignore[attr-defined]
    assert digest == SOURCES[name], (
        f"{name} of Faust changed: read it beside streams/engine/app.py and run the crash tests"
    )


def config(**options: object) -> StageConfig:
    settings = {
        "name": "st",
        "source": "in",
        "table": "facts",
        "partitions": 4,
        "bootstrap": "one:9092, two:9092",
        "datadir": Path("state"),
        "slot": "w0",
        **options,
    }
    return StageConfig(**settings)  # type: ignore[arg-type]


def test_the_faust_settings_hold_what_the_engine_relies_on() -> None:
    settings = app_settings(config())
    assert settings["broker"] == "kafka://one:9092;kafka://two:9092"
    assert settings["topic_allow_declare"] is False
    assert settings["table_standby_replicas"] == 0
    assert settings["web_enabled"] is False


def test_no_wait_of_faust_is_longer_than_a_stage_may_take_to_be_well_again() -> None:
    """By default a request waits for 90 s, a rebalance for 60 s and a member for 1,000 s."""
    settings = app_settings(config())
    conf = faust.App("bounds", **{**settings, "store": "memory://", "broker_credentials": None}).conf
    assert (conf.broker_rebalance_timeout, conf.broker_request_timeout, conf.broker_session_timeout) == (20, 30, 10)
    assert conf.broker_max_poll_interval <= 40
    assert conf.broker_request_timeout > conf.broker_rebalance_timeout, "a join is a request"


def test_the_changelog_is_named_as_faust_names_it() -> None:
    app = faust.App("st", broker="kafka://nowhere:1", store="memory://")
    assert app.Table("facts", partitions=4).changelog_topic_name == config().changelog


def test_times_that_let_a_paused_worker_write_are_refused() -> None:
    with pytest.raises(StageError, match="pause_limit"):
        config(session_timeout=6.0, heartbeat=1.5, pause_limit=4.0)
    with pytest.raises(StageError, match="heartbeat"):
        config(session_timeout=6.0, heartbeat=3.0)


def test_a_password_is_not_shown() -> None:
    assert "geheim" not in repr(config(client={"sasl.password": "geheim"}))


def test_plaintext_needs_no_credentials() -> None:
    assert credentials({}) is None


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_librdkafka_settings_become_credentials_of_the_consumer(mechanism: str) -> None:
    client = {"security.protocol": "SASL_PLAINTEXT", "sasl.username": "u", "sasl.password": "p"}
    found = credentials({**client, "sasl.mechanisms": mechanism})
    assert (found.username, found.password, found.mechanism.value) == ("u", "p", mechanism)
    assert found.protocol.value == "SASL_PLAINTEXT"
    over_tls = credentials({**client, "security.protocol": "sasl_ssl", "sasl.mechanism": mechanism})
    assert over_tls.protocol.value == "SASL_SSL"
    assert over_tls.ssl_context.check_hostname


def test_tls_without_sasl() -> None:
    assert credentials({"security.protocol": "SSL"}).context.check_hostname


def test_a_mechanism_the_consumer_lacks_is_refused() -> None:
    with pytest.raises(StageError, match="GSSAPI"):
        credentials({"security.protocol": "SASL_SSL", "sasl.mechanisms": "GSSAPI"})


@pytest.mark.parametrize("partitions", [1, 4, 16, 32])
def test_the_store_takes_little_memory_however_many_partitions(partitions: int) -> None:
    options = store_options(partitions)
    buffers = options["write_buffer_size"] * options["max_write_buffer_number"]
    assert partitions * (options["block_cache_size"] + buffers) <= 260 << 20


async def test_a_store_has_these_options_and_packs_nothing(tmp_path: Path) -> None:
    _, store = build(config(datadir=tmp_path), None, None)  # type: ignore[arg-type]
    store.put(0, {b"key": b"state"}, 7)
    assert store.get(0, [b"key", b"other"]) == [b"state", None]
    used = next(tmp_path.rglob("OPTIONS-*")).read_text()
    assert " compression=kNoCompression" in used
    assert f" write_buffer_size={store_options(4)['write_buffer_size']}\n" in used


def test_metrics_call_a_stage_as_the_alerts_do() -> None:
    assert config(name="sor-trajectories").stage == "trajectories"
    assert config(name="other").stage == "other"
