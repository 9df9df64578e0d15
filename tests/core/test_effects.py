import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence import core
from ipsevidence.core.effects import CORRECTED_STUDIES, DOUBLE_ZEROS

from .reference import metafor
from .tolerances import CLOSED, PRINTED

ZERO_CELLS = ([0, 3, 0], [20, 25, 10], [4, 6, 0], [20, 24, 12])


def escalc_cases():
    reference = metafor("effects")
    return [
        pytest.param(reference["tables"][name], case, id=f"{name}-{case['measure']}-{case['to']}-{number}")
        for name, cases in reference["cases"].items()
        for number, case in enumerate(cases)
    ]


def test_the_grid_is_complete():
    for cases in metafor("effects")["cases"].values():
        keys = {(c["measure"], c["add"], c["to"], c["drop00"]) for c in cases}
        assert len(keys) == 3 * 2 * len(CORRECTED_STUDIES) * len(DOUBLE_ZEROS)


@pytest.mark.parametrize(("table", "case"), escalc_cases())
def test_agrees_with_escalc(table, case):
    y, v = core.two_by_two(
        case["measure"],
        table["ai"],
        table["n1i"],
        table["ci"],
        table["n2i"],
        add=case["add"],
        to=case["to"],
        double_zeros="drop" if case["drop00"] else "keep",
        correct_difference=True,
    )
    yi, vi = np.array(case["yi"], dtype=float), np.array(case["vi"], dtype=float)
    # a variance of 0 cannot be pooled, so it is no estimate here; metafor hands it on
    usable = np.isfinite(yi) & (vi > 0)
    if case["measure"] == "RD":
        # metafor drops double zeros from differences too when asked; here they are always kept
        usable |= np.isfinite(y) & ~np.isfinite(yi)
        compared = np.isfinite(yi) & (vi > 0)
        np.testing.assert_allclose(y[compared], yi[compared], rtol=CLOSED, atol=1e-14)
        np.testing.assert_allclose(v[compared], vi[compared], rtol=CLOSED)
    else:
        np.testing.assert_allclose(y[usable], yi[usable], rtol=CLOSED, atol=1e-14)
        np.testing.assert_allclose(v[usable], vi[usable], rtol=CLOSED)
    np.testing.assert_array_equal(np.isfinite(y), usable)
    np.testing.assert_array_equal(np.isfinite(v), usable)


def test_zero_cells():
    """The known values for 0/20 v 4/20, 3/25 v 6/24 and 0/10 v 0/12."""
    y, v = core.two_by_two("OR", *ZERO_CELLS, double_zeros="keep")
    assert list(y) == pytest.approx([-2.414289083, -0.893817876, 0.174353387], rel=PRINTED)
    assert list(v) == pytest.approx([2.331608771, 0.601010101, 4.175238095], rel=PRINTED)
    y, v = core.two_by_two("RR", *ZERO_CELLS)
    assert list(y[:2]) == pytest.approx([-2.197224577, -0.733969175], rel=PRINTED)
    assert list(v[:2]) == pytest.approx([2.126984127, 0.418333333], rel=PRINTED)
    assert np.isnan(y[2])
    assert np.isnan(v[2])
    y, v = core.two_by_two("RD", *ZERO_CELLS, correct_difference=True)
    assert list(y[:2]) == pytest.approx([-0.190476190, -0.13], rel=PRINTED)
    assert list(v[:2]) == pytest.approx([0.009124285, 0.0120365], rel=6e-8)
    y, v = core.two_by_two("AS", *ZERO_CELLS)
    assert list(y) == pytest.approx([-0.463647609, -0.169857170, 0.0], rel=PRINTED)
    assert list(v[:2]) == pytest.approx([0.025, 0.020416667], rel=2e-8)
    y, v = core.two_by_two("PETO", *ZERO_CELLS)
    assert list(y[:2]) == pytest.approx([-1.772972973, -0.849333333], rel=PRINTED)
    assert list(v[:2]) == pytest.approx([0.886486486, 0.533555556], rel=PRINTED)


