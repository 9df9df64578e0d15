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
from tests.toy import TWO_ARMS, outcome, study

from .gaps import ABSENT, POOL, bare, dataset, pair, percents, sized, stated, unsized

COMMON = {"model": {"tau2": "common", "interval": "wald", "prediction": "none"}, "purpose": "exploratory"}
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
    return run(spec_of(effect={"measure": "RR"}, **COMMON), data)


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
    analysis = run(spec_of(effect={"measure": "RR"}, **COMMON, studies=rule), data)
    doubted = next(one for one in coverage_of(analysis, data).absent if one.id == "printed-2006")
    assert (doubted.stage, doubted.source, doubted.enters) == ("doubt", "set-aside", False)
    assert math.isnan(doubted.y)
    assert coverage_of(analysis, data).set_aside == (doubted,)
    # it counts as absent with its 400, and is in neither pool
    found = coverage_of(analysis, data)
    assert (found.eligible, found.known) == (14, 1600)
    assert [bound.k for bound in found.bounds] == [3 + 8, 3 + 8]
    text = " ".join(found.assumptions)
    assert "none, for a trial set aside for a doubt, in neither of these pools (PRINTED-2006)." in text
    assert "Cannot enter: CLUSTERS-2014 (clusters were randomised" in text


@pytest.mark.parametrize("measure", ["OR", "RD", "AS"])
def test_no_effect_is_no_effect_on_every_measure_of_risks(measure, data, spec_of):
    analysis = run(spec_of(effect={"measure": measure}, **COMMON), data)
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
    analysis = run(spec_of(effect={"measure": "RR"}, **COMMON), data)
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
    parts = study(
        "parts-2020", TWO_ARMS, [bare("job", "competitive-employment", 18, percents(("ips", 30), ("tau", 25)))]
    )
    records = {"a-2001": POOL["a-2001"], "parts-2020": parts, **{name: ABSENT[name] for name in names}}
    data = dataset(tmp_path, records)
    found = {one.id: one for one in coverage_of(run(spec_of(effect={"measure": "RR"}), data), data).absent}
    assert {name: one.source for name, one in found.items()} == {
        "printed-2006": "printed",
        "points-2007": "converted",
        "counts-2008": "counts",
        "favours-2004": "stated",
        "weak-2009": "silent",
        "parts-2020": "percents",
    }
    assert found["parts-2020"].y == pytest.approx(math.log(1.2))
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
    found = coverage_of(run(spec_of(effect={"measure": "RR"}, studies=designs, **COMMON), data), data)
    sizes = {one.id: (one.n1, one.n2, one.equal_arms) for one in found.absent}
    assert sizes == {"q-2015": (50, 50, True), "r-2016": (70, 20, False)}
    assert found.sentence == "3 of 5 eligible studies, with 300 of 490 known participants (61%)"


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
    # of a pool under an assumption nothing but the estimate means anything
    assert plain["bounds"] == [
        {
            "key": bound.key,
            "label": BOUNDS[bound.key],
            "k": 12,
            "participants": 1500,
            "estimate": bound.fit.estimate,
        }
        for bound in found.bounds
    ]
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


def among(tmp_path, spec_of, text, name="extra-2020", **fields):
    """Return what is made of one absent trial beside the pool."""
    data = dataset(tmp_path, {**POOL, name: text})
    found = coverage_of(run(spec_of(**{"effect": {"measure": "RR"}, **COMMON, **fields}), data), data)
    return found, next(one for one in found.absent if one.id == name)


def test_percents_are_an_effect_with_the_variance_of_the_arms(tmp_path, spec_of):
    readings = percents(("ips", 30), ("tau", 25))
    text = study("extra-2020", TWO_ARMS, [bare("job", "competitive-employment", 18, readings)])
    _, one = among(tmp_path, spec_of, text + stated(("competitive-employment", 18, "favours-intervention", "yes")))
    assert (one.source, one.as_printed, one.direction) == ("percents", "30% v 25%", "favours-intervention")
    assert one.y == pytest.approx(math.log(1.2))
    # two halves of 100; larger than the variance at the control risk of the pool, 0.64 / 18 + 0.7 / 15
    assert one.v == pytest.approx(0.7 / 15 + 0.75 / 12.5)
    assert one.v_none == pytest.approx(NONE)
    assert one.equal_arms


