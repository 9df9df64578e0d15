"""What an effect means in people: numbers by hand, agreement with the core, refusals, and never above 100."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence import core
from ipsevidence.analysis.absolutes import (
    MODELS,
    Absolutes,
    absolutes_of,
    allowed_pool,
)
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.spec import Spec

TRIALS = ((30, 50, 15, 50), (24, 40, 12, 40), (18, 30, 4, 30), (14, 33, 3, 28), (40, 90, 21, 88), (33, 60, 20, 62))


def spec(**fields):
    question = dict.fromkeys(("population", "intervention", "comparator", "outcome"), "made up")
    base = {"schema": 1, "id": "toy", "title": "toy", "purpose": "living", "question": question}
    return Spec.model_validate({**base, "studies": {"where": {}}, "effect": {"measure": "RR"}, **fields})


def row(number, cells, **extra):
    events1, n1, events2, n2 = map(float, cells)
    counts = Counts(events1=events1, n1=n1, events2=events2, n2=n2)
    return StudyRow(id=f"t{number}", label=f"Trial {number}", counts=counts, participants=n1 + n2, extra=extra)


def run_of(tables, **fields):
    return pool_rows(spec(**fields), [row(number, cells) for number, cells in enumerate(tables)])


def test_two_trials_by_hand():
    # Both 20/40 v 10/40. RR 2; var log RR = (1/20 - 1/40 + 1/10 - 1/40) / 2 = 0.05. OR 3; var log OR =
    # (1/20 + 1/20 + 1/10 + 1/30) / 2 = 7/60. At 25 of 100: 50 by the risk ratio, odds of 3 x 1/3 by the odds ratio.
    found = absolutes_of(run_of([(20, 40, 10, 40)] * 2))
    assert found.baselines == (0.25,)
    assert found.names == ("25th percentile and 50th percentile and 75th percentile",)
    by_rr, by_or = found.at(0.25, "RR"), found.at(0.25, "OR")
    reach = 1.959963984540054 * math.sqrt(0.05)
    assert by_rr.risk == pytest.approx(0.5)
    assert by_rr.difference_ci.low == pytest.approx(0.5 * math.exp(-reach) - 0.25)
    assert by_rr.difference_ci.high == pytest.approx(0.5 * math.exp(reach) - 0.25)
    reach = 1.959963984540054 * math.sqrt(7 / 60)
    assert by_or.risk == pytest.approx(0.5)
    assert by_or.risk_ci.low == pytest.approx(math.exp(-reach) / (1 + math.exp(-reach)))
    assert by_rr.nnt == pytest.approx(4.0)
    assert by_rr.people == (25, 25)
    assert by_rr.difference_prediction.missing
    assert found.headline == "OR"
    assert any("read with caution" in note for note in found.notes)
    assert found.notes[0].startswith("The answers of the pooled odds ratio are read first")


def test_one_trial_is_its_own_risk_difference():
    # Newcombe 1998, Table II, example (a): 56/70 and 48/80, method 10
    found = absolutes_of(run_of([(56, 70, 48, 80)]))
    (one,) = found.answers
    assert one.model == found.headline == "trial"
    assert one.difference == pytest.approx(0.2)
    assert (round(one.difference_ci.low, 4), round(one.difference_ci.high, 4)) == (0.0524, 0.3339)
    assert one.baseline == pytest.approx(0.6)
    assert "One trial, not a pool" in found.notes[0]
    assert isinstance(found.bivariate, core.NotApplicable)


def test_the_answers_are_those_of_the_core():
    run = run_of(TRIALS)
    found = absolutes_of(run)
    cells = np.array(TRIALS, dtype=float).T
    risks = cells[2] / cells[3]
    assert found.baselines == pytest.approx(np.quantile(risks, [0.25, 0.5, 0.75]))
    assert found.observed == (risks.min(), risks.max())
    model = core.control_risk(*cells)
    for baseline in found.baselines:
        theirs, ours = model.at(baseline), found.at(baseline, "bivariate")
        assert ours.model == "bivariate"
        assert (ours.risk, ours.difference) == (theirs.risk, theirs.difference)
        assert ours.difference_ci == theirs.difference_ci
        assert ours.difference_prediction.low == pytest.approx(theirs.risk_prediction.low - baseline)
        relative = core.absolute_effect(run.fit, "RR", baseline, nnt_beyond_doubt=False)
        beside = found.at(baseline, "RR")
        assert (beside.risk_ci, beside.difference_ci) == (relative.risk_ci, relative.difference_ci)
        assert beside.nnt_text == relative.nnt_text
        ahead = min(1.0, baseline * math.exp(run.fit.prediction.high))
        assert beside.risk_prediction.high == pytest.approx(ahead)


def test_no_number_needed_where_the_pooled_ratio_is_in_doubt():
    # risk ratios of 1.2 to 9 at comparator risks of 60 to 6 of 100: the difference is about the same, the ratio is not
    tables = ((45, 60, 36, 60), (38, 70, 14, 70), (33, 60, 4, 60), (50, 66, 41, 66), (20, 64, 5, 64))
    run = run_of(tables)
    found = absolutes_of(run)
    low, high = (math.exp(end) for end in (run.fit.ci.low, run.fit.ci.high))
    assert low < 1 < high
    for one in found.answers:
        assert math.isnan(one.nnt)
        settled = one.difference_ci.low > 0 or one.difference_ci.high < 0
        assert one.nnt_text.startswith("none: the interval of the pooled risk ratio holds 1") == settled
        assert settled or "∞" in one.nnt_text
    assert any("none:" in one.nnt_text for one in found.answers)
    # where neither holds no effect, there is one
    sure = [one for one in absolutes_of(run_of(TRIALS)).answers if one.difference_ci.low > 0]
    assert {one.model for one in sure} == {"bivariate", "RR", "OR"}
    assert all(one.nnt == pytest.approx(1 / one.difference) for one in sure)


def test_a_risk_ratio_that_passes_100_is_cut_and_said_to_be():
    found = absolutes_of(run_of([(38, 40, 4, 40), (39, 40, 20, 40)]), 0.5)
    one = found.at(0.5, "RR")
    assert one.cut
    assert one.risk_ci.high == 1.0
    assert one.people == (50, round(100 * one.difference))
    assert any("cut" in note for note in found.notes)
    assert not found.at(0.5, "OR").cut


@st.composite
def tables(draw, fewest, most):
    found = []
    for _ in range(draw(st.integers(fewest, most))):
        n1, n2 = draw(st.integers(5, 60)), draw(st.integers(5, 60))
        found.append((draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2))
    return found


def check_limits(cells, share):
    found = absolutes_of(run_of(cells))
    if isinstance(found, core.NotApplicable):
        return
    low, high = found.observed
    given_one = low + share * (high - low)
    several = [found]
    if 0 < given_one < 1 and len(found.trials) > 1:
        several.append(absolutes_of(run_of(cells), given_one))
    for one in (answer for table in several if isinstance(table, Absolutes) for answer in table.answers):
        bounds = [one.risk, one.risk_ci.low, one.risk_ci.high, one.risk_prediction.low, one.risk_prediction.high]
        assert all(0.0 <= bound <= 1.0 for bound in bounds if not math.isnan(bound))
        for gap in (one.difference_ci, one.difference_prediction):
            assert gap.missing or (gap.low >= -1.0 and gap.high <= 1.0)
        anyway, extra = one.people
        assert 0 <= anyway <= 100
        assert 0 <= anyway + extra <= 100


@settings(max_examples=40)
@given(tables(1, 4), st.floats(0, 1))
def test_nothing_is_ever_above_100_or_below_0(cells, share):
    check_limits(cells, share)


@settings(max_examples=10)
@given(tables(5, 7), st.floats(0, 1))
def test_nor_by_the_bivariate_model(cells, share):
    check_limits(cells, share)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 20, math.nan, math.inf, "0.2", [], [0.3, 0.9], 0.05])
def test_impossible_baselines_are_refused(wrong):
    with pytest.raises(core.InputError) as error:
        absolutes_of(run_of(TRIALS), wrong)
    assert "baseline" in error.value.parameter


def test_the_refusal_names_the_range_and_its_ends_are_allowed():
    # comparator risks 3/28 = 0.10714... to 20/62 = 0.32258...
    run = run_of(TRIALS)
    with pytest.raises(core.InputError, match=r"comparator arms, 0\.108 to 0\.322; got 0\.33"):
        absolutes_of(run, 0.33)
    assert absolutes_of(run, [0.108, 0.322]).names == ("given", "given")


def test_of_one_trial_only_its_own_comparator_risk_is_a_baseline():
    run = run_of([(20, 40, 10, 40)])
    with pytest.raises(core.InputError, match=r"only trial, 0\.250; got 0\.3"):
        absolutes_of(run, 0.3)
    assert absolutes_of(run, 0.25).answers[0].difference == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("k", "models"),
    [(1, ["trial"]), *((k, ["RR", "OR"]) for k in (2, 3, 4)), *((k, ["bivariate", "RR", "OR"]) for k in (5, 9, 10))],
)
def test_what_few_trials_may_show(k, models):
    found = absolutes_of(run_of([*TRIALS, *TRIALS][:k]))
    assert list(dict.fromkeys(one.model for one in found.answers)) == models
    assert found.headline == {1: "trial", 10: "bivariate"}.get(k, "OR")
    assert any("may be too narrow" in note for note in found.notes) == (5 <= k < 10)
    assert any("odds ratio are read first" in note for note in found.notes) == (2 <= k < 10)
    assert any("caution" in note for note in found.notes) == (2 <= k < 5)
    assert all(one.difference_prediction.missing for one in found.answers) == (k < 5)


def test_without_a_trial_there_is_no_answer():
    assert absolutes_of(run_of([])) == core.NotApplicable(reason="no trial is in the pool")


def test_trials_that_count_different_things_have_no_common_figure():
    rows = [row(1, TRIALS[0], concept="competitive employment"), row(2, TRIALS[1], concept="work or education")]
    found = absolutes_of(pool_rows(spec(), rows))
    assert "2 different things (competitive employment, work or education)" in found.reason


def test_a_printed_effect_counts_on_its_own_measure_only():
    printed = StudyRow(id="p", label="Printed", estimate=2.0, low=1.2, high=3.4)
    rows = [row(number, cells) for number, cells in enumerate(TRIALS)]
    run = pool_rows(spec(), [*rows, printed])
    found = absolutes_of(run)
    middle = found.middle
    assert {model: found.at(middle, model).k for model in ("bivariate", "RR", "OR")} == {
        "bivariate": 6,
        "RR": 7,
        "OR": 6,
    }
    assert found.left_out == ("Printed",)
    assert found.at(middle, "RR").risk == pytest.approx(min(1, middle * math.exp(run.fit.estimate)))
    # of two trials with counts among five the odds ratio would say too little: the measure of the spec is read first
    more = [dataclasses.replace(printed, id=f"p{i}", label=f"Printed {i}") for i in range(3)]
    assert absolutes_of(pool_rows(spec(), [*rows[:2], *more])).headline == "RR"
    alone = absolutes_of(pool_rows(spec(), [printed]))
    assert alone.reason == "no trial in the pool has counts, only printed effects"


def test_single_arms_and_other_measures_have_no_answer():
    assert "two arms" in absolutes_of(_arms()).reason
    rows = [StudyRow(id=f"e{i}", label=f"E{i}", y=0.1 * i, v=0.1) for i in range(3)]
    assert "two arms" in absolutes_of(pool_rows(spec(effect={"measure": "SMD"}), rows)).reason


def _arms():
    from ipsevidence.analysis.rows import Share

    shares = [StudyRow(id=f"a{i}", label=f"A{i}", share=Share(events=9.0 + i, n=30.0), unit="arm") for i in range(3)]
    return pool_rows(spec(effect={"measure": "PLO"}), shares)


@pytest.mark.parametrize("k", range(1, 7))
@pytest.mark.parametrize("purpose", ["living", "exploratory"])
def test_the_pool_is_that_of_the_analysis(k, purpose):
    run = run_of(TRIALS[:k], purpose=purpose)
    found = allowed_pool(run.spec, run.y, run.v)
    theirs = run.few.headline if purpose == "living" and k <= 2 else run.fit
    assert found.estimate == theirs.estimate
    assert (found.ci.low, found.ci.high) == pytest.approx((theirs.ci.low, theirs.ci.high), nan_ok=True)
    assert found.prediction.missing == theirs.prediction.missing or k <= 2


def test_tables_and_json():
    found = absolutes_of(run_of(TRIALS))
    rows = found.to_rows()
    assert len(rows) == 9
    assert all(len(one) == len(found.columns) for one in rows)
    assert rows[0][0] == MODELS["bivariate"]
    assert rows[0][2] == pytest.approx(100 * found.baselines[0])
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["headline"] == "OR"
    assert "per 100 people" in str(found)
    assert dataclasses.is_dataclass(found)


def test_a_bivariate_model_that_was_fitted_before_gives_the_same_answers():
    first = absolutes_of(run_of(TRIALS))
    other = run_of(TRIALS, model={"tau2": "dl"})
    assert absolutes_of(other, bivariate=first.bivariate).to_dict() == absolutes_of(other).to_dict()
