from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Columns
from html_checks import checked

import lawfit as lf
from lawfit import _demo_t2
from lawfit._progress import draw_line
from lawfit.cli import main

COMMAND = [sys.executable, "-m", "lawfit"]


@pytest.fixture
def runs_csv(tmp_path: Path, power_runs: Columns) -> Path:
    path = tmp_path / "runs.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "loss", "task", "keep"])
        for row, (size, loss) in enumerate(zip(power_runs["x"], power_runs["loss"], strict=True)):
            writer.writerow([repr(float(size)), repr(float(loss)), "ab"[row % 2], row != 5])
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_fit_prints_the_table_of_the_python_result(
    runs_csv: Path, power_fit: lf.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss") == 0
    out, err = capsys.readouterr()
    assert out.strip() == str(power_fit)
    assert err == ""


def test_json_holds_every_digit_of_the_objective(
    runs_csv: Path, power_fit: lf.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss", "--format", "json") == 0
    out, err = capsys.readouterr()
    read = json.loads(out)
    assert read["objective"] == power_fit.objective
    assert read["params"] == dict(power_fit.params)
    assert err.strip() == "variables: x; parameters: E, A, alpha"


def test_csv_has_one_row_per_parameter(runs_csv: Path, power_fit: lf.Fit, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss", "--format", "csv", "--quiet") == 0
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["parameter"]: float(row["estimate"]) for row in rows} == dict(power_fit.params)
    assert err == ""


def test_a_formula_needs_no_variables_and_names_are_printed(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("fit", runs_csv, "--law", "E + A*x**-alpha", "--response", "loss", "--bound", "E=0:", "--bound", "A=0:")
        == 0
    )
    assert "variables: x; parameters: E, A, alpha" in capsys.readouterr().out


def test_clusters_are_named_by_their_column(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("fit", runs_csv, "--law", "power_floor", "--response", "loss", "--cluster", "task")
    assert run(*arguments) == 0
    assert "CR3 over 2 clusters (task); Student's t with 1 degree of freedom" in capsys.readouterr().out
    assert run(*arguments, "--format", "json", "--quiet") == 0
    read = json.loads(capsys.readouterr().out)
    assert (read["cluster"], read["n_clusters"], read["dof"]) == ("task", 2, 1.0)


def test_options_reach_the_fit(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        "fit", runs_csv, "--law", "power_floor", "--response", "loss", "--where", "keep", "--column", "x=2*x",
        "--loss", "huber", "--f-scale", "1e-3", "--residual", "log", "--starts", 5, "--seed", 3, "--bootstrap", 10,
        "--fixed", "E=1.7", "--bound", "alpha=0.1:0.9", "--sigma", "0.01*loss", "--prior", "alpha=0.34:0.05",
        "--threads", 2, "--format", "json", "--quiet",
    )  # fmt: skip
    read = json.loads(capsys.readouterr().out)
    assert code == 0
    assert read["n_rows"] == 11
    assert read["where"] == "keep"
    assert read["f_scale"] == 1e-3
    assert read["n_starts"] == 5
    assert read["params"]["E"] == 1.7
    assert read["options"]["seed"] == 3
    assert read["options"]["fixed"] == {"E": 1.7}
    assert read["options"]["bounds"]["alpha"] == [0.1, 0.9]
    assert (read["sigma"], read["options"]["prior"], read["prior_variance"]) == (
        "0.01*loss",
        {"alpha": [0.34, 0.05]},
        1,
    )
    assert read["bootstrap"]["n_replicates"] == 10


def test_groups_are_fitted_by_column_and_written_to_a_file(runs_csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "fits.json"
    assert (
        run("fit", runs_csv, "--law", "power_floor", "--response", "loss", "--by", "task", "-o", path, "--quiet") == 0
    )
    read = json.loads(path.read_text(encoding="utf-8"))
    assert [fit["key"] for fit in read["fits"]] == [{"task": "a"}, {"task": "b"}]


def test_a_failed_fit_gives_exit_code_one(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss", "--where", "x < 1e7") == 1
    out, err = capsys.readouterr()
    assert "too_few_rows" in out
    assert "1 of 1 fits failed" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--law", "chinchila"], "--law chinchila: no law of the catalogue is called so; did you mean 'chinchilla'"),
        (["--law", "chinchilla"], "the variable 'N' of the law is not a column"),
        (["--law", "E + A*"], "column"),
        (["--law", "power_floor", "--response", "lss"], "there is no column 'lss'; did you mean 'loss'"),
        (["--law", "power_floor", "--loss", "hubert"], "did you mean 'huber'"),
        (["--law", "power_floor", "--f-scale", "big"], "--f-scale: 'big' is not a number"),
        (["--law", "power_floor", "--fixed", "E"], "--fixed E: write NAME=VALUE"),
        (["--law", "power_floor", "--prior", "alpha=0.3"], "--prior 0.3: write NAME=MEAN:SD"),
        (["--law", "power_floor", "--prior", "alpha=0.3:x"], "--prior: 'x' is not a number"),
        (["--law", "power_floor", "--bound", "alpha=3"], "write NAME=LOW:HIGH"),
        (["--law", "power_floor", "--bound", "alpha=a:3"], "'a' is not a number"),
        (["--law", "power_floor", "--column", "x"], "--column x: write NAME=VALUE"),
        (["--law", "power_floor", "-o", "fit.xlsx"], "the ending says no format"),
        (["--law", "power_floor", "-o", "/no/such/folder/fit.json"], "cannot write there"),
        (["--law", "power_floor", "--threads", "0"], "--threads 0: give a whole number"),
        (["--law", "power_floor", "--by", "tsk"], "did you mean 'task'"),
    ],
)
def test_a_wrong_call_gives_exit_code_two_and_a_message(
    runs_csv: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fit", runs_csv, "--response", "loss", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("lawfit: ")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments", [[], ["fit"], ["fit", "a.csv", "--law"], ["frobnicate"], ["fit", "--format", "xml"]]
)
def test_arguments_that_argparse_refuses_give_exit_code_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert "usage: lawfit" in capsys.readouterr().err


def test_help_and_version_give_exit_code_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert run("fit", "--help") == 0
    assert run("--version") == 0
    assert f"lawfit {lf.__version__}" in capsys.readouterr().out


def test_laws_lists_the_catalogue_and_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("laws") == 0
    listed = capsys.readouterr().out
    for name, law in lf.laws.CATALOGUE.items():
        assert name in listed
        assert law.text in listed
    assert run("laws", "t2_loss") == 0
    assert capsys.readouterr().out.startswith(repr(lf.laws.t2_loss))
    assert run("laws", "t3_loss") == 2
    assert "did you mean 't2_loss'" in capsys.readouterr().err


def test_laws_are_searched_by_name_meaning_formula_and_reference(capsys: pytest.CaptureFixture[str]) -> None:
    for words, found in (("DILOCO", "diloco_joint"), ("repeated", "muennighoff"), ("2202.01169", "clark_moe")):
        assert run("laws", words) == 0
        listed = capsys.readouterr().out
        assert found in listed
        assert "kaplan_nd" not in listed
    assert run("laws", "muennighoff") == 0
    shown = capsys.readouterr().out
    for part in ("latex", r"\min\left(N", "trap", "Published muennighoff2023"):
        assert part in shown


def test_laws_that_hold_all_the_words_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("laws", "moe", "clark") == 0
    law = lf.laws.clark_moe
    assert capsys.readouterr().out == f"clark_moe  {law.title}\n           {law.text}\n"
    assert run("laws", "moe", "nothing") == 2
    assert "no law of the catalogue speaks of 'moe nothing'" in capsys.readouterr().err


def test_all_that_is_known_of_laws_is_written_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("laws", "--format", "json") == 0
    every = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in every] == list(lf.laws.CATALOGUE)
    for entry, law in zip(every, lf.laws.CATALOGUE.values(), strict=True):
        bounds = {
            name: tuple(
                math.copysign(math.inf, side) if end is None else end for end, side in zip(pair, (-1, 1), strict=True)
            )
            for name, pair in entry["bounds"].items()
        }
        assert bounds == dict(law.bounds)
        known = lf.published.of(law)
        assert {name: found["params"] for name, found in entry["published"].items()} == {
            name: dict(published.params) for name, published in known.items()
        }
        rebuilt = lf.Law(
            entry["formula"], entry["variables"], positive=entry["positive"], bounds=bounds, starts=entry["starts"]
        )
        assert rebuilt.bounds == law.bounds
        assert (rebuilt.text, rebuilt.parameters, rebuilt.starts) == (law.text, law.parameters, law.starts)
        assert (entry["latex"], entry["reference"], tuple(entry["traps"])) == (law.to_latex(), law.reference, law.traps)
    assert run("laws", "chinchilla", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == next(entry for entry in every if entry["name"] == "chinchilla")


def test_published_coefficients_are_columns_of_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("laws", "chinchilla", "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["parameter"] for row in rows] == list(lf.laws.chinchilla.parameters)
    for name, entry in lf.published.of(lf.laws.chinchilla).items():
        assert {row["parameter"]: float(row[name]) for row in rows} == dict(entry.params)
    assert run("laws", "--format", "csv") == 0
    listed = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["formula"] for row in listed] == [law.text for law in lf.laws.CATALOGUE.values()]


def test_standard_input_is_read_as_csv(runs_csv: Path, power_fit: lf.Fit) -> None:
    call = [*COMMAND, "fit", "-", "--law", "power_floor", "--response", "loss", "--format", "json"]
    done = subprocess.run(call, input=runs_csv.read_bytes(), capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["objective"] == power_fit.objective


def test_a_closed_pipe_ends_the_command_quietly(runs_csv: Path) -> None:
    call = f"{sys.executable} -m lawfit fit {runs_csv} --law power_floor --response loss --format json | head -c 1"
    done = subprocess.run(["sh", "-c", call], capture_output=True, timeout=30, check=False)
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


def test_output_that_the_terminal_cannot_write_does_not_end_the_call(tmp_path: Path, power_runs: Columns) -> None:
    path = tmp_path / "runs.csv"
    rows = "\n".join(f"{x},{y}" for x, y in zip(power_runs["x"], power_runs["loss"], strict=True))
    path.write_text(f"x,verlust_\u00e4\n{rows}\n", encoding="utf-8")
    call = [*COMMAND, "fit", str(path), "--law", "power_floor", "--response", "verlust_\u00e4"]
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(call, capture_output=True, timeout=30, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    assert b"verlust_" in done.stdout


def test_nothing_but_data_goes_to_standard_output_and_no_colour_anywhere(runs_csv: Path) -> None:
    call = [*COMMAND, "fit", str(runs_csv), "--law", "power_floor", "--response", "loss", "--format", "json"]
    done = subprocess.run(call, capture_output=True, timeout=30, check=False)
    json.loads(done.stdout)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"\r" not in done.stderr


def test_the_demonstration_says_synthetic_and_prints_the_truth_beside_the_estimate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert run("demo", "--bootstrap", 100, "-o", page) == 0
    out = capsys.readouterr().out
    assert out.startswith("SYNTHETIC answers")
    assert f"page: {page}" in out
    assert "100 draws of each of 2 forms" in out
    rows = {line[:13].strip(): line.split() for line in out.splitlines() if line.endswith((" yes", " no"))}
    assert list(rows) == [*lf.laws.t2_beta.parameters, "best N", "best D", "best k", "best D/N", "-log pass@k"]
    best = lf.allocate(lf.laws.t2_beta, _demo_t2.HEADLINE | {"2*N*k": 5e10}, params=_demo_t2.TRUTH)
    assert float(rows["best N"][2]) == pytest.approx(float(best["N"]), rel=1e-3)
    assert [rows[name][-1] for name in ("best N", "best D", "best k")] == ["yes"] * 3
    assert sum(row[-1] == "yes" for row in rows.values()) >= 9
    checked(page.read_text(encoding="utf-8"))


def test_the_demonstration_refuses_what_belongs_to_the_users_data(
    tmp_path: Path, runs_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("demo", "--starts", 10) == 2
    assert "--starts go with --data FILE" in capsys.readouterr().err
    assert run("demo", "-o", tmp_path / "none" / "page.html") == 2
    assert "there is no folder" in capsys.readouterr().err
    assert run("demo", "--data", runs_csv, "--law", "power_floor", "--response", "loss", "-o", "page.html") == 2
    assert "--output is for the page of the synthetic way" in capsys.readouterr().err


def test_the_demonstration_runs_on_the_users_data(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ("demo", "--data", runs_csv, "--law", "power_floor", "--response", "loss", "--starts", 20, "--bootstrap", 20)
    assert run(*call) == 0
    out = capsys.readouterr().out
    assert "SYNTHETIC" not in out
    assert "20 replicates" in out
    assert run("demo", "--data", runs_csv) == 2
    assert "--data needs --law and --response" in capsys.readouterr().err
    assert run("demo", "--law", "power_floor") == 2


def test_the_command_of_the_readme_finds_the_published_optimum(
    real_data: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        "fit", real_data("chinchilla_epoch.csv"), "--law", "chinchilla", "--where", "epoch_used", "--response", "loss",
        "--residual", "log", "--loss", "huber", "--f-scale", "1e-3", "--format", "json",
    )  # fmt: skip
    read = json.loads(capsys.readouterr().out)
    assert code == 0
    # the reference has 14 digits; the optimum is flat, so the objective is good to far better than 1e-9.
    np.testing.assert_allclose(read["objective"], 1.0182740178006e-3, rtol=1e-9)
    assert any("residuals lie inside" in warning for warning in read["warnings"])


def test_a_bug_of_the_engine_is_called_so(
    runs_csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def panic(*_: object, **__: object) -> None:
        raise lf.InternalError("an index out of range")

    monkeypatch.setattr("lawfit._cli_fitting.fit_many", panic)
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss") == 2
    assert "a bug of lawfit, worth reporting: an index out of range" in capsys.readouterr().err


def test_an_interrupted_command_ends_as_shells_expect(
    runs_csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lawfit._cli_fitting.fit_many", interrupt)
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss") == 130
    assert capsys.readouterr().err == "lawfit: interrupted\n"


def test_progress_is_a_line_that_wipes_itself(capsys: pytest.CaptureFixture[str]) -> None:
    draw_line(1, 4)
    assert "1 of 4" in capsys.readouterr().err
    draw_line(4, 4)
    assert capsys.readouterr().err.strip() == ""


def test_progress_goes_to_a_terminal_only(
    runs_csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss") == 0
    assert "\r" in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run("fit", runs_csv, "--law", "power_floor", "--response", "loss", "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_nothing_piped_into_standard_input_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert run("fit", "-", "--law", "power_floor", "--response", "loss") == 2
    assert "nothing is piped into it" in capsys.readouterr().err


def test_a_protocol_sets_the_objective_and_what_it_did_is_written(
    runs_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ("fit", runs_csv, "--law", "power_floor", "--response", "loss", "--protocol", "porian2024", "--quiet")
    assert run(*call, "--format", "json") == 0
    read = json.loads(capsys.readouterr().out)
    assert read["protocol"]["name"] == "porian2024"
    assert read["protocol"]["changed"] == {}
    assert (read["options"]["loss"], read["options"]["residual"], read["n_starts"]) == ("squared", "log", 120)
    assert run(*call, "--residual", "linear") == 0
    assert "changed here: residual=linear" in capsys.readouterr().out
    assert run(*call[:-3], "--protocol", "hofmann2022") == 2
    assert "did you mean 'hoffmann2022'" in capsys.readouterr().err


def test_a_law_is_shown_with_its_published_coefficients(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("laws", "chinchilla") == 0
    out = capsys.readouterr().out
    assert out.startswith(repr(lf.laws.chinchilla))
    for entry in lf.published.of(lf.laws.chinchilla).values():
        assert repr(entry) in out
