"""A report in Markdown: the same outline, readable as it stands, with its figures as files beside it."""

import re
from typing import TYPE_CHECKING, Final

from ipsevidence.report.markdown import cell, table_of
from ipsevidence.report.outline import Block, Bullets, Files, Grid, Outline, Paragraph, Picture, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["markdown_report"]

# What makes a line of Markdown something else than a line of text.
_START: Final = re.compile(r"^(\s*)([#>+=~:-]|\d+(?=[.)]))")


def markdown_report(outline: Outline) -> str:
    """Write the report in Markdown.

    Parameters
    ----------
    outline : Outline
        The report; figures are shown as the PNG files of their keys.

    Returns
    -------
    str
    """
    parts = [f"# {_text(outline.title)}"]
    parts += [_text(outline.subtitle)] if outline.subtitle else []
    parts += [text for block in outline.head for text in _block(block)]
    for section in outline.sections:
        parts.append(f"## {_text(section.title)}")
        parts += [text for block in section.blocks for text in _block(block, section.title)]
    return "\n\n".join([*parts, f"*{_text(outline.stamp)}*"]) + "\n"


def _text(text: str) -> str:
    """Make a line of text inert: no markup, no HTML, no links of a stranger."""
    safe = cell(text).replace("]", "\\]")
    return _START.sub(lambda match: f"{match[1]}\\{match[2]}" if not match[2].isdigit() else f"{match[0]}\\", safe)


def _block(block: Block, under: str = "") -> "Iterator[str]":
    if isinstance(block, Paragraph):
        forms = {"verdict": "**{}**", "caveat": "> {}", "note": "{}", "plain": "{}"}
        yield forms[block.role].format(_text(block.text))
    elif isinstance(block, Bullets):
        marks = (f"{number}." if block.numbered else "-" for number in range(1, len(block.items) + 1))
        yield "\n".join(f"{mark} {_text(item)}" for mark, item in zip(marks, block.items, strict=True))
    elif isinstance(block, Terms):
        yield "\n".join(f"- **{_text(term)}**: {_text(text)}" for term, text in block.pairs)
    elif isinstance(block, Grid):
        if block.table.title != under:
            yield f"### {_text(block.table.title)}"
        yield table_of(block.table).rstrip("\n")
    elif isinstance(block, Picture):
        words = _text(block.words).replace('"', "'")
        yield f"![{words}]({block.key}.png)"
    elif isinstance(block, Files):
        yield "\n".join(f"- [{_text(name)}]({name}): {_text(what)}" for name, what in block.pairs)
