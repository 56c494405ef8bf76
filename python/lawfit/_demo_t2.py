"""The whole way on answers with a known truth: counts, pass@k, laws, draws, a plan beside the true one, a page."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, laws, synthetic
from lawfit._engine import Progress
from lawfit._text import number, table
from lawfit.allocation import allocate
from lawfit.t2_reporting import T2Report, t2_report

# A family of models from 100 million to 10 billion parameters, on problems most of which are hard: one answer in 60 is
# right at the smallest checkpoint, one in 4 at the largest.
TRUTH = {"E": 0.6, "A": 400.0, "alpha": 0.3, "B": 2000.0, "beta": 0.31, "nu": 0.5}
GRID = {"N": np.array([1e8, 3e8, 1e9, 3e9, 1e10]), "D": np.array([5e9, 2e10, 8e10, 3.2e11, 1e12])}
N_PROBLEMS, N_SAMPLES = 300, 500
# The largest training is what the second largest checkpoints cost; the size where the answers are paid for decides.
BUDGETS: dict[str, ArrayLike] = {"6*N*D": np.geomspace(2e19, 2e22, 13), "2*N*k": 5e10}
HEADLINE = {"6*N*D": 2e21}
FORMS = ("t2_loss", "t2_beta")
LEVEL = 0.95


def synthetic_job(
    n_replicates: int, seed: int, output: Path, n_threads: int | None, progress: Progress | None
) -> tuple[str, bool]:
    """Go the whole way and write the page; return what is true beside what was found, and whether there is a plan."""
    began = time.perf_counter()
    latent = {name: TRUTH[name] for name in laws.chinchilla.parameters}
    counts = synthetic.counts(
        laws.chinchilla, latent, GRID, n_problems=N_PROBLEMS, n_samples=N_SAMPLES, size=TRUTH["nu"], seed=seed
    )
    report = t2_report(
        counts, BUDGETS, headline=HEADLINE, forms=FORMS, n_replicates=n_replicates, level=LEVEL, seed=seed,
        n_threads=n_threads, progress=progress,
    )  # fmt: skip
    report.write(output)
    n_checkpoints = GRID["N"].size * GRID["D"].size
    threads = _arrays.resolve_threads(n_threads)
    lines = [
        f"SYNTHETIC answers: {N_SAMPLES} to each of {N_PROBLEMS} problems by {n_checkpoints} checkpoints, drawn from "
        f"the law t2_beta with known parameters (seed {seed}). No measurement is among them.",
        "",
        report.verdict.sentence,
        f"law {report.law}: {report.why}",
        "",
        *_beside_truth(report),
        "",
        f"page: {output}",
        f"{n_replicates} draws of each of {len(FORMS)} forms, all in {time.perf_counter() - began:.1f} s, {threads} "
        f"thread{'s' * (threads > 1)}",
    ]
    return "\n".join(lines), report.chosen.reason is None


def _beside_truth(report: T2Report) -> list[str]:
    """Lines of a table: parameters and plan, the truth, what was found, its interval."""
    chosen = report.chosen
    header = ["", "truth", "found", "2.5 %", "97.5 %", "covers"]
    rows = []
    if chosen.form == "t2_beta" and chosen.draws is not None:
        for name, value in chosen.result.fit.params.items():
            rows.append(_row(name, TRUTH[name], value, *chosen.draws.interval(name, LEVEL)))
    if chosen.headline is not None and chosen.reason is None:
        best = allocate(laws.t2_beta, report.headline, params=TRUTH)
        for name in ("N", "D", "k", "D/N", "response"):
            band = chosen.headline.interval(name, LEVEL)
            found, lower, upper = (float(np.asarray(end)) for end in (band.value, band.lower, band.upper))
            word = "-log pass@k" if name == "response" else f"best {name}"
            rows.append(_row(word, float(np.asarray(best[name])), found, lower, upper))
    return table(header, rows)


def _row(name: str, truth: float, found: float, lower: float, upper: float) -> list[str]:
    cells = [number(value, 4) for value in (truth, found, lower, upper)]
    return [name, *cells, "yes" if lower <= truth <= upper else "no"]
