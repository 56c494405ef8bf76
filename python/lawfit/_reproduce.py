"""The call of Python, and the command, that make a fit again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping

from lawfit import laws
from lawfit._batch import Options
from lawfit._draws import Draws
from lawfit._law import Law, Range
from lawfit._options import DEFAULT_STARTS
from lawfit._protocols import DEFAULTS
from lawfit.results import Fit

# More starts than that are not written out.
MOST_STARTS = 12
PLAIN = Options.__dataclass_fields__


def python_call(fit: Fit, draws: Draws | None = None) -> str:
    """Return the call that makes the fit again from the same table, called ``data``, and that of draws made later."""
    call = _fit_call(fit)
    if draws is None or draws is fit.draws:
        return call
    if draws.resample == "weights":
        return f"{call}\ndraws = fit.bootstrap(weights=weights)"
    share = "" if draws.share is None else f", share={draws.share!r}"
    return f"{call}\ndraws = fit.bootstrap({len(draws)}, resample={draws.resample!r}, seed={draws.seed}{share})"


def _fit_call(fit: Fit) -> str:
    rows, options = fit.rows, fit.options
    arguments: dict[str, str] = {"response": repr(rows.response)}
    # Draws that a fit has were made together with it, which only fit_many does.
    is_many = fit.draws is not None or bool(fit.by and fit.by != ("table",))
    if is_many:
        arguments = {"by": repr(list(fit.by)), **arguments}
    if rows.columns:
        arguments["columns"] = repr(dict(rows.columns))
    for name, made in _of_rows(fit).items():
        # An array of the call is not in the fit: its name stands for it.
        arguments[name] = name if made == "given" else repr(made)
    if rows.dropped:
        arguments["missing"] = "'drop'"
    arguments |= {name: _written(value) for name, value in _settings(fit).items()}
    bounds = {name: tuple(map(_open, pair)) for name, pair in _own_bounds(fit).items()}
    of_parameters = {"bounds": bounds, "fixed": dict(options.fixed), "prior": dict(options.prior)}
    arguments |= {name: repr(given) for name, given in of_parameters.items() if given}
    arguments["seed"] = repr(options.seed)
    for name in ("solver", "covariance", "max_iterations", "kernels"):
        if getattr(options, name) != PLAIN[name].default:
            arguments[name] = repr(getattr(options, name))
    if fit.draws is not None:
        arguments |= {"bootstrap": repr(len(fit.draws)), "resample": repr(fit.draws.resample)}
    inner = ",\n".join(f"    {name}={text}" for name, text in arguments.items())
    verb, part = ("fit_many", f"[{fit.key!r}]") if is_many else ("fit", "")
    return f"import lawfit as lf\n\nfit = lf.{verb}(\n    {_law(fit.law)},\n    data,\n{inner},\n){part}"


def command(fit: Fit) -> tuple[str | None, str | None]:
    """Return the command that makes the fit again from a file, or None and why there is none."""
    options, rows = fit.options, fit.rows
    reason = _why_no_command(fit)
    if reason is not None:
        return None, reason
    words = ["lawfit", "fit", "runs.csv", "--law", fit.law.name or fit.law.text, "--response", rows.response]
    for column, text in rows.columns:
        words += ["--column", f"{column}={text}"]
    words += [word for name, made in _of_rows(fit).items() for word in (f"--{name}", made)]
    words += ["--missing", "drop"] if rows.dropped else []
    words += ["--by", ",".join(fit.by)] if fit.by else []
    for name, value in _settings(fit).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    for name, (lower, upper) in _own_bounds(fit).items():
        ends = ("" if math.isinf(end) else repr(end) for end in (lower, upper))
        words += ["--bound", f"{name}={':'.join(ends)}"]
    for name, value in options.fixed.items():
        words += ["--fixed", f"{name}={value!r}"]
    for name, (mean, sd) in options.prior.items():
        words += ["--prior", f"{name}={mean!r}:{sd!r}"]
    words += ["--seed", str(options.seed)]
    for name in ("covariance", "kernels"):
        if getattr(options, name) != PLAIN[name].default:
            words += [f"--{name}", getattr(options, name)]
    if fit.draws is not None:
        words += ["--bootstrap", str(len(fit.draws)), "--resample", fit.draws.resample]
    return shlex.join(words), None


def _why_no_command(fit: Fit) -> str | None:
    options, law = fit.options, fit.law
    arrays = [name for name, made in _of_rows(fit).items() if made == "given"]
    if fit.by == ("table",):
        return "the command reads one table, and this fit is one of several tables"
    if arrays:
        return f"the call was given arrays, which the command does not take: {', '.join(arrays)}"
    if options.start_rule == "given":
        return "the starts were given as arrays, which the command does not take"
    if not _is_of_catalogue(law) and (law.positive or law.starts or law.declared_bounds):
        return "the law declares more than its formula (positive, bounds or starts), which the command does not take"
    for name in ("solver", "max_iterations"):
        if getattr(options, name) != PLAIN[name].default:
            return f"{name}= is set, which the command does not take"
    return None


def _of_rows(fit: Fit) -> dict[str, str]:
    """Return what was said of the rows: a column, a formula, or "given" for an array."""
    rows = fit.rows
    said = {"where": rows.where, "weights": rows.weighted_by, "sigma": rows.noise_by, "cluster": rows.clustered_by}
    return {name: made for name, made in said.items() if made is not None}


def _settings(fit: Fit) -> dict[str, object]:
    """Return what is minimised and from where, as the call says it: a protocol and what differs, or all of it."""
    options = fit.options
    scale = options.scale_rule if options.f_scale is None else options.f_scale
    full: dict[str, object] = {"loss": options.loss, "f_scale": scale, "residual": options.residual}
    if options.loss == "squared" and scale == DEFAULTS["f_scale"]:
        del full["f_scale"]
    if options.start_rule == "given":
        full["starts"] = _given_starts(fit)
    elif options.start_rule != "auto":
        full["starts"] = options.start_rule
    elif options.n_starts != DEFAULT_STARTS:
        full["starts"] = options.n_starts
    if options.protocol is None:
        return full
    changed = {name: full.get(name, value) for name, value in options.protocol.changed.items()}
    return {"protocol": options.protocol.name, **changed}


class _Name(str):
    """What stands in a call without quotes."""

    __slots__ = ()


def _given_starts(fit: Fit) -> object:
    if fit.starts is None or len(fit.starts.params) > MOST_STARTS:
        return _Name("starts")
    columns = fit.starts.params.T.tolist()
    named = dict(zip(fit.law.parameters, columns, strict=True))
    return {name: values for name, values in named.items() if name not in fit.options.fixed}


def _written(value: object) -> str:
    return str(value) if isinstance(value, _Name) else repr(value)


def _own_bounds(fit: Fit) -> dict[str, Range]:
    return {name: pair for name, pair in fit.options.bounds.items() if pair != fit.law.bounds[name]}


def _open(end: float) -> float | None:
    return None if math.isinf(end) else end


def _is_of_catalogue(law: Law) -> bool:
    known = laws.CATALOGUE.get(law.name or "")
    return known is not None and (known == law or known == law.rewritten(law.text, known.variables or ()))


def _law(law: Law) -> str:
    if _is_of_catalogue(law):
        return f"lf.laws.{law.name}"
    said: Mapping[str, object] = {
        "positive": list(law.positive),
        "bounds": {name: tuple(map(_open, pair)) for name, pair in law.declared_bounds.items()},
        "starts": dict(law.starts),
    }
    more = "".join(f", {name}={value!r}" for name, value in said.items() if value)
    return f"lf.Law({law.text!r}, {list(law.variables or ())!r}{more})"
