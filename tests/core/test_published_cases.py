"""Cases with published or independently recomputed answers, each with its source."""

import numpy as np
import pytest

from ipsevidence import core

from .reference import CLASP, VIECHTBAUER_1, VIECHTBAUER_2, bcg, counts, effects
from .tolerances import PRINTED

NINE = {"rel": PRINTED, "abs": 0}  # nine digits are printed


def bcg_effects(measure):
    table = bcg()
    return core.two_by_two(measure, table["ai"], table["n1i"], table["ci"], table["n2i"], correct_difference=True)


@pytest.mark.parametrize(
    ("measure", "estimate", "se", "q"),
    [
        ("RR", -0.430285164, 0.0404987517, 152.233008),
        ("OR", -0.436139076, 0.042265457, 163.164915),
        ("RD", -0.000914263468, 0.00022603393, 276.473713),
    ],
)
def test_common_effect_bcg(measure, estimate, se, q):
    """Colditz et al 1994, JAMA 271:698-702: inverse-variance common effect (metan, metafor)."""
    fit = core.pool(*bcg_effects(measure), tau2="common", interval="wald")
    assert [fit.estimate, fit.se, fit.q] == pytest.approx([estimate, se, q], **NINE)


@pytest.mark.parametrize(
    ("measure", "estimate", "se", "tau2", "i2"),
    [
        ("RR", -0.714117222, 0.17874209, 0.308760263, 92.1173469),
        ("OR", -0.74739235, 0.192262849, 0.366343407, 92.6454777),
        ("RD", -0.00705526357, 0.00156339021, 1.87347499e-05, 95.6596235),
    ],
)
def test_dersimonian_laird_bcg(measure, estimate, se, tau2, i2):
    """Colditz et al 1994: DerSimonian-Laird (metan, metafor)."""
    fit = core.pool(*bcg_effects(measure), tau2="dl", interval="wald")
    assert [fit.estimate, fit.se, fit.tau2, fit.i2] == pytest.approx([estimate, se, tau2, i2], **NINE)
    assert fit.i2_q == pytest.approx(fit.i2)  # for DerSimonian-Laird the two definitions agree


def test_all_estimators_bcg():
    """BCG log risk ratios, all estimators (metafor 3.8-1, converged)."""
    y, v = bcg_effects("RR")
    expected = {
        "he": 0.328563857996,
        "hs": 0.228362863677,
        "sj": 0.345515701599,
        "ml": 0.280028137269,
        "reml": 0.313243258136,
        "eb": 0.318068452205,
        "pm": 0.318068452205,
    }
    found = {key: core.estimate_tau2(y, v, method=key).tau2 for key in expected}
    assert found == pytest.approx(expected, rel=2e-11)
    fit = core.pool(y, v, tau2="reml", interval="wald")
    assert [fit.estimate, fit.se, fit.tau2_se] == pytest.approx(
        [-0.714532342158, 0.179781516105, 0.166425752837], rel=1e-11
    )


def test_viechtbauer_2005_example_1():
    """Viechtbauer 2005, J Educ Behav Stat 30:261-293, example 1."""
    keys = ["hs", "he", "dl", "ml", "reml", "eb", "sj"]
    found = [core.estimate_tau2(*VIECHTBAUER_1, method=key) for key in keys]
    assert [f.tau2 for f in found] == pytest.approx(
        [0.228181854, 0.148357067, 0.276777829, 0.196669721, 0.22322459, 0.192004969, 0.199228431], rel=3e-9
    )
    assert [f.se for f in found] == pytest.approx(
        [0.132800686, 0.123400325, 0.184135092, 0.125534597, 0.146412575, 0.132983299, 0.0978636022], rel=4e-9
    )


def test_viechtbauer_2005_example_2():
    """Viechtbauer 2005, example 2: the Hedges estimate is truncated at 0."""
    keys = ["hs", "he", "dl", "ml", "reml", "eb", "sj"]
    fits = [core.pool(*VIECHTBAUER_2, tau2=key) for key in keys]
    assert [f.tau2 for f in fits] == pytest.approx(
        [0.00990311478, 0, 0.0126453548, 0.0132386066, 0.0156826076, 0.0103511936, 0.0247820948], rel=6e-9
    )
    assert [f.i2 for f in fits] == pytest.approx(
        [22.9265689, 0, 27.5275023, 28.4515094, 32.0220383, 23.7178748, 42.6733725], rel=4e-9
    )
    assert core.estimate_tau2(*VIECHTBAUER_2, method="he", truncate=False).tau2 < 0


