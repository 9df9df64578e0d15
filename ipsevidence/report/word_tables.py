"""How a table is laid out in a Word document: measured widths, a wide page or smaller type where it must be."""

import dataclasses
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ipsevidence.figures.lettering import width as measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PADDING", "PAGE", "WIDE", "Layout", "laid_out"]

PAGE: Final = 481.9
"""Width of the text on a page, in points: A4 with margins of 2 cm."""
WIDE: Final = 728.5
"""The same on a page that is turned."""
PADDING: Final = 7.0
"""Room on the right of a cell, in points."""

_SIZES: Final = (8.5, 8.0, 7.5, 7.0, 6.5)
"""Sizes of type in points, the one that is read best first."""
_SMALLEST_UPRIGHT: Final = 8.0
"""Below it a table is turned rather than made smaller."""
_LABEL: Final = 84.0
"""Width in points up to which what stands first in a row, the name of a study for instance, keeps to one line."""
_NUMBER: Final = 105.0
"""Width in points up to which a number keeps to one line."""
_WORD: Final = 110.0
"""Width in points that a word may ask a column to hold; longer ones, addresses for instance, may break."""
_DEEP: Final = 2.8
"""Lines that the rows of a table of many columns have on average where it is better turned."""
_MANY: Final = 7
_LONG: Final = 6
"""Rows from which on a table is worth turning the page for."""
_SLACK: Final = 1.06
"""Other programs set the same type a little wider."""
_LOOSE: Final = 1.08
"""What lines lose at their ends, where the next word does not fit."""
_STEPS: Final = 60
_LEADING: Final = 1.2
_BETWEEN: Final = 2.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A table as it is set.

    Attributes
    ----------
    lines : tuple of tuple of str
        Rows of cells, the heads first.
    widths : tuple of float
        Of the columns, in points; their sum is the width of the text on the page.
    size : float
        Of the type, in points.
    wide : bool
        Whether the page is turned.
    height : float
        About how high it will be, in points.
    """

    lines: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    size: float
    wide: bool
    height: float


def laid_out(lines: Sequence[Sequence[str]], numbers: Sequence[bool]) -> Layout:
    """Lay a table out: no word and no number is broken where any page and type can hold it.

    Parameters
    ----------
    lines : sequence of sequence of str
        Rows of cells, the heads first.
    numbers : sequence of bool
        Which columns hold numbers.

    Returns
    -------
    Layout
        On an upright page where that will do, else on one that is turned, else in smaller type.
    """
    rows = tuple(map(tuple, lines))
    upright = [(size, False) for size in _SIZES if size >= _SMALLEST_UPRIGHT]
    turned = [(size, True) for size in _SIZES]
    for size, wide in (*upright, *turned):
        least = _least(rows, numbers, size)
        if sum(least) > (WIDE if wide else PAGE) and (size, wide) != turned[-1]:
            continue
        found = _set(rows, numbers, size, wide=wide)
        if not wide and len(numbers) >= _MANY and len(rows) > _LONG and _depth(found) > _DEEP:
            continue
        break
    return found


def _set(rows: tuple[tuple[str, ...], ...], numbers: Sequence[bool], size: float, *, wide: bool) -> Layout:
    """Set a table in one size of type: what each column needs, the rest where it makes the table lower."""
    page = WIDE if wide else PAGE
    texts = np.array([[_width(text, size, bold=n == 0) for text in row] for n, row in enumerate(rows)])
    least = np.array(_least(rows, numbers, size))
    if least.sum() >= page:
        return _layout(rows, texts, page * least / least.sum(), size, wide=wide)
    widths = _lowered(texts, least, page)
    rest = page - widths.sum()
    takers = ~np.array(numbers) if not all(numbers) else np.ones(len(numbers), dtype=bool)
    return _layout(rows, texts, widths + rest * takers / takers.sum(), size, wide=wide)


def _lowered(texts: "NDArray[np.float64]", least: "NDArray[np.float64]", page: float) -> "NDArray[np.float64]":
    """Widen step by step the column that lowers the table most, until none does or the page is full."""
    widths = least.copy()
    step = (page - least.sum()) / _STEPS
    for _ in range(_STEPS):
        now = _deep(texts, widths).sum()
        gains = [now - _deep(texts, widths + step * (np.arange(len(widths)) == n)).sum() for n in range(len(widths))]
        best = int(np.argmax(gains))
        if gains[best] <= 0:
            break
        widths[best] += step
    return widths


def _deep(texts: "NDArray[np.float64]", widths: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the lines that each row takes, as fractions of lines."""
    lines: NDArray[np.float64] = np.maximum(1.0, _LOOSE * texts / np.maximum(1.0, widths - PADDING)).max(axis=1)
    return lines


def _layout(
    rows: tuple[tuple[str, ...], ...],
    texts: "NDArray[np.float64]",
    widths: "NDArray[np.float64]",
    size: float,
    *,
    wide: bool,
) -> Layout:
    height = float((np.ceil(_deep(texts, widths)) * size * _LEADING + _BETWEEN).sum())
    return Layout(lines=rows, widths=tuple(widths.tolist()), size=size, wide=wide, height=height)


def _depth(layout: Layout) -> float:
    """Mean number of lines of a row."""
    return (layout.height / len(layout.lines) - _BETWEEN) / (layout.size * _LEADING)


def _width(text: str, size: float, *, bold: bool) -> float:
    with warnings.catch_warnings():
        # A sign that our font has not is measured as a box; Word sets it in another font.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from font", category=UserWarning)
        return _SLACK * measured(text, size, bold=bold)


def _least(rows: tuple[tuple[str, ...], ...], numbers: Sequence[bool], size: float) -> list[float]:
    """Return the width that each column cannot do without."""
    limits = [_LABEL, *(_NUMBER if number else 0.0 for number in numbers[1:])]
    return [
        PADDING + max(_unbroken(text, size, limit, head=n == 0) for n, text in enumerate(column))
        for column, limit in zip(zip(*rows, strict=True), limits, strict=True)
    ]


def _unbroken(text: str, size: float, limit: float, *, head: bool) -> float:
    whole = _width(text, size, bold=head)
    if not head and whole <= limit:
        return whole
    words = max((_width(word, size, bold=head) for word in re.split(r" |(?<=-)", text)), default=0.0)
    return min(words, _WORD)
