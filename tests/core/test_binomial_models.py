import json

import mpmath
import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.binomial_models import _Binomial, _Family, _Hypergeometric, _Mixed

from .reference import counts, metafor

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
    ("model", "tau2", "expected", "tolerance"),
    [
        ("um.fs", "ml", [-1.23692028, 0.280409043, 0.319793684], LAPLACE),
        ("um.rs", "ml", [-1.28122355, 0.3296465, 0.725845581], LAPLACE),
        ("um.fs", "common", [-1.22862772, None, 0], METAFOR),
        ("um.rs", "common", [-1.22066359, None, 0], LAPLACE),
    ],
)
def test_catheter_odds_ratios_of_both_arms(model, tau2, expected, tolerance):
    """Stijnen et al 2010 by metafor and lme4: few nodes for um.fs, Laplace's approximation for um.rs."""
    fit = core.glmm(*NIELWEISE, model=model, tau2=tau2)
    estimate, se, between = expected
    assert fit.estimate == pytest.approx(estimate, rel=tolerance)
    assert fit.tau2 == pytest.approx(between, rel=tolerance)
    assert se is None or fit.se == pytest.approx(se, rel=tolerance)
    assert (fit.k, fit.dropped) == (17, (14,))
    assert "study 14 (counted from 0)" in fit.notes[0]


def test_catheter_odds_ratios_with_random_studies_by_exact_quadrature():
    fit = core.glmm(*NIELWEISE, model="um.rs")
    assert [fit.estimate, fit.tau2, fit.sigma2] == pytest.approx([-1.279686, 0.72521, 0.53637], rel=1e-5)


FITS = metafor("mixed_models")["fits"]


def test_the_grid_of_mixed_models_is_complete():
    assert len(FITS) == 9
    assert {tuple(fit) for fit in FITS.values()} == {("um.fs", "um.rs", "control_risk")}


@pytest.mark.parametrize("name", FITS)
def test_fixed_study_effects_as_lme4(name):
    """lme4 with 25 nodes."""
    fit, expected = core.glmm(*counts(name), model="um.fs"), FITS[name]["um.fs"]
    for key, value in expected.items():
        assert getattr(fit, key) == pytest.approx(value, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("name", FITS)
def test_random_study_effects_as_lme4(name):
    """lme4 by Laplace's approximation, which makes variances up to 3% too small in these sets."""
    fit, expected = core.glmm(*counts(name), model="um.rs"), FITS[name]["um.rs"]
    assert fit.estimate == pytest.approx(expected["estimate"], rel=LAPLACE)
    assert fit.se == pytest.approx(expected["se"], abs=LAPLACE)
    for key in ("tau2", "sigma2"):
        assert getattr(fit, key) == pytest.approx(expected[key], rel=0.04, abs=1e-9)


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


@pytest.mark.parametrize("model", core.GLMM_MODELS)
def test_swapping_the_arms_changes_the_sign(model):
    a, n1, c, n2 = (column[:8] for column in NIELWEISE)
    fit, turned = core.glmm(a, n1, c, n2, model=model), core.glmm(c, n2, a, n1, model=model)
    assert turned.estimate == pytest.approx(-fit.estimate, rel=1e-5)
    assert turned.tau2 == pytest.approx(fit.tau2, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("model", ["um.fs", "um.rs"])
def test_the_order_of_the_studies_changes_nothing(model):
    fit, turned = (core.glmm(*(x[::step] for x in NIELWEISE), model=model) for step in (1, -1))
    assert [turned.estimate, turned.se, turned.tau2] == pytest.approx([fit.estimate, fit.se, fit.tau2], rel=1e-8)


@pytest.mark.parametrize("model", ["um.fs", "um.rs"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_few_alike_studies_have_no_variance(model, k):
    fit = core.glmm([3] * k, [20] * k, [8] * k, [25] * k, model=model)
    assert fit.estimate == pytest.approx(np.log(3 / 17 / (8 / 17)), rel=1e-8)
    assert fit.se == pytest.approx(((1 / 3 + 1 / 17 + 1 / 8 + 1 / 17) / k) ** 0.5, rel=1e-6)
    assert fit.tau2 == 0


def test_fixed_study_effects_without_heterogeneity_are_a_logistic_regression():
    """Two studies, one of them with an empty cell: maximum by the score equations."""
    a, n1, c, n2 = [0, 9], [10, 30], [4, 14], [12, 28]
    fit = core.glmm(a, n1, c, n2, model="um.fs", tau2="common")
    score = 0.0
    for x, m, y, n in zip(a, n1, c, n2, strict=True):
        # the study's log odds that reproduces its events
        theta = mpmath.findroot(
            lambda t, m=m, n=n, e=x + y: m / (1 + mpmath.exp(-t - fit.estimate)) + n / (1 + mpmath.exp(-t)) - e, -1
        )
        score += x - m / (1 + mpmath.exp(-theta - fit.estimate))
    assert float(score) == pytest.approx(0, abs=1e-9)


def test_a_likelihood_without_a_maximum(monkeypatch):
    monkeypatch.setattr("ipsevidence.core.unconditional.highest_peak", lambda *_: None)
    for model in ("um.fs", "um.rs"):
        assert "no maximum" in core.glmm(*NIELWEISE, model=model).reason


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
    both = core.glmm(*NIELWEISE, model="um.rs")
    assert isinstance(both, core.RandomStudiesResult)
    assert "sigma2      0.5364\n  note: Left out" in str(both)
    assert both.to_rows()[-1][:2] == ("sigma2", both.sigma2)
    assert both.to_dict()["sigma2"] == both.sigma2


def test_a_likelihood_without_a_curvature():
    assert "no maximum" in core.glmm_proportion([1e14, 1], [1e15, 1e15]).reason
