"""The lower envelope of training curves: at each compute the run that is best, and how its size grows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _export
from lawfit._engine import F64, Bool
from lawfit._isoflop import PowerLaw, interval_of, none_interval
from lawfit._run_curves import RunCurve, between, run_curves
from lawfit._text import fields, number, table
from lawfit.errors import DataError

FEWEST_RUNS = 4
# Points are correlated along a run, so that they are no units; they are enough to see where the best run changes.
N_POINTS = 200


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Envelope:
    """Best runs by compute, as `lawfit.envelope` gives them.

    Attributes
    ----------
    compute : numpy.ndarray
        (n_points,) where the curves were looked at.
    run : tuple
        (n_points,) the best run there.
    N, D, response : numpy.ndarray
        (n_points,) of it.
    is_inside : numpy.ndarray
        (n_points,) whether both a smaller and a larger model were trained that far, so that the best is no matter of
        what is missing.
    power_laws : tuple of PowerLaw
        Of N and D, through the points inside.
    n_runs : int
        Runs with more than one checkpoint.
    notes : tuple of str
        What to distrust.
    """

    compute: F64
    run: tuple[object, ...]
    N: F64
    D: F64
    response: F64
    is_inside: Bool
    power_laws: tuple[PowerLaw, ...]
    n_runs: int
    notes: tuple[str, ...]

    def exponent(self, of: str = "N") -> PowerLaw:
        """Return the power law of N or of D."""
        for law in self.power_laws:
            if law.of == of:
                return law
        raise KeyError(f"{of!r}: there are power laws of N and D")

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row a point, in a frame of a library."""
        columns: dict[str, list[object]] = {"compute": list(self.compute.tolist()), "run": list(self.run)}
        for name in ("N", "D", "response", "is_inside"):
            columns[name] = list(getattr(self, name).tolist())
        return _export.frame(columns, library, "dict", "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        rows = [
            [law.of, number(law.exponent, 4), number(law.interval.lower, 4), number(law.interval.upper, 4),
             number(law.K, 4)]
            for law in self.power_laws
        ]  # fmt: skip
        facts = [
            ("runs", str(self.n_runs)),
            ("compute", f"{self.compute[0]:.3g} to {self.compute[-1]:.3g}"),
            ("points", f"{int(self.is_inside.sum())} of {self.compute.size} have a smaller and a larger run beside"),
        ]
        lines = [*fields(facts), "", *table(["K C**a", "a", "2.5 %", "97.5 %", "K"], rows)]
        said = dict.fromkeys(law.interval.note for law in self.power_laws if law.interval.note is not None)
        return "\n".join([*lines, *(f"note: {note}" for note in (*self.notes, *said))])


