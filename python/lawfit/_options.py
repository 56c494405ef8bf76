"""The options of a fit, checked word by word against what the engine knows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine
from lawfit._batch import Options, Prior
from lawfit._crossed import SCHEMES as CROSSED
from lawfit._engine import F64
from lawfit._law import Law, RangeLike, as_number, as_ranges
from lawfit._named import Named
from lawfit._protocols import follow
from lawfit._wording import describe, listed, suggest
from lawfit.errors import DataError, LawError

StartsLike: TypeAlias = str | int | Mapping[str, ArrayLike]

# The engine decides: fewer where it scans the exponents of a law first.
DEFAULT_STARTS = 0


def make_options(
    law: Law,
    *,
    columns: Collection[str],
    protocol: str | None,
    loss: str | None,
    f_scale: float | str | None,
    residual: str | None,
    bounds: Mapping[str, RangeLike] | None,
    fixed: Mapping[str, float] | None,
    starts: StartsLike | None,
    seed: int,
    solver: str,
    covariance: str,
    max_iterations: int,
    kernels: str,
    prior: Mapping[str, Prior] | None,
) -> tuple[Options, F64 | None]:
    """Options of a fit with every default filled in, and the starts that the user gave, (n_starts, n_parameters)."""
    known = _engine.registries()
    settled, followed = follow(
        protocol, law, {"loss": loss, "f_scale": f_scale, "residual": residual, "starts": starts}
    )
    word = settled["loss"]
    if isinstance(word, str) and word not in known.losses and word in columns:
        raise LawError(
            f"loss={word!r} is a column: the column to fit is response={word!r}; loss= is the robust loss of its "
            f"residuals, one of {', '.join(known.losses)}"
        )
    check_word("solver", solver, known.solvers)
    check_word("covariance", covariance, known.covariances)
    check_word("kernels", kernels, known.kernels)
    held = _fixed_values(law, fixed)
    ranges = _ranges(law, bounds, held)
    rule, n_starts, given = _parse_starts(law, settled["starts"], held)
    scale, scale_rule = _scale(settled["f_scale"])
    options = Options(
        bounds=ranges,
        fixed=held,
        loss=check_word("loss", word, known.losses),
        f_scale=scale,
        scale_rule=scale_rule,
        residual=check_word("residual", settled["residual"], known.residuals),
        start_rule=rule,
        n_starts=n_starts,
        seed=check_count("seed", seed, least=0),
        solver=solver,
        covariance=covariance,
        max_iterations=check_count("max_iterations", max_iterations, least=1),
        kernels=kernels,
        protocol=followed,
        prior=_priors(law, prior, ranges, held),
    )
    return options, given


def check_word(argument: str, word: object, allowed: Collection[str]) -> str:
    """Return a word that the engine knows; raise ``LawError`` at any other."""
    if not isinstance(word, str):
        raise LawError(f"{argument}: give one of {', '.join(allowed)}, not {describe(word)}")
    if word not in allowed:
        raise LawError(f"{argument}={word!r} is not known; {suggest(word, allowed)}")
    return word


def check_count(argument: str, value: object, least: int) -> int:
    """Return a whole number of at least ``least`` that fits 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < 2**63:
        raise LawError(f"{argument}={value!r}: give a whole number of at least {least}")
    return int(value)


def _scale(f_scale: object) -> tuple[float | None, str]:
    """Scale of the robust loss, ``None`` where the data give it, and the rule by which they do."""
    rules = _engine.registries().scale_rules
    if isinstance(f_scale, str) and f_scale in rules:
        return None, f_scale
    if not isinstance(f_scale, str | bool):
        value = as_number("f_scale", "f_scale", f_scale)
        if 0.0 < value < math.inf:
            return value, rules[0]
    words = " or ".join(f'"{rule}"' for rule in rules)
    raise LawError(f"f_scale={f_scale!r}: give a number above 0, or {words} for a scale that the data give")


def _fixed_values(law: Law, fixed: Mapping[str, float] | None) -> Named[float]:
    if fixed is not None and not isinstance(fixed, Mapping):
        raise LawError(f"fixed: give a mapping from parameters to values, not {describe(fixed)}")
    values: Named[float] = Named({name: as_number("fixed", name, value) for name, value in (fixed or {}).items()})
    for name, value in values.items():
        law.check_parameter("fixed", name)
        if math.isinf(value):
            raise LawError(f"fixed: {name} needs a finite value")
    if len(values) == len(law.parameters):
        raise LawError(f"fixed: every parameter is fixed, so nothing is left to fit; use {law.name or 'law'}.evaluate")
    return values


