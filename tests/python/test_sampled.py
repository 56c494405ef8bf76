"""What is behind a table of sampled answers: weighted means against copies of problems, and tables made of it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lawfit as lf

RESPONSES = ("pass_at_k", "neglog_mean_pass", "mean_neglog_pass")
SIZES = np.array([1e8, 1e9, 1e10])


def counts(n_problems: int = 7, least: int = 1) -> dict[str, NDArray[Any]]:
    """Counts at three sizes, of which the last lacks the last problem."""
    rng = np.random.default_rng(3)
    rows = {
        "N": np.repeat(SIZES, n_problems),
        "problem": np.tile([f"q{i}" for i in range(n_problems)], 3),
        "n_samples": np.full(3 * n_problems, 40),
        "n_correct": rng.integers(least, 30, 3 * n_problems),
    }
    return {name: values[:-1] for name, values in rows.items()}


def made(rows: object, **given: Any) -> lf.Table:
    how: dict[str, Any] = {"k": [1, 4], "by": "N", "problem": "problem"}
    return lf.pass_at_k(rows, **how | given)


def behind(table: lf.Table) -> lf.Sampled:
    assert table.sampled is not None
    return table.sampled


def every_row(table: lf.Table) -> NDArray[np.int64]:
    return np.arange(table.n_rows, dtype=np.int64)


def assert_is_the_table(table: lf.Table) -> None:
    """Weights of one give the columns, whatever rows the table has."""
    sampled = behind(table)
    assert len(sampled.cluster) == table.n_rows
    found = sampled.columns(np.ones((2, len(sampled.problems))), every_row(table))
    for name in {*RESPONSES} & {*table.names}:
        for line in found[name]:
            np.testing.assert_allclose(line, table.column(name).values, rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("bias", [None, "delta", "jackknife"])
@pytest.mark.parametrize("least", [0, 1])
def test_weights_of_one_give_the_table_and_so_do_tables_made_of_it(bias: str | None, least: int) -> None:
    table = made(counts(least=least), bias=bias, zero_cells="keep")
    assert_is_the_table(table)
    some = table.where("k == 4 and N > 1e8")
    assert some.n_rows == 2
    assert behind(some).cluster == ("N=1000000000", "N=10000000000")
    for other in (
        some,
        table.select("N", "k", "*_pass"),
        table.last(by="N", order="k"),
        table.melt(["largest_share", "n_samples"]),
        table.where("k == 1").select("!N", "k", "pass_at_k"),
        pickle.loads(pickle.dumps(some)),
        table.where(np.arange(6) % 2 == 1).where("N < 1e10"),
    ):
        assert_is_the_table(other)
        assert other.notes == table.notes


def test_whole_weights_are_copies_of_problems() -> None:
    rows = counts()
    weights = np.array([2.0, 0.0, 1.0, 3.0, 0.0, 1.0, 1.0])
    codes = np.array([int(label[1:]) for label in rows["problem"]])
    copies = np.repeat(np.arange(codes.size), weights[codes].astype(int))
    copied = {name: values[copies] for name, values in rows.items()}
    copied["problem"] = np.array([f"{label} {i}" for i, label in enumerate(copied["problem"])])
    table, expected = made(rows), made(copied)
    found = behind(table).columns(weights[None, :], every_row(table))
    for name in RESPONSES:
        np.testing.assert_allclose(found[name][0], expected.column(name).values, rtol=1e-13)


def test_all_weights_of_a_replicate_may_be_scaled() -> None:
    table = made(counts())
    weights = np.random.default_rng(0).exponential(size=(5, 7))
    one, other = (behind(table).columns(w, every_row(table)) for w in (weights, weights * 1e-6))
    for name in RESPONSES:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-13)


def test_rows_come_in_the_order_asked_for_and_as_often() -> None:
    table = made(counts())
    weights = np.random.default_rng(0).exponential(size=(4, 7))
    whole = behind(table).columns(weights, every_row(table))
    rows = np.array([5, 0, 0, 3], dtype=np.int64)
    for name, values in behind(table).columns(weights, rows).items():
        np.testing.assert_allclose(values, whole[name][:, rows], rtol=1e-14)


def test_a_cell_without_weight_is_nan_and_one_without_success_is_infinite() -> None:
    rows = counts()
    rows["n_correct"] = np.where((rows["N"] == 1e8) & (rows["problem"] != "q2"), 0, rows["n_correct"])
    table = made(rows)
    weights = np.zeros((3, 7))
    weights[0, 6] = 1.0  # a problem that the last size does not have
    weights[1, 0] = weights[2, 2] = 1.0
    found = behind(table).columns(weights, every_row(table))
    for name in RESPONSES:
        assert np.isnan(found[name][0]).tolist() == [False] * 4 + [True] * 2
    # The smallest size solved q2 alone.
    assert np.isinf(found["neglog_mean_pass"][1]).tolist() == [True] * 2 + [False] * 4
    assert (found["pass_at_k"][1, :2] == 0.0).all()
    assert np.isfinite(found["mean_neglog_pass"][2]).all()
    np.testing.assert_allclose(found["mean_neglog_pass"][2], found["neglog_mean_pass"][2], rtol=1e-13)


def test_a_cluster_is_a_checkpoint_unless_other_columns_make_one() -> None:
    table = made(counts())
    assert behind(table).cluster == tuple(f"N={size:.0f}" for size in np.repeat(SIZES, 2))
    rows = counts() | {"D": np.repeat([1.0, 2.0, 1.0], 7)[:-1]}
    runs = made(rows, by=["N", "D"], cluster="D")
    assert behind(runs).cluster == ("D=1", "D=1", "D=2", "D=2", "D=1", "D=1")
    assert behind(made(rows, by=["N", "D"])).cluster[0] == "N=100000000, D=1"


def test_likelihoods_beyond_the_range_of_floats_are_weighted_too() -> None:
    rows = {"N": [1.0, 1.0], "problem": ["a", "b"], "nll": [900.0, 901.0]}
    table = made(rows, nll="nll")
    found = behind(table).columns(np.array([[1.0, 1.0], [0.0, 2.0]]), every_row(table))
    np.testing.assert_allclose(found["neglog_mean_pass"][1], 901.0 - np.log([1.0, 4.0]), rtol=1e-15)
    assert_is_the_table(table)


def test_weights_of_another_shape_are_refused() -> None:
    table = made(counts())
    for weights in (np.ones(7), np.ones((2, 6))):
        with pytest.raises(lf.DataError, match="give one column for each of 7 problems"):
            behind(table).columns(weights, every_row(table))


def test_other_tables_have_nothing_behind_them() -> None:
    table = lf.read_table({"x": [1.0, 2.0]})
    assert table.sampled is None
    assert table.where("x > 1").melt(["x"]).sampled is None
    assert table.notes == ()
