"""The laws of the stress set: text, declarations, and how plausible or far-fetched parameters of each are drawn.

One function a law draws both the truths of the problems and the starts of the brute force: only the `Source` differs.
A law's text is evaluated by Python itself (`stress_objective`), so that nothing here leans on the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Params = dict[str, F64]
Columns = Mapping[str, F64]


class Source:
    """Parameters of truths: exponents from .1 to 1, terms of like size in the middle of the data."""

    def __init__(self, uniforms: Callable[[int], F64], size: int) -> None:
        self._uniforms = uniforms
        self.size = size

    def uniform(self, low: float, high: float) -> F64:
        return low + (high - low) * self._uniforms(self.size)

    def power_of_ten(self, low: float, high: float) -> F64:
        return np.asarray(10.0 ** self.uniform(low, high))

    def exponent(self) -> F64:
        return self.uniform(0.1, 1.0)

    def level(self) -> F64:
        return self.power_of_ten(-0.3, 1.0)

    def shares(self, count: int) -> list[F64]:
        parts = [-np.log1p(-self._uniforms(self.size)) for _ in range(count)]
        total = np.sum(parts, axis=0)
        return [part / total for part in parts]

    def anchor(self, x: F64) -> F64:
        return np.full(self.size, np.exp(np.log(x).mean()))


class WideSource(Source):
    """Parameters of starts: exponents of either sign up to 20, terms of any size that peak anywhere in the data."""

    def __init__(self, uniforms: Callable[[int], F64], size: int, typical: float) -> None:
        super().__init__(uniforms, size)
        self.typical = typical

    def exponent(self) -> F64:
        kind = self._uniforms(self.size)
        usual, signed, far = self.uniform(0.02, 1.5), self.uniform(-3.0, 3.0), self.power_of_ten(-2.0, 1.3)
        far *= np.where(self._uniforms(self.size) < 0.5, 1.0, -1.0)
        return np.where(kind < 0.5, usual, np.where(kind < 0.8, signed, far))

    def level(self) -> F64:
        return self.typical * self.power_of_ten(-0.5, 0.5)

    def shares(self, count: int) -> list[F64]:
        equal = super().shares(count)
        apart = self._uniforms(self.size) < 0.5
        return [np.where(apart, self.power_of_ten(-5.0, 0.0), part) for part in equal]

    def anchor(self, x: F64) -> F64:
        return np.quantile(x, self._uniforms(self.size))


def _powers(floor: str, *terms: tuple[str, str, str]) -> Callable[[Source, Columns], Params]:
    """Floor and terms ``amplitude * variable**-exponent``."""

    def draw(source: Source, x: Columns) -> Params:
        level, shares = source.level(), source.shares(1 + len(terms))
        params = {floor: shares[0] * level}
        for share, (amplitude, variable, exponent) in zip(shares[1:], terms, strict=True):
            if exponent not in params:
                params[exponent] = source.exponent()
            params[amplitude] = share * level * source.anchor(x[variable]) ** params[exponent]
        return params

    return draw


def _offset_exponent(source: Source, x: Columns) -> Params:
    params = _powers("E", ("A", "N", "alpha"), ("B", "D", "beta"))(source, x)
    params["gap"] = params.pop("beta") - params["alpha"]
    return params


def _kaplan_nd(source: Source, x: Columns) -> Params:
    params = {"alpha_N": np.abs(source.exponent()), "alpha_D": np.maximum(0.03, np.abs(source.exponent()))}
    inner = source.level() ** (1.0 / params["alpha_D"])
    by_size, by_data = source.shares(2)
    params["N_c"] = source.anchor(x["N"]) * (by_size * inner) ** (params["alpha_D"] / params["alpha_N"])
    params["D_c"] = source.anchor(x["D"]) * by_data * inner
    return params


def _parscale(source: Source, x: Columns) -> Params:
    level, (floor, reducible), alpha = source.level(), source.shares(2), source.exponent()
    size = source.anchor(x["N"]) * (reducible * level) ** (1.0 / alpha)
    return {"E": floor * level, "A": size, "alpha": alpha, "kappa": source.power_of_ten(-1.5, 0.3)}


def _shifted(source: Source, x: Columns) -> Params:
    level, (floor, reducible), alpha = source.level(), source.shares(2), source.exponent()
    shift = x["x"].min() * source.power_of_ten(-1.0, 1.0)
    return {
        "E": floor * level, "A": reducible * level * (source.anchor(x["x"]) + shift) ** alpha, "x0": shift,
        "alpha": alpha,
    }  # fmt: skip


def _saturating(source: Source, x: Columns) -> Params:
    level, (floor, reducible) = source.level(), source.shares(2)
    rate = np.sign(source.exponent()) * source.power_of_ten(-0.5, 1.0) / x["x"].max()
    return {"E": floor * level, "A": reducible * level * np.exp(rate * source.anchor(x["x"])), "r": rate}


def _sigmoid(source: Source, x: Columns) -> Params:
    logs = np.log10(x["C"])
    middle = logs.min() + (logs.max() - logs.min()) * source.uniform(0.1, 0.9)
    slope = np.sign(source.exponent()) * source.power_of_ten(-0.3, 0.7)
    return {"floor": source.uniform(0.0, 0.3), "gain": source.uniform(0.2, 0.7), "slope": slope, "middle": middle}


def _logsumexp(source: Source, x: Columns) -> Params:
    params = _powers("e", ("a", "N", "alpha"), ("b", "D", "beta"))(source, x)
    return params | {name: np.log(params[name]) for name in ("e", "a", "b")}


@dataclass(frozen=True)
class Family:
    """A law, the parameters that a problem may set to nothing, and those that it may bound."""

    name: str
    text: str
    variables: tuple[str, ...]
    positive: tuple[str, ...]
    draw: Callable[[Source, Columns], Params]
    zeros: tuple[str, ...]
    nothing: float = 0.0  # the value that means nothing
    bounded: tuple[str, ...] = ()


FAMILIES = (
    Family(
        "power_floor", "E + A*x**-alpha", ("x",), ("E", "A"), _powers("E", ("A", "x", "alpha")), ("E", "A"),
        bounded=("alpha",),
    ),
    Family(
        "chinchilla", "E + A*N**-alpha + B*D**-beta", ("N", "D"), ("E", "A", "B"),
        _powers("E", ("A", "N", "alpha"), ("B", "D", "beta")), ("E", "A", "B"), bounded=("alpha", "beta"),
    ),
    Family(
        "tied", "E + A*N**-alpha + B*D**-alpha", ("N", "D"), ("E", "A", "B"),
        _powers("E", ("A", "N", "alpha"), ("B", "D", "alpha")), ("E", "A", "B"), bounded=("alpha",),
    ),
    Family(
        "offset_exponent", "E + A*N**-alpha + B*D**-(alpha + gap)", ("N", "D"), ("E", "A", "B"), _offset_exponent,
        ("E", "A", "B"), bounded=("alpha",),
    ),
    Family(
        "kaplan_nd", "((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D", ("N", "D"),
        ("N_c", "D_c", "alpha_N", "alpha_D"), _kaplan_nd, ("D_c",),
    ),
    Family(
        "t2_loss", "E + A*N**-alpha + B*D**-beta + G*k**-gamma", ("N", "D", "k"), ("E", "A", "B", "G"),
        _powers("E", ("A", "N", "alpha"), ("B", "D", "beta"), ("G", "k", "gamma")), ("E", "A", "B", "G"),
        bounded=("alpha", "beta", "gamma"),
    ),
    Family(
        "parscale", "E + (A/(N*(kappa*log(P) + 1)))**alpha", ("N", "P"), ("E", "A", "kappa"), _parscale,
        ("E", "kappa"), bounded=("alpha",),
    ),
    Family(
        "shifted", "E + A*(x + x0)**-alpha", ("x",), ("E", "A", "x0"), _shifted, ("E", "A", "x0"), bounded=("alpha",),
    ),
    Family("saturating", "E + A*exp(-r*x)", ("x",), ("E", "A"), _saturating, ("E", "A"), bounded=("r",)),
    Family(
        "sigmoid", "floor + gain*sigmoid(slope*(log10(C) - middle))", ("C",), ("floor", "gain"), _sigmoid, ("floor",),
        bounded=("slope",),
    ),
    # No variable enters but through its logarithm: the form that published code minimises.
    Family(
        "logsumexp", "exp(a - alpha*log(N)) + exp(b - beta*log(D)) + exp(e)", ("N", "D"), (), _logsumexp,
        ("a", "b", "e"), nothing=-60.0, bounded=("alpha", "beta"),
    ),
)  # fmt: skip
