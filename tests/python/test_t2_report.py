"""The report on sampled answers: its numbers are those of the calls behind it, and it says what cannot be decided."""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from html_checks import checked, text_of

import lawfit as lf
from lawfit import _t2_call, _t2_study, _t2_verdict
from lawfit.cli import build_parser
from lawfit.errors import DataError, LawError
from lawfit.t2_reporting import DEFAULT_FORMS

TRUTH = {"E": 0.6, "A": 400.0, "alpha": 0.3, "B": 2000.0, "beta": 0.31}
GRID = {"N": [1e8, 4e8, 1.6e9, 6.4e9], "D": [5e9, 2e10, 8e10, 3.2e11]}
BUDGETS: dict[str, Any] = {"6*N*D": np.geomspace(1e20, 1e22, 5), "2*N*k": 2e10}
HEADLINE = {"6*N*D": 1e21}
OPTIONS: dict[str, Any] = {"headline": HEADLINE, "forms": ["t2_loss", "t2_beta"], "n_replicates": 120, "seed": 3}
NASTY = "<script>alert(1)</script>"


def made_counts(n_problems: int = 80) -> dict[str, Any]:
    return lf.synthetic.counts(
        lf.laws.chinchilla, TRUTH, GRID, n_problems=n_problems, n_samples=100, size=0.5, seed=1
    )  # fmt: skip


@pytest.fixture(scope="module")
def report() -> lf.T2Report:
    return lf.t2_report(made_counts(), BUDGETS, **OPTIONS)


@pytest.fixture(scope="module")
def page(report: lf.T2Report) -> str:
    return report.to_html()


def study_of(report: lf.T2Report) -> _t2_study.Study:
    return _t2_study.Study(report.table, report.compared, tuple(report.plans.values()), report.chosen, report.why)


def test_the_page_opens_with_the_decision_and_then_says_what_to_distrust(report: lf.T2Report, page: str) -> None:
    words = text_of(page)
    order = [
        "The decision", report.verdict.sentence, "What to distrust", "The frontier", "The same plan under each form",
        "The forms", "The law", "Where it comes from",
    ]  # fmt: skip
    assert sorted(order, key=words.index) == order
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [each for each in order if each not in (report.verdict.sentence, order[4])]
    front = report.chosen.sweep
    assert front is not None
    for said in (*report.distrust, *front.plan.notes):
        assert said in words


def test_the_page_is_whole_and_asks_for_nothing_from_elsewhere(page: str) -> None:
    found = checked(page)
    assert found.seen.count("h1") == found.seen.count("body") == 1
    # Four panels of the frontier, and pass@k.
    assert found.seen.count("svg") == found.seen.count("figure") == 5
    assert "http" not in page
    assert "@media print" in page


def test_the_same_call_gives_the_same_page(report: lf.T2Report, page: str) -> None:
    assert lf.t2_report(made_counts(), BUDGETS, **OPTIONS).to_html() == page
    assert report.to_html() == page


def test_the_numbers_are_those_of_the_calls_one_by_one(report: lf.T2Report, page: str) -> None:
    table = lf.pass_at_k(made_counts(), k=[1, 2, 4, 8, 16, 32, 64], by=["N", "D"], problem="problem")
    compared = lf.compare_t2(table, forms=OPTIONS["forms"], by=["6*N*D", "D/N"], seed=3)
    words = text_of(page)
    for form in OPTIONS["forms"]:
        mine = compared[form]
        assert report.compared[form].fit.params == mine.fit.params
        assert [each.r2 for each in report.compared[form].beyond] == [each.r2 for each in mine.beyond]
        draws = mine.fit.bootstrap(120, seed=3, n_checked=0)
        for budgets, front in (
            (BUDGETS, report.plans[form].sweep),
            (BUDGETS | HEADLINE, report.plans[form].headline),
        ):
            assert front is not None
            hand = draws.allocate(budgets)
            for name in ("N", "D", "k", "D/N", "response"):
                one, other = hand.interval(name), front.interval(name)
                np.testing.assert_array_equal(one.value, other.value)
                np.testing.assert_array_equal(one.lower, other.lower)
                np.testing.assert_array_equal(one.upper, other.upper)
                if name in ("N", "D", "k") and front is report.plans[report.law].headline:
                    assert " ".join(_t2_verdict.size(float(end)) for end in (one.value, one.lower, one.upper)) in words


