"""How much of the evidence is in a pool, by hand."""

import dataclasses
import json
import math

import pytest

from ipsevidence import core
from ipsevidence.analysis.covering import BOUNDS, coverage_of
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.running import pool_rows, run
from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.vocabulary import DIRECTION
from tests.toy import study

from .gaps import ABSENT, POOL, bare, dataset

COMMON = {"tau2": "common", "interval": "wald", "prediction": "none"}
LOG2 = math.log(2)
# Katz's variance, (1 - p) / (n p) of each arm, with 0.3 in the control arm
POOLED = {"a-2001": 0.4 / 30 + 0.7 / 15, "b-2002": 0.4 / 24 + 0.7 / 12, "c-2003": 0.4 / 18 + 0.7 / 9}
NONE = 2 * 0.7 / 15  # two arms of 50
PRINTED = ((math.log(3.75) - math.log(0.60)) / (2 * 1.959963984540054)) ** 2
STATED = {
    "favours-2004": (LOG2, 0.4 / 30 + 0.7 / 15),
    "same-2005": (0.0, NONE),
    "printed-2006": (math.log(1.5), PRINTED),  # 0.219, where its 400 participants would give 0.018
    "points-2007": (math.log(0.4 / 0.3), 0.6 / (0.4 * 60) + 0.7 / (0.3 * 40)),
    "counts-2008": (LOG2, 0.6 / 20 + 0.8 / 10),  # its own variance is the larger one
    "weak-2009": (0.0, NONE),
    "skew-2010": (0.0, NONE),
    "mixed-2011": (0.0, NONE),
    "worse-2012": (-LOG2, 0.85 / (0.15 * 50) + 0.7 / 15),
}
NONE_OF = {"printed-2006": 2 * 0.7 / 60, "points-2007": 0.7 / 18 + 0.7 / 12}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("gaps"), {**POOL, **ABSENT})


@pytest.fixture
def analysis(data, spec_of):
    return run(spec_of(effect={"measure": "RR"}, model=COMMON), data)


def weighted(pairs):
    return math.fsum(y / v for y, v in pairs) / math.fsum(1 / v for _, v in pairs)


def test_trials_and_participants_are_counted(analysis, data):
    found = coverage_of(analysis, data)
    assert (found.k, found.eligible) == (3, 14)
    assert found.analysed == 100 + 80 + 60
    # each of the pool prints 100 randomised; of the absent nine have 100, one has 400, one no size
    assert found.headline == 300
    assert found.known == 300 + 9 * 100 + 400
    assert found.share == 300 / 1600
    assert [one.id for one in found.unsized] == ["unsized-2013"]
    assert found.sentence == (
        "3 of 14 eligible trials, with 300 of 1,600 known participants (19%); the size of 1 trial is not known"
    )
    assert (found.absent[0].id, found.absent[-1].id) == ("printed-2006", "unsized-2013")


def test_each_absent_trial_enters_as_worked_out_by_hand(analysis, data):
    found = {one.id: one for one in coverage_of(analysis, data).absent}
    assert {name for name, one in found.items() if one.enters} == set(STATED)
    for name, (y, v) in STATED.items():
        assert found[name].y == pytest.approx(y, abs=1e-12), name
        assert found[name].v == pytest.approx(v), name
        assert found[name].v_none == pytest.approx(NONE_OF.get(name, NONE)), name
    assert found["unsized-2013"].why_not == "its size is not known"
    assert found["clusters-2014"].why_not == "clusters were randomised, and their number is not known"


def test_what_a_stated_effect_rests_on_is_said(analysis, data):
    found = {one.id: one for one in coverage_of(analysis, data).absent}
    sources = {name: one.source for name, one in found.items()}
    assert sources == {
        "favours-2004": "stated",
        "same-2005": "stated",
        "printed-2006": "printed",
        "points-2007": "converted",
        "counts-2008": "counts",
        "weak-2009": "silent",
        "skew-2010": "silent",
        "mixed-2011": "stated",
        "worse-2012": "stated",
        "unsized-2013": "silent",
        "clusters-2014": "silent",
    }
    assert found["same-2005"].assumed == "no effect: said not to differ (employed at a date, 15 months)"
    assert (found["same-2005"].same_concept, found["favours-2004"].same_concept) == (False, True)
    # what counts persons comes before earnings; of two that contradict each other neither is taken
    assert found["mixed-2011"].direction == "mixed"
    assert found["mixed-2011"].as_printed == "sustained job: words; job retention: words"
    assert "10 percentage points (sustained job, 12 months), risk ratio 1.33" in found["points-2007"].assumed
    assert "20/50 v 10/50" in found["counts-2008"].as_printed


