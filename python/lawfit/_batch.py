"""Rows and options of a batch of fits in their canonical form, and the one call that fits it."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypedDict

import numpy as np

from lawfit import _engine
from lawfit._engine import F64, I64, U64, Progress, RawFits
from lawfit._law import Law, Range
from lawfit._named import Named
from lawfit._protocols import Followed
from lawfit._sampled import Sampled
from lawfit._sanity import FlopRatio
from lawfit.errors import DataError

if TYPE_CHECKING:
    from lawfit._absent import Summary

Prior: TypeAlias = tuple[float, float]  # mean and standard deviation
Dropped: TypeAlias = tuple[tuple[str, int], ...]  # columns with the number of rows that were left out for each


def dropped_words(dropped: Iterable[Dropped]) -> str:
    """Say how many rows of all groups were left out for which column; empty without any."""
    total: Counter[str] = Counter()
    for each in dropped:
        total.update(dict(each))
    return ", ".join(f"{count} without {column}" for column, count in total.items())


class Repeat(NamedTuple):
    """A run, or a problem, that stands in several rows."""

    column: str
    label: object
    n_rows: int
    kind: str = "run"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of F fits, put together; the rows of fit ``f`` are ``offsets[f]:offsets[f + 1]``.

    A fit keeps its own, so that it can be resampled, predicted and plotted later.
    """

    variables: tuple[str, ...]
    x: F64  # (n_variables, n_rows)
    y: F64  # (n_rows,)
    weights: F64 | None  # (n_rows,)
    sigma: F64 | None  # (n_rows,) known noise in the response's units; not together with weights
    chosen: I64 | None  # (n_rows,) ``positions``; None: a table for each fit, with all its rows in turn
    numbers: I64 | None  # (n_rows,) ``units`` where they are not ``positions``
    offsets: I64  # (F + 1,)
    n_table_rows: int  # rows of the user's table, before where=
    response: str
    where: str | None
    library: str
    columns: tuple[tuple[str, str], ...]  # variables that the user mapped, with the column or formula of each
    weighted_by: str | None  # column or formula of the weights, "given" for an array
    noise_by: str | None  # the same of the known noise
    clusters: I64 | None = None  # (n_rows,) positions in cluster_labels
    cluster_labels: tuple[object, ...] = ()  # of the whole table
    clustered_by: str | None = None  # column of the clusters, "given" for an array
    repeated: tuple[Repeat | None, ...] = ()  # (F,) without clusters: the run in most rows, if it is in several
    dropped: tuple[Dropped, ...] = ()  # (F,) with missing="drop": rows left out
    flops: FlopRatio | None = None  # a column of FLOP beside 6 N D, over all rows
    sampled: Sampled | None = None  # where responses are averages over problems: what they are made of

    @property
    def n_fits(self) -> int:
        """How many fits the rows are for."""
        return self.offsets.size - 1

    @property
    def positions(self) -> I64:
        """(n_rows,) rows of the user's table, from 0; made for each look where it is all rows."""
        if self.chosen is not None:
            return self.chosen
        return np.arange(self.y.size, dtype=np.int64) - np.repeat(self.offsets[:-1], np.diff(self.offsets))

    @property
    def units(self) -> I64:
        """(n_rows,) number of each row in its group, from 0, those that ``where=`` leaves out counted."""
        return self.positions if self.numbers is None else self.numbers

    @property
    def summary(self) -> Summary | None:
        """What is known of rows that were not saved with their fit; None where the rows are there."""
        return None

    def of(self, fit: int) -> Rows:
        """Return the rows of one fit."""
        if self.n_fits == 1:
            return self
        start, stop = int(self.offsets[fit]), int(self.offsets[fit + 1])
        return Rows(
            variables=self.variables,
            x=np.ascontiguousarray(self.x[:, start:stop]),
            y=self.y[start:stop],
            weights=None if self.weights is None else self.weights[start:stop],
            sigma=None if self.sigma is None else self.sigma[start:stop],
            chosen=None if self.chosen is None else self.chosen[start:stop],
            numbers=None if self.numbers is None else self.numbers[start:stop],
            offsets=np.array([0, stop - start], dtype=np.int64),
            n_table_rows=self.n_table_rows,
            response=self.response,
            where=self.where,
            library=self.library,
            columns=self.columns,
            weighted_by=self.weighted_by,
            noise_by=self.noise_by,
            clusters=None if self.clusters is None else self.clusters[start:stop],
            cluster_labels=self.cluster_labels,
            clustered_by=self.clustered_by,
            repeated=self.repeated[fit : fit + 1],
            dropped=self.dropped[fit : fit + 1],
            flops=self.flops,
            sampled=self.sampled,
        )


@dataclass(frozen=True, slots=True)
class Options:
    """How a law is fitted; checked, with every default filled in."""

    bounds: Named[Range]
    fixed: Named[float]
    loss: str = "huber"
    f_scale: float | None = None  # None: the scale that the data give
    scale_rule: str = "mad"  # how they give it
    residual: str = "log"
    start_rule: str = "auto"
    n_starts: int = 0
    seed: int = 0
    solver: str = "auto"
    covariance: str = "auto"
    max_iterations: int = 1000
    kernels: str = "auto"
    protocol: Followed | None = None
    prior: Named[Prior] = field(default_factory=Named)
    is_chained: bool = False  # the whole of a chain, whose rows are those of its last stage alone


