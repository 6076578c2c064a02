"""``python -m tests.chaos.stack``: the stack under faults. Ends with 1 on anything lost, doubled, wrong or late."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.stack.run import LIMIT, Asked, run


def main() -> int:
    """Print the seed, a line per fault and the verdict; the exit code."""
    words = _words()
    seed = int(time.time()) if words.seed is None else words.seed
    home = Path(tempfile.mkdtemp(prefix="sor-chaos-"))

    def tell(line: str) -> None:
        print(line, file=sys.stderr if words.json else sys.stdout, flush=True)

    tell(f"seed {seed}, {words.minutes:g} minutes, in {home}")
    clients = words.clients or 60
    found = run(Asked(seed, words.minutes, words.faults, clients, words.limit), home, tell)
    tell(found.closing())
    for sentence in found.wrong:
        tell(f"WRONG {sentence}")
    if found.wrong:
        tell(f"The home is kept: {home}")
    else:
        tell("Nothing lost, nothing doubled, every traject as decided, and sor audit agrees.")
        shutil.rmtree(home)
    if words.json:
        print(json.dumps({"seed": seed, **found.document()}, indent=2))  # noqa: T201
    return 1 if found.wrong else 0


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.stack", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long faults are dealt")
    parser.add_argument("--faults", type=int, help="how many faults at most")
    parser.add_argument("--seed", type=int, help="which faults, and which care; drawn and printed when left out")
    parser.add_argument("--clients", type=int, help="simulated clients")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds within which all must be well again")
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