def test_the_expected_success_turns_the_interval_of_its_logarithm_around(report: lf.T2Report, page: str) -> None:
    front = report.chosen.headline
    assert front is not None
    band = front.interval("response")
    value, lower, upper = (math.exp(-float(end)) for end in (band.value, band.lower, band.upper))
    assert upper < value < lower
    assert f"expected pass@k {value:.3g} {upper:.3g} {lower:.3g}" in text_of(page)


def test_a_tenth_more_of_a_budget_brings_what_the_page_says(report: lf.T2Report, page: str) -> None:
    fit = report.chosen.result.fit
    for text in BUDGETS:
        budgets = BUDGETS | HEADLINE
        more = fit.allocate({**budgets, text: 1.1 * budgets[text]})
        gain = math.expm1(float(fit.allocate(budgets)["response"] - more["response"]))
        found = re.search(rf"10 % more of {re.escape(text)} raises pass@k by ([\d.]+) %", text_of(page))
        assert found is not None
        # First order in a change of 10 %.
        assert float(found[1]) == pytest.approx(100.0 * gain, rel=0.1)


def test_the_headline_is_the_end_of_the_sweep_unless_it_is_given(report: lf.T2Report) -> None:
    assert dict(report.headline) == {"6*N*D": 1e21, "2*N*k": 2e10}
    plain = lf.t2_report(made_counts(), BUDGETS, forms=["t2_loss"], n_replicates=20)
    assert dict(plain.headline) == {"6*N*D": 1e22, "2*N*k": 2e10}
    assert (plain.law, plain.why) == ("t2_loss", "the only form that was fitted")


def test_the_form_that_predicts_held_out_cells_best_speaks_unless_another_is_asked_for(report: lf.T2Report) -> None:
    worst = {form: min(each.r2 for each in plan.result.beyond) for form, plan in report.plans.items()}
    assert report.law == max(worst, key=lambda form: worst[form]) == "t2_beta"
    assert f"{worst['t2_beta']:.1%}" in report.why
    assert f"t2_loss {worst['t2_loss']:.1%}" in report.why
    asked = lf.t2_report(made_counts(), BUDGETS, **{**OPTIONS, "law": "t2_loss", "forms": [], "n_replicates": 20})
    assert (asked.law, asked.why) == ("t2_loss", "as asked with law=")
    own = "E + A*N**-alpha + B*D**-beta + G/(1 + k)"
    formula = lf.t2_report(made_counts(), BUDGETS, **{**OPTIONS, "law": own, "forms": [], "n_replicates": 20})
    assert formula.law == own
    assert formula.chosen.result.fit.law.text == own


def test_runs_that_decide_are_said_to_decide(report: lf.T2Report) -> None:
    assert report.verdict.is_decided
    assert report.verdict.reasons == ()
    front = report.chosen.headline
    assert front is not None
    low, high = float(front.interval("N").lower), float(front.interval("N").upper)
    said = f"train N = {_t2_verdict.size(float(front.plan['N']))} parameters (95 %: {_t2_verdict.span(low, high)})"
    assert said in report.verdict.sentence
    best = lf.allocate(lf.laws.t2_beta, BUDGETS | HEADLINE, params={**TRUTH, "nu": 0.5})
    assert low < float(best["N"]) < high


def with_chosen(report: lf.T2Report, **changes: Any) -> _t2_study.Study:
    chosen = replace(report.chosen, **changes)
    plans = tuple(chosen if plan.form == chosen.form else plan for plan in report.plans.values())
    return replace(study_of(report), plans=plans, chosen=chosen)


def held_out(plan: _t2_study.FormPlan, r2: float) -> lf.t2.FormResult:
    return replace(plan.result, beyond=tuple(replace(each, r2=r2) for each in plan.result.beyond))


