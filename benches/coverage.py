"""How often intervals hold the truth, of simulated tables that are fitted and resampled by the public calls.

    .venv/bin/python benches/coverage.py                   # all cells, 4,000 tables each
    .venv/bin/python benches/coverage.py --tables 200      # a look
    .venv/bin/python benches/coverage.py --only "20, clean"

Truth: Besiroglu's coefficients of the Chinchilla law. Rows: N log-spaced from 5e7 to 5e9, D/N log-spaced from 3 to 300,
noise of ln loss .5 %. *Outliers*: each row is, with a probability of 5 %, 2 to 10 % too high, as runs are that diverged
or were tuned badly. *Runs*: checkpoints that share the luck of their run (.4 %) beside their own (.2 %), fitted with
``cluster=``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

import lawfit as lf

F64 = NDArray[np.float64]
# Of each cell and method: coverage, the share without an interval, and widths, by quantity.
Figures = dict[str, dict[str, dict[str, list[float]]]]
Table = dict[str, F64]

TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
QUANTITIES = ("alpha", "beta", "E", "beta / (alpha + beta)")
LEVEL = 0.95
# Draws of one chunk share their random weights, which belong to rows: chunks have seeds of their own.
CHUNK = 50
# The expanded percentile of 20 rows and five parameters wants 1,445 replicates, that of 60 is content with 1,000.
FEW_ROWS = 20
N_REPLICATES, N_FOR_FEW_ROWS = 1000, 2000
# The pairs bootstrap, to look at beside the default, of every fourth chunk of tables.
PAIRS_EVERY = 4
# What a cell must be within, and the chance that one of all those within is called outside.
ALLOWED, SIGNIFICANCE = 0.03, 0.01


def grid(n_sizes: int, n_ratios: int) -> tuple[F64, F64]:
    """Sizes and tokens of a grid of runs."""
    size, ratio = np.meshgrid(np.geomspace(5e7, 5e9, n_sizes), np.geomspace(3.0, 300.0, n_ratios), indexing="ij")
    return size.ravel(), (size * ratio).ravel()


def losses(size: F64, tokens: F64, noise: F64, truth: dict[str, float] = TRUTH) -> Table:
    """A table of runs whose ln loss is off by ``noise``."""
    loss = lf.laws.chinchilla.evaluate(N=size, D=tokens, params=truth) * np.exp(noise)
    return {"N": size, "D": tokens, "loss": loss}


def independent(n_sizes: int, n_ratios: int, outliers: float = 0.0) -> Callable[[np.random.Generator], Table]:
    """Tables of runs with noise of .5 %."""
    size, tokens = grid(n_sizes, n_ratios)

    def make(rng: np.random.Generator) -> Table:
        noise = rng.normal(0.0, 0.005, size.size)
        noise += np.where(rng.random(size.size) < outliers, rng.uniform(0.02, 0.10, size.size), 0.0)
        return losses(size, tokens, noise)

    return make


def growing(n_sizes: int, n_ratios: int) -> Callable[[np.random.Generator], Table]:
    """Tables of runs whose noise grows with the loss: .2 % for the best, 2 % for the worst."""
    size, tokens = grid(n_sizes, n_ratios)
    excess = np.log(losses(size, tokens, np.zeros(size.size))["loss"])
    spread = 0.002 * 10.0 ** ((excess - excess.min()) / np.ptp(excess))
    return lambda rng: losses(size, tokens, spread * rng.standard_normal(size.size))


def without_floor(n_sizes: int, n_ratios: int) -> Callable[[np.random.Generator], Table]:
    """Tables of runs whose irreducible loss is 0, at its bound."""
    size, tokens = grid(n_sizes, n_ratios)
    return lambda rng: losses(size, tokens, rng.normal(0.0, 0.005, size.size), TRUTH | {"E": 0.0})


def clustered(n_runs: int, n_checkpoints: int) -> Callable[[np.random.Generator], Table]:
    """Tables of runs with several checkpoints each."""
    size = np.repeat(np.geomspace(5e7, 5e9, n_runs), n_checkpoints)
    tokens = np.tile(np.geomspace(1e9, 1e11, n_checkpoints), n_runs)
    run = np.repeat(np.arange(float(n_runs)), n_checkpoints)

    def make(rng: np.random.Generator) -> Table:
        noise = np.repeat(rng.normal(0.0, 0.004, n_runs), n_checkpoints) + rng.normal(0.0, 0.002, size.size)
        return losses(size, tokens, noise) | {"run": run}

    return make


@dataclass(frozen=True)
class Cell:
    """One kind of table."""

    name: str
    make: Callable[[np.random.Generator], Table]
    truth: dict[str, float]
    is_clustered: bool = False
    # Cells beyond the ordinary are reported, from a quarter of the tables, and not asked for 95 %.
    is_asked: bool = True


CELLS = (
    Cell("20, clean", independent(5, 4), TRUTH),
    Cell("20, outliers", independent(5, 4, 0.05), TRUTH),
    Cell("60, clean", independent(10, 6), TRUTH),
    Cell("60, outliers", independent(10, 6, 0.05), TRUTH),
    Cell("240, clean", independent(20, 12), TRUTH),
    Cell("240, outliers", independent(20, 12, 0.05), TRUTH),
    Cell("15 runs x 12", clustered(15, 12), TRUTH, is_clustered=True),
    Cell("20 runs x 12", clustered(20, 12), TRUTH, is_clustered=True),
    Cell("60 runs x 8", clustered(60, 8), TRUTH, is_clustered=True),
    Cell("8, clean", independent(4, 2), TRUTH, is_asked=False),
    Cell("12, clean", independent(4, 3), TRUTH, is_asked=False),
    Cell("60, noise grows", growing(10, 6), TRUTH, is_asked=False),
    Cell("60, E is 0", without_floor(10, 6), TRUTH | {"E": 0.0}, is_asked=False),
    Cell("8 runs x 12", clustered(8, 12), TRUTH, is_clustered=True, is_asked=False),
    Cell("10 runs x 12", clustered(10, 12), TRUTH, is_clustered=True, is_asked=False),
)


def truth_of(cell: Cell, quantity: str) -> float:
    """The value that an interval should hold."""
    return float(eval(quantity, {"__builtins__": {}}, cell.truth))


PAIRS = "pairs, percentile"
# Methods by name: the interval of a quantity, from the fit and draws of it.
METHODS: dict[str, Callable[[lf.Fit, lf.Draws, str], lf.Interval]] = {
    "default": lambda fit, draws, q: draws.interval(q, LEVEL),
    "Bayesian, percentile": lambda fit, draws, q: draws.interval(q, LEVEL, method="percentile"),
    "Bayesian, t": lambda fit, draws, q: draws.interval(q, LEVEL, method="t"),
    PAIRS: lambda fit, draws, q: draws.interval(q, LEVEL, method="percentile"),
    "Wald": lambda fit, draws, q: fit.interval(q, LEVEL),
}


def chunk(job: tuple[int, int, int]) -> dict[str, list[list[float]]]:
    """For each method one row per table: whether it held each quantity (NaN: no interval), then its widths."""
    number, seed, n_tables = job
    cell = CELLS[number]
    rng = np.random.default_rng([20260, number, seed])
    tables = [cell.make(rng) for _ in range(n_tables)]
    cluster = "run" if cell.is_clustered else None
    n_replicates = N_FOR_FEW_ROWS if tables[0]["N"].size <= FEW_ROWS else N_REPLICATES

    def fitted(resample: str) -> lf.Fits:
        return lf.fit_many(
            lf.laws.chinchilla, tables, response="loss", cluster=cluster, bootstrap=n_replicates, resample=resample,
            seed=seed, n_threads=1,
        )  # fmt: skip

    fits = fitted("bayesian")
    others = fitted("pairs") if seed % PAIRS_EVERY == 0 else [None] * len(tables)
    truths = [truth_of(cell, quantity) for quantity in QUANTITIES]
    out: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    for fit, other in zip(fits, others, strict=True):
        assert fit.draws is not None
        pairs = None if other is None else other.draws
        for name, method in METHODS.items():
            if pairs is None and name == PAIRS:
                continue
            held, width = [], []
            for quantity, truth in zip(QUANTITIES, truths, strict=True):
                lower, upper = method(fit, fit.draws if name != PAIRS or pairs is None else pairs, quantity)
                held.append(math.nan if math.isnan(lower) else float(lower <= truth <= upper))
                width.append(upper - lower)
            out[name].append(held + width)
    return out


def main() -> None:
    """Run the cells and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tables", type=int, default=4000, help="simulated tables a cell")
    parser.add_argument("--only", action="append", help="name of a cell; may be repeated")
    parser.add_argument("--json", help="file for all figures")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    begin = time.time()
    figures: Figures = {}
    print(f"{asked.tables} tables a cell; coverage of 95 % intervals in % +- its Monte-Carlo error, for")
    print(", ".join(QUANTITIES) + "; in brackets the median width over that of the default\n")
    heads = [f" {name} |" for name in METHODS]
    print("| rows |" + "".join(heads) + "\n|---|" + "---|" * len(METHODS))
    with ProcessPoolExecutor(asked.workers) as pool:
        for number, cell in enumerate(CELLS):
            if asked.only and cell.name not in asked.only:
                continue
            n_tables = asked.tables if cell.is_asked else asked.tables // 4
            sizes = [min(CHUNK, n_tables - first) for first in range(0, n_tables, CHUNK)]
            parts = list(pool.map(chunk, [(number, seed, size) for seed, size in enumerate(sizes)]))
            found = {name: np.array([row for part in parts for row in part[name]]) for name in METHODS}
            figures[cell.name] = {name: summary(values) for name, values in found.items()}
            print(f"| {cell.name} |" + "".join(f" {text(found, name)} |" for name in METHODS), flush=True)
    judge(figures, asked.tables)
    print(f"\n{time.time() - begin:.0f} s, lawfit {lf.__version__}")
    if asked.json:
        with open(asked.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)


