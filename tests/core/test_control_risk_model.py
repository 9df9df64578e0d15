import json
import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from ipsevidence import core
from ipsevidence.core.arm_likelihood import ArmLikelihood
from ipsevidence.core.control_risk_model import ARMS
from ipsevidence.core.effects import Cells

from .reference import counts, metafor

FITS = {name: fit["control_risk"] for name, fit in metafor("mixed_models")["fits"].items()}
VARYING = [name for name in FITS if name != "hine1989"]  # whose control risks lme4, too, finds not to vary


@pytest.mark.parametrize("name", VARYING)
def test_our_laplace_approximation_is_that_of_lme4(name):
    """lme4 has no more than Laplace's approximation for two random effects: our likelihood with one node.

    Its maximum is found here by a search that knows no derivatives; lme4's inner iterations stop at 1e-5 of the
    log-likelihood. The dense quadrature that `control_risk` maximises is compared with a plain grid below.
    """
    a, n1, c, n2 = (x.astype(float) for x in counts(name))
    laplace = ArmLikelihood(Cells(a, n1 - a, c, n2 - c), ARMS, nodes=1)
    dense, expected = core.control_risk(*counts(name)), FITS[name]
    found = optimize.minimize(
        lambda at: -laplace(at).value,
        dense.parameters,
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-10, "maxfev": 5000, "adaptive": True},
    )
    found = optimize.minimize(lambda at: -laplace(at).value, found.x, method="BFGS", options={"gtol": 1e-5})
    mean, effect, spread, tilt, rest = found.x
    ours = [mean, effect, spread**2, tilt**2 + rest**2, tilt * spread]
    keys = ("control_logit", "estimate", "control_variance", "tau2", "covariance")
    assert ours == pytest.approx([expected[key] for key in keys], rel=5e-4)
    assert -found.fun == pytest.approx(expected["log_likelihood"], abs=2e-5)
    # standard errors: lme4's `vcov`, by differences of the deviance in all parameters
    ses = (expected["control_logit_se"], expected["se"])
    assert (dense.control_logit_se, dense.effect_se) == pytest.approx(ses, rel=0.015)
    # what the approximation costs: a small part of a standard error
    assert abs(dense.control_logit - mean) < 0.05 * dense.control_logit_se
    assert abs(dense.effect - effect) < 0.05 * dense.effect_se


def test_control_risks_that_do_not_vary():
    assert FITS["hine1989"]["control_variance"] == pytest.approx(0, abs=1e-12)
    assert "do not vary" in core.control_risk(*counts("hine1989")).reason


def _height(cells, parameters):
    """The log-likelihood on a dense grid of both random effects, up to a constant."""
    axis = np.linspace(-7.5, 7.5, 241)
    u, w = np.meshgrid(axis, axis, indexing="ij")
    weights = [np.array(parameters) @ np.array(arm, dtype=float) for arm in ARMS]
    total = 0.0
    for a, n1, c, n2 in zip(*cells, strict=True):
        logs = -0.5 * (u * u + w * w)
        for (x, n), (mean, first, second) in zip(((a, n1), (c, n2)), weights, strict=True):
            odds = mean + first * u + second * w
            logs += x * odds - n * np.logaddexp(0, odds)
        total += np.log(np.exp(logs - logs.max()).sum()) + logs.max()
    return total


@pytest.mark.parametrize("name", ["nielweise2007", "lee2004", "collins1985a"])
def test_the_likelihood_is_the_integral(name):
    """Against the trapezium rule on the plane, which converges geometrically for a smooth integrand."""
    a, n1, c, n2 = (x.astype(float) for x in counts(name))
    fit = core.control_risk(a, n1, c, n2)
    choose = sum(
        (special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)).sum()
        for x, n in ((a, n1), (c, n2))
    )
    step = 15 / 240
    constant = choose + a.size * (2 * math.log(step) - math.log(2 * math.pi))
    assert fit.log_likelihood == pytest.approx(_height((a, n1, c, n2), fit.parameters) + constant, rel=1e-8)


