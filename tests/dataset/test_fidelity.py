"""Fidelity scales: bands by their own scale, and no silent mixing."""

from pathlib import Path

import pytest

from ipsevidence.dataset.collection import load
from ipsevidence.dataset.fidelity import SCALES, FidelityError, band, on_common_axis, same_scale
from ipsevidence.dataset.vocabulary import SCALE

ROOT = Path(__file__).parents[2]


def test_every_scale_of_the_vocabulary_is_described():
    assert list(SCALES) == [key for key in SCALE if key != "not-stated"]


@pytest.mark.parametrize(
    ("scale", "score", "label"),
    [
        ("ips-25", 125, "exemplary"),
        ("ips-25", 100, "good"),  # ipsgrow.org.uk: 100 or above is good fidelity
        ("ips-25", 99, "fair"),
        ("ips-25", 99.5, "fair"),
        ("ips-25", 74, "fair"),  # title of the UK form: fair 74-99
        ("ips-25", 73, "not IPS"),
        ("ips-15", 66, "good"),
        ("ips-15", 55, "not supported employment"),
    ],
)
def test_bands(scale, score, label):
    assert band(scale, score).label == label


def test_bands_of_a_scale_leave_no_gap_and_do_not_overlap():
    for scale in SCALES.values():
        for above, below in zip(scale.bands, scale.bands[1:], strict=False):
            assert below.high + 1 == above.low
        if scale.bands:
            assert (scale.bands[-1].low, scale.bands[0].high) == (scale.lowest, scale.highest)


def test_a_scale_without_bands_gives_none():
    assert band("ips-y", 110) is None


def test_the_same_label_stands_at_different_places():
    good15, good25 = on_common_axis("ips-15", 66), on_common_axis("ips-25", 100)
    assert good15 == pytest.approx(0.85)
    assert good25 == pytest.approx(0.75)
    assert (on_common_axis("ips-25", 25), on_common_axis("ips-25", 125)) == (0, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: band("ips-25", 126), "from 25 to 125; got 126"),
        (lambda: band("ips-52", 100), "no such fidelity scale"),
        (lambda: on_common_axis("ips-y", 100), "not read"),
        (lambda: on_common_axis("ips-15", 80), "from 15 to 75"),
        (lambda: same_scale(("ips-15", "ips-25")), "one scale are wanted; got ips-15, ips-25"),
        (lambda: same_scale(("not-stated",)), "one scale"),
        (lambda: same_scale(()), "got none"),
    ],
)
def test_what_cannot_be_is_said(call, message):
    with pytest.raises(FidelityError, match=message):
        call()


def test_one_scale_is_returned():
    assert same_scale(("ips-25", "ips-25")) == "ips-25"


def test_every_score_of_the_records_is_one_that_its_scale_can_have():
    for study in load(ROOT):
        for fidelity in study.fidelity:
            if fidelity.score is None or SCALES.get(fidelity.scale) is None:
                continue
            for score in (fidelity.score.value, fidelity.score.low, fidelity.score.high):
                if score is not None:
                    band(fidelity.scale, float(score))
