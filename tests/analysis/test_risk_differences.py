"""Newcombe's intervals, Wilson's, and numbers needed, from the papers."""

import math

import pytest

from ipsevidence import core
from ipsevidence.analysis.rates import rate_interval
from ipsevidence.analysis.risk_differences import number_needed, trial_difference, wilson
from ipsevidence.analysis.rows import Counts


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        # Newcombe 1998, Table II, method 10, examples (b), (d), (f), (g), (h)
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 20, 0, 10), -0.2775, 0.1611),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_examples(cells, low, high):
    counts = Counts(**dict(zip(("events1", "n1", "events2", "n2"), map(float, cells), strict=True)))
    gap = trial_difference(counts)[1]
    assert gap.low == pytest.approx(low, abs=5.1e-5)
    assert gap.high == pytest.approx(high, abs=5.1e-5)


@pytest.mark.parametrize(("events", "n"), [(0, 7), (3, 43), (13, 42), (9, 9), (4.5, 10.5)])
def test_wilson_is_that_of_the_single_rates(events, n):
    theirs = rate_interval(events, n)
    ours = wilson(events, n)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_numbers_needed():
    # Altman 1998: differences of 0.25 (0.05 to 0.45) and 0.10 (-0.05 to 0.25)
    number, text = number_needed(0.25, core.Interval(low=0.05, high=0.45, level=0.95))
    assert (number, text) == (4.0, "NNTB 4.0 (2.2 to 20.0)")
    number, text = number_needed(0.10, core.Interval(low=-0.05, high=0.25, level=0.95))
    assert math.isnan(number)
    assert text == "NNTB 10.0 (NNTH 20.0 to ∞ to NNTB 4.0)"
    number, text = number_needed(-0.2, core.Interval(low=-0.4, high=-0.1, level=0.95))
    assert (number, text) == (-5.0, "NNTH 5.0 (2.5 to 10.0)")
    number, text = number_needed(0.25, core.Interval(low=0.05, high=0.45, level=0.95), "another interval holds 1")
    assert (math.isnan(number), text) == (True, "none: another interval holds 1")
    assert number_needed(0.1, core.Interval(low=math.nan, high=math.nan, level=0.95))[1] == ""
