"""``python -m sor``: the same as the ``sor`` command."""

from __future__ import annotations

from sor.cli import main

main()
