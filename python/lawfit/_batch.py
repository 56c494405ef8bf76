"""Rows and options of a batch of fits in their canonical form, and the one call that fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from lawfit import _engine
from lawfit._engine import F64, I64, Progress, RawFits
from lawfit._law import Law, Range
from lawfit._named import Named
from lawfit._protocols import Followed

Prior: TypeAlias = tuple[float, float]  # mean and standard deviation


class Repeat(NamedTuple):
    """A run that stands in several rows."""

    column: str
    label: object
    n_rows: int


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
    positions: I64  # (n_rows,) rows of the user's table, from 0
    units: I64  # (n_rows,) number of each row in its group, from 0, those that where= leaves out counted
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

    @property
    def n_fits(self) -> int:
        """How many fits the rows are for."""
        return self.offsets.size - 1

    def of(self, fit: int) -> Rows:
        """Return the rows of one fit."""
        start, stop = int(self.offsets[fit]), int(self.offsets[fit + 1])
        return Rows(
            variables=self.variables,
            x=np.ascontiguousarray(self.x[:, start:stop]),
            y=self.y[start:stop],
            weights=None if self.weights is None else self.weights[start:stop],
            sigma=None if self.sigma is None else self.sigma[start:stop],
            positions=self.positions[start:stop],
            units=self.units[start:stop],
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
    prior: Named[Prior] = Named()  # noqa: RUF009 (a Named cannot be changed)


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """How rows are drawn again, and how often."""

    scheme: str
    n_replicates: int
    weights: F64 | None = None  # (n_replicates, n_rows) with the scheme "weights"


def run(
    law: Law,
    rows: Rows,
    options: Options,
    *,
    starts: F64 | None = None,
    resampling: Resampling | None = None,
    f_scale: F64 | None = None,
    prior_variance: F64 | None = None,
    keep_starts: bool = True,
    n_threads: int,
    progress: Progress | None,
) -> RawFits:
    """Fit all rows in one engine call; ``f_scale`` (F,) and ``prior_variance`` (F,) stand in for what the fit finds."""
    names = law.parameters
    if f_scale is None and options.f_scale is not None:
        f_scale = np.full(rows.n_fits, options.f_scale)
    ranges = [law.starts.get(name, (np.nan, np.nan)) for name in names]
    return _engine.fit_batch(
        law.text,
        rows.variables,
        names,
        rows.x,
        rows.y,
        rows.offsets,
        lower=np.array([options.bounds[name][0] for name in names]),
        upper=np.array([options.bounds[name][1] for name in names]),
        fixed=np.array([options.fixed.get(name, np.nan) for name in names]),
        weights=rows.weights,
        sigma=rows.sigma,
        loss=options.loss,
        f_scale=f_scale,
        scale_rule=options.scale_rule,
        residual=options.residual,
        start_rule=options.start_rule if starts is None else "given",
        starts=starts,
        n_starts=options.n_starts,
        start_lower=np.array([lower for lower, _ in ranges]),
        start_upper=np.array([upper for _, upper in ranges]),
        seed=options.seed,
        resample=None if resampling is None else resampling.scheme,
        n_replicates=0 if resampling is None else resampling.n_replicates,
        keys=None if resampling is None else _engine.row_keys(rows.units),
        replicate_weights=None if resampling is None else resampling.weights,
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
    )


def _by_parameter(names: tuple[str, ...], prior: Named[Prior], part: int) -> F64 | None:
    """Means (part 0) or standard deviations of all parameters, NaN where nothing is known."""
    return np.array([prior[name][part] if name in prior else np.nan for name in names]) if prior else None
