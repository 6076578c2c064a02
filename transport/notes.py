"""What is noted at a consumer group: the metadata of an offset, as a few named words.

A stage of the batch engine notes at offset 0 of partition 0 of its changelog, which nobody reads by group:

- ``names``: what its rows are made by (names of clients, definitions);
- ``epoch``: that of its versions (``streams.epochs``);
- ``since``: the epoch since which its rows are of this log: rows of a lower one are of a log that is gone;
- ``log``: Kafka's id of the topic that it reads;
- ``outs``: Kafka's ids of the topics whose rows it must give out anew when they are lost;
- ``repartition``: so many partitions are being made, and no worker may begin before the states have moved;
- ``renewing``: stored pseudonyms are being led to this epoch, and no worker may begin before they are (decision 0030);
- ``renewed``: they are of this epoch, and a state on disk of before is let go of;
- ``copying``: the ends of the partitions of before that change; while one begins before its end, its events are still
  being copied to where they belong.

The sink notes at every offset that it commits: ``store``, the identity of the store that has the rows up to there;
``log``, the id of the topic; while it fills, ``until``, the offset up to which it does.

Who changes one word keeps the others: read the note, ``{**noted, "names": ...}``, write it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from confluent_kafka import TopicPartition

Note = Mapping[str, str]
_PRINTED: Final = re.compile(r"[ -~]*")
_DECODE: Final = json.JSONDecoder().raw_decode


def note_text(note: Note) -> str:
    """As metadata: at most 4,096 characters, which is what a broker takes."""
    return json.dumps(dict(note), separators=(",", ":"), sort_keys=True)


def text_at(place: TopicPartition) -> str:
    """The metadata of a committed offset; empty when there is none. Whoever reads it does so here.

    librdkafka (2.16) hands out what was read from the broker without its closing zero byte, so now and then the bytes
    that happened to lie behind it come along: at the end of what an offset says, or instead of a text that says
    nothing.
    """
    if place.offset < 0:
        return ""
    try:
        found = place.metadata or ""
    except UnicodeDecodeError as error:
        found = error.object.decode("utf-8", "replace")
    printed = _PRINTED.match(found)
    text = printed[0] if printed else ""
    if text.startswith("{"):
        try:
            return text[: _DECODE(text)[1]]
        except ValueError:
            return ""
    return text


def noted_at(place: TopicPartition) -> dict[str, str]:
    """The note at a committed offset; empty when there is none."""
    return noted(text_at(place))


def noted(text: str | None) -> dict[str, str]:
    """The words of a note; empty when there is none. Releases before the epochs noted the names and nothing else."""
    if not text:
        return {}
    if not text.startswith("{"):
        return {"names": text}
    return {str(name): str(value) for name, value in json.loads(text).items()}
