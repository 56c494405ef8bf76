"""How others minimise the same objective from the same starts, as their careful users would.

Each is a function from data and starts to :class:`Timed`; what is not installed is named in ``missing``.
"""

import dataclasses
import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
from chinchilla_fit import DELTA, F64, NAMES, SCALE, objective
from scipy.optimize import least_squares, minimize

TIGHT = {"ftol": 1e-14, "gtol": 1e-7, "maxiter": 5000, "maxfun": 2000, "maxls": 50}
# For refits from an optimum: the loosest at which every one of 150 resamples still ends within 1e-6 of its best.
REFIT = {"ftol": 1e-7, "gtol": 1e-7}
# The least that SciPy's least_squares takes for a tolerance.
LEAST = float(np.finfo(np.float64).eps)
MOST_EVALUATIONS = 5000


Item = TypeVar("Item")


@dataclasses.dataclass(frozen=True)
class Timed:
    """What a method did with some starts, or resamples: the objective that each reached, and CPU seconds for one."""

    objectives: F64
    seconds_per_start: float


@dataclasses.dataclass(frozen=True)
class Peer:
    """A method: the packages it needs beside SciPy, what it is asked, and how many starts a repeat takes."""

    name: str
    packages: tuple[str, ...]
    options: str
    n_starts: int
    run: Callable[[dict[str, F64], F64], Timed]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.packages if importlib.util.find_spec(name) is None)


def logs(data: dict[str, F64]) -> tuple[F64, F64, F64]:
    return np.log(data["N"]), np.log(data["D"]), np.log(data["loss"])


def one_by_one(items: Iterable[Item], fit: Callable[[Item], float]) -> Timed:
    """The objective that ``fit`` reaches for each start or resample; the time is the median over them."""
    ends, seconds = [], []
    for item in items:
        begun = time.process_time()
        ends.append(fit(item))
        seconds.append(time.process_time() - begun)
    return Timed(np.array(ends), statistics.median(seconds))


def search(start: F64, arrays: tuple[F64, F64, F64], weights: F64 | None = None) -> float:
    """The objective that L-BFGS-B with the analytic gradient reaches."""
    found = minimize(objective, start, args=(*arrays, weights), jac=True, method="L-BFGS-B", options=TIGHT)
    return float(found.fun) / SCALE


def run_scipy(data: dict[str, F64], starts: F64) -> Timed:
    arrays = logs(data)
    return one_by_one(starts, lambda start: search(start, arrays))


def run_warm(data: dict[str, F64], optimum: F64, counts: F64) -> Timed:
    """A search of each resample, ``counts`` (n_resamples, n_rows), from the optimum of all rows."""
    arrays = logs(data)
    return one_by_one(counts, lambda weights: search(optimum, arrays, weights))


def refit(data: dict[str, F64], optimum: F64) -> Callable[[F64], float]:
    """What refits a resample from the optimum of all rows, in coordinates in which the curvature there is one.

    The loss of a row is taken as the parabola that touches it on both sides, which is of use where a row lies outside
    the scale of the loss too: its own curvature is zero there.
    """
    arrays = logs(data)
    touching = SCALE * DELTA / np.maximum(np.abs(residuals(optimum, *arrays)), DELTA)
    scaled = jacobian(optimum, *arrays) * np.sqrt(touching)[:, None]
    to_theta = np.linalg.inv(np.linalg.qr(scaled, mode="r"))

    def fit(weights: F64) -> float:
        def moved(step: F64) -> tuple[float, F64]:
            value, gradient = objective(optimum + to_theta @ step, *arrays, weights)
            return value, gradient @ to_theta

        return float(minimize(moved, np.zeros(5), jac=True, method="L-BFGS-B", options=REFIT).fun) / SCALE

    return fit


def run_refit(data: dict[str, F64], optimum: F64, counts: F64) -> Timed:
    return one_by_one(counts, refit(data, optimum))


def run_global(data: dict[str, F64], optimum: F64, counts: F64, starts: F64) -> Timed:
    """The best for each resample of a refit from the optimum and of searches from ``starts`` (n_resamples, n, 5)."""
    arrays, fit = logs(data), refit(data, optimum)

    def best(resample: tuple[F64, F64]) -> float:
        weights, drawn = resample
        return min(fit(weights), *(search(start, arrays, weights) for start in drawn))

    return one_by_one(zip(counts, starts, strict=True), best)


def run_numeric(method: str, options: dict[str, float]) -> Callable[[dict[str, F64], F64], Timed]:
    """SciPy's ``minimize`` with differences for a gradient."""

    def run(data: dict[str, F64], starts: F64) -> Timed:
        arrays = logs(data)

        def value(theta: F64) -> float:
            return objective(theta, *arrays)[0]

        return one_by_one(
            starts, lambda start: float(minimize(value, start, method=method, options=options).fun) / SCALE
        )

    return run


def residuals(theta: F64, log_n: F64, log_d: F64, log_loss: F64) -> F64:
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
    largest = terms.max(axis=0)
    total: F64 = largest + np.log(np.exp(terms - largest).sum(axis=0)) - log_loss
    return total


def jacobian(theta: F64, log_n: F64, log_d: F64, log_loss: F64) -> F64:
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
    shares = np.exp(terms - terms.max(axis=0))
    shares /= shares.sum(axis=0)
    by_n, by_d, by_e = shares
    return np.stack([by_n, by_d, by_e, -by_n * log_n, -by_d * log_d], axis=1)


