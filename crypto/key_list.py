"""Which keys a home holds: how old each is, whether it counts, when it was used last and when it may be destroyed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from crypto import key_log, oprf
from crypto.key_files import ENTRY, EVALUATE, FILE, PUBLIC, TRAJECTORIES, as_bytes, read_file
from crypto.keys import LABEL, NAMES, SCALAR, SEALING, of_public, secret_id
from crypto.rotation import SETTLED_SECONDS
from crypto.seal import PrivateKey, key_id
from crypto.steps import scalar_id

_DAY: Final = 86400
CURRENT, NEXT, FORMER = "current", "next", "former"


class Retention(NamedTuple):
    """Seconds that a record can lie before each stage opens it; None: for ever, or nobody knows."""

    evaluate: int | None
    entry: int | None
    evaluated: int | None  # a record of sor.evaluated alone


class Key(NamedTuple):
    """One key. All moments in seconds since 1970; None where nobody noted them, or they do not come."""

    part: str
    what: str
    id: str
    state: str
    made: int | None
    counts_from: int | None  # of a next key
    until: int | None  # of a former one: since when another counts
    used_last: int | None  # end of the day
    may_go: int | None  # of a former one: from when it may be destroyed
    reason: str  # why it may not go at all; empty otherwise


def held(keys: Path, retention: Retention, *, log_is_here: bool = False) -> list[Key]:
    """Every key of the folders that are here. ``log_is_here``: believe the log also when it holds no use at all."""
    public = read_file(keys / PUBLIC, private=False)
    of_public(public)
    found: list[Key] = []
    for part, fold in ((EVALUATE, _of_evaluate), (ENTRY, _of_entry), (TRAJECTORIES, _of_trajectories)):
        if (keys / part / FILE).exists():
            found += fold(keys, public, retention, log_is_here)
    return found


def _of_evaluate(keys: Path, public: dict[str, Any], retention: Retention, log_is_here: bool) -> list[Key]:
    data, uses = read_file(keys / EVALUATE), _Uses(keys, EVALUATE, log_is_here)
    found = _sealing(EVALUATE, data, public, uses, retention.evaluate)
    for name, state in (("scalar", CURRENT), ("next_scalar", NEXT), ("previous_scalar", FORMER)):
        if name in data:
            identifier = _scalar(data[name])
            until = data.get("until", {}).get(identifier)
            one = _key(EVALUATE, SCALAR, identifier, state, data, uses)
            found.append(one._replace(until=until, may_go=until + SETTLED_SECONDS if until else None))
    return found


def _of_entry(keys: Path, public: dict[str, Any], retention: Retention, log_is_here: bool) -> list[Key]:
    data, uses = read_file(keys / ENTRY), _Uses(keys, ENTRY, log_is_here)
    found = _sealing(ENTRY, data, public, uses, retention.entry)
    current = {scalar_id(as_bytes(public[name])).hex(): state
               for name, state in (("oprf", CURRENT), ("oprf_next", NEXT)) if name in public}  # fmt: skip
    base = scalar_id(as_bytes(public.get("oprf_base", public["oprf"]))).hex()
    for identifier in data.get("steps", {}):
        one = _key(ENTRY, SCALAR, identifier, current.get(identifier, FORMER), data, uses)
        if identifier == base:  # records of a release before name none
            one = one._replace(used_last=max(filter(None, (one.used_last, uses.last(""))), default=None))
        until = public.get("oprf_until", {}).get(identifier)
        found.append(uses.bounded(one._replace(until=until), retention.evaluated))
    epochs = {0: data["root"], **{int(epoch): secret for epoch, secret in data.get("labels", {}).items()}}
    for epoch, secret in sorted(epochs.items()):
        state = NEXT if epoch > data["epoch"] else CURRENT  # every epoch so far is needed to name a new event
        found.append(_key(ENTRY, LABEL, secret_id(as_bytes(secret)), state, data, uses))
    return found


def _of_trajectories(keys: Path, _public: dict[str, Any], _retention: Retention, log_is_here: bool) -> list[Key]:
    data = read_file(keys / TRAJECTORIES)
    uses = _Uses(keys, TRAJECTORIES, log_is_here)
    return [_key(TRAJECTORIES, NAMES, secret_id(as_bytes(data["root"])), CURRENT, data, uses)]


def _sealing(part: str, data: dict[str, Any], public: dict[str, Any], uses: _Uses, seconds: int | None) -> list[Key]:
    current, coming = key_id(as_bytes(public[part])).hex(), public.get("next", {}).get(part)
    ahead = key_id(as_bytes(coming["key"])).hex() if coming else ""
    found = []
    for one in data["sealing"]:
        identifier = PrivateKey(as_bytes(one)).id.hex()
        state = CURRENT if identifier == current else NEXT if identifier == ahead else FORMER
        key = _key(part, SEALING, identifier, state, data, uses)
        key = key._replace(counts_from=coming["from"] // 1000 if state == NEXT else None)
        found.append(uses.bounded(key._replace(until=data.get("until", {}).get(identifier)), seconds))
    return found


def _key(part: str, what: str, identifier: str, state: str, data: dict[str, Any], uses: _Uses) -> Key:
    made = data.get("made", {}).get(identifier)
    return Key(part, what, identifier, state, made, None, None, uses.last(identifier), None, "")


def _scalar(secret: str) -> str:
    return scalar_id(oprf.public_of(as_bytes(secret))).hex()


class _Uses:
    """The last use of each key by the log of one part."""

    def __init__(self, keys: Path, part: str, log_is_here: bool) -> None:
        self._last: dict[str, int] = {}
        for line in key_log.lines(keys, part):
            if line.get("event") == "used":
                self._last[str(line["key"])] = _end_of_day(str(line["at"]))
        self._known = bool(self._last) or log_is_here
        self._complaint = key_log.verify(keys, part).complaint

    def last(self, identifier: str) -> int | None:
        return self._last.get(identifier)

    def bounded(self, key: Key, seconds: int | None) -> Key:
        """With the moment from which a former key may go: when what was sealed to it last is kept no more."""
        if key.state != FORMER:
            return key
        if seconds is None:
            return key._replace(reason="its records are kept for ever")
        if not self._known or key.until is None:
            return key._replace(reason="no log of its use is here")
        if self._complaint:
            return key._replace(reason=f"the log of its use is not whole: {self._complaint}")
        return key._replace(may_go=max(key.until, key.used_last or 0) + seconds)


def _end_of_day(moment: str) -> int:
    return (int(datetime.fromisoformat(moment).timestamp()) // _DAY + 1) * _DAY
