"""A question put together from choices: the analysis it is, its numbers or why there are none, and the whole grid."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ipsevidence import core
from ipsevidence.analysis import answer_words as words
from ipsevidence.analysis.absolutes import Absolutes, absolutes_of
from ipsevidence.analysis.answers import EVERYONE, Estimate, estimate_of, populations, spec_of_population
from ipsevidence.analysis.covering import Coverage, coverage_of
from ipsevidence.analysis.denominators import missing_participants_of
from ipsevidence.analysis.groupings import COMPARATOR_KINDS, FIDELITY_BANDS
from ipsevidence.analysis.multiverse import FEWEST, FEWEST_TO_PREDICT
from ipsevidence.analysis.running import AnalysisRun, run
from ipsevidence.analysis.selection import Selection, select
from ipsevidence.analysis.spec import Spec
from ipsevidence.analysis.specfiles import find_spec, spec_files
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, BASIS

__all__ = [
    "ANY",
    "COMMON_ONLY_WALD",
    "COMPARATORS",
    "DESIGNS",
    "FIDELITIES",
    "INTERVALS",
    "MEASURES",
    "OUTCOMES",
    "TAU2",
    "Choice",
    "Explored",
    "Pool",
    "explore",
    "explored_populations",
    "grid",
    "outcomes_of",
    "resolved",
]

ANY: Final = "any"
"""The choice that admits every value."""

BEYOND: Final = "beyond-smi"
"""The population without severe mental illness, which is not one of the exclusive groups."""

OUTCOMES: Final[dict[str, str]] = {
    "primary": "Competitive job within 12–24 months",
    "any-vocational-outcome": "Any vocational outcome, one for each trial",
    "competitive-up-to-11-months": "Competitive job within 11 months",
    "competitive-beyond-24-months": "Competitive job beyond 24 months",
    "competitive-at-a-date": "In competitive work at a date",
    "any-paid-work": "Any paid work within 12–24 months",
    "employed-at-a-date": "In work at a date",
    "steady-work": "Steady work",
    "work-or-education": "Work or education within 12–24 months",
    "work-or-education-at-a-date": "In work or education at a date",
    "education": "Education within 12–24 months",
    "work-participation": "Work participation kept or gained",
}
"""Outcomes by the analysis that says how each is taken from a trial; the first is the primary one."""

COMPARATORS: Final[dict[str, str]] = {ANY: "any service that is not IPS", **COMPARATOR_KINDS}
"""What IPS is compared with."""

DESIGNS: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "randomised": ("all randomised trials", ("rct", "pilot-rct", "cluster-rct"), "refuse"),
    "no-pilots": ("without pilot trials", ("rct", "cluster-rct"), "refuse"),
    "clusters": ("with trials that randomised clusters", ("rct", "pilot-rct", "cluster-rct"), "design-effect"),
    "quasi-experiments": ("comparisons without random allocation", ("quasi-experimental",), "refuse"),
}
"""Designs: label, those of the records, and what is done with trials that randomised clusters."""

FIDELITIES: Final[dict[str, str]] = {ANY: "with or without a score", **FIDELITY_BANDS}
"""Scale and band of the fidelity score."""

MEASURES: Final = ("RR", "OR", "RD")
"""Measures, the primary one first."""

TAU2: Final = ("reml", "dl", "pm", "ml", "he", "sj", "common")
"""Estimators of the between-study variance, the protocol's first."""

INTERVALS: Final = ("hksj", "hksj-adhoc", "t", "wald")
"""Confidence intervals, the protocol's first."""

COMMON_ONLY_WALD: Final = (
    "a common effect goes with Wald's interval alone: the others spread by the differences between trials"
)
"""Why the common effect has no other interval."""

