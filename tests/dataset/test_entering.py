"""What is typed becomes a value, or one clear error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.core import InputError
from ipsevidence.dataset.entering import ARM_KEYS, FIELDS, pairs_of, tidied, value_of
from ipsevidence.dataset.findings import hidden


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("doi", "https://doi.org/10.1176/appi.ps.201100340", "10.1176/appi.ps.201100340"),
        ("doi", "doi: 10.1176/appi.ps.201100340", "10.1176/appi.ps.201100340"),
        ("country", "no", "NO"),
        ("group", "SMI", "smi"),
        ("title", "  A\u00a0trial \n of  IPS ", "A trial of IPS"),
        ("title", "sup\u00adported em\u200bployment", "supported employment"),
        ("year", "2025", "2025"),
        ("months", "4.5", "4.5"),
    ],
)
def test_values(key, typed, value):
    assert value_of(key, typed) == value


@pytest.mark.parametrize(
    ("key", "typed", "message"),
    [
        ("doi", "10.1/x", "--doi must be a DOI such as 10.1176/appi.ps.201100340; got 10.1/x"),
        ("country", "XX", "--country must be a term of its list"),
        ("group", "veteran", "nearest: veterans-ptsd"),
        ("year", "1869", "--year must be a year from 1970 to 2099; got 1869"),
        ("participants", "1.5", "must be a whole number; got 1.5"),
        ("months", "1e3", "must be a number of months; got 1e3"),
        ("icc", "٣", "must be a number"),
        ("title", "  ", "got nothing"),
        ("title", "x" * 5000, "--title must be a text"),
        ("tag", "../../x", "small letters"),
        ("title", "a\u202eb", "U+202E"),
        ("title", "a\x1b[31mb", "U+001B"),
    ],
)
def test_refusals_name_the_option_what_it_must_be_and_what_it_got(key, typed, message):
    with pytest.raises(InputError) as caught:
        value_of(key, typed)
    assert message in str(caught.value)
    assert not any(hidden(str(caught.value)))


def test_pairs():
    typed = "treatment=ips, label=IPS, at two sites, n = 84, percent=46.4%"
    assert pairs_of(typed, ARM_KEYS, "arm") == {
        "treatment": "ips",
        "label": "IPS, at two sites",
        "n": "84",
        "percent": "46.4%",
    }


@pytest.mark.parametrize("typed", ["", "ips", "treatment=", "n=1, n=2", "size=3", "=3", "n=1,, size=2"])
def test_pairs_that_are_none(typed):
    with pytest.raises(InputError, match="--arm must be key=value pairs"):
        pairs_of(typed, ARM_KEYS, "arm")


@given(key=st.sampled_from(sorted(FIELDS)), text=st.text(max_size=60))
def test_any_text_is_a_clean_value_or_an_input_error(key, text):
    refused = ""
    try:
        value = value_of(key, text)
    except InputError as error:
        value, refused = "", str(error)
    assert bool(value) != bool(refused)
    assert value == tidied(value)
    assert not any(hidden(refused))
