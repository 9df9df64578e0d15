"""The maximum of one likelihood: the proof that there is no other, and the grid where there is none."""

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core import weighting
from ipsevidence.core.batch import fit_samples
from ipsevidence.core.likelihood import (
    Point,
    _last_stationary,
    _only_crossing,
    _rises_through_zero_only,
    _search,
    maximise,
)
from ipsevidence.core.weighting import MeanModel, RegressionModel

RANDOM = np.random.default_rng(21)


def drawn(k, between, spread=1.0):
    v = np.exp(RANDOM.normal(-2.0, spread, k))
    return RANDOM.normal(0.3, np.sqrt(v + between)), v


def models():
    for k, between, spread in [
        (3, 0.0, 2.0),
        (4, 1.0, 2.5),
        (5, 0.3, 2.0),
        (8, 0.1, 1.0),
        (20, 0.1, 1.0),
        (90, 0.2, 2.0),
    ]:
        for _ in range(40):
            y, v = drawn(k, between, spread)
            yield MeanModel(y, v)
            if k > 3:
                yield RegressionModel(y, v, np.column_stack([np.ones(k), RANDOM.normal(size=k)]))


MODELS = list(models())


@pytest.mark.parametrize("restricted", [True, False])
def test_the_maximum_is_the_highest_that_a_grid_shows(restricted):
    proved = []
    for model in MODELS:
        top = _last_stationary(model)
        searched = _search(model, model.smallest, top, restricted=restricted)
        proved.append(_only_crossing(model, model.smallest, top, restricted=restricted) is not None)
        found = maximise(model, restricted=restricted)
        assert found == pytest.approx(searched, rel=1e-9, abs=1e-12)
    assert 0.8 < np.mean(proved) < 1.0


def at(model, height, restricted):
    tau2 = model.smallest * np.expm1(height)
    a, b, fall, third = model.score_terms(tau2, restricted=restricted)
    return Point(height, tau2, a, b, fall, 2.0 * third)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("width", [0.2, 0.6, 1.5, 4.0])
def test_what_is_proved_never_falls_through_zero(restricted, width):
    proved = 0
    for model in MODELS[::2]:
        left = RANDOM.uniform(0.0, 5.0) * RANDOM.integers(0, 2)
        ends = (at(model, left + x, restricted) for x in (0.0, width))
        if _rises_through_zero_only(*ends, model.smallest):
            proved += 1
            inside = [at(model, left + x, restricted) for x in np.linspace(0.0, width, 80)]
            signs = np.sign([point.a - point.b for point in inside])
            assert (np.diff(signs) >= 0).all()
    assert proved > 20


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("smallest", [1e-9, 1e-3, 0.1])
def test_plain_numbers_are_summed_as_arrays_are(monkeypatch, restricted, smallest):
    y, v = drawn(12, 0.2)
    v[3] = smallest
    plain = MeanModel(y, v)
    monkeypatch.setattr(weighting, "FEW", 0)
    arrays = MeanModel(y, v)
    for tau2 in (0.0, 0.3, 20.0):
        few, many = (model.score_terms(tau2, restricted=restricted) for model in (plain, arrays))
        assert few[:2] == pytest.approx(many[:2], rel=1e-12)
        assert few[2:] == pytest.approx(many[2:], rel=1e-6)
        assert plain.q_and_slope(tau2) == pytest.approx(arrays.q_and_slope(tau2), rel=1e-12)


@pytest.mark.parametrize("tau2", ["reml", "ml", "pm", "dl"])
def test_many_studies_without_a_matrix(tau2):
    y, v = drawn(3000, 0.2)
    one = core.pool(y, v, tau2=tau2)
    found = fit_samples(y[None], v, tau2=tau2)
    assert one.tau2 == pytest.approx(found.tau2[0], rel=1e-9)
    assert one.estimate == pytest.approx(found.estimate[0], rel=1e-9)


def test_effects_on_both_sides_of_the_most_precise_study():
    """Each within the limit from it, farther than that from each other."""
    y, v = np.array([-0.9e30, 0.0, 0.9e30]), np.array([2.0, 1.0, 2.0])
    assert core.pool(y, v, prediction="none").estimate == pytest.approx(0.0, abs=1e15)
