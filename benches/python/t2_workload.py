"""The workload of Roberts et al. 2026 on one core: 9 tasks x 500 starts x 1,000 resamples of the law in (N, D, k).

The paper fits the seven parameters of its Approach 1 to 106 checkpoints at several k by L-BFGS-B from 500 random
starts, for each of eight tasks and their average, and gives no interval; a bootstrap of that is 4.5 million searches.
Its data are not public: the design here is its grid of sizes and compute with 21 overtrained runs, ten values of k, and
losses drawn from the law with 1 % noise. Three figures, all through the public call:

- every search truly run: a sample of resamples, each from all 500 starts, the rest extrapolated;
- the same answer by the default: 500 starts once for each task, then 1,000 resamples from the optimum, eight of them
  checked from many starts; run in full;
- SciPy's L-BFGS-B with analytic derivatives, tolerance 1e-15 and 5,000 iterations, as the paper says: a sample of the
  same starts, the rest extrapolated.

A start is a hit where it ends within 1e-6 (relative) of the best objective of all. Times are CPU seconds.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

import lawfit as lf

F64 = NDArray[np.float64]
N_TASKS, N_STARTS, N_RESAMPLES = 9, 500, 1000
SAMPLES = np.array([1.0, 2, 4, 8, 16, 32, 64, 128, 256, 512])
SIZES = np.array([
    5.173e6, 7.504e6, 9.81e6, 15.6e6, 22.49e6, 28.67e6, 37.06e6, 57.38e6, 84.79e6, 108.5e6, 149e6, 220.9e6, 347.1e6,
    455.3e6, 612e6, 901.7e6,
])  # fmt: skip
SHOWN = "L-BFGS-B, analytic gradient, ftol=1e-15, gtol=1e-15, maxiter=5000, bounds 0 to 3 on exponents"


def design() -> tuple[F64, F64]:
    """N and D of 106 checkpoints: at each compute the sizes of 0.58 to 97 tokens per parameter, and 21 beyond."""
    pairs = []
    for level in range(-3, 9):
        compute = 1e17 * 2.0**level
        tokens = compute / (6.0 * SIZES)
        usual = np.flatnonzero((tokens / SIZES > 0.58) & (tokens / SIZES < 97.0))[:8]
        pairs += [(SIZES[i], tokens[i]) for i in usual]
    pairs = pairs[:85]
    beyond = [(SIZES[i], 2.56e19 * 2.0**-level / (6.0 * SIZES[i])) for level in range(3) for i in range(6, 13)]
    sizes, tokens = np.array(pairs + beyond).T
    return sizes, tokens


def table(task: int) -> dict[str, F64]:
    """Rows of one task."""
    rng = np.random.default_rng(task)
    sizes, tokens = design()
    size, token = np.repeat(sizes, SAMPLES.size), np.repeat(tokens, SAMPLES.size)
    k = np.tile(SAMPLES, sizes.size)
    e, a, b, g = rng.uniform(0.3, 1.0), rng.uniform(200, 900), rng.uniform(600, 3000), rng.uniform(0.8, 3.0)
    law = e + a * size**-0.34 + b * token**-0.32 + g * k ** -rng.uniform(0.15, 0.4)
    return {"N": size, "D": token, "k": k, "y": law * np.exp(0.01 * rng.standard_normal(law.size))}


def starts_of(seed: int) -> dict[str, F64]:
    """Starts as broad as the paper's may have been: amplitudes over decades, exponents over (0, 1)."""
    rng = np.random.default_rng(seed)
    drawn = {name: np.exp(rng.uniform(0, 10, N_STARTS)) for name in ("A", "B")}
    drawn |= {name: np.exp(rng.uniform(-2, 1, N_STARTS)) for name in ("E", "G")}
    return drawn | {name: rng.uniform(0, 1, N_STARTS) for name in ("alpha", "beta", "gamma")}


