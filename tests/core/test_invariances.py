"""What must not matter: order, origin, unit and sign of the outcome, and how often all is repeated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence import core

each_estimator = pytest.mark.parametrize("tau2", core.TAU2_ESTIMATORS)
effects = st.integers(-4000, 4000).map(lambda n: n / 1000)
variances = st.integers(5, 4000).map(lambda n: n / 1000)
studies = st.lists(st.tuples(effects, variances), min_size=2, max_size=12).map(lambda s: np.array(s).T)
exponents = st.floats(-8, 8)


def numbers(fit, c=1.0, shift=0.0):
    """Return what a fit says, brought back from outcomes that were multiplied by c."""
    return np.array(
        [
            (fit.estimate - shift) / c,
            fit.se / c,
            fit.tau2 / c**2,
            fit.tau2_se / c**2,
            fit.tau2_ci.low / c**2,
            fit.tau2_ci.high / c**2,
            fit.q,
            fit.i2 / 100,
        ]
    )


def pooled(y, v, tau2):
    return core.pool(y, v, tau2=tau2, interval="wald", prediction="normal")


def same(found, expected, v, rtol=1e-8):
    # tau2 near 0 is compared in units of the variances, on which its rounding depends
    near = 1e-9 * np.array([v**0.5, v**0.5, v, v, v, v, 1, 1])
    both_nan = np.isnan(found) & np.isnan(expected)
    np.testing.assert_array_equal(both_nan | (abs(found - expected) <= near + rtol * abs(expected)), True)


@each_estimator
@settings(max_examples=25, deadline=None)
@given(data=studies, seed=st.integers(0, 1000))
def test_order(tau2, data, seed):
    y, v = data
    shuffled = np.random.default_rng(seed).permutation(y.size)
    same(numbers(pooled(y[shuffled], v[shuffled], tau2)), numbers(pooled(y, v, tau2)), np.median(v))


@each_estimator
@settings(max_examples=25, deadline=None)
@given(data=studies, exponent=exponents)
def test_scale(tau2, data, exponent):
    y, v = data
    c = 10.0**exponent
    same(numbers(pooled(c * y, c * c * v, tau2), c), numbers(pooled(y, v, tau2)), np.median(v))


@each_estimator
@settings(max_examples=25, deadline=None)
@given(data=studies, shift=st.integers(-64, 64))
def test_shift(tau2, data, shift):
    y, v = data
    same(numbers(pooled(y + shift, v, tau2), shift=shift), numbers(pooled(y, v, tau2)), np.median(v))


@each_estimator
@settings(max_examples=25, deadline=None)
@given(data=studies)
def test_sign(tau2, data):
    y, v = data
    turned, fit = pooled(-y, v, tau2), pooled(y, v, tau2)
    assert turned.estimate == pytest.approx(-fit.estimate, rel=1e-12, abs=1e-15)
    assert turned.ci.low == pytest.approx(-fit.ci.high, rel=1e-12, abs=1e-15)
    assert turned.tau2 == pytest.approx(fit.tau2, rel=1e-9, abs=1e-12 * np.median(v))


@settings(max_examples=25, deadline=None)
@given(data=studies)
@pytest.mark.parametrize("tau2", ["common", "ml"])
def test_duplication_halves_the_variance_of_the_mean(tau2, data):
    """Maximum likelihood of two copies of the data is that of one."""
    y, v = data
    once, twice = pooled(y, v, tau2), pooled(np.tile(y, 2), np.tile(v, 2), tau2)
    assert twice.estimate == pytest.approx(once.estimate, rel=1e-7, abs=1e-7 * once.se)
    assert twice.se == pytest.approx(once.se / 2**0.5, rel=1e-7)
    assert twice.tau2 == pytest.approx(once.tau2, rel=1e-7, abs=1e-7 * np.median(v))


@each_estimator
@settings(max_examples=25, deadline=None)
@given(data=studies)
def test_duplication_moves_no_common_effect(tau2, data):
    y, v = data
    fit = pooled(np.repeat(y, 2), np.repeat(v, 2), tau2)
    assert np.isfinite(numbers(fit)[[0, 1, 2, 4, 5, 6, 7]]).all()
    assert fit.q == pytest.approx(2 * pooled(y, v, tau2).q, rel=1e-9, abs=1e-12)


@each_estimator
@settings(max_examples=25, deadline=None)
@given(data=studies)
def test_the_interval_holds_its_estimate(tau2, data):
    y, v = data
    for interval in core.INTERVALS:
        fit = core.pool(y, v, tau2=tau2, interval=interval)
        assert fit.ci.missing or fit.ci.low <= fit.estimate <= fit.ci.high
        assert fit.ci.missing or fit.tau2 == 0 or fit.prediction.missing or fit.prediction.low <= fit.ci.low
        assert 0 <= fit.i2 <= 100
        assert fit.weights.sum() == pytest.approx(100)
