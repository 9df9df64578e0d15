"""Tables in Word: no word and no number broken, wide ones on a turned page, rows and captions kept together."""

import io
import itertools
import re
from pathlib import Path

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.shared import Pt
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence.analysis.reproduction import reproduce
from ipsevidence.dataset.collection import load
from ipsevidence.figures.lettering import width
from ipsevidence.report.outline import Grid, Material, Outline, Paragraph, Section, outline
from ipsevidence.report.table import make
from ipsevidence.report.word import word_report
from ipsevidence.report.word_tables import PADDING, PAGE, WIDE, laid_out

ROOT = Path(__file__).parents[2]
NAMES = ("bond-2019-nine-rcts", "primary", "primary-by-fidelity")

CELLS = st.text(st.characters(codec="ascii", categories=("L", "N", "Zs")), max_size=60).map(str.strip)


@pytest.fixture(scope="module")
def reports():
    data = load(ROOT)
    return {name: outline(Material(reproduction=reproduce(name, data), dataset=data)) for name in NAMES}


def grids(reports):
    return [
        (grid, laid_out(lines_of(grid), [c.number for c in grid.table.columns]))
        for r in reports.values()
        for grid in r.grids
    ]


def lines_of(grid):
    return [[column.heading for column in grid.table.columns], *map(list, grid.table.rows)]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 11).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=2, max_size=6)),
    st.data(),
)
def test_columns_always_fill_the_page(lines, data):
    numbers = data.draw(st.lists(st.booleans(), min_size=len(lines[0]), max_size=len(lines[0])))
    found = laid_out(lines, numbers)
    assert sum(found.widths) == pytest.approx(WIDE if found.wide else PAGE, rel=1e-9)
    assert min(found.widths) > 0
    assert found.height > 0


def test_no_number_and_no_word_of_the_reports_is_broken(reports):
    checked = 0
    for grid, found in grids(reports):
        for line in found.lines[1:]:
            for text, room, column in zip(line, found.widths, grid.table.columns, strict=True):
                parts = [text] if column.number and width(text, found.size) < 90 else re.split(" |(?<=-)", text)
                for part in parts:
                    if width(part, found.size) < 100:
                        assert width(part, found.size) <= room - PADDING + 0.01, (grid.key, part)
                        checked += 1
    assert checked > 3_000


def test_type_is_large_enough_to_read_and_wide_tables_are_turned(reports):
    found = {(grid.key, layout.wide) for grid, layout in grids(reports)}
    assert all(layout.size >= 8 for _, layout in grids(reports))
    assert ("sensitivity", True) in found
    assert ("characteristics", True) in found
    assert ("summary", False) in found
    assert ("summary", True) not in found


def test_what_no_page_can_hold_is_still_set():
    crowded = laid_out([["x" * 30] * 30, ["1"] * 30], [False] * 30)
    assert crowded.wide
    assert sum(crowded.widths) == pytest.approx(WIDE)
    assert crowded.size == 6.5


def document_of(report):
    return docx.Document(io.BytesIO(word_report(report)))


def test_pages_turn_for_wide_tables_and_back(reports):
    word = document_of(reports["primary"])
    ways = [section.orientation for section in word.sections]
    assert ways[0] == ways[-1] == WD_ORIENT.PORTRAIT
    assert WD_ORIENT.LANDSCAPE in ways
    assert all(one != two for one, two in itertools.pairwise(ways))
    for section in word.sections:
        across = section.page_width - section.left_margin - section.right_margin
        assert across / Pt(1) == pytest.approx(WIDE if section.orientation == WD_ORIENT.LANDSCAPE else PAGE, abs=0.2)


def test_no_heading_or_caption_is_parted_from_what_it_heads(reports):
    for report in reports.values():
        word = document_of(report)
        body = [element for element in word.element.body if element.tag.endswith(("}p", "}tbl"))]
        for one, two in itertools.pairwise(body):
            style = one.style if one.tag.endswith("}p") else ""
            if style == "Caption" and "".join(one.itertext()).startswith("Table"):
                assert two.tag.endswith("}tbl")
            if style == "Heading1":
                assert not one.xpath(".//w:sectPr")
        assert word.styles["Caption"].paragraph_format.keep_with_next
        assert word.styles["Heading 1"].paragraph_format.keep_with_next


def test_a_short_table_stays_whole_and_a_long_one_keeps_its_ends():
    def kept(count, notes=()):
        table = make("T", "Study|#k", [(f"S{i}", "1") for i in range(count)], notes)
        report = Outline(
            title="t", subtitle="", head=(Paragraph(text="p"),), stamp="",
            sections=(Section(key="s", title="s", blocks=(Grid(key="inputs", table=table),)),),
        )  # fmt: skip
        rows = document_of(report).tables[0].rows
        return [bool(row.cells[0].paragraphs[0].paragraph_format.keep_with_next) for row in rows]

    assert kept(5) == [True] * 5 + [False]
    assert kept(5, ["a note"]) == [True] * 6
    long = kept(80)
    assert long[:3] == [True] * 3
    assert long[-2:] == [True, False]
    assert not any(long[3:-2])


def test_a_journal_finds_the_styles_that_it_asks_for(reports):
    word = document_of(reports["primary"])
    assert (word.styles["Normal"].font.name, word.styles["Normal"].font.size.pt) == ("Arial", 11)
    assert "PAGE" in word.sections[0].footer._element.xml
    borders = word.tables[0]._tbl.tblPr.xpath("./w:tblBorders/*")
    assert [one.tag.split("}")[1] for one in borders] == ["top", "bottom", "insideH"]
    sizes = [int(one.get("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}sz")) / 8 for one in borders]
    assert sizes == [1.0, 1.0, 0.25]  # points
