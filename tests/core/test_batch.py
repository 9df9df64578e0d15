"""Many fits at once are the single fits, whatever the estimator."""

import itertools

import mpmath
import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core import batch
from ipsevidence.core.batch import BATCH_ESTIMATORS, fit_designs, fit_samples, fit_selections
from ipsevidence.core.batch_rows import Designs
from ipsevidence.core.inputs import InputError
from ipsevidence.core.weighting import RegressionModel

RANDOM = np.random.default_rng(11)
V = np.array([0.02, 0.3, 0.11, 0.05, 0.4, 0.07, 0.16])
Y = 0.3 + RANDOM.normal(size=7) * np.sqrt(V + 0.15)
X = np.column_stack([np.ones(7), RANDOM.normal(2010.0, 5.0, 7), RANDOM.integers(0, 2, 7)])
ORDERS = np.array([RANDOM.permutation(7) for _ in range(12)])
# each restricted likelihood has two maxima, of which the higher is given (from a grid of 4,000 points)
TWO_MAXIMA = [
    ([0.2, 2.7, -0.1, 0.3, -5.7], [0.25, 4.68, 23.67, 0.16, 4.07], 4.946),
    ([2.0, -0.9, -4.0, -0.4, -0.7], [3.39, 1.0, 1.5, 0.31, 0.05], 0.0),
]
TWO_MAXIMA_MODERATED = [
    ([-1.1, -0.9, 2.3, 1.4, -1.3], [0.16, 0.08, 9.32, 0.47, 2.21], 0.9219),
    ([4.7, -4.6, 2.2, -1.2, -1.6], [0.03, 15.48, 0.44, 25.67, 2.97], 0.0),
]


@pytest.mark.parametrize("tau2", core.TAU2_ESTIMATORS)
def test_designs_are_fitted_as_by_themselves(tau2):
    found = fit_designs(RegressionModel(Y, V, X), ORDERS, tau2=tau2)
    for row, order in enumerate(ORDERS):
        one = core.meta_regression(Y, V, X[order], tau2=tau2, interval="wald")
        assert found.coefficients[row] == pytest.approx(one.coefficients, rel=1e-9)
        np.testing.assert_allclose(found.covariance[row], one.covariance, rtol=1e-9)
        hartung = core.meta_regression(Y, V, X[order], tau2=tau2, interval="hksj")
        assert found.q_tau2[row] / 4 == pytest.approx(hartung.covariance[0, 0] / one.covariance[0, 0], rel=1e-9)


