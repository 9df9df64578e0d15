"""The text in the bytes of a file: UTF-8 of a bounded size, in which nothing is invisible."""

import re
import unicodedata

from ipsevidence.dataset.findings import hidden
from ipsevidence.dataset.reading_checks import Notes, StopReadingError
from ipsevidence.dataset.tree import Mark

__all__ = ["GAP", "SIZE", "character_name", "decoded"]

SIZE = 256 * 1024
"""The largest file that is read, in bytes."""


def decoded(data: bytes, notes: Notes) -> str:
    """Return the text of a file, with `GAP` where something invisible stood.

    Parameters
    ----------
    data : bytes
        The content of the file.
    notes : Notes
        Takes every finding.

    Returns
    -------
    str
        Its lines end with LF; places in it are places in the file.

    Raises
    ------
    StopReadingError
        If it is too large or not UTF-8, or if nobody can tell where its lines end; `notes` say so.
    """
    return _without_hidden(_text_of(data, notes), notes)


def _text_of(data: bytes, notes: Notes) -> str:
    top = Mark(1, 1)
    if len(data) > SIZE:
        notes.stop(top, "too-large", f"the file has more than {SIZE:,} bytes (256 kB)")
    if data.startswith(b"\xef\xbb\xbf"):
        notes.stop(top, "byte-order-mark", "the file starts with a byte order mark (BOM)")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4].count(0) > 1:
        notes.stop(top, "not-utf8", "the file is UTF-16 or UTF-32, not UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line_start = before.rfind("\n") + 1
        mark = Mark(before.count("\n") + 1, len(before) - line_start + 1)
        notes.stop(mark, "not-utf8", f"the byte 0x{data[error.start]:02x} is not UTF-8 here")
    return text.replace("\r\n", "\n") if "\r" in text else text


GAP = "\ue000"  # of private use, so it is never in a text that is read; taken out of every scalar
# Where one of these stands the structure is not known: a tab in the indentation, and what some take for a line end.
_BREAKS = re.compile("^ *\t|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", re.MULTILINE)


def _without_hidden(text: str, notes: Notes) -> str:
    """Note every invisible character, and put another in its place so that the rest can still be read in place."""
    broken = _BREAKS.search(text) is not None
    pieces: list[str] = []
    start = line_start = 0
    line = 1
    for match in hidden(text):
        at = match.start()
        line += text.count("\n", start, at)
        line_start = max(line_start, text.rfind("\n", start, at) + 1)
        mark = Mark(line, at - line_start + 1)
        _note_hidden(match.group(), mark, text[line_start:at].isspace() or at == line_start, notes)
        space = match.group() == "\t" or unicodedata.category(match.group()) == "Zs"
        pieces += (text[start:at], " " if space else GAP)
        start = at + 1
    if broken:
        raise StopReadingError  # the structure is not known
    return "".join(pieces) + text[start:]


def _note_hidden(character: str, mark: Mark, indent: bool, notes: Notes) -> None:
    if character == "\t" and indent:
        notes.add(mark, "tab", "a tab in the indentation")
    elif character == "\t":
        notes.add(mark, "tab", "a tab", "replace it by a space")
    elif character == "\r":
        notes.add(mark, "hidden-character", "a carriage return alone", "save the file with line ends LF (Unix)")
    elif character == "\ufffd":
        fix = "type the character that stood here, from the source"
        notes.add(mark, "hidden-character", "U+FFFD, the sign for a character that was lost", fix)
    elif unicodedata.category(character) == "Zs":
        what = f"{character_name(character)}, which looks like a space but is none"
        notes.add(mark, "hidden-character", what, "replace it by an ordinary space")
    else:
        notes.add(mark, "hidden-character", f"{character_name(character)}, which cannot be seen")


def character_name(character: str) -> str:
    """Name a character that may not be seen: ``U+200B (zero width space)``."""
    name = unicodedata.name(character, "a control or unassigned character")
    return f"U+{ord(character):04X} ({name.lower()})"
