"""Every block of code in the README and the pages of docs/ runs, and shows what it really shows.

A page is run from top to bottom in an empty folder: its ``python`` blocks share their names, its ``console`` blocks
run the commands after ``$``. Where a block shows output, that is what must come; ``...`` stands for anything.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_architecture import NEIGHBOURS, RANKS

from lawfit import _engine

TOP = Path(__file__).resolve().parents[2]
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("**/*.md"))]
LINKED = [*PAGES, TOP / "ARCHITECTURE.md", TOP / "CHANGELOG.md", TOP / "benches" / "README.md"]
RUN = ("python", "console")
SHOWN = ("", "text", "sh", "toml", "csv", "rust")  # languages of blocks that are read, not run
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page on which the text begins."""

    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """Fenced blocks of a page of Markdown."""
    language: str | None = None
    body: list[str] = []
    for number, line in enumerate(page.splitlines(), start=1):
        if not line.startswith("```"):
            body.append(line)
        elif language is None:
            language, body, first = line[3:].strip(), [], number + 1
        else:
            yield Block(language, "\n".join(body) + "\n", first)
            language = None
    assert language is None, "a block of the page is not closed"


def run_python(block: Block, names: dict[str, object], page: str) -> None:
    """Run a block, by its prompts if it has them."""
    if ">>> " not in block.text:
        exec(compile("\n" * (block.line - 1) + block.text, page, "exec"), names)
        return
    examples = doctest.DocTestParser().get_doctest(block.text, names, page, page, block.line - 1)
    run_examples(examples, clear=False)
    names.update(examples.globs)  # examples work on a copy


def run_examples(examples: doctest.DocTest, *, clear: bool) -> None:
    """Run examples with prompts and fail with what they gave."""
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=said.append, clear_globs=clear)
    assert result.failed == 0, "".join(said)


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output shown below it."""
    for piece in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = piece.splitlines()
        n_continued = 0
        while lines[n_continued].endswith("\\"):
            n_continued += 1
        yield "\n".join(lines[: n_continued + 1]), "\n".join(lines[n_continued + 1 :]).strip()


def run_console(block: Block, page: str) -> None:
    """Run the commands of a block; a failing one must show its output."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONWARNINGS": "error", "NO_COLOR": "1", "COLUMNS": "120"}
    for command, shown in commands(block):
        where = f"{page}:{block.line}: $ {command}"
        ran = subprocess.run(
            ["bash", "-c", command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        said = (ran.stdout + ran.stderr).strip()
        assert ran.returncode == 0 or shown, f"{where}\nexit {ran.returncode}\n{said}"
        if shown:
            assert doctest.OutputChecker().check_output(shown, said, FLAGS), f"{where}\nshown:\n{shown}\ngot:\n{said}"


def name_of(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_block_of_the_page_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__page__"}
    page = name_of(path)
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.language == "python":
            run_python(block, names, page)
        elif block.language == "console":
            run_console(block, page)


@pytest.mark.parametrize("path", LINKED, ids=name_of)
def test_every_block_of_the_page_says_what_it_is(path: Path) -> None:
    languages = {block.language for block in blocks(path.read_text(encoding="utf-8"))}
    assert languages <= {*RUN, *SHOWN}


def anchor(heading: str) -> str:
    """Return the link target that Markdown makes of a heading."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"`", "", heading).lower())
    return kept.strip().replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("path", LINKED, ids=name_of)
def test_every_link_within_the_project_leads_somewhere(path: Path) -> None:
    text = "".join(re.split(r"^```.*?^```$", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, fragment = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), f"{name_of(path)} links to {target}"
        if fragment:
            assert fragment in anchors(linked), f"{name_of(path)} links to {target}"


def test_every_status_is_explained() -> None:
    page = (TOP / "docs" / "statuses.md").read_text(encoding="utf-8")
    for status in _engine.registries().statuses:
        row = re.search(rf"^\| `{status.name}` \| (yes|no) \|", page, re.MULTILINE)
        assert row is not None, f"docs/statuses.md has no row for {status.name}"
        assert (row[1] == "yes") == status.success


def test_every_function_of_the_language_is_listed() -> None:
    page = (TOP / "docs" / "law-language.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    assert set(_engine.registries().functions) <= listed


def test_the_table_of_python_layers_is_the_one_that_is_tested() -> None:
    text = (TOP / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n### Python layers\n")[2]
    rows = re.findall(r"^\|\s(\d+)\s\|([^|\n]*)\|([^|\n]*)\|", text, re.MULTILINE)
    ranks = {module: int(rank) for rank, modules, _ in rows for module in re.findall(r"`(\w+)`", modules)}
    pairs = {pair for *_, neighbours in rows for pair in re.findall(r"`(\w+)` → `(\w+)`", neighbours)}
    assert ranks == RANKS
    assert pairs == {(user, used) for user, many in NEIGHBOURS.items() for used in many}


def test_a_console_block_is_cut_into_commands_and_outputs() -> None:
    block = Block("console", "$ one \\\n    two\nsaid\nmore\n$ three\n", 1)
    assert list(commands(block)) == [("one \\\n    two", "said\nmore"), ("three", "")]


def test_a_wrong_output_or_a_failing_command_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_console(Block("console", "$ echo 1 2\n1 ...\n$ true\n$ ls nothing\nls: ...\n", 1), "page")
    for text in ("$ echo 1\n2\n", "$ false\n"):
        with pytest.raises(AssertionError):
            run_console(Block("console", text, 1), "page")
    for text in (">>> 1 + 1\n3\n", "assert False\n"):
        with pytest.raises(AssertionError):
            run_python(Block("python", text, 1), {}, "page")


def test_the_interpreter_of_the_tests_has_the_command() -> None:
    assert (Path(sysconfig.get_path("scripts")) / "lawfit").exists(), f"{sys.executable} lacks the lawfit command"
