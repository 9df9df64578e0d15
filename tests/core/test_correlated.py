import numpy as np
import pytest

from ipsevidence import core

from .reference import metafor
from .tolerances import CLOSED, ITERATED

REFERENCE = metafor("multilevel")
ARMS = {name: np.array(values) for name, values in REFERENCE["arms"].items()}
BLOCKS = {block["measure"]: block for block in REFERENCE["blocks"]}
POOLS = [pytest.param(case, id=f"{case['measure']}-{case['method']}-{case['test']}") for case in REFERENCE["pools"]]
# Gleser and Olkin 2009, table 19.2: events and sizes, control first
GLESER = {
    "study": [1, 1, 2, 3, 3, 3],
    "treatment": np.array([1, 2, 1, 1, 2, 3]),
    "control": ([40, 40, 10, 150, 150, 150], [1000, 1000, 200, 2000, 2000, 2000]),
    "arm": ([100, 150, 15, 40, 80, 50], [4000, 4000, 400, 1000, 1000, 1000]),
}


def effects(measure):
    return core.shared_control_covariance(measure, *(ARMS[key] for key in ("ai", "n1i", "ci", "n2i", "study")))


def test_the_grid_is_complete():
    kinds = {(case["measure"], case["method"], case["test"]) for case in REFERENCE["pools"]}
    assert len(kinds) == len(REFERENCE["pools"]) == 3 * 3 * 2


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_covariances(measure):
    y, V = effects(measure)
    np.testing.assert_allclose(y, BLOCKS[measure]["yi"], rtol=CLOSED)
    np.testing.assert_allclose(V, BLOCKS[measure]["V"], rtol=CLOSED)


@pytest.mark.parametrize("case", POOLS)
def test_agrees_with_metafor(case):
    t = case["test"] == "t"
    fit = core.pool_correlated(
        *effects(case["measure"]),
        tau2=case["method"],
        interval="t" if t else "wald",
        prediction="t-k1" if t else "normal",
    )
    # metafor's nlminb stops at six digits of tau2
    near = 0 if case["method"] == "common" else ITERATED * fit.se
    for name, found in (("estimate", fit.estimate), ("se", fit.se), ("low", fit.ci.low), ("high", fit.ci.high)):
        assert found == pytest.approx(case[name], rel=ITERATED, abs=near), name
    assert [fit.q, fit.p] == pytest.approx([case["q"], case["p"]], rel=1e-5)
    assert fit.tau2 == pytest.approx(case["tau2"], rel=1e-5, abs=1e-12)
    np.testing.assert_allclose(fit.weights, case["weights"], rtol=1e-5)
    if case["method"] != "common":
        assert [fit.prediction.low, fit.prediction.high] == pytest.approx([case["pi_low"], case["pi_high"]], rel=1e-5)


@pytest.mark.parametrize("tau2", ["common", "dl", "he", "ml", "reml", "pm", 0.2])
@pytest.mark.parametrize("interval", core.INTERVALS)
def test_without_covariances_it_is_a_pool(tau2, interval):
    y, v = np.array([0.1, 0.5, -0.6, 0.9, 0.3]), np.array([0.02, 0.1, 0.05, 0.08, 0.03])
    found = core.pool_correlated(y, np.diag(v), tau2=tau2, interval=interval)
    fit = core.pool(y, v, tau2=tau2, interval=interval)
    for name in ("estimate", "se", "p", "tau2", "tau2_se", "i2", "h2", "i2_q", "q", "q_p"):
        assert getattr(found, name) == pytest.approx(getattr(fit, name), rel=1e-9, nan_ok=True), name
    np.testing.assert_allclose(found.weights, fit.weights, rtol=1e-9)
    assert found.tau2_ci.high == pytest.approx(fit.tau2_ci.high, rel=1e-9)
    assert found.prediction.high == pytest.approx(fit.prediction.high, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("measure", "coefficients", "q"),
    [
        ("RD", [0.0200, 0.0043, 0.0211], 7.1907),
        ("OR", [0.5099, 0.0044, 0.4301], 2.0563),
        ("RR", [0.4875, 0.0006, 0.4047], 1.8954),
    ],
)
def test_gleser_olkin_2009(measure, coefficients, q):
    """Gleser and Olkin 2009, pages 360-364: one effect for each treatment; theirs are control minus treatment."""
    y, V = core.shared_control_covariance(measure, *GLESER["arm"], *GLESER["control"], GLESER["study"])
    marks = (GLESER["treatment"][:, None] == [1, 2, 3]).astype(float)
    fit = core.correlated_regression(-y, V, marks, tau2="common", interval="wald")
    assert fit.coefficients == pytest.approx(coefficients, abs=5e-5)
    assert fit.qe == pytest.approx(q, abs=5e-5)
    if measure == "RD":
        expected = [[24.612, 19.954, 13.323], [19.954, 28.538, 13.255], [13.323, 13.255, 69.806]]
        assert 1e6 * fit.covariance == pytest.approx(np.array(expected), abs=5e-4)
    assert np.isnan(fit.r2)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_unit_order_and_origin_do_not_matter(scale):
    y, V = effects("OR")
    whole = core.pool_correlated(y, V)
    order = np.random.default_rng(1).permutation(y.size)
    found = core.pool_correlated(scale * (y[order] + 1), scale**2 * V[np.ix_(order, order)])
    assert found.estimate / scale - 1 == pytest.approx(whole.estimate, rel=1e-8)
    assert found.tau2 / scale**2 == pytest.approx(whole.tau2, rel=1e-8)
    assert found.se / scale == pytest.approx(whole.se, rel=1e-8)


