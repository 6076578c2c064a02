"""Keys change while both stages run on real records: nothing is lost, and every client keeps its name."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.delivery.sealed import SealedDelivery
from connectors.formats.model import FileRecord
from crypto import key_list, key_log, keys, label_epochs, oprf, rotation
from crypto.held import Held, Uses
from crypto.key_list import CURRENT, FORMER, NEXT, Key, Retention
from crypto.pseudonym import Pseudonyms
from crypto.seal import key_id
from crypto.sources import Trust
from domain.field.bsn import official_numbers
from schemas.codec import Codec
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, REJECTED
from streams.entry import EntryConfig
from streams.entry import Stage as EntryStage
from streams.evaluate import EvaluateConfig
from streams.evaluate import Stage as EvaluateStage
from tests.build import score
from tests.streams.support import Recorder
from tests.trusted import ARRIVED, arrived, with_authority
from transport.clients import Cluster
from transport.health import HealthConfig

SENDER, TOPIC = "99000001", IN_TOPIC["score"]
CLIENTS = official_numbers()[:3]
NOW = ARRIVED // 1000
DAY = 86_400
LATER = NOW + rotation.SETTLED_SECONDS
RETENTION = Retention(14 * DAY, 28 * DAY, 14 * DAY)


class Clock:
    """Seconds that a test moves on; every look at the files is a second later than the last."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Running:
    """Both stages as they run, in one process, on the keys of a home; a source that delivers between."""

    def __init__(self, folder: Path) -> None:
        self.keys, self.clock = folder, Clock()
        keys.init(folder)
        self.source = with_authority(folder)
        self.trust, self.sent = Trust(folder), 0
        self.start()

    def start(self) -> None:
        """Stages that begin now."""
        page, cluster = HealthConfig(None, "", self.keys), Cluster("nowhere:1")
        self.evaluate_held = Held(self.keys, keys.EVALUATE, keys.load_evaluate, self.clock)
        self.entry_held = Held(self.keys, keys.ENTRY, keys.load_entry, self.clock)
        self.uses = [Uses(self.keys, part, f"{part}-0", self.clock) for part in (keys.EVALUATE, keys.ENTRY)]
        self.middle, self.out = Recorder(), Recorder()
        held, other = self.evaluate_held, self.entry_held
        self.evaluate = EvaluateStage(
            EvaluateConfig(cluster, held.keys, self.trust, "g", "0", page, None, held, self.uses[0]),
            self.middle,  # type: ignore[arg-type]
        )
        self.entry = EntryStage(
            EntryConfig(cluster, other.keys, self.trust, "g", "0", page, None, other, self.uses[1]),
            self.out,  # type: ignore[arg-type]
        )

    def sealed(self, moment: int | None = None, public: keys.PublicKeys | None = None) -> list[bytes]:
        """One delivery with a score of each client, as a source seals it; ``moment``: s, now by its clock."""
        self.sent += 1
        public = (public or keys.load_public(self.keys)).at((moment or NOW) * 1000)
        name = f"{self.sent:032x}"
        made = SealedDelivery(public, self.source, "score", name, len(CLIENTS), SENDER, test=False)
        fact = score(b"4711", b"b-1")
        return [made.envelope(n, FileRecord(n, 1, bsn, fact), ARRIVED) for n, bsn in enumerate(CLIENTS, 1)]

    def evaluated(self, envelopes: list[bytes]) -> list[bytes]:
        """What evaluate makes of them."""
        self.middle.sent.clear()
        self.evaluate([arrived(TOPIC, one, b"k") for one in envelopes])
        return [value for topic, _, value in self.middle.sent if topic == EVALUATED]

    def named(self, records: list[bytes]) -> list[bytes]:
        """The names under which entry lets them in."""
        self.out.sent.clear()
        self.entry([arrived(EVALUATED, one, b"k") for one in records])
        return [key for topic, key, _ in self.out.sent if topic == EVENTS]

    def delivered(self, moment: int | None = None) -> list[bytes]:
        """The names of one delivery through both stages."""
        return self.named(self.evaluated(self.sealed(moment)))

    def listed(self, state: str) -> list[Key]:
        """The keys of that state."""
        return [one for one in key_list.held(self.keys, RETENTION) if one.state == state]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path / "keys")


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("keys.json")))


