"""Two threads against one: ``python benches/python/threads.py``.

Wall seconds of the same call with one thread and with two, one after the other in each repeat, and their ratio. The
machine must be idle: a second busy core is not there to be used.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from chinchilla_fit import DELTA, as_lawfit, chinchilla_points, drawn_starts
from many_fits import groups

import lawfit as lf


def jobs(n_starts: int, n_resamples: int, n_groups: int) -> dict[str, Callable[[int], object]]:
    """Calls that take a number of threads."""
    data = chinchilla_points()
    starts = as_lawfit(drawn_starts(n_starts))
    fit = lf.fit(lf.laws.chinchilla, data, response="loss", f_scale=DELTA, n_threads=1)
    tables = groups(n_groups)
    table = {name: values.ravel() for name, values in tables.items()}
    table["group"] = np.repeat(np.arange(n_groups), tables["loss"].shape[1])
    return {
        f"{n_starts:,} starts": lambda n: lf.fit(
            lf.laws.chinchilla, data, response="loss", f_scale=DELTA, starts=starts, n_threads=n
        ),
        f"{n_starts:,} starts, generic": lambda n: lf.fit(
            lf.laws.chinchilla, data, response="loss", f_scale=DELTA, starts=starts, solver="generic", n_threads=n
        ),
        f"{n_resamples:,} resamples, warm": lambda n: fit.bootstrap(n_resamples, resample="pairs", n_threads=n),
        f"{n_resamples // 4:,} resamples, global": lambda n: fit.bootstrap(
            n_resamples // 4, resample="pairs", search="global", n_threads=n
        ),
        f"{n_groups:,} groups of 20 rows": lambda n: lf.fit_many(
            lf.laws.chinchilla, table, by="group", response="loss", f_scale=DELTA, covariance="HC3", n_threads=n
        ),
    }


def wall(job: Callable[[int], object], n_threads: int) -> float:
    begun = time.perf_counter()
    job(n_threads)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=4500)
    parser.add_argument("--resamples", type=int, default=16000)
    parser.add_argument("--groups", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, load of the last minute {os.getloadavg()[0]:.1f}\n")
    print("| job | one thread, s | two threads, s | times |\n|---|---|---|---|")
    for name, job in jobs(chosen.starts, chosen.resamples, chosen.groups).items():
        job(2)
        pairs = [(wall(job, 1), wall(job, 2)) for _ in range(chosen.repeats)]
        ratios = [one / two for one, two in pairs]
        one, two = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
        print(
            f"| {name} | {one:.3f} | {two:.3f} | {statistics.median(ratios):.2f} "
            f"[{min(ratios):.2f}, {max(ratios):.2f}] |",
            flush=True,
        )


if __name__ == "__main__":
    main()
