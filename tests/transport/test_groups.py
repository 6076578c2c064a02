"""A group asked from outside: what counts as nobody, what is asked again, and what is an error."""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from transport import groups
from transport.clients import Cluster

PLACE = TopicPartition("t", 0, 7)
LOADING, REFUSED = KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.GROUP_AUTHORIZATION_FAILED


def fault(code: int) -> KafkaException:
    return KafkaException(KafkaError(code))


class Client:
    """A client for administration as librdkafka has it: whoever lets it go is never answered."""

    def __init__(self, answer: int | KafkaException) -> None:
        self._answer = answer

    def describe_consumer_groups(self, asked: list[str], **_seconds: float) -> dict[str, Any]:
        alive, answer = weakref.ref(self), self._answer

        def result(_seconds: float) -> Any:
            assert alive() is not None, "nobody keeps the client until it was answered"
            if isinstance(answer, KafkaException):
                raise answer
            return SimpleNamespace(members=[object()] * answer)

        return {group: SimpleNamespace(result=result) for group in asked}


class Reader:
    """A reader that gives these answers, one after the other."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert timeout > 0
        if (code := self.answers.pop(0)) is not None:
            raise fault(code)
        return places


@pytest.mark.parametrize(("answer", "members"), [(2, 2), (0, 0), (fault(KafkaError.GROUP_ID_NOT_FOUND), 0)])
def test_members(monkeypatch: pytest.MonkeyPatch, answer: int | KafkaException, members: int) -> None:
    monkeypatch.setattr(groups, "admin", lambda _cluster: Client(answer))
    assert groups.members(Cluster("x"), "g") == members


def test_who_may_not_ask_for_members_hears_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "admin", lambda _cluster: Client(fault(REFUSED)))
    with pytest.raises(KafkaException):
        groups.members(Cluster("x"), "g")


def test_a_broker_that_starts_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_LOOK_EVERY", 0.0)
    reader: Any = Reader(LOADING, KafkaError.NOT_COORDINATOR, None)
    assert groups.committed(reader, [PLACE]) == [PLACE]
    assert reader.answers == []


def test_what_does_not_pass_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: Any = Reader(REFUSED, None)
    with pytest.raises(KafkaException):
        groups.committed(refused, [PLACE])
    monkeypatch.setattr(groups, "ANSWER_SECONDS", 0.001)
    monkeypatch.setattr(groups, "_LOOK_EVERY", 0.001)
    loading: Any = Reader(*[LOADING] * 100)
    with pytest.raises(KafkaException):
        groups.committed(loading, [PLACE])


def test_nothing_is_asked_of_no_partition() -> None:
    reader: Any = Reader()
    assert groups.committed(reader, []) == []
