"""Which arms answer a question, and how many people are known to be in them."""

import math

import pytest

from ipsevidence.analysis.arms import people_asked, people_of, sides, sizes_of_arms
from ipsevidence.analysis.rows import Counts, Share, StudyRow
from tests.toy import TWO_ARMS, study

from .gaps import bare, dataset, sized

THREE = [*TWO_ARMS, ("plus", "ips-augmented", "randomised")]


@pytest.fixture
def record(tmp_path):
    def make(text):
        return dataset(tmp_path, {"x-2001": text})["x-2001"]

    return make


def test_arms_of_the_contrast(record, spec_of):
    one = record(study("x-2001", [*THREE, ("late", "treatment-as-usual", "not-randomised")], [bare("x")]))
    of, against = sides(spec_of(), one)
    assert ([arm.id for arm in of], [arm.id for arm in against]) == (["ips"], ["tau"])
    of, against = sides(spec_of(outcome={"contrast": "augmented-vs-ips"}), one)
    assert ([arm.id for arm in of], [arm.id for arm in against]) == (["plus"], ["ips"])


def test_arms_of_people_in_work_at_entry_meet_no_others(record, spec_of):
    text = study("x-2001", [*TWO_ARMS, ("kept", "ips", "randomised")], [bare("x")])
    one = record(text.replace("label: kept}", "label: kept, entry: in-work}"))
    assert [arm.id for arm in sides(spec_of(), one)[0]] == ["ips"]
    # the 100 randomised are of both trials
    assert math.isnan(people_asked(spec_of(), one).size)


def test_sizes_weaker_than_the_limit_are_not_taken(record, spec_of):
    text = sized(study("x-2001", TWO_ARMS, [bare("x")]), 100, 40, 60)
    one = record(text.replace("value: 40, basis: reported", "value: 40, basis: reconstructed"))
    assert sizes_of_arms(spec_of(), one) == {"tau": 60}
    size, n1, n2 = people_asked(spec_of(), one)
    assert size == 100
    assert math.isnan(n1)
    assert math.isnan(n2)
    asked = spec_of(studies={"where": {}, "weakest_basis": "reconstructed"}, purpose="exploratory")
    assert people_asked(asked, one) == (100, 40, 60)


def test_a_size_that_other_arms_share_stands_for_a_contrast_and_for_no_single_arm(record, spec_of):
    one = record(study("x-2001", THREE, [bare("x")]))
    assert people_asked(spec_of(), one).size == 100
    assert math.isnan(people_asked(spec_of(effect={"measure": "PLO"}, purpose="exploratory"), one).size)


def test_a_row_counts_its_own_persons_where_other_arms_share_in_the_size(record, spec_of):
    row = StudyRow(id="x-2001", label="X", counts=Counts(events1=9, n1=30, events2=5, n2=25), participants=55)
    assert people_of(spec_of(), record(study("x-2001", THREE, [bare("x")])), row) == 55


def test_a_row_counts_those_randomised_where_no_others_were(record, spec_of):
    row = StudyRow(id="x-2001", label="X", counts=Counts(events1=9, n1=30, events2=5, n2=25), participants=55)
    assert people_of(spec_of(), record(study("x-2001", TWO_ARMS, [bare("x")])), row) == 100


def test_a_row_of_one_arm_counts_its_own_persons(record, spec_of):
    row = StudyRow(id="x-2001", label="X", share=Share(events=9, n=30), participants=30, unit="arm")
    asked = spec_of(effect={"measure": "PLO"}, purpose="exploratory")
    assert people_of(asked, record(sized(study("x-2001", TWO_ARMS, [bare("x")]), 100, 40, 60)), row) == 30