def test_a_risk_difference_is_not_moved_by_the_correction():
    y, v = core.two_by_two("RD", *ZERO_CELLS)
    assert list(y) == pytest.approx([-0.2, -0.13, 0.0], abs=1e-15)
    assert list(v[:2]) == pytest.approx([0.009124285, 0.0120365], rel=6e-8)
    assert v[2] > 0


def test_uncorrected_variances():
    """Against the textbook formulas, for a study without zeros."""
    a, n1, c, n2 = 12, 40, 7, 42
    b, d = n1 - a, n2 - c
    (y,), (v,) = core.two_by_two("RR", [a], [n1], [c], [n2])
    assert (y, v) == pytest.approx((np.log(a / n1 / (c / n2)), 1 / a - 1 / n1 + 1 / c - 1 / n2))
    (y,), (v,) = core.two_by_two("OR", [a], [n1], [c], [n2])
    assert (y, v) == pytest.approx((np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d))
    (y,), (v,) = core.two_by_two("RD", [a], [n1], [c], [n2])
    assert (y, v) == pytest.approx((a / n1 - c / n2, a * b / n1**3 + c * d / n2**3))


tables = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(st.tuples(tables, tables), min_size=1, max_size=6), st.sampled_from(["OR", "RR", "RD"]))
def test_swapping_the_arms_changes_the_sign_and_nothing_else(studies, measure):
    (ai, n1i), (ci, n2i) = (zip(*(study[arm] for study in studies), strict=True) for arm in (0, 1))
    y, v = core.two_by_two(measure, ai, n1i, ci, n2i)
    y_swapped, v_swapped = core.two_by_two(measure, ci, n2i, ai, n1i)
    np.testing.assert_array_equal(y, -y_swapped)
    np.testing.assert_array_equal(v, v_swapped)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ai": [1, 30, 2]}, "ai must be at most n1i; got 30 in study 2 of 3"),
        ({"ci": [1, 2, -1]}, "ci must be finite and at least 0; got -1 in study 3 of 3"),
        ({"ci": [1, float("nan"), 1]}, "ci must be finite and at least 0; got nan in study 2"),
        ({"n2i": [0, 9, 9]}, "n2i must be finite and above 0; got 0 in study 1 of 3"),
        ({"n1i": [9, float("inf"), 9]}, "n1i must be finite and above 0; got inf in study 2"),
        ({"n1i": [9, 9]}, "n1i must have as many studies as ai \\(3\\); got 2"),
        ({"measure": "odds"}, "measure must be one of {'OR', 'RR', 'RD'"),
        ({"to": "some"}, "to must be one of {'only0', 'all', 'if0all', 'none'}; got 'some'"),
        ({"double_zeros": "no"}, "double_zeros must be one of {'drop', 'keep'}; got 'no'"),
        ({"add": -1}, "add must be a number, finite and at least 0 and below 1e\\+15; got -1"),
    ],
)
def test_errors_name_parameter_and_study(changes, message):
    given = {"measure": "OR", "ai": [1, 2, 3], "n1i": [9, 9, 9], "ci": [1, 2, 3], "n2i": [9, 9, 9], **changes}
    with pytest.raises(core.InputError, match=message):
        core.two_by_two(**given)


def test_measures_say_what_they_are():
    for key, measure in core.MEASURES.items():
        assert measure.key == key
        assert measure.sentence.endswith(".")
        assert measure.reference
        assert measure.scale in {"log", "identity", "logit", "arcsine", "fisher-z"}
        json.dumps(measure.label)


def others(kind):
    reference = metafor("other_effects")
    return [
        pytest.param(case, id="-".join(str(case.get(x, "")) for x in ("measure", "to"))) for case in reference[kind]
    ]


