"""A run: the pool, its groups, its variations, and what is said about them."""

import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.running import run


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
    assert "fewer than five trials" in result.between.reason


def test_two_trials_are_pooled_in_a_reproduction_only(toy, spec_of):
    listed = ({"id": "alpha-2001", "group": "a"}, {"id": "gamma-2003", "group": "a"})
    groups = {"groups": ({"id": "a", "label": "A"},)}
    living = run(spec_of(studies={"list": listed}, subgroups=groups), toy)
    paper = run(spec_of(studies={"list": listed}, subgroups=groups, purpose="reproduction"), toy)
    assert isinstance(living.groups[0].fit, core.NotApplicable)
    assert paper.groups[0].fit.k == 2


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
