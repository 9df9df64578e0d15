import numpy as np
import pytest

from ipsevidence import core

# Follmann and Proschan 1999, table 1
CHOLESTEROL = np.array(
    [
        (173, 5331, 210, 5296), (157, 1906, 193, 1900), (131, 4541, 121, 4516), (56, 2051, 84, 2030),
        (52, 424, 65, 422), (36, 1149, 42, 1129), (62, 6582, 20, 1663), (2, 88, 2, 30),
    ]
)  # fmt: skip


def test_follmann_and_proschan_1999():
    """Follmann and Proschan 1999, Biometrics 55:732-737: eight trials of cholesterol (digits of metafor 3.8-1)."""
    y, v = core.two_by_two("PETO", *CHOLESTEROL.T)
    assert core.permutation_test(y, v, tau2="dl", statistic="estimate").p[0] == 10 / 256
    found = core.permutation_interval(y, v, tau2="dl", statistic="estimate")
    # metafor's search stops within 1.2e-4 of a bound: between its bounds and ours nothing is rejected
    assert [found.low, found.high] == pytest.approx([-0.367691122, -0.001969731], abs=1e-4)
    for mean in (-0.36775, -0.00193):
        assert core.permutation_test(y - mean, v, tau2="dl", statistic="estimate").p[0] > 0.05


def test_bounds_are_where_the_test_changes_its_mind():
    y, v = np.array([0.3, 0.5, 0.1, 0.8, 0.4, 0.6, 0.2]), np.linspace(0.02, 0.2, 7)
    found = core.permutation_interval(y, v, tau2="dl", level=0.9)
    width = found.high - found.low
    for bound, sign in ((found.low, 1), (found.high, -1)):
        inside, outside = (
            core.permutation_test(y - bound - step, v, tau2="dl").p[0]
            for step in (1e-6 * width * sign, -1e-6 * width * sign)
        )
        assert outside <= 0.1 < inside


def test_five_studies_have_too_few_signs():
    found = core.permutation_interval([0.1, 0.2, 0.3, 0.4, 0.5], [0.1] * 5)
    assert "too few arrangements" in found.why
    assert found.missing
