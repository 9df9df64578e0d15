import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.tau2 import root_of_q
from ipsevidence.core.weighting import MeanModel

from .reference import VIECHTBAUER_1

HOMOGENEOUS = ([0.1, 0.2, 0.05, 0.12], [0.1, 0.02, 0.3, 0.05])


@pytest.mark.parametrize("method", ["dl", "he", "hs"])
def test_moment_estimates_below_zero_are_kept_on_request(method):
    raw = core.estimate_tau2(*HOMOGENEOUS, method=method, truncate=False)
    cut = core.estimate_tau2(*HOMOGENEOUS, method=method)
    assert raw.tau2 < 0 == cut.tau2
    assert raw.se == cut.se


def test_standard_errors_at_the_boundary():
    """metafor 3.8-1 on homogeneous data, where every estimate but Sidik-Jonkman's is 0."""
    expected = {
        "dl": 0.0518959691268,
        "he": 0.120421712697,
        "hs": 0.0293938769134,
        "sj": 0.002287499888014,
        "ml": 0.0257722067753,
        "reml": 0.0426432447108,
        "eb": 0.0391918358845,
        "pm": 0.0391918358845,
    }
    found = {key: core.estimate_tau2(*HOMOGENEOUS, method=key) for key in expected}
    assert {key: f.se for key, f in found.items()} == pytest.approx(expected, rel=1e-11)
    assert all(f.tau2 == 0 for key, f in found.items() if key != "sj")


@pytest.mark.parametrize("method", core.TAU2_ESTIMATORS)
def test_one_study_has_no_variance_between(method):
    assert math.isnan(core.estimate_tau2([1], [1], method=method).tau2)


def test_q_at_the_profile_bounds_is_the_chi_square_quantile():
    y, v = VIECHTBAUER_1
    bounds = core.tau2_interval(y, v, level=0.9)
    for tau2, quantile in ((bounds.low, 16.918977604620448), (bounds.high, 3.325112843066815)):
        w = 1 / (v + tau2)
        mean = np.average(y, weights=w)
        assert (w * (y - mean) ** 2).sum() == pytest.approx(quantile, rel=1e-12)


class Counting(MeanModel):
    calls = 0

    def q_and_slope(self, tau2):
        self.calls += 1
        return super().q_and_slope(tau2)


def test_newton_on_the_reciprocal_needs_few_steps():
    """A root 1e12 variances away is found as easily as a near one."""
    model = Counting(np.array([0.0, 3e6, -1e6]), np.array([1.0, 2.0, 1e4]))
    root = root_of_q(model, 2.0)
    assert model.calls <= 8
    assert model.q_and_slope(root)[0] == pytest.approx(2.0, rel=1e-14)


def test_wrong_methods():
    with pytest.raises(core.InputError, match="method must be one of"):
        core.estimate_tau2([1, 2], [1, 1], method="dersimonian")
    with pytest.raises(core.InputError, match=r"method must be one of \{'q-profile'"):
        core.tau2_interval([1, 2], [1, 1], method="profile")
