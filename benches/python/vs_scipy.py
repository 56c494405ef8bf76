"""SciPy and lawfit on the same starts of the same fit, in one run: ``make bench``, method in benches/README.md.

The fit is Chinchilla's Approach 3 on the 240 points of Epoch AI: Huber (1e-3) on log residuals. All times are CPU
seconds of one thread. A start is good if it ends within 1e-6 (relative) of the best objective that any method found.
"""

import argparse
import csv
import dataclasses
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.optimize import minimize

import lawfit as lf
from lawfit import _core

F64 = NDArray[np.float64]

DELTA = 1e-3
BEST_KNOWN = 1.0182740178006e-3
SAME_BEST = 1e-9  # relative: the optimum is known to 14 digits, and both methods must reach it
GOOD = 1e-6  # relative
SCIPY_SCALE = 1e3  # SciPy's tests compare with 1, and the objective is of order 1e-3
SCIPY_OPTIONS = {"ftol": 1e-14, "gtol": 1e-7, "maxiter": 5000, "maxfun": 2000, "maxls": 50}
NAMES = ("a", "b", "e", "alpha", "beta")


@dataclasses.dataclass(frozen=True)
class Timed:
    """What a method did with some starts: the objective that each reached, and CPU seconds a start."""

    objectives: F64
    seconds_per_start: float


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table: one method over all repeats."""

    method: str
    starts_per_s: list[float]
    hits: list[float]
    best: float

    @property
    def good_per_s(self) -> list[float]:
        return [speed * hits for speed, hits in zip(self.starts_per_s, self.hits, strict=True)]


def chinchilla_points() -> dict[str, F64]:
    """The 240 points that Epoch AI kept, from ``$LAWFIT_DATA`` or from beside the checkout."""
    folder = os.environ.get("LAWFIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(folder) / "chinchilla_epoch.csv"
    if not path.exists():
        sys.exit(f"{path} is missing: set LAWFIT_DATA to the folder that holds chinchilla_epoch.csv")
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["epoch_used"].lower() in {"1", "true"}]
    return {name: np.array([float(row[name]) for row in rows]) for name in ("N", "D", "loss")}


def drawn_starts(n_starts: int) -> F64:
    """Starts (n_starts, 5) in the papers' a = ln A, b = ln B, e = ln E, alpha, beta: always the same ones."""
    generator = np.random.default_rng(20240401)
    low, high = np.array([0, 0, -1, 0, 0]), np.array([25, 25, 1, 2, 2])
    return generator.uniform(low, high, (4500, 5))[:n_starts]


def objective(theta: F64, log_n: F64, log_d: F64, log_loss: F64, weights: F64 | None = None) -> tuple[float, F64]:
    """Objective and gradient, as a careful user of SciPy writes them."""
    a, b, e, alpha, beta = theta.tolist()
    term_n, term_d = a - alpha * log_n, b - beta * log_d
    largest = np.maximum(np.maximum(term_n, term_d), e)
    np.exp(term_n - largest, out=term_n)
    np.exp(term_d - largest, out=term_d)
    term_e = np.exp(e - largest)
    total = term_n + term_d + term_e
    residual = largest + np.log(total) - log_loss
    psi = np.minimum(np.maximum(residual, -DELTA), DELTA)
    rho = psi * (residual - 0.5 * psi)
    if weights is not None:
        rho, psi = rho * weights, psi * weights
    slope = psi / total
    by_n, by_d = slope * term_n, slope * term_d
    gradient = np.array([by_n.sum(), by_d.sum(), slope.dot(term_e), -by_n.dot(log_n), -by_d.dot(log_d)])
    return SCIPY_SCALE * rho.sum(), SCIPY_SCALE * gradient


def run_scipy(data: dict[str, F64], starts: F64, weights: F64 | None = None) -> Timed:
    """L-BFGS-B from every start; the time is the median over starts. ``weights`` (n_starts, n_rows) one set a start."""
    arrays = np.log(data["N"]), np.log(data["D"]), np.log(data["loss"])
    ends, seconds = [], []
    for index, start in enumerate(starts):
        row_weights = None if weights is None else weights[index]
        begun = time.process_time()
        result = minimize(
            objective, start, args=(*arrays, row_weights), jac=True, method="L-BFGS-B", options=SCIPY_OPTIONS
        )
        seconds.append(time.process_time() - begun)
        ends.append(result.fun / SCIPY_SCALE)
    return Timed(np.array(ends), statistics.median(seconds))


