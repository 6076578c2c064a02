"""A lock in a database that has none: one migration runner at a time.

ClickHouse has no advisory locks, but of two who ask for ``CREATE TABLE`` without ``IF NOT EXISTS`` at once one gets it.
The lock is the table ``migratie_slot_N`` with the highest N; its comment names the owner and when it expires. Who wants
it when the highest is released or expired creates N + 1. The highest is never dropped, so N never goes back and an old
picture of the situation cannot win twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse import RefusedError, command, select, told_apart

PREFIX: Final = "migratie_slot_"
LEASE_SECONDS: Final = 120  # renewed before each statement; a statement may take half of it (clickhouse.ANSWER_SECONDS)
_EXISTS: Final = 57  # TABLE_ALREADY_EXISTS
_POLL_SECONDS: Final = 0.5


class Holder(NamedTuple):
    """The highest lock table: its number, its owner, and the seconds that its lease still runs (0 = free)."""

    number: int
    owner: str
    seconds: float


class Slot:
    """The lock of one database, for one owner (any text that tells runners apart)."""

    def __init__(self, client: Client, database: str, owner: str) -> None:
        self._client, self._database, self._owner = client, database, owner
        self._number = 0

    @contextmanager
    def held(self, wait: float, tell: Callable[[str], None]) -> Iterator[None]:
        """Hold the lock; waits up to ``wait`` seconds for who has it, and says so once.

        Raises:
            RefusedError: somebody else kept it for longer.
        """
        until, told = time.monotonic() + wait, False
        while (other := self._take()) is not None:
            if time.monotonic() >= until:
                raise RefusedError(
                    f"{other.owner} is migrating {self._database}; its lease ends in {other.seconds:.0f} s unless it "
                    "goes on. Try again when it is done."
                )
            if not told:
                tell(f"Waiting for {other.owner}, which is migrating {self._database}.")
                told = True
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            self._release()

    def renew(self) -> None:
        """Lengthen the lease, before each step. RefusedError when another runner has the lock meanwhile."""
        holder = self._highest()
        if holder.number != self._number or holder.seconds <= 0:
            raise RefusedError(
                f"This runner was away for longer than its lease of {LEASE_SECONDS} s and may have been overtaken. "
                "Run sor migrate again: what is applied stays."
            )
        self._comment(self._owner, self._now() + LEASE_SECONDS)

    def _take(self) -> Holder | None:
        """None when the lock is ours, else who has it."""
        holder = self._highest()
        if holder.seconds > 0:
            return holder
        number = holder.number + 1
        if not self._create(number) or self._highest().number != number:
            return self._highest()
        self._number = number
        for old in self._numbers():
            if old < number:
                command(self._client, f"DROP TABLE IF EXISTS {self._table(old)}", "Removing an old lock")
        return None

    def _create(self, number: int) -> bool:
        comment = _comment(self._owner, self._now() + LEASE_SECONDS)
        statement = f"CREATE TABLE {self._table(number)} (niets UInt8) ENGINE = Memory COMMENT {comment}"
        with told_apart("Taking the migration lock"):
            try:
                self._client.command(statement)
            except ClickHouseError as error:
                if getattr(error, "code", None) == _EXISTS:
                    return False
                raise
        return True

    def _release(self) -> None:
        if self._highest().number == self._number:
            self._comment("", 0)

    def _comment(self, owner: str, until: float) -> None:
        statement = f"ALTER TABLE {self._table(self._number)} MODIFY COMMENT {_comment(owner, until)}"
        command(self._client, statement, "Keeping the migration lock")

    def _highest(self) -> Holder:
        numbers = self._numbers()
        if not numbers:
            return Holder(0, "", 0)
        number = max(numbers)
        said = json.loads(numbers[number])
        return Holder(number, said["owner"], max(0.0, said["until"] - self._now()))

    def _numbers(self) -> dict[int, str]:
        rows = select(
            self._client,
            "SELECT name, comment FROM system.tables WHERE database = {d:String} AND startsWith(name, {p:String})",
            {"d": self._database, "p": PREFIX},
        )
        return {int(name.removeprefix(PREFIX)): comment for name, comment in rows}

    def _now(self) -> float:
        """The server's clock: runners need not agree on theirs."""
        return float(select(self._client, "SELECT toUnixTimestamp64Milli(now64(3)) / 1000")[0][0])

    def _table(self, number: int) -> str:
        return f"{self._database}.{PREFIX}{number}"


def _comment(owner: str, until: float) -> str:
    text = json.dumps({"owner": owner, "until": until})
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
