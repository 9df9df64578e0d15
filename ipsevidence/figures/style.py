"""How figures look: presets as data, the palette, the font, and the drawing context.

Nothing is set globally: `context` holds matplotlib's own defaults plus what is listed here for as long as a figure
is drawn or saved, so that a figure neither sees a reader's settings nor leaves its own behind.
"""

import dataclasses
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import matplotlib as mpl
import matplotlib.style
from matplotlib.font_manager import FontProperties

from ipsevidence.figures.numbers import Numerals

__all__ = ["POINTS_PER_MM", "SETTINGS", "STYLES", "Palette", "Style", "context", "font"]

POINTS_PER_MM: Final = 72 / 25.4

FONT_FILES: Final = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
"""The files that matplotlib ships, by whether they are bold: the same on every machine."""

FAMILIES: Final = ("DejaVu Sans", "Verdana", "sans-serif")
"""What an SVG asks for: the font that was measured, then one of the same widths, then any."""

SETTINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "axes.unicode_minus": True,
        "font.family": ["sans-serif"],
        "font.sans-serif": list(FAMILIES),
        "path.simplify": False,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "ipsevidence",
        "text.hinting": "none",
        "text.parse_math": False,
        "text.usetex": False,
    }
)
"""What is set on top of matplotlib's defaults while a figure is drawn or saved."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Near-black, one accent and greys; all of them keep their order in grey print.

    Attributes
    ----------
    ink : str
        Text, intervals, the line at no effect.
    quiet : str
        Small print; dark enough to be read (contrast above 4.5 on white).
    square : str
        Squares, behind the intervals.
    rule : str
        Rules of the table and the axis.
    accent : str
        Whatever was pooled: diamonds, the line at the mean, the prediction interval.
    accent_light : str
        Fill of the diamonds of groups, which have an edge in `accent`.
    """

    ink: str = "#1a1a1a"
    quiet: str = "#5c5c5c"
    square: str = "#8f8f8f"
    rule: str = "#4d4d4d"
    accent: str = "#0a5a9c"
    accent_light: str = "#c9deef"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A preset: what changes from journal to journal, and nothing that changes a number.

    Attributes
    ----------
    key, label : str
        What a caller writes, and what menus show.
    width_mm, page_mm : float
        Width of the figure (one whose columns need more is wider), and the height from which its rows are set tight.
    size, small : float
        Size of text and of small print, in points.
    row, leading, small_leading : float
        Height of a row, of each further line of text in it, and of a line of small print, in points.
    gap : float
        Space between columns, in points.
    margin : float
        Space around the figure, in points.
    plot_min, label_min : float
        What the effect axis and the names of studies are never narrower than, in points.
    square : float
        Side of the square of the heaviest study, in points.
    diamond : float
        Height of a diamond, in points.
    columns : tuple of str
        Keys of the columns from left to right; ``plot`` is the effect axis.
    numerals : Numerals
        Digits, decimal mark and brackets.
    palette : Palette
        The colours.
    """

    key: str
    label: str
    width_mm: float = 180.0
    page_mm: float = 235.0
    size: float = 7.5
    small: float = 7.0
    row: float = 11.5
    leading: float = 9.0
    small_leading: float = 9.0
    gap: float = 11.0
    margin: float = 5.0
    plot_min: float = 140.0
    label_min: float = 80.0
    square: float = 8.0
    diamond: float = 8.0
    columns: tuple[str, ...] = ("study", "events1", "events2", "plot", "effect", "weight")
    numerals: Numerals = dataclasses.field(default_factory=Numerals)
    palette: Palette = dataclasses.field(default_factory=Palette)

    @property
    def width(self) -> float:
        """Width of the figure in points."""
        return self.width_mm * POINTS_PER_MM

    @property
    def page(self) -> float:
        """Height of a page in points."""
        return self.page_mm * POINTS_PER_MM

    def tight(self) -> "Style":
        """Return the style for many rows: all text as small as the small print, rows as close as that allows."""
        leading = 1.2 * self.small
        row = 1.3 * self.small
        return dataclasses.replace(
            self,
            size=self.small,
            row=row,
            leading=leading,
            small_leading=leading,
            square=min(self.square, 0.75 * row),
            diamond=min(self.diamond, 0.75 * row),
        )


STYLES: Final[dict[str, Style]] = {
    style.key: style for style in (Style(key="default", label="The project's own, 180 mm wide"),)
}


@contextmanager
def context() -> Iterator[None]:
    """Give matplotlib its defaults and `SETTINGS`, until the context is left.

    Letters that the font lacks (Chinese names, say) are drawn as boxes and stay as text in the file; matplotlib's
    warning of each of them is not the user's concern.
    """
    with matplotlib.style.context(["default", dict(SETTINGS)]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from font", category=UserWarning)
        yield


@cache
def font(size: float, *, bold: bool = False) -> FontProperties:
    """Return the font at a size in points, from the file that matplotlib ships.

    Parameters
    ----------
    size : float
        Size in points.
    bold : bool
        Whether it is bold.

    Returns
    -------
    FontProperties
        With the families of an SVG, to be made and used within `context`.
    """
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / FONT_FILES[bold]
    return FontProperties(family="sans-serif", weight="bold" if bold else "normal", size=size, fname=str(path))
