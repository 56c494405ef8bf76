"""Other laws the generic way, beside SciPy on the same starts: ``python benches/python/other_laws.py``.

1,000 of the starts that lawfit makes by default for each law, Huber (1e-3) on log residuals; SciPy takes the same
ones, L-BFGS-B with the analytic gradient in logarithms of amplitudes, each repeat a share of them, half before lawfit
and half after it. A start is good if it ends within 1e-6 (relative) of the best that either method found. CPU seconds
of one thread. The script stops where SciPy finds a lower minimum, and says how far its best is from lawfit's.
"""

import argparse
import csv
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from against_peers import spread
from chinchilla_fit import DELTA, F64, GOOD, SCALE, chinchilla_points
from peers import TIGHT
from scipy.optimize import minimize

import lawfit as lf

SAME_BEST = 1e-9  # relative: no best of SciPy is lower by more
# Logarithm of the law (n_rows,) and its derivatives (P, n_rows) by what SciPy moves.
Value = Callable[[F64, dict[str, F64]], tuple[F64, F64]]


def chinchilla(theta: F64, logs: dict[str, F64]) -> tuple[F64, F64]:
    """``theta`` is ln E, ln A, alpha, ln B, beta."""
    e, a, alpha, b, beta = theta
    by_n, by_d = a - alpha * logs["N"], b - beta * logs["D"]
    largest = np.maximum(np.maximum(by_n, by_d), e)
    n, d, floor = np.exp(by_n - largest), np.exp(by_d - largest), np.exp(e - largest)
    total = n + d + floor
    n /= total
    d /= total
    return largest + np.log(total), np.stack([floor / total, n, -n * logs["N"], d, -d * logs["D"]])


def gamma_form(theta: F64, logs: dict[str, F64]) -> tuple[F64, F64]:
    """``theta`` is ln E, ln A, alpha, ln B, beta, gamma."""
    e, a, alpha, b, beta, gamma = theta
    by_n, by_d = a - alpha * logs["N"], b - beta * logs["D"]
    inner = np.logaddexp(by_n, by_d)
    value = np.logaddexp(gamma * inner, e)
    share = np.exp(gamma * inner - value)
    n, d = gamma * share * np.exp(by_n - inner), gamma * share * np.exp(by_d - inner)
    return value, np.stack([1 - share, n, -n * logs["N"], d, -d * logs["D"], share * inner])


def kaplan_nd(theta: F64, logs: dict[str, F64]) -> tuple[F64, F64]:
    """``theta`` is ln N_c, alpha_N, alpha_D, ln D_c."""
    n_c, alpha_n, alpha_d, d_c = theta
    over_n = n_c - logs["N"]
    by_n = over_n * alpha_n / alpha_d
    inner = np.logaddexp(by_n, d_c - logs["D"])
    share = np.exp(by_n - inner)
    return alpha_d * inner, np.stack([share * alpha_n, share * over_n, inner - share * by_n, alpha_d * (1 - share)])


def parscale(theta: F64, logs: dict[str, F64]) -> tuple[F64, F64]:
    """``theta`` is ln E, ln A, k, alpha."""
    e, a, k, alpha = theta
    streams = k * logs["P"] + 1
    base = a - logs["N"] - np.log(streams)
    value = np.logaddexp(alpha * base, e)
    share = np.exp(alpha * base - value)
    return value, np.stack([1 - share, share * alpha, -share * alpha * logs["P"] / streams, share * base])


# Law, its data, SciPy's form, parameters that SciPy moves in logarithms, and those with a lower bound.
LAWS: dict[str, tuple[str, Value, set[str], dict[str, float]]] = {
    "chinchilla": ("chinchilla", chinchilla, {"E", "A", "B"}, {}),
    "kaplan_nd": ("chinchilla", kaplan_nd, {"N_c", "D_c"}, {"alpha_N": 0, "alpha_D": 1e-9}),
    "chinchilla_gamma": ("chinchilla", gamma_form, {"E", "A", "B"}, {"gamma": 0}),
    "parscale": ("parscale", parscale, {"E", "A"}, {"k": 0}),
}


