"""The coverage simulation: its fits against the engine, its draws and truths against theory, its page in step."""

import dataclasses
import math

import numpy as np
import pytest

from benchmarks.coverage import run
from benchmarks.coverage_design import CELLS, MODELS, OWN_MEASURE, TRIALS, VARIANCES, Base, Cell, cells
from benchmarks.coverage_figures import FOLDER as IMAGES
from benchmarks.coverage_figures import draw_figures
from benchmarks.coverage_files import read_results, write_results
from benchmarks.coverage_fits import (
    bayes_rows,
    fit_rows,
    mean_intervals,
    prediction_half_width,
    studies,
)
from benchmarks.coverage_measures import ESTIMATORS, MOST_FOR_BAYES, PREDICTIONS, effects, simulate
from benchmarks.coverage_models import HIGHEST_RISK, Truth, draw, risks, share_capped, truth
from benchmarks.coverage_page import BLOCK, PAGE, TABLES, Found, summary, with_tables
from benchmarks.coverage_single import simulate_single
from ipsevidence import core

TINY = Base(
    trials=(("one", 19, 41, 5, 47), ("two", 69, 92, 32, 95), ("three", 13, 42, 3, 43)),
    version="made up",
    digest="0" * 64,
    effect={"OR": 1.5, "RR": 0.8},
    tau2={m: dict(zip(VARIANCES, (0.0, 0.1, 0.3, 0.9), strict=True)) for m in ("OR", "RR")},
    control_logit=-1.5,
    control_sd=0.7,
    slope=-0.35,
)
# one size, so large that sampling error is next to nothing beside tau2, and the log odds ratio normal
HUGE = dataclasses.replace(TINY, trials=(("huge", 300_000, 1_000_000, 300_000, 1_000_000),))


def cell(model="normal", effect="data", variance="middle", k=5, mean=1.5, tau2=0.3):
    return Cell(model=model, effect=effect, variance=variance, k=k, mean=mean, tau2=tau2)


def by_method(lines, measure="OR"):
    return {(x.estimator, x.interval, x.prediction): x for x in lines if x.measure == measure}


def made_up(k, m=40, seed=1):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.05, 0.5, (m, k))
    y = rng.normal(0.5, np.sqrt(v + rng.choice([0.0, 0.3], (m, 1))))
    y[::7, 0] = np.nan  # a trial that has no effect
    return y, v


@pytest.mark.parametrize("k", [3, 5, 12])
@pytest.mark.parametrize("estimator", ["common", *ESTIMATORS])
def test_fits_are_those_of_the_engine(estimator, k):
    y, v = made_up(k)
    data = studies(y, v)
    fit = fit_rows(data, estimator)
    halves = mean_intervals(fit)
    for i, there in enumerate(data.here > 0):
        for interval in core.INTERVALS:
            one = core.pool(y[i][there], v[i][there], tau2=estimator, interval=interval)
            assert fit.tau2[i] == pytest.approx(one.tau2, rel=1e-9, abs=1e-12)
            assert fit.mean[i] == pytest.approx(one.estimate, rel=1e-9)
            assert 2.0 * halves[interval][i] == pytest.approx(one.ci.high - one.ci.low, rel=1e-9)


def test_a_single_trial_gives_no_interval():
    data = studies(np.array([[0.3, np.nan]]), np.array([[0.1, 0.1]]))
    for estimator in ("common", *ESTIMATORS):
        assert np.isnan(fit_rows(data, estimator).mean).all()
    assert np.isnan(bayes_rows(data).ci).all()


@pytest.mark.parametrize("k", [3, 4, 8])
def test_the_rule_is_that_of_the_engine(k):
    y, v = made_up(k)
    y = np.nan_to_num(y)
    data = studies(y, v)
    fit = fit_rows(data, "reml")
    ci, new = mean_intervals(fit)["protocol"], prediction_half_width(fit, "protocol", "t-k1")
    for i in range(y.shape[0]):
        shown = core.small_k_pool(y[i], v[i])
        assert 2.0 * ci[i] == pytest.approx(shown.headline.ci.high - shown.headline.ci.low, rel=1e-6)
        if k >= 5:
            assert 2.0 * new[i] == pytest.approx(shown.prediction.high - shown.prediction.low, rel=1e-6)


