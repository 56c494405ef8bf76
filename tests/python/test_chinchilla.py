"""The page on the Chinchilla points shows what its script prints from the points."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def printed(real_data: Callable[[str], Path]) -> str:
    """What the script prints from the real points."""
    script = TOP / "examples" / "chinchilla.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(real_data("chinchilla_epoch.csv"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_every_figure_of_the_page_is_printed_by_the_script(printed: str) -> None:
    page = (TOP / "docs" / "chinchilla.md").read_text(encoding="utf-8")
    blocks = [text for text in re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if "lf." not in text]
    parts = [part + "\n" for part in printed.strip().split("\n\n")]
    assert blocks == parts


@pytest.mark.timeout(300)
def test_the_script_finds_the_published_minimum_and_intervals(printed: str) -> None:
    # Objectives and estimates from two independent codes; intervals of 4,000 pairs by Besiroglu et al., other draws.
    for figure in ("1.01827402e-03   1.8172   477.83  0.34731   2143.42  0.36717", "1.82601052e-03   1.8913   495.73"):
        assert figure in printed
    row = next(line for line in printed.splitlines() if line.startswith("Huber, 1e-3") and "pairs" in line)
    ends = [float(end) for end in re.findall(r"\d\.\d{3}", row)][:6]
    assert ends == pytest.approx([0.31677, 0.37328, 0.33126, 0.41538, 1.76935, 1.87123], abs=0.006)
