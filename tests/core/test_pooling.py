import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.weighting import MeanModel

from .reference import VIECHTBAUER_1, VIECHTBAUER_2

y, v = VIECHTBAUER_1
HOMOGENEOUS = ([0.1, 0.2, 0.05, 0.12], [0.1, 0.02, 0.3, 0.05])


def test_a_given_variance_is_used_as_it_is():
    fit = core.pool(y, v, tau2=0.25, interval="wald")
    w = 1 / (v + 0.25)
    assert fit.tau2 == 0.25
    assert math.isnan(fit.tau2_se)
    assert fit.estimate == pytest.approx(np.average(y, weights=w))
    assert fit.se == pytest.approx(w.sum() ** -0.5)
    assert fit.settings.tau2 == "given"
    same = core.pool(y, v, tau2=core.estimate_tau2(y, v, method="reml").tau2)
    assert same.estimate == pytest.approx(core.pool(y, v, tau2="reml").estimate, rel=1e-14)


@pytest.mark.parametrize("tau2", [-0.1, float("nan"), None, True])
def test_a_given_variance_must_be_one(tau2):
    with pytest.raises(core.InputError, match="tau2 must be a number, finite and at least 0"):
        core.pool(y, v, tau2=tau2)


@pytest.mark.parametrize("parameter", ["tau2", "interval", "prediction"])
def test_wrong_keys(parameter):
    with pytest.raises(core.InputError, match=f"{parameter} must be one of"):
        core.pool(y, v, **{parameter: "nonsense"})


def test_i2_of_a_common_effect_is_that_of_q():
    fit = core.pool(y, v, tau2="common")
    assert fit.tau2 == 0
    assert fit.i2 == fit.i2_q == pytest.approx(100 * (fit.q - 9) / fit.q)
    assert fit.h2 == fit.h2_q
    assert fit.prediction.missing
    assert "common-effect" in fit.prediction.why


def test_hksj_never_narrower_when_asked():
    hksj = core.pool(*HOMOGENEOUS, interval="hksj")
    adhoc = core.pool(*HOMOGENEOUS, interval="hksj-adhoc")
    wald = core.pool(*HOMOGENEOUS, interval="wald")
    assert hksj.ci.high - hksj.ci.low < wald.ci.high - wald.ci.low < adhoc.ci.high - adhoc.ci.low
    assert "narrower" in hksj.notes[0]
    assert core.INTERVALS["hksj-adhoc"].label in hksj.notes[0]
    assert "hksj-adhoc" not in hksj.notes[0]
    assert not adhoc.notes
    assert not wald.notes
    t = core.pool(*HOMOGENEOUS, interval="t")
    assert (t.se, t.ci) == (adhoc.se, adhoc.ci)


def test_hksj_of_a_factor_below_one_can_still_be_wider():
    fit = core.pool([0.1, 0.25, 0.5], [0.1, 0.02, 0.1], interval="hksj")
    assert not fit.notes


def test_the_covariance_of_a_mean_is_its_squared_error():
    model = MeanModel(y, v)
    assert model.covariance(1 / (model.v)) == pytest.approx(1 / (1 / v).sum())


def test_prediction_none():
    assert core.pool(y, v, prediction="none").prediction.why == "not asked for"
    assert core.PREDICTIONS["none"].function(9) == 0


def test_level():
    narrow, wide = (core.pool(y, v, level=level) for level in (0.5, 0.99))
    assert narrow.ci.high < wide.ci.high
    assert narrow.tau2_ci.high < wide.tau2_ci.high
    assert narrow.prediction.high < wide.prediction.high


def test_weights_are_percent():
    fit = core.pool(y, v)
    assert fit.weights.sum() == pytest.approx(100)
    w = 1 / (v + fit.tau2)
    assert fit.weights == pytest.approx(100 * w / w.sum())


