"""Verdicts: what agrees at the printed digits, what is close, what differs, and what proves nothing."""

import math
from decimal import Decimal

import pytest

from ipsevidence.analysis.reproduction import VALUES, _agreement, _at_digits, compare, reproduce
from ipsevidence.analysis.running import run
from ipsevidence.analysis.spec import QUANTITIES


@pytest.mark.parametrize(
    ("computed", "published", "null", "agreement"),
    [
        (2.2349, "2.23", 1.0, "reproduced"),
        (2.225, "2.23", 1.0, "reproduced"),  # halves are printed away from zero
        (2.2249, "2.23", 1.0, "close"),
        (2.26, "2.23", 1.0, "close"),
        (2.29, "2.23", 1.0, "differs"),
        (0.995, "1.01", 1.0, "differs"),  # within 2%, but on the other side of no effect
        (1.02, "1.0", 1.0, "reproduced"),
        (-0.301, "-0.30", 0.0, "reproduced"),
        (2884.0, "2902", None, "close"),
        (2902.0, "2902", None, "reproduced"),
        (9.0, "8", None, "differs"),
        (math.nan, "2.23", 1.0, "cannot-be-checked"),
        (2.23, None, 1.0, "cannot-be-checked"),
    ],
)
def test_agreement(computed, published, null, agreement):
    assert _agreement(computed, Decimal(published) if published else None, null) == agreement


def test_counts_of_trials_are_exact_and_zero_has_no_sign():
    assert _agreement(49.0, Decimal(50), None, exact=True) == "differs"
    assert _agreement(50.0, Decimal(50), None, exact=True) == "reproduced"
    assert _at_digits(-0.001, Decimal("0.00")) == "0.00"
    assert _at_digits(math.inf, Decimal("1.00")) == ""
    assert _at_digits(1e30, Decimal("1.00")) == "1e+30"


def test_computed_values_are_shown_at_the_digits_of_the_published_one():
    assert _at_digits(2.2349, Decimal("2.2")) == "2.2"
    assert _at_digits(2.2349, Decimal("2.230")) == "2.235"
    assert _at_digits(9.0, Decimal(9)) == "9"
    assert _at_digits(9.25, None) == "9.25"
    assert _at_digits(math.nan, Decimal(9)) == ""


TARGETS = (
    {"quantity": "trials", "value": 4, "target": "read", "from": "paper"},
    {"quantity": "trials", "value": 4, "target": "read", "chosen_to_match": True, "from": "paper"},
    {"quantity": "trials", "value": 5, "target": "second-hand", "from": "review"},
    {"quantity": "trials", "value": 5, "target": "not-read", "from": "paper"},
    {"quantity": "method", "text": "random effects", "target": "not-read", "from": "paper"},
    {"quantity": "participants", "value": 328, "target": "read", "from": "paper", "label": "persons"},
)


def test_how_a_verdict_is_worded(toy, spec_of):
    verdicts = compare(run(spec_of(published=TARGETS), toy))
    assert [v.verdict for v in verdicts] == [
        "reproduced",
        "unverified (reproduced)",
        "differs (second-hand)",
        "unverified (differs)",
        "cannot-be-checked",
        "reproduced",
    ]
    assert (verdicts[4].published, verdicts[4].shown) == ("", "")
    assert verdicts[5].label == "persons"


def test_quantities_are_those_of_the_pool(toy, spec_of):
    wanted = ("estimate", "ci-low", "ci-high", "tau2", "i2", "q", "trials-favouring", "trials-significant")
    targets = tuple({"quantity": name, "value": 1, "target": "read", "from": "paper"} for name in wanted)
    reproduction = reproduce(spec_of(published=targets), toy)
    fit = reproduction.run.fit
    computed = {v.target.quantity: v.computed for v in reproduction.verdicts}
    assert computed["estimate"] == pytest.approx(math.exp(fit.estimate))
    assert computed["ci-low"] == pytest.approx(math.exp(fit.ci.low))
    assert computed["ci-high"] == pytest.approx(math.exp(fit.ci.high))
    assert (computed["tau2"], computed["i2"], computed["q"]) == (fit.tau2, fit.i2_q, fit.q)
    assert computed["trials-favouring"] == 4
    by_hand = sum(y - 1.959963984540054 * math.sqrt(v) > 0 for y, v in zip(fit.y, fit.v, strict=True))
    assert computed["trials-significant"] == by_hand


def test_every_figure_that_a_spec_may_name_can_be_computed():
    of_the_pool = [name for name in QUANTITIES if not name.startswith("study-")]
    assert list(VALUES) == of_the_pool


def test_nothing_computed_cannot_be_checked(toy, spec_of):
    target = {"quantity": "estimate", "value": 1, "target": "read", "from": "paper"}
    nobody = spec_of(studies={"where": {"tags": ("nobody",)}}, published=(target,))
    assert [v.verdict for v in compare(run(nobody, toy))] == ["cannot-be-checked"]
