"""A report as a Word document: built-in styles, real tables, figures with their words, the same bytes each time."""

import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ipsevidence import __version__
from ipsevidence.report.outline import Block, Bullets, Files, Grid, Outline, Paragraph, Picture, Terms

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["PAGE", "column_widths", "word_report"]

PAGE: Final = 481.9
"""Width of the text on a page, in points: A4 with margins of 2 cm."""

_FONT: Final = "Times New Roman"
_SIZE: Final = 8.0
_SIZES: Final = {"Normal": 11, "Title": 18, "Subtitle": 11, "Heading 1": 13, "Caption": 9, "List Bullet": 10}
"""Sizes of the type of each style, in points; tables have `_SIZE`."""
_CHARACTER: Final = 0.47
"""Mean width of a character, as a share of the size of the type."""
_PADDING: Final = 7.0
_LONGEST: Final = 22
"""Characters that a word may ask a column to hold; longer ones may break."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_WRITTEN: Final = dt.datetime(1980, 1, 1)  # noqa: DTZ001 (the file format has no time zone)
# What XML cannot hold.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def word_report(outline: Outline) -> bytes:
    """Write the report as a Word document.

    Parameters
    ----------
    outline : Outline
        The report; figures are embedded as PNG.

    Returns
    -------
    bytes
        A .docx file, without dates: the same for the same report.
    """
    import docx

    document = docx.Document()
    _styles(document)
    writer = _Writer(document)
    document.add_paragraph(_clean(outline.title), style="Title")
    if outline.subtitle:
        document.add_paragraph(_clean(outline.subtitle), style="Subtitle")
    for block in outline.head:
        writer.write(block)
    for section in outline.sections:
        document.add_heading(_clean(section.title), level=1)
        for block in section.blocks:
            writer.write(block)
    writer.write(Paragraph(text=outline.stamp, role="note"))
    _properties(document, outline.title)
    file = io.BytesIO()
    document.save(file)
    return _timeless(file.getvalue())


def _clean(text: str) -> str:
    """Return the text on one line, without what XML has no place for; no-break spaces stay."""
    return re.sub("[ \t\r\n]+", " ", _FORBIDDEN.sub("\ufffd", text)).strip(" ")


def _properties(document: "Document", title: str) -> None:
    about = document.core_properties
    about.title, about.author, about.last_modified_by = _clean(title)[:255], "The ipsevidence contributors", ""
    about.comments, about.keywords = f"ipsevidence {__version__}", ""
    about.created = about.modified = _WRITTEN
    about.language, about.revision = "en-GB", 1


def _timeless(data: bytes) -> bytes:
    """Write the parts of the file again in the same order, all with the same date."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            entry = zipfile.ZipInfo(part.filename, date_time=_EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(entry, old.read(part))
    return file.getvalue()


def _styles(document: "Document") -> None:
    """Set page and styles: one serif, black headings, A4, page numbers at the foot."""
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2.0)
    for name, size in _SIZES.items():
        style: Any = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = _FONT, Pt(size), RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for key in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{key}"), None)
        for key in ("ascii", "hAnsi", "eastAsia", "cs"):
            fonts.set(qn(f"w:{key}"), _FONT)
    title: Any = document.styles["Title"].element.pPr
    for border in title.findall(qn("w:pBdr")):
        title.remove(border)
    document.styles["Normal"].paragraph_format.space_after = Pt(6)
    document.styles["Caption"].paragraph_format.keep_with_next = True
    _page_number(section.footer.paragraphs[0])