@pytest.mark.parametrize(("interval", "prediction"), [key for key in PREDICTIONS if key[0] != "protocol"])
def test_prediction_intervals_are_those_of_the_engine(interval, prediction):
    y, v = made_up(5)
    data = studies(y, v)
    half = prediction_half_width(fit_rows(data, "dl"), interval, prediction)
    for i, there in enumerate(data.here > 0):
        one = core.pool(y[i][there], v[i][there], tau2="dl", interval=interval, prediction=prediction).prediction
        assert 2.0 * half[i] == pytest.approx(one.high - one.low, rel=1e-8)


def test_no_prediction_with_two_trials_and_k_2_degrees_of_freedom():
    fit = fit_rows(studies(np.array([[0.1, 0.9]]), np.array([[0.1, 0.1]])), "reml")
    assert np.isnan(prediction_half_width(fit, "wald", "t-k2")).all()
    assert np.isfinite(prediction_half_width(fit, "wald", "t-k1")).all()


@pytest.mark.parametrize("k", [2, 5, 12])
def test_posteriors_are_those_of_the_engine(k):
    y, v = (np.nan_to_num(x) for x in made_up(k, m=12))
    found = bayes_rows(studies(y, v))
    for i in range(y.shape[0]):
        one = core.bayes(y[i], v[i], tau_prior="half-normal", scale=0.5)
        assert found.median[i] == pytest.approx(one.median, abs=1e-5)
        for bounds, interval in ((found.ci, one.ci_central), (found.prediction, one.prediction)):
            assert [bounds[0][i], bounds[1][i]] == pytest.approx([interval.low, interval.high], abs=2e-5)


def test_wald_where_it_is_right():
    """Without heterogeneity, in large samples, the common-effect interval holds the truth in 95 of 100."""
    lines, biases = simulate(cell(variance="zero", tau2=0.0), HUGE, 4000)
    common = by_method(lines)["common", "wald", ""]
    assert common.coverage == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))
    # 1.96 standard errors either side; the variance is known: cells of 300,000, 700,000 and expit(logit(.3) + 1.5)
    p = 1 / (1 + 7 / 3 * math.exp(-1.5))
    se = math.sqrt((1 / 0.3 + 1 / 0.7 + 1 / p + 1 / (1 - p)) / 1e6 / 5)
    assert common.width == pytest.approx(2 * 1.959964 * se, abs=1e-4)
    assert all(abs(x.bias) < 4 * x.bias_se for x in biases if x.measure == "OR")


@pytest.mark.parametrize("k", [3, 5])
def test_equal_trials_with_large_heterogeneity(k):
    """With next to no sampling error the effects are a normal sample: theory knows every coverage."""
    lines, _ = simulate(cell(k=k, tau2=0.9, variance="high"), HUGE, 4000)
    found = by_method(lines)
    four = 4 * math.sqrt(0.05 * 0.95 / 4000)
    # 1.96 s / sqrt(k) is a t interval at the wrong quantile: 1.96 / sqrt(2 + 1.96^2) = 0.811 for t(2), 0.878 for t(4)
    wald = {3: 1.959964 / math.sqrt(2 + 1.959964**2), 5: 0.87844}[k]
    assert found["reml", "wald", ""].coverage == pytest.approx(wald, abs=4 * math.sqrt(wald * (1 - wald) / 4000))
    for interval in ("hksj", "t", "hksj-adhoc", "protocol"):
        assert found["reml", interval, ""].coverage == pytest.approx(0.95, abs=four)
    new = found["reml", "hksj", "t-k1"]
    assert new.coverage == pytest.approx(0.95, abs=4 * new.coverage_se)
    assert new.coverage_se < 0.003
    assert found["common", "wald", ""].coverage < 0.05


def test_type_one_error_is_what_coverage_leaves():
    lines, _ = simulate(cell(effect="none", mean=0.0), TINY, 300)
    for key, line in by_method(lines).items():
        if not key[2] and line.failed < line.repetitions:
            assert line.excludes_null == pytest.approx(1 - line.coverage, abs=1e-12)


