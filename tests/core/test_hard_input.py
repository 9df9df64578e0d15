"""Whatever comes in, there is a number, a reason, or an error that names the parameter: no warning and no traceback."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence import core

from .reference import PLANCK

HARD = [0.0, -1.0, 1e-300, 1e300, 1e200, -1e200, 5e-324, math.nan, math.inf, -math.inf, 1e60, 1e-60, 1e16]
X = [[1, 0], [1, 1], [1, 2], [1, 0], [1, 1]]


@st.composite
def studies(draw):
    """Effects and variances: ordinary, identical, of any unit, of very unlike precision, or with one hard number."""
    k = draw(st.integers(1, 5))
    y = draw(st.lists(st.floats(-3, 3), min_size=k, max_size=k))
    v = draw(st.lists(st.floats(0.01, 10), min_size=k, max_size=k))
    kind = draw(st.sampled_from(["plain", "same", "unit", "unlike", "hard effect", "hard variance", "whole"]))
    if kind == "same":
        y = [y[0]] * k
    elif kind == "unit":
        unit = 10.0 ** draw(st.integers(-50, 50))
        y, v = [unit * a for a in y], [unit * unit * b for b in v]
    elif kind == "unlike":
        v = [10.0 ** draw(st.floats(-25, 25)) for _ in range(k)]
    elif kind == "whole":
        y, v = [round(a) for a in y], [math.ceil(b) for b in v]
    elif kind.startswith("hard"):
        (y if kind == "hard effect" else v)[draw(st.integers(0, k - 1))] = draw(st.sampled_from(HARD))
    return y, v


@st.composite
def tables(draw):
    """Counts of two arms: ordinary, fractional, empty, full, huge, or with one that cannot be."""
    k = draw(st.integers(1, 5))
    sizes = st.sampled_from([1, 2, 5, 20, 100, 1000])
    n1, n2 = ([draw(sizes) for _ in range(k)] for _ in range(2))
    a, c = ([draw(st.integers(0, n)) for n in group] for group in (n1, n2))
    kind = draw(st.sampled_from(["plain", "nobody", "everybody", "parts", "huge", "hard"]))
    if kind == "nobody":
        a = [0] * k
    elif kind == "everybody":
        a, c = list(n1), list(n2)
    elif kind == "parts":
        a = [0.3 * x for x in a]
    elif kind == "huge":
        a, n1, c, n2 = ([x * 10**10 for x in column] for column in (a, n1, c, n2))
    elif kind == "hard":
        column = draw(st.sampled_from([a, n1, c, n2]))
        column[draw(st.integers(0, k - 1))] = draw(st.sampled_from([*HARD, 1e17]))
    return a, n1, c, n2


def flaws(value, path="result"):
    """Intervals without bounds or reason, reversed or infinite ones, and infinite numbers, wherever they are."""
    if isinstance(value, core.Interval):
        if value.missing:
            yield from () if value.why else (path,)
        elif not -math.inf < value.low <= value.high + 1e-9 * abs(value.high) < math.inf:
            yield path
    elif dataclasses.is_dataclass(value):
        str(value)
        if isinstance(value, core.Result):
            value.to_rows()
            value.to_dict()
        for field in dataclasses.fields(value):
            yield from flaws(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from flaws(item, f"{path}[{index}]")
    elif isinstance(value, float | np.ndarray) and np.isinf(value).any():
        yield path


def check(function, *arguments, **options):
    try:
        found = function(*arguments, **options)
    except core.InputError as error:
        assert error.parameter  # noqa: PT017 - most draws raise nothing
    else:
        assert list(flaws(found)) == []


estimators = st.sampled_from(sorted(core.TAU2_ESTIMATORS))
intervals = st.sampled_from(sorted(core.INTERVALS))


@settings(max_examples=300)
@given(studies(), estimators, intervals, st.sampled_from(["none", "normal", "t-k1", "t-k2"]))
def test_pools(data, tau2, interval, prediction):
    check(core.pool, *data, tau2=tau2, interval=interval, prediction=prediction)


@settings(max_examples=60)
@given(studies(), estimators, intervals)
def test_what_is_made_of_pools(data, tau2, interval):
    check(core.small_k_pool, *data, tau2=tau2)
    check(core.leave_one_out, *data, tau2=tau2, interval=interval)
    check(core.baujat, *data, tau2=tau2)
    check(core.influence, *data, tau2=tau2)
    check(core.permutation_test, *data, tau2=tau2, interval=interval, exact_limit=32)
    check(core.proportion_beyond, *data, 0.1, tau2=tau2, draws=20)
    check(lambda: core.blups(core.pool(*data, tau2=tau2, interval=interval)))


@settings(max_examples=200)
@given(studies(), st.sampled_from(sorted(core.TAU2_INTERVALS)), st.sampled_from([0.5, 0.95, 0.9999]))
def test_bounds_of_heterogeneity(data, method, level):
    check(core.tau2_interval, *data, method=method, level=level)


@settings(max_examples=60)
@given(studies(), estimators, intervals)
def test_regressions_and_funnels(data, tau2, interval):
    design = X[: len(data[0])]
    check(core.meta_regression, *data, design, tau2=tau2, interval=interval)
    check(core.permutation_test, *data, design, tau2=tau2, interval=interval, exact_limit=24, permutations=8)
    check(core.fit_statistics, *data, design)
    check(core.subgroups, *data, ["a", "b", "a", "a", "b"][: len(data[0])], tau2=tau2, interval=interval)
    check(core.cluster_robust, *data, ["a", "b", "a", "c", "b"][: len(data[0])], tau2=tau2)
    for function in (core.egger, core.egger_mixed, core.begg, core.excess_significance):
        check(function, *data)
    check(core.trim_and_fill, *data, tau2=tau2, estimator="Q0")
    check(core.selection_model, *data, steps=(0.5,))


@settings(max_examples=40)
@given(studies(), st.sampled_from(sorted(core.TAU_PRIORS)), st.sampled_from([1e-200, 1e-90, 1e-5, 0.5, 1e5]))
def test_posteriors(data, prior, scale):
    check(core.bayes, *data, tau_prior=prior, scale=scale)


@settings(max_examples=200)
@given(tables(), st.sampled_from(["OR", "RR", "RD"]), st.sampled_from(["only0", "all", "if0all", "none"]))
def test_counts(cells, measure, to):
    for function in (core.harbord, core.peters, core.peto):
        check(function, *cells)
    check(core.mantel_haenszel, measure, *cells)
    check(core.missing_outcomes, measure, *cells, [3] * len(cells[0]), [0] * len(cells[0]), imor1=0.5)
    try:
        y, v = core.two_by_two(measure, *cells, to=to)
    except core.InputError:
        return
    assert (np.isnan(y) == np.isnan(v)).all()
    assert (v[np.isfinite(v)] > 0).all()
    assert not np.isinf([y, v]).any()


@settings(max_examples=15)
@given(tables(), st.sampled_from(["cm.al", "um.fs", "um.rs"]), st.sampled_from(["ml", "common"]))
def test_models_of_counts(cells, model, tau2):
    check(core.glmm, *cells, model=model, tau2=tau2)
    check(core.glmm_proportion, cells[0], cells[1], tau2=tau2)


@pytest.mark.parametrize(
    ("y", "v", "message"),
    [
        ([1e200, 0.1, 0.2], [0.1, 0.1, 0.1], r"y must be at most 1e\+60 in size; got 1e\+200 in study 1 of 3"),
        ([0.3, 0.1, 0.2], [0.1, 1e-300, 0.1], r"v must lie between 1e-120 and 1e\+120; got 1e-300 in study 2 of 3"),
        ([0.3, 0.1, 0.2], [0.1, 0.1, 1e200], r"v must lie between .*; got 1e\+200 in study 3 of 3"),
        ([0.3, 0.1, 0.2], [1e-40, 0.1, 1e30], r"v must be at most 1e\+60 times the smallest; got 1e\+30 in study 3"),
        ([0.3, 1e35, 0.2], [0.1, 0.1, 0.1], r"y must lie within 1e\+30 of the smallest standard errors; got 1e\+35"),
    ],
)
def test_numbers_that_doubles_cannot_square_are_refused_by_study(y, v, message):
    for function in (core.pool, core.q_test, core.bayes, core.egger):
        with pytest.raises(core.InputError, match=message):
            function(y, v)


def test_the_planck_constant_in_joule_seconds():
    """Of size 1e-34, with variances of size 1e-83: the numbers of the same data in units of 1e-34 J s."""
    y, v = PLANCK
    plain = core.pool(y, v, tau2="pm")
    found = core.pool(1e-34 * y, 1e-68 * v, tau2="pm")
    assert found.tau2 == pytest.approx(1e-68 * plain.tau2, rel=1e-6, abs=0)
    assert found.q == pytest.approx(3.442127110, rel=1e-6)
    assert found.ci.high == pytest.approx(1e-34 * plain.ci.high, rel=1e-12, abs=0)


def test_a_given_tau2_out_of_all_proportion():
    with pytest.raises(core.InputError, match=r"tau2 must be at most 1e\+60 times the smallest variance; got 1e\+100"):
        core.pool([0.1, 0.2], [0.1, 0.1], tau2=1e100)


def test_moderators_out_of_all_proportion():
    for largest in (1e40, 1e-40):
        with pytest.raises(core.InputError, match=r"largest entry lies between 1e-30 and 1e\+30"):
            core.meta_regression([0.1, 0.2, 0.4], [0.1] * 3, [[1, 0], [1, largest], [1, 0]])


def test_predictions_say_why_they_have_no_bands():
    y, v = [0.1, 0.5, 0.9, 1.1], [0.1, 0.2, 0.1, 0.3]
    fit = core.meta_regression(y, v, X[:4])
    assert core.predict_effects(fit, [1, 1]).why == ""
    assert core.predict_effects(fit, [1, 1], prediction="none").why == "not asked for"
    common = core.meta_regression(y, v, X[:4], tau2="common", interval="wald")
    assert "no distribution of effects" in core.predict_effects(common, [1, 1]).why
    three = core.meta_regression(y[:3], v[:3], X[:3])
    assert "needs more studies" in core.predict_effects(three, [1, 1], prediction="t-k2").why
    line = core.meta_regression([0.0, 0.5, 1.0], [1.0] * 3, X[:3])
    found = core.predict_effects(line, [1, 1])
    assert "lie on a line" in found.why
    assert np.isnan(found.prediction_low).all()
    with pytest.raises(core.InputError, match=r"prediction must be one of .*got 'bootstrap'"):
        core.predict_effects(fit, [1, 1], prediction="bootstrap")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("ab", "X must be a matrix of numbers"),
        ([1, 2, 3], "X must have 2 columns; got 3"),
        ([1, math.nan], "X must be finite"),
        ([1, 1e40], r"at most 1e\+30 in size"),
    ],
)
def test_moderators_that_cannot_be_predicted_at(rows, message):
    fit = core.meta_regression([0.1, 0.5, 0.9, 1.1], [0.1, 0.2, 0.1, 0.3], X[:4])
    with pytest.raises(core.InputError, match=message):
        core.predict_effects(fit, rows)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda y, v: core.gosh(y, v, subsets=-3), "subsets must be a whole number, at least 1; got -3"),
        (lambda y, v: core.gosh(y, v, subsets=2.5), "subsets must be a whole number"),
        (lambda y, v: core.gosh(y, v, subsets=2, seed=-1), "seed must be a whole number"),
        (lambda y, v: core.proportion_beyond(y, v, 0.1, draws=0), "draws must be a whole number, at least 1; got 0"),
        (lambda y, v: core.proportion_beyond(y, v, 0.1, tau2="no"), "tau2 must be one of"),
        (lambda y, v: core.permutation_test(y, v, permutations=0), "permutations must be a whole number"),
        (lambda y, v: core.pool(y, v, seed=True), "seed must be a whole number, at least 0; got True"),
        (lambda y, v: core.pool(y, v, level=1 - 1e-12), "level must lie between 1e-9 and 1 - 1e-9"),
        (lambda y, v: core.selection_model(y, v, steps=("a",)), "steps must be rising numbers"),
        (lambda *_: core.freeman_tukey_back(math.nan, 10), "y must be finite"),
        (lambda *_: core.freeman_tukey_back(0.5, 0), "n must be finite and above 0"),
        (lambda *_: core.harmonic_mean([1, 0]), "n must be finite and above 0; got 0 in study 2 of 2"),
        (lambda *_: core.split_control([11], [10], [2]), "ci must be finite, at least 0 and at most n2i"),
        (lambda *_: core.design_effect([-5], [2], 0.1), "n must be finite and at least 0; got -5"),
        (lambda *_: core.two_means("MD", [1e200], [1], [9], [1], [1], [9]), r"m1i must be at most 1e\+60"),
        (lambda *_: core.two_by_two("OR", [1], [1e17], [1], [9]), r"n1i must lie between 1e-15 and 1e\+15"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(call, message):
    with pytest.raises(core.InputError, match=message):
        call([0.1, 0.5, 0.4, 0.7, 0.3], [0.1, 0.2, 0.1, 0.3, 0.2])


def test_a_study_that_outweighs_all_others_has_no_permutation_interval():
    found = core.permutation_interval([0.0, 1, 2, -1, 0.5, 3], [1e-20, 1, 1, 1, 1, 1], tau2="common")
    assert found.missing
    assert "outweigh" in found.why


def test_priors_and_data_of_different_orders():
    found = core.bayes([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], scale=1e-12)
    assert "different orders of magnitude" in found.reason


def test_effects_on_a_line_have_no_corrected_effect():
    assert "on a line" in core.pet_peese([0.5, 0.5, 0.5, 0.5], [0.1, 0.2, 0.3, 0.4]).reason


def test_identical_effects_have_no_permutation_test_with_hartung_knapp():
    found = core.permutation_test([0.5] * 4, [0.1] * 4, interval="hksj")
    assert np.isnan(found.p).all()
    assert "identical" in found.notes[0]


@pytest.mark.parametrize("gap", [1e-99, 1e-156, 5e-324])
def test_effects_that_differ_by_less_than_anything_are_the_same(gap):
    y, v = [0.0, 0.0, gap], [1.0, 1.0, 1.0]
    for tau2 in core.TAU2_ESTIMATORS:
        fit = core.pool(y, v, tau2=tau2)
        assert fit.tau2 == fit.q == fit.se == 0
        assert "identical" in fit.ci.why
    assert core.tau2_interval(y, v, method="sj").high == 0