def run_least_squares(data: dict[str, F64], starts: F64) -> Timed:
    arrays = logs(data)

    def fit(start: F64) -> float:
        tolerances = {"ftol": LEAST, "xtol": LEAST, "gtol": LEAST}
        found = least_squares(
            residuals, start, jacobian, args=arrays, loss="huber", f_scale=DELTA, x_scale="jac",
            max_nfev=MOST_EVALUATIONS, **tolerances,
        )  # fmt: skip
        return float(found.cost)

    return one_by_one(starts, fit)


def run_lmfit(data: dict[str, F64], starts: F64) -> Timed:
    lmfit: Any = importlib.import_module("lmfit")
    arrays = logs(data)

    def miss(params: Any) -> F64:
        return residuals(np.array([params[name].value for name in NAMES]), *arrays)

    def fit(start: F64) -> float:
        params = lmfit.Parameters()
        for name, value in zip(NAMES, start.tolist(), strict=True):
            params.add(name, value=value)
        found = lmfit.minimize(
            miss, params, method="least_squares", loss="huber", f_scale=DELTA, max_nfev=MOST_EVALUATIONS
        )
        return objective(np.array([found.params[name].value for name in NAMES]), *arrays)[0] / SCALE

    return one_by_one(starts, fit)


def run_iminuit(data: dict[str, F64], starts: F64) -> Timed:
    iminuit: Any = importlib.import_module("iminuit")
    arrays = logs(data)

    def value(theta: F64) -> float:
        return objective(theta, *arrays)[0]

    def gradient(theta: F64) -> F64:
        return objective(theta, *arrays)[1]

    def fit(start: F64) -> float:
        minuit = iminuit.Minuit(value, start, grad=gradient, name=NAMES)
        minuit.errordef, minuit.tol = iminuit.Minuit.LIKELIHOOD, 1e-4
        minuit.migrad(ncall=MOST_EVALUATIONS)
        return float(minuit.fval) / SCALE

    return one_by_one(starts, fit)


def run_optimistix(data: dict[str, F64], starts: F64) -> Timed:
    """BFGS over all starts at once; compiled before the clock begins."""
    jax: Any = importlib.import_module("jax")
    optimistix: Any = importlib.import_module("optimistix")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    log_n, log_d, log_loss = (jnp.asarray(values) for values in logs(data))

    def value(theta: Any, _: Any) -> Any:
        a, b, e, alpha, beta = theta
        terms = jnp.stack([a - alpha * log_n, b - beta * log_d, jnp.full_like(log_n, e)])
        size = jnp.abs(jax.scipy.special.logsumexp(terms, axis=0) - log_loss)
        return SCALE * jnp.where(size <= DELTA, 0.5 * size**2, DELTA * (size - 0.5 * DELTA)).sum()

    solver = optimistix.BFGS(rtol=1e-12, atol=1e-12)

    def fit(start: Any) -> Any:
        return value(optimistix.minimise(value, solver, start, max_steps=1000, throw=False).value, None)

    together = jax.jit(jax.vmap(fit))
    together(jnp.asarray(starts)).block_until_ready()
    begun = time.process_time()
    ends = np.asarray(together(jnp.asarray(starts)).block_until_ready()) / SCALE
    return Timed(ends, (time.process_time() - begun) / len(starts))


def run_lumafit(data: dict[str, F64], starts: F64) -> Timed:
    """Levenberg-Marquardt in numba on the signed roots of twice the loss; compiled before the clock begins."""
    lumafit: Any = importlib.import_module("lumafit")
    numba: Any = importlib.import_module("numba")
    arrays = logs(data)

    def signed_roots(theta: F64, log_n: F64, log_d: F64, log_loss: F64) -> F64:
        out = np.empty_like(log_n)
        for i in range(log_n.size):
            x, y, z = theta[0] - theta[3] * log_n[i], theta[1] - theta[4] * log_d[i], theta[2]
            top = max(x, y, z)
            miss = top + np.log(np.exp(x - top) + np.exp(y - top) + np.exp(z - top)) - log_loss[i]
            size = abs(miss)
            loss = 0.5 * size**2 if size <= DELTA else DELTA * (size - 0.5 * DELTA)
            out[i] = np.sign(miss) * np.sqrt(2.0 * loss)
        return out

    roots = numba.njit(signed_roots)
    zeros, ones = np.zeros_like(arrays[0]), np.ones_like(arrays[0])

    def fit(start: F64) -> float:
        found = lumafit.levenberg_marquardt_core(
            roots, start, zeros, ones, max_iter=1000, tol_g=1e-14, tol_p=1e-14, tol_c=1e-14, args=arrays
        )
        return objective(found[0], *arrays)[0] / SCALE

    fit(starts[0])
    return one_by_one(starts, fit)


PEERS = (
    Peer("SciPy BFGS, numeric gradient", (), "defaults, as in notebooks", 30, run_numeric("BFGS", {})),
    Peer("SciPy L-BFGS-B, numeric gradient", (), str(TIGHT), 30, run_numeric("L-BFGS-B", TIGHT)),
    Peer(
        "SciPy least_squares",
        (),
        "trf, huber, analytic Jacobian, x_scale=jac, tolerances 2.2e-16",
        30,
        run_least_squares,
    ),
    Peer("lmfit", ("lmfit",), "least_squares, huber, numeric Jacobian, default tolerances", 20, run_lmfit),
    Peer("iminuit", ("iminuit",), "migrad, analytic gradient, tol 1e-4", 60, run_iminuit),
    Peer("optimistix BFGS, vmapped", ("jax", "optimistix"), "rtol and atol 1e-12, 1,000 steps", 200, run_optimistix),
    Peer("lumafit", ("lumafit", "numba"), "tolerances 1e-14, 1,000 steps", 60, run_lumafit),
)
