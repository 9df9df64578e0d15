"""One question, one answer: what the evidence says for a population, what it lacks first."""

import dataclasses
import difflib
import math
from typing import Any, ClassVar, Final

from ipsevidence import core
from ipsevidence.analysis import answer_words as words
from ipsevidence.analysis.absolutes import Absolutes, absolutes_of
from ipsevidence.analysis.covering import Coverage, coverage_of
from ipsevidence.analysis.denominators import MissingParticipants, missing_participants_of
from ipsevidence.analysis.running import AnalysisRun, run
from ipsevidence.analysis.spec import Spec
from ipsevidence.analysis.specfiles import find_spec, spec_files
from ipsevidence.dataset.collection import Dataset, load
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP

__all__ = [
    "EVERYONE",
    "Answer",
    "Estimate",
    "answer",
    "estimate_of",
    "populations",
    "primary_spec",
    "spec_of_population",
]

EVERYONE: Final = "all"
"""The population of all trials together."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(core.Result):
    """The effect that an answer gives, as it is shown: ratios not logged.

    Attributes
    ----------
    kind : {'none', 'trial', 'common', 'pool'}
        No number; one trial's own effect; a common-effect line through two trials; a random-effects mean.
    measure, label : str
        Key and name of the measure.
    value : float
        nan where there is none.
    ci, prediction : Interval
        Confidence and prediction interval; each says why it has no bounds.
    bayes : float
        Median of the Bayesian estimate, for two to four trials; else nan.
    bayes_ci : Interval
        Its central credible interval.
    tau2, i2 : float
        Between-study variance on the pooled scale, and I2 in percent; nan where there is no random-effects mean.
    """

    columns: ClassVar[tuple[str, ...]] = ("quantity", "value", "low", "high")
    kind: str
    measure: str
    label: str
    value: float
    ci: core.Interval
    prediction: core.Interval
    bayes: float
    bayes_ci: core.Interval
    tau2: float
    i2: float

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for the estimate, its prediction interval and the Bayesian estimate, where there are such."""
        rows = [(self.label, self.value, self.ci.low, self.ci.high)]
        if not self.prediction.missing:
            rows.append((f"{self.label}, new setting", self.value, self.prediction.low, self.prediction.high))
        if not math.isnan(self.bayes):
            rows.append((f"{self.label}, Bayesian", self.bayes, self.bayes_ci.low, self.bayes_ci.high))
        return rows


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the evidence says for one population.

    Attributes
    ----------
    population, label : str
        What was asked for, and its name.
    run : AnalysisRun
        The analysis behind it, without its sensitivity analyses.
    caveats : tuple of str
        What to know before the numbers.
    estimate : Estimate
        The effect.
    sentence : str
        What it means in absolute numbers, or why there is no such sentence.
    baseline : float
        The baseline of that sentence; nan where there is none.
    absolutes : Absolutes or NotApplicable
        All absolute answers.
    coverage : Coverage or NotApplicable
        How much of the evidence is in the pool.
    missing : MissingParticipants or NotApplicable
        The result by denominator.
    certainty : tuple of (str, str)
        What bears on certainty, by domain. How much there is, people judge.
    """

    columns: ClassVar[tuple[str, ...]] = Estimate.columns
    population: str
    label: str
    run: AnalysisRun
    caveats: tuple[str, ...]
    estimate: Estimate
    sentence: str
    baseline: float
    absolutes: Absolutes | core.NotApplicable
    coverage: Coverage | core.NotApplicable
    missing: MissingParticipants | core.NotApplicable
    certainty: tuple[tuple[str, str], ...]

    @property
    def k(self) -> int:
        """Trials that give the estimate."""
        return len(self.run.rows)

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the rows of the estimate."""
        return self.estimate.to_rows()

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data for JSON, caveats first; nan becomes None."""
        plain = {
            "population": self.population,
            "label": self.label,
            "analysis": self.run.spec.id,
            "caveats": list(self.caveats),
            "estimate": self.estimate.to_dict(),
            "sentence": self.sentence,
            "baseline": self.baseline,
            "trials": [row.label for row in self.run.rows],
            "coverage": self.coverage.to_dict(),
            "absolute": self.absolutes.to_dict(),
            "missing": self.missing.to_dict(),
            "certainty_inputs": [{"domain": domain, "text": text} for domain, text in self.certainty],
        }
        cleaned: dict[str, Any] = _without_nan(plain)
        return cleaned


def answer(population: str, baseline: float | None = None, dataset: Dataset | None = None) -> Answer:
    """Answer what the evidence says for a population.

    Parameters
    ----------
    population : str
        ``all``, an analysis group (`ANALYSIS_GROUP`), or a tag of the records; see `populations`. Where a group and a
        tag have the same name, the group is meant; ``tag-NAME`` is the tag.
    baseline : float, optional
        Share of people with the outcome without the intervention, within the range of the trials' comparator arms.
    dataset : Dataset, optional
        The records; by default those that `load` finds.

    Returns
    -------
    Answer

    Raises
    ------
    core.InputError
        If there is no such population, or the baseline is outside the range; the message says what there is.
    """
    data = load() if dataset is None else dataset
    spec, label = spec_of_population(population, data)
    found = run(spec.model_copy(update={"sensitivity": (), "moderators": ()}), data)
    coverage = coverage_of(found, data)
    absolutes = absolutes_of(found, baseline)
    if baseline is not None and isinstance(absolutes, core.NotApplicable):
        raise core.InputError(f"baseline cannot be used for {population!r}: {absolutes.reason}", parameter="baseline")
    estimate = estimate_of(found)
    missing = missing_participants_of(found, data)
    return Answer(
        population=population,
        label=label,
        run=found,
        caveats=words.caveats(found, coverage, missing),
        estimate=estimate,
        sentence=words.sentence(found, coverage, absolutes),
        baseline=absolutes.middle if isinstance(absolutes, Absolutes) else math.nan,
        absolutes=absolutes,
        coverage=coverage,
        missing=missing,
        certainty=words.certainty(found, data, coverage),
    )


def populations(dataset: Dataset) -> dict[str, str]:
    """Return the populations that can be asked for, with their names: all, the groups, the tags.

    Parameters
    ----------
    dataset : Dataset
        The records, for their tags, and its specs.

    Returns
    -------
    dict of str to str
    """
    known = {EVERYONE: "All randomised trials"}
    known |= {key: term.label for key, term in ANALYSIS_GROUP.items()}
    tags = sorted({tag for study in dataset for tag in study.population.tags})
    known |= {tag: f"Tagged {tag}" for tag in tags if tag not in known}
    return known


def spec_of_population(population: str, dataset: Dataset) -> tuple[Spec, str]:
    """Return the living analysis of a population, and the population's name.

    Parameters
    ----------
    population : str
        As in `answer`.
    dataset : Dataset
        The records and the specs that ship with them.

    Returns
    -------
    Spec, str
        The shipped spec ``primary``, ``primary-GROUP`` or ``tag-TAG``; where there is none, `primary_spec`.

    Raises
    ------
    core.InputError
        If there is no such population.
    """
    known = populations(dataset)
    tags = {tag for study in dataset for tag in study.population.tags}
    as_tag = population.removeprefix("tag-") if population.startswith("tag-") else ""
    if population not in known and as_tag not in tags:
        near = difflib.get_close_matches(population, [*known, *(f"tag-{tag}" for tag in sorted(tags))], n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise core.InputError(
            f"population must be one of: {', '.join(known)}; got {population!r}{hint}", parameter="population"
        )
    if population == EVERYONE:
        name, label = "primary", known[population]
    elif population in ANALYSIS_GROUP:
        name, label = f"primary-{population}", known[population]
    else:
        tag = as_tag if population not in known else population
        name, label = f"tag-{tag}", f"Tagged {tag}"
    shipped = spec_files(dataset.root)
    return (find_spec(name, dataset.root) if name in shipped else primary_spec(population)), label


def primary_spec(population: str) -> Spec:
    """Return the analysis that answers for a population where no spec ships for it.

    Parameters
    ----------
    population : str
        ``all``, a key of `ANALYSIS_GROUP`, or a tag (also as ``tag-NAME``).

    Returns
    -------
    Spec
        The primary question over randomised trials of that population: any competitive job, cumulative, at the time
        nearest 18 months within 12 to 24; counts before printed effects; risk ratios; REML, Hartung-Knapp.
    """
    where: dict[str, Any] = {"designs": ("rct", "pilot-rct", "cluster-rct")}
    if population in ANALYSIS_GROUP:
        spec_id, label = f"primary-{population}", ANALYSIS_GROUP[population].label
        where["analysis_groups"] = (population,)
    elif population == EVERYONE:
        spec_id, label = "primary", "all randomised trials"
    else:
        tag = population.removeprefix("tag-")
        spec_id, label = f"tag-{tag}", f"every trial tagged {tag}"
        where["tags"] = (tag,)
    return Spec.model_validate(
        {
            "schema": 1,
            "id": spec_id,
            "title": f"Competitive employment with IPS: {label}",
            "purpose": "living",
            "question": {
                "population": label,
                "intervention": "Individual Placement and Support, plain or adapted",
                "comparator": "any service that is not IPS",
                "outcome": "any competitive job by the time point nearest 18 months within 12 to 24 months",
            },
            "studies": {"where": where},
            "outcome": {"inputs": ("counts", "published")},
            "effect": {"measure": "RR"},
            "model": {"tau2": "reml", "interval": "hksj", "prediction": "t-k1"},
        }
    )


def estimate_of(found: AnalysisRun) -> Estimate:
    """Return what may be shown for this many trials.

    Parameters
    ----------
    found : AnalysisRun
        A living analysis.

    Returns
    -------
    Estimate
    """
    level = float(found.spec.model.level)
    fit, few = found.fit, found.few
    shown = few.headline if few is not None and few.k <= 2 else fit
    kinds = {0: "none", 1: "trial", 2: "common"}
    kind = kinds.get(len(found.rows), "pool")
    if isinstance(shown, core.NotApplicable):
        why = shown.reason if found.rows else "no trial gives a usable number"
        nothing = core.Interval(low=math.nan, high=math.nan, level=level, why=why)
        value, ci, prediction, kind = math.nan, nothing, nothing, "none"
    else:
        value, ci = found.shown(shown.estimate), _shown(found, shown.ci)
        prediction = _shown(found, few.prediction if few is not None else shown.prediction)
    mean = kind == "pool" and isinstance(fit, core.PooledResult)
    bayes = few.bayes if few is not None else None
    none = core.Interval(low=math.nan, high=math.nan, level=level, why="given for two to four trials")
    return Estimate(
        kind=kind,
        measure=found.measure.key,
        label=found.measure.label,
        value=value,
        ci=ci,
        prediction=prediction,
        bayes=found.shown(bayes.median) if bayes else math.nan,
        bayes_ci=_shown(found, bayes.ci_central) if bayes else none,
        tau2=fit.tau2 if mean and isinstance(fit, core.PooledResult) else math.nan,
        i2=fit.i2 if mean and isinstance(fit, core.PooledResult) else math.nan,
    )


def _shown(found: AnalysisRun, interval: core.Interval) -> core.Interval:
    if interval.missing:
        return interval
    return dataclasses.replace(interval, low=found.shown(interval.low), high=found.shown(interval.high))


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value
