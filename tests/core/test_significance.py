import json
import math

import numpy as np
import pytest

from ipsevidence import core

from .reference import bcg, effects, metafor
from .tolerances import PRINTED

CASES = {f"{case['set']}-{case['measure']}": case for case in metafor("small_study")["cases"]}
each_case = pytest.mark.parametrize("name", CASES)
TABLE = bcg()
COUNTS = [TABLE[column] for column in ("ai", "n1i", "ci", "n2i")]
Y, V = core.two_by_two("RR", *COUNTS)
# metafor's optimiser stops here: its likelihoods are never above ours
OPTIMISED = 1e-5


def studies(name):
    return np.array(CASES[name]["yi"]), np.array(CASES[name]["vi"])


@each_case
def test_fail_safe_numbers_agree_with_metafor(name):
    y, v = studies(name)
    for method, expected in CASES[name]["fail_safe"].items():
        target = 0.1 if method == "orwin" else None
        assert core.fail_safe_n(y, v, method=method, target=target) == expected


@each_case
def test_selection_models_agree_with_metafor(name):
    y, v = studies(name)
    assert len(CASES[name]["selection"]) == 3
    for expected in CASES[name]["selection"]:
        found = core.selection_model(
            y,
            v,
            steps=np.atleast_1d(expected["steps"])[: len(expected["delta"]) - 1],
            alternative=expected["alternative"],
            tau2="common" if expected["common"] else "ml",
        )
        assert found.log_likelihood >= expected["log_likelihood"] - 1e-9
        assert found.estimate == pytest.approx(expected["estimate"], abs=OPTIMISED)
        assert found.se == pytest.approx(expected["se"], rel=1e-4)
        assert found.tau2 == pytest.approx(expected["tau2"], rel=OPTIMISED, abs=1e-6)
        assert list(found.delta) == pytest.approx(expected["delta"], rel=1e-3)
        assert found.test.statistic == pytest.approx(expected["lrt"], abs=1e-4)


def test_selection_model_hackshaw():
    """Passive smoking, three steps (metafor's selmodel)."""
    found = core.selection_model(*effects("hackshaw1998"), steps=[0.05, 0.1, 0.5, 1])
    assert [found.estimate, found.se, found.tau2] == pytest.approx([0.121741437, 0.129879751, 0.0307132501], rel=1e-5)
    assert list(found.delta) == pytest.approx([1, 2.42207943, 0.977542753, 0.396712589], rel=1e-5)
    assert found.test.statistic == pytest.approx(7.0661369, rel=1e-7)


def test_becker_fail_safe_numbers():
    """Becker 2005: teacher expectancy and passive smoking."""
    expectancy, smoking = effects("raudenbush1985"), effects("hackshaw1998")
    assert [core.fail_safe_n(*data) for data in (expectancy, smoking)] == [26, 393]
    assert [core.fail_safe_n(*data, method="rosenberg") for data in (expectancy, smoking)] == [0, 202]
    assert core.fail_safe_n(*expectancy, method="orwin", target=0.05) == 44
    assert core.fail_safe_n(*smoking, method="orwin", target=0.049) == 186
    assert core.fail_safe_n(*smoking, method="orwin", target=0) == math.inf
    assert core.fail_safe_n(*smoking, method="orwin") == 37


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_selection_model_does_not_depend_on_the_unit(scale):
    y, v = effects("hackshaw1998")
    found = core.selection_model(scale * y, scale**2 * v)
    whole = core.selection_model(y, v)
    assert found.estimate / scale == pytest.approx(whole.estimate, rel=1e-6)
    assert found.tau2 / scale**2 == pytest.approx(whole.tau2, rel=1e-5)


