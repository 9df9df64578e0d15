import json
import math

import numpy as np
import pytest
from scipy import stats

from ipsevidence import core

from .reference import bcg, counts, effects, metafor
from .tolerances import ITERATED, PRINTED

REFERENCE = metafor("moderators")
CLOSED_ESTIMATORS = {"common", "dl", "he", "hs", "sj"}
CASES = [pytest.param(name, key, id=f"{name}-{key}") for name, fits in REFERENCE["fits"].items() for key in fits]
TABLE = bcg()
Y, V = core.two_by_two("RR", TABLE["ai"], TABLE["n1i"], TABLE["ci"], TABLE["n2i"])
ABLAT = np.column_stack([np.ones(13), TABLE["ablat"]])
ALLOCATION = ["random"] * 4 + ["alternate"] * 2 + ["random"] * 3 + ["systematic"] * 4


def test_the_grid_is_complete():
    assert len(REFERENCE["fits"]) == len(REFERENCE["sets"]) >= 6
    for fits in REFERENCE["fits"].values():
        assert set(fits) == CLOSED_ESTIMATORS | {"ml", "reml", "pm"}
        assert all(set(by_interval) == set(core.INTERVALS) for by_interval in fits.values())


@pytest.mark.parametrize(("name", "tau2"), CASES)
def test_agrees_with_metafor(name, tau2):
    studies = REFERENCE["sets"][name]
    y, v, X = (np.array(studies[key], dtype=float) for key in ("yi", "vi", "X"))
    rel = 1e-8 if tau2 in CLOSED_ESTIMATORS else ITERATED
    for interval, expected in REFERENCE["fits"][name][tau2].items():
        fit = core.meta_regression(y, v, X, tau2=tau2, interval=interval)
        near = rel * fit.se
        for mine, theirs in (("coefficients", "b"), ("low", "low"), ("high", "high")):
            np.testing.assert_array_less(abs(getattr(fit, mine) - expected[theirs]), 10 * near + 1e-300)
        np.testing.assert_allclose(fit.se, expected["se"], rtol=rel)
        np.testing.assert_allclose(fit.statistic, expected["statistic"], rtol=10 * rel, atol=rel)
        np.testing.assert_allclose(fit.p, expected["p"], rtol=rel * 1000, atol=1e-12)
        assert fit.tau2 == pytest.approx(expected["tau2"], rel=rel, abs=1e-9 * np.median(v))
        assert [fit.i2, fit.h2] == pytest.approx([expected["i2"], expected["h2"]], rel=rel, abs=1e-6)
        assert [fit.qe, fit.qe_p] == pytest.approx([expected["qe"], expected["qe_p"]], rel=rel)
        assert [fit.qm, fit.qm_p] == pytest.approx([expected["qm"], expected["qm_p"]], rel=1000 * rel)
        if tau2 != "common":
            assert fit.r2 == pytest.approx(expected["r2"], rel=rel, abs=1e-5)
        if expected["vif"] and interval == "wald":
            np.testing.assert_allclose(fit.vif[1:], expected["vif"], rtol=rel)
        bands = core.predict_effects(fit, X[:2], prediction="normal" if interval == "wald" else "t-k1")
        np.testing.assert_allclose(bands.estimate, expected["pred"], rtol=rel, atol=rel)
        np.testing.assert_allclose(bands.low, expected["pred_low"], rtol=rel, atol=rel)
        np.testing.assert_allclose(bands.high, expected["pred_high"], rtol=rel, atol=rel)
        if tau2 != "common":
            np.testing.assert_allclose(bands.prediction_low, expected["pi_low"], rtol=rel, atol=rel)
            np.testing.assert_allclose(bands.prediction_high, expected["pi_high"], rtol=rel, atol=rel)


@pytest.mark.parametrize("name", REFERENCE["sets"])
@pytest.mark.parametrize("method", ["ml", "reml"])
def test_fit_statistics_agree_with_metafor(name, method):
    studies = REFERENCE["sets"][name]
    fit = core.fit_statistics(studies["yi"], studies["vi"], np.array(studies["X"], dtype=float), method=method)
    found = [fit.log_likelihood, fit.deviance, fit.aic, fit.bic, fit.aicc]
    assert found == pytest.approx(REFERENCE["statistics"][name][method], rel=1e-8)