class TestOneStudy:
    def test_it_is_its_own_estimate(self):
        fit = core.pool([0.5], [0.04], interval="wald")
        assert (fit.estimate, fit.se) == (0.5, 0.2)
        assert fit.ci.low == pytest.approx(0.5 - 1.959963984540054 * 0.2, rel=1e-14)
        assert fit.statistic == 2.5
        assert fit.p == pytest.approx(0.012419330651552265)
        assert fit.weights == [100]
        nothing = [fit.tau2, fit.tau2_se, fit.i2, fit.h2, fit.i2_q, fit.h2_q, fit.q, fit.q_p]
        assert all(math.isnan(value) for value in nothing)
        for interval in (fit.tau2_ci, fit.i2_ci, fit.h2_ci, fit.prediction):
            assert interval.missing
            assert interval.why

    @pytest.mark.parametrize("interval", ["t", "hksj", "hksj-adhoc"])
    def test_intervals_with_k_minus_1_degrees_of_freedom_have_none(self, interval):
        fit = core.pool([0.5], [0.04], interval=interval)
        assert fit.ci.missing
        assert "0 degrees of freedom" in fit.ci.why
        assert math.isnan(fit.p)

    def test_a_common_effect_or_a_given_variance_still_stands(self):
        assert core.pool([0.5], [0.04], tau2="common").tau2 == 0
        fit = core.pool([0.5], [0.04], tau2=0.05, interval="wald")
        assert (fit.tau2, fit.se) == (0.05, pytest.approx(0.3))


@pytest.mark.parametrize("tau2", core.TAU2_ESTIMATORS)
@pytest.mark.parametrize("k", [2, 3])
def test_two_and_three_studies(tau2, k):
    for interval in core.INTERVALS:
        fit = core.pool(y[:k], v[:k], tau2=tau2, interval=interval, prediction="t-k2")
        assert not fit.ci.missing
        assert fit.prediction.missing == (k == 2 or tau2 == "common")
        assert fit.prediction.why or not fit.prediction.missing


@pytest.mark.parametrize("tau2", core.TAU2_ESTIMATORS)
@pytest.mark.parametrize("k", [2, 3, 8])
def test_identical_effects(tau2, k):
    same, variances = np.full(k, 0.3), np.linspace(0.1, 0.9, k)
    fit = core.pool(same, variances, tau2=tau2, interval="hksj")
    assert (fit.estimate, fit.tau2, fit.q, fit.i2, fit.q_p) == (0.3, 0, 0, 0, 1)
    assert fit.ci.missing
    assert "identical" in fit.ci.why
    assert fit.prediction.missing
    for interval in ("wald", "t", "hksj-adhoc"):
        assert not core.pool(same, variances, tau2=tau2, interval=interval).ci.missing


@pytest.mark.parametrize("tau2", core.TAU2_ESTIMATORS)
@pytest.mark.parametrize("large", [1e8, 1e12, 1e-8])
def test_one_variance_far_from_the_others(tau2, large):
    variances = v.copy()
    variances[3] *= large
    fit = core.pool(y, variances, tau2=tau2)
    assert np.isfinite([fit.estimate, fit.se, fit.tau2, fit.p, fit.i2, fit.tau2_ci.low, fit.tau2_ci.high]).all()
    assert fit.tau2_ci.low <= fit.tau2_ci.high


@pytest.mark.parametrize("tau2", sorted(set(core.TAU2_ESTIMATORS) - {"sj", "sj2", "common", "pmm", "genqm"}))
def test_q_below_its_degrees_of_freedom(tau2):
    fit = core.pool(*HOMOGENEOUS, tau2=tau2)
    assert fit.q < fit.q_df
    assert fit.tau2 == fit.i2 == fit.i2_q == 0
    assert fit.h2 == 1
    assert fit.h2_q < 1


def test_example_2_pools():
    fit = core.pool(*VIECHTBAUER_2, tau2="he", interval="wald")
    common = core.pool(*VIECHTBAUER_2, tau2="common", interval="wald")
    assert fit.estimate == common.estimate