def _page_number(paragraph: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    field.append(paragraph.add_run("1")._r)  # noqa: SLF001
    paragraph._p.append(field)  # noqa: SLF001 (python-docx has no fields)


class _Writer:
    """Writes blocks one after the other, and numbers tables and figures."""

    def __init__(self, document: "Document") -> None:
        self.document = document
        self.tables = 0
        self.figures = 0

    def write(self, block: Block) -> None:
        """Write a block."""
        if isinstance(block, Paragraph):
            self._paragraph(block)
        elif isinstance(block, Bullets):
            for item in block.items:
                self.document.add_paragraph(_clean(item), style="List Bullet")
        elif isinstance(block, Terms | Files):
            for term, text in block.pairs:
                line = self.document.add_paragraph()
                line.add_run(f"{_clean(term)}: ").bold = True
                line.add_run(_clean(text))
        elif isinstance(block, Grid):
            self._grid(block)
        else:
            self._picture(block)

    def _paragraph(self, block: Paragraph) -> None:
        from docx.shared import Pt

        run = self.document.add_paragraph().add_run(_clean(block.text))
        run.bold = block.role == "verdict"
        run.italic = block.role == "caveat"
        if block.role == "note":
            run.font.size = Pt(9)

    def _grid(self, block: Grid) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        self.tables += 1
        self.document.add_paragraph(f"Table {self.tables}. {_clean(block.table.title)}", style="Caption")
        columns = block.table.columns
        heads = tuple(_clean(column.heading) for column in columns)
        lines = [heads, *(tuple(map(_clean, row)) for row in block.table.rows)]
        table = self.document.add_table(rows=len(lines), cols=len(columns))
        table.autofit = False
        widths = [Pt(width) for width in column_widths(lines)]
        for number, (row, line) in enumerate(zip(table.rows, lines, strict=True)):
            bold = number == 0 or (block.total and number == len(lines) - 1)
            for cell, text, column, width in zip(row.cells, line, columns, widths, strict=True):
                cell.width = width
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after = Pt(0)
                if column.number:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                run = paragraph.add_run(text)
                run.font.size, run.bold = Pt(_SIZE), bold
            _keep_row(row, head=number == 0)
        for grid, width in zip(table.columns, widths, strict=True):
            grid.width = width
        _rules(table)
        for note in block.table.notes:
            self._paragraph(Paragraph(text=note, role="note"))
        if not block.table.notes:
            self.document.add_paragraph().paragraph_format.space_after = Pt(0)

    def _picture(self, block: Picture) -> None:
        from docx.shared import Emu, Pt

        self.figures += 1
        shape = self.document.add_picture(io.BytesIO(block.png))
        tallest = Pt(640)
        factor = min(1.0, Pt(PAGE) / shape.width, tallest / shape.height)
        shape.width, shape.height = Emu(int(shape.width * factor)), Emu(int(shape.height * factor))
        shape._inline.docPr.set("descr", _clean(block.words))  # noqa: SLF001 (python-docx has no name for it)
        self.document.paragraphs[-1].paragraph_format.keep_with_next = True
        caption = self.document.add_paragraph(f"Figure {self.figures}. {_clean(block.title)}", style="Caption")
        caption.paragraph_format.keep_with_next = False


def _keep_row(row: Any, *, head: bool) -> None:
    """Keep a row on one page; repeat the head on every page."""
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()  # noqa: SLF001
    for name in ("w:cantSplit", "w:tblHeader") if head else ("w:cantSplit",):
        properties.append(OxmlElement(name))


def _rules(table: Any) -> None:
    """Draw the three lines of a journal's table, and faint ones between rows."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    def border(name: str, size: int, color: str) -> Any:
        line = OxmlElement(f"w:{name}")
        for key, value in (("val", "single"), ("sz", f"{size}"), ("space", "0"), ("color", color)):
            line.set(qn(f"w:{key}"), value)
        return line

    borders = OxmlElement("w:tblBorders")
    for name, size, color in (("top", 8, "000000"), ("bottom", 8, "000000"), ("insideH", 2, "BFBFBF")):
        borders.append(border(name, size, color))
    properties = table._tbl.tblPr  # noqa: SLF001
    layout = properties.find(qn("w:tblLayout"))
    if layout is not None:
        layout.addprevious(borders)
    else:
        properties.append(borders)
    for cell in table.rows[0].cells:
        edges = OxmlElement("w:tcBorders")
        edges.append(border("bottom", 6, "000000"))
        cell._tc.get_or_add_tcPr().append(edges)  # noqa: SLF001


def column_widths(lines: Sequence[Sequence[str]], width: float = PAGE) -> list[float]:
    """Return widths of columns that fill a page: words stay whole where they can, long texts get the rest.

    Parameters
    ----------
    lines : sequence of sequence of str
        Rows of cells, the heads first.
    width : float
        Width of the page, in points.

    Returns
    -------
    list of float
        In points; their sum is `width`.
    """
    unit = _SIZE * _CHARACTER
    columns = list(zip(*lines, strict=True))
    least = [_PADDING + unit * min(_LONGEST, max(_longest_word(text) for text in column)) for column in columns]
    spare = width - sum(least)
    if spare <= 0:
        return [width * one / sum(least) for one in least]
    # Text flows into lines, so that what a column gains by is the root of what it holds.
    full = [_PADDING + unit * max(map(len, column)) for column in columns]
    wish = [math.sqrt(max(0.0, want - one)) for want, one in zip(full, least, strict=True)]
    if sum(wish) == 0:
        return [width * one / sum(least) for one in least]
    return [one + spare * want / sum(wish) for one, want in zip(least, wish, strict=True)]


def _longest_word(text: str) -> int:
    return max(map(len, re.split(r"[ /-]", text)), default=0)