def test_latitude():
    """BCG and distance from the equator, REML (metafor)."""
    fit = core.meta_regression(Y, V, ABLAT, tau2="reml", interval="wald")
    assert list(fit.coefficients) == pytest.approx([0.25146821, -0.02910172501], rel=PRINTED)
    assert list(fit.se) == pytest.approx([0.2490953966, 0.007195327221], rel=PRINTED)
    found = [fit.tau2, fit.qm, fit.qe, fit.r2, fit.i2]
    expected = [0.07634796396, 16.35823215, 30.73309001, 75.62662181, 68.39122484]
    assert found == pytest.approx(expected, rel=PRINTED)


def test_latitude_and_allocation():
    """The test of three allocation methods beside latitude (metafor's anova)."""
    kinds = [[kind == "random", kind == "systematic"] for kind in ALLOCATION]
    fit = core.meta_regression(Y, V, np.column_stack([ABLAT, np.array(kinds)]), interval="wald")
    b, covariance = fit.coefficients[2:], fit.covariance[2:, 2:]
    assert b @ np.linalg.solve(covariance, b) == pytest.approx(1.28501796, rel=PRINTED)


def test_van_houwelingen_moderator():
    """Van Houwelingen et al 2002, Stat Med 21:589-624: log odds ratio on latitude by maximum likelihood."""
    y, v = core.two_by_two("OR", TABLE["ai"], TABLE["n1i"], TABLE["ci"], TABLE["n2i"])
    fit = core.meta_regression(y, v, ABLAT, tau2="ml", interval="wald")
    assert list(fit.coefficients) == pytest.approx([0.371070498, -0.0327224933], rel=PRINTED)
    assert [fit.tau2, fit.r2] == pytest.approx([0.00399840101, 98.6780248], rel=2e-8)


def test_fit_statistics_and_likelihood_ratio():
    """BCG, maximum likelihood (metafor's fitstats and anova)."""
    plain = core.fit_statistics(Y, V)
    expected = [-12.6650763, 37.116021, 29.3301527, 30.4600514, 30.5301527]
    found = [plain.log_likelihood, plain.deviance, plain.aic, plain.bic, plain.aicc]
    assert found == pytest.approx(expected, rel=PRINTED)
    moderated = core.fit_statistics(Y, V, ABLAT)
    expected = [-7.68566553, 27.1571993, 21.3713311, 23.0661791, 24.0379977]
    found = [moderated.log_likelihood, moderated.deviance, moderated.aic, moderated.bic, moderated.aicc]
    assert found == pytest.approx(expected, rel=PRINTED)
    test = core.likelihood_ratio_test(Y, V, ABLAT)
    assert (test.statistic, test.df) == (pytest.approx(9.95882164, rel=PRINTED), 1)
    assert core.fit_statistics(Y, V, method="reml").log_likelihood == pytest.approx(-12.2023714155, rel=1e-11)
    with pytest.raises(core.InputError, match="smaller must have fewer columns"):
        core.likelihood_ratio_test(Y, V, ABLAT, ABLAT)


def test_raudenbush_weeks():
    """Raudenbush 1985: weeks of prior contact, capped at 3, explain all heterogeneity."""
    y, v = effects("raudenbush1985")
    weeks = np.array([2, 3, 3, 0, 0, 3, 3, 3, 0, 1, 0, 0, 1, 2, 3, 3, 1, 2, 3.0])
    fit = core.meta_regression(y, v, np.column_stack([np.ones(19), weeks]), interval="wald")
    assert fit.tau2 == 0
    assert list(fit.coefficients) == pytest.approx([0.407185343, -0.157244431], rel=PRINTED)
    assert list(fit.se) == pytest.approx([0.0870378944, 0.0358312257], rel=PRINTED)
    assert [fit.qe, fit.qm, fit.r2] == pytest.approx([16.5708253, 19.258711, 100], rel=PRINTED)