def fit_lawfit(data: dict[str, F64], starts: str | dict[str, F64], kernels: str, solver: str) -> lf.Fit:
    return lf.fit(
        lf.laws.chinchilla,
        data,
        response="loss",
        loss="huber",
        f_scale=DELTA,
        residual="log",
        starts=starts,
        kernels=kernels,
        solver=solver,
        n_threads=1,
    )


def run_lawfit(
    data: dict[str, F64], starts: str | dict[str, F64], kernels: str = "auto", solver: str = "auto"
) -> Timed:
    """The public call, everything that it does included."""
    begun = time.process_time()
    fit = fit_lawfit(data, starts, kernels, solver)
    seconds = time.process_time() - begun
    assert fit.starts is not None, "one fit keeps its starts"
    objectives = fit.starts.objective
    return Timed(objectives, seconds / objectives.size)


def as_lawfit(starts: F64) -> dict[str, F64]:
    """Starts by parameter name, in the coordinates of the law."""
    a, b, e, alpha, beta = starts.T
    return {"A": np.exp(a), "B": np.exp(b), "E": np.exp(e), "alpha": alpha, "beta": beta}


def assert_same_best(method: str, best: float) -> None:
    gap = abs(best / BEST_KNOWN - 1)
    if not gap <= SAME_BEST:
        sys.exit(
            f"{method}: best objective {best:.13e} is {gap:.1e} (relative) from {BEST_KNOWN:.13e}; nothing to compare"
        )


def measure(methods: dict[str, Callable[[int], Timed]], n_repeats: int) -> list[Row]:
    """Every method once a repeat, one after another, so that a slow spell of the machine meets them all."""
    timed: dict[str, list[Timed]] = {name: [] for name in methods}
    for repeat in range(n_repeats):
        for name, method in methods.items():
            timed[name].append(method(repeat))
            print(f"repeat {repeat + 1} of {n_repeats}: {name}", file=sys.stderr)
    bests = {name: min(float(np.nanmin(one.objectives)) for one in runs) for name, runs in timed.items()}
    for name, best in bests.items():
        assert_same_best(name, best)
    limit = min(bests.values()) * (1 + GOOD)
    return [
        Row(
            name,
            [1 / one.seconds_per_start for one in runs],
            [float(np.mean(one.objectives <= limit)) for one in runs],
            bests[name],
        )
        for name, runs in timed.items()
    ]


def ratios(row: Row, reference: Row) -> list[float]:
    """Good starts per CPU second against another method's, repeat by repeat."""
    return [ours / theirs for ours, theirs in zip(row.good_per_s, reference.good_per_s, strict=True)]


def spread(values: Sequence[float], digits: int) -> str:
    """Median and, in brackets, the least and the largest of the repeats."""
    return f"{statistics.median(values):,.{digits}f} [{min(values):,.{digits}f}, {max(values):,.{digits}f}]"


def table(rows: Sequence[Row], reference: Row) -> str:
    lines = ["| method | starts/s | hits | good starts/s | times SciPy |", "|---|---|---|---|---|"]
    for row in rows:
        hits = f"{100 * statistics.mean(row.hits):.1f} %"
        lines.append(
            f"| {row.method} | {spread(row.starts_per_s, 0)} | {hits} | {spread(row.good_per_s, 0)} "
            f"| {spread(ratios(row, reference), 1)} |"
        )
    return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Resampled:
    """A line of the bootstrap's table: resamples per CPU second over the repeats, and the share that is good."""

    method: str
    per_s: list[float]
    hits: float


