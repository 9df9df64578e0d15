"""The Bayesian figure: densities that are those of the model, studies drawn towards the mean."""

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core import InputError
from ipsevidence.figures.bayes_plot import bayes

from .cases import effects, trials
from .factory import nine
from .plotted import bcg, line, marks, on_page, outline, points, texts, words


def test_curves_are_proportional_to_the_densities():
    run = nine()
    found = core.bayes(run.y, run.v)
    figure = bayes(run)
    x, y = line(figure, "mean-posterior")
    np.testing.assert_allclose(y, found.density(x) / found.density(x).max())
    tau, y = line(figure, "tau-posterior")
    prior_tau, prior = line(figure, "tau-prior")
    np.testing.assert_array_equal(tau, prior_tau)
    half_normal = np.exp(-0.5 * (tau / 0.5) ** 2) * 2 / (0.5 * np.sqrt(2 * np.pi))
    scale = prior[0] / half_normal[0]
    np.testing.assert_allclose(prior, scale * half_normal)
    np.testing.assert_allclose(y, scale * found.tau_density(tau), rtol=1e-9)  # one scale for both


def test_shaded_are_the_shortest_intervals():
    run = nine()
    found = core.bayes(run.y, run.v)
    figure = bayes(run)
    for key, interval in (("mean-interval", found.ci), ("tau-interval", found.tau_ci)):
        x, _ = outline(figure, key)
        assert (x.min(), x.max()) == pytest.approx((interval.low, interval.high))


def test_studies_are_drawn_as_observed_and_as_shrunk():
    run = bcg()
    found = core.bayes(run.y, run.v)
    figure = bayes(run)
    np.testing.assert_allclose(points(figure, "raw")[0], run.y)
    np.testing.assert_allclose(points(figure, "shrunk")[0], found.shrunk)
    closer = np.abs(found.shrunk - found.mean) <= np.abs(np.array(run.y) - found.mean) + 1e-9
    assert closer.all()
    x, _ = line(figure, "shrunk-4-interval")
    assert tuple(x) == pytest.approx((found.shrunk_low[3], found.shrunk_high[3]))


def test_the_last_rows_are_the_mean_and_a_new_study():
    run = nine()
    found = core.bayes(run.y, run.v)
    figure = bayes(run)
    assert tuple(points(figure, "pooled").ravel()) == (found.median, 10.0)
    assert tuple(line(figure, "prediction-interval")[0]) == pytest.approx((found.prediction.low, found.prediction.high))
    names = [text.get_text() for key, text in texts(figure).items() if key.startswith("effects-y-tick")]
    assert names[-2:] == ["Mean", "New study"]


def test_what_goes_on_beyond_the_axis_has_an_arrow():
    figure = bayes(nine())
    _, right, *_ = on_page(figure)
    assert run_past(nine(), right) == {key for key in marks(figure) if key.startswith("raw-") and "arrow-high" in key}
    assert run_past(nine(), right)


def run_past(run, right):
    return {f"raw-{i}-arrow-high" for i, (_, high) in enumerate(run.intervals, start=1) if high > right}


def test_a_prior_of_the_mean_is_drawn_where_there_is_one():
    assert "mean-prior" not in marks(bayes(nine()))
    x, y = line(bayes(nine(), mu_sd=1.0), "mean-prior")
    assert x[y.argmax()] == pytest.approx(0.0, abs=0.05)
    assert "mean normal (0, 1)" in words(bayes(nine(), mu_sd=1.0), "note")


def test_a_flat_prior_of_tau_is_no_curve():
    figure = bayes(nine(), tau_prior="flat")
    assert "tau-prior" not in marks(figure)
    assert "prior" not in words(figure, "key")


@pytest.mark.parametrize("prior", core.TAU_PRIORS)
def test_every_prior_can_be_drawn(prior):
    assert np.isfinite(line(bayes(nine(), tau_prior=prior), "tau-posterior")[1]).all()


def test_the_words_are_those_of_the_posterior():
    found = core.bayes(nine().y, nine().v)
    text = bayes(nine()).alternative
    assert f"odds ratio {np.exp(found.median):.2f} ({np.exp(found.ci.low):.2f}–{np.exp(found.ci.high):.2f})" in text
    assert "τ half-normal (0.5), mean flat" in text


def test_what_does_not_apply_is_refused():
    with pytest.raises(InputError, match="at least 2 studies"):
        bayes(trials(1))
    with pytest.raises(InputError, match="scale of the prior must be given"):
        bayes(nine(measure="RD"))
    assert bayes(nine(measure="RD"), scale=0.1).alternative
    with pytest.raises(InputError, match="flat prior"):
        bayes(effects([(0.1, 0.1), (0.3, 0.2)]), tau_prior="flat")
