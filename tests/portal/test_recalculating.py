"""What the region asked, done by the real replay on a real log; and what a failure is called in the portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException

from domain.field.definitions import SHIPPED, VERSION, Definitions
from domain.field.definitions_file import DefinitionsError
from faults import OperatorFault
from operations.log_reader import LogMoved
from operations.replay.engine import Progress, Told
from operations.replay.errors import ReplayBusy, ReplayError
from operations.replay.handover import TooLate
from operations.replay.manifest import Manifest, Remembered
from operations.replay.report import Made, Report
from operations.replay.run import FOLDER, Replay, Setup
from portal.people.replay_words import REPLAY_PROBLEMS
from results.disclosure import live
from settings.settings import Settings, SettingsError, load_settings
from sinks.clickhouse import UnavailableError
from sor import recalculating
from tests.operations.test_replay import access, cluster, home, setup

__all__ = ["access", "cluster", "home", "setup"]
DOCUMENT = f"versie = {VERSION + 1}\n[termijnen]\nketen_dagen = 0\n"


@pytest.fixture
def asked(portal: Settings, people: dict[str, Any]) -> Callable[..., Any]:
    """Ask one, as the page does."""
    from portal.people.models import Herberekening

    def ask(kind: str, document: str = DOCUMENT) -> Any:
        return Herberekening.objects.create(soort=kind, document=document, asked_by=people["functioneel_beheerder"])

    return ask


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """The settings of an empty home."""
    return load_settings(home=tmp_path)


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_compared_and_put_in_use(asked: Callable[..., Any], setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real replay; the swap itself, which needs the whole stream, is that of ``sor replay``."""
    swapped = given_in_place_of(setup, monkeypatch)
    monkeypatch.setattr(Replay, "compare", partialmethod(Replay.compare, per=(None,)))  # each group asks a dozen times
    made = asked("invoeren")
    assert recalculating.do_next(load_settings(home=setup.home)) == f"{made}: klaar"
    made.refresh_from_db()
    told = made.outcome
    assert (told["now"], told["other"], told["fresh"], told["same"]) == (VERSION, VERSION + 1, True, False)
    assert [name for name, *_ in told["tables"]] == ["trajecten", "metingen", "scores"]
    assert any(count not in {"0", "<10"} for _, _, *counts in told["tables"] for count in counts)
    assert told["figures"][""][0] > 0
    assert [one.chain_days for one in swapped] == [0]


def given_in_place_of(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> list[Definitions]:
    """A replay is of this setup; the definitions that were put in use."""
    swapped: list[Definitions] = []

    def of(_settings: Settings, chosen: Callable[[Definitions], Definitions], **_: object) -> Setup:
        return setup._replace(definitions=chosen(SHIPPED))

    monkeypatch.setattr(recalculating, "setup_of", of)
    monkeypatch.setattr(recalculating, "put_in_use", lambda given, *_: swapped.append(given.definitions))
    return swapped


@pytest.mark.parametrize(("kind", "days", "puts"), [("vergelijken", 0, 0), ("invoeren", 30, 0), ("invoeren", 0, 1)])
def test_only_what_is_asked_and_what_is_new_is_put_in_use(
    kind: str, days: int, puts: int, asked: Callable[..., Any], here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Quick:
        def make(self) -> None:
            pass

        def compare(self, _day: object) -> Report:
            return Report("", Made(1, ""), Made(2, ""), 1, 1, 1, 1.0, (), False, [], [], live())

    @contextmanager
    def quick(_setup: Setup, told: Told) -> Iterator[Quick]:
        told.far(Progress(200, 50))
        made.refresh_from_db()
        assert (made.state, made.step, made.share) == ("bezig", "rekenen", 25)
        yield Quick()

    empty: Any = (None,) * len(Setup._fields)
    swapped = given_in_place_of(Setup(*empty)._replace(in_use=SHIPPED), monkeypatch)
    monkeypatch.setattr(recalculating, "begun", quick)
    made = asked(kind, DOCUMENT.replace("= 0", f"= {days}"))
    assert recalculating.do_next(here) == f"{made}: klaar"
    assert len(swapped) == puts
    assert recalculating.do_next(here) == ""


@pytest.mark.parametrize(
    ("error", "called"),
    [
        (ReplayBusy("x"), "bezet"), (ReplayError("x"), "anders"), (DefinitionsError("x"), "bestand"),
        (TooLate("x"), "overdracht"), (LogMoved("x"), "bewogen"), (UnavailableError("x"), "bereik"),
        (KafkaException("x"), "bereik"), (OperatorFault("x"), "anders"),
    ],
)  # fmt: skip
def test_a_failure_says_what_to_do(
    error: Exception, called: str, asked: Callable[..., Any], here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> Any:
        raise error

    monkeypatch.setattr(recalculating, "setup_of", fails)
    made = asked("invoeren")
    assert recalculating.do_next(here) == f"{made}: mislukt"
    made.refresh_from_db()
    assert (made.state, made.problem) == ("mislukt", called)
    assert called in REPLAY_PROBLEMS


def test_a_swap_between_its_halves_is_said_before_all_else(
    asked: Callable[..., Any], here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> Any:
        Remembered(here.home / FOLDER).save(Manifest("", 1, "", "", 0, 0, {}, {}, exchanged=True))
        raise TooLate("x")

    monkeypatch.setattr(recalculating, "setup_of", fails)
    made = asked("invoeren")
    recalculating.do_next(here)
    made.refresh_from_db()
    assert made.problem == "half"


def test_interrupted_it_waits_to_be_taken_up_again(
    asked: Callable[..., Any], here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(recalculating, "setup_of", stops)
    made = asked("vergelijken")
    with pytest.raises(KeyboardInterrupt):
        recalculating.do_next(here)
    made.refresh_from_db()
    assert (made.state, made.tries) == ("bezig", 1)


def test_one_process_does_what_is_asked(here: Settings) -> None:
    with recalculating.alone(here), pytest.raises(SettingsError, match="Another process"), recalculating.alone(here):
        pass