def test_the_bounds_are_weighted_means_of_these(analysis, data):
    found = coverage_of(analysis, data)
    inside = [(LOG2, v) for v in POOLED.values()]
    none = [(0.0, NONE_OF.get(name, NONE)) for name in STATED]
    by_key = {bound.key: bound for bound in found.bounds}
    assert tuple(by_key) == tuple(BOUNDS)
    assert by_key["no-effect"].fit.estimate == pytest.approx(weighted(inside + none))
    assert by_key["stated"].fit.estimate == pytest.approx(weighted(inside + list(STATED.values())))
    assert by_key["stated"].k == 3 + 9
    # the trial of clusters has a size, and does not enter
    assert by_key["stated"].participants == found.known - 100
    assert found.control_risk == pytest.approx(0.3)


def test_a_living_pool_keeps_its_rules_in_the_bounds(data, spec_of):
    analysis = run(spec_of(effect={"measure": "RR"}), data)
    bound = coverage_of(analysis, data).bounds[0]
    y = [LOG2] * 3 + [0.0] * 9
    v = [*POOLED.values(), *(NONE_OF.get(name, NONE) for name in STATED)]
    expected = core.small_k_pool(y, v)
    assert bound.fit.tau2 == pytest.approx(expected.headline.tau2)
    assert (bound.fit.ci.low, bound.fit.ci.high) == pytest.approx(
        (expected.headline.ci.low, expected.headline.ci.high), abs=1e-12
    )


def test_assumptions_name_the_trials(analysis, data):
    text = " ".join(coverage_of(analysis, data).assumptions)
    assert "median 0.30" in text
    assert "POINTS-2007" not in text.partition("equal where that is not known:")[2].partition(".")[0]
    assert "Cannot enter: CLUSTERS-2014 (clusters were randomised" in text
    assert "SAME-2005*" in text
    assert "An asterisk marks what is said of another outcome." in text


def test_no_number_of_a_trial_left_out_for_doubt_is_taken(data, spec_of):
    rule = {"where": {}, "without": ({"id": "printed-2006", "because": "of another outcome"},)}
    analysis = run(spec_of(effect={"measure": "RR"}, model=COMMON, studies=rule), data)
    doubted = next(one for one in coverage_of(analysis, data).absent if one.id == "printed-2006")
    assert (doubted.stage, doubted.source, doubted.y) == ("doubt", "silent", 0.0)


@pytest.mark.parametrize("measure", ["OR", "RD", "AS"])
def test_no_effect_is_no_effect_on_every_measure_of_risks(measure, data, spec_of):
    analysis = run(spec_of(effect={"measure": measure}, model=COMMON), data)
    favours = next(one for one in coverage_of(analysis, data).absent if one.id == "favours-2004")
    _, v_none = core.two_by_two(measure, [15], [50], [15], [50])
    _, v = core.two_by_two(measure, [30], [50], [15], [50])
    # the pool has 0.6 against 0.3 in each trial, whatever the measure
    assert favours.y == pytest.approx(analysis.y[0])
    assert (favours.v_none, favours.v) == pytest.approx((v_none[0], v[0]))


def test_a_cluster_trial_enters_with_its_design_effect(tmp_path, spec_of):
    clusters = 'design: {type: cluster-rct, countries: ["US"], clusters: {value: 10, basis: reported, from: s1}}'
    text = ABSENT["clusters-2014"].replace('design: {type: cluster-rct, countries: ["US"]}', clusters)
    data = dataset(tmp_path, {**POOL, "clusters-2014": text})
    analysis = run(spec_of(effect={"measure": "RR"}, model=COMMON), data)
    (one,) = coverage_of(analysis, data).absent
    # ten clusters of ten, ICC 0.05: 1 + 9 * 0.05 = 1.45
    assert (one.n1, one.n2) == pytest.approx((50 / 1.45, 50 / 1.45))
    assert one.size == 100


def test_one_trial_or_two_have_counts_of_trials_and_no_bounds(tmp_path, spec_of):
    data = dataset(tmp_path, {"a-2001": POOL["a-2001"], "favours-2004": ABSENT["favours-2004"]})
    found = coverage_of(run(spec_of(effect={"measure": "RR"}), data), data)
    assert (found.k, found.eligible, found.bounds) == (1, 2, ())
    assert found.why_no_bounds == "no pool to add trials to: one trial, not a pool"


