"""Reference values and polynomial coefficients of `src/special`, from mpmath alone.

    python special_reference.py                  writes special_reference.txt beside this file
    python special_reference.py --coefficients   prints the coefficients that the Rust sources hold

A line of the table is: function, argument, value with 50 digits, and what is left of the value after rounding it to a
double. The argument is the shortest decimal that reads back as the same double. Made with mpmath 1.3 or later; only the
arguments are random, and their seed is fixed.
"""

import math
import random
import sys
from pathlib import Path

from mpmath import mp, mpf

mp.dps = 80
RANDOM_ARGUMENTS = 40


def softplus(x: mpf) -> mpf:
    return mp.log1p(mp.exp(x))


def sigmoid(x: mpf) -> mpf:
    return 1 / (1 + mp.exp(-x))


def log_gamma(x: mpf) -> mpf:
    return mp.log(abs(mp.gamma(x))) if abs(x) < 1e6 else mp.re(mp.loggamma(x))


FUNCTIONS = {
    "exp": mp.exp,
    "ln": mp.log,
    "expm1": mp.expm1,
    "log1p": mp.log1p,
    "softplus": softplus,
    "sigmoid": sigmoid,
    "tanh": mp.tanh,
    "sin": mp.sin,
    "cos": mp.cos,
    "atan": mp.atan,
    "lgamma": log_gamma,
    "digamma": lambda x: mp.psi(0, x),
    "trigamma": lambda x: mp.psi(1, x),
}


def neighbours(x: float) -> list[float]:
    """x and the doubles on both sides."""
    return [math.nextafter(x, -math.inf), x, math.nextafter(x, math.inf)]


def logarithmic(rng: random.Random, low: float, high: float, count: int) -> list[float]:
    return [10.0 ** rng.uniform(low, high) for _ in range(count)]


def uniform(rng: random.Random, low: float, high: float, count: int) -> list[float]:
    return [rng.uniform(low, high) for _ in range(count)]


def both_signs(values: list[float]) -> list[float]:
    return [sign * value for value in values for sign in (1.0, -1.0)]


def arguments(name: str, count: int, seed: int = 1) -> list[float]:
    """The hard places of a function's domain, then `count` random arguments for each of its scales."""
    rng = random.Random(f"{seed} {name}")
    ln2 = math.log(2)
    tiny = both_signs([1e-300, 1e-20, 2.0**-54, 2.0**-53, 1e-12, 1e-8, 1e-4])
    halves = [x for k in (-1021, -700, -54, -3, -1, 1, 2, 3, 53, 54, 700, 1023) for x in neighbours((k + 0.5) * ln2)]
    if name == "exp":
        edges = [-708.04, -707.0, -1.0, 0.0, 1.0, 709.0, *neighbours(709.782712893383)]
        return (
            tiny
            + edges
            + [x for x in halves if -708.04 < x < 709.7]
            + uniform(rng, -708.04, 709.78, count)
            + uniform(rng, -1.0, 1.0, count)
        )
    if name == "expm1":
        edges = [-60.0, -50.0, -38.0, -37.0, -36.0, -1.0, 1.0, 36.0, 38.0, *neighbours(709.782712893383)]
        small = both_signs(logarithmic(rng, -17, 0, count))
        return tiny + edges + [x for x in halves if x < 709.7] + small + uniform(rng, -40.0, 709.0, count)
    if name == "ln":
        edges = [5e-324, 1e-320, 2.2e-308, sys.float_info.min, sys.float_info.max, 2.0, 0.5, math.e, 10.0]
        edges += [x for y in (1.0, math.sqrt(0.5), math.sqrt(2.0), 2.0, 1e-300, 1e300) for x in neighbours(y)]
        edges += [1.0 + sign * 2.0**-k for k in range(1, 52, 3) for sign in (1, -1)]
        return edges + logarithmic(rng, -307, 308, count) + uniform(rng, 0.5, 2.0, 2 * count)
    if name == "log1p":
        edges = [-0.5, -0.999, math.nextafter(-1.0, 0.0), 1.0, 2.0, 1e16, 1e300, sys.float_info.max]
        edges += [y - 1.0 for x in (math.sqrt(0.5), math.sqrt(2.0)) for y in neighbours(x)]
        small = both_signs(logarithmic(rng, -17, 0, count))
        return tiny + edges + small + logarithmic(rng, 0, 300, count) + uniform(rng, -0.99, 1.0, count)
    if name in ("softplus", "sigmoid"):
        edges = [-708.04, -700.0, -1.0, 0.0, 1.0, 36.0, 37.0, 700.0, 800.0, 1e300]
        return tiny + edges + uniform(rng, -40.0, 40.0, 2 * count) + uniform(rng, -708.04, 0.0, count)
    if name == "tanh":
        return [*tiny, 0.0, 1.0, 18.0, 19.0, 20.0, 25.0, 400.0, 1e300, *both_signs(logarithmic(rng, -9, 1.3, count))]
    if name in ("sin", "cos"):
        near_zeros = [k * math.pi / 2 for k in (1, 2, 3, 4, 1000, 10**6)]
        return [*tiny, 0.0, 1e22, 1e300, *near_zeros, *uniform(rng, -7.0, 7.0, count), *logarithmic(rng, 0, 15, count)]
    if name == "atan":
        return [*tiny, 0.0, 1.0, 1e300, *both_signs(logarithmic(rng, -9, 12, count))]
    # The gamma family: poles at 0, -1, …; zeros of lgamma at 1 and 2, of digamma near 1.4616.
    edges = [1e-150, 1e-10, 1e-3, 0.5, 1.5, 2.5, 3.0, 10.0, 12.0, 100.0, 1e6, 1e15, 1e100]
    edges += [math.nextafter(x, 0.0) for x in (1.0, 2.0, 3.0, 12.0)] + neighbours(1.4616321449683623)
    edges += [x + sign * 2.0**-k for x in (1, 2) for k in (4, 10, 30, 45) for sign in (1, -1)]
    below = [-0.5, -1.5, -2.25, -10.75, -100.5, -1e-10, *uniform(rng, -20.0, 0.0, count)]
    return (
        edges
        + uniform(rng, 0.0, 3.0, count)
        + logarithmic(rng, -8, 8, 2 * count)
        + uniform(rng, 1.0, 15.0, count)
        + below
    )


