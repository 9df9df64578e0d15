"""Committed results: compared at 1e-9 relative, text exactly."""

import json
from decimal import Decimal

import pytest

from ipsevidence.analysis import resultfiles
from ipsevidence.analysis.resultfiles import changes, differences, read_result, write_result


def test_equal_within_the_tolerance():
    old = {"a": 1.0, "b": [1, 2.0], "c": "x", "d": None, "e": True}
    assert differences(old, {"a": 1.0 + 5e-10, "b": [1, 2.0], "c": "x", "d": None, "e": True}) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ({"a": {"b": 1.0}}, {"a": {"b": 1.0 + 3e-9}}, "a.b: 1.0 -> 1.000000003"),
        ({"a": "x"}, {"a": "y"}, 'a: "x" -> "y"'),
        ({"a": [1, 2]}, {"a": [1, 3]}, "a[1]: 2 -> 3"),
        ({"a": [1]}, {"a": [1, 2]}, "a: [1] -> [1, 2]"),
        ({"a": 1}, {}, "a: 1 -> null"),
        ({"a": 0}, {"a": 1e-300}, "a: 0 -> 1e-300"),
        ({"a": True}, {"a": 1}, "a: true -> 1"),
        ({"a": None}, {"a": 0.0}, "a: null -> 0.0"),
    ],
)
def test_every_other_difference_is_said(old, new, line):
    assert differences(old, new) == [line]


def test_numbers_are_kept_at_twelve_digits():
    settled = resultfiles._settled({"a": 1 / 3, "b": float("nan"), "c": Decimal("2.10"), "d": 9.0, "e": (1, "x")})
    assert settled == {"a": 0.333333333333, "b": None, "c": 2.1, "d": 9, "e": [1, "x"]}


def test_written_whole_and_read_back(tmp_path):
    path = tmp_path / "results" / "a.json"
    write_result(path, {"a": "Å", "b": 0.1})
    assert read_result(path) == {"a": "Å", "b": 0.1}
    assert path.read_text(encoding="utf-8").endswith("}\n")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_result(path, {"a": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "Å", "b": 0.1}


def test_a_committed_result_that_is_missing_or_broken_is_a_difference(tmp_path):
    path = tmp_path / "a.json"
    assert changes(path, {}) == ["there is no committed result"]
    for broken in (b"{", b"[1]", b"\xff", b"", b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}"):
        path.write_bytes(broken)
        assert changes(path, {"a": 1.0}) == ["there is no readable committed result"]
    write_result(path, {"a": 1.0})
    assert changes(path, {"a": 1.0}) == []
    assert changes(path, {"a": 2}) == ["a: 1.0 -> 2"]


def test_a_number_beyond_any_float_is_a_difference():
    assert len(differences({"a": 10**400}, {"a": 1.0})) == 1
