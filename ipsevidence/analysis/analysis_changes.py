"""One analysis on two datasets: its numbers, rows, decisions, verdicts and parts, before and after."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias, TypeVar

from ipsevidence import core
from ipsevidence.analysis.absolutes import Absolutes, absolutes_of
from ipsevidence.analysis.covering import Coverage, coverage_of
from ipsevidence.analysis.field_changes import FieldChange, field_changes
from ipsevidence.analysis.reproduction import Verdict, compare
from ipsevidence.analysis.rows import shown
from ipsevidence.analysis.running import AnalysisRun, Fit, run
from ipsevidence.analysis.selection import NOT_LISTED, Decision, Selection, SelectionError
from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.reader import ReadError
from ipsevidence.dataset.record import Record

__all__ = [
    "CANNOT_RUN",
    "AnalysisChange",
    "Answer",
    "DecisionChange",
    "ForestRow",
    "Kind",
    "Made",
    "Numbers",
    "PartChange",
    "Reach",
    "RowChange",
    "Side",
    "VerdictChange",
    "analysis_change",
    "made_of",
    "remade",
    "same",
]

CANNOT_RUN: Final = (SelectionError, core.InputError, ReadError, OSError)
"""What a broken dataset can make of an analysis: it is said, and the others go on."""

MIDDLE: Final = "50th percentile"

_RELATIVE: Final = 1e-9

Kind: TypeAlias = Literal["changed", "added", "removed"]
KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One pooled result, as it is shown: ratios, differences, shares, correlations; nan where there is none.

    Attributes
    ----------
    measure : str
        Key of `core.MEASURES`, or ``slope``.
    k : int
        Studies.
    estimate, low, high, prediction_low, prediction_high, tau2 : float
    why : str
        Why nothing was pooled; empty where something was.
    """

    measure: str
    k: int
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    prediction_low: float = math.nan
    prediction_high: float = math.nan
    tau2: float = math.nan
    why: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How much of the evidence is in the pool: k of the eligible trials or studies, participants of those known."""

    what: str
    k: int
    eligible: int
    participants: float
    known: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The absolute answer that is read first, per 100 people, at the middle baseline.

    Attributes
    ----------
    model : str
        Key of `absolutes.MODELS`.
    without, more, low, high : float
        Of 100 people with the outcome without the intervention, and how many more with it, with the interval.
    """

    model: str
    without: float
    more: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What an analysis came to on one of the two datasets.

    Attributes
    ----------
    numbers : Numbers or None
        None where the analysis could not be run.
    participants : float
        Headline participants of the pool.
    reach : Reach or None
        None where nothing says what else is eligible.
    answer : Answer or None
        None where effects cannot be put in people.
    error : str
        Why it could not be run; empty where it was.
    """

    numbers: Numbers | None = None
    participants: float = math.nan
    reach: Reach | None = None
    answer: Answer | None = None
    error: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """The row of one study in the forest plot; counts are empty where it entered with an effect.

    Attributes
    ----------
    counts : str
        Events of persons in each arm: ``30/50 v 15/50``.
    measure : str
    estimate, low, high : float
        Its effect as shown, with its own interval.
    weight : float
        In percent of the pool; nan where nothing was pooled.
    basis, group : str
    """

    counts: str
    measure: str
    estimate: float
    low: float
    high: float
    weight: float
    basis: str
    group: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A study whose row is new, gone or another; a row of which the weight alone moved is not listed."""

    id: str
    label: str
    before: ForestRow | None
    after: ForestRow | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DecisionChange:
    """A study that went in or out, or stays out for another reason; empty where there was no such record."""

    id: str
    label: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    """A published figure whose verdict changed: the verdicts, with the computed value in brackets."""

    label: str
    published: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PartChange:
    """A group, sensitivity analysis, comparison of groups or moderator whose numbers moved, appeared or went."""

    kind: str
    label: str
    before: Numbers | None
    after: Numbers | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisChange:
    """An analysis that a change touches.

    Attributes
    ----------
    id, title, purpose : str
        The analysis, of the new dataset where it is there.
    kind : {'changed', 'added', 'removed'}
        Changed where it is on both sides.
    settings : tuple of FieldChange
        What changed in its spec, defaults written out, or in the review whose inputs it pools.
    before, after : Side or None
    rows : tuple of RowChange
    decisions : tuple of DecisionChange
    verdicts : tuple of VerdictChange
    parts : tuple of PartChange
    """

    id: str
    title: str
    purpose: str
    kind: Kind
    settings: tuple[FieldChange, ...] = ()
    before: Side | None = None
    after: Side | None = None
    rows: tuple[RowChange, ...] = ()
    decisions: tuple[DecisionChange, ...] = ()
    verdicts: tuple[VerdictChange, ...] = ()
    parts: tuple[PartChange, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether it cannot be run any more: it could before, or is new."""
        ran = self.before is None or not self.before.error
        return ran and self.after is not None and bool(self.after.error)

    @property
    def another_result(self) -> bool:
        """Whether the pooled numbers or the absolute answer differ, or the analysis is new, gone, or cannot be run."""
        if self.before is None or self.after is None:
            return True
        return not same(dataclasses.replace(self.before, reach=None), dataclasses.replace(self.after, reach=None))

    @property
    def moved(self) -> bool:
        """Whether anything but a setting differs: a result, coverage, row, decision, verdict or part."""
        inside = (self.rows, self.decisions, self.verdicts, self.parts)
        return self.kind != "changed" or not same(self.before, self.after) or any(inside)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An analysis run on one dataset: the run, or why there is none."""

    spec: Spec
    run: AnalysisRun | None
    verdicts: tuple[Verdict, ...] = ()
    coverage: Coverage | core.NotApplicable | None = None
    absolutes: Absolutes | core.NotApplicable | None = None
    error: str = ""


def made_of(spec: Spec, dataset: Dataset, known: dict[str, Absolutes | core.NotApplicable]) -> Made:
    """Run an analysis as far as its numbers are compared.

    Parameters
    ----------
    spec : Spec
    dataset : Dataset
    known : dict
        Absolute answers by what they rest on; several analyses pool the same rows. Those of this one are put in.

    Returns
    -------
    Made
        Without a run where the dataset does not hold what the spec asks for.
    """
    try:
        made = run(spec, dataset)
    except CANNOT_RUN as error:
        return Made(spec=spec, run=None, error=" ".join(str(error).split()))
    basis = _basis_of_answers(made)
    if basis not in known:
        known[basis] = absolutes_of(made)
    return Made(
        spec=spec,
        run=made,
        verdicts=compare(made),
        coverage=coverage_of(made, dataset) if spec.studies.inputs_of is None else None,
        absolutes=known[basis],
    )


def remade(made: Made, selected: Selection, dataset: Dataset) -> Made:
    """Carry a run over to another dataset on which the spec and all its variations select the same rows.

    Parameters
    ----------
    made : Made
        The analysis on the one dataset.
    selected : Selection
        What it selects on the other: the same rows, with decisions that may differ.
    dataset : Dataset
        The other dataset.

    Returns
    -------
    Made
        As `made_of` would return it, but for the stamp of the data.
    """
    if made.run is None:
        return made
    # A study selected without an effect is dropped by the run: it was on the one side, so it is on the other.
    here = {row.id for row in made.run.rows}
    dropped = {decision.id: decision for decision in made.run.decisions if decision.stage == "effect"}
    decisions = tuple(dropped[one.id] if one.included and one.id not in here else one for one in selected.decisions)
    moved = dataclasses.replace(made.run, decisions=decisions)
    return dataclasses.replace(made, run=moved, coverage=coverage_of(moved, dataset))


def _basis_of_answers(made: AnalysisRun) -> str:
    """Write down all that absolute answers rest on: not the groups, and not the other studies."""
    rows = [dataclasses.replace(row, group="").to_dict() for row in made.rows]
    return repr((rows, made.y, made.v, made.spec.purpose, _plain(made.spec.effect), _plain(made.spec.model)))


def _plain(part: Record) -> dict[str, object]:
    return part.model_dump(mode="python")


def analysis_change(before: Made | None, after: Made | None, settings: tuple[FieldChange, ...] = ()) -> AnalysisChange:
    """Set the two runs of an analysis beside each other.

    Parameters
    ----------
    before, after : Made or None
        None where the analysis is not in that dataset; not both.
    settings : tuple of FieldChange
        What else than the specs changed, such as the inputs of a review.

    Returns
    -------
    AnalysisChange
    """
    here = after or before
    assert here is not None
    kind: Kind = "added" if before is None else "removed" if after is None else "changed"
    changed = field_changes(before.spec.resolved(), after.spec.resolved()) if before and after else ()
    old, new = (made.run if made is not None else None for made in (before, after))
    return AnalysisChange(
        id=here.spec.id,
        title=here.spec.title,
        purpose=here.spec.purpose,
        kind=kind,
        settings=(*changed, *settings),
        before=_side(before) if before is not None else None,
        after=_side(after) if after is not None else None,
        rows=_row_changes(old, new),
        decisions=_decision_changes(old, new) if old is not None and new is not None else (),
        verdicts=_verdict_changes(before, after),
        parts=_part_changes(old, new) if old is not None and new is not None else (),
    )


def _side(made: Made) -> Side:
    if made.run is None:
        return Side(error=made.error)
    coverage, absolutes = made.coverage, made.absolutes
    reach = None
    if isinstance(coverage, Coverage):
        reach = Reach(
            what=coverage.what,
            k=coverage.k,
            eligible=coverage.eligible,
            participants=coverage.headline,
            known=coverage.known,
        )
    return Side(
        numbers=_numbers(made.run.fit, made.run.spec.effect.measure, len(made.run.rows)),
        participants=made.run.participants,
        reach=reach,
        answer=_answer(absolutes) if isinstance(absolutes, Absolutes) else None,
    )


def _answer(found: Absolutes) -> Answer | None:
    """Return the answer of the model that is read first, at the median risk of the comparator arms."""
    middle = found.names.index(MIDDLE) if MIDDLE in found.names else len(found.names) // 2
    first = [one for one in found.answers if one.model == found.headline and one.baseline == found.baselines[middle]]
    if not first:
        return None
    one = first[0]
    low, high = one.difference_ci.low, one.difference_ci.high
    return Answer(
        model=one.model, without=100 * one.baseline, more=100 * one.difference, low=100 * low, high=100 * high
    )


def _numbers(fit: Fit, measure: str, k: int) -> Numbers:
    if isinstance(fit, core.NotApplicable):
        return Numbers(measure=measure, k=k, why=fit.reason)
    return Numbers(
        measure=measure,
        k=k,
        estimate=shown(measure, fit.estimate),
        low=shown(measure, fit.ci.low),
        high=shown(measure, fit.ci.high),
        prediction_low=shown(measure, fit.prediction.low),
        prediction_high=shown(measure, fit.prediction.high),
        tau2=fit.tau2,
    )


def _forest_rows(made: AnalysisRun | None) -> dict[str, ForestRow]:
    if made is None:
        return {}
    weights = made.fit.weights.tolist() if isinstance(made.fit, core.PooledResult) else [math.nan] * len(made.rows)
    found = {}
    for row, y, (low, high), weight in zip(made.rows, made.y, made.intervals, weights, strict=True):
        c, share = row.counts, row.share
        counts = f"{c.events1:g}/{c.n1:g} v {c.events2:g}/{c.n2:g}" if c else ""
        found[row.id] = ForestRow(
            counts=f"{share.events:g}/{share.n:g}" if share else counts,
            measure=made.spec.effect.measure,
            estimate=made.shown(y),
            low=made.shown(low),
            high=made.shown(high),
            weight=weight,
            basis=row.basis,
            group=row.group,
        )
    return found


def _labels(*runs: AnalysisRun | None) -> dict[str, str]:
    return {decision.id: decision.label for made in runs if made is not None for decision in made.decisions}


def _row_changes(old: AnalysisRun | None, new: AnalysisRun | None) -> tuple[RowChange, ...]:
    """List the rows that are not the same, whatever their weight; none where an analysis is new or gone as a whole."""
    if old is None or new is None:
        return ()
    before, after, labels = _forest_rows(old), _forest_rows(new), _labels(old, new)

    def differs(one: ForestRow, other: ForestRow) -> bool:
        return not same(dataclasses.replace(one, weight=0.0), dataclasses.replace(other, weight=0.0))

    return tuple(
        RowChange(id=name, label=labels.get(name, name), before=one, after=other)
        for name, one, other in _paired(before, after)
        if one is None or other is None or differs(one, other)
    )


def _decision_changes(old: AnalysisRun, new: AnalysisRun) -> tuple[DecisionChange, ...]:
    """List decisions that differ, of studies that answer the question on one of the two sides."""
    before, after = ({decision.id: decision for decision in made.decisions} for made in (old, new))
    labels = _labels(old, new)
    return tuple(
        DecisionChange(id=name, label=labels[name], before=_decided(one), after=_decided(other))
        for name, one, other in _paired(before, after)
        if _decided(one) != _decided(other) and any(made is not None and made.eligible for made in (one, other))
    )


def _decided(decision: Decision | None) -> str:
    if decision is None or decision.reason == NOT_LISTED:
        return "" if decision is None else f"out: {NOT_LISTED}"
    return f"{'in' if decision.included else 'out'}: {decision.reason}"


def _verdict_changes(before: Made | None, after: Made | None) -> tuple[VerdictChange, ...]:
    """List published figures whose verdict is another one."""
    old, new = (
        {(v.label, v.published, str(v.target.variation or "")): v for v in (made.verdicts if made else ())}
        for made in (before, after)
    )
    return tuple(
        VerdictChange(label=label, published=published, before=_judged(one), after=_judged(other))
        for (label, published, _), one, other in _paired(old, new)
        if (one.verdict if one else "") != (other.verdict if other else "")
    )


def _judged(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return f"{verdict.verdict} ({verdict.shown})" if verdict.shown else verdict.verdict


def _part_changes(old: AnalysisRun, new: AnalysisRun) -> tuple[PartChange, ...]:
    return tuple(
        PartChange(kind=kind, label=label, before=one, after=other)
        for (kind, label), one, other in _paired(_parts(old), _parts(new))
        if not same(one, other)
    )


def _parts(made: AnalysisRun) -> dict[tuple[str, str], Numbers]:
    measure = made.spec.effect.measure
    found = {("group", one.label): _numbers(one.fit, measure, len(one.members)) for one in made.groups}
    found |= {("sensitivity analysis", one.label): _numbers(one.fit, one.measure, one.k) for one in made.sensitivity}
    back: Callable[[float], float] = math.exp if made.measure.scale == "log" else float
    for contrast in made.contrasts:
        interval = contrast.ci
        found["comparison", f"{contrast.first} against {contrast.second}"] = Numbers(
            measure=measure,
            k=len(made.rows),
            estimate=back(contrast.difference),
            low=back(interval.low),
            high=back(interval.high),
        )
    for slope in made.moderators:
        found["moderator", slope.label] = Numbers(
            measure="slope", k=slope.k, estimate=slope.slope, low=slope.low, high=slope.high, why=slope.because
        )
    return found


def _paired(
    before: Mapping[KeyT, ValueT], after: Mapping[KeyT, ValueT]
) -> Iterable[tuple[KeyT, ValueT | None, ValueT | None]]:
    """Walk two mappings by their keys, those of the new one first."""
    for name in dict.fromkeys((*after, *before)):
        yield name, before.get(name), after.get(name)


def same(one: object, other: object) -> bool:
    """Tell whether two results are equal, numbers within 1e-9 of each other; nan equals nan.

    Parameters
    ----------
    one, other : dataclass, text, number or None

    Returns
    -------
    bool
    """
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_RELATIVE) or (math.isnan(one) and math.isnan(other))
    if dataclasses.is_dataclass(one) and dataclasses.is_dataclass(other):
        names = [field.name for field in dataclasses.fields(one)]
        return type(one) is type(other) and all(same(getattr(one, name), getattr(other, name)) for name in names)
    return one == other
