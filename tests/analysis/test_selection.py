"""Who is in and who is out, each with a reason; nothing mixes that must not."""

import dataclasses
from types import MappingProxyType

import pytest
from pydantic import ValidationError

from ipsevidence.analysis.groupings import FIDELITY_BANDS
from ipsevidence.analysis.running import run
from ipsevidence.analysis.selection import NOT_LISTED, SelectionError, select
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.record import Overlap


def reasons(selection, *, included):
    return {d.id: d.reason for d in selection.decisions if d.included == included}


def counts(selection, study):
    row = next(row for row in selection.rows if row.id == study)
    return (row.counts.events1, row.counts.n1, row.counts.events2, row.counts.n2)


def test_every_study_has_a_decision_and_a_reason(toy, spec_of):
    selection = select(spec_of(), toy)
    assert {d.id for d in selection.decisions} == set(toy.entries)
    assert all(d.reason for d in selection.decisions)
    assert [row.id for row in selection.rows] == [d.id for d in selection.decisions if d.included]


def test_reasons_of_a_rule(toy, spec_of):
    out = reasons(select(spec_of(), toy), included=False)
    assert out == {
        "delta-2004": "a count is reconstructed, weaker than the limit bounded",
        "epsilon-2005": "design is quasi-experimental",
        "eta-2007": "no outcome competitive employment, at any time up to then, within 12-24 months",
        "theta-2008": "status is awaiting",
        "zeta-2006": "no counts in all of ips, tau for outcome job",
    }


def test_time_rule_takes_the_later_of_two_as_near(toy, spec_of):
    # 12 and 24 months are as near to 18; the protocol takes the later.
    selection = select(spec_of(), toy)
    assert counts(selection, "beta-2002") == (24, 40, 12, 40)
    nearer = select(spec_of(outcome={"near_month": 13}), toy)
    assert counts(nearer, "beta-2002") == (20, 40, 10, 40)


def test_arms_against_one_are_combined_and_the_not_randomised_left_out(toy, spec_of):
    assert counts(select(spec_of(), toy), "gamma-2003") == (18, 30, 15, 60)
    refused = select(spec_of(outcome={"multi_arm": "refuse"}), toy)
    assert reasons(refused, included=False)["gamma-2003"] == "more than two arms for the contrast"


def test_one_denominator_for_both_arms(toy, spec_of):
    assert counts(select(spec_of(), toy), "kappa-2010") == (14, 33, 1, 25)
    randomised = select(spec_of(outcome={"denominators": ("randomised",)}), toy)
    assert counts(randomised, "kappa-2010") == (14, 33, 1, 28)
    # alpha prints randomised only, and enters with both arms so
    assert counts(select(spec_of(), toy), "alpha-2001") == (30, 50, 15, 50)


def test_a_reading_of_one_place_is_not_the_arm(toy, spec_of):
    study = toy["alpha-2001"]
    whole = study.outcomes[0]
    part = whole.readings[0].model_copy(update={"where": "one town", "events": whole.readings[0].n})
    outcome = whole.model_copy(update={"readings": (*whole.readings, part)})
    entry = dataclasses.replace(toy.entries["alpha-2001"], study=study.model_copy(update={"outcomes": (outcome,)}))
    changed = dataclasses.replace(toy, entries=MappingProxyType({**toy.entries, "alpha-2001": entry}))
    assert counts(select(spec_of(), changed), "alpha-2001") == (30, 50, 15, 50)


def test_filters_by_group_tag_and_contrast(toy, spec_of):
    justice = select(spec_of(studies={"where": {"analysis_groups": ("justice",)}}), toy)
    assert [row.id for row in justice.rows] == ["beta-2002"]
    assert reasons(justice, included=False)["alpha-2001"] == "population is Severe mental illness"
    tagged = select(spec_of(studies={"where": {"tags": ("justice",)}}), toy)
    assert [row.id for row in tagged.rows] == ["beta-2002"]
    bundle = select(spec_of(outcome={"contrast": "bundle-vs-control"}), toy)
    assert not bundle.rows
    assert reasons(bundle, included=False)["alpha-2001"] == "no arms for the contrast bundle-vs-control"


