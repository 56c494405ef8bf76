"""Held-out losses of several laws at the same runs, and the differences between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lawfit import _engine
from lawfit._engine import F64, I64
from lawfit._losses import LOSSES
from lawfit._quantity import names_of
from lawfit._scores import mean_stderr
from lawfit._splits import Split
from lawfit._tangent import moving_parameters, row_units
from lawfit.errors import DataError
from lawfit.results import Fit
from lawfit.tables import Table

# Differences to the best of fewer standard errors leave a law in.
WITHIN = 2.0
# Probability below one standard deviation under the mean of a normal distribution.
ONE_SIGMA = 0.15865525393145707


@dataclass(frozen=True, slots=True)
class PairedScore:
    """Held-out score of one law, and its difference to the best.

    Attributes
    ----------
    by : str
        What was held out.
    n_held : int
        Held-out rows.
    score, score_stderr : float
        Mean loss of the held-out rows; its standard error over held-out rows or clusters and over training ones.
    mean_error : float
        Mean size of the error: of ln(predicted / actual), or of predicted less actual.
    difference, difference_stderr : float
        Mean over the same rows of this law's loss less that of the best law; its standard error, made likewise.
    held_stderr, trained_stderr : float
        The two parts of ``difference_stderr``: as if training was exact, and as if the held-out runs were.
    survives : bool
        Whether the difference is within two standard errors; always for the best.
    reason : str or None
        Why there is no score.
    """

    by: str
    n_held: int
    score: float
    score_stderr: float
    mean_error: float
    difference: float
    difference_stderr: float
    held_stderr: float
    trained_stderr: float
    survives: bool
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """Loss and error of each held-out row, in the order of the splits; why there are none."""

    loss: F64
    error: F64
    drawn: F64  # (n_replicates,) mean loss of these rows by laws whose training rows were resampled
    reason: str | None


def order_values(by: str, table: Table, fits: Sequence[Fit]) -> F64:
    """Value of an order at each row: a formula over the variables of any of the laws, or over columns."""
    rows = fits[0].rows
    known = {name: line for fit in fits for name, line in zip(fit.rows.variables, fit.rows.x, strict=True)}
    names = names_of(by, "by")
    for name in names:
        if name not in known:
            known[name] = table.evaluate(name, want="number", argument="by")[rows.positions]
    columns: list[_engine.EngineColumn] = [(name, np.ascontiguousarray(known[name]), "number", ()) for name in names]
    values = _engine.evaluate_columns(by, columns, want="number", argument="by")
    if values.shape != rows.y.shape or not np.isfinite(values).all():
        raise DataError(f"by={by!r} is not a finite number in every row")
    return values


def held_out_losses(
    fit: Fit,
    trained: Sequence[Fit],
    splits: Sequence[Split],
    share: F64,
    n_replicates: int,
    seed: int,
    n_threads: int | None,
) -> Losses:
    """Losses of the rows that each training fit has not seen, of which a mean counts each ``share`` times."""
    rows, is_log = fit.rows, fit.options.residual == "log"
    tested: I64 = np.concatenate([split.test for split in splits])
    nothing = np.full(tested.size, np.nan)
    failed = next((one for one in (fit, *trained) if not one.success), None)
    if failed is not None:
        return Losses(nothing, nothing, np.full(n_replicates, np.nan), f"{failed.status}: {failed.message}")
    noise = row_units(rows, fit.options.residual) if rows.sigma is not None else np.ones_like(rows.y)
    loss_of = LOSSES[fit.options.loss]

    def errors_of(params: F64, places: I64) -> F64:
        with np.errstate(all="ignore"):
            x, actual = np.ascontiguousarray(rows.x[:, places]), rows.y[places]
            predicted = _engine.evaluate(fit.law.text, rows.variables, fit.law.parameters, x, params)
            return np.asarray(np.log(predicted / actual) if is_log else predicted - actual)

    parts, drawn, done = [], np.zeros(n_replicates), 0
    for one, split in zip(trained, splits, strict=True):
        parts.append(errors_of(np.array([list(one.params.values())]), split.test)[0])
        own = share[done : done + split.test.size]
        done += split.test.size
        if n_replicates:
            # Streams by unit: the same run has the same weight for every law and in every split.
            draws = one.bootstrap(n_replicates, resample="bayesian", seed=seed, n_checked=0, n_threads=n_threads)
            errors = errors_of(draws.params, split.test) / noise[split.test]
            rho = loss_of(errors.ravel(), fit.f_scale).rho.reshape(errors.shape)
            # Where a search ended in a valley without a lowest point its predictions still hold.
            drawn += rho @ own
    error = np.concatenate(parts)
    if not np.isfinite(error).all():
        return Losses(nothing, nothing, np.full(n_replicates, np.nan), "the law has no value at a held-out row")
    return Losses(loss_of(error / noise[tested], fit.f_scale).rho, error, drawn / tested.size, None)


def paired(by: str, losses: Mapping[str, Losses], share: F64, codes: I64) -> dict[str, PairedScore]:
    """Scores of laws at the same rows, (n,), of units ``codes``."""
    means = {name: float(np.mean(share * one.loss)) for name, one in losses.items() if one.reason is None}
    best = min(means, key=lambda name: means[name]) if means else None
    found = {}
    for name, one in losses.items():
        if name not in means or best is None:
            nan = math.nan
            found[name] = PairedScore(by, codes.size, nan, nan, nan, nan, nan, nan, nan, False, one.reason)
            continue
        apart = share * (one.loss - losses[best].loss)
        held, trained = mean_stderr(apart, codes), _half_width(one.drawn - losses[best].drawn)
        found[name] = PairedScore(
            by=by,
            n_held=codes.size,
            score=means[name],
            score_stderr=math.hypot(mean_stderr(share * one.loss, codes), _half_width(one.drawn)),
            mean_error=float(np.mean(np.abs(one.error))),
            difference=float(apart.mean()),
            difference_stderr=math.hypot(held, trained),
            held_stderr=held,
            trained_stderr=trained,
            # Without a standard error there is nothing to exclude a law with.
            survives=not float(apart.mean()) > WITHIN * math.hypot(held, trained),
            reason=None,
        )
    return found


def _half_width(drawn: F64) -> float:
    """Half the width of the central 68 % of draws, which a few searches without end do not move; 0 without draws."""
    if drawn.size == 0:
        return 0.0
    usable = drawn[np.isfinite(drawn)]
    # Where most replicates fail, their spread is unknown and not small.
    if 2 * usable.size < drawn.size:
        return math.nan
    lower, upper = np.quantile(usable, [ONE_SIGMA, 1.0 - ONE_SIGMA])
    return float(0.5 * (upper - lower))


def penalised(fit: Fit, n_units: int) -> tuple[float | None, str | None]:
    """Akaike's criterion with its correction for few rows, or why there is none.

    Under known noise the deviance is the sum of squares; otherwise the noise is one more parameter. Of n rows in G
    clusters each row counts G / n, as if the rows of a cluster said the same.
    """
    if fit.options.loss != "squared":
        return None, f'it takes loss="squared"; this fit minimised {fit.options.loss!r}'
    if not fit.success:
        return None, "the law could not be fitted"
    if fit.options.prior:
        return None, "a prior is no likelihood of the rows"
    p = len(moving_parameters(fit)) + (fit.rows.sigma is None)
    if n_units <= p + 1:
        return None, f"{n_units} independent rows or clusters are too few for {p} parameters"
    squares = 2.0 * fit.objective
    if fit.rows.sigma is not None:
        deviance = squares * n_units / fit.n_rows
    elif squares > 0.0:
        deviance = n_units * math.log(squares / fit.n_rows)
    else:
        return None, "the law meets every row exactly"
    return deviance + 2.0 * p + 2.0 * p * (p + 1.0) / (n_units - p - 1.0), None
