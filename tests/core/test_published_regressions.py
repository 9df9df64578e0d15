"""Published regressions and subgroups with known answers, each with its source."""

import numpy as np
import pytest

from ipsevidence import core

from .tolerances import PRINTED

# Lipsey and Wilson 2001, Practical meta-analysis, chapter 7: effect, variance, random assignment, intensity
LIPSEY = np.array(
    [
        (-0.33, 0.084, 0, 7), (0.32, 0.035, 0, 3), (0.39, 0.017, 0, 7), (0.31, 0.034, 0, 5), (0.17, 0.072, 0, 7),
        (0.64, 0.117, 0, 7), (-0.33, 0.102, 1, 4), (0.15, 0.093, 1, 4), (-0.02, 0.012, 1, 5), (0.00, 0.067, 1, 6),
    ]
)  # fmt: skip


def test_lipsey_2001_subgroups():
    """Lipsey and Wilson 2001, exhibit 7.4: common-effect subgroups (digits of metafor 3.8-1)."""
    y, v, random, _ = LIPSEY.T
    fit = core.meta_regression(y, v, np.column_stack([np.ones(10), random]), tau2="common", interval="wald")
    assert [fit.qm, fit.qm_p, fit.qe] == pytest.approx([7.07387168, 0.00782160597, 7.6900838], rel=PRINTED)
    groups = [core.pool(y[random == group], v[random == group], tau2="common") for group in (0, 1)]
    assert [group.q for group in groups] == pytest.approx([6.43821595, 1.25186785], rel=PRINTED)
    assert sum(group.q for group in groups) == pytest.approx(fit.qe, rel=1e-10)


def test_lipsey_2001_regression():
    """Lipsey and Wilson 2001, exhibits 7.3 and 7.7: DerSimonian-Laird, without and with moderators."""
    y, v, random, intensity = LIPSEY.T
    assert core.pool(y, v, tau2="dl").tau2 == pytest.approx(0.025955, abs=5e-7)
    fit = core.meta_regression(y, v, np.column_stack([np.ones(10), random, intensity]), tau2="dl", interval="wald")
    assert fit.tau2 == pytest.approx(0.00488, abs=5e-6)
    assert fit.r2 == pytest.approx(81.2023, abs=5e-5)
    assert fit.coefficients == pytest.approx([0.3311, -0.3269, -0.0068], abs=5e-5)
    assert fit.qm == pytest.approx(5.5711, abs=5e-5)


# Linde et al 2005 as in Viechtbauer 2007, Z Psychol 215:104-121: events and sizes of both arms, dosage (mg a day),
# duration (weeks), baseline depression
LINDE = np.array(
    [
        (20, 25, 11, 25, 380, 8, 19.5), (14, 20, 9, 20, 900, 4, 12.5), (4, 25, 2, 25, 900, 4, 22.7),
        (20, 32, 6, 33, 900, 6, 16.5), (28, 50, 13, 55, 900, 4, 15.8), (34, 48, 25, 49, 240, 6, 23.6),
        (35, 53, 12, 54, 900, 4, 20.7), (24, 49, 16, 49, 900, 6, 21.1), (45, 80, 12, 79, 500, 6, 19.4),
        (67, 106, 22, 47, 1050, 6, 22.7), (34, 60, 17, 59, 900, 6, 16.7), (46, 70, 34, 70, 500, 6, 20.9),
        (55, 123, 57, 124, 900, 6, 21.5), (23, 37, 15, 35, 900, 6, 19.9), (26, 98, 19, 102, 1050, 8, 22.5),
        (46, 113, 56, 116, 1200, 8, 22.9), (98, 186, 80, 189, 900, 6, 21.9),
    ]
)  # fmt: skip


def linde():
    ai, n1i, ci, n2i, dosage, duration, baseline = LINDE.T
    total, start = dosage * 7 / 1000 * duration - 34, baseline - 20
    return (
        *core.two_by_two("RR", ai, n1i, ci, n2i),
        np.column_stack([np.ones(ai.size), total, start, total * start]),
        n1i + n2i,
    )


@pytest.mark.parametrize(
    ("tau2", "printed", "value", "se"),
    [
        ("hs", 0.0253, 0.0252522402, 0.0196903543),
        ("he", 0.0388, 0.0387508114, 0.0763593049),
        ("dl", 0.0475, 0.0474953145, 0.037622977),
        ("genq", 0.0600, 0.0600032937, 0.0527915016),
        ("sj", 0.0912, 0.0911873272, 0.043580065),
        ("pm", 0.0633, 0.0633015122, 0.0459824766),
        ("ml", 0.0240, 0.0239857639, 0.0221701414),
        ("reml", 0.0558, 0.0557640866, 0.0408761667),
        ("eb", 0.0633, 0.0633015122, 0.0459824766),
    ],
)
def test_linde_2005_with_an_interaction(tau2, printed, value, se):
    """Nine of eleven estimators: the iterated forms of dl and sj have pm as their fixed point, 0.0633 too."""
    y, v, X, sizes = linde()
    found = core.estimate_tau2(y, v, X, method=tau2, weights=sizes if tau2 == "genq" else None)
    assert found.tau2 == pytest.approx(printed, abs=5.5e-5)
    assert [found.tau2, found.se] == pytest.approx([value, se], rel=PRINTED)


def test_linde_2005_coefficients():
    y, v, X, _ = linde()
    fit = core.meta_regression(y, v, X, tau2="dl", interval="wald")
    assert fit.coefficients == pytest.approx([0.47625885, -0.0058448, -0.06722782, -0.00156996], abs=5e-9)
    assert fit.se == pytest.approx([0.08764097, 0.00999872, 0.03522283, 0.00344659], abs=5e-9)
    assert fit.r2 == pytest.approx(47.3778, abs=5e-5)