def envelope(
    data: object,
    *,
    response: str,
    run: str,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    missing: str = "error",
    compute: str = "6*N*D",
    smooth: float = 0.0,
    n_points: int = N_POINTS,
    n_replicates: int = 1000,
    seed: int = 0,
) -> Envelope:
    """Find the best run at each compute from curves of training, and the power laws of its size and tokens.

    Parameters
    ----------
    data : table
        Checkpoints: a row for each place of each run.
    response : str
        Column that falls along a run, such as a loss.
    run : str
        Column that names the run.
    columns : mapping of str to str, optional
        Columns or formulas of N and D.
    where : str or array-like, optional
        Checkpoints to use, such as those after warm-up.
    missing : str
        ``"error"``, or ``"drop"`` to leave out checkpoints where a value is missing.
    compute : str
        A formula of N and D, or a cost by its name.
    smooth : float
        Standard deviation, in ln compute, of the Gaussian under which each curve is averaged first; 0 for none.
    n_points : int
        Places, evenly spaced in ln compute.
    n_replicates : int
        Draws of runs with replacement.
    seed : int
        Of the draws.

    Returns
    -------
    Envelope
        Best runs, power laws with intervals, and what to distrust.

    Raises
    ------
    DataError
        A column is missing or not positive, a run changes its size, or fewer than four runs have two checkpoints.
    LawError
        A formula cannot be read.

    Notes
    -----
    When to use: where runs of many sizes were trained long and saved often, as Approach 1 of Hoffmann et al. Learning
    rates that were not meant to end at a checkpoint put it above what a run of that length reaches, so that exponents
    come out wrong; isoFLOP curves of finished runs do not have that. Points whose best run is the smallest or the
    largest that was trained so far are left out of the power laws.

    References
    ----------
    Hoffmann et al. 2022, arXiv:2203.15556, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    >>> N, D = (grid.ravel() for grid in np.meshgrid(np.logspace(8, 10, 13), np.logspace(8.5, 12, 60), indexing="ij"))
    >>> loss = lf.laws.chinchilla.evaluate(N=N, D=D, params=truth)
    >>> runs = {"N": N, "D": D, "loss": loss, "run": [f"{size:.3g}" for size in N]}
    >>> found = lf.envelope(runs, response="loss", run="run", n_replicates=0)
    >>> round(found.exponent("N").exponent, 1)
    0.5
    """
    if isinstance(n_points, bool) or n_points < 10:
        raise DataError(f"n_points={n_points!r}: give a whole number, at least 10")
    if not 0.0 <= smooth < math.inf:
        raise DataError(f"smooth={smooth!r}: give a standard deviation in ln compute, 0 for none")
    every = run_curves(data, response, run, dict(columns or {}), where, missing, compute)
    curves = [curve for curve in every if curve.log_compute.size > 1]
    if len(curves) < FEWEST_RUNS:
        raise DataError(
            f"run={run!r}: {len(curves)} of {len(every)} runs have two checkpoints or more; at least {FEWEST_RUNS} "
            "such runs are needed"
        )
    ends = min(curve.log_compute[0] for curve in curves), max(curve.log_compute[-1] for curve in curves)
    log_c = np.linspace(*ends, n_points)
    looked = [between(curve, log_c, smooth) for curve in curves]
    values = np.array([response_ for response_, _ in looked])
    tokens = np.array([tokens_ for _, tokens_ in looked])
    sizes = np.array([curve.size for curve in curves])
    best, is_inside, lines = _lines(values, tokens, sizes, log_c, np.ones((1, len(curves)), dtype=np.bool_))
    stream = np.random.default_rng([seed, len(curves)])
    drawn = stream.integers(0, len(curves), (n_replicates, len(curves)))
    kept = np.zeros((n_replicates, len(curves)), dtype=np.bool_)
    np.put_along_axis(kept, drawn, True, axis=1)
    draws = _lines(values, tokens, sizes, log_c, kept)[2]
    columns_ = np.arange(n_points)
    laws = tuple(_law(of, lines[0, k], draws[:, k], len(curves)) for k, of in enumerate(("N", "D")))
    notes = _notes(curves, every, is_inside[0])
    return Envelope(
        np.exp(log_c), tuple(curves[place].name for place in best[0]), sizes[best[0]], tokens[best[0], columns_],
        values[best[0], columns_], is_inside[0], laws, len(curves), notes,
    )  # fmt: skip


def _lines(values: F64, tokens: F64, sizes: F64, log_c: F64, kept: Bool) -> tuple[NDArray[np.intp], Bool, F64]:
    """Return the best run and whether it is inside, (W, points), and (W, 2, 2) of ln K and exponent of N and of D."""
    best = np.empty((len(kept), log_c.size), dtype=np.intp)
    inside = np.empty(best.shape, dtype=np.bool_)
    lines = np.full((len(kept), 2, 2), math.nan)
    columns = np.arange(log_c.size)
    is_there = np.isfinite(values)
    for w, keep in enumerate(kept):
        there = is_there & keep[:, np.newaxis]
        best[w] = np.where(there, values, np.inf).argmin(axis=0)
        own = sizes[best[w]]
        smallest = np.where(there, sizes[:, np.newaxis], np.inf).min(axis=0)
        largest = np.where(there, sizes[:, np.newaxis], -np.inf).max(axis=0)
        inside[w] = (smallest < own) & (own < largest)
        x = log_c[inside[w]]
        if np.unique(own[inside[w]]).size < 2:
            continue
        for k, y in enumerate((np.log(own), np.log(tokens[best[w], columns]))):
            lever = x - x.mean()
            slope = lever @ y[inside[w]] / (lever @ lever)
            lines[w, k] = y[inside[w]].mean() - slope * x.mean(), slope
    return best, inside, lines


