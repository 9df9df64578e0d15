"""The methods of a report, sentence by sentence: each says what was run, with the source of the method."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ipsevidence import __version__
from ipsevidence.analysis.absolutes import MODELS, Absolutes
from ipsevidence.analysis.certainty import GRADE
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.denominators import MissingParticipants
from ipsevidence.analysis.groupings import COMPARATOR_KINDS, FIDELITY_BANDS
from ipsevidence.analysis.readings import ReadingsRange
from ipsevidence.analysis.running import correction_sentence
from ipsevidence.analysis.spec import CONTRASTS, GROUPINGS
from ipsevidence.core import (
    INTERVALS,
    MEASURES,
    PREDICTIONS,
    TAU2_ESTIMATORS,
    Method,
    NotApplicable,
    PooledResult,
    TestResult,
)
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, BASIS, CONCEPT, DENOMINATOR, DESIGN, TREATMENT, WINDOW
from ipsevidence.report import evidence_tables
from ipsevidence.report.tables import RATIOS

if TYPE_CHECKING:
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.analysis.spec import Spec, StudyFilter

__all__ = ["Said", "methods"]

_MANY: Final = 4
"""Treatments from which on a side of a contrast is not spelt out."""

REVIEW_MANAGER: Final = (
    "Deeks JJ, Higgins JPT, on behalf of the Statistical Methods Group of The Cochrane Collaboration. Statistical "
    "algorithms in Review Manager 5. August 2010."
)
BIVARIATE: Final = "Van Houwelingen HC, Arends LR, Stijnen T. Stat Med 2002;21:589-624. doi:10.1002/sim.1040"
KNAPP: Final = "Knapp G, Hartung J. Stat Med 2003;22:2693-2710. doi:10.1002/sim.1482"
PERMUTED: Final = "Higgins JPT, Thompson SG. Stat Med 2004;23:1663-1682. doi:10.1002/sim.1752"
EGGER: Final = "Egger M, Davey Smith G, Schneider M, Minder C. BMJ 1997;315:629-634. doi:10.1136/bmj.315.7109.629"
WELCH: Final = "Welch BL. Biometrika 1947;34:28-35. doi:10.1093/biomet/34.1-2.28"
FEW: Final = "Friede T, Röver C, Wandel S, Neuenschwander B. Res Synth Methods 2017;8:79-91. doi:10.1002/jrsm.1217"
MISSING: Final = "White IR, Higgins JPT, Wood AM. Stat Med 2008;27:711-727. doi:10.1002/sim.3008"
PETERS: Final = "Peters JL, et al. JAMA 2006;295:676-680. doi:10.1001/jama.295.6.676"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence of the methods, and the source of the method; empty where none is needed."""

    text: str
    reference: str = ""


def methods(reproduction: "Reproduction") -> tuple[tuple[Said, ...], ...]:
    """Write the methods of an analysis from what was run.

    Parameters
    ----------
    reproduction : Reproduction
        The run, with what surrounds it where it is an analysis of the dataset.

    Returns
    -------
    tuple of tuple of Said
        The paragraphs of a methods section: studies and inputs; effects and model; groups and further analyses;
        small-study effects, certainty and software.
    """
    analysis = reproduction.run
    parts = (
        (*_selection(analysis), *_inputs(analysis)),
        (*_effects(analysis), *_model(analysis)),
        (*_more(analysis), *_around(reproduction)),
        (*_small(analysis), *_last(analysis)),
    )
    return tuple(part for part in parts if part)


