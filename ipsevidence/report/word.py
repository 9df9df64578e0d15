"""A report as a Word document: built-in styles, real tables, figures with their words, the same bytes each time."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ipsevidence import __version__
from ipsevidence.report.outline import Block, Bullets, Files, Grid, Outline, Paragraph, Picture, Section, Terms
from ipsevidence.report.word_tables import PADDING, PAGE, Layout, laid_out

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["word_report"]

_FONT: Final = "Arial"
_SIZES: Final = {"Normal": 11, "Title": 18, "Subtitle": 11, "Heading 1": 13, "Caption": 9.5, "List Bullet": 10}
"""Sizes of the type of each style, in points; tables have their own."""
_LINE: Final = 1.15
_MARGIN: Final = 2.0
_LONG: Final = 27.7
_SMALL: Final = 9
_TALLEST: Final = 620
"""Of a figure, in points, so that its caption stands on the same page."""
_INDENT: Final = 18
_KEPT: Final = 300.0
"""Height in points up to which a table stays on one page; of taller ones the first and last rows stay together."""

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
        writer.section(section)
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
    """Set page and styles: one typeface, black headings, A4, page numbers at the foot."""
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(_MARGIN)
    for name, size in _SIZES.items():
        style: Any = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = _FONT, Pt(size), RGBColor(0, 0, 0)
        properties = style.element.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        for key in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{key}"), None)
        for key in ("ascii", "hAnsi", "eastAsia", "cs"):
            fonts.set(qn(f"w:{key}"), _FONT)
        for spread in properties.findall(qn("w:spacing")):
            properties.remove(spread)
    title: Any = document.styles["Title"].element.pPr
    for border in title.findall(qn("w:pBdr")):
        title.remove(border)
    normal: Any = document.styles["Normal"].paragraph_format
    normal.space_after, normal.line_spacing, normal.widow_control = Pt(6), _LINE, True
    document.styles["Subtitle"].font.italic = False
    caption: Any = document.styles["Caption"].paragraph_format
    caption.keep_with_next, caption.space_before, caption.space_after = True, Pt(6), Pt(4)
    document.styles["List Bullet"].paragraph_format.space_after = Pt(3)
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
    """Writes blocks one after the other, numbers tables and figures, and turns the page for a wide table."""

    def __init__(self, document: "Document") -> None:
        self.document = document
        self.tables = 0
        self.figures = 0
        self.wide = False

    def section(self, section: Section) -> None:
        """Write a section; its heading stands on the page of what follows it."""
        first = section.blocks[0]
        self._turn(wide=isinstance(first, Grid) and _layout(first).wide)
        self.document.add_heading(_clean(section.title), level=1)
        for block in section.blocks:
            self.write(block)

    def write(self, block: Block) -> None:
        """Write a block."""
        if isinstance(block, Grid):
            self._grid(block)
            return
        self._turn(wide=False)
        if isinstance(block, Paragraph):
            self._paragraph(block)
        elif isinstance(block, Bullets):
            self._list(block)
        elif isinstance(block, Terms | Files):
            for term, text in block.pairs:
                line = self.document.add_paragraph(style="List Bullet" if isinstance(block, Files) else None)
                line.add_run(f"{_clean(term)}: ").bold = True
                line.add_run(_clean(text))
        else:
            self._picture(block)

    def _turn(self, *, wide: bool) -> None:
        """Begin a page that is wide, or one that is not, where the last was the other way."""
        from docx.enum.section import WD_ORIENT, WD_SECTION

        if wide == self.wide:
            return
        page = self.document.add_section(WD_SECTION.NEW_PAGE)
        page.page_width, page.page_height = page.page_height, page.page_width
        page.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        self.wide = wide

    def _paragraph(self, block: Paragraph) -> Any:
        from docx.shared import Pt

        paragraph = self.document.add_paragraph()
        run = paragraph.add_run(_clean(block.text))
        run.bold = block.role == "verdict"
        run.italic = block.role == "caveat"
        if block.role == "note":
            run.font.size = Pt(_SMALL)
            paragraph.paragraph_format.space_after = Pt(3)
        return paragraph

    def _list(self, block: Bullets) -> None:
        from docx.shared import Pt

        for number, item in enumerate(block.items, start=1):
            if not block.numbered:
                self.document.add_paragraph(_clean(item), style="List Bullet")
                continue
            line = self.document.add_paragraph()
            line.add_run(f"{number}.\t{_clean(item)}").font.size = Pt(_SIZES["List Bullet"])
            line.paragraph_format.left_indent, line.paragraph_format.first_line_indent = Pt(_INDENT), Pt(-_INDENT)
            line.paragraph_format.tab_stops.add_tab_stop(Pt(_INDENT))
            line.paragraph_format.space_after = Pt(3)

    def _grid(self, block: Grid) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        layout = _layout(block)
        self._turn(wide=layout.wide)
        self.tables += 1
        self.document.add_paragraph(f"Table {self.tables}. {_clean(block.table.title)}", style="Caption")
        table = self.document.add_table(rows=len(layout.lines), cols=len(block.table.columns))
        table.autofit = False
        widths = [Pt(width) for width in layout.widths]
        kept = set(_kept(layout, notes=bool(block.table.notes)))
        for number, (row, line) in enumerate(zip(table.rows, layout.lines, strict=True)):
            bold = number == 0 or (block.total and number == len(layout.lines) - 1)
            for cell, text, column, width in zip(row.cells, line, block.table.columns, widths, strict=True):
                cell.width = width
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after, paragraph.paragraph_format.line_spacing = Pt(1), 1.0
                paragraph.paragraph_format.space_before = Pt(1)
                paragraph.paragraph_format.keep_with_next = number in kept
                if column.number:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                run = paragraph.add_run(text)
                run.font.size, run.bold = Pt(layout.size), bold
            _keep_row(row, head=number == 0)
        for grid, width in zip(table.columns, widths, strict=True):
            grid.width = width
        _rules(table)
        if not block.table.notes:
            self.document.add_paragraph().paragraph_format.space_after = Pt(0)
        for number, note in enumerate(block.table.notes):
            paragraph = self._paragraph(Paragraph(text=note, role="note"))
            paragraph.paragraph_format.space_before = Pt(0 if number else 4)
        if block.table.notes:
            paragraph.paragraph_format.space_after = Pt(12)

    def _picture(self, block: Picture) -> None:
        from docx.shared import Emu, Pt

        self.figures += 1
        shape = self.document.add_picture(io.BytesIO(block.png))
        factor = min(Pt(PAGE) / shape.width, Pt(_TALLEST) / shape.height)
        shape.width, shape.height = Emu(int(shape.width * factor)), Emu(int(shape.height * factor))
        shape._inline.docPr.set("descr", _clean(block.words))  # noqa: SLF001 (python-docx has no name for it)
        holder = self.document.paragraphs[-1].paragraph_format
        holder.keep_with_next, holder.line_spacing = True, 1.0
        caption = self.document.add_paragraph(f"Figure {self.figures}. {_clean(block.title)}", style="Caption")
        caption.paragraph_format.keep_with_next = False
        caption.paragraph_format.space_after = Pt(12)


def _layout(block: Grid) -> Layout:
    columns = block.table.columns
    heads = tuple(_clean(column.heading) for column in columns)
    lines = (heads, *(tuple(map(_clean, row)) for row in block.table.rows))
    return laid_out(lines, tuple(column.number for column in columns))


def _kept(layout: Layout, *, notes: bool) -> Iterator[int]:
    """Give the rows that stay on the page of the next: no head, first or last row stands alone."""
    last = len(layout.lines) - 1
    if layout.height <= _KEPT:
        yield from range(last)
    else:
        yield from (0, 1, 2, last - 1)
    if notes:
        yield last


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
    margins = OxmlElement("w:tblCellMar")
    for side, width in (("left", 0), ("right", PADDING * 20)):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), f"{width:.0f}")
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    properties = table._tbl.tblPr  # noqa: SLF001
    layout = properties.find(qn("w:tblLayout"))
    if layout is not None:
        layout.addprevious(borders)
        layout.addnext(margins)
    else:
        properties.extend((borders, margins))
    for cell in table.rows[0].cells:
        edges = OxmlElement("w:tcBorders")
        edges.append(border("bottom", 6, "000000"))
        cell._tc.get_or_add_tcPr().append(edges)  # noqa: SLF001
