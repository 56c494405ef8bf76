"""The main job on the user's runs: fit from many starts, bootstrap, print what is known about each parameter."""

from __future__ import annotations

import time

from lawfit import _arrays
from lawfit._engine import Progress
from lawfit._law import Law
from lawfit._text import number, table
from lawfit.fitting import fit
from lawfit.results import Fit

LEVEL = 0.95


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
    """Return what is printed, and whether the fit succeeded."""
    heading = f"Runs from {source}"
    began = time.perf_counter()
    found = fit(
        law, data, response=response, columns=columns, where=where, starts=n_starts, seed=seed,
        n_threads=n_threads, progress=progress,
    )  # fmt: skip
    return _report(heading, found, began, n_replicates, seed, n_threads, progress)


def _report(
    heading: str,
    found: Fit,
    began: float,
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
        lines += _interval_lines(found, n_replicates, seed, threads, progress)
        done += f", {n_replicates} replicates in {time.perf_counter() - fitted:.3f} s"
    lines.append(f"{done}, {threads} thread{'s' * (threads > 1)}")
    return "\n".join(lines), found.success


def _interval_lines(found: Fit, n_replicates: int, seed: int, n_threads: int, progress: Progress | None) -> list[str]:
    """Table of estimates and bootstrap intervals."""
    draws = found.bootstrap(n_replicates, seed=seed, n_threads=n_threads, progress=progress)
    stderr = draws.stderr
    rows = [
        [name, number(estimate), number(stderr[name], 4), *map(number, draws.interval(name, LEVEL))]
        for name, estimate in found.params.items()
    ]
    return [
        f"Bayesian bootstrap, {n_replicates} replicates: {draws.n_failed} failed, {draws.n_at_bound} at a bound",
        *table(["parameter", "estimate", "stderr", "2.5 %", "97.5 %"], rows),
        "",
    ]
