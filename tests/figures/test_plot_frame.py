"""What all figures of panels have in common: nothing overlaps, all is on the page, the same bytes every time."""

import dataclasses
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence.core import InputError
from ipsevidence.figures.baujat_plot import baujat
from ipsevidence.figures.bayes_plot import bayes
from ipsevidence.figures.bubble_plot import bubble
from ipsevidence.figures.control_risk_plot import control_risk
from ipsevidence.figures.drapery_plot import drapery
from ipsevidence.figures.funnel_plot import funnel
from ipsevidence.figures.gosh_plot import gosh
from ipsevidence.figures.influence_plot import influence
from ipsevidence.figures.labbe_plot import labbe
from ipsevidence.figures.lettering import width
from ipsevidence.figures.numbers import Numerals
from ipsevidence.figures.plot_frame import enough, listed, radii
from ipsevidence.figures.plot_side import Side
from ipsevidence.figures.radial_plot import radial
from ipsevidence.figures.style import STYLES
from ipsevidence.figures.timeline_plot import timeline

from .cases import trials
from .factory import nine, pooled, row
from .plotted import RUNS, boxes, texts, with_years
from .seen import overlaps

DRAWN = {
    "funnel": funnel,
    "funnel, contours and fill": lambda run, **more: funnel(run, contours=True, fill=True, **more),
    "baujat": baujat,
    "radial": radial,
    "labbe": labbe,
    "drapery": drapery,
    "gosh": gosh,
    "gosh of a study": lambda run, **more: gosh(run, study=run.rows[0].id if run.rows else "", **more),
    "bubble": bubble,
    "influence": influence,
    "bayes": bayes,
    "timeline": timeline,
    "control-risk": control_risk,
}
QUICK = ("svg", "pdf", "png")
WIDE = {"influence", "bayes", "timeline"}
REFUSED = {("labbe", "effects"), ("control-risk", "effects"), ("control-risk", "three")}
SLOW = {("gosh", "forty")}  # drawn with a study told apart
CASES = [(kind, run) for kind in DRAWN for run in RUNS if (kind, run) not in REFUSED | SLOW]


@pytest.fixture(scope="module", params=CASES, ids=" of ".join)
def drawn(request):
    kind, name = request.param
    run = RUNS[name]()
    return kind, run, DRAWN[kind](run)


def test_nothing_overlaps_and_all_is_on_the_page(drawn):
    _, _, figure = drawn
    found = boxes(figure)
    assert overlaps(found) == []
    edges = np.array(list(found.values()))
    across, up = figure.get_size_inches() * figure.dpi
    assert edges[:, :2].min() >= 0
    assert edges[:, 2].max() <= across
    assert edges[:, 3].max() <= up


def test_it_is_as_wide_as_a_column_or_a_page_and_no_text_is_tiny(drawn):
    kind, _, figure = drawn
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180 if kind in WIDE else 85)
    assert min(text.get_fontsize() for text in texts(figure).values()) >= 7


def test_ticks_are_plain(drawn):
    _, run, figure = drawn
    names = {row.label for row in run.rows} | {"Mean", "New study"}
    for key, text in texts(figure).items():
        if "tick" in key and text.get_text() not in names and not text.get_text().endswith("…"):
            assert 1 <= len(text.get_text().lstrip("−")) <= 6, text.get_text()
            float(text.get_text().replace("−", "-"))


def test_the_words_hold_the_estimate(drawn):
    kind, run, figure = drawn
    if kind not in {"bayes", "bubble", "control-risk"}:  # these have a model of their own
        assert STYLES["default"].numerals.effect(run.shown(run.fit.estimate)) in figure.alternative
    assert "nan" not in figure.alternative
    assert figure.alternative.endswith(".")
    assert run.spec.title in figure.title


@pytest.mark.parametrize("kind", ["influence", "bayes", "drapery", "timeline"])
def test_a_hundred_studies_fit_into_a_small_file(kind):
    figure = DRAWN[kind](with_years(trials(100, seed=7)))
    assert overlaps(boxes(figure)) == []
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    assert len(file.getvalue()) < 200_000


