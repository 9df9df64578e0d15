"""Random effects as Review Manager 5 computes them, on the inputs of two published reviews that used it."""

import math

import pytest

from ipsevidence import core
from ipsevidence.core import mantel_haenszel_random


def test_bond_drake_becker_2026():
    # J Occup Rehabil 2026;36:357-370, doi:10.1007/s10926-025-10347-7, Fig. 1: OR 3.39 (2.11-5.46), tau2 0.0354,
    # Q 4.53, I2 11.6%. About the inverse-variance mean, tau2 would be 0.0347 and Q 4.51.
    fit = mantel_haenszel_random(
        "OR", [13, 47, 25, 34, 31], [20, 66, 36, 47, 39], [2, 29, 5, 25, 21], [21, 60, 15, 50, 39]
    )
    assert (round(math.exp(fit.estimate), 2), round(math.exp(fit.ci.low), 2), round(math.exp(fit.ci.high), 2)) == (
        3.39,
        2.11,
        5.46,
    )
    assert (round(fit.tau2, 4), round(fit.q, 2), round(fit.i2_q, 1)) == (0.0354, 4.53, 11.6)
    y, v = core.two_by_two("OR", [13, 47, 25, 34, 31], [20, 66, 36, 47, 39], [2, 29, 5, 25, 21], [21, 60, 15, 50, 39])
    usual = core.pool(y, v, tau2="dl", interval="wald")
    assert (round(usual.tau2, 4), round(usual.q, 2)) == (0.0347, 4.51)


def test_bond_drake_luciano_2015():
    # Epidemiol Psychiatr Sci 2015;24:446-457, doi:10.1017/S2045796014000419, Fig. 2a: OR 3.66 (1.93-6.93), I2 33%
    fit = mantel_haenszel_random("OR", [16, 48, 25, 13], [44, 67, 36, 20], [13, 28, 5, 2], [70, 59, 15, 21])
    assert (round(math.exp(fit.estimate), 2), round(math.exp(fit.ci.low), 2), round(math.exp(fit.ci.high), 2)) == (
        3.66,
        1.93,
        6.93,
    )
    assert round(fit.i2_q) == 33


def test_no_excess_of_q_gives_the_common_effect_by_inverse_variance():
    same = [10, 20, 30], [20, 40, 60], [5, 10, 15], [20, 40, 60]
    fit = mantel_haenszel_random("OR", *same)
    y, v = core.two_by_two("OR", *same)
    assert fit.tau2 == 0
    assert fit.i2_q == 0
    assert fit.estimate == pytest.approx(core.pool(y, v, tau2="common").estimate, rel=1e-12)


def test_one_study_has_no_q_to_speak_of():
    fit = mantel_haenszel_random("RR", [10], [20], [5], [20])
    assert (fit.k, fit.tau2) == (1, 0.0)
    assert math.isnan(fit.q_p)


def test_where_there_is_no_mantel_haenszel_effect_there_is_no_pool():
    assert isinstance(mantel_haenszel_random("RR", [0, 0], [20, 30], [5, 6], [20, 30]), core.NotApplicable)
    assert isinstance(mantel_haenszel_random("OR", [3, 4], [20, 30], [0, 0], [20, 30]), core.NotApplicable)


def test_a_double_zero_is_left_out_of_a_ratio():
    with_it = mantel_haenszel_random("OR", [13, 0, 25], [20, 10, 36], [2, 0, 5], [21, 10, 15])
    assert with_it.k == 2
