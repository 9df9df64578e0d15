"""The L'Abbé plot: rates, areas, the curve of the pooled effect."""

import dataclasses

import numpy as np
import pytest

from ipsevidence.analysis.running import pool_rows
from ipsevidence.core import InputError
from ipsevidence.figures.labbe_plot import labbe

from .factory import nine, pooled, row
from .plotted import RUNS, bcg, line, marks, on_page, points, texts, words


def test_points_are_the_rates_of_the_arms_in_percent():
    run = nine()
    figure = labbe(run)
    expected = {(100 * r.counts.events2 / r.counts.n2, 100 * r.counts.events1 / r.counts.n1) for r in run.rows}
    assert {tuple(pair) for pair in points(figure, "studies").T.tolist()} == expected


def test_areas_are_proportional_to_the_participants():
    run = nine()
    figure = labbe(run)
    area = marks(figure)["studies"].get_sizes()
    persons = sorted((r.counts.n1 + r.counts.n2 for r in run.rows), reverse=True)
    np.testing.assert_allclose(area / area[0], np.array(persons) / persons[0])


def test_the_line_of_no_effect_is_the_diagonal_and_both_axes_are_alike():
    figure = labbe(nine())
    x, y = line(figure, "no-effect")
    np.testing.assert_array_equal(x, y)
    left, right, bottom, top = on_page(figure)
    assert (left, right) == (bottom, top) == (0.0, 80.0)
    wide, high = figure.axes[1].get_window_extent().size
    assert wide == pytest.approx(high)


def test_the_curve_joins_rates_of_the_pooled_odds_ratio():
    run = nine()
    p, q = (part / 100 for part in line(labbe(run), "mean"))
    np.testing.assert_allclose(np.log(q / (1 - q)) - np.log(p / (1 - p)), run.fit.estimate)


def test_of_a_risk_ratio_the_curve_is_a_line_through_the_origin():
    run = bcg()
    x, y = line(labbe(run), "mean")
    np.testing.assert_allclose(y, np.exp(run.fit.estimate) * x)


def test_arms_have_the_names_of_the_dataset_or_none():
    assert texts(labbe(nine()))["effects-y"].get_text() == "IPS: events, %"
    assert texts(labbe(bcg()))["effects-x"].get_text() == "Group 2: events, %"
    assert texts(labbe(bcg(), arms=("Vaccine", "None")))["effects-y"].get_text() == "Vaccine: events, %"


def test_rows_without_counts_are_left_out_and_counted():
    rows = [row("A", 4, 10, 2, 10), row("B", 5, 12, 3, 11), row("C", y=0.3, v=0.1)]
    figure = labbe(pooled(rows))
    assert points(figure, "studies").shape == (2, 2)
    assert "1 study without counts" in words(figure, "note")


def test_names_do_not_stand_on_bubbles():
    figure = labbe(nine())
    assert {text.get_text() for key, text in texts(figure).items() if key.startswith("label")} <= {
        r.label for r in nine().rows
    }


def test_effects_without_counts_are_refused():
    with pytest.raises(InputError, match="events and persons"):
        labbe(RUNS["effects"]())


def test_arcsine_differences_have_no_curve():
    run = nine()
    spec = run.spec.model_copy(update={"effect": run.spec.effect.model_copy(update={"measure": "AS"})})
    figure = labbe(dataclasses.replace(pool_rows(spec, run.rows), data=run.data))
    assert "mean" not in marks(figure)