# Replicates that are searched from many starts as well: enough to see minima that a tenth of them miss.
N_CHECKED = 8


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """How rows are drawn again, and how often."""

    scheme: str
    n_replicates: int
    weights: F64 | None = None  # (n_replicates, n_rows) with the scheme "weights", or one over problems
    responses: F64 | None = None  # (n_replicates, n_rows) with a scheme over problems
    strata: I64 | None = None  # (n_rows,) codes
    share: float = 0.8  # of the units that a subsample keeps
    noise: F64 | None = None  # (n_rows,) on the residual's scale
    search: str = "warm"
    n_checked: int = 0
    studentize: bool = False


def run(
    law: Law,
    rows: Rows,
    options: Options,
    *,
    starts: F64 | None = None,
    resampling: Resampling | None = None,
    at: F64 | None = None,
    f_scale: F64 | None = None,
    prior_variance: F64 | None = None,
    keep_starts: bool = True,
    n_threads: int,
    progress: Progress | None,
) -> RawFits:
    """Fit all rows in one engine call.

    ``f_scale`` (F,) and ``prior_variance`` (F,) stand in for what the fit finds, ``at`` (F, P) for its search.
    """
    if options.is_chained:
        raise DataError(
            "the whole of a chain is not refitted by itself, since its rows are those of the second stage alone: use "
            "the methods of the chain, such as chain.bootstrap(), or those of chain.first and chain.second"
        )
    names = law.parameters
    if f_scale is None and options.f_scale is not None:
        f_scale = np.full(rows.n_fits, options.f_scale)
    held, ranges = options.fixed, law.starts
    declared = [(*options.bounds[name], held.get(name, np.nan), *ranges.get(name, (np.nan, np.nan))) for name in names]
    lower, upper, fixed, start_lower, start_upper = np.ascontiguousarray(np.array(declared).T)
    return _engine.fit_batch(
        law.text,
        rows.variables,
        names,
        rows.x,
        rows.y,
        rows.offsets,
        lower=lower,
        upper=upper,
        fixed=fixed,
        weights=rows.weights,
        sigma=rows.sigma,
        loss=options.loss,
        f_scale=f_scale,
        scale_rule=options.scale_rule,
        residual=options.residual,
        start_rule=_start_rule(options, starts),
        starts=starts,
        n_starts=options.n_starts,
        start_lower=start_lower,
        start_upper=start_upper,
        seed=options.seed,
        solver=options.solver,
        covariance=options.covariance,
        clusters=rows.clusters,
        keep_starts=keep_starts,
        max_iterations=options.max_iterations,
        kernels=options.kernels,
        n_threads=n_threads,
        progress=progress,
        prior_mean=_by_parameter(names, options.prior, 0),
        prior_sd=_by_parameter(names, options.prior, 1),
        prior_variance=prior_variance,
        at=at,
        **({} if resampling is None else _replicates(rows, resampling)),
    )


def _start_rule(options: Options, starts: F64 | None) -> str:
    """Return where starts come from; those of a fit that were given to it are not always at hand."""
    if starts is not None:
        return "given"
    return "auto" if options.start_rule == "given" else options.start_rule


class _Replicates(TypedDict, total=False):
    resample: str
    n_replicates: int
    keys: U64
    cluster_keys: U64 | None
    replicate_weights: F64 | None
    replicate_responses: F64 | None
    strata: I64 | None
    share: float
    noise: F64 | None
    is_global: bool
    n_checked: int
    studentize: bool


def _replicates(rows: Rows, resampling: Resampling) -> _Replicates:
    """Return what the engine needs to make replicates."""
    return {
        "resample": resampling.scheme,
        "n_replicates": resampling.n_replicates,
        "keys": _engine.row_keys(rows.units),
        "cluster_keys": cluster_keys(rows),
        "replicate_weights": resampling.weights,
        "replicate_responses": resampling.responses,
        "strata": resampling.strata,
        "share": resampling.share,
        "noise": resampling.noise,
        "is_global": resampling.search == "global",
        "n_checked": resampling.n_checked,
        "studentize": resampling.studentize,
    }


def cluster_keys(rows: Rows) -> U64 | None:
    """Return the key of each row's cluster, which depends on its label alone: a run is drawn alike in every group."""
    if rows.clusters is None:
        return None
    return _engine.hash_keys([unit_bytes(label) for label in rows.cluster_labels])[rows.clusters]


def unit_bytes(label: object) -> bytes:
    """Return the canonical bytes of a unit: a text, a number as float64, or several of them."""
    if isinstance(label, str):
        return b"t" + label.encode()
    if isinstance(label, tuple):
        parts = [unit_bytes(part) for part in label]
        return b"p" + b"".join(struct.pack("<q", len(part)) + part for part in parts)
    assert isinstance(label, int | float | np.generic), "units are texts, numbers, or tuples of them"
    return b"n" + struct.pack("<d", float(label))


def _by_parameter(names: tuple[str, ...], prior: Named[Prior], part: int) -> F64 | None:
    """Means (part 0) or standard deviations of all parameters, NaN where nothing is known."""
    return np.array([prior[name][part] if name in prior else np.nan for name in names]) if prior else None
