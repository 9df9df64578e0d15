"""Claims: the rule as it is written, on numbers made for it; and the claims that ship, as files."""

import math
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence import core
from ipsevidence.analysis.claimfiles import (
    VERDICTS,
    Claim,
    ClaimNotFoundError,
    claim_files,
    find_claim,
    load_claims,
    unresolved_names,
)
from ipsevidence.analysis.claims import CLAIM_COLUMNS, claims_table, judge
from ipsevidence.analysis.rows import Counts, Share, StudyRow
from ipsevidence.analysis.running import pool_rows, run
from ipsevidence.analysis.specfiles import SpecNotFoundError
from ipsevidence.dataset.collection import Dataset, find_data
from ipsevidence.dataset.reader import ReadError, fetch, parse
from ipsevidence.dataset.writer import canonical
from tests.figures.factory import spec

SOURCE = {"cite": "Somebody 2020", "read": "abstract", "date": "2026-01-01", "as_printed": "so it is"}
BASE = {
    "schema": 1,
    "id": "a-claim",
    "title": "A claim",
    "claim": "It is so.",
    "stated_by": (SOURCE,),
    "about": {"population": "p", "outcome": "o", "months": "m", "denominator": "d"},
    "decision": "By the rule.",
    "committed_on": "2026-01-01",
}


def decimals(value):
    """Return plain data with the numbers that the reader of files makes."""
    if isinstance(value, dict):
        return {key: decimals(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(decimals(one) for one in value)
    return Decimal(str(value)) if isinstance(value, float) else value


def claim(kind, *, on=("toy",), minimum_k=3, **rest):
    numbers = {key: rest.pop(key) for key in ("threshold", "low", "high") if key in rest}
    grounds = tuple(one if isinstance(one, dict) else {"analysis": one} for one in on)
    whole = {**BASE, "rule": {"kind": kind, "minimum_k": minimum_k, **numbers}, "decided_on": grounds, **rest}
    return Claim.model_validate(decimals(whole))


def pooled(spec_of, effects, *, start=0, purpose="exploratory", **fields):
    """Return an analysis of effects with one known answer: all effects the same but for a small spread."""
    rows = [
        StudyRow(id=f"s{start + i}", label=f"S{start + i}", y=y, v=0.01, participants=100.0)
        for i, y in enumerate(effects)
    ]
    return pool_rows(spec_of(purpose=purpose, effect={"measure": "RR"}, **fields), rows)


SPREAD = (-0.1, 0.0, 0.1, 0.0, 0.0)
"""Effects of variance 0.01 around a mean: Q is 2 on 4 df, so that tau2 is 0, and Wald's half-width 1.96 * 0.0447."""


@pytest.fixture
def made(spec_of):
    wald = {"model": {"tau2": "dl", "interval": "wald", "prediction": "normal"}}

    def around(ratio, start=0, level=math.log):
        return pooled(spec_of, [level(ratio) + spread for spread in SPREAD], start=start, **wald)

    return around


EFFECTS = [
    StudyRow(id=f"s{i}", label=f"S{i}", y=math.log(2.0) + y, v=0.01, participants=100.0) for i, y in enumerate(SPREAD)
]
NO_DATA = Dataset(entries=MappingProxyType({}), version="0", title="none", root=Path(), origin="path")

HALF = 1.959963984540054 * math.sqrt(0.01 / 5)


@pytest.mark.parametrize(
    ("kind", "numbers", "verdict"),
    [
        # The pooled ratio is 2, its interval 2 * exp(-0.0877) to 2 * exp(0.0877): 1.832 to 2.183.
        ("ratio-above", {"threshold": 1.8}, "supported"),
        ("ratio-above", {"threshold": 2}, "imprecise"),
        ("ratio-above", {"threshold": 2.2}, "contradicted"),
        ("ratio-within", {"low": 1.8, "high": 2.2}, "supported"),
        ("ratio-within", {"low": 1.9, "high": 2.2}, "imprecise"),
        ("ratio-within", {"low": 1, "high": 1.8}, "contradicted"),
        ("prediction-above", {"threshold": 1.8}, "supported"),
        ("prediction-above", {"threshold": 2.1}, "imprecise"),
    ],
)
def test_one_ratio(kind, numbers, verdict, made, toy):
    found = judge(claim(kind, **numbers), toy, {"toy": made(2.0)})
    assert found.verdict == verdict
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (2.0, 2 * math.exp(-HALF), 2 * math.exp(HALF)), rel=1e-9
    )
    assert "1.83 to 2.18" in found.reason


@given(thresholds=st.lists(st.integers(150, 250), min_size=2, max_size=6))
def test_a_higher_threshold_is_never_better_supported(thresholds):
    runs = {"toy": pool_rows(spec(measure="RR", tau2="dl", interval="wald", prediction="normal"), EFFECTS)}
    order = ["supported", "imprecise", "contradicted"]
    places = [
        order.index(judge(claim("ratio-above", threshold=one / 100), NO_DATA, runs).verdict)
        for one in sorted(thresholds)
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("kind", "numbers", "ratio", "verdict"),
    [
        # Half-width of the log of the ratio: HALF * sqrt(2) = 0.124, so 0.883 to 1.132 around 1.
        ("comparable", {"low": 0.8, "high": 1.25}, 1.0, "supported"),
        ("comparable", {"low": 0.8, "high": 1.25}, 1.2, "imprecise"),
        ("comparable", {"low": 0.8, "high": 1.25}, 1.5, "contradicted"),
        ("larger-effect", {"threshold": 1}, 1.2, "supported"),
        ("larger-effect", {"threshold": 1}, 1.0, "imprecise"),
        ("larger-effect", {"threshold": 1}, 0.8, "contradicted"),
    ],
)
def test_two_effects(kind, numbers, ratio, verdict, made, toy, monkeypatch):
    runs = {"first": made(ratio * 2.0), "second": made(2.0, start=50)}
    wanted = claim(kind, on=("first", "second"), minimum_k=5, **numbers)
    monkeypatch.setattr(type(toy), "__getitem__", lambda _self, _name: type("Study", (), {"overlaps_with": ()}))
    found = judge(wanted, toy, runs)
    assert found.verdict == verdict
    reach = HALF * math.sqrt(2)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (ratio, ratio * math.exp(-reach), ratio * math.exp(reach)), rel=1e-9
    )


