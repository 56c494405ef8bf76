"""Where a fit to counts begins: at fits of the law to shares of success, each with several sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from lawfit._batch import Options
from lawfit._count_law import CountLaw, unused
from lawfit._count_rows import Cells
from lawfit._engine import F64
from lawfit.fitting import fit

# From problems that differ as much as they can to problems that are all alike.
SIZES = (0.1, 1.0, 10.0, 100.0, 1000.0)
# Optima of a fit of the first stage that the second starts from, best first, and places about the best of all, whose
# parameters differ by such factors (standard deviation of the logarithm).
MOST_OPTIMA = 6
N_ABOUT = 2
SPREAD = 0.05
# Draws for the parameters of a formula until its size is a size, and how small and large that may be.
MOST_DRAWS = 400
SENSIBLE = (1e-2, 1e4)


def of_means(model: CountLaw, cells: Cells, options: Options, n_threads: int) -> F64:
    """Return starts of the parameters of the mean, (n_starts, n_mean), from fits to shares by the ordinary means.

    One counts all cells alike, since problems may differ more than counts scatter; the other goes by the counts.
    """
    names = model.mean.parameters
    held = {name: value for name, value in options.fixed.items() if name in names}
    if len(held) == len(names):
        return np.array([[held[name] for name in names]])
    response = unused("share", model.law.names)
    table = {**cells.variables, response: cells.shares}
    bounds = {name: options.bounds[name] for name in names}
    found: list[list[float]] = []
    for loss, weights in (("huber", None), ("squared", cells.precisions)):
        stage = fit(
            model.mean, table, response=response, loss=loss, weights=weights, bounds=bounds, fixed=held,
            seed=options.seed, kernels=options.kernels, n_threads=n_threads,
        )  # fmt: skip
        ends = [[optimum.params[name] for name in names] for optimum in stage.optima[:MOST_OPTIMA]]
        if not ends and stage.starts is not None:
            best = np.argsort(stage.starts.objective, kind="stable")[:MOST_OPTIMA]
            ends = stage.starts.ends[best].tolist()
        found += ends
    rng = np.random.default_rng(options.seed)
    for _ in range(N_ABOUT if found else 0):
        factors = np.exp(SPREAD * rng.standard_normal(len(names))).tolist()
        about = [value * factor for value, factor in zip(found[0], factors, strict=True)]
        found.append([held.get(name, _inside(value, bounds[name])) for name, value in zip(names, about, strict=True)])
    return np.array([start for start in found if np.isfinite(start).all()]).reshape(-1, len(names))


def with_sizes(model: CountLaw, starts: F64, options: Options, x: F64) -> F64:
    """Return starts of all parameters, (n_starts, P): those of the mean with several sizes each.

    ``x`` (n_variables, n_rows) are the variables of the mean and of the size.
    """
    own = [name for name in model.of_size if name not in options.fixed]
    rng = np.random.default_rng(options.seed)
    rows = []
    for start in starts:
        values = dict(zip(model.mean.parameters, start.tolist(), strict=True)) | dict(options.fixed)
        for sizes in _sizes(model, own, values, options, x, rng):
            every = values | {name: _inside(value, options.bounds[name]) for name, value in sizes.items()}
            rows.append([every[name] for name in model.law.parameters])
    return np.array(rows)


def _sizes(
    model: CountLaw, own: list[str], values: Mapping[str, float], options: Options, x: F64, rng: np.random.Generator
) -> Iterator[dict[str, float]]:
    """Yield values of the parameters that only the size has."""
    if not own:
        yield {}
    elif model.is_plain_size:
        yield from ({own[0]: size} for size in SIZES)
    else:
        law, draws = model.size_law(), 0
        places = [model.variables.index(name) for name in law.variables or ()]
        points = dict(zip(law.variables or (), x[places], strict=True))
        found = 0
        while found < len(SIZES) and draws < MOST_DRAWS:
            draws += 1
            # Coefficients of sizes like 3e9 and of losses like 3 are some powers of ten apart.
            scale = 10.0 ** rng.uniform(-2.0, 0.5, len(own))
            drawn = dict(zip(own, (scale * rng.standard_normal(len(own))).tolist(), strict=True))
            inside = {name: _inside(value, options.bounds[name]) for name, value in drawn.items()}
            every = {**values, **inside}
            size = law.evaluate(points, params={name: every[name] for name in law.parameters})
            middle = float(np.median(size)) if np.isfinite(size).all() else math.nan
            if SENSIBLE[0] <= middle <= SENSIBLE[1] and np.min(size) > 0.0:
                found += 1
                yield inside
        if found == 0:
            yield dict.fromkeys(own, 0.0)


def _inside(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