def compare(found, case):
    yi, vi = np.array(case["yi"], dtype=float), np.array(case["vi"], dtype=float)
    usable = np.isfinite(yi) & (vi > 0)
    np.testing.assert_array_equal(np.isfinite(found[0]), usable)
    np.testing.assert_allclose(found[0][usable], yi[usable], rtol=CLOSED, atol=1e-14)
    np.testing.assert_allclose(found[1][usable], vi[usable], rtol=CLOSED)


@pytest.mark.parametrize("case", others("two_by_two"))
def test_arcsine_and_peto_agree_with_escalc(case):
    table = metafor("other_effects")["tables"]
    found = core.two_by_two(case["measure"], **table, to=case.get("to", "only0"), double_zeros="keep")
    compare(found, case)


@pytest.mark.parametrize("case", others("proportion"))
def test_proportions_agree_with_escalc(case):
    groups = metafor("other_effects")["groups"]
    compare(core.proportion(case["measure"], **groups, to=case.get("to", "only0")), case)


@pytest.mark.parametrize("case", others("two_means"))
def test_means_agree_with_escalc(case):
    settings = {"pooled_sd": case["pooled_sd"], "exact": case["exact"]}
    compare(core.two_means(case["measure"], **metafor("other_effects")["arms"], **settings), case)


@pytest.mark.parametrize("case", others("correlation"))
def test_correlations_agree_with_escalc(case):
    compare(core.correlation(case["measure"], **metafor("other_effects")["pairs"]), case)


def test_standardised_mean_difference_normand():
    """Normand 1999, rows 1 to 4, exact small-sample factor."""
    arms = {name: values[:4] for name, values in metafor("other_effects")["arms"].items()}
    y, v = core.two_means("SMD", **arms)
    assert list(y) == pytest.approx([-0.355169641, -0.347940023, -2.31756916, -1.88798225], rel=PRINTED)
    assert list(v) == pytest.approx([0.0130646755, 0.0644688761, 0.0458121103, 0.160617736], rel=PRINTED)


def test_the_approximate_factor_is_close_to_the_exact_one():
    arms = metafor("other_effects")["arms"]
    exact, close = core.two_means("SMD", **arms)[0], core.two_means("SMD", **arms, exact=False)[0]
    assert close == pytest.approx(exact, rel=1e-4)
    assert not np.array_equal(close, exact)


def test_freeman_tukey_miller():
    """Miller 1978, Am Stat 32:138."""
    x, n = [3, 6, 10, 1], [11, 17, 21, 6]
    y, v = core.proportion("PFT", x, n)
    assert list(y) == pytest.approx([0.569539242, 0.644415663, 0.762639469, 0.475769664], rel=PRINTED)
    assert list(v) == pytest.approx([0.0217391304, 0.0142857143, 0.011627907, 0.0384615385], rel=PRINTED)
    fit = core.pool(y, v, tau2="common", interval="wald")
    assert core.freeman_tukey_back(fit.estimate, core.harmonic_mean(n)) == pytest.approx(0.35952172, rel=2e-8)
    assert core.freeman_tukey_back(y.mean(), core.harmonic_mean(n)) == pytest.approx(0.316436102, rel=PRINTED)


def test_freeman_tukey_with_none_and_all():
    """Studies of 0 and of 100 %, from metafor's example for Miller 1978: the pool and its bounds."""
    x, n = [0, 4, 9, 16, 20], [10, 10, 15, 20, 20]
    y, v = core.proportion("PFT", x, n)
    assert core.freeman_tukey_back(y, n) == pytest.approx([0.0, 0.4, 0.6, 0.8, 1.0], abs=1e-12)
    fit = core.pool(y, v, tau2="common", interval="wald")
    shown = core.freeman_tukey_back([fit.estimate, fit.ci.low, fit.ci.high], core.harmonic_mean(n))
    assert shown == pytest.approx([0.6886058296, 0.5733713493, 0.7943489652], rel=5e-10)


def test_freeman_tukey_back():
    case = metafor("other_effects")["freeman_tukey_back"]
    assert list(core.freeman_tukey_back(case["y"], case["n"])) == pytest.approx(case["p"], rel=1e-9)
    x = np.arange(11)
    assert core.freeman_tukey_back(core.proportion("PFT", x, [10] * 11)[0], 10) == pytest.approx(x / 10, abs=1e-12)


