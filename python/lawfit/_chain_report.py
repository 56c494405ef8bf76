"""A chain as a text that a person can read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lawfit._report import names_line
from lawfit._text import fields, number, table

if TYPE_CHECKING:
    from lawfit._chain_fit import ChainFit
    from lawfit.results import Fit


def warnings_of(chain: ChainFit) -> tuple[str, ...]:
    """Return what a careful reader should know: of the chain, then of either stage."""
    found = list(chain.cautions)
    for place, fit in (("first", chain.first), ("second", chain.second)):
        found += [f"{place} stage: {warning}" for warning in fit.warnings]
    if chain.joint is not None:
        found += [f"joint: {warning}" for warning in chain.joint.warnings if warning not in chain.first.warnings]
    return tuple(found)


def chain_text(chain: ChainFit) -> str:
    """Return the printed form."""
    lines = [
        f"{chain.responses[1]} through {chain.through} = {chain.responses[0]} ({chain.how})",
        chain.law.text,
        names_line(chain.law.variables or (), chain.law.parameters),
        "",
        *_parameters(chain),
        "",
        *fields(_facts(chain)),
    ]
    warnings = warnings_of(chain)
    if warnings:
        lines += ["", "warnings", *(f"  - {warning}" for warning in warnings)]
    return "\n".join(lines)


def _parameters(chain: ChainFit) -> list[str]:
    stderr, body = chain.stderr, []
    for name, value in chain.params.items():
        stage = chain.first if name in chain.first.params else chain.second
        ends = [number(end) for end in chain.interval(name)]
        note = "fixed" if name in chain.fit.options.fixed else "at bound" if name in chain.fit.at_bound else ""
        where = "first" if stage is chain.first else "second"
        body.append([name, where, number(value, 8), number(stderr[name], 4), *ends, note])
    header = ["parameter", "stage", "estimate", "stderr", "2.5 %", "97.5 %", "note"]
    if not any(row[-1] for row in body):
        header, body = header[:-1], [row[:-1] for row in body]
    return table(header, body, left=2)


def _facts(chain: ChainFit) -> list[tuple[str, str]]:
    facts = [("status", f"{chain.fit.status}: {chain.fit.message}")]
    for place, fit in (("first", chain.first), ("second", chain.second)):
        facts.append((place, _stage_line(fit)))
    if chain.joint is not None:
        facts.append(("joint", f"objective {chain.joint.objective:.12g}, each response in units of its own noise"))
    reason = chain.fit.covariance_reason
    stderr = f"none: {reason}" if reason else f"{chain.fit.covariance_type} of both stages"
    if not math.isnan(chain.fit.dof) and not reason:
        stderr += f" over {chain.fit.n_clusters} {chain.units.name}, t with {chain.fit.dof:g} degrees of freedom"
    facts.append(("stderr", stderr))
    facts += [("", note) if i else ("notes", note) for i, note in enumerate(chain.notes)]
    return facts


def _stage_line(fit: Fit) -> str:
    options = fit.options
    scale = "" if options.loss == "squared" else f", f_scale={fit.f_scale:.6g}"
    parts = [
        f"{fit.rows.response}: {fit.status}",
        f"objective {fit.objective:.12g} (loss={options.loss}{scale}, residual={options.residual})",
        f"{fit.n_rows} rows",
    ]
    if options.fixed:
        parts.append("held: " + ", ".join(f"{name} = {value:g}" for name, value in options.fixed.items()))
    if fit.rows.weighted_by is not None:
        parts.append(f"weights {fit.rows.weighted_by}")
    if fit.rows.noise_by is not None:
        parts.append(f"sigma={fit.rows.noise_by}")
    return "; ".join(parts)