def cpu(work: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of some work, and what it gives."""
    began = time.process_time()
    out = work()
    return time.process_time() - began, out


def scipy_search(rows: dict[str, F64], start: F64) -> tuple[float, F64]:
    """One start in (log A, log B, log E, alpha, beta, log G, gamma)."""
    log_size, log_tokens, log_k, y = np.log(rows["N"]), np.log(rows["D"]), np.log(rows["k"]), rows["y"]

    def objective(t: F64) -> tuple[float, F64]:
        a, b = np.exp(t[0] - t[3] * log_size), np.exp(t[1] - t[4] * log_tokens)
        e, g = np.exp(t[2]), np.exp(t[5] - t[6] * log_k)
        r = e + a + b + g - y
        slopes = np.array([
            r @ a, r @ b, e * r.sum(), -(r * a) @ log_size, -(r * b) @ log_tokens, r @ g, -(r * g) @ log_k,
        ])  # fmt: skip
        return 0.5 * float(r @ r), slopes

    bounds = [(None, None)] * 3 + [(0, 3), (0, 3), (None, None), (0, 3)]
    options = {"ftol": 1e-15, "gtol": 1e-15, "maxiter": 5000, "maxfun": 50_000, "maxls": 50}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return float(found.fun), found.x


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=20, help="resamples that are searched from every start (20)")
    parser.add_argument("--scipy-starts", type=int, default=20, help="starts that SciPy runs (20)")
    chosen = parser.parse_args()
    tasks = [table(task) for task in range(N_TASKS)]
    starts = starts_of(0)

    def fit_of(rows: dict[str, F64], weights: F64 | None = None) -> lf.Fit:
        return lf.fit(
            lf.laws.t2_loss,
            rows,
            response="y",
            weights=weights,
            loss="squared",
            residual="linear",
            starts=starts,
            n_threads=1,
        )

    fits: list[lf.Fit] = []
    first, _ = cpu(lambda: fits.extend(fit_of(rows) for rows in tasks))
    hits = [fit.start_agreement for fit in fits]
    warm, draws = cpu(lambda: [fit.bootstrap(N_RESAMPLES, seed=0, n_threads=1) for fit in fits])
    assert isinstance(draws, list)
    rows, best = tasks[0], fits[0].objective
    weights = np.random.default_rng(1).exponential(size=(chosen.resamples, rows["y"].size))
    every, found = cpu(lambda: [fit_of(rows, w).objective for w in weights])
    again = fits[0].bootstrap(weights=weights, n_threads=1)
    assert isinstance(found, list)
    agree = float(np.mean(again.objective <= np.array(found) * (1 + 1e-6)))
    assert agree == 1.0, "a resample has a lower minimum than the one next to the fit"
    order = ("A", "B", "E", "alpha", "beta", "G", "gamma")
    logs = [np.log(starts[name]) if name in "ABEG" else starts[name] for name in order]
    begins = np.stack(logs, axis=1)[: chosen.scipy_starts]
    taken, ends = cpu(lambda: [scipy_search(rows, begin)[0] for begin in begins])
    assert isinstance(ends, list)
    assert min(ends) >= best * (1 - 1e-9), "SciPy found a better optimum"
    good = float(np.mean(np.array(ends) <= best * (1 + 1e-6)))
    total = N_TASKS * N_STARTS * N_RESAMPLES
    per_search, per_start = every / (chosen.resamples * N_STARTS), taken / len(ends)
    hit = float(np.mean(hits))
    lines = [
        f"{platform.machine()}, kernels {fits[0].kernels}, NumPy {np.__version__}, one thread",
        f"{N_TASKS} tasks of {fits[0].n_rows} rows",
        "",
        "| work | CPU time | a second | |",
        "|---|---|---|---|",
        f"| {N_STARTS} starts a task | {first:.2f} s | {N_TASKS * N_STARTS / first:,.0f} starts | {hit:.1%} hits |",
        f"| and 1,000 resamples of each | {warm:.1f} s | {N_TASKS * N_RESAMPLES / warm:,.0f} fits | "
        f"{agree:.0%} of {chosen.resamples} as low as from all |",
        f"| all {total:,} searches (of {chosen.resamples * N_STARTS:,} run) | {per_search * total / 60:,.0f} min | "
        f"{1 / per_search:,.0f} starts | |",
        f"| SciPy, {total:,} searches (of {len(ends)} run) | {per_start * total / 3600:,.0f} h "
        f"| {1 / per_start:,.1f} starts | "
        f"{good:.0%} hits |",
        "",
        f"CPU time of SciPy over ours: {per_start * total / (first + warm):,.0f} for the same answer, "
        f"{per_start / per_search:,.0f} a search, {per_start / max(good, 1e-9) / (per_search / hit):,.0f} a hit.",
        f"SciPy: {SHOWN}.",
    ]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
