"""What holds for every file of the project."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
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


def test_locks_have_hashes_and_nothing_else() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+) (?:; [^\\]+ )?\\\n(?=    --hash=sha256:)", text, re.MULTILINE)
        lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert len(pins) == len(lines), name
        assert all(re.match(r"[A-Za-z0-9._-]+==\S+ (?:; [^\\]+ )?\\$", line) for line in lines)


def test_both_locks_agree() -> None:
    pins = [
        dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0].items() <= pins[1].items()


def test_every_declared_package_is_locked() -> None:
    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {
        plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements-dev.lock").read_text(), re.M)
    }
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        assert plain(re.split(r"[\[<>=~! ;]", line)[0]) in locked
