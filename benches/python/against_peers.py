"""Peers and lawfit on the same starts of the same fit, in one run: ``make bench``, method in benches/README.md.

The fit is Chinchilla's Approach 3 on the 240 points of Epoch AI: Huber (1e-3) on log residuals. All times are CPU
seconds. A start is good if it ends within 1e-6 (relative) of the best objective that any method found.
"""

import argparse
import dataclasses
import importlib.metadata
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import scipy
from chinchilla_fit import BEST_KNOWN, DELTA, F64, GOOD, SCALE, as_lawfit, chinchilla_points, drawn_starts, sampled
from figure import draw
from peers import PEERS, REFIT, TIGHT, Peer, Timed, run_scipy
from resamples import compare_bootstraps

import lawfit as lf
from lawfit import _core

SAME_BEST = 1e-9  # relative: the optimum is known to 14 digits, and lawfit and the reference must reach it
REFERENCE = "SciPy L-BFGS-B, analytic gradient"


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table: one method over all repeats, and the reference's speed next to it in each."""

    method: str
    starts_per_s: list[float]
    hits: list[float]
    best: float
    reference_per_s: list[float]

    @property
    def good_per_s(self) -> list[float]:
        return [speed * hits for speed, hits in zip(self.starts_per_s, self.hits, strict=True)]


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


def assert_same_best(method: str, best: float) -> None:
    gap = abs(best / BEST_KNOWN - 1)
    if not gap <= SAME_BEST:
        sys.exit(
            f"{method}: best objective {best:.13e} is {gap:.1e} (relative) from {BEST_KNOWN:.13e}; nothing to compare"
        )


def measure(
    reference: Callable[[F64], Timed], starts: F64, methods: dict[str, Callable[[int], Timed]], n_repeats: int
) -> list[Row]:
    """Every method once a repeat, the reference with a part of its starts before and after each.

    A slow spell of the machine meets a method and what it is compared with alike.
    """
    timed: dict[str, list[Timed]] = {name: [] for name in methods}
    parts: list[list[Timed]] = []
    for repeat in range(n_repeats):
        shares = np.array_split(starts[repeat::n_repeats], len(methods) + 1)
        parts.append([reference(shares[0])])
        for (name, method), share in zip(methods.items(), shares[1:], strict=True):
            timed[name].append(method(repeat))
            parts[-1].append(reference(share))
            print(f"repeat {repeat + 1} of {n_repeats}: {name}", file=sys.stderr)
    whole = [
        Timed(
            np.concatenate([one.objectives for one in those]),
            statistics.median(one.seconds_per_start for one in those),
        )
        for those in parts
    ]
    everything = {REFERENCE: whole, **timed}
    bests = {name: min(float(np.nanmin(one.objectives)) for one in runs) for name, runs in everything.items()}
    for name, best in bests.items():
        if name.startswith("lawfit") or name == REFERENCE:
            assert_same_best(name, best)
    limit = min(bests.values()) * (1 + GOOD)
    beside = {REFERENCE: [1 / one.seconds_per_start for one in whole]}
    for place, name in enumerate(methods):
        pairs = [those[place : place + 2] for those in parts]
        beside[name] = [2 / (before.seconds_per_start + after.seconds_per_start) for before, after in pairs]
    return [
        Row(
            name,
            [1 / one.seconds_per_start for one in runs],
            [float(np.mean(one.objectives <= limit)) for one in runs],
            bests[name],
            beside[name],
        )
        for name, runs in everything.items()
    ]


def ratios(row: Row, reference: Row) -> list[float]:
    """Good starts per CPU second over the reference's next to them, each repeat; infinite where it has no hit."""
    theirs = [speed * hits for speed, hits in zip(row.reference_per_s, reference.hits, strict=True)]
    return [ours / other if other else math.inf for ours, other in zip(row.good_per_s, theirs, strict=True)]


def spread(values: Sequence[float], digits: int) -> str:
    """Median and, in brackets, the least and the largest of the repeats."""
    if math.inf in values:
        return "no hit of SciPy"
    return f"{statistics.median(values):,.{digits}f} [{min(values):,.{digits}f}, {max(values):,.{digits}f}]"