def summary(values: F64) -> dict[str, list[float]]:
    """Coverage of the intervals that exist, the share that does not, and median widths."""
    n = len(QUANTITIES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # none of a method may exist
        coverage, width = np.nanmean(values[:, :n], axis=0), np.nanmedian(values[:, n:], axis=0)
    missing = np.isnan(values[:, :n]).mean(axis=0)
    return {"coverage": coverage.tolist(), "missing": missing.tolist(), "width": width.tolist()}


def text(found: dict[str, F64], name: str) -> str:
    """One cell of the table."""
    own, default = summary(found[name]), summary(found["default"])
    if min(own["missing"]) == 1.0:
        return "none"
    n = len(found[name])
    rates = own["coverage"]
    error = max(math.sqrt(rate * (1.0 - rate) / n) for rate in rates)
    shown = "/".join(f"{100 * rate:.1f}" for rate in rates)
    ratio = float(np.mean(np.array(own["width"]) / np.array(default["width"])))
    missing = max(own["missing"])
    none = f", {100 * missing:.1f} % none" if missing else ""
    return f"{shown} +- {100 * error:.1f}{none} ({ratio:.2f})"


def judge(figures: Figures, n_tables: int) -> None:
    """Say whether the default is within 3 points of 95 % in every cell that is asked for it, by one joint test."""
    rates = {
        f"{cell.name}, {quantity}": rate
        for cell in CELLS
        if cell.is_asked and cell.name in figures
        for quantity, rate in zip(QUANTITIES, figures[cell.name]["default"]["coverage"], strict=True)
    }
    if not rates:
        return
    outside = {name: rate for name, rate in rates.items() if abs(rate - LEVEL) > ALLOWED}
    # Bonferroni: how far beyond the limit one of so many may lie by chance.
    limit = -NormalDist().inv_cdf(SIGNIFICANCE / len(rates))
    error = math.sqrt((LEVEL - ALLOWED) * (1.0 - LEVEL + ALLOWED) / n_tables)
    worst = max((abs(rate - LEVEL) - ALLOWED) / error for rate in rates.values())
    print(f"\nthe default lies within 95 +- 3 % in {len(rates) - len(outside)} of {len(rates)} cells")
    print(f"joint test at 1 %: the worst lies {worst:.1f} errors beyond the limit; {limit:.1f} would be too many")
    for name, rate in outside.items():
        print(f"  outside: {name}: {100 * rate:.2f} %")


if __name__ == "__main__":
    main()
