"""How much of the evidence is in a pool: trials and participants that are absent, and the pool if they were in."""

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.absent_trials import MEASURES_OF_RISK, AbsentTrial, Present, absent_trial
from ipsevidence.analysis.arms import people_asked, people_of
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.selection import awaits
from ipsevidence.analysis.spec import RANDOMISED, ReportOptions, Spec
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Study

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun, Fit

__all__ = ["BOUNDS", "KINDS", "Awaiting", "Bound", "Coverage", "coverage_of"]

BOUNDS: Final = {
    "no-effect": "if absent trials had no effect",
    "stated": "if absent trials had their stated effect",
}
"""What is assumed of the absent trials, in turn; neither is a limit of anything."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The pool if the absent trials were in it, under one assumption; it bounds nothing.

    Only the estimate says something: the absent trials are put exactly at their effects, so that the intervals and the
    tau2 of the fit are those of no data.

    Attributes
    ----------
    key, label : str
        One of `BOUNDS`.
    k : int
        Trials, those of the pool and the absent ones that can enter.
    participants : float
        Their participants, as in `Coverage.known`.
    fit : PooledResult or NotApplicable
        By the model of the analysis; of it only the estimate is to be shown.
    """

    key: str
    label: str
    k: int
    participants: float
    fit: "Fit"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Awaiting:
    """A record that may answer the question: what was read of it does not settle whether it belongs.

    Attributes
    ----------
    id, label : str
        The study.
    size : float
        Its known participants; nan where not known. They are in no count.
    reason : str
        Why it awaits classification, as the record says.
    """

    id: str
    label: str
    size: float
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the evidence is in a pool.

    Attributes
    ----------
    what : {'trials', 'studies'}
        What is counted: studies where rates of single arms are pooled, or designs other than randomised ones admitted.
    k, eligible : int
        Trials in the pool, and trials that answer the question, in the pool or not.
    analysed : float
        Participants of the rows of the pool.
    headline : float
        People of the trials of the pool, in the arms of the question: as randomised where that is known, else as
        analysed (see `arms.people_of`); of single arms as analysed.
    known : float
        The same with the eligible trials that are absent and of known size (see `arms.people_asked`).
    absent : tuple of AbsentTrial
        Eligible trials that are not in the pool, the largest first, those of unknown size last.
    awaiting : tuple of Awaiting
        Records that await classification, and whose design, population and arms fit as far as they were read; they do
        not count as eligible.
    control_risk : float
        Median risk of the control arms of the pool, which absent trials are given; nan where there are no bounds.
    bounds : tuple of Bound
        The pool if the absent trials were in it, under each assumption; empty where there is none. No limits.
    why_no_bounds : str
        Why; empty where there are bounds.
    assumptions : tuple of str
        What was assumed of the absent trials, in sentences to print.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "study",
        "participants",
        "stage",
        "reason",
        "concept",
        "months",
        "direction",
        "significant",
        "printed",
        "assumed",
        "y",
        "v",
    )
    what: str = "trials"
    k: int
    eligible: int
    analysed: float
    headline: float
    known: float
    absent: tuple[AbsentTrial, ...]
    awaiting: tuple[Awaiting, ...] = ()
    control_risk: float = math.nan
    bounds: tuple[Bound, ...] = ()
    why_no_bounds: str = ""
    assumptions: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the known participants whose trials are in the pool; nan where none are known."""
        return self.headline / self.known if self.known else math.nan

    @property
    def unsized(self) -> tuple[AbsentTrial, ...]:
        """Absent trials of unknown size: they count as trials, and not as participants."""
        return tuple(trial for trial in self.absent if math.isnan(trial.size))

    @property
    def set_aside(self) -> tuple[AbsentTrial, ...]:
        """Absent trials that the analysis sets aside for a doubt: eligible, and put into no pool."""
        return tuple(trial for trial in self.absent if trial.source == "set-aside")

    @property
    def sentence(self) -> str:
        """Trials of the pool among the eligible, their participants among those known, and what is not settled."""
        share = "" if math.isnan(self.share) else f" ({100 * self.share:.0f}%)"
        unsized = len(self.unsized)
        one = {"trials": "trial", "studies": "study"}[self.what]
        more = f"; the size of {unsized} {one if unsized == 1 else self.what} is not known" if unsized else ""
        waiting = len(self.awaiting)
        if waiting:
            more += f"; {waiting} further {f'{one} awaits' if waiting == 1 else f'{self.what} await'} classification"
        return (
            f"{self.k} of {self.eligible} eligible {self.what}, with {self.headline:,.0f} of {self.known:,.0f} known"
            f" participants{share}{more}"
        )

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each absent trial."""
        return [
            (
                one.label,
                one.size,
                one.stage,
                one.reason,
                one.concept,
                one.months,
                one.direction,
                one.significant,
                one.as_printed,
                one.assumed,
                one.y,
                one.v,
            )
            for one in self.absent
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the coverage as plain data; of the pools under an assumption the estimate, or why there is none."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["absent"] = [dataclasses.asdict(one) for one in self.absent]
        plain["awaiting"] = [dataclasses.asdict(one) for one in self.awaiting]
        plain["bounds"] = [_plain(bound) for bound in self.bounds]
        plain["assumptions"] = list(self.assumptions)
        return plain


def _plain(bound: Bound) -> dict[str, Any]:
    plain = {"key": bound.key, "label": bound.label, "k": bound.k, "participants": bound.participants}
    if isinstance(bound.fit, core.NotApplicable):
        return {**plain, **bound.fit.to_dict()}
    return {**plain, "estimate": bound.fit.estimate}


def coverage_of(run: "AnalysisRun", dataset: Dataset) -> Coverage | core.NotApplicable:
    """Return how much of the evidence is in a pool, and the pool with the absent trials under two assumptions.

    Parameters
    ----------
    run : AnalysisRun
        An analysis by rule, of two arms or of one.
    dataset : Dataset
        The records it was run on.

    Returns
    -------
    Coverage or NotApplicable
        Not applicable to a list of studies, or to a user's own table: nothing says what else is eligible.

    Notes
    -----
    The pools under an assumption bound nothing: each absent trial of known size is put at no effect, or at what it
    prints or states (see `absent_trials.absent_trial`). A trial that is set aside for a doubt is in neither. The
    variance of an absent trial is the large-sample one of its arms at the median control risk of the pool; for counts,
    for percents, and for an effect printed with its interval, the larger of that and its own. Absent trials lie exactly
    at their effects, without the play of chance: an interval of such a pool would mean nothing, and none is given.
    Rules for few trials are those of the analysis.
    """
    if run.data is None:
        return core.NotApplicable(reason="a table of one's own does not say which other trials there are")
    if run.spec.studies.where is None:
        return core.NotApplicable(reason="the studies are a list: nothing says which others are eligible")
    out = [decision for decision in run.decisions if decision.eligible and not decision.included]
    present, why = _present(run)
    trials = [absent_trial(run.spec, dataset[one.id], one, present) for one in out]
    absent = tuple(sorted(trials, key=lambda one: (math.isnan(one.size), -one.size, one.id)))
    headline = math.fsum(people_of(run.spec, dataset[row.id], row) for row in run.rows)
    counted = {row.id for row in run.rows} | {one.id for one in out}
    coverage = Coverage(
        what="trials" if _of_trials(run.spec) else "studies",
        k=len(run.rows),
        eligible=len(run.rows) + len(out),
        analysed=run.participants,
        headline=headline,
        known=headline + math.fsum(one.size for one in absent if not math.isnan(one.size)),
        absent=absent,
        awaiting=tuple(_waiting(run.spec, study) for study in dataset if _waits(run.spec, study, counted)),
        why_no_bounds=why or ("" if any(one.enters for one in absent) else "no absent trial of known size"),
    )
    if present is None or coverage.why_no_bounds:
        return coverage
    return dataclasses.replace(
        coverage,
        control_risk=present.control_risk,
        bounds=tuple(_bound(run, coverage, key) for key in BOUNDS),
        assumptions=_assumptions(coverage, present),
    )


def _waits(spec: Spec, study: Study, counted: set[str]) -> bool:
    """Whether a record may be a further trial: nobody of it counts already."""
    return awaits(spec, study) and not counted & {overlap.id for overlap in study.overlaps_with}


def _waiting(spec: Spec, study: Study) -> Awaiting:
    size = people_asked(spec, study).size
    return Awaiting(id=study.id, label=study.label, size=size, reason=study.status_reason or "")


def _of_trials(spec: Spec) -> bool:
    """Whether the analysis compares arms of randomised trials, and of nothing else."""
    designs = spec.studies.where.designs if spec.studies.where else ()
    return (
        core.MEASURES[spec.effect.measure].needs == "two-by-two" and bool(designs) and set(designs) <= set(RANDOMISED)
    )


def _present(run: "AnalysisRun") -> tuple[Present | None, str]:
    """Return what the pool lends to absent trials; or None, and why."""
    if isinstance(run.fit, core.NotApplicable):
        return None, f"no pool to add trials to: {run.fit.reason}"
    if run.measure.key not in MEASURES_OF_RISK:
        label = run.measure.label.partition(" (")[0]
        return None, f"absent ones have no assumed {label}: it does not follow from a control risk"
    tables = [row.counts for row in run.rows if row.counts is not None]
    if not tables:
        return None, "no trial of the pool has counts, so that there is no control risk to assume"
    control = float(np.median([one.events2 / one.n2 for one in tables]))
    if not 0 < control < 1:
        return None, f"the median control risk of the pool is {control:g}"
    highest = min(0.99, max(one.events1 / one.n1 for one in tables))
    return Present(estimate=run.fit.estimate, control_risk=control, highest_risk=highest), ""


def _bound(run: "AnalysisRun", coverage: Coverage, key: str) -> Bound:
    """Pool again with the absent trials that can enter."""
    entering = [one for one in coverage.absent if one.enters]
    rows = [
        StudyRow(id=row.id, label=row.label, y=y, v=v) for row, y, v in zip(run.rows, run.y, run.v, strict=True)
    ] + [
        StudyRow(
            id=one.id,
            label=one.label,
            y=one.y if key == "stated" else 0.0,
            v=one.v if key == "stated" else one.v_none,
        )
        for one in entering
    ]
    persons = coverage.headline + math.fsum(one.size for one in entering)
    return Bound(key=key, label=BOUNDS[key], k=len(rows), participants=persons, fit=_refitted(run.spec, rows))


def _refitted(spec: Spec, rows: list[StudyRow]) -> "Fit":
    """Pool by the model and the rules of the analysis, and nothing beside."""
    from ipsevidence.analysis.running import pool_rows  # a run may carry what is found here

    plain = {"subgroups": None, "moderators": (), "sensitivity": (), "published": (), "report": ReportOptions()}
    return pool_rows(spec.model_copy(update=plain), rows).fit


def _assumptions(coverage: Coverage, present: Present) -> tuple[str, ...]:
    """Say what was assumed of the absent trials."""
    entering = [one for one in coverage.absent if one.enters]
    outside = [f"{one.label} ({one.why_not})" for one in coverage.absent if not one.enters and one.stage != "doubt"]
    equal = [one.label for one in entering if one.equal_arms]
    variance = "a number of their own gives them no smaller variance than its own"
    said = [
        f"Absent trials have the control risk of the pool (median {present.control_risk:.2f}); {variance}.",
        "Arms are as randomised" + (f", or equal where that is not known: {', '.join(equal)}." if equal else "."),
    ]
    high = present.highest_risk
    if any(one.source != "silent" for one in entering):
        said.append(f"For the variance no risk is assumed above the highest of the pool, {high:.2f}.")
    said.extend(_stated_sentences([*entering, *coverage.set_aside]))
    said.append("They lie exactly at their effects, without the play of chance: these pools have no interval.")
    if outside:
        said.append(f"Cannot enter: {'; '.join(outside)}.")
    return tuple(said)


def _by_words(one: AbsentTrial) -> str:
    """Return the direction that words give to the assumed effect, `none` where they give none; empty without words."""
    if one.source != "stated":
        return ""
    return one.direction if one.direction.startswith("favours") and one.significant != "no" else "none"


KINDS: Final[tuple[tuple[str, str, Callable[[AbsentTrial], bool]], ...]] = (
    (
        "as printed",
        "the effect printed on the measure of the analysis",
        lambda one: one.source == "printed",
    ),
    (
        "own counts of another outcome or time",
        "its own counts of another outcome or time than those of the analysis",
        lambda one: one.source == "counts",
    ),
    (
        "own percents",
        "its own percents, with a variance from the sizes of its arms",
        lambda one: one.source == "percents",
    ),
    (
        "printed on another measure",
        "an effect printed on another measure, at that control risk",
        lambda one: one.source == "converted",
    ),
    (
        "the pooled estimate, where only said to be better",
        "the pooled estimate itself, where a source only says that the intervention was better",
        lambda one: _by_words(one) == "favours-intervention",
    ),
    (
        "the pooled estimate turned round, where only said to be worse",
        "the pooled estimate turned round, where a source only says that the comparator was better",
        lambda one: _by_words(one) == "favours-comparator",
    ),
    (
        "no effect, as said or mixed",
        "no effect, where no difference, none that is significant, a mixed one or no direction is stated",
        lambda one: _by_words(one) == "none",
    ),
    (
        "no effect, nothing usable read",
        "no effect, where nothing usable was read",
        lambda one: one.source == "silent",
    ),
    (
        "none, set aside for a doubt",
        "none, for a trial set aside for a doubt, in neither of these pools",
        lambda one: one.source == "set-aside",
    ),
)
"""How an absent trial gets its stated effect, in short and in words, and which trials do so."""


def _stated_sentences(entering: list[AbsentTrial]) -> list[str]:
    """Say which trials enter with which kind of stated effect; what is said of another outcome is marked."""
    said = []
    for _, words, belongs in KINDS:
        names = [one.label + ("" if one.same_concept or not one.concept else "*") for one in entering if belongs(one)]
        if names:
            said.append(f"Stated effect: {words} ({', '.join(names)}).")
    if any("*" in one for one in said):
        said.append("An asterisk marks what is said of another outcome.")
    return said
