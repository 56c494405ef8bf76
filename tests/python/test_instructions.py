"""The comparison of instruction counts: what fails, what is said, and what it is keyed by."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RUSTC = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n"


@pytest.fixture(scope="module")
def instructions() -> ModuleType:
    spec = importlib.util.spec_from_file_location("instructions", REPOSITORY / "benches" / "python" / "instructions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("job", "counted", "fine", "word"),
    [
        ("groups", 1_051, False, "SLOWER by more than 5%"),
        ("groups", 1_050, True, "+5.00%"),
        ("groups", 1_000, True, "+0.00%"),
        ("groups", 950, True, "-5.00%"),
        ("groups", 949, True, "faster: store it"),
        ("special-exp", 1_011, False, "SLOWER by more than 1%"),
        ("special-exp", 1_010, True, "+1.00%"),
        ("special-exp", 989, True, "faster: store it"),
    ],
)
def test_a_job_fails_above_its_tolerance_and_asks_to_be_stored_below(
    instructions: Any, job: str, counted: int, fine: bool, word: str
) -> None:
    (line,), is_fine = instructions.compare({job: counted}, {job: 1_000})
    assert is_fine is fine
    assert word in line


def test_a_job_without_a_stored_count_fails(instructions: Any) -> None:
    (line,), is_fine = instructions.compare({"groups": 1_000}, {"replicates": 1_000})
    assert not is_fine
    assert "nothing is stored" in line


def test_counts_are_keyed_by_compiler_target_and_kernels(instructions: Any) -> None:
    assert instructions.key("portable", RUSTC) == "rustc 1.95.0, x86_64-unknown-linux-gnu, portable"


def test_every_stored_key_has_every_job_of_the_driver(instructions: Any) -> None:
    stored = json.loads(instructions.BASELINE.read_text())
    source = (REPOSITORY / "benches" / "engine" / "jobs.rs").read_text()
    names = {line.split('"')[1] for line in source.splitlines() if '=> "' in line}
    assert len(names) == 16
    assert {kernels for key in stored for kernels in instructions.KERNELS if key.endswith(f", {kernels}")} == {
        "portable",
        "avx2+fma",
    }
    for key, counts in stored.items():
        assert set(counts) == names, key
        assert all(count > 10_000 for count in counts.values()), key


def test_without_valgrind_the_reason_is_spoken(
    instructions: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.main([]) == 0
    assert "valgrind is not installed" in capsys.readouterr().out
