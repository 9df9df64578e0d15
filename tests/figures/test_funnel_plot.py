"""The funnel: points at effect and standard error, sides and contours where normal quantiles put them, the test."""

import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core import InputError
from ipsevidence.figures.funnel_plot import funnel

from .cases import effects, trials
from .factory import nine
from .plotted import RUNS, bcg, line, marks, on_page, points, texts, words

Z = 1.959963984540054
Z90 = 1.6448536269514722
Z99 = 2.5758293035489004


def test_points_stand_at_effect_and_standard_error_with_zero_at_the_top():
    run = nine()
    figure = funnel(run)
    x, y = points(figure, "studies")
    np.testing.assert_allclose(x, run.y)
    np.testing.assert_allclose(y, np.sqrt(run.v))
    _, _, bottom, top = on_page(figure)
    assert top == 0.0
    assert bottom == pytest.approx(1.06 * max(run.v) ** 0.5)


def test_sides_are_straight_from_the_mean_as_wide_as_the_level():
    run = nine()
    figure = funnel(run)
    for key, sign in (("limit-low", -1), ("limit-high", 1)):
        x, se = line(figure, key)
        np.testing.assert_allclose(x, run.fit.estimate + sign * Z * se)
        assert se.min() == 0.0
    assert set(line(figure, "mean")[0]) == {run.fit.estimate}


def test_sides_follow_the_level():
    x, se = line(funnel(nine(level="0.9")), "limit-high")
    run = nine(level="0.9")
    np.testing.assert_allclose(x, run.fit.estimate + Z90 * se)


def test_contours_are_symmetric_around_no_effect():
    figure = funnel(nine(), contours=True)
    for p, z in (("0.1", Z90), ("0.05", Z), ("0.01", Z99)):
        x, se = marks(figure)[f"contour-{p}"].get_xy().T
        deepest = se.max()
        assert x.max() == pytest.approx(z * deepest)
        assert x.min() == pytest.approx(-z * deepest)
    assert marks(figure)["contour-0.1"].get_facecolor() == (1, 1, 1, 1)
    assert "p\u00a0>\u00a00.10" in words(figure, "key")


def test_contours_reach_into_the_picture():
    low, high, *_ = on_page(funnel(trials(9, seed=8), contours=True))
    assert low < 0.0 < high


def test_studies_outside_are_named_and_counted():
    run = nine()
    outside = [
        row.label for row, y, v in zip(run.rows, run.y, run.v, strict=True) if abs(y - run.fit.estimate) > Z * v**0.5
    ]
    assert len(outside) == 5
    figure = funnel(run)
    named = {text.get_text() for key, text in texts(figure).items() if key.startswith("label")}
    assert named <= set(outside)
    assert "Davis 2012" in named
    assert "5 of 9 lie outside" in figure.alternative


def test_trim_and_fill_draws_the_added_studies_as_rings():
    run = bcg()
    found = core.trim_and_fill(run.y, run.v, tau2="reml", interval="hksj")
    figure = funnel(run, fill=True)
    x, y = points(figure, "filled")
    # metafor, trimfill of the thirteen trials (REML): one study missing on the right side
    assert x.size == found.k0 == 1
    np.testing.assert_allclose(x, found.fit.y[-1:])
    np.testing.assert_allclose(y, np.sqrt(found.fit.v[-1:]))
    assert "adds 1 study on the right, with it risk ratio 0.52" in figure.alternative
    assert "no corrected effect" in words(figure, "note")


def test_ten_studies_are_needed_for_a_test():
    assert "10 studies are needed, there are 9" in words(funnel(nine()), "note")
    assert "needed" not in words(funnel(bcg()), "note")


def test_counts_are_tested_on_arcsine_differences_and_by_peters():
    # by hand: arcsine differences regressed on their standard error, weighted by 1/v
    run = bcg()
    cells = np.array(
        [[row.counts.events1, row.counts.n1, row.counts.events2, row.counts.n2] for row in run.rows], dtype=float
    )
    a, n1, c, n2 = cells.T
    y = np.arcsin(np.sqrt(a / n1)) - np.arcsin(np.sqrt(c / n2))
    v = 1 / (4 * n1) + 1 / (4 * n2)
    w, x = 1 / v, np.sqrt(v)
    design = np.column_stack([np.ones_like(x), x])
    inverse = np.linalg.inv(design.T @ (w[:, None] * design))
    b = inverse @ design.T @ (w * y)
    s2 = float(w @ (y - design @ b) ** 2) / (y.size - 2)
    t = b[1] / math.sqrt(s2 * inverse[1, 1])
    shown = words(funnel(run), "note")
    assert f"Egger's test on arcsine differences: t(11)\u00a0=\u00a0{t:.2f}".replace("-", "−") in shown
    assert "Peters's test on odds ratios: t(11)" in shown


def test_effects_without_counts_get_the_plain_test():
    shown = words(funnel(RUNS["effects"]()), "note")
    assert "Egger's test: t(10)" in shown
    assert "Peters" not in shown
    ratios = effects([(0.1 * i - 0.3, 0.02 + 0.01 * i) for i in range(12)])
    assert "effect and standard error are correlated" in words(funnel(ratios), "note")


def test_too_few_studies_are_refused():
    with pytest.raises(InputError, match="a funnel plot needs at least 3 studies; there are 2"):
        funnel(trials(2))


def test_contours_need_a_value_of_no_effect():
    with pytest.raises(InputError, match="contours"):
        funnel(effects([(0.4, 0.1), (0.5, 0.2), (1.0, 0.1)], measure="PLO"), contours=True)


def test_fill_is_refused_where_standard_errors_are_alike():
    with pytest.raises(InputError, match="fill"):
        funnel(effects([(0.4, 0.1), (0.5, 0.1), (1.0, 0.1)]), fill=True)
