"""A law through another: estimates, what is held, both ways to fit, and words for what is wrong."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Columns
from numpy.typing import NDArray

import lawfit as lf

optimize = pytest.importorskip("scipy.optimize")

CHINCHILLA = {"E": 1.0, "A": 400.0, "alpha": 0.35, "B": 2000.0, "beta": 0.36}
LINK = {"theta0": 2.0, "theta1": 1.5, "theta2": 0.95, "theta3": 0.5, "theta4": -0.4}
SAMPLES = np.array([1.0, 4.0, 16.0, 64.0])
SQUARED = {"loss": "squared"}
# (N, D, k) and the accuracy there, from 50-digit arithmetic.
EXACT = (
    (1e7, 1e9, 100.0, 0.21214430595773504661),
    (3.7e7, 1.15e11, 27.027, 0.79255049192936700973),
    (9e8, 4.7e9, 1.111, 0.50915157559437855668),
)
POWER = lf.Law("E + A*N**-alpha", ["N"], positive=["E", "A"])
# The stopping rule of a fit leaves this much of a parameter.
SEARCHED = 1e-6


def passes(noise: float = 0.0, link_noise: float = 0.0, seed: int = 0) -> Columns:
    """Thirty checkpoints, four numbers of samples each; accuracies of one checkpoint share noise."""
    rng = np.random.default_rng(seed)
    N, D = (axis.ravel() for axis in np.meshgrid(np.logspace(7, 9.3, 6), np.logspace(9, 11.5, 5), indexing="ij"))
    exact = lf.laws.chinchilla.evaluate(N=N, D=D, params=CHINCHILLA)
    k, many = np.tile(SAMPLES, N.size), SAMPLES.size
    accuracy = lf.laws.t2_accuracy_link.evaluate(L=np.repeat(exact, many), k=k, params=LINK)
    shared, own = np.repeat(rng.normal(size=N.size), many), rng.normal(size=k.size)
    accuracy = accuracy + link_noise * (shared + 0.3 * own) * accuracy * (1.0 - accuracy)
    loss = exact * np.exp(noise * rng.normal(size=N.size))
    return {"N": np.repeat(N, many), "D": np.repeat(D, many), "k": k, "nll": np.repeat(loss, many), "acc": accuracy}


def t2(data: object, **options: Any) -> lf.ChainFit:
    return lf.fit_chain(
        lf.laws.chinchilla, lf.laws.t2_accuracy_link, data, responses=["nll", "acc"], through="L", n_threads=1,
        **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def table() -> Columns:
    return passes(0.01, 0.05)


@pytest.fixture(scope="module")
def chain(table: Columns) -> lf.ChainFit:
    return t2(table)


@pytest.mark.parametrize("how", ["staged", "joint"])
def test_all_ten_parameters_come_back_from_exact_runs(how: str) -> None:
    options = {} if how == "staged" else {"first": SQUARED, "second": SQUARED}
    chain = t2(passes(), how=how, **options)
    for name, value in {**CHINCHILLA, **LINK}.items():
        assert chain.params[name] == pytest.approx(value, rel=1e-7), name
    for N, D, k, accuracy in EXACT:
        assert float(chain.predict(N=N, D=D, k=k)) == pytest.approx(accuracy, abs=1e-9)


def test_the_whole_is_one_law_over_the_variables_of_both(chain: lf.ChainFit) -> None:
    first, second = lf.laws.chinchilla, lf.laws.t2_accuracy_link
    assert chain.law.text == f"L = {first.text}; {second.text}"
    assert chain.law.variables == ("N", "D", "k")
    assert chain.law.parameters == (*first.parameters, *second.parameters)
    points = {"N": np.array([1e8, 1e10]), "D": np.array([1e10, 1e12])}
    link = chain.second.predict(L=chain.first.predict(points), k=8.0)
    np.testing.assert_array_equal(chain.predict(points, k=8.0), link)


def test_bindings_of_the_first_law_stay_in_front() -> None:
    first = lf.Law("U = A*N**-alpha; E + U", ["N"], positive=["E", "A"])
    N = np.logspace(7, 10, 12)
    runs = {"N": N, "nll": 1.7 + 400 * N**-0.34, "error": 0.9 - 2.5 * np.exp(-0.7 * (1.7 + 400 * N**-0.34))}
    chain = lf.fit_chain(first, lf.laws.gadre_error, runs, responses=["nll", "error"], through="L")
    assert chain.law.text == "U = A*N**-alpha; L = E + U; epsilon - k*exp(-gamma*L)"
    assert chain.params["gamma"] == pytest.approx(0.7, rel=1e-6)


def test_stages_are_two_fits_bit_for_bit(table: Columns, chain: lf.ChainFit) -> None:
    one_each = {name: values[:: SAMPLES.size] for name, values in table.items()}
    first = lf.fit(lf.laws.chinchilla, one_each, response="nll")
    links = {"L": np.repeat(first.predict(N=one_each["N"], D=one_each["D"]), 4), "k": table["k"], "acc": table["acc"]}
    checkpoint = np.repeat(np.arange(30), 4)
    second = lf.fit(lf.laws.t2_accuracy_link, links, response="acc", residual="linear", cluster=checkpoint)
    assert list(chain.first.params.values()) == list(first.params.values())
    assert list(chain.second.params.values()) == list(second.params.values())
    assert (chain.first.objective, chain.second.objective) == (first.objective, second.objective)
    np.testing.assert_array_equal(chain.first.covariance, first.covariance)
    np.testing.assert_allclose(chain.second.covariance, second.covariance, rtol=1e-8)


def test_the_order_of_rows_does_not_matter(table: Columns, chain: lf.ChainFit) -> None:
    order = np.random.default_rng(3).permutation(table["N"].size)
    again = t2({name: values[order] for name, values in table.items()})
    for name, value in chain.params.items():
        assert again.params[name] == pytest.approx(value, rel=1e-5)
        assert again.stderr[name] == pytest.approx(chain.stderr[name], rel=1e-3)
    assert again.notes == ("90 rows repeat the nll of a checkpoint and count once",)


def test_a_column_named_like_the_link_is_not_its_input(table: Columns, chain: lf.ChainFit) -> None:
    odd = t2({**table, "L": np.full(table["N"].size, 7.0)})
    assert odd.params == chain.params


def test_accuracies_are_compared_as_they_are_and_losses_by_their_logarithms(chain: lf.ChainFit) -> None:
    assert (chain.first.options.residual, chain.second.options.residual) == ("log", "linear")
    assert t2(passes(0.01, 0.05), second={"residual": "log"}).second.options.residual == "log"


def test_a_row_without_the_first_response_serves_the_second_stage(table: Columns) -> None:
    loss = np.where(table["k"] == 1.0, table["nll"], np.nan)
    sparse, full = t2({**table, "nll": loss}, missing="drop"), t2(table, missing="drop")
    assert sparse.params == full.params
    with pytest.raises(lf.DataError, match="missing or NaN"):
        t2({**table, "nll": loss})


def test_two_runs_of_one_size_are_told_apart_by_their_cluster(table: Columns) -> None:
    twice = {name: np.tile(values, 2) for name, values in table.items()}
    twice["nll"][table["N"].size :] *= 1.01
    twice["seed"] = np.repeat([0.0, 1.0], table["N"].size)
    with pytest.raises(lf.DataError, match=r"in row 0 and .* in row 120 .*both of one checkpoint: N = 1e\+07, D = 1e"):
        t2(twice)
    assert t2(twice, cluster="seed").first.n_rows == 60
    chosen = t2(twice, where="seed == 1")
    assert chosen.first.n_rows == 30
    assert chosen.notes[0] == "rows for which seed == 1"


@pytest.fixture(scope="module")
def isoflops() -> Columns:
    """Five budgets of six sizes, and a sixth of one."""
    rng = np.random.default_rng(0)
    C = np.append(np.repeat(np.logspace(19, 21, 5), 6), 1e22)
    N = np.append(np.tile(np.logspace(7.5, 9, 6), 5) * np.sqrt(C[:30] / 1e20), 1e9)
    D = C / (6.0 * N)
    loss = lf.laws.chinchilla.evaluate(N=N, D=D, params=CHINCHILLA) * np.exp(0.01 * rng.normal(size=31))
    k, many = np.tile(SAMPLES, 31), SAMPLES.size
    accuracy = lf.laws.t2_accuracy_link.evaluate(L=np.repeat(loss, many), k=k, params=LINK)
    accuracy = accuracy * (1.0 + 0.02 * rng.normal(size=k.size))
    return {"k": k, "acc": accuracy} | {
        name: np.repeat(values, many) for name, values in {"C": C, "N": N, "D": D, "nll": loss}.items()
    }


def test_the_protocol_of_roberts_is_the_best_of_forty_weighted_fits(isoflops: Columns) -> None:
    chain = t2(isoflops, protocol="roberts2026", isoflop="C")
    one_each = {name: values[:: SAMPLES.size] for name, values in isoflops.items()}
    losses = one_each["nll"]
    variances = np.repeat([losses[i : i + 6].var(ddof=1) for i in range(0, 30, 6)], 6)
    weights = 1.0 / np.append(variances, variances[::6].mean())
    values = np.linspace(0.01 * losses.min(), 0.95 * losses.min(), 40)
    tries = [
        lf.fit(
            lf.laws.chinchilla, one_each, response="nll", loss="squared", residual="linear", weights=weights,
            fixed={"E": value}, starts=50,
        )
        for value in values
    ]  # fmt: skip
    best = min(tries, key=lambda fit: fit.objective)
    assert chain.first.objective == pytest.approx(best.objective, rel=1e-9)
    assert chain.params["E"] == best.params["E"]
    assert chain.params["alpha"] == pytest.approx(best.params["alpha"], rel=SEARCHED)
    assert chain.second.options.loss == "squared"
    assert "1 budgets of one checkpoint" in " ".join(chain.notes)
    assert len(chain.grid) == 40
    # The values are tried again in each replicate.
    draws = chain.bootstrap(60, seed=2, n_threads=1)
    assert set(draws["E"]) <= set(values)
    assert len(set(draws["E"])) > 1


def test_an_end_of_the_values_of_e_is_said(isoflops: Columns) -> None:
    lower = {**isoflops, "nll": isoflops["nll"] - 1.2}
    chain = t2(lower, protocol="roberts2026", isoflop="6*N*D")
    assert any("at the end of the values" in warning for warning in chain.warnings)


@pytest.mark.parametrize("residuals", [("log", "linear"), ("linear", "linear"), ("log", "log")])
def test_the_joint_fit_is_the_minimum_of_both_responses_weighed(table: Columns, residuals: tuple[str, str]) -> None:
    options = {"loss": "squared", "residual": residuals[0]}, {"loss": "squared", "residual": residuals[1]}
    staged, joint = (t2(table, how=how, first=options[0], second=options[1]) for how in ("staged", "joint"))
    freedom = 30 - 5, 120 - 5
    spreads = [np.sqrt(2.0 * fit.objective / n) for fit, n in zip((staged.first, staged.second), freedom, strict=True)]

    def residual(values: NDArray[np.float64]) -> NDArray[np.float64]:
        params = dict(zip(joint.law.parameters, values, strict=True))
        first = {name: params[name] for name in CHINCHILLA}
        loss = np.asarray(lf.laws.chinchilla.evaluate(N=table["N"][::4], D=table["D"][::4], params=first))
        accuracy = np.asarray(
            joint.law.evaluate({name: table[name] for name in ("N", "D", "k")}, params=params), dtype=np.float64
        )
        pairs = ((loss, table["nll"][::4]), (accuracy, table["acc"]))
        parts = [np.log(a / b) if kind == "log" else a - b for (a, b), kind in zip(pairs, residuals, strict=True)]
        return np.concatenate([part / spread for part, spread in zip(parts, spreads, strict=True)])

    assert joint.joint is not None
    found = np.array(list(joint.params.values()))
    assert joint.joint.objective == pytest.approx(0.5 * float(residual(found) @ residual(found)), rel=1e-10)
    polished = optimize.least_squares(residual, found, x_scale=np.abs(found), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert joint.joint.objective <= polished.cost * (1.0 + 1e-10)
    staged_cost = 0.5 * float(np.sum(residual(np.array(list(staged.params.values()))) ** 2))
    assert joint.joint.objective < staged_cost


def test_joint_is_staged_where_the_first_response_has_no_noise() -> None:
    exact = passes(0.0, 0.05)
    for options in ({}, {"first": SQUARED, "second": SQUARED}):
        staged, joint = (t2(exact, how=how, **options) for how in ("staged", "joint"))
        for name, value in staged.params.items():
            assert joint.params[name] == pytest.approx(value, rel=1e-6), name


def test_real_accuracies_are_chained_through_their_losses(real_data: Callable[[str], Path]) -> None:
    place = "eval/downstream/hellaswag_test"
    chain = lf.fit_chain(
        lf.laws.chinchilla, lf.laws.ladder_accuracy, real_data("loss_to_loss_runs.csv"),
        responses=[f"{place}_ctx_ce_loss", f"{place}_len_norm"], through="L", columns={"N": "params", "D": "tokens"},
        where="data == 'slimpajama-chunk1'", second={"fixed": {"b": 1.0}}, n_threads=1,
    )  # fmt: skip
    assert chain.success
    value = chain.predict(N=7e9, D=2e12, interval=0.95)
    held = chain.second.predict(L=chain.first.predict(N=7e9, D=2e12), interval=0.95)
    assert value.upper - value.lower > 1.5 * (held.upper - held.lower)
    # A size beyond the runs, whose accuracy the published models of its kind bracket.
    assert 0.5 < float(value.value) < 0.7


def test_one_loss_is_chained_through_another(real_data: Callable[[str], Path]) -> None:
    chain = lf.fit_chain(
        lf.laws.chinchilla_tied, lf.laws.loss_to_loss, real_data("gadre_runs.csv"),
        responses=["loss_shard_00000000", "loss_00000001"], through="L", where="dataset == 'rpj' and D/N >= 20",
        second={"fixed": {"E0": 0.0}}, n_threads=1,
    )  # fmt: skip
    assert chain.second.options.residual == "log"
    predicted = np.asarray(chain.predict(N=chain.fit.rows.x[0], D=chain.fit.rows.x[1]))
    errors = np.log(predicted / chain.fit.rows.y)
    assert float(np.sqrt(np.mean(errors**2))) < 0.05
    assert chain.units.name == "rows"


def test_formulas_find_their_variables_among_the_columns() -> None:
    """The recipe of Llama 3: loss straight in log C, a sigmoid of it."""
    C = np.logspace(18, 22, 15)
    loss = 6.0 - 0.11 * np.log(C)
    runs = {"C": C, "nll": loss, "score": 0.2 + 0.7 / (1.0 + np.exp(4.0 * (loss - 1.2)))}
    chain = lf.fit_chain(
        "a + b*log(C)", "low + rise/(1 + exp(s*(L - m)))", runs, responses=["nll", "score"], through="L", n_threads=1
    )
    assert chain.params["b"] == pytest.approx(-0.11, rel=1e-6)
    far = 6.0 - 0.11 * np.log(1e24)
    assert float(chain.predict(C=1e24)) == pytest.approx(0.2 + 0.7 / (1.0 + np.exp(4.0 * (far - 1.2))), rel=1e-6)


def test_a_stage_may_follow_a_protocol_of_its_own(table: Columns) -> None:
    chain = t2(table, first={"protocol": "hoffmann2022"})
    one_each = {name: values[:: SAMPLES.size] for name, values in table.items()}
    alone = lf.fit(lf.laws.chinchilla, one_each, response="nll", protocol="hoffmann2022", n_threads=1)
    assert chain.first.params == alone.params


def test_the_printed_form_tells_both_stages(chain: lf.ChainFit) -> None:
    text = repr(chain)
    for part in ("acc through L = nll (staged)", "first   nll: converged", "second  acc: converged", "30 rows",
                 "120 rows", "over 30 checkpoints (N, D)", "variables: N, D, k", "90 rows repeat"):  # fmt: skip
        assert part in text, part
    fixed = repr(t2(passes(0.01, 0.05), first={"fixed": {"alpha": 0.35}}))
    assert "held: alpha = 0.35" in fixed
    assert pickle.loads(pickle.dumps(chain)).params == chain.params


def test_a_first_response_that_is_never_there_is_an_error(table: Columns) -> None:
    empty = {**table, "nll": np.full(table["N"].size, np.nan)}
    with pytest.raises(lf.DataError, match="missing or NaN"):
        t2(empty)
    with pytest.raises(lf.DataError, match="leaves none"):
        t2(empty, missing="drop")


BAD: dict[str, tuple[dict[str, object], type[Exception], str]] = {
    "through is no name": ({"through": "M"}, lf.LawError, "through='M' does not occur in the second law"),
    "through is a parameter": ({"through": "theta1"}, lf.LawError, "through='theta1' is a parameter"),
    "through is a number": ({"through": 3}, lf.LawError, "give the name of a variable"),
    "one response": ({"responses": ["nll"]}, lf.DataError, "give two columns"),
    "a text": ({"responses": "nll"}, lf.DataError, "give two columns"),
    "the same twice": ({"responses": ["nll", "nll"]}, lf.DataError, "both are 'nll'"),
    "no such column": ({"responses": ["nll", "accuracy"]}, lf.DataError, "'accuracy'"),
    "parameters that clash": (
        {"second_law": lf.Law("alpha - beta*exp(-L)", ["L"])}, lf.LawError, "alpha, beta: parameters of both laws"),
    "a parameter that is a variable": (
        {"second_law": lf.Law("a - N*exp(-L)", ["L"])}, lf.LawError, "N: parameters of the second law and variables"),
    "a binding that clashes": (
        {"second_law": lf.Law("A = exp(-L); c - A", ["L"])}, lf.LawError, "A: bindings of the second law"),
    "through in the first law": (
        {"first_law": lf.Law("L + A*N**-alpha", ["N"])}, lf.LawError, "is a name of the first law"),
    "an option of no stage": ({"first": {"seed": 3}}, lf.LawError, "'seed' is not an argument of a stage"),
    "options that are no mapping": ({"second": "squared"}, lf.LawError, "second: give a mapping"),
    "how": ({"how": "both"}, lf.LawError, "how='both' is not known"),
    "missing": ({"missing": "ignore"}, lf.LawError, "missing='ignore' is not known"),
    "columns of no law": ({"columns": {"M": "N"}}, lf.LawError, "'M' is not a name of either law"),
    "columns of the link": ({"columns": {"L": "nll"}}, lf.LawError, "'L' is what the first law predicts"),
    "another protocol": ({"protocol": "hoffmann2022"}, lf.LawError, "goes into first= or second="),
    "no budget": ({"protocol": "roberts2026"}, lf.LawError, "give isoflop="),
    "a budget without the protocol": ({"isoflop": "C"}, lf.LawError, "it goes with protocol="),
    "budgets that are all different": (
        {"protocol": "roberts2026", "isoflop": "N*D*D"}, lf.DataError, "no budget has two checkpoints"),
    "a protocol without E": (
        {"protocol": "roberts2026", "isoflop": "N", "first_law": lf.laws.neglog_accuracy}, lf.LawError,
        "no parameter E"),
    "two losses at once": ({"how": "joint", "first": {"loss": "squared"}}, lf.LawError, "give both the same"),
    "a prior at once": ({"how": "joint", "first": {"prior": {"alpha": (0.3, 0.1)}}}, lf.LawError, "leave prior= out"),
    "weights of a robust loss at once": ({"how": "joint", "second": {"weights": "k"}}, lf.LawError, "weights="),
    "the protocol at once": (
        {"protocol": "roberts2026", "isoflop": "N", "how": "joint"}, lf.LawError, "fitted in stages"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_call_that_cannot_mean_anything_says_what_and_where(table: Columns, case: str) -> None:
    changes, error, words = BAD[case]
    arguments: dict[str, Any] = {
        "first_law": lf.laws.chinchilla, "second_law": lf.laws.t2_accuracy_link, "data": table,
        "responses": ["nll", "acc"], "through": "L", "n_threads": 1,
    }  # fmt: skip
    with pytest.raises(error) as caught:
        lf.fit_chain(**{**arguments, **changes})
    assert words in str(caught.value)
