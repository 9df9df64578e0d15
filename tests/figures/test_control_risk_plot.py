"""Effect against control risk: log odds across, the line of the bivariate model."""

import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core import InputError
from ipsevidence.figures.control_risk_plot import control_risk

from .cases import trials
from .factory import nine, pooled, row
from .plotted import RUNS, bcg, line, marks, outline, points, texts, words


def cells(run):
    return np.array([[c.events1, c.n1, c.events2, c.n2] for r in run.rows for c in [r.counts]], dtype=float).T


@pytest.fixture(scope="module")
def figure():
    return control_risk(nine())


@pytest.fixture(scope="module")
def model():
    return core.control_risk(*cells(nine()))


def test_points_stand_at_log_odds_and_log_odds_ratio(figure):
    a, n1, c, n2 = cells(nine())
    logit = np.log(c / (n2 - c))
    expected = set(zip(logit.round(9), (np.log(a / (n1 - a)) - logit).round(9), strict=True))
    assert {tuple(pair) for pair in points(figure, "studies").T.round(9).tolist()} == expected


def test_areas_are_proportional_to_the_participants(figure):
    size = np.sort(cells(nine())[1] + cells(nine())[3])[::-1]
    area = marks(figure)["studies"].get_sizes()
    np.testing.assert_allclose(area / area[0], size / size[0])


def test_the_line_is_straight_through_the_means_with_the_slope_of_the_model(figure, model):
    x, y = line(figure, "mean")
    np.testing.assert_allclose(y, model.effect + model.slope * (x - model.control_logit))
    low, high = model.observed
    assert (x[0], x[-1]) == pytest.approx((math.log(low / (1 - low)), math.log(high / (1 - high))))


def test_the_bands_are_those_of_the_model(figure, model):
    for risk in model.observed:
        at = model.at(risk)
        for key, interval in (("band", at.effect_ci), ("prediction", at.effect_prediction)):
            x, y = outline(figure, key)
            ends = y[np.isclose(x, math.log(risk / (1 - risk)))]
            assert (ends.min(), ends.max()) == pytest.approx((interval.low, interval.high))


def test_ticks_are_percentages_on_the_scale_of_log_odds(figure):
    axes = figure.axes[1]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert len(labels) >= 4
    for tick, label in zip(axes.get_xticks(), labels, strict=True):
        assert 100 / (1 + math.exp(-tick)) == pytest.approx(float(label))


def test_the_slope_is_said_for_odds_twice_as_high(figure, model):
    note = words(figure, "note")
    assert f"the odds ratio is {2**model.slope:.2f} times as high" in note
    assert "true control risks" in note
    assert f"Mean odds ratio {math.exp(model.effect):.2f}" in figure.alternative


def test_odds_ratios_are_drawn_whatever_was_pooled():
    np.testing.assert_allclose(points(control_risk(bcg()), "studies"), points(control_risk(bcg("OR")), "studies"))
    assert texts(control_risk(bcg()))["effects-y"].get_text() == "Odds ratio (log scale)"


def test_empty_cells_are_drawn_with_a_half_added_and_studies_without_events_are_not():
    rows = [
        row(f"S{i}", a, 40, c, 40) for i, (a, c) in enumerate([(12, 4), (15, 9), (20, 14), (9, 2), (18, 11), (7, 0)])
    ]
    figure = control_risk(pooled(rows))
    x, _ = points(figure, "studies")
    assert x.min() == pytest.approx(math.log(0.5 / 40.5))
    assert "1 with an empty cell drawn with 0.5 added" in words(figure, "note")
    nothing = control_risk(pooled([*rows, row("none", 0, 40, 0, 40)]))
    assert points(nothing, "studies").shape == (2, 6)


def test_what_does_not_apply_is_refused():
    with pytest.raises(InputError, match="4 studies: the bivariate model is fitted from 5 on"):
        control_risk(trials(4))
    with pytest.raises(InputError, match="events and persons"):
        control_risk(RUNS["effects"]())
    with pytest.raises(InputError, match="do not vary"):
        control_risk(pooled([row(f"S{i}", 12 + i, 40, 8, 40) for i in range(6)]))