def test_dersimonian_kacker_2007_clasp():
    """DerSimonian and Kacker 2007, Contemp Clin Trials 28:105-114: tau on the log odds ratio."""
    y, v = core.two_by_two("OR", *CLASP)
    expected = {
        "pm": 0.368068641,
        "eb": 0.368068641,
        "he": 0.440997159,
        "dl": 0.232306477,
        "ml": 0,
        "reml": 0.184251664,
        "hs": 0.133032937,
        "sj": 0.457155851,
    }
    found = {key: core.estimate_tau2(y, v, method=key).tau2 ** 0.5 for key in expected}
    assert found == pytest.approx(expected, rel=4e-9, abs=0)
    means = [core.pool(y, v, tau2=key).estimate for key in ("pm", "reml")]
    assert means == pytest.approx([-0.381062036, -0.298021243], rel=3e-9)


def test_q_profile_collins():
    """Viechtbauer 2007, Stat Med 26:37-52: diuretics in pre-eclampsia."""
    y, v = core.two_by_two("OR", *counts("collins1985b"))
    bounds = core.tau2_interval(y, v, method="q-profile")
    assert [bounds.low, bounds.high] == pytest.approx([0.0723122448, 2.20271883], rel=3e-9)
    found = [core.estimate_tau2(y, v, method=key).tau2 for key in ("dl", "ml", "reml", "sj")]
    assert found == pytest.approx([0.2297, 0.2386, 0.3008, 0.4563], abs=5e-5)


def test_intervals_of_heterogeneity_bcg():
    """BCG: Q-profile bounds of tau2 and I2 (exact values)."""
    bounds = core.tau2_interval(*bcg_effects("RR"))
    assert [bounds.low, bounds.high] == pytest.approx([0.1197183611, 1.111479084], rel=5e-10)
    assert [bounds.i2.low, bounds.i2.high] == pytest.approx([81.92057456, 97.67807496], rel=5e-10)
    assert bounds.tau.high == pytest.approx(bounds.high**0.5)


def test_raudenbush():
    """Raudenbush 2009: teacher expectancy, REML, Wald and Hartung-Knapp."""
    y, v = effects("raudenbush1985")
    wald = core.pool(y, v, tau2="reml", interval="wald", prediction="normal")
    assert [wald.tau2, wald.estimate, wald.se] == pytest.approx([0.0188182881, 0.0837012419, 0.0516406714], rel=5e-9)
    assert [wald.prediction.low, wald.prediction.high] == pytest.approx([-0.2035859378, 0.3709884216], rel=5e-9)
    hksj = core.pool(y, v, tau2="reml", interval="hksj")
    assert [hksj.se, hksj.ci.low, hksj.ci.high] == pytest.approx([0.0615793195, -0.0456721076, 0.213074591], rel=5e-9)
    found = [core.estimate_tau2(y, v, method=key).tau2 for key in ("common", "ml", "dl", "he")]
    assert found == pytest.approx([0, 0.0125518947, 0.0259036723, 0.0803701754], rel=5e-9)


@pytest.mark.parametrize(
    ("interval", "prediction", "low", "high"),
    [
        ("wald", "normal", -1.866692218, 0.4376275336),
        ("wald", "t-k1", -1.995341959, 0.5662772742),
        ("wald", "t-k2", -2.008375907, 0.5793112226),
        ("hksj", "t-k1", -1.996016834, 0.5669521499),
        ("hksj", "t-k2", -2.00905765, 0.5799929661),
    ],
)
def test_prediction_intervals_bcg(interval, prediction, low, high):
    """BCG, REML: metafor's interval, Higgins-Thompson-Spiegelhalter and those after Hartung-Knapp."""
    fit = core.pool(*bcg_effects("RR"), tau2="reml", interval=interval, prediction=prediction)
    assert [fit.prediction.low, fit.prediction.high] == pytest.approx([low, high], rel=5e-10)


