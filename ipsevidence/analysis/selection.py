"""Which studies enter an analysis and with which outcome, arms and denominator; a reason for every yes and no."""

import dataclasses
from collections.abc import Iterator
from typing import Final

from ipsevidence.analysis.arms import known_size, people_asked, sides
from ipsevidence.analysis.derivation import Refusal, SelectionError, derive
from ipsevidence.analysis.groupings import COMPARATOR_KINDS, FIDELITY_BANDS, comparator_kind, fidelity_band
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.spec import Spec, StudyChoice
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP

__all__ = ["ELIGIBLE", "NOT_LISTED", "Decision", "Selection", "SelectionError", "awaits", "known_size", "select"]

NOT_LISTED: Final = "not in the list of the spec"
"""The reason of every study that a list does not name."""

ELIGIBLE: Final = frozenset({"clusters", "outcome", "counts", "basis", "effect", "doubt"})
"""Where a study drops out though it answers the question: what is missing is a number, not the right trial."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why a study is in or out.

    Attributes
    ----------
    id, label : str
        The study.
    included : bool
    reason : str
        In words.
    stage : str
        Where it dropped out: list, status, design, population, contrast, size, clusters, doubt, outcome, counts, basis,
        overlap or effect; empty where it is in.
    """

    id: str
    label: str
    included: bool
    reason: str
    stage: str = ""

    @property
    def eligible(self) -> bool:
        """Whether the study answers the question, in the pool or not."""
        return self.included or self.stage in ELIGIBLE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows that enter, and the decision on every study of the dataset."""

    rows: tuple[StudyRow, ...]
    decisions: tuple[Decision, ...]


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
    for name in [*listed, *changed, *(left.id for left in spec.studies.without)]:
        if name not in dataset:
            raise SelectionError(f"study {name!r} is not in the dataset{dataset.suggestion(name)}")
    rows: list[StudyRow] = []
    decisions: list[Decision] = []
    for study in _in_order(dataset, listed):
        choice = _merged(listed.get(study.id) or StudyChoice(id=study.id), changed.get(study.id))
        try:
            _admit(spec, study, named=study.id in listed)
            row, reason = derive(spec, study, choice)
            _large_enough(spec, row)
        except Refusal as refusal:
            decisions.append(_refused(spec, study, refusal))
            continue
        rows.append(row)
        decisions.append(Decision(id=study.id, label=study.label, included=True, reason=reason))
    _all_listed_are_in(spec, decisions)
    _changes_took_effect(spec, changed, rows)
    selection = Selection(rows=tuple(rows), decisions=tuple(decisions))
    return _without_overlaps(spec, dataset, selection)


def awaits(spec: Spec, study: Study) -> bool:
    """Whether a record awaits classification and, as far as was read, answers the question of an analysis by rule.

    What was read of such a record does not settle whether it belongs: it is named, and not counted as eligible.

    Parameters
    ----------
    spec : Spec
        The analysis.
    study : Study
        The record.

    Returns
    -------
    bool
        Never true of a list of studies: nothing says which others answer its question.
    """
    if study.status != "awaiting" or spec.studies.where is None:
        return False
    settled = study.model_copy(update={"status": "included"})
    try:
        _admit(spec, settled, named=False)
        row, _ = derive(spec, settled, StudyChoice(id=study.id))
        _large_enough(spec, row)
    except Refusal as refusal:
        return refusal.stage in ELIGIBLE and not _too_small(spec, settled)
    return True


def _refused(spec: Spec, study: Study, refusal: Refusal) -> Decision:
    reason, stage = str(refusal), refusal.stage
    if stage in ELIGIBLE and _too_small(spec, study):
        reason, stage = f"fewer than {_fewest(spec)} participants are known", "size"
    return Decision(id=study.id, label=study.label, included=False, reason=reason, stage=stage)


def _fewest(spec: Spec) -> int:
    rule = spec.studies.where
    return rule.participants_from or 0 if rule is not None else 0


def _too_small(spec: Spec, study: Study) -> bool:
    """Whether the known participants of a study without a row are fewer than the analysis asks for."""
    fewest = _fewest(spec)
    return bool(fewest) and people_asked(spec, study).size < fewest


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
    """Keep one of two records that share participants: the larger by rule; a list that names both is an error.

    Of the studies that answer the question and have no row, those that share participants with one that counts do not
    count either: nobody is missing twice.
    """
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
    counted = set(size) - set(gone)
    absent = [d.id for d in selection.decisions if not d.included and d.eligible]
    for name in sorted(absent, key=lambda name: (-(known_size(dataset[name]) or 0.0), name)):
        shared = sorted(counted & {overlap.id for overlap in dataset[name].overlaps_with})
        if shared:
            gone[name] = f"shares participants with {', '.join(shared)}"
        else:
            counted.add(name)
    decided = (
        dataclasses.replace(decision, included=False, reason=gone[decision.id], stage="overlap")
        if decision.id in gone
        else decision
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
        raise Refusal(NOT_LISTED, "list")
    if study.status != "included":
        raise Refusal(f"status is {study.status}", "status")
    if rule is None:
        return
    if rule.designs and study.design.type not in rule.designs:
        raise Refusal(f"design is {study.design.type}", "design")
    if rule.analysis_groups and study.population.analysis_group not in rule.analysis_groups:
        raise Refusal(f"population is {ANALYSIS_GROUP[study.population.analysis_group].label}", "population")
    if rule.severe_mental_illness and study.population.severe_mental_illness not in rule.severe_mental_illness:
        raise Refusal(f"severe mental illness: {study.population.severe_mental_illness}", "population")
    if rule.tags and not set(rule.tags) & set(study.population.tags):
        raise Refusal(f"none of the tags {', '.join(rule.tags)}", "population")
    _admit_arms(spec, study)


def _admit_arms(spec: Spec, study: Study) -> None:
    """Refuse a study by what its arms are: what is compared with, and how faithful the service was."""
    rule = spec.studies.where
    if rule is None or not (rule.comparators or rule.fidelity):
        return
    of, against = sides(spec, study)
    if rule.comparators and against and (kind := comparator_kind(against)) not in rule.comparators:
        raise Refusal(f"comparator is {COMPARATOR_KINDS[kind]}", "contrast")
    if rule.fidelity and of and (band := fidelity_band(study, of)) not in rule.fidelity:
        raise Refusal(f"fidelity: {FIDELITY_BANDS[band]}", "contrast")


def _large_enough(spec: Spec, row: StudyRow) -> None:
    fewest = _fewest(spec)
    if fewest and not row.participants >= fewest:
        raise Refusal(f"fewer than {fewest} participants in the row", "size")
