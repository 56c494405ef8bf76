"""The benchmarks run, at sizes that say nothing about speed: a crash test. They assert themselves what must agree."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY

pytest.importorskip("scipy.optimize")

SMALL = {
    "headline": ["--resamples", "3", "--starts", "20"],
    "many_fits": ["--fits", "10", "--scipy", "1", "--repeats", "1"],
    "other_laws": ["--starts", "100", "--scipy", "6", "--repeats", "2"],
    "sizes": ["--rows", "2400", "--calls", "2"],
    "threads": ["--starts", "20", "--resamples", "40", "--groups", "5", "--repeats", "1"],
}


HIT = 1e-6  # what the preconditioned refit is asked, relatively


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benches" / "python"))
    return importlib.import_module


def test_a_ratio_to_no_hit_is_said_in_words(script: Callable[[str], Any]) -> None:
    against_peers = script("against_peers")
    reference = against_peers.Row("SciPy", [40.0, 50.0], [0.5, 0.0], 1.0, [40.0, 50.0])
    # Twice the speed of the reference next to it, and twice as many hits.
    ours = against_peers.Row("lawfit", [100.0, 100.0], [1.0, 1.0], 1.0, [50.0, 50.0])
    assert against_peers.ratios(ours, reference) == [4.0, float("inf")]
    assert against_peers.spread(against_peers.ratios(ours, reference), 1) == "no hit of SciPy"
    assert against_peers.spread([4.0, 2.0, 3.0], 1) == "3.0 [2.0, 4.0]"


def test_the_fastest_way_of_scipy_is_one_that_hits(script: Callable[[str], Any]) -> None:
    resamples = script("resamples")
    slow, fast, wrong = (
        resamples.Resampled(name, [speed], hits, [speed])
        for name, speed, hits in [("slow", 100.0, 1.0), ("fast", 500.0, 0.993), ("wrong", 900.0, 0.98)]
    )
    assert resamples.fastest([slow, fast, wrong]) is fast
    assert resamples.fastest([wrong]) is wrong


def test_scipy_refits_a_resample_alike_in_either_coordinates(
    script: Callable[[str], Any], real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAWFIT_DATA", str(real_data("chinchilla_epoch.csv").parent))
    shared, peers = script("chinchilla_fit"), script("peers")
    data = shared.chinchilla_points()
    optimum = np.array([np.log(477.826), np.log(2143.417), np.log(1.81722), 0.347310, 0.367172])
    counts = np.random.default_rng(1).multinomial(240, np.full(240, 1 / 240), size=3).astype(np.float64)
    tight = peers.run_warm(data, optimum, counts).objectives
    preconditioned = peers.run_refit(data, optimum, counts).objectives
    drawn = shared.drawn_starts(6).reshape(3, 2, 5)
    searched = peers.run_global(data, optimum, counts, drawn).objectives
    np.testing.assert_allclose(preconditioned, tight, rtol=HIT)
    assert np.all(searched <= preconditioned)


def printed_table(name: str, options: list[str], folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "benches" / "python" / f"{name}.py"), *options],
        env={**os.environ, "LAWFIT_DATA": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "nan" not in done.stdout
    return [line for line in done.stdout.splitlines() if line.startswith("|")]


@pytest.mark.timeout(300)  # where numba and JAX are installed, half a minute goes to their compilers
def test_the_bootstrap_is_compared_with_the_same_job_by_scipy(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    report = tmp_path / "figures.json"
    small = ["--starts", "100", "--repeats", "1", "--peer-starts", "2", "--resamples", "24", "--json", str(report)]
    table = printed_table("against_peers", small, real_data("chinchilla_epoch.csv").parent)
    lines = {line["method"]: line for line in json.loads(report.read_text())["bootstrap"]}
    assert [row.split(" | ")[0] for row in table[-5:]] == [f"| {name}" for name in lines]
    plain, preconditioned, warm, theirs, searched = lines.values()
    assert warm["reference_per_s"] in (plain["per_s"], preconditioned["per_s"])
    assert searched["reference_per_s"] == theirs["per_s"]
    for name, line in lines.items():
        assert line["hits"] >= 0.99, name
        assert line["ratio"] == [line["per_s"][0] / line["reference_per_s"][0]], name


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_benchmark_prints_its_table(name: str, real_data: Callable[[str], Path]) -> None:
    assert len(printed_table(name, SMALL[name], real_data("chinchilla_epoch.csv").parent)) >= 4
