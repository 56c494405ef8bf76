"""Reference values of `src/special/beta.rs`: the chance of failing k times under a Beta distribution, with derivatives.

    python beta_reference.py                  writes beta_reference.txt beside this file

A line is: function, its arguments (the shortest decimals that read back as the same doubles), the value rounded to a double.
Every digit counts: 120 are carried, of which differences of polygamma functions lose up to 50. Made with mpmath 1.3 or later.
"""

import random
from pathlib import Path

from mpmath import mp, mpf

mp.dps = 120

MEANS = [1e-12, 1e-9, 1e-6, 0.001, 0.02, 0.1, 0.3, 0.5, 0.9, 0.999, 1 - 1e-9]
SIZES = [1e-6, 1e-3, 0.2, 0.5, 2.0, 10.0, 50.0, 1e3, 1e6, 1e9, 1e12]
TRIES = [1.0, 1.109, 1.5, 2.0, 2.5, 3.0, 6.71, 16.0, 17.0, 26.98, 100.0, 200.0, 1e4, 12345.678, 1e6, 1e9]
# (a, b, k) where simple series and differences of log-gammas are known to fail, and the test vectors of the paper's law.
HARD = [
    (20, 30, 6.71), (50, 50, 2.5), (0.3, 12.4, 1e4), (1e-3, 1e6, 10), (1e-6, 1e9, 100), (0.2, 1e12, 1e6), (1e-9, 1e-9, 2.5),
    (1e5, 1e-3, 3.7), (1e-3, 1e5, 3.7), (0.2, 1.8, 10), (0.15, 0.35, 26.98), (2e-4, 0.1998, 1.109), (2e-4, 0.1998, 200),
    (3e-6, 2.999997, 1000), (5e5, 5e5, 3), (4.5, 0.5, 2.5), (2.5, 7.5, 1e6), (1e-10, 0.0999999999, 1e9), (1, 49, 6.71),
]  # fmt: skip
EXTRA = 100


def derivatives(mean: float, size: float, k: float) -> dict[str, mpf]:
    m, s, k = mpf(mean), mpf(size), mpf(k)
    b, a = (1 - m) * s, m * s

    def psi(order: int, x: mpf) -> mpf:
        return mp.psi(order, x)

    return {
        "value": mp.loggamma(b + k) - mp.loggamma(b) - mp.loggamma(a + b + k) + mp.loggamma(a + b),
        "mean": -s * (psi(0, b + k) - psi(0, b)),
        "size": (1 - m) * (psi(0, b + k) - psi(0, b)) - psi(0, s + k) + psi(0, s),
        "k": psi(0, b + k) - psi(0, s + k),
        "mean_mean": s * s * (psi(1, b + k) - psi(1, b)),
        "mean_size": -(psi(0, b + k) - psi(0, b)) - b * (psi(1, b + k) - psi(1, b)),
        "mean_k": -s * psi(1, b + k),
        "size_size": (1 - m) ** 2 * (psi(1, b + k) - psi(1, b)) - psi(1, s + k) + psi(1, s),
        "size_k": (1 - m) * psi(1, b + k) - psi(1, s + k),
        "k_k": psi(1, b + k) - psi(1, s + k),
    }


def rises(x: float, m: float) -> dict[str, mpf]:
    x, m = mpf(x), mpf(m)
    return {
        "rise": mp.loggamma(x + m) - mp.loggamma(x),
        "rise_first": mp.psi(0, x + m) - mp.psi(0, x),
        "rise_second": mp.psi(1, x + m) - mp.psi(1, x),
    }


def main() -> None:
    rng = random.Random(20260401)
    points = {(a / (a + b), float(a + b), float(k)) for a, b, k in HARD}
    grid = [(m, s, k) for m in MEANS for s in SIZES for k in TRIES]
    points |= set(rng.sample(grid, EXTRA))
    points |= {
        (10 ** rng.uniform(-12, -0.001), 10 ** rng.uniform(-6, 12), 10 ** rng.uniform(0, 9)) for _ in range(EXTRA)
    }
    points |= {(rng.random(), 10 ** rng.uniform(-2, 3), 10 ** rng.uniform(0, 2)) for _ in range(EXTRA)}
    lines = []
    for point in sorted(points):
        for name, value in derivatives(*point).items():
            exact = 0.0 if point[2] == 1.0 and "size" in name and name not in ("size_k",) else float(value)
            lines.append(f"{name} {point[0]!r} {point[1]!r} {point[2]!r} {exact!r}")
    for _ in range(EXTRA):
        x = 10 ** rng.uniform(-9, 9)
        m = float(rng.choice([1, 2, 5, 16, 17, 128, 10**4, 10**6, 3_700_000, rng.uniform(0, 50)]))
        lines += [f"{name} {x!r} {m!r} 0 {float(value)!r}" for name, value in rises(x, m).items()]
    (Path(__file__).parent / "beta_reference.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
