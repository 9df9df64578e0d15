"""Who is missing from the denominators, and what the main result is if they did better or worse than the others."""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.absolutes import allowed_pool
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.core.effects import Cells, check_two_by_two, correct_zeros
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Arm, Outcome, Study

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["IMOR", "Denominator", "MissingParticipants", "TrialLoss", "arms_of", "missing_participants_of"]

IMOR: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Informative-missingness odds ratios that are tried in each arm; the tipping point is looked for between the ends."""

BISECTIONS: Final = 30

EVERYONE: Final = "counts all randomised; how many of them had no outcome is not recorded"
"""What is said of a trial whose denominators are all randomised."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialLoss(core.Result):
    """How many participants of one trial have no outcome.

    Attributes
    ----------
    id, label : str
        The trial.
    randomised1, analysed1, randomised2, analysed2 : float
        Participants in the arm of interest (1) and the other (2); nan where the record does not have them.
    missing1, missing2 : float
        Randomised less analysed; nan where it is not known how many had no outcome.
    known : bool
        Whether the record says how many had no outcome; not so where all randomised are counted.
    note : str
        What is not known, and how the trial enters; empty where all is.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "study",
        "randomised 1",
        "analysed 1",
        "missing 1",
        "randomised 2",
        "analysed 2",
        "missing 2",
        "note",
    )
    id: str
    label: str
    randomised1: float = math.nan
    analysed1: float = math.nan
    missing1: float = math.nan
    randomised2: float = math.nan
    analysed2: float = math.nan
    missing2: float = math.nan
    known: bool = True
    note: str = ""

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        one = (self.randomised1, self.analysed1, self.missing1)
        return [(self.label, *one, self.randomised2, self.analysed2, self.missing2, self.note)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Denominator(core.Result):
    """The main result under one supposition about the missing.

    Attributes
    ----------
    key : {'analysed', 'randomised-missing-as-failure', 'worst-case', 'imor'}
        Which supposition.
    label : str
        The same in words.
    imor1, imor2 : float
        Odds of the event among the missing over those among the others, in the arm of interest and the other; nan
        where the supposition is none of that kind.
    k : int
        Trials pooled.
    estimate : float
        Pooled effect as it is shown: ratios not logged.
    ci : Interval
        Its confidence interval, shown likewise.
    tau2 : float
        Between-study variance on the pooled scale.
    """

    columns: ClassVar[tuple[str, ...]] = ("denominator", "imor 1", "imor 2", "k", "estimate", "low", "high", "tau2")
    key: str
    label: str
    imor1: float
    imor2: float
    k: int
    estimate: float
    ci: core.Interval
    tau2: float

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row."""
        return [(self.label, self.imor1, self.imor2, self.k, self.estimate, self.ci.low, self.ci.high, self.tau2)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MissingParticipants(core.Result):
    """The main result by denominator.

    Attributes
    ----------
    measure : str
        Key of the measure that was pooled.
    trials : tuple of TrialLoss
        By trial, in the order of the pool.
    randomised, analysed, missing : float
        Participants of the trials of which it is known how many had no outcome.
    unknown : tuple of str
        Labels of the others, among them those that count all randomised.
    results : tuple of Denominator
        As analysed; the missing as failures; the worst case, in which the missing of the better arm failed and those
        of the other did not; every pair of `IMOR`, unless nobody is known to be missing.
    tipping : float
        The smallest x up to the largest of `IMOR` at which the interval reaches no effect, if the odds among the
        missing are divided by x in the better arm and multiplied by x in the other; nan where there is none.
    tipping_why : str
        The same in words, or why there is none.
    notes : tuple of str
        How to read it.
    """

    columns: ClassVar[tuple[str, ...]] = Denominator.columns
    measure: str
    trials: tuple[TrialLoss, ...]
    randomised: float
    analysed: float
    missing: float
    unknown: tuple[str, ...]
    results: tuple[Denominator, ...]
    tipping: float
    tipping_why: str
    notes: tuple[str, ...]

    def by(self, key: str) -> Denominator:
        """Return the first result of a supposition."""
        return next(one for one in self.results if one.key == key)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest estimate over all pairs of `IMOR`; that as analysed where nobody is missing."""
        tried = [one.estimate for one in self.results if one.key == "imor"] or [self.by("analysed").estimate]
        return min(tried), max(tried)

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each supposition."""
        return [row for one in self.results for row in one.to_rows()]


def missing_participants_of(run: "AnalysisRun", dataset: Dataset) -> MissingParticipants | core.NotApplicable:
    """Return the main result under other suppositions about participants without an outcome.

    Parameters
    ----------
    run : AnalysisRun
        The analysis, as analysed.
    dataset : Dataset
        Its records, for the numbers randomised.

    Returns
    -------
    MissingParticipants or NotApplicable
        Not applicable without counts, and to measures other than OR, RR and RD.

    Notes
    -----
    Missing are randomised less analysed, by arm. Of a trial that counts all randomised it is not known how many had no
    outcome: its record does not say whose was seen. Of such a trial, of one whose numbers randomised are not known by
    arm, and of one that enters with a printed effect, the row stays as it is under every supposition, and a note says
    so.

    Effects and variances are those of White, Higgins and Wood (`core.missing_outcomes`), who take the informative-
    missingness odds ratios as known; cells are corrected for zeros first, as in the analysis. The pool is that of the
    analysis, within the rules for few trials.

    References
    ----------
    .. [1] White IR, Higgins JPT, Wood AM. Stat Med 2008;27:711-727. doi:10.1002/sim.3008
    """
    if run.measure.key not in ("OR", "RR", "RD"):
        return core.NotApplicable(reason=f"missing participants are not allowed for on {run.measure.label}")
    if not any(row.counts for row in run.rows):
        return core.NotApplicable(reason="no trial in the pool has counts")
    losses = tuple(_loss(row, dataset) for row in run.rows)
    effects = _Effects(run, losses)
    better = float(allowed_pool(run.spec, *effects.analysed()).estimate) >= 0.0
    analysed = effects.result("analysed", "as analysed", *effects.analysed())
    failure = effects.result(
        "randomised-missing-as-failure", "missing as failures", *effects.imor(0.0, 0.0), imor=(0.0, 0.0)
    )
    worst = effects.result("worst-case", "missing against the effect", *effects.worst(better=better))
    grid = tuple(
        effects.result("imor", f"IMOR {one:g} and {two:g}", *effects.imor(one, two), imor=(one, two))
        for one, two in itertools.product(IMOR, IMOR)
        if effects.changed.size
    )
    known = [loss for loss in losses if loss.known]
    unknown = tuple(loss.label for loss in losses if not loss.known)
    tipping, why = _tipping(effects, analysed, worst, better=better)
    return MissingParticipants(
        measure=run.measure.key,
        trials=losses,
        randomised=math.fsum(loss.randomised1 + loss.randomised2 for loss in known),
        analysed=math.fsum(loss.analysed1 + loss.analysed2 for loss in known),
        missing=math.fsum(loss.missing1 + loss.missing2 for loss in known),
        unknown=unknown,
        results=(analysed, failure, worst, *grid),
        tipping=tipping,
        tipping_why=why,
        notes=_notes(losses),
    )


class _Effects:
    """Effects of the rows of a run under suppositions about the missing."""

    def __init__(self, run: "AnalysisRun", losses: Sequence[TrialLoss]) -> None:
        self.run = run
        self.y, self.v = np.array(run.y), np.array(run.v)
        gaps = np.nan_to_num([(loss.missing1, loss.missing2) for loss in losses])
        self.changed = np.flatnonzero(gaps.sum(axis=1) > 0)
        self.gaps = gaps[self.changed].T
        tables = [run.rows[index].counts for index in self.changed]
        self.cells = np.array([dataclasses.astuple(counts) for counts in tables if counts]).reshape(-1, 4).T

    def analysed(self) -> tuple[Any, Any]:
        return self.y, self.v

    def imor(self, one: float, two: float) -> tuple[Any, Any]:
        """Return effects where the odds among the missing are those of the others times `one` and `two`."""
        if not self.changed.size:
            return self.y, self.v
        measure, effect = self.run.measure.key, self.run.spec.effect
        raw = check_two_by_two(*self.cells)
        cells = correct_zeros(raw, add=float(effect.add), to=effect.to)
        y, v = _with_imor(measure, cells, self.gaps, one, two)
        if measure == "RD":  # a difference has no need of the correction; only its variance has
            y, _ = _with_imor(measure, raw, self.gaps, one, two)
        return self._put(y, v)

    def worst(self, *, better: bool) -> tuple[Any, Any]:
        """Return effects where all missing speak against the effect."""
        if not self.changed.size:
            return self.y, self.v
        (a, n1, c, n2), (gap1, gap2) = self.cells, self.gaps
        a, c = (a, c + gap2) if better else (a + gap1, c)
        effect = self.run.spec.effect
        tables = (a, n1 + gap1, c, n2 + gap2)
        return self._put(*core.two_by_two(self.run.measure.key, *tables, add=float(effect.add), to=effect.to))

    def _put(self, y: Any, v: Any) -> tuple[Any, Any]:
        """Return all effects, the changed ones in their places; those that came out without a variance are dropped."""
        ys, vs = self.y.copy(), self.v.copy()
        ys[self.changed], vs[self.changed] = y, v
        kept = np.isfinite(vs)
        return ys[kept], vs[kept]

    def result(
        self, key: str, label: str, y: Any, v: Any, *, imor: tuple[float, float] = (math.nan, math.nan)
    ) -> Denominator:
        """Pool effects and show the result."""
        fit = allowed_pool(self.run.spec, y, v)
        shown = self.run.shown
        ci = dataclasses.replace(fit.ci, low=shown(fit.ci.low), high=shown(fit.ci.high))
        return Denominator(
            key=key,
            label=label,
            imor1=imor[0],
            imor2=imor[1],
            k=fit.k,
            estimate=shown(fit.estimate),
            ci=ci,
            tau2=fit.tau2,
        )


def _with_imor(measure: str, cells: Cells, gaps: Any, one: float, two: float) -> tuple[Any, Any]:
    sizes = cells.a + cells.b, cells.c + cells.d
    return core.missing_outcomes(measure, cells.a, sizes[0], cells.c, sizes[1], gaps[0], gaps[1], imor1=one, imor2=two)


def _tipping(effects: _Effects, analysed: Denominator, worst: Denominator, *, better: bool) -> tuple[float, str]:
    """Look for the odds ratio at which the interval reaches no effect, halving its range on the log scale."""
    null, largest = effects.run.measure.null, max(IMOR)
    if analysed.ci.missing:
        return math.nan, f"the pooled effect has no interval: {analysed.ci.why}"
    if not effects.changed.size:
        return math.nan, "nobody is known to be missing"
    if analysed.ci.low <= null <= analysed.ci.high:
        return math.nan, f"the interval holds {null:g} as analysed"

    def holds(x: float) -> bool:
        one, two = (1.0 / x, x) if better else (x, 1.0 / x)
        found = effects.result("imor", "", *effects.imor(one, two))
        return found.ci.low <= null <= found.ci.high

    if not holds(largest):
        beyond = "holds" if worst.ci.low <= null <= worst.ci.high else "does not hold"
        return math.nan, (
            f"none up to {largest:g}; in the worst case, all missing against the effect, the interval {beyond} {null:g}"
        )
    low, high = 0.0, math.log(largest)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(math.exp(middle)) else (middle, high)
    x = math.exp(high)
    return x, f"at odds among the missing {x:.2f} times as far against the effect, the interval reaches {null:g}"


def _loss(row: StudyRow, dataset: Dataset) -> TrialLoss:
    """Return how many are missing from a row, by its record."""
    if row.counts is None:
        return TrialLoss(id=row.id, label=row.label, known=False, note="a printed effect without counts")
    if row.id not in dataset:
        return TrialLoss(id=row.id, label=row.label, known=False, note="no record of this trial")
    study = dataset[row.id]
    arms = [arms_of(study, str(row.extra.get(side, ""))) for side in ("intervention", "comparator")]
    outcome = study.outcome(str(row.extra["outcome"]))
    denominator = str(row.extra["denominator"])
    sizes = [_analysed(outcome, side, denominator) for side in arms]
    if denominator == "randomised":
        return TrialLoss(
            id=row.id,
            label=row.label,
            randomised1=sizes[0],
            analysed1=sizes[0],
            randomised2=sizes[1],
            analysed2=sizes[1],
            known=False,
            note=EVERYONE,
        )
    whole = [_randomised(side) for side in arms]
    factor = (row.counts.n1 + row.counts.n2) / sum(sizes)  # below 1 where clusters were allowed for
    gaps = [all_ - size for all_, size in zip(whole, sizes, strict=True)]
    known = all(gap >= 0 for gap in gaps)
    return TrialLoss(
        id=row.id,
        label=row.label,
        randomised1=whole[0],
        analysed1=sizes[0],
        missing1=gaps[0] * factor if known else math.nan,
        randomised2=whole[1],
        analysed2=sizes[1],
        missing2=gaps[1] * factor if known else math.nan,
        known=known,
        note="" if known else _why_unknown(study, whole, sum(sizes)),
    )


def _why_unknown(study: Study, whole: Sequence[float], analysed: float) -> str:
    if not any(math.isnan(size) for size in whole):
        return "more are analysed than were randomised"
    total = next(
        (float(size.value) for size in study.participants if size.what == "randomised" and size.value is not None),
        math.nan,
    )
    if total >= analysed:
        return f"randomised by arm is not known; {total - analysed:.0f} of {total:.0f} in all are not analysed"
    return "randomised by arm is not known"


def arms_of(study: Study, labels: str) -> list[Arm]:
    """Return the arms of one side of a row, which carries their labels joined by plus signs; none where none match.

    Parameters
    ----------
    study : Study
        The record.
    labels : str
        ``intervention`` or ``comparator`` of the row's further columns.

    Returns
    -------
    list of Arm
        In the order of the record.
    """
    for size in range(1, len(study.arms) + 1):
        for side in itertools.combinations(study.arms, size):
            if " + ".join(arm.label for arm in side) == labels:
                return list(side)
    return []


def _analysed(outcome: Outcome, arms: Sequence[Arm], denominator: str) -> float:
    here = {arm.id for arm in arms}
    sizes = [
        float(reading.n.value)
        for reading in outcome.readings
        if reading.arm in here
        and reading.kind == "count"
        and reading.of == denominator
        and reading.where is None
        and reading.period is None
        and reading.n is not None
        and reading.n.value is not None
    ]
    return math.fsum(sizes)


def _randomised(arms: Sequence[Arm]) -> float:
    values = [arm.n_randomised.value if arm.n_randomised else None for arm in arms]
    return math.fsum(float(value) if value is not None else math.nan for value in values) if values else math.nan


def _notes(losses: Sequence[TrialLoss]) -> tuple[str, ...]:
    notes = []
    everyone = [loss.label for loss in losses if loss.note == EVERYONE]
    if everyone:
        notes.append(
            "These count all randomised; how many of them had no outcome is not recorded, and they are unchanged:"
            f" {', '.join(everyone)}."
        )
    notes.extend(
        f"{loss.label}: {loss.note}; unchanged." for loss in losses if not loss.known and loss.note != EVERYONE
    )
    return tuple(notes)
