"""A verb of the command line: its words, its arguments, and the function that runs it."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

# Of a narrow terminal.
WIDTH = 78
DONE, SOME_FAILED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb.

    Attributes
    ----------
    name : str
        The word after ``lawfit``.
    purpose : str
        What it does, in a line.
    usage : str
        Its arguments in a line; the many that have a default are ``[options]``.
    example : str
        A call as one would type it; a line that ends in a backslash goes on.
    add_arguments : callable
        Declares its arguments. Those that become an argument of a public function have its name as ``dest``, by which
        messages of that function are put into the words of the command line.
    run : callable
        Does it and returns the exit code.
    """

    name: str
    purpose: str
    usage: str
    example: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]

    def parser(self, verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
        """Add the parser of this verb to those of the command and return it."""
        lines = "\n".join(f"  {line}" for line in self.example.splitlines())
        parser = verbs.add_parser(
            self.name,
            help=self.purpose,
            description=textwrap.fill(f"{self.purpose[0].upper()}{self.purpose[1:]}.", WIDTH),
            usage=f"lawfit {self.name} {self.usage}",
            epilog=f"example:\n{lines}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_arguments(parser)
        parser.set_defaults(run=self.run, parser=parser)
        return parser
