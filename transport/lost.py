"""What a part does when another part was lost: what is found -> what is done. Pure, and all of it in this place.

The log, the state of a stage and the store each note which of the others they belong to (decision 0023). Who finds
another one acts by itself where nothing can be lost by it, and every act here is of that kind: reading again what the
log or a compacted topic has. What takes rows or orders away is a person's to do (``operations.healing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

_START: Final = 1_767_225_600  # 2026-01-01, in seconds since 1970
#: What is left of a signed 64-bit version beside the offset.
MOST_EPOCH: Final = (1 << 23) - 1


def clock_epoch(now: float) -> int:
    """Minutes since 2026: higher than any epoch before it, without asking a part that may be lost. Until 2041.

    >>> clock_epoch(1_767_225_600 + 600)
    10
    """
    return min(max(1, int(now - _START) // 60), MOST_EPOCH)


class FoundStage(NamedTuple):
    """What a stage finds at its start.

    ``noted``: the note at its group, empty when there is none. ``log``, ``outs``: ids of the topics that it reads and
    writes, now. ``names``: what its rows are to be made by. ``read``: it has handled something. ``beyond``: more than
    there is. ``stateless``: and its changelog is empty. ``ahead``: when its state on disk was seen to be ahead of its
    changelog, as an epoch (0: it was not). ``ordered``: an operator asks for at least this epoch. ``clock``:
    ``clock_epoch`` of now.
    """

    noted: Mapping[str, str]
    log: str
    outs: str
    names: str
    read: bool
    clock: int
    beyond: bool = False
    stateless: bool = False
    ahead: int = 0
    ordered: int = 0


class Beginning(NamedTuple):
    """How a stage begins: the epoch of its versions, whether it goes back to the first record, and why (or empty).

    A higher epoch means that its states are void: the log is another one than they were made from. ``since``: rows of a
    lower epoch than this are of a log that is gone; more partitions (decision 0028) raise the epoch and not this.
    """

    epoch: int
    back: bool
    why: str
    since: int = 0


def begin(found: FoundStage) -> Beginning:
    """The decision of a stage."""
    noted = found.noted
    epoch = int(noted.get("epoch", 0))
    anew = max(epoch + 1, found.clock)
    if not noted and not found.read:
        return Beginning(max(found.clock, found.ordered), back=False, why="")
    if found.stateless:
        return Beginning(anew, back=True, why="its states are gone")
    if noted.get("log", found.log) != found.log:
        return Beginning(anew, back=True, why="its source was made anew")
    if found.beyond:
        return Beginning(anew, back=True, why="its source has lost its end")
    if found.ahead > epoch:
        return Beginning(anew, back=True, why="its changelog has lost its end")
    if found.ordered > epoch:
        return Beginning(found.ordered, back=True, why="an operator ordered it")
    if noted.get("outs", found.outs) != found.outs:
        return Beginning(epoch, back=True, why="a topic of its rows was made anew")
    if noted.get("names", "") != found.names:
        return Beginning(epoch, back=True, why="the rows that are out have other names or definitions")
    return Beginning(epoch, back=False, why="")


def rows_since(noted: Mapping[str, str], epoch: int) -> int:
    """Since which epoch the rows of a stage are of its log, when it begins under ``epoch``."""
    before = int(noted.get("epoch", 0))
    return epoch if epoch > before else int(noted.get("since", before))


class FoundPlace(NamedTuple):
    """What the sink finds of one partition when it gets it.

    ``committed``: the next record to read by the group, None when it never read. ``noted``: the note at that offset.
    ``log``: id of the topic now. ``store``: identity of the store now. ``stand``: how far the store says it was filled
    from this very topic, None when it does not. ``first``, ``end``: what the broker has. ``empty``: the table of these
    rows holds none. ``former``: the store was also filled from another topic of this name.
    """

    committed: int | None
    noted: Mapping[str, str]
    log: str
    store: str
    stand: int | None
    first: int
    end: int
    empty: bool = False
    former: bool = False


class Placed(NamedTuple):
    """Where the sink begins to read a partition, and why (or empty). ``ahead``: the store has more than the broker."""

    at: int
    why: str
    ahead: bool = False


def place(found: FoundPlace) -> Placed:
    """The decision of the sink for one partition."""
    ahead = found.stand is not None and found.stand > found.end
    if found.committed is None:
        return _unread(found, ahead)
    if found.committed <= found.first:
        return Placed(found.first, "", ahead)
    at = min(found.committed, found.end)
    ahead = ahead or found.committed > found.end
    if not found.noted:  # an earlier release noted nothing: what its group has read is in this store
        at = at if found.stand is None else min(at, max(found.stand, found.first))
        return Placed(at, "", ahead)
    if found.noted.get("log") != found.log:
        return Placed(found.first, "the topic was made anew")
    if found.stand is None:
        other = found.noted.get("store") != found.store
        return Placed(found.first, "the store is another one" if other else "the store does not say that it has them")
    if found.empty and at > found.first:
        return Placed(found.first, "the table is empty", ahead)
    if found.stand < at:
        return Placed(max(found.stand, found.first), "the store is behind", ahead)
    return Placed(at, "", ahead)


def _unread(found: FoundPlace, ahead: bool) -> Placed:
    """The group never read this partition: a new one, a topic that was made anew, or its offsets are gone."""
    if found.stand is not None and not found.empty:
        return Placed(min(max(found.stand, found.first), found.end), "", ahead)
    return Placed(found.first, "the topic was made anew" if found.former else "", ahead)
