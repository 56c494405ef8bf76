"""What a fit may claim: minima where arithmetic ends, exponents without effect, and the certificate's reasons."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf

GRID = [values.ravel() for values in np.meshgrid(np.logspace(7, 10, 6), np.logspace(9, 11, 5))]


def test_starts_that_share_a_way_end_where_each_ends_alone(real_data: Callable[[str], Path]) -> None:
    rng = np.random.default_rng(3)
    starts = {
        "A": np.exp(rng.uniform(0, 25, 24)),
        "B": np.exp(rng.uniform(0, 25, 24)),
        "E": np.exp(rng.uniform(-1, 1, 24)),
        "alpha": rng.uniform(-0.5, 2, 24),
        "beta": rng.uniform(-0.5, 2, 24),
    }
    points = real_data("chinchilla_epoch.csv")

    def fit(given: dict[str, np.ndarray], n_threads: int = 1) -> lf.Fit:
        return lf.fit(
            lf.laws.chinchilla, points, response="loss", where="epoch_used", f_scale=1e-3, starts=given,
            n_threads=n_threads,
        )  # fmt: skip

    together = fit(starts)
    alone = [fit({name: values[[s]] for name, values in starts.items()}) for s in range(24)]
    assert together.starts is not None
    np.testing.assert_allclose(together.starts.objective, [one.objective for one in alone], rtol=1e-9)
    assert together.nfev < 0.8 * sum(one.nfev for one in alone)
    np.testing.assert_array_equal(fit(starts, n_threads=2).starts.ends, together.starts.ends)  # type: ignore[union-attr]


def test_an_exponent_without_effect_is_not_identified() -> None:
    """Where D_c = 0, nothing in Kaplan's law depends on alpha_D."""
    n, d = GRID
    noise = np.exp(1e-3 * np.random.default_rng(0).standard_normal(n.size))
    runs = {"N": n, "D": d, "loss": (9e13 / n) ** 0.076 * noise}
    fit = lf.fit(lf.laws.kaplan_nd, runs, response="loss", fixed={"D_c": 0.0})
    assert fit.status == "unidentified"
    assert fit.unidentified == ("alpha_D",)
    assert "not identified" in fit.stderr_reason["alpha_D"]
    assert fit.stderr["alpha_N"] < 1e-3


def test_two_amplitudes_of_one_term_are_open_although_one_is_zero() -> None:
    """On one ratio of tokens to parameters, with one exponent, any share of A*N**-alpha may be B*D**-alpha."""
    n = np.logspace(7, 10, 16)
    noise = np.exp(0.01 * np.random.default_rng(1).standard_normal(16))
    runs = {"N": n, "D": 20 * n, "loss": (1.7 + 400 * n**-0.34) * noise}
    law = lf.Law("E + A*N**-alpha + B*D**-alpha", ["N", "D"], positive=["E", "A", "B"])
    for options in ({}, {"starts": {"E": [1.7], "A": [400.0], "B": [0.0], "alpha": [0.34]}}):
        fit = lf.fit(law, runs, response="loss", **options)  # type: ignore[arg-type]
        assert fit.status == "unidentified"
        assert set(fit.unidentified) == {"A", "B"}
        assert np.isfinite(fit.stderr["E"])


def test_a_step_between_two_rows_is_found() -> None:
    x = np.arange(12.0)
    runs = {"x": x, "y": np.where(x < 5.5, 0.2, 0.8)}
    fit = lf.fit("floor + gain*sigmoid(slope*(x - middle))", runs, response="y", loss="squared", residual="linear")
    assert fit.objective < 1e-12
    assert all(np.isnan(error) for error in fit.stderr.values())
    assert all(np.isfinite(value) for value in fit.params.values())


@pytest.mark.parametrize("exponent", [40.0, -40.0])
def test_no_parameter_runs_away_to_infinity(exponent: float) -> None:
    x = np.logspace(7, 10, 20)
    x_last = x[-1] if exponent < 0 else x[0]
    runs = {"x": x, "loss": 2.0 + 0.3 * (x / x_last) ** -exponent}
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared")
    assert all(np.isfinite(value) for value in fit.params.values())
    if fit.success:
        assert fit.objective < 1e-20
        assert abs(fit.params["A"]) < 1e150


def test_the_certificate_names_what_the_data_hardly_determine() -> None:
    n, d = GRID
    noise = np.exp(0.05 * np.random.default_rng(5).standard_normal(n.size))
    runs = {"N": n, "D": d, "loss": (1.7 + 400 * n**-0.34 + 2 * d**-0.3) * noise}
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", loss="squared")
    assert fit.stderr["beta"] > abs(fit.params["beta"])
    assert not fit.certificate.certified
    assert any("hardly determine" in reason and "beta" in reason for reason in fit.certificate.reasons)


def test_outliers_in_exact_data_do_not_set_the_scale() -> None:
    x = np.logspace(7, 10, 40)
    loss = 1.7 + 400 * x**-0.34
    loss[[3, 17, 30, 36]] *= [3.0, 2.0, 0.4, 5.0]
    fit = lf.fit(lf.laws.power_floor, {"x": x, "loss": loss}, response="loss")
    assert fit.f_scale < 1e-8
    assert fit.params["alpha"] == pytest.approx(0.34, rel=1e-6)


def test_one_start_certifies_nothing() -> None:
    x = np.linspace(0, 10, 40)
    runs = {"x": x, "y": 3 + np.cos(2 * x)}
    fit = lf.fit(
        "c + A*cos(w*x)", runs, response="y", residual="linear", loss="squared", starts={"c": 3.0, "A": 0.5, "w": 4.0}
    )
    assert fit.objective > 1
    assert not fit.certificate.certified
    assert "only 1 of 1 starts found it" in fit.certificate.reasons[0]


def test_few_iterations_leave_the_scale_of_the_loss_alone() -> None:
    n, d = GRID
    noise = np.exp(0.01 * np.random.default_rng(4).standard_normal(n.size))
    runs = {"N": n, "D": d, "loss": (1.7 + 400 * n**-0.34 + 410 * d**-0.28) * noise}
    scales = {lf.fit(lf.laws.chinchilla, runs, response="loss", max_iterations=most).f_scale for most in (1, 3, 1000)}
    assert len(scales) == 1
