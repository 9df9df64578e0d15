"""The GOSH plot: all selections, told apart by a study."""

import math

import numpy as np
import pytest

from ipsevidence.core import InputError
from ipsevidence.figures.gosh_plot import gosh

from .cases import effects, trials
from .factory import nine
from .plotted import bcg, line, marks, on_page, words

WHITE = 1.0


def cells(figure):
    return np.asarray(marks(figure)["density"].get_array())


def test_the_density_is_a_picture_within_the_axes_and_dark_where_selections_are():
    figure = gosh(nine())
    image = cells(figure)
    assert image.shape[2] == 3
    dark = (image < WHITE).any(axis=2).sum()
    assert 100 < dark <= 511
    left, right, *_ = on_page(figure)
    assert tuple(marks(figure)["density"].get_extent())[:2] == (left, right)


def test_three_studies_have_seven_selections():
    figure = gosh(trials(3, seed=3))
    assert "All 7 selections of the 3 studies" in words(figure, "note")
    assert 1 < (cells(figure) < WHITE).any(axis=2).sum() <= 7


def test_the_axis_reaches_from_the_smallest_to_the_largest_effect():
    run = bcg()
    left, right, *_ = on_page(gosh(run))
    assert left < min(run.y)  # a selection of one study is its effect
    assert right > max(run.y)


def test_the_distribution_of_means_has_its_mode_in_the_densest_part():
    figure = gosh(bcg())
    x, y = line(figure, "means-0")
    assert y.max() == pytest.approx(135.0)
    assert y.min() == 106.0
    assert abs(x[y.argmax()] - math.log(0.49)) < 0.15
    assert set(line(figure, "mean")[0]) == {bcg().fit.estimate}


def test_selections_with_and_without_a_study_differ_in_colour_and_in_dashes():
    run = nine()
    figure = gosh(run, study="Davis 2012")
    image = cells(figure)
    blue = image[..., 2] - image[..., 0]
    assert (blue > 0.05).any()
    assert ((image < WHITE).all(axis=2) & (np.abs(blue) < 1e-9)).any()
    assert not marks(figure)["means-0"].is_dashed()
    assert marks(figure)["means-1"].is_dashed()
    assert words(figure, "key") == "with Davis 2012 without"
    assert "With Davis 2012: median" in figure.alternative
    assert gosh(run, study=run.rows[0].id).alternative == figure.alternative


def test_draws_follow_the_seed():
    run = effects([(0.1 * i, 0.05 + 0.01 * i) for i in range(21)])
    first, second = gosh(run), gosh(run, seed=2)
    assert "100\u00a0000 selections drawn at random of the 21 studies" in words(first, "note")
    assert not np.array_equal(cells(first), cells(second))
    assert np.array_equal(cells(first), cells(gosh(run)))


def test_identical_studies_can_be_drawn():
    assert (cells(gosh(effects([(0.3, 0.1)] * 4))) < WHITE).any()


def test_an_unknown_study_and_too_few_are_refused():
    with pytest.raises(InputError, match="study must be the id or the label of one of: Davis 2012"):
        gosh(nine(), study="Nobody")
    with pytest.raises(InputError, match="at least 3 studies"):
        gosh(trials(2))


def stopped(function, chunks):
    """Be interrupted after the first chunk."""
    yield function(next(iter(chunks)))
    raise KeyboardInterrupt


def test_after_an_interruption_random_selections_are_drawn_and_the_first_of_all_are_not():
    told = []
    figure = gosh(bcg(), subsets=5000, mapper=stopped, progress=lambda *done: told.append(done))
    assert "4\N{NO-BREAK SPACE}096 selections drawn at random of the 13 studies" in words(figure, "note")
    assert told == [(4096, 5000)]
    with pytest.raises(KeyboardInterrupt):
        gosh(bcg(), mapper=stopped)


def test_the_number_of_selections_can_be_given():
    assert "300 selections drawn at random" in words(gosh(bcg(), subsets=300), "note")
    assert "All 8\N{NO-BREAK SPACE}191 selections" in words(gosh(bcg(), subsets=10_000), "note")
