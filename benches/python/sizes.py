"""What the size of the table costs: ``python benches/python/sizes.py``.

One ``lf.fit`` of 240 rows from a dict of arrays, call for call; then 24,000 and 2,400,000 rows in one fit from one
start: CPU time per evaluation and row, and memory, the most that a process of its own has had above that after
``import lawfit``, the caller's arrays left out. The bound is rows x (variables + 6) x 8 bytes.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
from chinchilla_fit import DELTA, F64, as_lawfit, chinchilla_points, drawn_starts

import lawfit as lf

N_VARIABLES = 2
START = {"E": 2.0, "A": 300.0, "alpha": 0.3, "B": 1000.0, "beta": 0.3}


def one_fit(starts: dict[str, F64] | None, n_calls: int) -> float:
    """Median wall seconds of a call."""
    data = chinchilla_points()
    seconds = []
    for _ in range(n_calls):
        begun = time.perf_counter()
        lf.fit(lf.laws.chinchilla, data, response="loss", f_scale=DELTA, starts=starts, n_threads=1)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def kilobytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def many_rows(n_rows: int, solver: str) -> dict[str, float]:
    """One fit of synthetic rows in this process: seconds, evaluations, and bytes above what was there before."""
    rng = np.random.default_rng(0)
    # Pages of the arrays are touched here, and temporaries are kept small, so that the fit alone raises the peak.
    data = {name: np.empty(n_rows) for name in ("N", "D", "loss")}
    for begin in range(0, n_rows, 10_000):
        part = slice(begin, begin + 10_000)
        size = data["loss"][part].size
        data["N"][part], data["D"][part] = 10 ** rng.uniform(7, 10, size), 10 ** rng.uniform(9, 12, size)
        law = 1.7 + 400 * data["N"][part] ** -0.34 + 1200 * data["D"][part] ** -0.33
        data["loss"][part] = law * np.exp(0.005 * rng.normal(size=size))
    before = kilobytes()
    begun = time.process_time()
    start = {name: np.array([value]) for name, value in START.items()}
    fit = lf.fit(lf.laws.chinchilla, data, response="loss", f_scale=DELTA, starts=start, solver=solver, n_threads=1)
    seconds = time.process_time() - begun
    return {"seconds": seconds, "evaluations": fit.nfev, "bytes": 1024.0 * (kilobytes() - before)}


def in_own_process(n_rows: int, solver: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--alone", solver, "--rows", str(n_rows)]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_400_000)
    parser.add_argument("--calls", type=int, default=300, help="of one fit of 240 rows (300)")
    parser.add_argument("--alone", choices=("auto", "generic"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone:
        print(json.dumps(many_rows(chosen.rows, chosen.alone)))
        return
    print("| one fit of 240 rows | ms a call |\n|---|---|")
    print(f"| default starts | {1e3 * one_fit(None, chosen.calls):.3f} |")
    print(f"| one start | {1e3 * one_fit(as_lawfit(drawn_starts(1)), chosen.calls):.3f} |")
    print("\n| rows | solver | CPU seconds | evaluations | ns an evaluation and row | memory, bytes a row | bound |")
    print("|---|---|---|---|---|---|---|")
    for solver in ("generic", "auto"):
        for n_rows in (max(1, chosen.rows // 100), chosen.rows):
            found = in_own_process(n_rows, solver)
            each = 1e9 * found["seconds"] / found["evaluations"] / n_rows
            print(
                f"| {n_rows:,} | {solver} | {found['seconds']:.3f} | {found['evaluations']:.0f} | {each:.2f} "
                f"| {found['bytes'] / n_rows:.0f} | {8 * (N_VARIABLES + 6)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