def test_without_a_pool_a_trial_still_says_what_it_says(tmp_path, spec_of):
    names = ("printed-2006", "points-2007", "counts-2008", "favours-2004", "weak-2009")
    data = dataset(tmp_path, {"a-2001": POOL["a-2001"], **{name: ABSENT[name] for name in names}})
    found = {one.id: one for one in coverage_of(run(spec_of(effect={"measure": "RR"}), data), data).absent}
    assert {name: one.source for name, one in found.items()} == {
        "printed-2006": "printed",
        "points-2007": "converted",
        "counts-2008": "counts",
        "favours-2004": "stated",
        "weak-2009": "silent",
    }
    assert found["printed-2006"].y == pytest.approx(math.log(1.5))
    assert found["counts-2008"].y == pytest.approx(LOG2)
    # percentage points need a control risk, which no pool lends
    assert math.isnan(found["points-2007"].y)
    assert not any(one.enters for one in found.values())


def test_rates_of_single_arms_are_counted_without_bounds(data, spec_of):
    found = coverage_of(run(spec_of(effect={"measure": "PLO"}, purpose="exploratory"), data), data)
    assert found.k == 3
    assert found.why_no_bounds.startswith("absent ones have no assumed proportion:")


def test_a_study_without_randomisation_counts_who_entered(tmp_path, spec_of):
    arms = [("ips", "ips", "not-randomised"), ("tau", "treatment-as-usual", "not-randomised")]
    designs = {"where": {"designs": ("rct", "quasi-experimental")}}
    text = study("q-2015", arms, [bare("x")], design="quasi-experimental")
    entered = text.replace("label: ips}", "label: ips, n_entered: {value: 70, basis: reported, from: s1}}").replace(
        "label: tau}", "label: tau, n_entered: {value: 20, basis: reported, from: s1}}"
    )
    records = {**POOL, "q-2015": text, "r-2016": entered.replace("q-2015", "r-2016")}
    data = dataset(tmp_path, records)
    found = coverage_of(run(spec_of(effect={"measure": "RR"}, studies=designs, model=COMMON), data), data)
    sizes = {one.id: (one.n1, one.n2, one.equal_arms) for one in found.absent}
    assert sizes == {"q-2015": (50, 50, True), "r-2016": (70, 20, False)}
    assert found.sentence == "3 of 5 eligible studies, with 300 of 500 known participants (60%)"


def test_lists_and_tables_do_not_say_what_is_absent(data, spec_of):
    listed = spec_of(studies={"list": ({"id": "a-2001"}, {"id": "b-2002"}, {"id": "c-2003"})})
    assert "a list" in coverage_of(run(listed, data), data).reason
    table = pool_rows(spec_of(), [StudyRow(id=str(i), label=str(i), y=0.1 * i, v=0.1) for i in range(3)])
    assert "table" in coverage_of(table, data).reason


def test_a_coverage_is_plain_data(analysis, data):
    found = coverage_of(analysis, data)
    assert all(len(row) == len(found.columns) for row in found.to_rows())
    assert len(found.to_rows()) == 11
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["bounds"][0]["estimate"] == found.bounds[0].fit.estimate
    assert plain["absent"][0]["id"] == "printed-2006"


def test_the_primary_analysis_on_the_records():
    data = load()
    question = dict.fromkeys(("population", "intervention", "comparator", "outcome"), "p")
    spec = {"schema": 1, "id": "p", "title": "p", "purpose": "living", "question": question}
    analysis = run(Spec.model_validate({**spec, "studies": {"where": {}}, "effect": {"measure": "RR"}}), data)
    found = coverage_of(analysis, data)
    eligible = [decision for decision in analysis.decisions if decision.eligible]
    assert (found.k, found.eligible) == (len(analysis.rows), len(eligible))
    assert {one.id for one in found.absent} == {one.id for one in eligible if not one.included}
    sizes = [one.size for one in found.absent if not math.isnan(one.size)]
    assert sizes == sorted(sizes, reverse=True)
    assert found.known == pytest.approx(found.headline + sum(sizes))
    assert {one.direction for one in found.absent} <= {"", *DIRECTION}
    none, stated = (bound.fit.estimate for bound in found.bounds)
    assert 0 < none < analysis.fit.estimate
    assert none <= stated
    # a trial weighs no more than its size allows: the variance of a risk ratio is at least 0
    assert all(one.v > 0 and one.v_none > 0 for one in found.absent if one.enters)
    assert dataclasses.is_dataclass(found)
