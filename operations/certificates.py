"""What ``sor forget`` did, for the file and for whoever has to sign: counts, places and moments, and nobody's name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from operations.forgetting import Certificate
from results.release.names import MEMBERS
from schemas.topics import topics
from sinks.schema.users import DATABASE

#: Days for which sealed lines lie in the topics before ``entry``.
_RAW: Final = "sor.evaluated"
_DAY_MS: Final = 86_400_000
_DELETE_SECONDS: Final = 60


def document(certificate: Certificate, *, done_at: int, by: str, reason: str) -> dict[str, Any]:
    """As one JSON document. Moments in ms since 1970."""
    return {
        "entries": certificate.entries,
        "vergeten_op": certificate.moment,
        "done_at": done_at,
        "by": by,
        "reden": reason,
        "asked": [one._asdict() for one in certificate.asked],
        "seconds": round(certificate.seconds, 1),
        "logs": [
            {
                "topic": one.part.topic,
                "partition": one.part.partition,
                "removed_before_offset": one.end,
                "records_left_out": one.left_out,
                "records_copied": one.copied,
                "digest": one.digest,
                "seconds": round(one.seconds, 1),
            }
            for one in certificate.logs
        ],
        "found_afterwards": certificate.left,
        "numbers": certificate.numbers,
        "compacted": [{"topic": one.topic, "keys": one.keys, "gone": one.gone} for one in certificate.compacted],
        "tables": [one._asdict() for one in certificate.tables],
        "remains": [{"what": what, "until": until} for what, until in remaining(certificate, done_at)],
    }


def remaining(certificate: Certificate, done_at: int) -> Iterator[tuple[str, str]]:
    """What is still somewhere, and until when."""
    if certificate.logs:
        seconds = certificate.check_seconds + _DELETE_SECONDS
        yield "files of the logs whose records were removed", f"at most {seconds} s, when the broker looks for them"
    for one in certificate.compacted:
        if not one.gone:
            yield (
                f"records of {one.topic} that a tombstone replaced",
                "the cleaner has gone over it; then do this again",
            )
    for table in certificate.tables:
        if table.left:
            yield f"{table.left} {_rows(table.table)} of {DATABASE}.{table.table}", "do this again"
        if table.old_parts:
            yield f"{table.old_parts} parts of {table.table} from before", "the server removes them, within minutes"
    if certificate.left:
        yield f"{certificate.left} records of the logs", "do this again"
    days = int(topics()[_RAW].config["retention.ms"]) // _DAY_MS
    raw = datetime.fromtimestamp(done_at / 1000, UTC) + timedelta(days=days)
    yield (
        "sealed lines in sor.in.* and sor.evaluated, which nobody can read who has not the sealing keys",
        f"{raw:%Y-%m-%d}, or when the sealing keys of that time are destroyed (`sor keys destroy`)",
    )
    yield (
        "lists of files of the states on disk, which may name a key",
        "trajectories and register are started again",
    )
    yield "backups of before", "they are destroyed; one that is put back keeps to the ledger"
    yield (
        f"copies of {DATABASE}.{MEMBERS} of before",
        "they are destroyed; after one is put back: `sor release unlink`, before a release is built",
    )
    yield "the ledger: a keyed hash and a moment", "for ever, so that nothing of before comes back"


def sentences(certificate: Certificate, *, done_at: int) -> list[str]:
    """The same for people."""
    when = datetime.fromtimestamp(certificate.moment / 1000, UTC)
    lines = [f"Forgotten at {when:%Y-%m-%d %H:%M:%S} UTC: {len(certificate.entries)}. In the ledger:"]
    lines += [f"  {name}" for name in certificate.entries]
    lines += [
        f"Asked by source {one.source} for {one.sender} on {one.day}: {one.clients} of them."
        for one in certificate.asked
    ]
    for one in certificate.logs:
        lines.append(
            f"{one.part}: {one.left_out} records removed, {one.copied} kept; all before offset {one.end} is gone "
            f"({one.seconds:.1f} s)."
        )
    if not certificate.logs:
        lines.append("The logs held nothing of them.")
    lines.append(f"Register: taken out of {certificate.numbers} numbers.")
    for kept in certificate.compacted:
        gone = "gone from its files" if kept.gone else "not yet gone from its files"
        lines.append(f"{kept.topic}: {kept.keys} keys, {gone}.")
    lines += [f"{DATABASE}.{one.table}: {one.rows} {_what(one.table)}." for one in certificate.tables]
    lines.append("What remains, until:")
    return lines + [f"  {what}: {until}." for what, until in remaining(certificate, done_at)]


def _what(table: str) -> str:
    if table == MEMBERS:
        return "groups behind released figures no longer name rows of theirs; their numbers stand"
    return "rows removed, of all versions"


def _rows(table: str) -> str:
    return "groups with ids" if table == MEMBERS else "rows"


def complete(certificate: Certificate) -> bool:
    """Whether nothing is left that another run of the same would remove."""
    return not (
        certificate.left
        or any(not one.gone for one in certificate.compacted)
        or any(one.left or one.old_parts for one in certificate.tables)
    )
