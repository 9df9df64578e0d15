"""A record that was started is canonical, says only what was given, and validates but for what is missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence.core import InputError
from ipsevidence.dataset.checks import check_entry
from ipsevidence.dataset.collection import load, read_entry
from ipsevidence.dataset.entering import ARM_KEYS, EFFECT_KEYS, FIELDS, pairs_of
from ipsevidence.dataset.reader import ReadError, parse
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.starting import TEMPLATES, id_of, missing_fields, new_record, same_paper
from ipsevidence.dataset.writer import canonical

FEW = {"author": ["Harris"], "year": ["2024"], "read": ["abstract"], "country": ["NO"], "group": ["affective-common"]}
FULL = FEW | {
    "title": ["IPS for people with depression"],
    "doi": ["10.5555/example.1"],
    "at": ["abstract"],
    "tag": ["affective"],
    "illness": ["no"],
    "population": ["adults with depression"],
    "concept": ["competitive-employment"],
    "definition": ["any competitive job within 12 months"],
    "months": ["12"],
    "window": ["cumulative"],
}
TWO = ["treatment=ips, n=61, events=28", "treatment=treatment-as-usual, n=59, percent=25"]
ARMS = {
    "two-arm": TWO,
    "three-arm": ["treatment=ips, n=61, events=28", *TWO],
    "cluster": TWO,
    "single-arm": ["treatment=ips, n=61, percent=46"],
    "service": ["treatment=ips, n=61, percent=46"],
}


def start(template="two-arm", values=None, arms=None, effects=(), **more):
    return new_record(
        TEMPLATES[template],
        FULL if values is None else values,
        [pairs_of(text, ARM_KEYS, "arm") for text in (ARMS[template] if arms is None else arms)],
        [pairs_of(text, EFFECT_KEYS, "effect") for text in effects],
        today="2026-11-21",
        **more,
    )


def findings(made):
    try:
        return check_entry(read_entry(made.text.encode(), f"studies/{made.id}.yaml"))
    except ReadError as error:
        return error.findings


def is_canonical(text):
    return canonical(parse(text.encode(), file="x"), Study) == text


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_every_template_validates_when_all_is_given(template):
    more = {"clusters": ["8"], "icc": ["0.02"]} if template == "cluster" else {}
    made = start(template, FULL | more)
    assert is_canonical(made.text)
    assert [finding.check for finding in findings(made)] == []
    study = read_entry(made.text.encode(), f"studies/{made.id}.yaml").study
    assert study.design.type == TEMPLATES[template].design
    assert len(study.arms) == len(TEMPLATES[template].arms)
    assert study.outcomes[0].readings[0].events.value == 28  # 28/61 is 45.9%, the only number that is 46%


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_what_is_not_known_is_left_out_and_asked_for(template):
    bare = ["treatment=ips", "treatment=treatment-as-usual", "treatment=waiting-list"]
    made = start(template, FEW, bare[: len(TEMPLATES[template].arms)])
    assert is_canonical(made.text)
    found = findings(made)
    assert {finding.check for finding in found} == {"missing-key"}
    asked = " ".join(finding.what for finding in found)
    assert all(key in asked for key in ("citation", "severe_mental_illness", "description"))
    assert "outcomes" not in made.text


def test_the_counts_of_the_example():
    study = read_entry(start().text.encode(), "studies/harris-2024.yaml").study
    assert [int(item.value) for item in study.participants] == [120]
    assert study.participants[0].rule == "61 + 59"
    events = [reading.events for reading in study.outcomes[0].readings]
    assert [(int(number.value), number.basis) for number in events] == [(28, "reported"), (15, "derived")]


def test_a_percent_that_leaves_two_numbers_validates_as_bounded():
    made = start(arms=["treatment=ips, n=150, percent=47", "treatment=treatment-as-usual, n=140, percent=26"])
    assert findings(made) == ()
    assert "kind: rounding" in made.text
    assert any("bounded" in remark for remark in made.remarks)


def test_a_percent_that_leaves_none_validates_as_approximate():
    made = start(arms=["treatment=ips, n=150, percent=47", "treatment=treatment-as-usual, n=183, percent=27.1%"])
    assert findings(made) == ()
    assert "basis: approximate" in made.text


def test_an_effect_that_leaves_one_set_validates_as_a_joint_fit():
    arms = ["treatment=ips, n=150, percent=47", "treatment=treatment-as-usual, n=140, percent=26"]
    made = start(arms=arms, effects=["measure=RR, estimate=1.79"])
    assert findings(made) == ()
    assert made.text.count("rule: joint-fit") == 2


def test_the_denominator_is_named():
    made = start(arms=["treatment=ips, n=61, analysed=58, events=28", "treatment=treatment-as-usual, n=59, events=15"])
    study = read_entry(made.text.encode(), "studies/harris-2024.yaml").study
    assert [reading.of for reading in study.outcomes[0].readings] == ["analysed", "randomised"]
    assert int(study.outcomes[0].readings[0].n.value) == 58
    assert int(study.arms[0].n_randomised.value) == 61


def test_arms_of_one_treatment_get_ids_of_their_own():
    made = start("three-arm", arms=["treatment=ips", "treatment=ips", "treatment=treatment-as-usual, id=tau"])
    study = read_entry(made.text.encode(), "studies/harris-2024.yaml").study
    assert [arm.id for arm in study.arms] == ["ips", "ips-2", "tau"]


def test_a_trial_of_four_arms_starts_from_three():
    made = start("three-arm", arms=[*ARMS["three-arm"], "treatment=waiting-list, n=40, events=8"])
    assert [finding.check for finding in findings(made)] == []
    assert made.text.count("kind: count") == 4


@pytest.mark.parametrize(
    ("author", "year", "expected"),
    [
        ("Rodríguez Pulido", "2018", "rodriguez-pulido-2018"),
        ("Sørensen", "2020", "sorensen-2020"),
        ("O'Brien", "2011", "obrien-2011"),
        ("van Rijn", "2016", "van-rijn-2016"),
    ],
)
def test_ids(author, year, expected):
    assert id_of(author, year) == expected


def test_everything_that_is_missing_is_named_at_once():
    assert missing_fields(TEMPLATES["two-arm"], {"author": ["A"]}, 1) == (
        "--year",
        "--read",
        "--country",
        "--group",
        "--arm (given 1 of 2 times)",
    )
    with pytest.raises(InputError, match="--year, --read, --country, --group, --arm"):
        start(values={"author": ["A"]}, arms=[])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"study_id": "../../etc/passwd"}, "an id must be small letters"),
        ({"study_id": "A" * 61}, "an id must be"),
        ({"study_id": "a\n"}, "an id must be"),
        ({"values": FULL | {"author": ["李"]}}, "the id needs plain letters"),
        ({"values": FULL | {"group": ["smi", "mixed"]}}, "one value of --group"),
        ({"values": FULL | {"measure": ["OR"]}}, "no place for --measure"),
        ({"arms": [*TWO, TWO[1]]}, "a trial of two arms has 2; for more start from another template; got 3"),
        ({"arms": ["treatment=ips, n=0", TWO[1]]}, "1 or more; got 0"),
        ({"arms": ["treatment=ips, n=-3", TWO[1]]}, "got -3"),
        ({"arms": ["treatment=ips, n=9, percent=about 40%", TWO[1]]}, "percent of an --arm"),
        ({"arms": ["treatment=ips, n=9, percent=140", TWO[1]]}, "percent of an --arm"),
        ({"arms": ["treatment=isp, n=9", TWO[1]]}, "treatment of an --arm must be a term"),
        ({"arms": ["treatment=ips, id=../x", TWO[1]]}, "an id must be"),
        ({"effects": ["measure=XX"]}, "measure of an --effect"),
        ({"effects": ["measure=RR, low=1.0"]}, "both low and high"),
        ({"effects": ["measure=RR, estimate=1,9"]}, "must be a number with its printed digits"),
        ({"effects": ["measure=RR, estimate=1.9, of=zzz"]}, "must be an arm"),
        ({"effects": ["measure=RR, estimate=1.9, adjusted=maybe"]}, "adjusted of an --effect"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(InputError) as caught:
        start(**changes)
    assert message in str(caught.value)


@settings(max_examples=60)
@given(
    key=st.sampled_from(sorted(set(FIELDS) - {"author", "year"})),
    text=st.text(max_size=30),
    arm=st.text(max_size=30),
    effect=st.text(max_size=20),
)
def test_whatever_is_typed_gives_a_canonical_record_or_an_input_error(key, text, arm, effect):
    try:
        made = start(
            values=FULL | {key: [text]},
            arms=[f"treatment=ips, n=61, label={arm}", TWO[1]],
            effects=[f"measure=OR, estimate=2.1, p={effect}"],
        )
    except InputError:
        return
    assert is_canonical(made.text)
    assert {finding.check for finding in findings(made)} <= {
        *("group-against-illness", "published-effect-does-not-recompute", "p-against-counts", "wrong-length"),
        *("measured-window", "allocation-against-design", "trial-without-comparator", "cluster-without-icc"),
        *("outcome-after-follow-up", "arms-do-not-sum", "n-against-randomised", "value-out-of-range"),
    }


def test_the_same_paper_in_another_record_is_named():
    dataset = load()
    (sentence,) = same_paper(dataset, {"doi": ["https://doi.org/10.1176/APPI.PS.201100340"]})
    assert "davis-2012" in sentence
    assert list(same_paper(dataset, {"doi": ["10.5555/none"]})) == []
