"""The command's plans are those of Python, in every form; wrong budgets are answered by option."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf
from lawfit.cli import main

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
GRID = {"N": np.logspace(7, 10, 5), "D": np.logspace(9, 12, 5)}


@pytest.fixture(scope="module")
def fit() -> lf.Fit:
    runs = lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.002, seed=0)
    return lf.fit(lf.laws.chinchilla, runs, response="loss")


@pytest.fixture(scope="module")
def saved(fit: lf.Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fit") / "fit.json"
    fit.save(path)
    return path


@pytest.fixture(scope="module")
def draws(fit: lf.Fit, tmp_path_factory: pytest.TempPathFactory) -> tuple[lf.Draws, Path]:
    found = fit.bootstrap(300, seed=1)
    path = tmp_path_factory.mktemp("draws") / "draws.json"
    found.save(path)
    return found, path


def allocate(*arguments: object) -> int:
    return main(["allocate", *map(str, arguments)])


def test_a_sweep_is_that_of_python(fit: lf.Fit, saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert allocate(saved, "--budget", "6*N*D=1e20..1e24:5", "--limit", "D=:1T", "--format", "csv") == 0
    out, err = capsys.readouterr()
    expected = fit.allocate({"6*N*D": np.geomspace(1e20, 1e24, 5)}, bounds={"D": (None, 1e12)})
    rows = list(csv.DictReader(io.StringIO(out)))
    for name in ("N", "D", "response"):
        np.testing.assert_array_equal([float(row[name]) for row in rows], expected[name])
    assert [row["status"] for row in rows] == expected.status.tolist()
    assert "times the largest in the data" in err


def test_draws_give_intervals_in_every_form(draws: tuple[lf.Draws, Path], capsys: pytest.CaptureFixture[str]) -> None:
    found, path = draws
    expected = found.allocate({"6*N*D": 1e22}).interval("N", 0.8)
    assert allocate(path, "--budget", "6*N*D=1e22", "--level", 0.8, "--format", "json", "--quiet") == 0
    document = json.loads(capsys.readouterr().out)
    (point,) = document["points"]
    assert (point["N lower"], point["N upper"]) == (expected.lower, expected.upper)
    assert document["law"] == lf.laws.chinchilla.text
    assert allocate(path, "--budget", "6*N*D=1e22", "--level", 0.8) == 0
    assert "10 %" in capsys.readouterr().out


def test_a_variable_can_be_held_and_sizes_are_words(
    fit: lf.Fit, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert allocate(saved, "--budget", "6*N*D=1e22", "--hold", "N=1B", "--format", "json", "-q") == 0
    (point,) = json.loads(capsys.readouterr().out)["points"]
    assert point["N"] == pytest.approx(1e9)
    assert point["D"] == pytest.approx(1e22 / 6e9)


def test_a_plan_without_an_optimum_is_a_failure_with_words(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert allocate(saved, "--budget", "6*N*D=1e22", "--maximize") == 1
    assert "no optimum inside" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--budget", "6*N*D"], "write FORMULA=AMOUNT"),
        (["--budget", "6*N*D=much"], "'much' is not a number"),
        (["--budget", "6*N*D=1e24..1e20"], "up to a larger one"),
        (["--budget", "6*N*D=1e20..1e24:1"], "at least 2"),
        (["--budget", "6*N*D=1e20..1e24", "--budget", "2*N=1..2"], "one budget can be a sweep"),
        (["--budget", "6*N*D=1", "--budget", "6*N*D=2"], "given twice"),
        (["--budget", "6*N*Q=1e20"], "'Q' of '6*N*Q' is no variable of the law"),
        (["--budget", "6*N*D=1e20", "--limit", "D=1"], "write NAME=LOW:HIGH"),
        (["--budget", "6*N*D=1e20", "--hold", "M=1"], "--hold: 'M' is no variable"),
    ],
)
def test_a_wrong_plan_names_the_option(
    options: list[str], message: str, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert allocate(saved, *options) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
