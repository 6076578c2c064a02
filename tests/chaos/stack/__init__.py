"""The one-machine stack under faults while care is delivered: ``python -m tests.chaos.stack``, or ``make chaos``."""
