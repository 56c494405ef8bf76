"""Every example in a docstring runs, and every public function has the sections that a reader looks for."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import lawfit as lf
from lawfit import (
    _attach,
    _count_predictions,
    _frontier_figures,
    _pass_figures,
    _sampling_figures,
    adequacy,
    allocation,
    averages,
    beside,
    counts,
    diagnosis,
    front_contrasts,
    regrets,
    uncertainty,
    validation,
)

MODULES = sorted(path.stem for path in Path(lf.__file__).parent.glob("*.py") if path.stem != "__main__")
FUNCTIONS = [lf.fit, lf.fit_many, lf.bootstrap, lf.synthetic.runs, lf.Law.evaluate, lf.Fit.predict, lf.binomial_sigma]
FUNCTIONS += [adequacy.lack_of_fit, uncertainty.interval, uncertainty.draws_interval, uncertainty.draws_predict]
FUNCTIONS += [uncertainty.predicted_interval]
FUNCTIONS += [lf.fit_counts, counts.bootstrap, _count_predictions.predict, _count_predictions.pass_at_k]
FUNCTIONS += [diagnosis.diagnose, validation.validate, lf.next_runs]
FUNCTIONS += [lf.pass_at_k, lf.t2_report, lf.estimate_pass_at_k, lf.synthetic.counts]
FUNCTIONS += [lf.fit_mixture, lf.fit_chain, lf.ChainFit.bootstrap, lf.load, _attach.with_data]
FUNCTIONS += [lf.curve_fit, lf.allocate, lf.plotting.plot, allocation.of_fit, allocation.of_draws]
FUNCTIONS += [_frontier_figures.frontiers_data, _frontier_figures.near_optimal_data]
FUNCTIONS += [_sampling_figures.train_to_test_data, _pass_figures.pass_curve_data]
FUNCTIONS += [averages.best_on_average, beside.beside, lf.plans, front_contrasts.front_contrast, regrets.regret]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some write files
    module = lf if name == "__init__" else importlib.import_module(f"lawfit.{name}")
    failed, _ = doctest.testmod(module)
    assert failed == 0


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_public_functions_have_every_section(function: object) -> None:
    text = inspect.getdoc(function) or ""
    for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
        assert f"\n{section}\n---" in text, section
    assert "When to use:" in text
