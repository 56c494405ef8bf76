"""The ``lawfit`` command: one verb per public function, data on standard output, words on standard error."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lawfit import _cli_output, _demo, laws
from lawfit._csv import parse_csv
from lawfit._engine import Progress, registries
from lawfit._law import Law
from lawfit._options import DEFAULT_STARTS
from lawfit._progress import draw_line
from lawfit._protocols import protocols
from lawfit._published import published
from lawfit._report import names_line
from lawfit._text import table
from lawfit._wording import listed, suggest
from lawfit.errors import DataError, InternalError, LawError, LawfitError
from lawfit.fitting import fit_many

DONE, SOME_FAILED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 some fits failed, 2 the call was wrong."""
    # A column name that the terminal cannot write must not end the call.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = build_parser()
    try:
        chosen = parser.parse_args(arguments)
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
        print(f"lawfit: {error}", file=sys.stderr)
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


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    from lawfit import __version__

    parser = argparse.ArgumentParser(prog="lawfit", description="Fit scaling laws: exact, honest, immediate.")
    parser.add_argument("--version", action="version", version=f"lawfit {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="{fit,demo,laws}")

    fit_verb = verbs.add_parser("fit", help="fit a law to a table of runs", description="Fit a law to a table of runs.")
    fit_verb.add_argument(
        "data", help="a .csv, .parquet or .jsonl file or a quoted pattern, or - for CSV on standard input"
    )
    fit_verb.add_argument("--law", required=True, metavar="NAME|FORMULA", help="a law of the catalogue, or a formula")
    fit_verb.add_argument("--response", required=True, metavar="COLUMN", help="the column to fit")
    _add_fit_options(fit_verb)
    fit_verb.set_defaults(run=run_fit)

    demo_verb = verbs.add_parser(
        "demo",
        help="the main job on synthetic runs, or on yours",
        description="Fit the T2 loss law to synthetic runs from many starts and bootstrap it; or do so on --data.",
    )
    demo_verb.add_argument("--data", metavar="FILE", help="your runs, instead of synthetic ones")
    demo_verb.add_argument("--law", metavar="NAME|FORMULA", help="with --data: a law of the catalogue, or a formula")
    demo_verb.add_argument("--response", metavar="COLUMN", help="with --data: the column to fit")
    demo_verb.add_argument("--where", metavar="CONDITION", help="with --data: rows to use")
    _add_column_option(demo_verb)
    demo_verb.add_argument("--starts", type=int, default=1000, metavar="COUNT", help="number of starts (1000)")
    demo_verb.add_argument("--bootstrap", type=int, default=1000, metavar="COUNT", help="number of replicates (1000)")
    demo_verb.add_argument("--seed", type=int, default=0, help="seed of noise, starts and resamples (0)")
    demo_verb.add_argument("--threads", type=int, metavar="COUNT", help="number of threads")
    demo_verb.add_argument("--quiet", action="store_true", help="no words on standard error")
    demo_verb.set_defaults(run=run_demo)

    laws_verb = verbs.add_parser("laws", help="list or search the laws of the catalogue, or show one")
    laws_verb.add_argument("name", nargs="?", metavar="NAME|WORDS", help="show this law, or those that speak of this")
    laws_verb.set_defaults(run=run_laws)
    return parser


def _add_fit_options(verb: argparse.ArgumentParser) -> None:
    known = registries()
    add = verb.add_argument
    add("--where", metavar="CONDITION", help='rows to use, such as "step > 0.9*max_step"')
    _add_column_option(verb)
    add("--by", action="append", default=[], metavar="COLUMNS", help="one fit per value of these columns (a,b)")
    add("--missing", default="error", help="what a missing value in a used row means: error, drop (error)")
    add("--weights", metavar="COLUMN", help="precisions of the rows: a column or a formula")
    add("--sigma", metavar="COLUMN", help="known noise of the rows, a standard deviation: a column or a formula")
    add("--cluster", metavar="COLUMN", help="rows with one value here, such as a run's, are not independent")
    add("--protocol", metavar="NAME", help=f"set loss, scale, residual and starts as in {listed(protocols)}")
    add("--loss", help=f"robust loss: {listed(known.losses)} (huber)")
    add("--f-scale", metavar=f"NUMBER|{'|'.join(known.scale_rules)}", help="scale of the robust loss (mad)")
    add("--residual", help=f"{listed(known.residuals)} (log)")
    add("--starts", metavar="RULE|COUNT", help=f"rule, or number of starts (auto: {DEFAULT_STARTS})")
    add("--seed", type=int, default=0, help="seed of starts and resamples (0)")
    add("--bootstrap", type=int, default=0, metavar="COUNT", help="replicates of a bootstrap (0)")
    add("--resample", help=f"scheme of the bootstrap: {listed(known.resamplers)} (bayesian)")
    add("--search", default="warm", help="whether replicates are searched from the fit alone: warm, global (warm)")
    add("--covariance", default="auto", help=f"kind of standard error: {listed(known.covariances)} (auto)")
    add("--fixed", action="append", default=[], metavar="NAME=VALUE", help="hold a parameter, such as E=1.7")
    add("--bound", action="append", default=[], metavar="NAME=LOW:HIGH", help="bound a parameter, such as alpha=0:3")
    add("--prior", action="append", default=[], metavar="NAME=MEAN:SD", help="what is known, such as alpha=0.35:0.03")
    add("--kernels", default="auto", help=f"{listed(known.kernels)} (auto)")
    add("--threads", type=int, metavar="COUNT", help="number of threads (all cores)")
    add("--format", choices=_cli_output.FORMATS, help="form of the output (table, or by the ending of -o)")
    add("-o", "--output", metavar="FILE", help="write there instead of to standard output")
    add("--quiet", action="store_true", help="no words on standard error")


def _add_column_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=FORMULA",
        help="a variable from columns, such as N=params",
    )


