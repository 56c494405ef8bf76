"""Elements of HTML: every text escaped, every element closed, nothing from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

# Without a class or a style sheet of its own, a table in a notebook looks as the notebook has it.
RIGHT = ' style="text-align:right"'
LEFT = ' style="text-align:left"'


def escape(text: object) -> str:
    """Return a text as HTML that shows it."""
    return html.escape(str(text))


def element(tag: str, inner: str, attributes: str = "") -> str:
    """Put HTML into an element."""
    return f"<{tag}{' ' + attributes if attributes else ''}>{inner}</{tag}>"


def text(tag: str, words: object, attributes: str = "") -> str:
    """Put a text into an element."""
    return element(tag, escape(words), attributes)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[str] = ()) -> str:
    """Return a table; the first column and those named in ``left`` stand to the left."""
    sides = [LEFT if i == 0 or name in left else RIGHT for i, name in enumerate(header)]
    heads = "".join(f"<th{side}>{escape(name)}</th>" for name, side in zip(header, sides, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{side}>{escape(cell)}</td>" for cell, side in zip(row, sides, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a table of names and what they are."""
    rows = "".join(f"<tr><th{LEFT}>{escape(name)}</th><td{LEFT}>{escape(words)}</td></tr>" for name, words in pairs)
    return f"<table><tbody>{rows}</tbody></table>"


def items(sentences: Iterable[str]) -> str:
    """Return a list of sentences."""
    return "<ul>" + "".join(text("li", sentence) for sentence in sentences) + "</ul>"
