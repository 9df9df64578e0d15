"""What would change a pool: the numbers that are wanted of absent trials, and how far each could move the estimate."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.absent_trials import AbsentTrial
from ipsevidence.analysis.covering import Coverage, coverage_of
from ipsevidence.core.batch import BATCH_ESTIMATORS, fit_selections
from ipsevidence.core.results import FloatArray
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Wanted

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["Unlock", "what_would_change"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unlock:
    """One absent trial whose record says which numbers are wanted.

    Attributes
    ----------
    id, label : str
        The study.
    participants : float
        Its known size: what the pool would gain; nan where it is not known.
    wanted : tuple of Wanted
        What is wanted, where it should be printed, and what it would make possible.
    estimate : float
        The pooled estimate as it is, on the pooled scale; nan where there is no pool to move.
    at_no_effect, at_stated : float
        The same with this trial alone in it, at no effect and at its stated effect; nan where it cannot enter, as where
        it is set aside for a doubt.
    assumed : str
        That stated effect, in words.
    rank_by_participants, rank_by_shift : int
        Its place in either order, from 1; trials without a size, or without a shift, come last.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "study",
        "participants",
        "wanted",
        "where",
        "at_no_effect",
        "at_stated",
        "shift",
        "rank_by_participants",
        "rank_by_shift",
        "assumed",
    )
    id: str
    label: str
    participants: float
    wanted: tuple[Wanted, ...]
    estimate: float = math.nan
    at_no_effect: float = math.nan
    at_stated: float = math.nan
    assumed: str = ""
    rank_by_participants: int = 0
    rank_by_shift: int = 0

    @property
    def shift(self) -> float:
        """The larger of the two moves of the estimate, with its sign, on the pooled scale; nan where there is none."""
        moves = [value - self.estimate for value in (self.at_no_effect, self.at_stated)]
        return max(moves, key=abs) if all(map(math.isfinite, moves)) else math.nan

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the one row of this trial."""
        what = "; ".join(dict.fromkeys(one.what for one in self.wanted))
        where = "; ".join(dict.fromkeys(one.where for one in self.wanted))
        numbers = (self.at_no_effect, self.at_stated, self.shift)
        ranks = (self.rank_by_participants, self.rank_by_shift)
        return [(self.label, self.participants, what, where, *numbers, *ranks, self.assumed)]

    def to_dict(self) -> dict[str, Any]:
        """Return the trial as plain data."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["wanted"] = [one.model_dump(exclude_none=True) for one in self.wanted]
        return {**plain, "shift": self.shift}


def what_would_change(
    run: "AnalysisRun", dataset: Dataset, coverage: Coverage | None = None
) -> tuple[Unlock, ...] | core.NotApplicable:
    """Return the absent trials whose numbers are wanted, by what each would bring.

    Parameters
    ----------
    run : AnalysisRun
        An analysis by rule.
    dataset : Dataset
        The records it was run on.
    coverage : Coverage, optional
        What `coverage_of` returned for them, where it is at hand.

    Returns
    -------
    tuple of Unlock or NotApplicable
        The largest first, of the same size that with the larger shift. Not applicable to a list of studies or a user's
        own table. Trials of whose record nothing is wanted are left out: no number would bring them in.

    Notes
    -----
    Each trial enters alone, with the variance and the stated effect of `absent_trials.absent_trial`, and the pool is
    estimated again by the estimator of the analysis. The shift is what these two assumptions make of it, not the most
    that is possible.
    """
    found = coverage_of(run, dataset) if coverage is None else coverage
    if isinstance(found, core.NotApplicable):
        return found
    trials = [one for one in found.absent if dataset[one.id].wanted]
    filled = _filled(run, [one for one in trials if one.enters]) if found.bounds else {}
    estimate = run.fit.estimate if found.bounds and isinstance(run.fit, core.PooledResult) else math.nan
    unlocks = [
        Unlock(
            id=one.id,
            label=one.label,
            participants=one.size,
            wanted=dataset[one.id].wanted,
            estimate=estimate,
            at_no_effect=filled.get(one.id, (math.nan, math.nan))[0],
            at_stated=filled.get(one.id, (math.nan, math.nan))[1],
            assumed=one.assumed,
        )
        for one in trials
    ]
    by_size = sorted(unlocks, key=lambda one: (*_last(one.participants), *_last(abs(one.shift)), one.id))
    by_shift = sorted(unlocks, key=lambda one: (*_last(abs(one.shift)), *_last(one.participants), one.id))
    place = {one.id: number for number, one in enumerate(by_shift, start=1)}
    return tuple(
        dataclasses.replace(one, rank_by_participants=number, rank_by_shift=place[one.id])
        for number, one in enumerate(by_size, start=1)
    )


def _last(value: float) -> tuple[bool, float]:
    """Return a key that sorts large numbers first and nan last."""
    return math.isnan(value), 0.0 if math.isnan(value) else -value


def _filled(run: "AnalysisRun", entering: list[AbsentTrial]) -> dict[str, tuple[float, float]]:
    """Return the pooled estimate with each trial alone, at no effect and at its stated effect."""
    if not entering:
        return {}
    m = len(entering)
    y = np.array([*run.y, *(0.0 for _ in entering), *(one.y for one in entering)])
    v = np.array([*run.v, *(one.v_none for one in entering), *(one.v for one in entering)])
    chosen = np.hstack([np.ones((2 * m, len(run.y)), dtype=bool), np.eye(2 * m, dtype=bool)])
    found = _estimates(y, v, chosen, run.spec.model.tau2)
    return {one.id: (float(found[i]), float(found[m + i])) for i, one in enumerate(entering)}


def _estimates(y: FloatArray, v: FloatArray, chosen: Any, tau2: str) -> FloatArray:
    if tau2 in BATCH_ESTIMATORS:
        return fit_selections(y, v, chosen, tau2=tau2).estimate
    return np.array(
        [core.pool(y[row], v[row], tau2=tau2, interval="wald", prediction="none").estimate for row in chosen]
    )
