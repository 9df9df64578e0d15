"""The specification curve: what stands where, what is said under it, and when it is not drawn."""

import dataclasses
import math

import numpy as np
import pytest

from ipsevidence.analysis.choices import Cell, Choices, Fork, Option
from ipsevidence.analysis.multiverse import estimator_choices
from ipsevidence.analysis.running import pool_rows
from ipsevidence.core import InputError
from ipsevidence.figures.saving import save
from ipsevidence.figures.specification_plot import specification

from . import seen
from .factory import NINE, row, spec


@pytest.fixture(scope="module")
def run():
    rows = [
        row(label, *counts, group=group, basis=basis, number=i, participants=float(counts[1] + counts[3]))
        for i, (label, *counts, group, basis) in enumerate(NINE)
    ]
    return pool_rows(spec(measure="OR", tau2="reml", interval="hksj", prediction="t-k1"), rows)


@pytest.fixture(scope="module")
def choices(run):
    return estimator_choices(run)


@pytest.fixture(scope="module")
def drawing(run, choices):
    return specification(run, choices)


def test_estimates_stand_in_order_and_each_once(choices, drawing):
    marks = seen.marks(drawing)
    points = np.concatenate([marks[key].get_offsets() for key in ("clear", "unclear", "headline") if key in marks])
    points = points[np.argsort(points[:, 0])]
    assert points[:, 0].tolist() == list(range(len(choices.estimated)))
    assert (np.diff(points[:, 1]) >= 0).all()


def test_headline_is_the_analysis_and_its_column_is_shaded(choices, drawing):
    marks = seen.marks(drawing)
    ((at, _),) = marks["headline"].get_offsets()
    ordered = sorted(cell.estimate for cell in choices.estimated)
    assert ordered[round(at)] == choices.headline.estimate
    box = marks["analysis"]
    assert box.get_x() + box.get_width() / 2 == pytest.approx(at)


def test_each_column_has_one_mark_for_each_decision_that_arises(choices, drawing):
    marks = seen.marks(drawing, "option-")
    for place, fork in enumerate(choices.decisions):
        columns = [
            segment[0][0]
            for option in fork.options
            if (key := f"option-{fork.key}-{option.key}") in marks
            for segment in marks[key].get_segments()
        ]
        arises = sum(bool(cell.options[place]) for cell in choices.estimated)
        assert len(columns) == len(set(columns)) == arises


def test_heights_of_the_curve_are_logarithms(choices, drawing):
    marks = seen.marks(drawing)
    axes = seen.axes(drawing, "effects")
    ticks = {text.get_text(): y for y, text in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)}
    # Two ticks give the scale: a doubling is as high wherever it is.
    unit = (ticks["4"] - ticks["1"]) / math.log(4)
    ((_, y),) = marks["headline"].get_offsets()
    assert y == pytest.approx(ticks["1"] + unit * math.log(choices.headline.estimate), abs=1e-6)
    assert marks["no-effect"].get_ydata()[0] == pytest.approx(ticks["1"])
    assert marks["threshold"].get_ydata()[0] == pytest.approx(ticks["1"] + unit * math.log(1.5))


def test_nothing_overlaps_and_all_is_on_the_page(drawing):
    found = {key: box for key, box in seen.boxes(drawing).items() if not key.startswith("tick")}
    assert seen.overlaps(found) == []
    wide, high = (size * drawing.dpi for size in drawing.get_size_inches())
    for left, bottom, right, top in found.values():
        assert left >= 0
        assert bottom >= 0
        assert right <= wide
        assert top <= high
    renderer = drawing.canvas.get_renderer()
    labels = [label for label in seen.axes(drawing, "effects").get_yticklabels() if label.get_text()]
    edges = [label.get_window_extent(renderer).extents for label in labels]
    assert min(edge[0] for edge in edges) >= 0
    headings = [box for key, box in found.items() if key.startswith(("fork", "effect"))]
    for left, bottom, right, top in edges:
        for a, b, c, d in headings:
            assert min(right, c) - max(left, a) <= 0.5 or min(top, d) - max(bottom, b) <= 0.5


def test_caption_says_range_what_moves_and_what_flips(choices, drawing):
    low, high = choices.range
    assert f"Estimates from {low:.2f} to {high:.2f}" in drawing.alternative
    assert "Equivalent answers to one question." in drawing.alternative
    assert choices.label(*choices.moves_most[:2]) in drawing.alternative
    assert "Whether the confidence interval excludes no effect is turned round by" in drawing.alternative


def made_up(*cells):
    forks = (
        Fork(key="a", label="First", options=(Option(key="x", label="as it is"), Option(key="y", label="another"))),
    )
    return Choices(
        family="question", measure="OR", decisions=forks, excluded=(), cells=cells, threshold=1.5, level=0.95
    )


HERE = Cell(options=("x",), k=9, participants=900.0, estimate=2.0, low=1.3, high=3.1)
FLIPPED = Cell(options=("y",), k=5, participants=500.0, estimate=1.4, low=0.7, high=2.8)
NONE = Cell(options=("y",), k=2, participants=50.0, why="2 trials: nothing is pooled below 3")


def test_an_interval_that_reaches_no_effect_is_a_ring_and_named(run):
    drawing = specification(run, made_up(HERE, FLIPPED, NONE))
    marks = seen.marks(drawing)
    assert [x for x, _ in marks["unclear"].get_offsets()] == [0.0]
    assert marks["unclear"].get_facecolor()[0][:3].tolist() == [1.0, 1.0, 1.0]
    assert "turned round by “First: another” alone" in drawing.alternative
    assert "1 set of choices is not drawn" in drawing.alternative
    assert "their spread is no uncertainty of one answer" in drawing.alternative


def test_without_another_estimate_there_is_no_curve(run):
    with pytest.raises(InputError, match="with an estimate: 1"):
        specification(run, made_up(HERE, NONE))
    with pytest.raises(InputError, match="nothing is pooled below 3"):
        specification(run, made_up(dataclasses.replace(NONE, options=("x",)), FLIPPED, FLIPPED))
    with pytest.raises(InputError, match="style"):
        specification(run, made_up(HERE, FLIPPED), style="nonsense")


def test_same_numbers_give_the_same_bytes(run, tmp_path):
    first, second = (
        save(specification(run, made_up(HERE, FLIPPED)), tmp_path / f"{name}.svg").read_bytes() for name in "ab"
    )
    assert first == second
    assert b"another" in first
