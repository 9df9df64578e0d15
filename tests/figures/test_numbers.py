"""How numbers are written."""

import math

import pytest

from ipsevidence.figures import numbers
from ipsevidence.figures.numbers import Numerals

RATIO, DIFFERENCE = Numerals(), Numerals(ratio=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.234999, "2.23"), (1.0, "1.00"), (0.005, "0.01"), (0.0049, "<0.01"), (0.0, "<0.01"), (999.994, "999.99"),
        (1234.5, "1234"), (999_999, "999999"), (1e6, ">999999"), (math.inf, ">999999"), (math.nan, "–"),
    ],
)  # fmt: skip
def test_ratios(value, text):
    assert RATIO.effect(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.204, "−0.20"), (-0.004, "0.00"), (0.0, "0.00"), (-0.0, "0.00"), (-2e6, "<−999999"), (0.349, "0.35")],
)
def test_differences(value, text):
    assert DIFFERENCE.effect(value) == text


def test_ranges():
    assert RATIO.interval(1.53, 3.257) == "[1.53–3.26]"
    assert DIFFERENCE.interval(-0.02, 0.1) == "[−0.02\u00a0to\u00a00.10]"
    assert numbers.interval(1.53, 3.257) == "1.53–3.26"
    assert numbers.interval(-0.2, -0.1) == "−0.20\u00a0to\u00a0−0.10"
    assert RATIO.tau2_range(0.0, 0.0001) == "0.000–0.000"


@pytest.mark.parametrize(
    ("p", "text"), [(0.0009, "<0.001"), (0.001, "0.001"), (0.0496, "0.050"), (0.99951, ">0.999"), (math.nan, "–")]
)
def test_p_values(p, text):
    assert RATIO.p_value(p) == numbers.p_value(p) == text


def test_equations_take_the_sign_of_their_value():
    assert RATIO.equation("p", "<0.001") == "p\u00a0<\u00a00.001"
    assert RATIO.equation("k", "9") == "k\u00a0=\u00a09"


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.000"), (0.0004, "<0.001"), (0.1834, "0.183"), (math.nan, "–")])
def test_variances(value, text):
    assert RATIO.tau2(value) == numbers.tau2(value) == text


def test_percentages_weights_counts_levels():
    assert RATIO.percent(72.4) == numbers.percent(72.4) == "72%"
    assert numbers.percent(8.64, 1) == "8.6%"
    assert RATIO.weight(8.64) == "8.6"
    assert [numbers.count(value) for value in (9, 42.0, 4.5, 1234567)] == ["9", "42", "4.5", "1234567"]
    assert [RATIO.level(level) for level in (0.95, 0.9, 0.995)] == ["95%", "90%", "99.5%"]
    assert numbers.effect(-0.0001) == "0.00"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (1.0, "1"), (1000.0, "1000"), (1e-6, "0.000001"), (0.1 + 0.2, "0.3"), (-0.5, "−0.5"), (0, "0"),
     (1e15, "1000000000000000"), (math.inf, "–")],
)  # fmt: skip
def test_plain_numbers_have_no_power_of_ten(value, text):
    assert RATIO.plain(value) == text


def test_a_decimal_mark_is_used_everywhere():
    lancet = Numerals(decimal="·", brackets=("(", ")"))
    assert lancet.interval(1.534, 3.2) == "(1·53–3·20)"
    assert lancet.plain(0.25) == "0·25"
    assert lancet.p_value(0.0001) == "<0·001"
    assert lancet.level(0.995) == "99·5%"


JAMA = Numerals(p_digits=((0.01, 2), (0.001, 3)), p_name="P", p_zero=False)
LANCET = Numerals(p_digits=((0.1, 2), (0.01, 3), (0.001, 4), (0.0001, 5)), decimal="·", spaced=False)


# JAMA: two digits from .01 on, three below, unless rounding would turn .0496 into .05; The Lancet: two significant ones
@pytest.mark.parametrize(
    ("p", "jama", "lancet"),
    [
        (0.0004, "<.001", "0·00040"), (0.0032, ".003", "0·0032"), (0.0321, ".03", "0·032"), (0.0461, ".046", "0·046"),
        (0.321, ".32", "0·32"), (0.00009, "<.001", "<0·0001"), (0.9999, ">.99", ">0·99"),
    ],
)  # fmt: skip
def test_p_values_in_the_digits_of_a_journal(p, jama, lancet):
    assert JAMA.p_value(p) == jama
    assert LANCET.p_value(p) == lancet


def test_equations_of_a_journal():
    assert JAMA.p(0.03) == "P\u00a0=\u00a0.03"
    assert LANCET.p(0.00001) == "p<0·0001"
    assert Numerals(percent_sign=True).weight(8.64) == "8.6%"
    assert Numerals(between="-", brackets=("(", ")")).interval(1.534, 3.2) == "(1.53-3.20)"
    assert Numerals(between="-", ratio=False).range(-0.1, 0.2) == "−0.10\u00a0to\u00a00.20"
