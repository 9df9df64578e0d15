"""Printed statistics computed again: what agrees, what differs, and what cannot be computed."""

from pathlib import Path

import pytest

from ipsevidence.dataset.collection import load, read_entry
from ipsevidence.dataset.reader import ReadError
from ipsevidence.dataset.recomputing import recomputed
from tests.dataset.mutations import damage

ROOT = Path(__file__).parents[2]

RECORD = """\
schema: 1
id: example-2020
label: Example 2020
status: included
reports:
  - {id: main, kind: journal-article, citation: "Example A. J Ex 2020;1:1-9", year: 2020}
sources:
  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}
design: {type: rct, countries: ["NO"]}
population: {analysis_group: smi, severe_mental_illness: "yes", description: unemployed adults}
participants:
  - {value: TOTAL, what: randomised, basis: derived, rule: "150 + 140", from: s1}
arms:
  - {id: ips, treatment: ips, allocation: randomised, label: IPS, n_randomised: {value: 150, SOURCE}}
  - {id: usual, treatment: treatment-as-usual, allocation: randomised, label: usual, n_randomised: {value: 140, SOURCE}}
outcomes:
  - id: job-12m
    concept: competitive-employment
    definition: any job
    measured: {to: 12, window: cumulative}
    readings:
      - {arm: ips, kind: count, of: randomised, n: 150, events: {value: 60, as_printed: "IPS%"}, SOURCE}
      - {arm: usual, kind: count, of: randomised, n: 140, events: {value: 35, as_printed: "25%"}, SOURCE}
    published:
      - {of: ips, against: usual, EFFECT, SOURCE}
log:
  - {date: "2026-11-21", did: extracted}
""".replace("SOURCE", "from: s1, basis: reported")


def statistics(effect='measure: p-value, p: ".01"', total="290", ips="40", more=""):
    text = RECORD.replace("EFFECT", effect).replace("TOTAL", total).replace("IPS%", f"{ips}%") + more
    study = read_entry(text.encode(), "studies/example-2020.yaml").study
    return {item.what: item for item in recomputed(study)}


# 60 of 150 against 35 of 140, by hand: risk ratio .4/.25 = 1.6; odds ratio (60*105)/(90*35) = 2; risk difference .15;
# chi-square 290*(60*105-90*35)^2/(150*140*95*195) = 7.398. The standard error of the log risk ratio is the root of
# 1/60-1/150+1/35-1/140 = .03143, .17728: 1.6*exp(-+1.95996*.17728) = 1.130 to 2.265. Of the log odds ratio: the root
# of 1/60+1/90+1/35+1/105 = .06587, .25666: 2*exp(-+.50305) = 1.209 to 3.307. Of the difference: the root of
# .4*.6/150+.25*.75/140 = .0029393, .054215: .15-+.10626 = .0437 to .2563.
@pytest.mark.parametrize(
    ("measure", "estimate", "low", "high"),
    [("RR", "1.60", "1.13", "2.26"), ("OR", "2.00", "1.21", "3.31"), ("RD", "0.15", "0.04", "0.26")],
)
def test_effects_that_come_out(measure, estimate, low, high):
    found = statistics(f"measure: {measure}, estimate: {estimate}, ci: [{low}, {high}]")
    assert (found[measure].computed, found[measure].verdict) == (estimate, "agrees")
    assert (found[f"interval of {measure}"].computed, found[f"interval of {measure}"].verdict) == (
        f"{low} to {high}",
        "agrees",
    )
    assert found[measure].at == f"outcomes.job-12m.published.{measure}.estimate"
    assert found[measure].why == "60/150 v 35/140"


def test_an_effect_that_does_not_come_out_shows_what_does():
    found = statistics("measure: RR, estimate: 1.61, ci: [1.13, 2.36]")
    assert (found["RR"].computed, found["RR"].verdict) == ("1.60", "differs")
    assert (found["interval of RR"].computed, found["interval of RR"].verdict) == ("1.13 to 2.26", "differs")


def test_slips_are_named():
    assert "other way round" in statistics("measure: RR, estimate: 0.63")["RR"].why  # 1/1.6 = .625
    # 290*(|60*105-90*35|-145)^2/(150*140*95*195) = 6.733
    assert "continuity correction" in statistics("measure: chi-square, estimate: 6.73")["chi-square"].why


def test_chi_square_and_its_p():
    found = statistics('measure: chi-square, estimate: 7.40, p: ".007"')
    assert (found["chi-square"].computed, found["chi-square"].verdict) == ("7.40", "agrees")
    # erfc(sqrt(7.4/2)) = .00652
    assert (found["p"].computed, found["p"].verdict) == ("0.00652", "agrees")
    assert statistics('measure: chi-square, estimate: 7.40, p: ".07"')["p"].verdict == "differs"


@pytest.mark.parametrize(
    ("printed", "verdict", "test"),
    [
        (".007", "agrees", "Pearson, "),
        (".0095", "agrees", "Pearson with correction"),
        ("<.01", "agrees", "Pearson, "),
        (".04", "differs", "may be of another test"),
        ("<.001", "differs", "may be of another test"),
        ("ns", "cannot", "not a number"),
    ],
)
def test_p_values(printed, verdict, test):
    item = statistics(f'measure: p-value, p: "{printed}"')["p"]
    assert item.verdict == verdict
    assert test in item.why


