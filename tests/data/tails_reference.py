"""Reference values of the tails and quantiles of `src/special/tails.rs`, from mpmath alone.

    python tails_reference.py     writes tails_reference.txt beside this file

A line of the table is: function, arguments, value with 20 digits. Arguments are the shortest decimals that read back as
the same doubles. Values are sums of positive series, with digits enough for 1 - P where P is 1 but for a far tail.
"""

import random
from pathlib import Path

from mpmath import mp, mpf

# With that many digits a tail of at least that size has 30 correct digits.
DIGITS = ((45, 1e-12), (130, 1e-90), (400, 0.0))


def beta_lower(a: mpf, b: mpf, x: mpf, y: mpf) -> mpf:
    """Regularised incomplete beta function at x = 1 - y, DLMF 8.17.8."""
    term, total, n = mpf(1), mpf(1), 0
    while term > mp.eps * total:
        term *= (a + b + n) / (a + 1 + n) * x
        total += term
        n += 1
    log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    return total * mp.exp(a * mp.log(x) + b * mp.log(y) - log_beta) / a


def gamma_lower(a: mpf, x: mpf) -> mpf:
    """Regularised lower incomplete gamma function, DLMF 8.11.4."""
    term, total, n = 1 / a, 1 / a, 0
    while term > mp.eps * total:
        n += 1
        term *= x / (a + n)
        total += term
    return total * mp.exp(a * mp.log(x) - x - mp.loggamma(a))


def f_sf(f: mpf, dfn: mpf, dfd: mpf) -> mpf:
    a, b = dfn / 2, dfd / 2
    x, y = dfn * f / (dfd + dfn * f), dfd / (dfd + dfn * f)
    # The series of the smaller argument has fewer terms.
    return 1 - beta_lower(a, b, x, y) if x < y else beta_lower(b, a, y, x)


def t_sf(t: mpf, df: mpf) -> mpf:
    both = f_sf(t * t, mpf(1), df)
    return both / 2 if t > 0 else 1 - both / 2


def chi2_sf(x: mpf, df: mpf) -> mpf:
    return 1 - gamma_lower(df / 2, x / 2)


def root(function, target: mpf) -> mpf:
    """Where a falling function of a positive number is `target`."""
    left, right = mpf(0), mpf(0)
    while function(mp.exp(left)) < target:
        left -= 1
    while function(mp.exp(right)) > target:
        right += 1
    while right - left > 1e-20:
        middle = (left + right) / 2
        left, right = (middle, right) if function(mp.exp(middle)) > target else (left, middle)
    return mp.exp(left)


def t_quantile(p: mpf, df: mpf) -> mpf:
    return -t_quantile(1 - p, df) if p < 0.5 else root(lambda t: t_sf(t, df), 1 - p)


def f_quantile(p: mpf, dfn: mpf, dfd: mpf) -> mpf:
    return root(lambda f: f_sf(f, dfn, dfd), 1 - p)


def chi2_quantile(p: mpf, df: mpf) -> mpf:
    return root(lambda x: chi2_sf(x, df), 1 - p)


FREEDOM = [0.5, 1.0, 1.7, 2.0, 3.0, 4.5, 7.0, 15.0, 30.25, 100.0, 1234.5, 1e5, 1e7]
PROBABILITIES = [1e-40, 1e-12, 1e-6, 0.001, 0.025, 0.05, 0.2, 0.45, 0.499999, 0.500001, 0.6, 0.9, 0.975, 0.9995]


def table() -> list[tuple[str, list[float], mpf]]:
    rng = random.Random(1)
    rows = []
    for df in FREEDOM:
        for t in (-40.0, -2.5, -0.3, 1e-8, 0.01, 0.5, 1.0, 1.96, 3.3, 8.0, 20.0, 37.5):
            rows.append(("t_sf", [t, df]))
        if df < 20.0:
            rows += [("t_sf", [t, df]) for t in (1e3, 1e7, 1e14)]
        if df < 1e4:
            rows += [("chi2_sf", [x * df, df]) for x in (1e-6, 0.01, 0.3, 0.9, 0.999, 1.0, 1.01, 1.5, 3.0)]
            rows.append(("chi2_sf", [min(60.0 * df, df + 700.0), df]))
        points = [df + z * (2.0 * df) ** 0.5 for z in (-3.0, 1.0, 4.0, 8.0)]
        rows += [("chi2_sf", [x, df]) for x in points if x > 0.0]
        for other in (0.5, 1.0, 3.0, 8.5, 40.0, 1e4):
            for f in (1e-4, 0.2, 0.97, 1.0, 1.04, 2.0, 12.0):
                if max(df, other) < 1e3 or (min(df, other) < 50.0 and f < 5.0) or 0.9 < f < 1.1:
                    rows.append(("f_sf", [f * rng.uniform(0.99, 1.01), other, df]))
    rows += [("t_sf", [1e120, 1.0]), ("t_sf", [1e200, 0.5]), ("t_sf", [1e101, 2.5])]
    for df in (1.0, 2.5, 7.0, 23.0, 1e3):
        rows += [("t_quantile", [p, df]) for p in PROBABILITIES]
        rows += [("chi2_quantile", [p, df]) for p in PROBABILITIES]
        rows += [("f_quantile", [p, 3.0, df]) for p in PROBABILITIES]
    return [(name, args, precise(name, args)) for name, args in rows]


def precise(name: str, args: list[float]) -> mpf:
    function = globals()[name]
    for digits, least in DIGITS:
        mp.dps = digits
        if name.endswith("quantile") and args[0] < least:
            continue
        value = function(*map(mpf, args))
        if name.endswith("quantile") or value > least:
            break
    return value


if __name__ == "__main__":
    lines = [f"{name} {' '.join(map(repr, args))} {mp.nstr(value, 20)}\n" for name, args, value in table()]
    Path(__file__).with_suffix(".txt").write_text("".join(lines), encoding="ascii")
