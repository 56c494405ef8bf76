"""Tables of sampled answers: real counts, definitions by brute force, policies with their counts, and bad input."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf

Counts = dict[str, Any]
BY = ["benchmark", "N", "D"]
ROUNDING = 1e-13


@pytest.fixture
def counts() -> Counts:
    """Two checkpoints of six problems each, of two benchmarks whose labels overlap in one."""
    rng = np.random.default_rng(5)
    return {
        "N": np.repeat([1e8, 1e9], 12),
        "benchmark": np.tile(np.repeat(["easy", "hard"], 6), 2),
        "problem": np.tile(np.concatenate([np.arange(6), np.arange(5, 11)]), 2),
        "n_samples": np.full(24, 50),
        "n_correct": rng.integers(1, 40, 24),
    }


def made(counts: object, **given: Any) -> lf.Table:
    how: dict[str, Any] = {"k": [1, 2.5, 10], "by": ["benchmark", "N"], "problem": "problem"}
    return lf.pass_at_k(counts, **how | given)


def cell(counts: Counts, benchmark: str, size: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray((counts["benchmark"] == benchmark) & (counts["N"] == size))


def test_the_table_of_real_counts_is_the_published_one(real_data: Callable[[str], Path]) -> None:
    ks = [1, 2, 4, 8, 16, 32, 64, 128]
    counts = real_data("t2_pythia_pass_counts.csv")
    table = lf.pass_at_k(counts, k=ks, by=BY, problem="problem", zero_cells="keep").to_dict()
    known = lf.read_table(real_data("t2_pythia_pass_at_k.csv")).to_dict()
    names = [*BY, "k"]
    ours = dict(zip(zip(*(table[name] for name in names), strict=True), range(table["k"].size), strict=True))
    order = [ours[key] for key in zip(*(known[name] for name in names), strict=True)]
    assert sorted(order) == list(range(1224))
    np.testing.assert_array_equal(table["n_problems"][order], known["n_problems"])
    np.testing.assert_allclose(table["pass_at_k"][order], known["pass_at_k"], rtol=1e-12, atol=0.0)


def test_real_counts_come_with_what_to_know_of_them(real_data: Callable[[str], Path]) -> None:
    counts = lf.read_table(real_data("t2_pythia_pass_counts.csv"))
    table = lf.pass_at_k(counts, k=[1, 10, 100], by=BY, problem="problem")
    text = repr(table)
    for words in (
        "fewest in benchmark=math, N=12000000000, D=2000000 with 9 of 128",
        "3 labels of problems stand in cells that have few in common otherwise",
        "rows have no success at all, where -log pass@k is infinite: left out, which selects on the outcome",
        "mean_neglog_pass is infinite in",
        "neglog_mean_pass is biased upwards by about",
        "one problem makes over a quarter of pass_at_k in",
    ):
        assert f"{words}" in text
    assert "2 of them over a tenth" in text
    kept = lf.pass_at_k(counts, k=[1, 10, 100], by=BY, problem="problem", zero_cells="keep")
    assert kept.n_rows == 3 * 153
    assert np.isinf(kept.column("neglog_mean_pass").values).sum() == kept.n_rows - table.n_rows
    # The two small cells reduce their benchmarks to 30 and 9 problems.
    common = lf.pass_at_k(counts, k=[1], by=BY, problem="problem", problems="common", zero_cells="keep").to_dict()
    assert {*zip(common["benchmark"].tolist(), common["n_problems"].tolist(), strict=True)} == {
        ("gsm8k", 30),
        ("math", 9),
    }
    with pytest.raises(lf.DataError, match=r"by=\['N', 'D'\].*column 'benchmark' tells them apart: add it to by="):
        lf.pass_at_k(counts, k=1, by=["N", "D"], problem="problem")


def test_every_column_is_its_definition(counts: Counts) -> None:
    table = made(counts)
    rows = table.to_dict()
    assert table.names[:3] == ("benchmark", "N", "k")
    assert table.n_rows == 12
    for row in range(table.n_rows):
        here = cell(counts, str(rows["benchmark"][row]), rows["N"][row])
        each = lf.estimate_pass_at_k(counts["n_correct"][here], counts["n_samples"][here], k=rows["k"][row])
        mean = math.fsum(each) / 6
        stderr = math.sqrt(math.fsum((each - mean) ** 2) / 5 / 6)
        expected = {
            "n_problems": 6,
            "pass_at_k": mean,
            "neglog_mean_pass": -math.log(mean),
            "mean_neglog_pass": math.fsum(-np.log(each)) / 6,
            "pass_at_k_stderr": stderr,
            "neglog_stderr": stderr / mean,
            "neglog_bias": 0.5 * (stderr / mean) ** 2,
            "largest_share": max(each) / math.fsum(each),
            "n_zero_problems": 0,
            "n_samples": 50,
        }
        for name, value in expected.items():
            assert rows[name][row] == pytest.approx(value, rel=ROUNDING), name
    assert {*expected} == {*table.names[3:]}


def test_the_jackknife_is_its_definition_and_is_taken_off(counts: Counts) -> None:
    plain, table = made(counts).to_dict(), made(counts, bias="jackknife").to_dict()
    for row in range(12):
        here = cell(counts, str(table["benchmark"][row]), table["N"][row])
        each = lf.estimate_pass_at_k(counts["n_correct"][here], 50, k=table["k"][row])
        without = [-math.log(np.delete(each, i).mean()) for i in range(6)]
        assert table["neglog_bias"][row] == pytest.approx(5 * (np.mean(without) + math.log(each.mean())), rel=1e-11)
    np.testing.assert_allclose(table["neglog_mean_pass"], plain["neglog_mean_pass"] - table["neglog_bias"], rtol=1e-14)
    delta = made(counts, bias="delta").to_dict()
    np.testing.assert_allclose(delta["neglog_mean_pass"], plain["neglog_mean_pass"] - plain["neglog_bias"], rtol=1e-14)


def drawn(n_cells: int, n_problems: int, seed: int) -> Counts:
    """Cells of problems drawn anew, with Beta(0.3, 3) probabilities: mean 1/11."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.3, 3.0, (n_cells, n_problems))
    return {
        "cell": np.repeat(np.arange(n_cells), n_problems),
        "problem": np.tile(np.arange(n_problems), n_cells),
        "n_samples": np.full(p.size, 100),
        "n_correct": rng.binomial(100, p).ravel(),
    }