def test_percents_take_the_sizes_of_the_arms_where_these_are_known(tmp_path, spec_of):
    readings = percents(("ips", 30), ("tau", 25))
    text = study("extra-2020", TWO_ARMS, [bare("job", "competitive-employment", 18, readings)])
    _, one = among(tmp_path, spec_of, sized(text, 100, 20, 80))
    assert one.v == pytest.approx(0.7 / 6 + 0.75 / 20)
    assert not one.equal_arms


def test_a_percent_of_nobody_is_corrected_as_counts_are(tmp_path, spec_of):
    text = study("extra-2020", TWO_ARMS, [bare("job", "competitive-employment", 18, percents(("ips", 30), ("tau", 0)))])
    _, one = among(tmp_path, spec_of, text)
    # 15/50 v 0/50, a half added to each cell
    assert one.y == pytest.approx(math.log((15.5 / 51) / (0.5 / 51)))


def test_percents_of_a_trial_of_unknown_size_are_told_and_do_not_enter(tmp_path, spec_of):
    text = study(
        "extra-2020", TWO_ARMS, [bare("job", "competitive-employment", 18, percents(("ips", 30), ("tau", 25)))]
    )
    _, one = among(tmp_path, spec_of, unsized(text))
    assert (one.source, one.enters, one.why_not) == ("percents", False, "its size is not known")


@pytest.mark.parametrize("direction", ["favours-intervention", "favours-comparator"])
def test_what_is_said_not_to_be_significant_is_no_effect(tmp_path, spec_of, direction):
    text = study("extra-2020", TWO_ARMS, [bare("x")]) + stated(("competitive-employment", 18, direction, "no"))
    found, one = among(tmp_path, spec_of, text)
    assert (one.source, one.y, one.v) == ("stated", 0.0, pytest.approx(NONE))
    assert "and not significantly" in one.assumed
    assert any(text.startswith("Stated effect: no effect, where no difference") for text in found.assumptions)


TWO_TRIALS = [
    ("ips-out", "ips", "randomised"),
    ("usual-out", "treatment-as-usual", "randomised"),
    ("ips-in", "ips", "randomised"),
    ("usual-in", "treatment-as-usual", "randomised"),
]


def two_trials():
    """Return a record of two trials: of finding a job (no effect said), and of keeping one (better)."""
    text = study("extra-2020", TWO_TRIALS, [bare("x")])
    for name, _, _ in TWO_TRIALS:
        entry = "in-work" if name.endswith("-in") else "out-of-work"
        text = text.replace(f"label: {name}}}", f"label: {name}, entry: {entry}}}")
    for of, against, concept, direction in (
        ("ips-in", "usual-in", "competitive-employment", "favours-intervention"),
        ("ips-in", "usual-out", "competitive-employment", "favours-intervention"),
        ("ips-out", "usual-out", "sustained-job", "no-difference"),
    ):
        one = stated((concept, 12, direction, "not-stated")).replace("of: ips,", f"of: {of},")
        text += one.replace("against: tau", f"against: {against}").removeprefix(
            "stated:\n" if "stated:" in text else ""
        )
    return text


def test_people_in_work_at_entry_are_another_trial(tmp_path, spec_of):
    found, one = among(tmp_path, spec_of, two_trials())
    assert (one.concept, one.direction) == ("sustained-job", "no-difference")
    assert math.isnan(one.size)
    assert one.why_not == "how many of its 100 participants are in these arms is not known"
    assert (found.eligible, found.known, found.unsized) == (4, 300, (one,))


def test_the_sheffield_trial_counts_by_those_out_of_work():
    study_of = load()["newton-2023-scr"]
    assert {arm.id: arm.entry for arm in study_of.arms} == {
        "ips-out": "out-of-work",
        "usual-out": "out-of-work",
        "ips-in": "in-work",
        "usual-in": "in-work",
    }


def test_arms_outside_the_contrast_are_not_counted(tmp_path, spec_of):
    arms = [*TWO_ARMS, ("plus", "ips-augmented", "randomised")]
    sizes = {"ips": 40, "tau": 30, "plus": 30}
    absent = study("extra-2020", arms, [bare("x")])
    pooled = study("d-2021", arms, [outcome("job", pair(20, 40, 10, 30))])
    for name, n in sizes.items():
        count = f"label: {name}, n_randomised: {{value: {n}, basis: reported, from: s1}}}}"
        absent, pooled = (text.replace(f"label: {name}}}", count) for text in (absent, pooled))
    data = dataset(tmp_path, {**POOL, "extra-2020": absent, "d-2021": pooled})
    found = coverage_of(run(spec_of(effect={"measure": "RR"}, **COMMON), data), data)
    assert found.absent[0].size == 70
    assert (found.headline, found.known) == (300 + 70, 300 + 70 + 70)


