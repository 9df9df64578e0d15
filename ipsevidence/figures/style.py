"""How figures look: presets as data, the palette, the font, and the drawing context.

Nothing is set globally: `context` holds matplotlib's own defaults plus what is listed here for as long as a figure
is drawn or saved, so that a figure neither sees a reader's settings nor leaves its own behind.
"""

import base64
import dataclasses
import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import matplotlib.style
from matplotlib.font_manager import FontProperties

from ipsevidence.figures.numbers import NO_BREAK, Numerals

__all__ = [
    "PALETTES",
    "POINTS_PER_MM",
    "SETTINGS",
    "STYLES",
    "Heading",
    "Palette",
    "Style",
    "Wording",
    "context",
    "font",
    "font_face",
]

POINTS_PER_MM: Final = 72 / 25.4

FONT_FILES: Final = {False: "Arimo-Regular.ttf", True: "Arimo-Bold.ttf"}
"""The files in ``fonts``, by whether they are bold: the same on every machine."""

FAMILIES: Final = ("Arimo", "Arial", "Liberation Sans", "Helvetica", "sans-serif")
"""What an SVG asks for: the font that was measured, then those of the same widths, then any."""

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
    bias : tuple of str
        Dots of risk of bias: low, some concerns, high, no information. Each carries its sign in `ink`.
    """

    ink: str = "#1a1a1a"
    quiet: str = "#5c5c5c"
    square: str = "#8f8f8f"
    rule: str = "#4d4d4d"
    accent: str = "#0a5a9c"
    accent_light: str = "#c9deef"
    bias: tuple[str, str, str, str] = ("#7cc8a4", "#f2d95c", "#e58a6f", "#e3e3e3")


PALETTES: Final[dict[str, Palette]] = {
    "colour": Palette(),
    "grey": Palette(
        accent="#3b3b3b", accent_light="#dcdcdc", square="#8a8a8a", bias=("#ffffff", "#d6d6d6", "#a3a3a3", "#ffffff")
    ),
}
"""Palettes that any style can be drawn with: ``colour``, and ``grey`` for print in black and white."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above a column: over it and its neighbours of the same words, and in its own two lines."""

    over: str = ""
    name: str = ""
    unit: str = ""


HEADINGS: Final[Mapping[str, Heading]] = MappingProxyType(
    {
        "study": Heading(name="Study"),
        "events1": Heading(name="{arm}", unit="events/n"),
        "events2": Heading(name="{arm}", unit="events/n"),
        "counts1": Heading(over="{arm}", name="Events"),
        "counts2": Heading(over="{arm}", name="Events"),
        "total1": Heading(over="{arm}", name="Total"),
        "total2": Heading(over="{arm}", name="Total"),
        "effect": Heading(name="{effect}", unit="[{level} CI]"),
        "weight": Heading(name="Weight", unit="%"),
        "fidelity": Heading(name="Fidelity"),
        "bias": Heading(over="Risk of bias"),
        "k": Heading(name="Studies"),
        "i2": Heading(name="I\u00b2"),
        "tau2": Heading(name="\u03c4\u00b2"),
    }
)
"""By key of `forest_columns.COLUMNS`; ``plot`` is the effect axis itself."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of a preset. Names in braces are filled in; a piece whose number is missing is left out.

    Attributes
    ----------
    headings : mapping of str to Heading
        By key of column, where they are not those of `HEADINGS`. ``{arm}``, ``{effect}`` (``{Effect}`` in capitals),
        ``{method}``, ``{level}``.
    total, subtotal : str
        Names of what was pooled; ``{k}``, ``{level}``.
    found, pieces, joiner : str, tuple of str, str
        The sentence on heterogeneity, its pieces, and what stands between these: ``{i2}``, ``{tau2}``, ``{q}``,
        ``{df}``, ``{p}``, each an equation.
    i2, tau2, q, z : str
        Names of statistics.
    test : str
        The sentence on no effect: ``{test}``, ``{p}``.
    between : str
        The sentence on differences between groups: ``{q}``, ``{df}``, ``{p}``.
    model, interval, variance, prediction : str
        What was done, by ``{label}``; ``{level}``.
    stop : str
        What stands between these.
    whole : bool
        Whether the whole sentence on heterogeneity stands under a group.
    favours : str
        The two directions: ``{arm}``.
    above : bool
        Whether the directions stand above the plot, where they fit; else below.
    """

    headings: Mapping[str, Heading] = dataclasses.field(default_factory=dict)
    total: str = "Total ({k})"
    subtotal: str = "Subtotal ({k})"
    found: str = "Heterogeneity: {}."
    pieces: tuple[str, ...] = ("{i2}", "{tau2}", "{q}", "{df}", "{p}")
    joiner: str = ", "
    i2: str = "I\u00b2"
    tau2: str = "\u03c4\u00b2"
    q: str = "Q"
    z: str = "z"
    test: str = "Test of no effect: {test}, {p}."
    between: str = "Test between groups: {q}, {df}, {p}."
    model: str = "Model: {label}"
    variance: str = "\u03c4\u00b2: {label}"
    interval: str = "{level} CI: {label}"
    prediction: str = "prediction interval: {label}"
    stop: str = "; "
    whole: bool = False
    favours: str = "Favours {arm}"
    above: bool = False

    def heading(self, key: str, **words: str) -> Heading:
        """Return the heading of a column, filled in."""
        found = self.headings.get(key) or HEADINGS.get(key) or Heading()
        return Heading(
            over=found.over.format(**words), name=found.name.format(**words), unit=found.unit.format(**words)
        )


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
    words : Wording
        Headings and sentences.
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
    words: Wording = dataclasses.field(default_factory=Wording)
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


