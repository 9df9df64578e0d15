"""How far the axis reaches and where its ticks stand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.core import InputError
from ipsevidence.figures.forest_axis import Span, axis_for, reach
from ipsevidence.figures.numbers import Numerals
from ipsevidence.figures.style import context


def span(estimate, half, *, pooled=False, weight=1.0):
    return Span(estimate=estimate, low=estimate - half, high=estimate + half, weight=weight, pooled=pooled)


def axis(spans, *, ratio=True, length=200.0):
    with context():
        return axis_for(spans, null=0.0, length=length, pad=8.0, numerals=Numerals(ratio=ratio), size=7.0)


def test_no_effect_and_every_ordinary_estimate_are_on_the_axis():
    low, high = reach([span(0.5, 0.3), span(0.9, 0.4), span(0.7, 0.2, pooled=True)], null=0.0)
    assert (low, high) == (0.0, pytest.approx(1.3))


def test_one_wide_interval_is_cut():
    spans = [span(0.5, 0.3)] * 5 + [span(0.6, 40.0, weight=0.01), span(0.5, 0.1, pooled=True)]
    low, high = reach(spans, null=0.0)
    assert low > -2
    assert high < 3


def test_a_lone_study_is_shown_whole():
    low, high = reach([span(1.0, 5.0)], null=0.0)
    assert (low, high) == (-4.0, 6.0)


def test_nothing_with_bounds_still_has_an_axis():
    nothing = Span(estimate=0.0, low=math.nan, high=math.nan)
    assert reach([nothing], null=0.0) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (math.log(0.3), math.log(7), ["0.25", "0.5", "1", "2", "4", "8"]),
        (math.log(0.01), math.log(100), ["0.01", "0.1", "1", "10", "100"]),
        (math.log(0.8), math.log(1.3), ["0.8", "0.9", "1", "1.1", "1.2", "1.3"]),
    ],
)
def test_ticks_of_ratios(low, high, labels):
    chosen = axis([Span(estimate=(low + high) / 2, low=low, high=high)])
    assert list(chosen.labels) == labels


def test_no_tick_stands_where_nothing_can_be():
    with context():
        chosen = axis_for(
            [span(0.12, 0.1), span(0.88, 0.1), span(0.5, 0.1, pooled=True)],
            null=math.nan,
            limits=(0.0, 1.0),
            length=200.0,
            pad=8.0,
            numerals=Numerals(ratio=False),
            size=7.0,
        )
    assert list(chosen.labels) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert chosen.low < 0.0
    assert chosen.high > 1.0


def test_effects_that_no_axis_can_hold_are_an_error():
    with pytest.raises(InputError, match="too large to be drawn"):
        axis([Span(estimate=0.0, low=-1.7e308, high=1.7e308)])


def test_one_value_without_width_still_has_an_axis():
    low, high = reach([span(1.0, 0.0)], null=math.nan)
    assert low < 1.0 < high


def test_ticks_of_differences():
    chosen = axis([span(-0.05, 0.2)], ratio=False)
    assert list(chosen.labels) == ["−0.2", "−0.1", "0", "0.1"]


@given(
    middle=st.floats(-30, 30),
    halves=st.lists(st.floats(1e-6, 50), min_size=1, max_size=8),
    ratio=st.booleans(),
    length=st.floats(90, 400),
)
def test_an_axis_is_always_usable(middle, halves, ratio, length):
    chosen = axis([span(middle, half) for half in halves], ratio=ratio, length=length)
    assert chosen.low < 0.0 < chosen.high
    assert chosen.low < middle < chosen.high or abs(middle) > 8 * min(halves)
    assert list(chosen.ticks) == sorted(set(chosen.ticks))
    assert chosen.low <= chosen.ticks[0] + 1e-9
    assert chosen.ticks[-1] <= chosen.high + 1e-9
    assert len(chosen.labels) == len(chosen.ticks) >= 1
    assert "0" in chosen.labels or ratio
