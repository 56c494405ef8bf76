"""The page of a fit: one whole HTML file without network, all of the checklist, and calls that make the fit again."""

from __future__ import annotations

import csv
import importlib
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, REPOSITORY, Columns
from html_checks import checked, text_of

import lawfit as lf
from lawfit import cli
from lawfit._checklist import NOTES
from lawfit._reproduce import command, python_call

NASTY = "<script>alert(1)</script>"


def page_of(fit: lf.Fit, folder: Path, **options: Any) -> str:
    fit.report(folder / "fit.html", **options)
    return (folder / "fit.html").read_text(encoding="utf-8")


@pytest.fixture
def nd_table() -> dict[str, Any]:
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    grid = {"N": np.logspace(8, 10, 5), "D": np.logspace(9, 11, 4)}
    runs: dict[str, Any] = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.004, seed=1)
    return {**runs, "flops": 6.6 * runs["N"] * runs["D"], "run": [f"r{i // 2}" for i in range(20)]}


def test_the_page_opens_with_the_answer_and_holds_every_number(power_fit: lf.Fit, tmp_path: Path) -> None:
    words = text_of(page_of(power_fit, tmp_path, level=0.8))
    order = ["The answer", "What to distrust", "Checklist", "How to make it again"]
    assert sorted(order, key=words.index) == order
    for name, value in power_fit.params.items():
        lower, upper = power_fit.interval(name, 0.8)
        numbers = [f"{value:.8g}", f"{power_fit.stderr[name]:.4g}", f"{lower:.6g}", f"{upper:.6g}"]
        assert " ".join([name, *numbers]) in words
    for part in ("10 % 90 %", "loss = E + A*x**-alpha", "80 %, Wald's", repr(power_fit.objective), power_fit.kernels):
        assert part in words


def test_the_page_is_whole_and_asks_for_nothing_from_elsewhere(power_fit: lf.Fit, tmp_path: Path) -> None:
    page = page_of(power_fit, tmp_path)
    found = checked(page)
    assert found.seen.count("h1") == found.seen.count("body") == found.seen.count("title") == 1
    assert page.startswith("<!DOCTYPE html>")
    assert 'name="viewport"' in page
    assert "@media print" in page
    assert not re.search(r"https?://", page)


def test_what_the_user_wrote_is_text_and_never_markup(power_runs: Columns, tmp_path: Path) -> None:
    table = {"x": power_runs["x"], NASTY: power_runs["loss"], "run": [NASTY] * 2 + [f"r{i}" for i in range(10)]}
    law = lf.Law("a + b*x**-c", ["x"], title=NASTY, reference=NASTY, traps=[NASTY], units={"x": NASTY})
    fit = lf.fit(law, table, response=NASTY, starts=4)
    page = page_of(fit, tmp_path, title=NASTY, notes=dict.fromkeys(NOTES, NASTY))
    assert page.count("<script") == 0
    assert "".join(checked(page).words).count(NASTY) > len(NOTES) + 5


def test_every_item_that_only_the_user_knows_is_said_to_be_unknown_or_holds_the_note(
    power_fit: lf.Fit, tmp_path: Path
) -> None:
    words = text_of(page_of(power_fit, tmp_path))
    for key, (name, asked) in NOTES.items():
        assert (f"{name} not stated: {asked}" in words) == (key != "remarks")
    said = {key: f"note about {key}" for key in NOTES}
    words = text_of(page_of(power_fit, tmp_path, notes=said))
    for key, (name, asked) in NOTES.items():
        assert f"{name} note about {key}" in words
        assert asked not in words


def test_the_number_of_items_that_are_not_stated_is_the_number_in_the_page(power_fit: lf.Fit, tmp_path: Path) -> None:
    page = page_of(power_fit, tmp_path)
    count = len(re.findall('<dd class="unknown">not stated: ', page))
    assert f"{count} items of the checklist are not stated" in page


def test_the_checklist_says_what_was_done_with_the_rows(nd_table: dict[str, Any], tmp_path: Path) -> None:
    nd_table["loss"][3] = np.nan
    fit = lf.fit(
        lf.laws.chinchilla, nd_table, response="loss", missing="drop", where="N < 9e9", cluster="run", starts=8
    )
    words = text_of(page_of(fit, tmp_path, validate=False))
    for part in (
        "15 used of 20 (where N < 9e9) (1 without loss)",
        "Range of N 1e+08 to 3.162e+09",
        "Range of D/N 0.3162 to 316.2",
        "column 'flops' is 1.1 times 6*N*D (median over the rows)",
        "rows of one run belong together",
        "Unit of N parameters",
        "Held-out error not stated: not asked for (validate=False)",
        f"Loss huber Scale of the loss (delta) {fit.f_scale!r}, given by the data (mad)",
        "rule auto, seed 0",
    ):
        assert part in words