_TWO_THREE: Final = ((0.01, 2), (0.001, 3))
_OVER: Final = "No. of events/total No."

_REVMAN: Final = Style(
    key="revman",
    label="As in a Cochrane review, 180 mm wide",
    gap=8.0,
    square=7.5,
    columns=("study", "counts1", "total1", "counts2", "total2", "weight", "effect", "plot"),
    numerals=Numerals(
        between=f",{NO_BREAK}",
        between_differences=f",{NO_BREAK}",
        tau2_digits=2,
        p_name="P",
        p_digits=((0.01, 2), (0.001, 3), (0.0001, 4)),
        percent_sign=True,
    ),
    words=Wording(
        headings={
            "study": Heading(name="Study or Subgroup"),
            "effect": Heading(over="{Effect}", name="{method}, {level} CI"),
            "plot": Heading(over="{Effect}", name="{method}, {level} CI"),
            "weight": Heading(name="Weight"),
        },
        total="Total ({level} CI)",
        subtotal="Subtotal ({level} CI)",
        pieces=("{tau2}", "{q}, {df} ({p})", "{i2}"),
        joiner="; ",
        tau2="Tau\u00b2",
        q="Chi\u00b2",
        z="Z",
        test="Test for overall effect: {test} ({p}).",
        between="Test for subgroup differences: {q}, {df} ({p}).",
        model="Model: {label}",
        variance="Tau\u00b2 calculated by the {label} method",
        interval="{level} CI calculated by the {label} method",
        prediction="Prediction interval: {label}",
        stop=". ",
        whole=True,
    ),
    palette=Palette(square="#4d7dbd", accent="#3b3b3b", accent_light="#d9d9d9"),
)

_JAMA: Final = Style(
    key="jama",
    label="As in JAMA, 178 mm wide",
    width_mm=178.0,
    columns=("study", "events1", "events2", "effect", "plot", "weight"),
    numerals=Numerals(brackets=("(", ")"), between="-", tau2_digits=2, p_name="P", p_digits=_TWO_THREE, p_zero=False),
    words=Wording(
        headings={
            "study": Heading(name="Source"),
            "events1": Heading(over=_OVER, name="{arm}"),
            "events2": Heading(over=_OVER, name="{arm}"),
            "effect": Heading(name="{effect}", unit="({level} CI)"),
            "weight": Heading(name="Weight, %"),
        },
        total="Overall",
        subtotal="Subtotal",
        pieces=("{tau2}", "{q}, {df}, {p}", "{i2}"),
        joiner="; ",
        q="\u03c7\u00b2",
        test="Test for overall effect: {test}; {p}.",
        between="Test for subgroup differences: {q}, {df}; {p}.",
        favours="Favors {arm}",
        above=True,
    ),
    palette=Palette(square="#7a7f87", accent="#1d4e74", accent_light="#cfdde8"),
)

_BMJ: Final = Style(
    key="bmj",
    label="As in The BMJ, 178 mm wide",
    width_mm=178.0,
    columns=("study", "events1", "events2", "plot", "weight", "effect"),
    numerals=Numerals(
        brackets=("(", ")"),
        between=f"{NO_BREAK}to{NO_BREAK}",
        tau2_digits=2,
        p_name="P",
        p_digits=_TWO_THREE,
        spaced=False,
    ),
    words=Wording(
        headings={
            "events1": Heading(over="No of events/total", name="{arm}"),
            "events2": Heading(over="No of events/total", name="{arm}"),
            "effect": Heading(name="{effect}", unit="({level} CI)"),
            "plot": Heading(name="{effect}", unit="({level} CI)"),
            "weight": Heading(name="Weight", unit="(%)"),
        },
        total="Total ({level} CI)",
        subtotal="Subtotal ({level} CI)",
        found="Test for heterogeneity: {}.",
        pieces=("{tau2}", "{q}", "{df}", "{p}", "{i2}"),
        q="\u03c7\u00b2",
        test="Test for overall effect: {test}, {p}.",
        between="Test for subgroup differences: {q}, {df}, {p}.",
    ),
    palette=Palette(square="#5f97cf", accent="#1f5a99", accent_light="#c5d9ee"),
)

