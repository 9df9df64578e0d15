"""Text in figures: made safe to draw, measured, wrapped and cut."""

import re
import unicodedata
from functools import lru_cache

from matplotlib.textpath import text_to_path

from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.style import font

__all__ = ["ELLIPSIS", "balance", "capital", "clean", "fit", "sentence", "width", "wrap"]

ELLIPSIS = "\u2026"
REPLACEMENT = "\ufffd"

_STACKED = re.compile("([\u0300-\u036f])[\u0300-\u036f]+")
"""Accents piled on one letter: they would climb into the row above."""


def clean(text: str, *, most: int = 200) -> str:
    """Return text from data as one line that can be drawn in every format.

    Parameters
    ----------
    text : str
        Anything.
    most : int
        Number of characters from which the text is cut, with an ellipsis.

    Returns
    -------
    str
        Without line breaks, control characters, marks of direction and runs of spaces; no-break spaces stay.
    """
    drawable = "".join(_drawable(char) for char in unicodedata.normalize("NFC", text[: 8 * most]))
    whole = re.sub(" +", " ", _STACKED.sub(r"\1", drawable)).strip(" ")
    return whole if len(whole) <= most else whole[: most - 1].rstrip() + ELLIPSIS


def _drawable(char: str) -> str:
    category = unicodedata.category(char)
    if char == NO_BREAK or category[0] in "LMNPS":
        return char
    if category == "Cf":
        return ""
    return REPLACEMENT if category in {"Cs", "Co", "Cn"} else " "


def capital(text: str) -> str:
    """Return text with a capital first."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return text as a sentence: a capital first, a full stop last."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" + ELLIPSIS else ".")


@lru_cache(maxsize=8192)
def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a line of text in points, as the font sets it without hinting."""
    if not text:
        return 0.0
    return float(text_to_path.get_text_width_height_descent(text, font(size, bold=bold), ismath=False)[0])


def fit(text: str, limit: float, size: float, *, bold: bool = False) -> str:
    """Return the text, cut with an ellipsis if it is wider than `limit` points."""
    if width(text, size, bold=bold) <= limit:
        return text
    return text[: _longest(text, limit, size, bold=bold, end=ELLIPSIS)].rstrip() + ELLIPSIS


def wrap(text: str, limit: float, size: float, *, bold: bool = False, most: int = 0, tail: str = "") -> tuple[str, ...]:
    """Return the text in lines no wider than `limit` points; a word that is wider is broken.

    Parameters
    ----------
    text : str
        One line, as `clean` gives it.
    limit : float
        Width in points; always enough for one character.
    size : float
        Size of the text in points.
    bold : bool
        Whether it is bold.
    most : int
        The most lines; the last of them ends in an ellipsis if there is more. 0 for any number.
    tail : str
        What stays behind the last word, whatever is cut.

    Returns
    -------
    tuple of str
        At least one line, which may be empty.
    """
    lines: list[str] = [""]
    words = [word for word in f"{text}{tail}".split(" ") if word]
    while words:
        word = words.pop(0)
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer, size, bold=bold) <= limit:
            lines[-1] = longer
        elif lines[-1]:
            words.insert(0, word)
            lines.append("")
        else:
            cut = max(1, _longest(word, limit, size, bold=bold))
            lines[-1] = word[:cut]
            if word[cut:]:
                words.insert(0, word[cut:])
                lines.append("")
    if most and len(lines) > most:
        last = f"{lines[most - 1]} {lines[most]}{ELLIPSIS}"
        lines = [*lines[: most - 1], fit(last, limit - width(tail, size, bold=bold), size, bold=bold) + tail]
    return tuple(lines)


def balance(
    text: str, limit: float, size: float, *, bold: bool = False, most: int = 0, tail: str = ""
) -> tuple[str, ...]:
    """Wrap as `wrap` does, in no more lines, but with lines as equal as they can be: no last word on its own."""
    lines = wrap(text, limit, size, bold=bold, most=most, tail=tail)
    if len(lines) == 1 or lines[-1].endswith(ELLIPSIS + tail):
        return lines
    longest = max(width(word, size, bold=bold) for word in f"{text}{tail}".split(" "))
    few, many = max(limit / 2, longest), limit
    while many - few > 1.0:
        middle = (few + many) / 2
        tried = wrap(text, middle, size, bold=bold, tail=tail)
        many, few, lines = (middle, few, tried) if len(tried) == len(lines) else (many, middle, lines)
    return lines


def _longest(text: str, limit: float, size: float, *, bold: bool, end: str = "") -> int:
    """Return how many characters of the text, with `end` behind them, are no wider than `limit`."""
    few, many = 0, len(text)
    while few < many:
        middle = (few + many + 1) // 2
        if width(text[:middle] + end, size, bold=bold) <= limit:
            few = middle
        else:
            many = middle - 1
    return few
