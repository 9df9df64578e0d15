import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from ipsevidence import core
from ipsevidence.core.quadratic_forms import mixture_cdf
from ipsevidence.core.roots import crossing, falling_root
from ipsevidence.core.tau2 import root_of_q
from ipsevidence.core.weighting import MeanModel, RegressionModel

from .reference import CLASP, VIECHTBAUER_1, counts, metafor
from .tolerances import CLOSED, ITERATED, PRINTED, ZERO

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


def test_newton_on_the_reciprocal_needs_few_steps():
    """A root 1e12 variances away is found as easily as a near one."""
    model = MeanModel(np.array([0.0, 3e6, -1e6]), np.array([1.0, 2.0, 1e4]))
    root = root_of_q(model, 2.0)
    assert len(model.looks) <= 8
    assert model.q_and_slope(root)[0] == pytest.approx(2.0, rel=1e-14)


@given(
    y=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30),
    sizes=st.lists(st.floats(-6.0, 6.0), min_size=30, max_size=30),
    looks=st.lists(st.floats(-12.0, 50.0), max_size=6),
    share=st.floats(0.01, 0.99),
)
def test_a_root_of_q_does_not_depend_on_where_it_was_looked_at_before(y, sizes, looks, share):
    """Looks from far beyond the root lose digits, and must not take the search past it."""
    y, v = np.array(y), 10.0 ** np.array(sizes[: len(y)])
    fresh, used = MeanModel(y, v), MeanModel(y, v)
    for size in looks:
        used.q_and_slope(10.0**size)
    target = share * fresh.q_and_slope(0.0)[0]
    if target > 1e-6:
        found = root_of_q(used, target)
        assert found == pytest.approx(root_of_q(fresh, target), rel=1e-7)
        assert used.q_and_slope(found)[0] == pytest.approx(target, rel=1e-9)


FURTHER = metafor("tau2")
NOT_IN_METAFOR = {"gamma", "sj", "wald-ml", "wald-reml"}  # its confint has none of them: see test_tau2_bounds.py
CASES = [pytest.param(kind, name, id=f"{kind}-{name}") for kind in ("plain", "moderated") for name in FURTHER["sets"]]
# Jackson, Turner, Rhodes and Viechtbauer 2014, BMC Med Res Methodol 14:103, first example
JACKSON_Y = [0.0267, 0.8242, 0.3930, 2.4405, 2.1401, 1.2528, 2.4849, 0.3087]
JACKSON_Y += [1.4246, 0.1823, 1.1378, 1.2321, 2.0695, 4.0237, 1.4383, 1.6021]
JACKSON_V = [0.1285, 0.0315, 0.0931, 2.0967, 1.0539, 0.1602, 1.0235, 0.0218]
JACKSON_V += [0.5277, 0.0556, 0.3304, 0.1721, 0.4901, 2.0200, 0.3399, 0.1830]


def further(kind, name):
    studies = FURTHER["sets"][name]
    X = np.array(studies["X"], dtype=float) if kind == "moderated" else None
    return np.array(studies["yi"]), np.array(studies["vi"]), X


def test_the_further_grid_is_complete():
    estimators = set(core.TAU2_ESTIMATORS) - {"common", "genq", "genqm"} | {"genq_root"}
    for kind in ("plain", "moderated"):
        assert set(FURTHER[kind]) == set(FURTHER["sets"])
        for name, case in FURTHER[kind].items():
            missing = estimators - set(case["estimators"])
            # where Hedges's estimate is 0, metafor has nothing to start from
            y, v, X = further(kind, name)
            assert not missing or core.estimate_tau2(y, v, X, method="he").tau2 == 0
            assert set(case["intervals"]) == set(core.TAU2_INTERVALS) - {"genq", *NOT_IN_METAFOR}


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_estimators_with_and_without_moderators(kind, name):
    y, v, X = further(kind, name)
    for key, expected in FURTHER[kind][name]["estimators"].items():
        method = {"method": "genq", "weights": v**-0.5} if key == "genq_root" else {"method": key}
        found = core.estimate_tau2(y, v, X, **method)
        rel = ITERATED if key in {"ml", "reml", "eb", "pm", "pmm"} else CLOSED
        assert found.tau2 == pytest.approx(expected["tau2"], rel=rel, abs=ZERO * np.median(v))
        assert found.se == pytest.approx(expected["se"], rel=rel)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_intervals_with_and_without_moderators(kind, name):
    y, v, X = further(kind, name)
    for method, expected in FURTHER[kind][name]["intervals"].items():
        bounds = core.tau2_interval(y, v, X, method=method)
        assert [bounds.low, bounds.high] == pytest.approx(expected, rel=ITERATED, abs=ZERO * np.median(v))


@pytest.mark.parametrize("method", sorted(set(core.TAU2_ESTIMATORS) - {"common"}))
def test_a_column_of_ones_changes_nothing(method):
    y, v = VIECHTBAUER_1
    plain = core.estimate_tau2(y, v, method=method)
    design = core.estimate_tau2(y, v, np.full((10, 1), 3.0), method=method)
    assert design.tau2 == pytest.approx(plain.tau2, rel=1e-12)
    assert design.se == pytest.approx(plain.se, rel=1e-12, nan_ok=True)


def test_a_design_without_intercept_is_counted_from_zero():
    y, v = VIECHTBAUER_1
    x = np.linspace(0.2, 1.4, 10)
    model = RegressionModel(y, v, x[:, None])
    w = 1 / v
    slope = (w * x * y).sum() / (w * x * x).sum()
    assert model.coefficients(1 / model.v) == pytest.approx([slope])
    assert model.covariance(1 / model.v) == pytest.approx(1 / (w * x * x).sum())
    assert model.root * model.residuals(1 / model.v) == pytest.approx(y - slope * x)
    assert model.hat(1 / model.v) == pytest.approx(w * x * x / (w * x * x).sum())


