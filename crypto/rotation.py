"""Other keys while the stages run: sealing keys, and the scalar of ``evaluate``.

Every change is a step that can be repeated: what a stage needs is written first, what others read of it after that, so
a process that looks in between can do its work. All of it is noted in the log of key use. ``at``: seconds since 1970.
What may be destroyed, and when, is decided in ``crypto.key_list``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from crypto import key_log, oprf
from crypto.key_files import (
    ENTRY,
    EVALUATE,
    FILE,
    PUBLIC,
    KeysError,
    as_bytes,
    as_text,
    locked,
    read_file,
    rewrite_file,
)
from crypto.keys import SCALAR, SEALING, of_public
from crypto.seal import PrivateKey, key_id
from crypto.steps import scalar_id, sealed_step, steps_of

#: Stages look for other keys once a second: after so long every one of them has what was written.
SETTLED_SECONDS: Final = 60


class Prepared(NamedTuple):
    """What was made: the id of the key, and the second since 1970 from which it counts; 0: when it is switched to."""

    key: str
    counts_from: int = 0


def day(at: int) -> str:
    """A moment in messages: UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


# --- sealing keys -----------------------------------------------------------------------------------------------------


def publish_sealing(keys: Path, receiver: str, *, ahead: int, at: int) -> Prepared:
    """Make the next sealing key of a receiver, and publish it; it counts ``ahead`` seconds from now, a minute at least.

    Raises:
        KeysError: one was published already, or the folder of the receiver is not here.
    """
    begins = at + max(ahead, SETTLED_SECONDS)
    with locked(keys):
        held, public = read_file(keys / receiver), public_file(keys)
        if (coming := public.get("next", {}).get(receiver)) is not None:
            raise KeysError(
                f"The next sealing key of {receiver} counts from {day(coming['from'] // 1000)} on; after that "
                f"`sor keys switch sealing {receiver}`, and then another can be made."
            )
        made = PrivateKey.generate()
        held["sealing"].append(as_text(made.raw))
        times_of(held, "made")[made.id.hex()] = at
        rewrite_file(keys / receiver, held)
        note(keys, receiver, "made", SEALING, made.id.hex(), at)
        public.setdefault("next", {})[receiver] = {"key": as_text(made.public), "from": begins * 1000}
        rewrite_file(keys / PUBLIC, public)
        note(keys, receiver, "published", SEALING, made.id.hex(), at)
    return Prepared(made.id.hex(), begins)


def switch_sealing(keys: Path, receiver: str, *, at: int) -> Prepared:
    """Put the next key in the place of the current one, also for who does not read what was published ahead.

    Raises:
        KeysError: there is no next key, or its moment has not come.
    """
    with locked(keys):
        held, public = read_file(keys / receiver), public_file(keys)
        coming = public.get("next", {}).get(receiver)
        if coming is None:
            raise KeysError(f"No next sealing key of {receiver} is published; `sor keys rotate sealing` makes one.")
        if at * 1000 < coming["from"]:
            raise KeysError(
                f"The next sealing key of {receiver} counts from {day(coming['from'] // 1000)} on: sources may not "
                "have the public file yet that names it. Switch after that."
            )
        before, after = key_id(as_bytes(public[receiver])).hex(), key_id(as_bytes(coming["key"])).hex()
        times_of(held, "until")[before] = at
        rewrite_file(keys / receiver, held)
        public[receiver] = coming["key"]
        del public["next"][receiver]
        times_of(public, "since")[receiver] = at
        rewrite_file(keys / PUBLIC, public)
        note(keys, receiver, "in use from", SEALING, after, at)
        note(keys, receiver, "rotated", SEALING, before, at)
    return Prepared(after, at)


def destroy_sealing(keys: Path, receiver: str, identifier: str, *, at: int) -> None:
    """Take a private sealing key out of its file, and overwrite what stood there. That it may go is asked before.

    Raises:
        KeysError: it is the current one or the next, or is not here.
    """
    with locked(keys):
        if receiver == ENTRY:
            _settle_steps(keys)  # a published step may be sealed to this key
        held, public = read_file(keys / receiver), public_file(keys)
        current = of_public(public)
        counting = {getattr(current, receiver), *(one.public for one in current.next if one.receiver == receiver)}
        left = {one: PrivateKey(as_bytes(one)) for one in held["sealing"]}
        gone = [one for one, key in left.items() if key.id.hex() == identifier and key.public not in counting]
        if not gone:
            raise KeysError(
                f"{receiver} holds no former sealing key {identifier}; `sor keys list` shows what it holds."
            )
        held["sealing"] = [one for one in held["sealing"] if one not in gone]
        _forget(held, identifier)
        rewrite_file(keys / receiver, held, destroy=True)
        note(keys, receiver, "destroyed", SEALING, identifier, at)


# --- the scalar of evaluate -------------------------------------------------------------------------------------------


def prepare_scalar(keys: Path, *, at: int) -> Prepared:
    """Make the next scalar of evaluate; publish its ``k·G``, and the step to it sealed to entry.

    Raises:
        KeysError: one is prepared already, or the former one is not destroyed yet.
    """
    with locked(keys):
        held, public = read_file(keys / EVALUATE), public_file(keys)
        if "next_scalar" in held or "oprf_next" in public:
            raise KeysError("The next scalar is prepared already; `sor keys switch scalar` puts it in use.")
        if "previous_scalar" in held:
            raise KeysError("The former scalar is still here; `sor keys destroy` first, then make another.")
        now, made = as_bytes(held["scalar"]), oprf.random_scalar()
        published, name = oprf.public_of(made), scalar_id(oprf.public_of(made)).hex()
        held["next_scalar"] = as_text(made)
        times_of(held, "made")[name] = at
        rewrite_file(keys / EVALUATE, held)
        note(keys, EVALUATE, "made", SCALAR, name, at)
        public.setdefault("oprf_base", public["oprf"])
        entry = of_public(public).at(at * 1000).entry
        public["steps"] = [*public.get("steps", []), sealed_step(now, made, entry)]
        public["oprf_next"] = as_text(published)
        rewrite_file(keys / PUBLIC, public)
        note(keys, EVALUATE, "published", SCALAR, name, at)
        if (keys / ENTRY / FILE).exists():
            _settle_steps(keys)
    return Prepared(name)


