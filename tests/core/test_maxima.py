"""The proof that a likelihood has one maximum is never wrong, and the maximum is that of the single fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence import core
from ipsevidence.core.batch import fit_samples, fit_selections
from ipsevidence.core.batch_rows import Designs, Means, selections
from ipsevidence.core.maxima import _grid, _one_crossing, _proved, _search, maximise
from ipsevidence.core.weighting import MeanModel


def drawn(k, tau2, seed, spread=1.0):
    random = np.random.default_rng(seed)
    v = np.exp(random.normal(-2.0, spread, k))
    return random.normal(0.3, np.sqrt(v + tau2)), v


def some(k, rows, seed):
    chosen = np.random.default_rng(seed).random((rows, k)) < 0.5
    return chosen[chosen.sum(axis=1) > 1]


@pytest.mark.parametrize("tau2", ["reml", "ml"])
@pytest.mark.parametrize("between", [0.0, 0.1, 1.0])
def test_every_selection_is_the_single_fit(tau2, between):
    y, v = drawn(9, between, 4)
    found = core.gosh(y, v, tau2=tau2)
    for row in range(511):
        chosen = [study for study in range(9) if found.holds(study)[row]]
        if len(chosen) > 1:
            one = core.pool(y[chosen], v[chosen], tau2=tau2, interval="wald", prediction="none")
            assert found.estimate[row] == pytest.approx(one.estimate, rel=1e-9)
            assert [found.tau2[row], found.i2[row]] == pytest.approx([one.tau2, one.i2], rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("between", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("spread", [0.3, 1.0, 2.5])
def test_what_is_proved_is_what_the_fine_grid_finds(spread, between, restricted):
    y, v = drawn(16, between, 7, spread)
    model = MeanModel(y, v)
    rows = selections(model.y, model.v, some(16, 6000, 8).T)
    found, alone = _proved(rows, restricted=restricted)
    searched = _search(rows, restricted=restricted)
    assert alone.mean() > 0.8
    np.testing.assert_allclose(found[alone], searched[alone], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(maximise(rows, restricted=restricted), searched, rtol=1e-9, atol=1e-12)


def test_of_few_studies_of_very_different_sizes():
    """Many of these likelihoods have two maxima."""
    random = np.random.default_rng(3)
    v = np.exp(random.normal(0.0, 2.0, (3000, 4)))
    y = random.normal(0.0, np.sqrt(v + 1.0))
    found = fit_samples(y, v).tau2
    one = np.array([core.estimate_tau2(*row).tau2 for row in zip(y, v, strict=True)])
    np.testing.assert_allclose(found, one, rtol=1e-8, atol=1e-12)
    rows = Means(y.T.copy(), v.T.copy(), np.full(3000, 4))
    assert 0.5 < _proved(rows, restricted=True)[1].mean() < 0.99


def signs_between(rows, left, right, restricted):
    inside = left + (right - left) * np.linspace(0.0, 1.0, 60)
    score = np.array([rows.score(np.full(rows.k.size, t), restricted=restricted)[0] for t in inside])
    return np.sign(score)


@pytest.mark.parametrize("restricted", [True, False])
def test_in_a_proved_interval_no_score_falls_through_zero(restricted):
    y, v = drawn(7, 0.3, 12, 2.0)
    model = MeanModel(y, v)
    rows = selections(model.y, model.v, some(7, 400, 1).T)
    points = _grid(rows, rows.last_stationary(), 4)
    proved = _one_crossing(rows.terms(points, restricted=restricted), points)
    for interval, fits in enumerate(proved):
        signs = signs_between(rows, points[interval, 0], points[interval + 1, 0], restricted)
        assert not (np.diff(signs, axis=0)[:, fits] < 0).any()


@pytest.mark.parametrize("restricted", [True, False])
def test_sums_of_a_design_are_those_of_its_projection(restricted):
    random = np.random.default_rng(2)
    y, v = drawn(8, 0.2, 5)
    X = np.stack(
        [np.column_stack([np.ones(8), random.normal(2010.0, 5.0, 8), random.normal(size=8)]) for _ in range(6)]
    )
    rows, points = Designs(y, v, X), np.array([0.0, 0.1, 0.7])[:, None]
    terms = rows.terms(points, restricted=restricted)
    for g, t in enumerate(points[:, 0]):
        score, bend = rows.score(np.full(6, t), restricted=restricted)
        np.testing.assert_allclose(terms.trace[g] - terms.square[g], score, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(2.0 * terms.third[g] - terms.trace2[g], bend, rtol=1e-8, atol=1e-8)
    assert (terms.error < 1e-7).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(1e-6, 1e6)), min_size=2, max_size=7),
    st.sampled_from(["reml", "ml"]),
)
def test_no_data_are_too_hard(studies, tau2):
    y, v = (np.array(x) for x in zip(*studies, strict=True))
    found = fit_selections(y, v, np.ones((1, y.size), dtype=bool), tau2=tau2)
    one = core.pool(y, v, tau2=tau2, interval="wald", prediction="none")
    # where two maxima are level the two grids may take either
    if abs(found.tau2[0] - one.tau2) > 1e-8 * (v.min() + one.tau2):
        model = MeanModel(y, v)
        rows = selections(model.y, model.v, np.ones((y.size, 1), dtype=bool))
        levels = [
            rows.deviance(np.array([t / model.scale]), restricted=tau2 == "reml")[0] for t in (found.tau2[0], one.tau2)
        ]
        assert levels[0] == pytest.approx(levels[1], rel=1e-9, abs=1e-9)
