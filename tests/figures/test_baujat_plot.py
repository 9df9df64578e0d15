"""The Baujat plot: contribution to Q and squared change of the mean."""

import numpy as np
import pytest

from ipsevidence.core import InputError
from ipsevidence.figures.baujat_plot import baujat

from .cases import trials
from .factory import nine
from .plotted import bcg, on_page, points, texts


def test_of_a_common_effect_the_points_are_those_of_the_paper():
    run = nine(tau2="common", prediction="none")
    x, y = points(baujat(run), "studies")
    effects, w = np.array(run.y), 1 / np.array(run.v)
    mean = (w @ effects) / w.sum()
    np.testing.assert_allclose(x, w * (effects - mean) ** 2)
    assert x.sum() == pytest.approx(run.fit.q)
    for i in range(effects.size):
        rest = np.arange(effects.size) != i
        without = (w[rest] @ effects[rest]) / w[rest].sum()
        assert y[i] == pytest.approx((mean - without) ** 2 * w[rest].sum())


def test_axes_begin_at_zero_and_hold_all():
    figure = baujat(bcg())
    x, y = points(figure, "studies")
    left, right, bottom, top = on_page(figure)
    assert left == bottom == 0.0
    assert x.max() < right
    assert y.max() < top


def test_the_furthest_are_named_first():
    figure = baujat(nine())
    named = [text.get_text() for key, text in texts(figure).items() if key.startswith("label")]
    assert named[0] == "Davis 2012"
    assert len(named) <= 8
    assert "Furthest out: Davis 2012 (heterogeneity" in figure.alternative


def test_too_few_studies_are_refused():
    with pytest.raises(InputError, match="at least three studies"):
        baujat(trials(2))
