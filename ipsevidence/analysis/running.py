"""Run a spec: select, derive rows, pool, and repeat for every group and every sensitivity analysis."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.rows import StudyRow, effects, participants
from ipsevidence.analysis.selection import Decision, Selection, SelectionError, select
from ipsevidence.analysis.spec import Effect, Model, Spec, Variation
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.dataset.collection import Dataset, Origin, load

__all__ = ["AnalysisRun", "DatasetStamp", "Fit", "GroupFit", "VariationFit", "pool_rows", "run"]

Fit: TypeAlias = core.PooledResult | core.NotApplicable


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetStamp:
    """Which data an analysis was run on: version, records drawn on, and the digest of those records."""

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
class VariationFit:
    """One sensitivity analysis, with what it pooled."""

    id: str
    label: str
    because: str
    measure: str
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
    between : NotApplicable or TestResult
        The test between groups, or why there is none.
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
    between: core.NotApplicable | None
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
        return math.exp(value) if self.measure.scale == "log" else value


def run(spec: "Spec | str | Path", dataset: Dataset | None = None) -> AnalysisRun:
    """Run an analysis.

    Parameters
    ----------
    spec : Spec, str or Path
        A spec, the id of one that ships with the data, or the path of a spec file.
    dataset : Dataset, optional
        The records; by default those that `load` finds.

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
    chosen = select(asked, data)
    main = _pooled(chosen.rows, asked.effect, asked.model)
    rows, y, v = main.rows, main.y, main.v
    return AnalysisRun(
        spec=asked,
        data=_stamp(data, rows),
        rows=rows,
        y=tuple(y.tolist()),
        v=tuple(v.tolist()),
        fit=main.fit,
        groups=_groups(asked, rows, y, v),
        between=_between(asked, rows),
        sensitivity=tuple(_variation(asked, data, variation) for variation in asked.sensitivity),
        decisions=_with_dropped(chosen, main.dropped),
        notes=_notes(asked, rows, main),
    )


def pool_rows(spec: Spec, rows: Sequence[StudyRow]) -> AnalysisRun:
    """Pool a user's own rows by the effect and model of a spec; see `run` for the result."""
    main = _pooled(tuple(rows), spec.effect, spec.model)
    decisions = tuple(Decision(id=row.id, label=row.label, included=True, reason="a row of the table") for row in rows)
    return AnalysisRun(
        spec=spec,
        data=None,
        rows=main.rows,
        y=tuple(main.y.tolist()),
        v=tuple(main.v.tolist()),
        fit=main.fit,
        groups=_groups(spec, main.rows, main.y, main.v),
        between=_between(spec, main.rows),
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


def _pooled(rows: tuple[StudyRow, ...], effect: Effect, model: Model) -> _Pooled:
    level = float(model.level)
    y, v = effects(rows, effect.measure, add=float(effect.add), to=effect.to, level=level) if rows else ([], [])
    kept = np.isfinite(np.asarray(v, dtype=float))
    y, v = np.asarray(y)[kept], np.asarray(v)[kept]
    inside = tuple(row for row, keep in zip(rows, kept, strict=True) if keep)
    outside = tuple(row for row, keep in zip(rows, kept, strict=True) if not keep)
    return _Pooled(rows=inside, dropped=outside, y=y, v=v, fit=_fit(y, v, model))


def _fit(y: Any, v: Any, model: Model) -> Fit:
    if len(y) == 0:
        return core.NotApplicable(reason="no study has an effect on this measure")
    return core.pool(
        y, v, tau2=model.tau2, interval=model.interval, prediction=model.prediction, level=float(model.level)
    )


def _groups(spec: Spec, rows: tuple[StudyRow, ...], y: Any, v: Any) -> tuple[GroupFit, ...]:
    """Pool each group with its own tau2: from two studies in a reproduction, from three elsewhere."""
    if spec.subgroups is None:
        return ()
    fewest = 2 if spec.purpose == "reproduction" else 3
    fits = []
    for group in spec.subgroups.groups:
        members = tuple(index for index, row in enumerate(rows) if row.group == group.id)
        at = list(members)
        if len(members) >= fewest:
            fit = _fit(y[at], v[at], spec.model)
        else:
            fit = core.NotApplicable(reason="one trial, not a pool" if len(members) == 1 else "too few trials to pool")
        fits.append(GroupFit(id=group.id, label=group.label, members=members, fit=fit))
    return tuple(fits)


def _between(spec: Spec, rows: tuple[StudyRow, ...]) -> core.NotApplicable | None:
    if spec.subgroups is None:
        return None
    sizes = [sum(row.group == group.id for row in rows) for group in spec.subgroups.groups]
    if min(sizes) < 5:
        return core.NotApplicable(reason="no test between groups: a group has fewer than five trials")
    return None


def _variation(spec: Spec, data: Dataset, variation: Variation) -> VariationFit:
    effect, model = variation.effect or spec.effect, variation.model or spec.model
    wanted = spec.studies.model_copy(update={"count": None})
    rows = select(spec.model_copy(update={"studies": wanted}), data, variation.choose).rows
    here = {row.id for row in rows}
    for name in variation.drop:
        if name not in here:
            raise SelectionError(f"{spec.id}: {variation.id} drops {name!r}, which is not among the studies selected")
    pooled = _pooled(tuple(row for row in rows if row.id not in variation.drop), effect, model)
    return VariationFit(
        id=variation.id,
        label=variation.label,
        because=variation.because or "",
        measure=effect.measure,
        participants=math.fsum(row.participants for row in pooled.rows),
        fit=pooled.fit,
    )


def _stamp(data: Dataset, rows: tuple[StudyRow, ...]) -> DatasetStamp:
    used = [row.id for row in rows]
    return DatasetStamp(version=data.version, records=len(used), digest=data.digest(used), origin=data.origin)


def _with_dropped(chosen: Selection, dropped: tuple[StudyRow, ...]) -> tuple[Decision, ...]:
    reason = "no events in either arm, or events in everyone: no effect on this measure"
    gone = {row.id for row in dropped}
    return tuple(
        dataclasses.replace(decision, included=False, reason=reason) if decision.id in gone else decision
        for decision in chosen.decisions
    )


def _notes(spec: Spec, rows: tuple[StudyRow, ...], main: _Pooled) -> tuple[str, ...]:
    notes = list(spec.report.caveats)
    corrected = [row.label for row in rows if row.counts and _empty_cell(row)]
    if corrected and spec.effect.to != "none":
        notes.append(f"{spec.effect.add} was added to each cell of tables with an empty cell: {', '.join(corrected)}.")
    if main.dropped:
        notes.append(f"Left out for want of an effect: {', '.join(row.label for row in main.dropped)}.")
    if isinstance(main.fit, core.PooledResult):
        notes.extend(main.fit.notes)
    return tuple(notes)


def _empty_cell(row: StudyRow) -> bool:
    c = row.counts
    return c is not None and 0 in (c.events1, c.events2, c.n1 - c.events1, c.n2 - c.events2)
