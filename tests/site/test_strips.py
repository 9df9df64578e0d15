"""Strips: where marks stand, and what is drawn at the ends of an axis."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.site.strips import WIDTH, Scale, axis, strip

PLAIN = Scale(low=-20, high=80, ticks=(-20, 0, 40, 80), null=0)
RATIO = Scale(low=0.25, high=16, ticks=(0.25, 1, 4, 16), null=1, log=True)


def test_places_on_the_axis():
    assert PLAIN.at(30) == WIDTH / 2
    assert RATIO.at(2) == WIDTH / 2  # midway between 1/4 and 16 by their logarithms
    assert PLAIN.at(-20) == PLAIN.at(-300)
    assert RATIO.at(0) == RATIO.at(0.25)


@given(st.floats(-1e6, 1e6), st.sampled_from([PLAIN, RATIO]))
def test_nothing_is_drawn_outside(value, scale):
    assert 0 < scale.at(value) < WIDTH


def test_an_interval_beyond_the_axis_has_an_arrow_and_an_estimate_beyond_it_no_mark():
    drawn = strip(RATIO, value=20.0, ci=(0.1, 40.0), kind="trial")
    assert drawn.count('class="head"') == 2
    assert 'class="trial"' not in drawn
    assert 'class="trial"' in strip(RATIO, value=2.0, ci=(1.0, 4.0), kind="trial")
    assert 'class="head"' not in strip(RATIO, value=2.0, ci=(1.0, 4.0))


def test_a_strip_is_well_formed_has_no_styles_and_says_nothing_twice():
    for drawn in (axis(PLAIN), strip(PLAIN), strip(PLAIN, value=3.0, ahead=(-5, 9), points=(1, 2), kind="common")):
        root = ET.fromstring(drawn)
        assert root.get("aria-hidden") == "true"
        assert not any("style" in element.attrib for element in root.iter())
    assert "−20" in axis(PLAIN)
    assert re.findall(r'class="(\w+)"', strip(PLAIN, value=math.nan)) == ["strip", "null"]


@pytest.mark.parametrize("points", [(), (9, 24)])
def test_points_are_hollow_circles(points):
    assert strip(PLAIN, points=points).count("<circle") == len(points)
