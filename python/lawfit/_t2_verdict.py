"""What a study of sampled answers lets one say: a decision with its interval, or that the runs cannot decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lawfit._engine import F64
from lawfit._figure import short
from lawfit._frontier import Frontier
from lawfit._t2_study import FormPlan, Study, share
from lawfit._table import Table
from lawfit._wording import listed
from lawfit.t2 import Beyond

# An interval of more than two powers of ten, from 1/10 to 10 times the best, leaves any decision open.
OPEN = 100.0
# Beyond the runs in N, D, k or D/N; in compute, the product of two, it is about a thousand times.
FAR = 30.0
# A law that cannot explain half of the variance of cells left out tells little of cells that are not there.
POOR = 0.5
# Two laws fit alike while the one leaves no more than twice the variance unexplained that the other leaves.
ALIKE = 2.0
DECIDED = ("N", "D", "k")
COMPUTE = "6*N*D"
QUANTITIES = ("N", "D", "k", COMPUTE, "D/N")
# Of the mean of -log, which no form here is fitted to.
OTHER_RESPONSE = "mean_neglog_pass"
NOUNS = {"N": "parameters", "D": "tokens", "k": "samples", "D/N": "tokens per parameter", "6*N*D": "training FLOP"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the report opens with.

    Attributes
    ----------
    is_decided : bool
        Whether the runs say what to buy.
    sentence : str
        The first sentence.
    reasons : tuple of str
        Why they cannot decide; empty if they can.
    """

    is_decided: bool
    sentence: str
    reasons: tuple[str, ...]


def size(value: float) -> str:
    """Write a number with three digits, large ones in thousands, millions, billions or trillions."""
    return short(float(f"{value:.3g}")) if math.isfinite(value) else "-"


def span(low: float, high: float) -> str:
    """Write an interval or range."""
    return f"{size(low)} to {size(high)}" if math.isfinite(low) and math.isfinite(high) else "none"


def swept(amounts: F64) -> int:
    """Return the budget, a column, that changes along a sweep."""
    return int(np.argmax(np.ptp(np.log(amounts), axis=0)))


def verdict(found: Study, budget: str, level: float) -> Verdict:
    """Say what the study decides."""
    reasons = tuple(dict.fromkeys(_reasons(found, level)))
    if reasons:
        return Verdict(False, f"These runs cannot decide what {budget} should buy: {reasons[0]}.", reasons)
    front = found.chosen.headline
    assert front is not None, "without a plan there is a reason"
    said = {name: _with_interval(front, name, level) for name in DECIDED}
    return Verdict(
        True,
        f"With {budget}, train N = {said['N']} on D = {said['D']} and draw k = {said['k']}.",
        (),
    )


def _with_interval(front: Frontier, name: str, level: float) -> str:
    band = front.interval(name, level)
    ends = f"{100 * level:.4g} %: {span(float(band.lower), float(band.upper))}"
    return f"{size(float(np.asarray(band.value)))} {NOUNS[name]} ({ends})"


def _reasons(found: Study, level: float) -> list[str]:
    chosen = found.chosen
    reasons = _own_reasons(chosen, level, f"by {chosen.form}")
    if math.isfinite(chosen.score) and chosen.score < POOR:
        reasons.append(f"{chosen.form} fails where it was not fitted: {held_out_words(chosen.worst)}")
    elif not math.isfinite(chosen.score):
        reasons.append(
            f"{chosen.form} has no held-out score: the fit to the other cells ended as {chosen.worst.status}"
        )
    for rival in alike(found):
        reasons += _rival_reasons(chosen, rival, level)
    front = chosen.headline
    if front is not None:
        far = [words for name, words, factor in beyond(front, found.table) if factor > FAR and name != COMPUTE]
        if far:
            reasons.append(f"the plan is too far from the runs: {listed(far)}")
    return reasons


def _own_reasons(plan: FormPlan, level: float, who: str) -> list[str]:
    if plan.headline is None or plan.reason is not None:
        return [f"{who} there is no plan: {plan.reason}"]
    found = []
    for name in DECIDED:
        band = plan.headline.interval(name, level)
        low, high = float(band.lower), float(band.upper)
        if not (math.isfinite(low) and math.isfinite(high)):
            found.append(f"{who} {name} has no interval: {band.note}")
        elif high > OPEN * low:
            found.append(f"{who} the {100 * level:.4g} % interval of {name} goes from {size(low)} to {size(high)}")
    return found[:1]


def alike(found: Study) -> list[FormPlan]:
    """Other forms that predict cells which were held out about as well as the chosen one, or better."""
    left = 1.0 - found.chosen.score
    return [plan for plan in found.plans if plan is not found.chosen and 1.0 - plan.score <= ALIKE * left]


def _rival_reasons(chosen: FormPlan, rival: FormPlan, level: float) -> list[str]:
    front = chosen.headline
    if front is None or chosen.reason is not None:
        return []
    if rival.headline is not None and rival.reason is None:
        for name in DECIDED:
            band = front.interval(name, level)
            theirs = float(np.asarray(rival.headline.plan[name]))
            if not float(band.lower) <= theirs <= float(band.upper):
                mine = f"{size(float(np.asarray(band.value)))} of {chosen.form}"
                return [
                    f"{rival.form}, which predicts held-out cells about as well, would choose {name} = {size(theirs)} "
                    f"instead of the {mine}, which is outside of its interval"
                ]
    own = _own_reasons(rival, level, f"by {rival.form}, which predicts held-out cells about as well,")
    return own


