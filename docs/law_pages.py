"""Pages of the catalogue: one for every law, and a table of all."""

from __future__ import annotations

import runpy
from pathlib import Path

from latex2mathml.converter import convert

import lawfit as lf

_EXAMPLES = runpy.run_path(str(Path(__file__).with_name("law_examples.py")))


def pages() -> dict[str, str]:
    """Return Markdown by file name, relative to the folder of the documentation."""
    found = {f"laws/{name}.md": page(law) for name, law in lf.laws.CATALOGUE.items()}
    return {"laws/index.md": index(), **found}


def index() -> str:
    """Return the table of all laws."""
    rows = [f"| [{name}]({name}.md) | {law.title} | `{law.text}` |" for name, law in lf.laws.CATALOGUE.items()]
    return "\n".join(["# Catalogue of laws", "", "| law | what it is | formula |", "|---|---|---|", *rows, ""])


def page(law: lf.Law) -> str:
    """Return the page of one law of the catalogue."""
    parts = [
        f"# {law.name}",
        f"{(law.title or '')[:1].upper()}{(law.title or '')[1:]}.",
        f"```text\n{law.text}\n```",
        *_mathematics(law.to_latex()),
        f"```latex\n{law.to_latex()}\n```",
        "## Variables",
        _table(("variable", "unit"), [(f"`{name}`", law.units[name]) for name in law.variables or ()]),
        "## Parameters",
        _table(("parameter", "bounds"), [(f"`{name}`", _bounds(*law.bounds[name])) for name in law.parameters]),
    ]
    if law.traps:
        parts += ["## Traps", "\n".join(f"- {trap}" for trap in law.traps)]
    if law.checks:
        parts += ["## Checks", "\n".join(f"- `{check}`: {meaning}." for check, meaning in law.checks.items())]
    known = lf.published.of(law)
    if known:
        parts.append("## Published coefficients")
    for entry in known.values():
        values = ", ".join(f"`{name}` {value:.8g}" for name, value in entry.params.items())
        lines = [f"- **{entry.name}**: {values}.", f"{entry.source}; {entry.provenance}.", f"Fitted to {entry.data}."]
        parts.append("\n  ".join([*lines, f"{entry.units}.", *([f"{entry.notes}."] if entry.notes else [])]))
    parts += ["## Reference", f"{law.reference}.", "## Example", f"```python\n{example(law)}\n```"]
    return "\n\n".join(parts) + "\n"


def example(law: lf.Law) -> str:
    """Return code that fits synthetic runs of a law."""
    name = str(law.name)
    chosen = _EXAMPLES["OWN_GRIDS"].get(name, _EXAMPLES["GRIDS"])
    truth = ", ".join(f'"{key}": {value!r}' for key, value in _EXAMPLES["TRUTHS"][name].items())
    lines = [f'    "{key}": [{", ".join(f"{value:.4g}" for value in chosen[key])}],\n' for key in law.variables or ()]
    return (
        "import lawfit as lf\n\n"
        f"law = lf.laws.{name}\n"
        f"truth = {{{truth}}}\n"
        f"grid = {{\n{''.join(lines)}}}\n"
        'runs = lf.synthetic.runs(law, truth, grid, response="y", noise=0.002)\n'
        'fit = lf.fit(law, runs, response="y", starts=10)\n'
        "print(fit)"
    )


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"| {left} | {right} |" for left, right in [head, ("---", "---"), *rows])


def _bounds(lower: float, upper: float) -> str:
    if lower == -float("inf"):
        return "any" if upper == float("inf") else f"at most {upper:g}"
    return f"at least {lower:g}" if upper == float("inf") else f"{lower:g} to {upper:g}"


def _mathematics(latex: str) -> list[str]:
    """Formulas as MathML, which browsers draw without a script, one for each line of the LaTeX."""
    lines, depth = [""], 0
    for piece in latex.split(r" \\ "):
        lines[-1] += (r" \\ " if lines[-1] else "") + piece
        depth += piece.count(r"\begin{cases}") - piece.count(r"\end{cases}")
        if depth == 0:
            lines.append("")
    drawn = (convert(line, display="block") for line in lines if line)
    return [line.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "") for line in drawn]