@pytest.mark.parametrize("receiver", [keys.EVALUATE, keys.ENTRY])
def test_a_sealing_key_changes_while_records_flow(running: Running, receiver: str) -> None:
    names, waiting, old = running.delivered(), running.sealed(), keys.load_public(running.keys)
    made = rotation.publish_sealing(running.keys, receiver, ahead=7 * DAY, at=NOW)
    ahead = keys.load_public(running.keys)
    assert running.delivered(NOW + 6 * DAY) == names
    assert ahead.at((NOW + 6 * DAY) * 1000)[:6] == old[:6]
    assert key_id(getattr(ahead.at((NOW + 7 * DAY) * 1000), receiver)).hex() == made.key
    assert running.delivered(NOW + 8 * DAY) == names, "a source that reads what was published ahead"
    with pytest.raises(keys.KeysError, match="counts from"):
        rotation.switch_sealing(running.keys, receiver, at=NOW + DAY)
    with pytest.raises(keys.KeysError, match="counts from"):
        rotation.publish_sealing(running.keys, receiver, ahead=0, at=NOW + DAY)
    rotation.switch_sealing(running.keys, receiver, at=NOW + 8 * DAY)
    assert running.delivered() == names
    late = running.sealed(public=old)
    assert running.named(running.evaluated(late)) == names, "a source that has the public file of before"
    assert running.named(running.evaluated(waiting)) == names, "sealed before, opened after"
    assert not [topic for topic, _, _ in running.out.sent + running.middle.sent if topic == REJECTED]


def test_the_age_of_the_sealing_keys_is_that_of_the_older(running: Running) -> None:
    told: list[float] = []
    for receiver, then in ((keys.ENTRY, NOW - 2000), (keys.EVALUATE, NOW - 1000), (keys.ENTRY, NOW - 900)):
        rotation.publish_sealing(running.keys, receiver, ahead=0, at=then - 60)
        rotation.switch_sealing(running.keys, receiver, at=then)
        told.append(keys.sealing_since(running.keys) - NOW)
    assert told == [-2000, -2000, -1000]
    public = json.loads((running.keys / keys.PUBLIC / "keys.json").read_bytes())
    del public["since"]
    (running.keys / keys.PUBLIC / "keys.json").write_text(json.dumps(public))
    assert keys.sealing_since(running.keys) == pytest.approx(time.time(), abs=600), "of an earlier release"


def test_an_idle_stage_lets_go_of_a_destroyed_key(running: Running) -> None:
    """Its loop turns, and no record comes."""
    before = keys.load_public(running.keys).evaluate
    rotation.publish_sealing(running.keys, keys.EVALUATE, ahead=0, at=NOW)
    rotation.switch_sealing(running.keys, keys.EVALUATE, at=LATER)
    running.evaluate.look()
    assert len(running.evaluate_held.keys.sealing) == 2
    rotation.destroy_sealing(running.keys, keys.EVALUATE, key_id(before).hex(), at=LATER)
    running.evaluate.look()
    running.entry.look()
    assert len(running.evaluate_held.keys.sealing) == 1


def test_what_was_sealed_to_a_destroyed_key_does_not_open(running: Running) -> None:
    old = running.sealed()
    before = keys.load_public(running.keys).evaluate
    rotation.publish_sealing(running.keys, keys.EVALUATE, ahead=0, at=NOW)
    running.delivered()
    rotation.switch_sealing(running.keys, keys.EVALUATE, at=LATER)
    inode = os.open(running.keys / keys.EVALUATE / "keys.json", os.O_RDONLY)
    rotation.destroy_sealing(running.keys, keys.EVALUATE, key_id(before).hex(), at=NOW)
    assert not os.read(inode, 10_000).strip(b"\0"), "what stood in the file was overwritten"
    os.close(inode)
    assert not running.evaluated(old)
    assert [topic for topic, _, _ in running.middle.sent] == 3 * [REJECTED]
    assert running.delivered()
    with pytest.raises(keys.KeysError, match="no former sealing key"):
        rotation.destroy_sealing(running.keys, keys.EVALUATE, key_id(before).hex(), at=NOW)


@pytest.mark.parametrize("state", [CURRENT, NEXT])
def test_a_key_that_counts_is_not_destroyed(running: Running, state: str) -> None:
    rotation.publish_sealing(running.keys, keys.ENTRY, ahead=DAY, at=NOW)
    (key,) = (one for one in running.listed(state) if (one.part, one.what) == (keys.ENTRY, keys.SEALING))
    with pytest.raises(keys.KeysError, match="no former"):
        rotation.destroy_sealing(running.keys, keys.ENTRY, key.id, at=NOW + 1000 * DAY)


