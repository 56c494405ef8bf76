"""What `fit_many` returns: one law fitted to many groups of rows. Frozen, slotted, picklable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import compress
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _engine, _export, _report
from lawfit._batch import Options, Resampling, Rows
from lawfit._engine import F64, Bool, RawFits
from lawfit._evidence import Starts, certificate_of
from lawfit._law import Law
from lawfit._named import Named
from lawfit._replicates import draws_of
from lawfit._wording import listed
from lawfit.results import Fit


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fits:
    """One law fitted to many groups of rows, in one call.

    ``fits["arc_easy", "dclm"]`` is the `Fit` of that key, ``fits[3]`` the one at a position (a key that is itself a
    number goes in as a tuple: ``fits[(70,)]``). Arrays have one element per fit, in the order of ``keys``.

    Attributes
    ----------
    law : Law
        The law, with its variables known.
    by : tuple of str
        Columns that made the groups.
    keys : tuple of tuples
        Key of each fit: one value for each column of ``by``.
    options : Options
        Everything that was asked for, defaults filled in.
    rows : Rows
        The rows of all fits.
    raw : RawFits
        Arrays of the engine.
    resampling : Resampling or None
        The bootstrap that was asked for.
    """

    law: Law
    by: tuple[str, ...]
    keys: tuple[tuple[object, ...], ...]
    options: Options
    rows: Rows
    raw: RawFits
    resampling: Resampling | None

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.keys)

    def __iter__(self) -> Iterator[Fit]:
        """Go through them in order."""
        return (self._at(i) for i in range(len(self)))

    def __getitem__(self, key: object) -> Fit:
        """Look one up."""
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"there are {len(self)} fits; {key} is not a position among them")
            return self._at(int(key) % len(self))
        wanted = key if isinstance(key, tuple) else (key,)
        try:
            return self._at(self.keys.index(wanted))
        except ValueError:
            shown = listed((repr(known if len(known) > 1 else known[0]) for known in self.keys), most=8)
            raise KeyError(f"no fit has the key {key!r} for {', '.join(self.by)}; the keys are {shown}") from None

    @property
    def params(self) -> Named[F64]:
        """Estimates by parameter name, each (n_fits,)."""
        return Named(zip(self.law.parameters, self.raw.params.T, strict=True))

    @property
    def stderr(self) -> Named[F64]:
        """Standard errors by parameter name, each (n_fits,); NaN where undefined."""
        variance = np.diagonal(self.raw.covariance, axis1=1, axis2=2)
        return Named(zip(self.law.parameters, np.sqrt(np.where(variance >= 0.0, variance, np.nan)).T, strict=True))

    @property
    def objective(self) -> F64:
        """Objective of each fit."""
        return self.raw.objective

    @property
    def start_agreement(self) -> F64:
        """Share of each fit's starts that ended at its best objective."""
        return self.raw.start_agreement

    @property
    def certified(self) -> Bool:
        """Which fits are certified; `Fit.certificate` says why one is not."""
        return self.raw.is_certified

    @property
    def status(self) -> NDArray[np.str_]:
        """How each fit ended, in a word."""
        return np.array([status.name for status in _engine.registries().statuses])[self.raw.status]

    @property
    def ok(self) -> Bool:
        """Which fits ended in a minimum that may be used."""
        return np.array([status.success for status in _engine.registries().statuses])[self.raw.status]

    @property
    def failed(self) -> Bool:
        """Which fits did not."""
        return ~self.ok

    def save(self, path: str | PathLike[str], *, data: bool = False) -> None:
        """Write it to a JSON file from which `lawfit.load` makes the same one; see `lawfit.saving.save`."""
        from lawfit import saving

        return saving.save(self, path, data=data)

    def with_data(
        self,
        data: object,
        *,
        where: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        sigma: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
    ) -> Fits:
        """Attach the rows of a batch that was saved without them; see `lawfit._attach.with_data`."""
        from lawfit import _attach

        return _attach.fits_with_data(self, data, where=where, weights=weights, sigma=sigma, cluster=cluster)

    def to_frame(self, what: str = "params", library: str | None = None) -> Any:
        """Return a frame: one row per fit and parameter (``"params"``) or one row per fit (``"fits"``)."""
        return _export.frame(_export.columns_of(self, what), library, self.rows.library, "to_frame")

    def plot(self, kind: str | None = None, ax: Any = None) -> Any:
        """Draw the first parameter over the groups, or another figure by name (`lawfit.plotting`), and return axes."""
        from lawfit import plotting

        return plotting.plot(self, kind, ax)

    def to_dict(self) -> dict[str, object]:
        """Return everything but the rows, as values that JSON can hold; undefined numbers are ``None``."""
        return _export.fits_dict(self)

    def to_latex(self, level: float = 0.95) -> str:
        """Return a LaTeX table of the parameters (booktabs); see `lawfit._latex_tables.of_fit`."""
        from lawfit import _latex_tables

        return _latex_tables.of_fits(self, level)

    def _repr_html_(self) -> str:
        """Return the form for notebooks."""
        from lawfit import _notebook

        return _notebook.of_fits(self)

    def __repr__(self) -> str:
        """Return the form for people."""
        return _report.fits_text(self)

    def _at(self, i: int) -> Fit:
        raw, rows = self.raw, self.rows.of(i)
        names, _, terms = self.law.settled
        status = _engine.registries().statuses[raw.status[i]]
        params: Named[float] = Named(zip(names, raw.params[i].tolist(), strict=True))
        starts = None
        if raw.starts is not None:
            begun = raw.starts
            n_made = int(np.count_nonzero(begun.status[i] != _engine.NOT_MADE))
            starts = Starts(
                begun.params[i, :n_made],
                begun.ends[i, :n_made],
                begun.objective[i, :n_made],
                begun.status[i, :n_made],
                raw.rounding.item(i),
            )
        fit = Fit(
            law=self.law,
            params=params,
            covariance=raw.covariance[i],
            covariance_type=raw.covariance_type,
            covariance_reason=self._gap(i, rows),
            dof=raw.dof.item(i),
            n_clusters=raw.n_clusters.item(i),
            unidentified=tuple(compress(names, raw.loose[i].tolist())),
            objective=raw.objective.item(i),
            sse=raw.sse.item(i),
            f_scale=raw.f_scale.item(i),
            prior_variance=raw.prior_variance.item(i),
            status=status.name,
            message=status.message,
            success=status.success,
            nfev=raw.n_evaluations.item(i),
            nit=raw.n_iterations.item(i),
            start_agreement=raw.start_agreement.item(i),
            certificate=certificate_of(raw, i, status.success, names),
            starts=starts,
            gradient=Named(zip(names, raw.gradient[i].tolist(), strict=True)),
            flat_direction=Named(zip(names, raw.flat_direction[i].tolist(), strict=True)),
            condition=raw.condition.item(i),
            term_share=Named(zip(terms, raw.term_share[i].tolist(), strict=True)),
            inside_scale=raw.inside_scale.item(i),
            at_bound=tuple(compress(names, raw.at_bound[i].tolist())),
            n_rows=raw.n_rows_used.item(i),
            kernels=raw.kernels,
            options=self.options,
            rows=rows,
            by=self.by,
            key=self.keys[i],
            draws=None,
        )
        if raw.replicates is None or self.resampling is None:
            return fit
        return replace(fit, draws=draws_of(fit, raw.replicates, i, self.resampling, self.options.seed))

    def _gap(self, i: int, rows: Rows) -> str | None:
        """Why a fit has no covariance, with the row or cluster by name."""
        raw = self.raw
        if rows.summary is not None:
            return rows.summary.gap
        if not raw.gap[i]:
            return None
        place = ""
        if raw.gap_row[i] >= 0:
            used = rows.positions if rows.weights is None else rows.positions[rows.weights > 0.0]
            place = f"row {used[raw.gap_row[i]]} (counted from 0)"
        elif raw.gap_cluster[i] >= 0:
            place = f"cluster {rows.cluster_labels[raw.gap_cluster.item(i)]!r}"
        return raw.gap[i].format(place)
