"""Judges the default call against the best objectives known: `python tests/data/stress_judge.py [NUMBERS] [OPTIONS]`.

    python tests/data/stress_judge.py                  all 10,000 problems: a table, and a line on each that failed
    python tests/data/stress_judge.py 17 93 200:300    these problems, a line each
    python tests/data/stress_judge.py --sample 1000    the first so many; laws take turns, all else is drawn for each
    ... --pieces FOLDER                                against unmerged pieces of `stress_reference.py`
    ... --csv FILE                                     one line a problem
    ... --update                                       put what beats the best known into stress_best.npz

The lawfit is that of the Python which runs this. A problem is *reached* if the objective is within 1e-8 of the best,
relatively, or above it by rounding alone. Where the call takes the scale of the loss from the data, the best is refined
at the scale that it took, and the scale itself is judged too.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import math
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import lawfit as lf
from stress_laws import F64
from stress_objective import examine, objective
from stress_problems import Problem, problem
from stress_reference import EXACT, MINIMUM, OPEN, improve, law_of, load_pieces, read_best

WITHIN = 1e-8
# A scale from the data is right within this factor: it tunes a loss, and minima of least absolute deviations lie
# close to each other. Where weights differ by decades the median residual moves by a tenth between equally good ones.
SAME_SCALE = 1.25
# Within this share it comes from the same minimum.
CLOSE_SCALE = 0.02
# Below this share of the response a scale says that the data are exact, and no more.
EXACT_SCALE = 1e-8
# A standard error this many times the parameter says that the parameter does nothing.
LARGEST_ERROR = 1e9
LEGEND = """\
reached: objective within 1e-8 of the best; scale: that of the loss within a factor of 1.25; close: within 2 %;
false: success where independent derivatives see no minimum; untrue: success with an objective that is not the one at
its parameters; wrong: certified although a lower objective is known\
"""
KINDS = {MINIMUM: "minimum", EXACT: "exact", OPEN: "open"}
# A best with a parameter beyond this, or beyond its inverse: products of derivatives are no ordinary numbers there, and
# the engine does not call it a minimum.
FAR = 1e150


@dataclasses.dataclass(frozen=True)
class Best:
    """What is known of one problem."""

    number: int
    objective: float
    f_scale: float  # NaN unless the data give it
    kind: int
    params: F64
    fingerprint: float


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the default call did with one problem."""

    number: int
    outcome: str  # reached, missed, beaten (it found less than the best known)
    excess: float  # of the objective, relative
    is_value_right: bool  # the objective that the call says is the one at its parameters
    scale: float  # scale of the loss over the scale known; 1 where it was given
    is_scale_right: bool
    is_minimum: bool  # by derivatives that are not the engine's
    is_determined: bool  # every parameter off its bounds has a standard error that says anything
    decrement: float  # share of the objective that Newton's method would still gain
    status: str
    success: bool
    certified: bool
    agreement: float
    condition: float
    kind: str
    seconds: float

    @property
    def is_reached(self) -> bool:
        """Whether objective and scale are those known, or better."""
        return self.outcome != "missed" and self.is_scale_right


def load_best(pieces: Path | None = None) -> dict[int, Best]:
    """Return what is known by problem number."""
    if pieces is not None:
        found = load_pieces(pieces)
        numbers, values, params = found["number"], found["value"], found["params"]
    else:
        found = read_best()
        numbers, values, params = found["number"], found["objective"], found["params"]
    rows = zip(numbers, values, found["f_scale"], found["kind"], params, found["fingerprint"], strict=True)
    return {
        int(number): Best(int(number), float(value), float(scale), int(kind), row, float(fingerprint))
        for number, value, scale, kind, row, fingerprint in rows
    }


