"""The whole numbers that printed percents leave, alone and together with an effect."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipsevidence.dataset.offering import ArmCount, offered_counts, offered_readings
from ipsevidence.dataset.record import Published


def arm(name, n=None, events=None, percent=None):
    return ArmCount(arm=name, of="randomised", n=n, events=events, percent=percent)


def ratio(estimate, low, high, **more):
    return Published.model_validate(
        {"of": "ips", "against": "usual", "measure": "RR", "estimate": Decimal(estimate)}
        | {"ci": (Decimal(low), Decimal(high)), "from": "s1", "basis": "reported"}
        | more
    )


@pytest.mark.parametrize(
    ("percent", "n", "kind", "counts", "closest"),
    [
        ("76", 42, "only", (32,), 32),  # 32/42 = 76.19; 31 is 73.8, 33 is 78.6
        ("47", 150, "several", (70, 71), 70),  # 46.67 and 47.33; both round to 47, both are a third away
        ("27.1", 183, "nearest", (49, 50), 50),  # 26.78 and 27.32
        ("0", 30, "only", (0,), 0),
        ("100", 30, "only", (30,), 30),
    ],
)
def test_what_a_percent_leaves(percent, n, kind, counts, closest):
    offer = offered_counts(Decimal(percent), n)
    assert (offer.kind, tuple(offer.counts), offer.closest) == (kind, counts, closest)


@given(
    n=st.integers(1, 2000),
    share=st.floats(0, 1),
    digits=st.integers(0, 2),
    rounding=st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]),
)
@example(n=2000, share=0.4855, digits=1, rounding=ROUND_HALF_EVEN)  # exactly between two: 48.55
def test_the_true_count_is_always_offered(n, share, digits, rounding):
    events = round(share * n)
    printed = (Decimal(100 * events) / n).quantize(Decimal(1).scaleb(-digits), rounding)
    offer = offered_counts(printed, n)
    assert offer.kind != "nearest"
    assert events in offer.counts
    gaps = [abs(Decimal(100 * count) / n - printed) for count in offer.counts]
    assert abs(Decimal(100 * offer.closest) / n - printed) == min(gaps)


def test_a_percent_of_very_many_is_not_written_out():
    offer = offered_counts(Decimal(50), 999_999_999)
    assert len(offer.counts) > 9_000_000
    made = offered_readings([arm("ips", 999_999_999, percent="50%")], [], None)
    assert made.alternatives == ()
    assert len(made.remarks[0]) < 300


def test_one_number_is_derived_and_a_printed_number_reported():
    made = offered_readings([arm("ips", 42, percent="76%"), arm("usual", 43, events=12)], [], "abstract")
    assert made.readings[0]["events"] == {"value": 32, "basis": "derived", "rule": "percent-of-n", "as_printed": "76%"}
    assert made.readings[1]["events"] == 12
    assert made.readings[1]["at"] == "abstract"
    assert made.alternatives == ()


def test_several_numbers_are_bounded_with_every_joint_set():
    made = offered_readings([arm("ips", 150, percent="47%"), arm("usual", 140, percent="26%")], [], None)
    assert [reading["events"]["basis"] for reading in made.readings] == ["bounded", "bounded"]
    (sets,) = made.alternatives
    # 47% of 150 is 70 or 71; 26% of 140 is 36 (25.71) or 37 (26.43)
    assert sets["counts"] == [[70, 150, 36, 140], [70, 150, 37, 140], [71, 150, 36, 140], [71, 150, 37, 140]]
    own = [number for reading in made.readings for number in (reading["events"]["value"], reading["n"])]
    assert own in sets["counts"]


def test_a_printed_ratio_leaves_one_joint_set():
    # of the four sets only 71/150 v 37/140 gives 1.79: 70/36 1.815, 70/37 1.766, 71/36 1.841, 71/37 1.791
    arms = [arm("ips", 150, percent="47%"), arm("usual", 140, percent="26%")]
    effect = Published.model_validate(
        {"of": "ips", "against": "usual", "measure": "RR", "estimate": Decimal("1.79"), "from": "s1"}
        | {"basis": "reported"}
    )
    made = offered_readings(arms, [effect], None)
    assert [reading["events"]["value"] for reading in made.readings] == [71, 37]
    assert {reading["events"]["rule"] for reading in made.readings} == {"joint-fit"}
    assert made.alternatives == ()


@pytest.mark.parametrize("effect", [ratio("9.99", "8.00", "12.00"), ratio("1.79", "1.00", "3.20", adjusted=True)])
def test_an_effect_that_says_nothing_of_the_counts_rules_nothing_out(effect):
    arms = [arm("ips", 150, percent="47%"), arm("usual", 140, percent="26%")]
    (sets,) = offered_readings(arms, [effect], None).alternatives
    assert len(sets["counts"]) == 4


def test_where_nothing_fits_the_nearest_are_listed():
    made = offered_readings([arm("ips", 150, percent="47%"), arm("usual", 183, percent="27.1%")], [], None)
    assert made.readings[1]["events"] == {"value": 50, "basis": "approximate", "as_printed": "27.1%"}
    kinds = {entry["kind"]: entry for entry in made.alternatives}
    assert kinds["rounding"]["counts"] == [[70, 150], [71, 150]]
    assert kinds["nearest"]["counts"] == [[49, 183], [50, 183]]


def test_a_percent_without_n_stays_a_percent():
    (reading,) = offered_readings([arm("ips", percent="47%")], [], None).readings
    assert reading["kind"] == "percent"
    assert reading["percent"] == 47


def test_more_sets_than_anybody_reads_are_not_listed():
    # 50% of 20,000 is 9,901 to 10,099 and more: one number in a hundred
    made = offered_readings([arm("ips", 20_000, percent="50%"), arm("usual", 20_000, percent="50%")], [], None)
    assert made.alternatives == ()
    assert "joint sets" in made.remarks[-1]
