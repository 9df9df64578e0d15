"""Figures: one function each, an analysis in, a matplotlib figure out. They decide nothing.

Importing this package loads no matplotlib; drawing does.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["FIGURES", "Kind", "alternative_text", "figure", "save"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of figure.

    Attributes
    ----------
    key, label : str
        What a caller writes, and what menus show.
    function : callable
        Draws it; its first argument is the analysis.
    shows : str
        What it is for, in a sentence.
    """

    key: str
    label: str
    function: "Callable[..., Figure]"
    shows: str


def _forest(run: "AnalysisRun", **options: Any) -> "Figure":
    from ipsevidence.figures.forest_plot import forest

    return forest(run, **options)


FIGURES: Final[dict[str, Kind]] = {
    kind.key: kind
    for kind in (
        Kind(
            key="forest",
            label="forest plot",
            function=_forest,
            shows="Every study with its counts, effect, interval and weight; the pooled effect by group and in all.",
        ),
    )
}


def figure(kind: str, run: "AnalysisRun", **options: Any) -> "Figure":
    """Draw a figure of an analysis.

    Parameters
    ----------
    kind : str
        Key of `FIGURES`.
    run : AnalysisRun
        What is drawn.
    **options
        What the function of that kind takes; all take ``style``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no such kind or style, or there is nothing to draw.
    """
    from ipsevidence.core import choose  # loads numpy, which writing a number has no need of

    chosen: Kind = choose("kind", kind, cast("Mapping[str, Any]", FIGURES))
    return chosen.function(run, **options)


def alternative_text(figure: "Figure") -> str:
    """Return what a figure shows in words and numbers, as it is stored with its files."""
    return str(getattr(figure, "alternative", ""))


def save(figure: "Figure", path: str | os.PathLike[str], *, words: bool = False) -> Path:
    """Write a figure to a PNG (300 dpi), SVG, PDF or EPS file; see `ipsevidence.figures.saving.save`."""
    from ipsevidence.figures import saving

    return saving.save(figure, path, words=words)