def switch_scalar(keys: Path, *, at: int, entry_has_it: bool = False) -> Prepared:
    """From now on evaluate multiplies with the next scalar. A command that was cut off is finished by the next.

    Raises:
        KeysError: none is prepared, or nobody says that entry holds the step.
    """
    with locked(keys):
        held, public = read_file(keys / EVALUATE), public_file(keys)
        if "oprf_next" not in public:
            raise KeysError("No next scalar is prepared; `sor keys rotate scalar` makes one.")
        name = scalar_id(as_bytes(public["oprf_next"])).hex()
        if (keys / ENTRY / FILE).exists():
            _settle_steps(keys)
            entry_has_it = name in read_file(keys / ENTRY).get("steps", {})
        if not entry_has_it:
            raise KeysError(
                "Entry must hold the step before evaluate uses it: put the public folder where entry reads it, and say "
                "so with --entry-has-it. Records that come sooner become dead letters."
            )
        if at < held["made"][name] + SETTLED_SECONDS:
            raise KeysError(f"A running process may not have looked yet; switch {SETTLED_SECONDS} seconds later.")
        if "next_scalar" in held:
            held["previous_scalar"], held["scalar"] = held["scalar"], held.pop("next_scalar")
            times_of(held, "until")[_scalar_name(held["previous_scalar"])] = at
            rewrite_file(keys / EVALUATE, held)
        before = scalar_id(as_bytes(public["oprf"])).hex()
        public["oprf_previous"], public["oprf"] = public["oprf"], public.pop("oprf_next")
        times_of(public, "oprf_until")[before] = at
        rewrite_file(keys / PUBLIC, public)
        note(keys, EVALUATE, "in use from", SCALAR, name, at)
        note(keys, EVALUATE, "rotated", SCALAR, before, at)
    return Prepared(name, at)


def destroy_scalar(keys: Path, *, at: int) -> str:
    """Destroy the former scalar, which evaluate does not need any more; its id.

    Raises:
        KeysError: there is none, or a process may still use it.
    """
    with locked(keys):
        held = read_file(keys / EVALUATE)
        if "previous_scalar" not in held:
            raise KeysError("There is no former scalar here.")
        name = _scalar_name(held["previous_scalar"])
        if at < held["until"][name] + SETTLED_SECONDS:
            raise KeysError(f"A running process may still use the former scalar; wait {SETTLED_SECONDS} seconds.")
        del held["previous_scalar"]
        _forget(held, name)
        rewrite_file(keys / EVALUATE, held, destroy=True)
        note(keys, EVALUATE, "destroyed", SCALAR, name, at)
    return name


def destroy_step(keys: Path, identifier: str, *, at: int) -> None:
    """Entry forgets the step of a former scalar: what was evaluated with that is refused. Asked for before.

    Raises:
        KeysError: it is the step of the current scalar or the next, or is not here.
    """
    with locked(keys):
        _settle_steps(keys)
        held, public = read_file(keys / ENTRY), public_file(keys)
        counting = {scalar_id(as_bytes(public[one])).hex() for one in ("oprf", "oprf_next") if one in public}
        if identifier in counting or identifier not in held.get("steps", {}):
            raise KeysError(
                f"Entry holds no step of a former scalar {identifier}; `sor keys list` shows what it holds."
            )
        del held["steps"][identifier]
        rewrite_file(keys / ENTRY, held, destroy=True)
        note(keys, ENTRY, "destroyed", SCALAR, identifier, at)


# --- with the lock held -----------------------------------------------------------------------------------------------


def _settle_steps(keys: Path) -> None:
    """Move the steps that were sealed to entry into its own file, so that they do not hang on a sealing key."""
    held, public = read_file(keys / ENTRY), public_file(keys)
    sealing = {key.id: key for key in (PrivateKey(as_bytes(one)) for one in held["sealing"])}
    steps = {name.hex(): as_text(step) for name, step in steps_of(public, held, sealing).items()}
    if steps != held.get("steps", {}):
        held["steps"] = steps
        rewrite_file(keys / ENTRY, held)


def public_file(keys: Path) -> dict[str, Any]:
    """What the public file says, of this suite. ``KeysError``."""
    public = read_file(keys / PUBLIC, private=False)
    of_public(public)
    return public


def _scalar_name(scalar: str) -> str:
    return scalar_id(oprf.public_of(as_bytes(scalar))).hex()


def times_of(data: dict[str, Any], name: str) -> dict[str, int]:
    """Id of a key -> second since 1970 of something, as a key file holds it."""
    times: dict[str, int] = data.setdefault(name, {})
    return times


def _forget(held: dict[str, Any], identifier: str) -> None:
    for times in ("made", "until"):
        held.get(times, {}).pop(identifier, None)


def note(keys: Path, part: str, event: str, what: str, key: str, at: int) -> None:
    """One line in the log of key use."""
    key_log.append(keys, part, event, at=at, what=what, key=key)