@pytest.mark.parametrize("tau2", core.TAU2_ESTIMATORS)
def test_samples_are_fitted_as_by_themselves(tau2):
    samples = Y[ORDERS]
    found = fit_samples(samples, V, tau2=tau2)
    for row, y in enumerate(samples):
        one = core.pool(y, V, tau2=tau2, interval="wald")
        assert [found.estimate[row], found.se[row], found.q[row]] == pytest.approx(
            [one.estimate, one.se, one.q], rel=1e-9
        )
        assert found.tau2[row] == pytest.approx(one.tau2, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("tau2", ["reml", "ml", "pm", "genqm"])
def test_blocks_do_not_matter(monkeypatch, tau2):
    model = RegressionModel(Y, V, X)
    whole = fit_designs(model, ORDERS, tau2=tau2)
    monkeypatch.setattr(batch, "CHUNK", 300)
    for found, expected in zip(fit_designs(model, ORDERS, tau2=tau2), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("interval", core.INTERVALS)
@pytest.mark.parametrize("statistic", ["test", "estimate"])
def test_permutation_tests_count_what_single_fits_give(interval, statistic):
    y, v, x = Y[:5], V[:5], X[:5, :2]
    found = core.permutation_test(y, v, x, interval=interval, statistic=statistic)
    fits = [core.meta_regression(y, v, x[list(o)], interval=interval) for o in itertools.permutations(range(5))]
    each = np.array([fit.statistic if statistic == "test" else fit.coefficients for fit in fits])
    qm = np.array([fit.qm for fit in fits])
    assert (found.exact, found.permutations) == (True, 120)
    assert found.statistic == pytest.approx(each[0], rel=1e-9)
    assert found.qm == pytest.approx(qm[0], rel=1e-9)
    assert list(found.p) == list((np.abs(each) >= np.abs(each[0]) * (1 - 1e-9)).mean(axis=0))
    assert found.qm_p == (qm >= qm[0] * (1 - 1e-9)).mean()


def test_equal_arrangements_are_ties_where_a_variance_is_tiny():
    y, v = np.array([0.1, 0.9, 0.4, 1.3, 0.2]), np.array([1e-16, 1e-9, 1.0, 1e-5, 2.0])
    found = core.permutation_test(y, v, np.column_stack([np.ones(5), [0, 0, 1, 1, 1]]))
    assert (found.exact, found.permutations) == (True, 10)
    assert found.p.min() >= 0.1


@pytest.mark.parametrize(("y", "v", "highest"), TWO_MAXIMA)
def test_of_two_maxima_the_higher_is_found(y, v, highest):
    found = fit_selections(np.array(y), np.array(v), np.ones((1, 5), dtype=bool), tau2="reml").tau2[0]
    assert found == pytest.approx(core.estimate_tau2(y, v, method="reml").tau2, rel=1e-9)
    assert found == pytest.approx(highest, abs=0.003)


@pytest.mark.parametrize(("y", "v", "highest"), TWO_MAXIMA_MODERATED)
def test_of_two_maxima_with_a_moderator_the_higher_is_found(y, v, highest):
    design = np.column_stack([np.ones(5), [0, 0, 1, 1, 2]])
    model = RegressionModel(np.array(y), np.array(v), design)
    found = fit_designs(model, np.arange(5)[None], tau2="reml")
    one = core.meta_regression(y, v, design, interval="wald")
    assert one.tau2 == pytest.approx(highest, abs=0.002)
    assert found.coefficients[0] == pytest.approx(one.coefficients, rel=1e-9)


def test_estimators_without_a_vectorised_form():
    with pytest.raises(InputError, match="tau2 must be one of"):
        fit_selections(Y, V, np.ones((2, 7), dtype=bool), tau2="genqm")
    assert set(BATCH_ESTIMATORS) < set(core.TAU2_ESTIMATORS)


@pytest.mark.parametrize("small", [1e-8, 1e-12])
def test_designs_with_studies_that_outweigh_all_others_keep_their_digits(small):
    draws = np.random.default_rng(3)
    v = np.concatenate([[small, 2 * small], draws.uniform(0.5, 2.0, 8)])
    y = np.concatenate([[0.1, 0.2], draws.normal(0.0, 0.3, 8)])
    X = np.column_stack([np.ones(10), draws.normal(size=10)])
    orders = np.array([draws.permutation(10) for _ in range(20)])
    found = fit_designs(RegressionModel(y, v, X), orders, tau2="reml")
    for coefficients, order in zip(found.coefficients, orders, strict=True):
        alone = core.meta_regression(y, v, X[order], tau2="reml")
        assert coefficients == pytest.approx(alone.coefficients, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("small", [1e-6, 1e-9, 1e-12])
def test_the_score_of_a_design_keeps_its_digits_where_studies_outweigh_all_others(small, restricted):
    """The same in 60 digits."""
    y, v = np.array([0.1, 0.2, -0.4, 0.3, 0.7]), np.array([small, 2 * small, 1.0, 1.5, 2.0])
    X = np.column_stack([np.ones(5), [0.3, 0.1, -0.5, 0.7, 0.2]])
    found = Designs(y, v, X[None]).score(np.zeros(1), restricted=restricted)[0][0]
    with mpmath.workdps(60):
        W, design = mpmath.diag([1 / mpmath.mpf(one) for one in v]), mpmath.matrix(X.tolist())
        P = W - W * design * (design.T * W * design) ** -1 * design.T * W
        py = P * mpmath.matrix(y.tolist())
        trace = sum((P if restricted else W)[i, i] for i in range(5))
        expected = float(trace - (py.T * py)[0])
    assert found == pytest.approx(expected, rel=1e-9)