def judge(p: Problem, best: Best) -> Verdict:
    """Run the default call on a problem and compare."""
    law = law_of(p)
    begin = time.perf_counter()
    fit = lf.fit(law, p.data, n_threads=1, **p.options)
    seconds = time.perf_counter() - begin
    scale, known, ratio = math.inf, best.objective, 1.0
    if p.traits.loss != "squared":
        scale = fit.f_scale
    if p.traits.loss == "mad":
        ratio = scale / best.f_scale
        known = refined(p, law, best, scale)
    value, is_minimum, decrement = math.inf, False, math.nan
    if np.all(np.isfinite(list(fit.params.values()))):
        end = examine(p, fit.params, scale)
        value, decrement = end.objective, end.decrement / max(end.objective, p.rounding)
        is_minimum = value <= p.rounding or (end.is_convex and end.pushes_out and decrement <= WITHIN)
    allowed = abs(known) * WITHIN + p.rounding
    outcome = "missed" if not value <= known + allowed else "reached"
    excess = value / max(known, p.rounding) - 1.0
    is_value_right = abs(fit.objective - value) <= 1e-9 * value + p.rounding
    if p.traits.loss == "mad":
        value, known = objective(p, fit.params, best.f_scale), best.objective
    if value < known * (1 - WITHIN) - p.rounding:
        outcome = "beaten"
    return Verdict(
        number=p.number, outcome=outcome, excess=excess,
        is_value_right=is_value_right, scale=ratio,
        is_scale_right=is_same_scale(p, scale, best.f_scale) if p.traits.loss == "mad" else True,
        is_determined=is_determined(fit), is_minimum=is_minimum, decrement=decrement,
        status=fit.status, success=fit.success,
        certified=fit.certificate.certified, agreement=fit.start_agreement,
        condition=fit.condition, kind=kind_of(best), seconds=seconds,
    )  # fmt: skip


def kind_of(best: Best) -> str:
    """Return what the best is, in a word."""
    sizes = np.abs(best.params[np.isfinite(best.params) & (best.params != 0)])
    is_far = best.kind == MINIMUM and bool(np.any((sizes > FAR) | (sizes < 1 / FAR)))
    return "far" if is_far else KINDS[best.kind]


def is_determined(fit: lf.Fit) -> bool:
    inside = [name for name in fit.params if name not in fit.at_bound]
    return all(fit.stderr[name] <= LARGEST_ERROR * abs(fit.params[name]) for name in inside)


def is_same_scale(p: Problem, scale: float, known: float) -> bool:
    size = np.abs(np.log(p.y) if p.is_log else p.y).max()
    return known / SAME_SCALE <= scale <= known * SAME_SCALE or max(scale, known) <= EXACT_SCALE * size


def refined(p: Problem, law: lf.Law, best: Best, f_scale: float) -> float:
    """Return the objective at another scale of the loss, of the best or, where the data are exact, of the truth."""
    start = dict(zip(law.parameters, best.params.tolist(), strict=False))
    if not np.all(np.isfinite(list(start.values()))):
        return best.objective
    fit = lf.fit(law, p.data, starts=start, n_threads=1, **(p.options | {"f_scale": f_scale}))
    with np.errstate(all="ignore"):
        values = [objective(p, params, f_scale) for params in (start, fit.params, p.truth)]
    return float(np.nanmin(values))


def judge_all(numbers: Iterable[int], best: dict[int, Best], n_threads: int) -> Iterator[tuple[Problem, Verdict]]:
    """Judge problems in order, several at a time."""

    def one(number: int) -> tuple[Problem, Verdict]:
        p = problem(number)
        if not math.isclose(p.fingerprint, best[number].fingerprint, rel_tol=1e-6, abs_tol=1e-6):
            raise ValueError(f"problem {number} is not the one whose best is known: make stress_best.npz anew")
        return p, judge(p, best[number])

    with ThreadPoolExecutor(n_threads) as pool:
        yield from pool.map(one, numbers)


def groups_of(p: Problem, verdict: Verdict) -> dict[str, str]:
    """Return the rows of the table that a problem belongs to."""
    noise = next(
        text for top, text in ((0, "0"), (1e-3, "< .1 %"), (1e-2, "< 1 %"), (1, "< 10 %")) if p.traits.noise <= top
    )
    rows = next(
        text for top, text in ((20, "10-20"), (60, "21-60"), (180, "61-180"), (500, "181-500")) if p.y.size <= top
    )
    return {
        "law": p.family.name,
        "noise": noise,
        "outliers": "some" if p.traits.n_outliers else "none",
        "weights": p.traits.weights,
        "design": p.traits.design,
        "rows": rows,
        "loss": p.traits.loss,
        "residual": "log" if p.is_log else "linear",
        "nothing": "none" if p.traits.nothing is None else "a term",
        "bounds": "given" if p.traits.is_bounded else "the law's",
        "best": verdict.kind,
        "all": "all",
    }


