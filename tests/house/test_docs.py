"""The pages say what is there: names, paths, commands, topics, settings; and each page is found and complete."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.services import STAGES
from schemas import codec
from schemas.topics import topics
from sor.cli import COMMANDS, load
from sor.commands.indicatoren import PAGES as GENERATED
from sor.commands.indicatoren import location
from tests.house.rooms import ROOMS, ROOT, files, modules

DOCS = ROOT / "docs"
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in files()
    if path.suffix == ".md" and (path.is_relative_to(DOCS) or path.parent in (ROOT, ROOT / "deploy"))
    if path.name != "CHANGELOG.md"  # it tells of what was
)
_TOP = "|".join([*ROOMS, "tests"])
PATH = re.compile(rf"(?<![\w./-])(?:{_TOP}|docs|deploy)/[\w./*-]*")
NAME = re.compile(rf"(?<![\w./-])(?:{_TOP})(?:\.\w+)+")
VARIABLE = re.compile(r"\bSOR_[A-Z][A-Z_]*[A-Z]\b")
METRIC = re.compile(r"\bsor_[a-z_]+")
COMMAND = re.compile(r"(?:^|[\s/])sor (.+)")
#: Looks like a command: it is hashed with a public key (docs/envelope.md).
NO_COMMAND = {"sor key id"}
#: Made by a command, so not in the repository.
MADE = {"deploy/secrets"}


@cache
def code(page: str) -> tuple[str, ...]:
    """What stands in code on a page: every span between backticks, and every line of a fenced block."""
    text = (ROOT / page).read_text("utf-8")
    fenced = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
    spans = [one or other for one, other in re.findall(r"``(.+?)``|`([^`\n]+)`", fenced.sub("", text))]
    return (*spans, *(line for block in fenced.findall(text) for line in block.splitlines()))


def found(pattern: re.Pattern[str], page: str) -> set[str]:
    return {hit.group() for text in code(page) for hit in pattern.finditer(text)}


def test_the_pages_are_looked_at() -> None:
    assert {"README.md", "CONTRIBUTING.md", "deploy/README.md", "docs/architecture.md"} <= set(PAGES)


# --- names and paths --------------------------------------------------------------------------------------------------


def members(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """What a module or class defines or imports, by name."""
    there: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            there[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (name for target in targets for name in ast.walk(target))
            there |= {name.id: node for name in names if isinstance(name, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            there |= {alias.asname or alias.name: node for alias in node.names}
    return there


def resolves(dotted: str) -> bool:
    """Whether a module, or something in it, has this name."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        path = modules().get(".".join(parts[:length])) or place.with_suffix(".py")
        if path.is_file():
            return within(ast.parse(path.read_text("utf-8")).body, parts[length:])
    return len(parts) > 1 and ROOT.joinpath(*parts).is_dir()


def within(body: list[ast.stmt], names: list[str]) -> bool:
    if not names:
        return True
    node = members(body).get(names[0])
    inner = node.body if isinstance(node, ast.ClassDef) else []
    return node is not None and within(inner, names[1:])


@cache
def tables() -> frozenset[str]:
    """Tables and views of ClickHouse."""
    folder = ROOT / "sinks/schema/migrations"
    made = "\n".join(path.read_text("utf-8") for path in folder.glob("*.sql"))
    return frozenset(re.findall(r"CREATE (?:TABLE|VIEW|DICTIONARY)(?: IF NOT EXISTS)? (?:sor\.)?(\w+)", made))


def is_stored(dotted: str) -> bool:
    """Whether it is a topic, a contract or a table, all of which begin with the name of the project."""
    return dotted in {*topics(), *codec.names()} or dotted.removeprefix("sor.") in tables()


@pytest.mark.parametrize("page", PAGES)
def test_every_name_on_a_page_exists(page: str) -> None:
    names = found(NAME, page)
    assert sorted(name for name in names if not (is_stored(name) or resolves(name))) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_a_page_exists(page: str) -> None:
    paths = {path.rstrip(".") for path in found(PATH, page)}
    paths = {path for path in paths if not any(f"{path}/".startswith(f"{made}/") for made in MADE)}
    base = (ROOT, (ROOT / page).parent)
    assert sorted(path for path in paths if not any(any(folder.glob(path.rstrip("/"))) for folder in base)) == []


def test_the_checks_know_what_is_stale() -> None:
    assert not resolves("streams.batch")
    assert not resolves("streams.admission.Admission.nowhere")
    assert not resolves("tests.unit")
    assert resolves("streams.admission.Admission.unreadable")
    assert not is_stored("sor.nowhere")
    assert wrong_in("sor deliver --nowhere FILE") == ["--nowhere"]
    assert wrong_in("sor intake token lose") == ["lose"]
    assert wrong_in("docker-compose exec exporter sor nowhere") == ["nowhere"]


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_and_metric_on_a_page_exists(page: str) -> None:
    sources = "\n".join(path.read_text("utf-8") for path in files() if path.suffix in {".py", ".yml", ".sh"})
    fields = (ROOT / "settings/settings.py").read_text("utf-8")
    for variable in found(VARIABLE, page):
        field = variable.removeprefix("SOR_").lower()
        assert variable in sources or re.search(rf"^    {field}:", fields, re.MULTILINE), variable
    for name in found(METRIC, page):
        assert f'"{re.sub("_(bucket|count|sum)$", "", name)}"' in sources, name


