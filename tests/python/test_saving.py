"""Results on disk come back as they were; files that cannot give one say why."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns

import lawfit as lf
from lawfit import saving
from lawfit._codec import decode, encode

STARTS = 6


def assert_same(a: object, b: object, path: str = "result") -> None:
    """Compare two values field by field, bit by bit."""
    assert type(a) is type(b), path
    if isinstance(a, np.ndarray):
        assert isinstance(b, np.ndarray)
        assert a.dtype == b.dtype, path
        np.testing.assert_array_equal(a, b, err_msg=path)
    elif isinstance(a, lf.Interval):
        assert isinstance(b, lf.Interval)
        assert repr(a) == repr(b), path
    elif is_dataclass(a):
        for field in fields(a):
            assert_same(getattr(a, field.name), getattr(b, field.name), f"{path}.{field.name}")
    elif isinstance(a, tuple | list):
        assert isinstance(b, tuple | list)
        assert len(a) == len(b), path
        for i, (one, other) in enumerate(zip(a, b, strict=True)):
            assert_same(one, other, f"{path}[{i}]")
    elif isinstance(a, Mapping):
        assert isinstance(b, Mapping)
        assert list(a) == list(b), path
        for name in a:
            assert_same(a[name], b[name], f"{path}[{name!r}]")
    elif isinstance(a, float) and a != a:
        assert isinstance(b, float), path
        assert b != b, path
    else:
        assert a == b, path


def table() -> dict[str, Any]:
    """Runs with text, clusters, weights, noise, a missing response and two groups."""
    sizes = np.tile(np.logspace(6.5, 10, 12), 2)
    runs: dict[str, Any] = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": sizes}, noise=0.01, seed=1)
    runs["loss"][12:] *= 1.5
    return {
        **runs, "task": ["a"] * 12 + ["b"] * 12, "run": [f"r{i // 2}" for i in range(24)], "w": np.linspace(1, 2, 24),
        "sd": 0.01 * np.linspace(1, 2, 24), "hole": np.where(np.arange(24) == 3, np.nan, runs["loss"]),
    }  # fmt: skip


KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "clusters": {"cluster": "run"},
    "weights": {"weights": "w", "loss": "squared", "where": "x > 1e7"},
    "sigma": {"sigma": "sd", "covariance": "HC1"},
    "fixed": {"fixed": {"E": 1.7}},
    "prior": {"prior": {"alpha": (0.35, 0.03)}},
    "bound": {"bounds": {"E": (1.9, 5.0)}},
    "missing": {"response": "hole", "missing": "drop", "columns": {"x": "2*x"}},
    "linear": {"residual": "linear", "f_scale": 0.01, "starts": {"E": [1, 2], "A": [300, 400], "alpha": [0.3, 0.4]}},
    "unidentified": {"law": "E + A*x**-alpha + G"},
}


def fit_of(kind: str, **more: Any) -> lf.Fit:
    options = {"response": "loss", "starts": STARTS, **KINDS[kind], **more}
    law = options.pop("law", lf.laws.power_floor)
    return lf.fit(law, table(), **options)


@pytest.fixture(params=KINDS)
def any_fit(request: pytest.FixtureRequest) -> lf.Fit:
    return fit_of(request.param)


def test_a_fit_saved_with_its_rows_comes_back_field_by_field(any_fit: lf.Fit, tmp_path: Path) -> None:
    any_fit.save(tmp_path / "fit.json", data=True)
    again = lf.load(tmp_path / "fit.json")
    assert_same(again, any_fit)
    assert repr(again) == repr(any_fit)


def test_a_fit_saved_without_rows_differs_in_its_rows_alone(any_fit: lf.Fit, tmp_path: Path) -> None:
    any_fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    for field in fields(lf.Fit):
        if field.name != "rows":
            assert_same(getattr(again, field.name), getattr(any_fit, field.name), field.name)
    assert repr(again) == repr(any_fit)
    assert again.to_dict() == any_fit.to_dict()
    assert again.warnings == any_fit.warnings
    assert again.law.to_latex() == any_fit.law.to_latex()


def test_without_rows_a_fit_predicts_and_derives_as_before(any_fit: lf.Fit, tmp_path: Path) -> None:
    any_fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    x = [1e8, 1e11]
    assert_same(again.predict(x=x), any_fit.predict(x=x))
    sigma = None if any_fit.rows.noise_by is None else 0.02
    for kind, noise in (("mean", None), ("run", sigma)):
        more: dict[str, Any] = {"interval": 0.9, "kind": kind, "sigma": noise}
        assert_same(again.predict(x=x, **more), any_fit.predict(x=x, **more))
    assert_same(again.derived("2*alpha"), any_fit.derived("2*alpha"))
    assert_same(again.interval("alpha"), any_fit.interval("alpha"))
    assert_same(again.stderr_reason, any_fit.stderr_reason)


def test_rows_that_are_attached_again_are_those_of_the_fit(any_fit: lf.Fit, tmp_path: Path) -> None:
    any_fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    assert_same(again.with_data(table()), any_fit)
    assert_same(any_fit.with_data(table()), any_fit)


def test_draws_of_attached_rows_are_those_of_the_fit(tmp_path: Path) -> None:
    fit = fit_of("clusters")
    fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    np.testing.assert_array_equal(again.bootstrap(30, data=table()).params, fit.bootstrap(30).params)
    assert again.diagnose(data=table()).findings == fit.diagnose().findings
    assert again.validate(data=table(), kind="folds").scores == fit.validate(kind="folds").scores


@pytest.mark.parametrize(
    "call",
    [
        lambda fit: fit.bootstrap(10),
        lambda fit: fit.validate(kind="folds"),
        lambda fit: fit.diagnose(),
        lambda fit: fit.lack_of_fit(),
        lambda fit: fit.interval("alpha", method="profile"),
        lambda fit: fit.interval("alpha", covariance="HC0"),
        lambda fit: lf.next_runs(fit, {"x": [1e11]}, quantity="alpha", n_runs=1),
    ],
)
def test_what_needs_the_rows_says_that_they_are_not_there(call: Callable[[lf.Fit], object], tmp_path: Path) -> None:
    fit_of("plain").save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    with pytest.raises(lf.DataError, match=r"saved without its rows.*pass data=.*with_data"):
        call(again)


def changed(**columns: Any) -> dict[str, Any]:
    return {**table(), **columns}


def test_other_rows_are_refused_with_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    fit_of("sigma").save(path)
    again = lf.load(path)
    assert isinstance(again, lf.Fit)
    runs = table()
    with pytest.raises(lf.DataError, match="20 rows are used of them, and the fit used 24"):
        again.with_data({name: values[:20] for name, values in runs.items()})
    with pytest.raises(lf.DataError, match="other values in response; give the same runs"):
        again.with_data(changed(loss=np.nextafter(runs["loss"], 9.0)))
    with pytest.raises(lf.DataError, match="other values in variable x, sigma"):
        again.with_data(changed(x=runs["x"][::-1], sd=2 * runs["sd"]))
    with pytest.raises(lf.DataError, match="sd"):
        again.bootstrap(5, data={"x": runs["x"], "loss": runs["loss"]})


def test_arrays_of_the_call_are_asked_for_again(tmp_path: Path) -> None:
    fit = fit_of("plain", weights=table()["w"], where=np.arange(24) > 2)
    fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    with pytest.raises(lf.DataError, match=r"where: the fit was given an array.*give where= again"):
        again.with_data(table())
    assert_same(again.with_data(table(), weights=table()["w"], where=np.arange(24) > 2), fit)
    with pytest.raises(lf.DataError, match="sigma: leave it out"):
        again.with_data(table(), weights=table()["w"], where=np.arange(24) > 2, sigma=table()["sd"])


@pytest.fixture(scope="module")
def fits() -> lf.Fits:
    return lf.fit_many(lf.laws.power_floor, table(), by="task", response="loss", starts=STARTS, bootstrap=30)


@pytest.mark.parametrize("data", [True, False])
def test_a_batch_comes_back_with_its_draws(fits: lf.Fits, data: bool, tmp_path: Path) -> None:
    fits.save(tmp_path / "fits.json", data=data)
    again = lf.load(tmp_path / "fits.json")
    assert isinstance(again, lf.Fits)
    assert repr(again) == repr(fits)
    assert again.to_dict() == fits.to_dict()
    assert_same(again.raw, fits.raw)
    assert again.keys == fits.keys
    assert_same(again.with_data(table()).rows, fits.rows)
    assert_same(again["b"].with_data(table()), fits["b"])
    if data:
        assert_same(again, fits)


@pytest.mark.parametrize("data", [True, False])
def test_a_fit_of_a_batch_comes_back_with_its_draws(fits: lf.Fits, data: bool, tmp_path: Path) -> None:
    fit = fits["b"]
    fit.save(tmp_path / "fit.json", data=data)
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    assert repr(again) == repr(fit)
    assert again.draws is not None
    assert fit.draws is not None
    assert repr(again.draws) == repr(fit.draws)
    assert again.draws.fit.draws is None
    assert_same(again.with_data(table()), fit)
    with pytest.raises(lf.DataError, match="no rows have the key"):
        again.with_data(changed(task=["a"] * 24))


def test_fits_of_several_tables_take_the_tables_again(tmp_path: Path) -> None:
    runs = {name: values[:12] for name, values in table().items()}
    parts = {"one": runs, "two": {**runs, "loss": 2 * runs["loss"]}}
    fits = lf.fit_many(lf.laws.power_floor, parts, response="loss", starts=STARTS)
    fits.save(tmp_path / "fits.json")
    again = lf.load(tmp_path / "fits.json")
    assert isinstance(again, lf.Fits)
    assert_same(again.with_data(parts), fits)
    assert_same(again["two"].with_data(parts["two"]), fits["two"])
    with pytest.raises(lf.DataError, match="not the same keys"):
        again.with_data({"one": runs})


@pytest.mark.parametrize("data", [True, False])
def test_draws_come_back(data: bool, tmp_path: Path) -> None:
    draws = fit_of("bound").bootstrap(60, resample="pairs", studentize=True)
    draws.save(tmp_path / "draws.json", data=data)
    again = lf.load(tmp_path / "draws.json")
    assert isinstance(again, lf.Draws)
    assert repr(again) == repr(draws)
    assert_same(again.values("2*alpha"), draws.values("2*alpha"))
    assert_same(again.predict(x=1e11).interval(), draws.predict(x=1e11).interval())
    assert_same(again.covariances, draws.covariances)
    if data:
        assert_same(again, draws)


@pytest.mark.parametrize("size", [None, "nu"])
def test_a_fit_to_counts_comes_back(size: str | None, tmp_path: Path) -> None:
    cells = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "right": [0, 9, 88, 260, 466], "asked": [1000] * 5}
    fit = lf.fit_counts(
        "exp(-A*N**-alpha)", cells, n_correct="right", n_samples="asked", bounds={"A": (0, None)}, size=size
    )
    for data in (True, False):
        fit.save(tmp_path / "fit.json", data=data)
        again = lf.load(tmp_path / "fit.json")
        assert isinstance(again, lf.CountFit)
        assert repr(again) == repr(fit)
        assert again.to_dict() == fit.to_dict()
        assert_same(again.pass_at_k(10, N=1e9, interval=0.9), fit.pass_at_k(10, N=1e9, interval=0.9))
        assert_same(again.with_data(cells), fit)
    assert isinstance(again, lf.CountFit)
    with pytest.raises(lf.DataError, match="other values in"):
        again.with_data({**cells, "right": [1, 9, 88, 260, 466]})


@pytest.mark.parametrize("data", [True, False])
def test_a_chain_comes_back(data: bool, tmp_path: Path) -> None:
    sizes = np.logspace(7, 10, 12)
    rng = np.random.default_rng(0)
    loss = 1.7 + 400 * sizes**-0.34 * np.exp(rng.normal(0, 0.02, 12))
    runs = {"N": sizes, "nll": loss, "error": 0.9 - 2.5 * np.exp(-0.7 * loss) + rng.normal(0, 0.003, 12)}
    first = lf.Law("E + A*N**-alpha", ["N"], positive=["E", "A"])
    chain = lf.fit_chain(first, lf.laws.gadre_error, runs, responses=["nll", "error"], through="L")
    chain.save(tmp_path / "chain.json", data=data)
    again = lf.load(tmp_path / "chain.json")
    assert isinstance(again, lf.ChainFit)
    assert repr(again) == repr(chain)
    assert_same(again.predict(N=1e11, interval=0.9), chain.predict(N=1e11, interval=0.9))
    assert_same(again.derived("alpha"), chain.derived("alpha"))
    if data:
        assert_same(again, chain)
        np.testing.assert_array_equal(again.bootstrap(20).params, chain.bootstrap(20).params)
    else:
        with pytest.raises(lf.DataError, match="a chain has them only from save"):
            again.bootstrap(20)


def sampled_cells() -> lf.Table:
    rng = np.random.default_rng(0)
    sizes, problems = np.repeat([1e8, 1e9, 1e10], 8), np.tile(np.arange(8), 3)
    chance = np.clip(0.05 * (problems + 1) * (sizes / 1e8) ** 0.2, 0, 0.95)
    answers = {"N": sizes, "problem": problems, "n": [50] * 24, "c": rng.binomial(50, chance)}
    return lf.pass_at_k(answers, k=[1, 4, 16], by=["N"], problem="problem", n_samples="n", n_correct="c")


@pytest.mark.parametrize("resample", ["problems", "crossed"])
@pytest.mark.parametrize("data", [True, False])
def test_draws_of_problems_come_back_with_what_to_distrust(resample: str, data: bool, tmp_path: Path) -> None:
    cells = sampled_cells()
    fits = lf.fit_many(
        "A*N**-a*k**-b", cells, by=[], response="neglog_mean_pass", starts=STARTS, bootstrap=30, resample=resample
    )
    fits.save(tmp_path / "fits.json", data=data)
    again = lf.load(tmp_path / "fits.json")
    assert isinstance(again, lf.Fits)
    assert again.to_dict() == fits.to_dict()
    assert repr(again[0].draws) == repr(fits[0].draws)
    assert_same(again[0].with_data(cells).rows, fits[0].rows)


def test_rows_of_sampled_answers_are_saved_too(tmp_path: Path) -> None:
    cells = sampled_cells()
    fit = lf.fit("A*N**-a*k**-b", cells, response="neglog_mean_pass", starts=STARTS)
    draws = fit.bootstrap(20, resample="problems")
    fit.save(tmp_path / "fit.json", data=True)
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    np.testing.assert_array_equal(again.bootstrap(20, resample="problems").params, draws.params)
    fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    np.testing.assert_array_equal(again.bootstrap(20, resample="problems", data=cells).params, draws.params)


def test_a_loaded_fit_can_be_saved_and_pickled_again(tmp_path: Path) -> None:
    fit_of("clusters").save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert isinstance(again, lf.Fit)
    again.save(tmp_path / "twice.json")
    assert (tmp_path / "twice.json").read_bytes() == (tmp_path / "fit.json").read_bytes()
    copy = pickle.loads(pickle.dumps(again))
    assert repr(copy) == repr(again)
    with pytest.raises(lf.DataError, match="loaded without its rows"):
        again.save(tmp_path / "rows.json", data=True)


def test_the_file_begins_with_what_other_programs_read(tmp_path: Path) -> None:
    fit = fit_of("plain")
    fit.save(tmp_path / "fit.json")
    document = json.loads((tmp_path / "fit.json").read_text(encoding="utf-8"))
    assert document["saved"]["version"] == saving.SAVED_VERSION
    assert {name: value for name, value in document.items() if name != "saved"} == fit.to_dict()


def edited(text: str, **changes: Any) -> str:
    document = json.loads(text)
    document["saved"] |= changes
    return json.dumps(document)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: edited(text, version=99), r"version 99.*does not know"),
        (lambda text: edited(text, statuses=["melted"]), "does not know"),
        (lambda text: edited(text, version="1"), "damaged, or was changed by hand"),
        (lambda text: text[: len(text) // 2], "cut short"),
        (lambda text: text.replace('"converged"', '"converged_at_bound"', 1), "changed by hand"),
        (lambda text: edited(text, content={"type": "Law", "text": "a*x"}), "changed by hand"),
        (lambda _: "x,loss\n1,2\n", "no result of lawfit"),
        (lambda _: '{"a": 1}', "no result of lawfit"),
        (lambda _: "[1, 2]", "no result of lawfit"),
        (lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "saved"}), r"write it with save\("),
    ],
)
def test_a_file_that_gives_no_result_says_why(edit: Callable[[str], str], words: str, tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    fit_of("plain").save(path)
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(lf.DataError, match=words):
        lf.load(path)


def test_files_that_are_not_there_or_no_text_say_so(tmp_path: Path) -> None:
    with pytest.raises(lf.DataError, match="cannot read it"):
        lf.load(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\x93NUMPY\xff")
    with pytest.raises(lf.DataError, match="no text"):
        lf.load(tmp_path / "bytes.json")
    with pytest.raises(lf.DataError, match="cannot write there"):
        fit_of("plain").save(tmp_path / "no" / "fit.json")


def test_only_classes_of_the_package_are_made_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    fit_of("plain").save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["saved"]["checksum"]
    document["saved"]["content"] = {"type": "Path", "text": "x"}
    document["saved"]["checksum"] = saving._checksum(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(lf.DataError, match="changed by hand"):
        lf.load(path)


def test_numbers_come_back_bit_for_bit() -> None:
    tiny, huge = 5e-324, 1.7976931348623157e308
    array = np.array([0.1 + 0.2, -0.0, tiny, -huge, np.inf, -np.inf, np.nan, 1 / 3, 1e22, 2.0**-1074])
    parts = {"a": array, "b": tuple(array.tolist()), "c": np.array([2**64 - 1, 0], dtype=np.uint64), "d": [True, None]}
    for line in (array, np.random.default_rng(0).standard_normal(500) * 10.0 ** np.linspace(-300, 300, 500)):
        written = json.loads(json.dumps(encode(line, {}, {}), allow_nan=False))
        assert decode(written, {}).tobytes() == line.tobytes()
    again = decode(json.loads(json.dumps(encode(parts, {}, {}), allow_nan=False)), {})
    assert_same(again, parts)
    assert np.signbit(again["b"][1])


def test_what_a_file_cannot_hold_is_refused_before_it_is_written(tmp_path: Path) -> None:
    runs = {name: values[:12] for name, values in table().items()}
    fits = lf.fit_many(lf.laws.power_floor, {frozenset({1}): runs}, response="loss", starts=2)
    with pytest.raises(lf.DataError, match="a file cannot hold a value of type frozenset"):
        fits.save(tmp_path / "fits.json")
    with pytest.raises(lf.DataError, match="data: say True"):
        fits.save(tmp_path / "fits.json", data="runs.csv")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fit.json"
    fit_of("plain").save(path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(lf.DataError, match="No space left"):
        fit_of("fixed").save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["fit.json"]


def test_a_fit_without_an_estimate_comes_back(tmp_path: Path, power_runs: Columns) -> None:
    fit = lf.fit("log(0 - A*A*x)", power_runs, response="loss", residual="linear", starts=3)
    assert not fit.success
    fit.save(tmp_path / "fit.json")
    again = lf.load(tmp_path / "fit.json")
    assert repr(again) == repr(fit)
