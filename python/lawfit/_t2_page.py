"""The page of the report on sampled answers: the decision, what to distrust, the frontier, and how it was made."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np

from lawfit import _html, _page
from lawfit._allocation import RESPONSE
from lawfit._frontier import Frontier
from lawfit._parameter_table import how_made, parameter_rows
from lawfit._t2_call import Call
from lawfit._t2_figures import are_possible, frontier_figures, pass_figure
from lawfit._t2_study import FormPlan, Study, share
from lawfit._t2_verdict import NOUNS, QUANTITIES, Verdict, ends, ranges, size, span, swept
from lawfit._text import number
from lawfit._wording import listed

# Rows of the table of a sweep; the figures have every point.
MOST_POINTS = 9
# Of everything that is bought, for what a little more would bring.
MORE = 1.1


def page_of(
    found: Study,
    verdict: Verdict,
    distrust: Sequence[str],
    headline: Mapping[str, float],
    level: float,
    call: Call,
) -> str:
    """Return the whole page."""
    words = " and ".join(f"{text} = {amount:.4g}" for text, amount in headline.items())
    return _page.page(
        f"What {words} should buy",
        [
            _decision(found, verdict, level),
            _page.section("What to distrust", _page.sentences(distrust)),
            _frontier(found, level),
            _page.section("The forms", *_forms(found, level)),
            _law(found, level),
            _page.section("Where it comes from", *_provenance(found, call)),
        ],
    )


def _decision(found: Study, verdict: Verdict, level: float) -> str:
    kind, word = ("good", "decided") if verdict.is_decided else ("bad", "not decided")
    state = _html.text("span", word, f'class="state {kind}"')
    parts = [_html.element("p", f"{state} {_html.text('strong', verdict.sentence)}")]
    if len(verdict.reasons) > 1:
        parts += [_page.paragraph("And further:"), _page.sentences(verdict.reasons[1:])]
    front = found.chosen.headline
    if front is None or found.chosen.reason is not None:
        if front is not None:
            parts.append(_page.sentences(_end_words(front)))
        return _page.section("The decision", *parts)
    if not verdict.is_decided:
        parts.append(_page.paragraph(f"What {found.chosen.form} would say, if it could be trusted:"))
    header, body, notes = decision_rows(found, front, level)
    parts += [_page.wide(_html.table(header, body)), _page.notes(notes)]
    parts.append(_page.sentences([*_end_words(front), *_more_words(front)]))
    words = f"By the law {found.chosen.form}: {found.why}."
    return _page.section("The decision", *parts, _page.paragraph(words, "small"))


def decision_rows(found: Study, front: Frontier, level: float) -> tuple[list[str], list[list[str]], list[str]]:
    """Return the plan of one point as a table: best, interval, what is near, and what the runs have."""
    tail = 50.0 * (1.0 - level)
    header = ["", "best", f"{tail:.4g} %", f"{100 - tail:.4g} %", "as good with 5 % more budget", "in the runs"]
    near, reach = front.plan.near(), ranges(found.table)
    rows: list[list[str]] = []
    notes: dict[str, list[str]] = {}
    for name in QUANTITIES:
        band = front.interval(name, level)
        figures = [size(float(each)) for each in (band.value, band.lower, band.upper)]
        around = span(*map(float, near[name])) if name in near else ""
        rows.append([f"{name}, {NOUNS[name]}", *figures, around, span(*reach[name])])
        if band.note is not None:
            notes.setdefault(band.note, []).append(name)
    band = front.interval(RESPONSE, level)
    observed = found.table.column("pass_at_k").values
    # -log turns the interval around.
    passed = [number(math.exp(-float(each)), 3) for each in (band.value, band.upper, band.lower)]
    reached = span(float(observed.min()), float(observed.max()))
    rows.append(["expected pass@k", *passed, "", reached])
    return header, rows, [f"{', '.join(names)}: {note}" for note, names in notes.items()]


def _end_words(front: Frontier) -> list[str]:
    said = ", ".join(f"{part:.1%} {word}" for word, part in ends(front))
    return [f"Of {int(np.count_nonzero(front.draws.ok))} usable draws: {said}."]


def _more_words(front: Frontier) -> list[str]:
    """Say what a tenth more of each budget brings."""
    words = []
    for text, price in front.plan.price.items():
        gain = float(np.asarray(price)) * math.log(MORE)
        words.append(
            f"10 % more of {text} raises pass@k by {100.0 * math.expm1(gain):.3g} %."
            if gain > 0.0
            else f"10 % more of {text} buys nothing: it is not all spent."
        )
    return words


def _frontier(found: Study, level: float) -> str:
    front = found.chosen.sweep
    parts: list[str] = []
    if front is not None and front.plan.sweep.n_points > 1:
        sweep = front.plan.sweep
        column = swept(sweep.amounts)
        others = [
            f"{text} = {sweep.amounts[0, j]:.4g}"
            for j, text in enumerate(sweep.budgets)
            if j != column and np.ptp(sweep.amounts[:, j]) == 0.0
        ]
        held = f"; {' and '.join(others)} throughout" if others else ""
        words = f"By {found.chosen.form}, with {100 * level:.4g} % intervals of the draws{held}."
        parts.append(_page.paragraph(words))
        parts.append(_page.wide(_html.table(*frontier_rows(front, level))))
        parts.append(_page.notes(front.plan.notes))
        drawn = frontier_figures(found, level)
        if drawn:
            parts.append(_html.element("div", "".join(drawn), 'class="figures"'))
        elif not are_possible():
            parts.append(_page.paragraph("Figures need matplotlib: pip install 'lawfit[plot]'.", "small"))
    else:
        parts.append(_page.paragraph("One budget was asked for: LOW..HIGH makes a frontier."))
    parts.append(_html.text("h3", "The same plan under each form"))
    parts.append(_page.wide(_html.table(*plan_rows(found, level))))
    parts.append(_page.notes([f"{plan.form} has no plan: {plan.reason}" for plan in found.plans if plan.reason]))
    return _page.section("The frontier", *parts)


def frontier_rows(front: Frontier, level: float) -> tuple[list[str], list[list[str]]]:
    """Return the sweep as a table, thinned evenly."""
    plan, n_points = front.plan, front.plan.sweep.n_points
    bands = {name: front.interval(name, level) for name in ("N", "D")}
    values = {name: np.ravel(plan[name]) for name in ("N", "D", "k", "D/N", RESPONSE)}
    kept = np.mean(front.ok[front.draws.ok], axis=0).ravel()
    column = swept(plan.sweep.amounts)
    header = [plan.sweep.budgets[column], "N", "interval of N", "D", "interval of D", "k", "D/N", "pass@k"]
    rows = []
    for point in np.unique(np.linspace(0, n_points - 1, min(MOST_POINTS, n_points)).round().astype(int)):
        cells = [number(float(plan.sweep.amounts[point, column]), 3)]
        for name, band in bands.items():
            low, high = (float(np.ravel(end)[point]) for end in (band.lower, band.upper))
            cells += [size(float(values[name][point])), span(low, high)]
        cells += [size(float(values[name][point])) for name in ("k", "D/N")]
        rows.append([*cells, number(math.exp(-float(values[RESPONSE][point])), 3), f"{kept[point]:.0%}"])
    return [*header, "draws with an optimum"], rows


def plan_rows(found: Study, level: float) -> tuple[list[str], list[list[str]]]:
    """Return the plan at the budget of the report under each form."""
    header = ["form", "N", "interval of N", "D", "k", "D/N", "pass@k", "held-out R2"]
    rows = []
    for plan in found.plans:
        cells = [f"{plan.form} (this report)" if plan is found.chosen else plan.form]
        if plan.headline is None or plan.reason is not None:
            cells += ["-"] * 6
        else:
            band = plan.headline.interval("N", level)
            value = {name: float(np.asarray(plan.headline.plan[name])) for name in ("N", "D", "k", "D/N", RESPONSE)}
            cells += [size(value["N"]), span(float(band.lower), float(band.upper))]
            cells += [size(value[name]) for name in ("D", "k", "D/N")]
            cells.append(number(math.exp(-value[RESPONSE]), 3))
        rows.append([*cells, share(plan.score)])
    return header, rows


def _forms(found: Study, level: float) -> list[str]:
    orders = [each.by for each in found.chosen.result.beyond]
    header = ["form", "parameters", "R2"]
    for order in orders:
        header += [f"beyond {order}: R2", "relative error", "promised / observed"]
    rows = [_form_row(plan) for plan in found.plans]
    return [
        _page.wide(_html.table(header, rows)),
        _page.notes([f"{plan.form}: {_form_words(plan)}" for plan in found.plans]),
        _page.paragraph(
            f"{found.compared.n_rows} rows of {found.compared.n_cells} checkpoints, response -log pass@k, squares of "
            "differences of its logarithm. beyond X: fitted to the rows that are smallest in X, asked for the others.",
            "small",
        ),
    ]


def _form_row(plan: FormPlan) -> list[str]:
    cells = [plan.form, str(len(plan.result.fit.params)), number(plan.result.r2, 3)]
    for each in plan.result.beyond:
        mark = "" if each.success else "?"
        cells += [f"{number(each.r2, 3)}{mark}", number(each.relative_error, 2), number(10.0**each.bias, 3)]
    return cells


def _form_words(plan: FormPlan) -> str:
    """Say how a fit ended."""
    fit = plan.result.fit
    words = [fit.status, "certified to be the best minimum" if fit.certificate.certified else "not certified"]
    if fit.at_bound:
        words.append(f"{listed(fit.at_bound)} at bound")
    return ", ".join([*words, *(fit.law.broken_checks(fit.params) if fit.success else ())])


def _law(found: Study, level: float) -> str:
    fit, draws = found.chosen.result.fit, found.chosen.draws
    bindings, _, last = fit.law.text.rpartition(";")
    header, body, notes = parameter_rows(fit, draws, level)
    drawn = pass_figure(found)
    return _page.section(
        "The law",
        _html.text("code", f"-log pass@k = {last.strip()}{', where ' if bindings else ''}{bindings}", 'class="law"'),
        _page.wide(_html.table(header, body, left=("note",))),
        _page.notes(notes),
        _page.paragraph(f"Intervals: {how_made(fit, draws, level)}.", "small"),
        _html.element("div", "".join(drawn), 'class="figures"') if drawn else "",
    )


def _provenance(found: Study, call: Call) -> list[str]:
    table = found.table
    tries = np.unique(table.column("k").values)
    problems = 0 if table.sampled is None else len(table.sampled.problems)
    draws = found.chosen.draws
    facts = [
        ("answers", call.source or "a table of Python"),
        ("rows", f"{found.compared.n_rows} of {found.compared.n_cells} checkpoints, {problems} problems"),
        ("k", ", ".join(f"{each:g}" for each in tries)),
        ("options", "; ".join(f"{name}={value}" for name, value in call.options.items()) or "all at their defaults"),
        ("draws", "none" if draws is None else f"{len(draws)} ({draws.resample}), seed {draws.seed}; {draws.counts}"),
        ("versions", f"lawfit {version('lawfit')}, NumPy {np.__version__}, Python {platform.python_version()}"),
    ]
    return [
        _page.wide(_html.facts(facts)),
        _page.paragraph("The command:"),
        _page.code(call.as_command()),
        _page.paragraph("In Python:"),
        _page.code(call.as_python()),
    ]
