"""Where draws say less than an interval would claim, there is none, or a word beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf

HOW: dict[str, Any] = {"response": "y", "loss": "squared", "residual": "linear"}


def line(n: int, **more: Any) -> lf.Fit:
    x = np.linspace(1.0, 5.0, n)
    y = 2.0 + 3.0 * x + np.random.default_rng(0).normal(0.0, 0.5, n)
    return lf.fit("a + b*x", {"x": x, "y": y}, **(HOW | more))


def note_of(interval: lf.Interval) -> str:
    assert np.isnan(interval).all()
    return interval.note or ""


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_a_profile_with_a_prior_weighs_both_by_one_noise_or_is_none(sigma: float) -> None:
    x = 2.0 + np.linspace(0.0, 1e-3, 30)  # rows that say nothing of b
    y = 2.0 + 3.0 * x + np.random.default_rng(0).normal(0.0, 0.1, 30)
    prior = {"b": (3.0, 0.5)}
    fit = lf.fit("a + b*x", {"x": x, "y": y}, sigma=np.full(30, sigma), prior=prior, covariance="classical", **HOW)
    found, wald = fit.interval("b", method="profile"), fit.interval("b")
    if sigma == 0.1:
        assert tuple(found) == pytest.approx(tuple(wald), rel=0.1)
    else:
        assert "one objective is no likelihood of both" in note_of(found)


def test_strata_of_one_row_are_refused_and_small_ones_have_a_word() -> None:
    with pytest.raises(lf.DataError, match="every stratum needs two rows at least"):
        line(20).bootstrap(50, strata="x")
    caution = line(20).bootstrap(50, strata=np.arange(20) // 4).caution
    assert "strata have 4 rows or clusters in the mean" in (caution or "")
    assert line(60).bootstrap(50, strata=np.arange(60) // 20).caution is None
    for scheme in ("jackknife", "subsample"):
        with pytest.raises(lf.LawError, match="leave strata= out"):
            line(20).bootstrap(resample=scheme, strata=np.arange(20) // 4)
    wrong: list[Any] = [[None] * 20, np.full(20, np.nan)]
    for bad in wrong:
        with pytest.raises(lf.DataError, match="every row needs a finite number or a text"):
            line(20).bootstrap(50, strata=bad)


@pytest.mark.parametrize(
    ("n", "share", "kept"), [(5, 0.95, 4), (5, 0.5, 3), (20, 0.8, 16), (20, 0.99, 19), (3, 0.1, 1)]
)
def test_a_subsample_leaves_something_out_and_knows_its_share(n: int, share: float, kept: int) -> None:
    x = np.linspace(1.0, 5.0, n)
    fit = lf.fit("a + 0*x", {"x": x, "y": np.random.default_rng(0).standard_normal(n)}, **HOW)
    draws = fit.bootstrap(4000, resample="subsample", share=share)
    assert draws.share == kept / n
    # The delete-d jackknife is exact for a mean.
    assert draws.stderr["a"] == pytest.approx(fit.rows.y.std(ddof=1) / math.sqrt(n), rel=0.06)


def test_replicates_that_fail_on_one_side_leave_no_interval(real_data: Callable[[str], Path]) -> None:
    # Searches without end: E falls and alpha goes to 0 in three of ten resamples.
    runs = real_data("porian_rw_88.csv")
    fit = lf.fit("exp(a - alpha*log(N)) + E", runs, response="loss", loss="squared")
    draws = fit.bootstrap(400, n_checked=0)
    assert draws.n_failed > 0.2 * 400
    assert "more replicates are without a value than lie beyond both ends" in note_of(draws.interval("alpha"))
    assert "did not end in a usable minimum" in note_of(draws.interval("alpha"))


@pytest.mark.parametrize("scheme", ["wild", "parametric", "pairs", "bayesian"])
def test_with_no_more_units_than_parameters_no_method_gives_an_interval(scheme: str) -> None:
    fit = lf.fit("a + b*x", {"x": [1.0, 2.0], "y": [1.0, 3.0]}, **HOW)
    assert note_of(fit.bootstrap(50, resample=scheme).interval("b"))
    one = line(20, cluster=["a"] * 20)
    assert "1 cluster" in note_of(one.bootstrap(200, resample="pairs").interval("b"))


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_quantiles_want_a_draw_beyond_either_end(method: str) -> None:
    few = line(20).bootstrap(39, resample="pairs").interval("b", method=method)
    assert "39 usable replicates are too few for these ends: 40 are the least" in note_of(few)
    assert not np.isnan(line(20).bootstrap(40, resample="pairs").interval("b", method=method)).any()


def test_a_formula_without_a_value_in_some_draws_says_so() -> None:
    fit = line(20)
    draws = fit.bootstrap(3000)
    some = draws.interval(f"log(a - {fit.params['a'] - 2.5 * draws.stderr['a']})")
    assert "of the 3000 replicates it has no finite value" in (some.note or "")
    assert "did not end in a usable minimum" not in (some.note or "")
    assert "without a value" in note_of(draws.interval(f"log(a - {fit.params['a'] - draws.stderr['a']})"))


def test_a_level_near_one_is_answered() -> None:
    draws = line(20).bootstrap(500)
    found = draws.interval("b", 1 - 1e-16)
    float32: Any = np.float32(0.95)
    assert "no number would do" in (found.note or "")
    assert tuple(draws.interval("b", float32)) == pytest.approx(tuple(draws.interval("b")), rel=1e-5)


def test_new_runs_of_fits_that_know_no_noise_have_no_band() -> None:
    met = lf.fit("a + b*x", {"x": [1.0, 2.0], "y": [1.0, 3.0]}, **HOW)
    band: Any = met.predict(x=3.0, interval=0.95, kind="run")
    assert np.isnan(band.lower)
    assert band.note
    table = {"x": [1.0, 2.0, 3.0, 4.0, 1.0], "y": [1.0, 3.1, 4.9, 7.2, 1.0], "g": ["a"] * 4 + ["b"]}
    failed = lf.fit_many("a + b*x", table, by="g", bootstrap=50, **HOW)["b"]
    assert failed.draws is not None
    assert np.isnan(failed.draws.predict(x=3.0, kind="run").values).all()
    assert failed.diagnose(draws=failed.draws).findings


def test_a_validation_of_squares_says_nothing_of_a_scale_that_they_do_not_have() -> None:
    assert "f_scale" not in repr(line(30).validate())
    assert "f_scale was estimated anew" in repr(line(30, loss="huber").validate())
