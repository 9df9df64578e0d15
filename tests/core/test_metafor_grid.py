"""Every estimator x interval x measure x data set against metafor; the grid must be complete."""

import math

import numpy as np
import pytest

from ipsevidence import core

from .reference import metafor
from .tolerances import CLOSED, ITERATED, ZERO

CLOSED_ESTIMATORS = {"common", "dl", "he", "hs", "sj", "hsk", "ca2", "dl2", "sj2"}
# genq is dl unless weights are given, and metafor has genqm only with another package: see test_tau2.py
COMPARED_ESTIMATORS = set(core.TAU2_ESTIMATORS) - {"genq", "genqm"}
POOLS = {f"{p['set']}-{p['measure']}": p for p in metafor("pooling")["pools"]}
each_pool = pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS.keys())
each_estimator = pytest.mark.parametrize("estimator", sorted(COMPARED_ESTIMATORS))


def arrays(pool):
    return np.array(pool["yi"]), np.array(pool["vi"])


def test_the_grid_is_complete():
    reference = metafor("pooling")
    binary = {(p["set"], p["measure"]) for p in reference["pools"] if p["measure"] != "GEN"}
    assert len(reference["counts"]) >= 12
    assert binary == {(name, measure) for name in reference["counts"] for measure in ("OR", "RR", "RD")}
    assert {m for m, r in core.MEASURES.items() if r.needs == "two-by-two"} >= {"OR", "RR", "RD"}
    for pool in reference["pools"]:
        assert set(pool["estimators"]) == COMPARED_ESTIMATORS
        for estimator in pool["estimators"].values():
            assert set(estimator["intervals"]) == set(core.INTERVALS)


@each_pool
def test_effects_are_escalcs(pool):
    if pool["measure"] == "GEN":
        return
    table = metafor("pooling")["counts"][pool["set"]]
    y, v = core.two_by_two(
        pool["measure"], table["ai"], table["n1i"], table["ci"], table["n2i"], correct_difference=True
    )
    kept = np.isfinite(y)
    np.testing.assert_allclose(y[kept], pool["yi"], rtol=CLOSED, atol=1e-14)
    np.testing.assert_allclose(v[kept], pool["vi"], rtol=CLOSED)


@each_pool
def test_q_and_its_profile(pool):
    y, v = arrays(pool)
    test = core.q_test(y, v)
    assert test.statistic == pytest.approx(pool["q"], rel=CLOSED)
    assert test.p == pytest.approx(pool["q_p"], rel=1e-9)
    bounds = core.tau2_interval(y, v)
    zero = ZERO * np.median(v)
    assert [bounds.low, bounds.high] == pytest.approx(pool["q_profile"]["tau2"], rel=ITERATED, abs=zero)
    assert [bounds.i2.low, bounds.i2.high] == pytest.approx(pool["q_profile"]["i2"], rel=ITERATED, abs=1e-7)
    assert [bounds.h2.low, bounds.h2.high] == pytest.approx(pool["q_profile"]["h2"], rel=ITERATED)


@each_pool
@each_estimator
def test_between_study_variance(pool, estimator):
    y, v = arrays(pool)
    expected = pool["estimators"][estimator]
    rel = CLOSED if estimator in CLOSED_ESTIMATORS else ITERATED
    fit = core.pool(y, v, tau2=estimator)
    zero = 0 if estimator in CLOSED_ESTIMATORS else ZERO * np.median(v)
    assert fit.tau2 == pytest.approx(expected["tau2"], rel=rel, abs=zero)
    assert fit.i2 == pytest.approx(expected["i2"], rel=rel, abs=1e-7)
    assert fit.h2 == pytest.approx(expected["h2"], rel=rel)
    np.testing.assert_allclose(fit.weights, expected["weights"], rtol=rel)
    if expected["tau2_se"] is None:
        assert math.isnan(fit.tau2_se)
    else:
        assert fit.tau2_se == pytest.approx(expected["tau2_se"], rel=rel)


@each_pool
@each_estimator
def test_mean_intervals_and_prediction(pool, estimator):
    y, v = arrays(pool)
    expected = pool["estimators"][estimator]
    rel = CLOSED if estimator in CLOSED_ESTIMATORS else ITERATED
    for interval, numbers in expected["intervals"].items():
        fit = core.pool(y, v, tau2=estimator, interval=interval, prediction="normal" if interval == "wald" else "t-k1")
        # a bound may lie near 0: the standard error is the scale it is read on
        near = rel * fit.se
        assert fit.estimate == pytest.approx(expected["estimate"], rel=rel, abs=near)
        assert fit.se == pytest.approx(numbers["se"], rel=rel)
        assert fit.ci.low == pytest.approx(numbers["low"], rel=rel, abs=near)
        assert fit.ci.high == pytest.approx(numbers["high"], rel=rel, abs=near)
        assert fit.statistic == pytest.approx(numbers["statistic"], rel=rel, abs=rel)
        # a tail far out magnifies the error of its statistic by the square of the statistic
        assert fit.p == pytest.approx(numbers["p"], rel=rel * (1 + fit.statistic**2), abs=1e-300)
        if numbers["pi_low"] is None:
            assert fit.prediction.missing
        else:
            assert fit.prediction.low == pytest.approx(numbers["pi_low"], rel=rel, abs=near)
            assert fit.prediction.high == pytest.approx(numbers["pi_high"], rel=rel, abs=near)
