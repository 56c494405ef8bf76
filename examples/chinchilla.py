"""The Chinchilla points again: what was published, what minimises the published objective, how far it is known.

    python examples/chinchilla.py chinchilla_epoch.csv

reads the 245 points that Besiroglu et al. 2024 (arXiv:2404.10102) read off a figure of Hoffmann et al. 2022
(arXiv:2203.15556), a table with columns N, D, loss and epoch_used (False for the five of highest loss), and prints
every figure of docs/chinchilla.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

import lawfit as lf

USED = "epoch_used"
DELTA = 1e-3
# Training compute of Gopher and of Chinchilla, FLOP.
BUDGET = 5.88e23
# What is known well of an amplitude is its logarithm, and of an optimum how it grows with compute.
EXPONENT = "beta / (alpha + beta)"
# Tokens per parameter where the loss is lowest for 6*N*D = BUDGET.
RATIO = f"({BUDGET}/6)**((alpha - beta)/(alpha + beta)) * (alpha*A/(beta*B))**(-2/(alpha + beta))"
QUANTITIES = ("alpha", "beta", "E", EXPONENT)
N_REPLICATES = 4000
# Of their 80 % interval of that exponent, 0.454 to 0.455.
PUBLISHED_WIDTH = 0.001
# The same bits on every processor.
KERNELS = "portable"


def main() -> None:
    """Print the parts of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("points", help="CSV file with the columns N, D, loss and epoch_used")
    points = lf.read_table(parser.parse_args().points)
    runs = {name: points.column(name).values for name in ("N", "D", "loss")}
    used = points.column(USED).values.astype(bool)
    for part in (
        objectives({name: values[used] for name, values in runs.items()}),
        starts(points),
        intervals(points),
        experiments(points),
        left_out(runs),
        optimum(points),
    ):
        print("\n".join(part), end="\n\n")


def fit(data: object, where: str | None, **options: object) -> lf.Fit:
    """Fit the law with the objective of Hoffmann et al., but for what the options change."""
    given = {"loss": "huber", "f_scale": DELTA, "residual": "log", **options}
    return lf.fit(lf.laws.chinchilla, data, response="loss", where=where, kernels=KERNELS, **given)  # type: ignore[arg-type]


def huber(residuals: NDArray[np.float64]) -> float:
    """Return the objective of Hoffmann et al.: Huber's loss of log residuals, summed."""
    size = np.abs(residuals)
    return float(np.where(size <= DELTA, residuals**2 / 2, DELTA * (size - DELTA / 2)).sum())


def objectives(runs: Mapping[str, NDArray[np.float64]]) -> Iterator[str]:
    """Return what published coefficients score on the points that Besiroglu et al. use."""
    yield f"{'coefficients':<22} {'objective':>12} {'bias':>8} {EXPONENT:>24}"
    for name in ("hoffmann2022_printed", "hoffmann2022", "besiroglu2024", "besiroglu2024_huber"):
        params = lf.published[name].params
        residuals = np.log(lf.laws.chinchilla.evaluate(N=runs["N"], D=runs["D"], params=params)) - np.log(runs["loss"])
        share = params["beta"] / (params["alpha"] + params["beta"])
        yield f"{name:<22} {huber(residuals):12.4e} {np.median(residuals):+8.2%} {share:24.4f}"


def starts(points: lf.Table) -> Iterator[str]:
    """Return the minimum, with and without the five points of highest loss, and how many starts find it."""
    yield f"{'points':>6} {'objective':>14} {'E':>8} {'A':>8} {'alpha':>8} {'B':>9} {'beta':>8}   starts that agree"
    for where in (USED, None):
        for search in ("auto", "hoffmann2022"):
            found = fit(points, where, starts=search)
            p = found.params
            n_starts = 0 if found.starts is None else found.starts.objective.size
            yield (
                f"{found.n_rows:6d} {found.objective:14.8e} {p['E']:8.4f} {p['A']:8.2f} {p['alpha']:8.5f} "
                f"{p['B']:9.2f} {p['beta']:8.5f}  {found.start_agreement:.1%} of {n_starts}"
            )


