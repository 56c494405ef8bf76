"""All forms of a law of test-time sampling on the same cells: how each fits, and what it says of others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lawfit import _export, laws
from lawfit._engine import F64, Progress
from lawfit._law import Law
from lawfit._leverage import units_of
from lawfit._splits import ordered_splits, ordering
from lawfit._text import table as text_table
from lawfit._wording import listed, suggest
from lawfit.errors import DataError, LawError
from lawfit.fitting import fit as fit_law
from lawfit.results import Fit
from lawfit.tables import read_table
from lawfit.validation import refit

RESPONSE = "neglog_mean_pass"
# Directions in which a plan goes beyond the runs: dearer, more tokens for each parameter, larger.
ORDERINGS = ("6*N*D", "D/N", "N")
HOLDOUT = 1.0 / 3.0
SCALES = ("log", "linear")


def _over_sizes(law: Law) -> Law:
    """Return a law of compute as one of sizes and tokens."""
    return law.rewritten(f"C = 6*N*D; {law.text}", ["N", "D", "k"])


def _neglog(law: Law) -> Law:
    """Return -log of a law of accuracy."""
    bindings, _, last = law.text.rpartition(";")
    return law.rewritten(f"{bindings}; -log({last.strip()})", law.variables or ())


# Each a law of -log mean pass@k over N, D and k.
FORMS: dict[str, Law] = {
    "t2_loss": laws.t2_loss,
    "t2_loss_bounded": laws.t2_loss_bounded,
    "log_linear_ck": _over_sizes(laws.log_linear_ck),
    "log_linear_ndk": laws.log_linear_ndk,
    "t2_sampling_exponent": laws.t2_sampling_exponent,
    "t2_beta_added": laws.t2_beta_added,
    "t2_beta": laws.t2_beta,
    "t2_accuracy": _neglog(laws.t2_accuracy),
    "t2_beta_product": laws.t2_beta_product,
    "t2_beta_overtrained": laws.t2_beta_overtrained,
}


@dataclass(frozen=True, slots=True)
class Beyond:
    """How a law that was fitted to what comes first in an order predicts what comes last.

    Attributes
    ----------
    by : str
        The order.
    above : float
        The largest value that trained.
    n_rows : int
        Held-out rows.
    r2 : float
        Share of the variance of -log pass@k among the held-out rows.
    relative_error : float
        Mean of abs(predicted - observed) / observed, of pass@k.
    bias : float
        Mean of log10(predicted / observed), of pass@k: above 0 the law promises too much.
    status : str
        How the fit to the other rows ended; unless it is a minimum, the figures are of where it stopped.
    success : bool
        Whether that is a minimum.
    """

    by: str
    above: float
    n_rows: int
    r2: float
    relative_error: float
    bias: float
    status: str
    success: bool


@dataclass(frozen=True, slots=True, eq=False)
class FormResult:
    """One form on one scale.

    Attributes
    ----------
    form : str
        Its name.
    scale : str
        The residual: ``"log"`` of the response, or ``"linear"``.
    fit : Fit
        To all cells.
    r2 : float
        Share of the variance of the response that it explains.
    beyond : tuple of Beyond
        One for each order.
    """

    form: str
    scale: str
    fit: Fit
    r2: float
    beyond: tuple[Beyond, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class T2Comparison:
    """Forms of a law of -log pass@k compared on the same cells, as `lawfit.compare_t2` gives it.

    Attributes
    ----------
    results : tuple of FormResult
        In the order of the forms.
    n_rows, n_cells : int
        Rows, and checkpoints behind them.
    notes : tuple of str
        What the table said of itself.
    """

    results: tuple[FormResult, ...]
    n_rows: int
    n_cells: int
    notes: tuple[str, ...]

    def __getitem__(self, key: str | tuple[str, str]) -> FormResult:
        """Look one up by form, or by form and scale."""
        form, scale = (key, None) if isinstance(key, str) else key
        for result in self.results:
            if result.form == form and scale in (None, result.scale):
                return result
        known = dict.fromkeys(result.form for result in self.results)
        raise KeyError(f"no result of {key!r}; {suggest(form, known)}")

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per form, scale and order of held-out rows."""
        lines: list[dict[str, object]] = [
            {
                "form": result.form, "scale": result.scale, "n_parameters": len(result.fit.params),
                "objective": result.fit.objective, "r2": result.r2, "status": result.fit.status,
                "certified": result.fit.certificate.certified, "start_agreement": result.fit.start_agreement,
                "condition": result.fit.condition, "broken_checks": len(_broken(result.fit)), "held_out": beyond.by,
                "held_out_r2": beyond.r2, "held_out_relative_error": beyond.relative_error,
                "held_out_bias": beyond.bias, "held_out_status": beyond.status,
            }
            for result in self.results
            for beyond in result.beyond
        ]  # fmt: skip
        columns = {name: [line[name] for line in lines] for name in lines[0]}
        return _export.frame(columns, library, self.results[0].fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        orders = [beyond.by for beyond in self.results[0].beyond]
        header = ["form", "p", "scale", "R2", *(f"beyond {order}" for order in orders), "fit"]
        rows = []
        for result in self.results:
            cells = [result.form, str(len(result.fit.params)), result.scale, f"{result.r2:.3f}"]
            rows.append([*cells, *map(_figures, result.beyond), _remarks(result.fit)])
        word = "fit" if len(rows) == 1 else "fits"
        lines = [
            f"{len(rows)} {word} to {self.n_rows} rows of {self.n_cells} checkpoints, response {RESPONSE}",
            "",
            *text_table(header, rows, left=len(header)),
            "",
            "beyond X: fitted to the rows that are smallest in X; of the others R2 of -log pass@k, mean relative error",
            "and mean log10(predicted / observed) of pass@k, which is above 0 where the law promises too much; ? marks",
            "a fit that is no minimum, so that its figures are of where the search stopped",
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def compare_t2(
    data: object,
    *,
    where: str | None = None,
    forms: Mapping[str, Law | str] | Sequence[str] | None = None,
    scales: Sequence[str] = ("log",),
    by: Sequence[str] = ORDERINGS,
    holdout: float = HOLDOUT,
    cluster: str | None = None,
    seed: int = 0,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> T2Comparison:
    """Fit every form of a law in (N, D, k) to the same cells, and ask each for cells that it has not seen.

    Parameters
    ----------
    data : table
        A table of `lawfit.pass_at_k`, with columns N, D, k and neglog_mean_pass.
    where : str, optional
        Condition that a row must meet, as in `lawfit.fit`.
    forms : sequence of str, or mapping of str to law, optional
        Names of forms, or laws of -log pass@k over N, D and k by name; all known forms by default.
    scales : sequence of str
        Residuals to minimise squares of: ``"log"``, ``"linear"`` or both.
    by : sequence of str
        Orders of the checkpoints; what comes last in each is held out.
    holdout : float
        Share of the rows that is held out.
    cluster : str, optional
        What makes rows belong together; by default what the table says, its checkpoints.
    seed : int
        Seed of starts.
    n_threads : int, optional
        As in `lawfit.fit`.
    progress : bool or callable, optional
        As in `lawfit.fit`, for each fit.

    Returns
    -------
    T2Comparison
        Fits, with what each says beyond its data. A form that could not be fitted says so in its status.

    Raises
    ------
    LawError
        A form is not known, or no law.
    DataError
        A column is missing, or the table has too few checkpoints to hold any out.

    Notes
    -----
    When to use: before a plan is made from one form. Forms that fit alike may promise very different things at more
    tokens per parameter, which is where they send a plan. Loss is squared, so that shares of variance mean something.

    References
    ----------
    Roberts et al. 2026, arXiv:2604.01411; Schaeffer et al. 2025, arXiv:2509.24012; Krajewski et al. 2025,
    arXiv:2512.08894.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 0.6, "A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32, "nu": 4.0}
    >>> design = {"N": [1e8, 3e8, 1e9, 3e9], "D": [2e9, 1e10, 5e10], "k": [1, 4, 16]}
    >>> runs = lf.synthetic.runs(lf.laws.t2_beta, truth, design, response="neglog_mean_pass", noise=0.02)
    >>> compared = lf.compare_t2(runs, forms=["t2_loss", "t2_beta"], cluster="N")
    >>> compared["t2_beta"].r2 > compared["t2_loss"].r2
    True
    """
    table = read_table(data)
    chosen = _forms(forms)
    if isinstance(scales, str) or not scales or any(scale not in SCALES for scale in scales):
        raise LawError(f"scales={scales!r}: give a list of {listed(SCALES)}")
    if isinstance(by, str):
        raise DataError(f"by={by!r}: give a list of orders, such as [{by!r}]")
    results = []
    for name, law in chosen.items():
        for scale in scales:
            whole = fit_law(
                law, table, response=RESPONSE, where=where, loss="squared", residual=scale, cluster=cluster, seed=seed,
                n_threads=n_threads, progress=progress,
            )  # fmt: skip
            beyond = tuple(_beyond(whole, order, holdout, n_threads, progress) for order in by)
            own = _r2(whole.rows.y, _predicted(whole, whole.rows.x))
            results.append(FormResult(name, scale, whole, own, beyond))
    rows = results[0].fit.rows
    cells = np.unique(np.stack([rows.x[rows.variables.index(name)] for name in ("N", "D")]), axis=1)
    return T2Comparison(tuple(results), rows.y.size, cells.shape[1], tuple(getattr(table, "notes", ())))


def _forms(asked: Mapping[str, Law | str] | Sequence[str] | None) -> dict[str, Law]:
    if asked is None:
        return FORMS
    if isinstance(asked, str):
        raise LawError(f"forms={asked!r}: give a list of names, such as [{asked!r}], or a mapping from names to laws")
    if not isinstance(asked, Mapping):
        for name in asked:
            if name not in FORMS:
                raise LawError(f"forms: {name!r} is not known; {suggest(name, FORMS)}")
        return {name: FORMS[name] for name in asked}
    found = {name: law if isinstance(law, Law) else Law(law, ["N", "D", "k"]) for name, law in asked.items()}
    for name, law in found.items():
        if not {"N", "D", "k"} <= set(law.variables or ()):
            raise LawError(f"forms: {name} is no law over N, D and k; its variables are {listed(law.variables or ())}")
    return found


def _beyond(whole: Fit, order: str, holdout: float, n_threads: int | None, progress: bool | Progress | None) -> Beyond:
    places = np.arange(whole.rows.y.size)
    name, values = ordering(whole, order)
    split = ordered_splits(units_of(whole, places), places, name, values, holdout, 1)[0]
    trained = refit(whole, [split], n_threads, progress)[0]
    observed, predicted = whole.rows.y[split.test], _predicted(trained, whole.rows.x[:, split.test])
    with np.errstate(invalid="ignore", over="ignore"):
        ratio = np.exp(observed - predicted)
        relative, bias = float(np.mean(np.abs(ratio - 1.0))), float(np.mean(np.log10(ratio)))
    return Beyond(
        name, split.above, split.test.size, _r2(observed, predicted), relative, bias, trained.status, trained.success
    )


def _predicted(fit: Fit, x: F64) -> F64:
    """Return the law at the estimates, also where these are no minimum; NaN where there are none."""
    if not all(math.isfinite(value) for value in fit.params.values()):
        return np.full(x.shape[1], math.nan)
    return fit.law.evaluate(dict(zip(fit.rows.variables, x, strict=True)), params=fit.params)


def _r2(observed: F64, predicted: F64) -> float:
    return float(1.0 - np.sum((observed - predicted) ** 2) / np.sum((observed - observed.mean()) ** 2))


def _figures(beyond: Beyond) -> str:
    mark = "" if beyond.success else "?"
    return f"{beyond.r2:6.3f} {beyond.relative_error:6.2f} {beyond.bias:+.2f}{mark}"


def _broken(fit: Fit) -> tuple[str, ...]:
    return fit.law.broken_checks(fit.params) if fit.success else ()


def _remarks(fit: Fit) -> str:
    """Return how the fit ended, and which of its flags are up."""
    found = [fit.status, "certified" if fit.certificate.certified else "not certified"]
    if fit.at_bound:
        found.append(f"{listed(fit.at_bound)} at bound")
    if _broken(fit):
        found.append("breaks pass@2 <= 2 pass@1")
    return ", ".join(found)
