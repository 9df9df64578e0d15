import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.heterogeneity import h2_from_q, h2_from_tau2, i2_from_q, i2_from_tau2

from .reference import VIECHTBAUER_1


def test_q_is_the_weighted_sum_of_squares():
    y, v = VIECHTBAUER_1
    w = 1 / v
    expected = (w * (y - np.average(y, weights=w)) ** 2).sum()
    test = core.q_test(y, v)
    assert test.statistic == pytest.approx(expected)
    assert test.df == 9


def test_one_study_has_no_q():
    assert isinstance(core.q_test([1], [1]), core.NotApplicable)


def test_i2_and_h2():
    assert i2_from_q(20, 10) == 50
    assert i2_from_q(5, 10) == 0
    assert i2_from_q(0, 3) == 0
    assert h2_from_q(5, 10) == 0.5
    assert i2_from_tau2(1, 3) == 25
    assert h2_from_tau2(1, 4) == 1.25
