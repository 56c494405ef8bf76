"""Fixtures of all Python tests: real data where they lie, synthetic runs that are quick to fit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import lawfit as lf

REPOSITORY = Path(__file__).resolve().parents[2]
Columns = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Path of a file of real runs; missing ones fail on CI and skip elsewhere."""

    def locate(name: str) -> Path:
        folder = Path(os.environ.get("LAWFIT_DATA") or REPOSITORY.parent / "shared" / "data")
        path = folder / name
        if not path.is_file():
            message = f"real data file {path} is missing; set LAWFIT_DATA to the folder that holds it"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        return path

    return locate


POWER_TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34}


@pytest.fixture
def power_runs() -> Columns:
    """Twelve runs of the law power_floor with a little noise."""
    sizes = np.logspace(6.5, 10, 12)
    return lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": sizes}, noise=0.002, seed=1)


@pytest.fixture
def power_fit(power_runs: Columns) -> lf.Fit:
    """A fit that converged without trouble."""
    return lf.fit(lf.laws.power_floor, power_runs, response="loss")
