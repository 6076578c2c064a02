"""Grafana's own client, clickhouse-go, over HTTP. Building it takes a minute: set ``SOR_TEST_GO=1`` to run this."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.clickhouse,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("SOR_TEST_GO"), reason="set SOR_TEST_GO=1 to build and run clickhouse-go"),
    pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed"),
]

PROGRAM = r"""
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func must(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}

func connect(user string, method ch.CompressionMethod) driver.Conn {
	conn, err := ch.Open(&ch.Options{
		Addr:        []string{os.Args[1]},
		Protocol:    ch.HTTP,
		Auth:        ch.Auth{Username: user, Password: user + "-password"},
		Settings:    ch.Settings{"max_execution_time": 60},
		Compression: &ch.Compression{Method: method},
		DialTimeout: 10 * time.Second,
	})
	must(err)
	return conn
}

func main() {
	ctx := context.Background()
	admin, reader := connect("admin", ch.CompressionGZIP), connect("grafana", ch.CompressionGZIP)
	must(admin.Ping(ctx))
	must(reader.Ping(ctx))
	must(admin.Exec(ctx, "CREATE DATABASE IF NOT EXISTS sor_go"))
	must(admin.Exec(ctx, "DROP TABLE IF EXISTS sor_go.t"))
	must(admin.Exec(ctx, `CREATE TABLE sor_go.t (n UInt64, ts DateTime64(3, 'UTC'), g LowCardinality(String),
		x Nullable(Float64), s String) ENGINE = MergeTree ORDER BY n`))
	batch, err := admin.PrepareBatch(ctx, "INSERT INTO sor_go.t")
	must(err)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := 0; i < 100000; i++ {
		var x *float64
		if i%2 == 0 {
			v := float64(i)
			x = &v
		}
		ts := start.Add(time.Duration(i) * time.Second)
		must(batch.Append(uint64(i), ts, fmt.Sprint("g", i%5), x, fmt.Sprint("s", i)))
	}
	must(batch.Send())
	rows, err := reader.Query(ctx, "SELECT n, ts, g, x, s FROM sor_go.t ORDER BY n")
	must(err)
	count, sum, missing := 0, uint64(0), 0
	for rows.Next() {
		var n uint64
		var ts time.Time
		var g, s string
		var x *float64
		must(rows.Scan(&n, &ts, &g, &x, &s))
		if !ts.Equal(start.Add(time.Duration(n)*time.Second)) || g != fmt.Sprint("g", n%5) || s != fmt.Sprint("s", n) {
			fmt.Println("FAILED: row", n, ts, g, s)
			os.Exit(1)
		}
		if x == nil {
			missing++
		}
		count, sum = count+1, sum+n
	}
	must(rows.Err())
	fmt.Println("rows", count, sum, missing)
	empty, err := reader.Query(ctx, "SELECT n FROM sor_go.t WHERE n > 1000000")
	must(err)
	fmt.Println("empty", empty.Next(), empty.Err())
	_, err = reader.Query(ctx, "SELECT * FROM sor_go.nowhere")
	fmt.Println("wrong", err != nil && strings.Contains(err.Error(), "UNKNOWN_TABLE"))
	err = reader.Exec(ctx, "DROP TABLE sor_go.t")
	fmt.Println("refused", err != nil && strings.Contains(err.Error(), "readonly mode"))
	// With a deadline the client asks for the seconds left and five more: what Grafana does with queryTimeout
	for _, seconds := range []time.Duration{55, 60} {
		waiting, cancel := context.WithTimeout(ctx, seconds*time.Second)
		found, err := reader.Query(waiting, "SELECT 1")
		if err == nil {
			err = found.Close()
		}
		refused := err != nil && strings.Contains(err.Error(), "shouldn't be greater than 60")
		fmt.Println("waits", int(seconds), err == nil, "refused", refused)
		cancel()
	}
	err = connect("admin", ch.CompressionLZ4).Ping(ctx)
	// The client unpacks the refusal as well, so only its status is readable; Grafana takes gzip over HTTP
	fmt.Println("blocks", err != nil && strings.Contains(err.Error(), "HTTP 501"))
	must(admin.Exec(ctx, "DROP DATABASE sor_go"))
}
"""


def _go(folder: Path, *words: str) -> str:
    done = subprocess.run(["go", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_clickhouse_go_connects_inserts_reads_and_is_refused(gateway: Any, tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(PROGRAM)
    _go(tmp_path, "mod", "init", "probe")
    _go(tmp_path, "get", "github.com/ClickHouse/clickhouse-go/v2@v2.40.1")
    _go(tmp_path, "mod", "tidy")
    output = _go(tmp_path, "run", ".", gateway.url.removeprefix("http://")).splitlines()
    assert output == [
        "rows 100000 4999950000 50000",
        "empty false <nil>",
        "wrong true",
        "refused true",
        "waits 55 true refused false",
        "waits 60 false refused true",
        "blocks true",
    ]
