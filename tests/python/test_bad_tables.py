"""Tables that are wrong in one of many ways: each gets an error that says what is wrong, none crashes."""

from __future__ import annotations

import argparse
import gzip
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit._cli_fit import VERB
from lawfit._cli_wording import in_options, option_names
from lawfit.cli import main

pandas = importlib.import_module("pandas")
polars = importlib.import_module("polars")
pyarrow = importlib.import_module("pyarrow")

N = [1e8, 3e8, 1e9, 3e9, 1e10]
LOSS = [3.4, 3.0, 2.7, 2.5, 2.4]


def good(**changes: Any) -> dict[str, Any]:
    """Five runs, with columns in place of good ones; None takes a column away."""
    return {name: values for name, values in {"N": N, "loss": LOSS, **changes}.items() if values is not None}


def with_cell(values: list[Any], row: int, cell: Any) -> list[Any]:
    return [*values[:row], cell, *values[row + 1 :]]


# What a table is, and what the message must say of it.
TABLES: dict[str, tuple[Callable[[], Any], str]] = {
    "nothing": (lambda: None, "data: cannot read a value of type NoneType; give a dict of arrays"),
    "a number": (lambda: 3.0, "cannot read a value of type float"),
    "bytes": (lambda: b"N,loss", "cannot read a value of type bytes"),
    "an empty text": (lambda: "", "an empty text is no path"),
    "an empty list": (lambda: [], "cannot read a value of type list"),
    "a list of rows without names": (lambda: [[1.0, 2.0]], "cannot read a value of type list"),
    "a plain matrix": (lambda: np.ones((5, 2)), "an array without named fields"),
    "a pandas series": (lambda: pandas.Series(LOSS), "cannot read a value of type Series"),
    "a polars series": (lambda: polars.Series(LOSS), "cannot read a value of type Series"),
    "a generator": (lambda: (row for row in N), "cannot read a value of type generator"),
    "an empty dict": (dict, "the table has no columns"),
    "no rows": (lambda: good(N=[], loss=[]), "the table has no rows"),
    "a frame without rows": (lambda: pandas.DataFrame({"N": [], "loss": []}), "the table has no rows"),
    "a polars frame without rows": (lambda: polars.DataFrame({"N": [], "loss": []}), "the table has no rows"),
    "a pyarrow table without rows": (lambda: pyarrow.table({"N": [], "loss": []}), "the table has no rows"),
    "a frame without columns": (pandas.DataFrame, "the table has no columns with text names"),
    "numbered columns": (lambda: pandas.DataFrame([[1, 2]]), "no columns with text names"),
    "columns of several levels": (lambda: pandas.DataFrame([[1]], columns=[["a"], ["b"]]), "no columns|cannot read"),
    "two columns of one name": (lambda: pandas.DataFrame([[1, 2]], columns=["N", "N"]), "two columns are called 'N'"),
    "columns of two lengths": (lambda: good(loss=LOSS[:4]), "'loss' has 4 rows where column 'N' has 5"),
    "a column that is one number": (lambda: good(N=1e9), "column 'N' is a value of type float; give one value per row"),
    "a column that is one text": (lambda: good(N="1e9"), "column 'N' is a value of type str"),
    "a column of pairs": (lambda: good(N=np.ones((5, 2))), "column 'N' has 2 dimensions"),
    "a column of lists of several lengths": (lambda: good(N=[[1], [1, 2], [3], [4], [5]]), "column 'N' cannot be read"),
    "a column of dates": (lambda: good(N=np.array(["2026-01-01"] * 5, dtype="M8[D]")), "'N' holds values of type dat"),
    "a column of complex numbers": (lambda: good(N=np.array(N) + 1j), "'N' holds values of type complex"),
    "a column of dicts": (lambda: good(N=[{}] * 5), "column 'N' mixes types: row 0"),
    "numbers and texts in one column": (
        lambda: good(N=np.array(with_cell(N, 2, "1B"), dtype=object)),
        r"column 'N' mixes types: row 2 \(counted from 0\) holds '1B'",
    ),
    "a text that is no number": (
        lambda: good(N=["100M", "300M", "big", "3B", "10B"]),
        r"'big' in row 2 \(counted from 0\), 1 such in all, where a number is needed",
    ),
    "no response": (lambda: good(loss=None, val_loss=LOSS), "there is no column 'loss'; did you mean 'val_loss'"),
    "no variable": (
        lambda: good(N=None, M=N),
        "no name of the law .* is a column, .* the columns are loss, M; map them with columns=",
    ),
    "a response that is missing once": (lambda: good(loss=with_cell(LOSS, 3, None)), 'row 3 .* only such .*missing="d'),
    "a response that is all missing": (lambda: good(loss=[None] * 5), "row 0 .*, one of 5 such rows"),
    "a variable that is missing": (lambda: good(N=with_cell(N, 1, float("nan"))), "'N' is missing or NaN in row 1"),
    "a pandas column with NA": (
        lambda: pandas.DataFrame(good(N=[1, None, 3, 4, 5])).convert_dtypes(),
        "'N' is missing or NaN in row 1",
    ),
    "an infinite response": (lambda: good(loss=with_cell(LOSS, 4, np.inf)), "'loss' is infinite in row 4"),
    "an infinite variable": (lambda: good(N=with_cell(N, 0, -np.inf)), "'N' is infinite in row 0"),
    "a response of zero": (lambda: good(loss=with_cell(LOSS, 2, 0.0)), "'loss' is 0 in row 2 .*residual=\"linear\""),
    "a negative response": (lambda: good(loss=with_cell(LOSS, 2, -1.0)), "'loss' is -1 in row 2"),
    "a variable of zero": (lambda: good(N=with_cell(N, 2, 0.0)), "in row 2 .* the law .* has no value"),
    "a negative variable": (lambda: good(N=with_cell(N, 2, -1e9)), "in row 2 .* the law .* has no value"),
    "a list of dicts and others": (lambda: [{"N": 1.0, "loss": 2.0}, 3], "cannot read a value of type list"),
    "a list of dicts without a response": (lambda: [{"N": size} for size in N], "there is no column 'loss'"),
    "a path and a frame in one list": (lambda: ["runs.csv", good()], "cannot read a value of type list"),
}