def test_a_former_key_may_go_when_its_last_records_are_kept_no_more(running: Running) -> None:
    old = keys.load_public(running.keys)
    rotation.publish_sealing(running.keys, keys.ENTRY, ahead=0, at=NOW)
    rotation.switch_sealing(running.keys, keys.ENTRY, at=LATER)
    (former,) = running.listed(FORMER)
    assert (former.reason, former.may_go) == ("no log of its use is here", None)
    running.clock.now = NOW + 3 * DAY  # a source seals to the former key three days later
    running.named(running.evaluated(running.sealed(public=old)))
    (former,) = running.listed(FORMER)
    assert former.until == LATER
    assert former.used_last == (NOW + 3 * DAY) // DAY * DAY + DAY
    assert former.may_go == former.used_last + RETENTION.entry  # type: ignore[operator]
    (forever,) = (one for one in key_list.held(running.keys, Retention(None, None, None)) if one.state == FORMER)
    assert forever.may_go is None
    place = running.keys / "log" / keys.ENTRY / key_log.FILE
    place.write_bytes(place.read_bytes().replace(b'"used"', b'"Used"', 1))
    (doubtful,) = running.listed(FORMER)
    assert "not whole" in doubtful.reason


def turned(running: Running) -> None:
    rotation.prepare_scalar(running.keys, at=NOW)
    rotation.switch_scalar(running.keys, at=LATER)


def test_the_scalar_changes_while_records_flow(running: Running) -> None:
    names, waiting = running.delivered(), running.sealed()
    between = running.evaluated(running.sealed())  # evaluated before, named after
    first = keys.load_evaluate(running.keys).scalar
    made = rotation.prepare_scalar(running.keys, at=NOW)
    assert running.delivered() == names
    between += running.evaluated(running.sealed())
    rotation.switch_scalar(running.keys, at=LATER)
    assert running.delivered() == names
    scalars = {Codec(EVALUATED).decode(one)["scalar"] for one in between + running.evaluated(waiting)}
    assert len(scalars) == 2
    assert made.key in {one.hex() for one in scalars}
    assert running.named(between) == 2 * names
    assert running.named(running.evaluated(waiting)) == names
    assert rotation.destroy_scalar(running.keys, at=LATER + 60)
    assert first.hex() not in raw(running.keys).hex()
    running.start()
    assert running.named(between) == 2 * names
    assert running.delivered() == names
    assert not [topic for topic, _, _ in running.out.sent if topic == REJECTED]


def test_a_switch_waits_until_every_process_has_looked(running: Running) -> None:
    rotation.prepare_scalar(running.keys, at=NOW)
    with pytest.raises(keys.KeysError, match="60 seconds later"):
        rotation.switch_scalar(running.keys, at=LATER - 1)


def test_it_changes_again_and_again(running: Running) -> None:
    """The first scalar is destroyed by then: entry chains the steps."""
    names = running.delivered()
    for turn in range(3):
        turned(running)
        assert running.delivered() == names
        rotation.destroy_scalar(running.keys, at=LATER + 60 + turn)
    running.start()
    assert running.delivered() == names


def test_records_of_a_release_before_name_no_scalar(running: Running) -> None:
    names, codec = running.delivered(), Codec(EVALUATED)
    older = [codec.encode({**codec.decode(one), "scalar": b""}) for one in running.evaluated(running.sealed())]
    turned(running)
    assert running.named(older) == names
    (step,) = (one for one in running.listed(FORMER) if one.part == keys.ENTRY)
    assert step.may_go is not None
    rotation.destroy_step(running.keys, step.id, at=NOW)
    assert not running.named(older)
    assert running.delivered() == names, "of the current scalar"


def test_a_scalar_whose_step_entry_lacks_is_no_wrong_name(running: Running) -> None:
    turned(running)
    records = running.evaluated(running.sealed())
    forged = [Codec(EVALUATED).encode({**Codec(EVALUATED).decode(one), "scalar": bytes(8)}) for one in records]
    assert not running.named(forged)
    assert {topic for topic, _, _ in running.out.sent} == {REJECTED, "sor.lines"}


def test_evaluate_alone_cannot_switch_before_entry_has_the_step(running: Running, tmp_path: Path) -> None:
    """Two administrations: evaluate's home has no folder of entry, and the step lies sealed in the public file."""
    names = running.delivered()
    (running.keys / keys.ENTRY).rename(tmp_path / "elsewhere")
    rotation.prepare_scalar(running.keys, at=NOW)
    with pytest.raises(keys.KeysError, match="--entry-has-it"):
        rotation.switch_scalar(running.keys, at=LATER)
    (tmp_path / "elsewhere").rename(running.keys / keys.ENTRY)
    assert "steps" not in json.loads((running.keys / keys.ENTRY / "keys.json").read_bytes())
    assert dict(keys.load_entry(running.keys).steps), "entry opens it by itself"
    rotation.switch_scalar(running.keys, at=LATER)
    assert running.delivered() == names


