import json
import math

import mpmath
import numpy as np
import pytest

from ipsevidence import core

mpmath.mp.dps = 16
Y = np.array([-2.31, -1.26, -0.42, 0.3])
V = np.array([0.72, 0.32, 0.18, 0.08])


def exact(prior, what, top=mpmath.inf):
    """Integrate over tau with mpmath; the effect given tau is normal."""

    def parts(tau):
        w = [1 / (mpmath.mpf(v) + tau**2) for v in V]
        total = mpmath.fsum(w)
        mean = mpmath.fdot(w, map(mpmath.mpf, Y)) / total
        gap = mpmath.fsum(wi * (mpmath.mpf(yi) - mean) ** 2 for wi, yi in zip(w, Y, strict=True))
        density = mpmath.sqrt(mpmath.fprod(w) / total) * mpmath.exp(-gap / 2) * prior(tau)
        return density, mean, 1 / total

    breaks = [0, 0.25, 0.5, 1, 2, 4, top] if top == mpmath.inf else [0, top / 2, top]
    return mpmath.quad(lambda tau: what(*parts(tau)), breaks)


PRIORS = {
    "half-normal": lambda tau: mpmath.exp(-2 * tau**2),
    "half-cauchy": lambda tau: 1 / (1 + 4 * tau**2),
    "half-t": lambda tau: (1 + tau**2) ** mpmath.mpf(-2.5),
    "flat": lambda _: mpmath.mpf(1),
}


@pytest.mark.parametrize("prior", PRIORS)
def test_against_high_precision_integrals(prior):
    fit = core.bayes(Y, V, tau_prior=prior, scale=0.5, df=4)
    total = exact(PRIORS[prior], lambda d, *_: d)
    mean = exact(PRIORS[prior], lambda d, m, _: d * m) / total
    assert fit.mean == pytest.approx(float(mean), rel=1e-11)
    if prior != "flat":
        square = exact(PRIORS[prior], lambda d, m, s: d * (s + (m - mean) ** 2)) / total
        assert fit.sd == pytest.approx(float(mpmath.sqrt(square)), rel=1e-7)
    for tau, share in ((fit.tau_median, 0.5), (fit.tau_ci_central.high, 0.975)):
        below = exact(PRIORS[prior], lambda d, *_: d, mpmath.mpf(tau)) / total
        assert float(below) == pytest.approx(share, rel=1e-9)
    for mu, share in ((fit.ci_central.low, 0.025),):
        below = exact(PRIORS[prior], lambda d, m, s, mu=mu: d * mpmath.ncdf((mu - m) / mpmath.sqrt(s))) / total
        assert float(below) == pytest.approx(share, rel=1e-9)
    assert fit.below_zero == pytest.approx(
        float(exact(PRIORS[prior], lambda d, m, s: d * mpmath.ncdf(-m / mpmath.sqrt(s))) / total), rel=1e-10
    )


@pytest.mark.parametrize("prior", PRIORS)
def test_density_of_tau_against_high_precision(prior):
    fit = core.bayes(Y, V, tau_prior=prior, scale=0.5, df=4)

    def height(tau):
        w = [1 / (mpmath.mpf(v) + mpmath.mpf(tau) ** 2) for v in V]
        mean = mpmath.fdot(w, map(mpmath.mpf, Y)) / mpmath.fsum(w)
        gap = mpmath.fsum(wi * (mpmath.mpf(yi) - mean) ** 2 for wi, yi in zip(w, Y, strict=True))
        return mpmath.sqrt(mpmath.fprod(w) / mpmath.fsum(w)) * mpmath.exp(-gap / 2) * PRIORS[prior](mpmath.mpf(tau))

    total = mpmath.quad(height, [0, 0.25, 0.5, 1, 2, 4, mpmath.inf])
    at = [0.0, 1e-3, 0.1, 0.7, 2.0, 9.0]
    assert fit.tau_density(at) == pytest.approx([float(height(tau) / total) for tau in at], rel=1e-10)
    assert fit.tau_density([[-1.0], [0.0]]).shape == (2, 1)
    assert fit.tau_density(-1.0) == 0.0


