"""A run: the pool, its groups, its variations, and what is said about them."""

import dataclasses
import math
from decimal import Decimal

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.rows import Counts, StudyRow, shown
from ipsevidence.analysis.running import correction_sentence, pool_rows, run
from ipsevidence.analysis.selection import SelectionError, select


def test_the_run_pools_what_was_selected(toy, spec_of):
    result = run(spec_of(), toy)
    # the double zero (iota) has no odds ratio and is left out with its reason
    assert [row.id for row in result.rows] == ["alpha-2001", "beta-2002", "gamma-2003", "kappa-2010"]
    y, v = core.two_by_two("OR", [30, 24, 18, 14], [50, 40, 30, 33], [15, 12, 15, 1], [50, 40, 60, 25])
    assert result.y == pytest.approx(tuple(y))
    assert result.fit.estimate == core.pool(y, v).estimate
    decision = next(d for d in result.decisions if d.id == "iota-2009")
    assert not decision.included
    assert "no effect on this measure" in decision.reason
    assert any("IOTA-2009" in note for note in result.notes)


def test_a_selection_serves_every_model_of_its_question(toy, spec_of):
    chosen = select(spec_of(), toy)
    for tau2 in ("reml", "dl"):
        one = spec_of(model={"tau2": tau2})
        assert run(one, toy, selection=chosen).to_rows() == run(one, toy).to_rows()


def test_an_absolute_measure_keeps_the_double_zero(toy, spec_of):
    result = run(spec_of(effect={"measure": "RD"}), toy)
    assert "iota-2009" in [row.id for row in result.rows]
    assert result.shown(0.25) == 0.25


def test_groups_and_small_groups(toy, spec_of):
    listed = (
        {"id": "alpha-2001", "group": "a"},
        {"id": "gamma-2003", "group": "a"},
        {"id": "kappa-2010", "group": "a"},
        {"id": "beta-2002", "group": "b", "outcome": "job-12"},
    )
    groups = {"groups": ({"id": "a", "label": "A"}, {"id": "b", "label": "B"}, {"id": "c", "label": "C"})}
    result = run(spec_of(studies={"list": listed}, subgroups=groups), toy)
    three, one, none = result.groups
    assert three.fit.k == 3
    assert three.fit.estimate == pytest.approx(core.pool(np.array(result.y)[:3], np.array(result.v)[:3]).estimate)
    assert one.fit.reason == "one trial, not a pool"
    assert none.members == ()
    assert isinstance(none.fit, core.NotApplicable)
    assert "fewer than two have five trials" in result.between.reason
    assert result.contrasts == ()


def test_two_trials_are_pooled_in_a_reproduction_only(toy, spec_of):
    listed = ({"id": "alpha-2001", "group": "a"}, {"id": "gamma-2003", "group": "a"})
    groups = {"groups": ({"id": "a", "label": "A"},)}
    living = run(spec_of(studies={"list": listed}, subgroups=groups), toy)
    paper = run(spec_of(studies={"list": listed}, subgroups=groups, purpose="reproduction"), toy)
    assert living.groups[0].fit.reason == living.fit.reason == "two trials, too few for a random-effects pool"
    assert paper.groups[0].fit.k == paper.fit.k == 2
    assert any("too few to estimate the variance" in note for note in paper.notes)
    one = run(spec_of(studies={"list": ({"id": "alpha-2001"},)}), toy)
    assert one.fit.reason == "one trial, not a pool"


def test_a_living_pool_keeps_to_the_rules_for_few_trials(toy, spec_of):
    result = run(spec_of(), toy)
    allowed = core.small_k_pool(result.y, result.v)
    assert result.fit.k == 4
    assert result.fit.ci == allowed.headline.ci
    assert result.fit.settings.interval == "hksj-adhoc"
    assert result.fit.prediction.missing  # no prediction interval below five trials
    wald = run(spec_of(purpose="exploratory", model={"interval": "wald"}), toy)
    assert wald.fit.settings.interval == "wald"


def test_groups_of_five_are_tested_against_each_other(spec_of):
    rows = tuple(StudyRow(id=f"s{i}", label=f"S{i}", y=0.1 * i, v=0.04, group="a" if i < 5 else "b") for i in range(10))
    groups = {"groups": ({"id": "a", "label": "A"}, {"id": "b", "label": "B"})}
    spec = spec_of(purpose="exploratory", subgroups=groups)
    result = pool_rows(spec, rows)
    a, b = (group.fit for group in result.groups)
    # Q between two groups is the squared difference over its variance
    by_hand = (a.estimate - b.estimate) ** 2 / (a.se**2 + b.se**2)
    assert result.between.statistic == pytest.approx(by_hand)
    assert result.between.df == 1
    (contrast,) = result.contrasts
    assert (contrast.first, contrast.second) == ("B", "A")
    assert contrast.difference == pytest.approx(b.estimate - a.estimate)
    # Welch: two means with four degrees of freedom and the same standard error have eight, and t(0.975, 8) = 2.306004
    assert a.se == pytest.approx(b.se)
    assert contrast.ci.high - contrast.difference == pytest.approx(2.3060041350333704 * math.hypot(a.se, b.se))
    third = {"groups": (*groups["groups"], {"id": "c", "label": "C"})}
    same = pool_rows(spec_of(purpose="exploratory", subgroups=third), rows)
    assert same.between.statistic == pytest.approx(by_hand)  # a group too small to compare does not stop the others
    single = pool_rows(spec_of(purpose="exploratory", subgroups={"groups": ({"id": "a", "label": "A"},)}), rows)
    assert "one group" in single.between.reason


