"""Results as HTML and as LaTeX tables: every number and word that matters, every text escaped."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Columns
from html_checks import checked, text_of

import lawfit as lf

# What would be markup, or LaTeX, if it was not escaped.
NASTY = "<script>alert('x')</script> & 50%_of $#{}~^\\"


@pytest.fixture
def nasty_fits(power_runs: Columns) -> lf.Fits:
    table: dict[str, Any] = {name: np.tile(values, 2) for name, values in power_runs.items()}
    table[NASTY] = [NASTY] * 12 + ["b"] * 12
    return lf.fit_many(lf.laws.power_floor, table, by=NASTY, response="loss", starts=4, bootstrap=30)


def test_the_html_of_every_result_is_whole_and_escaped(power_fit: lf.Fit, nasty_fits: lf.Fits) -> None:
    draws = nasty_fits[0].draws
    assert draws is not None
    interval = lf.Interval(1.0, 2.0, level=0.9, method="wald", note=NASTY)
    law = lf.Law("a*x", ["x"], name="n", title=NASTY, traps=[NASTY], reference=NASTY, units={"x": NASTY})
    for result in (nasty_fits, nasty_fits[0], interval, law):
        assert NASTY in "".join(checked(result._repr_html_()).words)
    for other in (draws, lf.Law("a*x", positive=["a"]), power_fit):
        checked(other._repr_html_())


def test_the_html_of_a_fit_has_what_print_has(power_runs: Columns) -> None:
    fit = lf.fit("E + A*x**-alpha + G", power_runs, response="loss", starts=4)
    assert fit.warnings
    words = text_of(fit._repr_html_())
    for part in (*fit.warnings, fit.status, fit.message, fit.covariance_type, "12 used of 12", "loss = E + A"):
        assert part in words
    for name, value in fit.params.items():
        assert f"{name} {value:.8g}" in re.sub(r"\s+", " ", " ".join(checked(fit._repr_html_()).words))


def cells_of(latex: str) -> list[list[str]]:
    return [line.removesuffix(r" \\").split(" & ") for line in latex.splitlines() if " & " in line]


def as_number(cell: str) -> float:
    return float(cell.replace(r" \times 10^{", "e").strip("${}[]"))


def test_a_latex_table_holds_the_numbers_of_the_fit(power_fit: lf.Fit) -> None:
    _, *rows = cells_of(power_fit.to_latex(level=0.8))
    for (name, value), row in zip(power_fit.params.items(), rows, strict=True):
        lower, upper = row[3].split(", ")
        assert as_number(row[1]) == float(f"{value:.6g}")
        assert as_number(row[2]) == float(f"{power_fit.stderr[name]:.3g}")
        ends = power_fit.interval(name, 0.8)
        assert (as_number(lower), as_number(upper)) == tuple(float(f"{end:.4g}") for end in ends)
    assert r"$\mathrm{loss} = E + A \, x^{-\alpha}$" in power_fit.to_latex()
    assert r"80\,\% interval" in power_fit.to_latex(level=0.8)
    with pytest.raises(lf.DataError, match="level=2"):
        power_fit.to_latex(level=2)


def test_a_latex_table_of_a_batch_gives_the_intervals_of_its_draws(nasty_fits: lf.Fits) -> None:
    _, *rows = cells_of(nasty_fits.to_latex())
    assert len(rows) == 6
    draws = nasty_fits[1].draws
    assert draws is not None
    lower, _ = draws.interval("E")
    assert as_number(rows[3][4].split(", ")[0]) == float(f"{lower:.4g}")


def test_numbers_without_a_value_and_fixed_ones_are_said_in_words(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", fixed={"E": 1.7}, starts=4)
    _, first, *_ = cells_of(fit.to_latex())
    assert first == ["$E$", "$1.70000$", "fixed", "--"]


@pytest.mark.parametrize("result", ["fit", "fits"])
def test_latex_is_balanced_and_every_special_letter_escaped(nasty_fits: lf.Fits, result: str) -> None:
    latex = nasty_fits.to_latex() if result == "fits" else nasty_fits[0].to_latex()
    bare = re.sub(r"\\[{}$&%#_]", "", latex)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not re.search(r"[#~]|(?<!\^)\^(?!\{)", bare)


def test_names_in_back_quotes_are_escaped_in_formulas() -> None:
    assert lf.Law("a*`50% of x`").to_latex() == r"a \, \mathrm{50\% of x}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_table_compiles(nasty_fits: lf.Fits, tmp_path: Path) -> None:
    page = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}%s\\end{document}"
    (tmp_path / "t.tex").write_text(page % (nasty_fits.to_latex() + nasty_fits[0].to_latex()), encoding="utf-8")
    subprocess.run(["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True, timeout=50, capture_output=True)
