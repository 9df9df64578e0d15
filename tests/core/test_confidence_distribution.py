import numpy as np
import pytest
from scipy import special

from ipsevidence import core
from ipsevidence.core import confidence_distribution
from ipsevidence.core.confidence_distribution import bootstrap_prediction, tau2_quantiles
from ipsevidence.core.quadratic_forms import mixture_cdf
from ipsevidence.core.weighting import MeanModel

from .reference import VIECHTBAUER_1, bcg

TABLE = bcg()
BCG = core.two_by_two("RR", TABLE["ai"], TABLE["n1i"], TABLE["ci"], TABLE["n2i"])
HOMOGENEOUS = (np.array([0.1, 0.2, 0.05, 0.12]), np.array([0.1, 0.02, 0.3, 0.05]))


def test_of_two_studies_it_has_a_closed_form():
    """Q of two studies is a chi-square times (v1 + v2 + 2 tau2)/(v1 + v2)."""
    y, v = np.array([0.2, 1.4]), np.array([0.1, 0.3])
    model = MeanModel(y, v)
    share = np.linspace(0.01, 0.99, 50)
    q = (y[1] - y[0]) ** 2 / v.sum()
    exact = np.maximum(0.0, (q / special.chdtri(1, share) - 1.0) * v.sum() / 2.0)
    found = tau2_quantiles(model, share) * model.scale
    np.testing.assert_allclose(found, exact, rtol=2e-3, atol=1e-12)


@pytest.mark.parametrize("data", [BCG, VIECHTBAUER_1, HOMOGENEOUS])
def test_quantiles_invert_the_distribution(data):
    model = MeanModel(*data)
    share = np.array([0.001, 0.1, 0.5, 0.9, 0.999, 0.99999])
    w = 1 / model.v
    q = model.sum_of_squares(w)
    for u, tau2 in zip(share, tau2_quantiles(model, share), strict=True):
        back = 1 - mixture_cdf(q, model.form_weights(w, tau2))
        assert back == pytest.approx(u, abs=5e-4) if tau2 > 0 else back >= u


def exact_bounds(y, v, level):
    """The bounds by integration: midpoints for tau2, Gauss-Hermite for the normal, t in closed form."""
    model = MeanModel(y, v)
    m = 4000
    tau2 = tau2_quantiles(model, (np.arange(m) + 0.5) / m)
    w = 1 / (model.v + tau2[:, None])
    mean = (w @ model.y) / w.sum(axis=1)
    se = np.sqrt((w * (model.y - mean[:, None]) ** 2).sum(axis=1) / (model.df * w.sum(axis=1)))
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()

    def below(x):
        z = (x - mean[:, None] - np.sqrt(tau2)[:, None] * nodes) / se[:, None]
        return float((special.stdtr(model.df, z) @ weights).mean())

    bounds = []
    for target in ((1 - level) / 2, (1 + level) / 2):
        low, high = -1e3, 1e3
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if below(middle) < target else (low, middle)
        bounds.append(model.centre + model.root * low)
    return bounds


@pytest.mark.parametrize("data", [BCG, VIECHTBAUER_1, HOMOGENEOUS])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_bounds_are_those_of_the_distribution(data, level):
    exact = exact_bounds(*data, level)
    width = exact[1] - exact[0]
    many = bootstrap_prediction(MeanModel(*data), level, 3, draws=400_000)
    assert many == pytest.approx(exact, abs=0.006 * width)
    fit = core.pool(*data, prediction="bootstrap", level=level, seed=7)
    assert [fit.prediction.low, fit.prediction.high] == pytest.approx(exact, abs=0.025 * width)


def test_a_seed_repeats_its_draws_and_says_so():
    first, again, other = (core.pool(*BCG, prediction="bootstrap", seed=seed).prediction for seed in (1, 1, 2))
    assert first == again == core.pool(*BCG, prediction="bootstrap").prediction
    assert first != other
    assert first.why == "bootstrap of 25000 draws, seed 1"
    assert (first.level, first.missing) == (0.95, False)


def test_it_depends_on_neither_estimator_nor_interval():
    bounds = {
        core.pool(*BCG, tau2=tau2, interval=interval, prediction="bootstrap").prediction.low
        for tau2, interval in (("dl", "wald"), ("reml", "hksj"), (0.2, "t"))
    }
    assert len(bounds) == 1


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_the_unit_does_not_matter(scale):
    y, v = BCG
    found = core.pool(scale * y, scale**2 * v, prediction="bootstrap").prediction
    whole = core.pool(y, v, prediction="bootstrap").prediction
    assert [found.low / scale, found.high / scale] == pytest.approx([whole.low, whole.high], rel=1e-3)


def test_where_there_is_none():
    assert "more studies" in core.pool([1, 2], [1, 1], prediction="bootstrap").prediction.why
    assert "identical" in core.pool([1, 1, 1], [1, 2, 1], interval="wald", prediction="bootstrap").prediction.why
    assert "common-effect" in core.pool(*BCG, tau2="common", prediction="bootstrap").prediction.why
    assert "one study" in core.pool([1], [1], prediction="bootstrap").prediction.why


@pytest.mark.parametrize("seed", [-1, 1.5, None, True, "1"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(core.InputError, match="seed must be a whole number, at least 0"):
        core.pool(*BCG, seed=seed)


def test_no_quantile_stands_for_it():
    assert core.PREDICTIONS["bootstrap"].function(9) == 0


@pytest.mark.parametrize("rows", [1, 4096])
def test_chunks_of_draws_do_not_matter(monkeypatch, rows):
    random = np.random.default_rng(6)
    model = MeanModel(random.normal(size=11), random.uniform(0.1, 1.0, 11))
    whole = bootstrap_prediction(model, 0.95, 5, draws=6000)
    monkeypatch.setattr(confidence_distribution, "CHUNK", rows * 11)
    assert bootstrap_prediction(model, 0.95, 5, draws=6000) == whole
