"""For the API pages: parameters that a docstring describes together keep their own types and defaults.

"a, b, c / As in `fit`." gives all three the type and default of the first where griffe reads it.
"""

from __future__ import annotations

from typing import Any

import griffe


class OwnDefaults(griffe.Extension):
    """Take types and defaults of parameters that share a description from the signature."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through a package when it is loaded."""
        for each in self.described(pkg):
            self.correct(each)

    def described(self, parent: griffe.Object) -> list[griffe.Class | griffe.Function]:
        """Functions and classes with a docstring inside an object."""
        found: list[griffe.Class | griffe.Function] = []
        for member in parent.members.values():
            if isinstance(member, griffe.Class | griffe.Function) and member.docstring is not None:
                found.append(member)
            if isinstance(member, griffe.Class | griffe.Module):
                found += self.described(member)
        return found

    def correct(self, each: griffe.Class | griffe.Function) -> None:
        """Correct the parsed docstring of one object."""
        assert each.docstring is not None
        declared = {parameter.name: parameter for parameter in each.parameters}
        for section in each.docstring.parsed:
            if not isinstance(section, griffe.DocstringSectionParameters):
                continue
            together = [part.description for part in section.value]
            for part in section.value:
                if part.name in declared and together.count(part.description) > 1:
                    part.annotation = declared[part.name].annotation
                    part.value = None if declared[part.name].default is None else str(declared[part.name].default)