_SMI: Final = "smi"
_DESIGNATED: Final = next(iter(DESIGNS))
_OWN_OUTCOME: Final = next(iter(OUTCOMES))
_NOT_COUNTED: Final = core.NotApplicable(reason="the absent trials are counted once for all models of a pool")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is asked: of whom, of what, and how it is pooled. The defaults are the protocol's.

    Attributes
    ----------
    population : str
        Key of `explored_populations`.
    outcome, comparator, design, fidelity : str
        Keys of `OUTCOMES`, `COMPARATORS`, `DESIGNS` and `FIDELITIES`.
    weakest_basis : str
        Weakest basis of the numbers that enter: a key of `BASIS`.
    measure, tau2, interval : str
        One of `MEASURES`, a key of `core.TAU2_ESTIMATORS` and one of `core.INTERVALS`. The interval ``hksj`` is the
        protocol's, which takes the ad hoc form with few trials and where the plain one is narrow.
    prediction : str
        Key of `core.PREDICTIONS`.
    """

    population: str = EVERYONE
    outcome: str = _OWN_OUTCOME
    comparator: str = ANY
    design: str = _DESIGNATED
    fidelity: str = ANY
    weakest_basis: str = "bounded"
    measure: str = MEASURES[0]
    tau2: str = TAU2[0]
    interval: str = INTERVALS[0]
    prediction: str = "t-k1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """A choice, the analysis that it is, and what came out.

    Attributes
    ----------
    choice : Choice
    run : AnalysisRun
        The analysis. Its spec, run again, gives the same numbers.
    why : str
        Why there is no pooled effect; empty where there is one.
    spec : Spec or None
        The spec to keep; None where the choice is of no analysis.
    absolutes : Absolutes or NotApplicable
        What the effect means in people.
    sentence : str
        The same in one sentence; it takes absent trials into account where the model is the protocol's.
    """

    choice: Choice
    run: AnalysisRun
    why: str
    spec: Spec | None
    absolutes: Absolutes | core.NotApplicable
    sentence: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The trials of one question on one measure, and every way to pool them.

    Attributes
    ----------
    choice : Choice
        With the protocol's model.
    run : AnalysisRun
        By the protocol's model.
    estimate : Estimate
        What the protocol lets be shown for this many trials.
    why : str
        Why these trials are not pooled, whatever the model; empty where they are.
    coverage : Coverage or NotApplicable
        How much of the evidence is in the pool.
    absolutes : Absolutes or NotApplicable
        By the protocol's model.
    sentence : str
        What the effect means in people, or why that is not said.
    caveats : tuple of str
        What to know before the numbers.
    cells : tuple of Explored
        One for each estimator and interval; empty where these trials are not pooled.
    """

    choice: Choice
    run: AnalysisRun
    estimate: Estimate
    why: str
    coverage: Coverage | core.NotApplicable
    absolutes: Absolutes | core.NotApplicable
    sentence: str
    caveats: tuple[str, ...]
    cells: tuple[Explored, ...]


def explored_populations(dataset: Dataset, *, tags: bool = False) -> dict[str, str]:
    """Return the populations that can be chosen, with their names: all, the two sides of severe illness, the groups.

    Parameters
    ----------
    dataset : Dataset
        The records and the analyses that ship with them.
    tags : bool
        Whether tags of the records follow; they overlap.

    Returns
    -------
    dict of str to str
    """
    known = populations(dataset)
    found = {EVERYONE: known[EVERYONE], _SMI: known[_SMI]}
    if f"primary-{BEYOND}" in spec_files(dataset.root):
        found[BEYOND] = "Without severe mental illness, all groups"
    found |= {key: label for key, label in known.items() if key in ANALYSIS_GROUP}
    return found | {key: label for key, label in known.items() if tags and key not in found}


def outcomes_of(dataset: Dataset) -> dict[str, str]:
    """Return the outcomes that the analyses of a dataset define; the primary one is always there."""
    shipped = spec_files(dataset.root)
    return {key: label for key, label in OUTCOMES.items() if key == _OWN_OUTCOME or key in shipped}


def resolved(choice: Choice, dataset: Dataset, k: int) -> Spec | None:
    """Return the analysis that a choice is.

    Parameters
    ----------
    choice : Choice
    dataset : Dataset
        The records and the analyses that ship with them.
    k : int
        Trials that enter: the rules for few trials decide what is asked of them.

    Returns
    -------
    Spec or None
        With the protocol's interval a living analysis, which obeys the rules for few trials. With any other model an
        exploratory one, from three trials on, with a prediction interval from five; below three the living one, which
        says why nothing is pooled. None where the choice is of no model.

    Raises
    ------
    InputError
        If the choice has a key that does not exist.
    """
    _check(choice, dataset)
    return _modelled(_question(choice, dataset), choice, k)


