"""The methods, sentence by sentence, of three analyses; and that no sentence is said of what was not done."""

from pathlib import Path

import pytest
from scipy import stats

from ipsevidence import __version__
from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.analysis.usertables import table_spec
from ipsevidence.core import INTERVALS, MEASURES, PREDICTIONS, TAU2_ESTIMATORS
from ipsevidence.dataset.collection import load
from ipsevidence.report.methods_prose import (
    BIVARIATE,
    EGGER,
    KNAPP,
    MISSING,
    PERMUTED,
    PETERS,
    REVIEW_MANAGER,
    WELCH,
    methods,
)

ROOT = Path(__file__).parents[2]

ADMITTED = "Numbers could enter that are reported, derived"


@pytest.fixture(scope="module")
def data():
    return load(ROOT)


def said_of(made):
    return [one for part in methods(made) for one in part]


def sentences_of(made):
    return [(one.text, one.reference) for one in said_of(made)]


def chosen(made):
    """The settings that sentences must follow, read from the resolved spec and from the run, not from the prose."""
    spec, run = made.run.spec, made.run
    return spec.effect.measure, spec.model.tau2, spec.model.interval, spec.model.prediction, len(run.rows)


def test_the_nine_trials_sentence_by_sentence(data):
    made = reproduce("bond-2019-nine-rcts", data)
    spec, readings = made.run.spec, made.examined.readings
    assert chosen(made) == ("OR", "dl", "wald", "t-k2", 9)
    assert all(one.outcome and one.contrast and one.group for one in spec.studies.by_name)
    assert (spec.studies.weakest_basis, float(spec.model.level), len(spec.sensitivity)) == ("reconstructed", 0.95, 9)
    assert (readings.fitted, readings.combinations) == (18, 18)
    assert made.run.between.reason.startswith("no test between groups")
    assert sentences_of(made) == [
        ((f"9 studies were selected by name from version {data.version} of the ipsevidence dataset, a curated "
         "collection."), ""),
        ("The analysis names the outcome that is taken from each study.", ""),
        (f"{ADMITTED}, bounded, approximate or reconstructed.", ""),
        ("Effects were expressed as odds ratios and pooled as their logarithms.", MEASURES["OR"].reference),
        ("Between-study variance was estimated by the method of DerSimonian and Laird (1986).",
         TAU2_ESTIMATORS["dl"].reference),
        ("Confidence intervals of pooled effects were Wald intervals.", INTERVALS["wald"].reference),
        ("Prediction intervals used the t distribution with k - 2 degrees of freedom (Higgins et al 2009).",
         PREDICTIONS["t-k2"].reference),
        ("Intervals are at the level of 95%.", ""),
        ("The analysis puts each study into a group.", ""),
        ("Groups were pooled separately, each with its own between-study variance.", ""),
        ("9 sensitivity analyses were run; each changes what its row names and nothing else.", ""),
        (("The sources leave 18 joint sets of counts open; all were fitted, and the range of the pooled effect is "
         "reported."), ""),
        ("The pool was repeated under suppositions about participants without an outcome.", MISSING),
        ("Small-study effects were not assessed: 10 studies are needed for a test of asymmetry, there are 9.", ""),
        ("Certainty of evidence was not judged.", ""),
        (f"All numbers were computed by ipsevidence {__version__}.", ""),
    ]  # fmt: skip


