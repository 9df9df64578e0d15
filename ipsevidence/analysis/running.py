"""Run a spec: select, derive rows, pool, and repeat for every group and every sensitivity analysis."""

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

import numpy as np
from scipy.special import ndtri

from ipsevidence import core
from ipsevidence.analysis.moderation import ModeratorFit, moderated
from ipsevidence.analysis.review_inputs import inputs_of
from ipsevidence.analysis.rows import StudyRow, effects, participants, shown
from ipsevidence.analysis.selection import Decision, Selection, SelectionError, select
from ipsevidence.analysis.spec import RANDOMISED, Spec, StudyList, Variation
from ipsevidence.analysis.specfiles import find_review, find_spec, review_files
from ipsevidence.dataset.collection import Dataset, Origin, load
from ipsevidence.dataset.record import Record

__all__ = [
    "AnalysisRun",
    "DatasetStamp",
    "Fit",
    "GroupContrast",
    "GroupFit",
    "VariationFit",
    "correction_sentence",
    "pool_rows",
    "run",
    "varied_spec",
]

_ENTERED: Final = dict.fromkeys(("randomised", "analysed", "entrants"), "everyone who entered")
"""Denominators that count the same persons, before or after some were lost; a caseload or the engaged are others."""

_ENOUGH: Final = 5
"""Trials that a group needs before it is compared with another."""

