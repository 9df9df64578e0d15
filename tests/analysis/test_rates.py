import json
import math

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence import core
from ipsevidence.analysis.rates import RATE_METHODS, rate_interval

# R 4.2.2: prop.test(x, n, correct = FALSE)$conf.int and binom.test(x, n)$conf.int, for the four rates of
# Newcombe RG. Stat Med 1998;17:857-872. doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E
R_INTERVALS = {
    (81, 263): ((0.2552885199, 0.366209577), (0.2527367456, 0.3676219226)),
    (15, 148): ((0.06238639953, 0.1604872417), (0.05784401008, 0.1616504903)),
    (0, 20): ((0, 0.1611251581), (0, 0.168433471)),
    (1, 29): ((0.006113214293, 0.1717552188), (0.0008726468836, 0.1776442955)),
}


@pytest.mark.parametrize(("rate", "wilson", "exact"), [(rate, *ends) for rate, ends in R_INTERVALS.items()])
def test_the_intervals_that_r_gives(rate, wilson, exact):
    for method, ends in (("wilson", wilson), ("clopper-pearson", exact)):
        found = rate_interval(*rate, method=method)
        assert [found.low, found.high] == pytest.approx(ends, rel=1e-8, abs=1e-14)
        assert found.rate == rate[0] / rate[1]


@pytest.mark.parametrize(("rate", "low", "high"), [((81, 263), 0.2553, 0.3662), ((15, 148), 0.0624, 0.1605)])
def test_the_score_intervals_that_newcombe_prints(rate, low, high):
    """Newcombe 1998, table I, method 3, at its four digits."""
    found = rate_interval(*rate)
    assert [found.low, found.high] == pytest.approx([low, high], abs=5e-5)


def test_nobody_of_twenty_by_hand():
    z2 = 1.959963984540054**2
    assert rate_interval(0, 20).high == pytest.approx(z2 / (20 + z2), rel=1e-12)
    assert rate_interval(0, 20, method="clopper-pearson").high == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-12)
    assert rate_interval(0, 20, method="clopper-pearson", level=0.9).high == pytest.approx(
        1 - 0.05 ** (1 / 20), rel=1e-12
    )


@pytest.mark.parametrize(("events", "n"), [(7, 50), (1, 29), (28, 29)])
def test_both_intervals_are_what_they_are_defined_as(events, n):
    """The bounds are where the score statistic is the normal quantile, or a binomial tail half of 5%."""
    found = rate_interval(events, n)
    for p in (found.low, found.high):
        assert abs(events / n - p) / math.sqrt(p * (1 - p) / n) == pytest.approx(1.959963984540054, rel=1e-10)
    exact = rate_interval(events, n, method="clopper-pearson")

    def tail(p, counts):
        return float(
            mpmath.fsum(mpmath.binomial(n, x) * mpmath.mpf(p) ** x * (1 - mpmath.mpf(p)) ** (n - x) for x in counts)
        )

    assert tail(exact.low, range(events, n + 1)) == pytest.approx(0.025, rel=1e-9)
    assert tail(exact.high, range(events + 1)) == pytest.approx(0.025, rel=1e-9)


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from(sorted(RATE_METHODS)), st.floats(0.5, 0.999))
def test_events_and_non_events_mirror_each_other(n, share, method, level):
    events = round(share * n)
    found = rate_interval(events, n, method=method, level=level)
    other = rate_interval(n - events, n, method=method, level=level)
    assert 0 <= found.low <= found.rate <= found.high <= 1
    assert [other.low, other.high] == pytest.approx([1 - found.high, 1 - found.low], abs=1e-12)
    if events == 0:
        assert found.low == 0
        assert other.high == 1


def test_effective_counts_need_not_be_whole():
    found = rate_interval(10.4, 31.5)
    assert found.low < 10.4 / 31.5 < found.high


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"events": -1, "n": 5}, "events"),
        ({"events": 6, "n": 5}, "events"),
        ({"events": math.nan, "n": 5}, "events"),
        ({"events": 0, "n": 0}, "n"),
        ({"events": 0, "n": math.inf}, "n"),
        ({"events": 0, "n": "5"}, "n"),
        ({"events": 1, "n": 5, "level": 95}, "level"),
        ({"events": 1, "n": 5, "method": "wald"}, "method"),
    ],
)
def test_what_is_no_rate_is_refused(arguments, parameter):
    with pytest.raises(core.InputError, match=f"^{parameter} must") as caught:
        rate_interval(**arguments)
    assert caught.value.parameter == parameter


def test_results_can_be_read_and_written():
    found = rate_interval(81, 263, method="clopper-pearson", level=0.9)
    assert str(found).startswith("81 of 263: 30.8% (90% CI ")
    assert str(found).endswith(", Clopper-Pearson)")
    assert json.loads(json.dumps(found.to_dict()))["method"] == "clopper-pearson"
    assert found.ci == core.Interval(low=found.low, high=found.high, level=0.9)
    assert len(found.to_rows()[0]) == len(found.columns)