def test_the_file_is_small(drawn):
    file = io.BytesIO()
    drawn[2].savefig(file, format="svg")
    assert len(file.getvalue()) < 200_000


@pytest.mark.parametrize("kind", DRAWN)
def test_bytes_are_the_same_on_a_second_drawing(kind):
    def digests():
        figure, files = DRAWN[kind](RUNS["nine"]()), [io.BytesIO() for _ in QUICK]
        for form, file in zip(QUICK, files, strict=True):
            figure.savefig(file, format=form)
        return [file.getvalue() for file in files]

    assert digests() == digests()


@pytest.mark.parametrize("kind", ["funnel, contours and fill", "influence", "bayes"])
@pytest.mark.parametrize("style", STYLES)
def test_every_style_can_be_drawn(kind, style):
    figure = DRAWN[kind](RUNS["nine"](), style=style)
    assert overlaps(boxes(figure)) == []


@pytest.mark.parametrize("kind", sorted(set(DRAWN) - WIDE))
def test_wide_figures_have_the_width_of_the_style(kind):
    figure = DRAWN[kind](RUNS["nine"](), wide=True)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180)
    assert overlaps(boxes(figure)) == []


@pytest.mark.parametrize("kind", DRAWN)
def test_one_study_is_too_few_for_any(kind):
    with pytest.raises(InputError):
        DRAWN[kind](with_years(trials(1)))


@pytest.mark.parametrize(("kind", "name"), sorted(REFUSED))
def test_what_does_not_apply_is_refused(kind, name):
    with pytest.raises(InputError):
        DRAWN[kind](RUNS[name]())


@pytest.mark.parametrize("kind", DRAWN)
def test_nothing_is_drawn_where_nothing_was_pooled(kind):
    empty = dataclasses.replace(pooled([row("A", 0, 10, 0, 10), row("B", 0, 9, 0, 9)]), notes=())
    with pytest.raises(InputError):
        DRAWN[kind](empty)


@pytest.mark.parametrize("kind", DRAWN)
def test_an_unknown_style_is_refused(kind):
    with pytest.raises(InputError, match="style"):
        DRAWN[kind](RUNS["nine"](), style="none")


@given(
    low=st.floats(-1e4, 1e4),
    reach=st.floats(1e-3, 1e4),
    length=st.floats(28.0, 500.0),
)
@settings(max_examples=100)
def test_an_axis_holds_its_values_and_its_labels_have_room(low, reach, length):
    axis = Side(label="", low=low, high=low + reach, pad=3.0).made(length, 7.0)
    assert axis.low <= low < low + reach <= axis.high
    assert axis.ticks == tuple(sorted(axis.ticks))
    assert 1 <= len(axis.ticks) == len(axis.labels)
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    scale = length / (axis.high - axis.low)
    for index in range(len(axis.ticks) - 1):
        gap = (axis.ticks[index + 1] - axis.ticks[index]) * scale
        assert gap > (width(axis.labels[index], 7.0) + width(axis.labels[index + 1], 7.0)) / 2


def test_an_axis_of_years_has_whole_ticks_only():
    axis = Side(label="", low=2000.0, high=2003.0, whole=True).made(400.0, 7.0)
    assert axis.labels == ("2000", "2001", "2002", "2003")


def test_an_axis_of_ratios_has_plain_ticks():
    side = Side(label="", low=math.log(0.5), high=math.log(4.0), numerals=Numerals(ratio=True))
    assert side.made(300.0, 7.0).labels == ("0.5", "1", "2", "4")


def test_an_axis_ends_where_values_end():
    axis = Side(label="", low=0.0, high=0.7, limits=(0.0, math.inf)).made(150.0, 7.0)
    assert axis.low == 0.0


def test_the_area_of_bubbles_is_proportional_to_the_weight():
    small, large = radii([1.0, 4.0], 10.0)
    assert (small, large) == (2.5, 5.0)


def test_words():
    assert listed([]) == ""
    assert listed(["A"]) == "A"
    assert listed(["A", "B", "C"]) == "A, B and C"
    with pytest.raises(InputError, match="a plot needs at least 12 studies; there are 9"):
        enough(nine(), 12, "a plot")
