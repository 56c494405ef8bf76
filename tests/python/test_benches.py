"""The benchmarks run, at sizes that say nothing about speed: a crash test. They assert themselves what must agree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY

pytest.importorskip("scipy.optimize")

SMALL = {
    "many_fits": ["--fits", "10", "--scipy", "1", "--repeats", "1"],
    "other_laws": ["--starts", "100", "--scipy", "6", "--repeats", "2"],
    "sizes": ["--rows", "2400", "--calls", "2"],
    "threads": ["--starts", "20", "--resamples", "40", "--groups", "5", "--repeats", "1"],
}


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