def test_two_effects_that_share_a_study_are_not_compared(made, toy, monkeypatch):
    monkeypatch.setattr(type(toy), "__getitem__", lambda _self, _name: type("Study", (), {"overlaps_with": ()}))
    wanted = claim("comparable", on=("first", "second"), minimum_k=5, low=0.8, high=1.25)
    found = judge(wanted, toy, {"first": made(2.0), "second": made(2.0, start=4)})
    assert (found.verdict, found.reason) == ("not-testable", "the two pools share participants: s4")


def test_too_few_studies_are_shown_and_not_judged(spec_of, toy):
    # Alpha has 30 of 50 against 15 of 50: a ratio of 2, with log 2 +- 1.96 * sqrt(1/30 - 1/50 + 1/15 - 1/50).
    asked = spec_of(effect={"measure": "RR"}, studies={"where": {"participants_from": 95}})
    found = judge(claim("ratio-above", threshold=1.5), toy, {"toy": run(asked, toy)})
    assert found.verdict == "not-testable"
    assert math.isnan(found.estimate)
    assert "1 of" in found.reason
    assert "ALPHA-2001 2.00 (1.24 to 3.23)" in found.reason
    assert found.grounds[0].k == 1


def test_rates_need_five_of_one_kind_and_stand_by_themselves_below(toy):
    here = {"studies": {"where": {}}, "effect": {"measure": "PLO"}, "outcome": {"denominators": ("randomised",)}}
    four = claim("rate-at-least", threshold=0.4, minimum_k=2, on=({"here": here},))
    found = judge(four, toy)
    assert found.verdict == "not-testable"
    assert "more than 3 months apart" in found.reason


@pytest.mark.parametrize(("threshold", "verdict"), [(0.4, "supported"), (0.5, "imprecise"), (0.7, "contradicted")])
def test_a_pooled_rate(threshold, verdict, spec_of, toy):
    rows = [
        StudyRow(id=f"s{i}", label=f"S{i}", share=Share(events=50, n=100), unit="arm", participants=100.0)
        for i in range(6)
    ]
    model = {"tau2": "dl", "interval": "wald", "prediction": "none"}
    made = pool_rows(spec_of(purpose="exploratory", effect={"measure": "PLO"}, model=model), rows)
    found = judge(claim("rate-at-least", threshold=threshold), toy, {"toy": made})
    assert found.verdict == verdict
    # Logit 0 with a standard error of sqrt(4 / 600).
    low = 1 / (1 + math.exp(1.959963984540054 * math.sqrt(4 / 600)))
    assert (found.estimate, found.low) == pytest.approx((0.5, low), rel=1e-9)


def correlated(spec_of, *values):
    """Return an analysis of correlations (r, programmes), on Fisher's z with variance 1/(n - 3)."""
    rows = [
        StudyRow(id=f"c{i}", label=f"C{i}", y=math.atanh(r), v=1 / (n - 3), participants=float(n))
        for i, (r, n) in enumerate(values)
    ]
    return pool_rows(spec_of(effect={"measure": "ZCOR"}, outcome={"scale": "ips-25"}), rows)


