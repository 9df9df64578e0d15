"""Text is made safe, measured, wrapped and cut."""

import base64
import io
import re

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.figures.lettering import ELLIPSIS, balance, clean, fit, sentence, width, wrap
from ipsevidence.figures.style import context, font, font_face

characters = st.text(st.characters(codec="latin-1"), max_size=120)


@pytest.fixture(autouse=True)
def _drawing():
    with context():
        yield


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  a \n b\t c\r\n", "a b c"), ("95%\u00a0CI", "95%\u00a0CI"), ("a\u202eb\u200b", "ab"), ("\ud800", "\ufffd"),
        ("Hellstro\u0308m", "Hellström"), ("z" + "\u0301" * 50, "ź\u0301"), ("x" * 300, "x" * 199 + ELLIPSIS), ("", ""),
    ],
)  # fmt: skip
def test_clean(text, cleaned):
    assert clean(text) == cleaned


def test_sentence():
    assert sentence("one trial, not a pool") == "One trial, not a pool."
    assert sentence("Done.") == "Done."
    assert sentence(" ") == ""


def test_fit_cuts_what_is_too_wide():
    assert fit("short", 100, 7) == "short"
    cut = fit("a rather long name", 40, 7)
    assert cut.endswith(ELLIPSIS)
    assert width(cut, 7) <= 40


@given(text=characters, limit=st.floats(20, 200), tail=st.sampled_from(["", "\u202f†"]))
def test_wrapped_lines_fit_and_lose_nothing(text, limit, tail):
    with context():
        cleaned = clean(text)
        lines = wrap(cleaned, limit, 7, tail=tail)
        assert all(width(line, 7) <= limit for line in lines)
        assert "".join(lines).replace(" ", "") == (cleaned + tail).replace(" ", "")


@given(text=characters, most=st.integers(1, 3))
def test_wrapped_lines_are_no_more_than_asked_for_and_keep_their_tail(text, most):
    with context():
        lines = wrap(clean(text), 60, 7, most=most, tail="\u202f‡")
        assert len(lines) <= most
        assert lines[-1].endswith("\u202f‡")
        assert all(width(line, 7) <= 60 for line in lines)


@given(text=characters, limit=st.floats(20, 200), tail=st.sampled_from(["", "\u202f†"]))
def test_balanced_lines_are_as_many_and_fit(text, limit, tail):
    with context():
        cleaned = clean(text)
        plain, balanced = wrap(cleaned, limit, 7, tail=tail), balance(cleaned, limit, 7, tail=tail)
        assert len(balanced) == len(plain)
        assert max(width(line, 7) for line in balanced) <= max(width(line, 7) for line in plain)
        assert "".join(balanced).replace(" ", "") == (cleaned + tail).replace(" ", "")


def test_no_word_is_left_alone():
    text = "Psychiatric disorders other than severe mental illness"
    limit = width(text.removesuffix(" illness"), 7.5) + 1
    assert wrap(text, limit, 7.5)[1] == "illness"
    assert balance(text, limit, 7.5) == ("Psychiatric disorders other", "than severe mental illness")


def test_digits_are_tabular():
    assert len({width(digit, 7.5) for digit in "0123456789"}) == 1
    assert len({width(digit, 7.5, bold=True) for digit in "0123456789"}) == 1


def test_every_sign_that_figures_use_is_in_the_font():
    for bold in (False, True):
        held = TTFont(font(7.0, bold=bold).get_file()).getBestCmap()
        assert {ord(sign) for sign in "†‡§¶τχ²−–←→…·×±≤≥\u202f\u00a0éøßŁńЖΩ"} <= set(held)


def test_signs_are_not_kerned():
    assert width("11", 7.5) == pytest.approx(2 * width("1", 7.5), abs=0.01)
    assert "kern" not in TTFont(font(7.0).get_file())


@pytest.mark.parametrize("bold", [False, True])
def test_the_font_of_a_file_holds_its_characters_in_the_measured_widths(bold):
    rule = font_face("2.23 [1.53–3.26]", bold=bold)
    assert rule == font_face("2.23 [1.53–3.26]", bold=bold)
    assert len(rule) < 6000
    face = TTFont(io.BytesIO(base64.b64decode(re.search(r"base64,([^)]+)", rule).group(1))))
    # What OpenType asks of a font; Chromium refuses one without any of them, and draws another in its place.
    assert {"cmap", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post", "glyf", "loca"} <= set(face.keys())
    whole = TTFont(font(7.0, bold=bold).get_file())
    for sign in "123[].–":
        assert face["hmtx"][face.getBestCmap()[ord(sign)]][0] == whole["hmtx"][whole.getBestCmap()[ord(sign)]][0]
