"""The compact summary: one row for each estimate, marks by the package, everything else as in the forest plot."""

import math
import subprocess
import sys
import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from ipsevidence.analysis.running import run as run_spec
from ipsevidence.core import InputError
from ipsevidence.figures import save
from ipsevidence.figures.compact_plot import Estimate, compact, estimates
from ipsevidence.figures.style import STYLES

from .factory import nine
from .seen import axes, boxes, overlaps, texts

ROWS = (
    Estimate(label="Same name", estimate=math.log(2.0), low=math.log(1.5), high=math.log(4.0), k=6),
    Estimate(label="Same name", estimate=math.log(0.5), low=math.log(0.25), high=math.log(1.0), k=4, note="adjusted"),
    Estimate(label="Veterans", k=1, note="one trial, not a pool"),
    Estimate(label="All", estimate=0.3, low=0.1, high=0.5, k=11, overall=True),
)
SCRIPT = """
import warnings
import matplotlib, numpy
from ipsevidence.figures.compact_plot import Estimate, compact
before = numpy.geterr(), list(warnings.filters), dict(matplotlib.rcParams)
compact([Estimate(label="A", estimate=0.1, low=0.0, high=0.2, k=3)])
assert before == (numpy.geterr(), list(warnings.filters), dict(matplotlib.rcParams))
"""


def written(figure):
    return {key: text.get_text() for key, text in texts(figure).items()}


def drawn(figure):
    """Return the squares and the intervals by the position of their rows from above."""
    effects = axes(figure, "effects")
    squares, intervals = effects.collections[1], effects.collections[0]
    middles = {round(float(y)): float(x) for x, y in squares.get_offsets() if not np.ma.is_masked(x)}
    ends = {round(float(path[0, 1])): path[:, 0].tolist() for path in intervals.get_segments() if len(path)}
    return middles, ends


def test_marks_stand_at_estimates_and_bounds_in_the_order_of_the_rows():
    figure = compact(ROWS)
    middles, ends = drawn(figure)
    assert middles[3] == pytest.approx(2.0)
    assert middles[2] == pytest.approx(0.5)
    assert ends[3] == pytest.approx([1.5, 4.0])
    assert ends[2] == pytest.approx([0.25, 1.0])
    assert not math.isfinite(middles.get(1, math.nan))


def test_rows_stand_beside_their_marks():
    figure = compact(ROWS)
    found, effects = boxes(figure), axes(figure, "effects")
    for index in range(len(ROWS)):
        _, bottom, _, top = found[f"line-{index}-k"]
        mark = effects.transData.transform((1.0, len(ROWS) - 1 - index))[1]
        assert (bottom + top) / 2 == pytest.approx(mark, abs=5)


def test_a_row_without_an_estimate_shows_its_reason():
    words = written(compact(ROWS))
    assert words["line-2-reason"] == "one trial, not a pool"
    assert "line-2-effect" not in words
    assert not any("nan" in text for text in words.values())
    assert words["line-1-extra:note"] == "adjusted"


def test_ticks_are_plain_and_no_effect_has_its_line():
    figure = compact(ROWS)
    effects = axes(figure, "effects")
    assert [label.get_text() for label in effects.get_xticklabels()] == ["0.25", "0.5", "1", "2", "4"]
    assert effects.get_xticks().tolist() == pytest.approx([0.25, 0.5, 1, 2, 4])
    assert effects.xaxis.get_minorticklocs().size == 0
    null = effects.collections[2].get_segments()[0]
    assert null[:, 0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("rows", [1, 4, 40])
def test_nothing_overlaps(style, rows):
    label = "A population with a rather long name of sixty characters here"
    many = [Estimate(label=label, estimate=0.1 * n, low=0.1 * n - 1, high=0.1 * n + 1, k=n + 2) for n in range(rows)]
    assert overlaps(boxes(compact([*many, ROWS[2]], style=style, favours=("one", "other")))) == []


def test_groups_and_their_total():
    run = nine()
    rows = estimates(run, of="groups")
    assert [(one.k, one.overall) for one in rows] == [(6, False), (2, False), (1, False), (9, True)]
    assert rows[2].note == "one trial, not a pool"
    assert rows[-1].estimate == run.fit.estimate
    words = written(compact(run))
    assert words["line-0-effect"] == "1.87 [1.27–2.74]"
    assert words["line-3-effect"] == "2.23 [1.53–3.26]"


def test_sensitivity_analyses_below_the_main_result():
    run = run_spec("bond-2019-nine-rcts")
    rows = estimates(run, of="sensitivity")
    assert len(rows) == 1 + len(run.sensitivity)
    assert rows[0].estimate == run.fit.estimate
    figure = compact(run, of="sensitivity")
    assert overlaps(boxes(figure)) == []
    assert "first row is the main result" in written(figure)["foot-0-0"]
    others = [one for one, made in zip(run.sensitivity, rows[1:], strict=True) if made.note == "risk ratio"]
    assert {one.measure for one in others} == {"RR"}


def test_differences_stand_on_a_plain_axis():
    figure = compact([Estimate(label="A", estimate=0.1, low=-0.05, high=0.25, k=3)], measure="RD")
    assert axes(figure, "effects").get_xscale() == "linear"
    assert axes(figure, "effects").collections[2].get_segments()[0][0, 0] == 0.0


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    wide = Estimate(label="Wide", estimate=0.4, low=-0.2, high=30.0, k=2)
    keys = {line.get_gid() for line in axes(compact([*ROWS, wide]), "effects").lines}
    assert "line-4-arrow-high" in keys


def test_nothing_to_draw_is_an_error():
    with pytest.raises(InputError, match="no estimate to draw"):
        compact([ROWS[2]])
    with pytest.raises(InputError, match="no sensitivity analyses"):
        compact(nine(), of="sensitivity")
    with pytest.raises(InputError, match="of must be"):
        compact(nine(), of="both")
    with pytest.raises(InputError, match="measure must be one of"):
        compact(ROWS, measure="XX")


def test_the_package_leaves_nothing_behind():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
    before = np.geterr(), list(warnings.filters), dict(mpl.rcParams)
    compact(ROWS)
    assert before == (np.geterr(), list(warnings.filters), dict(mpl.rcParams))
    assert plt.get_fignums() == []


def test_files_are_the_same_every_time_and_hold_the_description(tmp_path):
    first, second = (save(compact(ROWS), tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second
    assert b"one trial, not a pool" in first.lower()
    figure = compact(ROWS)
    assert "Veterans: One trial, not a pool." in figure.alternative
    assert "Same name: 0.50 (0.25–1.00). Adjusted." in figure.alternative
