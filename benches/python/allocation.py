"""Allocation of every draw at every budget, beside a SciPy loop over a sample of the same problems; equal answers.

1,000 draws of parameters (2 % around published values) x 57 training budgets from 1e18 to 1e25 FLOP, 2e9 FLOP a token
for answers. CPU seconds of one thread; SciPy scans 64 sizes of a law in plain NumPy and refines with `minimize_scalar`.
"""

import time
from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import betaln, expit

import lawfit as lf
from lawfit import _engine

INFERENCE = 2e9
BUDGETS = np.logspace(18, 25, 57)
N_DRAWS, EVERY = 1000, 997
LAWS = {
    "t2_loss": ({"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28, "G": 2.0, "gamma": 0.3}, False),
    "t2_accuracy": (
        {
            "A": 400.0, "alpha": 0.35, "B": 2000.0, "beta": 0.36, "theta2": 0.95, "theta0": 2.0, "theta3": 0.5,
            "theta4": -0.4,
        },
        True,
    ),
}  # fmt: skip


def draws_of(law: lf.Law, params: Mapping[str, float]) -> np.ndarray:
    """Parameters around the given ones."""
    middle = np.array([params[name] for name in law.parameters])
    return middle * np.exp(np.random.default_rng(0).normal(0.0, 0.02, (N_DRAWS, middle.size)))


def t2_loss(p: Mapping[str, float], size: np.ndarray, tokens: np.ndarray, k: np.ndarray) -> np.ndarray:
    """The law in NumPy."""
    return p["E"] + p["A"] * size ** -p["alpha"] + p["B"] * tokens ** -p["beta"] + p["G"] * k ** -p["gamma"]


def t2_accuracy(p: Mapping[str, float], size: np.ndarray, tokens: np.ndarray, k: np.ndarray) -> np.ndarray:
    """The law in NumPy and SciPy."""
    loss = p["A"] * size ** -p["alpha"] + p["B"] * tokens ** -p["beta"]
    mean, spread = p["theta2"] * expit(p["theta0"] - loss), np.exp(p["theta3"] + p["theta4"] * loss)
    a, b = mean * spread, (1.0 - mean) * spread
    accuracy: np.ndarray = -np.expm1(betaln(a, b + k) - betaln(a, b))
    return accuracy


def by_scipy(law: lf.Law, draw: np.ndarray, training: float, sign: float) -> float:
    """The best value of one problem."""
    params = dict(zip(law.parameters, draw.tolist(), strict=True))
    own = {"t2_loss": t2_loss, "t2_accuracy": t2_accuracy}[str(law.name)]

    def value(u: float | np.ndarray) -> np.ndarray:
        size = np.exp(u)
        return sign * own(params, size, training / 6 / size, INFERENCE / 2 / size)

    grid = np.linspace(0.0, np.log(min(training / 6, INFERENCE / 2)), 64)
    best = int(np.argmin(value(grid)))
    ends = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    return sign * float(minimize_scalar(value, bounds=ends, method="bounded", options={"xatol": 1e-9}).fun)


def main() -> None:
    """Print one line a law."""
    amounts = np.stack([BUDGETS, np.full(BUDGETS.size, INFERENCE)], axis=1)
    lower, upper = np.ones((BUDGETS.size, 3)), np.full((BUDGETS.size, 3), 1e30)
    print("| law | problems | lawfit | SciPy, extrapolated | times |\n|---|---|---|---|---|")
    for name, (params, maximize) in LAWS.items():
        law = lf.laws.CATALOGUE[name]
        draws = draws_of(law, params)
        began = time.process_time()
        found = _engine.allocate(
            law.text, law.variables or (), law.parameters, ["6*N*D", "2*N*k"], draws, amounts, lower, upper,
            maximize=maximize,
        )  # fmt: skip
        ours = time.process_time() - began
        sample = range(0, found.value.size, EVERY)
        sign = -1.0 if maximize else 1.0
        began = time.process_time()
        theirs = [by_scipy(law, draws[i // BUDGETS.size], BUDGETS[i % BUDGETS.size], sign) for i in sample]
        each = (time.process_time() - began) / len(theirs)
        values = found.value.ravel()[list(sample)]
        assert np.all(sign * values <= sign * np.array(theirs) * (1.0 + sign * 1e-12)), (
            "an answer is worse than SciPy's"
        )
        assert found.residual.max() <= 1e-10, "first-order conditions do not hold"
        whole = each * found.value.size
        print(f"| `{name}` | {found.value.size:,} | {ours:.2f} s | {whole:.0f} s | {whole / ours:.0f} |")


if __name__ == "__main__":
    main()
