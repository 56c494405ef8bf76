"""``lawfit t2``: what the function gives, in files, with messages in the words of options."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from html_checks import checked

import lawfit as lf
from lawfit import _cli_arguments
from lawfit.cli import main

TRUTH = {"E": 0.6, "A": 400.0, "alpha": 0.3, "B": 2000.0, "beta": 0.31}
GRID = {"N": [1e8, 4e8, 1.6e9, 6.4e9], "D": [5e9, 2e10, 8e10, 3.2e11]}
BUDGETS = ("--budget", "6*N*D=1e20..1e22:3", "--budget", "2*N*k=2e10")
FAST = ("--bootstrap", 20, "--forms", "t2_loss")


@pytest.fixture(scope="module")
def counts_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    counts = lf.synthetic.counts(lf.laws.chinchilla, TRUTH, GRID, n_problems=30, n_samples=64, size=0.5, seed=1)
    path: Path = tmp_path_factory.mktemp("t2") / "counts.csv"
    names = {"N": "params", "D": "tokens"}
    header = ",".join([*(names.get(name, name) for name in counts), "benchmark"])
    lines = [
        ",".join(map(repr, row)) + f",{name}"
        for name in ("a", "b")
        for row in np.stack(list(counts.values()), axis=1).tolist()
    ]
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    return path


NAMED = ("--column", "N=params", "--column", "D=tokens", "--where", "benchmark == 'a'")


def t2(*arguments: object) -> int:
    return main(["t2", *map(str, arguments)])


def test_the_page_and_the_document_are_those_of_python(
    counts_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    call = (
        counts_csv,
        *BUDGETS,
        *NAMED,
        *FAST,
        "--k",
        "1,4,16",
        "--seed",
        5,
        "--level",
        0.8,
        "--headline",
        "6*N*D=1e21",
    )
    assert t2(*call, "-o", page) == 0
    said = capsys.readouterr()
    expected = lf.t2_report(
        str(counts_csv), {"6*N*D": np.geomspace(1e20, 1e22, 3), "2*N*k": 2e10}, k=[1.0, 4.0, 16.0],
        columns={"N": "params", "D": "tokens"}, where="benchmark == 'a'", forms=["t2_loss"], n_replicates=20, seed=5,
        level=0.8, headline={"6*N*D": 1e21},
    )  # fmt: skip
    assert page.read_text(encoding="utf-8") == expected.to_html()
    checked(page.read_text(encoding="utf-8"))
    assert said.out == ""
    assert said.err == f"lawfit: {expected.verdict.sentence}\n"
    assert t2(*call, "--format", "json", "--quiet") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == expected.to_dict()
    assert said.err == ""
    assert t2(*call, "--format", "table") == 0
    assert capsys.readouterr().out == f"{expected!r}\n"


def test_the_form_of_the_output_follows_the_ending(counts_csv: Path, tmp_path: Path) -> None:
    for name, start in (("report.json", "{"), ("report.txt", ""), ("report.html", "<!DOCTYPE html>")):
        assert t2(counts_csv, *BUDGETS, *NAMED, *FAST, "-q", "-o", tmp_path / name) == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_a_plan_without_an_optimum_is_reported_and_ends_with_one(
    counts_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert t2(counts_csv, "--budget", "6*N*D=1e21", *NAMED, *FAST, "--format", "json") == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert not document["is_decided"]
    assert "the law improves on to the end of the search" in document["sentence"]
    assert said.err == f"lawfit: {document['sentence']}\n"
    assert t2(counts_csv, "--budget", "6*N*D=1e21", *NAMED, *FAST, "--format", "json", "-q", "--hold", "k=4") == 0
    assert json.loads(capsys.readouterr().out)["plans"]["t2_loss"]["headline"]["k"][0] == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((*BUDGETS, *NAMED[:4]), "--problem too where all of them are meant"),
        ((*BUDGETS, "--where", "benchmark == 'a'"), "no column is called 'N', 'D'; the columns are params, tokens"),
        ((*BUDGETS, *NAMED, "--forms", "t2_bet"), "--forms: 't2_bet' is not known"),
        ((*BUDGETS, *NAMED, "--problem", "task"), "no column is called 'task'"),
        ((*BUDGETS, *NAMED, "--k", "1,x"), "--k: 'x' is not a number"),
        ((*BUDGETS, *NAMED, "--k", "1,100"), "say --few-samples drop_problem"),
        ((*BUDGETS, *NAMED, "--headline", "6*N=1e21"), "--headline: '6*N' is none of the budgets"),
        ((*BUDGETS, *NAMED, "--headline", "6*N*D=1e20..1e21"), "--headline 6*N*D: give one amount"),
        ((*BUDGETS, *NAMED, "--limit", "D=1e12"), "write NAME=LOW:HIGH"),
        ((*BUDGETS, *NAMED, "--cluster", "model"), "--cluster model: name a column of --by"),
        (("--budget", "6*N*D=1e20..1e22", "--budget", "2*N*k=1..2", *NAMED), "one budget can be a sweep"),
        ((*BUDGETS, *NAMED, "-o", "page.csv"), "the ending says no format"),
        ((*BUDGETS, *NAMED, "-o", "none/page.html"), "there is no folder none"),
    ],
)
def test_a_wrong_call_ends_before_any_work_in_the_words_of_options(
    options: tuple[str, ...], message: str, counts_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert t2(counts_csv, *options) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err


def test_progress_is_drawn_on_a_terminal_only(
    counts_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(_cli_arguments, "draw_line", lambda done, total: seen.append((done, total)))
    call = (counts_csv, *BUDGETS, *NAMED, *FAST, "-o", tmp_path / "report.json")
    assert t2(*call) == 0
    assert seen == []
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert t2(*call, "-q") == 0
    assert seen == []
    assert t2(*call) == 0
    assert seen
    assert all(0 <= done <= total for done, total in seen)
