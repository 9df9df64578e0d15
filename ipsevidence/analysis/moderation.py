"""Numbers that the effect may depend on: one meta-regression a moderator, within the protocol's limits."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.rows import StudyRow, participants
from ipsevidence.analysis.spec import MODERATORS, Model, Moderator

__all__ = ["FEWEST", "ModeratorFit", "moderated"]

FEWEST: Final = 10
"""Studies below which an effect is not regressed on anything."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModeratorFit:
    """The slope of the effect on one moderator.

    Attributes
    ----------
    by, label : str
        The moderator: key of `spec.MODERATORS`, and what it is.
    k : int
        Studies that give it.
    slope, low, high : float
        Change of the effect, on the pooled scale, per unit of the moderator, with its interval; for `control-risk` the
        change of the log odds ratio per unit of the true control log odds.
    p : float
        Test that the slope is 0: Knapp and Hartung's, for `control-risk` Wald's.
    p_permutation : float
        The same by permutation; nan for `control-risk`.
    r2 : float
        Share of the between-study variance accounted for, in percent; nan for `control-risk`.
    because : str
        Why there is no slope; empty where there is one.
    """

    columns: ClassVar[tuple[str, ...]] = ("moderator", "k", "slope", "low", "high", "p", "p_permutation", "r2", "why")
    by: str
    label: str
    k: int
    slope: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    p_permutation: float = math.nan
    r2: float = math.nan
    because: str = ""

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the one row of this moderator."""
        numbers = (self.slope, self.low, self.high, self.p, self.p_permutation, self.r2)
        return [(self.label, self.k, *numbers, self.because)]

    def to_dict(self) -> dict[str, Any]:
        """Return the fit as plain data."""
        return dataclasses.asdict(self)


def moderated(
    wanted: Sequence[Moderator], rows: Sequence[StudyRow], y: Sequence[float], v: Sequence[float], model: Model
) -> tuple[ModeratorFit, ...]:
    """Regress the effects on each moderator in turn.

    Parameters
    ----------
    wanted : sequence of Moderator
        What is asked for.
    rows : sequence of StudyRow
        The k studies of the pool.
    y, v : sequence of float
        Their effects and variances.
    model : Model
        Estimator of tau2 and level; the interval is Knapp and Hartung's whatever the pool's.

    Returns
    -------
    tuple of ModeratorFit
        In the order asked for. Below ten studies, and where a moderator does not vary, the reason instead of a slope.
    """
    return tuple(
        _control_risk(rows, model)
        if one.by == "control-risk"
        else _regression(one.by, rows, np.asarray(y), np.asarray(v), model)
        for one in wanted
    )


def _regression(by: str, rows: Sequence[StudyRow], y: Any, v: Any, model: Model) -> ModeratorFit:
    label = MODERATORS[by]
    x = np.array([_VALUES[by](row) for row in rows], dtype=float)
    known = np.isfinite(x)
    k = int(known.sum())
    if k < FEWEST:
        return ModeratorFit(by=by, label=label, k=k, because=f"{k} studies: no regression below {FEWEST}")
    if float(np.ptp(x[known])) == 0.0:
        return ModeratorFit(by=by, label=label, k=k, because="the same in every study")
    y, v = y[known], v[known]
    # Centred, so that the intercept is the mean effect; the slope does not change.
    design = np.column_stack([np.ones(k), x[known] - x[known].mean()])
    fit = core.meta_regression(y, v, design, tau2=model.tau2, interval="hksj", level=float(model.level))
    shuffled = core.permutation_test(y, v, design, tau2=model.tau2, interval="hksj")
    return ModeratorFit(
        by=by,
        label=label,
        k=k,
        slope=float(fit.coefficients[1]),
        low=float(fit.low[1]),
        high=float(fit.high[1]),
        p=float(fit.p[1]),
        p_permutation=float(shuffled.p[1]),
        r2=fit.r2,
    )


def _control_risk(rows: Sequence[StudyRow], model: Model) -> ModeratorFit:
    """Take the slope of the bivariate model: a regression on observed control risks is coupled with its outcome."""
    label = f"{MODERATORS['control-risk']} (log odds, bivariate model)"
    tables = [dataclasses.astuple(row.counts) for row in rows if row.counts is not None]
    if len(tables) < FEWEST:
        why = f"{len(tables)} studies with counts: no regression below {FEWEST}"
        return ModeratorFit(by="control-risk", label=label, k=len(tables), because=why)
    fit = core.control_risk(*np.array(tables).T, level=float(model.level))
    if isinstance(fit, core.NotApplicable):
        return ModeratorFit(by="control-risk", label=label, k=len(tables), because=fit.reason)
    return ModeratorFit(
        by="control-risk",
        label=label,
        k=fit.k,
        slope=fit.slope,
        low=fit.slope_ci.low,
        high=fit.slope_ci.high,
        p=fit.slope_p,
    )


def _number(row: StudyRow, name: str) -> float:
    value = row.extra.get(name, math.nan)
    return float(value) if isinstance(value, (int, float)) else math.nan


def _hundreds(row: StudyRow) -> float:
    persons = participants(row)
    return (row.participants if math.isnan(persons) else persons) / 100


_VALUES: Final[dict[str, Callable[[StudyRow], float]]] = {
    "year": lambda row: _number(row, "year"),
    "months": lambda row: _number(row, "months"),
    "participants": _hundreds,
}