def _selection(analysis: "AnalysisRun") -> Iterator[Said]:
    spec, count = analysis.spec, len(analysis.rows)
    k = "1 study was" if count == 1 else f"{RATIOS.count(count)} studies were" if count else "No study was"
    if analysis.data is None:
        yield Said(text=f"{k} read from a table.")
        return
    version = f"version {analysis.data.version} of the ipsevidence dataset, a curated collection"
    if spec.studies.inputs_of is not None:
        yield Said(text=f"{k} pooled, as a published review entered them ({spec.studies.inputs_of}).")
        return
    if spec.studies.where is None:
        yield Said(text=f"{k} selected by name from {version}.")
        yield from _chosen(analysis)
        return
    yield Said(text=f"{k} selected by rule from {version}: {_filter_words(spec.studies.where)}.")
    # A study may be out for another reason before this one is asked for.
    left = {one.id: one.because for one in spec.studies.without}
    labels = [decision.label for decision in analysis.decisions if left.get(decision.id) == decision.reason]
    if labels:
        yield Said(text=f"By a decision that the analysis states, these were left out: {', '.join(labels)}.")
    if MEASURES[spec.effect.measure].needs == "two-by-two":
        yield Said(text=_contrast_words(spec))
    elif MEASURES[spec.effect.measure].needs != "correlation":
        yield Said(text=f"Rates are of arms given {_either(TREATMENT[key].label for key in spec.outcome.treatments)}.")
    if MEASURES[spec.effect.measure].needs != "correlation":
        yield Said(text=_outcome_words(spec))
    outside = sum(decision.stage == "clusters" for decision in analysis.decisions)
    if outside and spec.outcome.clusters == "refuse":
        trials = "1 such trial" if outside == 1 else f"{outside} such trials"
        yield Said(text=f"Eligible trials that randomised clusters were not pooled ({trials}).")


def _chosen(analysis: "AnalysisRun") -> Iterator[Said]:
    """Say what was taken from studies that a list names: what the list says of each, else by the common rule."""
    spec = analysis.spec
    measure = MEASURES[spec.effect.measure]
    if measure.needs == "correlation":
        return
    if measure.needs == "two-by-two" and not all(one.contrast for one in spec.studies.by_name):
        yield Said(text=_contrast_words(spec))
    named = sum(one.outcome is not None for one in spec.studies.by_name)
    if named == len(spec.studies.by_name):
        yield Said(text="The analysis names the outcome that is taken from each study.")
        return
    if named:
        yield Said(text=f"For {named} of them the analysis names the outcome that is taken; for the others it follows.")
    yield Said(text=_outcome_words(spec))


def _filter_words(rule: "StudyFilter") -> str:
    parts = [f"design {_either(DESIGN[one].label for one in rule.designs)}"] if rule.designs else ["any design"]
    if rule.analysis_groups:
        parts.append(f"population {_either(ANALYSIS_GROUP[one].label for one in rule.analysis_groups)}")
    if rule.tags:
        parts.append(f"tagged {_either(rule.tags)}")
    if rule.severe_mental_illness:
        parts.append(f"severe mental illness {_either(rule.severe_mental_illness)}")
    if rule.comparators:
        parts.append(f"compared with {_either(COMPARATOR_KINDS[one] for one in rule.comparators)}")
    if rule.fidelity:
        parts.append(f"fidelity {_either(FIDELITY_BANDS[one] for one in rule.fidelity)}")
    if rule.participants_from is not None:
        parts.append(f"{rule.participants_from} participants or more in the row")
    return "; ".join(parts)


def _either(words: Iterable[str]) -> str:
    named = list(words)
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"


def _contrast_words(spec: "Spec") -> str:
    of, against = CONTRASTS[spec.outcome.contrast]
    named = _either(TREATMENT[treatment].label for treatment in against)
    second = f"arms given {named}" if len(against) < _MANY else "arms of any other service"
    several = {
        "combine": "several arms on one side of a trial were combined",
        "refuse": "trials with several arms on one side were not pooled",
    }[spec.outcome.multi_arm]
    return f"Arms given {_either(TREATMENT[t].label for t in of)} were compared with {second}; {several}."


def _outcome_words(spec: "Spec") -> str:
    rule = spec.outcome
    concepts = ", else ".join(CONCEPT[one].label for one in rule.concepts)
    windows = ", else ".join(WINDOW[one].label for one in rule.windows)
    of = ", else of those ".join(DENOMINATOR[one].label for one in rule.denominators)
    return (
        f"From each study one outcome was taken: {concepts} ({windows}), at the time point nearest {rule.near_month}"
        f" months between {rule.from_month} and {rule.to_month} months, of those {of}."
    )