def held_out_words(beyond: Beyond) -> str:
    """Say how a law does on the cells that come last in an order."""
    ratio = 10.0**beyond.bias
    promised = f"{ratio:.2f} times" if ratio < 10.0 else f"{ratio:.3g} times"
    off = f"{beyond.relative_error:.{0 if beyond.relative_error > 0.1 else 1}%}"
    return (
        f"fitted without the {beyond.n_rows} rows with the largest {beyond.by} (above {size(beyond.above)}), it "
        f"explains {share(max(beyond.r2, 0.0))} of their variance, is off by {off} of pass@k on "
        f"average, and promises {promised} the pass@k that came"
    )


def ranges(table: Table) -> dict[str, tuple[float, float]]:
    """Smallest and largest of each quantity over the checkpoints."""
    found = {}
    for name in QUANTITIES:
        values = table.evaluate(name, want="number", argument="quantity")
        found[name] = (float(values.min()), float(values.max()))
    return found


def beyond(front: Frontier, table: Table) -> list[tuple[str, str, float]]:
    """How far the plan of one point lies outside the runs: quantity, words and factor, farthest first."""
    found = []
    for name, (least, most) in ranges(table).items():
        value = float(np.asarray(front.plan[name]))
        if value > most:
            found.append(
                (name, f"{name} = {size(value)} is {value / most:.3g} times the largest of the runs", value / most)
            )
        elif value < least:
            found.append(
                (name, f"{name} = {size(value)} is {least / value:.3g} times below the smallest", least / value)
            )
    return sorted(found, key=lambda each: -each[2])


def distrust(found: Study, level: float, cluster: str | None) -> tuple[str, ...]:
    """Say what a careful reader should know before the plan is used."""
    chosen = found.chosen
    words: list[str] = []
    if chosen.headline is not None and chosen.reason is None:
        outside = beyond(chosen.headline, found.table)
        words += [f"extrapolation: {said}" for _, said, _ in outside]
        if not outside:
            words.append("extrapolation: none, the plan lies within the runs in N, D, k, 6*N*D and D/N")
    words += [f"held out: {held_out_words(each)}" for each in chosen.result.beyond]
    words += _checks(chosen, level)
    words += _clusters(found, cluster)
    for note in found.table.notes:
        said, zero, _ = note.partition("; zero_cells=")
        if not note.startswith(OTHER_RESPONSE):
            words.append(f"cells: {said}{'; lawfit.fit_counts has a likelihood for them' if zero else ''}")
    words += _disagreements(found)
    return tuple(words)


def _checks(chosen: FormPlan, level: float) -> list[str]:
    fit = chosen.result.fit
    words = [f"fit: {warning}" for warning in fit.warnings]
    if not fit.certificate.certified:
        words.append(f"fit: not certified to be the best: {'; '.join(fit.certificate.reasons)}")
    if chosen.draws is not None and chosen.draws.caution is not None:
        words.append(f"bootstrap: {chosen.draws.caution}")
    if chosen.headline is not None:
        notes = {chosen.headline.interval(name, level).note: None for name in DECIDED}
        words += [f"intervals: {note}" for note in notes if note is not None]
    return words


def _clusters(found: Study, cluster: str | None) -> list[str]:
    sizes = found.table.column("N").values
    n_sizes, n_cells = np.unique(sizes).size, found.compared.n_cells
    if cluster is not None or n_sizes == n_cells:
        return []
    return [
        f"units: {n_cells} checkpoints of {n_sizes} sizes are drawn one by one; where those of one size are of one "
        'training run they are not independent, and the intervals are too narrow: cluster="N" draws whole runs'
    ]


def _disagreements(found: Study) -> list[str]:
    chosen, words = found.chosen, []
    if chosen.headline is None or chosen.reason is not None:
        return []
    mine = float(np.asarray(chosen.headline.plan["N"]))
    for plan in found.plans:
        if plan is chosen:
            continue
        if plan.headline is None or plan.reason is not None:
            words.append(f"other forms: {plan.form} has no plan: {plan.reason}")
            continue
        theirs = float(np.asarray(plan.headline.plan["N"]))
        words.append(f"other forms: {plan.form} would choose N = {size(theirs)}, {theirs / mine:.3g} times as large")
    return words


def ends(front: Frontier) -> list[tuple[str, float]]:
    """How the draws end at one point: words and the share of the usable draws, most frequent first."""
    usable = front.draws.ok
    status = np.ravel(front.status[usable])
    words: list[str] = []
    sides = front.raw.side[usable, 0, :]
    for row, word in enumerate(status):
        held = [
            f"{name} {'rises' if side > 0 else 'falls'} without end" if word == "no_optimum" else f"{name} at its bound"
            for name, side, given in zip(
                front.plan.law.variables or (), sides[row], front.plan.sweep.is_given, strict=True
            )
            if side and bool(given[int(side > 0)]) == (word == "at_bound")
        ]
        words.append(f"{_ENDS.get(str(word), f'end as {word}')}{': ' + listed(held) if held else ''}")
    counted: Sequence[str] = sorted(set(words), key=lambda each: -words.count(each))
    return [(each, words.count(each) / max(len(words), 1)) for each in counted]


_ENDS = {"inside": "have an optimum inside", "at_bound": "end at a bound", "no_optimum": "have no optimum"}
