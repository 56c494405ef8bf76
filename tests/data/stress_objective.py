"""The objective and its derivatives without the engine: the law's text is evaluated by Python over second-order jets.

A `Jet` carries value, gradient and second derivatives of every row, in NumPy's longest float; derivatives are exact, so
no step has to be chosen. `Minimum` is what they say about a point: how far Newton's method would still go, and whether
the curvature is positive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONG = np.longdouble
Long = NDArray[np.longdouble]


class Jet:
    """Rows of a function of p parameters: value (n,), gradient (p, n), second derivatives (p, p, n)."""

    __array_ufunc__ = None  # an array times a jet is the jet's business

    def __init__(self, value: Long, gradient: Long, second: Long) -> None:
        self.value, self.gradient, self.second = value, gradient, second

    @classmethod
    def parameter(cls, value: float, place: int, count: int, n_rows: int) -> Jet:
        gradient = np.zeros((count, n_rows), LONG)
        gradient[place] = 1
        return cls(np.full(n_rows, value, LONG), gradient, np.zeros((count, count, n_rows), LONG))

    def through(self, value: Any, first: Any, second: Any) -> Jet:
        """The function with these derivatives, of this jet."""
        outer = self.gradient[:, None] * self.gradient[None]
        return Jet(value, first * self.gradient, second * outer + first * self.second)

    def as_jet(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return other
        value = np.broadcast_to(np.asarray(other, LONG), self.value.shape)
        return Jet(value, np.zeros_like(self.gradient), np.zeros_like(self.second))

    def exp(self) -> Jet:
        value = np.exp(self.value)
        return self.through(value, value, value)

    def log(self) -> Jet:
        return self.through(np.log(self.value), 1 / self.value, -1 / (self.value * self.value))

    def __add__(self, other: Any) -> Jet:
        jet = self.as_jet(other)
        return Jet(self.value + jet.value, self.gradient + jet.gradient, self.second + jet.second)

    def __mul__(self, other: Any) -> Jet:
        jet = self.as_jet(other)
        cross = self.gradient[:, None] * jet.gradient[None]
        return Jet(
            self.value * jet.value,
            self.value * jet.gradient + jet.value * self.gradient,
            self.value * jet.second + jet.value * self.second + cross + cross.transpose(1, 0, 2),
        )

    def __neg__(self) -> Jet:
        return self.__mul__(-1)

    def __sub__(self, other: Any) -> Jet:
        return self.__add__(self.as_jet(other).__neg__())

    def __rsub__(self, other: Any) -> Jet:
        return self.__neg__().__add__(other)

    def reciprocal(self) -> Jet:
        one = 1 / self.value
        return self.through(one, -one * one, 2 * one * one * one)

    def __truediv__(self, other: Any) -> Jet:
        return self.__mul__(self.as_jet(other).reciprocal())

    def __rtruediv__(self, other: Any) -> Jet:
        return self.reciprocal().__mul__(other)

    def __pow__(self, other: Any) -> Jet:
        return self.log().__mul__(other).exp()

    def __rpow__(self, other: Any) -> Jet:
        return self.__mul__(np.log(np.asarray(other, LONG))).exp()

    __radd__ = __add__
    __rmul__ = __mul__


def exp(x: Any) -> Any:
    return x.exp() if isinstance(x, Jet) else np.exp(x)


def log(x: Any) -> Any:
    return x.log() if isinstance(x, Jet) else np.log(x)


def log10(x: Any) -> Any:
    return log(x) / np.log(LONG(10))


def sigmoid(x: Any) -> Any:
    if not isinstance(x, Jet):
        return 1 / (1 + np.exp(-x))
    value = 1 / (1 + np.exp(-x.value))
    slope = value * (1 - value)
    return x.through(value, slope, slope * (1 - 2 * value))


FUNCTIONS = {"exp": exp, "log": log, "log10": log10, "sigmoid": sigmoid, "__builtins__": {}}


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """The law at values of its names, by Python's own grammar; far out it may overflow."""
    with np.errstate(all="ignore"):
        return eval(text, FUNCTIONS, dict(names))  # the texts are ours


def huber(r: Long, delta: float) -> tuple[Long, Long, Long]:
    """Huber's loss with its first two derivatives; half the square for an infinite scale."""
    size = np.abs(r)
    inside = size <= delta
    return (
        np.where(inside, r * r / 2, 0 if np.isinf(delta) else delta * (size - LONG(delta) / 2)),
        np.where(inside, r, 0 if np.isinf(delta) else delta * np.sign(r)),
        inside.astype(LONG),
    )


@dataclass(frozen=True)
class Minimum:
    """What holds at a point that is said to be a minimum."""

    objective: float
    decrement: float  # what Newton's method would still gain, of the parameters that may move
    is_convex: bool  # curvature positive definite on those
    pushes_out: bool  # parameters at a bound would leave the range if they could


def residuals(problem: Any, params: Mapping[str, float]) -> Long:
    """Residuals at a point."""
    names = {name: values.astype(LONG) for name, values in problem.columns.items()}
    prediction = evaluate(problem.family.text, names | {name: LONG(value) for name, value in params.items()})
    return np.asarray(_compare(problem, np.broadcast_to(prediction, problem.y.shape)), LONG)


def _compare(problem: Any, prediction: Any) -> Any:
    response = problem.y.astype(LONG)
    return log(prediction) - np.log(response) if problem.is_log else prediction - response


