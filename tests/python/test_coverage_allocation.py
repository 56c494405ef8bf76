"""The coverage benchmark of allocations runs, at optima that are where it says; docs/allocation.md has its figures."""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from conftest import REPOSITORY

import lawfit as lf

pytest.importorskip("scipy.optimize")


@pytest.fixture
def coverage(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benches"))
    return importlib.import_module("coverage_allocation")


def test_three_optima_lie_inside_the_design_one_beyond_its_ratios_and_two_beyond_its_sizes(
    coverage: ModuleType,
) -> None:
    sizes, tokens = coverage.design()
    assert sizes.size == 88
    plan = lf.allocate(lf.laws.t2_loss, coverage.BUDGETS, params=coverage.TRUTH)
    held = {
        name: (values.min() <= plan[name]) & (plan[name] <= values.max())
        for name, values in (("N", sizes), ("D", tokens), ("k", coverage.KS), ("D/N", tokens / sizes))
    }
    assert held["D/N"].tolist() == [True, True, True, False, False, False]
    assert (held["N"] & held["D"] & held["k"]).tolist() == [True, True, True, True, False, False]


def test_the_benchmark_prints_its_table_and_keeps_its_rows(
    coverage: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    few = ["--repetitions", "2", "--problems", "100", "--samples", "200", "--replicates", "60", "--rows", str(file)]
    monkeypatch.setattr(sys, "argv", ["coverage_allocation.py", *few])
    coverage.main()
    printed = capsys.readouterr().out
    assert "2 tables" in printed
    assert printed.count("6ND = ") == coverage.TRAINING.size
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 2 * coverage.TRAINING.size
    for row in rows:
        low, value, high = (np.log(float(row[f"{part} N"])) for part in ("lower", "value", "upper"))
        assert low < value < high
        # With both budgets spent k is proportional to 1/N, and D/N to 1/N^2.
        assert np.log(float(row["upper k"])) - np.log(float(row["value k"])) == pytest.approx(value - low, rel=1e-6)
        assert np.log(float(row["value D/N"])) - np.log(float(row["lower D/N"])) == pytest.approx(
            2.0 * (high - value), rel=1e-6
        )
    outside = [float(row["beyond"]) for row in rows if int(row["point"]) >= 4]
    assert outside == [1.0] * 4