def test_corrections_take_most_of_the_bias_and_standard_errors_are_the_spread() -> None:
    """Over 4,000 cells of 40 problems; the spread of a mean of these is a sixtieth of the bias."""
    table = drawn(4000, 40, seed=1)
    how: dict[str, Any] = {"k": 1, "by": "cell", "problem": "problem"}
    columns = {bias: lf.pass_at_k(table, bias=bias, **how).to_dict() for bias in (None, "delta", "jackknife")}
    off = {bias: found["neglog_mean_pass"].mean() - math.log(11.0) for bias, found in columns.items()}
    assert off[None] == pytest.approx(columns[None]["neglog_bias"].mean(), rel=0.3)
    assert off[None] > 0.02
    assert abs(off["delta"]) < 0.3 * off[None]
    assert abs(off["jackknife"]) < 0.3 * off[None]
    plain = columns[None]
    assert np.sqrt(np.mean(plain["pass_at_k_stderr"] ** 2)) == pytest.approx(plain["pass_at_k"].std(), rel=0.05)
    assert np.median(plain["neglog_stderr"]) == pytest.approx(plain["neglog_mean_pass"].std(), rel=0.1)


def test_standard_errors_are_those_of_a_bootstrap_of_problems() -> None:
    table = lf.pass_at_k(drawn(1, 200, seed=2), k=[1, 5], by="cell", problem="problem")
    weights = np.random.default_rng(0).multinomial(200, np.full(200, 1 / 200), size=20_000).astype(np.float64)
    assert table.sampled is not None
    spread = table.sampled.columns(weights, np.arange(2))
    for name, stderr in (("pass_at_k", "pass_at_k_stderr"), ("neglog_mean_pass", "neglog_stderr")):
        np.testing.assert_allclose(spread[name].std(axis=0), table.column(stderr).values, rtol=0.05)


def test_the_order_of_rows_does_not_matter(counts: Counts) -> None:
    mixed = np.random.default_rng(0).permutation(24)
    one, other = made(counts).to_dict(), made({name: values[mixed] for name, values in counts.items()}).to_dict()
    order = [np.lexsort((rows["k"], rows["N"], rows["benchmark"])) for rows in (one, other)]
    for name in one:
        np.testing.assert_array_equal(one[name][order[0]], other[name][order[1]])