def run_fit(chosen: argparse.Namespace) -> int:
    """``lawfit fit``."""
    form = _cli_output.choose_format(chosen.format, chosen.output)
    by = [name.strip() for names in chosen.by for name in names.split(",") if name.strip()]
    fits = fit_many(
        read_law(chosen.law),
        read_data(chosen.data),
        by=by,
        response=chosen.response,
        columns=_pairs("--column", chosen.column),
        where=chosen.where,
        missing=chosen.missing,
        protocol=chosen.protocol,
        loss=chosen.loss,
        f_scale=_scale(chosen.f_scale),
        residual=chosen.residual,
        weights=chosen.weights,
        sigma=chosen.sigma,
        cluster=chosen.cluster,
        bounds={name: _bound(ends) for name, ends in _pairs("--bound", chosen.bound).items()},
        fixed={name: _number("--fixed", value) for name, value in _pairs("--fixed", chosen.fixed).items()},
        prior={name: _known(pair) for name, pair in _pairs("--prior", chosen.prior).items()},
        starts=int(chosen.starts) if _is_count(chosen.starts) else chosen.starts,
        seed=chosen.seed,
        covariance=chosen.covariance,
        bootstrap=chosen.bootstrap,
        resample=chosen.resample,
        search=chosen.search,
        kernels=chosen.kernels,
        n_threads=chosen.threads,
        progress=_progress(chosen.quiet),
    )
    _cli_output.write(fits if by else fits[0], form, chosen.output)
    if not chosen.quiet and (form != "table" or chosen.output):
        print(names_line(fits.rows.variables, fits.law.parameters), file=sys.stderr)
    if not chosen.quiet and fits.failed.any():
        print(f"lawfit: {fits.failed.sum()} of {len(fits)} fits failed", file=sys.stderr)
    return SOME_FAILED if fits.failed.any() else DONE


