from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
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
    (only,) = read["predictions"]
    assert (only["predicted"], only["lower"], only["upper"], only["key"], only["success"]) == (
        expected.value.tolist(), expected.lower.tolist(), expected.upper.tolist(), {}, True,
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
    assert json.loads(capsys.readouterr().out)["predictions"][0]["upper"] == [float(expected.upper)]
    assert predict(runs_csv, *CALL, *options) == 2
    assert "give --noise in the units of the response" in capsys.readouterr().err


def test_a_point_where_the_law_has_no_value_is_said(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict(runs_csv, *CALL, "--at", "x=-1", "--at", "x=1B", "--format", "json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["predictions"][0]["predicted"][0] is None
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


def predicted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    out, err = capsys.readouterr()
    assert err == ""
    return list(csv.DictReader(io.StringIO(out)))


@pytest.mark.parametrize("rows", [(), ("--with-rows",)], ids=["without rows", "with rows"])
@pytest.mark.parametrize("kind", ["mean", "run"])
def test_a_fit_that_was_written_predicts_as_the_one_in_memory(
    kind: str, rows: tuple[str, ...], runs_csv: Path, tmp_path: Path, squared_fit: lf.Fit,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(["fit", str(runs_csv), *CALL, *rows, "-o", str(tmp_path / "fit.json"), "--quiet"]) == 0
    assert predict(tmp_path / "fit.json", "--at", "x=70B", "--kind", kind, "--format", "csv") == 0
    (row,) = predicted(capsys)
    expected = squared_fit.predict(x=7e10, interval=0.95, kind=kind)
    assert [float(row[name]) for name in ("predicted", "lower", "upper")] == [
        float(value) for value in (expected.value, expected.lower, expected.upper)
    ]
    assert lf.load(tmp_path / "fit.json").params == squared_fit.params


def test_draws_that_were_written_make_the_interval(
    runs_csv: Path, tmp_path: Path, power_runs: Columns, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["fit", str(runs_csv), *CALL, "--bootstrap", "100", "-o", str(tmp_path / "fit.json"), "--quiet"]
    assert main(call) == 0
    assert predict(tmp_path / "fit.json", "--at", "x=70B", "--level", 0.8, "--format", "csv", "--quiet") == 0
    (row,) = predicted(capsys)
    draws = lf.fit_many(lf.laws.power_floor, power_runs, by=[], response="loss", loss="squared", bootstrap=100)[0].draws
    assert draws is not None
    expected = draws.predict(x=7e10).interval(0.8)
    assert [float(row["lower"]), float(row["upper"])] == [float(expected.lower), float(expected.upper)]
    assert predict(tmp_path / "fit.json", "--at", "x=70B", "--kind", "run") == 2
    assert (
        "FIT was saved without its rows, which this needs: make it with `lawfit fit --with" in capsys.readouterr().err
    )
    assert main([*call, "--with-rows"]) == 0
    assert predict(tmp_path / "fit.json", "--at", "x=70B", "--kind", "run", "--quiet") == 0


def test_every_group_of_a_batch_predicts_at_every_point(
    tmp_path: Path, squared_fit: lf.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        f"{x!r},{factor * loss!r},{task}"
        for task, factor in (("a", 1.0), ("b", 2.0))
        for x, loss in zip(squared_fit.rows.x[0].tolist(), squared_fit.rows.y.tolist(), strict=True)
    ]
    (tmp_path / "runs.csv").write_text("\n".join(["x,loss,task", *lines]), encoding="utf-8")
    fits = str(tmp_path / "fits.json")
    assert main(["fit", str(tmp_path / "runs.csv"), *CALL, "--by", "task", "-o", fits, "--quiet"]) == 0
    assert predict(fits, "--at", "x=1B", "--at", "x=70B", "--format", "csv") == 0
    rows = predicted(capsys)
    assert [(row["task"], float(row["x"])) for row in rows] == [("a", 1e9), ("a", 7e10), ("b", 1e9), ("b", 7e10)]
    np.testing.assert_allclose(float(rows[3]["predicted"]), 2.0 * float(rows[1]["predicted"]), rtol=1e-6)
    assert predict(fits, "--at", "x=1B") == 0
    assert capsys.readouterr().out.splitlines()[0].split()[:3] == ["task", "x", "predicted"]


def test_standard_output_and_a_pipe_carry_a_fit(runs_csv: Path, tmp_path: Path, squared_fit: lf.Fit) -> None:
    command = f"{sys.executable} -m lawfit"
    call = f"{command} fit {runs_csv} {' '.join(CALL)} --format json | {command} predict - --at x=70B --format csv"
    done = subprocess.run(["sh", "-c", call], capture_output=True, text=True, timeout=60, check=True)
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert float(row["predicted"]) == float(squared_fit.predict(x=7e10))


@pytest.mark.parametrize(
    ("name", "content", "arguments", "message"),
    [
        ("fit.json", "{", [], "cut short, or no result of lawfit"),
        ("fit.json", "[]", [], "it is JSON, but no result of lawfit"),
        ("gone.json", None, [], "gone.json: cannot read it (No such file or directory)"),
        ("runs.csv", "x,loss\n1,2\n", [], "is a table of runs: say --law and --response"),
        ("runs.csv", "x,loss\n1,2\n", ["--law", "power_floor"], "--law needs --response"),
        ("fit.json", "{", ["--where", "x > 1"], "--where is for a fit of runs, with --law and --response"),
        ("fit.json", "{", ["--starts", "5"], "--starts is for a fit of runs"),
        ("fit.json", "{", ["--response", "loss"], "--response goes with --law; FIT is fitted already"),
        ("fit.json", "{", ["other.json"], "FIT: give one saved fit"),
    ],
)
def test_what_is_no_fit_is_refused_with_what_it_is(
    name: str, content: str | None, arguments: list[str], message: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert predict(tmp_path / name, *arguments, "--at", "x=1") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
