import numpy as np
import pytest
from scipy import stats

from ipsevidence import core

from .reference import VIECHTBAUER_1, VIECHTBAUER_2, counts
from .tolerances import CLOSED, PRINTED

NEW = ["gamma", "sj", "wald-ml", "wald-reml"]
X = np.column_stack([np.ones(10), np.linspace(-1, 1, 10)])


@pytest.mark.parametrize(
    ("method", "low", "high", "digits"),
    [
        ("gamma", 0.0481716357, 2.35516042, {"rel": PRINTED}),
        ("sj", 0.208191756, 1.67477013, {"rel": PRINTED}),
        ("wald-ml", 0, 0.5782, {"abs": 5e-5}),
        ("wald-reml", 0, 0.7322, {"abs": 5e-5}),
    ],
)
def test_intervals_of_collins(method, low, high, digits):
    """Viechtbauer 2007, Stat Med 26:37-52, doi:10.1002/sim.2514: diuretics in pre-eclampsia, log odds ratios."""
    found = core.tau2_interval(*core.two_by_two("OR", *counts("collins1985b")), method=method)
    assert [found.low, found.high] == pytest.approx([low, high], **digits)
    assert found.method == method
    assert not found.why


@pytest.mark.parametrize("design", [None, X])
def test_the_gamma_interval_is_that_of_its_gamma_distribution(design):
    """By brute matrices: Q = y'Py has mean tr(PS) and variance 2 tr(PSPS), S = diag(v + tau2)."""
    y, v = VIECHTBAUER_1
    bounds = core.tau2_interval(y, v, design, method="gamma", level=0.9)
    x, w = (np.ones((10, 1)) if design is None else design), np.diag(1 / v)
    p = w - w @ x @ np.linalg.inv(x.T @ w @ x) @ x.T @ w
    for tau2, share in ((bounds.low, 0.95), (bounds.high, 0.05)):
        ps = p @ np.diag(v + tau2)
        mean, variance = np.trace(ps), 2 * np.trace(ps @ ps)
        assert stats.gamma(mean**2 / variance, scale=variance / mean).cdf(y @ p @ y) == pytest.approx(share, rel=1e-9)


def test_the_other_intervals_by_hand():
    y, v = VIECHTBAUER_1
    sj = core.estimate_tau2(y, v, X, method="sj").tau2
    bounds = core.tau2_interval(y, v, X, method="sj", level=0.9)
    quantiles = stats.chi2.ppf([0.95, 0.05], 8)
    assert [bounds.low, bounds.high] == pytest.approx(8 * sj / quantiles, rel=CLOSED)
    for method in ("ml", "reml"):
        found = core.estimate_tau2(y, v, X, method=method)
        bounds = core.tau2_interval(y, v, X, method=f"wald-{method}", level=0.5)
        reach = stats.norm.ppf(0.75) * found.se
        assert [bounds.low, bounds.high] == pytest.approx([found.tau2 - reach, found.tau2 + reach], rel=CLOSED)
        assert core.tau2_interval(y, v, X, method=f"wald-{method}", level=0.99).low == 0


@pytest.mark.parametrize("method", NEW)
@pytest.mark.parametrize("unit", [1e-8, 1e-3, 1e5])
def test_the_unit_of_the_outcome_changes_nothing(method, unit):
    y, v = VIECHTBAUER_2
    plain = core.tau2_interval(y, v, method=method)
    moved = core.tau2_interval(3 * unit - unit * y[::-1], unit**2 * v[::-1], method=method)
    assert [moved.low, moved.high] == pytest.approx([plain.low * unit**2, plain.high * unit**2], rel=1e-7, abs=0)
    assert moved.i2.high == pytest.approx(plain.i2.high, rel=1e-7)


def test_effects_that_agree_too_well():
    y, v = [0.50, 0.51, 0.50, 0.49, 0.50], [1.0, 2.0, 1.0, 2.0, 1.0]
    gamma = core.tau2_interval(y, v, method="gamma")
    assert (gamma.low, gamma.high) == (0, 0)
    assert "the interval is empty" in gamma.why
    same = core.tau2_interval([0.5] * 5, v, method="sj")
    assert (same.low, same.high) == (0, 0)
    assert "identical" in same.why
