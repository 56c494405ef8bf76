"""What the site is made of besides the pages of this folder; MkDocs calls the functions named ``on_...``.

The README is its front page, the project's own pages have their place, each topic of the public names gets a page from
the docstrings, and each law one from the catalogue. Links are written for readers of the repository; they are turned to
where the site has the page.
"""

from __future__ import annotations

import ast
import posixpath
import re
import runpy
from collections import defaultdict
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

TOP = Path(__file__).resolve().parents[1]
PACKAGE = TOP / "python" / "lawfit"
# Pages of the repository outside docs/, and where the site has them.
PROJECT = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "benches/README.md": "project/benches.md",
}
# Private modules whose public names belong to a topic that is called otherwise.
TOPICS = {
    "_allocation": "allocation",
    "_binomial": "counts",
    "_chain_fit": "chains",
    "_count_fit": "counts",
    "_derived": "uncertainty",
    "_draws": "uncertainty",
    "_estimators": "sampling",
    "_evidence": "results",
    "_fits": "results",
    "_frontier": "allocation",
    "_isoflop": "isoflops",
    "_law": "laws",
    "_mixture": "mixtures",
    "_predictions": "uncertainty",
    "_protocols": "laws",
    "_published": "laws",
    "_sampled": "sampling",
    "_table": "tables",
    "averages": "allocation",
    "beside": "allocation",
    "decisions": "allocation",
    "front_contrasts": "allocation",
    "regrets": "allocation",
    "resampling": "uncertainty",
    "t2_reporting": "t2",
}
# Topics whose classes are made by a call of the user.
CALLED = ("estimator", "laws")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def api_pages() -> dict[str, str]:
    """Pages of the public names by topic, in the order of the topics' names."""
    members: dict[str, list[str]] = defaultdict(list)
    for node in ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module == "lawfit":
            for alias in node.names:
                members[TOPICS.get(alias.name, alias.name)].insert(0, alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lawfit."):
            module = (node.module or "").removeprefix("lawfit.")
            members[TOPICS.get(module, module.strip("_"))] += [alias.name for alias in node.names]
    return {f"api/{topic}.md": _api_page(topic, members[topic]) for topic in sorted(members)}


def law_pages() -> dict[str, str]:
    """Pages of the laws of the catalogue; none where nothing writes them."""
    path = Path(__file__).with_name("law_pages.py")
    if not path.is_file():
        return {}
    pages: dict[str, str] = runpy.run_path(str(path))["pages"]()
    return {f"laws/{name.removeprefix('laws/').removesuffix('.md')}.md": text for name, text in pages.items()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that are made here into their sections; a section without a page is left out."""
    made = {"API": list(api_pages()), "Laws": list(law_pages())}
    entries: list[Any] = config.nav or []
    for entry in entries:
        for section, pages in made.items():
            if section in entry:
                entry[section] = pages
    config.nav = [entry for entry in entries if all(entry.values())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    project = {there: (TOP / here).read_text(encoding="utf-8") for here, there in PROJECT.items()}
    for path, text in {**project, **api_pages(), **law_pages()}.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository to links between pages of the site."""
    here = page.file.src_uri
    source = next((name for name, place in PROJECT.items() if place == here), f"docs/{here}")
    code = FENCE.findall(markdown)
    prose = (LINK.sub(lambda link: site_link(link, source, here), part) for part in FENCE.split(markdown))
    return "".join(part + block for part, block in zip(prose, [*code, ""], strict=True))


def site_link(link: re.Match[str], source: str, here: str) -> str:
    """Return a link for the site; one to a file that is no page of it becomes its text."""
    text, target = link.groups()
    file, hash_sign, fragment = target.partition("#")
    if "://" in target or not file:
        return link[0]
    linked = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
    there = PROJECT.get(linked, linked.removeprefix("docs/") if linked.startswith("docs/") else "")
    if not there or there.endswith(".py"):
        return text
    return f"[{text}]({posixpath.relpath(there, posixpath.dirname(here) or '.')}{hash_sign}{fragment})"


def _api_page(topic: str, names: list[str]) -> str:
    """Headings for the public names of a topic, which mkdocstrings fills."""
    path = PACKAGE / f"{topic}.py"
    parts = [f"# {topic.replace('_', ' ')}"]
    # A module that is public itself says what it is for below.
    if path.is_file() and topic not in names:
        parts.append((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0])
    called = "\n    options:\n      merge_init_into_class: true" if topic in CALLED else ""
    return "\n\n".join([*parts, *(f"::: lawfit.{name}{called}" for name in names)]) + "\n"
