"""Random problems of allocation: laws written out in NumPy, and points that spend their budgets, apart from the engine.

A problem knows how to spend: `spend` takes places in the unit cube to points within budgets and bounds. Where a law may
be best with something left, a place of its own says how much of the budget is used.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

special: Any = importlib.import_module("scipy.special")

F64 = NDArray[np.float64]
Points = dict[str, F64]
# What `lawfit.allocate` takes for a variable without bounds.
LEAST, MOST = 1.0, 1e30


@dataclass(frozen=True, slots=True)
class Problem:
    """What to allocate, and the same in NumPy."""

    law: str
    variables: tuple[str, ...]
    params: dict[str, float]
    budgets: dict[str, float]
    value: Callable[[Points], F64]
    spend: Callable[[F64], Points]
    n_free: int = 1
    maximize: bool = False
    bounds: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    at: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the call that repeats it."""
        return (
            f"lf.allocate(lf.Law({self.law!r}, {list(self.variables)}), {self.budgets}, params={self.params}, "
            f"bounds={self.bounds}, at={self.at}, maximize={self.maximize})"
        )


def span(low: float | F64, high: float | F64, place: F64) -> F64:
    """Return points between two ends, evenly in logarithms."""
    found: F64 = np.exp(np.log(low) + place * (np.log(high) - np.log(low)))
    return found


