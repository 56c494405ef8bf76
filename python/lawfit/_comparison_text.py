"""A comparison of laws as plain values, columns and text."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lawfit import _export
from lawfit._export import plain
from lawfit._text import number, table

if TYPE_CHECKING:
    from lawfit.comparison import Comparison

FORMAT_VERSION = 1


def comparison_dict(of: Comparison) -> dict[str, object]:
    """Everything about a comparison but the rows."""

    def values(record: object) -> dict[str, object]:
        found = asdict(record)  # type: ignore[call-overload]
        return {name: plain(value) if isinstance(value, float) else value for name, value in found.items()}

    return {
        "format": "lawfit.comparison",
        "version": FORMAT_VERSION,
        "by": list(of.by),
        "loss": of.loss,
        "f_scale": plain(of.f_scale),
        "f_scale_rule": of.f_scale_rule,
        "n_rows": of.n_rows,
        "n_units": of.n_units,
        "notes": list(of.notes),
        "laws": [
            {
                "name": law.name,
                "n_parameters": law.n_parameters,
                "scores": [values(score) for score in law.scores],
                "aicc": law.aicc,
                "aicc_reason": law.aicc_reason,
                "decisions": [values(decision) for decision in law.decisions],
                "fit": _export.fit_dict(law.fit),
            }
            for law in of.laws
        ],
    }


def comparison_columns(of: Comparison) -> dict[str, list[object]]:
    """Columns of a frame: one row per law and way of holding out."""
    lines: list[dict[str, object]] = []
    for law in of.laws:
        decided: dict[str, object] = {}
        for decision in law.decisions:
            where = f"{decision.cost}={decision.budget:g}"
            decided |= {f"N at {where}": decision.N, f"D at {where}": decision.D}
        for score in law.scores:
            lines.append(
                {
                    "law": law.name, "n_parameters": law.n_parameters, "by": score.by, "n_held": score.n_held,
                    "score": score.score, "score_stderr": score.score_stderr, "mean_error": score.mean_error,
                    "difference": score.difference, "difference_stderr": score.difference_stderr,
                    "survives": score.survives, "aicc": float("nan") if law.aicc is None else law.aicc,
                    "status": law.fit.status, **decided,
                }
            )  # fmt: skip
    return {name: [line[name] for line in lines] for name in lines[0]}


def comparison_text(of: Comparison) -> str:
    """Return the form for people."""
    first = of.laws[0].fit
    unit = "row" if first.rows.clusters is None else "cluster"
    count = f"{of.n_rows} rows" if unit == "row" else f"{of.n_rows} rows of {of.n_units} clusters"
    scale = "" if of.loss == "squared" else f", f_scale {number(of.f_scale, 4)} ({of.f_scale_rule})"
    lines = [f"{len(of.laws)} laws of {first.rows.response} on the same {count}; loss {of.loss}{scale}"]
    size = "ln(predicted / actual)" if first.options.residual == "log" else "predicted - actual"
    for k, by in enumerate(of.by):
        held = of.laws[0].scores[k].n_held
        what = f"random folds, all {held} rows" if by == "folds" else f"the {held} rows with the largest {by}"
        header = ["law", "p", "score", "stderr", "mean error", "to the best", "stderr", "verdict"]
        body = []
        for law in sorted(of.laws, key=lambda law: (law.scores[k].reason is not None, law.scores[k].score)):
            score = law.scores[k]
            if score.reason is not None:
                body.append([law.name, str(law.n_parameters), *["-"] * 5, law.fit.status])
                continue
            is_best = score.difference_stderr == 0.0 and score.difference == 0.0
            verdict = "best" if is_best else "survives" if score.survives else "out"
            figures = (score.score, score.score_stderr, score.mean_error, score.difference, score.difference_stderr)
            body.append([law.name, str(law.n_parameters), *(number(value, 3) for value in figures), verdict])
        lines += ["", f"held out: {what}; score is their mean loss, mean error that of |{size}|", ""]
        lines += table(header, body)
    lines += ["", f"survives: the difference to the best is within 2 of its standard errors, over {unit}s"]
    for law in of.laws:
        for score in law.scores:
            if score.reason is not None:
                lines.append(f"{law.name}, {score.by}: {score.reason}")
    if of.laws[0].decisions or of.loss == "squared":
        lines += ["", *_beside(of)]
    return "\n".join([*lines, *(f"note: {note}" for note in of.notes)])


def _beside(of: Comparison) -> list[str]:
    """Lines of AICc and of the decisions."""
    header = ["law", *(["AICc"] if of.loss == "squared" else [])]
    for decision in of.laws[0].decisions:
        header += [f"N at {decision.cost} = {decision.budget:g}", "D"]
    body, reasons = [], []
    for law in of.laws:
        cells = [law.name]
        if of.loss == "squared":
            cells.append("-" if law.aicc is None else number(law.aicc))
            if law.aicc_reason is not None:
                reasons.append(f"{law.name}, AICc: {law.aicc_reason}")
        for decision in law.decisions:
            cells += [number(decision.N, 4), number(decision.D, 4)]
            if decision.reason is not None:
                reasons.append(f"{law.name}, {decision.cost}: {decision.reason}")
        body.append(cells)
    return [*table(header, body), *reasons]
