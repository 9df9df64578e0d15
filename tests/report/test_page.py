"""The report: every number of the run is on it, nothing in it can run, and twice the same bytes."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.resultfiles import plain
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.spec import Subgroups
from ipsevidence.analysis.usertables import table_spec
from ipsevidence.dataset.collection import load
from ipsevidence.report import tables
from ipsevidence.report.page import PLOTS, inputs_csv, write_report

ROOT = Path(__file__).parents[2]
FILES = {"report.html", "forest.svg", "forest.png", "forest.pdf", "results.json", "inputs.csv"}
VOID = {"meta", "br", "hr", "img", "link", "input"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    reproduction = reproduce("bond-2019-nine-rcts", load(ROOT))
    write_report(reproduction, folder)
    return folder, reproduction


class Balanced(HTMLParser):
    """Collects text, and fails on tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        del attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page_text(html):
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    return re.sub(r"\s+", " ", " ".join(parser.text))  # \s takes no-break spaces too


def test_the_folder_holds_what_it_should(written):
    folder, _ = written
    assert {path.name for path in folder.iterdir()} == FILES


def test_twice_the_same_bytes(written, tmp_path):
    folder, reproduction = written
    write_report(reproduction, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_page_says_what_the_run_says(written):
    folder, reproduction = written
    text = page_text((folder / "report.html").read_text(encoding="utf-8"))
    assert "Odds ratio 2.23; 95% CI 1.53–3.26; 95% prediction interval 0.74–6.77; 9 trials, 2,902 participants." in text
    assert "odds ratio 2.57, 95% CI 1.28–5.13" in text
    assert "2,884" in text
    for verdict in reproduction.verdicts:
        assert verdict.verdict in text
    for row in reproduction.run.rows:
        assert row.extra["definition"] in text
        assert row.extra["citation"] in text
    for note in reproduction.run.notes:
        assert note in text
    for term in ("reconstructed", "approximate", "Risk of bias: not assessed"):
        assert term in text


def test_methods_say_what_was_done(written):
    folder, _ = written
    text = page_text((folder / "report.html").read_text(encoding="utf-8"))
    methods = text[text.index(" Methods ") :]
    for part in ("DerSimonian and Laird", "Wald", "odds ratios", "each with its own"):
        assert part in methods
    assert "k \u2212 2 degrees of freedom" in methods.replace("\u00a0", " ")
    assert "was added to each cell" not in methods


def test_the_page_is_self_contained_and_runs_nothing(written):
    html = (written[0] / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert not re.search(
        r"""(src|href)=["'](?!forest\.|results\.json|inputs\.csv|#|data:image/svg\+xml;base64,)""", html
    )


def test_results_and_inputs_are_machine_readable(written):
    folder, reproduction = written
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["result"]["shown"]["estimate"] == pytest.approx(2.23487622, rel=1e-8)
    lines = list(csv.DictReader(io.StringIO((folder / "inputs.csv").read_text(encoding="utf-8"))))
    assert [(line["study"], float(line["ai"])) for line in lines] == [
        (row.label, row.counts.events1) for row in reproduction.run.rows
    ]
    assert sum(float(line["weight"]) for line in lines) == pytest.approx(100)


def test_text_of_a_stranger_is_shown_and_does_nothing(tmp_path):
    evil = '<script>alert(1)</script>"onload="x'
    rows = (
        StudyRow(id="a", label=evil, counts=Counts(events1=5, n1=10, events2=2, n2=10)),
        StudyRow(id="b", label="=1+1", counts=Counts(events1=6, n1=10, events2=3, n2=10)),
    )
    run = pool_rows(table_spec(evil, {}), rows)
    write_report(Reproduction(run=run, verdicts=()), tmp_path)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<script" not in (tmp_path / "forest.svg").read_text(encoding="utf-8")
    assert evil in page_text(html)
    assert "'=1+1" in inputs_csv(run)


def test_nothing_to_pool_gives_a_page_that_says_so(tmp_path):
    rows = (StudyRow(id="a", label="A", counts=Counts(events1=0, n1=10, events2=0, n2=10)),)
    run = pool_rows(table_spec("t", {}), rows)
    write_report(Reproduction(run=run, verdicts=()), tmp_path)
    assert "No pooled effect" in page_text((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert {path.name for path in tmp_path.iterdir()} == FILES - set(PLOTS)


def test_the_forest_plot_of_an_earlier_report_does_not_stay(tmp_path):
    counts = Counts(events1=5, n1=10, events2=2, n2=10)
    some = pool_rows(table_spec("t", {}), [StudyRow(id=i, label=i, counts=counts) for i in "abc"])
    none = pool_rows(table_spec("t", {}), ())
    assert set(write_report(Reproduction(run=some, verdicts=()), tmp_path)) == {tmp_path / name for name in FILES}
    (tmp_path / "mine.txt").write_text("stays")
    written = write_report(Reproduction(run=none, verdicts=()), tmp_path)
    assert {path.name for path in written} == FILES - set(PLOTS)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", *FILES} - set(PLOTS)


def test_the_page_links_the_files_that_there_are(written, tmp_path):
    none = pool_rows(table_spec("t", {}), ())
    write_report(Reproduction(run=none, verdicts=()), tmp_path)
    for folder in (written[0], tmp_path):
        linked = re.findall(r'href="([^"#:]+)"', (folder / "report.html").read_text(encoding="utf-8"))
        assert set(linked) == {path.name for path in folder.iterdir()} - {"report.html"}


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    (tmp_path / "results.json").mkdir()
    none = pool_rows(table_spec("t", {}), ())
    with pytest.raises(OSError) as caught:
        write_report(Reproduction(run=none, verdicts=()), tmp_path)
    assert caught.value.filename == str(tmp_path / "results.json")


def test_the_test_between_groups_and_every_reason_reach_the_reader():
    rows = tuple(StudyRow(id=f"s{i}", label=f"S{i}", y=0.1 * i, v=0.04, group="a" if i < 5 else "b") for i in range(10))
    groups = {"groups": ({"id": "a", "label": "A"}, {"id": "b", "label": "B"})}
    spec = table_spec("t", {}).model_copy(update={"subgroups": Subgroups.model_validate(groups)})
    run = pool_rows(spec, rows)
    note = tables.results(run).notes[0]
    assert note.startswith(f"test between groups: Q = {run.between.statistic:.2f}, df = 1, p")
    empty = StudyRow(id="z", label="Z", counts=Counts(events1=0, n1=10, events2=0, n2=10))
    kept = StudyRow(id="y", label="Y", counts=Counts(events1=4, n1=10, events2=2, n2=10))
    decisions = plain(Reproduction(run=pool_rows(table_spec("t", {}), (kept, empty)), verdicts=()))["decisions"]
    assert [(d["id"], d["included"]) for d in decisions] == [("y", True), ("z", False)]
