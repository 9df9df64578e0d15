"""A page of text and marks measured in points, for figures that are no plots: it grows downwards, then is drawn."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from ipsevidence.figures.lettering import clean, wrap
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, font

__all__ = ["ASCENT", "HAIR", "Sheet"]

HAIR: Final = 0.6
"""Width of thin lines, in points."""

ASCENT: Final = 0.93
"""How far the tallest letters of the font reach from the baseline, in its size."""


@dataclasses.dataclass(slots=True)
class Sheet:
    """What will stand on a page, in points from its upper left corner.

    Attributes
    ----------
    style : Style
        Its sizes, leading and colours.
    width : float
        Of the page.
    """

    style: Style
    width: float
    _texts: list[tuple[str, float, float, dict[str, Any]]] = dataclasses.field(default_factory=list)
    _lines: list[tuple[Sequence[float], Sequence[float], dict[str, Any]]] = dataclasses.field(default_factory=list)
    _boxes: list[tuple[float, float, float, float, dict[str, Any]]] = dataclasses.field(default_factory=list)
    _marks: list[tuple[Sequence[float], Sequence[float], dict[str, Any]]] = dataclasses.field(default_factory=list)

    def write(self, text: str, x: float, top: float, key: str, **look: Any) -> None:
        """Set one line of text whose tallest letters begin at `top`; `look`: size, bold, quiet, color, ha."""
        self._texts.append((text, x, top, {"key": key, **look}))

    def paragraph(
        self, text: str, x: float, top: float, limit: float, key: str, *, most: int = 0, **look: Any
    ) -> float:
        """Set text in lines no wider than `limit`; return where it ends."""
        size: float = look.get("size", self.style.small)
        step = self.style.leading * size / self.style.size
        lines = wrap(clean(text, most=600), limit, size, bold=look.get("bold", False), most=most)
        for index, line in enumerate(lines):
            self.write(line, x, top + index * step, f"{key}-{index}", **look)
        return top + len(lines) * step

    def line(self, x: Sequence[float], y: Sequence[float], key: str, **look: Any) -> None:
        """Draw a line."""
        self._lines.append((x, y, {"gid": key, "linewidth": HAIR, "solid_capstyle": "butt", "zorder": 2.0, **look}))

    def box(self, left: float, top: float, width: float, height: float, key: str, **look: Any) -> None:
        """Draw a rectangle."""
        self._boxes.append((left, top, width, height, {"gid": key, "linewidth": 0.0, "zorder": 1.0, **look}))

    def marks(self, x: Sequence[float], y: Sequence[float], key: str, **look: Any) -> None:
        """Draw marks; `s` is their area in square points."""
        self._marks.append((x, y, {"gid": key, "linewidths": HAIR, "zorder": 3.0, **look}))

    def drawn(self, height: float, *, title: str, alternative: str) -> Drawing:
        """Return the page as a figure; to be called within `style.context`."""
        drawing = Drawing(
            width=self.width, height=height, title=clean(title, most=300), alternative=clean(alternative, most=6000)
        )
        page = drawing.add_axes((0.0, 0.0, 1.0, 1.0), label="page")
        page.set_xlim(0.0, self.width)
        page.set_ylim(height, 0.0)
        page.set_axis_off()
        colours = self.style.palette
        for left, top, wide, high, look in self._boxes:
            page.add_patch(Rectangle((left, top), wide, high, **look))
        for across, down, look in self._lines:
            page.add_line(Line2D(list(across), list(down), **look))
        for across, down, look in self._marks:
            page.scatter(list(across), list(down), **look)
        for text, x, top, look in self._texts:
            size = look.get("size", self.style.small)
            page.text(
                x,
                top + ASCENT * size,
                text,
                ha=look.get("ha", "left"),
                va="baseline",
                color=look.get("color", colours.quiet if look.get("quiet") else colours.ink),
                fontproperties=font(size, bold=look.get("bold", False)),
                parse_math=False,
                gid=look["key"],
            )
        return drawing
