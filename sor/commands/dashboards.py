"""``sor dashboards``: write the Grafana dashboards and the page of metrics from what the code declares.

They are generated, committed, and checked to be current.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from operations import metrics_page
from results.dashboards import audiences
from results.dashboards.catalogue import DASHBOARDS, text
from sor.generated import keep_current


def register(app: typer.Typer) -> None:
    """Add ``sor dashboards``."""
    app.command("dashboards")(dashboards)


def dashboards(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; ends with 1 when a file is not current.")
    ] = False,
) -> None:
    """Write the Grafana dashboards of the outcomes, the deliveries and the operation, and the page of metrics."""
    keep_current(made(), "sor dashboards", "Dashboards and metrics page are current.", check=check)


def made() -> dict[Path, str]:
    """Every file with the text that it should have; the page of metrics only in a checkout."""
    monitoring = Path(str(files("monitoring")))
    found = {monitoring / "grafana" / "dashboards" / name: text(build()) for name, build in DASHBOARDS.items()}
    found |= {monitoring / "grafana" / "audiences" / name: text_ for name, text_ in audiences.files().items()}
    runbooks = monitoring.parent / "docs" / "runbooks"
    return found | ({runbooks / "metrics.md": metrics_page.page()} if runbooks.is_dir() else {})
