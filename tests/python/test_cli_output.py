"""What the command writes: whole files or none, every form, nothing before it is known where it goes."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
import os
import stat
import sys
from pathlib import Path

import pytest
from conftest import Columns

from lawfit import _cli_output
from lawfit.cli import main

parquet = importlib.import_module("pyarrow.parquet")


@pytest.fixture
def runs_csv(tmp_path: Path, power_runs: Columns) -> Path:
    path = tmp_path / "runs.csv"
    lines = [f"{x!r},{loss!r}" for x, loss in zip(power_runs["x"].tolist(), power_runs["loss"].tolist(), strict=True)]
    path.write_text("\n".join(["x,loss", *lines]), encoding="utf-8")
    return path


def fit(runs: Path, *arguments: object) -> int:
    return main(["fit", str(runs), "--law", "power_floor", "--response", "loss", "--quiet", *map(str, arguments)])


def hide(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in libraries else found(name))


@pytest.mark.parametrize("hidden", [(), ("pyarrow",), ("pyarrow", "polars")], ids=["pyarrow", "polars", "pandas"])
def test_parquet_holds_what_csv_holds_whichever_library_writes_it(
    runs_csv: Path, tmp_path: Path, hidden: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fit(runs_csv, "--bootstrap", 20, "-o", tmp_path / "fit.csv") == 0
    hide(monkeypatch, *hidden)
    assert fit(runs_csv, "--bootstrap", 20, "-o", tmp_path / "fit.parquet") == 0
    with (tmp_path / "fit.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [
        {name: str(cell) for name, cell in row.items()}
        for row in parquet.read_table(tmp_path / "fit.parquet").to_pylist()
    ] == rows
    assert [row["parameter"] for row in rows] == ["E", "A", "alpha"]


def test_parquet_without_a_library_says_which_to_install(
    runs_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(monkeypatch, "pyarrow", "polars", "pandas")
    assert fit(runs_csv, "-o", tmp_path / "fit.parquet") == 2
    assert "writing Parquet needs one of pyarrow, polars, pandas; install one" in capsys.readouterr().err
    assert not (tmp_path / "fit.parquet").exists()


def test_parquet_goes_down_a_pipe_but_not_to_a_terminal(
    runs_csv: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert fit(runs_csv, "--format", "parquet") == 0
    written = capfdbinary.readouterr().out
    assert parquet.read_table(io.BytesIO(written)).num_rows == 3
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert fit(runs_csv, "--format", "parquet") == 2
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert b"parquet is not for a terminal: give -o FILE.parquet" in err


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("fit.xlsx", "the ending says no format; use .txt, .json, .csv, .parquet, .tex, .html, or give --format"),
        ("fit", "the ending says no format"),
        ("", "that is a folder"),
        ("nowhere/fit.json", "there is no folder"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_refused_before_the_fit(
    runs_csv: Path,
    tmp_path: Path,
    output: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("fitted before the place was looked at")

    monkeypatch.setattr("lawfit._cli_fitting.fit_many", never)
    assert fit(runs_csv, "-o", tmp_path / output) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.csv"]


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_file_stays_as_it_was_when_writing_fails(
    runs_csv: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "fit.json"
    place.write_text("before", encoding="utf-8")

    def fail(path: Path, *_: object) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, step, fail)
        assert fit(runs_csv, "-o", place) == 2
    assert "cannot write there (No space left on device)" in capsys.readouterr().err
    assert place.read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.json", "runs.csv"]


def test_a_wrong_call_leaves_an_existing_file_alone(runs_csv: Path, tmp_path: Path) -> None:
    place = tmp_path / "fit.json"
    place.write_text("before", encoding="utf-8")
    assert fit(runs_csv, "--where", "x <", "-o", place) == 2
    assert place.read_text(encoding="utf-8") == "before"


def test_a_replaced_file_keeps_its_mode_and_a_link_its_target(runs_csv: Path, tmp_path: Path) -> None:
    place, link = tmp_path / "fit.json", tmp_path / "latest.json"
    place.write_text("before", encoding="utf-8")
    place.chmod(0o640)
    link.symlink_to(place)
    assert fit(runs_csv, "-o", link) == 0
    assert link.is_symlink()
    assert place.read_text(encoding="utf-8").startswith("{")
    assert stat.S_IMODE(place.stat().st_mode) == 0o640


def test_a_device_is_written_to_and_not_replaced(runs_csv: Path) -> None:
    assert fit(runs_csv, "--format", "json", "-o", os.devnull) == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_dash_is_standard_output(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(runs_csv, "-o", "-") == 0
    assert capsys.readouterr().out.startswith("power_floor: loss =")


@pytest.mark.parametrize("suffix", [".txt", ".json", ".csv", ".CSV", ".tex"])
def test_the_ending_says_the_form_unless_format_does(runs_csv: Path, tmp_path: Path, suffix: str) -> None:
    beginnings = {".tex": "\\begin{tabular}", ".txt": "power_floor: loss =", ".json": "{\n", ".csv": "parameter,"}
    place = tmp_path / f"fit{suffix}"
    assert fit(runs_csv, "-o", place) == 0
    assert place.read_text(encoding="utf-8").startswith(beginnings[suffix.lower()])
    assert fit(runs_csv, "--format", "json", "-o", place) == 0
    assert place.read_text(encoding="utf-8").startswith("{\n")


def test_csv_cells_are_quoted_where_they_must_be() -> None:
    cells: dict[str, list[object]] = {"a,b": ['say "x"', "1\n2"], "c": [1.5, None]}
    assert list(csv.reader(io.StringIO(_cli_output.csv_text(cells)))) == [
        ["a,b", "c"],
        ['say "x"', "1.5"],
        ["1\n2", ""],
    ]
