"""What would change a pool: each absent trial alone, by hand."""

import json
import math

import pytest

from ipsevidence import core
from ipsevidence.analysis.covering import coverage_of
from ipsevidence.analysis.readings import range_over_readings
from ipsevidence.analysis.running import run
from ipsevidence.analysis.unlocking import what_would_change
from ipsevidence.core.batch import BATCH_ESTIMATORS

from .gaps import ABSENT, POOL, dataset
from .test_covering import COMMON, LOG2, NONE, POOLED, PRINTED, weighted

INSIDE = [(LOG2, v) for v in POOLED.values()]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("gaps"), {**POOL, **ABSENT})


def test_only_trials_with_wanted_numbers_the_largest_first(data, spec_of):
    found = what_would_change(run(spec_of(effect={"measure": "RR"}, **COMMON), data), data)
    assert [one.id for one in found] == ["printed-2006", "favours-2004", "unsized-2013"]
    assert [one.rank_by_participants for one in found] == [1, 2, 3]
    assert [one.participants for one in found][:2] == [400, 100]
    assert found[0].wanted[0].where == "Table 2"


def test_the_refits_are_weighted_means(data, spec_of):
    printed, favours, unsized = what_would_change(run(spec_of(effect={"measure": "RR"}, **COMMON), data), data)
    assert printed.at_no_effect == pytest.approx(weighted([*INSIDE, (0.0, 2 * 0.7 / 60)]))
    assert printed.at_stated == pytest.approx(weighted([*INSIDE, (math.log(1.5), PRINTED)]))
    assert favours.at_no_effect == pytest.approx(weighted([*INSIDE, (0.0, NONE)]))
    # at the pooled estimate itself it moves nothing
    assert favours.at_stated == pytest.approx(LOG2)
    assert favours.shift == pytest.approx(favours.at_no_effect - LOG2)
    assert printed.shift < favours.shift < 0
    assert (printed.rank_by_shift, favours.rank_by_shift, unsized.rank_by_shift) == (1, 2, 3)
    assert math.isnan(unsized.shift)


def test_the_estimator_is_that_of_the_analysis(data, spec_of):
    for tau2 in ("reml", "dl", "sj"):
        analysis = run(spec_of(effect={"measure": "RR"}, model={"tau2": tau2}), data)
        _, favours, _ = what_would_change(analysis, data)
        expected = core.pool([*analysis.y, 0.0], [*analysis.v, NONE], tau2=tau2)
        assert favours.at_no_effect == pytest.approx(expected.estimate)


def test_a_coverage_at_hand_is_used(data, spec_of):
    analysis = run(spec_of(effect={"measure": "RR"}), data)
    assert what_would_change(analysis, data, coverage_of(analysis, data)) == what_would_change(analysis, data)


def test_without_a_pool_there_is_no_shift(tmp_path, spec_of):
    data = dataset(tmp_path, {"a-2001": POOL["a-2001"], "favours-2004": ABSENT["favours-2004"]})
    (one,) = what_would_change(run(spec_of(effect={"measure": "RR"}), data), data)
    assert (one.id, one.participants) == ("favours-2004", 100)
    assert math.isnan(one.estimate)
    assert math.isnan(one.shift)


def test_a_list_has_nothing_absent(data, spec_of):
    listed = spec_of(studies={"list": tuple({"id": name} for name in POOL)})
    assert isinstance(what_would_change(run(listed, data), data), core.NotApplicable)


def test_rows_are_plain(data, spec_of):
    for one in what_would_change(run(spec_of(effect={"measure": "RR"}), data), data):
        (row,) = one.to_rows()
        assert len(row) == len(one.columns)
        assert json.loads(json.dumps(one.to_dict()))["wanted"][0]["what"] == "counts"


def test_an_estimator_without_a_vectorised_form_is_fitted_one_by_one(data, spec_of):
    tau2 = min(set(core.TAU2_ESTIMATORS) - set(BATCH_ESTIMATORS))
    analysis = run(spec_of(effect={"measure": "RR"}, model={"tau2": tau2}), data)
    _, favours, _ = what_would_change(analysis, data)
    assert favours.at_no_effect == pytest.approx(core.pool([*analysis.y, 0.0], [*analysis.v, NONE], tau2=tau2).estimate)
    assert f"no vectorised form of the estimator {tau2}" in range_over_readings(analysis, data).reason
