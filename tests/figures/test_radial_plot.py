"""The radial plot: slopes are effects, on the ruler too."""

import numpy as np
import pytest

from ipsevidence.core import InputError
from ipsevidence.figures.radial_plot import radial

from .cases import trials
from .factory import nine
from .plotted import bcg, line, marks, on_page, points, texts

Z = 1.959963984540054


def test_points_are_precision_and_standardised_effect():
    run = nine()
    x, y = points(radial(run), "studies")
    np.testing.assert_allclose(x, 1 / np.sqrt(np.array(run.v) + run.fit.tau2))
    np.testing.assert_allclose(y / x, run.y)


def test_without_tau2_precision_is_one_over_the_standard_error():
    run = nine(tau2="common", prediction="none")
    figure = radial(run)
    np.testing.assert_allclose(points(figure, "studies")[0], 1 / np.sqrt(run.v))
    assert "τ²" not in texts(figure)["effects-x"].get_text()


def test_the_line_has_the_slope_of_the_mean_and_the_band_is_parallel():
    run = bcg()
    figure = radial(run)
    for key, offset in (("mean", 0.0), ("limit-low", -Z), ("limit-high", Z)):
        x, y = line(figure, key)
        np.testing.assert_allclose(y, offset + run.fit.estimate * x)
        assert x[0] == 0.0


def test_the_ruler_has_an_effect_where_its_ray_leaves_the_panel():
    figure = radial(bcg())
    _, right, low, high = on_page(figure)
    axes = next(one for one in figure.axes if one.get_label() == "effects")
    page = next(one for one in figure.axes if one.get_label() == "page")
    found = {key: text for key, text in texts(figure).items() if key.startswith("ruler-") and key != "ruler-label"}
    assert len(found) >= 3
    for key, text in found.items():
        _, y = marks(figure)[key.replace("ruler-", "ruler-tick-")].get_data()
        pixel = page.transData.transform((0, y[0]))
        z = axes.transData.inverted().transform(pixel)[1]
        assert low <= z <= high
        assert np.exp(z / right) == pytest.approx(float(text.get_text()), rel=1e-6)


def test_studies_outside_the_band_are_named():
    figure = radial(nine())
    assert "Outside the band: Davis 2012." in figure.alternative
    assert texts(figure)["label-effects-0"].get_text() == "Davis 2012"
    assert "No study lies outside" in radial(bcg()).alternative


def test_too_few_studies_are_refused():
    with pytest.raises(InputError, match="at least 3 studies"):
        radial(trials(2))
