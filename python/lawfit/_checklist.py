"""The checklist of a fit: what a paper or a page should say of it, filled in as far as the fit knows.

Its items are those of Li, Kudugunta and Zettlemoyer 2025, (Mis)fitting: a survey of scaling laws, with what the
reliability of the fit itself needs beside them.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from lawfit import _report
from lawfit._band import noise_variance
from lawfit._fingerprint import digest_of, fingerprint_of
from lawfit._law import Range
from lawfit._text import number
from lawfit._wording import bounded, listed, suggest
from lawfit.errors import DataError
from lawfit.results import Fit

# What only the user knows: the key of notes=, the item, and what is asked.
NOTES = {
    "assumptions": ("Why this form", "why the law should have this form, and what it assumes"),
    "counting": ("Counting", "whether N counts embeddings, how D counts repeated data, how C is counted"),
    "training": ("Training", "hyper-parameters and how they follow the scale: learning rate, batch, schedule, warm-up"),
    "shape": ("Architecture", "width, depth, context length, tokeniser"),
    "checkpoints": ("Checkpoints", "whether runs were taken at their end or in between, and from what share on"),
    "evaluation": ("Evaluation", "on which data the response was measured, and whether it was smoothed"),
    "exclusions": ("Runs left out before", "which runs never came into the table, and why"),
    "sensitivity": ("Other choices", "how the answer moves with the loss, its scale, the rows and the counting"),
    "data": ("Data and code", "where the runs and the code can be had"),
    "remarks": ("Remarks", "what else a reader should know"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist."""

    name: str
    words: str
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """Items under one heading."""

    title: str
    items: tuple[Item, ...]


def check_notes(notes: Mapping[str, str] | None) -> dict[str, str]:
    """Return what the user says; raise ``DataError`` at a key that nothing asks for."""
    if notes is not None and not isinstance(notes, Mapping):
        raise DataError(f"notes: give texts by name; the names are {', '.join(NOTES)}")
    for key, words in (notes or {}).items():
        if key not in NOTES:
            raise DataError(f"notes: {key!r} is no item of the checklist; {suggest(key, NOTES)}")
        if not isinstance(words, str) or not words.strip():
            raise DataError(f"notes: {key} needs a text")
    return dict(notes or {})


def checklist(fit: Fit, notes: Mapping[str, str], intervals: str, held_out: Item) -> tuple[Section, ...]:
    """Fill the checklist in: ``intervals`` and ``held_out`` are what was made for the page."""
    return (
        Section("The law", (*_law_items(fit), _noted("assumptions", notes))),
        Section("The runs", _run_items(fit, notes)),
        Section("What was minimised", _objective_items(fit)),
        Section("The search", _search_items(fit)),
        Section("Uncertainty", (*_uncertainty_items(fit, intervals), held_out, _noted("sensitivity", notes))),
        Section("Versions", _version_items(fit, notes)),
    )


def ranges_of(fit: Fit) -> dict[str, Range]:
    """Smallest and largest value of each variable over the rows of the fit, and of the response."""
    rows, summary = fit.rows, fit.rows.summary
    if summary is not None:
        return {**summary.ranges, rows.response: summary.response_range}
    lines = zip((*rows.variables, rows.response), (*rows.x, rows.y), strict=True)
    return {name: (float(np.min(line)), float(np.max(line))) for name, line in lines}


def span(pair: Range) -> str:
    """Write a range."""
    return number(pair[0], 4) if pair[0] == pair[1] else f"{number(pair[0], 4)} to {number(pair[1], 4)}"


def _noted(key: str, notes: Mapping[str, str]) -> Item:
    name, asked = NOTES[key]
    return Item(name, notes[key]) if key in notes else unknown(name, asked)


def unknown(name: str, asked: str) -> Item:
    """Say that something is not known."""
    return Item(name, f"not stated: {asked}", is_known=False)


def _law_items(fit: Fit) -> list[Item]:
    law, rows, fixed = fit.law, fit.rows, fit.options.fixed
    free = [name for name in law.parameters if name not in fixed]
    found = [Item("Form", f"{rows.response} = {law.text}" + (f" ({law.name})" if law.name else ""))]
    found.append(Item("Meaning", law.title) if law.title else unknown("Meaning", "what the law says in words"))
    for name in rows.variables:
        item = f"Unit of {name}"
        found.append(Item(item, law.units[name]) if name in law.units else unknown(item, "declare units= of the law"))
    bounds = listed((bounded(name, fit.options.bounds[name]) for name in free), most=40)
    found.append(Item("Fitted parameters", f"{len(free)}: {bounds}"))
    if fixed:
        found.append(Item("Fixed parameters", listed(f"{name} = {value!r}" for name, value in fixed.items())))
    found.append(Item("Reference", law.reference) if law.reference else unknown("Reference", "where the law is from"))
    return found


