"""The range over readings, against every combination pooled one by one."""

import dataclasses
import functools
import itertools
import json
import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence import core
from ipsevidence.analysis import readings
from ipsevidence.analysis.readings import range_over_readings
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.running import pool_rows, run
from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.collection import load
from tests.toy import TWO_ARMS, outcome, study

from .gaps import POOL, dataset, pair, sets

A = ((30, 50, 15, 50), (28, 48, 15, 50), (31, 50, 12, 49))
C = ((18, 30, 9, 30), (14, 30, 11, 30))
OPEN = {
    **POOL,
    "a-2001": study(
        "a-2001",
        TWO_ARMS,
        [outcome("job", pair(*A[0], "bounded")) + sets(("randomised", ("ips", "tau"), A))],
    ),
    "c-2003": study(
        "c-2003",
        TWO_ARMS,
        # the set of the pool is not listed: it counts all the same
        [outcome("job", pair(*C[0], "bounded")) + sets(("randomised", ("ips", "tau"), C[1:]))],
    ),
}
THREE = [*TWO_ARMS, ("work", "train-then-place", "randomised")]
COUNTS = [("ips", 18, 30, "reported"), ("tau", 9, 30, "reported"), ("work", 6, 30, "reported")]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("open"), OPEN)


def every(measure="RR", **model):
    """Pool each combination of the three trials by itself."""
    fits = []
    for a, c in itertools.product(A, C):
        y, v = core.two_by_two(measure, *zip(a, (24, 40, 12, 40), c, strict=True))
        fits.append(core.pool(y, v, **model) if model else core.small_k_pool(y, v).headline)
    return fits


def test_the_range_is_that_of_all_combinations(data, spec_of):
    found = range_over_readings(run(spec_of(effect={"measure": "RR"}), data), data)
    fits = every()
    assert (found.combinations, found.fitted, found.seed, found.left) == (6, 6, None, ())
    assert found.estimate == pytest.approx(fits[0].estimate)
    assert (found.low, found.high) == pytest.approx((min(f.estimate for f in fits), max(f.estimate for f in fits)))
    assert found.ci_low == pytest.approx((min(f.ci.low for f in fits), max(f.ci.low for f in fits)))
    assert found.ci_high == pytest.approx((min(f.ci.high for f in fits), max(f.ci.high for f in fits)))
    assert found.tau2 == pytest.approx((min(f.tau2 for f in fits), max(f.tau2 for f in fits)), abs=1e-8)


@pytest.mark.parametrize("interval", ["wald", "t", "hksj", "hksj-adhoc"])
@pytest.mark.parametrize("tau2", ["common", "dl", "reml", "sj"])
def test_bounds_are_those_of_the_interval_asked_for(interval, tau2, data, spec_of):
    model = {"tau2": tau2, "interval": interval, "prediction": "none"}
    found = range_over_readings(run(spec_of(effect={"measure": "OR"}, model=model, purpose="exploratory"), data), data)
    fits = every("OR", **model)
    assert found.ci_low == pytest.approx((min(f.ci.low for f in fits), max(f.ci.low for f in fits)))
    assert found.ci_high == pytest.approx((min(f.ci.high for f in fits), max(f.ci.high for f in fits)))


def test_from_five_trials_on_the_bounds_follow_the_rules_for_few(tmp_path, spec_of):
    far = {
        name: study(name, TWO_ARMS, [outcome("job", pair(*cells))])
        for name, cells in (("d-2004", (5, 40, 20, 40)), ("e-2005", (35, 40, 5, 40)))
    }
    data = dataset(tmp_path, {**OPEN, **far})
    found = range_over_readings(run(spec_of(effect={"measure": "RR"}), data), data)
    fits = []
    for a, c in itertools.product(A, C):
        cells = zip(a, (24, 40, 12, 40), c, (5, 40, 20, 40), (35, 40, 5, 40), strict=True)
        fits.append(core.small_k_pool(*core.two_by_two("RR", *cells)))
    assert {fit.shown for fit in fits} == {"hksj"}
    assert found.ci_low[0] == pytest.approx(min(fit.headline.ci.low for fit in fits))
    assert found.ci_high[1] == pytest.approx(max(fit.headline.ci.high for fit in fits))


