"""Bounds, p-values and standard errors of published cases, beside the estimates that other files compare."""

import mpmath
import numpy as np
import pytest

from ipsevidence import core

from .reference import bcg, counts
from .tolerances import PRINTED

BCG = counts("bcg")
ALLOCATION = ["random"] * 4 + ["alternate"] * 2 + ["random"] * 3 + ["systematic"] * 4


@pytest.mark.parametrize(
    ("measure", "low", "high"),
    [
        ("RR", -0.530809427, -0.376609782),
        ("OR", -0.553784757, -0.393037220),
        ("PETO", -0.554136645, -0.394755977),
    ],
)
def test_intervals_of_the_counts_bcg(measure, low, high):
    """Colditz et al 1994, JAMA 271:698-702: Mantel-Haenszel and Peto (metan, metafor)."""
    fit = core.peto(*BCG) if measure == "PETO" else core.mantel_haenszel(measure, *BCG)
    assert [fit.ci.low, fit.ci.high] == pytest.approx([low, high], rel=PRINTED)
    if measure == "RR":
        assert fit.statistic == pytest.approx(-11.5338072, rel=PRINTED)


@pytest.mark.parametrize(("method", "tau2"), [("hsk", 0.249169930281), ("pmm", 0.343387906896)])
def test_further_estimators_bcg(method, tau2):
    """Metafor 3.8-1 on the log risk ratios of the same trials."""
    assert core.estimate_tau2(*core.two_by_two("RR", *BCG), method=method).tau2 == pytest.approx(tau2, rel=1e-9)


@pytest.mark.parametrize(
    ("measure", "method", "low", "high"),
    [("RR", "profile-reml", 0.1152661057, 0.9646953265), ("OR", "profile-ml", 0.11507319, 0.893705013)],
)
def test_profile_likelihood_bcg(measure, method, low, high):
    """Metafor's confint(type = "PL"), the second as in Van Houwelingen et al 2002, Stat Med 21:589-624."""
    bounds = core.tau2_interval(*core.two_by_two(measure, *BCG), method=method)
    assert [bounds.low, bounds.high] == pytest.approx([low, high], rel=PRINTED)


def test_allocation_beside_latitude_bcg():
    """The p-value of metafor's anova on the two columns of allocation."""
    y, v = core.two_by_two("RR", *BCG)
    kinds = [[kind == "random", kind == "systematic"] for kind in ALLOCATION]
    fit = core.meta_regression(y, v, np.column_stack([np.ones(13), bcg()["ablat"], np.array(kinds)]), interval="wald")
    b, covariance = fit.coefficients[2:], fit.covariance[2:, 2:]
    # a chi-square of two degrees of freedom
    assert np.exp(-0.5 * b @ np.linalg.solve(covariance, b)) == pytest.approx(0.525971116, rel=PRINTED)


def test_catheters_by_the_normal_model():
    """Stijnen et al 2010, Stat Med 29:3046-3067: logits of the controls, and log odds ratios, both by REML."""
    table = counts("nielweise2007")
    controls = core.pool(*core.proportion("PLO", table[2], table[3]), interval="wald")
    assert [controls.estimate, controls.se, controls.tau2] == pytest.approx(
        [-3.30177589, 0.237833668, 0.66286785], rel=PRINTED
    )
    y, v = core.two_by_two("OR", *table)
    kept = np.isfinite(v)
    ratios = core.pool(y[kept], v[kept], interval="wald")
    assert [ratios.estimate, ratios.se, ratios.tau2] == pytest.approx(
        [-0.980383907, 0.243475655, 0.0355671371], rel=PRINTED
    )


def test_standard_error_of_the_exact_conditional_likelihood():
    """Van Houwelingen et al 1993, Stat Med 12:2273-2284, common effect.

    The digits of metafor 3.8-1, 0.0994610378, come from differences of the likelihood and change with its settings
    (0.0994547 by default): thirty digits give 0.0995578940.
    """
    table = [[int(x) for x in column] for column in zip(*counts("collins1985a"), strict=True)]

    def log_likelihood(theta):
        total = mpmath.mpf(0)
        for a, n1, c, n2 in table:
            events = range(max(0, a + c - n2), min(n1, a + c) + 1)
            ways = [mpmath.binomial(n1, x) * mpmath.binomial(n2, a + c - x) * mpmath.exp(x * theta) for x in events]
            total += a * theta - mpmath.log(mpmath.fsum(ways))
        return total

    with mpmath.workdps(30):
        top = mpmath.findroot(lambda theta: mpmath.diff(log_likelihood, theta), -0.12)
        se = 1 / mpmath.sqrt(-mpmath.diff(log_likelihood, top, 2))
    fit = core.glmm(*counts("collins1985a"), tau2="common")
    assert [fit.estimate, fit.se] == pytest.approx([float(top), float(se)], rel=1e-7)
    assert fit.se == pytest.approx(0.0994610378, rel=1e-3)
