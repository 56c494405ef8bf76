from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf
from lawfit.cli import main


@pytest.fixture
def runs_csv(tmp_path: Path, power_runs: Columns) -> Path:
    path = tmp_path / "runs.csv"
    lines = [f"{x!r},{loss!r}" for x, loss in zip(power_runs["x"].tolist(), power_runs["loss"].tolist(), strict=True)]
    path.write_text("\n".join(["x,loss", *lines]), encoding="utf-8")
    return path


def validate(runs: Path, *arguments: object) -> int:
    call = ["validate", str(runs), "--law", "power_floor", "--response", "loss", "--loss", "squared"]
    return main([*call, *map(str, arguments)])


def test_held_out_runs_are_those_of_python_in_every_form(
    runs_csv: Path, power_runs: Columns, capsys: pytest.CaptureFixture[str]
) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", loss="squared")
    found = fit.validate(by="x", holdout=0.25, level=0.9)
    options = ("--by", "x", "--holdout", 0.25, "--level", 0.9, "--quiet")
    assert validate(runs_csv, *options) == 0
    assert capsys.readouterr().out == f"{found!r}\n"
    assert validate(runs_csv, *options, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    for name in ("actual", "predicted", "lower", "upper", "error"):
        np.testing.assert_array_equal([float(row[name]) for row in rows], getattr(found.rows, name))
    assert validate(runs_csv, *options, "--format", "json") == 0
    read = json.loads(capsys.readouterr().out)
    assert (read["message"], read["scores"]["bias"]) == (found.message, found.scores.bias)
    assert read["splits"][0]["params"] == dict(found.splits[0].fit.params)
    assert read["rows"]["predicted"] == found.rows.predicted.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "N"], "--by N: 'N' is not a variable of the law"),
        (["--kind", "fold"], "--kind fold is not known; did you mean 'folds'?"),
        (["--by", "x", "--holdout", "0.99"], "--holdout: a split leaves 1 rows to train on"),
        (["--kind", "folds", "--splits", "1"], "--splits 1"),
        (["--by", "x", "--level", "2"], "--level 2.0"),
        (["--melt", "x"], "there is no option --melt"),
    ],
)
def test_a_wrong_validation_names_the_option(
    runs_csv: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(runs_csv, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
