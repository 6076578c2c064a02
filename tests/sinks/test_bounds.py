"""How long the sink waits for a ClickHouse that has gone without a word."""

from __future__ import annotations

from typing import Any

import clickhouse_connect
import pytest

from sinks.access import Access
from sinks.writer import Writer


def test_an_insert_waits_for_an_answer_no_longer_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    def client(**options: Any) -> object:
        made.append(options)
        return object()

    monkeypatch.setattr(clickhouse_connect, "get_client", client)
    Writer(Access("http://127.0.0.1:1", "sink", "x", "sor"))._connected()
    assert made[0]["connect_timeout"] <= 5
    assert made[0]["send_receive_timeout"] <= 20
