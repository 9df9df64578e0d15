"""What a kind of forest plot says, apart from how it is laid out and drawn."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

from ipsevidence.core import Measure
from ipsevidence.figures.forest_lines import Line
from ipsevidence.figures.style import Style

__all__ = ["Content", "Favours"]

Favours = tuple[str, str] | None


class Foot(Protocol):
    """Gives the paragraphs of the foot."""

    def __call__(self, style: Style, *, clipped: bool, legend: tuple[str, ...]) -> tuple[str, ...]:
        """Return them, given whether an interval goes on beyond the axis, and what columns have to explain."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is drawn.

    Attributes
    ----------
    measure : Measure
        What the effects are.
    level : float
        Level of the intervals.
    common : bool
        Whether the model is that of a common effect.
    lines : callable
        The lines in the words of a style.
    foot : callable
        The paragraphs of the foot.
    alternative : callable
        The description, from the lines, the style and the two directions.
    even : bool
        Whether all rows are of one height.
    """

    measure: Measure
    level: float
    common: bool
    lines: Callable[[Style], tuple[Line, ...]]
    foot: Foot
    alternative: Callable[[tuple[Line, ...], Style, Favours], str]
    even: bool = False