def living(made, data, *, groups, middle):
    """Expected sentences of the primary question, in which only the groups and what follows them differ."""
    k, readings = len(made.run.rows), made.examined.readings
    entering = sum(one.enters for one in made.examined.coverage.absent)
    assert made.examined.absolutes.headline == "bivariate"
    return [
        ((f"{k} studies were selected by rule from version {data.version} of the ipsevidence dataset, a curated "
         "collection: design randomised trial, pilot randomised trial or cluster-randomised trial."), ""),
        ("By a decision that the analysis states, these were left out: Howard 2010, Rodríguez Pulido 2018.", ""),
        (("Arms given IPS or adapted IPS were compared with arms of any other service; several arms on one side of a "
         "trial were combined."), ""),
        (("From each study one outcome was taken: competitive employment (at any time up to then), at the time point "
         "nearest 18 months between 12 and 24 months, of those analysed, else of those randomised."), ""),
        ("Eligible trials that randomised clusters were not pooled (1 such trial).", ""),
        (f"{ADMITTED} or bounded.", ""),
        ("A study could enter with its printed effect on the same measure, where it had no usable counts.", ""),
        ("Effects were expressed as risk ratios and pooled as their logarithms.", MEASURES["RR"].reference),
        ("Between-study variance was estimated by restricted maximum likelihood.", TAU2_ESTIMATORS["reml"].reference),
        ("Confidence intervals of pooled effects were those of Hartung, Knapp, Sidik and Jonkman.",
         INTERVALS["hksj"].reference),
        ("Prediction intervals used the t distribution with k - 1 degrees of freedom.", PREDICTIONS["t-k1"].reference),
        ("Intervals are at the level of 95%.", ""),
        (f"Studies were put into groups by: {groups}.", ""),
        ("Groups were pooled separately, each with its own between-study variance.", ""),
        *middle,
        ((f"The pool was repeated with the {entering} absent trials that can enter: as if they had had no effect, "
         "and as if they had had the effect stated of them. These are suppositions, without an interval."), ""),
        (("Absolute effects, in people of 100, were computed at risks of the comparator arms (bivariate binomial "
         "model, risk ratio, odds ratio)."), BIVARIATE),
        ((f"The sources leave {readings.combinations} joint sets of counts open; all were fitted, and the range of the "
         "pooled effect is reported."), ""),
        ("The pool was repeated under suppositions about participants without an outcome.", MISSING),
        ("Funnel asymmetry was tested by Egger's regression on arcsine differences.", EGGER),
        ("Funnel asymmetry was also tested by Peters's regression on odds ratios.", PETERS),
        ("Certainty of evidence was not judged.", ""),
        (f"All numbers were computed by ipsevidence {__version__}.", ""),
    ]  # fmt: skip


def test_the_primary_analysis_sentence_by_sentence(data):
    made = reproduce("primary", data)
    assert chosen(made) == ("RR", "reml", "hksj", "t-k1", 12)
    assert [one.by for one in made.run.moderators] == ["year", "months", "participants", "control-risk"]
    middle = [
        (("Effects were regressed on one moderator at a time: year of the main report; months of follow-up; "
         "participants, in hundreds."), KNAPP),
        ("P-values of moderators were also found by permutation.", PERMUTED),
        ("The dependence on control risk was taken from a bivariate binomial model of both arms.", BIVARIATE),
        ((f"{len(made.run.spec.sensitivity)} sensitivity analyses were run; each changes what its row names and "
          "nothing else."), ""),
    ]  # fmt: skip
    assert sentences_of(made) == living(made, data, groups="the exclusive group of the record", middle=middle)


def test_the_analysis_by_fidelity_sentence_by_sentence(data):
    made = reproduce("primary-by-fidelity", data)
    assert chosen(made) == ("RR", "reml", "hksj", "t-k1", 12)
    assert (made.run.moderators, made.run.sensitivity, made.run.contrasts) == ((), (), ())
    assert sentences_of(made) == living(made, data, groups="fidelity scale and band", middle=[])


def test_groups_that_were_compared_are_said_to_be_by_what_was_done(data):
    # Both groups have five trials and Hartung and Knapp's degrees of freedom, so that the interval is Welch's.
    made = reproduce("any-by-severe-mental-illness", data)
    (contrast,) = made.run.contrasts
    first, second = (
        next(g.fit for g in made.run.groups if g.label == name) for name in (contrast.first, contrast.second)
    )
    spread = first.se**2 + second.se**2
    df = spread**2 / (first.se**4 / first.df + second.se**4 / second.df)
    half = stats.t.ppf(0.975, df) * spread**0.5
    assert contrast.ci.high - contrast.difference == pytest.approx(half, rel=1e-9)
    said = sentences_of(made)
    assert (
        "Each group of five trials or more was compared with the first of them, with Welch's interval.",
        WELCH,
    ) in said
    assert made.run.between.statistic > 0
    assert any("share one effect was tested by Cochran's Q of their means" in text for text, _ in said)


