"""Costs by name: against formulas written out by hand, published values, and what is said of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf
from lawfit._cost_catalogue import SHAPE
from lawfit.cli import main
from lawfit.costs import CATALOGUE, evaluate, expand

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
EXACT = 1e-13
# The published vector has ten digits.
TEN_DIGITS = 1e-9

# Each with what it must be given, at N = 7e9, D = 2e11, k = 3, and its value by hand.
N, D, K = 7e9, 2e11, 3.0
L, W = 30, 4400
DEEP = (N / (12 * 128**2)) ** (1 / 3)
WIDE = 128 * DEEP
BY_HAND = {
    "training": 6 * N * D,
    "kaplan_training(context=4096)": 3 * (2 * N + 2 * DEEP * 4096 * WIDE) * D,
    f"attention_training(n_layers={L}, d_model={W})": (6 * N + 6 * 2048 * W * L) * D,
    f"chinchilla_training(n_layers={L}, d_model={W}, vocabulary=5e4, context=1024, head_size=64, ffw=3)": (
        # Appendix F for one sequence: embeddings, then per layer queries, keys and values, scores, softmax, values,
        # output, feed-forward; then logits. The backward pass takes twice as much.
        3
        * (
            2 * 1024 * 5e4 * W
            + L * (6 * 1024 * W * W + 2 * 1024**2 * W + 3 * (W / 64) * 1024**2 + 2 * 1024**2 * W)
            + L * (2 * 1024 * W * W + 4 * 1024 * W * 3 * W)
            + 2 * 1024 * W * 5e4
        )
        / 1024
        * D
    ),
    f"deepseek_training(n_layers={L}, d_model={W})": (72 * L * W**2 + 12 * L * W * 2048) * D,
    "sampling": 2 * N * K,
    "inference(tokens=1e13)": 2 * N * 1e13,
    "answering(queries=1e9, tokens=500)": 2 * N * K * 500 * 1e9,
    f"prefill(prompt=1000, n_layers={L}, d_model={W}, attention=2)": 2 * N * 1000 + 2 * L * W * 1000**2 / 2,
    f"decoding(prompt=1000, answer=300, n_layers={L}, d_model={W})": K * (2 * N * 300 + 4 * L * W * 300 * (1000 + 150)),
    "weight_memory": 2 * N,
    f"kv_memory(length=4096, n_layers={L}, d_model={W}, group=8, samples=16)": 16 * 2 * L * (W / 8) * 4096 * 2,
    "gpu_hours(peak=1e15, utilization=0.4)": 6 * N * D / (3600 * 4e14),
    "dollars(flops=training + inference(tokens=1e12), price=2, peak=1e15, utilization=.4)": 2
    * (6 * N * D + 2 * N * 1e12)
    / (3600 * 4e14),
}


@pytest.mark.parametrize("text", BY_HAND)
def test_a_cost_is_its_formula_by_hand(text: str) -> None:
    assert evaluate(text, N=N, D=D, k=K) == pytest.approx(BY_HAND[text], rel=EXACT)


def test_every_cost_of_the_catalogue_is_held_to_a_number() -> None:
    tested = {text.partition("(")[0] for text in BY_HAND} | {"kinetics"}
    assert tested == set(CATALOGUE)


def test_kinetics_has_its_published_vector() -> None:
    """Qwen3-8B: 36 layers, 32 heads of 128, 8 of them for keys and values."""
    shape = "prompt=256, answer=16384, group=4, n_layers=36, d_model=32*128"
    compute = evaluate(f"kinetics({shape}, intensity=0)", N=8.19e9, k=1)
    assert compute == pytest.approx(3.500086583e14, rel=TEN_DIGITS)
    whole = evaluate(f"kinetics({shape})", N=8.19e9, k=1)
    assert whole - compute == pytest.approx(1.148044758e16, rel=TEN_DIGITS)


def test_answers_of_several_lengths_have_their_own_mean_square() -> None:
    lengths = np.array([100.0, 900.0])
    one = evaluate(f"kinetics(prompt=10, answer={lengths.mean()}, answer_squared={(lengths**2).mean()})", N=1e9, k=1)
    each = evaluate("kinetics(prompt=10, answer=length)", N=1e9, k=1, length=lengths)
    assert one == pytest.approx(each.mean(), rel=EXACT)


def test_shapes_follow_from_the_size() -> None:
    whole = evaluate("kaplan_training", N=7e9, D=1.0)
    given = evaluate(f"kaplan_training(n_layers={DEEP}, d_model={WIDE})", N=7e9, D=1.0)
    by_layers = evaluate(f"kaplan_training(n_layers={DEEP})", N=7e9, D=1.0)
    by_width = evaluate(f"kaplan_training(d_model={WIDE})", N=7e9, D=1.0)
    np.testing.assert_allclose([given, by_layers, by_width], whole, rtol=1e-12)
    # A counted matrix multiplication of N = 12 L d² without attention is 6ND.
    bare = evaluate("chinchilla_training(vocabulary=0, context=0)", N=7e9, D=1.0)
    assert bare == pytest.approx(6 * 7e9, rel=1e-12)


def test_columns_of_a_table_are_priced_with_their_shapes() -> None:
    layers, widths = np.array([12.0, 24.0, 48.0]), np.array([768.0, 1024.0, 1600.0])
    sizes = 12 * layers * widths**2
    found = evaluate(
        "kaplan_training(n_layers=n_layers, d_model=d_model)", N=sizes, D=1e9, n_layers=layers, d_model=widths
    )
    np.testing.assert_allclose(found, 3 * (2 * sizes + 2 * layers * 2048 * widths) * 1e9, rtol=EXACT)


def test_a_plan_takes_names_and_keeps_them() -> None:
    budget = "training + inference(tokens=1e13)"
    plan = lf.allocate("chinchilla", {budget: 1e24}, params=HOFFMANN)
    plain = lf.allocate("chinchilla", {"6*N*D + 2*N*1e13": 1e24}, params=HOFFMANN)
    assert plan["N"] == plain["N"]
    assert list(plan.price) == [budget]
    assert plan[budget] == pytest.approx(1e24, rel=1e-12)
    assert plan["training"] == plan["6*N*D"]
    assert budget in repr(plan)


def test_sardanas_saving_is_that_of_the_sum_of_two_costs() -> None:
    """The quality of a 30B Chinchilla model for 1e13 tokens: 13.6B, 2.84 times the tokens, 28 % less."""
    a, b = HOFFMANN["alpha"], HOFFMANN["beta"]
    g = (a * HOFFMANN["A"] / (b * HOFFMANN["B"])) ** (1 / (a + b))
    tokens = (30e9 / g) ** (a / b) / g
    quality = lf.laws.chinchilla.evaluate(N=30e9, D=tokens, params=HOFFMANN)
    budget = "training + inference(tokens=1e13)"
    plan = lf.allocate("chinchilla", {budget: None}, params=HOFFMANN, target=float(quality))
    assert plan["N"] == pytest.approx(13.6e9, rel=5e-3)
    assert plan["D"] / tokens == pytest.approx(2.84, rel=2e-3)
    assert 1 - plan[budget] / evaluate(budget, N=30e9, D=tokens) == pytest.approx(0.280, abs=1e-3)


def test_attention_makes_small_models_dear() -> None:
    """With a fixed context attention is a larger part of a small model, so the best one is larger than 6ND says."""
    plain = lf.allocate("chinchilla", {"training": 1e20}, params=HOFFMANN)
    counted = lf.allocate("chinchilla", {"attention_training(context=8192)": 1e20}, params=HOFFMANN)
    grid = np.geomspace(1e7, 1e11, 20001)
    per_token = evaluate("attention_training(context=8192)", N=grid, D=1.0)
    loss = lf.laws.chinchilla.evaluate(N=grid, D=1e20 / per_token, params=HOFFMANN)
    assert counted["N"] == pytest.approx(grid[np.argmin(loss)], rel=1e-3)
    assert counted["N"] > plain["N"]


def test_a_variable_of_the_law_comes_before_a_cost_of_its_name() -> None:
    law = lf.Law("A*training**-alpha", variables=["training"])
    plan = lf.allocate(law, {"3*training": 300.0}, params={"A": 1.0, "alpha": 0.5})
    assert plan["training"] == pytest.approx(100.0)
    assert expand("training", ["training"]) == "training"


def table() -> str:
    """The table of docs/costs.md."""
    lines = ["| name | formula | unit | arguments | what it is | source |", "|---|---|---|---|---|---|"]
    for cost in CATALOGUE.values():
        takes = [
            name if argument.default is None else f"{name} = {argument.default}"
            for name, argument in cost.arguments.items()
            if name not in SHAPE
        ]
        if "aspect" in cost.arguments:
            takes.append("a shape")
        cells = [f"`{cost.name}`", f"`{cost.text}`", cost.unit, "; ".join(takes), cost.meaning, cost.reference]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def test_the_page_lists_the_catalogue() -> None:
    page = (Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- costs -->\n")[2].partition("\n<!-- end of costs -->")[0]
    assert shown == table()


def test_names_inside_of_other_names_and_quotes_are_left_alone() -> None:
    assert expand("6*N*D_training + `training`") == "6*N*D_training + `training`"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inference", "inference: say tokens=, tokens served over the model's life"),
        ("inference(1e13)", r"inference\(1e13\): write name=value; inference takes tokens"),
        ("inference(token=1e13)", "inference: 'token' is not one of its arguments; did you mean 'tokens'"),
        ("training(tokens=3)", "training: 'tokens' is not one of its arguments; it takes none"),
        ("inference(tokens=1, tokens=2)", "inference: tokens is given twice"),
        ("inference(tokens=1e13", "the parenthesis after inference is not closed"),
        ("dollars(price=2)", "dollars: say peak=, FLOP/s"),
        ("kaplan_training(n_layers=2, d_model=3, aspect=4)", "leave out aspect="),
        ("training(6)", r"training takes no arguments; for a product write training\*\(6\)"),
        ("infrence(tokens=3)", "infrence: only costs take name=value, and this is none; did you mean 'inference'"),
        ("dollars(price=2, peak=1e15, utilization=40)", "utilization=40 is no share; give a number above 0"),
        ("gpu_hours(peak=1e15, utilization=0)", "utilization=0 is no share"),
    ],
)
def test_a_wrong_cost_says_what_to_change(text: str, message: str) -> None:
    with pytest.raises(lf.LawError, match=message):
        expand(text)
    with pytest.raises(lf.LawError, match="budgets: .*" + message):
        lf.allocate("chinchilla", {text: 1e20}, params=HOFFMANN)


def test_a_cost_of_what_the_law_has_not_is_refused() -> None:
    with pytest.raises(lf.LawError, match="'k' of 'sampling' is no variable of the law"):
        lf.allocate("chinchilla", {"sampling": 1e11}, params=HOFFMANN)
    with pytest.raises(lf.LawError, match="'D' has no value; given are N"):
        evaluate("training", N=1e9)
    with pytest.raises(lf.DataError, match="give values of its variables by name, such as N=7e9"):
        evaluate("3")
    with pytest.raises(ValueError, match="shapes that do not go together: N"):
        evaluate("training", N=[1.0, 2.0], D=[1.0, 2.0, 3.0])


def test_a_misspelt_cost_is_told_its_name() -> None:
    for name in ("trainng", "Training"):
        with pytest.raises(lf.LawError, match=f"'{name}' has no value; did you mean the cost 'training'"):
            evaluate(name, N=1e9, D=1e10)
        with pytest.raises(
            lf.LawError, match=r"no variable of the law; did you mean the cost 'training'\? those are N, D"
        ):
            lf.allocate("chinchilla", {name: 1e20}, params=HOFFMANN)
    with pytest.raises(lf.LawError, match=r"did you mean 'N'\? those are N, D"):
        lf.allocate("chinchilla", {"6*n*D": 1e20}, params=HOFFMANN)


def test_the_command_names_costs_and_plans_with_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    runs = lf.synthetic.runs(
        lf.laws.chinchilla, truth, {"N": np.logspace(7, 10, 5), "D": np.logspace(9, 12, 5)}, noise=0.002
    )
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss")
    path = tmp_path / "fit.json"
    fit.save(path)
    budget = "training + inference(tokens=1e12)"
    assert main(["allocate", str(path), "--budget", f"{budget}=1e22", "--format", "json", "--quiet"]) == 0
    (point,) = json.loads(capsys.readouterr().out)["points"]
    assert point["N"] == float(fit.allocate({budget: 1e22})["N"])
    assert main(["allocate", str(path), "--budget", budget, "--target", "2.2", "--format", "csv", "--quiet"]) == 0
    assert f"budget {budget}" in capsys.readouterr().out
    assert main(["allocate", str(path), "--budget", budget]) == 2
    assert "write FORMULA=AMOUNT" in capsys.readouterr().err
    assert main(["costs"]) == 0
    listing = capsys.readouterr().out
    assert all(name in listing for name in CATALOGUE)
    assert main(["costs", "kinetics", "--format", "json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["formula"] == CATALOGUE["kinetics"].text
    assert main(["costs", "kinetic"]) == 2
    assert "did you mean 'kinetics'" in capsys.readouterr().err
