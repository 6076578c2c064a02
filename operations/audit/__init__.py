"""``sor audit``: is what ClickHouse shows, and what the stages remember, exactly what the log yields?"""

from __future__ import annotations

from operations.audit.comparison import TABLES, Finding
from operations.audit.full import Report, run
from operations.audit.sentences import sentences
from operations.audit.states import StateFinding

__all__ = ["TABLES", "Finding", "Report", "StateFinding", "run", "sentences"]
