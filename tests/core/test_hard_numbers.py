"""Data on which other programs fail, against fifty digits."""

import mpmath
import numpy as np
import pytest

from ipsevidence import core

from .reference import CLASP, PLANCK
from .tolerances import CLOSED, ITERATED

mpmath.mp.dps = 50
TINY = (np.array([1, 2, -1, 5]) * 1e-6, np.array([1, 2, 10, 1]) * 1e-14)
HUGE = (np.array([1, -1, 3, 2]) * 1e4, np.array([1.0, 2, 3, 1]))
PAIR = (np.array([0.1, 2]), np.array([0.01, 0.02]))


def exact_q(y, v, tau2):
    w = [1 / (mpmath.mpf(float(vi)) + tau2) for vi in v]
    y = [mpmath.mpf(float(yi)) for yi in y]
    mean = mpmath.fdot(w, y) / mpmath.fsum(w)
    return mpmath.fsum(wi * (yi - mean) ** 2 for wi, yi in zip(w, y, strict=True))


def exact_reml_score(y, v, tau2):
    w = [1 / (mpmath.mpf(float(vi)) + tau2) for vi in v]
    total = mpmath.fsum(w)
    return (
        total
        - mpmath.fsum(wi**2 for wi in w) / total
        + mpmath.diff(lambda t: exact_q(y, v, t), tau2, h=tau2 * mpmath.mpf("1e-20"))
    )


def exact_root(function, low, high):
    return float(mpmath.findroot(function, (low, high), solver="anderson", tol=mpmath.mpf("1e-60"), maxsteps=500))


@pytest.mark.parametrize(
    ("data", "printed", "digits"),
    [
        # in doubles these effects differ in their last nine digits only; the printed value has all digits
        (PLANCK, 4.14154851e-15, ITERATED),
        (TINY, 6.20385027e-12, 1e-9),
        (HUGE, 291666664.388, 1e-11),
        (PAIR, 1.79, 1e-13),
    ],
)
def test_paule_mandel(data, printed, digits):
    y, v = data
    exact = exact_root(lambda t: exact_q(y, v, t) - (len(y) - 1), 0.5 * printed, 2 * printed)
    found = core.estimate_tau2(y, v, method="pm").tau2
    assert found == pytest.approx(exact, rel=1e-13, abs=0)
    assert found == pytest.approx(printed, rel=digits, abs=0)


def test_reml_planck():
    y, v = PLANCK
    found = core.estimate_tau2(y, v, method="reml").tau2
    exact = exact_root(lambda t: exact_reml_score(y, v, t), 6e-15, 9e-15)
    assert found == pytest.approx(exact, rel=1e-12, abs=0)
    assert found == pytest.approx(7.49767329e-15, rel=ITERATED, abs=0)


def test_q_planck():
    assert core.q_test(*PLANCK).statistic == pytest.approx(3.442127110, rel=1e-9)
    assert core.q_test(*PLANCK).statistic == pytest.approx(float(exact_q(*PLANCK, 0)), rel=CLOSED)


def test_maximum_likelihood_at_the_boundary_is_exactly_zero():
    y, v = core.two_by_two("OR", *CLASP)
    assert core.estimate_tau2(y, v, method="ml").tau2 == 0


def test_one_variance_a_hundred_million_times_another():
    y, v = np.array([0.1, 0.5, -0.3, 0.9]), np.array([1e-8, 1.0, 2.0, 0.5])
    w = [1 / mpmath.mpf(float(vi)) for vi in v]
    trace = mpmath.fsum(w) - mpmath.fsum(wi**2 for wi in w) / mpmath.fsum(w)
    exact = float((exact_q(y, v, 0) - 3) / trace)
    found = core.estimate_tau2(y, v, method="dl", truncate=False).tau2
    assert found == pytest.approx(exact, rel=CLOSED)


def test_the_higher_of_two_likelihood_maxima_wins():
    # two precise clusters and one vague study: the likelihood has a maximum at 0 and another far off
    y, v = np.array([0.0, 0.02, 4.0, 4.4]), np.array([1e-4, 1e-4, 25.0, 16.0])
    for method, restricted in (("ml", False), ("reml", True)):
        found = core.estimate_tau2(y, v, method=method).tau2
        grid = np.concatenate(([0.0], np.geomspace(1e-8, 1e3, 200_001)))
        w = 1 / (v + grid[:, None])
        mean = (w @ y) / w.sum(axis=1)
        deviance = -np.log(w).sum(axis=1) + (w * (y - mean[:, None]) ** 2).sum(axis=1)
        deviance += np.log(w.sum(axis=1)) if restricted else 0
        assert found == pytest.approx(grid[deviance.argmin()], rel=2e-4, abs=1e-8)
