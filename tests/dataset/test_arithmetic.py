"""What is printed, and what can have been behind it."""

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from ipsevidence.dataset.arithmetic import (
    RECOMPUTABLE,
    Table,
    agrees,
    chi_square_p,
    continuity_corrected,
    fitting_counts,
    half_unit,
    is_hedged,
    is_rounded_to,
    nearest_counts,
    p_values,
    printed_p,
    printed_percent,
    recompute,
    rule_result,
)
from ipsevidence.dataset.record import Published


def published(measure: str, **given_as: object) -> Published:
    return Published.model_validate({"measure": measure, "from": "s1", "basis": "reported", **given_as})


def printings(events: int, n: int, decimals: int) -> set[Decimal]:
    """Return a share as a percent, as it is printed by those who round halves up, or to even, and by programs."""
    exact = Fraction(100 * events, n) * 10**decimals
    by_hand = {Decimal(whole).scaleb(-decimals) for whole in (math.floor(exact + Fraction(1, 2)), round(exact))}
    return by_hand | {Decimal(f"{share:.{decimals}f}") for share in (100 * events / n, 100 * (events / n))}


@given(
    n=st.integers(1, 400),
    decimals=st.integers(0, 3),
    share=st.decimals(0, 100, allow_nan=False, allow_infinity=False),
)
@example(n=40, decimals=0, share=Decimal(12))
@example(n=40, decimals=0, share=Decimal(28))
@example(n=200, decimals=0, share=Decimal(1))
def test_fitting_counts_are_those_that_print_as_the_percent(n, decimals, share):
    percent = round(share, decimals) if decimals else round(share, 0)
    brute = [events for events in range(n + 1) if percent in printings(events, n, decimals)]
    assert list(fitting_counts(percent, n)) == brute


@given(n=st.integers(1, 400), share=st.fractions(0, 1), decimals=st.integers(0, 3))
def test_a_count_fits_its_own_percent(n, share, decimals):
    events = round(share * n)
    for percent in printings(events, n, decimals):
        assert events in fitting_counts(percent, n)


@pytest.mark.parametrize(
    ("percent", "n", "fits"),
    [
        ("76", 42, [32]),
        ("76.0", 42, []),
        ("76.2", 42, [32]),
        ("12", 40, [5]),  # 12.5 to even
        ("13", 40, [5]),  # 12.5 up
        ("27", 40, []),  # 27.5 is 28 either way
        ("28", 40, [11]),
        ("48.6", 2000, [971, 972, 973]),
        ("48.5", 2000, [969, 970, 971]),  # of 971 (48.55) C, R and Python print 48.5
        ("14.3", 2000, [285, 286, 287]),  # 14.35 is a little less in binary, so 287 prints 14.3 too
        ("0", 40, [0]),
        ("100", 40, [40]),
        ("101", 40, []),
        ("-3", 40, []),
        ("0", 0, [0]),
    ],
)
def test_fitting_counts_by_hand(percent, n, fits):
    assert list(fitting_counts(Decimal(percent), n)) == fits


def test_fitting_counts_of_a_nation_take_no_time():
    assert len(fitting_counts(Decimal(50), 10**12)) == 10**10 + 1


@pytest.mark.parametrize(
    ("percent", "n", "nearest"),
    [("27.1", 183, (49, 50)), ("5", 23, (1, 2)), ("50", 10, (5,)), ("120", 10, (10,)), ("-5", 10, (0,))],
)
def test_nearest_counts(percent, n, nearest):
    assert nearest_counts(Decimal(percent), n) == nearest


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("76%", "76"),
        ("76.0 %", "76.0"),
        ("42,4%", "42.4"),
        ("42·4%", "42.4"),
        ("32 (76 per cent)", "76"),
        ("30.8% (95% CI 21.8-41.6)", "30.8"),
        ("76 percent of 42", "76"),
        ("100%", "100"),
    ],
)
def test_a_percent_is_read(text, percent):
    assert str(printed_percent(text)) == percent