def _modelled(question: Spec, choice: Choice, k: int) -> Spec | None:
    if choice.tau2 == "common" and choice.interval != "wald":
        return None
    own = k < FEWEST
    living = own or (choice.interval == INTERVALS[0] and choice.tau2 != "common")
    predicts = living or (k >= FEWEST_TO_PREDICT and choice.tau2 != "common")
    model = {
        "tau2": TAU2[0] if own else choice.tau2,
        "interval": INTERVALS[0] if own else choice.interval,
        "prediction": choice.prediction if predicts else "none",
        "level": Decimal("0.95"),
    }
    plain = question.resolved() | {"purpose": "living" if living else "exploratory", "model": model}
    return Spec.model_validate(plain)


def explore(choice: Choice, dataset: Dataset) -> Pool:
    """Return what a choice gives.

    Parameters
    ----------
    choice : Choice
    dataset : Dataset
        The records and the analyses that ship with them.

    Returns
    -------
    Pool
        With one cell, or with none where these trials are not pooled.

    Raises
    ------
    InputError
        If the choice has a key that does not exist.
    SelectionError
        If the analysis asks for what the dataset does not hold.
    """
    _check(choice, dataset)
    return _pool(choice, dataset, [choice])


def grid(
    dataset: Dataset,
    population: str,
    *,
    outcomes: Sequence[str] = (_OWN_OUTCOME,),
    comparators: Sequence[str] = (ANY,),
) -> Iterator[Pool]:
    """Yield every way to pool the trials of a population: each outcome, comparator and measure, with all its models.

    Parameters
    ----------
    dataset : Dataset
        The records and the analyses that ship with them.
    population : str
        Key of `explored_populations`.
    outcomes, comparators : sequence of str
        Keys of `OUTCOMES` and `COMPARATORS`.

    Yields
    ------
    Pool
        Cells are in the order of `TAU2`, then of `INTERVALS`.
    """
    for outcome in outcomes:
        for comparator in comparators:
            fitted: dict[Any, core.ControlRiskResult | core.NotApplicable] = {}
            for measure in MEASURES:
                one = Choice(population=population, outcome=outcome, comparator=comparator, measure=measure)
                models = [
                    dataclasses.replace(one, tau2=tau2, interval=interval) for tau2 in TAU2 for interval in INTERVALS
                ]
                yield _pool(one, dataset, models, fitted)


def _pool(
    choice: Choice,
    dataset: Dataset,
    models: Sequence[Choice],
    fitted: dict[Any, core.ControlRiskResult | core.NotApplicable] | None = None,
) -> Pool:
    """Select once, pool by the protocol, then by every model asked for."""
    fitted = {} if fitted is None else fitted
    own = dataclasses.replace(choice, tau2=TAU2[0], interval=INTERVALS[0])
    question = _question(own, dataset)
    selection = select(question, dataset)
    # How many rows have an effect on this measure is only known once they are pooled.
    first = run(_modelled(question, own, FEWEST) or question, dataset, selection=selection)
    k = len(first.rows)
    absolutes, coverage = _absolutes(first, fitted), coverage_of(first, dataset)
    return Pool(
        choice=own,
        run=first,
        estimate=estimate_of(first),
        why=first.fit.reason if isinstance(first.fit, core.NotApplicable) else "",
        coverage=coverage,
        absolutes=absolutes,
        sentence=words.sentence(first, coverage, absolutes),
        caveats=words.caveats(first, coverage, missing_participants_of(first, dataset)),
        cells=tuple(
            _cell(one, question, dataset, selection, first, coverage if one == own else _NOT_COUNTED, fitted)
            for one in models
        )
        if k >= FEWEST
        else (),
    )


