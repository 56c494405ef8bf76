"""What a fit says of the law at runs that it has not seen, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lawfit._engine import F64
from lawfit._tangent import moving_parameters, slopes_at

if TYPE_CHECKING:
    from lawfit.results import Fit


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
