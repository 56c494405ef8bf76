"""The bootstrap's rows of ``against_peers.py``: refits of pairs resamples by SciPy and by lawfit."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from chinchilla_fit import F64, GOOD, drawn_starts, sampled
from numpy.typing import NDArray
from peers import Timed, run_global, run_refit, run_warm

import lawfit as lf

Indices = NDArray[np.intp]
N_DRAWN = 8  # starts in each resample, beside the optimum, where SciPy searches globally
N_SEARCHED = 20  # resamples that SciPy searches so in each repeat: a fifth of a second each


@dataclasses.dataclass(frozen=True)
class Resampled:
    """A line of the bootstrap's table: resamples per CPU second over the repeats, and the share that is good."""

    method: str
    per_s: list[float]
    hits: float
    reference_per_s: list[float]

    @property
    def ratio(self) -> list[float]:
        """Over SciPy's speed at the same next to it, each repeat."""
        return [ours / theirs for ours, theirs in zip(self.per_s, self.reference_per_s, strict=True)]


@dataclasses.dataclass(frozen=True)
class Refits:
    """What one way of refitting did over the repeats: seconds for a resample, which it took, and where each ended."""

    seconds: list[float]
    chosen: list[Indices]
    ends: list[F64]

    @property
    def per_s(self) -> list[float]:
        return [1 / seconds for seconds in self.seconds]

    def hits(self, best: F64) -> float:
        found = [ends <= best[chosen] * (1 + GOOD) for chosen, ends in zip(self.chosen, self.ends, strict=True)]
        return float(np.mean(np.concatenate(found)))


def alternate(
    refits: dict[str, Callable[[Indices], Timed]], samples: list[Indices], ours: Callable[[], int]
) -> tuple[dict[str, Refits], list[float]]:
    """SciPy's ways with half of a sample of the resamples before lawfit's call and half after it, each repeat.

    Returns what they did, and lawfit's resamples per CPU second.
    """
    done: dict[str, Refits] = {name: Refits([], [], []) for name in refits}
    per_s = []
    for chosen in samples:
        halves = np.array_split(chosen, 2)
        before = {name: run(halves[0]) for name, run in refits.items()}
        begun = time.process_time()
        n_resamples = ours()
        per_s.append(n_resamples / (time.process_time() - begun))
        after = {name: run(halves[1]) for name, run in refits.items()}
        for name, kept in done.items():
            parts = before[name], after[name]
            kept.seconds.append(statistics.mean(part.seconds_per_start for part in parts))
            kept.chosen.append(chosen)
            kept.ends.append(np.concatenate([part.objectives for part in parts]))
    return done, per_s


def fastest(lines: Sequence[Resampled]) -> Resampled:
    """SciPy's best: the most resamples a second of those whose hits are 99 in 100, or as near to that as any is."""
    enough = min(0.99, max(line.hits for line in lines))
    return max((line for line in lines if line.hits >= enough), key=lambda line: statistics.median(line.per_s))


def compare_bootstraps(
    fit: lf.Fit, data: dict[str, F64], n_replicates: int, n_compared: int, n_repeats: int
) -> list[Resampled]:
    """Pairs resamples, from the optimum and with a global search in each: SciPy's ways, and lawfit's call as it is.

    Hits are over the same ``n_compared`` resamples, against the best of all; of the slow global search of SciPy over
    a sample of them, other ones in each repeat.
    """
    optimum = np.array([*np.log([fit.params[name] for name in "ABE"]), fit.params["alpha"], fit.params["beta"]])
    n_rows = data["N"].size
    shares = np.full(n_rows, 1 / n_rows)
    counts = np.random.default_rng(0).multinomial(n_rows, shares, size=n_compared).astype(np.float64)
    starts = drawn_starts(n_compared * N_DRAWN).reshape(n_compared, N_DRAWN, -1)
    everything = np.arange(n_compared)
    n_global = max(1, n_replicates // 8)

    def warm() -> int:
        fit.bootstrap(n_replicates, resample="pairs", seed=0, n_threads=1)
        return n_replicates

    def searched() -> int:
        fit.bootstrap(n_global, resample="pairs", seed=0, search="global", n_threads=1)
        return n_global

    warm_refits, warm_per_s = alternate(
        {
            "SciPy L-BFGS-B, warm": lambda chosen: run_warm(data, optimum, counts[chosen]),
            "SciPy L-BFGS-B, warm, preconditioned": lambda chosen: run_refit(data, optimum, counts[chosen]),
        },
        [everything] * n_repeats,
        warm,
    )
    global_refits, global_per_s = alternate(
        {
            f"SciPy, warm, and {N_DRAWN} drawn starts": lambda chosen: run_global(
                data, optimum, counts[chosen], starts[chosen]
            )
        },
        [sampled(everything, min(N_SEARCHED, n_compared), repeat) for repeat in range(n_repeats)],
        searched,
    )
    near = fit.bootstrap(weights=counts, n_threads=1).objective
    everywhere = fit.bootstrap(weights=counts, search="global", n_threads=1).objective
    best = np.fmin(near, everywhere)
    for refits in (*warm_refits.values(), *global_refits.values()):
        for chosen, ends in zip(refits.chosen, refits.ends, strict=True):
            best[chosen] = np.fmin(best[chosen], ends)

    def against_the_fastest(refits: dict[str, Refits], ours: str, per_s: list[float], found: F64) -> list[Resampled]:
        theirs = [Resampled(name, done.per_s, done.hits(best), done.per_s) for name, done in refits.items()]
        beside = fastest(theirs).per_s
        mine = Resampled(ours, per_s, float(np.mean(found <= best * (1 + GOOD))), beside)
        return [*(dataclasses.replace(line, reference_per_s=beside) for line in theirs), mine]

    return [
        *against_the_fastest(warm_refits, "lawfit, warm, 8 of them checked", warm_per_s, near),
        *against_the_fastest(global_refits, "lawfit, global search in each", global_per_s, everywhere),
    ]
