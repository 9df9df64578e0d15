"""One question, one answer: caveats first, small numbers as the protocol has them, no word of certainty."""

import dataclasses
import json
import math
import re
from pathlib import Path

import pytest

from ipsevidence import core
from ipsevidence.analysis.absolutes import Absolutes
from ipsevidence.analysis.answer_words import caveats, in_work, more, people
from ipsevidence.analysis.answers import answer, populations, primary_spec, spec_of_population
from ipsevidence.analysis.denominators import missing_participants_of
from ipsevidence.analysis.running import run
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
from tests.toy import ABOUT, TWO_ARMS, outcome, study

CERTAIN = re.compile(r"\b(very low|low|moderate|high)\b[\w\s-]{0,12}\b(certainty|quality|confidence)\b", re.IGNORECASE)
TABLES = ((30, 50, 15, 50), (24, 40, 12, 40), (18, 30, 4, 30), (14, 33, 3, 28), (40, 90, 21, 88))


@pytest.fixture(scope="module")
def shipped():
    return load()


@pytest.fixture
def trials(tmp_path):
    """Return a dataset with some of `TABLES` as trials, and one trial without numbers."""

    def make(k):
        (tmp_path / "studies").mkdir()
        (tmp_path / "analyses").mkdir()
        (tmp_path / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
        for index, (a, n1, c, n2) in enumerate(TABLES[:k]):
            name = f"trial-{2001 + index}"
            arms = [("ips", a, n1, "reported"), ("tau", c, n2, "reported")]
            text = study(name, TWO_ARMS, [outcome("job", arms)])
            (tmp_path / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
        silent = study("silent-2000", TWO_ARMS, [outcome("job", [("ips", 9, 30, "reported")])])
        (tmp_path / "studies" / "silent-2000.yaml").write_text(silent, encoding="utf-8")
        return load(tmp_path)

    return make


def everything(found):
    return " ".join([*found.caveats, found.sentence, *(text for pair in found.certainty for text in pair)])


def test_no_trial(trials):
    found = answer("all", None, trials(0))
    assert found.estimate.kind == "none"
    assert math.isnan(found.estimate.value)
    assert found.caveats[0] == "No trial gives a usable number."
    assert found.sentence.startswith("Eligible, and without a usable number: SILENT-2000 (100 people; no counts in all")
    assert found.certainty == ()
    assert found.coverage.eligible == 1


def test_one_trial_is_not_a_pool(trials):
    found = answer("all", None, trials(1))
    assert found.estimate.kind == "trial"
    assert found.estimate.value == pytest.approx(2.0)  # 30/50 v 15/50
    assert found.caveats[0].startswith("One trial, not a pool")
    assert found.sentence == (
        "One trial, not a pool: in TRIAL-2001, 30 of 50 with IPS and 15 of 50 without IPS were in competitive work"
        " within 18 months. Of 100 people, that is 30 more: from 11 to 47 more (95% CI)."
    )  # Wilson 0.46180 to 0.72393 and 0.19104 to 0.43750, so that Newcombe has 0.10505 to 0.46501
    assert found.estimate.prediction.missing
    assert dict(found.certainty)["inconsistency"] == "not to be judged from 1 trial"


def test_two_trials_are_a_line_and_a_bayesian_estimate(trials):
    found = answer("all", None, trials(2))
    assert found.estimate.kind == "common"
    # weights 1/(1/30 - 1/50 + 1/15 - 1/50) = 16.667 and 1/(1/24 - 1/40 + 1/12 - 1/40) = 13.333; both risk ratios are 2
    assert found.estimate.value == pytest.approx(2.0)
    assert found.estimate.ci.high == pytest.approx(2 * math.exp(1.959963984540054 / math.sqrt(30)))
    assert found.estimate.bayes == pytest.approx(2.0, rel=0.01)
    assert math.isnan(found.estimate.tau2)
    assert "no random-effects mean" in found.caveats[0]
    assert "read with caution" in found.sentence


@pytest.mark.parametrize("k", [3, 4])
def test_three_and_four_trials_go_with_a_bayesian_estimate(trials, k):
    found = answer("all", None, trials(k))
    assert found.estimate.kind == "pool"
    assert found.estimate.prediction.missing
    assert not math.isnan(found.estimate.bayes)
    assert found.caveats[0].startswith(f"Only {k} trials")
    assert "by the risk ratio" in found.sentence
    assert "by the odds ratio" in found.sentence


def test_five_trials_have_a_prediction_and_the_bivariate_answer(trials):
    found = answer("all", None, trials(5))
    assert found.estimate.kind == "pool"
    assert not found.estimate.prediction.missing
    assert math.isnan(found.estimate.bayes)
    assert found.caveats[0].startswith("Fewer than ten trials")
    assert isinstance(found.absolutes, Absolutes)
    middle = found.absolutes.middle
    by_odds, model = (found.absolutes.at(middle, key) for key in ("OR", "bivariate"))
    assert f"about {by_odds.people[1]} more by the pooled odds ratio: from" in found.sentence
    assert f"By the bivariate binomial model, {model.people[1]} more:" in found.sentence
    assert "of fewer than ten trials its intervals may be too narrow" in found.sentence


def test_the_sentence_says_what_it_were_with_the_absent_trials(trials):
    """By hand: a risk ratio is carried as the odds ratio that it is at the median control risk of the pool."""
    found = answer("all", 0.2, trials(5))
    control = found.coverage.control_risk
    numbers = []
    for bound in found.coverage.bounds:
        risk = control * math.exp(bound.fit.estimate)
        odds = risk / (1 - risk) * (1 - control) / control * 0.2 / 0.8
        numbers.append(round(100 * (odds / (1 + odds) - 0.2)))
    none, stated = numbers
    assert sum(one.enters for one in found.coverage.absent) == 1
    assert found.sentence.endswith(
        f" With 1 absent trial added it would be about {none} more if its arms did not differ, and {stated} more if"
        " it had the effect that is stated of it."
    )
    assert 0 < none < found.absolutes.at(0.2).people[1]


def test_from_ten_trials_on_the_bivariate_model_is_read_first(shipped):
    found = answer("all", None, shipped)
    one = found.absolutes.at(found.baseline, "bivariate")
    assert found.absolutes.headline == "bivariate"
    assert f"about {one.people[1]} more: from" in found.sentence
    assert "odds ratio" not in found.sentence


def test_what_a_prediction_interval_held_is_that_of_the_decision(shipped):
    decision = Path(__file__).parents[2] / "docs" / "decisions" / "0006-default-interval.md"
    assert "in 82 to 93 of 100 from five trials on" in " ".join(decision.read_text(encoding="utf-8").split())
    found = answer("all", None, shipped)
    assert everything(found).count("it held 82 to 93 of 100") == 1


def test_the_estimate_is_that_of_the_analysis(shipped):
    found = answer("all", None, shipped)
    fit = run(found.run.spec, shipped).fit
    assert found.estimate.value == pytest.approx(math.exp(fit.estimate))
    assert found.estimate.ci.low == pytest.approx(math.exp(fit.ci.low))
    assert found.estimate.prediction.high == pytest.approx(math.exp(fit.prediction.high))
    one = found.absolutes.at(found.baseline)
    assert f"about {one.people[1]} more" in found.sentence
    assert found.run.spec.id == "primary"
    assert found.run.sensitivity == ()


def test_what_is_absent_comes_before_the_numbers(shipped):
    found = answer("all", None, shipped)
    largest = found.coverage.absent[0]
    assert f"{largest.label}, {largest.size:,.0f} people" in found.caveats[0]
    assert f"{len(found.coverage.absent)} of {found.coverage.eligible} eligible trials" in found.caveats[0]
    assert any("not a systematic search" in caveat for caveat in found.caveats)
    assert sum("not a systematic search" in caveat for caveat in found.caveats) == 1
    assert list(found.to_dict())[3] == "caveats"


def test_every_population_has_an_answer_without_a_word_of_certainty(shipped):
    asked = [*populations(shipped), "tag-justice", "tag-substance-use"]
    assert {"all", *ANALYSIS_GROUP, "ptsd", "veterans"} <= set(asked)
    for population in asked:
        found = answer(population, None, shipped)
        text = everything(found)
        assert not CERTAIN.search(text), population
        assert "no effect" not in text.lower(), population
        assert "ineffective" not in text.lower(), population
        assert found.k == len(found.run.rows)
        if 0 < found.k < 5:
            assert "leaves the question open" in found.caveats[0], population
        json.dumps(found.to_dict(), allow_nan=False)


def test_a_word_of_certainty_would_be_seen():
    assert CERTAIN.search("Moderate certainty: IPS works")
    assert CERTAIN.search("evidence of very low quality")
    assert not CERTAIN.search("one low-fidelity trial")


def test_a_baseline_moves_the_sentence_and_impossible_ones_are_refused(shipped):
    given = answer("all", 0.2, shipped)
    assert given.baseline == 0.2
    assert given.sentence.startswith("Of 100 people, 20 would be")
    with pytest.raises(core.InputError, match=r"comparator arms, 0\.\d{3} to 0\.\d{3}; got 0\.9"):
        answer("all", 0.9, shipped)
    with pytest.raises(core.InputError, match="baseline"):
        answer("all", 20, shipped)


def test_a_baseline_is_of_no_use_without_a_trial(trials):
    with pytest.raises(core.InputError, match="baseline cannot be used for 'all': no trial is in the pool"):
        answer("all", 0.2, trials(0))


def test_an_unknown_population_is_one_error_with_a_suggestion(shipped):
    with pytest.raises(core.InputError, match=r"one of: all, .*; got 'justise'; did you mean justice\?"):
        answer("justise", None, shipped)
    with pytest.raises(core.InputError, match=r"got 'tag-nobody'"):
        answer("tag-nobody", None, shipped)


@pytest.mark.parametrize(
    ("population", "spec_id", "field", "value"),
    [
        ("all", "primary", None, None),
        ("justice", "primary-justice", "analysis_groups", ("justice",)),
        ("tag-justice", "tag-justice", "tags", ("justice",)),
        ("homeless", "tag-homeless", "tags", ("homeless",)),
    ],
)
def test_specs_that_do_not_ship_are_built_by_the_protocol(population, spec_id, field, value):
    spec = primary_spec(population)
    assert spec.id == spec_id
    assert spec.purpose == "living"
    assert spec.studies.where.designs == ("rct", "pilot-rct", "cluster-rct")
    assert field is None or getattr(spec.studies.where, field) == value
    assert spec.outcome.inputs == ("counts", "published")
    assert (spec.outcome.concepts, spec.outcome.windows) == (("competitive-employment",), ("cumulative",))
    assert (spec.effect.measure, spec.model.tau2, spec.model.interval, spec.model.prediction) == (
        "RR",
        "reml",
        "hksj",
        "t-k1",
    )


def test_a_group_comes_before_the_tag_of_the_same_name(shipped, toy):
    assert spec_of_population("justice", shipped)[0].id == "primary-justice"
    assert spec_of_population("tag-justice", shipped)[0].id == "tag-justice"
    spec, label = spec_of_population("justice", toy)  # nothing ships with it
    assert spec == primary_spec("justice")
    assert label == "Justice involvement"


def test_denominators_and_weak_inputs_are_said(shipped):
    found = answer("all", None, shipped)
    weak = [row.label for row in found.run.rows if row.basis == "bounded"]
    assert weak
    assert f"Counts that are bounded: {', '.join(weak)}." in found.caveats
    failure, worst = (found.missing.by(key) for key in ("randomised-missing-as-failure", "worst-case"))
    known = [loss for loss in found.missing.trials if loss.known]
    (said,) = (caveat for caveat in found.caveats if "had no outcome" in caveat)
    assert said.startswith(f"{len(known)} of {found.k} trials print how many had no outcome: ")
    assert f"they give {failure.estimate:.2f}" in said
    assert f"all of them against the effect, {worst.estimate:.2f} ({worst.ci.low:.2f} to" in said
    assert said.endswith(f"The other {found.k - len(known)} stay as they are.")


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([False], "The trial does not print how many had no outcome."),
        ([True], "The trial prints how many had no outcome: nobody."),
        ([True, False], "1 of 2 trials prints how many had no outcome: nobody in these."),
        ([False, False], "0 of 2 trials print how many had no outcome."),
    ],
)
def test_nobody_missing_is_not_the_same_as_nothing_known(shipped, losses, said):
    run_, coverage = (getattr(answer("justice", None, shipped), name) for name in ("run", "coverage"))
    missing = missing_participants_of(run_, shipped)
    made = tuple(dataclasses.replace(missing.trials[0], known=known) for known in losses)
    unknown = tuple("t" for known in losses if not known)
    found = caveats(run_, coverage, dataclasses.replace(missing, trials=made, unknown=unknown, missing=0.0))
    assert said in found


def test_ranges_of_people():
    assert more(26.4, 44.6) == "26 to 45 more"
    assert more(-3.2, 40) == "3 fewer to 40 more"
    assert more(-12, -0.2) == "0 to 12 fewer"
    assert people(core.Interval(low=math.nan, high=math.nan, level=0.95, why="one study")) == "not given (one study)"
    assert in_work([]) == "counted"