def log_uniform(rng: Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def term(rng: Generator, *scales: float) -> tuple[float, tuple[float, ...]]:
    """Return an amplitude and exponents: a product of powers that is 0.02 to 5 at the scales."""
    powers = tuple(rng.uniform(0.05, 1.0) for _ in scales)
    size = log_uniform(rng, 0.02, 5.0)
    return size * math.exp(sum(p * math.log(s) for p, s in zip(powers, scales, strict=True))), powers


def chinchilla_terms(rng: Generator, training: float) -> dict[str, float]:
    """Return a law of N and D that has its two terms where the budget can reach them."""
    size = math.sqrt(training / 6.0) * log_uniform(rng, 0.01, 10.0)
    a, (alpha,) = term(rng, size)
    b, (beta,) = term(rng, training / 6.0 / size)
    return {"E": rng.uniform(0.0, 2.0), "A": a, "alpha": alpha, "B": b, "beta": beta}


def training_budget(rng: Generator) -> float:
    return log_uniform(rng, 1e15, 1e26)


def both_budgets(rng: Generator) -> tuple[float, float]:
    """Return one of training, and one that leaves a model of N = D two to 10,000 samples."""
    c = training_budget(rng)
    return c, 2.0 * math.sqrt(c / 6.0) * log_uniform(rng, 2.0, 1e4)


def on_training(
    c: float, least_n: float = LEAST, most_n: float = MOST, most_d: float = MOST
) -> Callable[[F64], Points]:
    """Return points with 6 N D = c."""

    def spend(place: F64) -> Points:
        size = span(max(least_n, c / 6.0 / most_d), min(most_n, c / 6.0), place[0])
        return {"N": size, "D": c / 6.0 / size}

    return spend


def on_both(c: float, i: float) -> Callable[[F64], Points]:
    """Return points with 6 N D = c and 2 N k = i."""

    def spend(place: F64) -> Points:
        size = span(LEAST, min(c / 6.0, i / 2.0), place[0])
        return {"N": size, "D": c / 6.0 / size, "k": i / 2.0 / size}

    return spend


def additive(p: dict[str, float], x: Points) -> F64:
    value: F64 = p["E"] + p["A"] * x["N"] ** -p["alpha"] + p["B"] * x["D"] ** -p["beta"]
    return value


def sum_of_two(rng: Generator) -> Problem:
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    return Problem(
        "E + A*N**-alpha + B*D**-beta", ("N", "D"), p, {"6*N*D": c}, lambda x: additive(p, x), on_training(c)
    )


def bounded(rng: Generator) -> Problem:
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    middle = math.sqrt(c / 6.0)
    low, high = middle * log_uniform(rng, 1e-3, 0.3), middle * log_uniform(rng, 1.0, 100.0)
    tokens = middle * log_uniform(rng, 1.0, 1e3)
    return Problem(
        "E + A*N**-alpha + B*D**-beta", ("N", "D"), p, {"6*N*D": c}, lambda x: additive(p, x),
        on_training(c, low, high, tokens), bounds={"N": (low, high), "D": (None, tokens)},
    )  # fmt: skip


def three_sum(rng: Generator) -> tuple[dict[str, float], float, float]:
    c, i = both_budgets(rng)
    p = chinchilla_terms(rng, c)
    g, (gamma,) = term(rng, i / 2.0 / math.sqrt(c / 6.0))
    return {**p, "G": g, "gamma": gamma}, c, i


def sum_of_three(rng: Generator) -> Problem:
    p, c, i = three_sum(rng)
    return Problem(
        "E + A*N**-alpha + B*D**-beta + G*k**-gamma", ("N", "D", "k"), p, {"6*N*D": c, "2*N*k": i},
        lambda x: additive(p, x) + p["G"] * x["k"] ** -p["gamma"], on_both(c, i),
    )  # fmt: skip


def on_joint(c: float, demand: float) -> Callable[[F64], Points]:
    """Return points with 6 N D + 2 N k demand = c."""

    def spend(place: F64) -> Points:
        # A token and a parameter at least; training costs `odds` times as much as answers.
        k = span(LEAST, 0.999 * (c - 6.0) / (2.0 * demand), place[0])
        odds = span(3.0 / (k * demand), c / (2.0 * k * demand) - 1.0, place[1])
        return {"N": c / (2.0 * k * demand * (1.0 + odds)), "D": odds * k * demand / 3.0, "k": k}

    return spend


def one_joint_budget(rng: Generator) -> Problem:
    p, c, _ = three_sum(rng)
    demand = log_uniform(rng, 1e6, 1e14)
    return Problem(
        "E + A*N**-alpha + B*D**-beta + G*k**-gamma", ("N", "D", "k"), p, {f"6*N*D + 2*N*k*{demand!r}": c},
        lambda x: additive(p, x) + p["G"] * x["k"] ** -p["gamma"], on_joint(c, demand), n_free=2,
    )  # fmt: skip


def missed(a: F64, b: F64, k: F64) -> F64:
    """Return log of the mean of (1 - p)^k for p of a Beta distribution, an integral of digamma functions over a."""
    places, weights = np.polynomial.legendre.leggauss(48)
    t = 0.5 * a * (1.0 + places[:, np.newaxis])
    slopes = special.psi(b + k + t) - special.psi(b + 1.0 + t)
    found: F64 = -0.5 * a * (weights @ slopes) - np.log1p(a / b)
    return found


def latent_beta(rng: Generator) -> Problem:
    c, i = both_budgets(rng)
    p = {**chinchilla_terms(rng, c), "nu": log_uniform(rng, 0.3, 30.0)}
    p["E"] = rng.uniform(0.01, 1.0)

    def value(x: Points) -> F64:
        mean = np.exp(-additive(p, x))
        found: F64 = -np.log1p(-np.exp(missed(mean * p["nu"], -np.expm1(-additive(p, x)) * p["nu"], x["k"])))
        return found

    law = "L = E + A*N**-alpha + B*D**-beta; -log(beta_pass_at_k(exp(-L), nu, k))"
    ends = reachable(p, c, i)
    return Problem(
        law, ("N", "D", "k"), p, {"6*N*D": c, "2*N*k": i}, value, lambda place: between(place, c, i, ends),
        bounds={"N": ends},
    )  # fmt: skip


def reachable(p: dict[str, float], c: float, i: float) -> tuple[float, float]:
    """Return the ends of the sizes whose latent loss is at most 3 above the least: answers there do pass."""
    sizes = np.exp(np.linspace(0.0, math.log(min(c / 6.0, i / 2.0)), 2000))
    loss = additive(p, {"N": sizes, "D": c / 6.0 / sizes})
    good = sizes[loss <= loss.min() + 3.0]
    return float(good[0]), float(good[-1])


def between(place: F64, c: float, i: float, ends: tuple[float, float]) -> Points:
    size = span(ends[0], ends[1], place[0])
    return {"N": size, "D": c / 6.0 / size, "k": i / 2.0 / size}


def accuracy(rng: Generator) -> Problem:
    c, i = both_budgets(rng)
    p = chinchilla_terms(rng, c)
    del p["E"]
    p |= {
        "theta2": rng.uniform(0.5, 0.99), "theta0": rng.uniform(-1.0, 4.0), "theta3": rng.uniform(-1.0, 2.0),
        "theta4": rng.uniform(-0.5, 0.3),
    }  # fmt: skip
    ends = reachable({**p, "E": 0.0}, c, i)

    def value(x: Points) -> F64:
        loss = p["A"] * x["N"] ** -p["alpha"] + p["B"] * x["D"] ** -p["beta"]
        mean, size = p["theta2"] / (1.0 + np.exp(loss - p["theta0"])), np.exp(p["theta3"] + p["theta4"] * loss)
        found: F64 = -np.expm1(missed(mean * size, (1.0 - mean) * size, x["k"]))
        return found

    law = (
        "L = A*N**-alpha + B*D**-beta; mu = theta2*sigmoid(theta0 - L); nu = exp(theta3 + theta4*L); "
        "beta_pass_at_k(mu, nu, k)"
    )
    return Problem(
        law, ("N", "D", "k"), p, {"6*N*D": c, "2*N*k": i}, value, lambda place: between(place, c, i, ends),
        maximize=True, bounds={"N": ends},
    )  # fmt: skip


def kaplan(rng: Generator) -> Problem:
    c = training_budget(rng)
    size = math.sqrt(c / 6.0) * log_uniform(rng, 0.01, 10.0)
    p = {
        "N_c": size * log_uniform(rng, 0.1, 1e6), "alpha_N": rng.uniform(0.04, 0.5),
        "D_c": c / 6.0 / size * log_uniform(rng, 0.1, 1e4), "alpha_D": rng.uniform(0.04, 0.5),
    }  # fmt: skip

    def value(x: Points) -> F64:
        found: F64 = ((p["N_c"] / x["N"]) ** (p["alpha_N"] / p["alpha_D"]) + p["D_c"] / x["D"]) ** p["alpha_D"]
        return found

    return Problem("((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D", ("N", "D"), p, {"6*N*D": c}, value, on_training(c))


def outer_power(rng: Generator) -> Problem:
    c = training_budget(rng)
    p = {**chinchilla_terms(rng, c), "gamma": rng.uniform(0.2, 1.5)}

    def value(x: Points) -> F64:
        found: F64 = p["E"] + (additive(p, x) - p["E"]) ** p["gamma"]
        return found

    law = "E + (A*N**-alpha + B*D**-beta)**gamma"
    return Problem(law, ("N", "D"), p, {"6*N*D": c}, value, on_training(c))


def interaction(rng: Generator) -> Problem:
    """A cross term that falls with D and rises with N: large models overfit few tokens."""
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    middle = math.sqrt(c / 6.0)
    up, down = rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.6)
    p |= {"H": log_uniform(rng, 0.02, 1.0) * middle ** (down - up), "phi": up, "psi": down}

    def value(x: Points) -> F64:
        found: F64 = additive(p, x) + p["H"] * x["N"] ** p["phi"] * x["D"] ** -p["psi"]
        return found

    def spend(place: F64) -> Points:
        size = span(LEAST, c / 6.0, place[0])
        return {"N": size, "D": np.maximum(1.0, c / 6.0 / size)}

    law = "E + A*N**-alpha + B*D**-beta + H*N**phi*D**-psi"
    return Problem(law, ("N", "D"), p, {"6*N*D": c}, value, spend)


