"""Laws fitted to counts: against SciPy's minima of the same likelihoods, derivatives of them, and exact identities."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lawfit as lf

optimize = pytest.importorskip("scipy.optimize")
special = pytest.importorskip("scipy.special")
F64 = NDArray[np.float64]

# Parameters of two minimisers, each at a gradient of zero up to rounding.
SAME_PARAMS = 1e-5
SAME_DEVIANCE = 1e-9
# Second differences of a sum of logarithms lose half of the digits.
DIFFERENCES = 1e-4
COUNTS: dict[str, Any] = {"n_correct": "s", "n_samples": "n"}
POWER = lf.Law("exp(-(E + A*N**-alpha))", ["N"], positive=["E", "A"], bounds={"alpha": (0, 3)})
TRUTH = {"E": 0.5, "A": 300.0, "alpha": 0.3, "nu": 8.0}


def made(n_problems: int, seed: int = 0, nu: float | None = 8.0, n_samples: int = 50) -> dict[str, F64]:
    """Draw counts of problems at five sizes; the problems of one size are not those of another."""
    rng = np.random.default_rng(seed)
    sizes = np.repeat(np.logspace(8, 10, 5), n_problems)
    mean = np.exp(-(0.5 + 300.0 * sizes**-0.3))
    p = mean if nu is None else rng.beta(mean * nu, (1.0 - mean) * nu)
    n = np.full(sizes.size, float(n_samples))
    problem = np.tile(np.arange(float(n_problems)), 5)
    return {"N": sizes, "s": rng.binomial(n_samples, p).astype(float), "n": n, "item": problem}


def half_deviance(s: F64, n: F64, p: F64, size: F64 | float | None) -> F64:
    """By its definition: the saturated binomial log likelihood less that of the counts, row by row."""
    most = special.xlogy(s, s / n) + special.xlogy(n - s, (n - s) / n)
    if size is None:
        return np.asarray(most - special.xlogy(s, p) - special.xlog1py(n - s, -p))
    a, b = p * size, (1.0 - p) * size
    return np.asarray(most - special.betaln(a + s, b + n - s) + special.betaln(a, b))


def power_deviances(table: Mapping[str, F64]) -> Callable[[F64], F64]:
    """Half deviances of the rows as a function of E, ln A, alpha and, if there, ln nu."""

    def rows(theta: F64) -> F64:
        p = np.exp(-(theta[0] + np.exp(theta[1]) * table["N"] ** -theta[2]))
        return half_deviance(table["s"], table["n"], p, np.exp(theta[3]) if theta.size > 3 else None)

    return rows


def coordinates(fit: lf.CountFit) -> F64:
    """E, ln A, alpha and ln nu of a fit of POWER."""
    values = [fit.params["E"], math.log(fit.params["A"]), fit.params["alpha"]]
    return np.array([*values, math.log(fit.params["nu"])] if fit.size else values)


def newton(rows: Callable[[F64], F64], theta: F64) -> tuple[F64, float]:
    """Minimise by SciPy from beside a point."""
    found = optimize.minimize(lambda t: float(rows(t).sum()), theta * 1.02, method="Nelder-Mead",
                              options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 20000, "maxfev": 20000})  # fmt: skip
    return found.x, float(found.fun)


def hessian(f: Callable[[F64], F64], theta: F64, h: float = 2e-4) -> F64:
    """Second differences of fourth order of a vector of functions, summed."""
    p = theta.size
    out = np.empty((p, p))
    for i in range(p):
        for j in range(p):
            ei, ej = np.eye(p)[i] * h, np.eye(p)[j] * h

            def cross(step: float, ei: F64 = ei, ej: F64 = ej) -> float:
                values = [f(theta + step * (a * ei + b * ej)) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
                return float(np.sum(values[0] - values[1] - values[2] + values[3])) / (4.0 * (step * h) ** 2)

            out[i, j] = (4.0 * cross(1.0) - cross(2.0)) / 3.0
    return out


@pytest.mark.parametrize("size", [None, "nu"])
def test_the_maximum_of_the_likelihood_is_scipys(size: str | None) -> None:
    table = made(40, nu=None if size is None else 8.0)
    fit = lf.fit_counts(POWER, table, **COUNTS, size=size, n_threads=1)
    theta, least = newton(power_deviances(table), coordinates(fit))
    assert fit.status == "converged"
    assert fit.start_agreement == 1.0
    np.testing.assert_allclose(coordinates(fit), theta, rtol=SAME_PARAMS)
    assert fit.objective == pytest.approx(least, rel=SAME_DEVIANCE)
    s, n, p = table["s"], table["n"], fit.predict(N=table["N"])
    choose = special.gammaln(n + 1) - special.gammaln(s + 1) - special.gammaln(n - s + 1)
    nu = fit.params.get("nu", 1.0)
    own = special.betaln(p * nu + s, (1 - p) * nu + n - s) - special.betaln(p * nu, (1 - p) * nu)
    likelihood = np.sum(choose + (own if size else special.xlogy(s, p) + special.xlog1py(n - s, -p)))
    assert fit.log_likelihood == pytest.approx(likelihood, rel=1e-10)
    assert fit.aic == pytest.approx(2 * len(fit.parameters) - 2 * likelihood, rel=1e-10)


def test_the_likelihood_of_real_counts_is_scipys(real_data: Callable[[str], Path]) -> None:
    where = "benchmark == 'gsm8k' and N >= 4.1e8 and D >= 6e9"
    table = lf.read_table(real_data("t2_pythia_pass_counts.csv")).where(where)
    law = lf.Law("exp(-(E + A*N**-alpha + B*D**-beta))", ["N", "D"], positive=["E", "A", "B"])
    given: dict[str, Any] = {"n_correct": "n_correct", "n_samples": "n_samples", "size": "nu", "cluster": "problem"}
    fit = lf.fit_counts(law, table, **given)
    N, D, s, n = (table.column(name).values for name in ("N", "D", "n_correct", "n_samples"))

    def objective(theta: F64) -> float:
        e, log_a, alpha, log_b, beta, log_nu = theta
        p = np.exp(-(e + np.exp(log_a) * N**-alpha + np.exp(log_b) * D**-beta))
        return float(half_deviance(s, n, p, np.exp(log_nu)).sum())

    names = ["E", "A", "alpha", "B", "beta", "nu"]
    best = np.array([math.log(fit.params[x]) if x in ("A", "B", "nu") else fit.params[x] for x in names])
    assert fit.objective == pytest.approx(objective(best), rel=SAME_DEVIANCE)
    assert (fit.n_rows, fit.n_distinct, fit.n_clusters, fit.start_agreement) == (3842, 878, 130, 1.0)
    nearby = optimize.minimize(objective, best * 1.003, method="BFGS", options={"gtol": 1e-5})
    assert objective(best) <= nearby.fun * (1 + SAME_DEVIANCE)
    # The valley of A and alpha is flat, where differences end anywhere; the slope in standard errors tells.
    for k, name in enumerate(names):
        step = np.eye(6)[k] * 1e-5
        slope = (objective(best + step) - objective(best - step)) / 2e-5
        error = fit.stderr[name] / (fit.params[name] if name in ("A", "B", "nu") else 1.0)
        assert abs(slope * error) < 1e-3, name
    assert any("A, B: the standard error exceeds" in warning for warning in fit.warnings)


def test_a_logistic_law_has_the_estimates_and_errors_of_weighted_least_squares() -> None:
    rng = np.random.default_rng(3)
    x, n = np.linspace(-2.0, 2.0, 12), np.full(12, 40.0)
    s = rng.binomial(40, 1.0 / (1.0 + np.exp(-(0.3 + 1.2 * x)))).astype(float)
    fit = lf.fit_counts("sigmoid(a + b*x)", {"x": x, "s": s, "n": n}, **COUNTS)
    X, theta = np.stack([np.ones_like(x), x], axis=1), np.zeros(2)
    for _ in range(50):  # iteratively reweighted least squares
        p = 1.0 / (1.0 + np.exp(-X @ theta))
        information = X.T @ (X * (n * p * (1 - p))[:, None])
        theta = theta + np.linalg.solve(information, X.T @ (s - n * p))
    np.testing.assert_allclose(list(fit.params.values()), theta, rtol=1e-9)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(information), rtol=1e-8)
    assert fit.covariance_type == "classical"
    assert math.isinf(fit.dof)


def test_classical_errors_are_the_inverse_of_the_numerical_curvature() -> None:
    table = made(40)
    fit = lf.fit_counts(POWER, table, **COUNTS, size="nu")
    expected = np.linalg.inv(hessian(power_deviances(table), coordinates(fit)))
    scales = np.array([1.0, fit.params["A"], 1.0, fit.params["nu"]])
    errors = np.array(list(fit.stderr.values()))
    difference = (fit.covariance - expected * np.outer(scales, scales)) / np.outer(errors, errors)
    np.testing.assert_allclose(difference, 0.0, atol=DIFFERENCES)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "CR1"])
def test_sandwiches_are_those_written_by_hand(kind: str) -> None:
    table, h = made(30), 1e-5
    cluster = "item" if kind == "CR1" else None
    fit = lf.fit_counts(POWER, table, **COUNTS, size="nu", covariance=kind, cluster=cluster)
    rows, theta = power_deviances(table), coordinates(fit)
    bread = np.linalg.inv(hessian(rows, theta))
    scores = np.stack([(rows(theta + h * e) - rows(theta - h * e)) / (2 * h) for e in np.eye(4)], axis=1)
    n, p = scores.shape
    factor = {"HC0": 1.0, "HC1": n / (n - p), "CR1": 30 / 29 * (n - 1) / (n - p)}[kind]
    if kind == "CR1":
        scores = np.stack([scores[table["item"] == item].sum(axis=0) for item in range(30)])
    scales = np.array([1.0, fit.params["A"], 1.0, fit.params["nu"]])
    expected = factor * bread @ scores.T @ scores @ bread * np.outer(scales, scales)
    np.testing.assert_allclose(fit.covariance, expected, rtol=1e-3)
    assert fit.dof == {"HC0": n - p, "HC1": n - p, "CR1": 29}[kind]


def test_equal_rows_are_searched_as_one_and_change_nothing() -> None:
    table = made(25, n_samples=10)
    once = lf.fit_counts(POWER, table, **COUNTS, size="nu")
    thrice = lf.fit_counts(POWER, {name: np.tile(column, 3) for name, column in table.items()}, **COUNTS, size="nu")
    assert once.n_distinct == thrice.n_distinct < once.n_rows
    assert thrice.n_rows == 3 * once.n_rows
    assert thrice.objective == pytest.approx(3 * once.objective, rel=1e-12)
    assert thrice.log_likelihood == pytest.approx(3 * once.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(list(thrice.params.values()), list(once.params.values()), rtol=1e-6)
    np.testing.assert_allclose(thrice.covariance, once.covariance / 3, rtol=1e-6)
    by_row = float(power_deviances(table)(coordinates(once)).sum())
    assert once.objective == pytest.approx(by_row, rel=SAME_DEVIANCE)


@pytest.mark.parametrize("cluster", [None, "item"])
def test_draws_of_distinct_rows_are_those_of_all_rows(cluster: str | None) -> None:
    fit = lf.fit_counts(POWER, made(25, n_samples=10), **COUNTS, size="nu", cluster=cluster)
    draws = fit.bootstrap(20, seed=4, n_checked=0)
    whole = lf.bootstrap(fit.inner, 20, seed=4, n_checked=0)
    np.testing.assert_allclose(draws.params, whole.params, rtol=1e-4)
    assert (draws.n_units, draws.resample) == (whole.n_units, "bayesian")


def test_results_do_not_depend_on_threads_or_the_order_of_rows() -> None:
    table = made(20)
    order = np.random.default_rng(0).permutation(table["s"].size)
    fits = [lf.fit_counts(POWER, table, **COUNTS, size="nu", n_threads=n) for n in (1, 2)]
    shuffled = lf.fit_counts(POWER, {name: column[order] for name, column in table.items()}, **COUNTS, size="nu")
    assert fits[0].params == fits[1].params == shuffled.params


def test_the_size_may_be_a_formula_over_what_the_law_binds() -> None:
    rng = np.random.default_rng(5)
    sizes = np.repeat(np.logspace(8, 10, 5), 200)
    loss = 0.5 + 300.0 * sizes**-0.3
    nu = np.exp(3.0 - 0.8 * loss)
    s = rng.binomial(50, rng.beta(np.exp(-loss) * nu, (1 - np.exp(-loss)) * nu)).astype(float)
    table = {"N": sizes, "s": s, "n": np.full(s.size, 50.0)}
    text = "L = E + A*N**-alpha; exp(-L)"
    fit = lf.fit_counts(text, table, **COUNTS, size="exp(theta3 + theta4*L)", bounds={"A": (0, None), "alpha": (0, 3)})
    assert fit.parameters == ("E", "A", "alpha", "theta3", "theta4")
    p = np.exp(-(fit.params["E"] + fit.params["A"] * sizes ** -fit.params["alpha"]))
    size = np.exp(fit.params["theta3"] - fit.params["theta4"] * np.log(p))
    assert fit.objective == pytest.approx(half_deviance(s, table["n"], p, size).sum(), rel=SAME_DEVIANCE)
    for name, truth in {"theta3": 3.0, "theta4": -0.8, "E": 0.5}.items():
        assert abs(fit.params[name] - truth) < 4 * fit.stderr[name], name
    assert fit.size_range == pytest.approx((size.min(), size.max()))


def test_a_size_that_is_held_is_held() -> None:
    table = made(20)
    named = lf.fit_counts(POWER, table, **COUNTS, size="nu", fixed={"nu": 8.0})
    written = lf.fit_counts(POWER, table, **COUNTS, size="8")
    assert named.params["nu"] == 8.0
    assert named.objective == pytest.approx(written.objective, rel=1e-12)
    assert named.aic == pytest.approx(written.aic, rel=1e-12)


def test_counts_that_are_binomial_have_a_size_that_is_said_to_be_infinite() -> None:
    table = made(60, seed=7, nu=None, n_samples=20)
    share = np.round(table["n"] * np.exp(-(0.5 + 300.0 * table["N"] ** -0.3)))  # less scatter than chance has
    fit = lf.fit_counts(POWER, {**table, "s": share}, **COUNTS, size="nu")
    plain = lf.fit_counts(POWER, {**table, "s": share}, **COUNTS)
    assert any("cannot be told from infinity" in warning for warning in fit.warnings)
    # A thousandth of the variance of 300 rows.
    assert fit.objective == pytest.approx(plain.objective, abs=0.2)
    assert "size=None" in repr(fit)


def test_problems_that_are_always_or_never_solved_have_a_size_near_zero() -> None:
    table = made(60)
    all_or_none = np.where(table["s"] > 20.0, table["n"], 0.0)
    fit = lf.fit_counts(POWER, {**table, "s": all_or_none}, **COUNTS, size="nu")
    assert any("solved either never or always" in warning for warning in fit.warnings)


def test_counts_that_scatter_more_than_the_binomial_are_said_to() -> None:
    table = made(40)
    fit = lf.fit_counts(POWER, table, **COUNTS)
    p = fit.predict(N=table["N"])
    pearson = np.sum((table["s"] - table["n"] * p) ** 2 / (table["n"] * p * (1 - p))) / (table["s"].size - 3)
    assert fit.dispersion == pytest.approx(pearson, rel=1e-10)
    assert any('say size="nu"' in warning for warning in fit.warnings)
    wider = lf.fit_counts(POWER, table, **COUNTS, size="nu")
    assert wider.dispersion == pytest.approx(1.0, abs=0.25)
    assert not any("binomial says" in warning for warning in wider.warnings)
    assert wider.aic < fit.aic - 100.0


def test_a_cell_without_a_success_is_information() -> None:
    table = {"N": np.logspace(7, 10, 4), "s": np.array([0.0, 30.0, 300.0, 600.0]), "n": np.full(4, 1000.0)}
    law = lf.Law("exp(-A*N**-alpha)", ["N"], positive=["A"])
    fit = lf.fit_counts(law, table, **COUNTS)
    assert fit.success
    theta, least = newton(
        lambda t: half_deviance(table["s"], table["n"], np.exp(-np.exp(t[0]) * table["N"] ** -t[1]), None),
        np.array([math.log(fit.params["A"]), fit.params["alpha"]]),
    )
    assert fit.params["alpha"] == pytest.approx(theta[1], rel=SAME_PARAMS)
    assert fit.objective == pytest.approx(least, rel=SAME_DEVIANCE)


@pytest.mark.parametrize(("count", "words"), [(0.0, "no row has a success"), (20.0, "every sample is a success")])
def test_counts_all_of_one_kind_end_in_words(count: float, words: str) -> None:
    table = {"N": np.logspace(8, 10, 8), "s": np.full(8, count), "n": np.full(8, 20.0)}
    fit = lf.fit_counts(lf.Law("sigmoid(a + b*log(N))", ["N"]), table, **COUNTS)
    assert any(words in warning for warning in fit.warnings)
    assert words in repr(fit)


def test_predictions_have_intervals_of_the_logit() -> None:
    fit = lf.fit_counts(POWER, made(40), **COUNTS, size="nu")
    band = fit.predict(N=[1e8, 1e11], interval=0.9)
    step, names = 1e-6, list(fit.params)
    for k, size in enumerate((1e8, 1e11)):

        def logit(values: Mapping[str, float], size: float = size) -> float:
            p = math.exp(-(values["E"] + values["A"] * size ** -values["alpha"]))
            return math.log(p / (1 - p))

        plain = dict(fit.params)
        slopes = np.array(
            [
                (logit(plain | {x: plain[x] * (1 + step)}) - logit(plain | {x: plain[x] * (1 - step)}))
                / (2 * step * plain[x])
                for x in names
            ]
        )
        reach = 1.6448536269514722 * math.sqrt(slopes @ fit.covariance @ slopes)
        ends = [1 / (1 + math.exp(-(logit(plain) + sign * reach))) for sign in (-1, 1)]
        assert (band.lower[k], band.upper[k]) == pytest.approx(ends, rel=1e-6)
    assert isinstance(band, lf.Prediction)
    np.testing.assert_array_equal(band.value, fit.predict(N=[1e8, 1e11]))
    draws = fit.bootstrap(400, seed=1, n_checked=0)
    drawn = fit.predict(N=[1e8, 1e11], interval=0.9, draws=draws)
    np.testing.assert_allclose(drawn.upper - drawn.lower, band.upper - band.lower, rtol=0.3)


def test_pass_at_k_is_the_mean_over_the_beta_distribution() -> None:
    fit = lf.fit_counts(POWER, made(40), **COUNTS, size="nu")
    p, nu = float(fit.predict(N=1e9)), fit.params["nu"]
    k = np.array([1.0, 4.0, 50.0])
    expected = 1.0 - np.exp(special.betaln(p * nu, (1 - p) * nu + k) - special.betaln(p * nu, (1 - p) * nu))
    np.testing.assert_allclose(np.asarray(fit.pass_at_k(k, N=1e9)), expected, rtol=1e-10)
    band = fit.pass_at_k(4, N=1e9, interval=0.95)
    assert isinstance(band, lf.Prediction)
    assert band.lower < band.value < band.upper


def test_a_variable_may_be_a_constant_of_the_data_and_vary_in_predictions() -> None:
    table = made(40, nu=None)
    text = "1 - (1 - exp(-(E + A*N**-alpha)))**k"
    how: dict[str, Any] = {"columns": {"k": "1"}, "bounds": {"E": (0, None), "A": (0, None), "alpha": (0, 3)}}
    fit, plain = lf.fit_counts(text, table, **COUNTS, **how), lf.fit_counts(POWER, table, **COUNTS)
    assert fit.objective == pytest.approx(plain.objective, rel=SAME_DEVIANCE)
    expected = 1 - (1 - plain.predict(N=1e9)) ** 7
    assert fit.predict(N=1e9, k=7) == pytest.approx(expected, rel=1e-5)


def test_rows_of_one_problem_ask_for_clusters() -> None:
    table = made(20)
    table["problem"] = table.pop("item")
    fit = lf.fit_counts(POWER, table, **COUNTS, size="nu")
    assert any("say cluster='problem'" in warning for warning in fit.warnings)
    clustered = lf.fit_counts(POWER, table, **COUNTS, size="nu", cluster="problem")
    assert not any("cluster" in warning for warning in clustered.warnings)
    assert (clustered.covariance_type, clustered.dof, clustered.n_clusters) == ("CR1", 19.0, 20)


def test_what_is_printed_and_exported_says_what_was_done() -> None:
    fit = lf.fit_counts(POWER, made(20), **COUNTS, size="nu", cluster="item", where="N > 2e8")
    for words in (
        "half the deviance",
        "beta-binomial, size = nu",
        "CR1 over 20 clusters (item)",
        "distinct",
        "N > 2e8",
    ):
        assert words in repr(fit)
    exported = fit.to_dict()
    assert exported["params"] == dict(fit.params)
    assert exported["size"] == "nu"
    assert fit.derived("2*alpha").stderr == pytest.approx(2 * fit.stderr["alpha"])
    assert fit.interval("alpha").method == "wald"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"n_correct": "half"}, r"n_correct is 0.5 in row 0 .* whole numbers"),
    ({"n_correct": "negative"}, "n_correct is -1 in row 2"),
    ({"n_correct": "hole"}, "n_correct is nan in row 3"),
    ({"n_correct": "many"}, "n_correct is 51 of 50 in row 1 .* more right answers than samples"),
    ({"n_samples": "none"}, "row 4 .* has none, one of 1; such rows say nothing: leave them out"),
    ({"n_correct": "text"}, "the column holds text"),
    ({"n_correct": "nowhere"}, "there is no column 'nowhere'"),
    ({"n_correct": 3}, "n_correct: give the name of a column"),
    ({"size": 50.0}, 'as text, not 50; "50" holds it at 50'),
    ({"size": "nu; mu"}, "give one formula"),
    ({"size": "nu +"}, "column"),
    ({"covariance": "HC3"}, "rests on leverages of squared residuals"),
    ({"covariance": "CR1"}, "say which they are with cluster="),
    ({"covariance": "HC9"}, "covariance='HC9' is not known"),
    ({"bounds": {"mu": (0, 1)}}, "bounds: 'mu' is not a parameter"),
    ({"columns": {"k": "1"}}, "'k' is no variable"),
    ({"n_samples": "one", "n_correct": "zero", "size": "nu"}, "every row has one sample"),
    ({"law": "2 + exp(a)*N**0.1"}, "has no likelihood from any start, .*write a probability"),
    ({"law": "s/N"}, "no name of the law|is also a variable"),
]


@pytest.mark.parametrize(("changed", "message"), BAD, ids=[str(changed) for changed, _ in BAD])
def test_bad_calls_are_told_what_to_do(changed: dict[str, Any], message: str) -> None:
    table: dict[str, Any] = dict(made(2))
    table["half"] = np.where(np.arange(10) == 0, 0.5, table["s"])
    table["negative"] = np.where(np.arange(10) == 2, -1.0, table["s"])
    table["hole"] = np.where(np.arange(10) == 3, np.nan, table["s"])
    table["many"] = np.where(np.arange(10) == 1, 51.0, table["s"])
    table["none"] = np.where(np.arange(10) == 4, 0.0, table["n"])
    table |= {"text": ["a"] * 10, "one": np.ones(10), "zero": np.zeros(10)}
    call = {"law": POWER, "data": table, **COUNTS} | changed
    with pytest.raises(lf.LawfitError, match=message):
        lf.fit_counts(call.pop("law"), call.pop("data"), **call)


def test_the_residual_of_deviances_is_not_offered_to_responses() -> None:
    with pytest.raises(lf.LawError, match=r"residual='deviance' is not known; .*log") as caught:
        lf.fit(POWER, made(5), response="s", residual="deviance")
    assert "deviance" not in str(caught.value).partition("not known")[2]


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = {"wald": 0, "bootstrap": 0}
    n_tables = 30
    for seed in range(n_tables):
        fit = lf.fit_counts(POWER, made(60, seed=seed), **COUNTS, size="nu", fixed={"E": 0.5}, n_threads=1)
        for name, interval in (
            ("wald", fit.interval("alpha", 0.9)),
            ("bootstrap", fit.bootstrap(120, seed=seed, n_checked=0, n_threads=1).interval("alpha", 0.9)),
        ):
            held[name] += interval.lower < TRUTH["alpha"] < interval.upper
    # Three standard errors of the share of 30 are 16 %.
    for name, count in held.items():
        assert abs(count / n_tables - 0.9) < 0.16, (name, count)
