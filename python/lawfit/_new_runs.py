"""What a fit says of runs that it has not seen: standard error of the law there, and noise of a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lawfit._engine import F64
from lawfit._tangent import moving_parameters, slopes_at, tangent_of

if TYPE_CHECKING:
    from lawfit.results import Fit

# Of normal residuals, the standard deviation in units of the median of their absolute values.
MAD_TO_SD = 1.4826


def law_stderr(fit: Fit, x: F64) -> tuple[F64, F64]:
    """Predictions (n,) at points x (n_variables, n), and (n, m) their derivatives times a root of the covariance.

    The lengths of the latter's rows are standard errors on the residual's scale; the length of a mean of rows is that
    of a mean of predictions. NaN where the fit has no covariance.
    """
    moving = moving_parameters(fit)
    predicted, jacobian = slopes_at(fit, x, moving)
    places = [fit.law.parameters.index(name) for name in moving]
    covariance = fit.covariance[np.ix_(places, places)]
    if not np.isfinite(covariance).all():
        return predicted, np.full(jacobian.shape, np.nan)
    # Scaled, so that amplitudes of thousands beside exponents of tenths cost no digits.
    scales = np.sqrt(np.maximum(np.diagonal(covariance), np.finfo(np.float64).tiny))
    values, vectors = np.linalg.eigh(covariance / scales[:, np.newaxis] / scales)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return predicted, (jacobian * scales) @ root


def noise_of(fit: Fit) -> float:
    """Return the standard deviation of a row of weight 1 about the law, on the residual's scale (units of ``sigma``).

    Under squared loss it is that of all residuals; under a robust one that of the bulk, 1.4826 times the median of
    their sizes. As many of the smallest as there are parameters are left out: a fit at a narrow scale passes through
    them.
    """
    tangent = tangent_of(fit)
    sizes = np.sort(np.abs(tangent.residuals * tangent.root_weights))
    left = sizes.size - tangent.rank
    if left < 1:
        return math.nan
    if fit.options.loss == "squared":
        return math.sqrt(float(sizes @ sizes) / left)
    return MAD_TO_SD * float(np.median(sizes[tangent.rank :]))