def run_demo(chosen: argparse.Namespace) -> int:
    """``lawfit demo``."""
    progress = _progress(chosen.quiet)
    if chosen.data is None:
        if chosen.law is not None or chosen.response is not None or chosen.where is not None or chosen.column:
            raise DataError(
                "--law, --response, --where and --column go with --data FILE; without it the runs are synthetic"
            )
        report, success = _demo.synthetic_job(chosen.starts, chosen.bootstrap, chosen.seed, chosen.threads, progress)
    else:
        if chosen.law is None or chosen.response is None:
            raise DataError("--data needs --law and --response, such as --law chinchilla --response loss")
        report, success = _demo.users_job(
            read_law(chosen.law),
            read_data(chosen.data),
            chosen.response,
            _pairs("--column", chosen.column),
            chosen.where,
            chosen.starts,
            chosen.bootstrap,
            chosen.seed,
            chosen.threads,
            progress,
        )
    print(report)
    return DONE if success else SOME_FAILED


def run_laws(chosen: argparse.Namespace) -> int:
    """``lawfit laws``."""
    if chosen.name in laws.CATALOGUE:
        law = laws.CATALOGUE[chosen.name]
        latex = f"  latex       {law.to_latex()}"
        print("\n\n".join([f"{law!r}\n{latex}", *map(repr, published.of(law).values())]))
        return DONE
    sought = (chosen.name or "").lower()
    rows = [
        [name, law.text, law.title or ""]
        for name, law in laws.CATALOGUE.items()
        if any(sought in (part or "").lower() for part in (name, law.title, law.text, law.reference))
    ]
    if not rows:
        raise LawError(f"no law of the catalogue speaks of {chosen.name!r}; {suggest(chosen.name, laws.CATALOGUE)}")
    print("\n".join(table(["name", "formula", "meaning"], rows, left=3)))
    return DONE


def read_law(text: str) -> Law:
    """Return a law of the catalogue by its name, or a formula; a lone unknown word is a misspelt name."""
    if text in laws.CATALOGUE:
        return laws.CATALOGUE[text]
    if text.isidentifier():
        raise LawError(f"--law {text}: no law of the catalogue is called so; {suggest(text, laws.CATALOGUE)}")
    return Law(text)


def read_data(path: str) -> object:
    """Return the path, or the CSV columns of standard input for ``-``."""
    if path != "-":
        return Path(path)
    if sys.stdin is None or sys.stdin.isatty():
        raise DataError("data=- reads CSV from standard input, but nothing is piped into it")
    return parse_csv(sys.stdin, "standard input")


def _progress(quiet: bool) -> Progress | None:
    return draw_line if sys.stderr.isatty() and not quiet else None


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE arguments by name; a name given twice is an error, not a silent choice."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise DataError(f"{option} {text}: write NAME=VALUE")
        if name in pairs:
            raise DataError(f"{option}: {name} is given twice, as {pairs[name]} and as {value}")
        pairs[name] = value
    return pairs


def _is_count(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit()


def _scale(text: str | None) -> float | str | None:
    return text if text is None or text in registries().scale_rules else _number("--f-scale", text)


def _number(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{option}: {text!r} is not a number") from None
    if value != value:
        raise DataError(f"{option}: {text!r} is not a number")
    return value


def _bound(ends: str) -> tuple[float | None, float | None]:
    lower, colon, upper = ends.partition(":")
    if not colon:
        raise DataError(f"--bound {ends}: write NAME=LOW:HIGH; leave an end empty where there is none")
    return _end(lower), _end(upper)


def _known(pair: str) -> tuple[float, float]:
    mean, colon, sd = pair.partition(":")
    if not colon:
        raise DataError(f"--prior {pair}: write NAME=MEAN:SD")
    return _number("--prior", mean), _number("--prior", sd)


def _end(text: str) -> float | None:
    return _number("--bound", text) if text.strip() else None
