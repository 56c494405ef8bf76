"""The separable path: amplitudes solved for, exponents scanned or drawn, the true objective polished."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf

BEST = 1.0182740178006e-3


@pytest.fixture
def points(real_data: Callable[[str], Path]) -> Path:
    return real_data("chinchilla_epoch.csv")


def fit_points(points: Path, law: lf.Law = lf.laws.chinchilla, **options: Any) -> lf.Fit:
    return lf.fit(law, points, response="loss", where="epoch_used", loss="huber", f_scale=1e-3, **options)


def drawn_starts(n: int) -> dict[str, np.ndarray]:
    """ln A, ln B ~ U(0, 25), ln E ~ U(-1, 1), exponents ~ U(0, 2)."""
    rng = np.random.default_rng(1)
    return {
        "A": np.exp(rng.uniform(0, 25, n)),
        "B": np.exp(rng.uniform(0, 25, n)),
        "E": np.exp(rng.uniform(-1, 1, n)),
        "alpha": rng.uniform(0, 2, n),
        "beta": rng.uniform(0, 2, n),
    }


def test_every_drawn_start_reaches_the_published_optimum(points: Path) -> None:
    fit = fit_points(points, starts=drawn_starts(4500), solver="separable")
    assert fit.start_agreement == 1.0
    assert fit.objective == pytest.approx(BEST, rel=1e-12)


def test_both_solvers_and_every_seed_find_one_optimum(points: Path) -> None:
    for seed in range(20):
        fit = fit_points(points, seed=seed)
        assert fit.objective == pytest.approx(BEST, rel=1e-12)
        assert fit.certificate.certified, fit.certificate.reasons
    generic = fit_points(points, solver="generic")
    for name, value in generic.params.items():
        assert fit.params[name] == pytest.approx(value, rel=1e-7)


def test_a_law_in_logarithms_of_amplitudes_has_the_same_optimum(points: Path) -> None:
    law = lf.Law("exp(a - alpha*log(N)) + exp(b - beta*log(D)) + exp(e)", ["N", "D"])
    fit = fit_points(points, law, solver="separable")
    assert fit.objective == pytest.approx(BEST, rel=1e-12)
    assert np.exp(fit.params["e"]) == pytest.approx(1.8172181, rel=1e-6)


def test_a_law_that_is_linear_in_nothing_cannot_be_forced(points: Path) -> None:
    with pytest.raises(lf.LawError, match=r"solver.*linear in no parameter"):
        lf.fit(lf.laws.kaplan_nd, points, response="loss", solver="separable")
    with pytest.raises(lf.LawError, match="solver"):
        lf.fit(lf.laws.chinchilla, points, response="loss", solver="fast")
    fixed = {"E": 1.8, "A": 400.0, "B": 2000.0}
    with pytest.raises(lf.LawError, match="linear in no parameter that is fitted"):
        lf.fit(lf.laws.chinchilla, points, response="loss", fixed=fixed, solver="separable")


def grid() -> dict[str, np.ndarray]:
    n, d = np.meshgrid(np.geomspace(5e7, 5e9, 6), np.geomspace(1e9, 1e11, 7))
    return {"N": n.ravel(), "D": d.ravel()}


def test_a_term_of_nothing_is_reported_and_not_called_converged_away() -> None:
    runs = grid()
    loss = 1.8 + 2100.0 * runs["D"] ** -0.37
    fit = lf.fit(lf.laws.chinchilla, {**runs, "loss": loss}, response="loss", loss="squared")
    assert fit.objective < 1e-20
    assert fit.params["B"] == pytest.approx(2100.0, rel=1e-6)
    assert fit.dead_terms == ("A*N**-alpha",)
    assert any("A*N**-alpha contributes nothing" in warning for warning in fit.warnings)


def test_a_variable_with_one_value_is_not_identified() -> None:
    runs = grid()
    runs["D"] = np.full_like(runs["D"], 1e10)
    loss = 1.8 + 480.0 * runs["N"] ** -0.35
    noise = np.exp(0.001 * np.random.default_rng(0).standard_normal(loss.size))
    fit = lf.fit(lf.laws.chinchilla, {**runs, "loss": loss * noise}, response="loss")
    assert fit.status == "unidentified"
    assert not fit.certificate.certified
    assert fit.certificate.reasons


def test_an_amplitude_at_zero_is_reached_exactly() -> None:
    runs = grid()
    loss = 480.0 * runs["N"] ** -0.35 + 2100.0 * runs["D"] ** -0.37
    noise = np.exp(0.02 * np.random.default_rng(3).standard_normal(loss.size))
    fit = lf.fit(lf.laws.chinchilla, {**runs, "loss": loss * noise}, response="loss", loss="squared")
    generic = lf.fit(
        lf.laws.chinchilla, {**runs, "loss": loss * noise}, response="loss", loss="squared", solver="generic"
    )
    assert fit.objective <= generic.objective * (1 + 1e-9)
    assert fit.status == generic.status


def test_a_good_start_stays_at_its_own_minimum(points: Path) -> None:
    best = fit_points(points)
    starts = {name: [value] for name, value in best.params.items()}
    again = fit_points(points, starts=starts)
    assert again.nfev <= 12
    assert again.objective == pytest.approx(best.objective, rel=1e-13)


def test_certificates_of_many_fits_are_those_of_each() -> None:
    runs = grid()
    good = 1.8 + 480.0 * runs["N"] ** -0.35 + 2100.0 * runs["D"] ** -0.37
    tables = [{**runs, "loss": good}, {**runs, "D": 20 * runs["N"], "loss": good}]
    fits = lf.fit_many(lf.laws.chinchilla, tables, response="loss", loss="squared")
    assert fits.certified.tolist() == [fit.certificate.certified for fit in fits]
    assert fits.certified[0]
    assert "certified" in repr(fits[0])
    assert fits[0].to_dict()["certificate"]["certified"] is True  # type: ignore[index]
