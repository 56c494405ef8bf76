"""Pictures of figures.md: `python docs/figure_pictures.py` draws them again into docs/pictures."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import lawfit as lf

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
T2 = {**HOFFMANN, "G": 2.0, "gamma": 0.3}
TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
SIZES = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "D": [2e9, 1e10, 5e10, 2e11]}
LATENT = {"E": 0.2, "A": 60.0, "B": 300.0, "alpha": 0.2, "beta": 0.22}
CHECKPOINTS = {"N": [1e8, 4e8, 1.6e9], "D": [5e9, 2e10, 8e10]}
TRAIN = np.logspace(18, 25, 57)
PLACES = re.compile(r'\b(?:d|x|y)="[^"]*"')
DIGITS = re.compile(r"\d+\.\d{3,}")


def frontiers() -> Any:
    """Draw runs with draws beside published coefficients."""
    runs = lf.synthetic.runs(lf.laws.chinchilla, TRUTH, SIZES, noise=0.005, seed=0)
    draws = lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(1000, seed=0)
    fronts = {
        "these runs": draws.allocate({"6*N*D": TRAIN}),
        "Hoffmann et al.": lf.allocate(lf.laws.chinchilla, {"6*N*D": TRAIN}, params=HOFFMANN),
    }
    return lf.plotting.frontiers(fronts, models=lf.plotting.PUBLIC_MODELS)[0].figure


def near_optimal() -> Any:
    """Show how much of a plan under two budgets is free."""
    return lf.plotting.near_optimal(_plan()).figure


def train_to_test() -> Any:
    """Draw the same plan along the size."""
    return lf.plotting.train_to_test(_plan())[0].figure


def contours() -> Any:
    """Draw a law of N, D and k under an inference budget."""
    sizes: dict[str, list[float]] = {"N": [1e8, 4e8, 1.6e9, 6.4e9], "D": [5e9, 2e10, 8e10, 3.2e11], "k": [1, 8, 64]}
    runs = lf.synthetic.runs(lf.laws.t2_loss, T2, sizes, noise=0.002, seed=0)
    fit = lf.fit(lf.laws.t2_loss, runs, response="loss", cluster="N")
    return lf.plotting.contours(fit, also={"2*N*k": 1.4e11}).figure


def pass_curve() -> Any:
    """Show one checkpoint of sampled answers."""
    counts = lf.synthetic.counts(lf.laws.chinchilla, LATENT, CHECKPOINTS, n_problems=100, n_samples=200, seed=0)
    table = lf.pass_at_k(counts, k=[1, 2, 4, 8, 16, 32, 64, 128], by=["N", "D"], problem="problem")
    fit = lf.fit(lf.laws.t2_beta, table, response="neglog_mean_pass", loss="squared")
    mixture = lf.fit_mixture(counts, by=["N", "D"], problem="problem")[4e8, 2e10]
    return lf.plotting.pass_curve(mixture, fits={"t2_beta of 9 checkpoints": fit}).figure


def _plan() -> lf.Allocation:
    return lf.allocate(lf.laws.t2_loss, {"6*N*D": TRAIN, "2*N*k": 1.4e11}, params=T2)


PICTURES: dict[str, Callable[[], Any]] = {
    picture.__name__: picture for picture in (frontiers, near_optimal, contours, train_to_test, pass_curve)
}


def main(folder: Path) -> None:
    """Write every picture; the same numbers give the same file."""
    folder.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        file = io.StringIO()
        with mpl.rc_context({"svg.hashsalt": "lawfit", "svg.fonttype": "none"}):
            picture().savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        # Places to a hundredth of a point are as many digits as a screen shows.
        text = PLACES.sub(lambda found: DIGITS.sub(_rounded, found[0]), file.getvalue())
        (folder / f"{name}.svg").write_text(
            re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE), encoding="utf-8", newline=""
        )


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("pictures"))