def test_density_of_tau_under_a_normal_prior_of_the_mean():
    fit = core.bayes(Y, V, mu_mean=0.3, mu_sd=0.4, tau_prior="uniform", scale=1.5)
    grid = np.linspace(0.0, 1.5, 3001)
    assert np.trapezoid(fit.tau_density(grid), grid) == pytest.approx(1.0, abs=1e-6)
    assert fit.tau_density(1.6) == 0.0
    # at each tau the effects are normal about 0.3, with the variance of the prior shared by all
    covariance = [np.diag(V + tau**2) + 0.4**2 for tau in (0.2, 1.1)]
    likelihood = [
        np.exp(-0.5 * (Y - 0.3) @ np.linalg.solve(c, Y - 0.3)) / math.sqrt(np.linalg.det(c)) for c in covariance
    ]
    low, high = fit.tau_density([0.2, 1.1])
    assert low / high == pytest.approx(likelihood[0] / likelihood[1], rel=1e-11)
    prior = 1 / 1.5 / (2 * math.pi) ** 2
    assert math.exp(fit.log_marginal) == pytest.approx(prior * likelihood[0] / low, rel=1e-11)


def test_shortest_intervals_hold_their_share_and_end_at_equal_density():
    fit = core.bayes(Y, V)
    assert fit.ci.high - fit.ci.low < fit.ci_central.high - fit.ci_central.low
    low, high = fit.density([fit.ci.low, fit.ci.high])
    assert low == pytest.approx(high, rel=1e-6)
    grid = np.linspace(fit.ci.low, fit.ci.high, 4001)
    assert np.trapezoid(fit.density(grid), grid) == pytest.approx(0.95, abs=1e-6)
    inside = np.linspace(fit.tau_ci.low, fit.tau_ci.high, 4001)
    assert np.trapezoid(fit.tau_density(inside), inside) == pytest.approx(0.95, abs=1e-6)
    assert fit.tau_ci.high - fit.tau_ci.low < fit.tau_ci_central.high - fit.tau_ci_central.low


def test_a_narrow_prior_is_a_common_effect_and_a_given_tau_its_mean():
    fit, common = core.bayes(Y, V, scale=1e-6), core.pool(Y, V, tau2="common", interval="wald")
    assert [fit.mean, fit.sd, fit.ci.low] == pytest.approx([common.estimate, common.se, common.ci.low], rel=1e-8)
    assert fit.bf_tau == pytest.approx(1, rel=1e-6)
    assert fit.shrunk == pytest.approx(np.full(4, common.estimate), rel=1e-6)


def test_bayes_factors():
    fit = core.bayes(Y, V, mu_sd=4.0)
    # against numerical integrals of the likelihood times both priors
    prior = PRIORS["half-normal"]

    def marginal(tau, fixed):
        total = [mpmath.mpf(v) + tau**2 for v in V]
        values = list(map(mpmath.mpf, Y))
        scale = mpmath.fprod(mpmath.sqrt(2 * mpmath.pi * t) for t in total)
        if fixed:
            return mpmath.exp(-mpmath.fsum(y**2 / t for y, t in zip(values, total, strict=True)) / 2) / scale
        precision = mpmath.fsum(1 / t for t in total) + mpmath.mpf(1) / 16
        mean = mpmath.fsum(y / t for y, t in zip(values, total, strict=True)) / precision
        gap = mpmath.fsum((y - mean) ** 2 / t for y, t in zip(values, total, strict=True)) + mean**2 / 16
        return mpmath.exp(-gap / 2) / scale / mpmath.sqrt(precision) / 4

    constant = 4 / mpmath.sqrt(2 * mpmath.pi)
    breaks = [0, 0.25, 0.5, 1, 2, mpmath.inf]
    model = mpmath.quad(lambda tau: constant * prior(tau) * marginal(tau, fixed=False), breaks)
    without_mu = mpmath.quad(lambda tau: constant * prior(tau) * marginal(tau, fixed=True), breaks)
    assert fit.bf_mu == pytest.approx(float(without_mu / model), rel=1e-9)
    assert fit.bf_tau == pytest.approx(float(marginal(mpmath.mpf(0), fixed=False) / model), rel=1e-9)
    assert math.isnan(core.bayes(Y, V).bf_mu)
    assert math.isnan(core.bayes(Y, V, tau_prior="flat").bf_tau)


def test_uniform_prior_ends_where_it_says():
    fit = core.bayes(Y, V, tau_prior="uniform", scale=1.0)
    assert fit.tau_ci_central.high < 1
    assert fit.tau_ci.high == pytest.approx(1.0)  # the density still rises there
    assert fit.tau.max() < 1
    wide = core.bayes(Y, V, tau_prior="uniform", scale=1e6)
    flat = core.bayes(Y, V, tau_prior="flat")
    assert wide.tau_median == pytest.approx(flat.tau_median, rel=1e-6)
    assert core.bayes(Y, V, tau_prior="uniform", scale=1e-9).tau_median == pytest.approx(5e-10, rel=1e-6)


