from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Columns

import lawfit as lf
from lawfit.cli import main

CALL = ("--law", "power_floor", "--response", "loss", "--loss", "squared")


@pytest.fixture
def runs_csv(tmp_path: Path, power_runs: Columns) -> Path:
    path = tmp_path / "runs.csv"
    pairs = list(zip(power_runs["x"].tolist(), power_runs["loss"].tolist(), strict=True))
    lines = [f"{x!r},{factor * loss!r},{task}" for task, factor in (("a", 1.0), ("b", 2.0)) for x, loss in pairs]
    path.write_text("\n".join(["x,loss,task", *lines]), encoding="utf-8")
    return path


def run(*arguments: object) -> int:
    return main(list(map(str, arguments)))


def test_the_page_of_a_written_fit_is_that_of_python(runs_csv: Path, tmp_path: Path) -> None:
    where = ("--where", "task == 'a'")
    assert run("fit", runs_csv, *CALL, *where, "--with-rows", "-o", tmp_path / "fit.json", "--quiet") == 0
    options = ("--title", "A title", "--note", "training=cosine to a tenth", "--level", 0.9, "--validate", "x")
    assert run("report", tmp_path / "fit.json", *options, "-o", tmp_path / "report.html") == 0
    fit = lf.load(tmp_path / "fit.json")
    assert isinstance(fit, lf.Fit)
    fit.report(
        tmp_path / "python.html", title="A title", notes={"training": "cosine to a tenth"}, level=0.9, validate="x"
    )
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "python.html").read_bytes()
    assert run("report", runs_csv, *CALL, *where, *options, "-o", tmp_path / "at_once.html") == 0
    assert (tmp_path / "at_once.html").read_bytes() == (tmp_path / "python.html").read_bytes()


def test_a_fit_saved_without_rows_takes_them_again(
    runs_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "fit.json"
    assert run("fit", runs_csv, *CALL, "--where", "task == 'a'", "-o", place, "--quiet") == 0
    for arguments in (("--validate", "x"), ("--bootstrap", 20)):
        assert run("report", place, *arguments, "-o", tmp_path / "report.html") == 2
        assert "FIT was saved without its rows, which this needs" in capsys.readouterr().err
        assert not (tmp_path / "report.html").exists()
    assert run("report", place, "--runs", runs_csv, "--bootstrap", 20, "-o", tmp_path / "report.html", "--quiet") == 0
    assert "from 20 replicates" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_group_of_a_batch_is_chosen(runs_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "fits.json"
    assert run("fit", runs_csv, *CALL, "--by", "task", "--with-rows", "-o", place, "--quiet") == 0
    assert run("report", place, "--group", "b", "--validate", "no") == 0
    assert "task = b" in capsys.readouterr().out
    for arguments, message in (
        ((), "FIT holds 2 fits; choose one with --group: a, b"),
        (("--group", "c"), "--group c: there is no such group; choose one of: a, b"),
    ):
        assert run("report", place, *arguments) == 2
        assert message in capsys.readouterr().err


def test_fit_writes_the_page_itself_for_one_fit_alone(
    runs_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--where", "task == 'a'")
    assert run("fit", runs_csv, *CALL, *where, "-o", tmp_path / "fit.html", "--quiet") == 0
    assert run("report", runs_csv, *CALL, *where, "-o", tmp_path / "report.html") == 0
    assert (tmp_path / "fit.html").read_bytes() == (tmp_path / "report.html").read_bytes()
    assert run("fit", runs_csv, *CALL, "--by", "task", "-o", tmp_path / "fits.html") == 2
    assert "a page is of one fit: write JSON, and choose a group" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--note", "weather=fine"], "--note: 'weather' is no item of the checklist; choose one of: assumptions"),
        (["--note", "training"], "--note training: write NAME=VALUE"),
        (["--level", "95"], "--level 95.0: give a number between 0 and 1"),
        (["--validate", "y"], "'y' is not a variable of the law"),
        (["--group", "a"], "--group is for a FIT by group, and this is one fit"),
        (["-o", "report.pdf"], "the ending says no format; use .html, or give --format"),
    ],
)
def test_a_wrong_report_names_the_option(
    runs_csv: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", runs_csv, *CALL, "--where", "task == 'a'", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