@pytest.mark.parametrize(
    ("effect", "reason"),
    [
        ("measure: OR, estimate: 2.31, ci: [1.38, 3.87], adjusted: true", "adjusted"),
        ("about: women, measure: OR, estimate: 2.31", "about women"),
        ("measure: HR, estimate: 1.72, ci: [1.1, 2.7]", "counts do not determine HR"),
    ],
)
def test_what_cannot_be_computed_says_why(effect, reason):
    found = statistics(effect)
    measure = "HR" if "HR" in effect else "OR"
    assert (found[measure].verdict, found[measure].why, found[measure].computed) == ("cannot", reason, "")


def test_a_ratio_is_held_against_its_own_interval():
    # sqrt(1.38*3.87) = 2.311; sqrt(1.38*4.87) = 2.592
    agreeing = statistics("measure: OR, estimate: 2.31, ci: [1.38, 3.87], adjusted: true")
    assert agreeing["middle of the interval of OR"].verdict == "agrees"
    item = statistics("measure: OR, estimate: 2.31, ci: [1.38, 4.87], adjusted: true")["middle of the interval of OR"]
    assert (item.computed, item.verdict) == ("2.592", "differs")


def test_percents_rules_and_sums():
    found = statistics()
    assert (found["rule"].computed, found["rule"].verdict) == ("290", "agrees")
    assert (found["sum of the arms"].computed, found["sum of the arms"].verdict) == ("290", "agrees")
    wrong = statistics(total="291", ips="41")
    assert (wrong["rule"].computed, wrong["rule"].verdict) == ("290", "differs")
    assert (wrong["sum of the arms"].computed, wrong["sum of the arms"].verdict) == ("290", "differs")
    percents = [item for item in recomputed_of(ips="41") if item.what == "percent"]
    assert [(item.computed, item.verdict) for item in percents] == [("40.0%", "differs"), ("25%", "agrees")]
    assert "whole numbers that give it: 61, 62" in percents[0].why  # 40.67 and 41.33


def recomputed_of(ips):
    text = RECORD.replace("EFFECT", "measure: HR, estimate: 1.5").replace("TOTAL", "290").replace("IPS%", f"{ips}%")
    return recomputed(read_entry(text.encode(), "studies/example-2020.yaml").study)


def test_an_accepted_difference_says_why():
    accept = (
        "accept: [{check: published-effect-does-not-recompute, at: outcomes.job-12m.published.RR, by: A. Reader, "
        'date: "2026-11-21", because: a misprint}]\n'
    )
    item = statistics("measure: RR, estimate: 1.61", more=accept)["RR"]
    assert (item.verdict, item.accepted) == ("differs", "a misprint")


def test_the_shipped_record_of_davis_2012():
    # 32/42 against 12/43: 2.73 (1.64 to 4.54), as Probyn 2021 prints it; 76% and 28% as the abstract does
    found = recomputed(load()["davis-2012"])
    assert {item.verdict for item in found if item.what in {"RR", "interval of RR", "percent"}} == {"agrees"}
    assert {"RR", "interval of RR", "percent"} <= {item.what for item in found}


def test_a_difference_of_an_effect_is_what_the_checks_find_or_accept():
    # the two ways of looking must not part: an effect that differs is accepted in the record, for the records are clean
    for study in load():
        for item in recomputed(study):
            if item.what in {"RR", "OR", "RD", "NNT", "chi-square", "percentage-points"} and item.verdict == "differs":
                assert item.accepted, (study.id, item)
            assert item.computed or item.verdict == "cannot" or item.why


@pytest.mark.parametrize(
    "effect",
    [
        'measure: chi-square, estimate: 999999999999, p: "0.000000000001"',
        'measure: RR, estimate: 0, ci: [0, 0], p: "0"',
        'measure: NNT, estimate: -3, ci: [-5, 7], p: ">.5"',
        "measure: RD, ci: [0.5, -0.5], level: 100",
        "measure: OR, ci: [1.0, 2.0], level: 0.1",
    ],
)
def test_hostile_numbers_are_answered(effect):
    assert {item.verdict for item in statistics(effect).values()} <= {"agrees", "differs", "cannot"}
    big = RECORD.replace("EFFECT", effect).replace("TOTAL", "290").replace("IPS%", "40%")
    big = big.replace("150", "1000000000").replace("n: 140", "n: 999999999")
    assert recomputed(read_entry(big.encode(), "studies/example-2020.yaml").study)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_record_that_reads_is_recomputed_without_a_traceback(seed):
    files = [file for file in sorted((ROOT / "studies").glob("*.yaml")) if not file.name.startswith("_")]
    for step in range(10):
        file = files[(seed * 10 + step) * 7919 % len(files)]
        try:
            entry = read_entry(damage(file.read_bytes(), seed * 10 + step).data, "studies/x.yaml")
        except ReadError:
            continue
        assert all(item.at for item in recomputed(entry.study))


def test_the_p_of_a_correlation():
    # t = .5*sqrt(18/.75) = 2.449 with 18 degrees of freedom: two-sided p = .0248 (R: 2*pt(-2.449, 18))
    more = (
        "programme_correlations:\n"
        '  - {scale: ips-15, concept: competitive-employment, definition: rate, p: "%s", from: s1, '
        "programmes: {value: 20, basis: reported, from: s1}, r: {value: 0.50, basis: reported, from: s1}}\n"
    )
    found = [statistics("measure: HR, estimate: 1.5", more=more % p)["p"] for p in (".025", ".05")]
    assert [item.verdict for item in found] == ["agrees", "differs"]
    assert found[0].computed == "0.0248"