def _law(of: str, line: F64, draws: F64, n_runs: int) -> PowerLaw:
    if not np.isfinite(line).all():
        said = none_interval("fewer than two sizes are best where smaller and larger ones were trained as far")
        return PowerLaw((), of, math.nan, math.nan, said, 0, draws, n_runs, 2.0)
    found = interval_of(float(line[1]), draws[:, 1], n_runs, 2.0)
    return PowerLaw((), of, float(line[1]), math.exp(line[0]), found, 0, draws, n_runs, 2.0)


def _notes(curves: Sequence[RunCurve], every: Sequence[RunCurve], is_inside: Bool) -> tuple[str, ...]:
    notes = ["checkpoints before the end of a schedule lie above what a run of that length reaches"]
    if len(curves) < len(every):
        notes.append(f"{len(every) - len(curves)} of {len(every)} runs have one checkpoint and are left out")
    if is_inside.mean() < 0.5:
        notes.append("at most places the best run is the smallest or the largest that was trained so far")
    return tuple(notes)


def at_compute(
    data: object,
    budgets: ArrayLike,
    *,
    response: str,
    run: str,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    missing: str = "error",
    compute: str = "6*N*D",
    smooth: float = 0.0,
) -> dict[str, NDArray[Any]]:
    """Return what every run had reached at given budgets, between its checkpoints: runs for isoFLOP curves.

    Parameters
    ----------
    data : table
        Checkpoints: a row for each place of each run.
    budgets : array-like
        Compute to look at.
    response, run, columns, where, missing, compute, smooth
        As in `envelope`.

    Returns
    -------
    dict of str to numpy.ndarray
        Columns ``run``, ``N``, ``D``, ``budget`` and the response: a row for each run and budget within its range.

    Raises
    ------
    DataError
        As in `envelope`; also where no run reaches any of the budgets.

    Notes
    -----
    When to use: before `lawfit.isoflop`, with ``budget="budget"``, where runs were saved often but not at equal
    compute, as Porian et al. do. The response is interpolated straight in the logarithms.

    References
    ----------
    Porian et al. 2024, arXiv:2406.19146.

    Examples
    --------
    >>> import lawfit as lf
    >>> runs = {"N": [1e8] * 3, "D": [1e9, 2e9, 4e9], "loss": [3.2, 3.0, 2.9], "run": ["a"] * 3}
    >>> found = lf.at_compute(runs, [1e18, 1e19], response="loss", run="run")
    >>> found["budget"].tolist(), found["D"].round(-6).tolist()
    ([1e+18], [1667000000.0])
    """
    wanted = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    if not np.all((wanted > 0.0) & np.isfinite(wanted)):
        raise DataError("budgets: give finite numbers above 0")
    curves = run_curves(data, response, run, dict(columns or {}), where, missing, compute)
    log_c = np.log(wanted)
    looked = [between(curve, log_c, smooth) for curve in curves]
    pairs = [(i, j) for i, (value, _) in enumerate(looked) for j in range(wanted.size) if np.isfinite(value[j])]
    if not pairs:
        low, high = (math.exp(f(curve.log_compute[end] for curve in curves)) for f, end in ((min, 0), (max, -1)))
        raise DataError(
            f"budgets: no run has a checkpoint on either side of any; runs reach from {low:.3g} to {high:.3g}"
        )
    return {
        "run": np.array([curves[i].name for i, _ in pairs]),
        "N": np.array([curves[i].size for i, _ in pairs]),
        "D": np.array([looked[i][1][j] for i, j in pairs]),
        "budget": np.array([wanted[j] for _, j in pairs]),
        response: np.array([looked[i][0][j] for i, j in pairs]),
    }