def test_runs_that_cannot_decide_are_said_so_with_the_reason(report: lf.T2Report) -> None:
    draws = report.chosen.draws
    assert draws is not None
    far = draws.allocate({"6*N*D": 1e27, "2*N*k": 2e10})
    said = _t2_verdict.verdict(with_chosen(report, headline=far), "6*N*D = 1e27", 0.95)
    assert not said.is_decided
    assert said.sentence.startswith("These runs cannot decide what 6*N*D = 1e27 should buy: ")
    factor = float(far.plan["D"]) / 3.2e11
    assert any(f"is {factor:.3g} times the largest of the runs" in reason for reason in said.reasons)

    open_ended = draws.allocate({"6*N*D": 1e21})
    changed = with_chosen(report, headline=open_ended, reason=open_ended.plan.reason())
    reasons = _t2_verdict.verdict(changed, "6*N*D", 0.95).reasons
    assert "there is no plan: the law improves on to the end of the search" in reasons[0]

    poor = with_chosen(report, result=held_out(report.chosen, 0.3))
    assert any("fails where it was not fitted" in reason for reason in _t2_verdict.verdict(poor, "", 0.95).reasons)


def test_a_form_that_predicts_as_well_and_chooses_otherwise_leaves_it_open(report: lf.T2Report) -> None:
    rival = report.plans["t2_loss"]
    assert rival.headline is not None
    assert report.chosen.headline is not None
    band = report.chosen.headline.interval("N", 0.3)
    assert not band.lower <= rival.headline.plan["N"] <= band.upper
    left = 1.0 - report.chosen.score
    worse, equal = (replace(rival, result=held_out(rival, 1.0 - factor * left)) for factor in (2.1, 1.9))
    assert _t2_verdict.alike(replace(study_of(report), plans=(worse, report.chosen))) == []
    study = replace(study_of(report), plans=(equal, report.chosen))
    assert _t2_verdict.alike(study) == [equal]
    assert _t2_verdict.verdict(study, "", 0.95).is_decided, "it lies in the wider interval"
    reasons = _t2_verdict.verdict(study, "", 0.3).reasons
    assert reasons[0].startswith("t2_loss, which predicts held-out cells about as well, would choose N = ")


def test_an_interval_that_leaves_everything_open_decides_nothing(
    report: lf.T2Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_t2_verdict, "OPEN", 1.1)
    alone = replace(study_of(report), plans=(report.chosen,))
    (reason,) = _t2_verdict.verdict(alone, "", 0.95).reasons
    assert reason.startswith("by t2_beta the 95 % interval of N goes from ")


def test_too_few_runs_have_no_interval_and_decide_nothing() -> None:
    found = lf.t2_report(made_counts(), BUDGETS, **{**OPTIONS, "cluster": "N", "n_replicates": 40})
    assert not found.verdict.is_decided
    assert "has no interval" in found.verdict.sentence
    assert not any(said.startswith("units:") for said in found.distrust)
    assert found.verdict.sentence in text_of(found.to_html())


def test_extrapolation_is_told_in_each_quantity(report: lf.T2Report) -> None:
    draws = report.chosen.draws
    assert draws is not None
    front = draws.allocate({"6*N*D": 1e23, "2*N*k": 2e10})
    outside = _t2_verdict.beyond(front, report.table)
    found = {words: factor for _, words, factor in outside}
    tokens = float(front.plan["D/N"])
    words = f"D/N = {_t2_verdict.size(tokens)} is {tokens / 3200.0:.3g} times the largest of the runs"
    assert found[words] == pytest.approx(tokens / 3200.0)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert {name for name, _, _ in outside} == {"D", "D/N", "6*N*D"}


def test_compute_alone_is_not_too_far_since_it_is_a_product(report: lf.T2Report) -> None:
    draws = report.chosen.draws
    assert draws is not None
    front = draws.allocate({"6*N*D": 4e23}, at={"k": 8.0})
    factors = {name: factor for name, _, factor in _t2_verdict.beyond(front, report.table)}
    compute = factors.pop("6*N*D")
    assert compute > _t2_verdict.FAR > max(factors.values())
    reasons = _t2_verdict.verdict(with_chosen(report, headline=front), "", 0.95).reasons
    assert not any("too far" in reason for reason in reasons)


