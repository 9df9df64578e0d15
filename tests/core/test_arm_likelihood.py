import mpmath
import numpy as np
import pytest

from ipsevidence.core.arm_likelihood import ArmLikelihood, Slopes, highest_peak
from ipsevidence.core.control_risk_model import ARMS
from ipsevidence.core.effects import Cells

from .reference import counts, metafor

FITS = metafor("mixed_models")["fits"]
FIXED = [half * np.eye(2) for half in (0.5, -0.5)]
RANDOM = [[[1, 0, 0], [half, 0, 0], [0, 1, 0], [0, 0, half]] for half in (0.5, -0.5)]
# small arms, an empty one, a full one, large arms
CELLS = Cells(*(np.array(x, dtype=float) for x in ([0, 3, 9, 400], [12, 17, 0, 1600], [2, 8, 7, 90], [10, 12, 5, 310])))


def cells_of(name, *, drop):
    a, n1, c, n2 = (x.astype(float) for x in counts(name))
    keep = ((a + c > 0) & (a + c < n1 + n2)) | (not drop)
    return Cells(*(x[keep] for x in (a, n1 - a, c, n2 - c)))


def test_one_random_effect_against_high_precision_integrals():
    effect, tau, theta = -0.6, 0.7, np.array([-2.1, -1.0, 0.9, -1.3])
    likelihood = ArmLikelihood(CELLS, FIXED, own_intercepts=True)
    total = mpmath.mpf(0)
    for i, (a, b, c, d) in enumerate(np.column_stack(CELLS)):

        def density(z, a=a, b=b, c=c, d=d, i=i):
            half = (effect + tau * z) / 2
            p, q = (1 / (1 + mpmath.exp(-(theta[i] + turn * half))) for turn in (1, -1))
            both = mpmath.binomial(a + b, a) * mpmath.binomial(c + d, c)
            return both * p**a * (1 - p) ** b * q**c * (1 - q) ** d * mpmath.npdf(z)

        total += mpmath.log(mpmath.quad(density, [-12, *np.arange(-6.0, 6.5, 0.5), 12]))
    assert likelihood(np.concatenate([[effect, tau], theta])).value == pytest.approx(float(total), rel=1e-11)