Fit: TypeAlias = core.PooledResult | core.NotApplicable
RecordT = TypeVar("RecordT", bound=Record)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetStamp:
    """Which data an analysis was run on: version, records drawn on, and the digest of those records.

    Where the inputs of a published review were pooled, its inputs are counted and the digest is that of its file.
    """

    version: str
    records: int
    digest: str
    origin: Origin


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroupFit:
    """One group: its rows (positions in the run) and its pool, or why there is none."""

    id: str
    label: str
    members: tuple[int, ...]
    fit: Fit


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroupContrast:
    """The effect in one group less that in another, on the pooled scale: for ratios the logarithm of their ratio.

    Attributes
    ----------
    first, second : str
        Labels of the groups.
    difference : float
        First less second, of two pools that share no trial.
    ci : Interval
        Its interval, with Welch and Satterthwaite's degrees of freedom.
    p : float
        Test that it is 0.
    """

    first: str
    second: str
    difference: float
    ci: core.Interval
    p: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VariationFit:
    """One sensitivity analysis, with what it pooled."""

    id: str
    label: str
    because: str
    measure: str
    k: int
    participants: float
    fit: Fit


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRun:
    """An analysis that has been run: the question, the rows, the numbers, and a reason for every choice.

    Attributes
    ----------
    spec : Spec
        The analysis as resolved.
    data : DatasetStamp or None
        The records drawn on; None for a user's own table.
    rows : tuple of StudyRow
        The k studies in the pool, in the order of the figure.
    y, v : tuple of float
        Their effects and variances on the pooled scale.
    fit : PooledResult or NotApplicable
        The main result.
    groups : tuple of GroupFit
        Results by group; empty where the spec has no groups.
    between : TestResult, NotApplicable or None
        The test between groups, or why there is none; None where the spec has no groups.
    contrasts : tuple of GroupContrast
        Each group of five trials or more against the first of them; empty where fewer than two have five.
    few : SmallKResult or None
        What the protocol lets be shown for this number of trials; None unless a living analysis of two-arm effects has
        rows.
    moderators : tuple of ModeratorFit
        The slope of each moderator that the spec asks for, or why there is none.
    sensitivity : tuple of VariationFit
        One result for each named variation.
    decisions : tuple of Decision
        Every study of the dataset, in or out, with the reason.
    notes : tuple of str
        What a reader of the numbers should know.
    """

    spec: Spec
    data: DatasetStamp | None
    rows: tuple[StudyRow, ...]
    y: tuple[float, ...]
    v: tuple[float, ...]
    fit: Fit
    groups: tuple[GroupFit, ...]
    between: core.TestResult | core.NotApplicable | None
    contrasts: tuple[GroupContrast, ...] = ()
    few: core.SmallKResult | None = None
    moderators: tuple[ModeratorFit, ...] = ()
    sensitivity: tuple[VariationFit, ...]
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...]

    @property
    def measure(self) -> core.Measure:
        """The effect measure: key, label, scale ("log" for ratios), null value."""
        return core.MEASURES[self.spec.effect.measure]

    @property
    def participants(self) -> float:
        """Headline participants: the sum of the sizes the spec asks for."""
        return math.fsum(row.participants for row in self.rows)

    @property
    def analysed(self) -> float:
        """Participants in the counts that were pooled."""
        return math.fsum(participants(row) for row in self.rows)

    def shown(self, value: float) -> float:
        """Return a value of the pooled scale as it is shown: ratios back from their logs."""
        return shown(self.spec.effect.measure, value)

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """Each study's own Wald interval at the level of the run, on the pooled scale."""
        z = float(ndtri((1 + float(self.spec.model.level)) / 2))
        return tuple((y - z * v**0.5, y + z * v**0.5) for y, v in zip(self.y, self.v, strict=True))

    columns: ClassVar[tuple[str, ...]] = ("study", "group", "ai", "n1i", "ci", "n2i", "yi", "vi", "weight", "basis")

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each study in the pool."""
        weights = self.fit.weights.tolist() if isinstance(self.fit, core.PooledResult) else [math.nan] * len(self.rows)
        return [
            (row.label, row.group, *_cells(row), y, v, weight, row.basis)
            for row, y, v, weight in zip(self.rows, self.y, self.v, weights, strict=True)
        ]


def _cells(row: StudyRow) -> tuple[float, float, float, float]:
    c = row.counts
    return (c.events1, c.n1, c.events2, c.n2) if c else (math.nan,) * 4


def run(
    spec: "Spec | str | Path", dataset: Dataset | None = None, *, selection: Selection | None = None
) -> AnalysisRun:
    """Run an analysis.

    Parameters
    ----------
    spec : Spec, str or Path
        A spec, the id of one that ships with the data, or the path of a spec file.
    dataset : Dataset, optional
        The records; by default those that `load` finds.
    selection : Selection, optional
        What `select` chose for this spec, or for one that differs from it in the model alone; without it, it is chosen
        here.

    Returns
    -------
    AnalysisRun

    Raises
    ------
    ReadError
        If the spec file or a record cannot be read as what it should be.
    SelectionError
        If the spec asks for what the dataset does not hold.
    """
    data = load() if dataset is None else dataset
    asked = spec if isinstance(spec, Spec) else find_spec(spec, data.root)
    chosen = _chosen(asked, data) if selection is None else selection
    _no_strays(asked, chosen.rows)
    main = _pooled(asked, chosen.rows)
    rows, y, v = main.rows, main.y, main.v
    if asked.studies.count not in (None, len(rows)):
        raise SelectionError(f"{asked.id}: the spec states {asked.studies.count} studies, {len(rows)} are in the pool")
    _certainty_fits(asked, rows, data)
    groups = _groups(asked, rows, y, v)
    return AnalysisRun(
        spec=asked,
        data=_stamp(asked, data, rows),
        rows=rows,
        y=tuple(y.tolist()),
        v=tuple(v.tolist()),
        fit=main.fit,
        groups=groups,
        between=_between(asked, rows, y, v),
        contrasts=_contrasts(asked, groups),
        few=_few(asked, y, v),
        moderators=moderated(asked.moderators, rows, y, v, asked.model),
        sensitivity=tuple(_variation(asked, data, variation) for variation in asked.sensitivity),
        decisions=_with_dropped(chosen, main.dropped),
        notes=_notes(asked, rows, main),
    )


def _chosen(spec: Spec, data: Dataset) -> Selection:
    if spec.studies.inputs_of is None:
        return select(spec, data)
    return inputs_of(find_review(spec.studies.inputs_of, data.root), spec.effect.measure)


def pool_rows(spec: Spec, rows: Sequence[StudyRow]) -> AnalysisRun:
    """Pool a user's own rows by the effect and model of a spec; see `run` for the result."""
    main = _pooled(spec, tuple(rows))
    decisions = tuple(Decision(id=row.id, label=row.label, included=True, reason="a row of the table") for row in rows)
    groups = _groups(spec, main.rows, main.y, main.v)
    return AnalysisRun(
        spec=spec,
        data=None,
        rows=main.rows,
        y=tuple(main.y.tolist()),
        v=tuple(main.v.tolist()),
        fit=main.fit,
        groups=groups,
        between=_between(spec, main.rows, main.y, main.v),
        contrasts=_contrasts(spec, groups),
        few=_few(spec, main.y, main.v),
        moderators=moderated(spec.moderators, main.rows, main.y, main.v, spec.model),
        sensitivity=(),
        decisions=_with_dropped(Selection(rows=tuple(rows), decisions=decisions), main.dropped),
        notes=_notes(spec, main.rows, main),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Pooled:
    rows: tuple[StudyRow, ...]
    dropped: tuple[StudyRow, ...]
    y: Any
    v: Any
    fit: Fit


def _pooled(spec: Spec, rows: tuple[StudyRow, ...]) -> _Pooled:
    y, v = effects(rows, spec.effect.measure, add=float(spec.effect.add), to=spec.effect.to) if rows else ([], [])
    kept = np.isfinite(np.asarray(v, dtype=float))
    y, v = np.asarray(y)[kept], np.asarray(v)[kept]
    inside = tuple(row for row, keep in zip(rows, kept, strict=True) if keep)
    outside = tuple(row for row, keep in zip(rows, kept, strict=True) if not keep)
    return _Pooled(rows=inside, dropped=outside, y=y, v=v, fit=_fit(spec, inside, y, v))


def _fit(spec: Spec, rows: tuple[StudyRow, ...], y: Any, v: Any) -> Fit:
    """Pool as the spec says; in a living analysis within the protocol's rules for few trials and for rates."""
    reason = _no_pool(spec, rows)
    if reason:
        return core.NotApplicable(reason=reason)
    model = spec.model
    level = float(model.level)
    if model.q_about == "mantel-haenszel":
        return _as_review_manager(spec, rows)
    ruled = spec.purpose == "living" and model.interval in ("hksj", "hksj-adhoc") and model.tau2 != "common"
    if not ruled:
        few = spec.purpose == "living" and len(rows) < 5
        ahead = "none" if few else model.prediction
        return core.pool(y, v, tau2=model.tau2, interval=model.interval, prediction=ahead, level=level)
    allowed = core.small_k_pool(y, v, tau2=model.tau2, prediction=model.prediction, level=level)
    return dataclasses.replace(
        allowed.headline,
        prediction=allowed.prediction,
        notes=tuple(dict.fromkeys((*allowed.headline.notes, *allowed.notes))),
    )


def _as_review_manager(spec: Spec, rows: tuple[StudyRow, ...]) -> Fit:
    if spec.effect.measure not in core.MANTEL_HAENSZEL or any(row.counts is None for row in rows):
        return core.NotApplicable(
            reason="Mantel-Haenszel wants counts, and an odds ratio, risk ratio or risk difference"
        )
    cells = np.array([dataclasses.astuple(row.counts) for row in rows if row.counts]).T
    model = spec.model
    return core.mantel_haenszel_random(
        spec.effect.measure, *cells, prediction=model.prediction, level=float(model.level)
    )


def _no_pool(spec: Spec, rows: tuple[StudyRow, ...]) -> str:
    """Say why there is no pool; empty where there is one."""
    if not rows:
        return "no trial gives a number that can enter"
    if spec.purpose != "living":
        return ""
    if rows[0].unit == "arm":
        return _no_rate(rows)
    return {1: "one trial, not a pool", 2: "two trials, too few for a random-effects pool"}.get(len(rows), "")


def _no_rate(rows: tuple[StudyRow, ...]) -> str:
    """Say why rates of single arms are not pooled: too few, or not of one kind; empty where they may be."""
    if len(rows) < 5:
        return f"{len(rows)} {'group' if len(rows) == 1 else 'groups'}: rates are pooled from five on"
    for what in ("concept", "window", "denominator"):
        kinds = sorted({_ENTERED.get(kind, kind) for kind in (str(row.extra.get(what, "not stated")) for row in rows)})
        if len(kinds) > 1:
            return f"rates of more than one kind ({what}: {', '.join(kinds)}) are not pooled"
    months = [float(row.extra["months"]) for row in rows if "months" in row.extra]
    if len(months) < len(rows) or max(months) - min(months) > 3:
        return "the times of measurement lie more than 3 months apart, or are not known"
    return ""


def _few(spec: Spec, y: Any, v: Any) -> core.SmallKResult | None:
    """Return what may be shown for this many trials; only for effects on a scale that the rules were made for."""
    measure = core.MEASURES[spec.effect.measure]
    if spec.purpose != "living" or len(y) == 0 or measure.scale != "log":
        return None
    model = spec.model
    prediction = model.prediction if model.prediction != "none" else "t-k1"
    return core.small_k_pool(y, v, tau2=model.tau2, prediction=prediction, level=float(model.level))


def _groups(spec: Spec, rows: tuple[StudyRow, ...], y: Any, v: Any) -> tuple[GroupFit, ...]:
    """Pool each group with its own tau2; a group of one is never a pool."""
    if spec.subgroups is None:
        return ()
    fits = []
    for group in spec.subgroups.groups:
        members = tuple(index for index, row in enumerate(rows) if row.group == group.id)
        if not members:
            fit: Fit = core.NotApplicable(reason="no trial in this group")
        elif len(members) == 1:
            fit = core.NotApplicable(reason="one trial, not a pool")
        else:
            fit = _fit(spec, tuple(rows[index] for index in members), y[list(members)], v[list(members)])
        fits.append(GroupFit(id=group.id, label=group.label, members=members, fit=fit))
    return tuple(fits)


def _no_strays(spec: Spec, rows: tuple[StudyRow, ...]) -> None:
    """Refuse groups that the spec does not list: their studies would be in the pool and in no group."""
    if spec.subgroups is None or spec.studies.where is None:
        return
    listed = {group.id for group in spec.subgroups.groups}
    strays = sorted(f"{row.id} ({row.group})" for row in rows if row.group not in listed)
    if strays:
        raise SelectionError(f"{spec.id}: `subgroups` does not list the group of {', '.join(strays)}")


def _certainty_fits(spec: Spec, rows: tuple[StudyRow, ...], data: Dataset) -> None:
    """Refuse a certainty of no evidence, and one that starts where the designs of the studies do not let it."""
    if spec.certainty is None:
        return
    if not rows:
        raise SelectionError(f"{spec.id}: `certainty` is judged of evidence, and no study gives a number; leave it out")
    others = [row.label for row in rows if row.id in data and data[row.id].design.type not in RANDOMISED]
    if others and spec.certainty.start == "high":
        raise SelectionError(
            f"{spec.id}: `certainty` starts at high, and these are no randomised trials: {', '.join(others)}; write"
            " `start: low` and judge again"
        )


def _large(spec: Spec, rows: tuple[StudyRow, ...]) -> dict[str, list[int]]:
    """Return the groups with the five trials that the protocol asks for before groups are compared."""
    groups = spec.subgroups.groups if spec.subgroups else ()
    members = {group.id: [i for i, row in enumerate(rows) if row.group == group.id] for group in groups}
    return {name: here for name, here in members.items() if len(here) >= _ENOUGH}


def _between(spec: Spec, rows: tuple[StudyRow, ...], y: Any, v: Any) -> core.TestResult | core.NotApplicable | None:
    """Test whether the groups differ that have enough trials."""
    if spec.subgroups is None:
        return None
    if len(spec.subgroups.groups) < 2:
        return core.NotApplicable(reason="no test between groups: there is one group")
    large = _large(spec, rows)
    if len(large) < 2:
        return core.NotApplicable(reason="no test between groups: fewer than two have five trials")
    inside = [index for members in large.values() for index in members]
    model = spec.model
    found = core.subgroups(
        y[inside],
        v[inside],
        [rows[index].group for index in inside],
        tau2=model.tau2,
        interval=model.interval,
        prediction="none",
        level=float(model.level),
    )
    return found.test


def _contrasts(spec: Spec, groups: tuple[GroupFit, ...]) -> tuple[GroupContrast, ...]:
    """Compare the groups that have enough trials with the first of them."""
    pooled = [
        (group.label, group.fit)
        for group in groups
        if len(group.members) >= _ENOUGH and isinstance(group.fit, core.PooledResult)
    ]
    contrasts = []
    for label, fit in pooled[1:]:
        gap, interval, p = core.difference(fit, pooled[0][1], level=float(spec.model.level))
        contrasts.append(GroupContrast(first=label, second=pooled[0][0], difference=gap, ci=interval, p=p))
    return tuple(contrasts)


def _variation(spec: Spec, data: Dataset, variation: Variation) -> VariationFit:
    varied = varied_spec(spec, variation)
    if varied.studies.inputs_of is None:
        rows = select(varied, data, variation.choose).rows
    else:
        rows = _chosen(varied, data).rows
    if variation.totals_as_non_events:
        rows = tuple(_totals_as_non_events(row) for row in rows)
    here = {row.id for row in rows}
    for name in variation.drop:
        if name not in here:
            raise SelectionError(f"{spec.id}: {variation.id} drops {name!r}, which is not among the studies selected")
    pooled = _pooled(varied, tuple(row for row in rows if row.id not in variation.drop))
    return VariationFit(
        id=variation.id,
        label=variation.label,
        because=variation.because or "",
        measure=varied.effect.measure,
        k=len(pooled.rows),
        participants=math.fsum(row.participants for row in pooled.rows),
        fit=pooled.fit,
    )


def _totals_as_non_events(row: StudyRow) -> StudyRow:
    """Return the row as a program sees it that is given the size of each arm as the number without the event."""
    c = row.counts
    if c is None:
        return row
    wrong = dataclasses.replace(c, n1=c.events1 + c.n1, n2=c.events2 + c.n2)
    return dataclasses.replace(row, counts=wrong)


def varied_spec(spec: Spec, variation: Variation) -> Spec:
    """Return the spec with the fields that a variation names, and no others.

    Parameters
    ----------
    spec : Spec
        The analysis.
    variation : Variation
        What changes. Its `drop` and `choose` are not part of a spec: they are applied to the selection.

    Returns
    -------
    Spec

    Raises
    ------
    SelectionError
        If it readmits a study that was not left out, or changes a filter that is not there.
    """
    left = {one.id for one in spec.studies.without}
    for name in variation.readmit:
        if name not in left:
            raise SelectionError(f"{spec.id}: {variation.id} readmits {name!r}, which `without` does not leave out")
    if variation.where is not None and spec.studies.where is None:
        raise SelectionError(f"{spec.id}: {variation.id} changes `where`, and the spec lists its studies")
    if spec.studies.inputs_of is not None and not variation.instead and (variation.choose or variation.weakest_basis):
        raise SelectionError(
            f"{spec.id}: {variation.id} changes how records are read, and a review's inputs are pooled"
        )
    basis = variation.weakest_basis or spec.studies.weakest_basis
    if variation.instead:
        studies = StudyList.model_construct(by_name=variation.instead, weakest_basis=basis)
        return _with_model(spec.model_copy(update={"studies": studies}), variation)
    studies = spec.studies.model_copy(
        update={
            "without": tuple(one for one in spec.studies.without if one.id not in variation.readmit),
            "where": _changed(spec.studies.where, variation.where) if spec.studies.where else None,
            "weakest_basis": basis,
        }
    )
    return _with_model(spec.model_copy(update={"studies": studies}), variation)


def _with_model(spec: Spec, variation: Variation) -> Spec:
    return spec.model_copy(
        update={
            "outcome": _changed(spec.outcome, variation.outcome),
            "effect": _changed(spec.effect, variation.effect),
            "model": _changed(spec.model, variation.model),
            "certainty": None,  # it was judged of the analysis, not of this change of it
        }
    )


def _changed(base: RecordT, change: RecordT | None) -> RecordT:
    """Return `base` with the fields that `change` names, and no others."""
    if change is None:
        return base
    return base.model_copy(update={name: getattr(change, name) for name in change.model_fields_set})


def _stamp(spec: Spec, data: Dataset, rows: tuple[StudyRow, ...]) -> DatasetStamp:
    if spec.studies.inputs_of is not None:
        digest = hashlib.sha256(review_files(data.root)[spec.studies.inputs_of].read_bytes()).hexdigest()
        return DatasetStamp(version=data.version, records=len(rows), digest=digest, origin=data.origin)
    used = [row.id for row in rows]
    return DatasetStamp(version=data.version, records=len(used), digest=data.digest(used), origin=data.origin)


def _with_dropped(chosen: Selection, dropped: tuple[StudyRow, ...]) -> tuple[Decision, ...]:
    reason = "no events in either arm, or events in everyone: no effect on this measure"
    gone = {row.id for row in dropped}
    return tuple(
        dataclasses.replace(decision, included=False, reason=reason, stage="effect")
        if decision.id in gone
        else decision
        for decision in chosen.decisions
    )


def _notes(spec: Spec, rows: tuple[StudyRow, ...], main: _Pooled) -> tuple[str, ...]:
    notes = [*spec.report.caveats, *([spec.outcome.composite] if spec.outcome.composite else [])]
    correction = correction_sentence(spec, rows)
    if correction:
        notes.append(correction)
    if main.dropped:
        notes.append(f"Left out for want of an effect: {', '.join(row.label for row in main.dropped)}.")
    if isinstance(main.fit, core.PooledResult):
        notes.extend(main.fit.notes)
        if spec.purpose != "living" and main.fit.k < 5 and main.fit.settings.tau2 != "common":
            notes.append(
                f"{main.fit.k} {'study' if main.fit.k == 1 else 'studies'}: too few to estimate the variance between"
                " studies well. A wide interval is not evidence of no effect."
            )
    return tuple(dict.fromkeys(notes))


def correction_sentence(spec: Spec, rows: tuple[StudyRow, ...]) -> str:
    """Say what was added to which tables before effects were computed; empty where nothing was.

    Parameters
    ----------
    spec : Spec
        The analysis; `effect.add` and `effect.to` decide.
    rows : tuple of StudyRow
        The studies in the pool.

    Returns
    -------
    str
    """
    tables = [row for row in rows if row.counts is not None]
    empty = [row.label for row in tables if _empty_cell(row)]
    to = spec.effect.to
    if not tables or to == "none" or spec.effect.add == 0 or (to in ("only0", "if0all") and not empty):
        return ""
    which = f"of tables with an empty cell: {', '.join(empty)}" if to == "only0" else "of every table"
    if spec.effect.measure == "RD":
        return f"{spec.effect.add} was added to the cells from which the variance is computed, {which}."
    return f"{spec.effect.add} was added to each cell {which}."


def _empty_cell(row: StudyRow) -> bool:
    c = row.counts
    return c is not None and 0 in (c.events1, c.events2, c.n1 - c.events1, c.n2 - c.events2)