def test_the_endings_of_the_draws_are_counted(report: lf.T2Report) -> None:
    draws = report.chosen.draws
    assert draws is not None
    front = draws.allocate({"6*N*D": 1e21, "2*N*k": 2e8})
    found = dict(_t2_verdict.ends(front))
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["end at a bound: k at its bound"] == pytest.approx(float(front.share()["at_bound"]))
    (words,) = dict(_t2_verdict.ends(draws.allocate({"6*N*D": 1e21})))
    assert words == "have no optimum: k rises without end"


def test_the_document_for_programs_has_every_digit(report: lf.T2Report) -> None:
    document: dict[str, Any] = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    front = report.chosen.headline
    assert front is not None
    band = front.interval("N")
    assert document["plans"]["t2_beta"]["headline"]["N"] == [float(end) for end in (band.value, band.lower, band.upper)]
    assert len(document["plans"]["t2_loss"]["sweep"]) == 5
    assert document["sentence"] == report.verdict.sentence
    assert document["distrust"] == list(report.distrust)


def test_the_printed_form_says_the_verdict_and_what_to_distrust(report: lf.T2Report) -> None:
    text = repr(report)
    assert text.startswith(report.verdict.sentence)
    for said in report.distrust:
        assert f"  - {said}" in text


def test_the_page_tells_the_call_and_the_command_that_make_it_again(report: lf.T2Report, page: str) -> None:
    command = report.call.as_command()
    assert "lawfit t2" in text_of(page)
    chosen = build_parser().parse_args(shlex.split(command.replace("\\\n", " "))[1:])
    assert chosen.budgets == ["6*N*D=1e+20..1e+22:5", "2*N*k=2e+10"]
    assert (chosen.headline, chosen.n_replicates, chosen.seed) == (["6*N*D=1e+21"], 120, 3)
    assert chosen.forms == ["t2_loss,t2_beta"]
    call = ast.parse(report.call.as_python()).body[2]
    assert isinstance(call, ast.Assign)
    assert isinstance(call.value, ast.Call)
    given = {word.arg: ast.literal_eval(word.value) for word in call.value.keywords}
    assert given == OPTIONS


def test_the_command_holds_every_kind_of_option() -> None:
    options: dict[str, Any] = {
        "columns": {"N": "params", "D": "C/(6*params)"}, "bounds": {"D": (None, 1e12), "k": (2.0, 64.0)},
        "at": {"k": 4.0}, "menus": {"N": [1e9, 3e9]}, "integer": ["k", "N"], "k": np.array([1.0, 4.0]),
        "by": ["N", "D", "model"], "problem": ["task", "item"], "few_samples": "drop_cell", "cluster": "N",
    }  # fmt: skip
    call = _t2_call.Call("a file.csv", {"6*N*D": np.array(1e21), "2*N*k": np.array([1e9, 2e9])}, options)
    words = shlex.split(call.as_command().replace("\\\n", " "))[1:]
    chosen = build_parser().parse_args(words)
    assert chosen.data == ["a file.csv"]
    assert chosen.budgets == ["6*N*D=1e+21", "2*N*k=1e+09..2e+09:2"]
    assert (chosen.columns, chosen.bounds) == (["N=params", "D=C/(6*params)"], ["D=:1e+12", "k=2:64"])
    assert (chosen.at, chosen.menus, chosen.integer) == (["k=4"], ["N=1000000000,3000000000"], ["k", "N"])
    assert (chosen.k, chosen.by, chosen.problem) == ("1,4", ["N,D,model"], ["task,item"])
    assert (chosen.few_samples, chosen.cluster) == ("drop_cell", "N")
    compile(call.as_python(), "call", "exec")


def test_a_plan_may_be_of_whole_samples_and_sizes_from_a_menu(report: lf.T2Report) -> None:
    options = {**OPTIONS, "forms": ["t2_beta"], "n_replicates": 20, "menus": {"N": [1e8, 4e8, 2e9]}, "integer": ["k"]}
    found = lf.t2_report(made_counts(), {"6*N*D": 1e21, "2*N*k": 2e10}, **{**options, "headline": None})
    front = found.chosen.headline
    assert front is not None
    assert (float(front.plan["N"]), float(front.plan["k"])) == (4e8, 25.0)
    assert "One budget was asked for" in text_of(found.to_html())
    assert report.law == found.law