def _inputs(analysis: "AnalysisRun") -> Iterator[Said]:
    spec, rows = analysis.spec, analysis.rows
    if analysis.data is not None and spec.studies.inputs_of is None:
        keys = list(BASIS)
        admitted = keys[: keys.index(spec.studies.weakest_basis) + 1]
        yield Said(text=f"Numbers could enter that are {_either(BASIS[key].label for key in admitted)}.")
        if "published" in spec.outcome.inputs and MEASURES[spec.effect.measure].needs == "two-by-two":
            order = "before its counts" if spec.outcome.inputs[0] == "published" else "where it had no usable counts"
            yield Said(text=f"A study could enter with its printed effect on the same measure, {order}.")
    printed = [row.label for row in rows if not math.isnan(row.estimate)]
    if printed:
        yield Said(
            text=f"Entered with the printed effect, its variance from the width of the printed interval:"
            f" {', '.join(printed)}."
        )


def _effects(analysis: "AnalysisRun") -> Iterator[Said]:
    spec, rows = analysis.spec, analysis.rows
    if rows:
        yield _of(MEASURES[spec.effect.measure])
    correction = correction_sentence(spec, rows)
    if correction:
        yield Said(text=correction)


def _model(analysis: "AnalysisRun") -> Iterator[Said]:
    fit, model = analysis.fit, analysis.spec.model
    if isinstance(fit, NotApplicable):
        yield Said(text=f"No effect was pooled: {fit.reason}.")
        yield from _few(analysis)
        return
    yield _of(TAU2_ESTIMATORS[model.tau2])
    if model.q_about == "mantel-haenszel":
        text = "Q was taken about the Mantel-Haenszel mean, not the inverse-variance mean, as in Review Manager 5."
        yield Said(text=text, reference=REVIEW_MANAGER)
    yield _of(INTERVALS[fit.settings.interval])
    if fit.settings.interval != model.interval:
        text = "The ad hoc form was taken by the rules for few trials."
        yield Said(text=text, reference=INTERVALS["hksj-adhoc"].reference)
    if not fit.prediction.missing and fit.settings.prediction != "none":
        yield _of(PREDICTIONS[fit.settings.prediction])
    elif fit.prediction.missing and fit.prediction.why:
        yield Said(text=f"No prediction interval was computed: {fit.prediction.why}.")
    yield Said(text=f"Intervals are at the level of {100 * fit.settings.level:g}%.")
    yield from _few(analysis)


def _few(analysis: "AnalysisRun") -> Iterator[Said]:
    """Say what the rules for few trials let be shown beside a pool, or in its place."""
    few = analysis.few
    if few is None:
        return
    level = f"{100 * few.headline.settings.level:g}%"
    if few.k == 1:
        yield Said(text=f"The interval of the trial is Wald's, at the level of {level}.")
    if few.k == 2:
        yield Said(text=f"Beside the two trials stands a common effect, with Wald's interval at the level of {level}.")
    if few.bayes is not None:
        text = (
            "A Bayesian random-effects estimate stands beside it, with a half-normal prior of scale 0.5 on the"
            " between-study standard deviation and a flat one on the mean."
        )
        yield Said(text=text, reference=FEW)


def _of(method: Method) -> Said:
    return Said(text=method.sentence, reference=method.reference)


def _grouped(analysis: "AnalysisRun") -> Iterator[Said]:
    subgroups = analysis.spec.subgroups
    if analysis.groups and subgroups is not None and analysis.data is not None:
        ruled = analysis.spec.studies.where is not None
        by = f"Studies were put into groups by: {GROUPINGS[subgroups.by]}."
        yield Said(text=by if ruled else "The analysis puts each study into a group.")
    pooled = any(not isinstance(group.fit, NotApplicable) for group in analysis.groups)
    if pooled and analysis.spec.model.tau2 != "common":
        yield Said(text="Groups were pooled separately, each with its own between-study variance.")
    if isinstance(analysis.between, TestResult):
        text = "Whether the groups of five trials or more share one effect was tested by Cochran's Q of their means."
        yield Said(text=text)
    if analysis.contrasts:
        text = "Each group of five trials or more was compared with the first of them"
        if all(math.isfinite(one.df) for one in _large_fits(analysis)):
            yield Said(text=f"{text}, with Welch's interval.", reference=WELCH)
        else:
            yield Said(text=f"{text}, with a normal interval.")


