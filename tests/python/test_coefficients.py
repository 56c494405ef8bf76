"""Published coefficients: complete, where they come from, and what they score on the points that they are for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf

PROVENANCES = {"printed", "from the TeX source", "from the authors' code", "recomputed here from their data"}
POINT = {"x": 1e18, "N": 1e9, "D": 2e10, "k": 10.0, "P": 4.0, "U": 4e9, "n_experts": 64.0, "M": 4.0}
NAMES = list(lf.published)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_complete_and_evaluates(name: str) -> None:
    entry = lf.published[name]
    assert entry.name == name
    assert set(entry.params) == set(entry.law.parameters)
    assert entry.provenance in PROVENANCES
    assert "arXiv:" in entry.source
    assert entry.data
    for variable in entry.law.variables or ():
        assert f"{variable} in" in entry.units or f"{variable} is" in entry.units
    for key, value in entry.params.items():
        lower, upper = entry.law.bounds[key]
        assert lower <= value <= upper
    point = {variable: POINT[variable] for variable in entry.law.variables or ()}
    value = float(entry.law.evaluate(point, params=entry.params))
    if "per" in entry.units.split(";")[0]:
        assert 0.5 < value < 6.0
    else:
        assert 0.0 < value < POINT["D"]
    for part in (name, entry.law.text, entry.source, entry.provenance, entry.data, entry.units, entry.notes):
        assert part in repr(entry)


def test_they_are_listed_by_law() -> None:
    assert set(lf.published.of(lf.laws.kaplan_nd)) == {"kaplan2020"}
    every = [name for law in lf.laws.CATALOGUE.values() for name in lf.published.of(law)]
    assert sorted(every) == sorted(NAMES)
    assert len(lf.published.of(lf.Law("A*x", ["x"]))) == 0
    shown = repr(lf.published.of(lf.laws.chinchilla))
    assert "hoffmann2022" in shown
    assert "kaplan2020" not in shown


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean 'hoffmann2022'"):
        lf.published["hofmann2022"]
    with pytest.raises(lf.LawError, match="give a law, such as lawfit"):
        lf.published.of("chinchilla")  # type: ignore[arg-type]


def test_unrounded_hoffmann_coefficients_are_those_of_the_logarithms() -> None:
    exact, printed = lf.published["hoffmann2022"].params, lf.published["hoffmann2022_printed"].params
    assert np.log([exact["A"], exact["B"], exact["E"]]) == pytest.approx([6.0073404, 6.0179186, 0.5267228], rel=1e-15)
    for name, value in printed.items():
        assert exact[name] == pytest.approx(value, rel=0.02)


def test_muennighoffs_base_gives_their_own_test_value_where_nothing_repeats() -> None:
    # Their law for repeated data: D' of 242e9 tokens, 25e9 of them unique, and their N' of 6.34e9 parameters.
    base = lf.published["muennighoff2023_base"].params
    unique, tokens, size, r_d, r_n = 25e9, 242e9, 6.34e9, 15.387756, 5.309743
    alpha, beta = base["alpha"], base["beta"]
    data = unique + unique * r_d * (1 - np.exp(-(tokens / unique - 1) / r_d))
    ratio = (alpha * base["A"] / (beta * base["B"])) ** (1 / (alpha + beta))
    best = min(size, (unique * ratio) ** (beta / alpha) * ratio)
    parameters = best + best * r_n * (1 - np.exp(-(size / best - 1) / r_n))
    assert float(lf.laws.chinchilla.evaluate(N=parameters, D=data, params=base)) == pytest.approx(
        2.2256440889984477, rel=1e-14
    )


@pytest.mark.parametrize(
    ("size", "tokens", "expected"), [(6.34e9, 242e9, 2.2256440889984477), (8.67e9, 178e9, 2.2269634075087867)]
)
def test_muennighoffs_law_gives_their_own_test_values(size: float, tokens: float, expected: float) -> None:
    entry = lf.published["muennighoff2023"]
    value = float(entry.law.evaluate(N=size, D=tokens, U=25e9, params=entry.params))
    assert value == pytest.approx(expected, rel=1e-14)


def score(fit: lf.Fit, params: Any) -> float:
    """Objective of a fit at other parameters."""
    points = dict(zip(fit.rows.variables, fit.rows.x, strict=True))
    predicted = fit.law.evaluate(points, params=params)
    r = np.log(predicted / fit.rows.y) if fit.options.residual == "log" else predicted - fit.rows.y
    size = np.abs(r)
    huber = np.where(size <= fit.f_scale, 0.5 * r**2, fit.f_scale * (size - 0.5 * fit.f_scale))
    return float(np.sum(0.5 * r**2 if fit.options.loss == "squared" else huber))


SCORES = {"hoffmann2022": 0.0012311626, "besiroglu2024": 0.0010228428, "besiroglu2024_huber": 0.0010182740178}


@pytest.mark.parametrize("name", list(SCORES))
def test_coefficients_score_on_the_chinchilla_points_what_is_known(name: str, real_data: Callable[[str], Path]) -> None:
    path = real_data("chinchilla_epoch.csv")
    fit = lf.fit(lf.laws.chinchilla, path, response="loss", where="epoch_used", f_scale=1e-3)
    assert score(fit, lf.published[name].params) == pytest.approx(SCORES[name], rel=1e-7)


RECOMPUTED: dict[str, tuple[str, dict[str, Any]]] = {
    "besiroglu2024_lad": ("chinchilla_epoch.csv", {"where": "epoch_used", "f_scale": "fitted"}),
    "besiroglu2024_huber": ("chinchilla_epoch.csv", {"where": "epoch_used", "f_scale": 1e-3}),
    "porian2024_squared": ("porian_rw_88.csv", {"loss": "squared", "residual": "linear"}),
    "porian2024_huber": ("porian_rw_88.csv", {"f_scale": 1e-3}),
    "porian2024_frontier": ("porian_rw_88.csv", {"protocol": "porian2024"}),
    "pythia_gsm8k": ("t2_pythia_pass_at_k.csv", {"protocol": "roberts2026"}),
    "pythia_math": ("t2_pythia_pass_at_k.csv", {"protocol": "roberts2026"}),
}


def test_every_recomputed_entry_is_recomputed_here() -> None:
    assert {name for name in NAMES if lf.published[name].provenance.startswith("recomputed")} == set(RECOMPUTED)


@pytest.mark.parametrize("name", list(RECOMPUTED))
def test_recomputed_coefficients_are_what_a_fit_gives(name: str, real_data: Callable[[str], Path]) -> None:
    file, options = RECOMPUTED[name]
    data: object = real_data(file)
    response = "loss"
    if name == "porian2024_frontier":
        table = np.genfromtxt(real_data(file), delimiter=",", names=True)
        budgets = np.unique(table["C"])
        data = {"x": budgets, "loss": [table["loss"][table["C"] == budget].min() for budget in budgets]}
    if name.startswith("pythia"):
        response = "-log(`pass_at_k`)"
        benchmark = f"benchmark == '{name.removeprefix('pythia_')}'"
        options = {**options, "where": f"{benchmark} and N >= 4.1e8 and D >= 6e9 and `pass_at_k` > 0"}
    entry = lf.published[name]
    fit = lf.fit(entry.law, data, response=response, **options)
    assert fit.success, fit.message
    assert score(fit, entry.params) == pytest.approx(fit.objective, rel=1e-9)
    for key, value in entry.params.items():
        assert fit.params[key] == pytest.approx(value, rel=1e-5, abs=1e-12), key


@pytest.mark.parametrize(("name", "dataset"), [("chen2025_stack", "stack_v2_python"), ("chen2025_pile", "pile")])
def test_the_parscale_coefficients_are_near_the_minimum(
    name: str, dataset: str, real_data: Callable[[str], Path]
) -> None:
    where = f"dataset == '{dataset}'"
    fit = lf.fit(lf.laws.parscale, real_data("parscale.csv"), response="loss", where=where, f_scale=1e-3)
    assert 1.0 <= score(fit, lf.published[name].params) / fit.objective < 1.01


def test_farseers_printed_law_is_the_formula_of_the_paper() -> None:
    entry, n, d = lf.published["li2025_farseer"], 1e9, 2e10
    own = np.exp(-0.021 * n**0.169 - 0.091) + np.exp(88.01 * n**-0.1 - 6.287) * d ** -np.exp(-0.124 * n**0.123 + 0.424)
    assert float(entry.law.evaluate(N=n, D=d, params=entry.params)) == pytest.approx(own, rel=1e-13)


def test_repetition_of_diffusion_data_first_helps_and_then_hurts() -> None:
    entry = lf.published["ni2025_repeated"]
    loss = entry.law.evaluate(N=1e9, D=1e9 * np.logspace(0, 4, 60), U=1e9, params=entry.params)
    assert 0 < np.argmin(loss) < 59


def test_pearce_and_songs_compute_is_where_their_loss_is_least() -> None:
    loss = {"E": 1.8172, "A": 482.01, "alpha": 0.3478, "B": 2085.43, "beta": 0.3658, "gamma": 47491.0}
    params = {"alpha": 0.3478, "beta": 0.3658, "gamma": 47491.0, "r": 2085.43 / 482.01}
    compute = float(lf.laws.pearce_song_compute.evaluate(N=1e8, params=params))
    sizes = 1e8 * np.exp(np.linspace(-0.2, 0.2, 4001))
    found = lf.laws.pearce_song_loss.evaluate(N=sizes, D=compute / (6 * sizes), params=loss)
    assert sizes[np.argmin(found)] == pytest.approx(1e8, rel=1e-3)
