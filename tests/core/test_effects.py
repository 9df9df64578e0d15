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
        ({"ai": [1, 30, 2]}, "ai must be at most n1i; got 30 in study 1 of 3"),
        ({"ci": [1, 2, -1]}, "ci must be finite and at least 0; got -1 in study 2 of 3"),
        ({"ci": [1, float("nan"), 1]}, "ci must be finite and at least 0; got nan in study 1"),
        ({"n2i": [0, 9, 9]}, "n2i must be finite and above 0; got 0 in study 0 of 3"),
        ({"n1i": [9, float("inf"), 9]}, "n1i must be finite and above 0; got inf in study 1"),
        ({"n1i": [9, 9]}, "n1i must have as many studies as ai \\(3\\); got 2"),
        ({"measure": "odds"}, "measure must be one of {'OR', 'RR', 'RD'"),
        ({"to": "some"}, "to must be one of {'only0', 'all', 'if0all', 'none'}; got 'some'"),
        ({"double_zeros": "no"}, "double_zeros must be one of {'drop', 'keep'}; got 'no'"),
        ({"add": -1}, "add must be a number, finite and at least 0; got -1"),
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
        assert measure.scale in {"log", "identity"}
        json.dumps(measure.label)