def test_a_comparator_is_asked_of_the_arms_before_the_numbers(toy, spec_of):
    usual = select(spec_of(studies={"where": {"comparators": ("usual-care",)}}), toy)
    out = reasons(usual, included=False)
    # gamma combines usual care and a vocational service; zeta has no counts, and still answers the question.
    assert out["gamma-2003"] == "comparator is usual care and a vocational service"
    assert out["zeta-2006"] == "no counts in all of ips, tau for outcome job"
    eligible = {one.id: one.eligible for one in usual.decisions}
    assert (eligible["gamma-2003"], eligible["zeta-2006"]) == (False, True)
    both = select(spec_of(studies={"where": {"comparators": ("mixed", "vocational-service")}}), toy)
    assert [row.id for row in both.rows] == ["gamma-2003"]
    every = select(spec_of(studies={"where": {"comparators": ("usual-care", "vocational-service", "mixed")}}), toy)
    assert every == select(spec_of(), toy)


def test_fidelity_is_asked_of_the_lowest_score(spec_of):
    shipped = load()
    every = spec_of(outcome={"inputs": ("counts", "published")}, effect={"measure": "RR"})
    bands = {}
    for band in FIDELITY_BANDS:
        narrowed = spec_of(
            studies={"where": {"fidelity": (band,)}},
            outcome={"inputs": ("counts", "published")},
            effect={"measure": "RR"},
        )
        bands[band] = [row.id for row in select(narrowed, shipped).rows]
    # Each trial has one band: together they are all trials, and those with a good score are as the bands group them.
    assert sorted(name for names in bands.values() for name in names) == sorted(
        row.id for row in select(every, shipped).rows
    )
    grouped = run("primary-by-fidelity", shipped)
    for group in grouped.groups:
        assert {grouped.rows[index].id for index in group.members} <= set(bands[group.id])


def test_a_list_takes_what_it_names(toy, spec_of):
    spec = spec_of(
        studies={
            "list": (
                {
                    "id": "gamma-2003",
                    "contrast": {"of": "ips", "against": "work"},
                    "because": "the classic contrast",
                },
                {"id": "beta-2002", "outcome": "job-6", "participants": "randomised"},
            ),
            "count": 2,
        }
    )
    selection = select(spec, toy)
    assert [row.id for row in selection.rows] == ["gamma-2003", "beta-2002"]
    assert counts(selection, "gamma-2003") == (18, 30, 6, 30)
    assert counts(selection, "beta-2002") == (5, 40, 4, 40)
    assert selection.rows[1].participants == 100
    assert selection.rows[0].participants == 60
    assert reasons(selection, included=True)["gamma-2003"] == "the classic contrast"
    assert set(reasons(selection, included=False).values()) == {NOT_LISTED}


def test_overrides_of_a_variation_change_only_what_they_give(toy, spec_of):
    from ipsevidence.analysis.spec import StudyChoice

    spec = spec_of(studies={"list": ({"id": "beta-2002", "outcome": "job-6", "participants": "randomised"},)})
    change = StudyChoice(id="beta-2002", outcome="job-24")
    row = select(spec, toy, (change,)).rows[0]
    assert (row.counts.events1, row.participants) == (24, 100)


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ({"id": "alpha-2000"}, "study 'alpha-2000' is not in the dataset; nearest: alpha-2001"),
        ({"id": "alpha-2001", "outcome": "jobs"}, "outcome 'jobs' is not in the record; there are: job"),
        ({"id": "alpha-2001", "contrast": {"of": "ips", "against": "x"}}, "arm 'x' is not in the record"),
        (
            {"id": "alpha-2001", "participants": "enrolled"},
            "no participants of kind 'enrolled'; there are: randomised",
        ),
    ],
)
def test_what_is_named_must_be_there(toy, spec_of, listed, message):
    with pytest.raises(SelectionError, match=message.replace("'", ".")):
        select(spec_of(studies={"list": (listed,)}), toy)


def test_a_listed_study_that_cannot_enter_is_an_error_with_the_reason(toy, spec_of):
    listed = ({"id": "alpha-2001"}, {"id": "delta-2004"})
    with pytest.raises(SelectionError, match=r"that cannot enter: delta-2004 \(a count is reconstructed"):
        select(spec_of(studies={"list": listed}), toy)
    admitted = spec_of(studies={"list": listed, "weakest_basis": "reconstructed"})
    assert [row.basis for row in select(admitted, toy).rows] == ["reported", "reconstructed"]


