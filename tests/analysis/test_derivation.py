"""One row from one study: printed effects, design effects, rates of one arm, and groups by what the record says."""

import math
from decimal import Decimal

import pytest
from pydantic import ValidationError

from ipsevidence.analysis.groupings import grouped
from ipsevidence.analysis.running import run
from ipsevidence.analysis.selection import SelectionError, known_size, select
from ipsevidence.analysis.spec import GROUPINGS
from ipsevidence.dataset.record import FidelityScore, Number, Overlap, ProgrammeCorrelation, Published

from .test_selection import altered, counts, reasons


def decision(selection, name):
    return next(d for d in selection.decisions if d.id == name)


def printed(measure="RR", estimate="2.00", ci=("1.00", "4.00"), **fields):
    return Published.model_validate(
        {
            "of": "ips",
            "against": "tau",
            "measure": measure,
            "estimate": Decimal(estimate),
            "ci": tuple(Decimal(bound) for bound in ci),
            "from": "s1",
            "basis": "reported",
            **fields,
        }
    )


def with_printed(toy, name, *effects):
    outcome = toy[name].outcomes[0].model_copy(update={"published": effects})
    return altered(toy, name, outcomes=(outcome,))


def test_a_printed_effect_enters_only_where_counts_cannot_and_the_spec_admits_it(toy, spec_of):
    data = with_printed(toy, "zeta-2006", printed())  # counts in one arm only
    assert decision(select(spec_of(effect={"measure": "RR"}), data), "zeta-2006").stage == "counts"
    spec = spec_of(effect={"measure": "RR"}, outcome={"inputs": ("counts", "published")})
    selection = select(spec, data)
    row = next(row for row in selection.rows if row.id == "zeta-2006")
    assert (row.estimate, row.low, row.high, row.level) == (2.0, 1.0, 4.0, 0.95)
    assert row.counts is None
    assert "the printed RR: no counts" in decision(selection, "zeta-2006").reason
    # a study with counts keeps them
    both = with_printed(toy, "alpha-2001", printed())
    assert counts(select(spec, both), "alpha-2001") == (30, 50, 15, 50)


def test_a_printed_effect_on_another_measure_does_not_enter(toy, spec_of):
    data = with_printed(toy, "zeta-2006", printed("OR"), printed("HR"))
    spec = spec_of(effect={"measure": "RR"}, outcome={"inputs": ("counts", "published")})
    assert not decision(select(spec, data), "zeta-2006").included


def test_an_unadjusted_effect_goes_before_an_adjusted_one(toy, spec_of):
    data = with_printed(toy, "zeta-2006", printed(estimate="3.00", adjusted=True), printed(adjusted=False))
    spec = spec_of(effect={"measure": "RR"}, outcome={"inputs": ("counts", "published")})
    row = next(row for row in select(spec, data).rows if row.id == "zeta-2006")
    assert row.estimate == 2.0


def clustered(toy, clusters=None, icc=None):
    number = {"basis": "reported", "from_": "s1"}
    design = toy["alpha-2001"].design.model_copy(
        update={
            "type": "cluster-rct",
            "clusters": Number.model_construct(value=Decimal(clusters), **number) if clusters else None,
            "icc": Number.model_construct(value=Decimal(icc), **number) if icc else None,
        }
    )
    return altered(toy, "alpha-2001", design=design)


def test_a_design_effect_divides_persons_and_events(toy, spec_of):
    # 100 persons in 10 clusters: m = 10, and 1 + 9 x 0.05 = 1.45 (Donner and Klar 2002)
    asked = spec_of(outcome={"clusters": "design-effect"})
    selection = select(asked, clustered(toy, "10"))
    assert counts(selection, "alpha-2001") == pytest.approx((30 / 1.45, 50 / 1.45, 15 / 1.45, 50 / 1.45))
    assert "design effect of 1.45" in decision(selection, "alpha-2001").reason
    # the printed intra-cluster correlation goes before the assumed one: 1 + 9 x 0.01
    assert counts(select(asked, clustered(toy, "10", "0.01")), "alpha-2001")[1] == pytest.approx(50 / 1.09)
    # other trials are as they were
    assert counts(selection, "gamma-2003") == (18, 30, 15, 60)


def test_without_a_number_of_clusters_there_is_no_design_effect(toy, spec_of):
    left = decision(select(spec_of(outcome={"clusters": "design-effect"}), clustered(toy)), "alpha-2001")
    assert left.stage == "clusters"
    assert "number was not read" in left.reason