GOOD_CSV = b"N,loss\n1e8,3.4\n3e8,3.0\n1e9,2.7\n3e9,2.5\n1e10,2.4\n"
# Files by their name, with what is in them.
FILES: dict[str, tuple[str, bytes, str]] = {
    "a file of another kind": ("runs.xlsx", b"PK", "a path must end in .csv, .parquet or .jsonl"),
    "a name without an ending": ("runs", b"N,loss\n1,2\n", "a path must end in"),
    "an empty csv": ("runs.csv", b"", "is empty; the first line must name the columns"),
    "a csv with a header alone": ("runs.csv", b"N,loss\n", "has a header and no rows"),
    "a csv with two equal names": ("runs.csv", b"N,N\n1,2\n", "two columns are called 'N'"),
    "a csv with a short line": ("runs.csv", b"N,loss\n1,2\n3\n", "line 3: 1 fields where the header has 2"),
    "a csv with a long line": ("runs.csv", b"N,loss\n1,2,3\n", "line 2: 3 fields where the header has 2"),
    "a csv with semicolons": (
        "runs.csv",
        b"N;loss\n1;2\n",
        "the columns are separated by ';'; save the table with commas",
    ),
    "a csv with tabs": (
        "runs.csv",
        GOOD_CSV.replace(b",", b"\t"),
        r"the columns are separated by '\\t'; save the table",
    ),
    "a csv with bars": ("runs.csv", GOOD_CSV.replace(b",", b"|"), r"the columns are separated by '\|'; save the table"),
    "a csv with decimal commas and semicolons": ("runs.csv", b"N;loss\n1e8;3,4\n", "the columns are separated by ';'"),
    "a csv with decimal commas": (
        "runs.csv",
        b'N,loss\n1e8,"3,4"\n3e8,"3,0"\n',
        "the column holds text, '3,4' in row 0",
    ),
    "a csv with a comment above": ("runs.csv", b"# runs\n" + GOOD_CSV, "line 2: 2 fields where the header has 1"),
    "a csv without a header": ("runs.csv", GOOD_CSV.partition(b"\n")[2], "the first line holds numbers, where it must"),
    "a csv of blank lines": ("runs.csv", b"\n\n\n", "is empty; the first line must name the columns"),
    "a csv with a quote left open": (
        "runs.csv",
        GOOD_CSV.replace(b"3e8", b'"3e8'),
        "1 fields .* 2; is a quote not closed",
    ),
    "a csv with a huge field": ("runs.csv", GOOD_CSV.replace(b"3e8", b"3" * 200000), "line 3: field larger than"),
    "a csv with an infinite cell": ("runs.csv", GOOD_CSV.replace(b"2.7", b"-Infinity"), "'loss' is infinite in row 2"),
    "a csv with a number beyond floats": (
        "runs.csv",
        GOOD_CSV.replace(b"2.7", b"1e400"),
        "'loss' is infinite in row 2",
    ),
    "a csv with NaN": ("runs.csv", GOOD_CSV.replace(b"2.7", b"NaN"), "'loss' is missing or NaN in row 2"),
    "a csv with NA": ("runs.csv", GOOD_CSV.replace(b"2.7", b"N/A"), "'loss' is missing or NaN in row 2"),
    "a csv with an error of a spreadsheet": ("runs.csv", GOOD_CSV.replace(b"2.7", b"#DIV/0!"), "'#DIV/0!' in row 2"),
    "a csv with a per cent": ("runs.csv", GOOD_CSV.replace(b"2.7", b"27%"), "'27%' in row 2"),
    "a csv with a unit": ("runs.csv", GOOD_CSV.replace(b"1e9", b"1 GB"), "'1 GB' in row 2"),
    "a csv with a line of sums": ("runs.csv", GOOD_CSV + b"total,14\n", "'total' in row 5"),
    "a csv with other capitals": ("runs.csv", GOOD_CSV.replace(b"loss", b"Loss"), "did you mean 'Loss'"),
    "a csv in UTF-16": ("runs.csv", GOOD_CSV.decode().encode("utf-16"), "is not UTF-8 text"),
    "a csv in Latin-1": ("runs.csv", GOOD_CSV.replace(b"N,", b"\xe4,"), "is not UTF-8 text"),
    "a packed csv": ("runs.csv", gzip.compress(GOOD_CSV), "is not UTF-8 text"),
    "a packed csv that says so": (
        "runs.csv.gz",
        gzip.compress(GOOD_CSV),
        "a path must end in .csv, .parquet or .jsonl",
    ),
    "a workbook called csv": ("runs.csv", b"PK\x03\x04\x14\x00\n", "is no CSV text: its first line holds control char"),
    "a parquet file called csv": ("runs.csv", b"PAR1\x15\x04\x15\n", "is no CSV text: its first line holds control"),
    "a web page called csv": ("runs.csv", b"<!DOCTYPE html>\n<html></html>\n", "the columns are <!DOCTYPE html>"),
    "a csv that is not UTF-8": ("runs.csv", b"N,loss\n1,\xff\xfe\n", "is not UTF-8 text"),
    "a csv with NUL bytes": ("runs.csv", b"N,loss\n1,\x00\x00\n", "line 2: a NUL character"),
    "a csv with words for numbers": ("runs.csv", b"N,loss\n1e9,low\n2e9,high\n", "'low' in row 0"),
    "a csv with empty cells": ("runs.csv", b"N,loss\n1e9,\n2e9,3\n", "'loss' is missing or NaN in row 0"),
    "a damaged parquet file": ("runs.parquet", b"PAR1 and no more", "cannot be read as Parquet by"),
    "json lines that are no json": ("runs.jsonl", b'{"N": 1}\n{"N": \n', "line 2: no JSON"),
    "json lines that are no objects": ("runs.jsonl", b"[1, 2]\n", "row 0 .* where a mapping is needed"),
    "an empty json file": ("runs.jsonl", b"\n", "is empty; each line must be one JSON object"),
    "json lines with objects inside": ("runs.jsonl", b'{"N": {"a": 1}, "loss": 2}\n', "column 'N' mixes types"),
    "a chart of nothing but ranges": ("w.csv", b"Step,a - loss__MIN\n1,2\n", "nothing but __MIN and __MAX"),
    "a chart without values": ("w.csv", b"Step,a - loss\n1,\n", "an exported chart without a value"),
}