def test_of_single_arms_the_arm_counts_and_not_the_trial(tmp_path, spec_of):
    sized_arm = sized(study("extra-2020", TWO_ARMS, [bare("x")]), 100, 40, 60)
    alone = study("single-2021", [("ips", "ips", "not-randomised")], [bare("x")], design="routine-service")
    records = {**POOL, "extra-2020": sized_arm, "single-2021": alone, "favours-2004": ABSENT["favours-2004"]}
    data = dataset(tmp_path, records)
    designs = {"where": {"designs": ("rct", "routine-service")}}
    fields = {"effect": {"measure": "PLO"}, "purpose": "exploratory", "studies": designs}
    found = coverage_of(run(spec_of(**fields), data), data)
    # the pool by its rows, 50 + 40 + 30; of the absent the arm of 40, and the service of 100 that is one arm
    assert found.headline == 120
    assert found.known == 120 + 40 + 100
    assert [one.id for one in found.unsized] == ["favours-2004"]


def test_records_that_await_classification_are_named_and_not_counted(tmp_path, spec_of):
    fits = study("waits-2022", TWO_ARMS, [bare("x")], status="awaiting")
    other = study("waits-2023", [("a", "ips-bundle", "randomised"), TWO_ARMS[1]], [bare("x")], status="awaiting")
    runs = study("runs-2024", TWO_ARMS, [bare("x")], status="ongoing")
    again = study("again-2025", TWO_ARMS, [bare("x")], status="awaiting") + (
        "overlaps_with:\n  - {id: a-2001, how: the same people}\n"
    )
    reason = "status: awaiting\nstatus_reason: only the title was read"
    fits = fits.replace("status: awaiting", reason)
    records = {"waits-2022": fits, "waits-2023": other, "runs-2024": runs, "again-2025": again}
    data = dataset(tmp_path, {**POOL, **records})
    found = coverage_of(run(spec_of(effect={"measure": "RR"}, **COMMON), data), data)
    assert (found.k, found.eligible, found.known) == (3, 3, 300)
    assert [(one.id, one.size, one.reason) for one in found.awaiting] == [
        ("waits-2022", 100, "only the title was read")
    ]
    assert found.sentence == (
        "3 of 3 eligible trials, with 300 of 300 known participants (100%); 1 further trial awaits classification"
    )
    assert found.to_dict()["awaiting"][0]["label"] == "WAITS-2022"


def test_small_absent_trials_are_not_asked_for_where_small_rows_are_not(tmp_path, spec_of):
    small = sized(study("small-2020", TWO_ARMS, [bare("x")]), 20)
    waits = sized(study("waits-2022", TWO_ARMS, [bare("x")], status="awaiting"), 20)
    names = {
        "small-2020": small,
        "waits-2022": waits,
        "large-2021": ABSENT["printed-2006"],
        "none-2022": "unsized-2013",
    }
    names["large-2021"] = names["large-2021"].replace("printed-2006", "large-2021").replace("PRINTED", "LARGE")
    names["none-2022"] = ABSENT["unsized-2013"].replace("unsized-2013", "none-2022").replace("UNSIZED", "NONE")
    data = dataset(tmp_path, {**POOL, **names})
    spec = spec_of(effect={"measure": "RR"}, **COMMON, studies={"where": {"participants_from": 60}})
    analysis = run(spec, data)
    found = coverage_of(analysis, data)
    # nothing says that the one of unknown size is small
    assert [one.id for one in found.absent] == ["large-2021", "none-2022"]
    assert (found.k, found.eligible, found.awaiting) == (3, 5, ())
    left = next(one for one in analysis.decisions if one.id == "small-2020")
    assert (left.stage, left.reason) == ("size", "fewer than 60 participants are known")


def test_a_measure_of_means_makes_no_effect_of_counts_or_percents(tmp_path, spec_of):
    parts = study(
        "extra-2020", TWO_ARMS, [bare("job", "competitive-employment", 18, percents(("ips", 30), ("tau", 25)))]
    )
    data = dataset(tmp_path, {"extra-2020": parts, "counts-2008": ABSENT["counts-2008"]})
    fields = {"effect": {"measure": "MD"}, "purpose": "exploratory", "outcome": {"concepts": ("time-worked",)}}
    found = coverage_of(run(spec_of(**fields), data), data)
    assert {one.source for one in found.absent} == {"counts", "percents"}
    assert all(math.isnan(one.y) for one in found.absent)
