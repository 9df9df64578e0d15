"""The bubble plot: points at the moderator, the line and bands of the meta-regression."""

import dataclasses

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.running import pool_rows
from ipsevidence.core import InputError
from ipsevidence.figures.bubble_plot import bubble

from .cases import effects
from .factory import nine
from .plotted import RUNS, bcg, line, marks, outline, points, texts, with_years, words

ABLAT = "ablat"


def test_the_line_on_latitude_is_that_of_metafor():
    # metafor::rma(yi, vi, mods = ~ ablat, data = dat.bcg): 0.2515 - 0.0291 ablat, tau2 0.0764
    x, y = line(bubble(bcg(), moderator=ABLAT), "mean")
    slope, intercept = np.polyfit(x, y, 1)
    assert intercept == pytest.approx(0.2515, abs=5e-5)
    assert slope == pytest.approx(-0.0291, abs=5e-5)
    assert (x[0], x[-1]) == (13.0, 55.0)


def test_the_bands_are_those_of_metafor():
    # predict(rma(yi, vi, mods = ~ ablat, data = dat.bcg, test = "knha",
    #         control = list(threshold = 1e-13, maxiter = 10000)), newmods = c(13, 55))
    figure = bubble(bcg(), moderator=ABLAT)
    for key, expected in (
        ("band", {13.0: (-0.551663, 0.297955), 55.0: (-1.853629, -0.844624)}),
        ("prediction", {13.0: (-0.868688, 0.614980), 55.0: (-2.139303, -0.558951)}),
    ):
        x, y = outline(figure, key)
        for at, ends in expected.items():
            found = y[np.isclose(x, at)]
            assert (found.min(), found.max()) == pytest.approx(ends, abs=2e-6)


def test_bubbles_stand_at_the_studies_with_areas_by_weight():
    run = with_years(nine())
    figure = bubble(run)
    expected = {(float(row.extra["year"]), y) for row, y in zip(run.rows, run.y, strict=True)}
    assert {tuple(pair) for pair in points(figure, "studies").T.tolist()} == expected
    variance = {(float(r.extra["year"]), y): v for r, y, v in zip(run.rows, run.y, run.v, strict=True)}
    tau2 = core.meta_regression(run.y, run.v, [[1.0, r.extra["year"] - 2015] for r in run.rows], tau2="dl").tau2
    weight = np.array([1 / (variance[tuple(pair)] + tau2) for pair in points(figure, "studies").T.tolist()])
    area = marks(figure)["studies"].get_sizes()
    np.testing.assert_allclose(area / area[0], weight / weight[0])


def test_the_slope_is_written_as_a_factor_with_its_interval():
    figure = bubble(bcg(), moderator=ABLAT)
    assert "Factor per unit of ablat: 0.971 (95%\u00a0CI 0.954–0.989), p\u00a0=\u00a00.005" in words(figure, "note")
    assert "Change per year" in words(bubble(RUNS["effects"]()), "note")
    assert "Expected: 0.88 (0.58–1.35) at 13" in figure.alternative


def test_years_have_whole_ticks():
    for name in ("nine", "three", "forty"):
        ticks = [text.get_text() for key, text in texts(bubble(RUNS[name]())).items() if "effects-x-tick" in key]
        assert all(len(tick) == 4 and tick.isdigit() for tick in ticks)


def test_a_common_effect_has_no_band_of_new_studies():
    assert "prediction" not in marks(bubble(RUNS["common"]()))


def test_few_studies_are_pointed_out():
    assert "Fewer than 10 studies per moderator (9 for 1)" in words(bubble(with_years(nine())), "note")
    assert "Fewer" not in words(bubble(bcg()), "note")


def test_rows_without_the_moderator_are_left_out_and_named():
    run = with_years(nine())
    rows = [dataclasses.replace(run.rows[0], extra={}), *run.rows[1:]]
    figure = bubble(pool_rows(run.spec, rows))
    assert points(figure, "studies").shape == (2, 8)
    assert "Without year, and so left out: Davis 2012." in words(figure, "note")


def test_a_column_without_numbers_or_without_differences_is_refused():
    with pytest.raises(InputError, match="ablat, year; 'hours' does for 0"):
        bubble(bcg(), moderator="hours")
    with pytest.raises(InputError, match="none; 'year' does for 0"):
        bubble(effects([(0.1, 0.1), (0.2, 0.1), (0.3, 0.1)]))
    run = with_years(nine())
    alike = [dataclasses.replace(row, extra={"year": 2000}) for row in run.rows]
    with pytest.raises(InputError, match="'year' is 2000 in every study"):
        bubble(pool_rows(run.spec, alike))
