"""The words of the command: help that reads well, examples that are calls, errors that name options."""

from __future__ import annotations

import argparse
import random
import shlex
from pathlib import Path

import pytest

from lawfit._cli_verb import Verb
from lawfit._cli_wording import in_options
from lawfit.cli import VERBS, build_parser, main

OPTIONS = {
    "missing": "--missing", "where": "--where", "columns": "--column", "bounds": "--bound", "fixed": "--fixed",
    "prior": "--prior", "n_threads": "--threads", "f_scale": "--f-scale", "response": "--response",
}  # fmt: skip


def name_of(verb: Verb) -> str:
    return verb.name


@pytest.mark.parametrize("verb", VERBS, ids=name_of)
def test_the_help_of_a_verb_fits_a_terminal_and_ends_in_an_example(
    verb: Verb, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([verb.name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"usage: lawfit {verb.name}")
    assert lines[1] == "", "the usage is one line"
    assert lines.index("example:") > 0
    # Every option says what it is for.
    for action in build_parser_of(verb)._actions:
        assert action.help, action.dest


def build_parser_of(verb: Verb) -> argparse.ArgumentParser:
    return verb.parser(argparse.ArgumentParser().add_subparsers())


@pytest.mark.parametrize("verb", VERBS, ids=name_of)
def test_the_examples_of_a_verb_are_calls(verb: Verb) -> None:
    for line in verb.example.replace("\\\n", " ").splitlines():
        command, *arguments = shlex.split(line)
        assert command == "lawfit"
        assert build_parser().parse_args(arguments).run is verb.run


def test_the_help_of_the_command_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    for verb in VERBS:
        assert f"    {verb.name} " in said


@pytest.mark.parametrize(
    ("said", "here"),
    [
        ('leave such rows out with missing="drop", or choose', "leave such rows out with --missing drop, or choose"),
        ("missing='drp' is not known", "--missing drp is not known"),
        ("choose rows with where=", "choose rows with --where"),
        ("such as where=\"column == 'value'\".", "such as --where \"column == 'value'\"."),
        ("where='a == \"b\"': no", "--where 'a == \"b\"': no"),
        ('map it: columns={"D": "C/(6*params)"}', 'map it: --column "D=C/(6*params)"'),
        ("columns={...} maps", "--column NAME=... maps"),
        ('bounds={"A": (0, None), "alpha": (0, 3)}', "--bound A=0: --bound alpha=0:3"),
        ("hold it with fixed={'E': 1.7}", "hold it with --fixed E=1.7"),
        ('prior={"alpha": (0.35, 0.03)}', "--prior alpha=0.35:0.03"),
        ("n_threads=0: give", "--threads 0: give"),
        ("f_scale=-1.0: give", "--f-scale -1.0: give"),
        ("bounds: alpha has", "--bound: alpha has"),
        ("response: bounds: alpha", "--response: bounds: alpha"),
        ("starts={...}, weights= and somewhere=3 stay", "starts={...}, weights= and somewhere=3 stay"),
        ("--where=1 is an option already", "--where=1 is an option already"),
    ],
)
def test_python_arguments_in_a_message_become_options(said: str, here: str) -> None:
    assert in_options(said, OPTIONS) == here


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lss", "huber"], "lawfit fit: error: there is no option --lss; did you mean --loss?"),
        (["--columns", "N=x"], "there is no option --columns; did you mean --column?"),
        (["--zzz"], "there is no option --zzz\n"),
        (["--melt", "a", "b.csv"], "'b.csv' is one word too many; put quotes around what holds spaces or *"),
        (["--seed", "one"], "argument --seed: 'one' is not a whole number"),
        (["--share", "half"], "argument --share: 'half' is not a number"),
    ],
)
def test_arguments_that_no_option_takes_are_answered_with_the_nearest(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "a.csv", "--law", "chinchilla", "--response", "loss", *arguments]) == 2
    assert message in capsys.readouterr().err


WORDS = (
    "", "0", "1", "-1", "nan", "inf", "1e400", "5", "0.5", "a", "N", "N=", "=", "=1", "N=1", "alpha=0:3", "alpha=:",
    "alpha=3:", "E=1:0.1", "a:b", "loss", "loss*", "*", "!x", "[", "N,loss", "step", "mad", "huber", "log", "\"", "(",
    "{", "where(", "chinchilla", "x=N", "N=70B", "N=1,N=2", "/", "no.csv", "bayesian", "CR3", "drop", "\xe9", "\udcff",
    "\0", "E=1e999", "99999999999999999999", "a" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_no_words_whatever_end_in_a_traceback(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs.csv"
    runs.write_text("N,loss,step\n1e8,3.4,1\n3e8,3.0,2\n1e9,2.7,3\n3e9,2.5,4\n1e10,2.4,5\n", encoding="utf-8")
    chance = random.Random(seed)
    for _ in range(60):
        verb = chance.choice([verb for verb in VERBS if verb.name != "demo"])
        options = [each for each in build_parser_of(verb)._actions if each.option_strings]
        words = [verb.name]
        if verb.name != "laws":
            words += [str(runs), "--law", chance.choice([*["E + A*N**-alpha"] * 5, *WORDS]), "--response", "loss"]
        for option in chance.sample([each for each in options if each.dest not in ("output", "n_threads")], k=2):
            words += [option.option_strings[-1], *([] if option.nargs == 0 else [chance.choice(WORDS)])]
        code = main(words)
        err = capsys.readouterr().err
        assert code in (0, 1, 2), words
        assert (code != 2) or err.strip(), words
        assert "a bug of lawfit" not in err, words