def _ranges(law: Law, bounds: Mapping[str, RangeLike] | None, fixed: Named[float]) -> Named[tuple[float, float]]:
    """Bounds of every parameter: those of this call in place of the law's own."""
    given = as_ranges("bounds", bounds)
    for name in given:
        law.check_parameter("bounds", name)
    ranges = Named({**law.bounds, **given}) if given else law.bounds
    for name, value in fixed.items():
        lower, upper = ranges[name]
        if not lower <= value <= upper:
            raise LawError(f"fixed: {name}={value:g} lies outside its bounds ({lower:g}, {upper:g})")
    return ranges


def _priors(
    law: Law, prior: Mapping[str, Prior] | None, ranges: Named[tuple[float, float]], fixed: Named[float]
) -> Named[Prior]:
    """Mean and standard deviation of every parameter of which something is known."""
    if prior is not None and not isinstance(prior, Mapping):
        raise LawError(f"prior: give a mapping from parameters to (mean, sd), not {describe(prior)}")
    found = {}
    for name, pair in (prior or {}).items():
        law.check_parameter("prior", name)
        if isinstance(pair, str) or not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
            raise LawError(f"prior: {name} needs a pair (mean, sd), such as (0.35, 0.03)")
        mean, sd = (as_number("prior", name, value) for value in pair)
        if name in fixed:
            raise LawError(f"prior: {name} is fixed at {fixed[name]:g}; leave it out of fixed= or of prior=")
        if not math.isfinite(mean):
            raise LawError(f"prior: {name} needs a finite mean")
        if not 0.0 < sd < math.inf:
            advice = "to hold it use fixed=" if sd == 0.0 else "leave it out where nothing is known"
            raise LawError(f"prior: the standard deviation of {name} is {sd:g}; it is positive and finite: {advice}")
        lower, upper = ranges[name]
        if not lower <= mean <= upper:
            raise LawError(f"prior: the mean {mean:g} of {name} lies outside its bounds ({lower:g}, {upper:g})")
        found[name] = (mean, sd)
    return Named(found)


def _parse_starts(law: Law, starts: object, fixed: Named[float]) -> tuple[str, int, F64 | None]:
    """Rule, number of starts, and the starts themselves where the user gave them."""
    if isinstance(starts, Mapping):
        given = _given_starts(law, starts, fixed)
        return "given", len(given), given
    if isinstance(starts, int | np.integer) and not isinstance(starts, bool):
        return "auto", check_count("starts", starts, least=1), None
    rules = [rule for rule in _engine.registries().start_rules if rule != "given"]
    if not isinstance(starts, str):
        raise LawError(
            f"starts: give a number, a rule ({', '.join(rules)}) or a mapping of arrays, not {describe(starts)}"
        )
    if starts not in rules:
        raise LawError(
            f"starts={starts!r} is not known; give a number of starts, such as 200, or one of {listed(rules)}"
        )
    return starts, DEFAULT_STARTS, None


def _given_starts(law: Law, starts: Mapping[str, ArrayLike], fixed: Named[float]) -> F64:
    """Stack the starts by parameter, (n_starts, n_parameters); scalars serve all, fixed ones may be left out."""
    for name in starts:
        law.check_parameter("starts", name)
    columns = []
    for name in law.parameters:
        if name in fixed:
            columns.append(np.array(fixed[name]))
            continue
        if name not in starts:
            raise LawError(f"starts: no value for {name}; give one for each of {', '.join(law.parameters)}")
        values = _arrays.as_float64(starts[name], f"starts: {name}")
        if values.ndim > 1 or values.size == 0:
            raise DataError(f"starts: {name} has the shape {values.shape}; give a number, or one number per start")
        _arrays.check_finite(np.atleast_1d(values), f"starts: {name}", "give finite values")
        columns.append(values)
    try:
        return np.ascontiguousarray(np.stack(np.broadcast_arrays(*map(np.atleast_1d, columns)), axis=1))
    except ValueError:
        sizes = ", ".join(f"{name} {values.size}" for name, values in zip(law.parameters, columns, strict=True))
        raise DataError(f"starts: the arrays differ in length ({sizes}); give one value per start in each") from None


# Whether replicates are minimised from the fit alone.
SEARCHES = ("warm", "global")


def check_scheme(resample: object) -> None:
    """Raise ``LawError`` unless a word is that of a scheme; clusters are no scheme but what is drawn."""
    if isinstance(resample, str) and resample in ("cluster", "clusters", "cluster_pairs", "cluster_bayesian"):
        raise LawError(
            f"resample={resample!r}: clusters are drawn by themselves where the fit has cluster=; "
            'say resample="bayesian" or "pairs"'
        )
    check_word("resample", resample, (*_engine.registries().resamplers, *CROSSED))
