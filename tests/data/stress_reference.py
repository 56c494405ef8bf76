"""The best objective known of every problem of the stress set, by brute force, written to stress_best.npz.

    python tests/data/stress_reference.py FOLDER [FIRST LAST]   brute force; a piece of 500 problems a file in FOLDER
    python tests/data/stress_reference.py --merge FOLDER        puts the pieces together

Nothing here relies on what `lawfit.fit` does by default. Every problem gets, through the engine's generic path,

- least squares over a grid of whatever is not linear (`stress_scan`), its local minima polished; for a robust loss once
  more with the weights that the residuals of the best have, unless most random starts agree;
- 64 starts of the engine's rule with another seed, and 64 wide ones: exponents of either sign up to 20, terms of any
  size that peak anywhere in the data;
- 256 more wide ones at a time until at least 8 random starts ended at the best, or there were 1,000, or a second is
  over;
- where fewer than 8 did, random steps of all sizes away from the best six optima, 96 at a time, until four times in a
  row nothing is gained or another second is over;
- the truth; and the default call itself, so that it can tie with the best but not beat it when the file is made;
- damped Newton steps of the best in NumPy's longest float (`stress_objective.polish`).

The first 2,000 problems had up to 2,000 starts, three seconds, and 512 wide starts more before the random steps.

`f_scale="mad"` is a number that depends on a least-absolute-deviation fit, which has local minima of its own. That fit
is searched for by following the best distinct optima down to a scale of a thousandth of its median residual.

Values are those of `stress_objective`, not of the engine. `stress_scipy.py` compares a sample with SciPy.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import lawfit as lf
from stress_laws import F64, Params, WideSource
from stress_objective import objective, polish, residuals, second_order
from stress_problems import N_PROBLEMS, Problem, Stream, problem, problems
from stress_scan import scan

PIECE = 500
BEST = Path(__file__).with_name("stress_best.npz")
ROUND, FIRST_ROUND, MOST_STARTS, ENOUGH_HITS = 256, 64, 1000, 8
# Iterations of one start; what crawls along a valley is taken to its end by the polish.
MOST_ITERATIONS = 400
MOST_SECONDS = 1.0
SAME = 1e-7
WIDTH = 7
# Kinds of best: a true minimum; exact data, where it is rounding; none, where it lies in a valley or at infinity.
MINIMUM, EXACT, OPEN = range(3)
# Of the curvature with unit diagonal. Of 1,300 minima 1,287 have less than 1e10, and 13 more than 1e11.
MOST_CONDITION = 1e11
EFFICIENCY, NORMAL = 1.345, 1.4826  # of the scale "mad"


def law_of(p: Problem) -> lf.Law:
    family = p.family
    return lf.Law(family.text, list(family.variables), positive=list(family.positive))


@dataclasses.dataclass
class Pool:
    """Everything that was tried on one problem at one scale."""

    problem: Problem
    law: lf.Law
    f_scale: float
    ends: list[F64] = dataclasses.field(default_factory=list)
    values: list[F64] = dataclasses.field(default_factory=list)
    n_random: int = 0
    hits: int = 0

    def options(self) -> dict[str, Any]:
        options = self.problem.options
        return options if math.isinf(self.f_scale) else options | {"f_scale": self.f_scale}

    def try_starts(self, starts: Any, **more: Any) -> F64:
        options = {"max_iterations": MOST_ITERATIONS} | self.options() | more
        fit = lf.fit(self.law, self.problem.data, starts=starts, n_threads=1, **options)
        assert fit.starts is not None
        self.ends.append(fit.starts.ends)
        self.values.append(np.where(np.isfinite(fit.starts.objective), fit.starts.objective, np.inf))
        return self.values[-1]

    @property
    def best(self) -> float:
        return float(min(values.min() for values in self.values))

    def count_hits(self, values: list[F64]) -> int:
        """How many of these ends are the best."""
        same = self.best * (1 + SAME) + self.problem.rounding
        return sum(int(np.sum(part <= same)) for part in values)

    def distinct(self, most: int) -> Params:
        """Ends of different objectives, best first."""
        values, ends = np.concatenate(self.values), np.concatenate(self.ends)
        chosen: list[int] = []
        for place in np.argsort(values, kind="stable"):
            if not np.all(np.isfinite(ends[place])):
                continue
            low = values[chosen[-1]] if chosen else -1.0
            if math.isfinite(values[place]) and values[place] > low * (1 + 1e-5):
                chosen.append(int(place))
            if len(chosen) == most:
                break
        return dict(zip(self.law.parameters, ends[chosen].T, strict=True))


def wide_starts(p: Problem, count: int, stream: Stream) -> Params:
    typical = float(np.exp(np.log(p.y).mean()))
    with np.errstate(all="ignore"):
        params = p.family.draw(WideSource(stream.uniforms, count, typical), p.columns)
    keep = np.all([np.isfinite(value) for value in params.values()], axis=0)
    return {name: value[keep] for name, value in params.items()}


def search(pool: Pool, stream: Stream) -> None:
    """Fill the pool."""
    end = time.process_time() + MOST_SECONDS
    pool.try_starts(dict(pool.problem.truth))
    pool.try_starts(scan(pool.problem))
    random = [pool.try_starts(FIRST_ROUND, seed=1), pool.try_starts(wide_starts(pool.problem, FIRST_ROUND, stream))]
    if math.isfinite(pool.f_scale) and pool.count_hits(random) < FIRST_ROUND:
        pool.try_starts(scan(reweighted(pool)))
    while True:
        pool.n_random = sum(values.size for values in random)
        pool.hits = pool.count_hits(random)
        if pool.hits >= ENOUGH_HITS or pool.n_random >= MOST_STARTS - ROUND or time.process_time() > end:
            return
        random.append(pool.try_starts(wide_starts(pool.problem, ROUND, stream)))


def steps_away(pool: Pool, stream: Stream, count: int = 96) -> Params:
    """Starts at random distances from the best optima."""
    optima = pool.distinct(6)
    place = (stream.uniforms(count) * len(next(iter(optima.values())))).astype(int)
    width, starts = 10.0 ** (-2.5 * stream.uniforms(count)), {}
    for name, values in optima.items():
        value, step = values[place], width * stream.normals(count)
        is_positive = name in pool.problem.family.positive
        starts[name] = value * np.exp(step) if is_positive else value + step * np.maximum(np.abs(value), 0.1)
    keep = np.all([np.isfinite(value) for value in starts.values()], axis=0)
    return {name: value[keep] for name, value in starts.items()}


def step_about(pool: Pool, stream: Stream) -> None:
    """Add starts near the best optima as long as that helps."""
    idle, end = 0, time.process_time() + MOST_SECONDS
    while idle < 4 and time.process_time() < end:
        before = pool.best
        pool.try_starts(steps_away(pool, stream))
        idle = 0 if pool.best < before * (1 - 1e-9) else idle + 1


def reweighted(pool: Pool) -> Problem:
    """Return the problem with the weights that the loss gives to the residuals of the best."""
    best = {name: float(value[0]) for name, value in pool.distinct(1).items()}
    with np.errstate(all="ignore"):
        size = np.abs(residuals(pool.problem, best)).astype(np.float64)
        weights = np.nan_to_num(np.minimum(1.0, pool.f_scale / np.maximum(size, 1e-300)), nan=1.0)
    return dataclasses.replace(pool.problem, weights=pool.problem.weights * weights)


def mad_scale(pool: Pool) -> float:
    """1.345 standard deviations by the median residual of the best least-absolute-deviation fit."""
    p = pool.problem
    response = np.log(p.y) if p.is_log else p.y
    floor, least = 1e-12 * np.abs(response).max(), math.inf
    scale, found = pool.f_scale, math.nan
    ends = pool.distinct(3 if pool.hits >= FIRST_ROUND else 6)
    for start in [dict(p.truth)] + [dict(zip(ends, row, strict=True)) for row in zip(*ends.values(), strict=True)]:
        delta = scale
        while True:
            fit = lf.fit(pool.law, p.data, starts=start, n_threads=1, **(pool.options() | {"f_scale": delta}))
            start = dict(fit.params) if np.all(np.isfinite(list(fit.params.values()))) else start
            with np.errstate(all="ignore"):
                sizes = np.sort(np.abs(residuals(p, start)).astype(np.float64))
            median = float(np.median(sizes[len(start) - 1 :]))
            if not median > floor or delta <= 1e-3 * median:
                break
            delta = max(min(0.1 * delta, 0.5 * median), 0.5e-3 * median)
        total = float(np.sum(p.weights * np.abs(residuals(p, start))))
        if total < least:
            least, found = total, max(EFFICIENCY * NORMAL * median, floor)
    return found


def solve(p: Problem) -> dict[str, Any]:
    """Do everything for one problem."""
    stream = Stream(N_PROBLEMS + p.number)
    law = law_of(p)
    begin = time.process_time()
    default = lf.fit(law, p.data, n_threads=1, **p.options)
    seconds = time.process_time() - begin
    pool = Pool(p, law, math.inf if p.traits.loss == "squared" else default.f_scale)
    search(pool, stream)
    if p.traits.loss == "mad":
        scale = mad_scale(pool)
        if abs(scale / pool.f_scale - 1) > 1e-4:
            starts = pool.distinct(40)
            pool = Pool(p, law, scale)
            pool.try_starts(starts)
            search(pool, stream)
    if pool.hits < ENOUGH_HITS:
        step_about(pool, stream)
    brute = pool.best
    if np.all(np.isfinite(list(default.params.values()))):
        pool.try_starts(dict(default.params))
    value, params = trusted(pool)
    if value > p.rounding:
        params = polish(p, params, pool.f_scale)
        value = objective(p, params, pool.f_scale)
    return {
        "value": value, "params": params, "f_scale": pool.f_scale, "brute": brute, "n_random": pool.n_random,
        "hits": pool.hits, "kind": kind_of(p, params, value, pool.f_scale), "default": default.objective,
        "default_scale": default.f_scale, "default_status": default.status, "default_seconds": seconds,
        "agreement": default.start_agreement, "seconds": time.process_time() - begin,
    }  # fmt: skip


def trusted(pool: Pool) -> tuple[float, dict[str, float]]:
    """Return the lowest value that does not come from the engine's own arithmetic, and where it is."""
    best: tuple[float, dict[str, float]] = (math.inf, {})
    ends, values = np.concatenate(pool.ends), np.concatenate(pool.values)
    for rank, place in enumerate(np.argsort(values, kind="stable")):
        # Powers of e^-700 have lost their digits in the engine: its values may be too low there.
        if rank > 2 and not values[place] < best[0] * (1 - 1e-12) - pool.problem.rounding:
            break
        params = dict(zip(pool.law.parameters, ends[place].tolist(), strict=True))
        with np.errstate(all="ignore"):
            value = objective(pool.problem, params, pool.f_scale)
        if value < best[0]:
            best = value, params
    return best


