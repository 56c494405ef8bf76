"""The benchmarks run, at sizes that say nothing about speed: a crash test. They assert themselves what must agree."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY

pytest.importorskip("scipy.optimize")

SMALL = {
    "against_peers": ["--starts", "100", "--repeats", "1", "--peer-starts", "2", "--resamples", "24"],
    "headline": ["--resamples", "3", "--starts", "20"],
    "many_fits": ["--fits", "10", "--scipy", "1", "--repeats", "1"],
    "other_laws": ["--starts", "100", "--scipy", "6", "--repeats", "2"],
    "sizes": ["--rows", "2400", "--calls", "2"],
    "threads": ["--starts", "20", "--resamples", "40", "--groups", "5", "--repeats", "1"],
}


def test_a_ratio_to_no_hit_is_said_in_words() -> None:
    sys.path.insert(0, str(REPOSITORY / "benches" / "python"))
    try:
        against_peers = importlib.import_module("against_peers")
    finally:
        sys.path.pop(0)
    reference = against_peers.Row("SciPy", [40.0, 50.0], [0.5, 0.0], 1.0, [40.0, 50.0])
    # Twice the speed of the reference next to it, and twice as many hits.
    ours = against_peers.Row("lawfit", [100.0, 100.0], [1.0, 1.0], 1.0, [50.0, 50.0])
    assert against_peers.ratios(ours, reference) == [4.0, float("inf")]
    assert against_peers.spread(against_peers.ratios(ours, reference), 1) == "no hit of SciPy"
    assert against_peers.spread([4.0, 2.0, 3.0], 1) == "3.0 [2.0, 4.0]"


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_benchmark_prints_its_table(name: str, real_data: Callable[[str], Path]) -> None:
    folder = real_data("chinchilla_epoch.csv").parent
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "benches" / "python" / f"{name}.py"), *SMALL[name]],
        env={**os.environ, "LAWFIT_DATA": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(lines) >= 4
    assert "nan" not in done.stdout