def test_what_the_user_wrote_is_text_and_never_markup(report: lf.T2Report) -> None:
    call = replace(report.call, source=NASTY, options={"where": NASTY})
    page = replace(report, call=call, why=NASTY, distrust=(NASTY,)).to_html()
    assert "<script" not in page
    assert "".join(checked(page).words).count(NASTY) >= 4


def test_without_matplotlib_the_page_says_what_figures_need(
    report: lf.T2Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    page = report.to_html()
    assert "<svg" not in page
    assert "pip install 'lawfit[plot]'" in text_of(page)


def test_columns_may_have_other_names_and_hold_probabilities() -> None:
    counts = made_counts(20)
    options: dict[str, Any] = {"forms": ["t2_loss"], "n_replicates": 10}
    renamed = {"params": counts["N"], "millions": counts["D"] / 1e6, "task_id": counts["problem"]}
    renamed |= {name: counts[name] for name in ("n_samples", "n_correct")}
    found = lf.t2_report(
        renamed, BUDGETS, columns={"N": "params", "D": "1e6*millions"}, problem="task_id", **options
    )  # fmt: skip
    plain = lf.t2_report(counts, BUDGETS, **options)
    for name in ("N", "D", "k", "pass_at_k"):
        expected = plain.table.column(name).values
        np.testing.assert_allclose(found.table.column(name).values, expected, rtol=1e-12)
    chances = {name: counts[name] for name in ("N", "D", "problem")}
    chances["chance"] = counts["n_correct"] / counts["n_samples"]
    likely = lf.t2_report(chances, BUDGETS, probability="chance", k=[1, 8], **options)
    assert sorted(set(likely.table.column("k").values.tolist())) == [1.0, 8.0]
    one = plain.table.where("k == 1").column("pass_at_k").values
    np.testing.assert_allclose(likely.table.where("k == 1").column("pass_at_k").values, one, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": ["N"]}, DataError, r"by=\['N'\]: N and D must be among them"),
        ({"problem": "task"}, DataError, r"data: no column is called 'task'; the columns are N, D"),
        ({"probability": "chance"}, DataError, "data: no column is called 'chance'"),
        ({"forms": ["t2_bet"]}, LawError, "forms: 't2_bet' is not known; choose from: t2_loss"),
        ({"forms": "t2_beta"}, LawError, "forms='t2_beta': give a list of names"),
        ({"forms": []}, LawError, "forms: name at least one, or say law="),
        ({"law": "t2_bet"}, LawError, "law='t2_bet': no form is called so"),
        ({"law": 3}, LawError, "law: give the name of a form or a formula over N, D and k"),
        ({"headline": {"6*N": 1e21}}, DataError, r"headline: '6\*N' is none of the budgets"),
        ({"headline": {"6*N*D": -1.0}}, DataError, "give one number above 0"),
        ({"headline": 1e21}, DataError, "headline: give amounts of budgets by formula"),
        ({"cluster": "model"}, DataError, "cluster='model': name a column of by="),
        ({"k": [1, 200]}, DataError, "k=200 is above n_samples=100"),
        ({"level": 1.5}, DataError, "level"),
        ({"columns": {"N": "parms"}}, (DataError, LawError), "parms"),
        (
            {"where": "N > 1e9 and D > 3e11"},
            DataError,
            "2 checkpoints with a success are too few for a law in N, D and k",
        ),
        ({"where": "N > 1e13"}, DataError, "where"),
    ],
)
def test_a_wrong_call_is_refused_before_any_fit(
    options: dict[str, Any], error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_t2_study, "compare_t2", lambda *given, **named: pytest.fail("work was begun"))
    with pytest.raises(error, match=message):
        lf.t2_report(made_counts(5), BUDGETS, **options)


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        ({}, "budgets: give at least one"),
        ({"6*N*X": 1e21}, "'X' of '6\\*N\\*X' is no variable"),
        ({"6*N*D": np.ones((2, 3))}, r"a report has one sweep, and these have the shape \(2, 3\)"),
        ({"6*N*D": 0.0}, "must be finite and above 0"),
    ],
)
def test_a_wrong_budget_is_refused(budgets: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, LawError), match=message):
        lf.t2_report(made_counts(5), budgets)


