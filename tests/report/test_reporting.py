"""The report verb: all files of one analysis, said in words or as JSON."""

import json

import pytest

from ipsevidence.analysis.specfiles import SpecNotFoundError
from ipsevidence.terminal.reporting import reported

SPEC = """schema: 1
id: own
title: made up
purpose: living
question: {population: made up, intervention: made up, comparator: made up, outcome: made up}
studies: {where: {}}
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_all_files_are_written_and_named(toy, spec, tmp_path, capsys):
    reported(str(spec), tmp_path / "out", toy.root, as_json=True, quiet=False)
    told = json.loads(capsys.readouterr().out)
    assert told["command"] == "report"
    here = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert set(told["data"]["files"]) == here
    assert {"report.html", "report.docx", "report.md", "analysis.R", "analysis.ipynb", "references.bib"} <= here


def test_it_says_where_they_are_or_nothing(toy, spec, tmp_path, capsys):
    reported(str(spec), tmp_path / "out", toy.root, as_json=False, quiet=False)
    said = capsys.readouterr().out
    assert str(tmp_path / "out" / "report.html") in said
    assert "spec.yaml" in said
    reported(str(spec), tmp_path / "out", toy.root, as_json=False, quiet=True)
    assert capsys.readouterr().out == ""


def test_an_analysis_that_there_is_not_is_named(toy, tmp_path):
    with pytest.raises(SpecNotFoundError, match="no analysis 'none'"):
        reported("none", tmp_path, toy.root, as_json=False, quiet=True)
