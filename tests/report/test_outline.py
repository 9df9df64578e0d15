"""A whole report: one outline; page, Word and Markdown have the same numbers in the same order, and nothing runs."""

import csv
import io
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import docx
import pytest

from ipsevidence.analysis.answers import answer
from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.analysis.usertables import table_spec
from ipsevidence.dataset.collection import load
from ipsevidence.report import evidence_tables, tables
from ipsevidence.report.outline import PICTURES, TITLES, Grid, Material, Picture, outline
from ipsevidence.report.page import GRIDS, html_report, material, write_report
from ipsevidence.report.plain import markdown_report
from ipsevidence.report.word import word_report
from ipsevidence.report.word_tables import PAGE, WIDE
from tests.toy import ABOUT, STUDIES, not_entered

ROOT = Path(__file__).parents[2]
NAMES = ("bond-2019-nine-rcts", "primary")

# The order that a reader is promised.
ORDER = [
    "Summary of findings",
    "Forest plot",
    "Which studies, and why",
    "Characteristics and counts of the studies",
    "Risk of bias",
    "Heterogeneity and subgroups",
    "Sensitivity analyses",
    "Range over readings",
    "Small-study effects",
    "Published against computed",
    "Methods",
    "Notes on the data",
    "What would change this",
    "How to cite",
    "Versions and files",
    "PRISMA 2020 items",
]


class Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.cells, self.heads, self.all, self.inside, self.style = [], [], [], "", False

    def handle_starttag(self, tag, attrs):
        del attrs
        self.style = tag == "style"
        if tag in ("td", "h2"):
            self.inside = tag
            (self.cells if tag == "td" else self.heads).append("")

    def handle_endtag(self, tag):
        if tag == self.inside:
            self.inside = ""

    def handle_data(self, data):
        if self.inside:
            (self.cells if self.inside == "td" else self.heads)[-1] += data
        if not self.style:
            self.all.append(data)


def read_html(text):
    parser = Text()
    parser.feed(text)
    return parser


def cells_of(report):
    return [cell for grid in report.grids for row in grid.table.rows for cell in row]


def squeezed(text):
    return re.sub("[ \t\r\n]+", " ", text).strip(" ")


@pytest.fixture(scope="module")
def data():
    return load(ROOT)


@pytest.fixture(scope="module")
def reproduced(data):
    return {name: reproduce(name, data) for name in NAMES}


@pytest.fixture(scope="module", params=NAMES)
def whole(request, data, reproduced, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    made = reproduced[request.param]
    write_report(made, folder, data, whole=True)
    return folder, made, outline(material(made, folder, data, whole=True))


def test_sections_stand_in_their_order_in_every_rendering(whole):
    folder, made, report = whole
    titles = [section.title for section in report.sections]
    assert titles == [title for title in ORDER if title in titles]
    left = {"Published against computed"} if made.run.spec.id == "primary" else {"What would change this"}
    assert set(ORDER) - set(titles) == left
    assert [*TITLES.values()] == ORDER
    assert read_html((folder / "report.html").read_text(encoding="utf-8")).heads == titles
    plain = (folder / "report.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", plain, flags=re.MULTILINE) == titles
    word = docx.Document(str(folder / "report.docx"))
    assert [p.text for p in word.paragraphs if p.style.name == "Heading 1"] == titles


def test_every_cell_is_in_every_rendering(whole):
    folder, _, report = whole
    wanted = [squeezed(cell) for cell in cells_of(report)]
    assert len(wanted) > 300
    assert [squeezed(cell) for cell in read_html((folder / "report.html").read_text(encoding="utf-8")).cells] == wanted
    word = docx.Document(str(folder / "report.docx"))
    assert [cell.text for table in word.tables for row in table.rows[1:] for cell in row.cells] == wanted
    lines = (folder / "report.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| ---")]
    assert len(rows) == sum(len(grid.table.rows) + 1 for grid in report.grids)
    kept = []
    for grid in report.grids:
        path = folder / "tables" / f"{grid.key}.csv"
        kept += [cell for line in list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))[1:] for cell in line]
    assert [squeezed(cell.removeprefix("'")) for cell in kept] == [cell.removeprefix("'") for cell in wanted]


