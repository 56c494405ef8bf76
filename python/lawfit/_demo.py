"""The main job, end to end: fit a law from many starts, bootstrap it, print what is known about each parameter."""

from __future__ import annotations

import time

import numpy as np

from lawfit import _arrays, laws, synthetic
from lawfit._engine import Progress
from lawfit._law import Law
from lawfit._text import number, table
from lawfit.fitting import fit
from lawfit.results import Fit

# A task loss that a family of models from 5 million to 1 billion parameters might have: the exponents are those of
# published fits, the amplitudes make every term count somewhere on the grid.
TRUTH = {"E": 0.9, "A": 420.0, "alpha": 0.34, "B": 1100.0, "beta": 0.32, "G": 1.6, "gamma": 0.28}
GRID = {
    "N": np.array([5e6, 2e7, 8e7, 3.2e8, 9e8]),
    "D": np.array([2e8, 1.2e9, 7e9, 4e10]),
    "k": np.array([1.0, 4.0, 16.0, 64.0, 256.0, 1024.0]),
}
NOISE = 0.003
LEVEL = 0.95


def synthetic_job(
    n_starts: int, n_replicates: int, seed: int, n_threads: int | None, progress: Progress | None
) -> tuple[str, bool]:
    """Fit the T2 loss law to runs that are drawn from it; return the report and whether the fit succeeded."""
    law = laws.t2_loss
    runs = synthetic.runs(law, TRUTH, GRID, noise=NOISE, seed=seed)
    heading = (
        f"SYNTHETIC runs: {runs['loss'].size} points on a grid of (N, D, k), drawn from the law {law.name} with known "
        f"parameters and {NOISE:.1%} log-normal noise (seed {seed}). No measurement is among them."
    )
    began = time.perf_counter()
    found = fit(law, runs, response="loss", starts=n_starts, seed=seed, n_threads=n_threads, progress=progress)
    return _report(heading, found, began, TRUTH, n_replicates, seed, n_threads, progress)


def users_job(
    law: Law,
    data: object,
    source: str,
    response: str,
    columns: dict[str, str],
    where: str | None,
    n_starts: int,
    n_replicates: int,
    seed: int,
    n_threads: int | None,
    progress: Progress | None,
) -> tuple[str, bool]:
    """Do the same on the user's runs, where no truth is known."""
    heading = f"Runs from {source}"
    began = time.perf_counter()
    found = fit(
        law, data, response=response, columns=columns, where=where, starts=n_starts, seed=seed,
        n_threads=n_threads, progress=progress,
    )  # fmt: skip
    return _report(heading, found, began, None, n_replicates, seed, n_threads, progress)


def _report(
    heading: str,
    found: Fit,
    began: float,
    truth: dict[str, float] | None,
    n_replicates: int,
    seed: int,
    n_threads: int | None,
    progress: Progress | None,
) -> tuple[str, bool]:
    threads = _arrays.resolve_threads(n_threads)
    n_starts = 0 if found.starts is None else len(found.starts.objective)
    fitted = time.perf_counter()
    lines = [heading, "", repr(found), ""]
    done = f"{n_starts} starts in {fitted - began:.3f} s"
    if n_replicates and found.success:
        lines += _interval_lines(found, truth, n_replicates, seed, threads, progress)
        done += f", {n_replicates} replicates in {time.perf_counter() - fitted:.3f} s"
    lines.append(f"{done}, {threads} thread{'s' * (threads > 1)}")
    return "\n".join(lines), found.success


def _interval_lines(
    found: Fit,
    truth: dict[str, float] | None,
    n_replicates: int,
    seed: int,
    n_threads: int,
    progress: Progress | None,
) -> list[str]:
    """Table of estimates and bootstrap intervals, beside the truth where it is known."""
    draws = found.bootstrap(n_replicates, seed=seed, n_threads=n_threads, progress=progress)
    stderr = draws.stderr
    header = ["parameter", *(["truth"] if truth else []), "estimate", "stderr", "2.5 %", "97.5 %"]
    header += ["covers"] if truth else []
    rows = []
    for name, estimate in found.params.items():
        lower, upper = draws.interval(name, LEVEL)
        row = [name, *([number(truth[name])] if truth else []), number(estimate), number(stderr[name], 4)]
        row += [number(lower), number(upper)]
        rows.append(row + ([("yes" if lower <= truth[name] <= upper else "no")] if truth else []))
    return [
        f"Bayesian bootstrap, {n_replicates} replicates: {draws.n_failed} failed, {draws.n_at_bound} at a bound",
        *table(header, rows),
        "",
    ]