def test_the_documentation_lists_every_note() -> None:
    page = (REPOSITORY / "docs" / "reports.md").read_text(encoding="utf-8")
    for key, (_, asked) in NOTES.items():
        assert f"| `{key}` | {'' if key == 'remarks' else asked.split(':')[0]}" in page


def test_what_is_wrong_with_a_fit_stands_below_the_answer(power_runs: Columns, tmp_path: Path) -> None:
    fit = lf.fit("E + A*x**-alpha + G", power_runs, response="loss", starts=6)
    words = text_of(page_of(fit, tmp_path))
    distrust = words[words.index("What to distrust") : words.index("Checklist")]
    assert fit.warnings
    for sentence in (*fit.warnings, *fit.certificate.reasons):
        assert sentence in distrust
    assert "not usable as it is" in words[: words.index("What to distrust")]


def test_draws_give_the_intervals_and_how_they_were_made(power_fit: lf.Fit, tmp_path: Path) -> None:
    draws = power_fit.bootstrap(50, seed=3)
    words = text_of(page_of(power_fit, tmp_path, draws=draws))
    lower, upper = draws.interval("alpha")
    assert f"{lower:.6g} {upper:.6g}" in words
    assert "95 %, from 50 replicates (resample=bayesian, 12 units, seed 3" in words
    other = lf.fit(lf.laws.power_floor, {"x": [1e7, 1e8, 1e9, 1e10], "loss": [3, 2.5, 2.2, 2]}, response="loss")
    with pytest.raises(lf.DataError, match="draws: these are of another fit"):
        power_fit.report(tmp_path / "fit.html", draws=other.bootstrap(5))


@pytest.mark.parametrize(
    ("validate", "words"),
    [(True, "held-out runs with the largest 6*N*D"), ("D/N", "held-out runs with the largest D/N")],
)
def test_the_page_says_how_held_out_runs_are_predicted(
    nd_table: dict[str, Any], validate: bool | str, words: str, tmp_path: Path
) -> None:
    fit = lf.fit(lf.laws.chinchilla, nd_table, response="loss", starts=8)
    page = text_of(page_of(fit, tmp_path, validate=validate))
    by = "6*N*D" if validate is True else str(validate)
    assert words in page
    assert page.count(fit.validate(by=by).message) == 2


def test_a_loaded_fit_reports_what_it_knows_and_says_what_it_does_not(power_fit: lf.Fit, tmp_path: Path) -> None:
    whole = page_of(power_fit, tmp_path)
    power_fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    words = text_of(page_of(again, tmp_path))
    assert "Held-out error not stated: data: this was saved without its rows" in words
    assert "Range of x 3.162e+06 to 1e+10" in words
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})", words)
    assert digest == re.findall(r"SHA-256 ([0-9a-f]{64})", text_of(whole))
    assert len(digest) == 1
    table = dict(zip((*power_fit.rows.variables, "loss"), (*power_fit.rows.x, power_fit.rows.y), strict=True))
    assert page_of(again, tmp_path, data=table) == whole


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"notes": {"trainig": "x"}}, "did you mean 'training'"),
        ({"notes": {"training": 3}}, "training needs a text"),
        ({"notes": "x"}, "give texts by name"),
        ({"validate": "M"}, "'M' is not a variable"),
        ({"validate": 3}, "validate: say True, False"),
        ({"level": 2.0}, "level=2"),
        ({"title": 3}, "title: give a text"),
    ],
)
def test_a_wrong_option_is_answered_by_name(
    power_fit: lf.Fit, options: Mapping[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(lf.DataError, match=words):
        power_fit.report(tmp_path / "fit.html", **options)
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_written_says_so(power_fit: lf.Fit, tmp_path: Path) -> None:
    with pytest.raises(lf.DataError, match="cannot write there"):
        power_fit.report(tmp_path / "no" / "fit.html")


def refuse(*_: object, **__: object) -> None:
    raise lf.DataError("starts: none are kept")


def test_figures_stand_in_the_page_with_names_of_their_own(
    power_fit: lf.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lf.plotting.FIGURES, "starts", refuse)
    page = page_of(power_fit, tmp_path)
    found = checked(page)
    assert found.seen.count("svg") == 3
    assert "Not drawn: starts: none are kept" in page
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names)) > 10
    for used in (*re.findall(r'href="#([^"]+)"', page), *re.findall(r"url\(#([^)]+)\)", page)):
        assert used in names
    assert not re.search(r"https?://", page)


def test_without_matplotlib_there_is_a_page_without_figures(
    power_fit: lf.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name))
    assert "svg" not in checked(page_of(power_fit, tmp_path)).seen


