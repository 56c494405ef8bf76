"""The coverage benchmark runs: a crash test. What it prints in full stands in docs/coverage.md."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import REPOSITORY


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lawfit_coverage", REPOSITORY / "benches" / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # workers find its functions by name
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["20, outliers", "8 runs x 12", "60, E is 0"])
def test_a_cell_of_the_coverage_experiment_has_intervals_that_hold_or_miss(coverage: ModuleType, name: str) -> None:
    number = [cell.name for cell in coverage.CELLS].index(name)
    found = coverage.chunk((number, 0, 3))
    assert set(found) == set(coverage.METHODS)
    for rows in found.values():
        assert len(rows) == 3
        for row in rows:
            assert all(held in (0.0, 1.0) for held in row[:4])
            assert all(width > 0.0 for width in row[4:])


def test_the_coverage_table_is_printed_and_judged(
    coverage: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "figures.json"
    arguments = ["coverage.py", "--tables", "4", "--only", "20, clean", "--workers", "1", "--json", str(file)]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(coverage, "ProcessPoolExecutor", Serial)
    coverage.main()
    printed = capsys.readouterr().out
    assert "| 20, clean |" in printed
    assert "joint test at 1 %" in printed
    assert set(json.loads(file.read_text())["20, clean"]) == set(coverage.METHODS)


class Serial:
    """An executor that does the work itself."""

    def __init__(self, _workers: int) -> None:
        self.map = map

    def __enter__(self) -> Serial:
        return self

    def __exit__(self, *_error: object) -> None:
        pass
