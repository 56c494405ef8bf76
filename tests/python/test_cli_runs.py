"""Runs on the command line: several files, metrics melted, checkpoints thinned, pipes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf
from lawfit.cli import main

COMMAND = [sys.executable, "-m", "lawfit"]
# The 23 losses that the authors fitted, of about 70 columns.
LOSSES = "eval/*/CrossEntropyLoss,eval/downstream_ce_loss/*_test_ce_loss,!*mc_5shot*,*_suite_ce_loss,val_loss"
KAPLAN = [
    "--law", "E + ((A/N)**(alpha/beta) + B/D)**beta",
    *(word for name in ("E", "A", "B", "alpha", "beta") for word in ("--bound", f"{name}=0:")),
]  # fmt: skip


@pytest.fixture
def wide(tmp_path: Path, power_runs: Columns) -> Path:
    """Three checkpoints of every run, and two metrics, one of which is missing at one run."""
    path = tmp_path / "wide.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["run", "x", "step", "eval/a", "eval/b", "eval/a_acc"])
        for run, (x, loss) in enumerate(zip(power_runs["x"].tolist(), power_runs["loss"].tolist(), strict=True)):
            for step in (100, 200, 300):
                other = "" if run == 0 else 0.9 * loss * (300 / step)
                writer.writerow([f"r{run}", x, step, loss * (300 / step), other, 0.5])
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def read_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_last_checkpoints_are_kept_and_each_melted_metric_is_fitted(
    wide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [
        "fit",
        wide,
        "--law",
        "power_floor",
        "--melt",
        "eval/*,!*_acc",
        "--last-checkpoint",
        "run",
        "--format",
        "json",
    ]
    assert run(*call, "--missing", "drop", "--quiet") == 0
    table = lf.read_table(wide).last(by="run", order="step").melt(["eval/a", "eval/b"])
    fits = lf.fit_many(lf.laws.power_floor, table, by="metric", response="value", missing="drop")
    read = read_json(capsys)
    assert read.items() >= json.loads(json.dumps(fits.to_dict())).items()
    assert [fit.n_rows for fit in fits] == [12, 11]


def test_a_share_of_each_run_is_kept_and_made_columns_are_named(wide: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        "fit", wide, "--law", "power_floor", "--melt", "eval/a", "--melt-name", "task", "--melt-value", "loss",
        "--last-checkpoint", "run", "--order", "2*step", "--share", 0.6, "--format", "json", "--quiet",
    )  # fmt: skip
    read = read_json(capsys)
    assert code == 0
    assert (read["by"], read["n_fits"]) == (["task"], 1)
    (fit,) = read["fits"]
    assert (fit["response"], fit["n_rows"]) == ("loss", 24)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--response", "eval/a", "--order", "x"], "--order and --share go with --last-checkpoint COLUMNS"),
        (["--response", "eval/a", "--share", "0.5"], "--order and --share go with --last-checkpoint COLUMNS"),
        (["--response", "eval/a", "--melt-name", "x"], "--melt-name and --melt-value go with --melt PATTERNS"),
        (["--last-checkpoint", "run"], "--response is missing: name the column to fit"),
        (["--melt", "eval/*", "--last-checkpoint", "rn"], "there is no column 'rn'; did you mean 'run'?"),
        (["--melt", "eval/*", "--last-checkpoint", "run", "--order", "stp"], "--order stp: there is no column 'stp'"),
        (["--melt", "eval/*", "--last-checkpoint", "run", "--share", "2"], "--share 2.0: give a number from 0 to 1"),
        (["--melt", "evil/*"], "--melt: no column is or fits 'evil/*'"),
        (["--melt", "run"], "--melt: column 'run' holds text, where metrics are numbers"),
        (["--melt", "eval/*", "--melt-name", "step"], "there is a column of that name; choose another"),
        (
            ["--melt", "eval/*"],
            "row 36 (counted from 0), one of 3 such rows; fill it, leave such rows out with --missing drop",
        ),
    ],
)
def test_what_cannot_be_done_to_a_table_is_said_in_options(
    wide: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fit", wide, "--law", "power_floor", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_several_files_are_one_table(tmp_path: Path, power_runs: Columns, capsys: pytest.CaptureFixture[str]) -> None:
    half = len(power_runs["x"]) // 2
    paths = [tmp_path / "first.csv", tmp_path / "second.csv"]
    for path, part in zip(paths, (slice(half), slice(half, None)), strict=True):
        rows = zip(power_runs["x"][part].tolist(), power_runs["loss"][part].tolist(), strict=True)
        path.write_text("x,loss\n" + "\n".join(f"{x!r},{loss!r}" for x, loss in rows), encoding="utf-8")
    objectives = []
    for given in (paths, [tmp_path / "*.csv"]):
        assert run("fit", *given, "--law", "power_floor", "--response", "loss", "--format", "json", "--quiet") == 0
        objectives.append(read_json(capsys)["objective"])
    whole = lf.fit(lf.laws.power_floor, power_runs, response="loss").objective
    assert objectives == [whole, whole]
    assert run("fit", "-", paths[0], "--law", "power_floor", "--response", "loss") == 2
    assert "- stands for standard input and goes alone" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"x,loss\n1,\xff\n", b"", b"x;loss\n1;2\n"], ids=["not UTF-8", "empty", "semicolons"]
)
def test_standard_input_is_judged_as_a_file_is(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_bytes(content)
    said = []
    for name, given in (("-", content), (str(tmp_path / "runs.csv"), b"")):
        call = [*COMMAND, "fit", name, "--law", "power_floor", "--response", "loss"]
        done = subprocess.run(call, input=given, capture_output=True, timeout=30, check=False)
        assert (done.returncode, done.stdout) == (2, b"")
        said.append(done.stderr.decode().replace(str(tmp_path / "runs.csv"), "standard input"))
    assert said[0] == said[1]


def test_a_chart_of_wandb_is_unpivoted_from_a_pipe_too(tmp_path: Path) -> None:
    rows = [f"{10**step},{3 + 4.0**-step},{2 + 3.0**-step}" for step in range(1, 8)]
    (tmp_path / "chart.csv").write_text("\n".join(["Step,big - loss,small - loss", *rows]), encoding="utf-8")
    found = []
    for name in ("-", str(tmp_path / "chart.csv")):
        call = [
            *COMMAND,
            "fit",
            name,
            "--law",
            "E + A*step**-a",
            "--response",
            "loss",
            "--by",
            "run",
            "--format",
            "csv",
        ]
        content = (tmp_path / "chart.csv").read_bytes() if name == "-" else b""
        done = subprocess.run(call, input=content, capture_output=True, timeout=30, check=True)
        found.append(done.stdout)
    assert found[0] == found[1]
    assert found[0].startswith(b"run,parameter,")


@pytest.mark.parametrize("kind", ["False", "True"], ids=["Chinchilla", "Kaplan"])
def test_one_command_fits_every_loss_of_every_corpus_no_worse_than_published(
    kind: str, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    with real_data("loss_to_loss_reference_fits.csv").open(encoding="utf-8", newline="") as file:
        references = [row for row in csv.DictReader(file) if row["kaplan"] == kind]
    law = KAPLAN if kind == "True" else ["--law", "chinchilla"]
    code = run(
        "fit", real_data("loss_to_loss_runs.csv"), *law, "--column", "N=params", "--column", "D=tokens",
        "--melt", LOSSES, "--by", "data,metric", "--missing", "drop", "--f-scale", "1e-3",
        "-o", tmp_path / "fits.json", "--quiet",
    )  # fmt: skip
    assert code == 0
    read = json.loads((tmp_path / "fits.json").read_text(encoding="utf-8"))
    assert (read["n_fits"], read["n_failed"]) == (138, 0)
    ours = {(fit["key"]["data"], fit["key"]["metric"]): fit["objective"] / fit["n_rows"] for fit in read["fits"]}
    theirs = np.array([float(row["loss"]) for row in references])
    # The published objective is the mean of each group in single precision.
    np.testing.assert_array_less([ours[row["data"], row["loss_name"]] for row in references], theirs * (1 + 5e-6))
