"""The package under examples/ that depends on lawfit type-checks strictly and runs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf

TOP = Path(__file__).resolve().parents[2]
PACKAGE = TOP / "examples" / "dependent_package"
SOURCES = sorted((PACKAGE / "src").glob("**/*.py"))


@pytest.mark.timeout(300)
def test_it_type_checks_strictly_against_the_public_names() -> None:
    assert (Path(lf.__file__).parent / "py.typed").is_file()
    # Checkers that find lawfit beside its sources judge these too; the cache is that of `make lint`.
    environment = {**os.environ, "MYPYPATH": os.pathsep.join([str(Path(lf.__file__).parents[1]), str(PACKAGE / "src")])}
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(TOP / ".mypy_cache" / "dependent_package")],
        cwd=PACKAGE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"no issues found in {len(SOURCES)} source files" in done.stdout


def test_it_uses_public_names_alone() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("lawfit"), path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lf":
                assert not node.attr.startswith("_"), path
                assert hasattr(lf, node.attr), path


def test_its_command_prints_what_the_fits_say(tmp_path: Path) -> None:
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    grid = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "D": [2e9, 1e10, 5e10, 2e11]}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.005, seed=0)
    rows = [
        f"{recipe},{n!r},{d!r},{loss * factor!r}"
        for recipe, factor in (("plain", 1.0), ("better", 0.95))
        for n, d, loss in np.stack([runs["N"], runs["D"], runs["loss"]], axis=1).tolist()
    ]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(["recipe,N,D,loss", *rows, "short,1e9,1e10,2.5"]) + "\n", encoding="utf-8")

    said = run(path, "--by", "recipe", "--at", "7e10,1.4e12")
    assert said.returncode == 0, said.stderr
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss")
    band = fit.predict(N=7e10, D=1.4e12, interval=0.9, kind="run")
    assert f"plain: {band.value:.4f} ({band.lower:.4f} to {band.upper:.4f})" in said.stdout
    assert "short: fewer rows and priors than free parameters" in said.stdout

    wrong = run(path, "--by", "recipes", "--at", "7e10,1.4e12")
    assert wrong.returncode == 2
    assert "did you mean 'recipe'?" in wrong.stderr


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command from its sources, as if the package were installed."""
    folders = os.pathsep.join(filter(None, [str(PACKAGE / "src"), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "modelcard", str(path), *arguments],
        env={**os.environ, "PYTHONPATH": folders}, capture_output=True, text=True, check=False,
    )  # fmt: skip