@pytest.mark.parametrize("name", ["nielweise2007", "lee2004"])
def test_the_maximum_and_its_curvature_on_a_dense_grid(name):
    cells = counts(name)
    fit = core.control_risk(*cells)
    at, step = fit.parameters, 1e-3
    curvature = np.linalg.inv(fit.covariance)
    for j in range(5):
        move = step * np.eye(5)[j]
        low, middle, high = (_height(cells, at + sign * move) for sign in (-1, 0, 1))
        # the derivative over the curvature: how far the maximum of the dense likelihood is from ours
        assert (high - low) / (2 * step) / curvature[j, j] == pytest.approx(0, abs=1e-5)
        assert -(high - 2 * middle + low) / step**2 == pytest.approx(curvature[j, j], rel=1e-4)


def test_the_model_is_recovered_from_large_studies():
    """Many large studies from known parameters."""
    generator = np.random.default_rng(4)
    k, n = 150, 2000
    control = -1.0 + 0.8 * generator.standard_normal(k)
    effect = 0.7 - 0.3 * (control + 1.0) + 0.2 * generator.standard_normal(k)
    c = generator.binomial(n, 1 / (1 + np.exp(-control)))
    a = generator.binomial(n, 1 / (1 + np.exp(-control - effect)))
    fit = core.control_risk(a, np.full(k, n), c, np.full(k, n))
    assert abs(fit.slope - -0.3) < 3 * fit.slope_se < 0.1
    assert abs(fit.effect - 0.7) < 3 * fit.effect_se
    assert fit.residual_tau2 == pytest.approx(0.04, rel=0.25)
    assert fit.control_variance == pytest.approx(0.64, rel=0.2)


def test_effects_and_risks_at_a_control_risk():
    fit = core.control_risk(*counts("bcg"))
    at = fit.at(0.02)
    logit = math.log(0.02 / 0.98)
    assert at.effect == pytest.approx(fit.effect + fit.slope * (logit - fit.control_logit))
    assert at.risk == pytest.approx(1 / (1 + math.exp(-logit - at.effect)))
    assert at.difference == at.risk - 0.02
    assert at.difference_ci.low == at.risk_ci.low - 0.02
    assert at.effect_prediction.low < at.effect_ci.low < at.effect < at.effect_ci.high < at.effect_prediction.high
    assert at.risk_prediction.low < at.risk_ci.low < at.risk < at.risk_ci.high < at.risk_prediction.high
    # the delta method, with its derivatives by differences
    quantile = stats.t.ppf(0.975, 11)
    step, gradient = 1e-6, np.zeros(5)
    for j, move in enumerate(step * np.eye(5)):
        ends = []
        for sign in (1, -1):
            mean, effect, spread, tilt, _ = fit.parameters + sign * move
            ends.append(effect + tilt / spread * (logit - mean))
        gradient[j] = (ends[0] - ends[1]) / (2 * step)
    se = math.sqrt(gradient @ fit.covariance @ gradient)
    assert (at.effect_ci.high - at.effect_ci.low) / (2 * quantile) == pytest.approx(se, rel=1e-6)
    wider = (at.effect_prediction.high - at.effect_prediction.low) / (2 * quantile)
    assert wider**2 == pytest.approx(se**2 + fit.parameters[4] ** 2 + fit.covariance[4, 4], rel=1e-6)


def test_intervals_and_tests_are_by_t():
    fit = core.control_risk(*counts("bcg"))
    assert fit.df == 11
    for middle, se, ci, p in (
        (fit.effect, fit.effect_se, fit.effect_ci, fit.effect_p),
        (fit.slope, fit.slope_se, fit.slope_ci, fit.slope_p),
        (fit.control_logit, fit.control_logit_se, fit.control_logit_ci, None),
    ):
        assert (ci.low, ci.high) == pytest.approx(stats.t.interval(0.95, 11, middle, se), rel=1e-9)
        assert p is None or p == pytest.approx(2 * stats.t.sf(abs(middle / se), 11), rel=1e-9)