def test_where_the_rule_takes_the_ad_hoc_form():
    """Both forms are looked at on the same meta-analyses: those with tau2 of 0, or with a narrower interval."""
    found = by_method(simulate(cell(), TINY, 300)[0])
    plain, adhoc = (found["reml", f"{name}, switched", ""] for name in ("hksj", "hksj-adhoc"))
    data = effects(draw(cell(), TINY, 300), "OR")
    rule = 0
    for y, v in zip(data.y, data.v, strict=True):
        fit = core.pool(y, v, interval="hksj")
        rule += bool(fit.notes) or fit.tau2 == 0.0
    assert 300 - plain.failed == 300 - adhoc.failed == rule
    assert 0 < rule < 300
    assert plain.width < adhoc.width


def test_the_same_numbers_whatever_the_chunk():
    lines = simulate(cell(), TINY, 200)[0]
    for one, other in zip(lines, simulate(cell(), TINY, 200, chunk=35)[0], strict=True):
        assert repr(one) == repr(other)


def test_more_repetitions_begin_with_the_same_trials():
    few, many = draw(cell(), TINY, 20), draw(cell(), TINY, 300)
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, other[:20])
    assert not np.array_equal(draw(cell(effect="none"), TINY, 20).n1, few.n1)


def test_trials_come_from_the_base():
    counts = draw(cell(k=30), TINY, 200)
    pairs = {(int(a), int(b)) for a, b in zip(counts.n1.ravel(), counts.n2.ravel(), strict=True)}
    assert pairs == {(41, 47), (92, 95), (42, 43)}
    # no trial is favoured: a third each, of 6,000
    assert (counts.n1 == 92).mean() == pytest.approx(1 / 3, abs=4 * math.sqrt(2 / 9 / 6000))
    # control events as often as in the trial that was drawn: 32 of 95
    drawn = counts.c[counts.n1 == 92]
    assert drawn.mean() / 95 == pytest.approx(32 / 95, abs=4 * math.sqrt(32 / 95 * 63 / 95 / 95 / drawn.size))


@pytest.mark.parametrize("model", MODELS)
def test_moments_of_the_true_effects(model):
    rng = np.random.default_rng(2)
    n = 200_000
    p2, p1 = risks(cell(model), TINY, rng.integers(0, 3, n), rng.random(n), rng.random(n))
    logit = np.log(p2 / (1 - p2))
    effect = np.log(p1 / p2) if model == "risk-ratio" else np.log(p1 / (1 - p1)) - logit
    if model == "risk-ratio":
        assert p1.max() == HIGHEST_RISK
        assert (p1 == HIGHEST_RISK).mean() == pytest.approx(share_capped(cell(model), TINY), abs=0.005)
        assert effect.max() <= np.log(HIGHEST_RISK / p2.min())
        return
    assert effect.mean() == pytest.approx(1.5, abs=4 * math.sqrt(0.3 / n))
    assert effect.var() == pytest.approx(0.3, rel=0.03)
    skew = ((effect - effect.mean()) ** 3).mean() / effect.std() ** 3
    assert skew == pytest.approx(2.0 if model == "skewed" else 0.0, abs=0.15)  # 2 of an exponential
    slope = np.cov(logit, effect)[0, 1] / logit.var()
    assert slope == pytest.approx(-0.35 if model == "control-risk" else 0.0, abs=0.01)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_truth_is_the_mean_of_many_draws(model, measure):
    rng = np.random.default_rng(3)
    n = 200_000
    p2, p1 = risks(cell(model), TINY, rng.integers(0, 3, n), rng.random(n), rng.random(n))
    ratio = np.log(p1 / p2) - (np.log((1 - p1) / (1 - p2)) if measure == "OR" else 0.0)
    found = truth(cell(model), TINY, measure)
    assert found.mean == pytest.approx(ratio.mean(), abs=5 * ratio.std() / math.sqrt(n) + 1e-4)
    # a little more than the quantiles, since risks at their cap make values that many trials share
    low, high = np.quantile(ratio, [0.1, 0.7]) + np.array([-1e-9, 1e-9])
    assert found.share_within(low, high) == pytest.approx(((low <= ratio) & (ratio <= high)).mean(), abs=0.005)


