"""When a process hangs, judged on a clock that the test turns."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from local.hangs import Attention, Sign, Vigil
from local.health import SILENT, http_ready
from local.services import STAGES, Service, plan
from local.timing import Timing
from settings.ports import Ports
from settings.settings import load_settings
from sinks.schema.users import LIMITS


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _fine() -> None:
    return None


SIGN = Sign(_fine, silent=10.0, spoken=2.0)


class Watched:
    """One process with one sign, looked at every half second."""

    def __init__(self, sign: Sign = SIGN, start: float | None = 60.0) -> None:
        self.clock, self.sign = Hand(), sign
        self.attention = Attention(2.0, self.clock)
        self.vigil = Vigil((sign,), None, start, self.attention)

    def sees(self, missing: str | None, seconds: float) -> str:
        """The same answer for so long; the first words that say that it hangs, else nothing."""
        for _ in range(int(seconds / 0.5)):
            asked = self.clock.now
            self.clock.now += 0.5
            if words := self.vigil.judge(self.sign, asked, missing):
                return words
        return ""


def test_silence_is_borne_up_to_its_limit() -> None:
    watched = Watched()
    assert watched.sees(None, 1) == ""
    assert watched.sees(SILENT, 9.5) == ""
    assert watched.sees(None, 0.5) == ""
    assert watched.sees(SILENT, 9.5) == ""
    assert watched.sees(SILENT, 0.5) == "does not answer for 10 s"


def test_what_it_says_itself_has_a_limit_of_its_own_that_silence_does_not_shorten() -> None:
    watched = Watched()
    assert watched.sees(None, 1) == ""
    assert watched.sees(SILENT, 8) == ""
    assert watched.sees("answers 503: stuck", 1.5) == "", "it was stopped, goes on, and says how long it stood still"
    assert watched.sees("answers 503: stuck", 0.5) == "answers 503: stuck for 2 s"


def test_any_answer_is_a_sign_where_nothing_is_said_of_words() -> None:
    watched = Watched(Sign(_fine, silent=10.0))
    assert watched.sees("answers 500: too many", 100) == ""
    assert watched.sees(SILENT, 10) == "does not answer for 10 s"


@pytest.mark.parametrize("missing", [SILENT, "answers 503: not begun"])
def test_a_start_has_time(missing: str) -> None:
    watched = Watched()
    assert watched.sees(missing, 59.5) == ""
    assert watched.sees(missing, 0.5) == f"{missing} for 60 s"
    assert Watched(start=None).sees(missing, 10_000) == ""


def test_who_did_not_look_himself_begins_to_count_anew() -> None:
    watched = Watched()
    assert watched.sees(None, 1) == ""
    assert watched.sees(SILENT, 9) == ""
    watched.clock.now += 20  # we, or the whole machine, stood still
    assert watched.sees(SILENT, 9.5) == ""
    assert watched.sees(SILENT, 1) == "does not answer for 10 s"


def test_a_loop_that_was_only_late_goes_on_counting() -> None:
    watched = Watched()
    assert watched.sees(None, 1) == ""
    assert watched.sees(SILENT, 9) == ""
    watched.clock.now += 1.4
    assert watched.sees(SILENT, 0.5) == "does not answer for 11 s"


def services(tmp_path: Path) -> dict[str, Service]:
    return {one.name: one for one in plan(load_settings(home=tmp_path), Ports(27000)) if one.kind == "service"}


def test_every_service_shows_signs_and_a_stage_must_begin_to(tmp_path: Path) -> None:
    found = services(tmp_path)
    assert {"kafka", "clickhouse", "intake", "portal", "recalculate", "exporter", "audit", *STAGES} == set(found)
    # One question of a recalculation may take hours: how long it is asked for, the portal counts
    assert [name for name, one in found.items() if not one.signs] == ["recalculate"]
    for name in ("intake", "exporter", "audit", *STAGES):
        assert found[name].start_limit == 60.0
        assert found[name].signs[0].spoken == 2.0
    assert found["kafka"].start_limit is found["clickhouse"].start_limit is None, "data may be large"


def test_only_services_show_signs_and_steps_wait_for_others(tmp_path: Path) -> None:
    steps = {one.name: one for one in plan(load_settings(home=tmp_path), Ports(27000)) if one.kind == "step"}
    assert not any(one.signs for one in steps.values())
    assert {name: one.after for name, one in steps.items()} == {
        "keys": (), "authority": ("keys",), "topics": ("kafka",), "migrate": ("clickhouse",)
    }  # fmt: skip


def test_limits_let_a_pause_of_eight_seconds_pass_and_leave_time_for_a_start_within_thirty(tmp_path: Path) -> None:
    timing = Timing()
    for name, one in services(tmp_path).items():
        if name == "recalculate":
            continue  # it shows none
        sign = one.signs[0]
        assert sign.silent > 8, name
        seen = timing.ready_poll + sign.silent + 2.0 + timing.starting_poll  # the last question is open for 2 s
        assert seen + timing.grace + timing.first_backoff <= (19 if name == "kafka" else 17), name
    assert timing.longest_backoff <= 10


def test_allowed_questions_are_no_hanging_clickhouse(tmp_path: Path) -> None:
    ping, question = services(tmp_path)["clickhouse"].signs
    assert ping.silent < LIMITS["max_execution_time"] < question.silent
    assert question.spoken is None


def test_a_process_that_dies_in_the_middle_of_its_answer_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def half() -> None:
            for _ in range(2):
                connection, _address = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(answers.pop())

        answers = [b"HTTP/1.1 503 no\r\nContent-Length: 50\r\n\r\nha", b"garbage\r\n\r\n"]
        thread = threading.Thread(target=half)
        thread.start()
        check = http_ready(f"http://127.0.0.1:{server.getsockname()[1]}/alive")
        assert check() == SILENT
        assert check() in (SILENT, "answers 503: ha")
        thread.join()
