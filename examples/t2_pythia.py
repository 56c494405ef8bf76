"""What a table of sampled answers says about laws in (N, D, k): every form, every direction, every resampling unit.

    python examples/t2_pythia.py counts.csv

reads one row per (model, problem) with columns benchmark, N, D, problem, n_samples and n_correct, such as the counts of
nine Pythia sizes on GSM8K and MATH that Schaeffer et al. 2025 published, and prints, for each benchmark and for two
ranges of sizes, the comparison of all forms, then how far the best size for a budget is known: by problems, by
checkpoints, by both crossed, and by run.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from numpy.typing import NDArray

import lawfit as lf

KS = [1, 2, 4, 8, 16, 32, 64, 128]
# Token counts below are of the warm-up.
WARM = "D >= 6e9"
SIZES = {"N >= 4.1e8": "N of 410M and more", "N > 0": "all N"}
# Training and, for each sample, inference.
C_TRAIN, C_INFERENCE = 2.5e21, 2e11
PLANNED = ("t2_loss", "t2_loss_bounded", "t2_beta_added", "t2_beta")


def best_sizes(values: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln N of the lowest value in each row, NaN where it is at an end: there is no best size inside."""
    place = np.argmin(np.where(np.isfinite(values), values, np.inf), axis=1)
    inside = (place > 0) & (place < sizes.size - 1)
    return np.where(inside, np.log(sizes[place]), math.nan)


def along_the_budget() -> dict[str, NDArray[np.float64]]:
    """Return sizes with the tokens and samples that the two budgets leave them; at least one sample each."""
    sizes = np.geomspace(1e7, C_INFERENCE / 2.0, 2000)
    return {"N": sizes, "D": C_TRAIN / (6.0 * sizes), "k": C_INFERENCE / (2.0 * sizes)}


def spread(draws: lf.Draws) -> str:
    """Return the standard deviation of ln N* and how many draws have one."""
    found = best_sizes(draws.predict(along_the_budget()).values[draws.ok], along_the_budget()["N"])
    known = found[np.isfinite(found)]
    share = known.size / max(found.size, 1)
    return f"{known.std():.2f}" + ("" if share == 1.0 else f" ({1 - share:.0%} at an end)") if known.size > 1 else "-"


def plan(fit: lf.Fit, n_replicates: int) -> list[str]:
    """N* and its spread under each way to resample."""
    points = along_the_budget()
    at = best_sizes(np.atleast_2d(fit.predict(points)), points["N"])[0]
    by = [
        fit.bootstrap(n_replicates, resample=word, seed=0, n_checked=0) for word in ("problems", "bayesian", "crossed")
    ]
    value = "no best N inside" if math.isnan(at) else f"{math.exp(at) / 1e6:,.0f}M"
    return [value, *map(spread, by)]


def r2(observed: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Share of the variance that predictions explain."""
    return float(1.0 - np.sum((observed - predicted) ** 2) / np.sum((observed - observed.mean()) ** 2))


def further(counts: lf.Table, table: lf.Table, where: str) -> None:
    """Print what is no single law of the averages: a law for each k, two stages, and the likelihood of the counts."""
    rows = table.where(where)
    size, tokens, k, y = (rows.column(name).values for name in ("N", "D", "k", "neglog_mean_pass"))
    squares = {"loss": "squared", "residual": "log"}
    fits = lf.fit_many(lf.laws.chinchilla, rows, by="k", response="neglog_mean_pass", loss="squared", residual="log")
    each = np.empty_like(y)
    for fit in fits:
        own = k == fit.key[0]
        each[own] = fit.predict(N=size[own], D=tokens[own])
    print(f"one Chinchilla law for each k ({5 * len(fits)} parameters): R2 {r2(y, each):.3f}")
    first = {(n, d): value for n, d, tries, value in zip(size, tokens, k, y, strict=True) if tries == 1}
    has = np.array([pair in first for pair in zip(size, tokens, strict=True)])
    loss = np.array([first[pair] for pair in zip(size[has], tokens[has], strict=True)])
    staged = {"N": size[has], "D": tokens[has], "k": k[has], "loss": loss, "accuracy": np.exp(-y[has])}
    chain = lf.fit_chain(
        lf.laws.chinchilla, lf.laws.t2_accuracy_link, staged, responses=["loss", "accuracy"], through="L",
        first=squares, second=squares,
    )  # fmt: skip
    predicted = -np.log(chain.predict(N=size[has], D=tokens[has], k=k[has]))
    ends = f"{chain.first.status}, {chain.second.status}"
    print(f"two stages, L = -log pass@1, then theta: R2 {r2(y[has], predicted):.3f} ({ends})")
    mean = lf.Law("exp(-(E + A*N**-alpha + B*D**-beta))", ["N", "D"], positive=["E", "A", "B"])
    likely = lf.fit_counts(mean, counts, size="nu", where=where, cluster="problem")
    predicted = lf.laws.t2_beta.evaluate(N=size, D=tokens, k=k, params=likely.params)
    words = ", ".join(f"{name} {value:.3g}" for name, value in likely.params.items())
    print(f"t2_beta by likelihood on {likely.n_rows} counts, zeros and all: R2 {r2(y, predicted):.3f} ({words})")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", help="CSV of counts")
    parser.add_argument("--replicates", type=int, default=200, help="of each bootstrap (200)")
    chosen = parser.parse_args()
    began = time.perf_counter()
    counts = lf.read_table(chosen.counts)
    table = lf.pass_at_k(counts, k=KS, by=["benchmark", "N", "D"], problem="problem")
    for note in table.notes:
        print(f"note: {note}")
    for benchmark in dict.fromkeys(table.to_dict()["benchmark"]):
        for condition, words in SIZES.items():
            where = f"benchmark == '{benchmark}' and {WARM} and {condition}"
            print(f"\n## {benchmark}, {words}\n")
            compared = lf.compare_t2(table, where=where, scales=["log", "linear"])
            print("\n".join(repr(compared).split("\nnote:")[0].splitlines()))
            further(counts, table, where)
            print(f"\nbest N for 6ND = {C_TRAIN:g} and 2Nk = {C_INFERENCE:g}, and the standard deviation of ln N*")
            print(f"{'form':<18}{'N*':<18}{'problems':<22}{'checkpoints':<22}{'crossed':<22}{'runs x problems'}")
            for form in PLANNED:
                fit = compared[form, "log"].fit
                runs = lf.fit(
                    fit.law, table, response="neglog_mean_pass", where=where, loss="squared", cluster="N", seed=0
                ).bootstrap(chosen.replicates, seed=0, n_checked=0)
                why = runs.interval(next(iter(fit.params))).note or ""
                by_run = "no usable interval" if "too few" in why else spread(runs)
                cells = plan(fit, chosen.replicates)
                print(f"{form:<18}{cells[0]:<18}{cells[1]:<22}{cells[2]:<22}{cells[3]:<22}{by_run}")
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
