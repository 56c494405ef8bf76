"""A systematic search: least squares for what is linear, at every point of a grid over the rest.

Of the brute force this is the part that leaves nothing to chance. Relative squares stand for the residuals;
non-negative amplitudes are found by trying every subset of them. The grid's local minima become starts.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from stress_laws import F64, Params

TAIL = np.array([2.4, 3.2, 4.5, 6.5, 9.0, 13.0, 19.0])
BODY = np.linspace(-0.15, 1.95, 29) + 0.003  # off 0, where a power is the floor
FEWER = np.linspace(-0.1, 1.8, 15) + 0.003
EXPONENTS = np.concatenate([-TAIL[::-1], [-1.6, -1.0, -0.6, -0.3], BODY, TAIL])
EXPONENTS_OF_THREE = np.concatenate([[-13.0, -4.0, -1.2, -0.4], FEWER, [2.6, 4.5, 13.0]])
MOST_STARTS = 32


def _axis(values: F64, place: int, count: int) -> F64:
    return values.reshape([-1 if k == place else 1 for k in range(count + 1)])


def _power(x: F64, exponents: F64) -> F64:
    return np.asarray(np.exp(-exponents * (np.log(x) - np.log(x).mean())))


def _back(x: F64, exponents: F64) -> F64:
    """What an amplitude of `_power` is to be multiplied by."""
    return np.asarray(np.exp(exponents * np.log(x).mean()))


def scan(problem: Any) -> Params:
    """Starts for a problem: at most `MOST_STARTS` by parameter."""
    with np.errstate(all="ignore"):
        axes, columns, response, weights, finish = SCANS[problem.family.name](problem)
        relative = weights / response**2 if problem.is_log or problem.family.name == "kaplan_nd" else weights
        found, rest = _amplitudes(columns, response, relative, free=problem.family.name == "sigmoid")
        shape = np.broadcast_shapes(*(axis.shape[:-1] for axis in axes))
        if problem.family.name == "kaplan_nd":
            rest = rest * np.broadcast_to(axes[0][..., 0] ** 2, shape).ravel()
        chosen = _local_minima(rest.reshape(shape))
        values = [np.broadcast_to(axis[..., 0], shape).ravel()[chosen] for axis in axes]
        params: Params = finish(values, found[chosen])
    keep = np.all([np.isfinite(value) for value in params.values()], axis=0)
    return {name: value[keep] for name, value in params.items()}


def _local_minima(values: F64) -> Any:
    """Flat places no higher than their neighbours along each axis, best first, then the best of all."""
    values = np.where(np.isfinite(values), values, np.inf)
    is_low = np.isfinite(values)
    for axis in range(values.ndim):
        padded = np.pad(values, [(1, 1) if k == axis else (0, 0) for k in range(values.ndim)], constant_values=np.inf)
        for shift in (0, 2):
            piece = [slice(None)] * values.ndim
            piece[axis] = slice(shift, shift + values.shape[axis])
            is_low &= values <= padded[tuple(piece)]
    flat = values.ravel()
    low = np.flatnonzero(is_low.ravel())
    order = low[np.argsort(flat[low], kind="stable")][: MOST_STARTS - 8]
    best = np.argsort(flat, kind="stable")[:8]
    return np.unique(np.concatenate([order, best]))


def _amplitudes(columns: list[F64], response: F64, weights: F64, *, free: bool) -> tuple[F64, F64]:
    """Amplitudes (points, terms) of the least weighted squares, none negative unless free, and those squares."""
    m = len(columns)
    shape = np.broadcast_shapes(response.shape[:-1], *(column.shape[:-1] for column in columns))
    norms = [np.sqrt(np.sum(weights * column**2, axis=-1)) for column in columns]
    gram, right = np.empty((*shape, m, m)), np.empty((*shape, m))
    for i in range(m):
        right[..., i] = np.sum(weights * response * columns[i], axis=-1) / norms[i]
        for j in range(i + 1):
            product = np.sum(weights * columns[i] * columns[j], axis=-1) / (norms[i] * norms[j])
            gram[..., i, j] = gram[..., j, i] = product + (1e-13 if i == j else 0.0)
    gram, right = gram.reshape(-1, m, m), right.reshape(-1, m)
    is_bad = ~(np.isfinite(gram).all((1, 2)) & np.isfinite(right).all(1))
    gram[is_bad], right[is_bad] = np.eye(m), 0.0
    total = np.broadcast_to(np.sum(weights * response**2, axis=-1), shape).ravel()
    found, rest = np.zeros(right.shape), np.where(is_bad, np.inf, total)
    for size in range(1, m + 1):
        for chosen in itertools.combinations(range(m), size):
            part = list(chosen)
            solved = np.linalg.solve(gram[:, part][:, :, part], right[:, part, None])[..., 0]
            left = total - np.sum(solved * right[:, part], axis=1)
            take = (free | np.all(solved >= 0, axis=1)) & (left < rest) & ~is_bad
            rest = np.where(take, left, rest)
            new = np.zeros(right.shape)
            new[:, part] = solved
            found = np.where(take[:, None], new, found)
    scale = np.stack([np.broadcast_to(norm, shape).ravel() for norm in norms], axis=1)
    return found / scale, rest


def _powers(floor: str, *terms: tuple[str, str, str]) -> Any:
    names = list(dict.fromkeys(exponent for _, _, exponent in terms))

    def make(problem: Any) -> Any:
        grid = EXPONENTS if len(names) < 3 else EXPONENTS_OF_THREE
        axes = [_axis(grid, place, len(names)) for place in range(len(names))]
        x = problem.columns
        ones = np.ones([1] * len(names) + [problem.y.size])
        columns = [ones] + [_power(x[variable], axes[names.index(exponent)]) for _, variable, exponent in terms]

        def finish(values: list[F64], found: F64) -> Params:
            params = dict(zip(names, values, strict=True)) | {floor: found[:, 0]}
            for place, (amplitude, variable, exponent) in enumerate(terms):
                params[amplitude] = found[:, place + 1] * _back(x[variable], params[exponent])
            return params

        return axes, columns, problem.y, problem.weights, finish

    return make


def _offset(problem: Any) -> Any:
    *parts, plain = _powers("E", ("A", "N", "alpha"), ("B", "D", "beta"))(problem)

    def finish(values: list[F64], found: F64) -> Params:
        params: Params = plain(values, found)
        params["gap"] = params.pop("beta") - params["alpha"]
        return params

    return *parts, finish


def _logsumexp(problem: Any) -> Any:
    *parts, plain = _powers("e", ("a", "N", "alpha"), ("b", "D", "beta"))(problem)

    def finish(values: list[F64], found: F64) -> Params:
        params: Params = plain(values, found)
        return params | {name: np.log(np.maximum(params[name], 1e-25)) for name in ("e", "a", "b")}

    return *parts, finish


def _kaplan(problem: Any) -> Any:
    """With y to the 1/alpha_D on the left, the law is linear in D_c and in a power of N_c."""
    x = problem.columns
    axes = [_axis(np.geomspace(0.02, 6.0, 40), 0, 2), _axis(np.geomspace(0.02, 30.0, 40), 1, 2)]
    middle = np.exp(np.log(problem.y).mean())
    columns = [_power(x["N"], axes[1]), (np.exp(np.log(x["D"]).mean()) / x["D"])[None, None]]

    def finish(values: list[F64], found: F64) -> Params:
        alpha, ratio = values
        found = np.maximum(found, 1e-200) * middle ** (1.0 / alpha)[:, None]
        return {
            "alpha_D": alpha,
            "alpha_N": ratio * alpha,
            "N_c": np.exp(np.log(x["N"]).mean()) * found[:, 0] ** (1.0 / ratio),
            "D_c": found[:, 1] * np.exp(np.log(x["D"]).mean()),
        }

    return axes, columns, (problem.y / middle) ** (1.0 / axes[0]), problem.weights, finish


def _parscale(problem: Any) -> Any:
    x = problem.columns
    kappa = np.concatenate([[0.0], np.geomspace(0.01, 100.0, 25)])
    axes = [_axis(kappa, 0, 2), _axis(EXPONENTS, 1, 2)]
    size = x["N"] * (axes[0] * np.log(x["P"]) + 1.0)
    middle = np.exp(np.log(x["N"]).mean())
    columns = [np.ones((1, 1, problem.y.size)), (size / middle) ** -axes[1]]

    def finish(values: list[F64], found: F64) -> Params:
        return {
            "E": found[:, 0], "kappa": values[0], "alpha": values[1],
            "A": middle * np.maximum(found[:, 1], 1e-30) ** (1.0 / values[1]),
        }  # fmt: skip

    return axes, columns, problem.y, problem.weights, finish


def _shifted(problem: Any) -> Any:
    x = problem.columns["x"]
    shifts = np.concatenate([[0.0], np.geomspace(1e-3 * x.min(), 30.0 * x.max(), 30)])
    axes = [_axis(shifts, 0, 2), _axis(EXPONENTS, 1, 2)]
    middle = np.exp(np.log(x).mean())
    columns = [np.ones((1, 1, problem.y.size)), ((x + axes[0]) / (middle + axes[0])) ** -axes[1]]

    def finish(values: list[F64], found: F64) -> Params:
        shift, alpha = values
        return {"E": found[:, 0], "x0": shift, "alpha": alpha, "A": found[:, 1] * (middle + shift) ** alpha}

    return axes, columns, problem.y, problem.weights, finish


def _saturating(problem: Any) -> Any:
    x = problem.columns["x"]
    rates = np.geomspace(1e-2 / x.max(), 20.0 / x.min(), 160)
    axes = [_axis(np.concatenate([-rates[::-1], rates]), 0, 1)]
    ends = np.where(axes[0] > 0, x.min(), x.max())
    columns = [np.ones((1, x.size)), np.exp(-axes[0] * (x - ends))]

    def finish(values: list[F64], found: F64) -> Params:
        end = np.where(values[0] > 0, x.min(), x.max())
        return {"E": found[:, 0], "r": values[0], "A": found[:, 1] * np.exp(values[0] * end)}

    return axes, columns, problem.y, problem.weights, finish


def _sigmoid(problem: Any) -> Any:
    logs = np.log10(problem.columns["C"])
    span = logs.max() - logs.min()
    slopes = np.geomspace(0.2 / span, 300.0 / span, 30)
    middles = np.linspace(logs.min() - span, logs.max() + span, 60)
    axes = [_axis(np.concatenate([-slopes, slopes]), 0, 2), _axis(middles, 1, 2)]
    columns = [np.ones((1, 1, logs.size)), 1.0 / (1.0 + np.exp(-axes[0] * (logs - axes[1])))]

    def finish(values: list[F64], found: F64) -> Params:
        found = np.maximum(found, 0.0)
        return {"floor": found[:, 0], "gain": found[:, 1], "slope": values[0], "middle": values[1]}

    return axes, columns, problem.y, problem.weights, finish


SCANS = {
    "power_floor": _powers("E", ("A", "x", "alpha")),
    "chinchilla": _powers("E", ("A", "N", "alpha"), ("B", "D", "beta")),
    "tied": _powers("E", ("A", "N", "alpha"), ("B", "D", "alpha")),
    "offset_exponent": _offset,
    "kaplan_nd": _kaplan,
    "t2_loss": _powers("E", ("A", "N", "alpha"), ("B", "D", "beta"), ("G", "k", "gamma")),
    "parscale": _parscale,
    "shifted": _shifted,
    "saturating": _saturating,
    "sigmoid": _sigmoid,
    "logsumexp": _logsumexp,
}