def parscale_points() -> dict[str, F64]:
    """The 24 models trained on Python code, from where the Chinchilla points are."""
    folder = os.environ.get("LAWFIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
    with (Path(folder) / "parscale.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == "stack_v2_python"]
    return {name: np.array([float(row[name]) for row in rows]) for name in ("N", "P", "loss")}


def run_scipy(name: str, data: dict[str, F64], names: tuple[str, ...], starts: F64) -> tuple[F64, float]:
    """The objective from every start, and the median CPU seconds of one."""
    _, law, in_logs, lowest = LAWS[name]
    logs = {column: np.log(values) for column, values in data.items()}

    def objective(theta: F64) -> tuple[float, F64]:
        value, slopes = law(theta, logs)
        residual = value - logs["loss"]
        psi = np.minimum(np.maximum(residual, -DELTA), DELTA)
        return SCALE * float(np.sum(psi * (residual - 0.5 * psi))), SCALE * slopes @ psi

    moved = np.array(starts)
    for column, parameter in enumerate(names):
        if parameter in in_logs:
            moved[:, column] = np.log(np.maximum(starts[:, column], 1e-300))
    bounds = [(lowest.get(parameter), None) for parameter in names]
    ends, seconds = [], []
    for start in moved:
        begun = time.process_time()
        # A trial step far out overflows, and the line search steps back from it.
        with np.errstate(all="ignore"):
            found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=TIGHT)
        seconds.append(time.process_time() - begun)
        ends.append(found.fun / SCALE)
    return np.array(ends), statistics.median(seconds)


def measure(name: str, n_starts: int, n_scipy: int, repeats: int) -> str:
    """One line of the table."""
    data = parscale_points() if LAWS[name][0] == "parscale" else chinchilla_points()
    law = getattr(lf.laws, name)

    def fitted() -> lf.Fit:
        return lf.fit(law, data, response="loss", f_scale=DELTA, starts=n_starts, solver="generic", n_threads=1)

    fit = fitted()  # compiles the law, and says which starts it makes
    assert fit.starts is not None, "one fit keeps its starts"
    speeds, their_speeds, theirs = [], [], []
    for repeat in range(repeats):
        halves = np.array_split(fit.starts.params[:n_scipy][repeat::repeats], 2)
        before = run_scipy(name, data, tuple(fit.params), halves[0])
        begun = time.process_time()
        fitted()
        speeds.append(n_starts / (time.process_time() - begun))
        after = run_scipy(name, data, tuple(fit.params), halves[1])
        their_speeds.append(2 / (before[1] + after[1]))
        theirs += [before[0], after[0]]
    ends = np.concatenate(theirs)
    their_best = float(np.nanmin(ends))
    if fit.objective > their_best * (1 + SAME_BEST):
        sys.exit(f"{name}: SciPy finds a lower minimum, {their_best:.13e} against {fit.objective:.13e}")
    best = min(fit.objective, their_best)
    hits, their_hits = (float(np.mean(found <= best * (1 + GOOD))) for found in (fit.starts.objective, ends))
    ratios = [
        hits * ours / (their_hits * other) if their_hits else math.inf
        for ours, other in zip(speeds, their_speeds, strict=True)
    ]
    return (
        f"| `{name}` | {data['loss'].size} | {spread(speeds, 0)} | {100 * hits:.1f} % | {fit.nfev / n_starts:.0f} "
        f"| {spread(their_speeds, 0)} | {100 * their_hits:.1f} % | {their_best / fit.objective - 1:+.0e} "
        f"| {spread(ratios, 0)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=1000)
    parser.add_argument("--scipy", type=int, default=200, help="how many of them SciPy takes, over all repeats (200)")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    print(
        "| law | rows | lawfit, starts/s | hits | evaluations a start | SciPy, starts/s | hits "
        "| its best, relative to ours | times per good start |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in LAWS:
        print(measure(name, chosen.starts, chosen.scipy, chosen.repeats), flush=True)


if __name__ == "__main__":
    main()