def test_heavy_tails_leave_no_moments():
    assert math.isnan(core.bayes(Y[:3], V[:3], tau_prior="flat").mean)
    assert math.isnan(core.bayes(Y, V, tau_prior="flat").sd)
    assert math.isnan(core.bayes(Y[:2], V[:2], tau_prior="half-cauchy").sd)
    assert not math.isnan(core.bayes(Y[:1], V[:1], tau_prior="half-cauchy", mu_sd=1).sd)
    assert isinstance(core.bayes(Y[:2], V[:2], tau_prior="flat"), core.NotApplicable)


@pytest.mark.parametrize("prior", core.TAU_PRIORS)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_does_not_matter(prior, scale):
    fit, whole = (
        core.bayes(scale * Y, scale**2 * V, tau_prior=prior, scale=0.5 * scale),
        core.bayes(Y, V, tau_prior=prior),
    )
    assert fit.ci.low / scale == pytest.approx(whole.ci.low, rel=1e-7)
    assert fit.tau_median / scale == pytest.approx(whole.tau_median, rel=1e-9)
    assert fit.prediction.high / scale == pytest.approx(whole.prediction.high, rel=1e-9)


def test_identical_effects_one_study_and_far_variances():
    for y, v in (([1, 1, 1], [1, 2, 3]), ([1], [2]), ([1, 2, 3], [1e-8, 1, 1])):
        fit = core.bayes(y, v)
        assert np.isfinite([fit.mean, fit.sd, fit.tau_median, fit.prediction.low]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tau_prior": "gamma"}, "tau_prior must be one of"),
        ({"scale": 0}, "scale must be a number, finite and above 1e-100"),
        ({"mu_sd": -1}, "mu_sd must be a number, finite and above 1e-100"),
        ({"level": 1}, "level must be a number"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(core.InputError, match=message):
        core.bayes(Y, V, **settings)


@pytest.mark.parametrize("k", [1, 4])
def test_results_can_be_read_and_written(k):
    result = core.bayes(Y[:k], V[:k])
    assert "half-normal (0.5)" in str(result)
    json.dumps(result.to_dict(), allow_nan=False)
    assert {len(row) for row in result.to_rows()} == {4}


class TestSmallK:
    y, v = np.array([0.4, 0.9, 0.1, 1.3, 0.6, -0.2, 0.8, 0.3, 0.5, 1.6]), np.full(10, 0.05)

    def test_one_study_is_a_study(self):
        found = core.small_k_pool(self.y[:1], self.v[:1])
        assert (found.shown, found.diamond, found.bayes) == ("study", False, None)
        assert found.headline.estimate == 0.4
        assert not found.headline.ci.missing

    def test_two_studies_have_no_diamond(self):
        found = core.small_k_pool(self.y[:2], self.v[:2])
        assert (found.shown, found.diamond) == ("common", False)
        assert found.bayes.k == 2
        assert found.prediction.missing
        assert any("does not mean that there is no effect" in note for note in found.notes)

    @pytest.mark.parametrize("k", [3, 4])
    def test_three_or_four(self, k):
        found = core.small_k_pool(self.y[:k], self.v[:k])
        assert (found.shown, found.diamond) == ("hksj-adhoc", True)
        assert found.bayes.k == k
        assert found.prediction.missing

    def test_five_to_nine(self):
        found = core.small_k_pool(self.y[:7], self.v[:7])
        assert (found.shown, found.bayes) == ("hksj", None)
        assert not found.prediction.missing
        assert any("Fewer than ten" in note for note in found.notes)

    def test_ten(self):
        found = core.small_k_pool(self.y, self.v)
        assert (found.shown, found.notes) == ("hksj", ())

    @pytest.mark.parametrize("y", [np.full(6, 0.3), np.array([0.3, 0.31, 0.3, 0.29, 0.3, 0.3])])
    def test_ad_hoc_where_tau2_is_0(self, y):
        found = core.small_k_pool(y, self.v[:6])
        assert found.shown == "hksj-adhoc"
        assert any("ad hoc form is shown" in note for note in found.notes)

    @pytest.mark.parametrize("k", [1, 2, 6])
    def test_it_can_be_read_and_written(self, k):
        found = core.small_k_pool(self.y[:k], self.v[:k])
        assert str(found)
        json.dumps(found.to_dict(), allow_nan=False)
        assert {len(row) for row in found.to_rows()} == {4}
