"""What holds for every file of the project."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from domain.field import bsn
from tests.house.rooms import ROOMS, ROOT, files

# With a tilde in each, so that this file does not name them itself.
_HOSTS = (
    r"py~pi\.org python~hosted\.org maven\.~(?:org|apache) npm~js\.org crates\.~io proxy\.go~lang deb\.de~bian\.org"
)
_IMAGES = r"gh~cr\.io quay\.~io docker\.~io"
_PLACES = r"/wo~rk/ /ro~ot/ /ho~me/\w+/ [A-Z]:\\U~sers"
REGISTRY = re.compile(f"{_HOSTS} {_IMAGES}".replace("~", "").replace(" ", "|"), re.IGNORECASE)
MACHINE = re.compile(_PLACES.replace("~", "").replace(" ", "|"))
NUMBER = re.compile(r"(?<![\w.])(?:\d{9}|\d{3}_\d{3}_\d{3})(?!\w)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file that is text."""
    for path in files():
        try:
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")
        except UnicodeDecodeError:
            yield str(path.relative_to(ROOT)), path.read_bytes().decode("latin-1")


def found(pattern: re.Pattern[str]) -> list[str]:
    """File, line and text of every hit."""
    return [
        f"{name}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}"
        for name, text in texts()
        for hit in pattern.finditer(text)
    ]


def test_there_are_files() -> None:
    names = {str(path.relative_to(ROOT)) for path in files()}
    assert {"pyproject.toml", "docker-compose.yml", "Makefile"} <= names


def is_real(text: str) -> bool:
    """Nine digits that could be the number of a person: they pass the elfproef and are outside the range for tests."""
    number = text.replace("_", "")
    return bsn.elfproef(number) and not bsn.TEST_FIRST <= int(number) <= bsn.TEST_LAST


def test_no_number_of_a_person() -> None:
    real = [hit.rpartition(": ")[0] for hit in found(NUMBER) if is_real(hit.rpartition(": ")[2])]
    assert real == []  # the places only: the numbers stay out of the log


def test_the_check_knows_a_number_of_a_person() -> None:
    somebody = next(number for number in range(100_000_000, 100_000_200) if is_real(str(number)))
    for written in (f"bsn={somebody};", f"<bsn>{somebody}</bsn>", f"BSN = {somebody:_}"):
        hit = NUMBER.search(written)
        assert hit is not None
        assert is_real(hit.group())
    assert not is_real("999900006")


def test_no_host_of_a_package_registry() -> None:
    assert found(REGISTRY) == []


def test_no_path_of_a_machine() -> None:
    assert found(MACHINE) == []


def test_no_private_key() -> None:
    assert found(re.compile("BEGIN (?:[A-Z]+ )?PRIVATE.KEY")) == []


@pytest.mark.parametrize("name", sorted(str(p.relative_to(ROOT)) for p in files() if p.suffix == ".md"))
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name}: {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{name}: {target}"


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, as the usual readers make them."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+?)\s*#*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_room_is_packed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.removesuffix("*") for name in packed} == set(ROOMS)
    assert set(project["tool"]["mypy"]["packages"]) == set(ROOMS)


#: From what a source installs to what a developer does: each holds all of the one before it.
LOCKS = ("requirements-connector.lock", "requirements-production.lock", "requirements.lock", "requirements-dev.lock")
#: Lock -> the extras that it was made from (Makefile).
_PRODUCTION = ("intake", "stream", "results", "release", "reports", "portal")
EXTRAS = dict(zip(LOCKS, ((), _PRODUCTION, ("local",), ("local", "dev")), strict=True))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def plain(requirement: str) -> str:
    """The name of a package as the index spells it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~! ;]", requirement)[0]).lower()


def pins(name: str) -> dict[str, str]:
    """Package -> version and hashes of a lock."""
    return dict(re.findall(r"^([\w.-]+)==(.*(?:\n    --hash=.*)+)", (ROOT / name).read_text(), re.MULTILINE))


def declared(extra: str) -> set[str]:
    """The packages of an extra, with those of the extras that it names."""
    found = set()
    for line in PROJECT["optional-dependencies"][extra]:
        named = re.findall(r"[\w-]+", line.partition("[")[2]) if plain(line) == PROJECT["name"] else []
        found |= set().union(*map(declared, named)) if named else {plain(line)}
    return found


def test_every_lock_is_looked_at() -> None:
    assert {path.name for path in files() if path.suffix == ".lock" and path.parent == ROOT} == set(LOCKS)
    makefile = (ROOT / "Makefile").read_text()
    for name, extras in EXTRAS.items():
        (line,) = re.findall(rf"^\t@\$\(COMPILE\) (.*--output-file {re.escape(name)})$", makefile, re.MULTILINE)
        assert re.findall(r"--extra (\S+)", line) == ([",".join(extras)] if extras else [])


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_nothing_else(name: str) -> None:
    text = (ROOT / name).read_text()
    locked = re.findall(r"^([A-Za-z0-9._-]+)==(\S+) (?:; [^\\]+ )?\\\n(?=    --hash=sha256:)", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if not line.startswith("    ")]
    assert len(locked) == len(lines)
    assert all(re.match(r"[A-Za-z0-9._-]+==\S+ (?:; [^\\]+ )?\\$", line) for line in lines)


@pytest.mark.parametrize(("less", "more"), list(pairwise(LOCKS)))
def test_locks_agree(less: str, more: str) -> None:
    assert pins(less).items() < pins(more).items()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_declared_and_no_other_part(name: str) -> None:
    wanted = {plain(line) for line in PROJECT["dependencies"]}.union(*(declared(extra) for extra in EXTRAS[name]))
    everything = set().union(*map(declared, PROJECT["optional-dependencies"]))
    assert wanted <= pins(name).keys()
    # What an extra declares may come along with another one (lz4 with aiokafka), never into the connector.
    assert name != LOCKS[0] or not (everything - wanted) & pins(name).keys()


def test_a_package_stands_in_one_place() -> None:
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    named = [plain(line) for lines in lists for line in lines if plain(line) != PROJECT["name"]]
    assert sorted(named) == sorted(set(named))