def test_share_within_counts_its_bounds():
    values = Truth(0.0, np.array([1.0, 2.0, 3.0, 4.0]))
    assert values.share_within(np.array([2.0, 2.1, 0.0]), np.array([3.0, 2.9, 9.0])).tolist() == [0.5, 0.0, 1.0]


def test_effects_leave_out_trials_without_events():
    counts = tuple(np.array([[x, y]]) for x, y in ((0, 3), (20, 20), (0, 1), (20, 20)))
    data = effects(type(draw(cell(), TINY, 1))(*counts), "OR")
    assert data.here.tolist() == [[0.0, 1.0]]
    assert data.y[0, 1] == pytest.approx(math.log(3 * 19 / 17))


def test_the_grid():
    grid = cells(TINY)
    assert len(grid) == sum(len(variances) for variances in CELLS.values()) * len(TRIALS)
    # a slope of -2 alone makes (2 x 0.7)^2 = 1.96, more than any tau2 of the grid
    steep = cells(dataclasses.replace(TINY, slope=-2.0))
    assert {x.model for x in grid} - {x.model for x in steep} == {"control-risk"}


def test_methods_fitted_one_by_one():
    one = cell(k=5, tau2=0.3)
    lines, biases = simulate_single(one, TINY, 3, 3)
    assert {x.estimator for x in biases} == {"mantel-haenszel", "um.fs", "um.rs", "reml"}
    found = by_method(lines)
    whole = by_method(simulate(one, TINY, 3)[0])
    for key in (("reml", "wald", ""), ("reml", "hksj", ""), ("reml", "hksj", "t-k1"), ("reml", "wald", "t-k2")):
        assert found[key].width == pytest.approx(whole[key].width, rel=1e-6)
        assert found[key].coverage == pytest.approx(whole[key].coverage)
    assert found["none", "bootstrap", "bootstrap"].width > 0.0


def test_a_small_run_from_the_dataset():
    said = []
    results = run((2, 5), (20, 1, 1), say=said.append)
    base = results.base
    assert len(said) == len({(c.model, c.effect, c.variance) for c in cells(base)}) + 1
    counts = np.array([trial[1:] for trial in base.trials], dtype=float).T
    fit = core.pool(*core.two_by_two("OR", *counts), tau2="reml")
    assert base.effect["OR"] == fit.estimate
    assert 0.0 < base.tau2["OR"]["low"] < fit.tau2 < base.tau2["OR"]["high"]
    text = summary(results)
    assert all(trial[0] in text for trial in base.trials)
    assert {x.k for x in results.single_lines} == {5}
    assert results.settings["repetitions"] == 20


@pytest.fixture(scope="module")
def committed():
    return read_results()


def test_results_are_read_as_they_were_written(committed, tmp_path):
    write_results(committed, tmp_path)
    assert repr(read_results(tmp_path)) == repr(committed)


def test_the_committed_grid_is_complete(committed):
    expected = {(c.model, c.effect, c.variance, c.k) for c in cells(committed.base)}
    found = {}
    for line in committed.lines:
        found.setdefault((line.model, line.effect, line.variance, line.k), []).append(line)
    assert set(found) == expected
    for (model, *_, k), lines in found.items():
        own = {(x.estimator, x.interval, x.prediction) for x in lines if x.measure == OWN_MEASURE[model]}
        assert {x[0] for x in own} == {*ESTIMATORS, "common"} | ({"bayes"} if k <= MOST_FOR_BAYES else set())
        assert {x[1:] for x in own if x[0] == "reml"} >= set(PREDICTIONS)
        assert {x.repetitions for x in lines} == {committed.settings["repetitions"]}


@pytest.mark.parametrize("k", [2, 5])
def test_a_committed_cell_comes_out_again(committed, k):
    one = next(
        c for c in cells(committed.base) if (c.model, c.effect, c.variance, c.k) == ("normal", "none", "middle", k)
    )
    before = {
        (x.measure, x.estimator, x.interval, x.prediction): x
        for x in committed.lines
        if (x.model, x.effect, x.variance, x.k) == (one.model, one.effect, one.variance, one.k)
    }
    for line in simulate(one, committed.base, 1000)[0]:
        was = before[line.measure, line.estimator, line.interval, line.prediction]
        if not math.isnan(line.coverage):
            assert abs(line.coverage - was.coverage) <= 4 * math.hypot(line.coverage_se, was.coverage_se) + 2e-3


