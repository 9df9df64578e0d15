"""The fifteen doubts over this evidence that were known when the records were made: none may be dropped unseen.

What a doubt says is looked up in the record by words that only it has; where it is about numbers, the numbers are
computed again. A doubt that is settled by reading a paper changes here together with its record.
"""

import math
from pathlib import Path

import pytest

from ipsevidence.analysis.selection import select
from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.arithmetic import Table, chi_square_p, p_values
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.record import Study

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def records():
    return {study.id: study for study in load(ROOT)}


def test_there_are_fifteen_doubts():
    known = {int(name.split("_")[1]) for name in globals() if name.startswith(("test_0", "test_1"))}
    assert known == set(range(1, 16))


def says(study: Study, *words: str) -> bool:
    """Tell whether one of the doubts of a record has all these words."""
    return any(all(word in doubt for word in words) for doubt in study.doubts)


def sizes(study: Study) -> dict[str, int]:
    return {arm.id: int(arm.n_randomised.value) for arm in study.arms if arm.n_randomised is not None}


def counts(study: Study, outcome_id: str) -> dict[str, tuple[int, int]]:
    """Return events and n by arm."""
    readings = study.outcome(outcome_id).readings
    return {r.arm: (int(r.events.value), int(r.n.value)) for r in readings if r.kind == "count"}


def basis_of_events(study: Study, outcome_id: str) -> dict[str, str]:
    return {r.arm: r.events.basis for r in study.outcome(outcome_id).readings if r.kind == "count"}


def treatments(study: Study) -> dict[str, str]:
    return {arm.id: arm.treatment for arm in study.arms}


def uneven(n: int, m: int) -> float:
    """Return the p value of two sizes when each person was as likely to come into either arm."""
    return chi_square_p((n - m) ** 2 / (n + m))


def test_01_an_allocation_that_chance_does_not_make(records):
    study = records["rodriguez-pulido-2018"]
    assert sizes(study) == {"ips": 124, "usual": 75}
    assert uneven(124, 75) == pytest.approx(0.0005, abs=1e-4)
    assert says(study, "124 v 75", "p = .0006", "Not for a primary analysis")
    assert says(study, "99% v 75%", "41.7", "far from every other trial")


def test_02_a_printed_ratio_that_is_not_that_of_its_counts(records):
    study = records["howard-2010"]
    (ratio,) = (effect for effect in study.outcome("competitive-12m").published if effect.measure == "RR")
    assert (str(ratio.estimate), *map(str, ratio.ci)) == ("1.35", "0.95", "1.93")
    (a, n), (c, m) = counts(study, "competitive-12m").values()
    printed = math.log(float(ratio.ci[1] / ratio.ci[0])) / (2 * 1.96)
    assert printed == pytest.approx(0.18, abs=0.005)
    assert math.sqrt(1 / a - 1 / n + 1 / c - 1 / m) == pytest.approx(0.42, abs=0.005)
    assert says(study, "1.35 (0.95-1.93)", "0.18", "0.42", "another outcome")


@pytest.mark.parametrize(
    ("study_id", "outcome_id", "rows"),
    [
        ("waghorn-2014", "job-start-12m", {(45, 106, 24, 102), (54, 127, 19, 81)}),
        ("bejerholm-2015", "competitive-18m", {(19, 41, 5, 47), (19, 41, 4, 38)}),
        ("rodriguez-pulido-2021", "job-12m", {(14, 23, 9, 24), (14, 23, 6, 16)}),
    ],
)
def test_03_counts_that_only_hold_together(records, study_id, outcome_id, rows):
    (entry,) = records[study_id].outcome(outcome_id).alternatives
    assert (entry.kind, len(entry.arms)) == ("denominator", 2)
    assert rows <= set(entry.counts)
    # which set it is decides over n and events of both arms at once
    assert len({row[1::2] for row in entry.counts}) == len(entry.counts)
    assert "bounded" in basis_of_events(records[study_id], outcome_id).values()


def test_03_sizes_that_rest_on_what_other_trials_leave(records):
    study = records["bond-2007"]
    note = study.outcome("competitive-24m").note
    assert all(words in note for words in ("92 v 95 (69, 32)", "104 v 83 (78, 28)"))
    assert says(study, "No arm size was read", "The split assumes")


