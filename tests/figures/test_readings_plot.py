"""The range over readings as drawn."""

import pytest

from ipsevidence.analysis.readings import range_over_readings
from ipsevidence.analysis.running import run
from ipsevidence.core import InputError, NotApplicable
from ipsevidence.figures.readings_plot import readings_range
from ipsevidence.figures.saving import save
from ipsevidence.figures.style import STYLES
from tests.analysis.gaps import dataset
from tests.analysis.test_readings import OPEN

from .seen import axes, boxes, marks, overlaps


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("open"), OPEN)


@pytest.fixture
def analysis(data, spec_of):
    return run(spec_of(effect={"measure": "RR"}), data)


def test_every_reading_is_a_mark(analysis, data):
    found = range_over_readings(analysis, data)
    drawn = {one.get_gid(): one for one in axes(readings_range(analysis, found), "trials").collections}
    for index, trial in enumerate(found.trials):
        own, others = drawn[f"own-{trial.id}"], drawn[f"others-{trial.id}"]
        assert own.get_offsets().tolist() == [[trial.y[0], index]]
        assert others.get_offsets().tolist() == [[y, index] for y in trial.y[1:]]


def test_every_range_is_a_line_and_the_pool_another(analysis, data):
    found = range_over_readings(analysis, data)
    drawn = marks(readings_range(analysis, found))
    for trial in found.trials:
        assert list(drawn[f"range-{trial.id}"].get_xdata()) == [trial.low, trial.high]
    assert list(drawn["range-all"].get_xdata()) == [found.low, found.high]
    assert set(drawn["mean"].get_xdata()) == {analysis.fit.estimate}


def test_it_is_never_called_an_interval(analysis, data):
    found = range_over_readings(analysis, data)
    figure = readings_range(analysis, found)
    assert "it is no interval" in figure.alternative
    assert "All 6 combinations" in figure.alternative
    assert f"{found.most.label} moves it most" in figure.alternative
    sampled = readings_range(analysis, range_over_readings(analysis, data, seed=3, sample=2))
    assert "of 6 combinations of readings (seed 3)" in sampled.alternative


@pytest.mark.parametrize("style", STYLES)
def test_no_text_lies_on_another(style, analysis, data):
    figure = readings_range(analysis, range_over_readings(analysis, data), style)
    assert overlaps(boxes(figure)) == []


def test_without_a_range_the_reason_is_said(analysis):
    with pytest.raises(InputError, match="because"):
        readings_range(analysis, NotApplicable(reason="because"))


@pytest.mark.parametrize("form", ["png", "pdf", "svg"])
def test_the_file_is_the_same_each_time(form, analysis, data, tmp_path):
    found = range_over_readings(analysis, data)
    one, other = (
        save(readings_range(analysis, found), tmp_path / f"{name}.{form}").read_bytes() for name in ("one", "other")
    )
    assert one == other
