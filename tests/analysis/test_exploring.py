"""Choices: the analysis each is, the rules that it obeys, and the same numbers one by one and all at once."""

import dataclasses

import pytest

from ipsevidence.analysis.exploring import (
    COMMON_ONLY_WALD,
    INTERVALS,
    OUTCOMES,
    TAU2,
    Choice,
    explore,
    explored_populations,
    grid,
    outcomes_of,
    resolved,
)
from ipsevidence.analysis.running import run
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP


@pytest.fixture(scope="module")
def shipped():
    return load()


def test_the_protocols_choice_is_the_shipped_analysis(shipped):
    pool = explore(Choice(), shipped)
    primary = run("primary", shipped)
    assert pool.cells[0].run.to_rows() == primary.to_rows()
    assert pool.cells[0].run.fit.to_dict() == primary.fit.to_dict()
    assert pool.cells[0].spec.purpose == "living"
    assert pool.sentence == pool.cells[0].sentence


@pytest.mark.parametrize(
    ("model", "k", "purpose", "prediction"),
    [
        ({}, 12, "living", "t-k1"),
        ({"tau2": "dl"}, 12, "living", "t-k1"),
        ({"interval": "wald"}, 12, "exploratory", "t-k1"),
        ({"interval": "hksj-adhoc"}, 5, "exploratory", "t-k1"),
        # From the rules for few trials: no prediction below five, nothing pooled below three.
        ({"interval": "wald"}, 4, "exploratory", "none"),
        ({"interval": "wald"}, 2, "living", "t-k1"),
        ({"tau2": "common", "interval": "wald"}, 12, "exploratory", "none"),
    ],
)
def test_the_model_of_a_choice_keeps_the_rules_for_few_trials(shipped, model, k, purpose, prediction):
    spec = resolved(Choice(**model), shipped, k)
    assert (spec.purpose, spec.model.prediction) == (purpose, prediction)
    if k < 3:
        assert (spec.model.tau2, spec.model.interval) == ("reml", "hksj")


def test_a_common_effect_has_no_other_interval(shipped):
    assert resolved(Choice(tau2="common", interval="hksj"), shipped, 12) is None
    cell = explore(Choice(tau2="common", interval="t"), shipped).cells[0]
    assert (cell.why, cell.spec) == (COMMON_ONLY_WALD, None)


def test_the_grid_gives_what_each_choice_gives_alone(shipped):
    pools = list(grid(shipped, "smi"))
    assert [(cell.choice.tau2, cell.choice.interval) for cell in pools[1].cells] == [
        (t, i) for t in TAU2 for i in INTERVALS
    ]
    for cell in pools[1].cells[:: len(INTERVALS) + 1]:
        alone = explore(cell.choice, shipped).cells[0]
        assert alone.why == cell.why
        if not cell.why:
            assert alone.run.fit.to_dict() == cell.run.fit.to_dict()
            assert alone.absolutes.to_dict() == cell.absolutes.to_dict()


def test_every_choice_of_one_kind_can_be_run(shipped):
    for outcome in outcomes_of(shipped):
        pool = explore(Choice(outcome=outcome), shipped)
        assert bool(pool.cells) != bool(pool.why)
        assert OUTCOMES[outcome] in pool.run.spec.title
    clusters = explore(Choice(design="clusters"), shipped)
    assert clusters.run.spec.outcome.clusters == "design-effect"
    assert {row.id for row in clusters.run.rows} >= {row.id for row in explore(Choice(), shipped).run.rows}
    assert explore(Choice(design="quasi-experiments"), shipped).run.spec.studies.where.designs == (
        "quasi-experimental",
    )
    weak = explore(Choice(weakest_basis="reconstructed"), shipped)
    assert {row.basis for row in weak.run.rows} & {"approximate", "reconstructed"}


def test_populations_are_those_of_the_protocol(shipped):
    found = list(explored_populations(shipped))
    assert found[:3] == ["all", "smi", "beyond-smi"]
    assert set(found) == {"all", "beyond-smi", *ANALYSIS_GROUP}
    assert "ptsd" in explored_populations(shipped, tags=True)
    for population in found:
        spec = explore(Choice(population=population), shipped).run.spec
        assert [left.id for left in spec.studies.without] == ["howard-2010", "rodriguez-pulido-2018"]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Choice)])
def test_a_choice_that_does_not_exist_is_refused_by_name(shipped, field):
    with pytest.raises(InputError, match=f"{field} must be one of"):
        explore(Choice(**{field: "<script>"}), shipped)


def test_a_dataset_without_analyses_can_be_explored(toy):
    assert list(outcomes_of(toy)) == ["primary"]
    pool = explore(Choice(), toy)
    assert pool.run.spec.id == "explored-all"
    assert len(pool.run.rows) == 4
    assert explore(Choice(population="mixed"), toy).why == "no trial gives a number that can enter"
