"""What comes first of what a record prints or states: each rule by a record made for it."""

import pytest

from ipsevidence.analysis.sayings import foremost, sayings
from tests.toy import TWO_ARMS, outcome, study

from .gaps import bare, dataset, pair, percents, published, stated

JOB = "competitive-employment"


@pytest.fixture
def first(tmp_path, spec_of):
    """Return what comes first in a record of these outcomes and statements."""

    def find(outcomes, *statements, arms=TWO_ARMS, replace=(), **fields):
        text = study("x-2001", arms, outcomes) + (stated(*statements) if statements else "")
        for old, new in replace:
            text = text.replace(old, new)
        record = dataset(tmp_path, {"x-2001": text})["x-2001"]
        return foremost(sayings(spec_of(effect={"measure": "RR"}, **fields), record))

    return find


def test_numbers_come_before_words_of_a_nearer_month(first):
    early = bare("early", JOB, 6, published("RR", "1.50"))
    assert first([early], (JOB, 18, "no-difference", "no")).words == "RR 1.50"


def test_words_on_the_concept_come_before_numbers_on_another(first):
    held = outcome("held", pair(30, 50, 15, 50), concept="sustained-job")
    assert first([held], (JOB, 6, "no-difference", "no")).stated.direction == "no-difference"


def test_a_cumulative_count_comes_before_an_effect_of_a_part_of_follow_up(first):
    # 30/50 v 30/52 within 6 months, and a risk ratio of months 6 to 12 alone
    part = bare("part", JOB, 12, published("RR", "1.45")).replace("window: cumulative", "window: interval")
    whole = outcome("whole", pair(30, 50, 30, 52), months=6)
    assert first([part, whole]).words == "30/50 v 30/52"


def test_windows_have_the_order_of_the_analysis(first):
    point = outcome("point", pair(20, 50, 10, 50), months=6, window="point")
    ever = outcome("ever", pair(30, 50, 15, 50), months=6)
    assert first([point, ever]).window == "cumulative"


def test_windows_of_the_analysis_come_before_a_cumulative_one(first):
    point = outcome("point", pair(20, 50, 10, 50), months=6, window="point")
    ever = outcome("ever", pair(30, 50, 15, 50), months=6)
    assert first([ever, point], outcome={"windows": ("point",)}).window == "point"


def test_of_one_outcome_counts_come_before_percents_and_these_before_a_difference(first):
    both = bare("job", JOB, 6, percents(("ips", 30), ("tau", 25)) + published("percentage-points", "5"))
    assert first([both]).words == "30% v 25%"


def test_an_effect_on_the_measure_comes_before_percents(first):
    both = bare("job", JOB, 6, percents(("ips", 30), ("tau", 25)) + published("RR", "1.21"))
    assert first([both]).words == "RR 1.21"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_effects_alike_the_first_in_the_record_is_taken(tmp_path, spec_of, order):
    texts = published("RR", "1.50") + published("RR", "1.60").removeprefix("    published:\n")
    record = dataset(tmp_path, {"x-2001": study("x-2001", TWO_ARMS, [bare("job", JOB, 6, texts)])})["x-2001"]
    # the same two objects in either order: where they lie in memory must not decide
    effects = tuple(record.outcomes[0].published[place] for place in order)
    turned = record.model_copy(update={"outcomes": (record.outcomes[0].model_copy(update={"published": effects}),)})
    found = foremost(sayings(spec_of(effect={"measure": "RR"}), turned))
    assert found.words == ("RR 1.50", "RR 1.60")[order[0]]


def test_of_two_effects_that_with_an_interval_is_taken(first):
    bare_one = published("RR", "1.50")
    with_ci = published("RR", "1.60", ("0.80", "3.20")).removeprefix("    published:\n")
    assert first([bare("job", JOB, 6, bare_one + with_ci)]).words == "RR 1.60 (0.80 to 3.20)"


def test_weak_numbers_are_not_taken(first):
    weak = bare("job", JOB, 6, published("RR", "1.50").replace("reported", "reconstructed"))
    assert first([weak]) is None


def test_weak_percents_are_not_taken(first):
    assert first([bare("job", JOB, 6, percents(("ips", 30), ("tau", 25), basis="reconstructed"))]) is None


def test_a_percent_that_is_only_a_bound_is_not_taken(first):
    assert first([bare("job", JOB, 6, percents(("ips", 30), ("tau", 25), qualifier="more than"))]) is None


def test_percents_of_one_arm_alone_are_not_taken(first):
    assert first([bare("job", JOB, 6, percents(("ips", 30)))]) is None


def test_a_percent_beside_an_approximate_count_is_taken_as_printed(first):
    # of 75 neither 13 (17.3%) nor 14 (18.7%) gives 18%
    text = outcome("job", [("ips", 35, 75, "derived"), ("tau", 13, 75, "approximate")], months=12)
    printed = (
        ("events: 35", 'events: {value: 35, as_printed: "47%"}'),
        ("events: 13", 'events: {value: 13, as_printed: "18%"}'),
    )
    assert first([text], replace=printed).words == "47% v 18%"


def test_a_percent_beside_a_reconstructed_count_is_not(first):
    text = outcome("job", [("ips", 35, 75, "derived"), ("tau", 13, 75, "reconstructed")], months=12)
    printed = (
        ("events: 35", 'events: {value: 35, as_printed: "47%"}'),
        ("events: 13", 'events: {value: 13, as_printed: "18%"}'),
    )
    assert first([text], replace=printed) is None


def test_percents_of_two_arms_are_averaged_by_their_sizes(first):
    arms = [*TWO_ARMS, ("more", "ips-adapted", "randomised")]
    text = bare("job", JOB, 6, percents(("ips", 30), ("more", 60), ("tau", 25)))
    sizes = tuple(
        (f"label: {arm}}}", f"label: {arm}, n_randomised: {{value: {n}, basis: reported, from: s1}}}}")
        for arm, n in (("ips", 60), ("more", 30), ("tau", 10))
    )
    # (30 * 60 + 60 * 30) / 90
    assert first([text], arms=arms, replace=sizes).words == "40% v 25%"


def test_percents_of_two_arms_of_unknown_size_are_averaged_evenly(first):
    arms = [*TWO_ARMS, ("more", "ips-adapted", "randomised")]
    assert (
        first([bare("job", JOB, 6, percents(("ips", 30), ("more", 60), ("tau", 25)))], arms=arms).words == "45% v 25%"
    )


def test_a_single_arm_has_no_contrast(first):
    assert first([bare("job", JOB, 6, percents(("ips", 30)))], arms=TWO_ARMS[:1]) is None
