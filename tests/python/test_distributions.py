"""Tails and quantiles as Python sees them: shapes, bad arguments, SciPy's values. The engine tests hold the digits."""

from __future__ import annotations

import numpy as np
import pytest

from lawfit import _engine
from lawfit.errors import DataError

CLOSE = 1e-10  # what SciPy's own digits allow


def test_values_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    p, df = np.array([0.001, 0.025, 0.4, 0.9, 0.999]), np.array([[1.0], [3.5], [40.0], [1e4]])
    np.testing.assert_allclose(_engine.t_quantile(p, df), stats.t.ppf(p, df), rtol=CLOSE)
    np.testing.assert_allclose(_engine.t_sf(10 * p, df), stats.t.sf(10 * p, df), rtol=CLOSE)
    np.testing.assert_allclose(_engine.f_quantile(p, 2.5, df), stats.f.ppf(p, 2.5, df), rtol=CLOSE)
    np.testing.assert_allclose(_engine.f_sf(10 * p, df, 7.0), stats.f.sf(10 * p, df, 7.0), rtol=CLOSE)
    np.testing.assert_allclose(_engine.chi2_quantile(p, df), stats.chi2.ppf(p, df), rtol=CLOSE)
    np.testing.assert_allclose(_engine.chi2_sf(10 * p, df), stats.chi2.sf(10 * p, df), rtol=CLOSE)


def test_scalars_give_a_number_and_ends_are_the_ends() -> None:
    assert float(_engine.t_quantile(0.975, np.inf)) == pytest.approx(1.959963984540054, rel=1e-14)
    assert _engine.t_quantile(0.5, 3.0).shape == ()
    assert [float(_engine.t_quantile(p, 3)) for p in (0.0, 0.5, 1.0)] == [-np.inf, 0.0, np.inf]
    assert [float(_engine.chi2_quantile(p, 3)) for p in (0.0, 1.0)] == [0.0, np.inf]
    assert [float(_engine.f_sf(f, 3, 4)) for f in (-1.0, 0.0, np.inf)] == [1.0, 1.0, 0.0]
    assert float(_engine.f_sf(2.0, 3.0, np.inf)) == pytest.approx(float(_engine.chi2_sf(6.0, 3.0)), rel=1e-14)
    assert np.isnan(_engine.t_sf(np.nan, 3.0))


def test_bad_arguments_are_named() -> None:
    for df in (0.0, -1.0, np.nan):
        with pytest.raises(DataError, match=r"df.*degrees of freedom are above 0"):
            _engine.t_sf(1.0, df)
    for p in (-0.1, 1.1, np.nan):
        with pytest.raises(DataError, match=r"p: .*probabilities are from 0 to 1"):
            _engine.t_quantile(p, 3.0)
    with pytest.raises(DataError, match=r"dfn.*at most 1e8"):
        _engine.f_sf(1.0, 1e9, 3.0)
    with pytest.raises(DataError, match=r"df.*above 0"):
        _engine.chi2_quantile(0.5, [3.0, np.inf])