def test_subgroups_with_their_own_variances():
    """BCG by allocation (metafor's forest plot with subgroups)."""
    fit = core.subgroups(Y, V, ALLOCATION, interval="wald")
    by_group = dict(zip(fit.groups, fit.pools, strict=True))
    names = ["alternate", "random", "systematic"]
    assert [by_group[n].estimate for n in names] == pytest.approx(
        [-0.5407929618, -0.9709647043, -0.4242073915], rel=PRINTED
    )
    assert [by_group[n].tau2 for n in names] == pytest.approx([0.1325770399, 0.3925280069, 0.4003458802], rel=PRINTED)
    assert [fit.test.statistic, fit.test.p] == pytest.approx([1.861444946, 0.3942687589], rel=PRINTED)
    assert math.isnan(fit.common_tau2)
    assert "fewer than five" in fit.notes[0]


def test_subgroups_with_a_common_variance():
    fit = core.subgroups(Y, V, ALLOCATION, interval="wald", common_tau2=True)
    assert fit.common_tau2 == pytest.approx(0.3615036643, rel=PRINTED)
    assert [fit.test.statistic, fit.test.p] == pytest.approx([1.767511402, 0.4132280328], rel=PRINTED)
    assert {pool.tau2 for pool in fit.pools} == {fit.common_tau2}
    assert core.subgroups(Y, V, ALLOCATION, common_tau2=True).test.distribution == "f"


def test_subgroups_that_cannot_be_tested():
    one = core.subgroups(Y, V, ["a"] * 13)
    assert isinstance(one.test, core.NotApplicable)
    assert one.notes == ()
    same = core.subgroups([1, 1, 2, 3], [1, 2, 1, 2], ["a", "a", "b", "b"])
    assert "identical" in same.test.reason
    alone = core.subgroups([1.0, 2.0], [1, 2], ["a", "b"], interval="wald", common_tau2=True)
    assert math.isnan(alone.common_tau2)
    with pytest.raises(core.InputError, match="groups must have as many entries as y"):
        core.subgroups([1, 2], [1, 2], ["a"])


def test_difference_of_two_pools():
    fit = core.subgroups(Y, V, ALLOCATION, interval="wald")
    first, second = fit.pools[:2]
    gap, interval, p = core.difference(first, second)
    se = math.hypot(first.se, second.se)
    assert gap == first.estimate - second.estimate
    assert (interval.high - interval.low) / 2 == pytest.approx(1.959963984540054 * se)
    assert 0 < p < 1
    same = core.pool([1, 1], [1, 1])
    gap, interval, p = core.difference(same, first)
    assert (math.isnan(interval.low), math.isnan(p)) == (True, True)
    assert "no standard error" in interval.why
    assert core.difference(core.pool([1], [1]), first)[1].missing


def test_a_difference_has_the_degrees_of_freedom_of_welch():
    """Equal variances make Hartung and Knapp's standard error that of a sample's mean: Welch's test of two samples.

    1, 3, 5 has mean 3 and variance 4, 0, 2, 4, 10 has mean 4 and variance 56/3: squared errors 4/3 and 14/3, together
    6; degrees of freedom 36 / ((16/9)/2 + (196/9)/3) = 36 * 27 / 220 = 4.41818.
    """
    first, second = (core.pool(y, [0.01] * len(y)) for y in ([1, 3, 5], [0, 2, 4, 10]))
    gap, interval, p = core.difference(first, second)
    theirs = stats.ttest_ind([1, 3, 5], [0, 2, 4, 10], equal_var=False)
    bounds = theirs.confidence_interval(0.95)
    assert gap == pytest.approx(-1.0)
    assert theirs.df == pytest.approx(36 * 27 / 220)
    assert p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (interval.low, interval.high) == pytest.approx((bounds.low, bounds.high), rel=1e-9)
    # a pool without degrees of freedom adds nothing to the doubt: (16/9)/2 is all of it
    normal = core.pool([0, 2, 4, 10], [0.01] * 4, interval="wald")
    se2 = 4 / 3 + normal.se**2
    gap, interval, _ = core.difference(first, normal)
    reach = stats.t.ppf(0.975, se2**2 / (8 / 9)) * math.sqrt(se2)
    assert interval.high - gap == pytest.approx(reach, rel=1e-9)


def test_permutation_hine():
    """Hine et al 1989: all 64 sign changes, and all 360 orders of a moderator (metafor's permutest)."""
    y, v = core.two_by_two("RD", *counts("hine1989"))
    test = core.permutation_test(y, v)
    assert (test.permutations, test.exact) == (64, True)
    assert test.p == pytest.approx([0.0625])
    assert math.isnan(test.qm_p)
    moderated = core.permutation_test(y, v, np.column_stack([np.ones(6), [3, 1, 2, 2, 4, 5]]))
    assert (moderated.permutations, moderated.exact) == (360, True)
    assert moderated.p == pytest.approx([1, 1 / 360])
    assert moderated.qm_p == pytest.approx(1 / 360)


