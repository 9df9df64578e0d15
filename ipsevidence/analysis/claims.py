"""Judge a claim by the rule that was written before: supported, contradicted, imprecise or not testable."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from ipsevidence import core
from ipsevidence.analysis.claimfiles import RULES, Claim, Ground, Rule
from ipsevidence.analysis.rates import rate_interval
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.running import AnalysisRun, Fit, run
from ipsevidence.dataset.collection import Dataset

__all__ = ["CLAIM_COLUMNS", "ClaimVerdict", "GroundResult", "claims_table", "judge"]

LEVEL: Final = 0.95
"""Level of the intervals that rules speak of."""

MOST_ALONE: Final = 4
"""Studies that are shown each by itself where they are not pooled."""

CLAIM_COLUMNS: Final = ("claim", "stated by", "rule", "verdict", "numbers", "studies", "why")
"""Columns of `claims_table`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroundResult:
    """One result that a claim is held against, as it is shown: ratios, rates, correlations, slopes.

    Attributes
    ----------
    label : str
        The analysis, its group or its moderator.
    measure : str
        What the numbers are.
    k : int
        Studies in it.
    eligible : int or None
        Studies that answer the question, in the pool or not; None for one group.
    participants : float
        Participants in it, for correlations programmes; nan for slopes.
    estimate, low, high, prediction_low, prediction_high : float
        The pooled value with its intervals; nan where there is none.
    why : str
        Why nothing was pooled; empty where something was.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "ground",
        "measure",
        "k",
        "eligible",
        "participants",
        "estimate",
        "low",
        "high",
        "prediction_low",
        "prediction_high",
        "why",
    )
    label: str
    measure: str
    k: int
    eligible: int | None = None
    participants: float = math.nan
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    prediction_low: float = math.nan
    prediction_high: float = math.nan
    why: str = ""

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the one row of this result."""
        return [dataclasses.astuple(self)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClaimVerdict:
    """What a claim came to.

    Attributes
    ----------
    id, title, claim : str
        The claim.
    verdict : str
        Key of `claimfiles.VERDICTS`.
    reason : str
        In words, with the numbers.
    quantity : str
        What was held against the threshold.
    estimate, low, high : float
        That quantity with its 95% interval; nan where there is none.
    asked : tuple of float
        The bounds within which the interval was to lie; infinite where the rule has none.
    grounds : tuple of GroundResult
        The results that it was made of.
    decision : str
        The rule in words.
    committed_on, known_before : str
        When the rule was written, and what was known of the result then; empty where nothing was.
    stated_by : tuple of str
        Who states the claim, and whether that was read.
    notes : str
        What else the claim says of itself; empty where nothing.
    """

    columns: ClassVar[tuple[str, ...]] = ("id", "verdict", "quantity", "estimate", "low", "high", "k", "reason")
    id: str
    title: str
    claim: str
    verdict: str
    reason: str
    quantity: str
    estimate: float
    low: float
    high: float
    asked: tuple[float, float]
    grounds: tuple[GroundResult, ...]
    decision: str
    committed_on: str
    known_before: str
    stated_by: tuple[str, ...]
    notes: str

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the one row of this verdict."""
        k = min((ground.k for ground in self.grounds), default=0)
        return [(self.id, self.verdict, self.quantity, self.estimate, self.low, self.high, k, self.reason)]

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return dataclasses.asdict(self)


class _Measured(NamedTuple):
    """A quantity with its interval, or why there is none, and the results that it came from."""

    grounds: tuple[GroundResult, ...]
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    why: str = ""


def judge(claim: Claim, dataset: Dataset, runs: Mapping[str, AnalysisRun] | None = None) -> ClaimVerdict:
    """Judge a claim on the data.

    Parameters
    ----------
    claim : Claim
        The claim with its rule.
    dataset : Dataset
        The records.
    runs : mapping of str to AnalysisRun, optional
        Analyses that have been run already, by id; others are run here.

    Returns
    -------
    ClaimVerdict
        Supported where the interval lies where the rule asks for, contradicted where it lies wholly on the other side,
        imprecise where it reaches both; not testable where there are fewer studies than the rule asks for, or no pool.

    Raises
    ------
    InputError
        If the rule does not fit the measure of the analysis.
    SpecNotFoundError
        If an analysis that the claim names does not exist.
    SelectionError
        If an analysis asks for what the dataset does not hold.
    """
    rule = claim.rule
    if claim.missing is not None:
        found = _Measured(grounds=(), why=f"what is missing: {claim.missing}")
    else:
        made = tuple(_run_of(claim, ground, dataset, runs or {}) for ground in claim.decided_on)
        found = _measured(claim, made, dataset)
    low, high = _target(rule)
    verdict = _compared(found, low, high, strict=rule.kind != "rate-at-least")
    return ClaimVerdict(
        id=claim.id,
        title=claim.title,
        claim=claim.claim,
        verdict=verdict,
        reason=found.why or _said(rule, found, verdict),
        quantity=RULES[rule.kind].quantity,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        asked=(low, high),
        grounds=found.grounds,
        decision=claim.decision,
        committed_on=claim.committed_on,
        known_before=claim.known_before or "",
        stated_by=tuple(_source(statement.cite, statement.read, statement.through) for statement in claim.stated_by),
        notes=claim.notes or "",
    )


def _target(rule: Rule) -> tuple[float, float]:
    """Return the bounds within which the interval has to lie."""
    if rule.low is not None and rule.high is not None:
        return float(rule.low), float(rule.high)
    assert rule.threshold is not None  # the model asks for one or the other
    threshold = float(rule.threshold)
    return (-math.inf, threshold) if rule.kind == "slope-below" else (threshold, math.inf)


def _compared(found: _Measured, low: float, high: float, *, strict: bool) -> str:
    if found.why:
        return "not-testable"
    if found.high < low or found.low > high:
        return "contradicted"
    # Within two bounds the bounds count as inside; above a threshold the threshold does not, except for "at least".
    open_below, open_above = strict and math.isinf(high), strict and math.isinf(low)
    inside = found.low > low if open_below else found.low >= low
    inside &= found.high < high if open_above else found.high <= high
    return "supported" if inside else "imprecise"


def _run_of(claim: Claim, ground: Ground, dataset: Dataset, runs: Mapping[str, AnalysisRun]) -> AnalysisRun:
    written = claim.spec(ground)
    if written is not None:
        return run(written, dataset)
    assert ground.analysis is not None  # the model asks for one or the other
    return runs[ground.analysis] if ground.analysis in runs else run(ground.analysis, dataset)


def _measured(claim: Claim, runs: Sequence[AnalysisRun], dataset: Dataset) -> _Measured:
    for made in runs:
        _fits_the_rule(claim, made)
    pairs = tuple(zip(claim.decided_on, runs, strict=True))
    if claim.rule.kind == "slope-below":
        return _slope(*pairs[0], claim.rule)
    parts = tuple(_part(ground, made, claim.rule) for ground, made in pairs)
    results = tuple(_result(ground, made, part) for (ground, made), part in zip(pairs, parts, strict=True))
    for result, (made, part) in zip(results, zip(runs, parts, strict=True), strict=True):
        why = _too_few(result, claim.rule) or result.why
        if why:
            return _Measured(grounds=results, why=why + _alone(made, part[0]))
    if len(parts) == 2:
        return _ratio(results, runs, parts, dataset)
    (found,) = results
    if claim.rule.kind == "prediction-above":
        if math.isnan(found.prediction_low):
            return _Measured(grounds=results, why=f"{found.label}: no prediction interval")
        return _Measured(results, found.estimate, found.prediction_low, found.prediction_high)
    return _Measured(results, found.estimate, found.low, found.high)


def _fits_the_rule(claim: Claim, made: AnalysisRun) -> None:
    """Refuse a rule on ratios for what is no ratio, and those on rates and correlations for what is neither."""
    measure = made.measure
    what, right = {
        "rate": ("rates", measure.needs == "proportion"),
        "correlation": ("correlations", measure.scale == "fisher-z"),
    }.get(claim.rule.kind.partition("-")[0], ("ratios", measure.scale == "log"))
    if not right or float(made.spec.model.level) != LEVEL:
        raise core.InputError(
            f"{claim.id}: the rule {claim.rule.kind} needs {what} with 95% intervals;"
            f" {made.spec.id} pools {made.measure.key} at {made.spec.model.level}",
            parameter="decided_on",
        )


def _part(ground: Ground, made: AnalysisRun, rule: Rule) -> tuple[tuple[int, ...], Fit]:
    """Return the rows of a ground, by position, and their pool."""
    if ground.group is None:
        members, fit = tuple(range(len(made.rows))), made.fit
    else:
        group = next((one for one in made.groups if one.id == ground.group), None)
        if group is None:
            have = ", ".join(one.id for one in made.groups) or "none"
            raise core.InputError(f"{made.spec.id} has no group {ground.group!r}; it has: {have}", parameter="group")
        members, fit = group.members, group.fit
    if rule.kind == "correlation-above" and len(members) > 1:
        fit = _correlated(made, members)
    return members, fit


def _correlated(made: AnalysisRun, members: tuple[int, ...]) -> core.PooledResult:
    """Pool correlations on Fisher's z, two as a common effect.

    Three and more by the ad hoc Hartung-Knapp interval, as the rules for few studies have it (`core.small_k_pool`).
    """
    y, v = ([part[index] for index in members] for part in (made.y, made.v))
    return core.small_k_pool(y, v, tau2=made.spec.model.tau2, level=LEVEL).headline


def _result(ground: Ground, made: AnalysisRun, part: tuple[tuple[int, ...], Fit]) -> GroundResult:
    members, fit = part
    groups = {group.id: group.label for group in made.groups}
    label = f"{made.spec.title}: {groups[ground.group]}" if ground.group else made.spec.title
    base = GroundResult(
        label=label,
        measure=made.measure.label,
        k=len(members),
        eligible=None if ground.group else sum(decision.eligible for decision in made.decisions),
        participants=math.fsum(made.rows[index].participants for index in members),
    )
    if isinstance(fit, core.NotApplicable):
        return dataclasses.replace(base, why=f"{label}: {fit.reason}")
    return dataclasses.replace(
        base,
        estimate=made.shown(fit.estimate),
        low=made.shown(fit.ci.low),
        high=made.shown(fit.ci.high),
        prediction_low=made.shown(fit.prediction.low),
        prediction_high=made.shown(fit.prediction.high),
        why=f"{label}: {fit.ci.why}" if fit.ci.missing else "",
    )


def _too_few(found: GroundResult, rule: Rule) -> str:
    if found.k >= rule.minimum_k:
        return ""
    of = "" if found.eligible is None else f" of {found.eligible} eligible"
    studies = "study" if (found.k if found.eligible is None else found.eligible) == 1 else "studies"
    return f"{found.label}: {found.k}{of} {studies} with usable numbers, and the rule asks for {rule.minimum_k}"


def _alone(made: AnalysisRun, members: tuple[int, ...]) -> str:
    """Show the studies that are not pooled each by itself, where they are few."""
    if not 0 < len(members) <= MOST_ALONE:
        return ""
    return "; each by itself: " + "; ".join(_by_itself(made, index) for index in members)


def _by_itself(made: AnalysisRun, index: int) -> str:
    row: StudyRow = made.rows[index]
    if row.share is not None:
        rate = rate_interval(row.share.events, row.share.n)
        return f"{row.label} {_number(rate.rate)} ({_number(rate.low)} to {_number(rate.high)})"
    low, high = made.intervals[index]
    bounds = f"{_number(made.shown(low))} to {_number(made.shown(high))}"
    return f"{row.label} {_number(made.shown(made.y[index]))} ({bounds})"


def _ratio(
    results: tuple[GroundResult, ...],
    runs: Sequence[AnalysisRun],
    parts: tuple[tuple[tuple[int, ...], Fit], ...],
    dataset: Dataset,
) -> _Measured:
    """Set two pools against each other, unless they share participants."""
    first, second = ({made.rows[index].id for index in part[0]} for made, part in zip(runs, parts, strict=True))
    linked = {other.id for name in first for other in dataset[name].overlaps_with}
    shared = sorted(second & (first | linked))
    if shared:
        return _Measured(grounds=results, why=f"the two pools share participants: {', '.join(shared)}")
    fits = [part[1] for part in parts]
    assert isinstance(fits[0], core.PooledResult)
    assert isinstance(fits[1], core.PooledResult)
    gap, interval, _ = core.difference(fits[0], fits[1], level=LEVEL)
    return _Measured(results, math.exp(gap), math.exp(interval.low), math.exp(interval.high))


def _slope(ground: Ground, made: AnalysisRun, rule: Rule) -> _Measured:
    for fit in made.moderators:
        if fit.by != ground.moderator:
            continue
        result = GroundResult(
            label=f"{made.spec.title}: {fit.label}",
            measure="slope",
            k=fit.k,
            eligible=sum(decision.eligible for decision in made.decisions),
            estimate=fit.slope,
            low=fit.low,
            high=fit.high,
            why=fit.because,
        )
        why = _too_few(result, rule) or fit.because
        return _Measured((result,), fit.slope, fit.low, fit.high, why)
    raise core.InputError(f"{made.spec.id} has no moderator {ground.moderator!r}", parameter="moderator")


def _said(rule: Rule, found: _Measured, verdict: str) -> str:
    low, high = _target(rule)
    if math.isinf(high):
        wanted = f"{'at or ' if rule.kind == 'rate-at-least' else ''}above {low:g}"
    else:
        wanted = f"below {high:g}" if math.isinf(low) else f"within {low:g} and {high:g}"
    prediction = rule.kind == "prediction-above"
    of = " and ".join(
        f"{ground.k}{'' if ground.eligible is None else f' of {ground.eligible} eligible'}" for ground in found.grounds
    )
    where = {"supported": "it lies there", "contradicted": "it lies wholly elsewhere", "imprecise": "it reaches beyond"}
    bounds = _bounds(found.low, found.high, (low, high))
    return (
        f"{'pooled ratio' if prediction else RULES[rule.kind].quantity} {_number(found.estimate)}"
        f" ({'95% prediction interval' if prediction else '95% CI'} {bounds}) from {of} studies;"
        f" the interval was to lie {wanted}, and {where[verdict]}"
    )


def _bounds(low: float, high: float, near: tuple[float, float]) -> str:
    return " to ".join(_number(value, near=near) for value in (low, high))


def _number(value: float, near: tuple[float, ...] = ()) -> str:
    """Write a number with two decimals; with more where it is small, or would look like one that it is `near`."""
    digits = 2 if abs(value) >= 0.1 or value == 0 else 3
    while digits < 6 and any(round(value, digits) == edge != value for edge in (0.0, *near)):
        digits += 1
    return f"{value:.{digits}f}"


def _source(cite: str, read: str, through: str | None) -> str:
    return f"{cite} (second-hand, through {through})" if through else f"{cite} ({read.replace('-', ' ')} read)"


def claims_table(verdicts: Iterable[ClaimVerdict]) -> list[tuple[str, ...]]:
    """Return verdicts as rows of text for a table with `CLAIM_COLUMNS`.

    Parameters
    ----------
    verdicts : iterable of ClaimVerdict

    Returns
    -------
    list of tuple of str
        In the order given.
    """
    return [
        (
            verdict.title,
            "; ".join(verdict.stated_by),
            verdict.decision,
            verdict.verdict.replace("-", " "),
            ""
            if math.isnan(verdict.estimate)
            else f"{_number(verdict.estimate)} ({_bounds(verdict.low, verdict.high, verdict.asked)})",
            " and ".join(str(ground.k) for ground in verdict.grounds),
            verdict.reason,
        )
        for verdict in verdicts
    ]
