"""One law for each recipe, and what it says of a run that is planned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import lawfit as lf


@dataclass(frozen=True)
class Outlook:
    """What the runs of one recipe say of a planned run; ``reason`` is why they say nothing."""

    recipe: str
    loss: float
    lower: float
    upper: float
    exponent: float
    reason: str | None


def outlooks(runs: object, by: str, n_parameters: float, n_tokens: float, level: float = 0.9) -> list[Outlook]:
    """Fit `lawfit.laws.chinchilla` to the runs of each recipe and predict a run of a given size and data."""
    fits: lf.Fits = lf.fit_many(lf.laws.chinchilla, runs, by=by, response="loss", seed=0)
    return [_outlook(fit, n_parameters, n_tokens, level) for fit in fits]


def _outlook(fit: lf.Fit, n_parameters: float, n_tokens: float, level: float) -> Outlook:
    recipe = str(fit.key[0])
    if not fit.success:
        return Outlook(recipe, np.nan, np.nan, np.nan, np.nan, fit.message)
    band: lf.Prediction = fit.predict(N=n_parameters, D=n_tokens, interval=level, kind="run")
    share: lf.Derived = fit.derived("beta / (alpha + beta)")
    return Outlook(recipe, float(band.value), float(band.lower), float(band.upper), share.value, band.note)
