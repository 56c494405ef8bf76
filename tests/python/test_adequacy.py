"""Tests of lack of fit: a textbook's table, SciPy's tails, nested regressions."""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns

import lawfit as lf

scipy_stats: Any = importlib.import_module("scipy.stats")
LINEAR: dict[str, Any] = {"response": "y", "residual": "linear", "loss": "squared"}
# Tails have 13 digits, sums of squares of linear fits about ten.
SAME = 1e-9


def test_the_f_test_is_the_one_of_the_textbook() -> None:
    # Weisberg, Applied Linear Regression, third edition, section 5.3: ten observations at four values of x.
    x = [1, 1, 1, 2, 3, 3, 4, 4, 4, 4]
    y = [2.55, 2.75, 2.57, 2.40, 4.19, 4.70, 3.81, 4.87, 2.93, 4.52]
    fit = lf.fit("a + b*x", {"x": x, "y": y}, **LINEAR)
    # Its table of the analysis of variance, to the digits that it prints.
    assert round(fit.sse, 4) == 4.2166
    test = fit.lack_of_fit()
    assert (test.kind, test.df, test.n_groups) == ("F", (2, 6), 4)
    assert round(test.pure_error**2, 4) == 0.3931
    assert round(test.statistic, 2) == 2.36
    assert round((fit.sse - 6 * test.pure_error**2) / 2, 4) == 0.9291
    assert test.p_value == pytest.approx(scipy_stats.f.sf(test.statistic, 2, 6), rel=SAME)
    assert "by no more than these differ among themselves (F = 2.36 on 2 and 6" in test.message


@pytest.mark.parametrize("noise", [None, "weights", "sigma"])
@pytest.mark.parametrize("residual", ["linear", "log"])
def test_the_f_test_compares_with_a_regression_that_has_a_mean_for_every_point(
    noise: str | None, residual: str
) -> None:
    random = np.random.default_rng(4)
    x = np.repeat([1.0, 2.0, 3.0, 4.0, 6.0], [3, 2, 1, 4, 3])
    z = np.tile([0.0, 1.0], 7)[:13]
    w = random.uniform(0.5, 3.0, 13)
    y = np.exp(0.2 + 0.1 * x + 0.05 * z + 0.02 * random.standard_normal(13) / np.sqrt(w))
    w[5] = 0.0 if noise == "weights" else w[5]
    sigma = 0.02 * y / np.sqrt(np.where(w > 0, w, 1.0))
    chosen: dict[str, Any] = {"weights": {"weights": w}, "sigma": {"sigma": sigma}}.get(noise or "", {})
    law = "exp(a + b*x)" if residual == "log" else "a + b*x"
    fit = lf.fit(lf.Law(law + " + 0*z", variables=["x", "z"]), {"x": x, "z": z, "y": y},
                 **(LINEAR | {"residual": residual}), **chosen)  # fmt: skip
    test = fit.lack_of_fit("F")

    target, unit = (np.log(y), y) if residual == "log" else (y, np.ones(13))
    precision = {"weights": w, "sigma": (unit / sigma) ** 2}.get(noise or "", np.ones(13))
    used = precision > 0

    def rest(matrix: Any) -> float:
        root = np.sqrt(precision[used])
        best = np.linalg.lstsq(root[:, None] * matrix[used], root * target[used], rcond=None)[0]
        return float(np.sum(precision[used] * (target[used] - matrix[used] @ best) ** 2))

    points = np.unique(np.stack([x, z])[:, used], axis=1)
    cells = np.array([[float(x[i] == a and z[i] == b) for a, b in points.T] for i in range(13)])
    line, full = rest(np.stack([np.ones(13), x], axis=1)), rest(cells)
    n, groups = int(used.sum()), points.shape[1]
    assert (test.df, test.n_groups) == ((groups - 2, n - groups), groups)
    expected = ((line - full) / (groups - 2)) / (full / (n - groups))
    assert test.statistic == pytest.approx(expected, rel=1e-7)
    assert test.p_value == pytest.approx(scipy_stats.f.sf(expected, *test.df), rel=1e-6)
    assert test.pure_error == pytest.approx(np.sqrt(full / (n - groups)), rel=1e-7)
    if noise == "sigma":
        whole, means = fit.lack_of_fit(), fit.lack_of_fit("chi2_means")
        assert (whole.kind, whole.df, means.df) == ("chi2", (n - 2,), (groups - 2,))
        assert whole.statistic == pytest.approx(line, rel=1e-7)
        assert means.statistic == pytest.approx(line - full, rel=1e-6)
        assert whole.p_value == pytest.approx(scipy_stats.chi2.sf(line, n - 2), rel=1e-6)
        assert means.p_value == pytest.approx(scipy_stats.chi2.sf(line - full, groups - 2), rel=1e-5)