@pytest.mark.parametrize(
    ("study_id", "outcome_id", "arms", "fitting"),
    [
        ("christensen-2019", "work-or-education-18m", ("ips", "ipse", "sau"), ("145/242", "140/237", "107/230")),
        ("reme-2019", "competitive-12m", ("tau",), ("49 of 181",)),
        ("reme-2019", "competitive-18m", ("tau",), ("49 of 181",)),
        ("latimer-2006", "competitive-12m", ("tvs",), ("18% of 75", "13 of 71 to 74")),
        ("macias-2006", "employed-24m", ("act",), ("64% of 63",)),
        ("lones-2017", "competitive-6m", ("waitlist",), ("the risk ratio 11.5", "4.3%")),
        ("ottomanelli-2012", "competitive-24m", ("ips",), ("24/78", "25/81")),
    ],
)
def test_04_a_percent_that_no_count_fits(records, study_id, outcome_id, arms, fitting):
    study = records[study_id]
    outcome = study.outcome(outcome_id)
    bases = basis_of_events(study, outcome_id)
    assert tuple(arm for arm, basis in bases.items() if basis == "approximate") == arms
    assert any(entry.kind == "nearest" for entry in outcome.alternatives)
    texts = [*study.doubts, *(entry.because for entry in outcome.alternatives)]
    assert all(any(words in text for text in texts) for words in fitting)


def test_05_a_verdict_that_hangs_on_one_person(records):
    study = records["reme-2019"]
    (a, n), (c, m) = counts(study, "competitive-12m").values()
    assert (a, n, c, m) == (83, 227, 50, 183)
    found = p_values(Table(a, n, c, m))
    assert found["Pearson"] == pytest.approx(0.047, abs=5e-4)
    assert found["Fisher"] == pytest.approx(0.056, abs=5e-4)
    assert says(study, "50/183", ".047", ".056")
    assert uneven(227, 183) == pytest.approx(0.03, abs=5e-3)
    assert says(study, "227 v 183", "1:1", ".03")


def test_06_counts_that_were_chosen_to_give_a_known_result(records):
    study = records["davis-2018"]
    assert basis_of_events(study, "competitive-18m") == {"ips": "reconstructed", "stepwise": "reconstructed"}
    assert says(study, "circular", "cannot test numbers that were chosen to match it")
    assert "Not evidence" in study.outcome("competitive-18m").note
    assert study.wanted


@pytest.mark.parametrize(
    ("study_id", "arm", "treatment"),
    [
        ("reme-2015", "ips", "ips-bundle"),
        ("nuechterlein-2020", "ips-wfm", "ips-bundle"),
        ("jaeckel-2025", "ips", "ips-bundle"),
        ("farrell-2013", "fast", "ips-bundle"),
        ("hellstrom-2017", "ips", "ips-adapted"),
    ],
)
def test_07_what_is_not_plain_ips(records, study_id, arm, treatment):
    assert treatments(records[study_id])[arm] == treatment
    assert "ips" not in treatments(records[study_id]).values()


@pytest.mark.parametrize(
    ("study_id", "augmented", "plain"),
    [
        ("burns-2022", "ips-tsw", "ips"),
        ("christensen-2019", "ipse", "ips"),
        ("craig-2014", "ips-mi", "ips"),
        ("glynn-2017", "ips-wfm", "ips"),
        ("kern-2018", "ips-errorless", "ips"),
        ("mcgurk-2005", "se-tsw", "se"),
        ("mcgurk-2015", "tsw", "se"),
        ("rodriguez-pulido-2021", "ips-cr", "ips"),
        ("schneider-2016", "ips-cbt", "ips"),
        ("smith-2022", "ips-vr", "ips"),
        ("tsang-2009", "ise", "ips"),
        ("twamley-2014", "cogsmart", "enhanced-se"),
        ("twamley-2019", "ips-cct", "ips"),
        ("van-duin-2021", "ips-cr", "ips"),
        ("zhang-2017", "ise", "ips"),
    ],
)
def test_08_which_arm_has_the_addition(records, study_id, augmented, plain):
    given = treatments(records[study_id])
    assert (given[augmented], given[plain]) == ("ips-augmented", "ips")
    assert any(word in records[study_id].arm(augmented).label.lower() for word in ("plus", "with"))


def test_09_the_favourable_window(records):
    study = records["killackey-2019"]
    outcome = study.outcome("paid-6m")
    assert (outcome.measured.to, outcome.measured.window) == (6, "cumulative")
    assert counts(study, "paid-6m")["tau"] == (29, 60)
    assert says(study, "29/60 is 48.3%", "48.0%")
    assert says(study, "six months", "favourable", "no difference")
    later = {int(item.months): item.direction for item in study.stated if item.concept == "any-paid-work"}
    assert later == {12: "no-difference", 18: "no-difference"}


def test_10_a_composite_that_another_review_calls_employment(records):
    study = records["jaeckel-2025"]
    assert counts(study, "eet-15h-12m") == {"ips": (36, 46), "standard": (24, 44)}
    with_counts = {outcome.concept for outcome in study.outcomes if any(r.kind == "count" for r in outcome.readings)}
    assert with_counts == {"work-or-education"}
    assert says(study, "employment, education or training together", "not to be pooled")
    values = [value.value for item in study.disagreements for value in item.values]
    assert any("31/39 v 21/39" in value for value in values)


