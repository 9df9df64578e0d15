import json

import numpy as np
import pytest

from ipsevidence import core

from .reference import counts, metafor
from .tolerances import CLOSED, PRINTED

TABLES = metafor("counts")["tables"]
POOLS = metafor("counts")["pools"]
# Rothman, Greenland and Lash 2008, Modern Epidemiology, table 15-1: deaths and sizes at two ages, tolbutamide and
# placebo; read as metafor prints it in its example (https://www.metafor-project.org/doku.php/analyses:rothman2008)
ROTHMAN = ([8, 22], [106, 98], [5, 16], [120, 85])


def fitted(measure, table):
    columns = [table[name] for name in ("ai", "n1i", "ci", "n2i")]
    return core.peto(*columns) if measure == "PETO" else core.mantel_haenszel(measure, *columns)


def test_the_grid_is_complete():
    assert set(POOLS) == set(TABLES) >= set(metafor("pooling")["counts"])
    assert all(set(pools) == {"PETO", *core.MANTEL_HAENSZEL} for pools in POOLS.values())


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "PETO"])
def test_agrees_with_metafor(name, measure):
    fit, expected = fitted(measure, TABLES[name]), POOLS[name][measure]
    assert fit.estimate == pytest.approx(expected["estimate"], rel=CLOSED)
    assert fit.se == pytest.approx(expected["se"], rel=CLOSED)
    assert [fit.ci.low, fit.ci.high] == pytest.approx([expected["low"], expected["high"]], rel=1e-9)
    assert fit.p == pytest.approx(expected["p"], rel=1e-9)
    assert fit.q == pytest.approx(expected["q"], rel=CLOSED)
    assert fit.q_p == pytest.approx(expected["q_p"], rel=1e-9)
    assert fit.weights.sum() == pytest.approx(100)
    assert {t.name: t.statistic for t in fit.tests} == pytest.approx(expected.get("tests", {}), rel=1e-9)


@pytest.mark.parametrize(
    ("measure", "estimate", "se", "q"),
    [
        ("RR", -0.453709605, 0.0393373669, 152.567554),
        ("OR", -0.473410988, 0.0410077784, 163.942580),
        ("RD", -0.00328818183, 0.000286656749, 386.775942),
        ("PETO", -0.474446311, 0.0406590807, 167.730168),
    ],
)
def test_bcg(measure, estimate, se, q):
    """Colditz et al 1994, JAMA 271:698-702 (metan, metafor)."""
    fit = fitted(measure, TABLES["bcg"])
    assert [fit.estimate, fit.se, fit.q] == pytest.approx([estimate, se, q], rel=PRINTED)


def test_bcg_tests_of_association_and_homogeneity():
    found = {test.name: test.statistic for test in fitted("OR", TABLES["bcg"]).tests}
    expected = {
        "Cochran": 135.708715,
        "Mantel-Haenszel": 135.688944,
        "Tarone": 171.756673,
        "Breslow-Day": 171.765367,
    }
    assert found == pytest.approx(expected, rel=PRINTED)


def test_rothman():
    """Rothman, Greenland and Lash 2008, chapter 15, 90% intervals."""
    difference = core.mantel_haenszel("RD", *ROTHMAN, level=0.9)
    assert [difference.estimate, difference.ci.low, difference.ci.high] == pytest.approx(
        [0.0349002693, -0.0175749793, 0.0873755179], rel=PRINTED
    )
    assert difference.q == pytest.approx(0.00172353399, rel=PRINTED)
    ratio = core.mantel_haenszel("RR", *ROTHMAN, level=0.9)
    assert [ratio.estimate, ratio.ci.low, ratio.ci.high] == pytest.approx(
        [0.281831484, -0.144155386, 0.707818354], rel=PRINTED
    )
    odds = core.mantel_haenszel("OR", *ROTHMAN, level=0.9)
    assert [odds.estimate, odds.ci.low, odds.ci.high] == pytest.approx(
        [0.338718671, -0.173084883, 0.850522225], rel=PRINTED
    )
    assert odds.q == pytest.approx(0.34742087, rel=PRINTED)


def test_yusuf():
    """Yusuf et al 1985: beta blockade, table 6, where an arm is more than twice the other."""
    fit = core.peto(*counts("yusuf1985_6"))
    assert np.exp([fit.estimate, fit.ci.low, fit.ci.high]) == pytest.approx(
        [0.933170238, 0.738488527, 1.1791743], rel=PRINTED
    )


def test_nothing_but_zeros():
    nobody = ([0, 0], [10, 12], [0, 0], [9, 14])
    for measure in ("OR", "RR"):
        none = core.mantel_haenszel(measure, *nobody)
        assert isinstance(none, core.NotApplicable)
        assert "too few events" in none.reason
    assert isinstance(core.peto(*nobody), core.NotApplicable)
    difference = core.mantel_haenszel("RD", *nobody)
    assert difference.estimate == 0
    assert difference.ci.missing


def test_one_study():
    fit = core.mantel_haenszel("OR", [5], [20], [9], [22])
    assert fit.q_df == 0
    assert np.isnan([fit.q, fit.q_p, fit.i2_q, fit.h2_q]).all()
    assert [t.name for t in fit.tests] == ["Cochran", "Mantel-Haenszel"]


def test_peto_says_when_it_may_be_biased():
    notes = core.peto([5, 30], [20, 100], [9, 3], [90, 70]).notes
    assert any("twofold" in note for note in notes)
    assert any("large" in note for note in notes)
    assert core.peto([5, 9], [50, 50], [6, 9], [50, 60]).notes == ()


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "PETO"])
def test_swapping_the_arms_changes_the_sign(measure):
    table = TABLES["bcg"]
    swapped = {"ai": table["ci"], "n1i": table["n2i"], "ci": table["ai"], "n2i": table["n1i"]}
    fit, turned = fitted(measure, table), fitted(measure, swapped)
    assert turned.estimate == pytest.approx(-fit.estimate, rel=1e-13)
    assert turned.se == pytest.approx(fit.se, rel=1e-12)
    assert turned.q == pytest.approx(fit.q, rel=1e-12)


def test_results_can_be_read_and_written():
    fit = fitted("OR", TABLES["bcg"])
    assert "Breslow-Day" in str(fit)
    json.dumps(fit.to_dict(), allow_nan=False)
    assert {len(row) for row in fit.to_rows()} == {4}
    assert fit._repr_html_().startswith("<table>")