def two_valleys(rng: Generator) -> Problem:
    """A hump in N, as wide as a factor of 4 or more, that may part the valley in two."""
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    p |= {
        "H": log_uniform(rng, 0.02, 2.0), "M": math.sqrt(c / 6.0) * log_uniform(rng, 0.01, 10.0),
        "w": rng.uniform(1.4, 4.0),
    }  # fmt: skip

    def value(x: Points) -> F64:
        found: F64 = additive(p, x) + p["H"] * np.exp(-((np.log(x["N"] / p["M"]) / p["w"]) ** 2))
        return found

    law = "E + A*N**-alpha + B*D**-beta + H*exp(-(log(N/M)/w)**2)"
    return Problem(law, ("N", "D"), p, {"6*N*D": c}, value, on_training(c))


def joint_valleys(rng: Generator) -> Problem:
    """A hump in N and one in k under one budget: up to four valleys, two free variables."""
    p, c, i = three_sum(rng)
    middle = math.sqrt(c / 6.0)
    demand = middle / (i / 2.0 / middle) * log_uniform(rng, 0.1, 10.0)
    for height, place, width, centre in (("H", "M", "w", middle), ("Q", "R", "v", i / 2.0 / middle)):
        p |= {height: log_uniform(rng, 0.02, 2.0), place: centre * log_uniform(rng, 0.03, 3.0)}
        p |= {width: rng.uniform(1.4, 4.0)}

    def value(x: Points) -> F64:
        humps = p["H"] * np.exp(-((np.log(x["N"] / p["M"]) / p["w"]) ** 2))
        humps += p["Q"] * np.exp(-((np.log(x["k"] / p["R"]) / p["v"]) ** 2))
        found: F64 = additive(p, x) + p["G"] * x["k"] ** -p["gamma"] + humps
        return found

    law = "E + A*N**-alpha + B*D**-beta + G*k**-gamma + H*exp(-(log(N/M)/w)**2) + Q*exp(-(log(k/R)/v)**2)"
    budgets = {f"6*N*D + 2*N*k*{demand!r}": c}
    return Problem(law, ("N", "D", "k"), p, budgets, value, on_joint(c, demand), n_free=2)