def test_probabilities_and_log_likelihoods_are_one_thing(counts: Counts) -> None:
    p = counts["n_correct"] / 50
    by_p = made({**counts, "p": p}, probability="p").to_dict()
    by_nll = made({**counts, "nll": -np.log(p)}, nll="nll").to_dict()
    assert "n_samples" not in by_p
    for name in by_p.keys() - {"benchmark"}:
        np.testing.assert_allclose(by_nll[name], by_p[name], rtol=1e-12)
    here = cell(counts, "easy", 1e8)
    assert by_p["pass_at_k"][1] == pytest.approx(np.mean(1 - (1 - p[here]) ** 2.5), rel=1e-14)
    assert by_p["mean_neglog_pass"][1] == pytest.approx(np.mean(-np.log(1 - (1 - p[here]) ** 2.5)), rel=1e-14)


def test_likelihoods_below_the_range_of_floats_have_their_logarithms() -> None:
    nll = np.array([900.0, 1000.0, 905.0])
    table = lf.pass_at_k(
        {"N": [1.0] * 3, "q": [1, 2, 3], "nll": nll}, k=[1, 8], by="N", problem="q", nll="nll"
    ).to_dict()
    mean = 900.0 - math.log((1 + math.exp(-5.0)) / 3)
    np.testing.assert_allclose(table["neglog_mean_pass"], [mean, mean - math.log(8)], rtol=1e-15)
    np.testing.assert_allclose(table["mean_neglog_pass"], nll.mean() - np.log([1, 8]), rtol=1e-15)
    np.testing.assert_array_equal(table["pass_at_k"], 0.0)
    np.testing.assert_allclose(table["largest_share"], 1 / (1 + math.exp(-5.0)), rtol=1e-12)


def test_cells_without_success_go_the_way_that_was_asked_for(counts: Counts) -> None:
    counts["n_correct"] = np.where(cell(counts, "hard", 1e8), 0, counts["n_correct"])
    dropped, kept = made(counts), made(counts, zero_cells="keep")
    assert dropped.n_rows == 9
    assert "3 of 12 rows have no success at all, where -log pass@k is infinite: left out" in " ".join(dropped.notes)
    zero = kept.where("n_zero_problems == n_problems")
    assert zero.n_rows == 3
    assert np.isinf(zero.column("neglog_mean_pass").values).all()
    assert (zero.column("pass_at_k").values == 0.0).all()
    # No success says nothing of the spread over problems.
    assert np.isnan(zero.column("pass_at_k_stderr").values).all()
    assert any('leave them out with .where("n_zero_problems < n_problems")' in note for note in kept.notes)
    # Neither way of correcting turns what is infinite into something else.
    assert np.isinf(made(counts, zero_cells="keep", bias="delta").column("neglog_mean_pass").values).sum() == 3
    with pytest.raises(lf.DataError, match=r"3 of 12 rows have no success .* benchmark=hard, N=100000000, k=1"):
        made(counts, zero_cells="error")
    with pytest.raises(lf.DataError, match="no problem of any cell was ever solved"):
        made({**counts, "n_correct": np.zeros(24)})


def test_too_few_samples_go_the_way_that_was_asked_for(counts: Counts) -> None:
    counts["n_samples"] = np.where((counts["problem"] == 3) & (counts["N"] == 1e9), 8, 50)
    counts["n_correct"] = np.minimum(counts["n_correct"], counts["n_samples"])
    with pytest.raises(lf.DataError, match=r"k=10 is above n_samples=8 of problem 3 in row 15 .*few_samples="):
        made(counts)
    without = made(counts, few_samples="drop_problem")
    rows = without.to_dict()
    here = (rows["k"] == 10) & (rows["N"] == 1e9) & (rows["benchmark"] == "easy")
    assert rows["n_problems"][here].tolist() == [5]
    assert (rows["n_problems"][~here] == 6).all()
    assert "at k = 10 some problems have fewer samples than k" in without.notes[0]
    assert "1 of 72 estimates left out" in without.notes[0]
    cut = made(counts, few_samples="drop_cell")
    assert cut.n_rows == 11
    assert "1 of 12 rows left out" in cut.notes[0]
    # What all cells have at k = 10 lacks the problem in the smaller checkpoint too, and only there.
    common = made(counts, few_samples="drop_problem", problems="common").to_dict()
    assert common["n_problems"][(common["k"] == 10) & (common["benchmark"] == "easy")].tolist() == [5, 5]
    assert (common["n_problems"][(common["k"] < 10) | (common["benchmark"] == "hard")] == 6).all()


