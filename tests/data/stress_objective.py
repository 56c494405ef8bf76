"""The objective and its derivatives without the engine: the law's text is evaluated by Python over second-order jets.

A `Jet` carries value, gradient and second derivatives of every row, in NumPy's longest float; derivatives are exact, so
no step has to be chosen. `Minimum` is what they say about a point: how far Newton's method would still go, and whether
the curvature is positive.
"""

from __future__ import annotations

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


def examine(problem: Any, params: Mapping[str, float], f_scale: float) -> Minimum:
    """Look at a point: value, decrement and curvature on the parameters that are inside their bounds."""
    names = list(params)
    with np.errstate(all="ignore"):
        jets = {
            name: Jet.parameter(params[name], place, len(names), problem.y.size) for place, name in enumerate(names)
        }
        columns = {name: values.astype(LONG) for name, values in problem.columns.items()}
        r = _compare(problem, evaluate(problem.family.text, columns | jets))
        rho, psi, slope = huber(r.value, f_scale)
        weights = problem.weights
        gradient = np.sum(weights * psi * r.gradient, axis=1)
        hessian = np.einsum("n,in,jn->ij", weights * slope, r.gradient, r.gradient)
        hessian += np.sum(weights * psi * r.second, axis=2)
    ranges = [problem.ranges[name] for name in names]
    at_lower = np.array([params[name] <= low for name, (low, _) in zip(names, ranges, strict=True)])
    at_upper = np.array([params[name] >= high for name, (_, high) in zip(names, ranges, strict=True)])
    held = (at_lower & (gradient >= 0)) | (at_upper & (gradient <= 0))
    moving = np.flatnonzero(~held)
    gain = _newton_gain(gradient[moving], hessian[np.ix_(moving, moving)])
    return Minimum(
        objective=float(np.sum(weights * rho)),
        decrement=float("inf") if gain is None else gain,
        is_convex=gain is not None,
        pushes_out=bool(np.all(held[at_lower | at_upper])),
    )


def _newton_gain(gradient: Long, hessian: Long) -> float | None:
    """Half of gradient · hessian⁻¹ · gradient by elimination; None where the curvature is not positive definite."""
    scale = np.sqrt(np.abs(np.diagonal(hessian)))
    if not np.all(np.isfinite(hessian)) or np.any(scale == 0):
        return None
    matrix, right = hessian / np.outer(scale, scale), gradient / scale
    total = LONG(0)
    for k in range(right.size):
        pivot = matrix[k, k]
        if pivot <= 0:
            return None
        total += right[k] * right[k] / pivot
        factor = matrix[k + 1 :, k] / pivot
        right = np.concatenate([right[: k + 1], right[k + 1 :] - factor * right[k]])
        matrix = matrix.copy()
        matrix[k + 1 :, k + 1 :] -= np.outer(factor, matrix[k, k + 1 :])
    return float(total / 2)