@pytest.mark.parametrize(
    "text",
    [
        "32",
        "44.2% v 37.2%",
        "about 76%",
        "<5%",
        "more than 50%",
        "45-50%",
        "45% to 50%",
        "nearly 50%",
        "3.1.4%",
        "half",
        "95% CI 3 to 4",
        "",
    ],
)
def test_a_percent_that_is_none_or_not_exact_is_not_read(text):
    assert printed_percent(text) is None


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        ("<.001", "<", ".001"),
        ("0.015", "=", "0.015"),
        ("p = .03", "=", ".03"),
        ("P<0.05", "<", "0.05"),
        ("≤ .05", "<", ".05"),
        ("≥ .05", ">", ".05"),
        ("> .2", ">", ".2"),
        ("1", "=", "1"),
    ],
)
def test_a_p_value_is_read(text, sign, value):
    assert printed_p(text) == (sign, Decimal(value))


@pytest.mark.parametrize("text", ["ns", "significant", ".03 (Fisher)", "1e-5", "."])
def test_what_is_no_p_value_is_not_read(text):
    assert printed_p(text) is None


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("541 - 270", 271),
        ("42 + 43", 85),
        ("42 + 43 = 85", 85),
        ("1,416 − 197 − 26", 1193),
        ("2 + 3 * 4 - 1", 13),
        ("12 ÷ 4 × 2", 6),
        ("10.5 - 0.5", 10),
        ("1 / 3 * 3", 1),
        ("50% of 22", 11),
        ("12.5 % of 40", 5),
    ],
)
def test_a_rule_is_computed(rule, value):
    result = rule_result(rule)
    assert result is not None
    assert result.value == value


@pytest.mark.parametrize(
    "rule",
    [
        "percent-of-n",
        "joint-fit",
        "541 randomised minus 270",
        "85",
        "2 ** 3",
        "(1 + 2) * 3",
        "1 +",
        "1 + " * 80 + "1",
        "",
    ],
)
def test_a_rule_in_words_is_not_computed(rule):
    assert rule_result(rule) is None


def test_a_rule_names_its_numbers():
    assert rule_result("541 - 270 = 271").operands == (541, 270)
    assert rule_result("50% of 22").operands == (50, 22)


@given(
    numbers=st.lists(st.integers(0, 10**6), min_size=2, max_size=10), signs=st.lists(st.sampled_from("+-*"), min_size=9)
)
def test_rules_are_computed_as_python_does(numbers, signs):
    rule = str(numbers[0]) + "".join(f" {sign} {number}" for sign, number in zip(signs, numbers[1:], strict=False))
    assert rule_result(rule).value == eval(rule)


@pytest.mark.parametrize(("printed", "half"), [("2.73", 0.005), ("2.5", 0.05), ("20", 0.5), ("2E+1", 0.5)])
def test_half_a_unit_of_the_last_digit(printed, half):
    assert half_unit(Decimal(printed)) == pytest.approx(half)


def test_rounding_to_the_printed_digits():
    assert is_rounded_to(2.7349, Decimal("2.73"))
    assert is_rounded_to(2.735, Decimal("2.73"))
    assert is_rounded_to(2.735, Decimal("2.74"))
    assert not is_rounded_to(2.7351, Decimal("2.73"))
    assert not is_rounded_to(math.nan, Decimal("2.73"))


# Davis 2012: 32 of 42 against 12 of 43; chi-square from its abstract, RR from Probyn 2021.
DAVIS = Table(32, 42, 12, 43)


@pytest.mark.parametrize(
    "effect",
    [
        published("RR", estimate=Decimal("2.73"), ci=(Decimal("1.64"), Decimal("4.54"))),
        published("chi-square", estimate=Decimal("19.84")),
        published("NNT", estimate=Decimal("2.07")),
        published("NNT", estimate=Decimal(3)),
        published("RD", estimate=Decimal("0.48")),
        published("percentage-points", estimate=Decimal("48.3")),
        published("OR", estimate=Decimal("8.27"), ci=(Decimal("3.12"), Decimal("21.89"))),
    ],
)
def test_what_davis_printed_comes_out(effect):
    assert agrees(effect, [DAVIS]).all()


def test_all_recomputable_measures_are_computed():
    for measure in RECOMPUTABLE:
        assert np.isfinite(recompute(measure, [DAVIS]).estimate).all()


@given(n=st.integers(1, 500), m=st.integers(1, 500), share=st.floats(0, 1), other=st.floats(0, 1))
def test_chi_square_is_pearsons(n, m, share, other):
    a, c = round(share * n), round(other * m)
    effects = recompute("chi-square", [Table(a, n, c, m)])
    if a + c in {0, n + m}:
        assert np.isnan(effects.estimate[0])
    else:
        expected = stats.contingency.chi2_contingency([[a, n - a], [c, m - c]], correction=False)
        assert effects.estimate[0] == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
        assert chi_square_p(effects.estimate[0]) == pytest.approx(expected.pvalue, rel=1e-9)