def measure_bootstrap(data: dict[str, F64], n_replicates: int, n_compared: int, n_repeats: int) -> list[Resampled]:
    """Pairs resamples: SciPy from one warm start each, the optimum; lawfit's call with all that it does.

    All refit the same ``n_compared`` resamples, where a refit is good if it ends within 1e-6 of the best of them.
    """
    fit = fit_lawfit(data, "auto", "auto", "auto")
    start = np.array([*np.log([fit.params[name] for name in "ABE"]), fit.params["alpha"], fit.params["beta"]])
    n_rows = data["N"].size
    shares = np.full(n_rows, 1 / n_rows)
    counts = np.random.default_rng(0).multinomial(n_rows, shares, size=n_compared).astype(np.float64)
    scipy_per_s, lawfit_per_s, global_per_s = [], [], []
    for _ in range(n_repeats):
        theirs = run_scipy(data, np.tile(start, (n_compared, 1)), counts)
        scipy_per_s.append(1 / theirs.seconds_per_start)
        begun = time.process_time()
        fit.bootstrap(n_replicates, resample="pairs", seed=0, n_threads=1)
        lawfit_per_s.append(n_replicates / (time.process_time() - begun))
        begun = time.process_time()
        fit.bootstrap(n_replicates // 8, resample="pairs", seed=0, search="global", n_threads=1)
        global_per_s.append(n_replicates // 8 / (time.process_time() - begun))
    ours = fit.bootstrap(weights=counts, n_threads=1).objective
    everywhere = fit.bootstrap(weights=counts, search="global", n_threads=1).objective
    limits = np.fmin(np.fmin(ours, everywhere), theirs.objectives) * (1 + GOOD)
    hits = [float(np.mean(found <= limits)) for found in (theirs.objectives, ours, everywhere)]
    return [
        Resampled("SciPy L-BFGS-B, warm start", scipy_per_s, hits[0]),
        Resampled("lawfit, warm, 8 of them checked", lawfit_per_s, hits[1]),
        Resampled("lawfit, global search in each", global_per_s, hits[2]),
    ]


def machine() -> dict[str, str]:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = models[0] if models else model
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "lawfit": lf.__version__,
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=4500, help="how many of the 4,500 drawn starts (default: all)")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved repeats (default: 5)")
    parser.add_argument("--resamples", type=int, default=4000, help="bootstrap resamples (default: 4000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every repeat here")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    data = chinchilla_points()
    starts = drawn_starts(options.starts)
    ours = as_lawfit(starts)
    fit_lawfit(data, ours, "auto", "auto")  # loads and compiles what is loaded and compiled once

    kernels = _core.registries()["kernels"][::-1]  # what this machine has, fastest first
    rows = measure(
        {
            "SciPy L-BFGS-B": lambda repeat: run_scipy(data, starts[repeat :: options.repeats]),
            **{f"lawfit, kernels {name}": lambda _, name=name: run_lawfit(data, ours, name) for name in kernels},
            "lawfit, solver generic": lambda _: run_lawfit(data, ours, solver="generic"),
            "lawfit, Hoffmann's grid": lambda _: run_lawfit(data, "hoffmann2022"),
        },
        options.repeats,
    )
    reference, grid = rows[0], rows[-1]
    resampled = measure_bootstrap(data, options.resamples, min(150, options.resamples), options.repeats)

    facts = machine()
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"SciPy: objective x {SCIPY_SCALE:g}, analytic gradient, L-BFGS-B, {SCIPY_OPTIONS}; median time a start")
    print(f"{data['N'].size} points, {len(starts)} drawn starts, of which each repeat of SciPy takes its share;")
    print(f"CPU seconds of one thread; median [least, largest] of {options.repeats} interleaved repeats\n")
    for row in rows:
        print(f"best objective {row.best:.13e}: {row.method}")
    print(f"\n{table(rows[:-1], reference)}")
    print(f"\nApart, for its other starts (25 pairs of exponents):\n\n{table([grid], reference)}")
    print("\n| bootstrap | resamples/s | hits | times SciPy |\n|---|---|---|---|")
    for line in resampled:
        times = [ours / theirs for ours, theirs in zip(line.per_s, resampled[0].per_s, strict=True)]
        print(f"| {line.method} | {spread(line.per_s, 0)} | {100 * line.hits:.1f} % | {spread(times, 1)} |")

    if options.json:
        report = {
            "machine": facts,
            "scipy_options": {"scale": SCIPY_SCALE, **SCIPY_OPTIONS},
            "n_starts": len(starts),
            "rows": [
                {**dataclasses.asdict(row), "good_per_s": row.good_per_s, "ratio": ratios(row, reference)}
                for row in rows
            ],
            "bootstrap": [dataclasses.asdict(line) for line in resampled],
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