# Dorn et al 2007, Neurogastroenterol Motil 19:630-637, doi:10.1111/j.1365-2982.2007.00937.x (metadat dat.dorn2007):
# responders and sizes, treatment and placebo
DORN = (
    [29, 20, 14, 17, 11, 24, 26, 17, 4, 21, 15, 37, 13, 19, 29, 13, 25, 37, 55],
    [38, 31, 23, 30, 27, 29, 32, 18, 12, 60, 17, 51, 33, 20, 50, 16, 33, 57, 90],
    [11, 21, 30, 5, 6, 5, 9, 13, 5, 26, 8, 20, 17, 3, 30, 5, 8, 17, 37],
    [32, 30, 46, 13, 23, 29, 22, 18, 13, 59, 17, 52, 33, 20, 46, 16, 26, 50, 90],
)


def test_an_excess_of_significant_studies_dorn():
    """metafor 3.8-1, tes(), log risk ratios: O, E, X2 and the p-values of its three tests."""
    found = core.excess_significance(*core.two_by_two("RR", *DORN))
    assert found.observed == 10
    assert [found.expected, found.chi2, found.p_chi2, found.effect] == pytest.approx(
        [4.92333252, 7.06564832, 0.00392879371, 0.312256605187], rel=PRINTED
    )
    assert [found.p_binomial, found.p] == pytest.approx([0.0115955389122, 0.00777852937909], rel=1e-11)
    assert "heterogeneity" in found.notes[0]


@pytest.mark.parametrize(
    ("alternative", "observed", "expected", "chi2", "binomial", "exact"),
    [
        ("greater", 11, 6.77769157592, 0.0215814229198, 0.0398795015532, 0.0305273254097),
        ("less", 0, 0.075491597643, 0.608458966808, 1, 1),
    ],
)
def test_one_sided_studies_dorn(alternative, observed, expected, chi2, binomial, exact):
    """metafor 3.8-1, tes(alternative = ...)."""
    found = core.excess_significance(*core.two_by_two("RR", *DORN), alternative=alternative)
    assert found.observed == observed
    assert [found.expected, found.p_chi2, found.p_binomial, found.p] == pytest.approx(
        [expected, chi2, binomial, exact], rel=1e-11
    )


def test_power_by_hand():
    """Two studies of standard error 1 and 2 at an effect of 2: the exact p from four products."""
    found = core.excess_significance([2.5, 1.0], [1.0, 4.0], effect=2.0, alternative="greater", alpha=0.025, tau2=3.0)
    z = 1.959963984540054
    # the effect of a study varies by v + tau2: standard deviations 2 and the root of 7
    power = [1 - core_normal((z - 2) / 2), 1 - core_normal((2 * z - 2) / 7**0.5)]
    assert found.power == pytest.approx(power, rel=1e-12)
    assert found.observed == 1
    assert found.p == pytest.approx(1 - (1 - power[0]) * (1 - power[1]), rel=1e-12)
    mean = sum(power) / 2
    assert found.p_binomial == pytest.approx(1 - (1 - mean) ** 2, rel=1e-12)


def core_normal(z):
    return 0.5 * math.erfc(-z / 2**0.5)


def test_where_no_excess_can_be_looked_for():
    assert "one study" in core.excess_significance([1.0], [0.1]).reason
    assert "rounds to 0, or to 1" in core.excess_significance([99.0, 99.0], [1.0, 1.0]).reason
    with pytest.raises(core.InputError, match="alternative must be one of"):
        core.excess_significance(Y, V, alternative="both")
    with pytest.raises(core.InputError, match="effect must be a number"):
        core.excess_significance(Y, V, effect=math.nan)


def test_an_excess_can_be_read_and_written():
    found = core.excess_significance(Y, V, tau2=0.3)
    assert not found.notes
    json.dumps(found.to_dict(), allow_nan=False)
    assert len(found.to_rows()[0]) == len(found.columns)
    assert f"of {Y.size} studies significant" in str(found)


def test_a_selection_model_whose_likelihood_is_flat():
    """Two effects a hundred million apart: the weights run off and nothing holds them."""
    found = core.selection_model([1e8, -0.258], [0.0655, 0.1324], steps=(0.5,))
    assert "no maximum with a curvature" in found.reason
