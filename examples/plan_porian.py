"""What a budget should buy, from runs that can decide: how large a model, by laws and by curves of equal compute.

    python examples/plan_porian.py porian_rw_88.csv

reads 88 runs of Porian et al. 2024 (arXiv:2406.19146; RefinedWeb, base hyper-parameters), a table with columns C, N, D
and loss, and prints the first half of docs/worked-plan.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import lawfit as lf

F64 = NDArray[np.float64]

# Training compute to plan for, FLOP: four budgets of the data, and one 400 times the largest.
COMPUTE = np.array([5e16, 4e17, 3.2e18, 2.56e19, 1e22])
# Where the curves of equal compute are lowest, N = K C**a: a parabola of log N through the five runs around the lowest
# point, and the curve of Akima of the authors' code.
PUBLISHED = {"parabola": (0.01127, 0.5518), "Akima": (0.00478, 0.5714)}
LINES = tuple(PUBLISHED.values())
# Which budget the decision is for: the largest of the data.
PLANNED = 3
LAWS = (lf.laws.chinchilla, lf.laws.kaplan_nd_floor, lf.laws.chinchilla_gamma)
N_REPLICATES = 2000
# The same bits on every processor.
KERNELS = "portable"


def main() -> None:
    """Print the parts of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", help="CSV file with the columns C, N, D and loss")
    runs = lf.read_table(parser.parse_args().runs)
    compared = lf.compare(list(LAWS), runs, response="loss", by=["folds", "6*N*D"])
    fronts = {str(law.name): front(law, runs) for law in LAWS}
    for part in (data(runs), laws(compared), sizes(runs, fronts), ratios(fronts), sentence(compared, fronts)):
        print("\n".join(part), end="\n\n")


def front(law: lf.Law, runs: lf.Table) -> lf.Frontier:
    """Allocate every draw of a law fitted with the defaults."""
    fit = lf.fit(law, runs, response="loss", kernels=KERNELS)
    return fit.bootstrap(N_REPLICATES).allocate({"6*N*D": COMPUTE})


def parts(band: lf.Prediction) -> tuple[F64, F64, F64]:
    """Return the value and the ends of an interval."""
    value, lower, upper = (np.atleast_1d(part) for part in (band.value, band.lower, band.upper))
    return value, lower, upper


def data(runs: lf.Table) -> Iterator[str]:
    """Return what was run."""
    size, tokens, compute = (runs.column(name).values for name in ("N", "D", "C"))
    yield f"{size.size} runs, {np.unique(size).size} sizes, {np.unique(compute).size} budgets"
    for name, values in (("6ND", compute), ("N", size), ("D", tokens), ("D/N", tokens / size)):
        yield f"{name:<4} {values.min():.3g} to {values.max():.3g}"


def laws(compared: lf.Comparison) -> Iterator[str]:
    """Return what tells the laws apart on held-out runs."""
    yield f"{'held out':<10} {'law':<18} {'mean error':>10}   {'loss behind the best':>22}"
    for place, (by, words) in enumerate((("folds", "at random"), ("6*N*D", "largest C"))):
        for law in compared.laws:
            score = law.scores[place]
            assert score.by == by
            behind = f"{1e6 * score.difference:.1f} +- {1e6 * score.difference_stderr:.1f} e-6"
            shown = behind if score.difference else "best"
            yield f"{words:<10} {law.name:<18} {score.mean_error:10.2%}   {shown:>22}" + (
                "" if score.survives else "  out"
            )


def sizes(runs: lf.Table, fronts: dict[str, lf.Frontier]) -> Iterator[str]:
    """Return the best size at each budget, in millions."""
    head = "".join(f" {compute:>16g}" for compute in COMPUTE)
    yield f"{'N / 1e6 at 6ND =':<20}{head}"
    for name, (scale, power) in PUBLISHED.items():
        yield f"{f'curves, {name}':<20}" + "".join(f" {scale * c**power / 1e6:16.1f}" for c in COMPUTE)
    rows = {"curves, line": lf.isoflop(runs, response="loss", budget="C").predict(COMPUTE)}
    for name, found in fronts.items():
        rows[name] = parts(found.interval("N"))
    for name, (value, lower, upper) in rows.items():
        yield f"{name:<20}" + "".join(f" {size / 1e6:16.1f}" for size in value)
        ends = zip(lower, upper, strict=True)
        yield f"{'  95 %':<20}" + "".join(f" {f'{low / 1e6:.1f} to {high / 1e6:.1f}':>16}" for low, high in ends)
    low, high = fronts["chinchilla_gamma"].plan.near()["N"]
    pairs = zip(np.atleast_1d(low), np.atleast_1d(high), strict=True)
    yield f"{'  5 % of compute':<20}" + "".join(f" {f'{a / 1e6:.0f} to {b / 1e6:.0f}':>16}" for a, b in pairs)
    beyond = fronts["chinchilla_gamma"].plan.beyond["N"]
    yield f"{'  times the data':<20}" + "".join(f" {factor:16.3g}" for factor in np.atleast_1d(beyond))


def ratios(fronts: dict[str, lf.Frontier]) -> Iterator[str]:
    """Return tokens per parameter."""
    yield f"{'D/N at 6ND =':<20}" + "".join(f" {compute:>16g}" for compute in COMPUTE)
    for name, found in fronts.items():
        three = zip(*parts(found.interval("D/N")), strict=True)
        yield f"{name:<20}" + "".join(f" {f'{v:.1f} ({a:.1f} to {b:.1f})':>16}" for v, a, b in three)


def sentence(compared: lf.Comparison, fronts: dict[str, lf.Frontier]) -> Iterator[str]:
    """Return how often the laws hold the curves, and the decision by those that survive."""
    bands = {name: parts(found.interval("N")) for name, found in fronts.items()}
    optima = [(place, scale * COMPUTE[place] ** power) for place in range(PLANNED + 1) for scale, power in LINES]
    for name, (_, lower, upper) in bands.items():
        n_held = sum(bool(lower[place] <= best <= upper[place]) for place, best in optima)
        yield f"{name}: intervals hold {n_held} of {len(optima)} published optima of the curves"
    kept = [law.name for law in compared.laws if all(score.survives for score in law.scores)]
    values = [bands[name][0][PLANNED] for name in kept]
    ends = [end[PLANNED] for name in kept for end in bands[name][1:]]
    tokens = [np.atleast_1d(fronts[name].plan["D"])[PLANNED] for name in kept]
    yield (
        f"At {COMPUTE[PLANNED]:g} FLOP: {min(values) / 1e6:.0f} to {max(values) / 1e6:.0f} million parameters on "
        f"{min(tokens) / 1e9:.1f} to {max(tokens) / 1e9:.1f} billion tokens, by the {len(kept)} laws that survive; "
        f"95 % intervals from {min(ends) / 1e6:.0f} to {max(ends) / 1e6:.0f} million."
    )


if __name__ == "__main__":
    main()
