"""The tables of the sink as data: where their rows come from, which columns they have, what their key is.

Columns are the fields of the Avro contract, in its order; what a table leaves out is named here. Column types stand in
``sinks/schema/migrations``; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas import codec, topics


@dataclass(frozen=True)
class Table:
    """One table: its name, the topic and contract of its rows, key columns, and the column whose highest value wins."""

    name: str
    topic: str
    schema: str
    key: tuple[str, ...]
    version: str
    columns: tuple[str, ...]

    @property
    def timed(self) -> bool:
        """Whether its rows carry the publication time (``gebeurd_op``, ms), so that their freshness can be measured."""
        return "gebeurd_op" in self.columns


def _table(topic: str, key: tuple[str, ...], version: str = "version", without: frozenset[str] = frozenset()) -> Table:
    fields = (field["name"] for field in codec.load(topic)["fields"])
    return Table(topic.removeprefix("sor."), topic, topic, key, version, tuple(f for f in fields if f not in without))


TRAJECTEN: Final = _table(topics.TRAJECTEN, ("aanbieder", "gemeente", "jaar", "traject"))
METINGEN: Final = _table(topics.METINGEN, ("aanbieder", "gemeente", "jaar", "meting"))
SCORES: Final = _table(topics.SCORES, ("aanbieder", "gemeente", "jaar", "score"))
#: Coordinates and reason only: the record itself stays in its topic, sealed or pseudonymised as it was.
REJECTED: Final = _table(topics.REJECTED, ("topic", "partition", "offset"), "rejected_at")
#: A delivery is known by these three: an id that another source made, or with another number of records, is another.
RECEIPTS: Final = _table(topics.RECEIPTS, ("sender", "delivery", "lines"))

TABLES: Final = (TRAJECTEN, METINGEN, SCORES, REJECTED, RECEIPTS)