def intervals(points: lf.Table) -> Iterator[str]:
    """Return 95 % intervals by the ways that papers take, and by the default."""
    published, default, squares = fit(points, USED), fit(points, USED, f_scale="mad"), fit(points, USED, loss="squared")
    yield f"{'fit':<13} {'interval':<19} {'alpha':>15} {'beta':>15} {'E':>15} {EXPONENT:>22}"
    for name, found in (("Huber, 1e-3", published), (f"Huber, {default.f_scale:.2g}", default), ("squares", squares)):
        pairs = found.bootstrap(N_REPLICATES, resample="pairs")
        bayesian = found.bootstrap(N_REPLICATES)
        ways = {
            f"Wald, {found.covariance_type}": [found.interval(quantity) for quantity in QUANTITIES],
            "pairs, percentile": [pairs.interval(quantity, method="percentile") for quantity in QUANTITIES],
            "Bayesian, expanded": [bayesian.interval(quantity) for quantity in QUANTITIES],
        }
        for way, found_intervals in ways.items():
            shown = [f"{each.lower:.3f} to {each.upper:.3f}" for each in found_intervals]
            yield f"{name:<13} {way:<19} {shown[0]:>15} {shown[1]:>15} {shown[2]:>15} {shown[3]:>22}"


def experiments(points: lf.Table) -> Iterator[str]:
    """Return how many points would make the interval of the exponent as narrow as the published one."""
    found = fit(points, USED)
    interval = found.bootstrap(N_REPLICATES, resample="pairs").interval(EXPONENT, level=0.8, method="percentile")
    width = interval.upper - interval.lower
    # Intervals narrow with the root of the number of points.
    n_needed = found.n_rows * (width / PUBLISHED_WIDTH) ** 2
    yield f"80 % interval of {EXPONENT}: {interval.lower:.3f} to {interval.upper:.3f}"
    yield f"points for one as wide as {PUBLISHED_WIDTH}: {n_needed:,.0f}"


def left_out(runs: Mapping[str, NDArray[np.float64]]) -> Iterator[str]:
    """Return the estimates when the points with the fewest tokens per parameter leave one after the other."""
    order = np.argsort(runs["D"] / runs["N"])
    yield f"{'left out':>8} {'D/N':>6} {'loss':>6} {'residual':>8}  {'alpha':>8} {'beta':>8} {'E':>8} {EXPONENT:>22}"
    yield " " * 33 + estimates(fit(runs, None))
    for n, row in enumerate(order[:8], start=1):
        found = fit({name: values[order[n:]] for name, values in runs.items()}, None)
        size, data, loss = (float(runs[name][row]) for name in ("N", "D", "loss"))
        residual = np.log(loss) - np.log(found.predict(N=size, D=data))
        yield f"{n:8d} {data / size:6.3f} {loss:6.3f} {residual:+8.1%}  {estimates(found)}"


def estimates(found: lf.Fit) -> str:
    """Return the exponents and the floor of a fit."""
    p = found.params
    return f"{p['alpha']:8.4f} {p['beta']:8.4f} {p['E']:8.4f} {found.derived(EXPONENT).value:22.4f}"


def optimum(points: lf.Table) -> Iterator[str]:
    """Return tokens per parameter at the compute of Chinchilla, with the interval of the default."""
    yield f"tokens per parameter at {BUDGET:g} FLOP"
    for name in ("hoffmann2022_printed", "hoffmann2022"):
        p = lf.published[name].params
        power = 1.0 / (p["alpha"] + p["beta"])
        ratio = (BUDGET / 6) ** ((p["alpha"] - p["beta"]) * power)
        yield f"{name:<22} {ratio * (p['alpha'] * p['A'] / (p['beta'] * p['B'])) ** (-2 * power):6.1f}"
    for where, said in ((USED, "240 points"), (None, "245 points")):
        for scale, name in ((DELTA, "Huber, 1e-3"), ("mad", "default")):
            found = fit(points, where, f_scale=scale)
            ends = found.bootstrap(N_REPLICATES).interval(RATIO)
            yield f"{f'{said}, {name}':<22} {found.derived(RATIO).value:6.1f}  {ends.lower:.1f} to {ends.upper:.1f}"


if __name__ == "__main__":
    main()