def table(rows: Sequence[Row], reference: Row) -> str:
    lines = ["| method | starts/s | hits | good starts/s | times SciPy L-BFGS-B |", "|---|---|---|---|---|"]
    for row in rows:
        hits = f"{100 * statistics.mean(row.hits):.1f} %"
        lines.append(
            f"| {row.method} | {spread(row.starts_per_s, 0)} | {hits} | {spread(row.good_per_s, 0)} "
            f"| {spread(ratios(row, reference), 1)} |"
        )
    return "\n".join(lines)


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
        **{name: importlib.metadata.version(name) for peer in PEERS for name in peer.packages if not peer.missing},
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=4500, help="how many of the 4,500 drawn starts (default: all)")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved repeats (default: 5)")
    parser.add_argument("--peer-starts", type=int, default=200, help="at most so many starts of a peer a repeat (200)")
    parser.add_argument("--resamples", type=int, default=4000, help="bootstrap resamples (default: 4000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every repeat here")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw good starts per CPU second here")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    data = chinchilla_points()
    starts = drawn_starts(options.starts)
    ours = as_lawfit(starts)
    fit_lawfit(data, ours, "auto", "auto")  # loads and compiles what is loaded and compiled once

    peers = [peer for peer in PEERS if not peer.missing]
    for peer in PEERS:
        print(f"{peer.name}: {f'not installed: {peer.missing}' if peer.missing else peer.options}")
    kernels = _core.registries()["kernels"][::-1]  # what this machine has, fastest first

    def of_peer(peer: Peer) -> Callable[[int], Timed]:
        n_starts = min(peer.n_starts, options.peer_starts)
        return lambda repeat: peer.run(data, sampled(starts, n_starts, repeat))

    def of_lawfit(their: str | dict[str, F64], kernels: str = "auto", solver: str = "auto") -> Callable[[int], Timed]:
        return lambda _: run_lawfit(data, their, kernels, solver)

    methods = {
        **{peer.name: of_peer(peer) for peer in peers},
        **{f"lawfit, kernels {name}": of_lawfit(ours, name) for name in kernels},
        "lawfit, solver generic": of_lawfit(ours, solver="generic"),
        "lawfit, Hoffmann's grid": of_lawfit("hoffmann2022"),
    }
    rows = measure(lambda some: run_scipy(data, some), starts, methods, options.repeats)
    reference, grid = rows[0], rows[-1]
    fit = fit_lawfit(data, "auto", "auto", "auto")
    resampled = compare_bootstraps(fit, data, options.resamples, min(150, options.resamples), options.repeats)

    facts = machine()
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"SciPy: objective x {SCALE:g}, analytic gradient, L-BFGS-B, {TIGHT}; median time a start")
    print(
        f"{data['N'].size} points, {len(starts)} drawn starts, of which each repeat of SciPy L-BFGS-B takes its share;"
    )
    print(f"CPU seconds of one thread; median [least, largest] of {options.repeats} interleaved repeats")
    print(f"SciPy, preconditioned: from the optimum in coordinates in which the curvature there is one, {REFIT}\n")
    for row in rows:
        print(f"best objective {row.best:.13e}: {row.method}")
    print(f"\n{table(rows[:-1], reference)}")
    print(f"\nApart, for its other starts (25 pairs of exponents):\n\n{table([grid], reference)}")
    print("\n| bootstrap | resamples/s | hits | times SciPy |\n|---|---|---|---|")
    for line in resampled:
        print(f"| {line.method} | {spread(line.per_s, 0)} | {100 * line.hits:.1f} % | {spread(line.ratio, 1)} |")

    if options.figure:
        draw({row.method: row.good_per_s for row in rows[:-1]}, options.figure)
    if options.json:
        report = {
            "machine": facts,
            "scipy_options": {"scale": SCALE, **TIGHT, "preconditioned": REFIT},
            "peers": {peer.name: peer.options for peer in peers},
            "n_starts": len(starts),
            "rows": [
                {**dataclasses.asdict(row), "good_per_s": row.good_per_s, "ratio": ratios(row, reference)}
                for row in rows
            ],
            "bootstrap": [{**dataclasses.asdict(line), "ratio": line.ratio} for line in resampled],
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
