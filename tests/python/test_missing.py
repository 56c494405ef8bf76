"""Missing values in used rows, by a policy that is stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit.cli import main

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
GRID = {"N": np.logspace(8, 10, 5), "D": np.logspace(9.5, 11.5, 4)}


def runs() -> dict[str, Any]:
    """Twenty runs, of which row 2 lacks loss and D, row 5 loss, row 7 D, row 9 its weight."""
    made: dict[str, Any] = dict(lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.003, seed=2))
    made["w"] = np.ones(20)
    made["task"] = np.repeat(["a", "b"], 10)
    for name, rows in {"loss": [2, 5], "D": [2, 7], "w": [9]}.items():
        made[name] = made[name].copy()
        made[name][rows] = np.nan
    return made


COMPLETE = [row for row in range(20) if row not in (2, 5, 7, 9)]


def fitted(data: object, **how: Any) -> lf.Fit:
    return lf.fit(lf.laws.chinchilla, data, response="loss", n_threads=1, **how)


def test_a_missing_value_is_an_error_that_says_how_many_and_what_to_do() -> None:
    with pytest.raises(lf.DataError, match=r'row 7 .*, one of 2 such rows; .*missing="drop"|row 2 .*missing="drop"'):
        fitted(runs())


@pytest.mark.parametrize("weights", ["w", np.where(np.arange(20) == 9, np.nan, 1.0)], ids=["column", "array"])
def test_dropping_is_fitting_the_complete_rows(weights: Any) -> None:
    made = runs()
    complete = {name: values[COMPLETE] for name, values in made.items()}
    given = weights if isinstance(weights, str) else weights[COMPLETE]
    dropped = fitted(made, weights=weights, missing="drop")
    assert dropped.params == fitted(complete, weights=given).params
    assert dropped.rows.positions.tolist() == COMPLETE
    label = "w" if isinstance(weights, str) else "weights"
    assert f"rows         16 used of 20 (2 without loss, 1 without D, 1 without {label})" in str(dropped)


def test_every_group_counts_its_own_missing_rows() -> None:
    fits = lf.fit_many(lf.laws.chinchilla, runs(), by="task", response="loss", missing="drop", n_threads=1)
    assert fits["a"].rows.dropped == ((("loss", 2), ("D", 1)),)
    assert fits["b"].rows.dropped == ((),)
    assert "rows: 17 used of 20 (2 without loss, 1 without D)" in str(fits)


def test_a_group_without_a_complete_row_has_a_status() -> None:
    made = runs()
    made["loss"][10:] = np.nan
    fits = lf.fit_many(lf.laws.chinchilla, made, by="task", response="loss", missing="drop", n_threads=1)
    assert fits["b"].status == "too_few_rows"
    assert fits["a"].n_rows == 7


def test_several_tables_drop_their_own_rows() -> None:
    made = runs()
    complete = {name: values[COMPLETE] for name, values in made.items()}
    fits = lf.fit_many(lf.laws.chinchilla, {"x": made, "y": complete}, response="loss", missing="drop", n_threads=1)
    assert [fit.n_rows for fit in fits] == [17, 16]
    assert fits["x"].rows.dropped == ((("loss", 2), ("D", 1)),)


def test_no_row_left_is_an_error() -> None:
    with pytest.raises(lf.DataError, match='missing="drop" leaves none of the 2 rows: 1 without loss, 1 without D'):
        fitted({"N": [1.0, 2.0], "D": [1.0, None], "loss": [None, 3.0]}, missing="drop")


def test_an_infinite_value_is_not_missing() -> None:
    made = runs()
    made["loss"][0] = np.inf
    with pytest.raises(lf.DataError, match="infinite in row 0"):
        fitted(made, missing="drop")


def test_the_command_line_drops_rows_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = runs()
    lines = [",".join(made), *(",".join(map(str, row)) for row in zip(*made.values(), strict=True))]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    how = ["--law", "chinchilla", "--response", "loss", "--threads", "1"]
    assert main(["fit", str(path), *how, "--missing", "drop"]) == 0
    assert "17 used of 20 (2 without loss, 1 without D)" in capsys.readouterr().out
    assert main(["fit", str(path), *how]) == 2
    assert "--missing drop" in capsys.readouterr().err


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(lf.LawError, match=r"missing='skip' is not known; .*error, drop"):
        fitted(runs(), missing="skip")
