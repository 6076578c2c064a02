"""What a renewal makes of each record that names a client: pure, and every name of before is gone from it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from crypto import erasures, oprf
from crypto.keys import EntryKeys
from crypto.pseudonym import Pseudonyms, Renewal
from domain.facts.number import Number, Users
from operations.audit.opening import epoch_in
from operations.log_reader import Log, LogMoved, Span
from operations.renewal_rules import RenewalError, Renewer, renamed
from operations.replay.errors import ReplayError
from operations.replay.run import require_copied
from operations.rewriting import Changed, digest
from schemas.asked import Asked
from schemas.codec import Codec
from schemas.erased import Erased
from schemas.orders import Place
from schemas.records import event_to_record, fact_to_record
from schemas.structs import Use
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, REGISTER, WISVERZOEKEN
from schemas.typed import StructCodec, dict_codec
from streams.engine.stage import Record
from streams.entry import EntryConfig, Stage
from streams.erased import LOOK, Ledger
from streams.register import Register, Uses
from tests.build import cbs_record, events, start
from tests.streams.support import (
    BSN,
    ENTRY_KEYS,
    FACTS,
    Recorder,
    codec,
    envelope,
    evaluated,
    honest,
    message,
    sealed,
)
from tests.streams.test_erased import use
from tests.trusted import hub
from transport.clients import Cluster
from transport.health import HealthConfig
from transport.orders import Skips

ROOT, FRESH = ENTRY_KEYS.root, bytes(range(32))
BEFORE, AFTER = Pseudonyms(ROOT, "jeugd", 0), Pseudonyms(ROOT, "jeugd", 1, [(1, FRESH)])
RENEWAL = Renewal(FRESH, "jeugd", 1)
ONE, OTHER = (BEFORE.name(bytes([number]) * 32) for number in (1, 2))
NAME = erasures.of_root(b"r" * 32)
DELIVERIES = ["a" * 32, "b" * 32]
STATES = "sor-register-sleutels-changelog"


def ledger(client: bytes, moment: int) -> Ledger:
    return Ledger(lambda: NAME, [Erased(naam=NAME(client), moment=moment)])


def renewer(known: Ledger | None = None, skips: dict[str, Skips] | None = None) -> Renewer:
    return Renewer(RENEWAL, known or Ledger.empty(), skips or {})


def stored(topic: str, key: bytes, value: bytes | None, offset: int = 0) -> Message:
    return Message(topic=topic, partition=0, key=key, value=value, offset=offset)


def fact(published_at: int = 5) -> bytes:
    return Codec(EVENTS).encode(
        event_to_record(msgspec.structs.replace(events([start()])[0], published_at=published_at))
    )


def through(
    found: Renewer, topic: str, messages: list[Message], **more: Any
) -> list[tuple[bytes | None, bytes | None]]:
    rules = found.rules(topic, "", **more)
    assert rules.change is not None
    return [rules.change(one) for one in messages if rules.keep(one)]


@given(st.binary(min_size=32, max_size=32), st.integers(min_value=1, max_value=4))
def test_the_name_of_before_renewed_is_the_name_of_after_for_anybody(element: bytes, epoch: int) -> None:
    fresh = [(number, bytes([number]) * 32) for number in range(1, epoch + 1)]
    names = Pseudonyms(ROOT, "jeugd", epoch, fresh).names(element)
    assert len(names) == epoch + 1
    assert names[0] == BEFORE.name(element)
    for number, secret in fresh:
        found = Renewal(secret, "jeugd", number)
        assert found.renewed(names[number - 1]) == found.renewed(names[number]) == names[number]
        assert (found.is_renewed(names[number - 1]), found.is_renewed(names[number])) == (False, True)


def test_a_fact_gets_another_key_and_stays_what_it_is() -> None:
    log = [stored(EVENTS, ONE, fact()), stored(EVENTS, RENEWAL.renew(ONE), fact()), stored(EVENTS, ONE, LOOK)]
    assert through(renewer(), EVENTS, log) == [(RENEWAL.renew(ONE), fact())] * 2
    assert [renewer().is_former(one) for one in log] == [True, False, False]
    with pytest.raises(RenewalError, match=r"sor[.]events/0 offset 3 names"):
        through(renewer(), EVENTS, [stored(EVENTS, b"p1.wmo.0.x", fact(), 3)])


def test_who_was_forgotten_and_what_is_skipped_is_left_out() -> None:
    known = renewer(ledger(ONE, 6))
    log = [stored(EVENTS, ONE, fact(5)), stored(EVENTS, ONE, fact(6)), stored(EVENTS, OTHER, fact(5))]
    assert through(known, EVENTS, log) == [(RENEWAL.renew(ONE), fact(6)), (RENEWAL.renew(OTHER), fact(5))]
    uses = [stored(REGISTER, b"k", use(client, DELIVERIES[0])) for client in (ONE, OTHER)]
    assert len(through(known, REGISTER, uses)) == 1
    skips = {EVENTS: Skips("trajectories", [Place(topic=EVENTS, partition=0, offset=7)])}
    assert through(renewer(skips=skips), EVENTS, [stored(EVENTS, ONE, fact(), 7)]) == []


def test_a_use_names_its_client_anew_and_one_that_names_nobody_stays() -> None:
    nobody = dict_codec(Use).encode({**dict_codec(Use).decode(use(ONE, DELIVERIES[0])), "pseudonym": None})
    log = [stored(REGISTER, b"k", use(ONE, DELIVERIES[0])), stored(REGISTER, b"k", nobody)]
    assert through(renewer(), REGISTER, log) == [(b"k", use(RENEWAL.renew(ONE), DELIVERIES[0])), (b"k", nobody)]
    assert [renewer().is_former(one) for one in log] == [True, False]


def test_a_renewed_state_of_the_register_is_the_one_of_the_renewed_uses() -> None:
    told = [use(ONE, DELIVERIES[0]), use(OTHER, DELIVERIES[1], content=b"d" * 16)]
    state, _ = Register()(b"k", None, [Record(at, value, 0) for at, value in enumerate(told)])
    renewed = [value for _, value in through(renewer(), REGISTER, [stored(REGISTER, b"k", one) for one in told])]
    wanted, effects = Register()(b"k", None, [Record(at, value or b"", 0) for at, value in enumerate(renewed)])
    former = stored(STATES, b"k", b"older")
    found = through(renewer(), STATES, [former, stored(STATES, b"k", state, 4)], last={b"k": 4})
    assert found == [(b"k", wanted)]
    assert effects, "one number, two clients"
    again = [Record(at + 9, value or b"", 0) for at, value in enumerate(renewed)]
    assert Register()(b"k", wanted, again)[1] == [], "the copies are read and nothing follows"
    emptied = through(renewer(ledger(ONE, 6)), STATES, [stored(STATES, b"k", state)], last={b"k": 0})
    assert RENEWAL.renew(ONE) not in (emptied[0][1] or b"")
    assert RENEWAL.renew(OTHER) in (emptied[0][1] or b"")


def test_a_state_of_the_first_release_is_renamed_too() -> None:
    number = Number(per_content={b"c": Users(clienten={"a": None})}, used={b"c": {"a": [b"h"]}})
    renamed(number, str.upper)
    assert (number.used, number.per_content[b"c"].clienten) == ({b"c": {"A": [b"h"]}}, {"A": None})


def test_who_is_asked_to_be_forgotten_waits_under_the_new_name() -> None:
    asked = Asked(pseudonym=ONE.decode(), sender="99000001", door="hub", tijd=5, reden="")
    value = StructCodec(Asked).encode(asked)
    ((_, found),) = through(renewer(), WISVERZOEKEN, [stored(WISVERZOEKEN, b"d/1", value)], last={b"d/1": 0})
    assert StructCodec(Asked).decode(found or b"") == msgspec.structs.replace(
        asked, pseudonym=RENEWAL.renew(ONE).decode()
    )


def test_what_is_written_again_under_another_key_is_compared_as_that() -> None:
    one = Message(topic=EVENTS, partition=0, key=b"a", value=b"v", headers=[("h", b"1")], timestamp=(1, 5))
    same = Message(topic=EVENTS, partition=1, key=b"b", value=b"v", headers=[("h", b"1")], timestamp=(1, 5))
    assert digest([Changed(one, b"b", b"v")]) == digest([same]) != digest([one])


# --- entry -----------------------------------------------------------------------------------------------------------


def published(keys: EntryKeys, known: Ledger) -> Recorder:
    out = Recorder()
    config = EntryConfig(Cluster(""), keys, hub()[0], "group", "0", HealthConfig(), ledger=known)
    blinded, inverse = oprf.blind_message(oprf.bsn_input(BSN))
    plain = inverse + sealed(fact_to_record(FACTS["start"]), records=1, plaats=1)
    records = [envelope(IN_TOPIC["start"], blinded, plain), honest("score", line=2)]
    kinds = [IN_TOPIC["start"], IN_TOPIC["score"]]
    values = [codec(EVALUATED).encode(evaluated(one, kind)) for one, kind in zip(records, kinds, strict=True)]
    Stage(config, out)([message(EVALUATED, value, at) for at, value in enumerate(values)])  # type: ignore[arg-type]
    return out


def test_who_was_forgotten_under_a_name_of_before_stays_so() -> None:
    later = ENTRY_KEYS._replace(epoch=1, labels=((1, FRESH),))
    (former, _), *_ = published(ENTRY_KEYS, Ledger.empty()).of(EVENTS)
    (renewed, _), *_ = published(later, Ledger.empty()).of(EVENTS)
    assert renewed == RENEWAL.renew(former)
    for name in (former, renewed):
        assert published(later, ledger(name, 2**50)).of(EVENTS) == []
        assert published(later, ledger(name, 2**50)).of(REGISTER) == []
        assert len(published(later, ledger(name, 1)).of(EVENTS)) == 2
    assert len(published(later, ledger(OTHER, 2**50)).of(EVENTS)) == 2


def test_a_message_of_before_and_the_same_of_after_are_one_use_under_one_key() -> None:
    later = ENTRY_KEYS._replace(epoch=1, labels=((1, FRESH),))
    ((key, before),) = published(ENTRY_KEYS, Ledger.empty()).of(REGISTER)
    ((same, after),) = published(later, Ledger.empty()).of(REGISTER)
    assert (key, before["inhoud"]) == (same, after["inhoud"])
    assert len(before["inhoud"]) == 16
    assert RENEWAL.renew(before["pseudonym"].encode()).decode() == after["pseudonym"]


def test_a_cbs_record_names_its_client_under_the_key_of_its_first_name() -> None:
    told = {"sender": "99000001", "delivery": "a" * 32, "line": 1, "lines": 1, "published_at": 5}
    named = fact_to_record(cbs_record())

    def keys(pseudonym: bytes, first: bytes) -> dict[str, str | None]:
        found = Uses()(told, named, b"", 0, 0, 1, pseudonym, first)  # type: ignore[arg-type]
        return {key: dict_codec(Use).decode(value)["pseudonym"] for key, value in found}

    renewed = RENEWAL.renew(ONE)
    before, after = keys(ONE, b""), keys(renewed, ONE)
    assert before.keys() == after.keys()
    assert {key for key, client in before.items() if client} == {key for key, client in after.items() if client}
    assert [client for client in after.values() if client] == [renewed.decode()]
    assert {key for key, client in keys(renewed, b"").items() if client} != {
        key for key, client in after.items() if client
    }


def test_while_names_are_renewed_there_is_no_audit_and_no_replay() -> None:
    assert (epoch_in({}), epoch_in({"epoch": "7", "renewed": "1"})) == (0, 7)
    with pytest.raises(LogMoved, match="sor keys switch label"):
        epoch_in({"epoch": "7", "renewing": "1"})
    with pytest.raises(ReplayError, match="sor keys switch label"):
        require_copied(Log({0: Span(0, 3)}), {"renewing": "1"})
