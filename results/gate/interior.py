"""One interior point instead of thousands of linear programs.

Without an objective every table that fits is optimal, and an interior-point solver ends near the middle of them all: a
class that some table opens lies strictly between its bounds, a class at its bound is at it in every table.
"""

from __future__ import annotations

import highspy
import numpy as np
from highspy._core import _Highs

from results.gate.table import Flags, Floats, Ints, Table


def program(table: Table) -> highspy.HighsLp:
    """The table as a linear program without objective."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(table.cap), len(table.low)
    lp.col_cost_ = np.zeros(len(table.cap))
    lp.col_lower_, lp.col_upper_ = np.zeros(len(table.cap)), table.cap.astype(float)
    lp.row_lower_, lp.row_upper_ = table.low.astype(float), table.high.astype(float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = table.matrix.starts.astype(np.int32)
    lp.a_matrix_.index_ = table.matrix.columns.astype(np.int32)
    lp.a_matrix_.value_ = table.matrix.value.astype(float)
    return lp


def solver(seconds: float, **options: str | int) -> _Highs:
    """A silent solver on one thread that ends after so many seconds.

    The class below the public one: the public one writes its name on the screen before it can be told not to.
    """
    highs = _Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("time_limit", max(seconds, 0.1))
    for name, value in options.items():
        highs.setOptionValue(name, value)
    return highs


def interior(table: Table, seconds: float) -> Floats | None:
    """A point in the middle of all tables that fit; None when there is none or time ran out."""
    highs = solver(seconds, presolve="off", solver="ipm", run_crossover="off")
    highs.passModel(program(table))
    highs.run()
    if highs.getModelStatus() not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnknown):
        return None
    return np.array(highs.getSolution().col_value)


def at_bound(table: Table, point: Floats, near: float) -> tuple[Flags, Flags]:
    """Which variables lie at zero, and which at their cap."""
    return point < near, point > table.cap - near


def feasible(table: Table, seconds: float) -> Ints | None:
    """Some table in whole numbers that fits; None when none was found in time."""
    highs = solver(seconds)
    whole = program(table)
    whole.integrality_ = [highspy.HighsVarType.kInteger] * len(table.cap)
    highs.passModel(whole)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.asarray(np.rint(np.array(highs.getSolution().col_value)), np.int64)