def test_the_trial_that_moves_most_varies_alone(data, spec_of):
    found = range_over_readings(run(spec_of(effect={"measure": "RR"}), data), data)
    fits = [fit.estimate for fit in every()]
    alone = {"A-2001": fits[0::2], "C-2003": fits[0:2]}  # the other trial as in the pool
    spans = {label: max(of) - min(of) for label, of in alone.items()}
    assert [one.label for one in found.trials] == sorted(spans, key=spans.get, reverse=True)
    for one in found.trials:
        assert (one.low, one.high) == pytest.approx((min(alone[one.label]), max(alone[one.label])))
    assert found.most.span == pytest.approx(max(spans.values()))
    # more with the event and fewer in the control arm give the largest, the others the smallest
    assert dict(found.at_high) == {"A-2001": "31/50 v 12/49", "C-2003": "18/30 v 9/30"}
    assert dict(found.at_low) == {"A-2001": "28/48 v 15/50", "C-2003": "14/30 v 11/30"}


def test_a_sample_is_seeded_and_holds_each_set_alone_and_the_ends(data, spec_of):
    analysis = run(spec_of(effect={"measure": "RR"}), data)
    whole = range_over_readings(analysis, data)
    one, again = (range_over_readings(analysis, data, seed=3, sample=2) for _ in range(2))
    assert one == again
    assert (one.seed, one.combinations) == (3, 6)
    # the pool, two and one sets alone, both ends; two drawn
    assert one.fitted <= 1 + 2 + 1 + 2 + 2
    # here the ends of all trials together are the ends of the range
    assert (one.low, one.high) == pytest.approx((whole.low, whole.high))
    assert [trial.span for trial in one.trials] == pytest.approx([trial.span for trial in whole.trials])


def gamma(*entries):
    return study("gamma-2003", THREE, [outcome("job", COUNTS) + sets(*entries)])


def opened(tmp_path, spec_of, *entries):
    data = dataset(tmp_path, {**POOL, "gamma-2003": gamma(*entries)})
    return range_over_readings(run(spec_of(effect={"measure": "RR"}), data), data)


def test_combined_arms_are_summed_in_every_set(tmp_path, spec_of):
    rows = ((18, 30, 9, 30, 6, 30), (17, 29, 8, 28, 7, 31))
    found = opened(tmp_path, spec_of, ("randomised", ("ips", "tau", "work"), rows))
    assert found.trials[0].counts == ("18/30 v 15/60", "17/29 v 15/59")


def test_an_arm_that_is_not_listed_keeps_its_reading(tmp_path, spec_of):
    found = opened(tmp_path, spec_of, ("randomised", ("tau",), ((9, 30), (12, 30))))
    assert found.trials[0].counts == ("18/30 v 15/60", "18/30 v 18/60")


def test_entries_for_different_arms_are_combined(tmp_path, spec_of):
    entries = (("randomised", ("tau",), ((9, 30), (12, 30))), ("randomised", ("ips",), ((18, 30), (20, 30))))
    found = opened(tmp_path, spec_of, *entries)
    assert set(found.trials[0].counts) == {"18/30 v 15/60", "18/30 v 18/60", "20/30 v 15/60", "20/30 v 18/60"}


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ((("analysed", ("ips", "tau"), ((17, 29, 8, 28),)),), "another denominator (analysed)"),
        (
            (("randomised", ("ips", "tau"), ((18, 30, 9, 30),)), ("randomised", ("tau", "work"), ((9, 30, 6, 30),))),
            "overlapping sets of arms",
        ),
    ],
)
def test_what_cannot_be_mapped_is_left_and_said(entries, why, tmp_path, spec_of):
    records = {**OPEN, "gamma-2003": gamma(*entries)}
    data = dataset(tmp_path, records)
    found = range_over_readings(run(spec_of(effect={"measure": "RR"}), data), data)
    assert [label for label, _ in found.left] == ["GAMMA-2003"]
    assert why in found.left[0][1]
    assert found.combinations == 6


