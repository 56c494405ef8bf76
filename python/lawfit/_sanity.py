"""Tables that look as if a unit or a direction were not what the law takes it for; words, never a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lawfit._columns import at_rows, plain_name
from lawfit._engine import F64, I64
from lawfit._table import Table
from lawfit.errors import LawfitError

if TYPE_CHECKING:
    from lawfit.results import Fit

# What columns are called, as `plain_name` gives it.
SIZES = frozenset({"n", "params", "nparams", "parameters", "modelsize", "numparams", "paramcount"})
TOKENS = frozenset({"d", "tokens", "ntokens", "numtokens", "datasize", "trainingtokens"})
FLOPS = frozenset({"c", "flops", "flop", "compute", "trainingflop", "trainingflops", "totalflops", "trainflops"})
# No language model of a scaling study is smaller; 70 is seventy million, written in millions.
SMALLEST_MODEL = 1e6
# Embeddings and attention move C / (6 N D) by less than this on the published grids; units by a thousand.
MOST_RATIO = 2.0
# Rank correlation that is not chance in a table of a few runs.
RISING = 0.3
FEWEST_ROWS = 5


class FlopRatio(NamedTuple):
    """A column of FLOP beside the 6 N D of the same rows."""

    column: str
    median: float  # of column / (6 N D)


def _called(names: tuple[str, ...], columns: dict[str, str], known: frozenset[str]) -> int | None:
    """Position of the variable that is called so, by its own name or by that of the column it comes from."""
    for position, name in enumerate(names):
        if plain_name(name) in known or plain_name(columns.get(name, name)) in known:
            return position
    return None


def flop_ratio(
    table: Table, variables: tuple[str, ...], columns: dict[str, str], x: F64, order: I64 | None
) -> FlopRatio | None:
    """Compare a column of FLOP with six times parameters times tokens, where the variables are these."""
    name = next((name for name in table.names if plain_name(name) in FLOPS and name not in variables), None)
    if name is None:
        return None
    size, tokens = (_called(variables, columns, known) for known in (SIZES, TOKENS))
    if size is None or tokens is None:
        return None
    try:
        flops = at_rows(table.evaluate(name, want="number", argument="data"), order)
    except LawfitError:  # it holds something else; nothing asked for it
        return None
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = flops / (6.0 * x[size] * x[tokens])
    ratios = ratios[np.isfinite(ratios) & (ratios > 0.0)]
    return FlopRatio(name, float(np.median(ratios))) if ratios.size else None


def warnings_of(fit: Fit) -> list[str]:
    """Say what about the rows of a fit is suspicious."""
    rows, found = fit.rows, []
    size = _called(rows.variables, dict(rows.columns), SIZES)
    if size is not None and rows.y.size and 0.0 < float(np.max(rows.x[size])) < SMALLEST_MODEL:
        found.append(
            f"{rows.variables[size]} is at most {np.max(rows.x[size]):g}: in millions? amplitudes, published "
            f'coefficients and 6*N*D take parameters; say columns={{"{rows.variables[size]}": "1e6*..."}}'
        )
    ratio = rows.flops
    if ratio is not None and not 1.0 / MOST_RATIO <= ratio.median <= MOST_RATIO:
        found.append(
            f"column {ratio.column!r} is {ratio.median:.3g} times 6*N*D (median): N, D or {ratio.column} is in another "
            "unit, or counts something else"
        )
    return found + _rising(fit)


def _rising(fit: Fit) -> list[str]:
    """Say that the response rises with every variable although the law falls with each."""
    rows = fit.rows
    if rows.y.size < FEWEST_ROWS:
        return []
    moving = [i for i, values in enumerate(rows.x) if np.ptp(values) > 0.0]
    correlations = [_rank_correlation(rows.x[i], rows.y) for i in moving]
    if not moving or min(correlations) < RISING or not all(_falls(fit, i) for i in moving):
        return []
    names = ", ".join(rows.variables[i] for i in moving)
    return [
        f"{rows.response} rises with {names} (rank correlation {min(correlations):.2f}), where the law with positive "
        "parameters falls: is it an accuracy, or another measure that is better when larger?"
    ]


def _falls(fit: Fit, variable: int) -> bool:
    """Whether the law falls with a variable at the middle of the rows for several sets of positive parameters."""
    middle = np.median(fit.rows.x, axis=1)
    ends = np.array([fit.rows.x[variable].min(), fit.rows.x[variable].max()])
    points = {name: np.full(2, value) for name, value in zip(fit.rows.variables, middle, strict=True)}
    points[fit.rows.variables[variable]] = ends
    random = np.random.default_rng(0)
    for _ in range(4):
        # Exponents of sizes; as amplitudes they serve as well.
        params = {name: float(random.uniform(0.1, 0.7)) for name in fit.law.parameters}
        try:
            low, high = fit.law.evaluate(points, params=params)
        except LawfitError:
            return False
        if not high < low:
            return False
    return True


def _rank_correlation(a: F64, b: F64) -> float:
    """Spearman's; ties share their mean rank."""
    ranks = [_ranks(values) - (values.size + 1) / 2 for values in (a, b)]
    scale = float(np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))
    return float(ranks[0] @ ranks[1]) / scale if scale > 0.0 else 0.0


def _ranks(values: F64) -> F64:
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: F64 = (ends - (counts - 1) / 2)[codes.reshape(-1)]
    return means
