"""``lawfit validate``: a law fitted to a part of the runs and held against the others, `lawfit.Fit.validate`."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from lawfit import _cli_arguments as arguments
from lawfit._cli_fitting import add_fit_options, fit_one
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._export import FORMAT_VERSION, plain, plain_by_name
from lawfit._scores import Scores
from lawfit.validation import Validation, held_out_columns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_law(parser)
    arguments.add_response(parser)
    arguments.add_runs(parser)
    add = parser.add_argument_group("held-out runs").add_argument
    add("--kind", default="ordered", metavar="ordered|rolling|folds", help="how runs are held out (ordered)")
    add("--by", metavar="FORMULA", help="what runs are ordered by, such as 6*N*D; the largest are held out")
    add("--holdout", type=arguments.real, metavar="SHARE", help="share of the runs that is held out")
    add("--splits", dest="n_splits", type=arguments.whole, metavar="COUNT", help="number of rolling splits or folds")
    add("--level", type=arguments.real, default=0.95, metavar="SHARE", help="coverage of the intervals (0.95)")
    add_fit_options(parser)
    arguments.add_quiet(add_output(parser))


def run(chosen: argparse.Namespace) -> int:
    """Fit, refit without the held-out runs, and write what came of it."""
    form = choose_format(chosen)
    fit = fit_one(chosen)
    found = fit.validate(
        by=chosen.by,
        kind=chosen.kind,
        holdout=chosen.holdout,
        n_splits=chosen.n_splits,
        level=chosen.level,
        seed=chosen.seed,
        n_threads=chosen.n_threads,
        progress=arguments.progress(chosen.quiet),
    )
    output = Output(
        table=lambda: repr(found), json=lambda: json_text(_document(found)), columns=lambda: held_out_columns(found)
    )
    write(output.content(form), chosen.output)
    return DONE if all(split.scores is not None for split in found.splits) else SOME_FAILED


def _document(found: Validation) -> dict[str, object]:
    """Return the scores and every held-out row as values that JSON can hold."""
    return {
        "format": "lawfit.validation",
        "version": FORMAT_VERSION,
        "law": found.fit.law.text,
        "response": found.fit.rows.response,
        "kind": found.kind,
        "by": found.by,
        "level": found.level,
        "message": found.message,
        "scores": _plain_scores(found.scores),
        "splits": [
            {
                "n_train": split.n_train,
                "above": plain(split.above),
                "status": split.fit.status,
                "params": plain_by_name(split.fit.params),
                "scores": None if split.scores is None else _plain_scores(split.scores),
            }
            for split in found.splits
        ],
        "rows": {name: [plain(value) for value in values] for name, values in held_out_columns(found).items()},
    }


def _plain_scores(scores: Scores) -> dict[str, float | None]:
    return plain_by_name(asdict(scores))


VERB = Verb(
    name="validate",
    purpose="fit a law to a part of the runs, and compare what it says of the others with what they gave",
    usage="DATA [DATA ...] --law LAW --response COLUMN [options]",
    example="""lawfit validate runs.csv --law chinchilla --response loss \\
    --by "6*N*D" --holdout 0.3""",
    add_arguments=add_arguments,
    run=run,
)