def saturating(rng: Generator) -> Problem:
    """Tokens beyond a scale, and samples beyond another, buy nothing more."""
    c, i = both_budgets(rng)
    size = math.sqrt(c / 6.0)
    a, (alpha,) = term(rng, size)
    p = {
        "A": a, "alpha": alpha, "B": log_uniform(rng, 0.02, 5.0), "D_s": size * log_uniform(rng, 0.01, 100.0),
        "G": log_uniform(rng, 0.02, 5.0), "k_s": max(1.0, i / 2.0 / size * log_uniform(rng, 0.01, 10.0)),
    }  # fmt: skip

    def value(x: Points) -> F64:
        found: F64 = (
            p["A"] * x["N"] ** -p["alpha"] + p["B"] / (1.0 + x["D"] / p["D_s"]) + p["G"] * np.exp(-x["k"] / p["k_s"])
        )
        return found

    law = "A*N**-alpha + B/(1 + D/D_s) + G*exp(-k/k_s)"
    return Problem(law, ("N", "D", "k"), p, {"6*N*D": c, "2*N*k": i}, value, on_both(c, i))


def repeated(p: dict[str, float], x: Points, unique: float) -> F64:
    """Return the data-constrained loss of Muennighoff et al. 2023."""
    ratio = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1.0 / (p["alpha"] + p["beta"]))
    size = np.minimum(x["N"], (unique * ratio) ** (p["beta"] / p["alpha"]) * ratio)
    effective = size * (1.0 - p["R_N"] * np.expm1(-(x["N"] / size - 1.0) / p["R_N"]))
    tokens = unique * (1.0 - p["R_D"] * np.expm1(-(x["D"] / unique - 1.0) / p["R_D"]))
    found: F64 = p["E"] + p["A"] * effective ** -p["alpha"] + p["B"] * tokens ** -p["beta"]
    return found


MUENNIGHOFF = (
    "G = (alpha*A/(beta*B))**(1/(alpha + beta)); U_N = min(N, (U*G)**(beta/alpha)*G); "
    "N_eff = U_N + U_N*R_N*(1 - exp(-(N/U_N - 1)/R_N)); D_eff = U + U*R_D*(1 - exp(-(D/U - 1)/R_D)); "
    "E + A*N_eff**-alpha + B*D_eff**-beta"
)


def data_constrained(rng: Generator) -> Problem:
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    p["alpha"] = p["beta"] = rng.uniform(0.2, 0.6)
    p |= {"A": log_uniform(rng, 10.0, 3000.0), "B": log_uniform(rng, 10.0, 3000.0)}
    p |= {"R_D": log_uniform(rng, 3.0, 30.0), "R_N": log_uniform(rng, 3.0, 30.0)}
    unique = math.sqrt(c / 6.0) * log_uniform(rng, 0.01, 1.0)
    # The first epoch at least: below it the law says nothing.
    most = c / 6.0 / unique

    def spend(place: F64) -> Points:
        size = span(LEAST, most, place[0])
        return {"N": size, "D": c / 6.0 / size}

    return Problem(
        MUENNIGHOFF, ("N", "D", "U"), p, {"6*N*D": c}, lambda x: repeated(p, x, unique), spend,
        at={"U": unique}, bounds={"D": (unique, None)},
    )  # fmt: skip


def overfitted(rng: Generator) -> Problem:
    """More epochs are worse in the end, so that it may be best to leave something of the budget."""
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    p |= {"q": rng.uniform(0.02, 0.3), "s": rng.uniform(1.0, 3.0)}
    unique = math.sqrt(c / 6.0) * log_uniform(rng, 0.003, 3.0)
    p["U"] = unique
    # Where N is bounded as well, nothing takes what tokens leave.
    most = math.sqrt(c / 6.0) * log_uniform(rng, 0.001, 1.0) if rng.uniform() < 0.5 else MOST

    def value(x: Points) -> F64:
        epochs = x["D"] / unique
        found: F64 = additive(p, x) + p["q"] * np.log(1.0 + epochs) ** p["s"]
        return found

    def spend(place: F64) -> Points:
        size = span(LEAST, min(c / 6.0, most), place[0])
        return {"N": size, "D": span(1.0, c / 6.0 / size, place[1])}

    law = "E + A*N**-alpha + B*D**-beta + q*log(1 + D/U)**s"
    return Problem(law, ("N", "D"), p, {"6*N*D": c}, value, spend, n_free=2, bounds={"N": (None, most)})


