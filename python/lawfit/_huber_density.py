"""The density whose logarithm is Huber's loss, and the noise at which it is highest.

A residual r of weight w and turn d has, at noise s, the density exp(-w H_d(r) / s²) √w / (s c(k)) with k = d √w / s
and c(k) = √(2π) (1 - 2 Q(k)) + 2 exp(-k²/2) / k, normal inside k and exponential beyond.  Besiroglu et al. 2024.
"""

from __future__ import annotations

import math

import numpy as np

from lawfit import _engine
from lawfit._engine import F64

# Each step of the golden section keeps .618; eighty leave nothing to tell apart.
N_STEPS = 80
GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)


def log_constant(k: F64) -> F64:
    """Logarithm of c(k); that of the normal density for an infinite turn."""
    beyond = np.asarray(_engine.t_sf(k, np.full_like(k, math.inf)))
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.log(math.sqrt(2.0 * math.pi) * (1.0 - 2.0 * beyond) + 2.0 * np.exp(-0.5 * k * k) / k))


def deviance(objective: F64, noise: F64, weights: F64, turn: float) -> F64:
    """Minus twice the log-likelihood at objectives (R,) and noise (R,), for rows with positive weights (n,).

    The objective is the sum of w H_d(r), so that rows of every weight turn at the same d.
    """
    distinct, counts = np.unique(weights, return_counts=True)
    own = noise[:, np.newaxis] / np.sqrt(distinct)
    rest = np.log(own) + (0.5 * math.log(2.0 * math.pi) if math.isinf(turn) else log_constant(np.asarray(turn / own)))
    return np.asarray(2.0 * objective / noise**2 + 2.0 * rest @ counts.astype(np.float64))


def least_deviance(objective: F64, weights: F64, turn: float, *, is_known: bool) -> tuple[F64, F64]:
    """Deviance (R,) at the noise (R,) that makes it least, and that noise; noise 1 where it is known."""
    if is_known:
        noise = np.ones_like(objective)
        return deviance(objective, noise, weights, turn), noise
    # At the least deviance the noise is that of squares or below it.
    top = np.log(np.sqrt(2.0 * objective / weights.size)) + 1.0
    lower, upper = top - 12.0, top
    for _ in range(N_STEPS):
        left, right = upper - GOLDEN * (upper - lower), lower + GOLDEN * (upper - lower)
        is_left = deviance(objective, np.exp(left), weights, turn) < deviance(objective, np.exp(right), weights, turn)
        lower, upper = np.where(is_left, lower, left), np.where(is_left, right, upper)
    noise = np.exp(0.5 * (lower + upper))
    return deviance(objective, noise, weights, turn), noise
