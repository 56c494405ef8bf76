"""The command's optima are those of Python; what has none is an exit code of 1."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf
from lawfit.cli import main

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


@pytest.fixture
def runs_csv(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    lines = ["params,tokens,loss,recipe"]
    for budget in (1e19, 1e20, 1e21):
        for share in np.logspace(-0.6, 0.6, 7):
            size = float(share * 0.09 * budget**0.514)
            loss = float(lf.laws.chinchilla.evaluate(N=size, D=budget / 6 / size, params=TRUTH))
            lines += [f"{size!r},{budget / 6 / size!r},{loss!r},a"]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


COLUMNS = ("--column", "N=params", "--column", "D=tokens", "--response", "loss")


def test_optima_are_those_of_python_in_every_form(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = lf.isoflop(runs_csv, response="loss", columns={"N": "params", "D": "tokens"}, by="recipe")
    call = ("isoflop", str(runs_csv), *COLUMNS, "--by", "recipe")
    assert main([*call, "--format", "csv", "--quiet"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["N"]) for row in rows] == [one.N for one in expected.optima]
    assert [row["status"] for row in rows] == ["inside"] * 3
    assert main([*call, "--format", "json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["power_laws"][0]["exponent"] == expected.exponent("N").exponent
    assert main(list(call)) == 0
    assert capsys.readouterr().out == f"{expected!r}\n"


def test_curves_without_an_optimum_are_null_and_a_failure(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ("isoflop", str(runs_csv), *COLUMNS, "--where", "loss < 3.3 and params < 5e8", "--format", "json", "-q")
    assert main(list(call)) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["power_laws"][0]["exponent"] is None


def test_a_wrong_column_is_named(runs_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["isoflop", str(runs_csv), "--response", "loss", "--column", "N=params"]) == 2
    assert "there is no column D" in capsys.readouterr().err