def test_several_benchmarks_are_not_mixed_in_one_law_unless_that_is_meant() -> None:
    counts = made_counts(5)
    table = {**counts, "benchmark": np.where(counts["problem"] < 2, "gsm8k", "math")}
    with pytest.raises(DataError, match=r"holds 2 benchmarks \(gsm8k, math\).*where=\"benchmark == 'gsm8k'\""):
        lf.t2_report(table, BUDGETS)
    options: dict[str, Any] = {"forms": ["t2_loss"], "n_replicates": 10}
    both = lf.t2_report(table, BUDGETS, problem=["benchmark", "problem"], **options)
    assert both.table.column("n_problems").values.max() == 5


def test_cells_without_a_success_are_told_and_means_can_be_made_as_pass_at_k_makes_them() -> None:
    counts = made_counts(20)
    hard = (counts["N"] == 1e8) & (counts["D"] == 5e9)
    counts["n_correct"] = np.where(hard, 0.0, counts["n_correct"])
    options: dict[str, Any] = {"forms": ["t2_loss"], "n_replicates": 10, "k": [1, 8]}
    found = lf.t2_report(counts, BUDGETS, bias="delta", problems="common", **options)
    by_hand = lf.pass_at_k(counts, k=[1, 8], by=["N", "D"], problem="problem", bias="delta", problems="common")
    for name in ("neglog_mean_pass", "n_problems"):
        np.testing.assert_array_equal(found.table.column(name).values, by_hand.column(name).values)
    told = [said for said in found.distrust if "no success" in said]
    assert told == [
        "cells: 2 of 32 rows have no success at all, where -log pass@k is infinite: left out, which selects on the "
        "outcome; lawfit.fit_counts has a likelihood for them"
    ]


def test_a_place_where_nothing_can_be_written_is_told(report: lf.T2Report, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write there"):
        report.write(tmp_path / "none" / "page.html")
    report.write(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == report.to_html()


def test_the_real_answers_of_all_pythia_sizes_cannot_decide(real_data: Callable[[str], Path]) -> None:
    """docs/t2.md: with the small models in, every law promises far too much at the most tokens per parameter."""
    found = lf.t2_report(
        real_data("t2_pythia_pass_counts.csv"), {"6*N*D": 2.5e21, "2*N*k": 2e11},
        where="benchmark == 'gsm8k' and D >= 6e9", forms=["t2_loss", "t2_beta_added"], n_replicates=60,
    )  # fmt: skip
    assert not found.verdict.is_decided
    assert found.chosen.score < 0.5
    assert any("fails where it was not fitted" in reason for reason in found.verdict.reasons)
    assert any("D/N" in reason for reason in found.verdict.reasons)


def test_from_410_million_on_the_real_answers_have_a_law_and_its_plan_is_told(
    real_data: Callable[[str], Path],
) -> None:
    found = lf.t2_report(
        real_data("t2_pythia_pass_counts.csv"), {"6*N*D": 2.5e21, "2*N*k": 2e11},
        where="benchmark == 'gsm8k' and D >= 6e9 and N >= 4.1e8", forms=["t2_loss", "t2_beta_added"], n_replicates=60,
    )  # fmt: skip
    assert found.law == "t2_beta_added"
    assert found.chosen.score > 0.98
    # The sizes of docs/t2.md.
    plans = {form: plan.headline.plan["N"] for form, plan in found.plans.items() if plan.headline is not None}
    assert plans["t2_beta_added"] == pytest.approx(344e6, rel=0.02)
    assert plans["t2_loss"] == pytest.approx(469e6, rel=0.02)
    assert any(said.startswith("extrapolation: D/N = ") for said in found.distrust)
    assert any("30 checkpoints of 6 sizes" in said for said in found.distrust)
    assert DEFAULT_FORMS == ("t2_loss", "t2_beta", "t2_beta_added")
