"""What the cells of a multiverse hold, and what follows from them: range, what flips a threshold, what moves most."""

import dataclasses
import math
from typing import Any, ClassVar, Final, Literal

from ipsevidence import core

__all__ = ["CRITERIA", "Cell", "Choices", "Excluded", "Flip", "Fork", "Option"]

CRITERIA: Final[dict[str, str]] = {
    "no-effect-excluded": "whether the confidence interval excludes no effect",
    "above-threshold": "whether the estimate is above the threshold",
}
"""What a decision can flip."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to take a decision."""

    key: str
    label: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A decision with its options; the first is that of the analysis."""

    key: str
    label: str
    options: tuple[Option, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """An option that was not tried, what it is called, and why."""

    decision: str
    option: str
    label: str
    why: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One set of decisions and what it gives.

    Attributes
    ----------
    options : tuple of str
        The option of each decision, in the order of `Choices.decisions`; empty where a decision does not arise.
    k : int
        Studies.
    participants : float
        Participants in them.
    estimate, low, high, prediction_low, prediction_high : float
        As shown (ratios, not their logarithms); nan where there is none.
    tau2 : float
        On the pooled scale; nan where the model has none.
    why : str
        Why there is no estimate; empty where there is one.
    """

    options: tuple[str, ...]
    k: int
    participants: float
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    prediction_low: float = math.nan
    prediction_high: float = math.nan
    tau2: float = math.nan
    why: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A single decision that, all others left as they are, turns an answer round.

    Attributes
    ----------
    decision, option : str
        Keys.
    criterion : str
        Key of `CRITERIA`.
    now : bool
        What the answer becomes.
    """

    decision: str
    option: str
    criterion: str
    now: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """A family of choices: all cells, and what the analysis itself chose.

    Attributes
    ----------
    family : {'estimator', 'question'}
        Equivalent answers to one question, or answers to neighbouring questions; never mixed.
    measure : str
        Key of `core.MEASURES`.
    decisions : tuple of Fork
    excluded : tuple of Excluded
        Options that were not tried.
    cells : tuple of Cell
        The first is the analysis itself.
    threshold : float
        What estimates are held against, as shown.
    level : float
        Of the intervals.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "decisions",
        "k",
        "participants",
        "estimate",
        "low",
        "high",
        "prediction_low",
        "prediction_high",
        "tau2",
        "why",
    )
    family: Literal["estimator", "question"]
    measure: str
    decisions: tuple[Fork, ...]
    excluded: tuple[Excluded, ...]
    cells: tuple[Cell, ...]
    threshold: float
    level: float

    @property
    def headline(self) -> Cell:
        """The analysis itself."""
        return self.cells[0]

    @property
    def estimated(self) -> tuple[Cell, ...]:
        """The cells that have an estimate."""
        return tuple(cell for cell in self.cells if not cell.why)

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest estimate; nan where there is none."""
        values = [cell.estimate for cell in self.estimated]
        return (min(values), max(values)) if values else (math.nan, math.nan)

    @property
    def flips(self) -> tuple[Flip, ...]:
        """The single decisions that flip a criterion; none where the analysis itself has no estimate."""
        if self.headline.why:
            return ()
        return tuple(
            Flip(decision=decision, option=option, criterion=criterion, now=now)
            for decision, option, cell in self.singles
            for criterion, now in self.answers(cell).items()
            if now != self.answers(self.headline)[criterion]
        )

    @property
    def singles(self) -> tuple[tuple[str, str, Cell], ...]:
        """Decision, option and cell of each estimated cell that differs from the analysis in one decision."""
        found = []
        for cell in self.estimated:
            pairs = zip(self.decisions, cell.options, self.headline.options, strict=True)
            changed = [(decision.key, now) for decision, now, before in pairs if now != before]
            # A decision that no longer arises was not taken: a model on the counts has no estimator of tau2.
            taken = [(key, option) for key, option in changed if option]
            if len(taken) == 1:
                found.append((*taken[0], cell))
        return tuple(found)

    @property
    def moves_most(self) -> tuple[str, str, float] | None:
        """Decision and option that, alone, move the estimate furthest on the pooled scale, and by how much.

        None where no single decision changes it, or the analysis itself has no estimate.
        """
        if self.headline.why:
            return None
        here = self._pooled(self.headline.estimate)
        moved = [(abs(self._pooled(cell.estimate) - here), key, option, cell) for key, option, cell in self.singles]
        far = max(moved, key=lambda one: one[0], default=None)
        if far is None or far[0] == 0.0:
            return None
        return far[1], far[2], self._pooled(far[3].estimate) - here

    def answers(self, cell: Cell) -> dict[str, bool]:
        """Return what each criterion says of a cell."""
        null = core.MEASURES[self.measure].null
        found = {"no-effect-excluded": cell.low > null or cell.high < null}
        if not math.isnan(self.threshold):
            found["above-threshold"] = cell.estimate > self.threshold
        return found

    def label(self, decision: str, option: str) -> str:
        """Return what an option is called, after its decision; InputError where there is no such one."""
        fork = core.choose("decision", decision, {one.key: one for one in self.decisions})
        return f"{fork.label}: {core.choose('option', option, {one.key: one for one in fork.options}).label}"

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each cell."""
        return [
            ("; ".join(option for option in cell.options if option), *dataclasses.astuple(cell)[1:])
            for cell in self.cells
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the family as plain data, with what follows from it."""
        moves = self.moves_most
        return {
            **dataclasses.asdict(self),
            "range": self.range,
            "flips": [dataclasses.asdict(flip) for flip in self.flips],
            "moves_most": None if moves is None else {"decision": moves[0], "option": moves[1], "by": moves[2]},
        }

    def _pooled(self, value: float) -> float:
        return math.log(value) if core.MEASURES[self.measure].scale == "log" else value