def table() -> str:
    lines = []
    for name, function in FUNCTIONS.items():
        for x in dict.fromkeys(arguments(name, RANDOM_ARGUMENTS)):
            value = function(mpf(x))
            rest = float(value - mpf(float(value)))
            lines.append(f"{name} {x!r} {mp.nstr(value, 50, strip_zeros=False)} {rest!r}")
    return "\n".join(lines) + "\n"


def minimax(function, weight, low: mpf, high: mpf, degree: int) -> list[mpf]:
    """The polynomial p that makes the largest |weight (p - function)| least, by Remez's exchange on a grid."""
    n_grid, n_points = 600, degree + 2
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / n_grid) for i in range(n_grid + 1)]
    grid = [x for x in grid if abs(weight(x)) > 1e-12]
    target, weights = [function(x) for x in grid], [abs(weight(x)) for x in grid]
    points = [round(i * (len(grid) - 1) / (n_points - 1)) for i in range(n_points)]
    while True:
        equations, right = mp.matrix(n_points, n_points), mp.matrix(n_points, 1)
        for row, k in enumerate(points):
            for j in range(degree + 1):
                equations[row, j] = grid[k] ** j
            equations[row, degree + 1] = (-1) ** row / weights[k]
            right[row] = target[k]
        solution = mp.lu_solve(equations, right)
        coefficients = [solution[j] for j in range(degree + 1)]
        errors = [(mp.polyval(coefficients[::-1], x) - f) * w for x, f, w in zip(grid, target, weights, strict=False)]
        extrema: list[int] = []
        for k, error in enumerate(errors):
            if extrema and mp.sign(errors[extrema[-1]]) == mp.sign(error):
                if abs(error) > abs(errors[extrema[-1]]):
                    extrema[-1] = k
            else:
                extrema.append(k)
        while len(extrema) > n_points:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        if extrema == points or len(extrema) < n_points:
            return coefficients
        points = extrema


def interpolation(function, low: mpf, high: mpf, degree: int) -> list[mpf]:
    """The polynomial through the Chebyshev nodes."""
    n = degree + 1
    nodes = [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    equations = mp.matrix(n, n)
    for i, x in enumerate(nodes):
        for j in range(n):
            equations[i, j] = x**j
    solution = mp.lu_solve(equations, mp.matrix([function(x) for x in nodes]))
    return [solution[j] for j in range(n)]


def print_coefficients() -> None:
    mp.dps = 60
    half_ln2 = mp.log(2) / 2 * mpf("1.00001")
    z_max = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.00001")
    zero = mp.findroot(lambda x: mp.psi(0, x), mpf("1.4616"))

    def exp_tail(r: mpf) -> mpf:
        return mp.fsum(r**k / mp.factorial(k + 3) for k in range(30))

    def ln_tail(z: mpf) -> mpf:
        return mp.fsum(2 * z**k / (2 * k + 3) for k in range(40))

    def digamma_near_zero(t: mpf) -> mpf:
        return mp.psi(0, zero + t) / t

    polynomials = {
        "EXP_TAIL": minimax(exp_tail, lambda r: r**3, -half_ln2, half_ln2, 8),
        "LN_TAIL": minimax(ln_tail, lambda z: z * mp.sqrt(z), mpf("1e-9"), z_max, 6),
        "DIGAMMA_NEAR_ZERO": interpolation(digamma_near_zero, 1 - zero, 2 - zero, 21),
        "DIGAMMA_ZERO and its rest": [zero, zero - mpf(float(zero))],
        "LN_2_HI, LN_2_LO": [mp.floor(mp.log(2) * 2**33) / 2**33, mp.log(2) - mp.floor(mp.log(2) * 2**33) / 2**33],
    }
    for name, coefficients in polynomials.items():
        print(name, *(repr(float(coefficient)) for coefficient in coefficients), sep="\n    ")


if __name__ == "__main__":
    if sys.argv[1:] == ["--coefficients"]:
        print_coefficients()
    else:
        Path(__file__).with_suffix(".txt").write_text(table(), encoding="ascii")