def test_a_variation_changes_only_what_it_names(toy, spec_of):
    variations = (
        {"id": "common", "label": "common", "model": {"tau2": "common"}},
        {"id": "rr", "label": "RR", "effect": {"measure": "RR"}},
    )
    spec = spec_of(
        purpose="exploratory",
        effect={"add": Decimal("0.25"), "to": "all"},
        model={"tau2": "dl", "interval": "wald", "prediction": "none", "level": Decimal("0.9")},
        sensitivity=variations,
    )
    result = run(spec, toy)
    common, rr = result.sensitivity
    assert common.fit.settings == core.PoolSettings(tau2="common", interval="wald", prediction="none", level=0.9)
    assert rr.fit.settings == result.fit.settings
    y, _ = core.two_by_two(
        "RR", [30, 24, 18, 14], [50, 40, 30, 33], [15, 12, 15, 1], [50, 40, 60, 25], add=0.25, to="all"
    )
    assert rr.fit.y[:4] == pytest.approx(y)


def test_a_stated_count_holds_for_what_is_pooled(toy, spec_of):
    with pytest.raises(SelectionError, match="states 5 studies, 4 are in the pool"):
        run(spec_of(studies={"where": {}, "count": 5}), toy)
    assert run(spec_of(studies={"where": {}, "count": 4}), toy).fit.k == 4


@pytest.mark.parametrize(
    ("effect", "sentence"),
    [
        ({"to": "only0"}, "0.5 was added to each cell of tables with an empty cell: B."),
        ({"to": "all"}, "0.5 was added to each cell of every table."),
        ({"to": "if0all"}, "0.5 was added to each cell of every table."),
        ({"to": "none"}, ""),
        ({"to": "only0", "add": Decimal(0)}, ""),
        (
            {"measure": "RD"},
            "0.5 was added to the cells from which the variance is computed, of tables with an empty cell: B.",
        ),
    ],
)
def test_what_was_added_is_said(spec_of, effect, sentence):
    rows = (
        StudyRow(id="a", label="A", counts=Counts(events1=5, n1=10, events2=3, n2=10)),
        StudyRow(id="b", label="B", counts=Counts(events1=4, n1=10, events2=0, n2=10)),
    )
    assert correction_sentence(spec_of(effect=effect), rows) == sentence
    without = rows[:1]
    expected = sentence if effect.get("to") == "all" else ""
    assert correction_sentence(spec_of(effect=effect), without) == expected


def test_the_level_of_printed_intervals_is_the_rows_own(spec_of):
    rows = (
        StudyRow(id="a", label="A", estimate=2, low=1, high=4),
        StudyRow(id="b", label="B", estimate=1.5, low=1, high=2.25),
    )
    at95, at50 = (
        pool_rows(spec_of(purpose="exploratory", model={"level": Decimal(level)}), rows) for level in ("0.95", "0.5")
    )
    assert at95.fit.estimate == at50.fit.estimate
    narrow = pool_rows(spec_of(purpose="exploratory"), tuple(dataclasses.replace(row, level=0.9) for row in rows))
    assert narrow.v[0] > at95.v[0]


def test_an_effect_that_overflows_is_infinite_and_no_error():
    assert shown("OR", 800.0) == math.inf
    assert shown("RD", 800.0) == 800


def test_the_run_as_a_table(toy, spec_of):
    import ipsevidence

    result = run(spec_of(), toy)
    table = ipsevidence.frame(result)
    assert list(table["study"]) == [row.label for row in result.rows]
    assert table["weight"].sum() == pytest.approx(100)
    assert table["ai"].tolist() == [30, 24, 18, 14]
    low, high = result.intervals[0]
    assert (low + high) / 2 == pytest.approx(result.y[0])


def test_variations_change_what_they_name(toy, spec_of):
    variations = (
        {"id": "rr", "label": "RR", "effect": {"measure": "RR"}},
        {"id": "dl", "label": "DL", "model": {"tau2": "dl", "interval": "wald", "prediction": "none"}},
        {"id": "drop", "label": "without alpha", "drop": ("alpha-2001",)},
        {"id": "early", "label": "beta at 12 months", "choose": ({"id": "beta-2002", "outcome": "job-12"},)},
    )
    result = run(spec_of(sensitivity=variations), toy)
    by_id = {v.id: v for v in result.sensitivity}
    assert by_id["rr"].measure == "RR"
    assert by_id["dl"].fit.settings.tau2 == "dl"
    assert by_id["drop"].fit.k == result.fit.k - 1
    assert by_id["early"].fit.y[1] == pytest.approx(math.log((20 / 20) / (10 / 30)))
    assert by_id["early"].fit.y[0] == result.fit.y[0]


def test_a_variation_may_name_only_what_is_there(toy, spec_of):
    with pytest.raises(Exception, match="alpha-1999"):
        run(spec_of(sensitivity=({"id": "d", "label": "D", "drop": ("alpha-1999",)},)), toy)


def test_nothing_selected_is_said_and_not_pooled(toy, spec_of):
    result = run(spec_of(studies={"where": {"tags": ("nobody",)}}), toy)
    assert isinstance(result.fit, core.NotApplicable)
    assert result.rows == ()


def test_the_stamp_is_the_digest_of_the_records_used(toy, spec_of):
    result = run(spec_of(), toy)
    assert result.data.digest == toy.digest([row.id for row in result.rows])
    assert result.data.digest != toy.digest()
    assert result.data.origin == "path"
