"""The errors of both stages of a chain: the stacked covariance, draws, intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import Columns
from test_chains import POWER, SAMPLES, SEARCHED, SQUARED, passes, t2

import lawfit as lf
from lawfit._chain_draws import second_replicates
from lawfit._chain_rows import unit_weights

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34}
ERROR = {"epsilon": 0.9, "k": 2.5, "gamma": 0.7}


def errors_by_size(noise: float, link_noise: float, seed: int, n: int = 24) -> Columns:
    """Runs of one law of size, and errors by the loss that the law says."""
    rng = np.random.default_rng(seed)
    N = np.logspace(6.5, 10, n)
    exact = np.asarray(POWER.evaluate(N=N, params=TRUTH))
    error = np.asarray(lf.laws.gadre_error.evaluate(L=exact, params=ERROR))
    return {"N": N, "nll": exact * np.exp(noise * rng.normal(size=n)), "error": error + link_noise * rng.normal(size=n)}


def by_error(data: object, **options: Any) -> lf.ChainFit:
    return lf.fit_chain(
        POWER, lf.laws.gadre_error, data, responses=["nll", "error"], through="L", n_threads=1, **options
    )


@pytest.fixture(scope="module")
def chain() -> lf.ChainFit:
    return t2(passes(0.01, 0.05))


@pytest.mark.parametrize("options", [{}, {"first": SQUARED, "second": SQUARED}], ids=["huber", "squared"])
def test_the_first_stage_keeps_its_covariance(options: dict[str, Any]) -> None:
    """Each checkpoint is one row of it, where CR3 is HC3."""
    chain = t2(passes(0.01, 0.05), **options)
    m = len(chain.first.params)
    np.testing.assert_allclose(chain.covariance[:m, :m], chain.first.covariance, rtol=1e-6)


def test_a_first_stage_without_noise_leaves_the_covariance_of_the_second() -> None:
    chain = t2(passes(0.0, 0.05), second=SQUARED)
    m = len(chain.first.params)
    np.testing.assert_allclose(chain.covariance[m:, m:], chain.second.covariance, rtol=1e-6)


def test_the_covariance_is_the_jackknife_to_first_order() -> None:
    """The difference shrinks with the noise; at a ten-thousandth it is below a thousandth."""
    data = errors_by_size(1e-4, 1e-5, seed=4, n=14)
    options: dict[str, Any] = {"first": SQUARED, "second": SQUARED}
    chain = by_error(data, **options)
    steps = []
    for i in range(14):
        left = by_error({name: np.delete(values, i) for name, values in data.items()}, **options)
        steps.append([left.params[name] - value for name, value in chain.params.items()])
    jackknife = np.array(steps).T @ np.array(steps)
    scale = np.sqrt(np.diag(jackknife))
    np.testing.assert_allclose(chain.covariance / np.outer(scale, scale), jackknife / np.outer(scale, scale), atol=2e-3)


def test_standard_errors_agree_with_the_bootstrap() -> None:
    chain = by_error(errors_by_size(0.004, 0.0006, seed=1, n=80), first=SQUARED, second=SQUARED)
    draws = chain.bootstrap(2000, seed=3, n_threads=1)
    for name, stderr in chain.stderr.items():
        # A sixth above: the leverages of 80 rows, of which CR3 knows and the weights do not.
        assert 0.85 < draws.stderr[name] / stderr < 1.1, name


def test_a_second_stage_that_takes_the_first_as_known_is_too_sure() -> None:
    chain = by_error(errors_by_size(0.01, 0.0003, seed=1), first=SQUARED, second=SQUARED)
    far = {"N": 1e12}
    whole = chain.predict(far, interval=0.95)
    held = chain.second.predict(L=chain.first.predict(far), interval=0.95)
    drawn = chain.bootstrap(2000, seed=0, n_threads=1).predict(far).interval()
    assert whole.value == pytest.approx(held.value, rel=1e-12)
    for band in (whole, drawn):
        assert band.upper - band.lower > 2.0 * (held.upper - held.lower)
    assert (drawn.upper - drawn.lower) / (whole.upper - whole.lower) == pytest.approx(1.0, abs=0.35)


def test_intervals_cover_where_those_with_the_first_stage_held_do_not() -> None:
    """Eighty small tables: the Monte-Carlo error of 95 % is 2.4 points, and 88 % is three of them below."""
    held_covers, covers = [], []
    far = {"N": 1e11}
    exact = float(lf.laws.gadre_error.evaluate(L=POWER.evaluate(far, params=TRUTH), params=ERROR))
    for seed in range(80):
        chain = by_error(errors_by_size(0.004, 0.0003, seed=seed), first=SQUARED, second=SQUARED)
        whole = chain.predict(far, interval=0.95)
        held = chain.second.predict(L=chain.first.predict(far), interval=0.95)
        covers.append(bool(whole.lower <= exact <= whole.upper))
        held_covers.append(bool(held.lower <= exact <= held.upper))
    assert np.mean(covers) >= 0.88
    assert np.mean(held_covers) < 0.5


@pytest.mark.parametrize("options", [{}, {"first": SQUARED, "second": SQUARED}], ids=["huber", "squared"])
def test_a_replicate_is_two_fits_with_its_weights(options: dict[str, Any]) -> None:
    data = passes(0.01, 0.05)
    chain = t2(data, **options)
    draws = chain.bootstrap(5, seed=7, n_threads=1)
    first_weights, second_weights = unit_weights(chain.units, 7, 5)
    np.testing.assert_array_equal(second_weights, np.repeat(first_weights, SAMPLES.size, axis=1))
    one_each = {name: values[:: SAMPLES.size] for name, values in data.items()}
    loss = "squared" if options else "huber"
    for r in range(5):
        first = lf.fit(
            lf.laws.chinchilla, one_each, response="nll", weights=first_weights[r], loss=loss,
            f_scale=chain.first.f_scale if loss == "huber" else None,
        )  # fmt: skip
        links = {"L": np.repeat(first.predict(N=one_each["N"], D=one_each["D"]), 4), "k": data["k"], "acc": data["acc"]}
        second = lf.fit(
            lf.laws.t2_accuracy_link, links, response="acc", residual="linear", weights=second_weights[r], loss=loss,
            f_scale=chain.second.f_scale if loss == "huber" else None,
        )  # fmt: skip
        for name, value in {**first.params, **second.params}.items():
            assert draws[name][r] == pytest.approx(value, rel=SEARCHED), (r, name)


def test_replicates_of_the_first_stage_are_those_of_its_own_bootstrap() -> None:
    chain = by_error(errors_by_size(0.004, 0.0006, seed=1))
    draws, own = chain.bootstrap(20, seed=5, n_threads=1), chain.first.bootstrap(20, seed=5, n_threads=1)
    np.testing.assert_allclose(draws["alpha"], own["alpha"], rtol=SEARCHED)
    assert draws.n_units == 24
    assert draws.estimate == chain.params


def test_clusters_weigh_the_same_in_both_stages() -> None:
    data = passes(0.01, 0.05)
    chain = t2(data, cluster="N")
    assert chain.units.name == "clusters (N)"
    first, second = unit_weights(chain.units, 0, 3)
    sizes = data["N"][:: SAMPLES.size]
    for weights, by in ((first, sizes), (second, data["N"])):
        for size in np.unique(sizes):
            assert np.ptp(weights[:, by == size], axis=1).max() == 0.0
            np.testing.assert_array_equal(weights[:, by == size][:, 0], first[:, sizes == size][:, 0])


def test_draws_do_not_depend_on_threads_or_on_how_many_there_are() -> None:
    chain = by_error(errors_by_size(0.004, 0.0006, seed=1))
    few, many = chain.bootstrap(6, seed=1, n_threads=1), chain.bootstrap(12, seed=1, n_threads=2)
    np.testing.assert_array_equal(few.params, many.params[:6])


def test_replicates_of_a_joint_fit_are_joint_fits_with_their_weights() -> None:
    chain = by_error(errors_by_size(0.004, 0.0006, seed=1), how="joint", first=SQUARED, second=SQUARED)
    draws = chain.bootstrap(4, seed=2, n_threads=1)
    assert chain.joint is not None
    again = chain.joint.bootstrap(weights=np.concatenate(unit_weights(chain.units, 2, 4), axis=1), n_threads=1)
    np.testing.assert_array_equal(draws.params, again.params)
    assert draws.fit.law == chain.law
    assert draws.predict(N=1e11).values.shape == (4,)


def test_the_second_stage_can_be_refitted_to_other_responses(chain: lf.ChainFit) -> None:
    """What a bootstrap over problems draws anew."""
    second, n = chain.second, chain.second.rows.y.size
    values = np.tile(second.rows.x[second.rows.variables.index("L")], (2, 1))
    same, other = second.rows.y, second.rows.y * 1.01
    found = second_replicates(second, "L", values, np.ones((2, n)), np.stack([same, other]), n_threads=1, progress=None)
    np.testing.assert_allclose(found.params[0], list(second.params.values()), rtol=SEARCHED)
    data = {"L": values[0], "k": second.rows.x[second.rows.variables.index("k")], "acc": other}
    again = lf.fit(lf.laws.t2_accuracy_link, data, response="acc", residual="linear", f_scale=second.f_scale)
    np.testing.assert_allclose(found.params[1], list(again.params.values()), rtol=SEARCHED)


def test_known_noise_is_a_weight_in_replicates() -> None:
    data = errors_by_size(0.004, 0.0006, seed=1)
    noise = np.linspace(0.5e-3, 2e-3, 24)
    known = by_error(data, second={"loss": "squared", "sigma": noise})
    weighed = by_error(data, second={"loss": "squared", "weights": noise**-2.0})
    one, other = (chain.bootstrap(5, seed=1, n_threads=1) for chain in (known, weighed))
    np.testing.assert_allclose(one.params, other.params, rtol=1e-5)
    robust = by_error(data, second={"sigma": noise})
    with pytest.raises(lf.LawError, match='loss="squared", or give weights='):
        robust.bootstrap(5)


def test_a_prior_leaves_standard_errors_to_the_draws() -> None:
    chain = by_error(errors_by_size(0.004, 0.0006, seed=1), first={"prior": {"alpha": (0.34, 0.01)}})
    assert np.isnan(chain.stderr["gamma"])
    assert "a prior has no part" in chain.stderr_reason["gamma"]
    assert np.isfinite(chain.bootstrap(50, n_threads=1).stderr["gamma"])


def test_what_is_held_has_no_error() -> None:
    chain = by_error(errors_by_size(0.004, 0.0006, seed=1), first={"fixed": {"E": 1.7}})
    assert chain.stderr_reason == {"E": "fixed at 1.7, so not estimated"}
    assert set(chain.bootstrap(5, n_threads=1)["E"]) == {1.7}


def test_degrees_of_freedom_are_those_of_the_stage_that_has_fewer(chain: lf.ChainFit) -> None:
    assert chain.fit.dof == 29.0
    assert by_error(errors_by_size(0.004, 0.0006, seed=1)).fit.dof == 21.0
    assert by_error(errors_by_size(0.004, 0.0006, seed=1), second={"fixed": {"epsilon": 0.9}}).fit.dof == 21.0


@pytest.mark.parametrize(("n", "column"), [(3, None), (24, "one")])
def test_too_few_units_leave_no_standard_error_and_say_so(n: int, column: str | None) -> None:
    data = {**errors_by_size(0.004, 0.0006, seed=1, n=n), "one": np.ones(n)}
    chain = by_error(data, cluster=column)
    assert np.isnan(list(chain.stderr.values())).all()
    assert all("stage" in reason for reason in chain.stderr_reason.values())
    assert np.isnan(chain.predict(N=1e11, interval=0.95).lower)
    draws = chain.bootstrap(20, n_threads=1)
    assert np.isnan(draws.interval("alpha").lower)
    assert "stderr" in repr(chain)


def test_a_link_that_is_not_identified_leaves_no_standard_error() -> None:
    """A shift of the loss is a factor of k."""
    link = lf.Law("epsilon - k*exp(-gamma*(L - m))", ["L"])
    data = errors_by_size(0.004, 0.0006, seed=1)
    chain = lf.fit_chain(POWER, link, data, responses=["nll", "error"], through="L", n_threads=1)
    assert set(chain.second.unidentified) == {"k", "m"}
    assert "second stage: " in chain.stderr_reason["alpha"]
    assert "can move together" in chain.stderr_reason["k"]
    assert not chain.success


def test_derived_quantities_know_both_stages() -> None:
    chain = by_error(errors_by_size(0.004, 0.0006, seed=1))
    places = [chain.law.parameters.index(name) for name in ("alpha", "gamma")]
    variance = chain.covariance[np.ix_(places, places)].sum()
    assert chain.derived("alpha + gamma").stderr == pytest.approx(float(np.sqrt(variance)), rel=1e-12)
    assert chain.covariance[places[0], places[1]] != 0.0


@pytest.mark.parametrize("use", ["bca", "jackknife", "profile", "validate", "diagnose"])
def test_nothing_refits_the_whole_to_its_second_response(chain: lf.ChainFit, use: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "bca": lambda: chain.bootstrap(50, n_threads=1).interval("alpha", method="bca"),
        "jackknife": lambda: chain.fit.bootstrap(resample="jackknife"),
        "profile": lambda: chain.fit.interval("alpha", method="profile"),
        "validate": lambda: chain.fit.validate(by="N"),
        "diagnose": lambda: chain.fit.diagnose(),
    }
    with pytest.raises(lf.DataError, match=r"whole of a chain|rows as independent|clusters"):
        calls[use]()


def test_new_runs_spread_more_than_the_law(chain: lf.ChainFit) -> None:
    point = {"N": 1e10, "D": 1e12, "k": 10.0}
    draws = chain.bootstrap(400, n_threads=1)
    for law, run in (
        (chain.predict(point, interval=0.9), chain.predict(point, interval=0.9, kind="run")),
        (draws.predict(point).interval(0.9), draws.predict(point, kind="run").interval(0.9)),
    ):
        assert run.lower < law.lower < law.upper < run.upper


def test_counts_are_checked(chain: lf.ChainFit) -> None:
    with pytest.raises(lf.LawError, match="n_replicates=0"):
        chain.bootstrap(0)
    with pytest.raises(lf.LawError, match="seed=-1"):
        chain.bootstrap(5, seed=-1)