def table(judged: list[tuple[Problem, Verdict]]) -> str:
    """Return shares by group, in per cent."""
    cells: dict[tuple[str, str], list[Verdict]] = {}
    for p, verdict in judged:
        for pair in groups_of(p, verdict).items():
            cells.setdefault(pair, []).append(verdict)
    lines = [
        f"{'group':<10}{'':<17}{'n':>6}{'reached':>9}{'scale':>8}{'close':>8}{'success':>9}{'cert.':>7}{'false':>7}{'wrong':>7}{'untrue':>8}"
    ]
    order = list(groups_of(*judged[0]))
    for (group, word), them in sorted(cells.items(), key=lambda cell: (order.index(cell[0][0]), cell[0][1])):
        n = len(them)
        cells_of = [
            f"{100 * np.mean([v.outcome != 'missed' for v in them]):9.2f}",
            f"{100 * np.mean([v.is_scale_right for v in them]):8.2f}",
            f"{100 * np.mean([abs(v.scale - 1.0) <= CLOSE_SCALE for v in them]):8.2f}",
            f"{100 * np.mean([v.success for v in them]):9.2f}",
            f"{100 * np.mean([v.certified for v in them]):7.2f}",
            f"{sum(v.success and not v.is_minimum for v in them):7d}",
            f"{sum(v.certified and v.outcome == 'missed' for v in them):7d}",
            f"{sum(v.success and not v.is_value_right for v in them):8d}",
        ]
        lines.append(f"{group:<10}{word:<17}{n:6d}" + "".join(cells_of))
    lines.append(LEGEND)
    return "\n".join(lines)


def report(judged: list[tuple[Problem, Verdict]]) -> str:
    """Return the table, after a line on each problem that failed."""
    failed = [
        pair
        for pair in judged
        if not pair[1].is_reached or (pair[1].success and not (pair[1].is_minimum and pair[1].is_value_right))
    ]
    return "\n".join([*(describe(*pair) for pair in failed), table(judged)])


def describe(p: Problem, verdict: Verdict) -> str:
    """Return one line about a problem."""
    t = p.traits
    traits = (
        f"{t.loss:<7} {'log' if p.is_log else 'lin'} noise={t.noise:<7.1e} out={t.n_outliers:<2d} w={t.weights:<4} "
        f"{t.design:<9} {'bounded' if t.is_bounded else '':<7} 0:{t.nothing or '-':<5}"
    )
    found = (
        f"best={verdict.kind:<7} {verdict.outcome:<7} excess={verdict.excess:<8.1e} scale={verdict.scale:<8.3g} "
        f"{verdict.status:<18} min={verdict.is_minimum!s:<5} value={'ok' if verdict.is_value_right else 'WRONG'} "
        f"cert={verdict.certified} agree={verdict.agreement:.2f}"
    )
    return f"{p.number:5d} {p.family.name:<15} n={p.y.size:<3d} {traits} {found}"


def parse_numbers(words: list[str]) -> list[int]:
    numbers: list[int] = []
    for word in words:
        first, colon, last = word.partition(":")
        numbers.extend(range(int(first), int(last)) if colon else [int(first)])
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser(description="judge the default call of this Python's lawfit by the stress set")
    parser.add_argument("numbers", nargs="*", help="problem numbers, or ranges FIRST:LAST")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="the first N problems")
    parser.add_argument("--pieces", type=Path, help="folder of stress_reference.py")
    parser.add_argument("--csv", type=Path, help="write one line a problem")
    parser.add_argument("--update", action="store_true", help="put lower optima into the file of the best known")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    best = load_best(options.pieces)
    numbers = parse_numbers(options.numbers) or sorted(best)[: options.sample or None]
    begin, judged = time.perf_counter(), []
    for p, verdict in judge_all(numbers, best, options.threads):
        judged.append((p, verdict))
        if options.numbers:
            print(describe(p, verdict), flush=True)
    seconds = time.perf_counter() - begin
    print(table(judged) if options.numbers else report(judged))
    calls = sum(verdict.seconds for _, verdict in judged)
    print(f"{len(judged)} problems, {seconds:.0f} s, default calls {calls:.0f} s; {lf.__file__}")
    if options.update:
        beaten = [p for p, verdict in judged if verdict.outcome == "beaten"]
        improve({p.number: dict(lf.fit(law_of(p), p.data, **p.options).params) for p in beaten})
    if options.csv:
        with options.csv.open("w", newline="") as file:
            out = csv.writer(file)
            names = [field.name for field in dataclasses.fields(Verdict)]
            out.writerow([*groups_of(*judged[0]), *names])
            for p, verdict in judged:
                out.writerow([*groups_of(p, verdict).values(), *(getattr(verdict, name) for name in names)])


if __name__ == "__main__":
    main()
