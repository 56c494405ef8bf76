"""Coverage of allocations: what a budget should buy, from tables of answers drawn anew in each repetition.

    python benches/coverage_allocation.py --repetitions 2000 [--problems 200] [--rows rows.csv]

Tables are drawn as in coverage_t2.py, on the 88 checkpoints of Porian et al. 2024 and with the same defaults: fit,
then crossed draws of checkpoints and problems. The truth has less to gain from answers than there, so that its
optima lie among the checkpoints. Every draw is allocated at the pairs of budgets below: three whose optima lie within
the ranges of N, D, k and D/N; one that lies outside that of D/N alone; two far outside. What is printed for each:
where the truth is, the share of 95 % intervals of N*, D/N and k* that hold it with its standard error, how often they
miss on either side, their median ratio of ends, how far the logarithm of the estimate is biased in its standard
deviations, the share of draws with an optimum, and the share of plans that say that they lie outside the data.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import numpy as np
from coverage_t2 import F64, KS, bootstrapped, design, mixtures

import lawfit as lf

TRUTH = {"E": 0.4, "A": 420.0, "alpha": 0.34, "B": 1100.0, "beta": 0.32, "G": 0.3, "gamma": 0.3}
TRAINING = np.array([1e17, 1e18, 8e18, 6e18, 1e22, 5.88e23])
INFERENCE = np.array([1e9, 3e9, 1e10, 5e8, 1e10, 1.4e11])
BUDGETS = {"6*N*D": TRAINING, "2*N*k": INFERENCE}
QUANTITIES = ("N", "D/N", "k")
COLUMNS = ("seed", "point", *(f"{part} {name}" for name in QUANTITIES for part in ("value", "lower", "upper")),
           "kept", "beyond")  # fmt: skip


def plans(seed: int, draws: lf.Draws) -> list[list[float]]:
    """One row for each pair of budgets, with the columns above."""
    front = draws.allocate(BUDGETS, n_threads=1)
    bands = [front.interval(name) for name in QUANTITIES]
    beyond = np.max([factor != 1.0 for factor in front.plan.beyond.values()], axis=0)
    rows = []
    for point in range(TRAINING.size):
        ends = [float(part[point]) for band in bands for part in map(np.asarray, (band.value, band.lower, band.upper))]
        rows.append([seed, point, *ends, float(np.mean(front.ok[draws.ok, point])), float(beyond[point])])
    return rows


def summary(rows: F64, sizes: F64, tokens: F64) -> list[str]:
    """Return the lines of the table."""
    truth = lf.allocate(lf.laws.t2_loss, BUDGETS, params=TRUTH)
    ratios = tokens / sizes
    lines = [
        f"{sizes.size} checkpoints: N {sizes.min():.3g} to {sizes.max():.3g}, "
        f"D {tokens.min():.3g} to {tokens.max():.3g}, D/N {ratios.min():.3g} to {ratios.max():.3g}, "
        f"k {KS[0]:g} to {KS[-1]:g}",
        f"{np.unique(rows[:, 0]).size} tables",
    ]
    for point in range(TRAINING.size):
        own = rows[rows[:, 1] == point]
        at = ", ".join(f"{name} {float(truth[name][point]):.4g}" for name in ("N", "D", "D/N", "k"))
        lines.append(f"6ND = {TRAINING[point]:g}, 2Nk = {INFERENCE[point]:g}: {at}")
        for place, name in enumerate(QUANTITIES):
            lines.append(f"  {name:<4}{covered(own[:, 2 + 3 * place : 5 + 3 * place], float(truth[name][point]))}")
        lines.append(f"  draws with an optimum {own[:, -2].mean():.2%}, said to lie outside {own[:, -1].mean():.1%}")
    return lines


def covered(ends: F64, truth: float) -> str:
    """Return the share of intervals that hold the truth, and what there is to know about the others."""
    value, lower, upper = ends.T
    known = np.isfinite(lower)
    share = float(np.mean((lower <= truth) & (truth <= upper)))
    error = math.sqrt(share * (1.0 - share) / value.size)
    off = np.log(value[np.isfinite(value)] / truth)
    return (
        f"{share:.1%} +- {error:.1%}; above {np.mean(lower > truth):.1%}, below {np.mean(upper < truth):.1%}, "
        f"none {np.mean(~known):.1%}; ratio of ends {np.median(upper[known] / lower[known]):.2f}; "
        f"bias {off.mean() / off.std():+.2f} sd of {off.std():.3f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first repetition")
    parser.add_argument("--problems", type=int, default=1000, help="that all checkpoints answer (1,000)")
    parser.add_argument("--samples", type=int, default=10_000, help="answers to each problem (10,000)")
    parser.add_argument("--replicates", type=int, default=1000, help="of each bootstrap (1,000)")
    parser.add_argument("--rows", type=Path, help="CSV file that each repetition is added to")
    chosen = parser.parse_args()
    sizes, tokens = design()
    cells = mixtures(sizes, tokens, TRUTH)
    every = []
    for seed in range(chosen.first, chosen.first + chosen.repetitions):
        drawn = bootstrapped(seed, sizes, tokens, cells, chosen.problems, chosen.samples, chosen.replicates)
        rows = plans(seed, drawn)
        every += rows
        if chosen.rows is not None:
            is_first = not chosen.rows.exists()
            with chosen.rows.open("a", newline="") as file:
                csv.writer(file).writerows([COLUMNS, *rows] if is_first else rows)
    print(f"{chosen.problems} problems x {chosen.samples} answers, {chosen.replicates} crossed draws")
    print("\n".join(summary(np.array(every), sizes, tokens)))


if __name__ == "__main__":
    main()
