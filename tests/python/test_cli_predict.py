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

CALL = ("--law", "power_floor", "--response", "loss", "--loss", "squared")


@pytest.fixture
def runs_csv(tmp_path: Path, power_runs: Columns) -> Path:
    path = tmp_path / "runs.csv"
    lines = [f"{x!r},{loss!r}" for x, loss in zip(power_runs["x"].tolist(), power_runs["loss"].tolist(), strict=True)]
    path.write_text("\n".join(["x,loss", *lines]), encoding="utf-8")
    return path


@pytest.fixture
def squared_fit(power_runs: Columns) -> lf.Fit:
    return lf.fit(lf.laws.power_floor, power_runs, response="loss", loss="squared")


def predict(*arguments: object) -> int:
    return main(["predict", *map(str, arguments)])


@pytest.mark.parametrize("kind", ["mean", "run"])
def test_predictions_are_those_of_python_in_every_form(
    kind: str, runs_csv: Path, squared_fit: lf.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = squared_fit.predict(x=np.array([7e10, 1.4e12]), interval=0.8, kind=kind)
    options = ("--at", "x=70B", "--at", "x=1.4e12", "--level", 0.8, "--kind", kind)
    assert predict(runs_csv, *CALL, *options, "--format", "csv") == 0
    out, err = capsys.readouterr()
    assert err == ""
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["x", "predicted", "lower", "upper"]
    for name, values in (("predicted", expected.value), ("lower", expected.lower), ("upper", expected.upper)):
        np.testing.assert_array_equal([float(row[name]) for row in rows], values)
    assert predict(runs_csv, *CALL, *options, "--format", "json") == 0
    read = json.loads(capsys.readouterr().out)
    assert (read["predicted"], read["lower"], read["upper"]) == (
        expected.value.tolist(), expected.lower.tolist(), expected.upper.tolist(),
    )  # fmt: skip
    assert (read["points"], read["level"], read["kind"]) == ({"x": [7e10, 1.4e12]}, 0.8, kind)
    assert predict(runs_csv, *CALL, *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["x", "predicted", "lower", "0.8", "upper", "0.8"]
    assert float(lines[1].split()[1]) == pytest.approx(expected.value[0], rel=1e-5)


def test_points_come_from_a_table_by_column_and_below_those_of_the_call(
    runs_csv: Path, tmp_path: Path, squared_fit: lf.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.csv").write_text("millions,sd\n1000,0.1\n70000,0.2\n", encoding="utf-8")
    runs_csv.write_text(
        "\n".join(["millions,loss"] + [
            f"{x / 1e6!r},{loss!r}"
            for x, loss in zip(squared_fit.rows.x[0].tolist(), squared_fit.rows.y.tolist(), strict=True)
        ]),
        encoding="utf-8",
    )  # fmt: skip
    options = ("--column", "x=1e6*millions", "--at", "x=3B", "--points", tmp_path / "new.csv", "--format", "csv")
    assert predict(runs_csv, *CALL, *options) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["x"]) for row in rows] == [3e9, 1e9, 7e10]
    np.testing.assert_allclose(
        [float(row["predicted"]) for row in rows], squared_fit.predict(x=np.array([3e9, 1e9, 7e10])), rtol=1e-9
    )


def test_the_noise_of_new_runs_is_a_formula_over_their_points(
    runs_csv: Path, power_runs: Columns, capsys: pytest.CaptureFixture[str]
) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", loss="squared", sigma="0.002*loss")
    expected = fit.predict(x=1e11, interval=0.95, kind="run", sigma=1e11 / 1e13)
    options = ("--sigma", "0.002*loss", "--at", "x=1e11", "--kind", "run", "--format", "json")
    assert predict(runs_csv, *CALL, *options, "--noise", "x/1e13") == 0
    assert json.loads(capsys.readouterr().out)["upper"] == [float(expected.upper)]
    assert predict(runs_csv, *CALL, *options) == 2
    assert "give --noise in the units of the response" in capsys.readouterr().err


def test_a_point_where_the_law_has_no_value_is_said(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict(runs_csv, *CALL, "--at", "x=-1", "--at", "x=1B", "--format", "json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["predicted"][0] is None
    assert "the law has no value at 1 of 2 points, first at x=-1" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to predict: give --at x=... or --points FILE"),
        (["--at", "N=1"], "--at N=1: x is missing; the law needs x"),
        (["--at", "x=1,N=2"], "--at x=1,N=2: 'N' is not a variable of the law; it needs x"),
        (["--at", "x=1,x=2"], "--at: x is given twice, as 1 and as 2"),
        (["--at", "x"], "--at x: write NAME=VALUE"),
        (["--at", "x=big"], "--at x=big: 'big' is not a number; write a number with or without one of K, M, B"),
        (["--at", "x=1", "--noise", "0.1"], "--noise: leave it out: it is for --kind run"),
        (["--at", "x=1", "--kind", "both"], "--kind both is not known; choose one of: mean, run"),
        (["--at", "x=1", "--level", "95"], "--level 95.0: give a number between 0 and 1"),
        (["--points", "no.csv"], "no file no.csv"),
    ],
)
def test_a_wrong_prediction_names_the_option(
    runs_csv: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(runs_csv, *CALL, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
