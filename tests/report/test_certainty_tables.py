"""What people judged of certainty stands in every form of the report, with a footnote for each step."""

import io
from pathlib import Path

import docx
import pytest

from ipsevidence.analysis.reproduction import reproduce
from ipsevidence.analysis.resultfiles import plain
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.reader import read
from ipsevidence.report.methods_prose import methods
from ipsevidence.report.outline import Material, outline
from ipsevidence.report.page import html_report, spec_text
from ipsevidence.report.plain import markdown_report
from ipsevidence.report.word import word_report
from tests.analysis.test_certainty import judged

ROOT = Path(__file__).parents[2]


def made_with(certainty, data, name="primary-smi"):
    spec = find_spec(name, data.root).model_copy(update={"certainty": certainty, "sensitivity": (), "moderators": ()})
    return reproduce(spec, data)


@pytest.fixture(scope="module")
def data():
    return load(ROOT)


@pytest.fixture(scope="module")
def rated(data):
    return made_with(judged("low", risk_of_bias="serious", publication_bias="strongly-suspected"), data)


@pytest.fixture(scope="module")
def report(rated, data):
    return outline(Material(reproduction=rated, dataset=data))


def grid(report, key):
    return next(one.table for one in report.grids if one.key == key)


def test_the_summary_of_findings_has_the_rating_once_with_a_footnote_for_each_step(report):
    table = grid(report, "summary")
    assert [row[-1] for row in table.rows if row[-1]] == ["low (a, b)"]
    assert table.notes[0].startswith("Certainty was judged by A on 2026-11-22 (GRADE)")
    assert "from randomised trials starts at high" in table.notes[0]
    assert table.notes[1:3] == (
        "(a) Risk of bias: serious, lowered by one level: made up",
        "(b) Publication bias: strongly suspected, lowered by one level: made up",
    )


def test_what_was_computed_stands_beside_what_was_judged(report):
    table = grid(report, "certainty")
    assert [column.heading for column in table.columns] == ["Domain", "What was found", "Judgement", "Why"]
    rows = {row[0]: row[1:] for row in table.rows}
    assert list(rows) == ["Risk of bias", "Inconsistency", "Indirectness", "Imprecision", "Publication bias"]
    assert rows["Inconsistency"][0].startswith("I\u00b2 ")
    assert rows["Publication bias"][0].endswith("give no usable number")
    assert rows["Publication bias"][1:] == ("strongly suspected", "made up")


def test_every_form_of_the_report_says_it(report):
    document = docx.Document(io.BytesIO(word_report(report)))
    words = "\n".join(
        [one.text for one in document.paragraphs]
        + [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    )
    for text in (html_report(report), markdown_report(report), words):
        assert "low (a, b)" in text
        assert "strongly suspected, lowered by one level: made up" in text
        assert "not assessed, and why" in text  # risk of bias, which nobody has assessed
        assert "nobody has entered a judgement" not in text


def test_the_methods_and_the_checklist_know_that_it_was_judged(rated, report, data):
    said = [one.text for part in methods(rated) for one in part]
    assert "Certainty of evidence was judged by GRADE, on 2026-11-22, by A." in said
    assert "Certainty of evidence was not judged." not in said
    items = {row[0]: row[2] for row in grid(report, "prisma").rows}
    assert items["15"] == items["22"] == "Summary of findings"
    bare = outline(Material(reproduction=made_with(None, data), dataset=data))
    items = {row[0]: row[2] for row in grid(bare, "prisma").rows}
    assert items["15"] == items["22"] == "Summary of findings (not assessed, and why)"


def test_what_raises_is_a_footnote_and_a_row(data):
    spec = find_spec("quasi-experiments", data.root).model_copy(
        update={"certainty": judged("moderate", start="low", raised=("large-effect",)), "sensitivity": ()}
    )
    found = outline(Material(reproduction=reproduce(spec, data), dataset=data))
    summary = grid(found, "summary")
    assert summary.rows[0][-1] == "moderate (a)"
    assert summary.notes[1] == "(a) Large effect: raised by one level: made up"
    assert "not from randomised trials alone starts at low" in summary.notes[0]
    assert grid(found, "certainty").rows[-1][0] == "Large effect"


def test_the_results_and_the_spec_beside_the_report_carry_it(rated):
    spec = rated.run.spec
    assert plain(rated)["spec"]["certainty"]["rating"] == "low"
    from ipsevidence.analysis.spec import Spec

    assert read(spec_text(spec).encode(), Spec, file="primary-smi.yaml")[0].certainty == spec.certainty
