"""What stands at the head of a report: true of few trials, of other contrasts, and readable without a statistician."""

import math
from pathlib import Path

import pytest

from ipsevidence.analysis.arms import compared
from ipsevidence.analysis.reproduction import reproduce
from ipsevidence.dataset.collection import load
from ipsevidence.figures import figure
from ipsevidence.figures.forest_plot import arms_of
from ipsevidence.report.outline import Grid, Material, Paragraph, outline
from ipsevidence.report.sentences import few_line, plain_words, reading_line, verdict_line

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data():
    return load(ROOT)


@pytest.fixture(scope="module")
def made(data):
    names = ("primary-justice", "steady-work", "augmented-vs-ips", "primary-homelessness", "primary-smi")
    return {name: reproduce(name, data) for name in names}


def test_one_trial_is_shown_and_is_no_pool(made):
    run = made["primary-justice"].run
    # 13 of 42 against 3 of 43: risk ratio, and the usual standard error of its logarithm, by hand.
    ratio, se = (13 / 42) / (3 / 43), math.sqrt(1 / 13 - 1 / 42 + 1 / 3 - 1 / 43)
    low, high = ratio * math.exp(-1.959964 * se), ratio * math.exp(1.959964 * se)
    line = verdict_line(run).replace("\u00a0", " ")
    assert line == f"One trial, not a pool: risk ratio {ratio:.2f}; 95% CI {low:.2f}\u2013{high:.2f}; 85 participants."
    assert few_line(run) == ""
    words = plain_words(run, made["primary-justice"].examined)
    assert words.startswith("In Bond 2015, 13 of 42 with IPS and 3 of 43 without IPS were in competitive work")
    assert "prediction" not in reading_line(run)


def test_two_trials_have_a_common_effect_and_a_bayesian_estimate_beside_it(made):
    run = made["steady-work"].run
    assert len(run.rows) == 2
    assert verdict_line(run).startswith("Two trials, too few for a random-effects pool; common effect: risk ratio ")
    bayes = run.few.bayes
    low, high = (math.exp(end) for end in (bayes.ci_central.low, bayes.ci_central.high))
    assert f"risk ratio {math.exp(bayes.median):.2f}, 95% credible interval {low:.2f}\u2013{high:.2f}." in few_line(run)


def test_without_a_number_nothing_is_read(made):
    run = made["primary-homelessness"].run
    assert verdict_line(run) == "No pooled effect: no trial gives a number that can enter."
    assert reading_line(run) == few_line(run) == ""


def test_many_trials_need_no_bayesian_estimate(made):
    assert few_line(made["primary-smi"].run) == ""
    assert "a new trial or place" in reading_line(made["primary-smi"].run)


def test_ips_is_not_called_its_absence_where_it_is_the_comparator(made, data):
    both = made["augmented-vs-ips"]
    words = plain_words(both.run, both.examined)
    assert "with IPS alone" in words
    assert "with augmented IPS about" in words
    assert "without IPS" not in words
    assert arms_of(both.run) == ("Augmented IPS", "IPS")
    drawn = figure("forest", both.run, data)
    assert "Favours IPS; above: Favours augmented IPS" in drawn.alternative
    icons = figure("icons", both.run, data)
    assert "without IPS" not in icons.alternative
    assert "more with augmented IPS" in icons.alternative


def test_of_a_table_of_ones_own_no_arm_is_called_ips(made):
    assert compared(made["primary-smi"].run.spec, own_table=True).with_it == "in group 1"
    assert compared(made["primary-smi"].run.spec).with_it == "with IPS"


def paragraphs(report, key):
    return [one.text for s in report.sections if s.key == key for one in s.blocks if isinstance(one, Paragraph)]


def test_the_people_of_the_pool_and_of_the_coverage_are_told_apart(data):
    report = outline(Material(reproduction=reproduce("primary", data), dataset=data))
    (text, *_) = paragraphs(report, "selection")
    assert "with 1,812 of 12,772 known participants" in text
    assert text.endswith("Of these 1,812 people 1,749 are in the numbers that were used.")


def test_tables_that_would_say_nothing_are_sentences(made, data):
    report = outline(Material(reproduction=made["primary-homelessness"], dataset=data))
    keys = {one.key for one in report.grids}
    assert not keys & {"sensitivity", "bounds", "participants"}
    assert paragraphs(report, "sensitivity") == ["No sensitivity analysis has a number that can enter."]
    said = " ".join(paragraphs(report, "methods"))
    assert "No number could enter in any of the 3 sensitivity analyses either." in said
    one = outline(Material(reproduction=made["primary-justice"], dataset=data))
    assert "All 85 participants of these studies are in their numbers." in paragraphs(one, "characteristics")
    note = next(b.table.notes for s in one.sections for b in s.blocks if isinstance(b, Grid) and b.key == "summary")
    assert "Of 100 people, by the trial itself." in note