def test_problems_that_all_cells_have_are_taken_on_request(counts: Counts) -> None:
    short = lf.read_table(counts).where(~(cell(counts, "easy", 1e9) & (counts["problem"] < 2)))
    every, common = made(short), made(short, problems="common")
    assert every.to_dict()["n_problems"].tolist() == [6] * 6 + [4] * 3 + [6] * 3
    assert "1 of 4 cells lack problems that others have, 1 of them over a tenth" in " ".join(every.notes)
    rows = common.to_dict()
    assert rows["n_problems"][rows["benchmark"] == "easy"].tolist() == [4] * 6
    left = made(lf.read_table(counts).where("problem >= 2")).to_dict()
    np.testing.assert_array_equal(rows["pass_at_k"], left["pass_at_k"])


def test_cells_that_overlap_in_a_chain_are_one_family() -> None:
    """Windows of eight problems, each moved by three: neighbours share five of eight, the ends nothing."""
    windows = [range(start, start + 8) for start in (0, 3, 6, 9)] + [range(100, 104)]
    rows = {
        "cell": np.repeat([5, 4, 3, 2, 1], [len(window) for window in windows]),
        "problem": np.concatenate([np.array(window) for window in windows]),
    }
    table = lf.read_table(rows | {"p": np.full(36, 0.5)})
    how: dict[str, Any] = {"k": 1, "by": "cell", "problem": "problem", "probability": "p", "problems": "common"}
    note = lf.pass_at_k(table, **how | {"problems": "all"}).notes[0]
    assert note.startswith(
        "4 of 5 cells lack problems that others have, 4 of them over a tenth: fewest in cell=5 with 8"
    )
    two = lf.pass_at_k(table.where("cell >= 4 or cell == 1"), **how).to_dict()
    assert dict(zip(two["cell"], two["n_problems"], strict=True)) == {5: 5, 4: 5, 1: 4}
    # The four windows have no problem in common: those cells are gone, and the notes say so.
    left = lf.pass_at_k(table, **how)
    assert left.to_dict()["cell"].tolist() == [1]
    assert "4 of 5 rows have no problem left and are missing, as in cell=5" in left.notes


def test_labels_that_benchmarks_share_by_chance_are_named_and_can_be_kept_apart(counts: Counts) -> None:
    table, apart = made(counts), made(counts, problem=["benchmark", "problem"])
    assert "1 label of problems stand in cells that have few in common otherwise" in " ".join(table.notes)
    assert not any("few in common" in note for note in apart.notes)
    assert table.sampled is not None
    assert apart.sampled is not None
    assert table.sampled.problems == tuple(range(11))
    assert len(apart.sampled.problems) == 12
    assert apart.sampled.problems[0] == ("easy", 0)
    np.testing.assert_array_equal(table.column("pass_at_k").values, apart.column("pass_at_k").values)


def test_one_problem_in_a_cell_has_no_spread_and_says_so(counts: Counts) -> None:
    table = made(lf.read_table(counts).where("problem == 0"))
    for name in ("pass_at_k_stderr", "neglog_stderr", "neglog_bias"):
        assert np.isnan(table.column(name).values).all()
    assert any("6 rows of one problem: no standard error" in note for note in table.notes)
    one_success = {"N": [1.0] * 3, "q": [1, 2, 3], "n_samples": [10] * 3, "n_correct": [0, 0, 4]}
    jackknifed = lf.pass_at_k(one_success, k=1, by="N", problem="q", bias="jackknife")
    assert np.isnan(jackknifed.column("neglog_mean_pass").values).all()
    assert any("could not be corrected, one problem being all of the mean" in note for note in jackknifed.notes)