def test_a_sealed_step_outlives_the_sealing_key_that_it_was_sealed_to(running: Running, tmp_path: Path) -> None:
    names, entry = running.delivered(), keys.load_public(running.keys).entry
    (running.keys / keys.ENTRY).rename(tmp_path / "elsewhere")
    rotation.prepare_scalar(running.keys, at=NOW)
    (tmp_path / "elsewhere").rename(running.keys / keys.ENTRY)
    rotation.publish_sealing(running.keys, keys.ENTRY, ahead=0, at=NOW)
    rotation.switch_sealing(running.keys, keys.ENTRY, at=LATER)
    rotation.destroy_sealing(running.keys, keys.ENTRY, key_id(entry).hex(), at=NOW)
    rotation.switch_scalar(running.keys, at=LATER)
    assert running.delivered() == names


def test_a_switch_that_was_cut_off_is_finished_by_the_next(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    names = running.delivered()
    rotation.prepare_scalar(running.keys, at=NOW)
    with monkeypatch.context() as patched:
        write = rotation.rewrite_file

        def cut(folder: Path, data: dict[str, object]) -> None:
            if folder.name == keys.PUBLIC:
                raise KeyboardInterrupt
            write(folder, data)

        patched.setattr(rotation, "rewrite_file", cut)
        with pytest.raises(KeyboardInterrupt):
            rotation.switch_scalar(running.keys, at=LATER)
    assert running.delivered() == names
    rotation.switch_scalar(running.keys, at=LATER)
    assert running.delivered() == names
    running.start()
    assert running.delivered() == names


Refused = Callable[[Path], object]


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda k: rotation.switch_scalar(k, at=LATER), "No next scalar"),
        (lambda k: rotation.destroy_scalar(k, at=NOW), "no former scalar"),
        (lambda k: rotation.destroy_step(k, "00", at=NOW), "no step"),
        (lambda k: rotation.switch_sealing(k, keys.ENTRY, at=LATER), "No next sealing key"),
        (lambda k: (rotation.prepare_scalar(k, at=NOW), rotation.prepare_scalar(k, at=NOW)), "prepared already"),
        (lambda k: (label_epochs.prepare_label(k, at=NOW), label_epochs.prepare_label(k, at=NOW)), "there already"),
        (label_epochs.renewal, "No next epoch"),
    ],
)
def test_what_makes_no_sense_is_refused(running: Running, act: Refused, says: str) -> None:
    with pytest.raises(keys.KeysError, match=says):
        act(running.keys)


def test_a_former_scalar_waits_for_the_processes(running: Running) -> None:
    turned(running)
    with pytest.raises(keys.KeysError, match="wait 60 seconds"):
        rotation.destroy_scalar(running.keys, at=LATER + 59)
    with pytest.raises(keys.KeysError, match="destroy` first"):
        rotation.prepare_scalar(running.keys, at=NOW)


def test_a_prepared_label_secret_is_not_in_use_and_renewed_names_meet_new_ones(running: Running) -> None:
    names = running.delivered()
    assert label_epochs.prepare_label(running.keys, at=NOW) == 1
    assert running.delivered() == names
    renewed = [label_epochs.renewal(running.keys).renew(one) for one in names]
    assert label_epochs.switch_label(running.keys, at=NOW) == 1
    assert running.delivered() == renewed
    held = keys.load_entry(running.keys)
    chain = Pseudonyms(held.root, held.domain, 1, held.labels)
    product = oprf.multiply(keys.load_evaluate(running.keys).scalar, oprf.hash_to_group(oprf.bsn_input(CLIENTS[0])))
    assert renewed[0] == chain.name(product)
    assert renewed[0] != Pseudonyms(held.root, held.domain, 1).name(product), "its secret does not come of the root"


def test_files_that_are_bad_change_nothing_and_are_said(running: Running) -> None:
    names, place = running.delivered(), running.keys / keys.EVALUATE / "keys.json"
    good = place.read_bytes()
    place.write_bytes(b"{")
    assert running.delivered() == names
    assert "no valid key file" in running.evaluate_held.complaint
    place.write_bytes(good)
    assert running.delivered() == names
    assert not running.evaluate_held.complaint