_LANCET: Final = Style(
    key="lancet",
    label="As in The Lancet, 154 mm wide",
    width_mm=154.0,
    size=7.0,
    row=11.0,
    leading=8.5,
    gap=9.0,
    plot_min=110.0,
    columns=("study", "events1", "events2", "plot", "effect", "weight"),
    numerals=Numerals(
        decimal="\u00b7",
        brackets=("(", ")"),
        p_digits=((0.1, 2), (0.01, 3), (0.001, 4), (0.0001, 5)),
        spaced=False,
    ),
    words=Wording(
        headings={
            "study": Heading(),
            "events1": Heading(name="{arm}", unit="(n/N)"),
            "events2": Heading(name="{arm}", unit="(n/N)"),
            "effect": Heading(name="{effect}", unit="({level} CI)"),
            "weight": Heading(name="Weight", unit="(%)"),
        },
        total="Overall",
        subtotal="Subtotal",
        pieces=("{i2}", "{tau2}", "{q}", "{df}", "{p}"),
        q="\u03c7\u00b2",
        test="Test for overall effect: {test}, {p}.",
        between="Test for subgroup differences: {q}, {df}, {p}.",
    ),
    palette=Palette(square="#7f7f7f", accent="#a01d20", accent_light="#efcfcf"),
)

_NEJM: Final = Style(
    key="nejm",
    label="As in the New England Journal of Medicine, 178 mm wide",
    width_mm=178.0,
    columns=("study", "events1", "events2", "plot", "effect", "weight"),
    numerals=Numerals(brackets=("(", ")"), tau2_digits=2, p_name="P", p_digits=_TWO_THREE, spaced=False),
    words=Wording(
        headings={
            "study": Heading(name="Trial"),
            "events1": Heading(name="{arm}", unit="no./total no."),
            "events2": Heading(name="{arm}", unit="no./total no."),
            "effect": Heading(name="{Effect}", unit="({level} CI)"),
            "plot": Heading(name="{Effect}", unit="({level} CI)"),
            "weight": Heading(name="Weight", unit="percent"),
        },
        total="Overall",
        subtotal="Subtotal",
        pieces=("{tau2}", "{q}", "{df}", "{p}", "{i2}"),
        q="\u03c7\u00b2",
        test="Test for overall effect: {test}, {p}.",
        between="Test for interaction: {q}, {df}, {p}.",
        favours="{arm} better",
    ),
    palette=Palette(square="#8a8a8a", accent="#3b3b3b", accent_light="#d9d9d9"),
)

STYLES: Final[dict[str, Style]] = {
    style.key: style
    for style in (
        Style(key="default", label="The project's own, 180 mm wide"),
        _REVMAN,
        _JAMA,
        _BMJ,
        _LANCET,
        _NEJM,
    )
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
    """Return the font at a size in points, from the file in ``fonts``.

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
    path = Path(__file__).parent / "fonts" / FONT_FILES[bold]
    return FontProperties(family="sans-serif", weight="bold" if bold else "normal", size=size, fname=str(path))


def font_face(text: str, *, bold: bool = False) -> str:
    """Return a CSS rule that holds the font, cut down to the characters of a text.

    With it an SVG has the measured widths on machines that have neither the font nor one of the same widths.

    Parameters
    ----------
    text : str
        All characters that are set.
    bold : bool
        Whether they are bold.

    Returns
    -------
    str
        ``@font-face {...}``, the same for the same characters.
    """
    from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    face = TTFont(Path(__file__).parent / "fonts" / FONT_FILES[bold], recalcTimestamp=False)
    cut = Subsetter(Options(notdef_outline=True, name_IDs=[], drop_tables=[], glyph_names=False))
    cut.populate(text="".join(sorted(set(text))))
    cut.subset(face)
    file = io.BytesIO()
    face.save(file)
    data = base64.b64encode(file.getvalue()).decode()
    weight = 700 if bold else 400
    return f"@font-face{{font-family:{FAMILIES[0]};font-weight:{weight};src:url(data:font/ttf;base64,{data})}}"
