"""What the verb diff prints: revisions and folders, text, Markdown and JSON."""

import json
import os
import shutil
import subprocess

import pytest
from typer import BadParameter

from ipsevidence.analysis.revisions import RevisionError
from ipsevidence.dataset.collection import DataNotFoundError
from ipsevidence.terminal.diff import compared
from ipsevidence.terminal.output import UserError
from tests.analysis.twins import ALPHA, swap, write_pair


@pytest.fixture
def pair(tmp_path):
    return write_pair(tmp_path)


def printed(capsys, *places, base=None, data=None, **options):
    compared(places, base, data, **{"as_markdown": False, "as_json": False, "quiet": False, **options})
    return capsys.readouterr().out


def test_two_folders_as_text(capsys, pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    text = printed(capsys, old, new)
    order = ["before: ", "1 record changed.", "Records, reviews and claims", "Analyses", "Rows of the forest plots"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    # 2.22 (1.57 to 3.15) and the weights 55.6 and 57.9: see tests/analysis/test_comparing.py
    for part in ("RR 2.00 [1.40–2.86]", "RR 2.22 [1.57–3.15]", "55.6% → 57.9%", "differs (2.22)", "supported"):
        assert part in text
    assert "Both sides were computed by ipsevidence" in text
    assert "Both sides" not in printed(capsys, old, new, quiet=True)


def test_markdown(capsys, pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    text = printed(capsys, old, new, as_markdown=True)
    assert text.startswith("## What this change does\n")
    assert "| two: Two trials | effect | RR 2.00 \\[1.40–2.86] | RR 2.22 \\[1.57–3.15] |" in text


def test_json_for_machines(capsys, pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    document = json.loads(printed(capsys, old, new, as_json=True))
    assert set(document) == {"schema", "command", "data", "notes"}
    assert document["command"] == "diff"
    assert document["notes"][0] == "1 record changed."
    two = next(one for one in document["data"]["analyses"] if one["id"] == "two")
    assert two["before"]["numbers"]["estimate"] == 2
    assert two["before"]["numbers"]["prediction_low"] is None
    assert two["rows"][0]["after"]["counts"] == "36/50 v 15/50"


def test_no_change_says_so(capsys, pair):
    old, new = pair
    assert "Nothing changed: the two sides are the same." in printed(capsys, old, new)
    swap(new, ALPHA, "schema: 1", "# a remark\nschema: 1")
    text = printed(capsys, old, new)
    assert f"Nothing changed but the form of 1 file ({ALPHA})" in text
    assert json.loads(printed(capsys, old, new, as_json=True))["data"]["nothing"] is True


def test_a_broken_record_does_not_stop_it(capsys, pair):
    old, new = pair
    swap(new, "studies/gamma-2003.yaml", "design: {type: pilot-rct", "design: {type: guess")
    text = printed(capsys, old, new)
    assert "Records that cannot be read" in text
    assert "studies/gamma-2003.yaml:9:" in text
    assert "1 record that cannot be read any more" in text
    assert "By rule" in text


def test_workflow_commands_are_not_passed_on(capsys, pair):
    old, new = pair
    swap(new, ALPHA, "log:", 'notes: "::error::made up"\nlog:')
    for options in ({}, {"as_markdown": True}):
        assert "::" not in printed(capsys, old, new, **options)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_working_tree_against_a_revision(capsys, pair, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    root = pair[1]
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "first"), ("tag", "v1")):
        subprocess.run(["git", *who, "-C", root, *command], check=True)
    swap(root, ALPHA, "events: 30", "events: 36")
    monkeypatch.chdir(root)
    text = printed(capsys)
    assert "before: HEAD (" in text
    assert "after: the working tree" in text
    assert "RR 2.22 [1.57–3.15]" in text
    assert "before: v1 (" in printed(capsys, base="v1", data=root)
    with pytest.raises(RevisionError) as error:
        printed(capsys, base="--upload-pack=touch ran")
    assert "must be a branch" in UserError.of(error.value).message


def test_what_does_not_go_together(capsys, pair):
    old, new = pair
    for places, options in (((old,), {}), ((old, new, new), {}), (pair, {"base": "main"}), (pair, {"data": new})):
        with pytest.raises(BadParameter):
            printed(capsys, *places, **options)
    with pytest.raises(BadParameter):
        printed(capsys, old, new, as_markdown=True, as_json=True)
    with pytest.raises(DataNotFoundError):
        printed(capsys, old / "nowhere", new)
