"""The worked plans show what their scripts print from the real runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
DATA = {"plan_porian": "porian_rw_88.csv", "plan_pythia": "t2_pythia_pass_counts.csv"}


@pytest.fixture(scope="module", params=DATA)
def printed(request: pytest.FixtureRequest, real_data: Callable[[str], Path]) -> tuple[str, str]:
    """A script, and what it prints from the real runs."""
    script = TOP / "examples" / f"{request.param}.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(real_data(DATA[request.param]))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return request.param, done.stdout


@pytest.mark.timeout(400)
def test_every_figure_of_the_page_is_printed_by_a_script(printed: tuple[str, str]) -> None:
    name, output = printed
    halves = (TOP / "docs" / "worked-plan.md").read_text(encoding="utf-8").split("\n## ")[1:]
    half = next(text for text in halves if f"{name}.py" in text)
    blocks = re.findall(r"^```text\n(.*?)^```$", half, re.MULTILINE | re.DOTALL)
    assert blocks == [part + "\n" for part in output.strip().split("\n\n")]
