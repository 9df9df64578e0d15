"""The coverage bar: who is in it, how wide, in which colour, and the pool with the absent trials."""

import math

import pytest

from ipsevidence.analysis.covering import coverage_of
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.running import pool_rows, run
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.figures.coverage_plot import coverage_bar
from ipsevidence.figures.plot_frame import SHADES
from ipsevidence.figures.saving import save
from ipsevidence.figures.style import STYLES
from tests.analysis.gaps import ABSENT, POOL, dataset

from .seen import axes, boxes, marks, overlaps, texts


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("gaps"), {**POOL, **ABSENT})


@pytest.fixture(scope="module")
def records():
    return load()


@pytest.fixture
def analysis(data, spec_of):
    return run(spec_of(effect={"measure": "RR"}), data)


def parts(figure):
    return {one.get_gid().removeprefix("part-"): one for one in axes(figure, "participants").patches}


def test_the_bar_is_as_wide_as_the_trials_are_large(analysis, data):
    drawn = parts(coverage_bar(analysis, data))
    assert drawn["pool"].get_width() == 300
    assert drawn["printed-2006"].get_width() == 400
    assert drawn["printed-2006"].get_x() == 300
    assert "unsized-2013" not in drawn
    assert math.fsum(one.get_width() for one in drawn.values()) == 1600
    assert axes(coverage_bar(analysis, data), "participants").get_xlim() == (0.0, 1600.0)


def test_colours_are_directions(analysis, data):
    from matplotlib.colors import to_hex

    palette = STYLES["default"].palette
    drawn = {key: to_hex(one.get_facecolor()) for key, one in parts(coverage_bar(analysis, data)).items()}
    assert drawn["pool"] == palette.accent
    assert {drawn["favours-2004"], drawn["printed-2006"], drawn["counts-2008"]} == {palette.accent_light}
    assert {drawn["same-2005"], drawn["mixed-2011"], drawn["worse-2012"]} == {SHADES[2]}
    assert {drawn["weak-2009"], drawn["skew-2010"]} == {"#ffffff"}


def test_the_pool_and_its_bounds_stand_below(analysis, data):
    found = coverage_of(analysis, data)
    drawn = marks(coverage_bar(analysis, found), "estimate-")
    places = {key: one.get_offsets()[0][0] for key, one in drawn.items()}
    assert places["estimate-pool"] == analysis.fit.estimate
    assert places["estimate-no-effect"] == found.bounds[0].fit.estimate
    assert places["estimate-stated"] == found.bounds[1].fit.estimate


def test_words_say_how_much_is_in_the_pool(analysis, data):
    figure = coverage_bar(analysis, data)
    written = {text.get_text() for text in texts(figure).values()}
    assert "3 of 14 eligible trials, with 300 of 1,600 known participants (19%)" in written
    assert "3 of 14 eligible trials, with 300 of 1,600 known participants (19%)." in figure.alternative
    assert "The size of 1 trial is not known." in figure.alternative
    assert any("no difference*" in text for text in written)
    assert "risk ratio 2.00" in figure.alternative


def test_a_pool_under_an_assumption_has_no_interval(analysis, data):
    figure = coverage_bar(analysis, data)
    drawn = {line.get_gid() for one in figure.axes for line in one.lines}
    assert "interval-pool" in drawn
    assert not drawn & {"interval-no-effect", "interval-stated"}
    value = f"{math.exp(coverage_of(analysis, data).bounds[0].fit.estimate):.2f}"
    assert f"If 9 absent had no effect: risk ratio {value}. If" in figure.alternative


def test_a_trial_set_aside_has_no_direction(data, spec_of):
    from matplotlib.colors import to_hex

    rule = {"where": {}, "without": ({"id": "printed-2006", "because": "of another outcome"},)}
    figure = coverage_bar(run(spec_of(effect={"measure": "RR"}, studies=rule), data), data)
    assert to_hex(parts(figure)["printed-2006"].get_facecolor()) == "#ffffff"
    assert "PRINTED-2006 400, set aside" in figure.alternative
    assert "none, set aside for a doubt (1)" in figure.alternative


def test_a_pool_without_bounds_says_why(tmp_path, spec_of):
    data = dataset(tmp_path, {"a-2001": POOL["a-2001"], "favours-2004": ABSENT["favours-2004"]})
    figure = coverage_bar(run(spec_of(effect={"measure": "RR"}), data), data)
    assert [one.get_label() for one in figure.axes if one.get_label() == "effects"] == []
    assert "Not pooled again with absent trials: no pool to add trials to: one trial, not a pool." in figure.alternative


@pytest.mark.parametrize("style", STYLES)
def test_no_text_lies_on_another(style, records, spec_of):
    figure = coverage_bar(run(spec_of(effect={"measure": "RR"}), records), records, style)
    found = boxes(figure)
    assert overlaps(found) == []
    wide = figure.get_figwidth() * figure.dpi
    assert all(left >= -0.5 and right <= wide + 0.5 for key, (left, _, right, _) in found.items() if "tick" not in key)


def test_a_list_or_a_table_is_refused(data, spec_of):
    listed = run(spec_of(studies={"list": tuple({"id": name} for name in POOL)}), data)
    with pytest.raises(InputError, match="a list"):
        coverage_bar(listed, data)
    table = pool_rows(spec_of(), [StudyRow(id=str(i), label=str(i), y=0.1 * i, v=0.1) for i in range(3)])
    with pytest.raises(InputError, match="table"):
        coverage_bar(table, data)


@pytest.mark.parametrize("form", ["png", "pdf", "svg"])
def test_the_file_is_the_same_each_time(form, analysis, data, tmp_path):
    one, other = (
        save(coverage_bar(analysis, data), tmp_path / f"{name}.{form}").read_bytes() for name in ("one", "other")
    )
    assert one == other


def test_a_rate_has_no_direction(data, spec_of):
    figure = coverage_bar(run(spec_of(effect={"measure": "PLO"}, purpose="exploratory"), data), data)
    written = {text.get_text() for text in texts(figure).values()}
    assert "absent" in written
    assert not any("favour" in text or "read" in text for text in written)