def _more(analysis: "AnalysisRun") -> Iterator[Said]:
    yield from _grouped(analysis)
    slopes = [fit.label for fit in analysis.moderators if not fit.because and fit.by != "control-risk"]
    if slopes:
        text = f"Effects were regressed on one moderator at a time: {'; '.join(slopes)}."
        yield Said(text=text, reference=KNAPP)
        if any(not math.isnan(fit.p_permutation) for fit in analysis.moderators):
            yield Said(text="P-values of moderators were also found by permutation.", reference=PERMUTED)
    if any(fit.by == "control-risk" and not fit.because for fit in analysis.moderators):
        text = "The dependence on control risk was taken from a bivariate binomial model of both arms."
        yield Said(text=text, reference=BIVARIATE)
    count = len(analysis.sensitivity)
    if count:
        runs = "1 sensitivity analysis was run; it" if count == 1 else f"{count} sensitivity analyses were run; each"
        if any(one.k for one in analysis.sensitivity):
            yield Said(text=f"{runs} changes what its row names and nothing else.")
        else:
            yield Said(text=f"No number could enter in any of the {count} sensitivity analyses either.")


def _large_fits(analysis: "AnalysisRun") -> list[PooledResult]:
    named = {name for one in analysis.contrasts for name in (one.first, one.second)}
    return [one.fit for one in analysis.groups if one.label in named and isinstance(one.fit, PooledResult)]


def _around(reproduction: "Reproduction") -> Iterator[Said]:
    found = reproduction.examined
    if found is None:
        return
    if isinstance(found.coverage, Coverage) and found.coverage.bounds:
        count = sum(one.enters for one in found.coverage.absent)
        which = "the 1 absent trial" if count == 1 else f"the {count} absent trials"
        yield Said(
            text=f"The pool was repeated with {which} that can enter: as if they had had no"
            " effect, and as if they had had the effect stated of them. These are suppositions, without an interval."
        )
    if isinstance(found.absolutes, Absolutes):
        used = [model for model in MODELS if any(one.model == model for one in found.absolutes.answers)]
        names = ", ".join(MODELS[model] for model in used)
        text = f"Absolute effects, in people of 100, were computed at risks of the comparator arms ({names})."
        yield Said(text=text, reference=BIVARIATE if "bivariate" in used else "")
    if isinstance(found.readings, ReadingsRange):
        how = "all were fitted" if found.readings.seed is None else f"{found.readings.fitted:,} of them were fitted"
        yield Said(
            text=f"The sources leave {found.readings.combinations:,} joint sets of counts open; {how}, and the range of"
            " the pooled effect is reported."
        )
    if isinstance(found.missing, MissingParticipants):
        text = "The pool was repeated under suppositions about participants without an outcome."
        yield Said(text=text, reference=MISSING)


def _small(analysis: "AnalysisRun") -> Iterator[Said]:
    found = evidence_tables.small_studies(analysis)
    if isinstance(found, NotApplicable):
        yield Said(text=f"Small-study effects were not assessed: {found.reason}.")
        return
    names = [row[0] for row in found.rows if row[0].startswith(("Egger", "Peters"))]
    if any(name.startswith("Egger") for name in names):
        where = " on arcsine differences" if any("arcsine" in name for name in names) else ""
        yield Said(text=f"Funnel asymmetry was tested by Egger's regression{where}.", reference=EGGER)
    if any(name.startswith("Peters") for name in names):
        yield Said(text="Funnel asymmetry was also tested by Peters's regression on odds ratios.", reference=PETERS)


def _last(analysis: "AnalysisRun") -> Iterator[Said]:
    if analysis.data is not None:
        yield _certainty(analysis.spec)
    yield Said(text=f"All numbers were computed by ipsevidence {__version__}.")


def _certainty(spec: "Spec") -> Said:
    judged = spec.certainty
    if judged is None:
        return Said(text="Certainty of evidence was not judged.")
    text = f"Certainty of evidence was judged by GRADE, on {judged.date}, by {' and '.join(judged.by)}."
    return Said(text=text, reference=GRADE)
