"""What must hold of every piece of HTML: elements that close, nothing from elsewhere, no text that became markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "link", "input", "col", "use", "path", "rect", "circle", "line"}


class Checker(HTMLParser):
    """Keeps what is open, the names of all elements, and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[str] = []
        self.problems: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "action") and not str(value).startswith("#"):
                self.problems.append(f"{tag} {name}={value}")
            if name.startswith("on"):
                self.problems.append(f"{tag} has {name}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            # In SVG they may have an end of their own.
            return
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def checked(page: str) -> Checker:
    """Parse a page and assert what must hold of it."""
    found = Checker()
    found.feed(page)
    found.close()
    assert found.open == []
    assert found.problems == []
    assert "script" not in found.seen
    assert not re.search(r"url\(\s*['\"]?(?!#|data:)|@import", page)
    return found


def text_of(page: str) -> str:
    """Return the words of a page."""
    return re.sub(r"\s+", " ", " ".join(checked(page).words))