@pytest.mark.parametrize("interval", ["hksj", "hksj-adhoc"])
def test_hartung_knapp_bcg(interval):
    """BCG, REML: the ad hoc form changes nothing where the factor is above 1."""
    fit = core.pool(*bcg_effects("RR"), tau2="reml", interval=interval)
    assert [fit.se, fit.ci.low, fit.ci.high] == pytest.approx(
        [0.180791744093, -1.10844371369, -0.320620970631], rel=1e-11
    )


def test_linde_2005():
    """Viechtbauer 2007, Z Psychol 215:104-121: St John's wort, 17 placebo-controlled trials."""
    rows = [*range(5, 9), *range(11, 24)]  # of the 24 with counts
    y, v = core.two_by_two("RR", *(column[rows] for column in counts("linde2005")))
    common = core.pool(y, v, tau2="common", interval="wald")
    assert np.exp([common.estimate, common.ci.low, common.ci.high]) == pytest.approx(
        [1.38404127, 1.25993303, 1.52037465], rel=4e-9
    )
    assert common.q == pytest.approx(51.54541, abs=5e-6)
    fit = core.pool(y, v, tau2="dl", interval="wald", prediction="normal")
    assert np.exp([fit.estimate, fit.ci.low, fit.ci.high]) == pytest.approx(
        [1.57219146, 1.31033836, 1.8863723], rel=3e-8
    )
    assert fit.tau2 == pytest.approx(0.0902571896, rel=1e-9)
    assert np.exp([fit.prediction.low, fit.prediction.high]) == pytest.approx([0.8488281984, 2.91199796], rel=3e-9)


def test_van_houwelingen_2002():
    """Van Houwelingen et al 2002, Stat Med 21:589-624: BCG odds ratio by maximum likelihood."""
    y, v = bcg_effects("OR")
    wald = core.pool(y, v, tau2="ml", interval="wald", prediction="normal")
    assert np.exp([wald.estimate, wald.ci.low, wald.ci.high]) == pytest.approx(
        [0.476176436, 0.335964753, 0.674904127], rel=3e-9
    )
    assert wald.tau2 == pytest.approx(0.302456572, rel=3e-9)
    assert [wald.tau2_ci.low, wald.tau2_ci.high] == pytest.approx([0.130149115, 1.18118579], rel=5e-9)
    assert [wald.prediction.low, wald.prediction.high] == pytest.approx([-1.874893787, 0.3909601263], rel=3e-9)
    hksj = core.pool(y, v, tau2="ml", interval="hksj")
    assert np.exp([hksj.ci.low, hksj.ci.high]) == pytest.approx([0.317506791, 0.714139049], rel=3e-9)


def test_normand_1999():
    """Normand 1999, Stat Med 18:321-359: length of stay (mean difference), lidocaine (risk difference)."""
    y, v = effects("normand1999_pooled_sd")
    common = core.pool(y, v, tau2="common", interval="wald")
    assert [common.estimate, common.ci.low, common.ci.high] == pytest.approx(
        [-3.49386134, -5.02646939, -1.9612533], rel=3e-9
    )
    dl = core.pool(y, v, tau2="dl", interval="wald")
    assert [dl.estimate, dl.tau2] == pytest.approx([-14.0972229, 218.721601], rel=3e-9)
    reml = core.pool(y, v, tau2="reml", interval="wald")
    assert [reml.estimate, reml.ci.low, reml.ci.high, reml.tau2] == pytest.approx(
        [-15.1216849, -32.6715959, 2.42822615, 685.196501], rel=4e-9
    )
    lidocaine = core.pool(*core.two_by_two("RD", *counts("hine1989")), tau2="reml", interval="wald")
    assert [100 * lidocaine.estimate, 100 * lidocaine.ci.low, 100 * lidocaine.ci.high] == pytest.approx(
        [2.94443203, 0.383088975, 5.50577509], rel=3e-9
    )
    assert lidocaine.tau2 == 0
