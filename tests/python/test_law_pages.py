"""Pages of the catalogue: one for every law, complete, with an example that runs."""

from __future__ import annotations

import contextlib
import io
import runpy
from pathlib import Path

import pytest

import lawfit as lf

PAGES: dict[str, str] = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "law_pages.py"))["pages"]()
NAMES = list(lf.laws.CATALOGUE)


def test_every_law_has_its_page_and_its_row_in_the_index() -> None:
    assert set(PAGES) == {"laws/index.md", *(f"laws/{name}.md" for name in NAMES)}
    for name in NAMES:
        assert f"[{name}]({name}.md)" in PAGES["laws/index.md"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_all_that_is_declared_and_its_example_runs(name: str) -> None:
    law, shown = lf.laws.CATALOGUE[name], PAGES[f"laws/{name}.md"]
    assert law.title is not None
    assert law.reference is not None
    known = lf.published.of(law)
    sources = [part for entry in known.values() for part in (entry.name, entry.source, entry.provenance)]
    assert law.title.lower() in shown.lower()
    for part in (law.text, law.to_latex(), law.reference, *law.units.values(), *law.traps, *sources):
        assert part in shown
    for parameter in law.parameters:
        assert f"| `{parameter}` |" in shown
    code = shown.split("```python\n")[1].split("```")[0]
    found: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, found)
    assert isinstance(found["fit"], lf.Fit)
    assert law.text in printed.getvalue()