def test_the_table_is_fitted_by_a_law_in_k() -> None:
    truth = {"E": 0.1, "A": 60.0, "alpha": 0.25}
    counts = drawn(1, 50, seed=0)
    sizes = np.geomspace(1e7, 1e10, 6)
    p = np.exp(-lf.laws.power_floor.evaluate({"x": sizes}, params=truth))
    grid = {name: np.tile(values, 6) for name, values in counts.items()} | {
        "x": np.repeat(sizes, 50),
        "p": np.repeat(p, 50),
    }
    table = lf.pass_at_k(grid, k=1, by="x", problem="problem", probability="p")
    fit = lf.fit(lf.laws.power_floor, table, response="neglog_mean_pass")
    assert fit.params["alpha"] == pytest.approx(0.25, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": 0}, "k=0: give finite numbers of tries of at least 1"),
        ({"k": [1, 0.9]}, "k=0.9"),
        ({"k": [1, math.nan]}, "k=nan"),
        ({"k": []}, "k: give at least one"),
        ({"k": [2, 2]}, "k: give different numbers of tries"),
        ({"k": [[1, 2]]}, "k: give different numbers of tries, in one dimension"),
        ({"k": "all"}, "k: needs numbers"),
        ({"by": []}, "by: name the column, or columns, that tell checkpoints .*; got nothing"),
        ({"by": 3}, "by: name the column.*got a value of type int"),
        ({"by": ["N", "N"]}, "by: a column is named twice"),
        ({"by": "size"}, "by: there is no column 'size'"),
        ({"by": ["N", "benchmark", "problem"]}, "holds the problem"),
        ({"by": "N"}, r"problem 5 stands in rows 5 and 6 .* one of 2 such pairs; column 'benchmark' tells them apart"),
        ({"by": ["benchmark"]}, "column 'N' tells them apart: add it to by="),
        ({"by": ["benchmark", "k"], "columns": {"k": np.repeat([1, 2], 12)}}, "by: column 'k' is called like one that"),
        ({"by": "N", "columns": {"problem": np.tile(np.arange(12), 2)}}, "mixes several values of column 'benchmark'"),
        ({"columns": {"n_copy": np.arange(24), "problem": np.zeros(24)}}, "column 'n_copy' tells them apart"),
        ({"columns": {"problem": np.zeros(24)}}, "no column tells such rows apart: add up the counts"),
        ({"problem": "question"}, "problem: there is no column 'question'"),
        ({"problem": None}, "problem: name the column, or columns, that name the problem"),
        (
            {"columns": {"problem": np.array(["", *map(str, range(23))])}},
            "problem: column 'problem' is missing or empty",
        ),
        (
            {"columns": {"problem": np.r_[np.nan, np.arange(23.0)]}},
            "problem: column 'problem' is missing or NaN in row 0",
        ),
        ({"n_correct": "right"}, "n_correct='right': there is no column 'right'"),
        ({"n_samples": 100}, "n_samples: give the name of a column"),
        ({"columns": {"n_correct": np.r_[np.nan, np.ones(23)]}}, "n_correct is missing or NaN in row 0"),
        ({"columns": {"n_correct": -np.ones(24)}}, "n_correct is -1 in row 0"),
        ({"columns": {"n_correct": np.full(24, 51)}}, "n_correct is 51 of n_samples=50 in row 0"),
        ({"columns": {"n_correct": np.array(["many"] * 24)}}, "n_correct='n_correct': the column holds text"),
        ({"probability": "n_correct"}, "probability is .* give values from 0 to 1"),
        ({"nll": "-N"}, "nll is -1e.08 in row 0 .*, one of 24; give values of at least 0"),
        ({"nll": "N", "probability": "N"}, "give probability= or nll=, not both"),
        ({"probability": "n_correct/(N - 1e8)"}, "probability is infinite in row 0"),
        ({"cluster": "problem"}, "cluster: 'problem' is not in by="),
        ({"cluster": []}, "cluster: name the column"),
        ({"zero_cells": "ignore"}, "zero_cells='ignore': choose one of: drop, keep, error"),
        ({"few_samples": None}, "few_samples=None: choose one of"),
        ({"problems": "shared"}, "problems='shared'"),
        ({"bias": "bootstrap"}, "bias='bootstrap'"),
        ({"k": 100}, "k=100 is above n_samples=50"),
        ({"k": 100, "few_samples": "drop_cell"}, "leave no problem in any cell"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(counts: Counts, given: dict[str, Any], message: str) -> None:
    with pytest.raises(lf.DataError, match=message):
        made(counts | given.get("columns", {}), **{name: value for name, value in given.items() if name != "columns"})
