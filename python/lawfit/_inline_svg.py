"""A figure as SVG in the middle of a page: nothing from elsewhere, and no word of where formats are described."""

from __future__ import annotations

import importlib
import io
import re
from typing import Any

from lawfit import _html


def inline(figure: Any, prefix: str, caption: str) -> str:
    """Return a figure of matplotlib with its caption; ``prefix`` makes the names within its own in the page."""
    file = io.StringIO()
    # The same page from the same fit: names within the drawing come from its content, not from chance.
    with importlib.import_module("matplotlib").rc_context({"svg.hashsalt": "lawfit"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}", svg)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{_html.escape(caption)}"', 1)
    return _html.element("figure", svg + _html.text("figcaption", caption))
