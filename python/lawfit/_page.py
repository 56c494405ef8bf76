"""A static page: one file, its own style, nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence

from lawfit import _html
from lawfit._checklist import Section

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 58rem; color: #1d2129; background: #fff;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid #d5d9e0; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p, ul { margin: .5rem 0; }
ul { padding-left: 1.2rem; }
li { margin: .3rem 0; }
code, pre { font: .9em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
pre { background: #f4f6f9; padding: .7rem .8rem; border-radius: 4px; overflow-x: auto; white-space: pre-wrap; }
.law { font-size: 1.1rem; background: #f4f6f9; padding: .6rem .8rem; border-radius: 4px; display: block; }
.state { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; font-weight: 600; }
.good { background: #e2f2e6; color: #14532b; }
.small ul { margin-top: 0; }
.bad { background: #fbe4e2; color: #7d1a12; }
.fair { background: #fdf1d6; color: #6b4700; }
.wide { overflow-x: auto; margin: .8rem 0; }
.wide table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.wide th, .wide td { padding: .3rem 1.2rem .3rem 0; border-bottom: 1px solid #e4e7ec; vertical-align: bottom; }
.wide td { white-space: nowrap; }
.wide th { font-weight: 600; color: #4b5363; }
dl { display: grid; grid-template-columns: 13rem 1fr; gap: .25rem 1rem; margin: .4rem 0; }
dt { color: #4b5363; }
dd { margin: 0; }
dd.unknown { color: #8a4b00; font-style: italic; }
figure { margin: 1rem 0; }
figure svg { width: 100%; height: auto; }
figcaption, .small { color: #4b5363; font-size: .9em; }
.figures { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
@media (max-width: 40rem) {
  .wide { font-size: .75rem; }
  .wide th, .wide td { padding-right: .4rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin: 0 0 .6rem; }
  .figures { grid-template-columns: 1fr; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  pre, .law, .state { border: 1px solid #c9ced8; }
  .wide, pre { overflow: visible; }
  h2, h3 { break-after: avoid; }
  figure, tr, li { break-inside: avoid; }
  .figures { display: block; }
  figure { display: inline-block; width: 49%; margin: .5rem 0; vertical-align: top; }
}
"""


def page(title: str, parts: Sequence[str]) -> str:
    """Return a whole page."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{_html.text('title', title)}{_html.element('style', STYLE)}"
    )
    body = _html.text("h1", title) + "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def section(title: str, *parts: str) -> str:
    """Return a part of the page with a heading."""
    return _html.element("section", _html.text("h2", title) + "".join(parts))


def wide(table: str) -> str:
    """Let a table be scrolled where the page is narrow."""
    return _html.element("div", table, 'class="wide"')


def sentences(words: Sequence[str]) -> str:
    """Return sentences as a list."""
    return _html.items(words)


def paragraph(words: str, kind: str = "") -> str:
    """Return a paragraph."""
    return _html.text("p", words, f'class="{kind}"' if kind else "")


def notes(words: Sequence[str]) -> str:
    """Return sentences in small letters, such as belong to a table."""
    return _html.element("div", _html.items(words), 'class="small"') if words else ""


def code(text: str) -> str:
    """Return lines of a program."""
    return _html.element("pre", _html.text("code", text))


def checklist(sections: Sequence[Section]) -> str:
    """Return the checklist: what is not known stands out."""
    found = []
    for each in sections:
        lines = "".join(
            _html.text("dt", item.name) + _html.text("dd", item.words, "" if item.is_known else 'class="unknown"')
            for item in each.items
        )
        found.append(_html.text("h3", each.title) + _html.element("dl", lines))
    return "".join(found)