def test_a_study_set_aside_counts_as_absent_and_can_be_readmitted(toy, spec_of):
    studies = {"where": {}, "without": ({"id": "alpha-2001", "because": "a doubt"},)}
    left = decision(select(spec_of(studies=studies), toy), "alpha-2001")
    assert (left.reason, left.stage, left.eligible) == ("a doubt", "doubt", True)
    again = ({"id": "again", "label": "with it", "readmit": ("alpha-2001",)},)
    result = run(spec_of(studies=studies, sensitivity=again), toy)
    assert result.sensitivity[0].k == len(result.rows) + 1
    with pytest.raises(SelectionError, match="readmits 'beta-2002'"):
        run(spec_of(studies=studies, sensitivity=({"id": "a", "label": "A", "readmit": ("beta-2002",)},)), toy)
    with pytest.raises(SelectionError, match="'nobody-1999' is not in the dataset"):
        select(spec_of(studies={"where": {}, "without": ({"id": "nobody-1999", "because": "x"},)}), toy)


def test_who_is_eligible(toy, spec_of):
    eligible = {d.id: d.stage for d in select(spec_of(), toy).decisions if d.eligible and not d.included}
    assert eligible == {"delta-2004": "basis", "eta-2007": "outcome", "zeta-2006": "counts"}
    out = {d.id: d.stage for d in select(spec_of(), toy).decisions if not d.eligible}
    assert out == {"epsilon-2005": "design", "theta-2008": "status"}


def test_nobody_is_missing_twice(toy, spec_of):
    linked = altered(toy, "delta-2004", overlaps_with=(Overlap(id="alpha-2001", how="a part of it"),))
    left = decision(select(spec_of(), linked), "delta-2004")
    assert (left.stage, left.eligible) == ("overlap", False)
    assert left.reason == "shares participants with alpha-2001"
    absent = altered(toy, "delta-2004", overlaps_with=(Overlap(id="eta-2007", how="one site"),))
    absent = altered(absent, "eta-2007", overlaps_with=(Overlap(id="delta-2004", how="one site"),))
    stages = {d.id: d.stage for d in select(spec_of(), absent).decisions}
    assert sorted((stages["delta-2004"], stages["eta-2007"])) in (["basis", "overlap"], ["outcome", "overlap"])


def test_small_rows_can_be_left_out(toy, spec_of):
    selection = select(spec_of(studies={"where": {"participants_from": 90}}), toy)
    assert [row.id for row in selection.rows] == ["alpha-2001", "gamma-2003"]
    assert decision(selection, "beta-2002").stage == "size"


def test_a_variation_of_the_filter_keeps_the_rest_of_it(toy, spec_of):
    variation = ({"id": "large", "label": "large", "where": {"participants_from": 90}},)
    studies = {"where": {"analysis_groups": ("smi",)}}
    result = run(spec_of(purpose="exploratory", studies=studies, sensitivity=variation), toy)
    assert result.sensitivity[0].k == 2
    listed = spec_of(studies={"list": ({"id": "alpha-2001"},)}, sensitivity=variation)
    with pytest.raises(SelectionError, match="lists its studies"):
        run(listed, toy)


def test_rates_of_one_arm(toy, spec_of):
    spec = spec_of(purpose="exploratory", effect={"measure": "PLO"}, outcome={"treatments": ("ips",)})
    result = run(spec, toy)
    row = result.rows[0]
    assert (row.unit, row.share.events, row.share.n, row.counts) == ("arm", 30, 50, None)
    assert result.y[0] == pytest.approx(math.log(30 / 20))
    assert result.analysed == sum(r.share.n for r in result.rows)
    nobody = spec_of(purpose="exploratory", effect={"measure": "PLO"}, outcome={"treatments": ("mixed-programme",)})
    assert set(reasons(select(nobody, toy), included=False).values()) >= {"no arm with the treatment asked for"}


def test_rates_are_pooled_only_within_a_kind(toy, spec_of):
    def rate(**outcome):
        rule = {"treatments": ("ips",), "denominators": ("randomised",), **outcome}
        return run(spec_of(effect={"measure": "PLO"}, outcome=rule), toy)

    together = rate(from_month=15, to_month=18)
    assert (together.fit.k, together.few) == (5, None)
    assert "more than 3 months apart" in rate().fit.reason  # beta at 24 months, the others at 18
    # those analysed are those randomised, less some who were lost: one kind
    assert rate(from_month=15, to_month=18, denominators=("analysed", "randomised")).fit.k == 5
    alpha = toy["alpha-2001"].outcomes[0]
    few = tuple(reading.model_copy(update={"of": "engaged"}) for reading in alpha.readings)
    selected = altered(toy, "alpha-2001", outcomes=(alpha.model_copy(update={"readings": few}),))
    rule = {"treatments": ("ips",), "denominators": ("randomised", "engaged"), "from_month": 15, "to_month": 18}
    other = run(spec_of(effect={"measure": "PLO"}, outcome=rule), selected)
    assert "more than one kind (denominator: engaged, everyone who entered)" in other.fit.reason
    assert rate(from_month=24).fit.reason == "1 group: rates are pooled from five on"