def test_two_correlations_are_pooled_as_a_common_effect(spec_of, toy):
    # metafor: rma(yi, vi, method = "EE") on escalc("ZCOR", ri = c(.34, .36), ni = c(79, 34)).
    made = correlated(spec_of, (0.34, 79), (0.36, 34))
    found = judge(claim("correlation-above", threshold=0, minimum_k=2), toy, {"toy": made})
    assert found.verdict == "supported"
    assert (found.estimate, found.low, found.high) == pytest.approx((0.345827, 0.169566, 0.500650), abs=1e-6)
    assert (found.grounds[0].k, found.grounds[0].participants) == (2, 113)


def test_three_correlations_have_the_ad_hoc_interval(spec_of, toy):
    # Three of one size and value: Q is 0, and the ad hoc factor 1, so that t on 2 df times Wald's error is left:
    # atanh(.5) +- 4.302653 * sqrt(1 / (3 * 25)), which is 0.549306 +- 0.496828.
    made = correlated(spec_of, *[(0.5, 28)] * 3)
    found = judge(claim("correlation-above", threshold=0, minimum_k=2), toy, {"toy": made})
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (0.5, math.tanh(0.549306 - 0.496828), math.tanh(0.549306 + 0.496828)), abs=1e-5
    )
    assert found.verdict == "supported"


def test_one_correlation_stands_by_itself(spec_of, toy):
    # becker-2001-fidelity: tanh(atanh(.76) +- 1.959964 / sqrt(7)).
    found = judge(claim("correlation-above", threshold=0, minimum_k=2), toy, {"toy": correlated(spec_of, (0.76, 10))})
    assert found.verdict == "not-testable"
    assert "C0 0.76 (0.25 to 0.94)" in found.reason


def test_a_slope_below_ten_studies_is_not_testable(spec_of, toy):
    made = pooled(spec_of, [0.1 * i for i in range(9)], moderators=({"by": "participants"},))
    ground = {"analysis": "toy", "moderator": "participants"}
    found = judge(claim("slope-below", threshold=0, on=(ground,)), toy, {"toy": made})
    assert found.verdict == "not-testable"
    assert "9 studies: no regression below 10" in found.reason


@pytest.mark.parametrize(("threshold", "verdict"), [(0, "supported"), (-100, "contradicted")])
def test_a_slope(threshold, verdict, spec_of, toy):
    # The same events among more persons in the first arm: the ratio falls with size.
    rows = [
        StudyRow(
            id=f"s{i}",
            label=f"S{i}",
            counts=Counts(events1=20, n1=50 + 3 * i, events2=10, n2=50),
            participants=100.0 + 3 * i,
        )
        for i in range(-6, 7)
    ]
    made = pool_rows(spec_of(effect={"measure": "RR"}, moderators=({"by": "participants"},)), rows)
    ground = {"analysis": "toy", "moderator": "participants"}
    found = judge(claim("slope-below", threshold=threshold, on=(ground,)), toy, {"toy": made})
    assert found.verdict == verdict
    assert found.estimate < 0


def test_what_is_missing_is_said(toy):
    found = judge(claim("ratio-above", threshold=1, on=(), missing="Counts by hours."), toy)
    assert (found.verdict, found.reason) == ("not-testable", "what is missing: Counts by hours.")
    assert found.grounds == ()


def test_a_group_of_an_analysis(spec_of, toy):
    groups = {"groups": ({"id": "smi", "label": "SMI"}, {"id": "justice", "label": "Justice"})}
    made = run(spec_of(effect={"measure": "RR"}, subgroups=groups), toy)
    found = judge(claim("ratio-above", threshold=1, on=({"analysis": "toy", "group": "justice"},)), toy, {"toy": made})
    assert found.grounds[0].label == "toy: Justice"
    assert found.grounds[0].k == 1
    with pytest.raises(core.InputError, match="has no group 'moon'; it has: smi, justice"):
        judge(claim("ratio-above", threshold=1, on=({"analysis": "toy", "group": "moon"},)), toy, {"toy": made})


