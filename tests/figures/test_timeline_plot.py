"""The timeline: a stepped line through the pools of the first study, the first two, and so on."""

import dataclasses

import numpy as np
import pytest

from ipsevidence.core import InputError
from ipsevidence.figures.timeline_plot import timeline

from .cases import effects, trials
from .factory import nine
from .plotted import RUNS, bcg, line, marks, outline, points, texts, with_years, words


def steps(figure):
    """Return where steps begin, and their heights."""
    x, y = line(figure, "mean")
    return x[::2], y[::2]


def test_of_a_common_effect_the_steps_are_weighted_means_in_the_order_of_years():
    run = with_years(nine(tau2="common", prediction="none"))
    order = sorted(range(9), key=lambda i: run.rows[i].extra["year"])
    y, w = np.array(run.y)[order], 1 / np.array(run.v)[order]
    np.testing.assert_allclose(steps(timeline(run))[1], np.cumsum(w * y) / np.cumsum(w))


def test_the_last_step_is_the_pool_with_its_interval():
    for name in ("nine", "bcg", "forty", "effects"):
        run = RUNS[name]()
        figure = timeline(run)
        assert line(figure, "mean")[1][-1] == pytest.approx(run.fit.estimate)
        x, y = outline(figure, "band")
        ends = y[x == x.max()]
        assert (ends.min(), ends.max()) == pytest.approx((run.fit.ci.low, run.fit.ci.high))


def test_studies_of_one_year_stand_side_by_side_within_it():
    run = with_years(nine())
    when, _ = points(timeline(run), "studies")
    years = sorted(row.extra["year"] for row in run.rows)
    np.testing.assert_array_equal(np.floor(when), years)
    assert len(set(when)) == 9
    assert list(when) == sorted(when)
    np.testing.assert_array_equal(steps(timeline(run))[0], when)


def test_studies_stand_at_their_own_effects():
    run = with_years(nine())
    order = sorted(range(9), key=lambda i: run.rows[i].extra["year"])
    np.testing.assert_allclose(points(timeline(run), "studies")[1], np.array(run.y)[order])


def test_those_that_moved_the_mean_most_are_named_with_before_and_after():
    run = with_years(nine())
    figure = timeline(run)
    _, mean = steps(figure)
    order = sorted(range(9), key=lambda i: run.rows[i].extra["year"])
    change = np.abs(np.diff(mean))
    first = 1 + int(change.argmax())
    label = run.rows[order[first]].label
    expected = f"{label}: {np.exp(mean[first - 1]):.2f}\u00a0→\u00a0{np.exp(mean[first]):.2f}"
    assert texts(figure)["label-effects-0"].get_text() == expected
    assert f"Moved it most: {expected}" in figure.alternative
    assert points(figure, "moved").shape == (2, 4)


def test_the_words_have_the_pool_at_the_end_of_each_year():
    run = with_years(bcg())
    assert "1948 0.41, 1 study; 1949 0.27" in timeline(run).alternative
    assert "1980 0.49 (0.33–0.73), 13 studies." in timeline(run).alternative


def test_a_living_analysis_begins_with_three_studies():
    run = with_years(trials(8, seed=3))
    living = dataclasses.replace(run, spec=run.spec.model_copy(update={"purpose": "living"}))
    figure = timeline(living)
    assert steps(figure)[0].size == 6
    assert "The line begins with 3 studies." in words(figure, "note")
    assert points(figure, "studies").shape == (2, 8)


def test_effects_without_interval_leave_the_band_open():
    figure = timeline(with_years(trials(3, seed=3)))  # no interval by Hartung and Knapp of one study
    x, _ = outline(figure, "band")
    assert x.min() == 2001.0
    assert "nan" not in figure.alternative


def test_identical_effects_can_be_drawn():
    figure = timeline(with_years(effects([(0.3, 0.1)] * 4)))
    assert points(figure, "moved").shape == (2, 1)
    assert "mean" in marks(figure)


def test_a_row_without_a_year_is_refused_by_name():
    with pytest.raises(InputError, match="Davis 2012 has none"):
        timeline(nine())
    with pytest.raises(InputError, match="at least 3 studies"):
        timeline(trials(2))