@pytest.mark.parametrize(
    ("design", "parameters"),
    [(RANDOM, [-1.2, -0.5, 0.8, 1.1]), (ARMS, [-1.0, -0.5, 1.2, -0.4, 0.6]), (ARMS, [-1.0, 0.2, 0.9, 0.5, 0.0])],
)
def test_two_random_effects_against_a_dense_grid(design, parameters):
    """The trapezium rule on the whole plane, which for a smooth and falling integrand converges geometrically."""
    found = ArmLikelihood(CELLS, design)(np.array(parameters)).value
    axis = np.linspace(-9, 9, 1201)
    u, w = np.meshgrid(axis, axis, indexing="ij")
    weights = [np.array(parameters) @ np.array(arm, dtype=float) for arm in design]
    total = 0.0
    for a, b, c, d in np.column_stack(CELLS):
        logs = -0.5 * (u * u + w * w) - np.log(2 * np.pi)
        for (x, y), (mean, first, second) in zip(((a, b), (c, d)), weights, strict=True):
            odds = mean + first * u + second * w
            logs += x * odds - (x + y) * np.logaddexp(0, odds) + float(mpmath.log(mpmath.binomial(x + y, x)))
        total += np.log(np.exp(logs).sum() * (axis[1] - axis[0]) ** 2)
    assert found == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize(
    ("design", "own", "at"),
    [
        (FIXED, True, [-0.6, 0.7, -2.1, -1.0, 0.9, -1.3]),
        (RANDOM, False, [-1.2, -0.5, 0.8, 1.1]),
        (ARMS, False, [-1.0, -0.5, 1.2, -0.4, 0.6]),
    ],
)
def test_derivatives(design, own, at):
    likelihood, at, step = ArmLikelihood(CELLS, design, own_intercepts=own), np.array(at), 1e-5
    here = likelihood(at)
    moved = [(likelihood(at + step * e), likelihood(at - step * e)) for e in np.eye(at.size)]
    slopes = np.array([(up.value - down.value) / (2 * step) for up, down in moved])
    curves = np.array([(up.gradient - down.gradient) / (2 * step) for up, down in moved])
    assert here.gradient == pytest.approx(slopes, rel=1e-6, abs=1e-6)
    assert here.hessian == pytest.approx(curves, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", FITS)
def test_one_node_is_the_laplace_approximation_of_lme4(name):
    """Compared at lme4's estimates; its inner iterations leave up to 1e-5."""
    fit = FITS[name]["um.rs"]
    at = np.array([fit["intercept"], fit["estimate"], fit["sigma2"] ** 0.5, fit["tau2"] ** 0.5])
    found = ArmLikelihood(cells_of(name, drop=True), RANDOM, nodes=1)(at).value
    assert found == pytest.approx(fit["log_likelihood"], abs=2e-5)

    fit = FITS[name]["control_risk"]
    spread = fit["control_variance"] ** 0.5
    tilt = fit["covariance"] / spread if spread > 1e-8 else 0.0
    rest = max(0.0, fit["tau2"] - tilt**2) ** 0.5
    at = np.array([fit["control_logit"], fit["estimate"], spread, tilt, rest])
    found = ArmLikelihood(cells_of(name, drop=False), ARMS, nodes=1)(at).value
    assert found == pytest.approx(fit["log_likelihood"], abs=2e-5)


def test_more_nodes_change_nothing():
    cells = cells_of("nielweise2007", drop=False)
    at = np.array([-3.4, -1.3, 0.9, -0.4, 0.7])
    values = [ArmLikelihood(cells, ARMS, nodes=nodes)(at).value for nodes in (31, 61)]
    assert values[0] == pytest.approx(values[1], rel=1e-10)


def test_a_climb_leaves_saddles():
    """Two peaks at -1 and 1 in a loading, and a saddle at 0; the second parameter follows the sign of the first."""

    def likelihood(at):
        x, y = at
        value = -((x * x - 1) ** 2) - (y - x) ** 2
        gradient = np.array([-4 * x * (x * x - 1) + 2 * (y - x), -2 * (y - x)])
        return Slopes(value, gradient, np.array([[-12 * x * x + 4 - 2, 2.0], [2.0, -2.0]]))

    for start in ([0.0, 0.0], [0.0, 3.0], [-2.0, 1.0], [0.1, -5.0]):
        peak = highest_peak(likelihood, [np.array(start)], [(0, 1)])
        assert peak.at == pytest.approx([1.0, 1.0])
        assert peak.log_likelihood == pytest.approx(0)


def test_what_has_no_peak():
    def rising(at):
        return Slopes(float(-np.exp(-at[0])), np.array([np.exp(-at[0])]), np.array([[-np.exp(-at[0])]]))

    def flat(at):
        return Slopes(float(-(at[0] ** 2)), np.array([-2 * at[0], 0.0]), np.array([[-2.0, 0.0], [0.0, 0.0]]))

    assert highest_peak(rising, [np.zeros(1)], []) is None
    assert highest_peak(flat, [np.ones(2)], []) is None


def test_a_climb_that_stops_short(monkeypatch):
    def hill(at):
        return Slopes(float(-(at[0] ** 2) / 2), -at, -np.eye(1))

    def uneven(at):
        """A likelihood whose gradient points the wrong way: no step along it is uphill."""
        return Slopes(float(-(at[0] ** 2) / 2), at, -np.eye(1))

    assert highest_peak(hill, [np.array([5.0])], []).at == pytest.approx([0.0])
    assert highest_peak(uneven, [np.array([5.0])], []) is None
    monkeypatch.setattr("ipsevidence.core.arm_likelihood.MOST_STEPS", 2)
    assert highest_peak(hill, [np.array([5.0])], []) is None
