"""The tree, its plain values and places, and the one rule that types an unquoted scalar."""

import re
from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence.dataset.tree import (
    Mapping,
    Mark,
    Scalar,
    Sequence,
    doubt,
    is_key,
    is_number,
    is_plain_key,
    plain,
    position,
)

# YAML 1.2, core schema: what is not text.
CORE = re.compile(
    r"null|Null|NULL|~||true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


@pytest.mark.parametrize("text", ["0", "-0", "42", "-3", "2.10", "0.05", "-0.5", "123456789012345", "0.12345678901234"])
def test_numbers(text):
    assert is_number(text)
    assert doubt(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NO", "Norway"),
        ("no", "true or false"),
        ("Yes", "true or false"),
        ("on", "true or false"),
        ("OFF", "true or false"),
        ("y", "true or false"),
        ("N", "true or false"),
        ("True", "true or false"),
        ("FALSE", "true or false"),
        ("", "empty"),
        ("~", "empty"),
        ("null", "empty"),
        ("NULL", "empty"),
        (".nan", "finite"),
        ("NaN", "finite"),
        ("-.INF", "finite"),
        ("inf", "finite"),
        ("+infinity", "finite"),
        ("=", "meaning of its own"),
        ("<<", "meaning of its own"),
        ("1e-3", "exponent"),
        ("1E5", "exponent"),
        ("-1.5e+3", "exponent"),
        (".5e3", "exponent"),
        ("12:30", "base 60"),
        ("1:2:3.5", "base 60"),
        ("017", "starts with 0"),
        ("00", "starts with 0"),
        ("08.5", "starts with 0"),
        ("0o17", "another base"),
        ("0x1F", "another base"),
        ("-0b1", "another base"),
        ("1_000", "underscores"),
        ("1_000.5", "underscores"),
        ("_1", "underscores"),
        (".5", "both sides"),
        ("5.", "both sides"),
        ("-.5", "both sides"),
        ("+5", "plus sign"),
        ("+5.0", "plus sign"),
        ("1.2.3", "several points"),
        ("2026-11-21", "date"),
        ("2026-11-21T10:00:00Z", "date"),
        ("2026-1-2 10:00:00", "date"),
        ("2,5", "decimal comma"),
        ("1,193", "decimal comma"),
        ("1,193.5", "decimal comma"),
        ("1 193", "thousands"),
        ("1'193", "thousands"),
        ("1234567890123456", "16 digits"),
        ("0.1234567890123456", "16 digits"),
        ("1" * 300, "300 digits"),
        ("1," * 100, "very long"),
        ("٣", "digits 0 to 9"),
        ("−5", "digits 0 to 9"),
        ("0·62", "digits 0 to 9"),
        ("\uff15", "digits 0 to 9"),
        ("\uff14\uff12%", "digits 0 to 9"),
    ],
)
def test_doubtful(text, words):
    what, fix = doubt(text)
    assert words in what
    assert fix
    assert not is_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *("none", "yesterday", "n/a", "76%", "42 + 43", "1.64-4.54", "<.05", "_", "-", ".", "10.1176/appi.ps", "12h"),
        *("true", "false", "2012-2014", "NCT00333801", "é", "−", "1 to 2", "1 persons" * 20, "3–5"),
    ],
)
def test_no_doubt(text):
    assert doubt(text) is None


@settings(deadline=None)
@given(
    st.text("0123456789+-_.:,eExXoObBaAfFnNyYtTrRuUlLsSiIZ ~=<%'", max_size=14).map(str.strip)
    | st.sampled_from("0123456789+-_.:eE").flatmap(
        lambda head: st.text("0123456789+-_.:eE", max_size=8).map(head.__add__)
    )
)
def test_what_is_not_in_doubt_is_the_same_to_yaml_1_1_and_1_2(text):
    if doubt(text) is not None:
        return
    tag = yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False))
    core = CORE.fullmatch(text) is not None
    if is_number(text):
        assert tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        assert core
    elif text in ("true", "false"):
        assert tag == "tag:yaml.org,2002:bool"
        assert core
    else:
        assert tag == "tag:yaml.org,2002:str"
        assert not core


@pytest.mark.parametrize(("key", "word", "bare"), [("n_randomised", True, True), ("n", True, True), ("s1", True, True)])
def test_keys(key, word, bare):
    assert is_key(key) is word
    assert is_plain_key(key) is bare


@pytest.mark.parametrize("key", ["on", "true", "null", "12", "1e3", "017"])
def test_keys_that_need_quotes(key):
    assert is_key(key)
    assert not is_plain_key(key)


@pytest.mark.parametrize("key", ["", "a b", "а", "é", "a" * 65, "a\n", "1.5"])
def test_what_cannot_be_a_key(key):
    assert not is_key(key)
    assert not is_plain_key(key)


def scalar(text, line=1, column=1, *, quoted=False):
    return Scalar(text, quoted, Mark(line, column))


TREE = Mapping(
    (
        (scalar("id", 1, 1), scalar("x", 1, 5)),
        (scalar("n", 2, 1), scalar("42", 2, 4)),
        (
            scalar("arms", 3, 1),
            Sequence((scalar("2.10", 4, 3), scalar("2.10", 5, 3, quoted=True), scalar("true", 6, 3)), Mark(4, 1)),
        ),
    ),
    Mark(1, 1),
)


def test_plain_values():
    value = plain(TREE)
    assert value == {"id": "x", "n": 42, "arms": [Decimal("2.10"), "2.10", True]}
    assert str(value["arms"][0]) == "2.10"
    assert plain(TREE, sequence=tuple)["arms"] == (Decimal("2.10"), "2.10", True)


@pytest.mark.parametrize(
    ("loc", "place"),
    [
        ((), (1, 1)),
        (("id",), (1, 5)),
        (("arms", 1), (5, 3)),
        (("arms", 7), (4, 1)),
        (("arms", -1), (4, 1)),
        (("missing",), (1, 1)),
        (("arms", "list[int]", 2, "int"), (6, 3)),
        (("n", "Number", "value"), (2, 4)),
    ],
)
def test_position(loc, place):
    assert position(TREE, loc) == place


def test_position_of_a_key():
    assert position(TREE, ("arms",), key=True) == (3, 1)
    assert position(TREE, ("arms", 0), key=True) == (4, 3)


def test_nodes_are_frozen():
    with pytest.raises(AttributeError):
        TREE.pairs[0][0].text = "y"
