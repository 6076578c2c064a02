"""What sources asked to be forgotten and waits: whose clients they are, and what may be carried out (decision 0029).

Who asks is known by its signature. Whether it is its own client is looked up in the log: a provider alone has nobody
forgotten of whom it never told, and nobody of whom others told as well without the operator saying so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from crypto.pseudonym import is_pseudonym
from domain.field.codes import FRONT_DESK
from operations.erasures import Ledger
from operations.forgetting import DERIVED, Request
from operations.partitions import RewritingError, end_of, parts, passed, whole
from schemas.asked import Asked
from schemas.codec import Codec, IdSource, Undecodable
from schemas.taken import Taken
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, TERUGNAMES, WISVERZOEKEN, groups
from schemas.typed import StructCodec
from transport.clients import Cluster

#: Where what was asked stands: nobody else told of the client; others did too; only others did; nobody did; it was
#: begun before and broke off; its source took it back; the client has another name by now.
OWN, SHARED, FOREIGN, NOBODY, BEGUN, WITHDRAWN = "own", "shared", "foreign", "nobody", "begun", "withdrawn"
FORMER: Final = "former"
#: What each means for whoever decides.
MEANING: Final[Mapping[str, str]] = {
    OWN: "of clients of whom nobody else told",
    SHARED: "of clients of whom others told as well: only with --shared",
    FOREIGN: "of clients of whom this provider told nothing and others did: never carried out; ask its source",
    NOBODY: "of clients of whom nothing is known: nothing to forget",
    BEGUN: "begun before: carried out once more",
    WITHDRAWN: "taken back by its source: nothing to do",
    FORMER: "asked before names were renewed: never carried out; have its source ask it again",
}
#: What leaves the list without anybody being forgotten.
EMPTY: Final = frozenset({NOBODY, WITHDRAWN})


class Waiting(NamedTuple):
    """One line that asks it: its key, what it says, and where it stands."""

    key: bytes
    asked: Asked
    standing: str

    @property
    def client(self) -> bytes:
        """The pseudonym."""
        return self.asked.pseudonym.encode()

    @property
    def day(self) -> str:
        """When it was published (ISO, UTC)."""
        return f"{datetime.fromtimestamp(self.asked.tijd / 1000, UTC):%Y-%m-%d}"


class Told(NamedTuple):
    """What the log says: client -> the providers that told of it, and the newest epoch of names."""

    by: dict[bytes, set[str]]
    epoch: int = 0


def waiting(cluster: Cluster, ledger: Ledger, ids: IdSource | None, patience: float) -> list[Waiting]:
    """Everything that waits, the oldest first. Before it looks whose clients they are, what the sources delivered up to
    now is let in.

    Raises:
        RewritingError: a topic is not there or cannot be read, or a stage does not keep up.
    """
    found = dict(_read(cluster, ids))
    if not found:
        return []
    _settled(cluster, patience)
    taken = _taken(cluster, ids)
    told = told_of({asked.pseudonym.encode() for asked in found.values()}, _events(cluster), ids)
    judged = [Waiting(key, asked, standing(key, asked, told, ledger, taken)) for key, asked in found.items()]
    return sorted(judged, key=lambda one: (one.asked.tijd, one.key))


def standing(key: bytes, asked: Asked, told: Told, ledger: Ledger, taken: Mapping[str, int]) -> str:
    """Where it stands. ``taken``: handle of a delivery that was taken back, and when (ms)."""
    if taken.get(key.decode().partition("/")[0], -1) >= asked.tijd:
        return WITHDRAWN
    if ledger.forgets(asked.pseudonym.encode(), asked.tijd):
        return BEGUN
    providers = told.by.get(asked.pseudonym.encode(), set())
    if not providers:
        return FORMER if _epoch(asked.pseudonym.encode()) < told.epoch else NOBODY
    if asked.sender == FRONT_DESK or providers == {asked.sender}:
        return OWN
    return SHARED if asked.sender in providers else FOREIGN


def chosen(found: Sequence[Waiting], *, source: str, shared: bool) -> list[Waiting]:
    """Those that may be carried out: of one source, or of all (empty)."""
    may = {OWN, BEGUN, *([SHARED] if shared else [])}
    return [one for one in found if one.standing in may and source in ("", one.asked.door)]


def table(found: Iterable[Waiting]) -> list[str]:
    """What waits in lines, by day, source, provider and standing: counts, and nobody's name."""
    counts = Counter((one.day, one.asked.door, one.asked.sender, one.asked.reden, one.standing) for one in found)
    lines = []
    for (day, source, sender, reden, place), number in sorted(counts.items()):
        whom = "the front desk" if sender == FRONT_DESK else f"provider {sender}"
        why = f" ({reden})" if reden else ""
        lines.append(f"{day}  {number} by source {source} for {whom}{why}, {MEANING[place]}.")
    return lines


def requests(found: Iterable[Waiting]) -> list[Request]:
    """The same for a certificate: of how many clients."""
    clients: dict[tuple[str, str, str], set[bytes]] = {}
    for one in found:
        clients.setdefault((one.asked.door, one.asked.sender, one.day), set()).add(one.client)
    return [Request(*by, len(whom)) for by, whom in sorted(clients.items())]


def _read(cluster: Cluster, ids: IdSource | None) -> Iterator[tuple[bytes, Asked]]:
    """Key and record of all that waits."""
    codec, values = StructCodec(Asked, ids), dict[bytes, bytes]()
    for message in whole(cluster, WISVERZOEKEN):
        key, value = message.key() or b"", message.value()
        if value:
            values[key] = value
        else:
            values.pop(key, None)
    for key, value in values.items():
        try:
            yield key, codec.decode(value)
        except Undecodable as problem:
            raise RewritingError(
                f"What waits in {WISVERZOEKEN} cannot be read ({problem}): use the release, and the schema registry "
                "(SOR_REGISTRY), of the stage entry."
            ) from None


def _settled(cluster: Cluster, patience: float) -> None:
    """Wait until evaluate and entry have let in what was there now: else a client could seem unknown."""
    for stage, topics in (("evaluate", IN_TOPIC.values()), ("entry", [EVALUATED])):
        for topic in topics:
            for part in parts(cluster, topic):
                passed(cluster, groups()[stage], part, end_of(cluster, part), patience)


def _taken(cluster: Cluster, ids: IdSource | None) -> dict[str, int]:
    codec, found = StructCodec(Taken, ids), dict[str, int]()
    for message in whole(cluster, TERUGNAMES):
        taken = codec.decode(message.value() or b"")
        found[taken.aanlevering] = max(taken.tijd, found.get(taken.aanlevering, -1))
    return found


def _events(cluster: Cluster) -> Iterator[tuple[bytes, bytes]]:
    return ((message.key() or b"", message.value() or b"") for message in whole(cluster, EVENTS))


def told_of(clients: set[bytes], events: Iterable[tuple[bytes, bytes]], ids: IdSource | None = None) -> Told:
    """Who told of each of these clients; what follows from other facts tells nothing by itself."""
    codec, by, epoch = Codec(EVENTS, ids), dict[bytes, set[str]](), 0
    for client, value in events:
        epoch = max(epoch, _epoch(client))
        if client in clients and value:
            event = codec.decode(value)
            if event["fact"][0] not in DERIVED:
                by.setdefault(client, set()).add(event["aanbieder"])
    return Told(by, epoch)


def _epoch(client: bytes) -> int:
    """Of which epoch a pseudonym is; 0 for a key that is nobody's."""
    return int(client.split(b".")[2]) if is_pseudonym(client) else 0
