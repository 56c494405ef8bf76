"""The job that papers queue for: 4,500 starts on each of 4,000 resamples of a fit, 18 million fits, in two ways.

``python benches/python/headline.py`` runs every one of them, then searches the same resamples globally, and says how
often the second way misses what the first finds. ``--resamples`` makes it shorter. CPU seconds of one thread.
"""

import argparse
import resource
import sys
import time

import numpy as np
from chinchilla_fit import DELTA, F64, as_lawfit, chinchilla_points, drawn_starts
from scipy.stats import beta

import lawfit as lf

SAME = 1e-6
MOST_MEGABYTES = 200


def megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def every_fit(data: dict[str, F64], counts: F64, starts: dict[str, F64]) -> F64:
    """The best objective of each resample over all starts, each searched to its end."""
    best = np.empty(len(counts))
    begun = time.monotonic()
    for place, weights in enumerate(counts):
        kept = weights > 0
        rows = {name: values[kept] for name, values in data.items()}
        found = lf.fit(
            lf.laws.chinchilla, rows, response="loss", weights=weights[kept], f_scale=DELTA, starts=starts, n_threads=1
        )
        best[place] = found.objective
        if (place + 1) % max(1, len(counts) // 20) == 0:
            left = (time.monotonic() - begun) * (len(counts) - place - 1) / (place + 1)
            print(f"{place + 1} of {len(counts)} resamples, {left:.0f} s left", file=sys.stderr)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=4000)
    parser.add_argument("--starts", type=int, default=4500, help="how many of the 4,500 drawn starts (all)")
    chosen = parser.parse_args()
    starts = drawn_starts(chosen.starts)
    data = chinchilla_points()
    before = megabytes()
    n_rows = data["N"].size
    shares = np.full(n_rows, 1 / n_rows)
    counts = np.random.default_rng(0).multinomial(n_rows, shares, size=chosen.resamples).astype(np.float64)
    fit = lf.fit(lf.laws.chinchilla, data, response="loss", f_scale=DELTA, n_threads=1)

    begun = time.process_time()
    searched = fit.bootstrap(weights=counts, search="global", n_threads=1, progress=True).objective
    seconds = time.process_time() - begun

    begun = time.process_time()
    best = every_fit(data, counts, as_lawfit(starts))
    all_seconds = time.process_time() - begun
    n_fits = chosen.resamples * len(starts)
    print("| | CPU time | |\n|---|---|---|")
    print(f"| all {n_fits:,} fits, each run to its end | {all_seconds:,.0f} s | {n_fits / all_seconds:,.0f} fits/s |")
    print(f"| a global search in each of the {chosen.resamples:,} resamples | {seconds:.2f} s | |\n")

    missed = int(np.sum(searched > best * (1 + SAME)))
    bound = float(beta.ppf(0.95, missed + 1, chosen.resamples - missed)) if missed < chosen.resamples else 1.0
    lower = int(np.sum(best > searched * (1 + SAME)))
    print(
        f"resamples where a start finds a lower minimum: {missed}; with 95 % confidence fewer than {100 * bound:.2f} %"
    )
    print(f"resamples where the global search finds a lower one than all starts: {lower}")
    used = megabytes() - before
    print(f"most memory above the beginning: {used:.0f} MB")
    if used > MOST_MEGABYTES:
        sys.exit(f"more than {MOST_MEGABYTES} MB")


if __name__ == "__main__":
    main()