def test_the_log_tells_it_all_and_nothing_secret(running: Running) -> None:
    running.delivered()
    rotation.publish_sealing(running.keys, keys.ENTRY, ahead=0, at=NOW)
    rotation.switch_sealing(running.keys, keys.ENTRY, at=LATER)
    turned(running)
    running.delivered()
    rotation.destroy_scalar(running.keys, at=LATER + 60)
    for one in running.uses:
        one.close()
    told = {part: key_log.lines(running.keys, part) for part in (keys.EVALUATE, keys.ENTRY)}
    events = {part: {(one["what"], one["event"]) for one in lines} for part, lines in told.items()}
    assert events[keys.EVALUATE] >= {
        *((keys.SCALAR, event) for event in ("made", "published", "in use from", "rotated", "used", "destroyed")),
        (keys.SEALING, "used"),
    }
    assert events[keys.ENTRY] >= {(keys.SEALING, event) for event in ("made", "published", "in use from", "used")}
    multiplied = [one for one in told[keys.EVALUATE] if (one["what"], one["event"]) == (keys.SCALAR, "used")]
    assert sum(one["count"] for one in multiplied) == 6
    assert {one["process"] for one in multiplied} == {"evaluate-0"}
    assert not any(key_log.verify(running.keys, part).complaint for part in told)
    log = b"".join(path.read_bytes() for path in running.keys.rglob("log.jsonl"))
    held = keys.load_entry(running.keys)
    for secret in (held.root, keys.load_evaluate(running.keys).scalar, *(step for _, step in held.steps)):
        assert secret.hex().encode() not in log
    for name in (*CLIENTS, SENDER):
        assert name.encode() not in log
    allowed = {"n", "at", "event", "what", "key", "process", "count", "before"}
    assert all(set(one) <= allowed for lines in told.values() for one in lines)


def test_a_log_that_cannot_be_written_stops_nothing(running: Running) -> None:
    (running.keys / "log").rename(running.keys / "away")
    (running.keys / "log").write_bytes(b"")  # no folder can be made there
    assert len(running.delivered()) == len(CLIENTS)


def test_the_administrator_leaves_a_file_to_its_service(running: Running) -> None:
    place = running.keys / keys.ENTRY / "keys.json"
    if os.geteuid() == 0:
        os.chown(place, 4242, 4242)
    before = place.stat()
    rotation.publish_sealing(running.keys, keys.ENTRY, ahead=0, at=NOW)
    after = place.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def found(scalar: bytes, held: keys.EntryKeys, names: list[bytes]) -> int:
    """Clients that somebody names who has a scalar and the secrets of entry, with any step that is there."""
    chain = Pseudonyms(held.root, held.domain, held.epoch, held.labels)
    one = (1).to_bytes(32, "little")
    guesses = [oprf.multiply(oprf.times(scalar, step), oprf.hash_to_group(oprf.bsn_input(bsn)))
               for bsn in CLIENTS for step in (one, *(step for _, step in held.steps))]  # fmt: skip
    return len({chain.name(guess) for guess in guesses} & set(names))


def test_what_a_rotation_of_the_scalar_protects_and_what_not(running: Running) -> None:
    """A scalar that was stolen is worth nothing beside the secrets of entry of a later time; but for the first one."""
    names, scalars, entries = running.delivered(), [], []
    for turn in range(2):
        scalars.append(keys.load_evaluate(running.keys).scalar)
        rotation.prepare_scalar(running.keys, at=NOW + turn)
        rotation.switch_scalar(running.keys, at=LATER + turn)
        rotation.destroy_scalar(running.keys, at=LATER + 60 + turn)
        entries.append(keys.load_entry(running.keys))
    for step in [one for one in running.listed(FORMER) if one.part == keys.ENTRY]:
        rotation.destroy_step(running.keys, step.id, at=NOW)
    first, second, now = scalars[0], scalars[1], keys.load_evaluate(running.keys).scalar
    entry = keys.load_entry(running.keys)
    assert found(now, entry, names) == len(CLIENTS), "both administrations of one time: the positive control"
    assert found(second, entry, names) == 0
    assert found(now, entries[0], names) == 0
    assert found(second, entries[0], names) == len(CLIENTS), "both of one former time"
    assert found(first, entry, names) == len(CLIENTS), "the first scalar names for ever, with the secrets of entry"
    label_epochs.prepare_label(running.keys, at=NOW)
    renewed = [label_epochs.renewal(running.keys).renew(one) for one in names]
    label_epochs.switch_label(running.keys, at=NOW)
    assert found(first, entry, renewed) == 0, "entry's secrets of before the renewal name nobody after it"
    assert found(first, keys.load_entry(running.keys), renewed) == len(CLIENTS)
