"""Published tables, fitted group by group in one call, as a user would type it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf

# Huber's delta of the authors, and the rounding of their losses, which are means in single precision.
DELTA = 1e-3
ROUNDING = 5e-6
SIZES = {"N": "params", "D": "tokens"}
KAPLAN = "E + ((A/N)**(alpha/beta) + B/D)**beta"
POSITIVE = ("E", "A", "B", "alpha", "beta")
LAWS = {"False": lf.laws.chinchilla, "True": lf.Law(KAPLAN, ["N", "D"], positive=list(POSITIVE))}
METRICS = ["eval/*/CrossEntropyLoss", "*_test_ce_loss", "!*_mc_5shot_*", "*_suite_ce_loss", "val_loss"]


def test_eight_isoflop_experiments_are_fitted_in_one_command(real_data: Callable[[str], Path]) -> None:
    path = real_data("isoflop_experiments.csv")
    fits = lf.fit_many(lf.laws.chinchilla, path, by="experiment", response="loss", columns=SIZES)
    assert len(fits) == 8
    assert fits.ok.all()
    assert sum(fit.n_rows for fit in fits) == 947
    # The same as each experiment by itself.
    alone = lf.read_table(path).where("experiment == 'llama_3__raw_loss'")
    fit = lf.fit(lf.laws.chinchilla, alone, response="loss", columns=SIZES)
    assert fit.objective == pytest.approx(fits["llama_3__raw_loss"].objective, rel=1e-9)


@pytest.mark.parametrize("kind", list(LAWS), ids=["Chinchilla", "Kaplan"])
def test_138_groups_of_a_wide_table_are_fitted_in_one_command(kind: str, real_data: Callable[[str], Path]) -> None:
    runs = lf.read_table(real_data("loss_to_loss_runs.csv")).melt(METRICS)
    fits = lf.fit_many(
        LAWS[kind], runs, by=["data", "metric"], response="value", columns=SIZES, f_scale=DELTA, missing="drop"
    )
    with real_data("loss_to_loss_reference_fits.csv").open(encoding="utf-8", newline="") as file:
        theirs = {
            (row["data"], row["loss_name"]): float(row["loss"]) for row in csv.DictReader(file) if row["kaplan"] == kind
        }
    assert set(fits.keys) == set(theirs)
    assert len(fits) == 138
    ours = fits.objective / np.array([fit.n_rows for fit in fits])
    reference = np.array([theirs[str(data), str(metric)] for data, metric in fits.keys])
    assert np.all(ours <= reference * (1 + ROUNDING))