def test_a_slope_by_the_delta_method_agrees_with_another_parameterisation():
    """Slope c/v, by the covariance of variance and covariance themselves."""
    fit = core.control_risk(*counts("bcg"))
    _, _, spread, tilt, _ = fit.parameters
    # (v, c) = (spread^2, spread * tilt); d(c/v) = dc/v - c dv/v^2
    turn = np.array([[2 * spread, 0], [tilt, spread]])
    both = turn @ fit.covariance[2:4, 2:4] @ turn.T
    gradient = np.array([-spread * tilt / spread**4, 1 / spread**2])
    assert fit.slope_se == pytest.approx(math.sqrt(gradient @ both @ gradient), rel=1e-9)


def test_fewer_than_ten_studies_carry_a_caution():
    cells = np.array(counts("bcg"))
    assert "Fewer than ten studies" in core.control_risk(*cells[:, :9]).notes[0]
    assert core.control_risk(*cells[:, :10]).notes == ()


def test_the_effect_is_the_mean_at_the_mean_control_risk():
    fit = core.control_risk(*counts("lee2004"), level=0.9)
    at = fit.at(1 / (1 + math.exp(-fit.control_logit)))
    assert at.effect == pytest.approx(fit.effect)
    assert fit.tau2 == pytest.approx(fit.residual_tau2 + fit.slope**2 * fit.control_variance)
    assert fit.correlation == pytest.approx(fit.slope * math.sqrt(fit.control_variance / fit.tau2))
    assert fit.effect_ci.level == at.risk_ci.level == 0.9


@pytest.mark.parametrize("risk", [0.3, 1e-6])
def test_risks_outside_those_observed_are_refused(risk):
    fit = core.control_risk(*counts("bcg"))
    with pytest.raises(core.InputError, match=r"lowest and the highest risk observed .* 0\.001282 to 0\.2564"):
        fit.at(risk)
    for low_or_high in fit.observed:
        assert fit.at(low_or_high).control_risk == low_or_high
    with pytest.raises(core.InputError, match="control_risk must be a number"):
        core.control_risk(*counts("nielweise2007")).at(0.0)


def test_what_the_model_is_not_fitted_to():
    a, n1, c, n2 = counts("bcg")
    assert "4 studies" in core.control_risk(a[:4], n1[:4], c[:4], n2[:4]).reason
    assert "infinite" in core.control_risk([0] * 6, [9] * 6, [3, 2, 1, 4, 5, 2], [9] * 6).reason
    with pytest.raises(core.InputError, match="level"):
        core.control_risk(a, n1, c, n2, level=95)


def test_order_changes_nothing():
    fit, turned = (core.control_risk(*(x[::step] for x in counts("lee2004"))) for step in (1, -1))
    assert turned.parameters == pytest.approx(fit.parameters, rel=1e-7)


def test_an_effect_without_heterogeneity():
    """Exactly the same odds ratio in every study, which are of large but unlike risks."""
    risk = np.array([0.1, 0.2, 0.3, 0.5, 0.6, 0.75])
    treated = 2 * risk / (1 + risk)  # odds ratio 2
    fit = core.control_risk(1000 * treated, [1000] * 6, 1000 * risk, [1000] * 6)
    assert fit.effect == pytest.approx(math.log(2), rel=1e-3)
    assert fit.slope == pytest.approx(0, abs=1e-3)
    assert fit.residual_tau2 == 0
    assert "estimated as 0" in fit.notes[-1]
    at = fit.at(0.3)
    assert at.effect_prediction.high - at.effect_prediction.low > at.effect_ci.high - at.effect_ci.low
    assert "note:" in str(fit)


def test_results_can_be_read_and_written():
    fit = core.control_risk(*counts("bcg"))
    at = fit.at(0.1)
    for result in (fit, at):
        json.dumps(result.to_dict(), allow_nan=False)
        assert {len(row) for row in result.to_rows()} == {len(result.columns)}
        assert "<table>" in result._repr_html_()
    assert "13 studies, bivariate binomial model, control risks 0.001282 to 0.2564" in str(fit)
    assert "risk under treatment, new study" in str(at)
    with pytest.raises(ValueError, match="read-only"):
        fit.parameters[0] = 1.0
