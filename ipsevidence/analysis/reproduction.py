"""Published against computed: one verdict for each figure of a publication."""

import dataclasses
import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from ipsevidence import core
from ipsevidence.analysis.examining import Examined, examine
from ipsevidence.analysis.running import AnalysisRun, run
from ipsevidence.analysis.spec import QUANTITIES, Spec, Target
from ipsevidence.dataset.collection import Dataset, load

__all__ = ["AGREEMENTS", "VALUES", "Reproduction", "Verdict", "compare", "reproduce"]

AGREEMENTS = {
    "reproduced": "equal at the printed digits",
    "close": "within 2% of the published value, with the same conclusion",
    "differs": "neither equal at the printed digits nor within 2%, or with another conclusion",
    "cannot-be-checked": "no published value was read or remembered, or nothing was computed to set beside it",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One published figure beside the computed one.

    Attributes
    ----------
    target : Target
        The published figure and how it is known.
    label : str
        What is compared.
    published : str
        As printed; empty where there is no value.
    computed : float
        The value of the run; nan where there is none.
    shown : str
        The computed value at the digits of the published one.
    agreement : {'reproduced', 'close', 'differs', 'cannot-be-checked'}
    verdict : str
        The agreement; ``other-inputs (...)`` with the agreement in brackets where our counts stand in for those of the
        review; or ``unverified (...)`` with the agreement in brackets where the target was not read or an
        input was chosen to match it; a second-hand target keeps its verdict, marked ``(second-hand)``.
    """

    target: Target
    label: str
    published: str
    computed: float
    shown: str
    agreement: str
    verdict: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A run with its verdicts, and with what is asked of every analysis of the dataset.

    Attributes
    ----------
    run : AnalysisRun
    verdicts : tuple of Verdict
        Empty where the spec names no published figures.
    examined : Examined or None
        None for a user's own table.
    """

    run: AnalysisRun
    verdicts: tuple[Verdict, ...]
    examined: Examined | None = None


def _of_fit(pick: Callable[[core.PooledResult], float], *, shown: bool = False) -> Callable[[AnalysisRun], float]:
    def value(analysis: AnalysisRun) -> float:
        if isinstance(analysis.fit, core.NotApplicable):
            return math.nan
        return analysis.shown(pick(analysis.fit)) if shown else pick(analysis.fit)

    return value


def _favouring(analysis: AnalysisRun) -> float:
    return float(sum(effect > 0 for effect in analysis.y))


def _significant(analysis: AnalysisRun) -> float:
    """Count the trials whose own 95% Wald interval lies wholly above no effect."""
    fits = (
        core.pool([y], [v], tau2="common", interval="wald", prediction="none", level=0.95)
        for y, v in zip(analysis.y, analysis.v, strict=True)
    )
    return float(sum(fit.ci.low > 0 for fit in fits))


def _arms(analysis: AnalysisRun, arm: int) -> list[tuple[float, float]]:
    counts = [row.counts for row in analysis.rows if row.counts is not None]
    return [(c.events1, c.n1) if arm == 1 else (c.events2, c.n2) for c in counts]


def _percent(analysis: AnalysisRun, *, arm: int) -> float:
    cells = _arms(analysis, arm)
    n = math.fsum(size for _, size in cells)
    return 100 * math.fsum(events for events, _ in cells) / n if n > 0 else math.nan


def _mean_percent(analysis: AnalysisRun, *, arm: int) -> float:
    shares = [100 * events / n for events, n in _arms(analysis, arm) if n > 0]
    return math.fsum(shares) / len(shares) if shares else math.nan


def _of_study(analysis: AnalysisRun, target: Target) -> float:
    """Return effect or bound of the one study that a target names; nan where it is not in the pool."""
    index = next((i for i, row in enumerate(analysis.rows) if row.id == target.study), None)
    if index is None:
        return math.nan
    low, high = analysis.intervals[index]
    values = {"study-estimate": analysis.y[index], "study-ci-low": low, "study-ci-high": high}
    return analysis.shown(values[target.quantity])


VALUES: dict[str, Callable[[AnalysisRun], float]] = {
    "trials": lambda analysis: float(len(analysis.rows)),
    "participants": lambda analysis: analysis.participants,
    "trials-favouring": _favouring,
    "trials-significant": _significant,
    "estimate": _of_fit(lambda fit: fit.estimate, shown=True),
    "ci-low": _of_fit(lambda fit: fit.ci.low, shown=True),
    "ci-high": _of_fit(lambda fit: fit.ci.high, shown=True),
    "tau2": _of_fit(lambda fit: fit.tau2),
    "i2": _of_fit(lambda fit: fit.i2_q),
    "q": _of_fit(lambda fit: fit.q),
    "method": lambda _: math.nan,
    "percent": lambda analysis: _percent(analysis, arm=1),
    "percent-comparator": lambda analysis: _percent(analysis, arm=2),
    "mean-percent": lambda analysis: _mean_percent(analysis, arm=1),
    "mean-percent-comparator": lambda analysis: _mean_percent(analysis, arm=2),
}
"""How a run gives each of the published figures in `spec.QUANTITIES`, but for those of single studies."""

_COUNTS = {"trials", "trials-favouring", "trials-significant"}
_ON_EFFECT_SCALE = {"estimate", "ci-low", "ci-high", "study-estimate", "study-ci-low", "study-ci-high"}


def reproduce(spec: Spec | str | Path, dataset: Dataset | None = None) -> Reproduction:
    """Run an analysis and set each published figure of its spec beside the computed one.

    Parameters
    ----------
    spec : Spec, str or Path
        A spec, its id, or the path of a spec file.
    dataset : Dataset, optional
        The records; by default those that `load` finds.

    Returns
    -------
    Reproduction
    """
    data = load() if dataset is None else dataset
    analysis = run(spec, data)
    return Reproduction(run=analysis, verdicts=compare(analysis), examined=examine(analysis, data))


def compare(analysis: AnalysisRun) -> tuple[Verdict, ...]:
    """Return a verdict for each published figure of the run's spec, in the order of the spec."""
    return tuple(_verdict(analysis, target) for target in analysis.spec.published)


def _beside(analysis: AnalysisRun, target: Target) -> AnalysisRun:
    """Return the run as the sensitivity analysis that a target names sees it: its fit, on its measure."""
    if target.variation is None:
        return analysis
    found = next(variation for variation in analysis.sensitivity if variation.id == target.variation)
    effect = analysis.spec.effect.model_copy(update={"measure": found.measure})
    return dataclasses.replace(analysis, fit=found.fit, spec=analysis.spec.model_copy(update={"effect": effect}))


def _verdict(whole: AnalysisRun, target: Target) -> Verdict:
    analysis = _beside(whole, target)
    computed = _of_study(analysis, target) if target.study else VALUES[target.quantity](analysis)
    null = analysis.measure.null if target.quantity in _ON_EFFECT_SCALE else None
    agreement = _agreement(computed, target.value, null, exact=target.quantity in _COUNTS)
    return Verdict(
        target=target,
        label=target.label or _label(analysis, target),
        published="" if target.value is None else str(target.value),
        computed=computed,
        shown=_at_digits(computed, target.value),
        agreement=agreement,
        verdict=_wording(agreement, target, ours=whole.spec.inputs == "ours"),
    )


def _label(analysis: AnalysisRun, target: Target) -> str:
    name = next((row.label for row in analysis.rows if row.id == target.study), target.study)
    return f"{name}: {QUANTITIES[target.quantity]}" if target.study else QUANTITIES[target.quantity]


def _agreement(computed: float, published: Decimal | None, null: float | None, *, exact: bool = False) -> str:
    if published is None or not math.isfinite(computed):
        return "cannot-be-checked"
    if Decimal(_at_digits(computed, published)) == published:
        return "reproduced"
    if exact:
        return "differs"
    same_side = null is None or (computed - null) * (float(published) - null) > 0
    near = abs(computed - float(published)) <= 0.02 * abs(float(published))
    return "close" if near and same_side else "differs"


def _at_digits(computed: float, published: Decimal | None) -> str:
    """Write the computed value at the decimals of the published one, halves away from zero as papers print them."""
    if not math.isfinite(computed):
        return ""
    if published is None:
        return f"{computed:g}"
    places = max(0, -int(published.as_tuple().exponent))
    if abs(computed) >= 1e15:
        return f"{computed:.3g}"
    rounded = Decimal(repr(computed)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return str(abs(rounded) if rounded == 0 else rounded)


def _wording(agreement: str, target: Target, *, ours: bool) -> str:
    if agreement == "cannot-be-checked":
        return agreement
    if ours:
        return f"other-inputs ({agreement})"
    if target.target == "not-read" or target.chosen_to_match:
        return f"unverified ({agreement})"
    return f"{agreement} (second-hand)" if target.target == "second-hand" else agreement