@pytest.mark.parametrize("by", list(GROUPINGS))
def test_every_grouping_gives_a_key(toy, by):
    study = toy["alpha-2001"]
    key = grouped(by, study, study.outcomes[0], study.arms[:1], study.arms[1:])
    assert key
    assert key == key.lower()


def test_groups_say_what_the_record_says(toy):
    study = toy["gamma-2003"]
    ips, tau, work, _ = study.arms
    outcome = study.outcomes[0]
    assert grouped("comparator", study, outcome, (ips,), (tau,)) == "usual-care"
    assert grouped("comparator", study, outcome, (ips,), (work,)) == "vocational-service"
    assert grouped("comparator", study, outcome, (ips,), (tau, work)) == "mixed"
    assert grouped("region", study, outcome, (ips,), (tau,)) == "north-america"
    abroad = study.model_copy(update={"design": study.design.model_copy(update={"countries": ("NO", "GB-ENG")})})
    assert grouped("region", abroad, outcome, (ips,), (tau,)) == "europe"
    asia = study.model_copy(update={"design": study.design.model_copy(update={"countries": ("JP",)})})
    assert grouped("region", asia, outcome, (ips,), (tau,)) == "elsewhere"
    both = study.model_copy(update={"design": study.design.model_copy(update={"countries": ("US", "NO")})})
    assert grouped("region", both, outcome, (ips,), (tau,)) == "several"
    assert grouped("follow-up", study, outcome, (ips,), (tau,)) == "over-12"
    assert grouped("fidelity", study, outcome, (ips,), (tau,)) == "no-score"
    score = FidelityScore(scale="ips-25", score=Number(value=Decimal(101), basis="reported", **{"from": "s1"}))
    scored = study.model_copy(update={"fidelity": (score,)})
    assert grouped("fidelity", scored, outcome, (ips,), (tau,)) == "ips-25-good"


def test_a_group_that_the_spec_does_not_list_is_an_error(toy, spec_of):
    groups = {"by": "region", "groups": ({"id": "europe", "label": "Europe"},)}
    with pytest.raises(SelectionError, match=r"does not list the group of alpha-2001 \(north-america\)"):
        run(spec_of(subgroups=groups), toy)


def test_the_size_of_a_study(toy):
    assert known_size(toy["alpha-2001"]) == 100
    assert known_size(toy["alpha-2001"].model_copy(update={"participants": ()})) is None


def with_correlation(toy, r="0.34", n=79, scale="ips-25", concept="competitive-employment"):
    found = ProgrammeCorrelation.model_validate(
        {
            "scale": scale,
            "concept": concept,
            "definition": "made up",
            "programmes": {"value": Decimal(n), "basis": "reported", "from": "s1"},
            "r": {"value": Decimal(r), "basis": "reported", "from": "s1"},
            "from": "s1",
        }
    )
    return altered(toy, "alpha-2001", programme_correlations=(found,))


def correlation_spec(spec_of, scale="ips-25"):
    return spec_of(purpose="exploratory", effect={"measure": "ZCOR"}, outcome={"scale": scale})


def test_a_correlation_over_programmes_enters_as_fishers_z(toy, spec_of):
    (row,) = select(correlation_spec(spec_of), with_correlation(toy)).rows
    assert row.y == pytest.approx(0.5 * math.log(1.34 / 0.66))  # Fisher 1921
    assert row.v == pytest.approx(1 / 76)
    assert (row.participants, row.extra["programmes"]) == (79, 79)


def test_why_a_correlation_does_not_enter(toy, spec_of):
    spec = correlation_spec(spec_of)
    assert decision(select(correlation_spec(spec_of, "ips-15"), with_correlation(toy)), "alpha-2001").reason == (
        "no correlation of the scale ips-15"
    )
    few = decision(select(spec, with_correlation(toy, n=3)), "alpha-2001")
    assert "not above 3" in few.reason
    other = decision(select(spec, with_correlation(toy, concept="education")), "alpha-2001")
    assert (other.stage, other.reason) == ("outcome", "the correlation is with education")
    with pytest.raises(ValidationError, match="between -1 and 1"):
        with_correlation(toy, r="1.2")
    with pytest.raises(ValidationError, match="needs `outcome: scale`"):
        spec_of(effect={"measure": "ZCOR"})


def test_a_ratio_off_the_middle_of_its_interval_does_not_enter(toy, spec_of):
    # Probyn 2021, doi:10.1017/S1463423621000827, prints 2.81 (1.98-7.37); the middle on the log scale is 3.82
    spec = spec_of(effect={"measure": "RR"}, outcome={"inputs": ("counts", "published")})
    wrong = with_printed(toy, "zeta-2006", printed(estimate="2.81", ci=("1.98", "7.37")))
    assert decision(select(spec, wrong), "zeta-2006").stage == "counts"
    right = with_printed(toy, "zeta-2006", printed(estimate="2.46", ci=("1.16", "5.22")))
    assert decision(select(spec, right), "zeta-2006").included
