"""Does SciPy find anything lower? A check of stress_best.npz that shares neither algorithm nor starts with it.

    python tests/data/stress_scipy.py [NUMBERS] [--step 33] [--update]

From 300 random starts a problem, half plausible, half wide, the 12 lowest and 12 others go through `least_squares`
(trust region, the loss with weights as a function, numeric Jacobian), the three lowest ends through it again to the
last digit, and the best through Nelder and Mead's simplex, which knows no derivative. Positive parameters are searched
in logarithms.
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np

from stress_judge import KINDS, Best, load_best
from stress_laws import F64, Source, WideSource
from stress_objective import evaluate, objective
from stress_problems import N_PROBLEMS, Problem, Stream, problem
from stress_reference import improve, scale_of

optimize: Any = importlib.import_module("scipy.optimize")
N_STARTS, N_LOWEST, N_OTHERS, N_POLISHED = 300, 12, 12, 3
LARGE = 1e150


class Task:
    """One problem in the coordinates of the search."""

    def __init__(self, p: Problem, f_scale: float) -> None:
        self.p, self.f_scale = p, f_scale
        self.names = list(p.truth)
        self.is_log = np.array([name in p.family.positive for name in self.names])
        self.response = np.log(p.y) if p.is_log else p.y
        ranges = np.array([p.ranges[name] for name in self.names]).T
        with np.errstate(all="ignore"):
            self.low, self.high = np.where(self.is_log, np.log(np.maximum(ranges, 1e-300)), ranges)
        self.low = np.where(self.is_log & (self.low < -600), -600.0, self.low)

    def params(self, u: F64) -> dict[str, float]:
        values = np.where(self.is_log, np.exp(np.where(self.is_log, u, 0.0)), u)
        return dict(zip(self.names, values.tolist(), strict=True))

    def residuals(self, u: F64) -> F64:
        with np.errstate(all="ignore"):
            prediction = evaluate(self.p.family.text, {**self.p.columns, **self.params(u)})
            r = (np.log(prediction) if self.p.is_log else prediction) - self.response
        return np.asarray(np.clip(np.nan_to_num(r, nan=LARGE, posinf=LARGE, neginf=-LARGE), -LARGE, LARGE))

    def value(self, u: F64) -> float:
        size = np.abs(self.residuals(u))
        scale = self.f_scale
        rho = np.where(size <= scale, 0.5 * size**2, scale * size - 0.5 * scale**2 if np.isfinite(scale) else 0.0)
        return float(np.sum(self.p.weights * rho))

    def loss(self, z: F64) -> F64:
        """Weighted Huber's loss of squared residuals, with two derivatives, as SciPy wants it."""
        inside = z <= 1.0
        root = np.sqrt(np.maximum(z, 1.0))
        rho = [
            np.where(inside, z, 2.0 * root - 1.0),
            np.where(inside, 1.0, 1.0 / root),
            np.where(inside, 0.0, -0.5 / root**3),
        ]
        return np.asarray(self.p.weights * np.array(rho))

    def squared(self, z: F64) -> F64:
        return np.asarray(self.p.weights * np.array([z, np.ones_like(z), np.zeros_like(z)]))

    def descend(self, u: F64, tolerance: float, most: int) -> F64:
        robust = np.isfinite(self.f_scale)
        try:
            found = optimize.least_squares(
                self.residuals, np.clip(u, self.low + 1e-9, self.high - 1e-9), bounds=(self.low, self.high),
                loss=self.loss if robust else self.squared, f_scale=self.f_scale if robust else 1.0, x_scale="jac",
                ftol=tolerance, xtol=tolerance, gtol=tolerance, max_nfev=most,
            )  # fmt: skip
        except (ValueError, np.linalg.LinAlgError):
            return u
        return np.asarray(found.x)

    def simplex(self, u: F64) -> F64:
        bounds = list(zip(self.low, self.high, strict=True))
        options = {"xatol": 1e-11, "fatol": 0.0, "maxiter": 3000, "maxfev": 4000, "adaptive": True}
        found = optimize.minimize(self.value, u, method="Nelder-Mead", bounds=bounds, options=options)
        return np.asarray(found.x)

    def starts(self) -> F64:
        stream = Stream(3 * N_PROBLEMS + self.p.number)
        half, typical = N_STARTS // 2, float(np.exp(np.log(self.p.y).mean()))
        sources = (Source(stream.uniforms, half), WideSource(stream.uniforms, half, typical))
        with np.errstate(all="ignore"):
            drawn = [self.p.family.draw(source, self.p.columns) for source in sources]
            natural = np.concatenate([np.stack([one[name] for name in self.names], axis=1) for one in drawn])
            u = np.where(self.is_log, np.log(np.where(self.is_log, np.maximum(natural, 1e-260), 1.0)), natural)
        return np.clip(u[np.isfinite(u).all(axis=1)], self.low, self.high)


def lowest(p: Problem, best: Best) -> tuple[float, dict[str, float]]:
    """Return the lowest objective that SciPy reaches, and where."""
    task = Task(p, scale_of(p, best.f_scale))
    starts = task.starts()
    order = np.argsort([task.value(u) for u in starts], kind="stable")
    ends = [task.descend(starts[k], 1e-8, 150) for k in [*order[:N_LOWEST], *order[N_LOWEST :: len(order) // N_OTHERS]]]
    ends = sorted(ends, key=task.value)[:N_POLISHED]
    ends += [task.descend(u, 1e-15, 500) for u in ends]
    ends += [task.simplex(min(ends, key=task.value))]
    with np.errstate(all="ignore"):
        found = [(objective(p, task.params(u), task.f_scale), task.params(u)) for u in ends]
    return min((pair for pair in found if np.isfinite(pair[0])), key=lambda pair: pair[0])


def main() -> None:
    parser = argparse.ArgumentParser(description="look for lower objectives with SciPy")
    parser.add_argument("numbers", nargs="*", type=int, help="problem numbers")
    parser.add_argument("--step", type=int, default=33, help="every so many problems, where no numbers are given")
    parser.add_argument("--pieces", type=Path, help="folder of stress_reference.py")
    parser.add_argument("--update", action="store_true", help="put lower optima into the file of the best known")
    options = parser.parse_args()
    best = load_best(options.pieces)
    numbers = options.numbers or [number for number in range(0, N_PROBLEMS, options.step) if number in best]
    begin, equal, below = time.perf_counter(), 0, {}
    for p in map(problem, numbers):
        known = best[p.number].objective
        value, params = lowest(p, best[p.number])
        allowed = 1e-8 * known + p.rounding
        equal += value <= known + 100 * allowed
        if value < known - allowed:
            below[p.number] = params
            kind = KINDS[best[p.number].kind]
            print(f"{p.number} {p.family.name}: {value!r} is below {known!r}, a best of the kind {kind!r}", flush=True)
    seconds = time.perf_counter() - begin
    print(f"{len(numbers)} problems, {seconds:.0f} s: {len(below)} lower, {equal} within 1e-6 or lower, others higher")
    if options.update:
        improve(below)


if __name__ == "__main__":
    main()