@given(n=st.integers(1, 300), m=st.integers(1, 300), share=st.floats(0, 1), other=st.floats(0, 1))
@example(n=22, m=23, share=0.5, other=1 / 23)
def test_p_values_are_those_of_the_tests_they_name(n, m, share, other):
    a, c = round(share * n), round(other * m)
    found = p_values(Table(a, n, c, m))
    cells = [[a, n - a], [c, m - c]]
    assert found["Fisher"] == pytest.approx(stats.fisher_exact(cells).pvalue, rel=1e-6)
    for name, correction in (("Pearson", False), ("Pearson with correction", True)):
        none = a + c in {0, n + m}
        expected = 1 if none else stats.contingency.chi2_contingency(cells, correction=correction).pvalue
        assert found[name] == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_tables_too_many_to_sum_have_no_exact_p_value():
    assert set(p_values(Table(500_000, 10**6, 500_500, 10**6))) == {"Pearson", "Pearson with correction"}


def test_the_continuity_correction_is_at_most_the_difference():
    assert continuity_corrected(Table(5, 10, 5, 11)) == 0
    assert math.isnan(continuity_corrected(Table(0, 10, 0, 10)))


@pytest.mark.parametrize("level", ["80", "95", "99"])
def test_the_interval_of_a_difference_by_the_t_distribution(level):
    # one table for each size, from 3 degrees of freedom
    tables = [Table(1, 2, 1, 3), Table(3, 6, 2, 6), Table(19, 41, 5, 47), Table(480, 1000, 400, 1000)]
    effects = recompute("RD", tables, Decimal(level))
    quantile = (1 + float(level) / 100) / 2
    for place, (a, n, c, m) in enumerate(tables):
        half = stats.t.ppf(quantile, n + m - 2) * math.sqrt(a * (n - a) / n**3 + c * (m - c) / m**3)
        close = 0.03 if n + m < 6 else 1e-4
        assert effects.t_high[place] - effects.estimate[place] == pytest.approx(half, rel=close)
        assert effects.estimate[place] - effects.t_low[place] == pytest.approx(half, rel=close)
    assert np.isnan(recompute("RD", [Table(1, 2, 1, 2)]).t_low[0])


def test_a_printed_interval_of_a_difference_may_be_by_either_distribution():
    for ci in (("17.8", "53.6"), ("18.1", "53.3")):
        effect = published("percentage-points", estimate=Decimal("35.7"), ci=tuple(map(Decimal, ci)))
        assert agrees(effect, [Table(19, 41, 5, 47)]).all()
    mixed = published("percentage-points", estimate=Decimal("35.7"), ci=(Decimal("17.8"), Decimal("53.3")))
    assert not agrees(mixed, [Table(19, 41, 5, 47)]).any()


@pytest.mark.parametrize(
    "text", ["over half", "About 40%", "(at least 12)", "~40", "<5%", "up to 25", "ca. 30", "> 20"]
)
def test_a_number_that_is_not_exact_is_told(text):
    assert is_hedged(text)


@pytest.mark.parametrize("text", ["half", "overall 40%", "40%", "30.8% (about)", "", "caseload 20", "-5"])
def test_a_number_that_is_exact_is_told(text):
    assert not is_hedged(text)


def test_nobody_helped_is_no_number_needed_to_treat():
    assert np.isinf(recompute("NNT", [Table(1, 10, 1, 10)]).estimate[0])


def test_the_level_of_an_interval():
    wide, narrow = (recompute("RR", [DAVIS], level) for level in (Decimal(99), Decimal(90)))
    usual = recompute("RR", [DAVIS])
    assert wide.low[0] < usual.low[0] < narrow.low[0]
    assert recompute("RR", [DAVIS], Decimal(95)).low[0] == usual.low[0]
    assert np.isnan(recompute("RR", [DAVIS], Decimal(100)).low[0])


def test_loading_the_checks_loads_no_numerical_library():
    code = "import ipsevidence.dataset.checks, sys; print({'numpy', 'scipy'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
