"""Times the gate on a made-up release of the region: ``python -m tools.bench.gate [CLUSTER ...] [--joint]``.

Prints for each cluster and family how many figures, classes and children, what was forced, and seconds of the processor
by step (the whole on one thread, so that a busy machine does not count).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from results.gate.audit import audit
from results.gate.known import PROPOSED, Joint, Rows
from tools.bench.release_rows import CLUSTERS, REASONS, Ints, Rules, World, make, releases

_REASONS = Joint("uitval", {"uitval": (0, 1, 1, 1), **{
    name: tuple(int(kind == place) for kind in range(4)) for place, name in enumerate(REASONS) if place
}})  # fmt: skip


def families(world: World, *, joint: bool) -> dict[str, tuple[dict[str, Ints], Ints]]:
    """Name -> indicators with what each row adds, and which rows are in the denominator."""
    everyone = np.arange(len(world.month))
    uitval = {"uitval": (world.reason > 0).astype(np.int64)}
    if joint:
        reasons = {name: (world.reason == place).astype(np.int64) for place, name in enumerate(REASONS) if place}
        return {"uitval met redenen": ({**uitval, **reasons}, everyone)}
    answered = everyone[np.random.default_rng(3).random(len(everyone)) < 0.5]
    return {"uitval": (uitval, everyone), "nut_laag": ({"nut_laag": (world.mark <= 4).astype(np.int64)}, answered)}


def measure(world: World, cluster: str, chosen: argparse.Namespace) -> None:
    """Build and audit every family of one cluster and print what came of it."""
    for name, (indicators, inside) in families(world, joint=chosen.joint).items():
        rows = inside[world.cluster[inside] == CLUSTERS.index(cluster)]
        begin = time.process_time()
        figures = releases(world, rows, indicators, rules=Rules(sibling=chosen.sibling))
        built = time.process_time() - begin
        known = Rows(
            {key: dict(enumerate(adds.tolist())) for key, adds in indicators.items()},
            dict(enumerate(map(str, world.client.tolist()))),
            dict(enumerate(map(str, world.aanbieder.tolist()))),
        )
        limits = PROPOSED._replace(seconds=chosen.seconds, sibling=chosen.gate_sibling)
        begin = time.monotonic()
        verdict = audit(
            figures, rows=known, joints=[_REASONS] if chosen.joint else [], limits=limits, deadline=3600, workers=1
        )
        print(
            f"{cluster} {name}: {len(figures)} figures, built in {built:.1f} s; passed {verdict.passed} "
            f"{verdict.report['reden']} without {len(verdict.withheld)}; {time.monotonic() - begin:.0f} s on the wall"
        )
        _print(verdict.report)
        sys.stdout.flush()


def _print(report: dict[str, Any]) -> None:
    for step in report["stappen"]:
        print("   ", " ".join(f"{key}={value}" for key, value in step.items() if key != "blokken"))
    for block in report["blokken"]:
        print("   ", block)
    for step in report["stappen"]:
        if step["stap"] == "kans":
            print("   ", step.get("blokken"))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clusters", nargs="*", default=list(CLUSTERS))
    parser.add_argument("--joint", action="store_true", help="uitval and its reasons in one block")
    parser.add_argument("--sibling", action="store_true", help="the release is built with the rule on what is left")
    parser.add_argument("--no-gate-sibling", dest="gate_sibling", action="store_false", help="the gate does not ask it")
    parser.add_argument("--seconds", type=float, default=600.0, help="of a block")
    chosen = parser.parse_args(arguments)
    world = make()
    for cluster in chosen.clusters:
        measure(world, cluster, chosen)


if __name__ == "__main__":
    main()