def _cell(
    choice: Choice,
    question: Spec,
    dataset: Dataset,
    selection: Selection,
    own: AnalysisRun,
    coverage: Coverage | core.NotApplicable,
    fitted: dict[Any, core.ControlRiskResult | core.NotApplicable],
) -> Explored:
    spec = _modelled(question, choice, len(own.rows))
    if spec is None:
        none = core.NotApplicable(reason=COMMON_ONLY_WALD)
        return Explored(choice=choice, run=own, why=COMMON_ONLY_WALD, spec=None, absolutes=none, sentence="")
    found = run(spec, dataset, selection=selection)
    absolutes = _absolutes(found, fitted)
    return Explored(
        choice=choice,
        run=found,
        why=found.fit.reason if isinstance(found.fit, core.NotApplicable) else "",
        spec=spec,
        absolutes=absolutes,
        sentence=words.sentence(found, coverage, absolutes),
    )


def _absolutes(
    found: AnalysisRun, fitted: dict[Any, core.ControlRiskResult | core.NotApplicable]
) -> Absolutes | core.NotApplicable:
    """Return the absolute answers; the bivariate model, one for all models of a pool, is fitted once."""
    key = tuple(row.counts for row in found.rows if row.counts is not None)
    answers = absolutes_of(found, bivariate=fitted.get(key))
    if isinstance(answers, Absolutes) and len(key) > 1:
        fitted[key] = answers.bivariate
    return answers


def _check(choice: Choice, dataset: Dataset) -> None:
    """Refuse a key that does not exist; the message says which there are."""
    known: Mapping[str, Mapping[str, Any]] = {
        "population": explored_populations(dataset, tags=True),
        "outcome": outcomes_of(dataset),
        "comparator": COMPARATORS,
        "design": DESIGNS,
        "fidelity": FIDELITIES,
        "weakest_basis": BASIS,
        "measure": dict.fromkeys(MEASURES),
        "tau2": core.TAU2_ESTIMATORS,
        "interval": core.INTERVALS,
        "prediction": core.PREDICTIONS,
    }
    for name, keys in known.items():
        core.choose(name, getattr(choice, name), keys)


def _question(choice: Choice, dataset: Dataset) -> Spec:
    """Return the living analysis of the question, before anything is said of the model."""
    base, label = _of_population(choice.population, dataset)
    defines = base if choice.outcome == _OWN_OUTCOME else find_spec(choice.outcome, dataset.root)
    _, designs, clusters = DESIGNS[choice.design]
    where = base.studies.where
    assert where is not None
    filtered = where.model_dump(by_alias=True) | {"designs": designs}
    if choice.comparator != ANY:
        filtered["comparators"] = (choice.comparator,)
    if choice.fidelity != ANY:
        filtered["fidelity"] = (choice.fidelity,)
    question = base.question.model_dump() | {"outcome": defines.question.outcome}
    if choice.comparator != ANY:
        question["comparator"] = COMPARATORS[choice.comparator]
    outcome = defines.outcome.model_dump(by_alias=True)
    if clusters != "refuse":
        outcome["clusters"] = clusters
    said = [f"{OUTCOMES[choice.outcome]}: {label}"]
    said += [f"against {COMPARATORS[choice.comparator]}"] if choice.comparator != ANY else []
    said += [DESIGNS[choice.design][0]] if choice.design != _DESIGNATED else []
    said += [f"fidelity: {FIDELITIES[choice.fidelity]}"] if choice.fidelity != ANY else []
    return Spec.model_validate(
        {
            "schema": 1,
            "id": f"explored-{choice.population}",
            "title": "; ".join(said),
            "purpose": "living",
            "question": question,
            "studies": base.studies.model_dump(by_alias=True)
            | {"where": filtered, "weakest_basis": choice.weakest_basis},
            "outcome": outcome,
            "effect": base.effect.model_dump() | {"measure": choice.measure},
            "report": {"caveats": base.report.caveats},
        }
    )


def _of_population(population: str, dataset: Dataset) -> tuple[Spec, str]:
    if population == BEYOND:
        return find_spec(f"primary-{BEYOND}", dataset.root), explored_populations(dataset)[BEYOND]
    return spec_of_population(population, dataset)
