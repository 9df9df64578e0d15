import json

import mpmath
import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.binomial_models import _Binomial, _Family, _Hypergeometric, _Mixed

from .reference import counts

# metafor integrates and differentiates numerically: its digits beyond these are its own
METAFOR = 1e-4
LAPLACE = 5e-3
NIELWEISE = counts("nielweise2007")
COLLINS = counts("collins1985a")


def test_catheter_proportions():
    """Stijnen et al 2010, Stat Med 29:3046-3067: catheter infections, arm by arm (lme4 by Laplace)."""
    a, n1, c, n2 = NIELWEISE
    for x, n, expected in (
        (c, n2, [-3.49644345, 0.256990692, 0.812354119]),
        (a, n1, [-4.81214405, 0.355473785, 0.826507576]),
    ):
        fit = core.glmm_proportion(x, n)
        assert [fit.estimate, fit.se, fit.tau2] == pytest.approx(expected, rel=LAPLACE)


@pytest.mark.parametrize(
    ("model", "tau2", "expected"),
    [
        ("cm.el", "ml", [-1.35315828, 0.351068193, 0.693459265]),
        ("cm.al", "ml", [-1.30265303, 0.33864093, 0.600684708]),
        ("cm.el", "common", [-1.22355918, None, 0]),
        ("cm.al", "common", [-1.1801393, None, 0]),
    ],
)
def test_catheter_odds_ratios(model, tau2, expected):
    """Stijnen et al 2010: odds ratios on the counts; one study without events is left out."""
    fit = core.glmm(*NIELWEISE, model=model, tau2=tau2)
    estimate, se, between = expected
    assert fit.estimate == pytest.approx(estimate, rel=METAFOR)
    assert fit.tau2 == pytest.approx(between, rel=METAFOR)
    assert se is None or fit.se == pytest.approx(se, rel=METAFOR)
    assert (fit.k, fit.dropped) == (17, (14,))


@pytest.mark.parametrize(
    ("tau2", "estimate", "between", "log_likelihood"),
    [("common", 0.121587417, 0, -53.6789278), ("ml", 0.174406209, 0.119209586, -52.9900861)],
)
def test_bleeding(tau2, estimate, between, log_likelihood):
    """Van Houwelingen et al 1993, Stat Med 12:2273-2284: exact conditional likelihood."""
    fit = core.glmm(*COLLINS, tau2=tau2)
    assert -fit.estimate == pytest.approx(estimate, rel=METAFOR)
    assert fit.tau2 == pytest.approx(between, rel=METAFOR)
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-8)


def test_likelihoods_against_high_precision_integrals():
    a, n1, n2, events = (np.array([x]) for x in (3.0, 20.0, 24.0, 9.0))
    mean, tau = -0.4, 0.8

    def binomial(theta):
        p = 1 / (1 + mpmath.exp(-theta))
        return mpmath.binomial(20, 3) * p**3 * (1 - p) ** 17

    def hypergeometric(theta):
        terms = [mpmath.binomial(20, u) * mpmath.binomial(24, 9 - u) * mpmath.exp(u * theta) for u in range(10)]
        return terms[3] / mpmath.fsum(terms)

    for family, likelihood in (
        (_Binomial(a, n1, np.zeros(1)), binomial),
        (_Hypergeometric(a, n1, n2, events), hypergeometric),
    ):
        exact = mpmath.quad(lambda z, f=likelihood: f(mean + tau * z) * mpmath.npdf(z), [-12, -4, 0, 4, 12])
        found, gradient = _Mixed(family).value_and_gradient(mean, tau)
        assert found == pytest.approx(float(mpmath.log(exact)), rel=1e-10)
        step = 1e-5
        for j in (0, 1):
            moves = [
                _Mixed(family).value_and_gradient(mean + s * step * (j == 0), tau + s * step * (j == 1))[0]
                for s in (1, -1)
            ]
            assert gradient[j] == pytest.approx((moves[0] - moves[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("model", ["cm.el", "cm.al"])
def test_swapping_the_arms_changes_the_sign(model):
    a, n1, c, n2 = (column[:8] for column in NIELWEISE)
    fit, turned = core.glmm(a, n1, c, n2, model=model), core.glmm(c, n2, a, n1, model=model)
    assert turned.estimate == pytest.approx(-fit.estimate, rel=1e-5)
    assert turned.tau2 == pytest.approx(fit.tau2, rel=1e-4, abs=1e-9)


def test_a_common_proportion_is_the_sum_of_the_counts():
    fit = core.glmm_proportion([3, 5], [20, 30], tau2="common")
    assert fit.estimate == pytest.approx(np.log(8 / 42))
    assert fit.se == pytest.approx((1 / 8 + 1 / 42) ** 0.5)
    alike = core.glmm_proportion([4, 6, 5], [40, 60, 50])
    assert alike.tau2 == 0


def test_what_has_no_odds():
    assert "infinite" in core.glmm_proportion([0, 0], [9, 9]).reason
    assert isinstance(core.glmm_proportion([9, 9], [9, 9]), core.NotApplicable)
    assert "edge" in core.glmm([0, 0], [9, 9], [3, 2], [9, 9]).reason
    assert isinstance(core.glmm([0], [9], [0], [9]), core.NotApplicable)
    with pytest.raises(core.InputError, match="model must be one of"):
        core.glmm(*NIELWEISE, model="um.xx")
    with pytest.raises(NotImplementedError):
        _Family(np.zeros(1), 0.0).cumulants(np.zeros((1, 1)))


def test_results_can_be_read_and_written():
    fit = core.glmm_proportion([3, 5], [20, 30])
    assert "generalised linear mixed model" in str(fit)
    json.dumps(fit.to_dict(), allow_nan=False)
    assert {len(row) for row in fit.to_rows()} == {len(fit.columns)}
