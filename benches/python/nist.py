"""Print how many digits of the NIST StRD nonlinear problems are right, and how many default starts find the optimum.

    python benches/python/nist.py

The files are read from `$LAWFIT_DATA/nist`, else from `../shared/data/nist` beside the checkout.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "python"))

import nist_problems  # noqa: E402

DATA = Path(os.environ.get("LAWFIT_DATA") or REPOSITORY.parent / "shared" / "data") / "nist"
SEEDS = range(5)


def row(name: str) -> str:
    """One line of the table."""
    problem = nist_problems.read(DATA / f"{name}.dat")
    fits = [nist_problems.fit_from(problem, start, "generic") for start in (1, 2)]
    separable = [nist_problems.fit_from(problem, start, "auto") for start in (1, 2)]
    # All starts that a fit may make, where its first ones say all.
    n_starts = nist_problems.most_starts(problem)
    default = [nist_problems.fit(problem, seed=seed, starts=n_starts) for seed in SEEDS]
    cells = []
    for fit in [*fits, default[0]]:
        reached = nist_problems.digits(fit, problem)
        cells.append(f"{reached.params:.1f} / {reached.stderr:.1f} / {reached.sse:.1f}")
    iterations = " | ".join(", ".join(str(fit.nit) for fit in way) for way in (fits, separable))
    shares = [nist_problems.hits(fit, problem) for fit in default]
    hits = f"{default[0].certificate.n_starts} | {100 * min(shares):.1f} % | {100 * np.mean(shares):.1f} %"
    return f"| {name} | {cells[0]} | {cells[1]} | {iterations} | {cells[2]} | {hits} |"


def main() -> None:
    warnings.simplefilter("ignore")
    print(
        "| problem | from start 1 | from start 2 | iterations, generic | separable "
        "| from default starts | starts | hits, worst seed | hits, mean |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in nist_problems.LAWS:
        print(row(name), flush=True)


if __name__ == "__main__":
    main()
