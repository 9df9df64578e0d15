"""Faults of statsmodels' meta-analysis that ours does not have.

Each test shows both: where the first half fails, statsmodels has mended the fault and the test has done its work.
"""

import math
import warnings

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects, effectsize_2proportions

from ipsevidence import core

from .reference import PLANCK

# Two studies: 30/100 against 20/100, and one with an empty cell, 0/20 against 4/20.
ONE_EMPTY_CELL = ([30, 0], [100, 20], [20, 4], [100, 20])
# six effects that differ less than their sampling errors
HOMOGENEOUS = (np.array([0.48, 0.50, 0.52, 0.49, 0.51, 0.50]), np.array([0.04, 0.05, 0.06, 0.07, 0.08, 0.09]))


def quiet(function, *arguments, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **settings)


@pytest.mark.parametrize("correction", [0.5, "tac"])
def test_a_correction_for_an_empty_cell_leaves_other_studies_alone(correction):
    """statsmodels adds 0.5 to the events of every study, and to the totals only where there is a zero."""
    a, n1, c, n2 = (np.array(x) for x in ONE_EMPTY_CELL)
    theirs, _ = quiet(effectsize_2proportions, a, n1, c, n2, statistic="odds-ratio", zero_correction=correction)
    ours, v = core.two_by_two("OR", *ONE_EMPTY_CELL)
    full = math.log((30 / 70) / (20 / 80))
    half_a_case_in_each_arm = math.log((30.5 / 69.5) / (20.5 / 79.5))
    assert theirs[0] == pytest.approx(half_a_case_in_each_arm, rel=1e-12)
    assert ours[0] == pytest.approx(full, rel=1e-12)
    assert v[0] == pytest.approx(1 / 30 + 1 / 70 + 1 / 20 + 1 / 80, rel=1e-12)
    # the study with the empty cell: 1/2 in each of its four cells, where both agree
    assert ours[1] == pytest.approx(math.log((0.5 / 20.5) / (4.5 / 16.5)), rel=1e-12)
    assert theirs[1] == pytest.approx(ours[1], rel=1e-12)


def test_an_empty_cell_without_a_correction_gives_no_infinite_effect():
    a, n1, c, n2 = (np.array(x) for x in ONE_EMPTY_CELL)
    theirs, variance = quiet(effectsize_2proportions, a, n1, c, n2, statistic="odds-ratio")
    assert theirs[1] == -math.inf
    assert variance[1] == math.inf
    ours, v = core.two_by_two("OR", *ONE_EMPTY_CELL, to="none")
    assert np.isnan([ours[1], v[1]]).all()
    with pytest.raises(core.InputError, match="in study 2 of 2"):
        core.pool(ours, v)


@pytest.mark.parametrize("data", [HOMOGENEOUS, (np.array([0.1, 0.2]), np.array([0.1, 0.2]))])
def test_a_moment_estimate_below_zero_becomes_zero(data):
    """DerSimonian and Laird 1986, doi:10.1016/0197-2456(86)90046-2, equation 8: the larger of 0 and the moment."""
    y, v = data
    theirs = quiet(combine_effects, y, v, method_re="dl")
    w = 1 / v
    mean = (w @ y) / w.sum()
    moment = ((w * (y - mean) ** 2).sum() - (y.size - 1)) / (w.sum() - (w @ w) / w.sum())
    assert theirs.tau2 == pytest.approx(moment)
    assert theirs.tau2 < 0
    ours = core.pool(y, v, tau2="dl", interval="wald")
    assert ours.tau2 == 0
    assert [ours.estimate, ours.se] == pytest.approx([mean, w.sum() ** -0.5], rel=1e-12)
    assert core.estimate_tau2(y, v, method="dl", truncate=False).tau2 == pytest.approx(moment, rel=1e-12)


def test_a_negative_variance_puts_the_mean_outside_its_studies():
    y, v = np.array([0.1, 0.2]), np.array([0.1, 0.2])
    theirs = quiet(combine_effects, y, v, method_re="dl")
    assert theirs.tau2 == pytest.approx(-0.145)
    assert theirs.mean_effect_re == pytest.approx(-0.35)
    assert math.isnan(theirs.sd_eff_w_re)
    assert theirs.i2 < 0
    ours = core.pool(y, v, tau2="dl", interval="wald")
    assert ours.estimate == pytest.approx(0.4 / 3)
    assert ours.i2 == ours.i2_q == 0


def test_q_of_effects_that_are_large_beside_their_differences():
    """Three measurements of the Planck constant: sum w y^2 - (sum w y)^2 / sum w has no digit left."""
    theirs = combine_effects(*PLANCK)
    assert theirs.q == 4.0
    assert core.q_test(*PLANCK).statistic == pytest.approx(3.442127110, rel=3e-10)
    assert core.pool(*PLANCK).q == pytest.approx(3.442127110, rel=3e-10)


def test_the_moment_estimate_of_effects_that_are_large_beside_their_differences():
    """The cancelled Q spoils what is made of it: tau2 is two fifths too large."""
    y, v = PLANCK
    w = 1 / v
    scale = w.sum() - (w @ w) / w.sum()
    assert combine_effects(y, v, method_re="dl").tau2 == pytest.approx((4.0 - 2) / scale, rel=1e-12)
    found = core.estimate_tau2(y, v, method="dl").tau2
    assert found == pytest.approx((3.442127110 - 2) / scale, rel=1e-9, abs=0)


def test_large_effects_keep_their_paule_mandel_variance():
    """The stop is an absolute one: tau2 of data of size 1e4 has seven digits (exact to 50: 291666664.388)."""
    y, v = np.array([1.0, -1, 3, 2]) * 1e4, np.array([1.0, 2, 3, 1])
    theirs = quiet(combine_effects, y, v, method_re="pm").tau2
    assert abs(theirs - 291666664.388) > 100
    assert core.estimate_tau2(y, v, method="pm").tau2 == pytest.approx(291666664.388, rel=2e-12)


@pytest.mark.parametrize("bad", [math.nan, 0.0, -0.1])
def test_a_variance_that_is_none_is_refused(bad):
    y, v = np.array([0.1, 0.4, 0.9]), np.array([0.1, bad, 0.2])
    quiet(combine_effects, y, v)  # says nothing
    with pytest.raises(core.InputError, match="in study 2 of 3"):
        core.pool(y, v)


def test_one_study():
    theirs = quiet(combine_effects, np.array([0.3]), np.array([0.04]), method_re="dl")
    assert not math.isfinite(theirs.tau2)
    assert not math.isfinite(theirs.mean_effect_re)
    ours = core.pool([0.3], [0.04], interval="wald")
    assert [ours.estimate, ours.se] == pytest.approx([0.3, 0.2])
    assert ours.tau2_ci.why