def test_permutation_follmann_proschan():
    """Follmann and Proschan 1999, Biometrics 55:732-737: cholesterol trials, Peto odds ratios."""
    ai, n1i = [173, 157, 131, 56, 52, 36, 62, 2], [5331, 1906, 4541, 2051, 424, 1149, 6582, 88]
    ci, n2i = [210, 193, 121, 84, 65, 42, 20, 2], [5296, 1900, 4516, 2030, 422, 1129, 1663, 30]
    y, v = core.two_by_two("PETO", ai, n1i, ci, n2i)
    test = core.permutation_test(y, v, tau2="dl", statistic="estimate")
    assert test.p == pytest.approx([10 / 256])


def test_random_permutations_are_seeded_and_near_the_exact_ones():
    y, v = core.two_by_two("RD", *counts("hine1989"))
    X = np.column_stack([np.ones(6), [3, 1, 2, 2, 4, 5]])
    for design in (None, X):
        exact = core.permutation_test(y, v, design, tau2="dl")
        drawn = core.permutation_test(y, v, design, tau2="dl", exact_limit=10, permutations=800, seed=7)
        again = core.permutation_test(y, v, design, tau2="dl", exact_limit=10, permutations=800, seed=7)
        assert not drawn.exact
        assert list(drawn.p) == list(again.p)
        assert drawn.p == pytest.approx(exact.p, abs=0.04)
        assert drawn.p.min() >= 1 / 801


def test_identical_effects_have_no_tests():
    fit = core.meta_regression(np.ones(5), np.ones(5), np.column_stack([np.ones(5), range(5)]))
    assert np.isnan(fit.statistic).all()
    assert np.isnan([fit.qm, fit.qm_p]).all()
    assert np.isnan(fit.vif).all()
    assert fit.r2 == 0


def test_an_intercept_alone_is_a_pool():
    fit = core.meta_regression(Y, V, np.ones(13), names=["mean"])
    pooled = core.pool(Y, V)
    assert [fit.coefficients[0], fit.se[0], fit.low[0]] == pytest.approx([pooled.estimate, pooled.se, pooled.ci.low])
    assert fit.qm_df == 1


def test_settings_of_a_regression():
    given = core.meta_regression(Y, V, ABLAT, tau2=0.1, interval="wald")
    assert given.tau2 == 0.1
    assert math.isnan(given.r2)
    assert math.isnan(core.meta_regression(Y, V, ABLAT[:, 1:]).r2)
    assert given.notes == ()
    assert "Fewer than 10 studies" in core.meta_regression(Y[:8], V[:8], ABLAT[:8]).notes[0]
    none = core.predict_effects(given, [1, 33], prediction="none")
    assert np.isnan(none.prediction_low).all()
    with pytest.raises(core.InputError, match="X must have 2 columns; got 1"):
        core.predict_effects(given, [[1]])
    with pytest.raises(core.InputError, match="names must have one entry per column of X"):
        core.meta_regression(Y, V, ABLAT, names=["one"])
    with pytest.raises(core.InputError, match="statistic must be one of"):
        core.permutation_test(Y, V, statistic="none")


@pytest.mark.parametrize(
    "result",
    [
        core.meta_regression(Y[:8], V[:8], ABLAT[:8]),
        core.meta_regression(Y, V, ABLAT, interval="wald"),
        core.predict_effects(core.meta_regression(Y, V, ABLAT), [[1, 33], [1, 10]]),
        core.fit_statistics(Y, V),
        core.subgroups(Y, V, ALLOCATION),
        core.permutation_test(Y[:3], V[:3], tau2="dl"),
        core.permutation_test(Y[:4], V[:4], tau2="dl", exact_limit=1, permutations=5),
    ],
    ids=lambda result: type(result).__name__,
)
def test_results_can_be_read_and_written(result):
    assert str(result)
    json.dumps(result.to_dict(), allow_nan=False)
    assert {len(row) for row in result.to_rows()} == {len(result.columns)}
    assert result._repr_html_().startswith("<table>")