def _run_items(fit: Fit, notes: Mapping[str, str]) -> tuple[Item, ...]:
    rows = fit.rows
    found = [Item("Rows", _report.rows_line(fit))]
    found.append(Item("Rows chosen by", "all rows of the table" if rows.where is None else f"where={rows.where}"))
    if rows.columns:
        found.append(Item("Variables from", listed(f"{name} = {text}" for name, text in rows.columns)))
    for name, pair in ranges_of(fit).items():
        found.append(Item(f"Range of {name}", span(pair)))
    if {"N", "D"} <= set(rows.variables) and rows.summary is None:
        ratios = rows.x[rows.variables.index("D")] / rows.x[rows.variables.index("N")]
        found.append(Item("Range of D/N", span((float(ratios.min()), float(ratios.max())))))
    if rows.flops is None:
        found.append(unknown("C beside 6 N D", "no column of FLOP beside N and D in the table"))
    else:
        words = f"column {rows.flops.column!r} is {rows.flops.median:.4g} times 6*N*D (median over the rows)"
        found.append(Item("C beside 6 N D", words))
    if rows.clustered_by is None:
        found.append(Item("Independence", "rows are taken as independent (no cluster=)"))
    else:
        found.append(
            Item("Independence", f"rows of one {rows.clustered_by} belong together: {fit.n_clusters} clusters")
        )
    fingerprint = fingerprint_of(rows) if rows.summary is None else rows.summary.fingerprint
    found.append(Item("Hash of the rows", f"SHA-256 {digest_of(fingerprint)}"))
    noted = ("counting", "training", "shape", "checkpoints", "evaluation", "exclusions")
    return (*found, *(_noted(key, notes) for key in noted))


def _objective_items(fit: Fit) -> tuple[Item, ...]:
    options, rows = fit.options, fit.rows
    residual = {"log": "ln(predicted) - ln(actual)", "linear": "predicted - actual"}
    found = [
        Item("Objective", f"{fit.objective!r}: sum over rows of weight times loss of the residual"),
        Item("Loss", options.loss),
        Item("Residual", f"{options.residual}: {residual.get(options.residual, options.residual)}"),
    ]
    if options.loss != "squared":
        how = f"given by the data ({options.scale_rule})" if options.f_scale is None else "given"
        inside = f"; {fit.inside_scale:.0%} of the residuals lie inside" if math.isfinite(fit.inside_scale) else ""
        found.insert(2, Item("Scale of the loss (delta)", f"{fit.f_scale!r}, {how}{inside}"))
    weights = "all rows weigh the same" if rows.weighted_by is None else f"{rows.weighted_by}, as precisions"
    found.append(Item("Weights", weights if rows.noise_by is None else f"known noise, sigma={rows.noise_by}"))
    if options.prior:
        priors = listed(f"{name} = {mean!r} +- {sd!r}" for name, (mean, sd) in options.prior.items())
        found.append(Item("Priors", priors))
    if options.protocol is not None:
        found.append(Item("Protocol", dict(_report.facts_of(fit))["protocol"]))
    return tuple(found)


def _search_items(fit: Fit) -> tuple[Item, ...]:
    options = fit.options
    said = dict(_report.start_facts(fit))
    n_starts = 0 if fit.starts is None else len(fit.starts.objective)
    found = [
        Item("Status", f"{fit.status}: {fit.message}"),
        Item("Starts", f"{n_starts}, rule {options.start_rule}, seed {options.seed}")
        if n_starts
        else unknown("Starts", "none are kept with the fit"),
        Item("Agreement", f"{fit.start_agreement:.0%} of the starts ended at the best objective"),
    ]
    if "optima" in said:
        found.append(Item("Distinct optima", f"{len(fit.optima)}; objective (starts): {said['optima']}"))
    found += [
        Item("Certificate", said["certificate"]),
        Item("Solver", f"{options.solver}, at most {options.max_iterations} iterations a start; {said['work']}"),
        Item("Condition number", number(fit.condition, 3)),
        Item("Parameters at a bound", listed(fit.at_bound)),
    ]
    return tuple(found)


def _uncertainty_items(fit: Fit, intervals: str) -> list[Item]:
    variance = noise_variance(fit)
    found = [Item("Standard errors", _report.stderr_line(fit)), Item("Intervals", intervals)]
    if math.isfinite(variance):
        unit = "in units of sigma" if fit.rows.noise_by is not None else f"on the {fit.options.residual} scale"
        found.append(Item("Scatter about the law", f"{number(math.sqrt(variance), 4)} {unit}, root mean square"))
    return found


def _version_items(fit: Fit, notes: Mapping[str, str]) -> tuple[Item, ...]:
    packages = f"lawfit {version('lawfit')}, NumPy {np.__version__}, Python {platform.python_version()}"
    return (
        Item("Versions", f"{packages}; of the page, which may be later than the fit"),
        Item("Kernels", f"{fit.kernels}: the same level gives the same bits"),
        Item("Seed", str(fit.options.seed)),
        _noted("data", notes),
        *([_noted("remarks", notes)] if "remarks" in notes else []),
    )
