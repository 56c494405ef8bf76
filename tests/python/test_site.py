"""The site builds without a warning, has every page and every public name, and loads nothing from other hosts."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lawfit as lf

TOP = Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"
# What a page loads when it is opened; links that a reader may follow are no part of it.
LOADED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?([^\s\">]+)|<link\b[^>]*\bhref=\"?([^\s\">]+)")


def has_mkdocs() -> bool:
    return all(importlib.util.find_spec(name) for name in ("mkdocs", "material", "mkdocstrings"))


pytestmark = pytest.mark.skipif(
    not has_mkdocs() and not os.environ.get("CI"), reason="mkdocs-material and mkdocstrings are not installed"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=TOP, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def hooks() -> Any:
    """Module of the hooks."""
    spec = importlib.util.spec_from_file_location("site_pages", DOCS / "site_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def nav_pages() -> Iterator[str]:
    """Pages that mkdocs.yml names."""
    yield from re.findall(r": ([\w/.-]+\.md)$", (TOP / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.timeout(300)
def test_the_site_builds_without_a_warning(site: Path) -> None:
    assert "fits scaling laws" in (site / "index.html").read_text(encoding="utf-8")


def test_every_page_of_docs_is_in_the_navigation() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.glob("**/*.md")}
    assert pages <= set(nav_pages())


@pytest.mark.timeout(300)
def test_every_page_of_the_navigation_is_built(site: Path) -> None:
    for name in nav_pages():
        page = site / name.removesuffix(".md").removesuffix("index") / "index.html"
        assert page.is_file(), name


@pytest.mark.timeout(300)
def test_every_public_name_is_on_an_api_page(site: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (site / "api").glob("*/index.html"))
    documented = set(re.findall(r'id="?lawfit\.(\w+)[\s">]', text))
    public = {name for name in vars(lf) if not name.startswith("_")}
    modules = {name for name in public if not hasattr(getattr(lf, name), "__module__")}
    # Modules that only other modules are named after stand under the names that they define.
    assert public - modules <= documented
    assert {"laws", "synthetic", "uncertainty", "estimator"} <= documented


@pytest.mark.timeout(300)
def test_parameters_that_are_described_together_have_their_own_defaults(site: Path) -> None:
    page = (site / "api" / "estimator" / "index.html").read_text(encoding="utf-8")
    rows = {
        name: row
        for row in re.findall(r"<tr\b.*?</tr>", page, re.DOTALL)
        for name in re.findall(r"^.*?<code>(\w+)", row, re.DOTALL)
    }
    assert "<code>1000</code>" in rows["max_iterations"]
    assert "<code>0</code>" in rows["seed"]
    assert "<code>&#39;auto&#39;</code>" in rows["solver"]


@pytest.mark.timeout(300)
def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    pages = list(site.glob("**/*.html"))
    assert len(pages) > 30
    for path in pages:
        for groups in LOADED.findall(path.read_text(encoding="utf-8")):
            target = "".join(groups)
            assert "//" not in target or target.startswith("data:"), f"{path.relative_to(site)} loads {target}"
    styles = "".join(path.read_text(encoding="utf-8") for path in site.glob("assets/**/*.css"))
    assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", styles)


@pytest.mark.parametrize(
    ("link", "source", "here", "expected"),
    [
        ("[a](docs/tables.md#x)", "README.md", "index.md", "[a](tables.md#x)"),
        ("[a](ARCHITECTURE.md#words)", "CONTRIBUTING.md", "project/contributing.md", "[a](architecture.md#words)"),
        ("[a](docs/t2.md)", "CHANGELOG.md", "project/changelog.md", "[a](../t2.md)"),
        ("[a](../benches/README.md)", "docs/trust.md", "trust.md", "[a](project/benches.md)"),
        ("[a](../examples/chinchilla.py)", "docs/trust.md", "trust.md", "a"),
        ("[a](statuses.md)", "docs/trust.md", "trust.md", "[a](statuses.md)"),
        ("[a](../docs/trust.md)", "benches/README.md", "project/benches.md", "[a](../trust.md)"),
        ("[a](examples/dependent_package/README.md)", "README.md", "index.md", "a"),
        ("[a](../api/fitting.md)", "docs/laws/x.md", "laws/x.md", "[a](../api/fitting.md)"),
        ("[a](images/x.png)", "docs/trust.md", "trust.md", "[a](images/x.png)"),
        ("[a](site_pages.py)", "docs/trust.md", "trust.md", "a"),
        ("[a](#x)", "docs/trust.md", "trust.md", "[a](#x)"),
        ("[a](https://b.c/d.md)", "docs/trust.md", "trust.md", "[a](https://b.c/d.md)"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(
    hooks: Any, link: str, source: str, here: str, expected: str
) -> None:
    match = hooks.LINK.fullmatch(link)
    assert hooks.site_link(match, source, here) == expected


def test_links_inside_code_are_left_alone(hooks: Any) -> None:
    page = type("Page", (), {"file": type("File", (), {"src_uri": "index.md"})})
    text = "[a](docs/t2.md)\n\n```python\nx[0](docs/t2.md)\n```\n\n[b](LICENSE)\n"
    expected = "[a](t2.md)\n\n```python\nx[0](docs/t2.md)\n```\n\nb\n"
    assert hooks.on_page_markdown(text, page, None, None) == expected
