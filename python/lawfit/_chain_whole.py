"""Two stages as the fit of one law, so that quantities, predictions and intervals know the errors of both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from lawfit._chain_covariance import covariance_of_steps, newton_steps
from lawfit._chain_rows import Units
from lawfit._engine import F64
from lawfit._law import Law
from lawfit._named import Named
from lawfit._tangent import moving_parameters
from lawfit._wording import listed
from lawfit.results import Fit

T = TypeVar("T")


def whole_of(first: Fit, second: Fit, law: Law, through: str, points: F64, units: Units, held: tuple[str, ...]) -> Fit:
    """Return the staged estimates as a fit of the chained law, with the covariance of both stages.

    ``points`` (n_first_variables, n_second) are the first law's variables at the rows of the second stage; ``held`` are
    parameters that the first stage holds although they are estimated: those of a grid.
    """
    free = _free(first, held), _free(second, ())
    steps = newton_steps(first, second, through, points, free, units)
    worst = first if not first.success or (second.success and second.status == "converged") else second
    whole = _shell(first, second, law, through, points, units, held)
    is_usable = first.success and second.success
    reason = _gap(first, second) or steps.reason
    if reason is not None:
        steps = steps._replace(steps=None)
    return replace(
        whole,
        covariance=covariance_of_steps(steps, law.parameters),
        covariance_reason=reason,
        status=worst.status,
        message=worst.message,
        success=is_usable,
        dof=math.nan if reason is not None else _dof(first, second, free, units),
    )


def _gap(first: Fit, second: Fit) -> str | None:
    """Say which stage has no covariance, or not of all parameters, and why."""
    found = []
    for place, fit in (("first", first), ("second", second)):
        reason = fit.covariance_reason if fit.success else f"not usable as it is: {fit.message}"
        if fit.unidentified:
            reason = f"{listed(fit.unidentified)} not identified"
        if reason is not None:
            found.append(f"{place} stage: {reason}")
    return "; ".join(found) or None


def _free(fit: Fit, held: tuple[str, ...]) -> tuple[str, ...]:
    moving = {*moving_parameters(fit), *held}
    return tuple(name for name in fit.law.parameters if name in moving)


def _dof(first: Fit, second: Fit, free: tuple[tuple[str, ...], tuple[str, ...]], units: Units) -> float:
    """Degrees of freedom of the stage that has fewer: those of a sum of two variances are no less."""
    if units.name != "rows":
        return min(np.unique(each).size for each in (units.first, units.second)) - 1.0
    return float(min(fit.n_rows - len(names) for fit, names in zip((first, second), free, strict=True)))


def _shell(first: Fit, second: Fit, law: Law, through: str, points: F64, units: Units, held: tuple[str, ...]) -> Fit:
    """Everything that the chained fit has from its stages, without a covariance."""
    parameters = law.parameters
    rows = dict(zip(first.rows.variables, points, strict=True))
    rows |= {name: x for name, x in zip(second.rows.variables, second.rows.x, strict=True) if name != through}
    keys, codes = np.unique(units.second, return_inverse=True)
    options = replace(
        second.options,
        bounds=_in_order(parameters, {**first.options.bounds, **second.options.bounds}),
        fixed=Named({**{k: v for k, v in first.options.fixed.items() if k not in held}, **second.options.fixed}),
        prior=Named({**first.options.prior, **second.options.prior}),
        covariance="CR3",
        is_chained=True,
    )
    flat = first if first.unidentified else second
    certificates = first.certificate, second.certificate
    return replace(
        second,
        law=law,
        params=_in_order(parameters, {**first.params, **second.params}),
        covariance_type="CR3",
        n_clusters=units.distinct.size,
        unidentified=(*first.unidentified, *second.unidentified),
        nfev=first.nfev + second.nfev,
        nit=first.nit + second.nit,
        start_agreement=min(first.start_agreement, second.start_agreement),
        certificate=min(certificates, key=lambda each: each.certified),
        starts=None,
        gradient=_in_order(parameters, {**first.gradient, **second.gradient}),
        flat_direction=Named({name: flat.flat_direction.get(name, 0.0) for name in parameters}),
        condition=max(first.condition, second.condition),
        at_bound=(*first.at_bound, *second.at_bound),
        options=options,
        # Rows are clusters here in any case: a profile of the second response alone is none of the chain.
        rows=replace(
            second.rows,
            variables=law.variables or (),
            x=np.stack([rows[name] for name in law.variables or ()]),
            columns=(*first.rows.columns, *(pair for pair in second.rows.columns if pair[0] != through)),
            clusters=codes.reshape(-1).astype(np.int64),
            cluster_labels=tuple(range(keys.size)),
            clustered_by=units.name,
        ),
    )


def _in_order(parameters: tuple[str, ...], values: Mapping[str, T]) -> Named[T]:
    return Named({name: values[name] for name in parameters})