def test_p_values_are_uniform_where_law_and_noise_are_right() -> None:
    x = np.repeat(np.logspace(7, 10, 6), 2)
    runs = [
        lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": x}, noise=0.003, seed=seed) for seed in range(400)
    ]
    fits = lf.fit_many(lf.laws.power_floor, runs, response="loss", loss="squared", sigma="0.003*loss", starts=8)
    assert fits.ok.all()
    for kind in ("chi2", "F", "chi2_means"):
        values = [fit.lack_of_fit(kind).p_value for fit in fits]
        # A fixed seed: this holds or it does not. A statistic with wrong degrees of freedom fails at 1e-10.
        assert scipy_stats.kstest(values, "uniform").pvalue > 0.01, kind


def test_words_say_which_of_law_and_noise_is_in_doubt() -> None:
    x = np.repeat(np.logspace(7, 10, 8), 3)
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": x}, noise=0.003, seed=0)

    def fit(law: str = "E + A*x**-alpha", **options: Any) -> lf.Fit:
        return lf.fit(law, runs, response="loss", **({"loss": "squared"} | options))

    assert "are as large as sigma says" in fit(sigma="0.003*loss").lack_of_fit().message
    small = fit(sigma="0.001*loss").lack_of_fit()
    assert "are larger than sigma says (chi2 = " in small.message
    assert small.message.endswith(
        'the law misses something, or sigma is too small; kind="F" tells which, from the repeats'
    )
    assert fit(sigma="0.001*loss").lack_of_fit("F").p_value > 0.05
    assert "are smaller than sigma says" in fit(sigma="0.03*loss").lack_of_fit().message
    wrong = fit(law="A*x**-alpha").lack_of_fit()
    assert wrong.kind == "F"
    assert wrong.p_value < 1e-6
    assert "by more than these differ among themselves" in wrong.message
    assert fit(law="A*x**-alpha", sigma="0.003*loss").lack_of_fit("chi2_means").p_value < 1e-6
    # What the repeats show is the noise that the runs were made with.
    assert 0.002 < wrong.pure_error < 0.004
    assert "minimised loss='huber'" in fit(loss="huber").lack_of_fit().message
    assert "minimised" not in wrong.message
    assert "priors count as observations" in fit(prior={"alpha": (0.34, 0.01)}).lack_of_fit().message


def test_priors_count_as_observations() -> None:
    x = np.linspace(0.0, 3.0, 12)
    y = 1.0 + 2.0 * x + 0.1 * np.random.default_rng(0).standard_normal(12)
    fit = lf.fit("a + b*x", {"x": x, "y": y}, **LINEAR, sigma=np.full(12, 0.1), prior={"b": (2.2, 0.1)})
    test = fit.lack_of_fit()
    assert test.df == (11,)
    # The objective is half of everything that is summed here.
    assert test.statistic == pytest.approx(2 * fit.objective, rel=SAME)
    held = lf.fit("a + b*x", {"x": x, "y": y}, **LINEAR, sigma=np.full(12, 0.1), fixed={"b": 2.0})
    assert held.lack_of_fit().df == (11,)
    assert held.lack_of_fit().statistic == pytest.approx(2 * held.objective, rel=SAME)


def test_a_test_that_cannot_be_made_says_what_to_do(power_fit: lf.Fit, power_runs: Columns) -> None:
    plain = power_fit.lack_of_fit()
    assert (plain.kind, plain.df, plain.n_groups) == ("none", (), 12)
    assert np.isnan([plain.statistic, plain.p_value, plain.pure_error]).all()
    assert "neither known noise nor two runs with the same x; fit with sigma=" in plain.message
    assert "needs known noise: fit with sigma=" in power_fit.lack_of_fit("chi2").message
    assert "needs runs that repeat a point: no two rows have the same x" in power_fit.lack_of_fit("F").message
    with pytest.raises(lf.LawError, match="kind='t' is not known"):
        power_fit.lack_of_fit("t")
    copies = {name: np.tile(values, 2) for name, values in power_runs.items()}
    message = lf.fit(lf.laws.power_floor, copies, response="loss", loss="squared").lack_of_fit().message
    assert "equal to the last digit: copies of one run" in message
    three = {name: values[[0, 5, 11]] for name, values in power_runs.items()}
    few = lf.fit(lf.laws.power_floor, three, response="loss", sigma="0.01*loss")
    assert few.success
    assert "as many parameters as there are rows" in few.lack_of_fit().message
    two = {name: values[:2] for name, values in power_runs.items()}
    assert "not usable as it is: fewer rows" in lf.fit(lf.laws.power_floor, two, response="loss").lack_of_fit().message
    assert isinstance(plain, lf.LackOfFit)
    assert pickle.loads(pickle.dumps(plain)).message == plain.message