def test_a_rule_that_does_not_fit_the_measure_is_an_error(made, toy, spec_of):
    with pytest.raises(core.InputError, match="needs rates with 95% intervals; toy pools RR"):
        judge(claim("rate-at-least", threshold=0.4), toy, {"toy": made(2.0)})
    with pytest.raises(core.InputError, match="needs correlations with 95% intervals; toy pools RR"):
        judge(claim("correlation-above", threshold=0), toy, {"toy": made(2.0)})
    ninety = pooled(spec_of, [0.5] * 5, model={"level": Decimal("0.9"), "tau2": "dl", "interval": "wald"})
    with pytest.raises(core.InputError, match=r"ratios with 95% intervals; toy pools RR at 0\.9"):
        judge(claim("ratio-above", threshold=1), toy, {"toy": ninety})
    with pytest.raises(SpecNotFoundError):
        judge(claim("ratio-above", threshold=1, on=("no-such-analysis",)), toy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rule": {"kind": "ratio-above", "minimum_k": 3}}, "takes threshold, and nothing else"),
        ({"rule": {"kind": "ratio-within", "threshold": 1, "minimum_k": 3}}, "takes high and low"),
        ({"rule": {"kind": "ratio-within", "low": 2, "high": 1, "minimum_k": 3}}, "`low` must be below"),
        ({"rule": {"kind": "comparable", "low": 0.8, "high": 1.25, "minimum_k": 4}}, "from five trials each on"),
        ({"decided_on": ()}, "is decided on 1 in `decided_on`"),
        ({"missing": "nothing"}, "why there is nothing in `decided_on`"),
        ({"decided_on": ({"analysis": "a", "moderator": "year"},)}, "goes with the rule slope-below"),
        ({"decided_on": ({},)}, "give either `analysis`"),
        ({"decided_on": ({"analysis": "a", "group": "b", "moderator": "year"},)}, "not both"),
        ({"stated_by": ({**SOURCE, "read": "none"},)}, "names what quotes it"),
        ({"rule": {"kind": "correlation-above", "threshold": 0, "minimum_k": 2}, "decided_on": ()}, "on 1 in"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_refused(change, words):
    whole = {
        **BASE,
        "rule": {"kind": "ratio-above", "threshold": 1, "minimum_k": 3},
        "decided_on": ({"analysis": "a"},),
    }
    with pytest.raises(ValueError, match=words):
        Claim.model_validate(decimals({**whole, **change}))


def test_a_file_with_an_error_is_told_by_line_and_column(tmp_path):
    root, _ = find_data()
    text = fetch(next(iter(claim_files(root).values()))).decode()
    file = tmp_path / "wrong.yaml"
    file.write_text(text.replace("committed_on:", "comitted_on:"), encoding="utf-8")
    with pytest.raises(ReadError) as caught:
        find_claim(file, root)
    places = {(finding.file, finding.line) for finding in caught.value.findings}
    line = next(number for number, one in enumerate(text.splitlines(), 1) if one.startswith("committed_on"))
    assert (str(file), line) in places
    with pytest.raises(ClaimNotFoundError, match="nearest: any-new-trial-benefits"):
        find_claim("any-new-trial-benefit", root)


def test_names_that_do_not_resolve_are_found():
    root, _ = find_data()
    wrong = claim("ratio-above", threshold=1, on=("primry",))
    ((place, what, _),) = unresolved_names(wrong, root)
    assert place == ("decided_on", 0, "analysis")
    assert "nearest: primary" in what
    group = claim("ratio-above", threshold=1, on=({"analysis": "primary", "group": "moon"},))
    ((place, what, _),) = unresolved_names(group, root)
    assert (place, "has no group moon" in what) == (("decided_on", 0, "group"), True)


def test_shipped_claims_are_whole_and_resolve():
    root, _ = find_data()
    claims = load_claims(root)
    assert [one.id for one in claims] == list(claim_files(root))
    assert [problem for one in claims for problem in unresolved_names(one, root)] == []
    for name, path in claim_files(root).items():
        content = fetch(path)
        assert canonical(parse(content, file=name), Claim) == content.decode(), name


def test_the_table_has_a_row_for_each_verdict(made, toy):
    verdicts = [judge(claim("ratio-above", threshold=1.8), toy, {"toy": made(2.0)})]
    verdicts.append(judge(claim("ratio-above", threshold=1, on=(), missing="Much."), toy))
    rows = claims_table(verdicts)
    assert all(len(row) == len(CLAIM_COLUMNS) for row in rows)
    assert rows[0][1:5] == ("Somebody 2020 (abstract read)", "By the rule.", "supported", "2.00 (1.83 to 2.18)")
    assert rows[1][3:6] == ("not testable", "", "")
    assert {verdict.verdict for verdict in verdicts} <= set(VERDICTS)
    (row,) = verdicts[0].to_rows()
    assert len(row) == len(verdicts[0].columns)
    assert verdicts[0].to_dict()["grounds"][0]["k"] == 5


def test_a_bound_that_rounds_to_the_threshold_shows_its_digits(made, toy):
    # The bound is 1.8321, which would be written 1.83.
    found = judge(claim("ratio-above", threshold=1.83), toy, {"toy": made(2.0)})
    assert found.verdict == "supported"
    assert "1.832 to 2.18" in found.reason
    ((_, _, _, _, numbers, _, _),) = claims_table([found])
    assert numbers == "2.00 (1.832 to 2.18)"
