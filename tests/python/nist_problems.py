"""The NIST StRD nonlinear problems: their laws as text, their files, and how many digits of a fit are right."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lawfit as lf

F64 = NDArray[np.float64]

# As the files print them, in the language of laws. Parameters are b1, b2, ... in order.
LAWS = {
    "Bennett5": "b1*(b2 + x)**(-1/b3)",
    "BoxBOD": "b1*(1 - exp(-b2*x))",
    "Chwirut1": "exp(-b1*x)/(b2 + b3*x)",
    "Chwirut2": "exp(-b1*x)/(b2 + b3*x)",
    "DanWood": "b1*x**b2",
    "ENSO": "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4)"
    " + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)",
    "Eckerle4": "(b1/b2)*exp(-0.5*((x - b3)/b2)**2)",
    "Gauss1": "b1*exp(-b2*x) + b3*exp(-(x - b4)**2/b5**2) + b6*exp(-(x - b7)**2/b8**2)",
    "Gauss2": "b1*exp(-b2*x) + b3*exp(-(x - b4)**2/b5**2) + b6*exp(-(x - b7)**2/b8**2)",
    "Gauss3": "b1*exp(-b2*x) + b3*exp(-(x - b4)**2/b5**2) + b6*exp(-(x - b7)**2/b8**2)",
    "Hahn1": "(b1 + b2*x + b3*x**2 + b4*x**3)/(1 + b5*x + b6*x**2 + b7*x**3)",
    "Kirby2": "(b1 + b2*x + b3*x**2)/(1 + b4*x + b5*x**2)",
    "Lanczos1": "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)",
    "Lanczos2": "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)",
    "Lanczos3": "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)",
    "MGH09": "b1*(x**2 + x*b2)/(x**2 + x*b3 + b4)",
    "MGH10": "b1*exp(b2/(x + b3))",
    "MGH17": "b1 + b2*exp(-x*b4) + b3*exp(-x*b5)",
    "Misra1a": "b1*(1 - exp(-b2*x))",
    "Misra1b": "b1*(1 - (1 + b2*x/2)**(-2))",
    "Misra1c": "b1*(1 - (1 + 2*b2*x)**(-.5))",
    "Misra1d": "b1*b2*x*((1 + b2*x)**(-1))",
    "Nelson": "b1 - b2*x1*exp(-b3*x2)",
    "Rat42": "b1/(1 + exp(b2 - b3*x))",
    "Rat43": "b1/((1 + exp(b2 - b3*x))**(1/b4))",
    "Roszman1": "b1 - b2*x - atan(b3/(x - b4))/pi",
    "Thurber": "(b1 + b2*x + b3*x**2 + b4*x**3)/(1 + b5*x + b6*x**2 + b7*x**3)",
}

# Groups of parameters that may change places without changing the law. The others keep theirs.
INTERCHANGEABLE = {
    "ENSO": (("b4", "b5", "b6"), ("b7", "b8", "b9")),
    "Gauss1": (("b3", "b4", "b5"), ("b6", "b7", "b8")),
    "Gauss2": (("b3", "b4", "b5"), ("b6", "b7", "b8")),
    "Gauss3": (("b3", "b4", "b5"), ("b6", "b7", "b8")),
    "Lanczos1": (("b1", "b2"), ("b3", "b4"), ("b5", "b6")),
    "Lanczos2": (("b1", "b2"), ("b3", "b4"), ("b5", "b6")),
    "Lanczos3": (("b1", "b2"), ("b3", "b4"), ("b5", "b6")),
    "MGH17": (("b2", "b4"), ("b3", "b5")),
}

# Parameters, or groups of them, whose common sign changes nothing.
SIGN_FREE = {
    "Eckerle4": (("b1", "b2"),),
    "Gauss1": (("b5",), ("b8",)),
    "Gauss2": (("b5",), ("b8",)),
    "Gauss3": (("b5",), ("b8",)),
    "ENSO": (("b4", "b6"), ("b7", "b9")),
}

# NIST prints eleven digits.
MOST_DIGITS = 11.0
# What a fit must reach: 64-bit floats hold no more of the residuals of Lanczos1, which are 8e-14.
NEEDED = {"params": 8.0, "stderr": 6.0, "sse": 8.0}
NEEDED_LANCZOS1 = {"params": 8.0, "stderr": 3.0, "sse": 3.0}
# A start that ends this close to the certified sum of squares, relative to it, has found the optimum.
HIT = 1e-6
HIT_LANCZOS1 = 1e-2


@dataclass(frozen=True)
class Problem:
    """One file: data, both published starts, what NIST certifies."""

    name: str
    law: lf.Law
    runs: dict[str, F64]
    starts: F64
    params: F64
    stderr: F64
    sse: float


@dataclass(frozen=True)
class Digits:
    """Correct digits of the worst parameter, of the worst standard deviation, and of the residual sum of squares."""

    params: float
    stderr: float
    sse: float


@lru_cache
def read(path: Path) -> Problem:
    """Read a .dat file; the response of Nelson is its logarithm."""
    name = path.stem
    lines = path.read_text(encoding="ascii").splitlines()
    numbers = [re.match(r"\s+b\d+ =((?:\s+\S+){4})\s*$", line) for line in lines]
    table = np.array([[float(word) for word in match[1].split()] for match in numbers if match])
    (sse,) = (float(line.split(":")[1]) for line in lines if line.startswith("Residual Sum of Squares:"))
    header = max(i for i, line in enumerate(lines) if line.startswith("Data:"))
    values = np.array([[float(word) for word in line.split()] for line in lines[header + 1 :] if line.strip()])
    variables = ["x"] if values.shape[1] == 2 else [f"x{i}" for i in range(1, values.shape[1])]
    response = np.log(values[:, 0]) if name == "Nelson" else values[:, 0]
    law = lf.Law(LAWS[name], variables=variables)
    order = [law.parameters.index(f"b{i}") for i in range(1, len(table) + 1)]
    inverse = np.argsort(order)
    return Problem(
        name,
        law,
        {"y": response} | dict(zip(variables, values[:, 1:].T.copy(), strict=True)),
        table[inverse, :2].T.copy(),
        table[inverse, 2],
        table[inverse, 3],
        sse,
    )


def fit(problem: Problem, **options: object) -> lf.Fit:
    """Least squares as NIST does it, with default options of the solver."""
    return lf.fit(
        problem.law,
        problem.runs,
        response="y",
        loss="squared",
        residual="linear",
        covariance="classical",
        **options,  # type: ignore[arg-type]
    )


def most_starts(problem: Problem) -> int:
    """How many default starts a fit makes where its first ones do not say all: 16 of a law that is scanned, else 64."""
    return 16 if fit(problem).certificate.n_starts <= 16 else 64


def fit_from(problem: Problem, start: int, solver: str) -> lf.Fit:
    """From a published start, 1 or 2."""
    begin = zip(problem.law.parameters, problem.starts[start - 1], strict=True)
    return fit(problem, starts={name: [value] for name, value in begin}, solver=solver)


def correct_digits(found: F64, certified: F64) -> float:
    """Digits, by the largest relative error; at most what NIST prints, at least none."""
    error = float(np.max(np.abs(found - certified) / np.abs(certified), initial=0.0))
    if not np.isfinite(error):
        return 0.0
    return float(np.clip(-np.log10(max(error, 1e-300)), 0.0, MOST_DIGITS))


def equivalents(problem: Problem) -> list[tuple[list[int], F64]]:
    """Every way to write a parameter vector of the same law: which parameter to read, and with which sign."""
    place = problem.law.parameters.index
    groups = INTERCHANGEABLE.get(problem.name, ())
    flips = SIGN_FREE.get(problem.name, ())
    ways = []
    for permutation in itertools.permutations(groups):
        order = list(range(len(problem.law.parameters)))
        for to, source in zip(groups, permutation, strict=True):
            for a, b in zip(to, source, strict=True):
                order[place(a)] = place(b)
        for chosen in itertools.product((1.0, -1.0), repeat=len(flips)):
            signs = np.ones(len(order))
            for sign, names in zip(chosen, flips, strict=True):
                signs[[place(name) for name in names]] = sign
            ways.append((order, signs))
    return ways


def lanczos_sse(params: F64, runs: dict[str, F64]) -> float:
    """Residual sum of squares in 40 digits: 64-bit sums of three exponentials of the size of 1 have errors of 1e-16."""
    with localcontext() as context:
        context.prec = 40
        b = [Decimal(float(value)) for value in params]
        total = Decimal(0)
        for x, y in zip(runs["x"].tolist(), runs["y"].tolist(), strict=True):
            terms = (b[i] * (-b[i + 1] * Decimal(x)).exp() for i in (0, 2, 4))
            total += (sum(terms) - Decimal(y)) ** 2
        return float(total)


def digits(found: lf.Fit, problem: Problem) -> Digits:
    """Digits of a fit, up to the places and signs that the law leaves open."""
    names = problem.law.parameters
    params, stderr = (np.array([values[name] for name in names]) for values in (found.params, found.stderr))
    best, order = max(
        (correct_digits(params[order] * signs, problem.params), order) for order, signs in equivalents(problem)
    )
    sse = lanczos_sse(params, problem.runs) if problem.name == "Lanczos1" else found.sse
    return Digits(
        best,
        correct_digits(stderr[order], problem.stderr),
        correct_digits(np.array([sse]), np.array([problem.sse])),
    )


def needed(problem: Problem) -> Digits:
    """What a fit must reach."""
    return Digits(**(NEEDED_LANCZOS1 if problem.name == "Lanczos1" else NEEDED))


def hits(found: lf.Fit, problem: Problem) -> float:
    """Share of the starts that end at the certified optimum."""
    if found.starts is None:
        raise ValueError("one fit keeps its starts")
    tolerance = HIT_LANCZOS1 if problem.name == "Lanczos1" else HIT
    return float(np.mean(2 * found.starts.objective <= problem.sse * (1 + tolerance)))
