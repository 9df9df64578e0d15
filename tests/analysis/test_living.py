"""The living analyses as committed: they agree with metafor and lme4, keep the rules, and mix nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ipsevidence import core
from ipsevidence.analysis.running import run
from ipsevidence.analysis.spec import CONTRASTS
from ipsevidence.analysis.specfiles import find_spec, spec_files
from ipsevidence.dataset.collection import load

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = json.loads((ROOT / "tests/reference/metafor/living.json").read_text(encoding="utf-8"))
SPECS = {name: find_spec(name, ROOT) for name in spec_files(ROOT)}
LIVING = [name for name, spec in SPECS.items() if spec.purpose == "living"]


@pytest.fixture(scope="module")
def dataset():
    return load(ROOT)


@pytest.fixture(scope="module")
def runs(dataset):
    return {name: run(SPECS[name], dataset) for name in LIVING}


@pytest.mark.parametrize("name", list(REFERENCE["pools"]))
def test_main_results_agree_with_metafor(runs, name):
    theirs, ours = REFERENCE["pools"][name], runs[name]
    assert [row.id for row in ours.rows] == theirs["studies"], "inputs have changed: run make reference"
    assert ours.y == pytest.approx(theirs["yi"], rel=1e-10)
    assert ours.v == pytest.approx(theirs["vi"], rel=1e-10)
    fit = ours.fit
    assert fit.tau2 == pytest.approx(theirs["tau2"], rel=1e-6, abs=1e-9 * float(np.median(ours.v)))
    assert fit.estimate == pytest.approx(theirs["estimate"], rel=1e-6)
    assert fit.q == pytest.approx(theirs["q"], rel=1e-10)
    bounds = theirs["ci_adhoc" if fit.settings.interval == "hksj-adhoc" else "ci"]
    assert (fit.ci.low, fit.ci.high) == pytest.approx(tuple(bounds), rel=1e-5)


@pytest.mark.parametrize("name", list(REFERENCE["bivariate"]))
def test_the_bivariate_model_agrees_with_lme4(runs, name):
    # lme4 fits it by Laplace's approximation, ours is by quadrature: 5e-3 on the means, a few percent on variances
    theirs = REFERENCE["bivariate"][name]
    cells = [row.counts for row in runs[name].rows if row.counts]
    ours = core.control_risk(*np.array([[c.events1, c.n1, c.events2, c.n2] for c in cells]).T)
    assert ours.k == theirs["k"]
    assert ours.control_logit == pytest.approx(theirs["control_logit"], rel=1e-2)
    assert ours.effect == pytest.approx(theirs["effect"], rel=1e-2)
    assert ours.control_variance == pytest.approx(theirs["control_variance"], rel=0.06)
    assert ours.tau2 == pytest.approx(theirs["tau2"], rel=0.06)


@pytest.mark.parametrize("name", LIVING)
def test_the_rules_for_few_trials_hold(runs, name):
    found = runs[name]
    k = len(found.rows)
    if found.measure.needs == "proportion":
        assert isinstance(found.fit, core.NotApplicable) or k >= 5
        return
    if k < 3:
        assert isinstance(found.fit, core.NotApplicable)
    else:
        assert found.fit.settings.interval in ("hksj", "hksj-adhoc")
        assert found.fit.settings.interval == "hksj-adhoc" or k >= 5
        assert found.fit.prediction.missing == (k < 5)
    for group in found.groups:
        assert isinstance(group.fit, core.NotApplicable) == (len(group.members) < 3)
    assert all(fit.because for fit in found.moderators if fit.k < 10)
    compared = [group for group in found.groups if len(group.members) >= 5]
    assert len(found.contrasts) == max(0, len(compared) - 1)


@pytest.mark.parametrize("name", LIVING)
def test_no_pool_mixes_questions(runs, dataset, name):
    found, rule = runs[name], SPECS[name].outcome
    kinds = set()
    for row in found.rows:
        study = dataset[row.id]
        if found.measure.needs == "correlation":
            continue
        outcome = study.outcome(str(row.extra["outcome"]))
        kinds.add((outcome.concept, outcome.measured.window))
        assert outcome.concept in rule.concepts
        assert outcome.measured.window in rule.windows or not SPECS[name].studies.where
        if SPECS[name].studies.where:
            assert rule.from_month <= outcome.measured.to <= rule.to_month
        if found.measure.needs == "two-by-two" and SPECS[name].studies.where:
            ours, theirs = CONTRASTS[rule.contrast]
            treatment = {arm.label: arm.treatment for arm in study.arms}
            assert {treatment[label] for label in str(row.extra["intervention"]).split(" + ")} <= set(ours)
            assert {treatment[label] for label in str(row.extra["comparator"]).split(" + ")} <= set(theirs)
    # one concept in one window, unless the spec says in words that it is a composite
    assert len(kinds) <= 1 or rule.composite
    here = {row.id for row in found.rows}
    for one in here:
        assert not here & {overlap.id for overlap in dataset[one].overlaps_with}
    if name.startswith("primary"):
        assert (rule.concepts, rule.windows) == (("competitive-employment",), ("cumulative",))
        assert {row.extra["window"] for row in found.rows} <= {"at any time up to then"}


@pytest.mark.parametrize("name", LIVING)
def test_nothing_that_was_not_read_is_in_a_living_pool(runs, name):
    assert {row.basis for row in runs[name].rows} <= {"reported", "derived", "bounded"}


def test_every_group_of_the_protocol_has_its_analysis():
    from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP

    for group in ANALYSIS_GROUP:
        assert SPECS[f"primary-{group}"].studies.where.analysis_groups == (group,)
    listed = [group.id for group in SPECS["primary"].subgroups.groups]
    assert set(listed) == set(ANALYSIS_GROUP)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"outcome": {"concepts": ("competitive-employment", "education")}}, "one concept in one window"),
        ({"outcome": {"windows": ("cumulative", "point")}}, "one concept in one window"),
        ({"studies": {"list": ({"id": "alpha-2001"},)}}, "of studies that a filter admits"),
        ({"model": {"interval": "wald"}}, "has the interval hksj"),
        ({"model": {"tau2": "common"}}, "has the interval hksj or hksj-adhoc and a tau2"),
    ],
)
def test_a_living_spec_that_mixes_or_evades_is_refused(spec_of, fields, message):
    outcome = fields.pop("outcome", {})
    with pytest.raises(ValidationError, match=message):
        spec_of(outcome={**outcome, "composite": None}, **fields)
    if outcome:
        assert spec_of(outcome={**outcome, "composite": "because"}, **fields)


def test_a_variation_shows_no_prediction_below_five_trials(toy, spec_of):
    varied = ({"id": "wald", "label": "Wald", "model": {"tau2": "dl", "interval": "wald"}},)
    found = run(spec_of(sensitivity=varied), toy).sensitivity[0].fit
    assert found.k == 4
    assert found.prediction.missing
