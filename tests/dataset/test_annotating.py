"""Findings for other programs: nothing that a file says becomes a command or a link."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.dataset.annotating import github_annotations, sarif_log
from ipsevidence.dataset.findings import Finding

COMMANDS = {"error", "notice", "warning", "stop-commands", "add-mask", "set-output", "save-state", "debug", "group"}


def finding(**changes):
    given_ = {
        "file": "studies/a-2020.yaml",
        "line": 3,
        "column": 5,
        "severity": "error",
        "check": "tab",
        "what": "a tab",
        "fix": "replace it by a space",
    }
    return Finding(**(given_ | changes))


def as_the_runner_reads(line):
    """Parse a line of output as GitHub's runner does (ActionCommand.cs: TryParseV2, then TryParse)."""
    stripped = line.lstrip()
    if stripped.startswith("::") and (end := stripped.find("::", 2)) >= 0:
        name, _, rest = stripped[2:end].partition(" ")
        if name in COMMANDS:
            pairs = [part.split("=", 1) for part in rest.strip().split(",") if part]
            properties = {pair[0]: unescaped(pair[1], "\r\n:,%") for pair in pairs if len(pair) == 2}
            return name, properties, unescaped(stripped[end + 2 :], "\r\n%")
    match = re.search(r"##\[([^\] ]*)[^\]]*\](.*)", line)
    return (match[1], {}, match[2]) if match and match[1] in COMMANDS else None


def unescaped(text, characters):
    for character in characters:
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def test_an_annotation():
    (line,) = github_annotations([finding()])
    assert line == "::error file=studies/a-2020.yaml,line=3,col=5,title=tab::a tab; fix: replace it by a space"


def test_advice_is_a_notice():
    (line,) = github_annotations([finding(severity="advice")])
    assert line.startswith("::notice ")


@pytest.mark.parametrize(
    "hostile",
    [
        "\n::error file=x::pwned",
        "\r::stop-commands::abc",
        "##[add-mask]secret",
        "::set-output name=a::b",
        "%0A::error::x",
        "a,line=999::b",
        "\u2028::error::x\u0085::debug::y",
        "%250A",
    ],
)
def test_a_hostile_text_stays_text(hostile):
    made = finding(file=f"studies/{hostile}.yaml", what=hostile, fix=hostile, check=f"x{hostile}")
    (line,) = github_annotations([made])
    assert len(line.splitlines()) == 1
    name, properties, message = as_the_runner_reads(line)
    assert name == "error"
    assert properties.keys() == {"file", "line", "col", "title"}
    assert properties["line"] == "3"
    assert properties["file"] == made.file
    assert message == f"{made.what}; fix: {made.fix}"


@given(file=st.text(min_size=1), what=st.text(), fix=st.text())
def test_any_text_comes_back_from_the_runner_as_it_was(file, what, fix):
    made = finding(file=file, what=what, fix=fix)
    (line,) = github_annotations([made])
    assert len(line.splitlines()) == 1
    assert as_the_runner_reads(line) == (
        "error",
        {"file": made.file, "line": "3", "col": "5", "title": "tab"},
        f"{made.what}; fix: {made.fix}",
    )


def essentials(log):
    """Check a log against what the schema of SARIF 2.1.0 demands of the parts that are used."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        assert set(run) <= {"tool", "results", "columnKind"}
        assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
        driver = run["tool"]["driver"]
        assert driver["name"]
        assert re.fullmatch(r"\d+\.\d+\.\d+.*", driver["semanticVersion"])
        rules = [rule["id"] for rule in driver["rules"]]
        assert len(rules) == len(set(rules))
        for rule in driver["rules"]:
            assert set(rule) <= {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration"}
            assert all(rule[key]["text"] for key in set(rule) & {"shortDescription", "fullDescription", "help"})
        for result in run["results"]:
            assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
            assert rules[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in {"none", "note", "warning", "error"}
            assert isinstance(result["message"]["text"], str)
            for location in result["locations"]:
                place = location["physicalLocation"]
                assert re.fullmatch(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", place["artifactLocation"]["uri"])
                assert place["region"]["startLine"] >= 1
                assert place["region"]["startColumn"] >= 1


def test_a_log_has_what_the_schema_demands():
    made = [
        finding(),
        finding(check="percent-does-not-fit", severity="advice", file="studies/ä b.yaml"),
        finding(check="unheard-of", file="/data/studies/a.yaml"),
    ]
    log = sarif_log(made, "0.1.0")
    essentials(json.loads(json.dumps(log)))
    (run,) = log["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["tab", "percent-does-not-fit", "unheard-of"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]]
    assert uris == ["studies/a-2020.yaml", "studies/%C3%A4%20b.yaml", "file:///data/studies/a.yaml"]
    assert run["results"][1]["level"] == "note"


def test_nothing_found_is_an_empty_log():
    log = sarif_log([], "0.1.0")
    essentials(log)
    assert log["runs"][0]["results"] == []


@given(file=st.text(min_size=1), what=st.text())
def test_no_text_becomes_a_link(file, what):
    log = sarif_log([finding(file=file, what=what + "[here](javascript:alert(1))")], "0.1.0")
    essentials(log)
    assert "](" not in log["runs"][0]["results"][0]["message"]["text"]
