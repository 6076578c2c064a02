"""The judgements: what was seen in, findings out. Pure: no clock, no client, no file.

Every function gives at least one finding, so that a reader sees that something was looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from operations.doctor.finding import Finding, Level

DAY: Final = 86_400
#: A sealing key is used for so long [P]; what ends within so many days is said.
SEALING_DAYS: Final = 365
SOON_DAYS: Final = 30
#: Seconds that two clocks may differ; and from which differences figures and certificates suffer.
CLOCK_LOOSE, CLOCK_WRONG = 2.0, 60.0
#: Records that a group may have left; the alert on lag says the same.
LAG: Final = 10_000
#: Shares of a disk that should be free, and that must be; days until it is full that are too few.
FREE_WANTED, FREE_NEEDED = 0.2, 0.1
DAYS_TO_FULL: Final = 14.0
#: ClickHouse before this was never tried; later ones are fine.
OLDEST_CLICKHOUSE: Final = (26, 3)


class KeySeen(NamedTuple):
    """A key: what it is for, its id, whether it counts (current, next, former), and moments in seconds since 1970."""

    part: str
    what: str
    id: str
    state: str
    made: int | None
    may_go: int | None


class Ending(NamedTuple):
    """Something that ends: a certificate, or a list that must be renewed. ``renew``: how."""

    name: str
    ends: float
    renew: str


class GroupSeen(NamedTuple):
    """A consumer group of ours: members, records that it has left. ``members`` None: it has none by its nature."""

    process: str
    group: str
    members: int | None
    left: int


class DiskSeen(NamedTuple):
    """A disk: bytes free and in all; ``growth``: bytes a day, None when it was looked at too short a time."""

    name: str
    free: float
    total: float
    growth: float | None = None


def worst(findings: Iterable[Finding]) -> Level:
    """The level that counts for all of them."""
    levels = {finding.level for finding in findings}
    return "problem" if "problem" in levels else "warning" if "warning" in levels else "ok"


def keys(seen: Sequence[KeySeen], broken_logs: Mapping[str, str], now: float) -> Iterator[Finding]:
    """Sealing keys that are old, former keys that should be gone, and logs of key use that are not whole."""
    for part, complaint in broken_logs.items():
        advice = "Keep the folder for inquiry, and compare with what sor keys verify printed before."
        yield Finding("key log", "problem", f"the log of key use of {part} is not whole: {complaint}", advice)
    for key in seen:
        if key.state == "former" and key.may_go is not None and key.may_go <= now:
            found = f"{key.part} {key.what} {key.id} is not needed since {_days(now - key.may_go)}"
            yield Finding("keys", "warning", found, "Run: sor keys destroy. Destroy its copies and backups too.")
        if key.what == "sealing" and key.state == "current":
            yield _sealing(key, now)
    if not seen:
        yield Finding("keys", "warning", "no private keys are here to look at", "Run it where the key folders are.")


def _sealing(key: KeySeen, now: float) -> Finding:
    name = f"{key.part} {key.what} {key.id}"
    if key.made is None:
        return Finding("keys", "ok", f"{name}: nobody noted when it was made")
    left = key.made + SEALING_DAYS * DAY - now
    if left < 0:
        advice = "Run: sor keys rotate (docs/runbooks/SorKeyNearExpiry.md)."
        return Finding("keys", "problem", f"{name} is {_days(now - key.made)} old, {SEALING_DAYS} are allowed", advice)
    if left < SOON_DAYS * DAY:
        return Finding("keys", "warning", f"{name} has {_days(left)} left", "Plan its rotation: sor keys rotate.")
    return Finding("keys", "ok", f"{name} is {_days(now - key.made)} old")


def endings(seen: Sequence[Ending], now: float) -> Iterator[Finding]:
    """Certificates and lists that ended or will soon."""
    for one in seen:
        left = one.ends - now
        if left < 0:
            yield Finding("certificates", "problem", f"{one.name} ended {_days(-left)} ago", one.renew)
        elif left < SOON_DAYS * DAY:
            yield Finding("certificates", "warning", f"{one.name} ends in {_days(left)}", one.renew)
    if all(one.ends - now >= SOON_DAYS * DAY for one in seen):
        words = f"{len(seen)} looked at, none ends within {SOON_DAYS} days" if seen else "none is here to look at"
        yield Finding("certificates", "ok", words)


def clock(name: str, ahead: float) -> Finding:
    """``ahead``: seconds that the clock of a part is ahead of ours."""
    far = abs(ahead)
    if far <= CLOCK_LOOSE:
        return Finding("clock", "ok", f"{name} is with us")
    words = f"{name} is {far:.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine"
    advice = "Let the system keep the clock of both (timedatectl set-ntp true)."
    return Finding("clock", "problem" if far > CLOCK_WRONG else "warning", words, advice)


def groups(seen: Sequence[GroupSeen]) -> Iterator[Finding]:
    """Stages that are not there, and stages that are behind."""
    for one in seen:
        if one.members == 0:
            advice = f"Start it: sor up, or docker-compose up -d {one.process}. Its last words: sor logs {one.process}."
            yield Finding("groups", "problem", f"{one.process} does not run ({one.left} records wait)", advice)
        elif one.left > LAG:
            advice = "docs/runbooks/SorLagHigh.md; after a restore or a replay it goes by itself."
            yield Finding("lag", "warning", f"{one.process} is {one.left} records behind", advice)
        else:
            yield Finding("lag", "ok", f"{one.process}: {one.left} records left")


def orphans(present: Iterable[str], known: Collection[str], what: str, remove: str) -> Iterator[Finding]:
    """Consumer groups or topics that look like ours and are not declared. ``remove``: the command, ``{}`` the name."""
    more = sorted(name for name in present if name.startswith("sor") and name not in known)
    for name in more:
        advice = f"Of an earlier release, or of another use of this broker? When nobody needs it: {remove.format(name)}"
        yield Finding(what, "warning", f"{name} is not in schemas/topics.toml", advice)
    if not more:
        yield Finding(what, "ok", "none but the declared ones")


def drift(changes: Sequence[tuple[str, str, str]]) -> Iterator[Finding]:
    """Differences between topics or rights and the declaration: name, kind (``transport.topics.Change``), detail."""
    levels: dict[str, tuple[Level, str]] = {
        "create": ("problem", "Run: sor topics apply"),
        "config": ("warning", "Run: sor topics apply"),
        "acl": ("problem", "Run: sor topics apply --acls"),
        "surplus": ("problem", "Run: sor topics apply --acls"),
        "foreign": ("warning", "Declare it in schemas/topics.toml, or remove the rule with kafka-acls.sh."),
        "partitions": ("problem", "Set SOR_PARTITIONS to what the broker has."),
        "replicas": ("warning", "Change them with kafka-reassign-partitions.sh, then sor topics apply."),
    }
    for name, kind, detail in changes:
        level, advice = levels.get(kind, ("warning", "Run: sor topics apply --check"))
        yield Finding(
            "topics" if kind not in ("acl", "surplus", "foreign") else "rights", level, f"{name}: {detail}", advice
        )
    if not changes:
        yield Finding("topics", "ok", "as declared")


def schemas(
    absent: Sequence[str], strangers: Mapping[str, Sequence[int]], older: Mapping[str, str]
) -> Iterator[Finding]:
    """``absent``: contracts that the registry lacks; ``strangers``: topic -> schema ids in it that nobody here knows;
    ``older``: topic -> the release whose contract its newest records have.
    """
    for subject in absent:
        yield Finding("schemas", "problem", f"the registry lacks {subject}", "Run: sor topics apply")
    for topic, ids in strangers.items():
        shown = ", ".join(map(str, ids))
        advice = (
            "A newer release wrote it, or another registry numbered it: bring this installation up to that release."
        )
        yield Finding("schemas", "problem", f"{topic} has records of schema {shown}, which nobody here knows", advice)
    for topic, release in older.items():
        advice = f"Its writer may be of release {release}: see versions. After an upgrade it goes with the next record."
        yield Finding("schemas", "ok", f"the newest record of {topic} is of the contract of {release}", advice)
    if not (absent or strangers):
        yield Finding("schemas", "ok", "every topic has records of contracts that are known here")


def releases(ours: str, said: Mapping[str, str | None]) -> Iterator[Finding]:
    """Process -> the release that it says; None when it does not answer."""
    for process, release in said.items():
        if release is None:
            yield Finding("versions", "warning", f"{process} does not answer", f"sor status, sor logs {process}")
        elif release != ours:
            advice = "Stop and start it (sor down, sor up): one installation runs one release."
            yield Finding("versions", "problem", f"{process} is of release {release}, this command of {ours}", advice)
    if said and all(release == ours for release in said.values()):
        yield Finding("versions", "ok", f"{len(said)} processes of release {ours}")


def clickhouse_version(text: str) -> Finding:
    """``text``: what the server calls itself, 26.8.1.1."""
    numbers = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_CLICKHOUSE:
        wanted = ".".join(map(str, OLDEST_CLICKHOUSE))
        return Finding("versions", "warning", f"ClickHouse {text}", f"Tried from {wanted} on: upgrade it.")
    return Finding("versions", "ok", f"ClickHouse {text}")


def definitions(rows: Mapping[int, int], ours: int) -> Iterator[Finding]:
    """Version of the definitions -> rows that were made by it."""
    if len(rows) > 1:
        shown = ", ".join(f"{number} of version {version}" for version, number in sorted(rows.items()))
        advice = "The stage gives them out anew after a change; when this stays, run sor replay."
        yield Finding("definitions", "warning", f"rows were made by several: {shown}", advice)
    elif rows and ours not in rows:
        found = f"rows were made by version {next(iter(rows))}, this release ships {ours}"
        yield Finding("definitions", "ok", found, "Right when others were swapped in (sor replay).")
    else:
        yield Finding("definitions", "ok", f"version {ours}" if rows else "no rows yet")


def disk(seen: DiskSeen) -> Finding:
    """Is there room, and for how long?"""
    share = seen.free / seen.total if seen.total else 1.0
    words = f"{seen.name}: {seen.free / 1e9:.1f} GB free ({share:.0%})"
    advice = "docs/runbooks/SorDiskLow.md"
    if seen.growth is not None and seen.growth > 0:
        days = seen.free / seen.growth
        words += f", grows {seen.growth / 1e9:.2f} GB a day"
        if days < DAYS_TO_FULL and share < FREE_WANTED + 0.3:
            return Finding("disk", "problem" if days < 2 else "warning", f"{words}: full in {days:.0f} days", advice)
    if share < FREE_NEEDED:
        return Finding("disk", "problem", words, advice)
    return Finding("disk", "warning" if share < FREE_WANTED else "ok", words, advice if share < FREE_WANTED else "")


def grants(declared: Mapping[str, Collection[str]], found: Mapping[str, Collection[str] | None]) -> Iterator[Finding]:
    """User of ClickHouse -> rights, each one privilege on one table; None: there is no such user."""
    wrong = 0
    for user, wanted in declared.items():
        has = found.get(user)
        if has is None:
            wrong += 1
            yield Finding(
                "rights", "warning", f"ClickHouse has no user {user}", "Lay down deploy/clickhouse/users.xml."
            )
            continue
        for what, rights in (("lacks", set(wanted) - set(has)), ("has too much", set(has) - set(wanted))):
            if rights:
                wrong += 1
                advice = (
                    "Lay down deploy/clickhouse/users.xml anew (sor rights --write); on one machine: sor down, sor up."
                )
                yield Finding("rights", "problem", f"{user} of ClickHouse {what}: {'; '.join(sorted(rights))}", advice)
    if not wrong:
        yield Finding("rights", "ok", f"{len(declared)} users of ClickHouse as declared")


def _days(seconds: float) -> str:
    return f"{seconds / DAY:.0f} days"
