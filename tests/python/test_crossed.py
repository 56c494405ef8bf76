"""Responses that are averages over problems: checkpoints and problems drawn again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit import _engine
from lawfit._batch import cluster_keys, unit_bytes
from lawfit.errors import DataError, LawError

N_PROBLEMS = 40
KS = [1, 4, 16]
# Both searches end where a step promises less than 1e-8 of the objective per row.
SAME_FIT = 1e-5


def counts(seed: int = 0, *, alike: bool = False) -> dict[str, Any]:
    """Answers to 40 problems by 12 checkpoints; ``alike`` makes every problem equally often solved in a checkpoint."""
    rng = np.random.default_rng(seed)
    rank = rng.uniform(size=N_PROBLEMS)
    lines = []
    for size in (1e8, 3e8, 1e9, 3e9):
        for tokens in (2e9, 1e10, 5e10):
            mean = np.exp(-(0.6 + 420.0 * size**-0.34 + 1100.0 * tokens**-0.32))
            chance = np.full(N_PROBLEMS, mean) if alike else 2.0 * mean * rank
            solved = np.full(N_PROBLEMS, round(200 * mean)) if alike else rng.binomial(200, chance)
            lines += [(size, tokens, q, 200, int(s)) for q, s in enumerate(solved)]
    names = ("N", "D", "problem", "n_samples", "n_correct")
    return dict(zip(names, map(np.array, zip(*lines, strict=True)), strict=True))


def table(seed: int = 0, *, alike: bool = False) -> lf.Table:
    return lf.pass_at_k(counts(seed, alike=alike), k=KS, by=["N", "D"], problem="problem")


def fitted(rows: lf.Table, response: str = "neglog_mean_pass", **options: Any) -> lf.Fit:
    given = {"loss": "squared", "residual": "linear", **options}
    return lf.fit("E + A*N**-alpha + B*D**-alpha + G*log(k)", rows, response=response, **given)


def problem_weights(fit: lf.Fit, n: int, seed: int) -> np.ndarray:
    assert fit.rows.sampled is not None
    keys = _engine.hash_keys([b"q" + unit_bytes(label) for label in fit.rows.sampled.problems])
    return _engine.bayesian_weights(keys, seed, n)


def test_rows_of_one_checkpoint_are_one_cluster_unless_the_call_says_otherwise() -> None:
    fit = fitted(table())
    assert (fit.n_clusters, fit.covariance_type, fit.rows.clustered_by) == (12, "CR3", "checkpoint")
    runs = fitted(table(), cluster="N")
    assert (runs.n_clusters, runs.rows.clustered_by) == (4, "N")


def test_problems_are_drawn_once_for_all_cells_and_averaged_again() -> None:
    raw = counts()
    fit = fitted(lf.pass_at_k(raw, k=KS, by=["N", "D"], problem="problem"))
    draws = fit.bootstrap(5, resample="problems", seed=3)
    weights = problem_weights(fit, 5, 3)
    x = dict(zip(fit.rows.variables, fit.rows.x, strict=True))
    for r in range(5):
        response = []
        for size, tokens, k in zip(x["N"], x["D"], x["k"], strict=True):
            cell = (raw["N"] == size) & (raw["D"] == tokens)
            each = lf.estimate_pass_at_k(raw["n_correct"][cell], 200, k=k)
            own = weights[r][raw["problem"][cell]]
            response.append(-np.log(np.sum(own * each) / np.sum(own)))
        hand = lf.fit(fit.law, {**x, "y": response}, response="y", loss="squared", residual="linear")
        np.testing.assert_allclose(draws.params[r], list(hand.params.values()), rtol=SAME_FIT, err_msg=str(r))


def test_with_problems_that_are_all_alike_only_checkpoints_make_a_difference() -> None:
    fit = fitted(table(alike=True))
    crossed, alone = fit.bootstrap(50), fit.bootstrap(50, resample="bayesian")
    assert (crossed.resample, alone.resample) == ("crossed", "bayesian")
    np.testing.assert_allclose(crossed.params, alone.params, rtol=SAME_FIT)
    held = fit.bootstrap(5, resample="problems")
    np.testing.assert_allclose(held.params, np.tile(list(fit.params.values()), (5, 1)), rtol=SAME_FIT)


def test_crossed_draws_are_weights_of_checkpoints_on_responses_of_drawn_problems() -> None:
    fit = fitted(table())
    draws = fit.bootstrap(4, seed=1)
    assert fit.rows.sampled is not None
    responses = fit.rows.sampled.columns(problem_weights(fit, 4, 1), fit.rows.positions)["neglog_mean_pass"]
    keys = cluster_keys(fit.rows)
    assert keys is not None
    known, place = np.unique(keys, return_inverse=True)
    weights = _engine.bayesian_weights(known, 1, 4)[:, place]
    x = dict(zip(fit.rows.variables, fit.rows.x, strict=True))
    for r in range(4):
        hand = lf.fit(
            fit.law, {**x, "y": responses[r]}, response="y", loss="squared", residual="linear", weights=weights[r]
        )
        np.testing.assert_allclose(draws.params[r], list(hand.params.values()), rtol=SAME_FIT, err_msg=str(r))


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads_and_in_any_order_of_rows() -> None:
    raw = counts()
    fit = fitted(lf.pass_at_k(raw, k=KS, by=["N", "D"], problem="problem"))
    one = fit.bootstrap(40, seed=5, n_threads=1)
    assert one.params.tobytes() == fit.bootstrap(40, seed=5, n_threads=3).params.tobytes()
    assert one.params.tobytes() != fit.bootstrap(40, seed=6).params.tobytes()
    order = np.random.default_rng(0).permutation(raw["N"].size)
    shuffled = {name: values[order] for name, values in raw.items()}
    other = fitted(lf.pass_at_k(shuffled, k=KS, by=["N", "D"], problem="problem")).bootstrap(40, seed=5)
    np.testing.assert_allclose(other.params, one.params, rtol=SAME_FIT)


def test_a_formula_of_the_averages_is_drawn_like_the_column_that_it_equals() -> None:
    whole, written = fitted(table()), fitted(table(), "-log(`pass_at_k`)")
    np.testing.assert_allclose(written.bootstrap(10).params, whole.bootstrap(10).params, rtol=SAME_FIT)
    with pytest.raises(DataError, match=r"'k', which is no average|uses the column 'k'"):
        fitted(table(), "neglog_mean_pass + 0*k").bootstrap(10)


def test_problems_alone_spread_less_than_both_and_the_draws_say_so() -> None:
    fit = fitted(table())
    alone, both, cells = (fit.bootstrap(300, resample=word) for word in ("problems", "crossed", "bayesian"))
    # With 12 checkpoints that lie on the law but for the noise of counts, the shared problems carry the level.
    assert alone.stderr["G"] < both.stderr["G"]
    assert cells.stderr["G"] < both.stderr["G"]
    assert alone.caution is not None
    assert "only problems were drawn again" in alone.caution
    assert cells.caution is not None
    assert "problems were not drawn again" in cells.caution
    assert both.caution is None
    assert (alone.n_units, both.n_units) == (N_PROBLEMS, 12)


def test_groups_are_drawn_with_the_problems_of_all() -> None:
    raw = counts()
    both = {name: np.concatenate([values, values]) for name, values in raw.items()}
    both["task"] = np.repeat(["a", "b"], raw["N"].size)
    rows = lf.pass_at_k(both, k=KS, by=["task", "N", "D"], problem=["task", "problem"])
    law = "E + A*N**-alpha + B*D**-alpha + G*log(k)"
    fits = lf.fit_many(
        law, rows, by="task", response="neglog_mean_pass", loss="squared", residual="linear", bootstrap=20
    )
    draws = fits["a"].draws
    assert draws is not None
    assert draws.resample == "crossed"
    alone = lf.fit(
        law, rows.where("task == 'a'"), response="neglog_mean_pass", loss="squared", residual="linear"
    ).bootstrap(20)
    np.testing.assert_allclose(draws.params, alone.params, rtol=SAME_FIT)


def test_problems_are_counted_where_they_stand_behind_the_rows_of_the_fit() -> None:
    raw = counts()
    both = {name: np.concatenate([values, values]) for name, values in raw.items()}
    both["task"] = np.repeat(["a", "b"], raw["N"].size)
    rows = lf.pass_at_k(both, k=KS, by=["task", "N", "D"], problem=["task", "problem"])
    part = fitted(rows.where("task == 'a'"))
    assert part.rows.sampled is not None
    assert len(part.rows.sampled.problems) == 2 * N_PROBLEMS
    assert part.bootstrap(5, resample="problems", n_checked=0).n_units == N_PROBLEMS


def test_tables_without_problems_cannot_draw_any() -> None:
    rows = lf.synthetic.runs(lf.laws.power_floor, {"E": 1.7, "A": 400.0, "alpha": 0.34}, {"x": np.logspace(7, 9, 8)})
    fit = lf.fit(lf.laws.power_floor, rows, response="loss")
    for word in ("crossed", "problems"):
        with pytest.raises(LawError, match=r"no problems to draw again; make it with lawfit\.pass_at_k"):
            fit.bootstrap(10, resample=word)
    with pytest.raises(LawError, match=r"studentize: needs replicates that might have been measured"):
        fitted(table()).bootstrap(10, studentize=True)


def test_the_standard_errors_of_averages_are_not_offered_as_the_noise_of_rows() -> None:
    assert "averages over the same problems are off together" in fitted(table()).lack_of_fit().message
