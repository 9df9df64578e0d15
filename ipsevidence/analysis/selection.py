"""Which studies enter an analysis and with which outcome, arms and denominator; a reason for every yes and no."""

import dataclasses
from collections.abc import Iterator
from decimal import Decimal

from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.spec import CONTRASTS, Spec, StudyChoice
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Arm, Number, Outcome, Reading, Study
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, BASIS, CONCEPT, WINDOW

__all__ = ["NOT_LISTED", "Decision", "Selection", "SelectionError", "select"]

_ORDER = {key: rank for rank, key in enumerate(BASIS)}


NOT_LISTED = "not in the list of the spec"
"""The reason of every study that a list does not name."""


class SelectionError(ValueError):
    """A spec asks for what the dataset does not hold; the message says what and what there is."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why a study is in or out."""

    id: str
    label: str
    included: bool
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows that enter, and the decision on every study of the dataset."""

    rows: tuple[StudyRow, ...]
    decisions: tuple[Decision, ...]


class _RefusedError(Exception):
    """A study does not enter; the message is the reason."""


def select(spec: Spec, dataset: Dataset, overrides: tuple[StudyChoice, ...] = ()) -> Selection:
    """Choose the studies of an analysis and take one row from each.

    Parameters
    ----------
    spec : Spec
        The analysis.
    dataset : Dataset
        The records.
    overrides : tuple of StudyChoice
        Choices of a sensitivity analysis; each replaces the fields that it gives.

    Returns
    -------
    Selection

    Raises
    ------
    SelectionError
        If a study, outcome or arm that the spec names is not in the dataset, a study of its list cannot enter, or two
        of them share participants.
    """
    listed = {choice.id: choice for choice in spec.studies.by_name}
    changed = {choice.id: choice for choice in overrides}
    for name in [*listed, *changed]:
        if name not in dataset:
            raise SelectionError(f"study {name!r} is not in the dataset{dataset.suggestion(name)}")
    rows: list[StudyRow] = []
    decisions: list[Decision] = []
    for study in _in_order(dataset, listed):
        choice = _merged(listed.get(study.id) or StudyChoice(id=study.id), changed.get(study.id))
        try:
            _admit(spec, study, named=study.id in listed)
            row, reason = _row(spec, study, choice)
        except _RefusedError as refusal:
            decisions.append(Decision(id=study.id, label=study.label, included=False, reason=str(refusal)))
            continue
        rows.append(row)
        decisions.append(Decision(id=study.id, label=study.label, included=True, reason=reason))
    _all_listed_are_in(spec, decisions)
    _changes_took_effect(spec, changed, rows)
    selection = Selection(rows=tuple(rows), decisions=tuple(decisions))
    return _without_overlaps(spec, dataset, selection)


def _all_listed_are_in(spec: Spec, decisions: list[Decision]) -> None:
    listed = {choice.id for choice in spec.studies.by_name}
    missing = [f"{d.id} ({d.reason})" for d in decisions if d.id in listed and not d.included]
    if missing:
        raise SelectionError(f"{spec.id}: studies of the list that cannot enter: {'; '.join(missing)}")


def _changes_took_effect(spec: Spec, changed: dict[str, StudyChoice], rows: list[StudyRow]) -> None:
    here = {row.id for row in rows}
    for name in changed:
        if name not in here:
            raise SelectionError(f"{spec.id}: a change is made to {name!r}, which is not among the studies selected")


def _without_overlaps(spec: Spec, dataset: Dataset, selection: Selection) -> Selection:
    """Keep one of two records that share participants: the larger by rule; a list that names both is an error."""
    size = {row.id: row.participants for row in selection.rows}
    gone: dict[str, str] = {}
    for one in sorted(size, key=lambda name: (-size[name], name)):
        for overlap in dataset[one].overlaps_with:
            other = overlap.id
            if one in gone or other in gone or other not in size:
                continue
            if spec.studies.by_name:
                raise SelectionError(
                    f"{spec.id}: {one} and {other} share participants ({overlap.how}); drop one of them"
                )
            gone[other] = f"shares participants with {one}, which is larger"
    decided = (
        dataclasses.replace(decision, included=False, reason=gone[decision.id]) if decision.id in gone else decision
        for decision in selection.decisions
    )
    return Selection(rows=tuple(row for row in selection.rows if row.id not in gone), decisions=tuple(decided))


def _in_order(dataset: Dataset, listed: dict[str, StudyChoice]) -> Iterator[Study]:
    yield from (dataset[name] for name in listed)
    yield from (study for study in dataset if study.id not in listed)


def _merged(choice: StudyChoice, change: StudyChoice | None) -> StudyChoice:
    if change is None:
        return choice
    return choice.model_copy(update={name: getattr(change, name) for name in change.model_fields_set})


def _admit(spec: Spec, study: Study, *, named: bool) -> None:
    rule = spec.studies.where
    if rule is None and not named:
        raise _RefusedError(NOT_LISTED)
    if study.status != "included":
        raise _RefusedError(f"status is {study.status}")
    if rule is None:
        return
    if rule.designs and study.design.type not in rule.designs:
        raise _RefusedError(f"design is {study.design.type}")
    if study.design.type == "cluster-rct" and spec.outcome.clusters == "refuse":
        raise _RefusedError("clusters were randomised, and no design effect is applied")
    if rule.analysis_groups and study.population.analysis_group not in rule.analysis_groups:
        raise _RefusedError(f"population is {ANALYSIS_GROUP[study.population.analysis_group].label}")
    if rule.tags and not set(rule.tags) & set(study.population.tags):
        raise _RefusedError(f"none of the tags {', '.join(rule.tags)}")


def _row(spec: Spec, study: Study, choice: StudyChoice) -> tuple[StudyRow, str]:
    of, against = _arms(spec, study, choice)
    outcome = _outcome(spec, study, choice)
    denominator, readings = _readings(outcome, [arm.id for arm in of + against], choice.denominator, spec)
    sides = [[readings[arm.id] for arm in arms] for arms in (of, against)]
    basis = _weakest([number for side in sides for reading in side for number in (reading.n, reading.events)])
    if _ORDER[basis] > _ORDER[spec.studies.weakest_basis]:
        raise _RefusedError(f"a count is {basis}, weaker than the limit {spec.studies.weakest_basis}")
    (events1, n1), (events2, n2) = ([_total(side, "events"), _total(side, "n")] for side in sides)
    extra: dict[str, str | float] = {
        "year": study.reports[0].year or "",
        "outcome": outcome.id,
        "concept": CONCEPT[outcome.concept].label,
        "definition": outcome.definition,
        "window": WINDOW[outcome.measured.window].label,
        "months": float(outcome.measured.to) if outcome.measured.to is not None else "",
        "intervention": " + ".join(arm.label for arm in of),
        "comparator": " + ".join(arm.label for arm in against),
        "denominator": denominator,
        "because": choice.because or "",
        "citation": study.reports[0].citation + (f". doi:{study.reports[0].doi}" if study.reports[0].doi else ""),
    }
    row = StudyRow(
        id=study.id,
        label=study.label,
        counts=Counts(events1=events1, n1=n1, events2=events2, n2=n2),
        group=choice.group or (study.population.analysis_group if spec.studies.where else ""),
        basis=basis,
        participants=_headline(study, choice, n1 + n2),
        extra={key: value for key, value in extra.items() if value != ""},
    )
    return row, choice.because or f"{outcome.id}, {denominator} participants, {basis} counts"


def _arms(spec: Spec, study: Study, choice: StudyChoice) -> tuple[list[Arm], list[Arm]]:
    if choice.contrast is not None:
        try:
            return [study.arm(choice.contrast.of)], [study.arm(choice.contrast.against)]
        except KeyError as error:
            raise SelectionError(str(error.args[0])) from None
    wanted = CONTRASTS[spec.outcome.contrast]
    randomised = study.design.type in ("rct", "pilot-rct", "cluster-rct")
    sides = tuple(
        [arm for arm in study.arms if arm.treatment in side and not (randomised and arm.allocation == "not-randomised")]
        for side in wanted
    )
    if not all(sides):
        raise _RefusedError(f"no arms for the contrast {spec.outcome.contrast}")
    if spec.outcome.multi_arm == "refuse" and max(map(len, sides)) > 1:
        raise _RefusedError("more than two arms for the contrast")
    return sides[0], sides[1]


def _outcome(spec: Spec, study: Study, choice: StudyChoice) -> Outcome:
    if choice.outcome is not None:
        try:
            return study.outcome(choice.outcome)
        except KeyError as error:
            raise SelectionError(str(error.args[0])) from None
    rule = spec.outcome
    fitting = [
        (
            rule.concepts.index(outcome.concept),
            rule.windows.index(outcome.measured.window),
            abs(outcome.measured.to - rule.near_month),
            -outcome.measured.to,
            rank,
            outcome,
        )
        for rank, outcome in enumerate(study.outcomes)
        if outcome.concept in rule.concepts
        and outcome.measured.window in rule.windows
        and outcome.measured.to is not None
        and rule.from_month <= outcome.measured.to <= rule.to_month
    ]
    if not fitting:
        raise _RefusedError(
            f"no outcome {' or '.join(CONCEPT[c].label for c in rule.concepts)}, "
            f"{' or '.join(WINDOW[w].label for w in rule.windows)}, within {rule.from_month}-{rule.to_month} months",
        )
    return min(fitting)[-1]


def _readings(outcome: Outcome, arms: list[str], named: str | None, spec: Spec) -> tuple[str, dict[str, Reading]]:
    """Return the first denominator with a count in every arm, and the counts: never one arm's with another's."""
    for denominator in (named,) if named else spec.outcome.denominators:
        # A reading of one place or period is a part of the arm, not the arm.
        whole = (r for r in outcome.readings if r.kind == "count" and r.where is None and r.period is None)
        found = {r.arm: r for r in whole if r.of == denominator}
        if all(arm in found for arm in arms):
            return denominator, found
    raise _RefusedError(f"no counts in all of {', '.join(arms)} for outcome {outcome.id}")


def _weakest(numbers: list[Number | None]) -> str:
    return max((number.basis or "reconstructed" for number in numbers if number is not None), key=_ORDER.__getitem__)


def _total(side: list[Reading], name: str) -> float:
    total = Decimal(0)
    for reading in side:
        number: Number | None = getattr(reading, name)
        if number is None or number.value is None:
            raise _RefusedError(f"the count of arm {reading.arm} is a range")
        total += number.value
    return float(total)


def _headline(study: Study, choice: StudyChoice, analysed: float) -> float:
    """Return the printed size that the spec asks for; without one, the persons in the row."""
    if choice.participants is None:
        return analysed
    for size in study.participants:
        if size.what == choice.participants and size.value is not None:
            return float(size.value)
    have = ", ".join(size.what for size in study.participants) or "none"
    raise SelectionError(f"{study.id}: no participants of kind {choice.participants!r}; there are: {have}")