def refusal(data: Any) -> str:
    """Return what the error says that fitting a table raises."""
    with pytest.raises((lf.DataError, lf.LawError)) as caught:
        lf.fit("E + A*N**-alpha", data, response="loss", n_threads=1)
    return str(caught.value)


@pytest.mark.parametrize("kind", list(TABLES))
def test_a_bad_table_gets_an_error_that_says_what_is_wrong(kind: str) -> None:
    make, message = TABLES[kind]
    said = refusal(make())
    assert re.search(message, said), said


@pytest.mark.parametrize("kind", list(FILES))
def test_a_bad_file_gets_an_error_that_says_what_is_wrong(kind: str, tmp_path: Path) -> None:
    name, content, message = FILES[kind]
    (tmp_path / name).write_bytes(content)
    said = refusal(tmp_path / name)
    assert re.search(message, said), said


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such.csv", "no file .*no_such.csv; the working directory is"),
        ("*.csv", r"no file fits the pattern"),
        ("", "is a folder; give a file, or a pattern such as"),
        ("x" * 300 + ".csv", "no file"),
    ],
    ids=["missing", "pattern", "folder", "long"],
)
def test_a_path_to_nothing_gets_an_error_that_says_where_it_looked(path: str, message: str, tmp_path: Path) -> None:
    said = refusal(str(tmp_path / path))
    assert re.search(message, said), said


