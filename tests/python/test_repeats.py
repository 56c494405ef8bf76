"""Runs that stand in several rows: who is warned, and who is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH

import lawfit as lf


def table(**columns: Any) -> dict[str, Any]:
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(7, 10, 12)}, noise=0.002)
    return dict(runs) | columns


def said(runs: Any, **options: Any) -> list[str]:
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", **options)
    return [warning for warning in fit.warnings if "rows of one run are not independent" in warning]


RUN = np.array(list("abbcccccdefg"))


@pytest.mark.parametrize("name", ["run", "Run ID", "run-name", "RunId", "run_name", "experiment_id", "wandb_id"])
def test_a_column_that_names_runs_in_several_rows_is_pointed_out(name: str) -> None:
    assert said(table(**{name: RUN})) == [
        f"run 'c' stands in 5 rows (column {name!r}): rows of one run are not independent; say cluster={name!r}"
    ]


def test_the_warning_goes_where_the_clusters_are_given() -> None:
    assert not said(table(run=RUN), cluster="run")
    assert not said(table(run=RUN), cluster=np.arange(12))


def test_runs_in_one_row_each_and_other_columns_are_left_alone() -> None:
    assert not said(table(run=[f"r{i}" for i in range(12)]))
    assert not said(table(run=np.arange(12)))
    assert not said(table(task=RUN))
    assert not said(table(run=[""] * 6 + list("abcdef")))
    assert not said(table(run=[None] * 6 + [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    # What no column can hold is no reason to fail where nobody asked for it.
    assert not said(table(run=np.array([object() for _ in range(12)])))


def test_only_the_rows_that_are_used_count() -> None:
    assert "run 'b' stands in 2 rows" in said(table(run=RUN), where="run != 'c'")[0]
    assert not said(table(run=RUN), where="run != 'c' and run != 'b'")
    numbers = said(table(run=[7] * 3 + [8] * 4 + [1, 2, 3, 4, 5]))
    assert "run 8 stands in 4 rows" in numbers[0]
    weights = np.where(RUN == "c", 0.0, 1.0)
    weights[np.flatnonzero(RUN == "c")[0]] = 1.0
    assert "run 'b' stands in 2 rows" in said(table(run=RUN), weights=weights)[0]
    assert not said(table(run=RUN), weights=np.where(RUN == "b", 0.0, weights))
    # Of equally frequent ones the first in the table.
    assert "run 'z'" in said(table(run=list("zzaabcdefghi")))[0]


def test_groups_are_looked_at_one_by_one() -> None:
    one, two = table(task=["x"] * 12, run=RUN), table(task=["y"] * 12, run=list("abcdefghijkl"))
    both = {name: np.concatenate([one[name], two[name]]) for name in one}
    fits = lf.fit_many(lf.laws.power_floor, both, by="task", response="loss")
    assert [bool(fit.rows.repeated[0]) for fit in fits] == [True, False]
    assert any("run 'c' stands in 5 rows" in warning for warning in fits["x"].warnings)
    # The same run in both groups is one row in each.
    assert not any("not independent" in warning for warning in fits["y"].warnings)
    tables = lf.fit_many(lf.laws.power_floor, {"x": one, "y": two}, response="loss")
    assert [bool(fit.rows.repeated[0]) for fit in tables] == [True, False]
    assert not any(fit.rows.repeated and fit.rows.repeated[0] for fit in lf.fit_many(
        lf.laws.power_floor, both, by=["task", "run"], response="loss"))  # fmt: skip