def hump(rng: Generator) -> Problem:
    """Gao's reward of a distance that a reward model of N parameters allows, at a cost of both."""
    c = log_uniform(rng, 1e3, 1e12)
    p = {"alpha": rng.uniform(0.3, 3.0), "beta": log_uniform(rng, 0.05, 3.0), "c": rng.uniform(0.05, 0.5)}

    def value(x: Points) -> F64:
        found: F64 = x["d"] * (p["alpha"] - p["beta"] * x["N"] ** -p["c"] * np.log(x["d"]))
        return found

    def spend(place: F64) -> Points:
        # Below a distance of 1 a large reward model is the worse one, and money is left.
        size = span(LEAST, c / 0.01**2, place[0])
        return {"d": span(0.01, np.sqrt(c / size), place[1]), "N": size}

    law = "d*(alpha - beta*N**-c*log(d))"
    return Problem(law, ("d", "N"), p, {"N*d**2": c}, value, spend, 2, maximize=True, bounds={"d": (0.01, None)})


def shapes(rng: Generator) -> Problem:
    """Width, depth and tokens under one budget: two variables are free."""
    c = training_budget(rng)
    middle = c ** (1.0 / 3.0)
    a, (alpha,) = term(rng, middle**0.5)
    b, (beta,) = term(rng, middle**0.25)
    g, (gamma,) = term(rng, middle)
    p = {"E": rng.uniform(0, 2), "A": a, "alpha": alpha, "B": b, "beta": beta, "G": g, "gamma": gamma}

    def value(x: Points) -> F64:
        found: F64 = (
            p["E"] + p["A"] * x["w"] ** -p["alpha"] + p["B"] * x["l"] ** -p["beta"] + p["G"] * x["D"] ** -p["gamma"]
        )
        return found

    def spend(place: F64) -> Points:
        width = span(LEAST, math.sqrt(c / 72.0), place[0])
        depth = span(LEAST, c / 72.0 / width**2, place[1])
        return {"w": width, "l": depth, "D": c / 72.0 / width**2 / depth}

    law = "E + A*w**-alpha + B*l**-beta + G*D**-gamma"
    return Problem(law, ("w", "l", "D"), p, {"72*w**2*l*D": c}, value, spend, n_free=2)


def served(rng: Generator) -> Problem:
    """Training and a demand for answers in one budget."""
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    demand = math.sqrt(c / 6.0) * log_uniform(rng, 0.01, 10.0)

    def spend(place: F64) -> Points:
        size = span(LEAST, c / (6.0 + 2.0 * demand), place[0])
        return {"N": size, "D": (c - 2.0 * size * demand) / (6.0 * size)}

    return Problem(
        "E + A*N**-alpha + B*D**-beta", ("N", "D"), p, {f"6*N*D + 2*N*{demand!r}": c}, lambda x: additive(p, x), spend
    )


def with_embeddings(rng: Generator) -> Problem:
    """A cost that is no product of powers: parameters and their embeddings."""
    c = training_budget(rng)
    p = chinchilla_terms(rng, c)
    more = log_uniform(rng, 1.0, 1e5)

    def spend(place: F64) -> Points:
        # 6 (N + more N^(1/3)) is at most c, so that a token is left.
        least = math.exp(bisected(lambda u: 6.0 * (math.exp(u) + more * math.exp(u / 3.0)) - c, 0.0, 70.0))
        size = span(LEAST, least, place[0])
        return {"N": size, "D": c / (6.0 * (size + more * size ** (1.0 / 3.0)))}

    return Problem(
        "E + A*N**-alpha + B*D**-beta", ("N", "D"), p, {f"6*(N + {more!r}*N**(1/3))*D": c}, lambda x: additive(p, x),
        spend,
    )  # fmt: skip


def bisected(function: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if function(middle) < 0.0 else (low, middle)
    return low


FAMILIES = (
    sum_of_two, bounded, sum_of_three, one_joint_budget, latent_beta, accuracy, kaplan, outer_power, interaction,
    two_valleys, joint_valleys, saturating, data_constrained, overfitted, hump, shapes, served, with_embeddings,
)  # fmt: skip