def objective(problem: Any, params: Mapping[str, float], f_scale: float) -> float:
    """Sum of weight times loss."""
    with np.errstate(all="ignore"):
        return float(np.sum(problem.weights * huber(residuals(problem, params), f_scale)[0]))


def expand(problem: Any, params: Mapping[str, float]) -> Jet:
    """Residuals at a point with their derivatives by the parameters, in the order of ``params``."""
    count, n_rows = len(params), problem.y.size
    jets = {name: Jet.parameter(value, k, count, n_rows) for k, (name, value) in enumerate(params.items())}
    columns = {name: values.astype(LONG) for name, values in problem.columns.items()}
    with np.errstate(all="ignore"):
        r: Jet = _compare(problem, evaluate(problem.family.text, columns | jets))
    return r


@dataclass(frozen=True)
class Expansion:
    """Objective, gradient and curvature at a point, and which parameters may move from there."""

    objective: Long
    gradient: Long
    hessian: Long
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def held(self) -> NDArray[np.bool_]:
        """Parameters at a bound that would leave the range if they could."""
        outward = ((self.values <= self.low) & (self.gradient >= 0)) | (
            (self.values >= self.high) & (self.gradient <= 0)
        )
        return np.asarray(outward)

    def newton(self, damping: float = 0.0) -> tuple[Long, float] | None:
        """Newton's step, damped relative to the diagonal, and what it promises; None without positive curvature."""
        moving = np.flatnonzero(~self.held)
        part, right = self.hessian[np.ix_(moving, moving)], -self.gradient[moving]
        scale = np.sqrt(np.abs(np.diagonal(part)))
        if not np.all(np.isfinite(part)) or np.any(scale == 0):
            return None
        matrix = part / np.outer(scale, scale) + damping * np.eye(moving.size, dtype=LONG)
        solved = _eliminate(matrix, right / scale)
        if solved is None:
            return None
        step = np.zeros(self.values.size, LONG)
        step[moving] = solved / scale
        return step, float(np.sum(right * step[moving]) / 2)

    def condition(self) -> float:
        """Condition number of the curvature on what may move, scaled to a unit diagonal."""
        moving = np.flatnonzero(~self.held)
        part = self.hessian[np.ix_(moving, moving)]
        scale = np.sqrt(np.abs(np.diagonal(part)))
        values = np.linalg.eigvalsh((part / np.outer(scale, scale)).astype(np.float64))
        return float(values[-1] / values[0]) if values.size and values[0] > 0 else (math.inf if values.size else 1.0)


def second_order(problem: Any, params: Mapping[str, float], f_scale: float) -> Expansion:
    """Expand the objective at a point."""
    r = expand(problem, params)
    with np.errstate(all="ignore"):
        rho, psi, slope = huber(r.value, f_scale)
        weights = problem.weights
        hessian = np.einsum("n,in,jn->ij", weights * slope, r.gradient, r.gradient)
        hessian += np.sum(weights * psi * r.second, axis=2)
        gradient = np.sum(weights * psi * r.gradient, axis=1)
    low, high = np.array([problem.ranges[name] for name in params]).T
    return Expansion(np.sum(weights * rho), gradient, hessian, low, high, np.array(list(params.values())))


def examine(problem: Any, params: Mapping[str, float], f_scale: float) -> Minimum:
    """Look at a point: value, decrement and curvature on the parameters that are inside their bounds."""
    at = second_order(problem, params, f_scale)
    newton = at.newton()
    is_at_bound = (at.values <= at.low) | (at.values >= at.high)
    return Minimum(
        objective=float(at.objective),
        decrement=float("inf") if newton is None else newton[1],
        is_convex=newton is not None,
        pushes_out=bool(np.all(at.held[is_at_bound])),
    )


def polish(problem: Any, params: Mapping[str, float], f_scale: float, most: int = 200) -> dict[str, float]:
    """Go down by damped Newton steps as far as that goes; no number of it is the engine's."""
    names, damping = list(params), 0.0
    at = second_order(problem, params, f_scale)
    for _ in range(most):
        newton = at.newton(damping)
        if newton is not None and newton[1] <= 1e-14 * at.objective:
            break
        if newton is not None:
            values = np.clip(at.values + newton[0].astype(np.float64), at.low, at.high)
            trial = second_order(problem, dict(zip(names, values.tolist(), strict=True)), f_scale)
            if trial.objective < at.objective:
                at, damping = trial, damping / 10 if damping > 1e-14 else 0.0
                continue
        damping = max(10 * damping, 1e-14)
        if damping > 1e6:
            break
    return dict(zip(names, at.values.tolist(), strict=True))


def _eliminate(matrix: Long, right: Long) -> Long | None:
    """Solve a symmetric system; None where it is not positive definite."""
    matrix, right = matrix.copy(), right.copy()
    n = right.size
    for k in range(n):
        if not matrix[k, k] > 0:
            return None
        factor = matrix[k + 1 :, k] / matrix[k, k]
        matrix[k + 1 :] -= factor[:, None] * matrix[k]
        right[k + 1 :] -= factor * right[k]
    for k in reversed(range(n)):
        right[k] = (right[k] - np.sum(matrix[k, k + 1 :] * right[k + 1 :])) / matrix[k, k]
    return right
