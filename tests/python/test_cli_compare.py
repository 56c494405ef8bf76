from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from conftest import Columns

import lawfit as lf
from lawfit.cli import main

LAWS = ("power_floor", "A*x**-alpha")


@pytest.fixture
def runs_csv(tmp_path: Path, power_runs: Columns) -> Path:
    path = tmp_path / "runs.csv"
    pairs = zip(power_runs["x"].tolist(), power_runs["loss"].tolist(), strict=True)
    path.write_text("\n".join(["x,loss", *(f"{x!r},{loss!r}" for x, loss in pairs)]), encoding="utf-8")
    return path


def compare(runs: Path, *arguments: object, laws: tuple[str, ...] = LAWS) -> int:
    named = [word for law in laws for word in ("--law", law)]
    return main(["compare", str(runs), *named, "--response", "loss", *map(str, arguments)])


def test_a_comparison_is_that_of_python_in_every_form(
    runs_csv: Path, power_runs: Columns, capsys: pytest.CaptureFixture[str]
) -> None:
    found = lf.compare(
        [lf.laws.power_floor, LAWS[1]], power_runs, response="loss", by=["x", "folds"], holdout=0.25, n_splits=4,
        n_replicates=20,
    )  # fmt: skip
    options = ("--by", "x", "--by", "folds", "--holdout", 0.25, "--splits", 4, "--replicates", 20, "--quiet")
    assert compare(runs_csv, *options) == 0
    assert capsys.readouterr().out == f"{found!r}\n"
    assert compare(runs_csv, *options, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.to_dict()))
    assert compare(runs_csv, *options, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["score"]) for row in rows] == [score.score for law in found.laws for score in law.scores]


def test_a_budget_is_what_each_law_would_do_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.35, "beta": 0.3}
    grid = {"N": [1e8, 2e8, 4e8, 8e8, 2e9], "D": [2e9, 5e9, 1e10, 3e10, 1e11]}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.003, seed=1)
    with (tmp_path / "runs.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(runs)
        csv.writer(file).writerows(zip(*(values.tolist() for values in runs.values()), strict=True))
    options = ("--replicates", 0, "--budget", "6*N*D=1e24", "--format", "json", "--quiet")
    assert compare(tmp_path / "runs.csv", *options, laws=("chinchilla", "kaplan_nd")) == 0
    read = json.loads(capsys.readouterr().out)
    found = lf.compare(
        [lf.laws.chinchilla, lf.laws.kaplan_nd], runs, response="loss", n_replicates=0, budgets={"6*N*D": 1e24}
    )
    assert [law["decisions"][0]["N"] for law in read["laws"]] == [law.decisions[0].N for law in found.laws]


@pytest.mark.parametrize(
    ("laws", "arguments", "message"),
    [
        (LAWS[:1], [], "--law: a comparison needs two laws at least"),
        (("power_floor", "power_flor"), [], "--law power_flor: no law of the catalogue is called so; did you mean"),
        (("power_floor", "power_floor"), [], "--law: 'power_floor' is there twice"),
        (LAWS, ["--holdout", "2"], "--holdout 2.0: give a share between 0 and 1"),
        (LAWS, ["--splits", "1"], "--splits 1: give a whole number of at least 2"),
        (LAWS, ["--replicates", "-1"], "--replicates -1: give a whole number of at least 0"),
        (LAWS, ["--missing", "drp"], "--missing drp"),
        (LAWS, ["--budget", "1e24"], "--budget 1e24: write COST=NUMBER, such as 6*N*D=1e24"),
        (LAWS, ["--budget", "6*x=much"], "--budget 6*x=much: 'much' is not a number"),
        (LAWS, ["--column", "y=x"], "--column: 'y' is not a name of any of the laws"),
        (LAWS, ["--loss", "hubert"], "--loss hubert is not known; did you mean 'huber'?"),
    ],
)
def test_a_wrong_comparison_names_the_option(
    runs_csv: Path,
    laws: tuple[str, ...],
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert compare(runs_csv, *arguments, laws=laws) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