@pytest.mark.parametrize(
    ("key", "pooled", "shown"),
    [("OR", 0.0, 1), ("PLO", 0.0, 0.5), ("PAS", np.pi / 4, 0.5), ("PAS", 9, 1), ("ZCOR", 0, 0), ("RD", 0.2, 0.2)],
)
def test_back_to_the_scale_it_is_shown_on(key, pooled, shown):
    assert core.MEASURES[key].back(pooled) == pytest.approx(shown)


def test_published_effects():
    y, v = core.published_effect("RR", [2.73], low=[1.64], high=[4.54])
    assert y == pytest.approx(np.log(2.73))
    assert v == pytest.approx(((np.log(4.54) - np.log(1.64)) / (2 * 1.959963984540054)) ** 2)
    y, v = core.published_effect("MD", [2.0], p=[0.0455002638963584])
    assert (y[0], v[0]) == pytest.approx((2.0, 1.0))
    y, v = core.published_effect("ZCOR", [0.5], low=[0.1], high=[0.8], level=0.9)
    assert y == pytest.approx(np.arctanh(0.5))
    assert v == pytest.approx(((np.arctanh(0.8) - np.arctanh(0.1)) / (2 * 1.6448536269514722)) ** 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"measure": "OR", "estimate": [-1], "p": [0.1]}, "estimate must be finite and above 0, as a ratio is"),
        ({"measure": "ZCOR", "estimate": [2], "p": [0.1]}, "estimate must lie strictly between -1 and 1, as a corr"),
        ({"measure": "MD", "estimate": [np.nan], "p": [0.1]}, "estimate must be finite; got nan in study 1"),
        ({"measure": "MD", "estimate": [1], "low": [0]}, "low and high must be given together, or else p"),
        ({"measure": "MD", "estimate": [1]}, "low and high must be given together"),
        ({"measure": "MD", "estimate": [1], "low": [0], "p": [0.1]}, "p must not be given beside low and high"),
        ({"measure": "MD", "estimate": [1], "low": [2], "high": [0]}, "low must lie below high"),
        ({"measure": "MD", "estimate": [3], "low": [0], "high": [2]}, "estimate must lie between low and high"),
        ({"measure": "MD", "estimate": [3], "p": [1]}, "p must lie strictly between 0 and 1"),
        ({"measure": "OR", "estimate": [1], "p": [0.5]}, "estimate must differ from the null"),
        ({"measure": "GEN", "estimate": [1], "low": [0], "high": [2], "level": 2}, "level must be a number"),
    ],
)
def test_published_effects_that_cannot_be(given, message):
    with pytest.raises(core.InputError, match=message):
        core.published_effect(**given)


def test_other_inputs_are_checked():
    with pytest.raises(core.InputError, match="xi must be at most ni; got 4 in study 1"):
        core.proportion("PR", [4], [3])
    with pytest.raises(core.InputError, match=r"measure must be one of \{'PR', 'PLO', 'PAS', 'PFT'\}; got 'OR'"):
        core.proportion("OR", [1], [3])
    with pytest.raises(core.InputError, match="ni must be finite and above 3"):
        core.correlation("ZCOR", [0.1], [3])
    arms = {"m1i": [1], "sd1i": [1], "n1i": [9], "m2i": [1], "sd2i": [1], "n2i": [9]}
    for name, value, must in (("m1i", np.inf, "finite"), ("sd2i", -1, "at least 0"), ("n1i", 1, "above 1")):
        with pytest.raises(core.InputError, match=rf"{name} must be .*{must}"):
            core.two_means("MD", **{**arms, name: [value]})
    assert np.isnan(core.two_means("SMD", [1], [1], [1.4], [1], [1], [1.4])[0]).all()


def test_generic_effects_pass_as_they_are():
    assert core.MEASURES["GEN"].function(1, 2) == (1, 2)
