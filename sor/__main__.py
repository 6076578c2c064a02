"""``python -m sor``: the same as the ``sor`` command."""

from sor.cli import main

main()