@pytest.mark.parametrize(
    ("study_id", "outcome_id", "randomised", "missing", "words"),
    [
        ("nuechterlein-2020", "competitive-7-18m", (46, 23), (22, 35), ("22% and 35%", "months 7 to 18")),
        ("sveinsdottir-2020", "competitive-12m", (50, 46), (8, 20), ("(8%)", "(20%)")),
        ("bejerholm-2015", "competitive-18m", (60, 60), (32, 22), ("32% and 22%",)),
        ("ferguson-2018", "paid-work-20m", (36, 36), (31, 36), ("24 of 72 (33%)",)),
    ],
)
def test_11_many_whose_outcome_is_not_known(records, study_id, outcome_id, randomised, missing, words):
    study = records[study_id]
    assert tuple(sizes(study).values()) == randomised
    seen = [n for _, n in counts(study, outcome_id).values()]
    shares = tuple(round(100 * (size - n) / size) for size, n in zip(randomised, seen, strict=True))
    assert shares == missing
    assert says(study, *words)


@pytest.mark.parametrize(
    ("study_id", "outcome_id", "printed"),
    [
        ("craig-2014", "competitive-12m", ("4.3", "1.5", "16.6")),
        ("ottomanelli-2012", "competitive-24m", ("2.81", "1.98", "7.37")),
    ],
)
def test_12_printed_effects_that_cannot_be_right(records, study_id, outcome_id, printed):
    study = records[study_id]
    effects = study.outcome(outcome_id).published
    (effect,) = (e for e in effects if e.ci is not None and (str(e.estimate), *map(str, e.ci)) == printed)
    middle = math.sqrt(effect.ci[0] * effect.ci[1])
    assert abs(middle - float(effect.estimate)) > 0.5
    assert any(item.check == "interval-not-log-symmetric" and outcome_id in item.at for item in study.accept)
    because = [item.because for item in study.accept]
    assert any(words in text for text in (*study.doubts, *because) for words in ("ever an input",))


@pytest.mark.parametrize(
    ("study_id", "n", "words"),
    [
        ("dahl-2021", (167, 101), ("167 and 101", "ratio of allocation was not read")),
        ("farrell-2013", (241, 148), ("241 and 148", "ratio of allocation was not read")),
        ("sveinsdottir-2022", (38, 20), ("38 and 20", "ratio of allocation was not read")),
        ("nuechterlein-2020", (46, 23), ("46 and 23", "2:1")),
    ],
)
def test_13_arms_that_differ_in_size(records, study_id, n, words):
    assert tuple(sizes(records[study_id]).values()) == n
    assert uneven(*n) < 0.05
    assert says(records[study_id], *words)


def test_14_arms_that_were_followed_for_other_lengths_of_time(records):
    study = records["tsang-2009"]
    assert set(counts(study, "competitive-39m")) == {"ips", "ise"}
    assert set(counts(study, "competitive-15m")) == {"ips", "ise", "tvr"}
    assert says(study, "39 months for two arms, 15 for the third", "no fair comparison")
    assert "tsang-2010" not in records


def test_14_a_trial_that_has_another_group_in_a_review(records):
    study = records["lepage-2016"]
    assert study.population.analysis_group == "justice"
    assert {"veterans", "substance-use"} <= set(study.population.tags)
    assert says(study, "justice", "substance use among the nine trials", "condition of entry")


LARGE = {
    "newton-2023-wmca": 3675,
    "newton-2023-scr": 6110,
    "marsden-2024": 1720,
    "freedman-2019": 1061,
    "farrell-2013": 389,
    "westat-2022": 2960,
}


@pytest.mark.parametrize(("study_id", "persons"), LARGE.items())
def test_15_the_large_trials_that_a_pool_of_counts_lacks(records, study_id, persons):
    study = records[study_id]
    assert persons in {int(size.value) for size in study.participants if size.what == "randomised"}
    assert not any(counts(study, outcome.id) for outcome in study.outcomes)
    assert study.wanted
    if study.status == "awaiting":
        assert says(study, "without a result here", "a pool lacks it")
    else:
        assert study.stated


def test_15_the_large_trials_outweigh_a_default_pool(records):
    question = dict.fromkeys(("population", "intervention", "comparator", "outcome"), "any")
    spec = {"schema": 1, "id": "any", "title": "any", "purpose": "living", "question": question}
    pool = select(Spec.model_validate({**spec, "studies": {"where": {}}}), load(ROOT))
    assert not set(LARGE) & {row.id for row in pool.rows}
    pooled = sum(row.counts.n1 + row.counts.n2 for row in pool.rows)
    assert 0 < pooled < sum(LARGE.values())
    texts = [text for study_id in LARGE for text in (*records[study_id].doubts, records[study_id].notes or "")]
    assert sum("more favourable" in text or "look better" in text or "pool lacks it" in text for text in texts) == 4