@pytest.mark.parametrize("kind", list(FILES))
def test_the_command_says_the_same_of_a_bad_file_in_its_own_words(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, _ = FILES[kind]
    (tmp_path / name).write_bytes(content)
    assert run_command(tmp_path / name) == 2
    out, err = capsys.readouterr()
    assert out == ""
    said = in_options(refusal(tmp_path / name), option_names(VERB.parser(argparse.ArgumentParser().add_subparsers())))
    assert err == f"lawfit: {said}\n"


@pytest.mark.parametrize(
    "path", ["no_such.csv", "*.csv", "", "x.csv"], ids=["missing", "pattern", "folder", "folder.csv"]
)
def test_the_command_says_of_a_path_to_nothing_where_it_looked(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "x.csv").mkdir()
    place = f"{tmp_path / 'none' / path}" if path != "*.csv" else f"{tmp_path / '*.csv'}"
    assert run_command(place) == 2
    assert capsys.readouterr() == ("", f"lawfit: {in_options(refusal(place), {})}\n")


def run_command(path: object) -> int:
    return main(["fit", str(path), "--law", "E + A*N**-alpha", "--response", "loss", "--threads", "1"])


# Odd to look at, and yet they mean one thing only.
READABLE = {
    "quoted numbers": GOOD_CSV.replace(b"1e9", b'"1e9"').replace(b"N,loss", b'"N","loss"'),
    "thousands separated by commas": GOOD_CSV.replace(b"1e9", b'"1,000,000,000"'),
    "sizes in words": GOOD_CSV.replace(b"1e9", b"1B"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD_CSV,
    "lines that end as on Windows": GOOD_CSV.replace(b"\n", b"\r\n"),
    "lines that end as on an old Macintosh": GOOD_CSV.replace(b"\n", b"\r"),
    "lines that end in two ways": GOOD_CSV.replace(b"\n", b"\r\n", 3),
    "no end of the last line": GOOD_CSV.rstrip(),
    "blank lines": GOOD_CSV.replace(b"\n", b"\n\n"),
    "spaces around": GOOD_CSV.replace(b",", b" , "),
    "a comma too many in every line": GOOD_CSV.replace(b"\n", b",\n"),
    "a name of two lines": GOOD_CSV.replace(b"N,loss\n", b'N,loss,"a\nnote"\n').replace(b".4\n", b".4,\n")
    .replace(b".0\n", b".0,\n").replace(b".5\n", b".5,x\n").replace(b".7\n", b".7,\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(READABLE))
def test_an_odd_file_that_means_one_thing_is_read(kind: str, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_bytes(READABLE[kind])
    found = lf.read_table(tmp_path / "runs.csv")
    for name, values in good().items():
        assert found.evaluate(name, want="number", argument="response").tolist() == values


def test_the_good_table_of_these_tests_is_fitted() -> None:
    assert lf.fit("E + A*N**-alpha", good(), response="loss", n_threads=1).n_rows == 5