def kind_of(p: Problem, params: dict[str, float], value: float, f_scale: float) -> int:
    if value <= p.rounding:
        return EXACT
    at = second_order(p, params, f_scale)
    newton = at.newton()
    is_at_bound = (at.values <= at.low) | (at.values >= at.high)
    if newton is None or newton[1] > 1e-9 * value or not np.all(at.held[is_at_bound]):
        return OPEN
    return MINIMUM if at.condition() < MOST_CONDITION else OPEN


def shorten(values: F64) -> F64:
    """Keep 22 bits of each number: enough to begin a polish, and less than half of the file."""
    bits = np.ascontiguousarray(values).view(np.uint64)
    return (bits & ~np.uint64((1 << 31) - 1)).view(np.float64)


def run(folder: Path, first: int, last: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(first, last, PIECE):
        path = folder / f"{start:05d}.npz"
        if path.exists():
            continue
        found = []
        for p in problems(range(start, min(start + PIECE, last))):
            found.append(solve(p) | {"number": p.number, "fingerprint": p.fingerprint})
        width = np.full((len(found), WIDTH), np.nan)
        for row, one in zip(width, found, strict=True):
            values = list(one.pop("params").values())
            row[: len(values)] = values
        arrays = {name: np.array([one[name] for one in found]) for name in found[0]}
        arrays["params"] = width
        np.savez(path.with_suffix(".part.npz"), **arrays)  # type: ignore[arg-type]
        path.with_suffix(".part.npz").rename(path)
        print(f"{start}: {arrays['seconds'].sum():.0f} s, {arrays['n_random'].sum()} random starts", flush=True)


def load_pieces(folder: Path) -> dict[str, Any]:
    pieces = [dict(np.load(path)) for path in sorted(folder.glob("?????.npz"))]
    together = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    _, places = np.unique(together["number"], return_index=True)
    return {name: values[places] for name, values in together.items()}


def read_best() -> dict[str, Any]:
    """Return what the file holds, parameters (n, `WIDTH`) in the order of the law, NaN beyond."""
    found = dict(np.load(BEST))
    found["params"] = np.ascontiguousarray(found["params"].transpose(2, 1, 0)).view(np.float64)[..., 0]
    return found


def write_best(found: dict[str, Any]) -> None:
    """Write the file: the parameters byte by byte, which packs better."""
    planes = shorten(found["params"]).view(np.uint8).reshape(-1, WIDTH, 8).transpose(2, 1, 0)
    np.savez_compressed(BEST, **(found | {"params": planes}))
    print(f"{BEST}: {found['number'].size} problems, {BEST.stat().st_size} bytes")


def improve(candidates: dict[int, dict[str, float]]) -> None:
    """Put lower optima that something else found, by problem number, into the file."""
    best, count = read_best(), 0
    for number, start in candidates.items():
        p, place = problem(number), int(np.flatnonzero(best["number"] == number)[0])
        f_scale = scale_of(p, float(best["f_scale"][place]))
        params = polish(p, {name: start[name] for name in law_of(p).parameters}, f_scale)
        value = objective(p, params, f_scale)
        if value < best["objective"][place]:
            count += 1
            best["objective"][place] = value
            best["params"][place, : len(params)] = list(params.values())
            best["kind"][place] = kind_of(p, params, value, f_scale)
    print(f"{count} of {len(candidates)} are lower")
    write_best(best)


def scale_of(p: Problem, known: float) -> float:
    """Scale of the loss at which the best is known."""
    return math.inf if p.traits.loss == "squared" else known if p.traits.loss == "mad" else float(p.f_scale)


def merge(folder: Path) -> None:
    found = load_pieces(folder)
    is_mad = np.array([p.traits.loss == "mad" for p in problems(found["number"].tolist())])
    seconds, starts = found["seconds"].sum(), found["n_random"].sum()
    print(f"made in {seconds:.0f} s from {starts} random starts beside scans, steps and polish")
    write_best(
        {
            "number": found["number"].astype(np.uint16),
            "objective": found["value"],
            "f_scale": np.where(is_mad, found["f_scale"], np.nan),
            "kind": found["kind"].astype(np.uint8),
            "fingerprint": found["fingerprint"].astype(np.float32),
            "params": found["params"],
        }
    )


def main() -> None:
    if sys.argv[1] == "--merge":
        merge(Path(sys.argv[2]))
    else:
        first, last = map(int, sys.argv[2:4]) if len(sys.argv) > 3 else (0, N_PROBLEMS)
        run(Path(sys.argv[1]), first, last)


if __name__ == "__main__":
    main()