def test_the_numbers_are_those_of_the_run(whole):
    folder, made, report = whole
    fit = made.run.fit
    shown = f"{made.run.shown(fit.estimate):.2f}"
    interval = f"{made.run.shown(fit.ci.low):.2f}\u2013{made.run.shown(fit.ci.high):.2f}"
    line = f"{shown}; 95% CI {interval}"
    word = docx.Document(str(folder / "report.docx"))
    for text in (
        " ".join(read_html((folder / "report.html").read_text(encoding="utf-8")).all),
        (folder / "report.md").read_text(encoding="utf-8"),
        "\n".join(p.text for p in word.paragraphs),
    ):
        assert line in text.replace("\u00a0", " ")
    grid = {one.key: one.table for one in report.grids}
    assert grid["summary"].rows[0][2] == f"{shown} ({interval})"
    assert grid["heterogeneity"].rows[1][1] == f"{fit.tau2:.3f}"
    assert [row[0] for row in grid["inputs"].rows] == [row.label for row in made.run.rows]
    assert len(grid["sensitivity"].rows) == 1 + len(made.run.sensitivity)
    for variation, row in zip(made.run.sensitivity, grid["sensitivity"].rows[1:], strict=True):
        assert row[0].startswith(variation.label)
        assert row[2] == str(variation.k)


def test_the_sentence_in_people_is_that_of_the_answer(data, reproduced):
    made = reproduced["primary"]
    words = [block.text for block in outline(Material(reproduction=made, dataset=data)).head if hasattr(block, "text")]
    assert answer("all", dataset=data).sentence in words


def test_published_figures_stand_beside_computed_ones(data, reproduced):
    made = reproduced["bond-2019-nine-rcts"]
    grid = next(one for one in outline(Material(reproduction=made, dataset=data)).grids if one.key == "verdicts")
    assert ("pooled odds ratio", "2.23", "2.23") in [row[:3] for row in grid.table.rows]


def test_no_table_is_empty_and_no_text_a_placeholder(whole):
    folder, _, report = whole
    assert all(grid.table.rows for grid in report.grids)
    assert {grid.key for grid in report.grids} <= set(GRIDS)
    assert len({grid.key for grid in report.grids}) == len(report.grids)
    text = " ".join(read_html((folder / "report.html").read_text(encoding="utf-8")).all)
    assert not re.search(r"\b(TODO|TBD|FIXME|None(?! up to)|nan|lorem|NotApplicable)\b|[{}]{2}", text)