def test_a_set_without_an_effect_is_left_out_and_said(tmp_path, spec_of):
    rows = ((2, 30, 0, 30), (0, 30, 0, 30), (3, 30, 0, 30))
    text = study("z-2009", TWO_ARMS, [outcome("job", pair(2, 30, 0, 30)) + sets(("randomised", ("ips", "tau"), rows))])
    data = dataset(tmp_path, {**POOL, "z-2009": text})
    found = range_over_readings(run(spec_of(effect={"measure": "RR"}), data), data)
    assert found.trials[0].counts == ("2/30 v 0/30", "3/30 v 0/30")
    assert found.left == (("Z-2009", "a set without an effect on this measure was left out"),)


def test_why_there_is_no_range(data, toy, spec_of):
    assert "no trial of the pool" in range_over_readings(run(spec_of(), toy), toy).reason
    table = pool_rows(spec_of(), [StudyRow(id=str(i), label=str(i), y=0.1 * i, v=0.1) for i in range(3)])
    assert "table" in range_over_readings(table, data).reason
    two = spec_of(studies={"list": ({"id": "a-2001"}, {"id": "c-2003"})})
    assert "two trials" in range_over_readings(run(two, data), data).reason
    added = spec_of(effect={"measure": "RR", "to": "if0all"})
    assert "depends on the others" in range_over_readings(run(added, data), data).reason


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("sample", 0), ("sample", 1.5)])
def test_parameters_are_checked(name, value, data, spec_of):
    with pytest.raises(core.InputError, match=name):
        range_over_readings(run(spec_of(), data), data, **{name: value})


def test_rates_of_single_arms_have_a_range(data, spec_of):
    analysis = run(spec_of(effect={"measure": "PLO"}, purpose="exploratory"), data)
    found = range_over_readings(analysis, data)
    assert {one.label: one.counts for one in found.trials} == {
        "A-2001": ("30/50", "28/48", "31/50"),
        "C-2003": ("18/30", "14/30"),
    }


@functools.cache
def records():
    return load()


@functools.cache
def real(measure, tau2):
    question = dict.fromkeys(("population", "intervention", "comparator", "outcome"), "p")
    spec = {"schema": 1, "id": "p", "title": "p", "purpose": "living", "question": question}
    fields = {"studies": {"where": {}}, "effect": {"measure": measure}, "model": {"tau2": tau2}}
    return run(Spec.model_validate({**spec, **fields}), records()), records()


@settings(max_examples=20)
@given(st.sampled_from(["OR", "RR", "RD"]), st.sampled_from(["dl", "reml", "pm"]))
def test_the_pool_lies_in_its_range(measure, tau2):
    analysis, data = real(measure, tau2)
    found = range_over_readings(analysis, data)
    assert found.low <= analysis.fit.estimate + 1e-12
    assert analysis.fit.estimate - 1e-12 <= found.high
    assert all(found.low - 1e-12 <= one.low <= one.high <= found.high + 1e-12 for one in found.trials)


def test_a_range_is_plain_data(data, spec_of):
    found = range_over_readings(run(spec_of(effect={"measure": "RR"}), data), data)
    assert all(len(row) == len(found.columns) for row in found.to_rows())
    assert all(len(row) == len(one.columns) for one in found.trials for row in one.to_rows())
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["trials"][0]["counts"][0] == found.trials[0].counts[0]
    assert math.isfinite(plain["low"])
    assert dataclasses.replace(found, note="x").to_dict()["note"] == "x"


def test_in_parts_the_range_is_the_same_and_an_interrupted_one_is_none(data, spec_of, monkeypatch):
    analysis = run(spec_of(effect={"measure": "RR"}), data)
    whole = range_over_readings(analysis, data)
    monkeypatch.setattr(readings, "MOST", 4)
    sizes, told = [], []

    def in_another_process(function, chunks):
        for chunk in chunks:
            sizes.append(len(chunk))
            work, copy = pickle.loads(pickle.dumps((function, chunk)))
            yield work(copy)

    found = range_over_readings(analysis, data, mapper=in_another_process, progress=lambda *done: told.append(done))
    assert (sizes, told) == ([4, 2], [(4, 6), (6, 6)])
    for name in ("estimate", "low", "high", "ci_low", "ci_high"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-12)
    assert (found.at_low, found.at_high, found.combinations) == (whole.at_low, whole.at_high, whole.combinations)

    def stopped(function, chunks):
        yield function(next(chunks))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        range_over_readings(analysis, data, mapper=stopped)