def covered(results, variances, trials, method, model="normal", measure="OR"):
    """Coverage in percent of a method over part of the grid, at the effect of the data: the least and the most."""
    found = Found(results)
    lines = [found.line((model, "data", v, k), method, measure) for v in variances for k in trials]
    shares = [100 * line.coverage for line in lines]
    return round(min(shares)), round(max(shares))


def test_the_text_says_what_the_results_say(committed):
    """The sentences of the page and of the decision that have numbers in them; a new run may move these."""
    hksj, rest = ("reml", "hksj"), VARIANCES[1:]
    assert covered(committed, VARIANCES, TRIALS, hksj) == (94, 96)
    ends = [covered(committed, VARIANCES, (5, 12), (estimator, "hksj")) for estimator in ESTIMATORS]
    assert (min(low for low, _ in ends), max(high for _, high in ends)) == (94, 96)
    assert covered(committed, ["middle"], [5], ("reml", "wald")) == (89, 89)
    assert covered(committed, ["middle"], [12], ("reml", "wald")) == (92, 92)
    assert covered(committed, ["middle"], TRIALS, ("common", "wald")) == (69, 76)
    assert covered(committed, VARIANCES, [2], ("common", "wald")) == (59, 95)
    assert covered(committed, VARIANCES, (3, 4), ("reml", "hksj-adhoc")) == (96, 100)
    assert covered(committed, VARIANCES[:3], [2], ("bayes", "bayes")) == (94, 100)
    assert covered(committed, ["high"], [2], ("bayes", "bayes")) == (84, 84)
    assert covered(committed, rest, TRIALS[1:], hksj, "skewed") == (91, 95)
    assert covered(committed, rest, TRIALS[1:], hksj, "control-risk") == (93, 95)
    assert covered(committed, rest, TRIALS[1:], hksj, "risk-ratio", "RR") == (93, 95)
    assert covered(committed, rest, TRIALS[3:], (*hksj, "t-k1")) == (82, 93)
    assert covered(committed, rest, TRIALS[3:], ("reml", "wald", "t-k2")) == (84, 94)
    assert covered(committed, ["low"], [30], (*hksj, "t-k1")) == (84, 84)
    switch = [("reml", f"{name}, switched") for name in ("hksj", "hksj-adhoc")]
    assert [covered(committed, ["low"], (5, 8, 12), name) for name in switch] == [(87, 87), (92, 97)]
    assert [covered(committed, ["middle"], (5, 8, 12), name) for name in switch] == [(78, 79), (83, 91)]
    drawn = [100 * x.coverage for x in committed.single_lines if x.prediction == "bootstrap"]
    assert (round(min(drawn)), round(max(drawn))) == (92, 98)
    differ = [x for x in committed.single_lines if x.variance != "zero" and not x.prediction]
    for estimators, ends in ((("um.fs", "um.rs"), (85, 93)), (("mantel-haenszel",), (55, 74))):
        shares = [100 * x.coverage for x in differ if x.estimator in estimators]
        assert (round(min(shares)), round(max(shares))) == ends
    found = Found(committed)
    for cell in ((("normal", "data", v, k)) for v in VARIANCES for k in (5, 12)):
        three = [found.line(cell, (name, "hksj")).coverage for name in ("reml", "dl", "pm")]
        assert max(three) - min(three) < 0.005
    assert covered(committed, VARIANCES, [12], hksj, measure="RR") == (56, 94)  # bias 5% to 14%
    assert covered(committed, VARIANCES, [12], hksj, "risk-ratio") == (94, 95)


def test_figures(committed, tmp_path):
    made = draw_figures(committed, tmp_path)
    assert sorted(path.name for path in made) == sorted(path.name for path in IMAGES.glob("coverage-*"))
    for path in made:
        if path.suffix == ".png":
            assert path.stat().st_size < 300_000
        else:
            text = path.read_text(encoding="utf-8")
            assert "<desc>" in text
            assert "HKSJ" in text


def test_the_page_is_in_step_with_the_results(committed):
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text, committed) == text
    assert {block[2] for block in BLOCK.finditer(text)} == set(TABLES)