def table() -> dict[str, Any]:
    sizes = np.tile(np.logspace(6.5, 10, 12), 2)
    runs: dict[str, Any] = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": sizes}, noise=0.01, seed=1)
    return {
        **runs, "size": runs["x"] / 2, "task": ["a b"] * 12 + ["c"] * 12, "run": [f"r{i // 2}" for i in range(24)],
        "w": np.linspace(1, 2, 24), "hole": np.where(np.arange(24) == 3, np.nan, runs["loss"]),
    }  # fmt: skip


CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "columns": {"columns": {"x": "2*size"}, "where": "x > 1e7", "cluster": "run"},
    "options": {"loss": "soft_l1", "f_scale": 0.01, "residual": "linear", "starts": 17, "seed": 3},
    "squared": {"loss": "squared", "weights": "w", "covariance": "HC1", "missing": "drop", "response": "hole"},
    "known": {"fixed": {"E": 1.7}, "prior": {"alpha": (0.35, 0.03)}},
    "bounds": {"bounds": {"alpha": (0.1, None), "E": (0, 1.6)}},
    "text": {"law": "E + A*x**-alpha", "kernels": "portable"},
    "protocol": {"law": "E + A*N**-alpha + B*D**-beta", "protocol": "hoffmann2022", "f_scale": 0.01},
}
ONLY_PYTHON: dict[str, dict[str, Any]] = {
    "starts": {"starts": {"E": [1.0, 2.0], "A": [300.0, 400.0], "alpha": [0.3, 0.4]}},
    "law": {"law": lf.Law("E + A*x**-a", ["x"], positive=["A"], bounds={"a": (0, 3)}, starts={"A": (1, 1e4)})},
    "iterations": {"max_iterations": 50},
}


def made(name: str) -> tuple[lf.Fit, dict[str, Any]]:
    options = {"response": "loss", **{**CALLS, **ONLY_PYTHON}[name]}
    law = options.pop("law", lf.laws.power_floor)
    data = table()
    if name == "protocol":
        data["N"], data["D"] = data["x"], np.roll(data["x"], 5) * 20
    return lf.fit(law, data, **options), data


@pytest.mark.parametrize("name", [*CALLS, *ONLY_PYTHON])
def test_the_call_of_the_page_makes_the_same_fit(name: str) -> None:
    fit, data = made(name)
    scope: dict[str, Any] = {"data": data}
    exec(python_call(fit), scope)
    again = scope["fit"]
    assert again.to_dict() == fit.to_dict()


@pytest.mark.parametrize("name", CALLS)
def test_the_command_of_the_page_makes_the_same_fit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fit, data = made(name)
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "runs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(data)
        for row in zip(*data.values(), strict=True):
            writer.writerow(["" if value != value else value for value in row])
    line, reason = command(fit)
    assert reason is None
    assert line is not None
    assert cli.main([*shlex.split(line)[1:], "--format", "json", "--quiet"]) == 0
    read = json.loads(capsys.readouterr().out)
    del read["saved"]  # what lawfit.load reads
    assert read == fit.to_dict()


@pytest.mark.parametrize("name", ONLY_PYTHON)
def test_what_the_command_cannot_say_is_said(name: str) -> None:
    line, reason = command(made(name)[0])
    assert line is None
    assert reason is not None
    assert "the command does not take" in reason


def test_a_fit_of_a_batch_is_made_again_with_its_draws(tmp_path: Path) -> None:
    fits = lf.fit_many(lf.laws.power_floor, table(), by="task", response="loss", starts=8, bootstrap=20)
    fit = fits["a b"]
    scope: dict[str, Any] = {"data": table()}
    exec(python_call(fit), scope)
    assert scope["fit"].params == fit.params
    assert fit.draws is not None
    np.testing.assert_array_equal(scope["fit"].draws.params, fit.draws.params)
    words = text_of(page_of(fit, tmp_path))
    assert "task = a b" in words
    assert "lawfit fit runs.csv" in words


@pytest.mark.parametrize("resample", ["bayesian", "pairs", "subsample", "jackknife"])
def test_draws_of_the_page_are_made_again(power_fit: lf.Fit, power_runs: Columns, resample: str) -> None:
    draws = power_fit.bootstrap(None if resample == "jackknife" else 15, resample=resample, seed=4)
    scope: dict[str, Any] = {"data": power_runs}
    exec(python_call(power_fit, draws), scope)
    np.testing.assert_array_equal(scope["draws"].params, draws.params)


def test_arrays_of_the_call_stand_in_it_by_name() -> None:
    fit = lf.fit(lf.laws.power_floor, table(), response="loss", weights=table()["w"], starts=4)
    assert "weights=weights," in python_call(fit)
    assert command(fit) == (None, "the call was given arrays, which the command does not take: weights")
