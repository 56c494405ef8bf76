"""Coverage of T2 intervals: answers simulated from a known law, problems and checkpoints drawn anew in each repetition.

    python benches/coverage_t2.py --repetitions 2000 [--first 0] [--samples 400]

The truth is -log mean pass@k = E + A N^-alpha + B D^-beta + G k^-gamma at the seven k of the table, exactly: at each
checkpoint a distribution of problems on a grid of success probabilities is solved for that has these seven means. A
problem has the same rank in every checkpoint, so that a set of hard problems is hard for all, and every checkpoint is
off the law by noise of its own. Each repetition draws the problems, the noise and the answers, makes the table with
`lawfit.pass_at_k`, fits the law, and asks `bootstrap()` as it is by default, checkpoints and problems crossed, for
gamma and for -log pass@50 at eight times the largest compute. What is printed is the share of 95 % intervals that hold
the truth, with its standard error.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

import lawfit as lf

F64 = NDArray[np.float64]
TRUTH = {"E": 0.4, "A": 420.0, "alpha": 0.34, "B": 1100.0, "beta": 0.32, "G": 2.0, "gamma": 0.3}
KS = np.array([1.0, 2, 5, 10, 20, 50, 100])
SIZES = np.array([
    5.173e6, 7.504e6, 9.81e6, 15.6e6, 22.49e6, 28.67e6, 37.06e6, 57.38e6, 84.79e6, 108.5e6, 149e6, 220.9e6, 347.1e6,
    455.3e6, 612e6, 901.7e6,
])  # fmt: skip
N_PROBLEMS, NOISE = 200, 0.02
FAR = {"N": 1.5e9, "D": 8 * 2.56e19 / (6 * 1.5e9), "k": 50.0}


def design() -> tuple[F64, F64]:
    """Sizes and tokens of twelve budgets, 0.58 to 97.5 tokens per parameter: 88 checkpoints, as Porian et al. 2024."""
    pairs = []
    for level in range(-3, 9):
        tokens = 1e17 * 2.0**level / (6.0 * SIZES)
        pairs += [(n, d) for n, d in zip(SIZES, tokens, strict=True) if 0.58 < d / n < 97.5]
    sizes, tokens = np.array(pairs).T
    return sizes, tokens


def law(n: F64, d: F64, k: F64, t: dict[str, float]) -> F64:
    """-log mean pass@k under parameters."""
    value: F64 = t["E"] + t["A"] * n ** -t["alpha"] + t["B"] * d ** -t["beta"] + t["G"] * k ** -t["gamma"]
    return value


def mixtures(sizes: F64, tokens: F64, truth: dict[str, float]) -> list[tuple[F64, F64]]:
    """Return success probabilities of each checkpoint, and where each ends in the order of problems."""
    grid = np.concatenate([[0.0], np.geomspace(1e-7, 0.999, 500)])
    passes = -np.expm1(KS[:, np.newaxis] * np.log1p(-grid))
    found = []
    for n, d in zip(sizes, tokens, strict=True):
        # Slack for the noise, which can only take away.
        target = np.exp(-(law(np.array(n), np.array(d), KS, truth) - 4 * NOISE))
        rows = np.concatenate([passes / target[:, np.newaxis], np.ones((1, grid.size))])
        shares, miss = nnls(rows, np.ones(KS.size + 1))
        assert miss < 1e-6, f"no distribution of problems has these means (misses {miss:.1e})"
        kept = shares > 0
        found.append((grid[kept], np.cumsum(shares[kept] / shares.sum())))
    return found


def bootstrapped(
    seed: int, sizes: F64, tokens: F64, cells: list[tuple[F64, F64]], n_problems: int, n_samples: int, n_replicates: int
) -> lf.Draws:
    """Draws of the law fitted to one drawn table."""
    rng = np.random.default_rng(seed)
    rank = rng.uniform(size=n_problems)
    counts = []
    for chances, ends in cells:
        lost = -math.expm1(-NOISE * (4.0 + np.clip(rng.standard_normal(), -4, 4)))
        inside = (rank - lost) / (1.0 - lost)
        chance = np.where(inside < 0, 0.0, chances[np.minimum(np.searchsorted(ends, inside), chances.size - 1)])
        counts.append(rng.binomial(n_samples, chance))
    answers = {
        "N": np.repeat(sizes, n_problems), "D": np.repeat(tokens, n_problems),
        "problem": np.tile(np.arange(n_problems), sizes.size), "n_samples": np.full(sizes.size * n_problems, n_samples),
        "n_correct": np.concatenate(counts),
    }  # fmt: skip
    table = lf.pass_at_k(answers, k=KS.tolist(), by=["N", "D"], problem="problem")
    fit = lf.fit(lf.laws.t2_loss, table, response="neglog_mean_pass", loss="squared", residual="linear", n_threads=1)
    return fit.bootstrap(n_replicates, seed=seed, n_threads=1, n_checked=0)


def held(draws: lf.Draws) -> tuple[bool, bool]:
    """Whether the intervals of one table hold the truth."""
    gamma = draws.interval("gamma")
    ahead = draws.predict(FAR).interval()
    truth = float(law(np.array(FAR["N"]), np.array(FAR["D"]), np.array(FAR["k"]), TRUTH))
    return gamma.lower <= TRUTH["gamma"] <= gamma.upper, bool(ahead.lower <= truth <= ahead.upper)


def main() -> None:
    """Print the two shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first repetition")
    parser.add_argument("--samples", type=int, default=400, help="answers to each problem (400)")
    parser.add_argument("--replicates", type=int, default=500, help="of each bootstrap")
    chosen = parser.parse_args()
    sizes, tokens = design()
    cells = mixtures(sizes, tokens, TRUTH)
    seeds = range(chosen.first, chosen.first + chosen.repetitions)
    found = np.array(
        [
            held(bootstrapped(seed, sizes, tokens, cells, N_PROBLEMS, chosen.samples, chosen.replicates))
            for seed in seeds
        ]
    )
    answers = f"{N_PROBLEMS} problems x {chosen.samples} answers"
    print(f"{sizes.size} checkpoints x {KS.size} k, {answers}, {len(found)} tables")
    for name, column in zip(("gamma", "-log pass@50 at 8 times the compute"), found.T, strict=True):
        share = float(column.mean())
        print(f"{name}: {share:.1%} +- {math.sqrt(share * (1 - share) / column.size):.1%} ({int(column.sum())})")


if __name__ == "__main__":
    main()
