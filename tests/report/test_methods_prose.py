"""The methods, sentence by sentence, of two analyses; and that no sentence is said of what was not done."""

from pathlib import Path

import pytest

from ipsevidence import __version__
from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.analysis.usertables import table_spec
from ipsevidence.core import INTERVALS, MEASURES, PREDICTIONS, TAU2_ESTIMATORS
from ipsevidence.dataset.collection import load
from ipsevidence.report.methods_prose import BIVARIATE, EGGER, KNAPP, PERMUTED, PETERS, REVIEW_MANAGER, methods

ROOT = Path(__file__).parents[2]

ADMITTED = "Numbers were admitted that are reported, derived"


@pytest.fixture(scope="module")
def data():
    return load(ROOT)


def test_the_nine_trials_sentence_by_sentence(data):
    # The spec: a list of nine, inputs down to reconstructed, odds ratios, DerSimonian-Laird, Wald, t with k - 2 degrees
    # of freedom at 95%, nine variations, groups.
    made = reproduce("bond-2019-nine-rcts", data)
    readings = made.examined.readings
    assert [(one.text, one.reference) for one in methods(made)] == [
        ((f"9 studies were selected by name from version {data.version} of the ipsevidence dataset, a curated "
         "collection."), ""),
        (f"{ADMITTED}, bounded, approximate or reconstructed.", ""),
        ("Effects were expressed as odds ratios and pooled as their logarithms.", MEASURES["OR"].reference),
        ("Between-study variance was estimated by the method of DerSimonian and Laird (1986).",
         TAU2_ESTIMATORS["dl"].reference),
        ("Confidence intervals of pooled effects were Wald intervals.", INTERVALS["wald"].reference),
        ("Prediction intervals used the t distribution with k - 2 degrees of freedom (Higgins et al 2009).",
         PREDICTIONS["t-k2"].reference),
        ("Intervals are at the level of 95%.", ""),
        ("Groups were pooled separately, each with its own between-study variance.", ""),
        ("9 sensitivity analyses were run; each changes what its row names and nothing else.", ""),
        ((f"The sources leave {readings.combinations} joint sets of counts open; all were fitted, and the range of the "
         "pooled effect is reported."), ""),
        ("The pool was repeated under suppositions about participants without an outcome.", ""),
        ("Small-study effects were not assessed: 10 studies are needed for a test of asymmetry, there are 9.", ""),
        ("Certainty of evidence was not judged.", ""),
        (f"All numbers were computed by ipsevidence {__version__}.", ""),
    ]  # fmt: skip
    assert readings.fitted == readings.combinations


def test_the_primary_analysis_sentence_by_sentence(data):
    made = reproduce("primary", data)
    entering = sum(one.enters for one in made.examined.coverage.absent)
    k, readings = len(made.run.rows), made.examined.readings
    assert [(one.text, one.reference) for one in methods(made)] == [
        ((f"{k} studies were selected by rule from version {data.version} of the ipsevidence dataset, a curated "
         "collection: design randomised trial, pilot randomised trial or cluster-randomised trial."), ""),
        ("By a decision that the analysis states, these were left out: Howard 2010, Rodríguez Pulido 2018.", ""),
        (("Arms given IPS or adapted IPS were compared with arms of any other service; several arms on one side of a "
         "trial were combined."), ""),
        (("Of each study one outcome was taken: competitive employment, counted at any time up to then, at the time "
         "nearest 18 months within 12 to 24 months, with as denominator those analysed, else randomised."), ""),
        ("Eligible trials that randomised clusters were not pooled (1 such trial).", ""),
        (f"{ADMITTED} or bounded.", ""),
        ("A study could enter with its printed effect on the same measure, where it had no usable counts.", ""),
        ("Effects were expressed as risk ratios and pooled as their logarithms.", MEASURES["RR"].reference),
        ("Between-study variance was estimated by restricted maximum likelihood.", TAU2_ESTIMATORS["reml"].reference),
        ("Confidence intervals of pooled effects were those of Hartung, Knapp, Sidik and Jonkman.",
         INTERVALS["hksj"].reference),
        ("Prediction intervals used the t distribution with k - 1 degrees of freedom.", PREDICTIONS["t-k1"].reference),
        ("Intervals are at the level of 95%.", ""),
        ("Groups were pooled separately, each with its own between-study variance.", ""),
        (("Meta-regression with one moderator at a time: year of the main report, months of follow-up, participants, "
         "in hundreds."), KNAPP),
        ("P-values of moderators were also found by permutation.", PERMUTED),
        ("The dependence on control risk was taken from a bivariate binomial model of both arms.", BIVARIATE),
        ("14 sensitivity analyses were run; each changes what its row names and nothing else.", ""),
        ((f"The pool was repeated with the {entering} absent trials that can enter: as if they had had no effect, "
         "and as if they had had the effect stated of them. These are suppositions, without an interval."), ""),
        (("People of 100 were computed at baselines of the comparator arms (bivariate binomial model, risk ratio, odds "
         "ratio)."), BIVARIATE),
        ((f"The sources leave {readings.combinations} joint sets of counts open; all were fitted, and the range of the "
         "pooled effect is reported."), ""),
        ("The pool was repeated under suppositions about participants without an outcome.", ""),
        ("Funnel asymmetry was tested by Egger's regression on arcsine differences.", EGGER),
        ("Funnel asymmetry was also tested by Peters's regression on odds ratios.", PETERS),
        ("Certainty of evidence was not judged.", ""),
        (f"All numbers were computed by ipsevidence {__version__}.", ""),
    ]  # fmt: skip


def texts(run):
    return [one.text for one in methods(Reproduction(run=run, verdicts=()))]


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
    said = [one.text for one in methods(reproduce("primary-first-episode-psychosis", data))]
    assert "No effect was pooled: no trial gives a number that can enter." in said
    assert not any(word in one for one in said for word in ("Between-study", "intervals", "Risk ratios", "expressed"))
    # Howard 2010 is of another population: its own reason never came up.
    assert not any("Howard" in one for one in said)


def test_review_manager_is_named_where_its_estimator_ran(data):
    said = methods(reproduce("bond-2026-early-psychosis", data))
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
    said = [one.text for one in methods(reproduce(spec, data))]
    assert "Rates are of arms given IPS or adapted IPS." in said
    assert not any("were compared with" in one for one in said)
