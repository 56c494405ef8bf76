"""Whether a law predicts runs that it was not fitted to: held-out errors, coverage, and intervals made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lawfit import _arrays, _batch, _export
from lawfit._conformal import Conformal, conformal
from lawfit._draws import check_level
from lawfit._engine import I64, Progress
from lawfit._fits import Fits
from lawfit._held_out import HeldOut, held_out, in_sample_of, inside
from lawfit._leverage import Units, units_of
from lawfit._options import check_count, check_word
from lawfit._progress import as_progress
from lawfit._scores import Scores, scores
from lawfit._splits import Split, fold_splits, ordered_splits, ordering
from lawfit._text import number, table
from lawfit.errors import DataError
from lawfit.results import Fit

KINDS = ("ordered", "rolling", "folds")
HOLDOUT = 0.3
ROLLING_SPLITS, FOLDS = 4, 5
# A bias of that many standard errors is called one in words, and a scatter of that many times the in-sample one large.
CLEAR = 2.0
MUCH = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class ValidationSplit:
    """One split: the fit to its training rows, and the errors on the others.

    Attributes
    ----------
    fit : Fit
        Fitted to the training rows, with the options of the whole fit.
    n_train : int
        Its rows.
    above : float
        The largest value of the ordering that trains; NaN for folds.
    scores : Scores or None
        Of the held-out rows; None where the training fit is not usable.
    """

    fit: Fit
    n_train: int
    above: float
    scores: Scores | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Validation:
    """How well a law predicts runs that it was not fitted to.

    Attributes
    ----------
    fit : Fit
        The fit to all rows.
    kind : str
        ``"ordered"``, ``"rolling"`` or ``"folds"``.
    by : str or None
        What the runs were ordered by.
    level : float
        Coverage that the intervals aim at.
    splits : tuple of ValidationSplit
        One each.
    scores : Scores
        Pooled over the splits.
    rows : HeldOut
        Every held-out row, once.
    message : str
        What it means in words.
    """

    fit: Fit
    kind: str
    by: str | None
    level: float
    splits: tuple[ValidationSplit, ...]
    scores: Scores
    rows: HeldOut
    message: str

    def conformal(self, level: float = 0.9) -> Conformal:
        """Return intervals for further runs whose width the held-out errors give; see `Conformal`.

        Raises
        ------
        DataError
            The level is not between 0 and 1, or there are too few held-out runs for it.
        """
        return conformal(self.fit, self.rows.error, self.rows.stderr, self.rows.unit, level)

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw predicted against observed, or another figure of `lawfit.plotting` by name, and return the axes."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per held-out run."""
        return _export.frame(held_out_columns(self), library, self.fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        return _text_of(self)


def validate(
    fit: Fit,
    *,
    by: str | None = None,
    kind: str = "ordered",
    holdout: float | None = None,
    n_splits: int | None = None,
    level: float = 0.95,
    seed: int = 0,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Validation:
    """Refit a law to a part of its runs and compare what it says of the others with what they gave.

    Parameters
    ----------
    fit : Fit
        The fit; each split is fitted from many starts with its options. An ``f_scale`` that the data gave is estimated
        anew from the training rows, a number is kept.
    by : str, optional
        What orders the runs: a formula over the variables, such as ``"6*N*D"`` or ``"D/N"``; not for folds. A law of
        one variable is ordered by that.
    kind : {"ordered", "rolling", "folds"}
        ``"ordered"``: train on the runs that come first, predict those that come last. ``"rolling"``: cut what comes
        last into blocks, and predict each from all that comes before it. ``"folds"``: predict each of some random
        parts from all others, which says nothing of extrapolation.
    holdout : float, optional
        Share of the rows that come last; .3 by default. The cut is moved to where the ordering changes.
    n_splits : int, optional
        Blocks of ``"rolling"`` (4), or folds (5).
    level : float
        Coverage that the intervals of held-out runs aim at.
    seed : int
        Seed of the folds.
    n_threads, progress : optional
        As in `lawfit.fit`.

    Returns
    -------
    Validation
        Bias, size of errors and coverage, by split and pooled, every held-out row, and words for what they mean.

    Raises
    ------
    LawError
        ``kind`` is none of these words, or a count is none.
    DataError
        ``by`` is missing, constant or names something that is no variable; the shares leave too few runs to train.

    Notes
    -----
    When to use: before a law is extrapolated. Intervals of parameters take the law for granted; a law with the wrong
    form fits well where it was fitted and shows its bend in larger runs. Rows of one cluster are never cut: a cluster
    stands in the order where its largest row stands.

    The interval of a held-out run is that of ``predict(..., kind="run")`` of the training fit: the prediction plus and
    minus Student's t times its standard deviation, of the law and of a run's noise together. The noise is the root mean
    square of all training residuals, so runs as far off as the outliers among those are no surprise.

    References
    ----------
    Tashman 2000, Out-of-sample tests of forecasting accuracy, Int. J. Forecasting 16; Choshen, Zhang and Andreas 2024,
    A hitchhiker's guide to scaling law estimation, arXiv:2410.11840.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = np.logspace(7, 10, 30)
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.003, seed=1)
    >>> checked = lf.fit(lf.laws.power_floor, runs, response="loss").validate(by="x", holdout=0.3)
    >>> checked.scores.n_rows, abs(checked.scores.bias) < 3 * checked.scores.bias_stderr
    (9, True)
    """
    check_word("kind", kind, KINDS)
    check_level(level)
    seed = check_count("seed", seed, least=0)
    places = np.flatnonzero(np.ones(fit.rows.y.size) if fit.rows.weights is None else fit.rows.weights)
    units = units_of(fit, places)
    name, splits = _splits_of(fit, by, kind, holdout, n_splits, seed, units, places)
    _check_training(fit, splits, units, places)
    fits = refit(fit, splits, n_threads, progress)
    unit_of = np.full(fit.rows.y.size, -1, dtype=np.int64)
    unit_of[places] = units.codes
    parts, shared = [], []
    found: list[ValidationSplit] = []
    for k, (split, trained) in enumerate(zip(splits, fits, strict=True)):
        if not trained.success:
            found.append(ValidationSplit(trained, split.train.size, split.above, None))
            continue
        held, slopes = held_out(fit, trained, split.test, unit_of, level, k)
        own = float(np.linalg.norm(slopes.mean(axis=0)))
        of_split = scores(held.error, held.unit, inside(held), level, in_sample_of(trained), own)
        found.append(ValidationSplit(trained, split.train.size, split.above, of_split))
        parts.append(held)
        shared.append((held.error.size, own, of_split.in_sample))
    if not parts:
        raise DataError(f"validate: no split could be fitted; the first: {fits[0].message}")
    rows = HeldOut(*(np.concatenate([getattr(part, field) for part in parts]) for field in HeldOut.__slots__))
    sizes = np.array([size for size, _, _ in shared], dtype=np.float64)
    weights = sizes / sizes.sum()
    # The errors of parameters that were trained on nested rows go together: at most, one for all.
    pooled = scores(
        rows.error, rows.unit, inside(rows), level,
        in_sample=math.sqrt(float(weights @ np.array([own**2 for _, _, own in shared]))),
        shared=float(weights @ np.array([own for _, own, _ in shared])),
    )  # fmt: skip
    message = _meaning(fit, kind, name, pooled, found, level)
    wanted = (HOLDOUT if holdout is None else holdout) * places.size
    n_held = sum(split.test.size for split in splits)
    if kind != "folds" and abs(n_held - wanted) >= 1.0:
        together = "equal" if fit.rows.clusters is None else "one cluster or equal"
        message += f"; {n_held} of {places.size} rows are held out, since rows of {together} {name} stay together"
    return Validation(fit, kind, name, level, tuple(found), pooled, rows, message)


def held_out_columns(found: Validation) -> dict[str, list[Any]]:
    """One row per held-out run."""
    names = ("split", "actual", "predicted", "lower", "upper", "error", "stderr")
    columns = {"row": found.rows.positions.tolist()}
    return columns | {name: getattr(found.rows, name).tolist() for name in names}


def _splits_of(
    fit: Fit,
    by: str | None,
    kind: str,
    holdout: float | None,
    n_splits: int | None,
    seed: int,
    units: Units,
    places: I64,
) -> tuple[str | None, list[Split]]:
    if kind == "folds":
        if by is not None or holdout is not None:
            raise DataError('by and holdout are for kind="ordered" and "rolling"; folds are drawn by seed=')
        count = check_count("n_splits", FOLDS if n_splits is None else n_splits, least=2)
        return None, fold_splits(units, places, count, seed)
    if kind == "ordered" and n_splits not in (None, 1):
        raise DataError(f'n_splits={n_splits}: kind="ordered" has one split; say kind="rolling"')
    share = HOLDOUT if holdout is None else holdout
    if isinstance(share, bool) or not isinstance(share, float | int) or not 0.0 < share < 1.0:
        raise DataError(f"holdout={holdout!r}: give a share between 0 and 1, such as 0.3")
    count = 1 if kind == "ordered" else ROLLING_SPLITS if n_splits is None else n_splits
    name, values = ordering(fit, by)
    return name, ordered_splits(units, places, name, values, share, check_count("n_splits", count, least=1))


def _check_training(fit: Fit, splits: list[Split], units: Units, places: I64) -> None:
    """Raise ``DataError`` unless every split has enough to fit to."""
    free = len(fit.law.parameters) - len(fit.options.fixed)
    unit_of = dict(zip(places.tolist(), units.codes.tolist(), strict=True))
    for split in splits:
        n_units = len({unit_of[place] for place in split.train.tolist()})
        if split.train.size <= free + 1 or n_units < 2:
            which = "rows" if units.noun == "row" or n_units >= 2 else "clusters"
            count = split.train.size if which == "rows" else n_units
            raise DataError(
                f"holdout: a split leaves {count} {which} to train on, too few for {free} parameters; hold out less, "
                "or fix parameters"
            )


def refit(fit: Fit, splits: list[Split], n_threads: int | None, progress: bool | Progress | None) -> list[Fit]:
    """Fit the law to the training rows of all splits in one call, each from many starts."""
    rows, options = fit.rows, fit.options
    order = np.concatenate([split.train for split in splits])
    offsets = np.concatenate([[0], np.cumsum([split.train.size for split in splits])]).astype(np.int64)
    put = replace(
        rows,
        x=np.ascontiguousarray(rows.x[:, order]),
        y=rows.y[order],
        weights=None if rows.weights is None else rows.weights[order],
        sigma=None if rows.sigma is None else rows.sigma[order],
        chosen=rows.positions[order],
        numbers=rows.units[order],
        offsets=offsets,
        repeated=(),
        clusters=None if rows.clusters is None else rows.clusters[order],
    )
    given = fit.starts.params if options.start_rule == "given" and fit.starts is not None else None
    raw = _batch.run(
        fit.law,
        put,
        options,
        starts=given,
        n_threads=_arrays.resolve_threads(n_threads),
        progress=as_progress(progress),
    )
    keys = tuple((k,) for k in range(len(splits)))
    return list(Fits(fit.law, ("split",), keys, options, put, raw, None))


def _meaning(fit: Fit, kind: str, by: str | None, pooled: Scores, splits: list[ValidationSplit], level: float) -> str:
    is_log = fit.options.residual == "log"

    def size(value: float) -> str:
        return f"{100.0 * value:.2g} %" if is_log else number(value, 2)

    what = f"the {pooled.n_rows} held-out runs" + (f" with the largest {by}" if by is not None else "")
    side = "low" if pooled.bias < 0.0 else "high"
    words = f"predictions of {what} are {size(abs(pooled.bias))} too {side} on average (+- {size(pooled.bias_stderr)})"
    if not math.isnan(pooled.ratio):
        words += f", and their errors {pooled.ratio:.2g} times the in-sample scatter"
    if pooled.bias_stderr > 0.0 and abs(pooled.bias) > CLEAR * pooled.bias_stderr:
        words += ": the law and the runs part there" if kind != "folds" else ": the runs are not of one law"
    elif pooled.ratio > MUCH:
        words += ": no clear bias, but more error than the training rows suggest"
    else:
        words += ": what the training rows suggest"
    if not math.isnan(pooled.coverage):
        words += (
            f"; {pooled.coverage:.0%} (+- {pooled.coverage_stderr:.0%}) of them lie inside their {level:.0%} intervals"
        )
    failed = sum(split.scores is None for split in splits)
    if failed:
        words += f"; {failed} of {len(splits)} splits could not be fitted and are left out"
    if fit.options.f_scale is None and fit.options.loss != "squared":
        words += f"; f_scale was estimated anew in each split ({fit.options.scale_rule})"
    if fit.rows.clusters is not None and min(split.fit.n_clusters for split in splits) < len(fit.params) + 2:
        words += "; few clusters train, so the intervals are rough"
    return words


def _text_of(found: Validation) -> str:
    fit, how = found.fit, {"ordered": "held out", "rolling": "rolling", "folds": "folds"}[found.kind]
    by = "" if found.by is None else f" by {found.by}"
    unit = "ln(predicted / actual)" if fit.options.residual == "log" else "predicted - actual"
    lines = [f"validation of {fit.rows.response} = {fit.law.text}", f"{how}{by}; errors are {unit}", ""]
    header = ["split", "train", "test", "bias", "stderr", "mean size", "rmse", "in sample", "coverage"]
    body = []
    for k, split in enumerate(found.splits):
        body.append([str(k), str(split.n_train), *_cells(split.scores)])
    if len(found.splits) > 1:
        body.append(["all", "", *_cells(found.scores)])
    return "\n".join([*lines, *table(header, body), "", found.message])


def _cells(of: Scores | None) -> list[str]:
    if of is None:
        return ["-"] * 7
    values = (of.bias, of.bias_stderr, of.mean_error, of.rmse, of.in_sample)
    covered = "-" if math.isnan(of.coverage) else f"{of.coverage:.0%}"
    return [str(of.n_rows), *(number(value, 2) for value in values), covered]