# --- commands ---------------------------------------------------------------------------------------------------------


def wrong_in(text: str) -> list[str]:
    """The words of a ``sor`` command that it does not have."""
    line = COMMAND.search(re.split(r" [#|>&]", text)[0])
    if line is None or text in NO_COMMAND:
        return []
    words = [word.strip("[]…,;") for word in shlex.split(line.group(1).replace("'", ""))]
    name, *rest = words
    if name.startswith("--"):
        return []
    if name not in COMMANDS:
        return [name] if name.islower() else []
    here: Any = load(name)
    wrong = []
    for word in filter(None, rest):
        known = {option for parameter in here.params for option in parameter.opts}
        if word.startswith("--"):
            wrong += [word] if word.partition("=")[0] not in {*known, "--help"} else []
        elif hasattr(here, "commands") and re.fullmatch(r"[a-z|-]+", word):
            parts = word.split("|")
            wrong += [part for part in parts if part not in here.commands]
            here = here.commands.get(parts[0], here)
        elif name == "run" and word.islower() and word.isalpha() and len(word) > 1:
            wrong += [word] if word not in {*STAGES, "exporter"} else []
    return wrong


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_a_page_exists_with_its_options(page: str) -> None:
    assert [(text, wrong) for text in code(page) if (wrong := wrong_in(text))] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_target_and_module_to_run_exists(page: str) -> None:
    targets = (ROOT / "Makefile").read_text("utf-8")
    for target in {hit.group(1) for text in code(page) if (hit := re.match(r"make ([\w./-]+)", text))}:
        made = target.replace(".venv", "$(VENV)")
        assert re.search(rf"^{re.escape(made)}:", targets, re.MULTILINE), target
    for module in {name for text in code(page) for name in re.findall(r"python -m ([\w.]+)", text)}:
        assert module.split(".")[0] not in {*ROOMS, "tests"} or resolves(module), module


# --- complete ---------------------------------------------------------------------------------------------------------


def linked(page: Path) -> Iterator[Path]:
    """The pages that a page links to."""
    for target in re.findall(r"\]\(([^)\s#]+)", page.read_text("utf-8")):
        there = (page.parent / target).resolve()
        if there.suffix == ".md" and there.is_file():
            yield there


def test_every_page_is_found_from_the_first() -> None:
    seen, queue = {ROOT / "README.md"}, [ROOT / "README.md"]
    for page in queue:
        new = set(linked(page)) - seen
        seen |= new
        queue += sorted(new)
    assert sorted({ROOT / page for page in PAGES} - seen) == []


def test_generated_pages_are_current() -> None:
    old = [name for name, text in GENERATED.items() if (location() / name).read_text("utf-8") != text()]
    assert old == [], "run: sor indicatoren"


def test_every_decision_is_listed_under_its_own_title() -> None:
    index = (DOCS / "decisions/README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((\1-[\w-]+\.md)\) \| (.+) \|$", index, re.MULTILINE)
    there = sorted((DOCS / "decisions").glob("0*.md"))
    assert [name for _, name, _ in listed] == [page.name for page in there]
    assert [number for number, _, _ in listed] == [f"{number:04}" for number in range(1, len(there) + 1)]
    for page, (number, _, title) in zip(there, listed, strict=True):
        assert page.read_text("utf-8").startswith(f"# {number} {title}\n"), page.name


def rows_of(text: str) -> list[list[str]]:
    """Cells of every row of every table in a text."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| ")
    ]


def test_the_map_has_every_room_and_what_it_may_import() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8").partition("## The rooms")[2].partition("\n## ")[0]
    said = {row[0].strip("`/ "): set(re.findall(r"`(\w+)`", row[2])) for row in rows_of(text) if row[0].endswith("/`")}
    assert said == ROOMS
    assert list(said) == list(ROOMS)


def test_the_house_on_the_first_page_has_every_room() -> None:
    text = (ROOT / "README.md").read_text("utf-8").partition("## The house")[2].partition("\n## ")[0]
    assert {name for row in rows_of(text) for name in re.findall(r"`(\w+)/`", row[0])} == {*ROOMS, "tests"}


def test_every_step_of_the_way_names_what_takes_it() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8").partition("## The way of one fact")[2].partition("\n## ")[0]
    steps = re.findall(r"^(\d+)\. \*\*.+?(?=^\d+\. |\n\n)", text, re.MULTILINE | re.DOTALL)
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    for step in re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]:
        assert NAME.search(step), step


@pytest.mark.parametrize(
    ("module", "heading"),
    [
        ("streams/engine/stage.py", "**register, trajectories and deliveries**"),
        ("sinks/consumer.py", "**The sink**"),
    ],
)
def test_the_map_numbers_the_steps_as_the_code_does(module: str, heading: str) -> None:
    said = ast.get_docstring(ast.parse((ROOT / module).read_text("utf-8"))) or ""
    steps = re.findall(r"^(\d)\. \*(\w+)\*", said, re.MULTILINE)
    text = (DOCS / "architecture.md").read_text("utf-8").partition(heading)[2].partition("\n\n**")[0]
    assert len(steps) > 2
    assert re.findall(r"^\| (\d) \*(\w+)\*", text, re.MULTILINE) == steps
