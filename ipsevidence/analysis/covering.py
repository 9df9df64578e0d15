"""How much of the evidence is in a pool: trials and participants that are absent, and the pool if they were in."""

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.absent_trials import MEASURES_OF_RISK, RANDOMISED, AbsentTrial, Present, absent_trial
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.selection import known_size
from ipsevidence.analysis.spec import ReportOptions, Spec
from ipsevidence.dataset.collection import Dataset

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun, Fit

__all__ = ["BOUNDS", "KINDS", "Bound", "Coverage", "coverage_of"]

BOUNDS: Final = {
    "no-effect": "absent trials at no effect",
    "stated": "absent trials at their stated effect",
}
"""What is assumed of the absent trials, in turn."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The pool with the absent trials in it, under one assumption.

    Attributes
    ----------
    key, label : str
        One of `BOUNDS`.
    k : int
        Trials, those of the pool and the absent ones that can enter.
    participants : float
        Their participants, as in `Coverage.known`.
    fit : PooledResult or NotApplicable
        By the model of the analysis.
    """

    key: str
    label: str
    k: int
    participants: float
    fit: "Fit"


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
        Known sizes of the trials of the pool: randomised where that is known, else as analysed.
    known : float
        The same of all eligible trials whose size is known.
    absent : tuple of AbsentTrial
        Eligible trials that are not in the pool, the largest first, those of unknown size last.
    control_risk : float
        Median risk of the control arms of the pool, which absent trials are given; nan where there are no bounds.
    bounds : tuple of Bound
        The pool with the absent trials; empty where there is none.
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
    def sentence(self) -> str:
        """Trials of the pool among the eligible, and their participants among those known."""
        share = "" if math.isnan(self.share) else f" ({100 * self.share:.0f}%)"
        unsized = len(self.unsized)
        one = {"trials": "trial", "studies": "study"}[self.what]
        more = f"; the size of {unsized} {one if unsized == 1 else self.what} is not known" if unsized else ""
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
        """Return the coverage as plain data, the fits of the bounds as estimate and intervals."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["absent"] = [dataclasses.asdict(one) for one in self.absent]
        plain["bounds"] = [_plain(bound) for bound in self.bounds]
        plain["assumptions"] = list(self.assumptions)
        return plain


def _plain(bound: Bound) -> dict[str, Any]:
    plain = {"key": bound.key, "label": bound.label, "k": bound.k, "participants": bound.participants}
    if isinstance(bound.fit, core.NotApplicable):
        return {**plain, **bound.fit.to_dict()}
    fit = bound.fit
    return {
        **plain,
        "estimate": fit.estimate,
        "ci": [fit.ci.low, fit.ci.high],
        "prediction": [fit.prediction.low, fit.prediction.high],
        "tau2": fit.tau2,
    }


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
    The bounds are no interval, and bound nothing by themselves: they are the pool with each absent trial of known size
    at no effect, and at what it prints or states (see `absent_trials.absent_trial`). The variance of an absent trial is
    the large-sample one of its arms at the median control risk of the pool; for counts, and for an effect printed with
    its interval, the larger of that and its own. Absent trials lie exactly at their effects, without the play of
    chance, so that tau2 and the intervals of the bounds are too small. Rules for few trials are those of the analysis.
    """
    if run.data is None:
        return core.NotApplicable(reason="a table of one's own does not say which other trials there are")
    if run.spec.studies.where is None:
        return core.NotApplicable(reason="the studies are a list: nothing says which others are eligible")
    out = [decision for decision in run.decisions if decision.eligible and not decision.included]
    present, why = _present(run)
    trials = [absent_trial(run.spec, dataset[one.id], one, present) for one in out]
    absent = tuple(sorted(trials, key=lambda one: (math.isnan(one.size), -one.size, one.id)))
    headline = math.fsum(known_size(dataset[row.id]) or row.participants for row in run.rows)
    coverage = Coverage(
        what="trials" if _of_trials(run.spec) else "studies",
        k=len(run.rows),
        eligible=len(run.rows) + len(out),
        analysed=run.participants,
        headline=headline,
        known=headline + math.fsum(one.size for one in absent if not math.isnan(one.size)),
        absent=absent,
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


def _of_trials(spec: Spec) -> bool:
    """Whether the analysis compares arms of randomised trials, and of nothing else."""
    designs = spec.studies.where.designs if spec.studies.where else ()
    return core.MEASURES[spec.effect.measure].needs == "two-by-two" and bool(designs) and set(designs) <= RANDOMISED


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
    outside = [f"{one.label} ({one.why_not})" for one in coverage.absent if not one.enters]
    equal = [one.label for one in entering if one.equal_arms]
    variance = "a number of their own gives them no smaller variance than its own"
    said = [
        f"Absent trials have the control risk of the pool (median {present.control_risk:.2f}); {variance}.",
        "Arms are as randomised" + (f", or equal where that is not known: {', '.join(equal)}." if equal else "."),
    ]
    high = present.highest_risk
    if any(one.source != "silent" for one in entering):
        said.append(f"For the variance no risk is assumed above the highest of the pool, {high:.2f}.")
    said.extend(_stated_sentences(entering))
    said.append("They lie exactly at their effects, without chance: the intervals of these pools are too narrow.")
    if outside:
        said.append(f"Cannot enter: {'; '.join(outside)}.")
    return tuple(said)


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
        "printed on another measure",
        "an effect printed on another measure, at that control risk",
        lambda one: one.source == "converted",
    ),
    (
        "the pooled estimate, where only said to be better",
        "the pooled estimate itself, where a source only says that the intervention was better",
        lambda one: one.source == "stated" and one.direction == "favours-intervention",
    ),
    (
        "the pooled estimate turned round, where only said to be worse",
        "the pooled estimate turned round, where a source only says that the comparator was better",
        lambda one: one.source == "stated" and one.direction == "favours-comparator",
    ),
    (
        "no effect, as said or mixed",
        "no effect, where no difference, a mixed one or no direction is stated",
        lambda one: one.source == "stated" and not one.direction.startswith("favours"),
    ),
    (
        "no effect, nothing usable read",
        "no effect, where nothing usable was read",
        lambda one: one.source == "silent",
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
