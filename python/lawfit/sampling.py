"""`pass_at_k`: from sampled answers, or likelihoods, to the table that laws of test-time compute are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._cells import Bools, Cells, column_names, families, in_all_cells, name_key, read_cells
from lawfit._columns import Column, take
from lawfit._engine import F64
from lawfit._estimators import (
    as_counts,
    as_tries,
    check_counts,
    log_fail_of_counts,
    log_fail_of_nll,
    log_fail_of_probability,
    neglog_pass,
    neglog_pass_of_nll,
    pass_of,
)
from lawfit._sampled_rows import COUNTED, MADE, Answers, sampled_rows
from lawfit._sampling_notes import empty_cells_note, few_samples_note, notes_of, set_notes, zero_cells_note
from lawfit._table import Table, table_of
from lawfit._wording import describe, suggest
from lawfit.errors import DataError
from lawfit.tables import read_table

ZERO_CELLS = ("drop", "keep", "error")
FEW_SAMPLES = ("error", "drop_problem", "drop_cell")
PROBLEMS = ("all", "common")
BIASES = ("delta", "jackknife")


def pass_at_k(
    data: object,
    *,
    k: ArrayLike,
    by: str | Sequence[str],
    problem: str | Sequence[str],
    n_samples: str = "n_samples",
    n_correct: str = "n_correct",
    probability: str | None = None,
    nll: str | None = None,
    cluster: str | Sequence[str] | None = None,
    zero_cells: str = "drop",
    few_samples: str = "error",
    problems: str = "all",
    bias: str | None = None,
) -> Table:
    """Return the table of pass@k over checkpoints and k, from one row per checkpoint and problem.

    Parameters
    ----------
    data : table
        Anything that `lawfit.read_table` takes, one row for each problem of each cell: with counts of samples and of
        right answers, or a probability, or a negative log-likelihood.
    k : array-like
        Numbers of tries, real numbers of at least 1; the table has a row for each cell and k.
    by : str or sequence of str
        Columns that make a cell: what tells checkpoints apart (sizes, tokens), and the benchmark where there are
        several. They are columns of the result.
    problem : str or sequence of str
        Columns that name a problem. Equal labels are one problem wherever they stand: where labels of two benchmarks
        coincide by chance, ``["benchmark", "problem"]`` keeps them apart when problems are resampled.
    n_samples, n_correct : str
        Columns, or formulas over columns, of the counts.
    probability : str, optional
        Column of the probability that one try is right, from 0 to 1, instead of counts.
    nll : str, optional
        Column of -log of that probability, at least 0, instead: the log-likelihood of the whole right answer, summed
        over its tokens. Probabilities below the range of floats are no trouble.
    cluster : str or sequence of str, optional
        Those of ``by`` that make one observation; all of them by default. Rows of one checkpoint at several k share
        their samples.
    zero_cells : {"drop", "keep", "error"}
        What to do with a cell and k at which no problem was ever solved, where -log pass@k is infinite. Dropping is
        counted in ``notes``; it selects on the outcome, so for ``response="pass_at_k"`` keep them.
    few_samples : {"error", "drop_problem", "drop_cell"}
        What to do where k is above the samples of a problem, and no unbiased estimate exists: leave out the problem at
        this k, or the cell at this k; both are counted in ``notes``.
    problems : {"all", "common"}
        Whether a cell's mean is over all of its problems, or over those that all cells over about the same problems
        have (at the same k).
    bias : {None, "delta", "jackknife"}
        How to correct ``neglog_mean_pass`` for the bias of -log of a mean over few problems; None leaves it.

    Returns
    -------
    Table
        One row a cell and k: the columns ``by``, ``k`` and

        - ``n_problems``: problems in the mean.
        - ``pass_at_k``: mean over problems of pass@k.
        - ``neglog_mean_pass``: -log of that mean, corrected if ``bias`` says so.
        - ``mean_neglog_pass``: mean over problems of -log pass@k; infinite where a problem had no success.
        - ``pass_at_k_stderr``, ``neglog_stderr``: standard errors of ``pass_at_k`` and of ``neglog_mean_pass`` for
          problems drawn at random (the second by the delta method); NaN in cells of one problem or without success.
        - ``neglog_bias``: bias of -log of the mean, half the squared relative standard error, or the jackknife's.
        - ``largest_share``: share of the mean that comes from one problem.
        - ``n_zero_problems``: problems with pass@k of 0.
        - ``n_samples``: least number of samples of a problem, where there are counts.

        ``table.notes`` says what was left out, and what to know; printed below the table. ``table.sampled`` holds what
        is behind the rows, for resampling problems; rows chosen with ``where`` and the like keep theirs.

    Raises
    ------
    DataError
        A column is missing or holds something else, a problem stands twice in a cell, or no row is left.

    Notes
    -----
    When to use: before fitting a law in k, such as `lawfit.laws.t2_loss`. The two -logs differ: by Jensen's inequality
    ``mean_neglog_pass``, the target of Roberts et al., is never below ``neglog_mean_pass``, and counts tell it only
    where each problem has successes; it wants probabilities. ``neglog_mean_pass`` needs one success in a cell.

    References
    ----------
    Chen et al. 2021, Evaluating large language models trained on code, arXiv:2107.03374. Roberts et al. 2026, Test-time
    scaling makes overtraining compute-optimal, arXiv:2604.01411.

    Examples
    --------
    >>> import lawfit as lf
    >>> counts = {"N": [1e9, 1e9, 4e9, 4e9], "problem": ["a", "b", "a", "b"], "n_correct": [0, 1, 1, 5]}
    >>> table = lf.pass_at_k(counts | {"n_samples": [10] * 4}, k=[1, 2], by="N", problem="problem")
    >>> table.to_dict()["pass_at_k"].round(4).tolist()
    [0.05, 0.1, 0.3, 0.4889]
    """
    table = read_table(data)
    tries = _curve(k)
    for argument, given, allowed in (
        ("zero_cells", zero_cells, ZERO_CELLS),
        ("few_samples", few_samples, FEW_SAMPLES),
        ("problems", problems, PROBLEMS),
    ):
        _check_word(argument, given, allowed)
    if bias is not None:
        _check_word("bias", bias, BIASES)
    values = _value_columns(n_samples, n_correct, probability, nll)
    cells = read_cells(table, by, problem, tuple(values.values()))
    taken = [name for name in cells.by if name in {*MADE, *COUNTED}]
    if taken:
        raise DataError(f"by: column {taken[0]!r} is called like one that is made; rename it")
    cluster_of_cell = _clusters(cells, cluster)
    answers = _answers(table, cells, tries, values)
    notes: list[str] = []
    usable = _usable(cells, answers, tries, few_samples, notes)
    family = families(cells)
    notes += set_notes(cells, family, problems)
    if problems == "common":
        usable = in_all_cells(cells, family, usable)
    if not usable.any():
        raise DataError(f"few_samples={few_samples!r} and problems={problems!r} leave no problem in any cell")
    notes += empty_cells_note(cells, usable)
    rows = sampled_rows(cells, answers, usable, tries, cluster_of_cell, bias)
    is_zero = np.isinf(rows.columns["neglog_mean_pass"])
    heads = cells.order[cells.offsets[:-1]][rows.cells]
    columns: dict[str, Column] = {name: take(table.column(name), heads) for name in cells.by}
    columns |= {name: Column(name, found, "number", ()) for name, found in rows.columns.items()}
    result = table_of(columns, table.library, rows.sampled)
    notes += zero_cells_note(cells, rows.cells[is_zero], rows.columns["k"][is_zero], is_zero.size, zero_cells)
    if is_zero.any() and zero_cells == "drop":
        if is_zero.all():
            raise DataError("no problem of any cell was ever solved: -log pass@k is infinite everywhere")
        result = result.where(~is_zero)
    return replace(result, notes=(*notes, *notes_of(result, bias)))


def _check_word(argument: str, given: object, allowed: Sequence[str]) -> None:
    if not isinstance(given, str) or given not in allowed:
        raise DataError(f"{argument}={given!r}: {suggest(given, allowed)}")


def _curve(k: ArrayLike) -> F64:
    """Different numbers of tries, (n_k,)."""
    tries = np.atleast_1d(as_tries(k))
    if tries.ndim != 1 or np.unique(tries).size < tries.size:
        raise DataError("k: give different numbers of tries, in one dimension")
    return tries


def _value_columns(n_samples: str, n_correct: str, probability: str | None, nll: str | None) -> dict[str, str]:
    """Which columns hold what is known of a problem, by argument."""
    if probability is not None and nll is not None:
        raise DataError("give probability= or nll=, not both")
    if probability is not None:
        given = {"probability": probability}
    elif nll is not None:
        given = {"nll": nll}
    else:
        given = {"n_samples": n_samples, "n_correct": n_correct}
    for argument, name in given.items():
        if not isinstance(name, str):
            raise DataError(f"{argument}: give the name of a column, or a formula over columns, not {describe(name)}")
    return given


def _clusters(cells: Cells, cluster: str | Sequence[str] | None) -> tuple[str, ...]:
    """Label of the observation that each cell belongs to."""
    names = cells.by if cluster is None else column_names(cluster, "cluster", "of by= that make one observation")
    for name in names:
        if name not in cells.by:
            raise DataError(f"cluster: {name!r} is not in by={list(cells.by)}; add it there")
    places = [cells.by.index(name) for name in names]
    return tuple(name_key(names, [key[place] for place in places]) for key in cells.keys)


def _answers(table: Table, cells: Cells, tries: F64, values: dict[str, str]) -> Answers:
    """pass@k of every row at every k."""
    given = {argument: table.evaluate(text, want="number", argument=argument) for argument, text in values.items()}
    if "n_samples" in given:
        samples, correct = (as_counts(given[name], name) for name in ("n_samples", "n_correct"))
        check_counts(correct, samples)
        pairs, place = np.unique(np.stack([samples, correct]), axis=1, return_inverse=True)
        n, c, k = np.broadcast_arrays(pairs[0][:, None], pairs[1][:, None], tries)
        # What is beyond the samples is not used, and must only be defined.
        fail = log_fail_of_counts(c.ravel(), n.ravel(), np.minimum(k, n).ravel()).reshape(n.shape)
        fail = fail[place.reshape(-1)[cells.order]]
        return Answers(pass_of(fail), neglog_pass(fail), samples[cells.order])
    (argument,) = given
    found = given[argument]
    _arrays.check_finite(found, argument, "leave such rows out with .where()")
    upper = 1.0 if argument == "probability" else np.inf
    wrong = np.flatnonzero((found < 0.0) | (found > upper))
    if wrong.size:
        row = int(wrong[0])
        range_ = "from 0 to 1" if argument == "probability" else "of at least 0 (the log-likelihood with a minus)"
        raise DataError(
            f"{argument} is {found[row]:g} in row {row} (counted from 0), one of {wrong.size}; give values {range_}"
        )
    found = found[cells.order][:, None]
    if argument == "probability":
        fail = log_fail_of_probability(found, tries)
        return Answers(pass_of(fail), neglog_pass(fail), None)
    fail = log_fail_of_nll(found, tries)
    return Answers(pass_of(fail), neglog_pass_of_nll(found, tries), None)


def _usable(cells: Cells, answers: Answers, tries: F64, policy: str, notes: list[str]) -> Bools:
    """Which rows have an estimate at which k, (n_rows, n_k), after what is done about too few samples."""
    usable = np.ones(answers.neglog.shape, dtype=np.bool_)
    if answers.samples is None:
        return usable
    usable = answers.samples[:, None] >= tries
    if usable.all():
        return usable
    if policy == "error":
        place, j = (int(each[0]) for each in np.nonzero(~usable))
        problem = cells.problems[int(cells.codes[place])]
        raise DataError(
            f"k={tries[j]:g} is above n_samples={answers.samples[place]:g} of problem {problem!r} in row "
            f"{cells.order[place]} (counted from 0), and of {np.count_nonzero(~usable)} rows and k in all: no unbiased "
            'estimate exists there; leave out such k, or say few_samples="drop_problem" or "drop_cell"'
        )
    few = ~usable
    if policy == "drop_cell":
        lacking = np.zeros((len(cells.keys), tries.size), dtype=np.bool_)
        np.logical_or.at(lacking, cells.cell_of, few)
        usable = ~lacking[cells.cell_of]
    notes.append(few_samples_note(cells, few, usable, tries, policy))
    return usable