def test_further_estimators_of_clasp():
    """DerSimonian and Kacker 2007: the two-step and median-unbiased estimates of tau."""
    y, v = core.two_by_two("OR", *CLASP)
    expected = {"ca2": 0.383104858, "dl2": 0.325360983, "sj2": 0.408427154, "hsk": 0.164352276, "pmm": 0.434098368}
    found = {key: core.estimate_tau2(y, v, method=key).tau2 ** 0.5 for key in expected}
    assert found == pytest.approx(expected, rel=PRINTED)
    assert core.estimate_tau2(y, v, method="genqm").tau2 ** 0.5 == pytest.approx(0.2929, abs=5e-5)
    assert core.pool(y, v, tau2="dl2").estimate == pytest.approx(-0.365462786, rel=PRINTED)


def test_profile_likelihood_collins():
    """Viechtbauer 2007, Stat Med 26:37-52."""
    y, v = core.two_by_two("OR", *counts("collins1985b"))
    ml, reml = (core.tau2_interval(y, v, method=f"profile-{kind}") for kind in ("ml", "reml"))
    assert [ml.low, ml.high] == pytest.approx([0.0265423464, 1.13075095], rel=PRINTED)
    assert [reml.low, reml.high] == pytest.approx([0.042712457, 1.4746625], rel=PRINTED)


@pytest.mark.parametrize(
    ("settings", "low", "high", "digits"),
    [
        ({"method": "genq"}, 0.0029, 0.6907, 5e-5),
        ({"method": "genq", "weights": np.array(JACKSON_V) ** -0.5}, 0.0, 1.1245, 1e-4),
        ({"method": "q-profile"}, 0.00232101703, 1.4871401, 5e-9),
    ],
)
def test_generalised_q_with_a_moderator(settings, low, high, digits):
    """Jackson et al 2014, BMC Med Res Methodol 14:103, example 1."""
    X = np.column_stack([np.ones(16), [0] * 10 + [1] * 6])
    bounds = core.tau2_interval(JACKSON_Y, JACKSON_V, X, **settings)
    assert [bounds.low, bounds.high] == pytest.approx([low, high], abs=digits)


def test_profile_likelihood_from_zero():
    bounds = core.tau2_interval(*HOMOGENEOUS, method="profile-reml")
    assert bounds.low == 0 < bounds.high


def test_an_empty_generalised_q_interval_says_so():
    bounds = core.tau2_interval([0.1, 0.1001, 0.0999, 0.1], [1, 1, 1, 1], method="genq")
    assert (bounds.low, bounds.high) == (0, 0)
    assert "empty" in bounds.why


def test_the_median_unbiased_estimate_halves_the_distribution():
    y, v = VIECHTBAUER_1
    tau2 = core.estimate_tau2(y, v, method="genqm").tau2
    model = MeanModel(y, v)
    weights = model.form_weights(1 / model.v, tau2 / model.scale)
    assert mixture_cdf(model.sum_of_squares(1 / model.v), weights) == pytest.approx(0.5, abs=1e-10)


@pytest.mark.parametrize("m", [1, 2, 3, 7, 20, 60, 150])
def test_a_mixture_of_equal_weights_is_a_chi_square(m):
    for x in (0.01 * m, 0.5 * m, m, 2.5 * m):
        assert mixture_cdf(2 * x, np.full(m, 2.0)) == pytest.approx(special.chdtr(m, x), abs=1e-10)
    assert mixture_cdf(0, np.ones(m)) == 0


def test_a_mixture_of_unequal_weights():
    # two pairs of equal weights make a sum of two exponentials
    exact = 1 - (3 * np.exp(-1 / 6) - np.exp(-1 / 2)) / 2
    assert mixture_cdf(1.0, np.array([3.0, 3.0, 1.0, 1.0])) == pytest.approx(exact, abs=1e-12)


def test_roots():
    assert crossing(lambda t: t**3 - 2, 0, 4) == pytest.approx(2 ** (1 / 3), rel=1e-15)
    assert crossing(lambda t: t, -1, 1) == 0
    assert crossing(lambda t: -1.0 if t < 0.3 else 1.0, 0, 1) == pytest.approx(0.3, rel=1e-15)
    assert falling_root(lambda t: 5 - t, 1e-9) == pytest.approx(5, rel=1e-15)
    assert falling_root(lambda t: -1 - t, 1) == 0


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((3, 1)), r"X must have one row per study \(4\); got shape \(3, 1\)"),
        (np.ones((4, 0)), "X must have one row per study"),
        ([[1], ["a"]], "X must be a matrix of numbers"),
        ([1, 2, np.nan, 4], "X must be finite; it is not in study 3 of 4"),
        (np.eye(4), r"X must have fewer columns than studies \(4\); got 4"),
        (np.ones((4, 2)), "X must have linearly independent columns"),
        (np.zeros(4), "X must have linearly independent columns"),
    ],
)
def test_designs_that_cannot_be(X, message):
    with pytest.raises(core.InputError, match=message):
        core.estimate_tau2(*HOMOGENEOUS, X)


def test_weights_are_checked():
    with pytest.raises(core.InputError, match="weights must be finite and above 0; got -1 in study 2"):
        core.estimate_tau2(*HOMOGENEOUS, method="genq", weights=[1, -1, 1, 1])


def test_wrong_methods():
    with pytest.raises(core.InputError, match="method must be one of"):
        core.estimate_tau2([1, 2], [1, 1], method="dersimonian")
    with pytest.raises(core.InputError, match=r"method must be one of \{'q-profile'"):
        core.tau2_interval([1, 2], [1, 1], method="profile")