def test_a_change_that_takes_no_effect_is_an_error(toy, spec_of):
    from ipsevidence.analysis.spec import StudyChoice

    spec = spec_of(studies={"list": ({"id": "alpha-2001"},)})
    with pytest.raises(SelectionError, match="'beta-2002', which is not among the studies selected"):
        select(spec, toy, (StudyChoice(id="beta-2002", outcome="job-12"),))


def test_a_change_may_give_another_contrast(toy, spec_of):
    from ipsevidence.analysis.spec import Contrast, StudyChoice

    change = StudyChoice(id="gamma-2003", contrast=Contrast(of="ips", against="work"))
    assert counts(select(spec_of(), toy, (change,)), "gamma-2003") == (18, 30, 6, 30)


def test_only_the_denominators_of_the_spec_are_tried(toy, spec_of):
    engaged = select(spec_of(outcome={"denominators": ("engaged",)}), toy)
    assert engaged.rows == ()
    analysed = select(spec_of(outcome={"denominators": ("analysed",)}), toy)
    assert [row.id for row in analysed.rows] == ["kappa-2010"]


def test_concepts_are_tried_in_the_order_of_the_spec(toy, spec_of):
    both = {"concepts": ("education", "competitive-employment"), "near_month": 12}
    assert counts(select(spec_of(outcome=both), toy), "beta-2002") == (7, 40, 6, 40)
    other = {"concepts": ("competitive-employment", "education"), "near_month": 12}
    assert counts(select(spec_of(outcome=other), toy), "beta-2002") == (20, 40, 10, 40)


def altered(dataset, name, **changes):
    """Return the dataset with fields of one record replaced."""
    entry = dataset.entries[name]
    entry = dataclasses.replace(entry, study=entry.study.model_copy(update=changes))
    return dataclasses.replace(dataset, entries=MappingProxyType({**dataset.entries, name: entry}))


def test_records_that_share_participants_never_meet_in_a_pool(toy, spec_of):
    linked = altered(toy, "alpha-2001", overlaps_with=(Overlap(id="gamma-2003", how="one site"),))
    selection = select(spec_of(), linked)
    assert "gamma-2003" not in [row.id for row in selection.rows]
    assert reasons(selection, included=False)["gamma-2003"] == "shares participants with alpha-2001, which is larger"
    listed = spec_of(studies={"list": ({"id": "alpha-2001"}, {"id": "gamma-2003"})})
    with pytest.raises(SelectionError, match=r"alpha-2001 and gamma-2003 share participants \(one site\)"):
        select(listed, linked)


def test_cluster_trials_enter_only_where_the_spec_says_so(toy, spec_of):
    design = toy["alpha-2001"].design.model_copy(update={"type": "cluster-rct"})
    clustered = altered(toy, "alpha-2001", design=design)
    out = reasons(select(spec_of(), clustered), included=False)
    assert out["alpha-2001"] == "clusters were randomised, and no design effect is applied"
    asked = select(spec_of(outcome={"clusters": "as-individuals"}), clustered)
    assert "alpha-2001" in [row.id for row in asked.rows]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"studies": {"list": ({"id": "a", "contrast": {"of": "ips", "against": "ips"}},)}}, "compared with itself"),
        ({"outcome": {"from_month": 60, "to_month": 12}}, "`from_month` is after `to_month`"),
        ({"outcome": {"near_month": -5}}, "greater than or equal to 0"),
        ({"subgroups": {"groups": ({"id": "a", "label": "A"}, {"id": "a", "label": "B"})}}, "listed twice"),
        (
            {"studies": {"list": ({"id": "a"},)}, "subgroups": {"groups": ({"id": "a", "label": "A"},)}},
            "study a has no group",
        ),
        (
            {"sensitivity": ({"id": "s", "label": "S", "choose": ({"id": "a", "group": "nonsense"},)},)},
            "into group nonsense",
        ),
        ({"studies": {"list": ({"id": "a"},), "where": {}}}, "either `list` or `where`"),
        ({"studies": {"list": ({"id": "a"}, {"id": "a"})}}, "listed twice"),
        ({"sensitivity": ({"id": "s", "label": "S"}, {"id": "s", "label": "T"})}, "the same id"),
        ({"report": {"beside": "nothing"}}, "names no sensitivity analysis"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(spec_of, fields, message):
    with pytest.raises(ValidationError, match=message):
        spec_of(**fields)