def test_links_of_the_page_are_the_files_of_the_folder(whole):
    folder, _, _ = whole
    html = (folder / "report.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="([^"#:]+)"', html))
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert linked == here - {"report.html"}
    anchors = set(re.findall(r'href="#([^"]+)"', html))
    assert anchors == set(re.findall(r'<h2 id="([^"]+)"', html))
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert not re.search(r'src="(?!data:image/svg\+xml;base64,)', html)


def test_the_resolved_spec_beside_the_report_is_the_spec(whole):
    folder, made, _ = whole
    assert find_spec(folder / "spec.yaml", ROOT) == made.run.spec


def test_twice_the_same_bytes_and_no_date(data, tmp_path, reproduced):
    made = reproduced["bond-2019-nine-rcts"]
    for name in ("one", "two"):
        write_report(made, tmp_path / name, data, whole=True)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) > 20
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    with zipfile.ZipFile(tmp_path / "one" / "report.docx") as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_brief_report_takes_away_what_a_whole_one_left(data, tmp_path, reproduced):
    made = reproduced["bond-2019-nine-rcts"]
    write_report(made, tmp_path, data, whole=True)
    (tmp_path / "tables" / "mine.csv").write_text("stays")
    (tmp_path / "notes.docx").write_text("stays")
    written = write_report(made, tmp_path, data)
    here = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert here == {*written, tmp_path / "tables" / "mine.csv", tmp_path / "notes.docx"}


def test_word_has_real_tables_figures_with_words_and_built_in_styles(whole):
    folder, made, report = whole
    word = docx.Document(str(folder / "report.docx"))
    assert len(word.tables) == len(report.grids)
    pictures = [block for section in report.sections for block in section.blocks if isinstance(block, Picture)]
    assert {one.key for one in pictures} == ({"forest"} if made.run.spec.id != "primary" else {*PICTURES} - {"rob"})
    words = [shape._inline.docPr.get("descr") for shape in word.inline_shapes]
    assert words == [squeezed(one.words) for one in pictures]
    assert all(shape.width.pt <= PAGE + 0.1 for shape in word.inline_shapes)
    used = {paragraph.style.name for paragraph in word.paragraphs}
    assert used <= {"Title", "Subtitle", "Heading 1", "Normal", "Caption", "List Bullet"}
    captions = [p.text for p in word.paragraphs if p.style.name == "Caption"]
    assert [one.split(".")[0] for one in captions if one.startswith("Table")] == [
        f"Table {number}" for number in range(1, len(report.grids) + 1)
    ]
    for table in word.tables:
        assert table.rows[0]._tr.trPr.xpath("./w:tblHeader")
        across = sum(column.width.pt for column in table.columns)
        assert across == pytest.approx(PAGE, abs=0.5) or across == pytest.approx(WIDE, abs=0.5)


def test_choices_of_method_stand_in_the_main_analysis_only(whole):
    _, made, report = whole
    assert ("choices" in {grid.key for grid in report.grids}) == (made.run.spec.id == "primary")


def test_studies_out_are_told_by_reason_and_none_is_lost(reproduced):
    run = reproduced["primary"].run
    table = tables.left_out(run)
    named = [label for row in table.rows for label in row[3].split("; ")]
    assert sorted(named) == sorted(one.label for one in run.decisions if not one.included)
    assert sum(int(row[2]) for row in table.rows) == len(named)
    answering = sum(int(row[2]) for row in table.rows if row[1] == "yes")
    assert answering == sum(one.eligible and not one.included for one in run.decisions)


def test_what_is_counted_is_not_named_after_one_trial_where_trials_count_different_things(data, reproduced):
    made = reproduced["bond-2019-nine-rcts"]
    grid = next(one for one in outline(Material(reproduction=made, dataset=data)).grids if one.key == "certainty")
    text = dict(grid.table.rows)["Imprecision"]
    assert "of them counted as having the outcome" in text
    assert "competitive work" not in text


def test_tests_of_small_studies_agree_with_the_funnel_plot(whole):
    _, made, report = whole
    if made.run.spec.id != "primary":
        assert "there are 9" in evidence_tables.small_studies(made.run).reason
        return
    funnel = next(b for s in report.sections for b in s.blocks if isinstance(b, Picture) and b.key == "funnel")
    for name, result, p, _ in evidence_tables.small_studies(made.run).rows[:2]:
        assert f"{name}: {result}, p\u00a0=\u00a0{p}." in funnel.words


JUDGED = """    risk_of_bias:
      tool: rob-2
      domains:
        {randomisation: low, deviations: some-concerns, missing-data: low, measurement: low, selection-of-result: low}
      overall: some-concerns
      by: [First Person, Second Person]
      date: "2000-01-01"
"""


def test_judgements_of_two_people_are_shown_and_counted(spec_of, tmp_path):
    root = tmp_path / "judged"
    (root / "studies").mkdir(parents=True)
    (root / "analyses").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for name, text in STUDIES.items():
        changed = text.replace("log:\n", f"{JUDGED}log:\n", 1) if name == "alpha-2001" else text
        (root / "studies" / f"{name}.yaml").write_text(changed, encoding="utf-8")
    data = load(root)
    made = reproduce(spec_of(), data)
    write_report(made, tmp_path / "out", data, whole=True)
    report = outline(material(made, tmp_path / "out", data, whole=True))
    bias = next(section for section in report.sections if section.key == "bias")
    sentence, grid, drawing = bias.blocks
    assert sentence.text == f"Risk of bias: assessed by two people for 1 of {len(made.run.rows)} results."
    assert grid.table.rows[0][:2] == ("ALPHA-2001", "some concerns")
    assert grid.table.rows[0][3] == "First Person and Second Person"
    assert drawing.key == "rob"
    assert (tmp_path / "out" / "rob.svg").is_file()


EVIL = "=cmd|'/c calc'!A1 <script>alert(1)</script> [x](javascript:alert(1)) **b** `c` |zz \"onload=\"x"
INERT = re.compile(r"(?<!\\)(<script|\[x\]|\*\*b|`c`|\|zz)")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    root = tmp_path_factory.mktemp("hostile")
    (root / "studies").mkdir()
    (root / "analyses").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT + not_entered(EVIL), encoding="utf-8")
    for name, text in STUDIES.items():
        changed = text.replace("log:\n", f"doubts: [{json.dumps(EVIL)}]\nlog:\n", 1)
        for key in ("label: A", "label: B", "label: G"):
            changed = changed.replace(f"\n{key}", f'\nlabel: {json.dumps(EVIL + " " + name)}\nxx: "', 1)
        lines = [line for line in changed.splitlines() if not line.startswith("xx: ")]
        changed = "\n".join(lines) + "\n"
        changed = re.sub(r'citation: "[^"]*"', lambda _: f"citation: {json.dumps(EVIL)}", changed)
        (root / "studies" / f"{name}.yaml").write_text(changed, encoding="utf-8")
    return load(root)


def test_hostile_text_of_a_record_comes_out_inert(hostile, spec_of, tmp_path):
    made = reproduce(spec_of(title=EVIL), hostile)
    assert any(row.label.startswith("=cmd") for row in made.run.rows)
    write_report(made, tmp_path, hostile, whole=True)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert not re.search(r'<[^>]*\sonload="', html)
    assert any(EVIL in cell for cell in read_html(html).cells)
    assert "Known, and not entered yet" in html
    for line in (tmp_path / "report.md").read_text(encoding="utf-8").splitlines():
        assert not INERT.search(line), line
    for path in [tmp_path / "inputs.csv", *(tmp_path / "tables").iterdir()]:
        for line in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            assert not any(cell.startswith(("=", "+", "@")) for cell in line), path
    word = docx.Document(str(tmp_path / "report.docx"))
    assert any(EVIL in paragraph.text for paragraph in word.paragraphs)
    with zipfile.ZipFile(tmp_path / "report.docx") as parts:
        assert b"<script" not in parts.read("word/document.xml")
    assert "<script" not in (tmp_path / "forest.svg").read_text(encoding="utf-8")


def test_a_line_that_would_be_markup_in_markdown_stays_a_line():
    spec = table_spec("t", {})
    for title in ("# x", "> x", "1. x", "- x", "=== x", "1) x"):
        run = pool_rows(spec.model_copy(update={"title": title}), ())
        text = markdown_report(outline(Material(reproduction=Reproduction(run=run, verdicts=()))))
        first = text.splitlines()[0].removeprefix("# ")
        assert not re.match(r"\s*([#>+=-]|\d+[.)])", first), first
        assert first.replace("\\", "") == title


def test_a_table_of_ones_own_has_a_report_in_every_form(tmp_path):
    rows = tuple(
        StudyRow(id=i, label=f"A\x00{i}", counts=Counts(events1=5 + n, n1=10, events2=2, n2=10))
        for n, i in enumerate("abc")
    )
    made = Reproduction(run=pool_rows(table_spec("t", {}), rows), verdicts=())
    written = {path.relative_to(tmp_path).as_posix() for path in write_report(made, tmp_path, whole=True)}
    assert "spec.yaml" not in written
    assert {"report.docx", "report.md", "analysis.R", "tables/inputs.csv"} <= written
    report = outline(Material(reproduction=made))
    assert "summary" not in {grid.key for grid in report.grids}
    assert "\ufffd" in docx.Document(io.BytesIO(word_report(report))).tables[0].rows[1].cells[0].text
    assert "not assessed" in html_report(report)


def test_a_grid_says_which_row_is_a_sum(data, reproduced):
    made = reproduced["bond-2019-nine-rcts"]
    grids = {one.key: one for one in outline(Material(reproduction=made, dataset=data)).grids}
    assert isinstance(grids["participants"], Grid)
    assert [key for key, one in grids.items() if one.total] == ["participants"]
    assert grids["participants"].table.rows[-1][:3] == ("Sum", "2,902", "2,884")


def test_rates_show_their_own_counts_and_no_second_arm(data):
    made = reproduce("rate-trials-ips-18-months", data)
    grids = {one.key: one.table for one in outline(Material(reproduction=made, dataset=data)).grids}
    assert [column.heading for column in grids["inputs"].columns][:3] == ["Study", "Events/n", "PLO"]
    shares = [row.share for row in made.run.rows]
    assert [row[1] for row in grids["inputs"].rows] == [f"{one.events:g}/{one.n:g}" for one in shares]
    assert "certainty" not in grids
    assert grids["summary"].columns[2].heading == "Proportion (95% CI)"
