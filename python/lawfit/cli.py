"""The ``lawfit`` command: one verb per public function, data on standard output, words on standard error."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence

from lawfit import (
    _cli_allocate,
    _cli_compare,
    _cli_costs,
    _cli_demo,
    _cli_fit,
    _cli_isoflop,
    _cli_laws,
    _cli_predict,
    _cli_report,
    _cli_t2,
    _cli_validate,
)
from lawfit._cli_verb import DONE, INTERRUPTED, WRONG_CALL
from lawfit._cli_wording import in_options, option_names
from lawfit._wording import nearest
from lawfit.errors import InternalError, LawfitError

VERBS = (
    _cli_fit.VERB,
    _cli_predict.VERB,
    _cli_allocate.VERB,
    _cli_validate.VERB,
    _cli_compare.VERB,
    _cli_isoflop.VERB,
    _cli_report.VERB,
    _cli_t2.VERB,
    _cli_laws.VERB,
    _cli_costs.VERB,
    _cli_demo.VERB,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 some fits failed, 2 the call was wrong."""
    _write_any_word()
    try:
        chosen, unknown = build_parser().parse_known_args(arguments)
        if unknown:
            chosen.parser.error(_unknown_word(unknown[0], option_names(chosen.parser)))
    except SystemExit as stop:  # argparse ends the process for --help and for wrong arguments
        return stop.code if isinstance(stop.code, int) else WRONG_CALL
    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
        return code
    except InternalError as error:
        print(f"lawfit: a bug of lawfit, worth reporting: {error}", file=sys.stderr)
        return WRONG_CALL
    except LawfitError as error:
        print(f"lawfit: {in_options(str(error), option_names(chosen.parser))}", file=sys.stderr)
        return WRONG_CALL
    except UnicodeEncodeError as error:  # bytes that are no text reach Python as lone surrogates
        print(f"lawfit: {error.object!r} is not UTF-8 text", file=sys.stderr)
        return WRONG_CALL
    except BrokenPipeError:
        # The reader (such as head) has had enough; Python would complain again when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"lawfit: {error}", file=sys.stderr)
        return WRONG_CALL
    except KeyboardInterrupt:
        print("lawfit: interrupted", file=sys.stderr)
        return INTERRUPTED


def _write_any_word() -> None:
    """Let no word that the terminal cannot write end the call."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _unknown_word(word: str, options: Mapping[str, str]) -> str:
    if not word.startswith("-"):
        return f"{word!r} is one word too many; put quotes around what holds spaces or *"
    near = nearest(word.partition("=")[0], options.values())
    return f"there is no option {word}{'' if near is None else f'; did you mean {near}?'}"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    from lawfit import __version__

    parser = argparse.ArgumentParser(
        prog="lawfit",
        description="Fit scaling laws: exact, honest, immediate.",
        epilog="`lawfit VERB --help` tells the options of a verb. Exit: 0 done, 1 some fits failed, 2 wrong call.",
    )
    parser.add_argument("--version", action="version", version=f"lawfit {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.parser(verbs)
    return parser
