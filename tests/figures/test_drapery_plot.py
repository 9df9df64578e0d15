"""The drapery plot: curves that meet each level at the ends of the interval of that level."""

import numpy as np
import pytest
from scipy.stats import norm, t

from ipsevidence.core import InputError
from ipsevidence.figures.drapery_plot import drapery

from .cases import effects, trials
from .factory import nine
from .plotted import bcg, line, marks, on_page


def crossings(x, p, level):
    """Return where a curve of straight pieces has a height."""
    found = [i for i in range(len(p)) if p[i] == pytest.approx(level, abs=1e-12)]
    return [x[i] for i in found]


def test_the_mean_meets_the_level_at_its_interval():
    for run in (nine(), bcg(), trials(3, seed=3)):  # normal, t with 12 and with 2 degrees of freedom
        low, high = crossings(*line(drapery(run), "mean"), 0.05)
        assert (low, high) == pytest.approx((run.fit.ci.low, run.fit.ci.high))


def test_a_study_meets_the_level_at_its_wald_interval():
    run = nine()
    figure = drapery(run)
    for index, (low, high) in enumerate(run.intervals):
        assert crossings(*line(figure, f"study-{index}"), 0.05) == pytest.approx([low, high])


def test_every_corner_is_a_two_sided_p_value():
    run = bcg()
    figure = drapery(run)
    x, p = line(figure, "mean")
    np.testing.assert_allclose(p, 2 * t.sf(np.abs(x - run.fit.estimate) / run.fit.se, run.fit.df), rtol=1e-9)
    x, p = line(figure, "study-0")
    np.testing.assert_allclose(p, 2 * norm.sf(np.abs(x - run.y[0]) / run.v[0] ** 0.5), rtol=1e-6)


def test_curves_rise_to_one_at_the_estimate():
    run = nine()
    x, p = line(drapery(run), "mean")
    assert p.max() == 1.0
    assert x[p.argmax()] == run.fit.estimate
    assert list(x) == sorted(x)


def test_the_line_at_no_effect_and_the_level_are_there():
    figure = drapery(nine(level="0.9"))
    assert set(line(figure, "no-effect")[0]) == {0.0}
    np.testing.assert_allclose(line(figure, "level")[1], 0.1)
    assert on_page(figure)[2:] == (0.0, 1.0)


def test_a_measure_without_no_effect_has_no_line():
    assert "no-effect" not in marks(drapery(effects([(0.4, 0.1), (0.5, 0.2), (1.0, 0.1)], measure="PLO")))


def test_words_count_the_intervals_that_hold_no_effect():
    run = nine()
    holds = sum(low <= 0 <= high for low, high in run.intervals)
    assert f"the intervals of {holds} of 9 studies hold it" in drapery(run).alternative


def test_a_mean_without_interval_is_refused():
    with pytest.raises(InputError, match="no interval"):
        drapery(effects([(0.3, 0.1)] * 3, interval="hksj"))