def test_an_empty_cell_is_corrected_in_all_arms_that_share_the_control():
    arms = ([0, 4, 7], [20, 21, 30], [3, 3, 9], [22, 22, 31], ["a", "a", "b"])
    y, V = core.shared_control_covariance("OR", *arms)
    assert V[0, 1] == pytest.approx(1 / 3.5 + 1 / 19.5)
    assert V[1, 1] == pytest.approx(1 / 4.5 + 1 / 17.5 + 1 / 3.5 + 1 / 19.5)
    assert (V[0, 2], V[2, 2]) == (0, pytest.approx(1 / 7 + 1 / 23 + 1 / 9 + 1 / 22))
    difference, _ = core.shared_control_covariance("RD", *arms)
    assert difference[0] == pytest.approx(-3 / 22)
    assert np.isfinite(y).all()
    assert not core.pool_correlated(y, V).ci.missing


def test_controls_must_be_what_their_label_says():
    with pytest.raises(core.InputError, match="control must have as many entries as ai"):
        core.shared_control_covariance("OR", [1], [9], [2], [9], [1, 2])
    with pytest.raises(core.InputError, match="ci must be the same in all arms that share a control") as raised:
        core.shared_control_covariance("OR", [1, 1], [9, 9], [2, 3], [9, 9], [1, 1])
    assert raised.value.study == 1
    with pytest.raises(core.InputError, match="n2i must be the same"):
        core.shared_control_covariance("OR", [1, 1], [9, 9], [2, 2], [9, 8], [1, 1])
    with pytest.raises(core.InputError, match="measure must be one of"):
        core.shared_control_covariance("AS", [1], [9], [2], [9], [1])


@pytest.mark.parametrize(
    ("V", "message"),
    [
        ("x", "V must be a matrix of numbers"),
        ([1, 1], "V must have one row and one column per effect"),
        ([[1, 0.5], [0.4, 1]], "V must be symmetric"),
        ([[1, 2], [2, 1]], "V must be positive definite"),
        ([[1, 0], [0, 0]], "V must be finite and above 0; got 0 in study 2 of 2"),
        ([[1, np.nan], [np.nan, 1]], "V must be finite throughout"),
    ],
)
def test_a_covariance_matrix_is_one(V, message):
    with pytest.raises(core.InputError, match=message):
        core.pool_correlated([1, 2], V)


def test_wrong_keys():
    V = np.eye(2)
    with pytest.raises(core.InputError, match="tau2 must be one of"):
        core.pool_correlated([1, 2], V, tau2="sj")
    with pytest.raises(core.InputError, match="prediction must be one of"):
        core.pool_correlated([1, 2], V, prediction="bootstrap")
    with pytest.raises(core.InputError, match="tau2 must be a number"):
        core.pool_correlated([1, 2], V, tau2=-1.0)
    with pytest.raises(core.InputError, match="at least two effects"):
        core.pool_correlated([1], [[1]])


def test_identical_effects():
    fit = core.pool_correlated([0.3] * 3, np.eye(3) + 0.2)
    assert (fit.estimate, fit.tau2, fit.q) == (0.3, 0, 0)
    assert "identical" in fit.ci.why
