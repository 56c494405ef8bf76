"""The stub of the compiled module says what the compiled module has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)  # stubtest type-checks the whole package first
def test_the_stub_matches_the_compiled_module() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "lawfit._core", "--mypy-config-file", "pyproject.toml"]
    ran = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
