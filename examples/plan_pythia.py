"""What a budget should buy, from runs that cannot decide: size, tokens and samples for GSM8K from counts of Pythia.

    python examples/plan_pythia.py counts.csv

reads one row per (model, problem) with columns benchmark, N, D, problem, n_samples and n_correct, such as the counts
that Schaeffer et al. 2025 published, and prints the second half of docs/worked-plan.md: the best size, tokens per
parameter and samples under three laws, each with its interval, how far they lie outside of what was measured, and
whether any pair of budgets has its optimum inside. A minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

import lawfit as lf

KS = [1, 2, 4, 8, 16, 32, 64, 128]
# Smaller models get worse with more tokens, and token counts below are of the warm-up: docs/t2.md.
WHERE = "benchmark == 'gsm8k' and D >= 6e9 and N >= 4.1e8"
FORMS = ("t2_loss", "t2_beta_added", "t2_beta")
RESPONSE = "neglog_mean_pass"
# FLOP of training, and FLOP a token of all samples of an answer.
TRAINING, INFERENCE = 2.5e21, 2e11
BUDGETS = {"6*N*D": TRAINING, "2*N*k": INFERENCE}
QUANTITIES = {"N / 1e6": ("N", 1e6), "D/N": ("D/N", 1.0), "k": ("k", 1.0)}
# Enough for the expanded quantiles of 30 checkpoints.
N_REPLICATES = 1200
# The same bits on every processor.
KERNELS = "portable"


def main() -> None:
    """Print the parts of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", help="CSV of counts")
    counts = lf.read_table(parser.parse_args().counts)
    table = lf.pass_at_k(counts, k=KS, by=["benchmark", "N", "D"], problem="problem")
    fits = {form: fitted(form, table) for form in FORMS}
    fronts = {form: fit.bootstrap(N_REPLICATES, seed=0, n_checked=0).allocate(BUDGETS) for form, fit in fits.items()}
    for part in (
        data(fits),
        plans(fronts),
        outside(fronts),
        near(fronts),
        by_run(table),
        inside(fits),
        sentence(fronts),
    ):
        print("\n".join(part), end="\n\n")


def fitted(form: str, table: lf.Table, cluster: str | None = None) -> lf.Fit:
    """Fit a form to the log of -log pass@k by least squares."""
    return lf.fit(
        lf.laws.CATALOGUE[form], table, response=RESPONSE, where=WHERE, loss="squared", residual="log",
        cluster=cluster, seed=0, kernels=KERNELS,
    )  # fmt: skip


def data(fits: dict[str, lf.Fit]) -> Iterator[str]:
    """Return what was measured."""
    rows = fits[FORMS[0]].rows
    columns = dict(zip(rows.variables, rows.x, strict=True))
    columns["D/N"] = columns["D"] / columns["N"]
    n_sizes = np.unique(columns["N"]).size
    yield f"GSM8K: {fits[FORMS[0]].n_clusters} checkpoints of {n_sizes} models, {rows.y.size} cells with a success"
    for name, values in columns.items():
        yield f"{name:<4} {values.min():.3g} to {values.max():.3g}"


def plans(fronts: dict[str, lf.Frontier]) -> Iterator[str]:
    """Return the plan by each form with its intervals."""
    yield f"6ND = {TRAINING:g}, 2Nk = {INFERENCE:g}"
    yield f"{'law':<15}" + "".join(f" {name:>30}" for name in QUANTITIES) + f" {'pass@k':>7} {'lost draws':>11}"
    for form, found in fronts.items():
        cells = []
        for quantity, unit in QUANTITIES.values():
            band = found.interval(quantity)
            value, lower, upper = (float(part) / unit for part in (band.value, band.lower, band.upper))
            cells.append(f" {f'{value:.4g} ({lower:.3g} to {upper:.3g})':>30}")
        lost = 1.0 - float(np.mean(found.ok))
        yield f"{form:<15}{''.join(cells)} {np.exp(-float(found.plan['response'])):7.2f} {lost:11.1%}"


def outside(fronts: dict[str, lf.Frontier]) -> Iterator[str]:
    """Return how many times each variable is outside the data."""
    yield f"{'times the data':<15}" + "".join(f" {name:>8}" for name in ("N", "D", "k"))
    for form, found in fronts.items():
        yield f"{form:<15}" + "".join(f" {float(found.plan.beyond[name]):8.2f}" for name in ("N", "D", "k"))


def near(fronts: dict[str, lf.Frontier]) -> Iterator[str]:
    """Return the sizes that do as well with 5 % more of both budgets, and what each plan loses under the other laws."""
    yield "sizes that 5 % more of both budgets leave open, and pass@k of each plan (columns) by each law (rows)"
    yield f"{'law':<15} {'N / 1e6':>12}" + "".join(f" {form:>15}" for form in fronts)
    for form, found in fronts.items():
        low, high = (float(end) / 1e6 for end in found.plan.near()["N"])
        points = [{name: float(other.plan[name]) for name in ("N", "D", "k")} for other in fronts.values()]
        cells = "".join(
            f" {np.exp(-float(found.plan.law.evaluate(at, params=found.plan.params))):15.3f}" for at in points
        )
        yield f"{form:<15} {f'{low:.0f} to {high:.0f}':>12}{cells}"


def by_run(table: lf.Table) -> Iterator[str]:
    """Return what whole runs, which checkpoints of one run are parts of, say of the first form."""
    fit = fitted(FORMS[0], table, cluster="N")
    band = fit.bootstrap(200, seed=0, n_checked=0).allocate(BUDGETS).interval("N")
    yield f"by run: {band.note}"


def inside(fits: dict[str, lf.Fit]) -> Iterator[str]:
    """Return how many pairs of budgets have their optimum within the ranges of the data."""
    training, inference = np.meshgrid(np.logspace(19, 23, 41), np.logspace(9, 14, 51))
    yield f"{training.size} pairs of budgets, 6ND 1e19 to 1e23, 2Nk 1e9 to 1e14; optima within N, D and k of the data:"
    for form, fit in fits.items():
        beyond = fit.allocate({"6*N*D": training, "2*N*k": inference}).beyond
        yield f"{form:<15} {int(np.sum(np.all([factor == 1.0 for factor in beyond.values()], axis=0)))}"


def sentence(fronts: dict[str, lf.Frontier]) -> Iterator[str]:
    """Return the decision."""
    sizes = [float(found.plan["N"]) / 1e6 for found in fronts.values()]
    bands = [found.interval("N") for found in fronts.values()]
    low, high = min(float(b.lower) for b in bands) / 1e6, max(float(b.upper) for b in bands) / 1e6
    longest = min(float(found.plan.beyond["D"]) for found in fronts.values())
    yield (
        f"These runs cannot decide: {min(sizes):.0f} to {max(sizes):.0f} million parameters by the law, "
        f"{low:.1g} to {high:.0f} million with its error, on at least {longest:.1f} times the tokens of any run."
    )


if __name__ == "__main__":
    main()
