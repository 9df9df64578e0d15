"""Findings: how they read, and that nothing hidden gets through them."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence.dataset.findings import Finding, ReadError, excerpt, hidden, visible

FINDING = Finding(
    "studies/x.yaml", 41, 14, "error", "counts-exceed-n", "`events` is 50, but n is 43", "check both in the source"
)


def test_a_finding_reads_as_place_what_and_fix():
    assert str(FINDING) == (
        "studies/x.yaml:41:14  error  counts-exceed-n\n"
        "    `events` is 50, but n is 43\n"
        "    fix: check both in the source"
    )


def test_to_dict_has_every_attribute_in_order():
    assert FINDING.to_dict() == {
        "file": "studies/x.yaml",
        "line": 41,
        "column": 14,
        "severity": "error",
        "check": "counts-exceed-n",
        "what": "`events` is 50, but n is 43",
        "fix": "check both in the source",
    }


def test_a_finding_is_frozen_and_can_be_counted():
    with pytest.raises(AttributeError):
        FINDING.line = 1
    assert len({FINDING, FINDING}) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb", "a\\nb"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("\u00a0", "\\xa0"),
        ("Hellström – 95%", "Hellström – 95%"),
    ],
)
def test_visible_shows_what_cannot_be_seen(text, shown):
    assert visible(text) == shown


def test_excerpt_is_cut_at_80_characters():
    assert excerpt("x" * 80) == "x" * 80
    assert excerpt("x" * 81) == "x" * 77 + "..."
    assert len(excerpt("\u202e" * 1000)) == 80


def test_hidden_finds_each_in_order():
    assert [match.start() for match in hidden("a\u200bé\tb\n")] == [1, 3]
    assert list(hidden("Løvvik, 1.5 – 2 “x”\n")) == []


@pytest.mark.parametrize(
    "code",
    [
        *(
            0x00,
            0x09,
            0x0D,
            0x7F,
            0x85,
            0xA0,
            0xAD,
            0x034F,
            0x061C,
            0x200B,
            0x200F,
            0x2028,
            0x202E,
            0x2066,
            0x2800,
            0x3164,
        ),
        *(0xD800, 0xE000, 0xFE0F, 0xFEFF, 0xFFF9, 0xFFFD, 0xFFFF, 0x1FFFE, 0xE0041, 0xE0100, 0x10FFFF),
    ],
)
def test_hidden_knows(code):
    assert any(hidden(chr(code)))


@settings(deadline=None)
@given(st.text())
def test_whatever_goes_in_a_finding_is_one_visible_line_for_each_part(text):
    finding = Finding(text, 1, 1, "advice", "check", text, excerpt(text))
    assert len(str(finding).split("\n")) == 3
    assert not any(hidden(str(finding)))


def test_a_read_error_says_everything_and_can_be_sent_to_another_process():
    error = ReadError([FINDING, FINDING])
    assert error.findings == (FINDING, FINDING)
    assert str(error) == f"{FINDING}\n{FINDING}"
    assert pickle.loads(pickle.dumps(error)).findings == error.findings
