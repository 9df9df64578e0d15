"""Rates of services by kind: one reading a kind and group, with Wilson's interval where there are counts."""

import math

import pytest

import ipsevidence
from ipsevidence.analysis.service_rates import service_rates


@pytest.fixture(scope="module")
def rates():
    return service_rates(ipsevidence.load())


def one(rates, study, kind):
    return [rate for rate in rates if rate.study == study and rate.kind == kind]


def test_one_rate_a_kind_and_group(rates):
    keys = [(rate.study, rate.arm, rate.kind) for rate in rates]
    assert len(keys) == len(set(keys))
    assert all(0 <= rate.rate <= 1 for rate in rates)
    assert all(rate.design != "randomised trial" for rate in rates)


def test_the_longest_follow_up_of_a_cohort_stands_for_it(rates):
    # Rinaldi 2010 prints six time points of one cohort, 32 of 67 at 24 months the last
    (rate,) = one(rates, "rinaldi-2010", "competitive employment, at that time")
    assert (rate.events, rate.n, rate.months) == (32, 67, 24)
    # Newcombe 1998, method 3, by hand: (p + z2/2n -+ z sqrt(p q/n + z2/4n2)) / (1 + z2/n)
    p, n, z = 32 / 67, 67, 1.959963984540054
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (rate.low, rate.high) == pytest.approx(
        ((middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n))
    )


def test_a_percent_without_counts_has_no_interval(rates):
    (rate,) = one(rates, "catalonia-ips-2020", "competitive employment, time not stated")
    assert rate.rate == pytest.approx(0.43)
    assert math.isnan(rate.n)
    assert math.isnan(rate.low)


def test_the_latest_of_equal_readings_is_taken(rates):
    (rate,) = one(rates, "fss-programme", "job start, time not stated")
    assert (rate.events, rate.n) == (26565, 70513)
    assert rate.period == "April 2018 to September 2024"


def test_quasi_experiments_bring_in_the_programme_only(toy):
    (rate,) = service_rates(toy)
    assert (rate.study, rate.treatment, rate.events, rate.n) == ("epsilon-2005", "ips", 30, 50)
    assert len(rate.to_rows()[0]) == len(rate.columns)
    assert rate.to_dict()["kind"] == "competitive employment, at any time up to then"
