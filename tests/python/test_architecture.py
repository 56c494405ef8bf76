"""The layers of the Python package (ARCHITECTURE.md): imports point downwards only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lawfit

PACKAGE = Path(lawfit.__file__).parent
# A module may import what has a lower rank, and beside it only what NEIGHBOURS lists.
RANKS = {
    "errors": 0, "_named": 0, "_text": 0, "_wording": 0,
    "_codec": 1, "_html": 1, "_engine": 1, "_arrays": 1, "_progress": 1, "_latex": 1, "_sizes": 1,
    "_public_models": 1, "_cost_catalogue": 1,
    "_law": 2, "laws": 2, "_laws_pretraining": 2, "_laws_training": 2, "_laws_downstream": 2, "_laws_testtime": 2,
    "_laws_size": 2, "_laws_data": 2, "_laws_reward": 2, "_protocols": 2, "_csv": 2, "_columns": 2, "tables": 2,
    "_table": 2, "_selection": 2, "_reshape": 2, "_files": 2, "_quantity": 2, "_losses": 2, "_binomial": 2,
    "_estimators": 2, "costs": 2, "_sampled": 2,
    "_absent": 3, "_fingerprint": 3, "_budgets": 3, "_figure": 3, "_parquet": 3, "_sanity": 3, "_cells": 3,
    "_sampled_rows": 3, "_sampling_notes": 3, "_coefficients": 3, "_published": 3, "_batch": 3, "_options": 3,
    "_rows": 3, "_draws": 3, "_derived": 3, "_evidence": 3, "_reasons": 3, "_report": 3, "_export": 3,
    "_residuals": 3, "_predictions": 3, "results": 3, "_fits": 3, "_replicates": 3, "_crossed": 3, "_tangent": 3,
    "_leverage": 3, "_new_runs": 3, "_repeats": 3, "_count_law": 3, "_count_rows": 3, "_count_report": 3,
    "_count_fit": 3, "_mixture": 3, "_parabola": 3, "_run_curves": 3,
    "_summaries": 4, "_attach": 4, "_notebook": 4, "_latex_tables": 4, "_reproduce": 4, "_allocation": 4,
    "_inline_svg": 4, "_parameter_table": 4, "sampling": 4, "fitting": 4, "resampling": 4, "adequacy": 4,
    "synthetic": 4, "_refits": 4, "_intervals": 4, "_from_draws": 4, "_profile": 4, "_band": 4, "uncertainty": 4,
    "_influence": 4, "_drop_path": 4, "_structure": 4, "diagnosis": 4, "_splits": 4, "_held_out": 4, "_scores": 4,
    "_conformal": 4, "validation": 4, "_information": 4, "design": 4, "_count_starts": 4, "_count_predictions": 4,
    "counts": 4, "mixtures": 4,
    "envelopes": 5, "_checklist": 5, "_page": 5, "curves": 5, "estimator": 5, "_decision": 5, "_huber_density": 5,
    "_paired_scores": 5, "_comparison_text": 5, "comparison": 5, "nested": 5, "contrasts": 5, "_frontier": 5,
    "_isoflop": 5, "isoflops": 5, "allocation": 5, "t2": 5, "_t2_cells": 5, "_chain_law": 5, "_chain_options": 5,
    "_chain_rows": 5, "_chain_protocol": 5, "_chain_covariance": 5, "_chain_whole": 5, "_chain_joint": 5,
    "_chain_draws": 5, "_chain_report": 5, "_chain_fit": 5, "chains": 5, "averages": 5, "beside": 5, "decisions": 5,
    "front_contrasts": 5, "regrets": 5,
    "_frontier_figures": 6, "_contour_figures": 6, "_sweep_lines": 6, "_sampling_figures": 6, "_pass_figures": 6,
    "saving": 6, "reporting": 6, "_fit_figures": 6, "_plan_figures": 6, "plotting": 6, "_cli_verb": 6,
    "_cli_wording": 6, "_cli_arguments": 6, "_cli_fitting": 6, "_cli_source": 6, "_cli_points": 6, "_demo": 6,
    "_cli_output": 6, "_t2_study": 6, "_t2_verdict": 6, "_t2_call": 6, "_t2_figures": 6, "_t2_page": 6,
    "t2_reporting": 6, "_demo_t2": 6,
    "_cli_fit": 7, "_cli_isoflop": 7, "_cli_allocate": 7, "_cli_predict": 7, "_cli_validate": 7, "_cli_compare": 7,
    "_cli_report": 7, "_cli_laws": 7, "_cli_costs": 7, "_cli_demo": 7, "_cli_t2": 7,
    "cli": 8,
    "__init__": 9, "__main__": 9,
}  # fmt: skip
NEIGHBOURS = {
    "isoflops": {"_isoflop"},
    "envelopes": {"_isoflop"},
    "reporting": {"plotting"},
    "_t2_verdict": {"_t2_study"},
    "_t2_call": {"_cli_wording"},
    "_t2_figures": {"_t2_study", "plotting"},
    "_t2_page": {"_t2_call", "_t2_figures", "_t2_study", "_t2_verdict"},
    "t2_reporting": {"_t2_call", "_t2_page", "_t2_study", "_t2_verdict"},
    "_demo_t2": {"t2_reporting"},
    "_cli_t2": {"_cli_allocate"},
    "plotting": {
        "_contour_figures",
        "_fit_figures",
        "_frontier_figures",
        "_pass_figures",
        "_plan_figures",
        "_sampling_figures",
    },
    "_sampling_figures": {"_sweep_lines"},
    "_frontier_figures": {"_sweep_lines"},
    "allocation": {"_frontier"},
    "decisions": {"allocation"},
    "beside": {"_isoflop", "isoflops"},
    "front_contrasts": {"_frontier", "contrasts"},
    "regrets": {"_frontier", "averages"},
    "averages": {"_frontier"},
    "_absent": {"_batch", "_draws"},
    "_fingerprint": {"_batch"},
    "_summaries": {"_band", "_profile", "_refits"},
    "_attach": {"fitting"},
    "_page": {"_checklist"},
    "_mixture": {"_draws"},
    "_arrays": {"_engine"},
    "_progress": {"_engine"},
    "laws": {
        "_law",
        "_laws_data",
        "_laws_downstream",
        "_laws_pretraining",
        "_laws_reward",
        "_laws_size",
        "_laws_testtime",
        "_laws_training",
    },
    "_laws_size": {"_law"},
    "_published": {"_coefficients"},
    "_laws_data": {"_law"},
    "_laws_reward": {"_law"},
    "_laws_pretraining": {"_law"},
    "_laws_training": {"_law"},
    "_laws_testtime": {"_law"},
    "_laws_downstream": {"_law"},
    "_protocols": {"_law"},
    "_table": {"_columns", "_sampled"},
    "_selection": {"_columns", "_table"},
    "_reshape": {"_columns", "_selection", "_table"},
    "_files": {"_csv"},
    "tables": {"_csv", "_files", "_reshape", "_table"},
    "_sampled_rows": {"_cells"},
    "_sampling_notes": {"_cells"},
    "_options": {"_batch", "_crossed"},
    "_batch": {"_sanity"},
    "_repeats": {"_batch"},
    "_rows": {"_batch", "_repeats", "_sanity"},
    "_draws": {"_batch"},
    "_derived": {"_draws", "_residuals"},
    "results": {"_batch", "_derived", "_draws", "_evidence", "_export", "_predictions", "_reasons", "_report"},
    "_fits": {"_batch", "_evidence", "_export", "_replicates", "_report", "results"},
    "_replicates": {"_batch", "_crossed", "_draws"},
    "_crossed": {"_batch"},
    "_count_rows": {"_batch", "_count_law", "_repeats", "_rows"},
    "_count_report": {"_count_law", "_report"},
    "_count_fit": {"_count_law", "_count_report", "_derived", "_draws", "_export", "_predictions", "results"},
    "_count_starts": {"fitting"},
    "counts": {"_count_starts", "_refits", "fitting", "resampling"},
    "_refits": {"resampling"},
    "_from_draws": {"_intervals", "_refits"},
    "_profile": {"_refits"},
    "_band": {"_intervals", "_refits"},
    "uncertainty": {"_band", "_from_draws", "_intervals", "_profile", "_refits"},
    "_tangent": {"_batch"},
    "_residuals": {"_tangent"},
    "_leverage": {"_tangent"},
    "_new_runs": {"_tangent"},
    "_report": {"_batch", "_leverage", "_reasons", "_residuals", "_sanity"},
    "_influence": {"resampling"},
    "_drop_path": {"_influence"},
    "_held_out": {"_band"},
    "_conformal": {"_band"},
    "validation": {"_conformal", "_held_out", "_scores", "_splits"},
    "design": {"_information"},
    "diagnosis": {"_drop_path", "_influence", "_structure"},
    "comparison": {"_comparison_text", "_decision", "_paired_scores"},
    "nested": {"_huber_density"},
    "contrasts": {"_decision"},
    "_chain_covariance": {"_chain_rows"},
    "_chain_whole": {"_chain_covariance", "_chain_rows"},
    "_chain_joint": {"_chain_rows"},
    "_chain_draws": {"_chain_rows"},
    "_chain_fit": {"_chain_draws", "_chain_report", "_chain_rows"},
    "_chain_options": {"_chain_protocol"},
    "_cli_fitting": {"_cli_arguments"},
    "_cli_source": {"_cli_arguments", "_cli_fitting", "_cli_wording", "saving"},
    "_cli_points": {"_cli_arguments"},
    "chains": {
        "_chain_fit",
        "_chain_joint",
        "_chain_law",
        "_chain_options",
        "_chain_protocol",
        "_chain_rows",
        "_chain_whole",
    },
}
# Results, whose verbs delegate upwards.
HAVE_VERBS = {
    "comparison", "results", "validation", "_allocation", "_chain_fit", "_count_fit", "_draws", "_fits", "_frontier",
    "_isoflop", "_law", "_mixture", "_predictions", "_table",
}  # fmt: skip
OPTIONAL = ("scipy", "pandas", "polars", "pyarrow", "matplotlib", "sklearn")
MODULES = sorted(PACKAGE.glob("*.py"))
# CONTRIBUTING.md: aim at 250 lines, stop at 500.
MOST_LINES = 500


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(tree: ast.AST, *, inside_functions: bool) -> list[tuple[str, bool]]:
    """Absolute names of all that a module imports at run time, and whether that happens inside a function."""
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, inside: bool) -> None:
        if is_type_checking(node):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "lawfit" else [module]
            found.extend((name, inside) for name in names)
        deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            visit(child, deeper)

    visit(tree, False)
    return [(name, inside) for name, inside in found if inside_functions or not inside]


def local(name: str) -> str | None:
    """Module of this package that an absolute name means."""
    head, _, rest = name.partition(".")
    return rest.partition(".")[0] or "__init__" if head == "lawfit" else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_has_a_rank(path: Path) -> None:
    assert path.stem in RANKS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_point_downwards_only(path: Path) -> None:
    name = path.stem
    for target, _ in imported(ast.parse(path.read_text(encoding="utf-8")), inside_functions=False):
        other = local(target)
        if other is None or other == "_core":
            continue
        allowed = RANKS[other] < RANKS[name] or other in NEIGHBOURS.get(name, set())
        assert allowed, f"{name} (rank {RANKS[name]}) imports {other} (rank {RANKS[other]})"


def test_only_the_engine_module_imports_the_compiled_core() -> None:
    users = [
        path.stem
        for path in MODULES
        for target, _ in imported(ast.parse(path.read_text(encoding="utf-8")), inside_functions=True)
        if local(target) == "_core"
    ]
    assert users == ["_engine"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_optional_packages_are_never_imported_by_name(path: Path) -> None:
    for target, _ in imported(ast.parse(path.read_text(encoding="utf-8")), inside_functions=True):
        assert target.partition(".")[0] not in OPTIONAL


def test_imports_inside_functions_are_one_line_verbs_on_results() -> None:
    """A verb on a result imports what is above it and delegates in one statement."""
    for path in MODULES:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef) or path.stem == "cli":
                continue
            body = [node for node in function.body if not isinstance(node, ast.Expr)]
            if any(isinstance(node, ast.Import | ast.ImportFrom) for node in body):
                assert path.stem in HAVE_VERBS
                assert [type(node) for node in body] == [ast.ImportFrom, ast.Return], function.name


def test_only_one_module_reads_the_environment() -> None:
    readers = [
        path.stem for path in MODULES if "environ" in path.read_text(encoding="utf-8").replace("environment", "")
    ]
    assert readers == ["_arrays"]


@pytest.mark.parametrize("path", [*MODULES, *Path(__file__).parent.glob("*.py")], ids=lambda path: path.stem)
def test_files_are_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_importing_the_package_loads_no_optional_package() -> None:
    code = f"import sys, lawfit; print([name for name in {OPTIONAL!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


def test_fitting_a_dict_loads_no_optional_package() -> None:
    code = (
        "import sys, lawfit as lf\n"
        "runs = {'x': [1e7, 3e7, 1e8, 3e8, 1e9], 'loss': [3.4, 2.8, 2.5, 2.2, 2.05]}\n"
        "print(lf.fit(lf.laws.power_floor, runs, response='loss', starts=2), file=sys.stderr)\n"
        f"print([name for name in {OPTIONAL!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_what_the_package_lists() -> None:
    public = {name for name in vars(lawfit) if not name.startswith("_")}
    modules = {path.stem for path in MODULES}
    assert public - modules == {
        "Allocation", "Beside", "Certificate", "ChainFit", "Comparison", "Contrast", "CountFit", "DataError",
        "Derived", "Design", "Diagnosis", "Draws", "Envelope", "Fit", "FitError", "Fits", "FrontContrast", "Frontier",
        "InternalError", "Interval", "IsoFlop", "LackOfFit", "Law", "LawError", "LawfitError", "LikelihoodRatio",
        "Mixture", "Mixtures", "OnAverage", "Optimum", "Plans", "Predicted", "Prediction", "Regret", "Sampled",
        "T2Comparison", "T2Report", "Table", "Validation", "allocate", "at_compute", "binomial_sigma", "bootstrap",
        "compare", "compare_t2", "contrast", "curve_fit", "envelope", "estimate_pass_at_k", "fit", "fit_chain",
        "fit_counts", "fit_many", "fit_mixture", "isoflop", "likelihood_ratio", "load", "next_runs", "pass_at_k",
        "plans", "protocols", "published", "read_table", "t2_report",
    }  # fmt: skip
