"""The same input and seed give the same bits, whatever the threads, the order of groups, or the company."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from conftest import POWER_TRUTH
from numpy.typing import NDArray

import lawfit as lf
from lawfit._engine import RawFits, registries

N_GROUPS = 7


@pytest.fixture(scope="module")
def groups() -> dict[str, NDArray[np.generic]]:
    """Groups of different sizes and truths in one table."""
    parts = []
    for group in range(N_GROUPS):
        grid = {"x": np.logspace(6.5, 10, 8 + 3 * group)}
        truth = POWER_TRUTH | {"A": 300.0 + 50 * group}
        runs = lf.synthetic.runs(lf.laws.power_floor, truth, grid, noise=0.003, seed=group)
        parts.append({**runs, "group": np.full(runs["x"].size, group)})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture(scope="module")
def fit_groups(groups: dict[str, NDArray[np.generic]]) -> Callable[..., lf.Fits]:
    def call(table: object = None, n_threads: int = 1, kernels: str = "auto") -> lf.Fits:
        return lf.fit_many(
            lf.laws.power_floor,
            groups if table is None else table,
            by="group",
            response="loss",
            starts=9,
            bootstrap=21,
            n_threads=n_threads,
            kernels=kernels,
        )

    return call


def assert_same_bits(first: RawFits, second: RawFits) -> None:
    for field in RawFits._fields:
        one, other = getattr(first, field), getattr(second, field)
        if isinstance(one, tuple):
            for part, same in zip(one, other, strict=True):
                np.testing.assert_array_equal(part, same, err_msg=field)
        else:
            np.testing.assert_array_equal(one, other, err_msg=field)


@pytest.mark.parametrize("kernels", registries().kernels)
@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_results_do_not_depend_on_the_thread_count(
    n_threads: int, kernels: str, fit_groups: Callable[..., lf.Fits]
) -> None:
    assert_same_bits(fit_groups(kernels=kernels).raw, fit_groups(n_threads=n_threads, kernels=kernels).raw)


def test_the_same_call_gives_the_same_bits(fit_groups: Callable[..., lf.Fits]) -> None:
    assert_same_bits(fit_groups().raw, fit_groups().raw)


def test_results_do_not_depend_on_the_order_of_groups(
    groups: dict[str, NDArray[np.generic]], fit_groups: Callable[..., lf.Fits]
) -> None:
    order = np.argsort(-groups["group"].astype(np.int64), kind="stable")
    reordered = fit_groups({name: values[order] for name, values in groups.items()})
    plain = fit_groups()
    assert reordered.keys == plain.keys[::-1]
    np.testing.assert_array_equal(reordered.raw.params[::-1], plain.raw.params)
    np.testing.assert_array_equal(reordered.raw.covariance[::-1], plain.raw.covariance)
    assert reordered.raw.replicates is not None
    assert plain.raw.replicates is not None
    np.testing.assert_array_equal(reordered.raw.replicates.params[::-1], plain.raw.replicates.params)


@pytest.mark.parametrize("group", [0, 3, N_GROUPS - 1])
def test_one_fit_alone_is_the_same_as_in_a_batch(
    group: int, groups: dict[str, NDArray[np.generic]], fit_groups: Callable[..., lf.Fits]
) -> None:
    inside = fit_groups()[(group,)]
    alone = lf.fit(lf.laws.power_floor, groups, response="loss", where=f"group == {group}", starts=9)
    assert dict(alone.params) == dict(inside.params)
    assert alone.objective == inside.objective
    np.testing.assert_array_equal(alone.covariance, inside.covariance)
    assert alone.starts is not None
    assert inside.starts is not None
    np.testing.assert_array_equal(alone.starts.params, inside.starts.params)
    np.testing.assert_array_equal(alone.starts.ends, inside.starts.ends)


def test_the_level_of_the_kernels_is_in_the_result(fit_groups: Callable[..., lf.Fits]) -> None:
    known = registries()
    assert fit_groups().raw.kernels in {*known.kernels, known.kernels_auto}
    assert fit_groups(kernels="portable").raw.kernels == "portable"


@pytest.mark.parametrize("scheme", registries().resamplers)
def test_replicates_of_every_scheme_have_the_same_bits_on_any_number_of_threads(
    scheme: str, groups: dict[str, NDArray[np.generic]]
) -> None:
    clusters = np.arange(groups["x"].size) % 6
    fit = lf.fit(lf.laws.power_floor, groups, response="loss", where="group == 6", cluster=clusters)
    count = None if scheme == "jackknife" else 70
    one = fit.bootstrap(count, resample=scheme, n_threads=1)
    for n_threads in (2, 3, 8):
        other = fit.bootstrap(count, resample=scheme, n_threads=n_threads)
        np.testing.assert_array_equal(one.params, other.params)
        np.testing.assert_array_equal(one.objective, other.objective)


def bits_elsewhere(groups: dict[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    fits = lf.fit_many(lf.laws.power_floor, groups, by="group", response="loss", starts=9, bootstrap=21)
    assert fits.raw.replicates is not None
    return fits.raw.replicates.params


def test_another_process_draws_and_refits_the_same_bits(
    groups: dict[str, NDArray[np.generic]], fit_groups: Callable[..., lf.Fits]
) -> None:
    here = fit_groups().raw.replicates
    assert here is not None
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        np.testing.assert_array_equal(pool.submit(bits_elsewhere, groups).result(), here.params)


def test_replicates_come_in_any_number(groups: dict[str, NDArray[np.generic]]) -> None:
    # Chunks of work end elsewhere: replicates are theirs alone.
    fit = lf.fit(lf.laws.power_floor, groups, response="loss", where="group == 3")
    all_of_them = fit.bootstrap(100, n_threads=2).params
    for count in (1, 15, 17, 64):
        np.testing.assert_array_equal(fit.bootstrap(count).params, all_of_them[:count])