@pytest.mark.parametrize(("name", "k", "wanted"), [
    ("primary-justice", 1, ["The interval of the trial is Wald's, at the level of 95%."]),
    ("steady-work", 2, ["Beside the two trials stands a common effect, with Wald's interval at the level of 95%.",
                        "A Bayesian random-effects estimate stands beside it"]),
    ("primary-beyond-smi", 3, ["A Bayesian random-effects estimate stands beside it"]),
    ("primary-smi", 8, []),
])  # fmt: skip
def test_of_few_trials_it_says_what_stands_beside_them_or_in_their_place(data, name, k, wanted):
    made = reproduce(name, data)
    assert len(made.run.rows) == made.run.few.k == k
    said = [one.text for one in said_of(made)]
    found = [text for text in said if text.startswith(("The interval of the trial", "Beside the two", "A Bayesian"))]
    assert len(found) == len(wanted)
    assert all(text.startswith(start) for text, start in zip(found, wanted, strict=True))
    assert (made.run.few.bayes is not None) == any(text.startswith("A Bayesian") for text in found)


def texts(run):
    return [one.text for one in said_of(Reproduction(run=run, verdicts=()))]


def counts(*events):
    return tuple(
        StudyRow(id=f"s{i}", label=f"S{i}", counts=Counts(events1=e, n1=20, events2=3, n2=20))
        for i, e in enumerate(events)
    )


def test_a_table_of_ones_own_is_not_said_to_come_from_the_dataset():
    said = texts(pool_rows(table_spec("t", {}), counts(5, 6, 9)))
    assert said[0] == "3 studies were read from a table."
    assert not any("dataset" in one or "Certainty" in one or "sensitivity" in one for one in said)
    assert not any("added" in one for one in said)
    assert any(one == "0.5 was added to each cell of tables with an empty cell: S0." for one in texts(
        pool_rows(table_spec("t", {}), counts(0, 6, 9))))  # fmt: skip


def test_no_model_is_described_where_nothing_was_pooled(data):
    said = [one.text for one in said_of(reproduce("primary-first-episode-psychosis", data))]
    assert "No effect was pooled: no trial gives a number that can enter." in said
    assert not any(word in one for one in said for word in ("Between-study", "intervals", "Risk ratios", "expressed"))
    # Howard 2010 is of another population: its own reason never came up.
    assert not any("Howard" in one for one in said)


def test_review_manager_is_named_where_its_estimator_ran(data):
    said = said_of(reproduce("bond-2026-early-psychosis", data))
    assert [one.text for one in said if one.reference == REVIEW_MANAGER] == [
        "Q was taken about the Mantel-Haenszel mean, not the inverse-variance mean, as in Review Manager 5."
    ]


def test_the_interval_is_the_one_that_was_used(spec_of):
    # Three studies in a living analysis: the ad hoc interval, and no prediction interval.
    run = pool_rows(spec_of(effect={"measure": "RR"}), counts(5, 6, 9))
    said = texts(run)
    assert run.fit.settings.interval == "hksj-adhoc"
    assert INTERVALS["hksj-adhoc"].sentence in said
    assert INTERVALS["hksj"].sentence not in said
    assert "No prediction interval was computed: fewer than five studies." in said


def test_rates_are_said_to_be_of_arms(data):
    spec = find_spec("rate-trials-ips-18-months", data.root)
    said = [one.text for one in said_of(reproduce(spec, data))]
    assert "Rates are of arms given IPS or adapted IPS." in said
    assert not any("were compared with" in one for one in said)
