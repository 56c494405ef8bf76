"""Many small fits in one call, beside SciPy on a sample of them: ``python benches/python/many_fits.py``.

Groups are 20 synthetic runs each, data sets are the 240 Chinchilla points drawn with replacement; the law is
Chinchilla's, Huber (1e-3) on log residuals, HC3. lawfit makes one call with default starts; SciPy takes 16 starts of
L-BFGS-B for each of a sample, as a careful user does. No SciPy answer may be lower than ours by more than 1e-6. CPU
seconds of one thread.
"""

import argparse
import statistics
import time

import numpy as np
from chinchilla_fit import DELTA, chinchilla_points, drawn_starts
from numpy.typing import NDArray
from peers import run_scipy

import lawfit as lf

F64 = NDArray[np.float64]
SAME = 1e-6
N_STARTS = 16


def groups(n: int) -> dict[str, F64]:
    """(n, 20) synthetic runs."""
    rng = np.random.default_rng(0)
    sizes, tokens = 10 ** rng.uniform(7, 10, (n, 20)), 10 ** rng.uniform(9, 12, (n, 20))
    loss = (1.7 + 400 * sizes**-0.34 + 1200 * tokens**-0.33) * np.exp(0.005 * rng.normal(size=sizes.shape))
    return {"N": sizes, "D": tokens, "loss": loss}


def data_sets(n: int) -> dict[str, F64]:
    """(n, 240) of the real points, drawn with replacement."""
    points = chinchilla_points()
    drawn = np.random.default_rng(0).integers(0, 240, (n, 240))
    return {name: values[drawn] for name, values in points.items()}


def measure(name: str, runs: dict[str, F64], n_scipy: int, repeats: int) -> str:
    """One line of the table."""
    n, rows = runs["loss"].shape
    table = {key: values.ravel() for key, values in runs.items()}
    table["group"] = np.repeat(np.arange(n), rows)
    seconds = []
    for _ in range(repeats):
        begun = time.process_time()
        fits = lf.fit_many(
            lf.laws.chinchilla, table, by="group", response="loss", f_scale=DELTA, covariance="HC3", n_threads=1
        )
        seconds.append(time.process_time() - begun)
    starts = drawn_starts(4500)
    scipy_seconds = 0.0
    for place in range(n_scipy):
        own = {key: values[place] for key, values in runs.items()}
        chosen = starts[place * N_STARTS : (place + 1) * N_STARTS]
        begun = time.process_time()
        found = run_scipy(own, chosen)
        scipy_seconds += time.process_time() - begun
        best = float(fits.raw.objective[place])
        assert best <= found.objectives.min() * (1 + SAME), f"{name} {place}: SciPy finds a lower minimum"
    ours, theirs = statistics.median(seconds) / n, scipy_seconds / n_scipy
    certified = 100 * float(np.mean(fits.certified))
    return (
        f"| {name} | {n:,} | {1 / ours:,.0f} [{n / max(seconds):,.0f}, {n / min(seconds):,.0f}] | {1e6 * ours:,.0f} "
        f"| {certified:.0f} % | {1 / theirs:,.1f} | {theirs / ours:,.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="many small fits in one call")
    parser.add_argument("--fits", type=int, default=5000, help="groups; a fifth as many data sets (5000)")
    parser.add_argument("--scipy", type=int, default=10, help="of each kind how many SciPy does (10)")
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    print("| | fits in one call | lawfit, fits/s | µs each | certified | SciPy, fits/s | times |")
    print("|---|---|---|---|---|---|---|")
    print(measure("groups of 20 rows", groups(chosen.fits), chosen.scipy, chosen.repeats), flush=True)
    print(measure("data sets of 240 rows", data_sets(chosen.fits // 5), chosen.scipy, chosen.repeats))


if __name__ == "__main__":
    main()
