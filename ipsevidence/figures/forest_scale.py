"""The scale of a forest plot: where a pooled number stands on the axis, and what it is called there.

Ratios stand at their logarithms and are written as ratios; everything else stands where it is written, so that a
proportion pooled as its logit is drawn as a proportion.
"""

import dataclasses
import math
from typing import Final

import numpy as np

from ipsevidence.core import Measure

__all__ = ["Scale"]

LIMITS: Final = {"proportion": (0.0, 1.0), "correlation": (-1.0, 1.0)}
"""What an effect can be, by what its measure is computed from; anything where it is not named."""

TWO_GROUPS: Final = frozenset({"two-by-two", "two-means"})


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """The scale that the effects of a measure are drawn on.

    Attributes
    ----------
    measure : Measure
        The measure.
    """

    measure: Measure

    @property
    def ratio(self) -> bool:
        """Whether effects are ratios, on a logarithmic axis."""
        return self.measure.scale == "log"

    @property
    def transformed(self) -> bool:
        """Whether what was pooled is not what is drawn."""
        return self.measure.scale not in {"log", "identity"}

    @property
    def compares(self) -> bool:
        """Whether a value above no effect means more in the first of two groups."""
        return self.measure.needs in TWO_GROUPS

    @property
    def null(self) -> float:
        """Where no effect stands; nan where there is no such value."""
        return math.log(self.measure.null) if self.ratio else self.measure.null

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest value that an effect can have on the axis."""
        return LIMITS.get(self.measure.needs, (-math.inf, math.inf))

    @property
    def label(self) -> str:
        """What is drawn, in words: a proportion, however it was transformed for the pool."""
        return self.measure.label.partition(" (")[0] if self.transformed else self.measure.label

    def place(self, pooled: float) -> float:
        """Return where a pooled number stands on the axis."""
        return float(self.measure.back(pooled)) if self.transformed else float(pooled)

    def shown(self, placed: float) -> float:
        """Return the number that is written for a place on the axis; infinite where no number is large enough."""
        with np.errstate(over="ignore", under="ignore"):
            return float(np.exp(placed)) if self.ratio else placed
